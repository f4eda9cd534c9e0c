#pragma once
/// @file  fokker/solvers/noise/correlated.hpp
/// @brief A process driven by correlated Brownian motions.

#include <stdexcept>
#include <utility>

#include <Eigen/Core>

#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

namespace detail {

/// As below for the n x n matrix c, both column-major and without gaps; out must not overlap c.
void correlation_root(const double* c, Index n, double* out);

}  // namespace detail

/// The lower triangular L with L L^T = C and a diagonal >= 0, for a correlation matrix C, which may
/// be singular.
/// @throws std::invalid_argument  unless C is square and symmetric with a unit diagonal and no
///                                negative eigenvalue, each to 1e-12
inline Eigen::MatrixXd correlation_root(const Eigen::MatrixXd& c) {
  if (c.rows() != c.cols() || c.rows() == 0)
    throw std::invalid_argument(
        text("a correlation matrix must be square: got {} x {}", {c.rows(), c.cols()}));
  Eigen::MatrixXd root(c.rows(), c.rows());
  detail::correlation_root(c.data(), c.rows(), root.data());
  return root;
}

/// The process P with its Brownian motions correlated; made by `correlated`:
///
///     dX = f(X, t) dt + sum_k g_k(X, t) dB_k,     B = L W,     L L^T = the correlation matrix
///
/// that is, driven by independent W with the columns g'_l = sum_k L_kl g_k. L is lower triangular:
/// B_0 = W_0.
///
/// Noise      by columns: diagonal, additive and commutative noise become commutative (constant
///            combinations of columns that commute do), general noise stays general. Solvers for
///            additive or diagonal noise alone no longer take it.
/// Calculus   that of P: L is constant.
/// Cost       for columns of P, a column g'_l asks for up to m columns of P, and allocates if they
///            write into `out`; otherwise one coefficient of P per column.
/// Source     Glasserman (2004), Monte Carlo Methods in Financial Engineering, 2.3.3 and 3.1.
template <class P>
class Correlated {
  static constexpr NoiseKind base_noise = noise_kind<P>;
  static_assert(base_noise != NoiseKind::none, "a process without noise has none to correlate");
  static_assert(base_noise != NoiseKind::scalar,
                "scalar noise is one Brownian motion: there is nothing to correlate it with");

 public:
  static constexpr NoiseKind noise =
      base_noise == NoiseKind::general ? NoiseKind::general : NoiseKind::commutative;
  static constexpr Calculus calculus = calculus_of<P>;
  static constexpr Clock clock = clock_of<P>;

  /// @param correlation  of the Brownian motions of the process
  /// @throws std::invalid_argument  if it is not a correlation matrix, or of another size
  Correlated(P process, const Eigen::MatrixXd& correlation)
      : base_(std::move(process)), root_(correlation_root(correlation)) {
    const Index m = wiener_dimension(base_, dimension_of(base_));
    if (m >= 0 && m != root_.rows())
      throw std::invalid_argument(
          text("the process has {} Brownian motions and the correlation matrix is {} x {}",
               {m, root_.rows(), root_.cols()}));
  }

  Index sources() const { return root_.cols(); }
  Index dimension() const { return by_columns(base_noise) ? dimension_of(base_) : root_.rows(); }
  decltype(auto) domain(Index component) const requires requires(const P& p) { p.domain(Index{}); }
  { return base_.domain(component); }

  template <State X>
  requires detail::has_drift<P, X>
  void drift(const X& x, Time t, X& out) const { evaluate_drift(base_, x, t, out); }

  /// out = g'_l(x, t).
  template <State X>
  requires detail::has_diffusion<P, X>
  void diffusion(const X& x, Time t, Index l, X& out) const {
    using S = typename X::Scalar;
    if constexpr (by_columns(base_noise)) {
      out.setZero(x.rows(), x.cols());
      X column;
      if constexpr (requires { base_.diffusion(x, t, l, column); })
        column.resize(x.rows(), x.cols());
      for (Index k = l; k < root_.rows(); ++k)
        out += static_cast<S>(root_(k, l)) * fokker::diffusion(base_, x, t, k, column);
    } else {
      if constexpr (base_noise == NoiseKind::diagonal) {
        detail::assign(out, fokker::diffusion(base_, x, t, out));
      } else if constexpr (requires {
                             { base_.diffusion(t) } -> detail::Number;
                           }) {
        out.setConstant(static_cast<S>(base_.diffusion(t)));
      } else {
        if constexpr (requires { base_.diffusion(t, out.col(0)); })
          base_.diffusion(t, out.col(0));
        else
          out.col(0) = base_.diffusion(t).template cast<S>();
        for (Index j = 1; j < out.cols(); ++j) out.col(j) = out.col(0);
      }
      for (Index i = 0; i < out.rows(); ++i) out.row(i) *= static_cast<S>(root_(i, l));
    }
  }

 private:
  P base_;
  Eigen::MatrixXd root_;
};

/// As that of the process.
template <class P>
inline constexpr int fixed_dimension<Correlated<P>> = fixed_dimension<P>;

/// The process with its Brownian motions correlated: `correlated(process, matrix)`.
/// @throws std::invalid_argument  as Correlated
template <class P>
auto correlated(P process, const Eigen::MatrixXd& correlation) {
  return Correlated<P>(std::move(process), correlation);
}

}  // namespace fokker
