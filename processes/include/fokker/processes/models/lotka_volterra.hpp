#pragma once
/// @file  fokker/processes/models/lotka_volterra.hpp
/// @brief Stochastic Lotka-Volterra: predator and prey in a random environment.

#include <fokker/processes/laws/law.hpp>
#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/support/checks.hpp>

namespace fokker {

/// Stochastic Lotka-Volterra (Ito), X = (prey, predators):
///
///     dX_1 = X_1 (alpha - beta X_2) dt + sigma_1 X_1 dW_1
///     dX_2 = X_2 (delta X_1 - gamma) dt + sigma_2 X_2 dW_2
///
/// Noise    diagonal.
/// Domain   X > 0 for x0 > 0; explicit schemes can lose it at large steps.
/// Law      not closed; d E log X_1 = (alpha - sigma_1^2/2 - beta E X_2) dt, likewise for X_2.
/// Source   Arnold, Horsthemke & Stucki (1979).
struct StochasticLotkaVolterra {
  static constexpr NoiseKind noise = NoiseKind::diagonal;
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr int dimension = 2;

  double alpha = 1.5;                 ///< growth of the prey, > 0
  double beta = 1;                    ///< loss of prey per predator, >= 0
  double delta = 1;                   ///< growth of the predators per prey, >= 0
  double gamma = 3;                   ///< death of the predators, > 0
  Eigen::Array2d sigma = {0.1, 0.1};  ///< noise of each, >= 0

  /// @throws std::invalid_argument
  void validate() const {
    check_positive("alpha", alpha);
    check_not_negative("beta", beta);
    check_not_negative("delta", delta);
    check_positive("gamma", gamma);
    check_not_negative("sigma1", sigma[0]);
    check_not_negative("sigma2", sigma[1]);
  }

  template <State X>
  void drift(const X& x, Time, X& out) const {
    out.row(0) = x.row(0) * (alpha - beta * x.row(1));
    out.row(1) = x.row(1) * (delta * x.row(0) - gamma);
  }
  template <State X>
  auto diffusion(const X& x, Time) const {
    return x.colwise() * sigma.template cast<typename X::Scalar>();
  }
  template <State X>
  auto diffusion_slope(const X& x, Time) const {
    return Plain<X>::Zero(2, x.cols()).colwise() + sigma.template cast<typename X::Scalar>();
  }
  /// 1 x n.
  auto divergence(const State auto& x, Time) const {
    return alpha - gamma - beta * x.row(1) + delta * x.row(0);
  }
  template <State X>
  void drift_jacobian(const X& x, Time, auto& j) const {
    using S = typename X::Scalar;
    const S prey = x(0, 0), predators = x(1, 0);
    j << S(alpha) - S(beta) * predators, S(-beta) * prey,  //
        S(delta) * predators, S(delta) * prey - S(gamma);
  }
  /// The growth of each without the other.
  Eigen::Array2d linear_part() const { return {alpha, -gamma}; }
  static Interval domain(Index) { return {.low = 0}; }
};

}  // namespace fokker
