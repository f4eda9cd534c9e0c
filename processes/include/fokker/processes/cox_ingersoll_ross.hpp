#pragma once
/// @file  fokker/processes/cox_ingersoll_ross.hpp
/// @brief The Cox-Ingersoll-Ross process (square-root diffusion).

#include <cmath>
#include <limits>

#include <fokker/processes/law.hpp>
#include <fokker/processes/parameters.hpp>
#include <fokker/solvers/initial.hpp>
#include <fokker/solvers/process.hpp>

namespace fokker {

namespace detail {

/// log of the density at x > 0 of the noncentral chi-square law with `degrees` > 0 degrees of
/// freedom and noncentrality lambda >= 0; -infinity where it underflows.
double noncentral_chi_squared_log_density(double degrees, double lambda, double x);

/// A noncentral chi-square value from two uniforms in (0, 1): 2 Gamma(degrees/2 + N) with
/// N ~ Poisson(lambda / 2), both by inversion.
double noncentral_chi_squared_value(double degrees, double lambda, double u, double v);

}  // namespace detail

/// The square-root process of Cox, Ingersoll and Ross (Ito), in any dimension, components
/// independent:
///
///     dX = kappa (theta - X) dt + sigma sqrt(X) dW,    X >= 0
///
/// Noise   diagonal.
/// Domain  X >= 0; X > 0 where 2 kappa theta >= sigma^2 (`feller`). A step of a scheme may leave
/// it:
///         the coefficients are those of full truncation, with X replaced by max(X, 0) in drift and
///         diffusion (Lord, Koekkoek & van Dijk 2010), so a state below 0 is carried back by the
///         drift, never becomes nan, and stands for max(X, 0).
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
    detail::require_positive("kappa", kappa);
    detail::require_positive("theta", theta);
    detail::require_positive("sigma", sigma);
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
  auto mean(const auto& x0, Time t) const {
    return detail::value_of(theta + (x0 - theta) * std::exp(-kappa * t));
  }
  /// Var X_t, of each component. @param x0  a number or an array
  auto variance(const auto& x0, Time t) const {
    const double decay = std::exp(-kappa * t), grown = -std::expm1(-kappa * t);
    return detail::value_of((x0 * decay + 0.5 * theta * grown) * (sigma * sigma * grown / kappa));
  }
  /// log p(X_t = x | X_0 = x0) of one component, x > 0, x0 >= 0, t > 0.
  double log_density(double x, double x0, Time t) const {
    const double c = scale(t);
    return detail::noncentral_chi_squared_log_density(degrees(), noncentrality(x0, t), x / c) -
           std::log(c);
  }
  /// log of the density of the stationary law of one component, x > 0.
  double stationary_log_density(double x) const {
    const double shape = 0.5 * degrees(), rate = 2 * kappa / (sigma * sigma);
    return shape * std::log(rate) + (shape - 1) * std::log(x) - rate * x - std::lgamma(shape);
  }
  /// x = X_t given X_0 = x0, exactly, by inversion. @param x0  a number or d x n  @param x  d x n
  template <State X>
  void sample_exact(const auto& x0, Time t, PathRandom& random, X& x) const {
    using S = typename X::Scalar;
    const X start = X::Zero(x.rows(), x.cols()) + x0;
    Eigen::Array<double, 1, Eigen::Dynamic> u(x.cols()), v(x.cols());
    for (Index i = 0; i < x.rows(); ++i) {
      random.uniform(u);
      random.uniform(v);
      for (Index j = 0; j < x.cols(); ++j)
        x(i, j) =
            static_cast<S>(scale(t) * detail::noncentral_chi_squared_value(
                                          degrees(), noncentrality(start(i, j), t), u[j], v[j]));
    }
  }

 private:
  double degrees() const { return 4 * kappa * theta / (sigma * sigma); }
  double scale(Time t) const { return -sigma * sigma * std::expm1(-kappa * t) / (4 * kappa); }
  double noncentrality(double x0, Time t) const { return x0 * std::exp(-kappa * t) / scale(t); }
};

}  // namespace fokker
