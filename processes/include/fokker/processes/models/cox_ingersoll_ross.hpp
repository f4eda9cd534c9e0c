#pragma once
/// @file  fokker/processes/models/cox_ingersoll_ross.hpp
/// @brief The Cox-Ingersoll-Ross process (square-root diffusion).

#include <cmath>
#include <limits>

#include <fokker/processes/laws/law.hpp>
#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/noise/initial.hpp>
#include <fokker/solvers/support/checks.hpp>

namespace fokker {

namespace detail {

/// log of the density at x > 0 of the noncentral chi-square law with `degrees` >= 0 degrees of
/// freedom and noncentrality lambda >= 0; without degrees, of its part above 0.
/// @param below  its mean degrees + lambda less x, which is lost where both are large
double noncentral_chi_squared_log_density(double degrees, double lambda, double x, double below);

/// A noncentral chi-square value from two uniforms in (0, 1): 2 Gamma(degrees/2 + N) with
/// N ~ Poisson(lambda / 2), both by inversion.
double noncentral_chi_squared_value(double degrees, double lambda, double u, double v);

/// The same less its mean degrees + lambda, for a mean above `large_chi_squared`: there the
/// quantiles are taken from their expansions about the normal one, exact to rounding.
double noncentral_chi_squared_offset(double degrees, double lambda, double u, double v);
inline constexpr double large_chi_squared = 1e7;

/// log of the density at x > 0 of the Gamma law with this shape and mean.
double gamma_log_density(double shape, double mean, double x);

}  // namespace detail

/// The square-root process of Cox, Ingersoll and Ross (Ito), in any dimension, components
/// independent:
///
///     dX = kappa (theta - X) dt + sigma sqrt(X) dW,    X >= 0
///
/// Noise   diagonal.
/// Domain  X >= 0; X > 0 where 2 kappa theta >= sigma^2 (`feller`). A step of a scheme may leave
///         it. The coefficients are those of full truncation, with X replaced by max(X, 0) in drift
///         and diffusion (Lord, Koekkoek & van Dijk 2010): the drift returns a state below 0, which
///         stands for max(X, 0) and never becomes nan.
/// Law     X_t / c ~ chi'^2 with 4 kappa theta / sigma^2 degrees of freedom and noncentrality
///         x0 e^{-kappa t} / c, c = sigma^2 (1 - e^{-kappa t}) / (4 kappa); stationary Gamma with
///         shape 2 kappa theta / sigma^2 and scale sigma^2 / (2 kappa).
/// Source  Cox, Ingersoll & Ross (1985), (18)-(20).
struct CoxIngersollRoss {
  static constexpr NoiseKind noise = NoiseKind::diagonal;
  static constexpr Calculus calculus = Calculus::ito;

  double kappa = 1;    ///< rate of return, > 0
  double theta = 1;    ///< level, > 0
  double sigma = 0.5;  ///< volatility, > 0

  /// @throws std::invalid_argument
  void validate() const {
    check_positive("kappa", kappa);
    check_positive("theta", theta);
    check_positive("sigma", sigma);
  }
  /// Whether the exact solution never touches 0.
  bool feller() const { return 2 * kappa * theta >= sigma * sigma; }

  auto drift(const State auto& x, Time) const { return kappa * (theta - x.max(0)); }
  auto diffusion(const State auto& x, Time) const { return sigma * x.max(0).sqrt(); }
  /// dg/dx = sigma / (2 sqrt x), and 0 for x <= 0, where g is constant.
  auto diffusion_slope(const State auto& x, Time) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    return (x > S(0)).select(0.5 * sigma / x.max(std::numeric_limits<S>::min()).sqrt(), S(0));
  }
  /// The slope of kappa (theta - x^+).
  void drift_jacobian(const State auto& x, Time, auto& j) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    j.setZero();
    j.diagonal() = (x > S(0)).template cast<S>().matrix() * S(-kappa);
  }
  double linear_part() const { return -kappa; }
  static Interval domain(Index) { return {.low = 0}; }

  /// E X_t. @param x0  a number or an array
  auto mean(const auto& x0, Time t) const { return detail::mean_of_return(x0, theta, kappa, t); }
  /// Var X_t, of each component. @param x0  a number or an array
  auto variance(const auto& x0, Time t) const {
    const double decay = std::exp(-kappa * t), grown = -std::expm1(-kappa * t);
    constexpr double linear = 1e-16;  // below it grown / kappa is t to rounding
    const double factor = kappa * t < linear ? sigma * sigma * t : sigma * sigma * grown / kappa;
    return detail::value_of((x0 * decay + 0.5 * theta * grown) * factor);
  }
  /// log p(X_t = x | X_0 = x0) of one component, x > 0, x0 >= 0; -infinity for x < 0. Normal where
  /// the noise is too small for the scale c to be a double, and a point mass without noise.
  double log_density(double x, double x0, Time t) const {
    if (x < 0) return -std::numeric_limits<double>::infinity();
    const double grown = -std::expm1(-kappa * t);
    const double below = grown < 0.5 ? (x0 - x) + (theta - x0) * grown
                                     : (theta - x) + (x0 - theta) * std::exp(-kappa * t);
    const double c = scale(t), k = degrees(), lambda = noncentrality(x0, t);
    constexpr double least = 1e-290;
    if (!(c > least) || !std::isfinite(k + lambda)) {
      const double spread =
          (x0 * std::exp(-kappa * t) + 0.5 * theta * grown) * detail::relaxation(kappa, t);
      return detail::normal_log_density(below, sigma * std::sqrt(spread));
    }
    return detail::noncentral_chi_squared_log_density(k, lambda, x / c, below / c) - std::log(c);
  }
  /// log of the density of the stationary law of one component, x > 0.
  double stationary_log_density(double x) const {
    return detail::gamma_log_density(0.5 * degrees(), theta, x);
  }
  /// x = X_t given X_0 = x0, exactly, by inversion; the mean where the noise is below rounding.
  /// @param x0  a number or d x n
  /// @param x   d x n, written
  template <State X>
  void sample_exact(const auto& x0, Time t, PathRandom& random, X& x) const {
    using S = typename X::Scalar;
    const X start = X::Zero(x.rows(), x.cols()) + x0;
    Eigen::Array<double, 1, Eigen::Dynamic> u(x.cols()), v(x.cols());
    for (Index i = 0; i < x.rows(); ++i) {
      random.uniform(u);
      random.uniform(v);
      for (Index j = 0; j < x.cols(); ++j)
        x(i, j) = static_cast<S>(value(static_cast<double>(start(i, j)), t, u[j], v[j]));
    }
  }

 private:
  double degrees() const { return 4 * kappa * theta / (sigma * sigma); }
  double scale(Time t) const {
    constexpr double linear = 1e-16;  // below it (1 - e^{-kappa t}) / kappa is t to rounding
    if (kappa * t < linear) return 0.25 * sigma * sigma * t;
    return -sigma * sigma * std::expm1(-kappa * t) / (4 * kappa);
  }
  double value(double x0, Time t, double u, double v) const {
    const double c = scale(t), k = degrees(), lambda = noncentrality(x0, t);
    if (!(c > 0) || !std::isfinite(k + lambda)) return mean(x0, t);
    if (k + lambda > detail::large_chi_squared)
      return mean(x0, t) + c * detail::noncentral_chi_squared_offset(k, lambda, u, v);
    return c * detail::noncentral_chi_squared_value(k, lambda, u, v);
  }
  double noncentrality(double x0, Time t) const { return x0 * std::exp(-kappa * t) / scale(t); }
};

}  // namespace fokker
