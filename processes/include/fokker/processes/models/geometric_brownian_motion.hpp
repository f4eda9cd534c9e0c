#pragma once
/// @file  fokker/processes/models/geometric_brownian_motion.hpp
/// @brief Geometric Brownian motion, the Black-Scholes price.

#include <cmath>
#include <limits>

#include <fokker/processes/laws/law.hpp>
#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/noise/initial.hpp>
#include <fokker/solvers/support/checks.hpp>

namespace fokker {

/// Geometric Brownian motion (Ito), in any dimension, components independent:
///
///     dX = mu X dt + sigma X dW,    X_t = x0 exp((mu - sigma^2/2) t + sigma W_t)
///
/// Noise   diagonal.
/// Law     log(X_t / x0) ~ N((mu - sigma^2/2) t, sigma^2 t) per component.
/// Domain  the sign of x0 is kept; explicit schemes can lose it at large steps.
/// Source  Kloeden & Platen (1992), section 4.4, (4.6).
struct GeometricBrownianMotion {
  static constexpr NoiseKind noise = NoiseKind::diagonal;
  static constexpr Calculus calculus = Calculus::ito;

  double mu = 0.05;    ///< growth rate
  double sigma = 0.2;  ///< volatility, > 0

  /// @throws std::invalid_argument
  void validate() const {
    check_finite("mu", mu);
    check_positive("sigma", sigma);
  }

  auto drift(const State auto& x, Time) const { return mu * x; }
  auto diffusion(const State auto& x, Time) const { return sigma * x; }
  double diffusion_slope(const State auto&, Time) const { return sigma; }
  double divergence(const State auto& x, Time) const { return mu * static_cast<double>(x.rows()); }
  void drift_jacobian(const State auto&, Time, auto& j) const {
    detail::set_multiple_of_identity(mu, j);
  }
  double linear_part() const { return mu; }
  double linear_diffusion() const { return sigma; }
  static constexpr bool linear() { return true; }
  /// For x0 > 0.
  static Interval domain(Index) { return {.low = 0}; }

  /// X_t on the path with W_t = w. @param x0, w  numbers, or arrays of one shape, d x n
  auto exact(const auto& x0, Time t, const auto& w) const {
    using std::exp;
    return detail::value_of(x0 * exp((mu - 0.5 * sigma * sigma) * t + sigma * w));
  }
  /// E X_t = x0 e^{mu t}. @param x0  a number or an array
  auto mean(const auto& x0, Time t) const { return detail::value_of(x0 * std::exp(mu * t)); }
  /// Var X_t = x0^2 e^{2 mu t} (e^{sigma^2 t} - 1), of each component. @param x0  number or array
  auto variance(const auto& x0, Time t) const {
    const double growth = 2 * mu * t, spread = sigma * sigma * t;
    constexpr double large = 300;  // the factors may leave the doubles where their product does not
    const double factor = spread > large ? -std::exp(growth + spread) * std::expm1(-spread)
                                         : std::exp(growth) * std::expm1(spread);
    return detail::value_of(x0 * x0 * factor);
  }
  /// log p(X_t = x | X_0 = x0) of one component, x0 > 0; -infinity for x <= 0.
  double log_density(double x, double x0, Time t) const {
    if (x <= 0) return -std::numeric_limits<double>::infinity();
    const double change = (x - x0) / x0;
    const double log_ratio =
        std::abs(change) < 0.5 ? std::log1p(change) : std::log(x) - std::log(x0);
    return detail::normal_log_density(log_ratio - (mu - 0.5 * sigma * sigma) * t,
                                      sigma * std::sqrt(t)) -
           std::log(x);
  }
  /// x = X_t given X_0 = x0, exactly. @param x0  a number or d x n  @param x  d x n, written
  template <State X>
  void sample_exact(const auto& x0, Time t, PathRandom& random, X& x) const {
    random.normal(x);
    x = exact(x0, t, std::sqrt(t) * x);
  }
};

}  // namespace fokker
