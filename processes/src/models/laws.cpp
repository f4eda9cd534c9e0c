/// @file  laws.cpp
/// @brief Laws that take matrices: of linear SDEs, the Kubo oscillator and Langevin dynamics.

#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fokker/processes/laws/matrix_exponential.hpp>
#include <fokker/processes/models/kubo.hpp>
#include <fokker/processes/models/langevin.hpp>
#include <fokker/processes/models/linear.hpp>
#include <fokker/solvers/support/checks.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

namespace {

constexpr double tolerance = 1e-12;

bool commute(const Eigen::MatrixXd& p, const Eigen::MatrixXd& q) {
  return (p.lazyProduct(q) - q.lazyProduct(p)).norm() <= tolerance * p.norm() * q.norm();
}

/// The matrix of an affine map on Y = (X, 1).
Eigen::MatrixXd lifted(const Eigen::MatrixXd& matrix, const Eigen::VectorXd& offset) {
  const Index d = matrix.rows();
  Eigen::MatrixXd out = Eigen::MatrixXd::Zero(d + 1, d + 1);
  out.topLeftCorner(d, d) = matrix;
  out.col(d).head(d) = offset;
  return out;
}

Eigen::VectorXd lifted(const Eigen::ArrayXd& x) {
  Eigen::VectorXd y(x.size() + 1);
  y << x.matrix(), 1.0;
  return y;
}

/// p (x) q.
Eigen::MatrixXd kronecker(const Eigen::MatrixXd& p, const Eigen::MatrixXd& q) {
  Eigen::MatrixXd out(p.rows() * q.rows(), p.cols() * q.cols());
  for (Index i = 0; i < p.rows(); ++i)
    for (Index j = 0; j < p.cols(); ++j)
      out.block(i * q.rows(), j * q.cols(), q.rows(), q.cols()) = p(i, j) * q;
  return out;
}

double row_sum_norm(const Eigen::MatrixXd& p) { return p.cwiseAbs().rowwise().sum().maxCoeff(); }

}  // namespace

LinearSde LinearSde::homogeneous(Eigen::MatrixXd drift, std::vector<Eigen::MatrixXd> noises) {
  const Index d = drift.rows();
  const std::size_t m = noises.size();
  return {std::move(drift), Eigen::VectorXd::Zero(d), std::move(noises),
          std::vector<Eigen::VectorXd>(m, Eigen::VectorXd::Zero(d))};
}

void LinearSde::validate() const {
  const Index d = A.rows();
  const auto refuse = [&](const std::string& what) {
    throw std::invalid_argument("a linear SDE in " + std::to_string(d) + " dimensions: " + what);
  };
  if (d < 1 || A.cols() != d) refuse("A must be square");
  if (a.size() != d) refuse("a must have as many entries, got " + std::to_string(a.size()));
  if (B.empty() || B.size() != b.size())
    refuse("as many B as b and at least one, got " + std::to_string(B.size()) + " and " +
           std::to_string(b.size()));
  bool finite = A.allFinite() && a.allFinite();
  for (std::size_t k = 0; k < B.size(); ++k) {
    if (B[k].rows() != d || B[k].cols() != d || b[k].size() != d)
      refuse("B_k must be d x d and b_k have d entries, k=" + std::to_string(k) + " does not");
    finite = finite && B[k].allFinite() && b[k].allFinite();
  }
  if (!finite) refuse("every entry must be finite");
}

bool LinearSde::commutative() const {
  for (std::size_t k = 0; k < B.size(); ++k)
    for (std::size_t l = 0; l < k; ++l)
      if (!commute(B[k], B[l]) ||
          !B[k].lazyProduct(b[l]).isApprox(B[l].lazyProduct(b[k]), tolerance))
        return false;
  return true;
}

bool LinearSde::has_exact() const {
  if (!a.isZero(0) || !commutative()) return false;
  for (std::size_t k = 0; k < B.size(); ++k)
    if (!b[k].isZero(0) || !commute(A, B[k])) return false;
  return true;
}

Block<double> LinearSde::solution(const Block<double>& x0, Time t, const Block<double>& w) const {
  if (!has_exact())
    throw std::invalid_argument(
        "this linear SDE has no solution in W_t alone: A and all B_k must commute, a and b be "
        "zero");
  Eigen::MatrixXd at_rest = A * t;
  for (const auto& noise_matrix : B) at_rest -= (0.5 * t) * noise_matrix * noise_matrix;
  Block<double> x(x0.rows(), x0.cols());
  for (Index j = 0; j < x0.cols(); ++j) {
    Eigen::MatrixXd exponent = at_rest;
    for (std::size_t k = 0; k < B.size(); ++k) exponent += w(static_cast<Index>(k), j) * B[k];
    x.col(j) = (detail::matrix_exponential(exponent) * x0.col(j).matrix()).array();
  }
  return x;
}

Eigen::ArrayXd LinearSde::mean(const Eigen::ArrayXd& x0, Time t) const {
  const Eigen::MatrixXd propagator = detail::matrix_exponential(lifted(A, a) * t);
  return propagator.lazyProduct(lifted(x0)).head(x0.size()).array();
}

Eigen::MatrixXd LinearSde::second_moment(const Eigen::ArrayXd& x0, Time t) const {
  const Eigen::VectorXd m = mean(x0, t).matrix();
  return covariance(x0, t) + m * m.transpose();
}

// With y = (x0, 1) and Y = E (X, 1), C and Y Y^T solve
//     d vec C / dt     = L vec C + N vec Y Y^T,    L = A (x) I + I (x) A + sum_k B_k (x) B_k
//     d vec Y Y^T / dt = M vec Y Y^T,              M = A^ (x) I + I (x) A^,  A^ = (A a; 0 0)
// with N = sum_k (B_k b_k) (x) (B_k b_k), so that vec C_t = K_t vec y y^T. K is a Taylor series
// over a short step, then doubled by the law of total variance, K_2t = e^{Lt} K_t + K_t e^{Mt}: no
// second moment is subtracted from another, and entries of different size keep their digits.
Eigen::MatrixXd LinearSde::covariance(const Eigen::ArrayXd& x0, Time t) const {
  const Index d = x0.size(), n = d + 1;
  const Eigen::MatrixXd small = Eigen::MatrixXd::Identity(d, d),
                        full = Eigen::MatrixXd::Identity(n, n);
  const Eigen::MatrixXd mean_matrix = lifted(A, a);
  Eigen::MatrixXd of_covariance = kronecker(A, small) + kronecker(small, A);
  Eigen::MatrixXd of_mean = kronecker(mean_matrix, full) + kronecker(full, mean_matrix);
  Eigen::MatrixXd source = Eigen::MatrixXd::Zero(d * d, n * n);
  for (std::size_t k = 0; k < B.size(); ++k) {
    const Eigen::MatrixXd noise_matrix = lifted(B[k], b[k]).topRows(d);
    of_covariance += kronecker(B[k], B[k]);
    source += kronecker(noise_matrix, noise_matrix);
  }
  const double norm = std::max(row_sum_norm(of_covariance), row_sum_norm(of_mean)) * t;
  const int doublings = norm > 0.5 ? std::min(1100, std::ilogb(norm) + 2) : 0;
  const double step = std::ldexp(t, -doublings);

  constexpr int terms = 16;  // |L| step and |M| step are at most 1/2
  Eigen::MatrixXd covariance_flow = Eigen::MatrixXd::Identity(d * d, d * d);
  Eigen::MatrixXd mean_flow = Eigen::MatrixXd::Identity(n * n, n * n);
  Eigen::MatrixXd map = Eigen::MatrixXd::Zero(d * d, n * n);
  Eigen::MatrixXd l = covariance_flow, m = mean_flow, k = map;  // the terms of order i
  for (int i = 1; i <= terms; ++i) {
    k = (of_covariance.lazyProduct(k) + source.lazyProduct(m)).eval() * (step / i);
    m = (of_mean.lazyProduct(m)).eval() * (step / i);
    l = (of_covariance.lazyProduct(l)).eval() * (step / i);
    map += k;
    mean_flow += m;
    covariance_flow += l;
  }
  for (int i = 0; i < doublings; ++i) {
    map = (covariance_flow.lazyProduct(map) + map.lazyProduct(mean_flow)).eval();
    mean_flow = mean_flow.lazyProduct(mean_flow).eval();
    covariance_flow = covariance_flow.lazyProduct(covariance_flow).eval();
  }
  const Eigen::VectorXd y = lifted(x0);
  const Eigen::MatrixXd square = y * y.transpose();
  const Eigen::VectorXd c =
      map.lazyProduct(Eigen::Map<const Eigen::VectorXd>(square.data(), n * n));
  return Eigen::Map<const Eigen::MatrixXd>(c.data(), d, d);
}

void CommutingLinearSde::validate() const {
  LinearSde::validate();
  if (!commutative())
    throw std::invalid_argument("the noise of this linear SDE does not commute: use LinearSde");
}

namespace {

/// z e^{i angle - s}.
Eigen::Array2d turned(double re, double im, double angle, double s) {
  const double r = std::exp(-s), co = r * std::cos(angle), si = r * std::sin(angle);
  return {co * re - si * im, si * re + co * im};
}

}  // namespace

Eigen::ArrayXd KuboOscillator::mean(const Eigen::ArrayXd& x0, Time t) const {
  return turned(x0[0], x0[1], omega * t, sigma * sigma * (0.5 * t));
}

// With z_0 e^{i omega t} = u_1 + i u_2 and s = sigma^2 t,
//     E |z - E z|^2 = |z_0|^2 (1 - e^{-s}),    E (z - E z)^2 = -(1 - e^{-s}) e^{-s} (u_1 + i u_2)^2
// and |z_0|^2 - e^{-s} (u_1^2 - u_2^2) = |z_0|^2 (1 - e^{-s}) + 2 e^{-s} u_2^2: sums of squares.
Eigen::MatrixXd KuboOscillator::covariance(const Eigen::ArrayXd& x0, Time t) const {
  const double s = sigma * sigma * t, lost = -std::expm1(-s), kept = std::exp(-s);
  const Eigen::Array2d u = turned(x0[0], x0[1], omega * t, 0);
  const double square = 0.5 * lost * x0.square().sum();
  Eigen::MatrixXd c(2, 2);
  c << square + kept * u[1] * u[1], -kept * u[0] * u[1], -kept * u[0] * u[1],
      square + kept * u[0] * u[0];
  return lost * c;
}

void Langevin::validate() const {
  check_positive("gamma", gamma);
  check_positive("kT", kT);
  check_positive("mass", mass);
  check_finite("stiffness", stiffness);
  check_not_negative("quartic", quartic);
  if (quartic == 0 && stiffness <= 0)
    throw std::invalid_argument(
        "the potential must confine: with quartic=0 stiffness must be "
        "positive, got stiffness=" +
        text(stiffness));
}

Eigen::ArrayXd Langevin::mean(const Eigen::ArrayXd& x0, Time t) const {
  return linear_sde().mean(x0, t);
}

Eigen::MatrixXd Langevin::covariance(const Eigen::ArrayXd& x0, Time t) const {
  return linear_sde().covariance(x0, t);
}

LinearSde Langevin::linear_sde() const {
  if (!has_moments())
    throw std::invalid_argument(
        "the moments of Langevin dynamics are known for a harmonic potential "
        "only: got quartic=" +
        text(quartic));
  return {linear_part(),
          Eigen::VectorXd::Zero(2),
          {Eigen::MatrixXd::Zero(2, 2)},
          {diffusion(0).matrix()}};
}

}  // namespace fokker
