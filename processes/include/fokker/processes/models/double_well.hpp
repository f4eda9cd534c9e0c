#pragma once
/// @file  fokker/processes/models/double_well.hpp
/// @brief Overdamped motion in a double well.

#include <cmath>

#include <fokker/processes/laws/law.hpp>
#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/support/checks.hpp>

namespace fokker {

namespace detail {

/// log of the integral of exp(-(x^2 - 1)^2 / (2 sigma^2)) over the real line.
double double_well_log_normalizer(double sigma);

}  // namespace detail

/// Overdamped motion in the potential V = x^4/4 - x^2/2, in any dimension, components independent:
///
///     dX = (X - X^3) dt + sigma dW
///
/// Noise   additive. The drift grows cubically: explicit schemes can blow up at large steps.
/// Law     stationary density proportional to exp(-(x^2 - 1)^2 / (2 sigma^2)), where
///         E X^4 = E X^2 + sigma^2 / 2.
/// Source  Kramers (1940); Gardiner (2009), section 5.5.
struct DoubleWell {
  static constexpr NoiseKind noise = NoiseKind::additive;

  double sigma = 0.5;  ///< noise, > 0

  /// @throws std::invalid_argument
  void validate() const { check_positive("sigma", sigma); }

  auto drift(const State auto& x, Time) const { return x - x.cube(); }
  double diffusion(Time) const { return sigma; }
  /// sum_i (1 - 3 x_i^2), 1 x n.
  auto divergence(const State auto& x, Time) const { return (1 - 3 * x.square()).colwise().sum(); }
  void drift_jacobian(const State auto& x, Time, auto& j) const {
    j.setZero();
    j.diagonal() = (1 - 3 * x.square()).matrix();
  }

  /// log of the density of the stationary law of one component.
  double stationary_log_density(double x) const {
    const double v = (x - 1) * (x + 1) / sigma;
    return -0.5 * v * v - detail::double_well_log_normalizer(sigma);
  }
};

}  // namespace fokker
