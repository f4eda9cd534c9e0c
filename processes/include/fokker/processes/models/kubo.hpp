#pragma once
/// @file  fokker/processes/models/kubo.hpp
/// @brief The Kubo oscillator: rotation with a noisy frequency.

#include <fokker/processes/laws/law.hpp>
#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/support/checks.hpp>

namespace fokker {

/// The Kubo oscillator, z = X_1 + i X_2 with dz = i z (omega dt + sigma o dW), in Ito form:
///
///     dX_1 = (-sigma^2/2 X_1 - omega X_2) dt - sigma X_2 dW
///     dX_2 = (-sigma^2/2 X_2 + omega X_1) dt + sigma X_1 dW
///
/// Noise     scalar.
/// Solution  z_t = z_0 exp(i (omega t + sigma W_t)): |z| is constant.
/// Source    Kubo (1954); Kloeden & Platen (1992), section 4.4, (4.33) for omega = 0.
struct KuboOscillator {
  static constexpr NoiseKind noise = NoiseKind::scalar;
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr int dimension = 2;

  double omega = 1;  ///< mean frequency
  double sigma = 1;  ///< noise of the frequency, > 0

  /// @throws std::invalid_argument
  void validate() const {
    check_finite("omega", omega);
    check_positive("sigma", sigma);
  }

  template <State X>
  void drift(const X& x, Time, X& out) const {
    out.row(0) = -0.5 * sigma * sigma * x.row(0) - omega * x.row(1);
    out.row(1) = -0.5 * sigma * sigma * x.row(1) + omega * x.row(0);
  }
  template <State X>
  void diffusion(const X& x, Time, X& out) const {
    out.row(0) = -sigma * x.row(1);
    out.row(1) = sigma * x.row(0);
  }
  /// (g . grad) g.
  auto diffusion_slope(const State auto& x, Time) const { return -sigma * sigma * x; }
  double divergence(const State auto&, Time) const { return -sigma * sigma; }
  void drift_jacobian(const State auto&, Time, auto& j) const {
    using S = typename std::remove_cvref_t<decltype(j)>::Scalar;
    j = linear_part().template cast<S>();
  }
  Eigen::Matrix2d linear_part() const {
    const double damping = -0.5 * sigma * sigma;
    return Eigen::Matrix2d{{damping, -omega}, {omega, damping}};
  }
  Eigen::Matrix2d linear_diffusion() const { return Eigen::Matrix2d{{0, -sigma}, {sigma, 0}}; }
  static constexpr bool linear() { return true; }

  /// X_t on the paths with W_t = w. @param x0  2 x n  @param w  1 x n
  template <State X>
  Plain<X> exact(const X& x0, Time t, const auto& w) const {
    const auto angle = detail::value_of(omega * t + sigma * w.row(0));
    Plain<X> x(2, x0.cols());
    x.row(0) = angle.cos() * x0.row(0) - angle.sin() * x0.row(1);
    x.row(1) = angle.sin() * x0.row(0) + angle.cos() * x0.row(1);
    return x;
  }
  /// E X_t: z_0 e^{i omega t - sigma^2 t / 2}.
  Eigen::ArrayXd mean(const Eigen::ArrayXd& x0, Time t) const;
  /// Cov X_t, 2 x 2.
  Eigen::MatrixXd covariance(const Eigen::ArrayXd& x0, Time t) const;
};

}  // namespace fokker
