#pragma once
/// @file  fokker/processes/models/brownian_motion.hpp
/// @brief Brownian motion with drift.

#include <cmath>

#include <fokker/processes/laws/law.hpp>
#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/noise/initial.hpp>
#include <fokker/solvers/support/checks.hpp>

namespace fokker {

/// Brownian motion with drift, in any dimension, components independent:
///
///     dX = mu dt + sigma dW,    X_t = x0 + mu t + sigma W_t
///
/// Noise   additive.
/// Law     X_t ~ N(x0 + mu t, sigma^2 t) per component.
struct BrownianMotion {
  static constexpr NoiseKind noise = NoiseKind::additive;

  double mu = 0;     ///< drift
  double sigma = 1;  ///< noise, > 0

  /// @throws std::invalid_argument
  void validate() const {
    check_finite("mu", mu);
    check_positive("sigma", sigma);
  }

  double drift(const State auto&, Time) const { return mu; }
  double diffusion(Time) const { return sigma; }
  double divergence(const State auto&, Time) const { return 0; }
  void drift_jacobian(const State auto&, Time, auto& j) const { j.setZero(); }
  double linear_part() const { return 0; }
  static constexpr bool linear() { return true; }

  /// X_t on the path with W_t = w. @param x0, w  numbers, or arrays of one shape, d x n
  auto exact(const auto& x0, Time t, const auto& w) const {
    return detail::value_of(x0 + mu * t + sigma * w);
  }
  /// E X_t, per component. @param x0  a number or an array
  auto mean(const auto& x0, Time t) const { return detail::value_of(x0 + mu * t); }
  /// Var X_t, of each component. @param x0  a number or an array (the value does not depend on it)
  double variance(const auto&, Time t) const { return sigma * sigma * t; }
  /// log p(X_t = x | X_0 = x0) of one component.
  double log_density(double x, double x0, Time t) const {
    return detail::normal_log_density((x - x0) - mu * t, sigma * std::sqrt(t));
  }
  /// x = X_t given X_0 = x0, exactly. @param x0  a number or d x n  @param x  d x n, written
  template <State X>
  void sample_exact(const auto& x0, Time t, PathRandom& random, X& x) const {
    random.normal(x);
    x = exact(x0, t, std::sqrt(t) * x);
  }
};

}  // namespace fokker
