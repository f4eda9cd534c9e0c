#pragma once
/// @file  fokker/processes/models/heston.hpp
/// @brief Heston's stochastic volatility model in the logarithm of the price.

#include <cmath>
#include <complex>

#include <fokker/processes/laws/law.hpp>
#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/support/checks.hpp>

namespace fokker {

/// Heston's model (Ito), X = (log S, v) with S the price and v its variance:
///
///     d log S = (mu - v/2) dt + sqrt(v) dW_1
///     dv      = kappa (theta - v) dt + xi sqrt(v) (rho dW_1 + sqrt(1 - rho^2) dW_2)
///
/// Noise    general with two sources; it does not commute.
/// Domain   v >= 0; a step may leave it, as in CoxIngersollRoss, and the coefficients are those of
///          full truncation, with v replaced by max(v, 0) (Lord, Koekkoek & van Dijk 2010).
/// Law      the characteristic function of log S_t is closed; so are mean and covariance of X_t.
/// Source   Heston (1993); Albrecher, Mayer, Schoutens & Tistaert (2007) for the stable form.
struct Heston {
  static constexpr NoiseKind noise = NoiseKind::general;
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr int dimension = 2;

  double mu = 0.05;     ///< growth rate of the price
  double kappa = 1.5;   ///< rate of return of the variance, > 0
  double theta = 0.04;  ///< level of the variance, > 0
  double xi = 0.3;      ///< volatility of the variance, > 0
  double rho = -0.7;    ///< correlation of price and variance, in [-1, 1]

  /// @throws std::invalid_argument
  void validate() const {
    check_finite("mu", mu);
    check_positive("kappa", kappa);
    check_positive("theta", theta);
    check_positive("xi", xi);
    check_in("rho", rho, -1, 1);
  }
  static constexpr Index sources() { return 2; }

  template <State X>
  void drift(const X& x, Time, X& out) const {
    out.row(1) = x.row(1).max(0);
    out.row(0) = mu - 0.5 * out.row(1);
    out.row(1) = kappa * (theta - out.row(1));
  }
  template <State X>
  void diffusion(const X& x, Time, Index k, X& out) const {
    if (k == 0) {
      out.row(0) = x.row(1).max(0).sqrt();
      out.row(1) = (rho * xi) * out.row(0);
    } else {
      out.row(0).setZero();
      out.row(1) = (std::sqrt(1 - rho * rho) * xi) * x.row(1).max(0).sqrt();
    }
  }
  template <State X>
  void drift_jacobian(const X& x, Time, auto& j) const {
    using S = typename X::Scalar;
    const double in_domain = x(1, 0) > S(0) ? 1 : 0;
    j.setZero();
    j(0, 1) = S(-0.5 * in_domain);
    j(1, 1) = S(-kappa * in_domain);
  }
  Eigen::Matrix2d linear_part() const { return Eigen::Matrix2d{{0, -0.5}, {0, -kappa}}; }
  static Interval domain(Index component) {
    return component == 1 ? Interval{.low = 0} : Interval{};
  }

  /// E X_t. @param x0  (log S_0, v_0)
  Eigen::ArrayXd mean(const Eigen::ArrayXd& x0, Time t) const;
  /// Cov X_t, 2 x 2. @param x0  (log S_0, v_0)
  Eigen::MatrixXd covariance(const Eigen::ArrayXd& x0, Time t) const;
  /// E exp(i u log S_t). @param x0  (log S_0, v_0)
  std::complex<double> characteristic_function(std::complex<double> u, const Eigen::ArrayXd& x0,
                                               Time t) const;
};

}  // namespace fokker
