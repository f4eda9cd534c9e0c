#pragma once
/// @file  fokker/processes/models/van_der_pol.hpp
/// @brief The Van der Pol oscillator (an ODE).

#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/support/checks.hpp>

namespace fokker {

/// The Van der Pol oscillator, an ODE, stiff for large mu:
///
///     x' = y,    y' = mu (1 - x^2) y - x
///
/// On the time s = t / mu it is eps x'' = (1 - x^2) x' - x with eps = 1 / mu^2.
/// Source  Van der Pol (1926); Hairer & Wanner (1996), section IV.1.
struct VanDerPol {
  static constexpr NoiseKind noise = NoiseKind::none;
  static constexpr bool autonomous = true;
  static constexpr int dimension = 2;

  double mu = 1;  ///< nonlinear damping, >= 0

  /// @throws std::invalid_argument
  void validate() const { check_not_negative("mu", mu); }

  template <State X>
  void drift(const X& x, Time, X& out) const {
    out.row(0) = x.row(1);
    out.row(1) = mu * (1 - x.row(0).square()) * x.row(1) - x.row(0);
  }
  /// 1 x n.
  auto divergence(const State auto& x, Time) const { return mu * (1 - x.row(0).square()); }
  template <State X>
  void drift_jacobian(const X& u, Time, auto& j) const {
    using S = typename X::Scalar;
    const S x = u(0, 0), y = u(1, 0);
    j << S(0), S(1), S(-2 * mu) * x * y - S(1), S(mu) * (S(1) - x * x);
  }
};

}  // namespace fokker
