#pragma once
/// @file  fokker/processes/models/lamperti.hpp
/// @brief Lamperti's transform: processes in the coordinate in which their noise is additive.

#include <cmath>

#include <fokker/processes/models/cox_ingersoll_ross.hpp>
#include <fokker/processes/models/geometric_brownian_motion.hpp>

namespace fokker {

/// The process Y = F(X), F' = 1/g, of a process X with diagonal noise g_i(x_i); the noise of Y is
/// additive. `forward` is F and `inverse` its inverse.
/// Source  Lamperti (1964); Kloeden & Platen (1992), section 4.4, for the reducible equations.
template <class P>
struct Lamperti;

/// Y = log X, X > 0:  dY = (mu - sigma^2/2) dt + sigma dW
template <>
struct Lamperti<GeometricBrownianMotion> {
  static constexpr NoiseKind noise = NoiseKind::additive;

  GeometricBrownianMotion base;

  /// From the state of the process to that with additive noise.
  auto forward(const State auto& x) const { return x.log(); }
  /// From the state with additive noise to that of the process.
  auto inverse(const State auto& y) const { return y.exp(); }

  double drift(const State auto&, Time) const { return base.mu - 0.5 * base.sigma * base.sigma; }
  double diffusion(Time) const { return base.sigma; }
};

/// Y = sqrt X:  dY = ((kappa theta / 2 - sigma^2 / 8) / Y - kappa Y / 2) dt + sigma/2 dW,  Y > 0
template <>
struct Lamperti<CoxIngersollRoss> {
  static constexpr NoiseKind noise = NoiseKind::additive;

  CoxIngersollRoss base;

  /// From the state of the process to that with additive noise.
  auto forward(const State auto& x) const { return x.sqrt(); }
  /// From the state with additive noise to that of the process.
  auto inverse(const State auto& y) const { return y.square(); }

  /// kappa theta / 2 - sigma^2 / 8, the weight of 1/Y.
  double repulsion() const {
    return 0.5 * base.kappa * base.theta - 0.125 * base.sigma * base.sigma;
  }
  auto drift(const State auto& y, Time) const { return repulsion() / y - 0.5 * base.kappa * y; }
  double diffusion(Time) const { return 0.5 * base.sigma; }
  static Interval domain(Index) { return {.low = 0}; }
};

}  // namespace fokker
