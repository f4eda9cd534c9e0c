#pragma once
/// @file  fokker/processes/models/langevin.hpp
/// @brief Underdamped (kinetic) Langevin dynamics in one dimension.

#include <cmath>

#include <fokker/processes/laws/law.hpp>
#include <fokker/processes/models/linear.hpp>
#include <fokker/solvers/core/process.hpp>

namespace fokker {

/// Underdamped Langevin dynamics, X = (q, v), position and velocity in V(q) = k q^2/2 + l q^4/4:
///
///     dq = v dt
///     dv = (-V'(q)/m - gamma v) dt + sqrt(2 gamma kT / m) dW
///
/// Noise   additive, g = (0, sqrt(2 gamma kT / m)): the Wiener process of q is drawn but not used.
/// Law     stationary density proportional to exp(-H / kT), H = m v^2/2 + V(q); for l = 0 the
///         solution is Gaussian with mean and covariance in closed form.
/// Source  Langevin (1908); Pavliotis (2014), section 6.1.
struct Langevin {
  static constexpr NoiseKind noise = NoiseKind::additive;
  static constexpr int dimension = 2;

  double gamma = 1;      ///< friction rate, > 0
  double kT = 1;         ///< temperature times Boltzmann's constant, > 0
  double mass = 1;       ///< m > 0
  double stiffness = 1;  ///< k; negative with quartic > 0 makes two wells
  double quartic = 0;    ///< l >= 0

  /// @throws std::invalid_argument
  void validate() const;

  template <State X>
  void drift(const X& x, Time, X& out) const {
    out.row(0) = x.row(1);
    out.row(1) = acceleration(x.row(0)) - gamma * x.row(1);
  }
  Eigen::Array2d diffusion(Time) const { return {0.0, std::sqrt(2 * gamma * kT / mass)}; }
  double divergence(const State auto&, Time) const { return -gamma; }
  template <State X>
  void drift_jacobian(const X& x, Time, auto& j) const {
    using S = typename X::Scalar;
    const S q = x(0, 0);
    j << S(0), S(1), S(-stiffness / mass) - S(3 * quartic / mass) * q * q, S(-gamma);
  }
  /// With the spring but not the quartic part of the force.
  Eigen::Matrix2d linear_part() const {
    return Eigen::Matrix2d{{0, 1}, {-stiffness / mass, -gamma}};
  }
  bool linear() const { return quartic == 0; }

  /// The structure that the solvers for KineticProcess use: gamma, kT / m and -V'(q) / m.
  double friction() const { return gamma; }
  double velocity_variance() const { return kT / mass; }
  auto acceleration(const auto& q) const {
    return (-1 / mass) * (stiffness + quartic * q.square()) * q;
  }

  /// H = m v^2/2 + V(q), 1 x n.
  auto energy(const State auto& x) const {
    return 0.5 * mass * x.row(1).square() +
           (0.5 * stiffness + 0.25 * quartic * x.row(0).square()) * x.row(0).square();
  }
  /// Whether mean and covariance are known: a harmonic potential.
  bool has_moments() const { return quartic == 0; }
  /// E X_t. @pre has_moments()  @throws std::invalid_argument
  Eigen::ArrayXd mean(const Eigen::ArrayXd& x0, Time t) const;
  /// Cov X_t, 2 x 2. @pre has_moments()  @throws std::invalid_argument
  Eigen::MatrixXd covariance(const Eigen::ArrayXd& x0, Time t) const;

 private:
  LinearSde linear_sde() const;
};

}  // namespace fokker
