#pragma once
/// @file  fokker/processes/models/linear.hpp
/// @brief Linear SDEs with general noise, in any dimension, with their exact first two moments.

#include <utility>
#include <vector>

#include <fokker/processes/laws/law.hpp>
#include <fokker/solvers/core/process.hpp>

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
/// Noise     general; it commutes where B_k B_l = B_l B_k and B_k b_l = B_l b_k (`commutative`).
/// Solution  X_t = exp((A - 1/2 sum_k B_k^2) t + sum_k B_k W_k) x0, where a = b_k = 0 and A and all
///           B_k commute (`has_exact`).
/// Moments   with Y = (X, 1), dY = A^ Y dt + sum_k B^_k Y dW_k and P = E Y Y^T,
///           d vec P / dt = (A^ (x) I + I (x) A^ + sum_k B^_k (x) B^_k) vec P.
/// Source    Arnold (1974), section 8.5; Kloeden & Platen (1992), section 4.8.
struct LinearSde {
  static constexpr NoiseKind noise = NoiseKind::general;
  static constexpr Calculus calculus = Calculus::ito;

  Eigen::MatrixXd A;               ///< d x d
  Eigen::VectorXd a;               ///< d
  std::vector<Eigen::MatrixXd> B;  ///< m of d x d
  std::vector<Eigen::VectorXd> b;  ///< m of d

  /// dX = A X dt + sum_k B_k X dW_k.
  static LinearSde homogeneous(Eigen::MatrixXd drift, std::vector<Eigen::MatrixXd> noises);

  /// @throws std::invalid_argument  if the shapes do not agree or an entry is not finite
  void validate() const;

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
  bool commutative() const;
  /// Whether `exact` holds: homogeneous, and A and all B_k commute.
  bool has_exact() const;

  /// X_t on the paths with W_t = w. @param x0  d x n  @param w  m x n  @pre has_exact()
  /// @throws std::invalid_argument  where the solution is not a function of W_t
  template <State X>
  Plain<X> exact(const X& x0, Time t, const auto& w) const {
    return solution(x0.template cast<double>(), t, w.template cast<double>())
        .template cast<typename X::Scalar>();
  }

  /// E X_t.
  Eigen::ArrayXd mean(const Eigen::ArrayXd& x0, Time t) const;
  /// E X_t X_t^T, d x d. Costs the exponential of a (d + 1)^2 matrix.
  Eigen::MatrixXd second_moment(const Eigen::ArrayXd& x0, Time t) const;
  /// Cov X_t, d x d.
  Eigen::MatrixXd covariance(const Eigen::ArrayXd& x0, Time t) const;

 private:
  Block<double> solution(const Block<double>& x0, Time t, const Block<double>& w) const;
};

/// A linear SDE with noise that commutes, declared in its type for solvers that need that.
struct CommutingLinearSde : LinearSde {
  static constexpr NoiseKind noise = NoiseKind::commutative;

  /// @throws std::invalid_argument  if the noise does not commute (see LinearSde)
  explicit CommutingLinearSde(LinearSde linear) : LinearSde(std::move(linear)) { validate(); }
  void validate() const;
};

}  // namespace fokker
