#pragma once
/// @file  fokker/processes/models/lorenz.hpp
/// @brief The Lorenz system (an ODE).

#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/support/checks.hpp>

namespace fokker {

/// The Lorenz system, an ODE, chaotic at the default parameters:
///
///     x' = sigma (y - x),    y' = x (rho - z) - y,    z' = x y - beta z
///
/// Source  Lorenz (1963).
struct Lorenz {
  static constexpr NoiseKind noise = NoiseKind::none;
  static constexpr bool autonomous = true;
  static constexpr int dimension = 3;

  double sigma = 10;      ///< Prandtl number, > 0
  double rho = 28;        ///< Rayleigh number over its critical value
  double beta = 8.0 / 3;  ///< > 0

  /// @throws std::invalid_argument
  void validate() const {
    check_positive("sigma", sigma);
    check_finite("rho", rho);
    check_positive("beta", beta);
  }

  template <State X>
  void drift(const X& x, Time, X& out) const {
    out.row(0) = sigma * (x.row(1) - x.row(0));
    out.row(1) = x.row(0) * (rho - x.row(2)) - x.row(1);
    out.row(2) = x.row(0) * x.row(1) - beta * x.row(2);
  }
  double divergence(const State auto&, Time) const { return -(sigma + 1 + beta); }
  template <State X>
  void drift_jacobian(const X& u, Time, auto& j) const {
    using S = typename X::Scalar;
    const S x = u(0, 0), y = u(1, 0), z = u(2, 0);
    j << S(-sigma), S(sigma), S(0),  //
        S(rho) - z, S(-1), -x,       //
        y, x, S(-beta);
  }
};

}  // namespace fokker
