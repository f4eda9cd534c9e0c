#pragma once
/// @file  fokker/processes/linear.hpp
/// @brief Linear SDEs with general noise, in any dimension, with their exact first two moments.

#include <stdexcept>
#include <string>
#include <vector>

#include <fokker/processes/law.hpp>
#include <fokker/processes/matrix_exponential.hpp>
#include <fokker/solvers/process.hpp>

namespace fokker {

namespace detail {

/// out = A x + a, row by row over the paths: path j has the same bits in every block.
template <State X>
void affine_map(const Eigen::MatrixXd& A, const Eigen::VectorXd& a, const X& x, X& out) {
  using S = typename X::Scalar;
  for (Index i = 0; i < A.rows(); ++i) {
    out.row(i).setConstant(static_cast<S>(a[i]));
    for (Index j = 0; j < A.cols(); ++j)
      if (A(i, j) != 0) out.row(i) += static_cast<S>(A(i, j)) * x.row(j);
  }
}

}  // namespace detail

/// A linear SDE (Ito) in d dimensions, driven by m Wiener processes:
///
///     dX = (A X + a) dt + sum_k (B_k X + b_k) dW_k
///
/// Noise    general; it commutes where B_k B_l = B_l B_k and B_k b_l = B_l b_k (`commutative`).
/// Solution where a = b_k = 0 and A and all B_k commute (`has_exact`),
///          X_t = exp((A - 1/2 sum_k B_k^2) t + sum_k B_k W_k) x0.
/// Moments  with Y = (X, 1), dY = A^ Y dt + sum_k B^_k Y dW_k and P = E Y Y^T,
///          d vec P / dt = (A^ (x) I + I (x) A^ + sum_k B^_k (x) B^_k) vec P.
/// Source   Arnold (1974), section 8.5; Kloeden & Platen (1992), section 4.8.
struct LinearSde {
  static constexpr NoiseKind noise = NoiseKind::general;
  static constexpr Calculus calculus = Calculus::ito;

  Eigen::MatrixXd A;               ///< d x d
  Eigen::VectorXd a;               ///< d
  std::vector<Eigen::MatrixXd> B;  ///< m of d x d
  std::vector<Eigen::VectorXd> b;  ///< m of d

  /// dX = A X dt + sum_k B_k X dW_k.
  static LinearSde homogeneous(Eigen::MatrixXd drift, std::vector<Eigen::MatrixXd> noises) {
    const Index d = drift.rows();
    const std::size_t m = noises.size();
    return {std::move(drift), Eigen::VectorXd::Zero(d), std::move(noises),
            std::vector<Eigen::VectorXd>(m, Eigen::VectorXd::Zero(d))};
  }

  /// @throws std::invalid_argument  if the shapes do not agree or an entry is not finite
  void validate() const {
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

  Index dimension() const { return A.rows(); }
  Index sources() const { return static_cast<Index>(B.size()); }

  template <State X>
  void drift(const X& x, Time, X& out) const {
    detail::affine_map(A, a, x, out);
  }
  template <State X>
  void diffusion(const X& x, Time, Index k, X& out) const {
    const auto i = static_cast<std::size_t>(k);
    detail::affine_map(B[i], b[i], x, out);
  }
  double divergence(const State auto&, Time) const { return A.trace(); }
  void drift_jacobian(const State auto&, Time, auto& j) const {
    using S = typename std::remove_cvref_t<decltype(j)>::Scalar;
    j = A.cast<S>();
  }
  const Eigen::MatrixXd& linear_part() const { return A; }
  const Eigen::MatrixXd& linear_diffusion(Index k) const { return B[static_cast<std::size_t>(k)]; }
  static constexpr bool linear() { return true; }

  /// Whether (g_k . grad) g_l = (g_l . grad) g_k for all k and l, to rounding.
  bool commutative() const {
    for (std::size_t k = 0; k < B.size(); ++k)
      for (std::size_t l = 0; l < k; ++l)
        if (!commute(B[k], B[l]) ||
            !B[k].lazyProduct(b[l]).isApprox(B[l].lazyProduct(b[k]), tolerance_))
          return false;
    return true;
  }
  /// Whether `exact` holds: homogeneous, and A and all B_k commute.
  bool has_exact() const {
    if (!a.isZero(0) || !commutative()) return false;
    for (std::size_t k = 0; k < B.size(); ++k)
      if (!b[k].isZero(0) || !commute(A, B[k])) return false;
    return true;
  }

  /// X_t on the paths with W_t = w. @param x0  d x n  @param w  m x n  @pre has_exact()
  /// @throws std::invalid_argument  where the solution is not a function of W_t
  template <State X>
  Plain<X> exact(const X& x0, Time t, const auto& w) const {
    using S = typename X::Scalar;
    if (!has_exact())
      throw std::invalid_argument(
          "this linear SDE has no solution in W_t alone: A and all B_k must commute, a and b be "
          "zero");
    Eigen::MatrixXd at_rest = A * t;
    for (const auto& noise_matrix : B) at_rest -= (0.5 * t) * noise_matrix * noise_matrix;
    Plain<X> x(x0.rows(), x0.cols());
    for (Index j = 0; j < x0.cols(); ++j) {
      Eigen::MatrixXd exponent = at_rest;
      for (std::size_t k = 0; k < B.size(); ++k)
        exponent += static_cast<double>(w(static_cast<Index>(k), j)) * B[k];
      x.col(j) = (detail::matrix_exponential(exponent) * x0.col(j).matrix().template cast<double>())
                     .array()
                     .template cast<S>();
    }
    return x;
  }

  /// E X_t.
  Eigen::ArrayXd mean(const Eigen::ArrayXd& x0, Time t) const {
    const Eigen::MatrixXd propagator = detail::matrix_exponential(lifted(A, a) * t);
    return propagator.lazyProduct(lifted(x0)).head(x0.size()).array();
  }
  /// E X_t X_t^T, d x d. Costs the exponential of a (d + 1)^2 matrix.
  Eigen::MatrixXd second_moment(const Eigen::ArrayXd& x0, Time t) const {
    const Index d = x0.size(), n = d + 1;
    const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(n, n);
    const Eigen::MatrixXd drift_matrix = lifted(A, a);
    Eigen::MatrixXd generator =
        kronecker(drift_matrix, identity) + kronecker(identity, drift_matrix);
    for (std::size_t k = 0; k < B.size(); ++k) {
      const Eigen::MatrixXd noise_matrix = lifted(B[k], b[k]);
      generator += kronecker(noise_matrix, noise_matrix);
    }
    const Eigen::VectorXd y0 = lifted(x0);
    const Eigen::MatrixXd p0 = y0 * y0.transpose();
    const Eigen::VectorXd p = detail::matrix_exponential(generator * t)
                                  .lazyProduct(Eigen::Map<const Eigen::VectorXd>(p0.data(), n * n));
    return Eigen::Map<const Eigen::MatrixXd>(p.data(), n, n).topLeftCorner(d, d);
  }
  /// Cov X_t, d x d.
  Eigen::MatrixXd covariance(const Eigen::ArrayXd& x0, Time t) const {
    const Eigen::VectorXd m = mean(x0, t).matrix();
    return second_moment(x0, t) - m * m.transpose();
  }

 private:
  static constexpr double tolerance_ = 1e-12;

  static bool commute(const Eigen::MatrixXd& p, const Eigen::MatrixXd& q) {
    return (p.lazyProduct(q) - q.lazyProduct(p)).norm() <= tolerance_ * p.norm() * q.norm();
  }
  /// The matrix of an affine map on Y = (X, 1).
  static Eigen::MatrixXd lifted(const Eigen::MatrixXd& matrix, const Eigen::VectorXd& offset) {
    const Index d = matrix.rows();
    Eigen::MatrixXd out = Eigen::MatrixXd::Zero(d + 1, d + 1);
    out.topLeftCorner(d, d) = matrix;
    out.col(d).head(d) = offset;
    return out;
  }
  static Eigen::VectorXd lifted(const Eigen::ArrayXd& x) {
    Eigen::VectorXd y(x.size() + 1);
    y << x.matrix(), 1.0;
    return y;
  }
  /// p (x) q.
  static Eigen::MatrixXd kronecker(const Eigen::MatrixXd& p, const Eigen::MatrixXd& q) {
    Eigen::MatrixXd out(p.rows() * q.rows(), p.cols() * q.cols());
    for (Index i = 0; i < p.rows(); ++i)
      for (Index j = 0; j < p.cols(); ++j)
        out.block(i * q.rows(), j * q.cols(), q.rows(), q.cols()) = p(i, j) * q;
    return out;
  }
};

/// A linear SDE whose noise commutes, and says so in its type: solvers for commutative noise take
/// it.
struct CommutingLinearSde : LinearSde {
  static constexpr NoiseKind noise = NoiseKind::commutative;

  /// @throws std::invalid_argument  if the noise does not commute (see LinearSde)
  explicit CommutingLinearSde(LinearSde linear) : LinearSde(std::move(linear)) { validate(); }
  void validate() const {
    LinearSde::validate();
    if (!commutative())
      throw std::invalid_argument("the noise of this linear SDE does not commute: use LinearSde");
  }
};

}  // namespace fokker
