#pragma once
/// @file  fokker/processes/models/inhomogeneous_gbm.hpp
/// @brief Inhomogeneous geometric Brownian motion: linear noise about a level.

#include <cmath>

#include <fokker/processes/laws/law.hpp>
#include <fokker/processes/models/linear.hpp>
#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/support/checks.hpp>

namespace fokker {

/// Inhomogeneous geometric Brownian motion (Ito), in any dimension, components independent:
///
///     dX = kappa (theta - X) dt + sigma X dW
///
/// Noise     diagonal.
/// Solution  X_t = e^{Z_t} (x0 + kappa theta int_0^t e^{-Z_s} ds), Z_t = sigma W_t -
///           (kappa + sigma^2/2) t: not a function of W_t alone.
/// Domain    X > 0 for x0 > 0.
/// Source    Foster, Lyons & Oberhauser (2020), (4.1); Brennan & Schwartz (1980) as a short rate.
struct InhomogeneousGbm {
  static constexpr NoiseKind noise = NoiseKind::diagonal;
  static constexpr Calculus calculus = Calculus::ito;

  double kappa = 0.1;   ///< rate of return, > 0
  double theta = 0.04;  ///< level, > 0
  double sigma = 0.6;   ///< volatility, > 0

  /// @throws std::invalid_argument
  void validate() const {
    check_positive("kappa", kappa);
    check_positive("theta", theta);
    check_positive("sigma", sigma);
  }

  auto drift(const State auto& x, Time) const { return kappa * (theta - x); }
  auto diffusion(const State auto& x, Time) const { return sigma * x; }
  double diffusion_slope(const State auto&, Time) const { return sigma; }
  double divergence(const State auto& x, Time) const {
    return -kappa * static_cast<double>(x.rows());
  }
  void drift_jacobian(const State auto&, Time, auto& j) const {
    detail::set_multiple_of_identity(-kappa, j);
  }
  double linear_part() const { return -kappa; }
  double linear_diffusion() const { return sigma; }
  static constexpr bool linear() { return true; }
  /// For x0 > 0.
  static Interval domain(Index) { return {.low = 0}; }

  /// E X_t, of each component.
  Eigen::ArrayXd mean(const Eigen::ArrayXd& x0, Time t) const {
    return x0 * std::exp(-kappa * t) - theta * std::expm1(-kappa * t);
  }
  /// Cov X_t, d x d: diagonal.
  Eigen::MatrixXd covariance(const Eigen::ArrayXd& x0, Time t) const;
};

}  // namespace fokker
