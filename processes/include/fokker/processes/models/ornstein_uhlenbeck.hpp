#pragma once
/// @file  fokker/processes/models/ornstein_uhlenbeck.hpp
/// @brief The Ornstein-Uhlenbeck process (Vasicek's short rate).

#include <cmath>

#include <fokker/processes/laws/law.hpp>
#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/noise/initial.hpp>
#include <fokker/solvers/support/checks.hpp>

namespace fokker {

/// The Ornstein-Uhlenbeck process, in any dimension, components independent:
///
///     dX = theta (mu - X) dt + sigma dW
///
/// Noise   additive.
/// Law     X_t ~ N(mu + (x0 - mu) e^{-theta t}, sigma^2 (1 - e^{-2 theta t}) / (2 theta)) per
///         component; stationary N(mu, sigma^2 / (2 theta)).
/// Source  Uhlenbeck & Ornstein (1930); Kloeden & Platen (1992), section 4.4.
struct OrnsteinUhlenbeck {
  static constexpr NoiseKind noise = NoiseKind::additive;

  double theta = 1;  ///< rate of return, > 0
  double mu = 0;     ///< level
  double sigma = 1;  ///< noise, > 0

  /// @throws std::invalid_argument
  void validate() const {
    check_positive("theta", theta);
    check_finite("mu", mu);
    check_positive("sigma", sigma);
  }

  auto drift(const State auto& x, Time) const { return theta * (mu - x); }
  double diffusion(Time) const { return sigma; }
  double divergence(const State auto& x, Time) const {
    return -theta * static_cast<double>(x.rows());
  }
  void drift_jacobian(const State auto&, Time, auto& j) const {
    detail::set_multiple_of_identity(-theta, j);
  }
  double linear_part() const { return -theta; }
  static constexpr bool linear() { return true; }

  /// E X_t. @param x0  a number or an array
  auto mean(const auto& x0, Time t) const { return detail::mean_of_return(x0, mu, theta, t); }
  /// Var X_t, of each component. @param x0  a number or an array (the value does not depend on it)
  double variance(const auto&, Time t) const {
    constexpr double linear = 1e-16;  // below it the variance is that of Brownian motion
    if (std::abs(2 * theta * t) < linear) return sigma * sigma * t;
    return -std::expm1(-2 * theta * t) * stationary_variance();
  }
  double stationary_variance() const { return sigma * sigma / (2 * theta); }
  /// log p(X_t = x | X_0 = x0) of one component.
  double log_density(double x, double x0, Time t) const {
    const double grown = -std::expm1(-theta * t);
    const double offset =
        grown < 0.5 ? (x - x0) - (mu - x0) * grown : (x - mu) - (x0 - mu) * std::exp(-theta * t);
    return detail::normal_log_density(offset, sigma * std::sqrt(detail::relaxation(2 * theta, t)));
  }
  /// log of the density of the stationary law of one component.
  double stationary_log_density(double x) const {
    return detail::normal_log_density(x - mu, sigma / std::sqrt(2 * theta));
  }
  /// x = X_t given X_0 = x0, exactly. @param x0  a number or d x n  @param x  d x n, written
  template <State X>
  void sample_exact(const auto& x0, Time t, PathRandom& random, X& x) const {
    random.normal(x);
    x = mean(x0, t) + std::sqrt(variance(x0, t)) * x;
  }
};

}  // namespace fokker
