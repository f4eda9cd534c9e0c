#pragma once
/// @file  fokker/solvers/stiff/newton.hpp
/// @brief Newton's method for the implicit equation of a step, path by path.

#include <cmath>
#include <limits>

#include <Eigen/LU>

#include <fokker/solvers/core/drift_jacobian.hpp>
#include <fokker/solvers/core/process.hpp>

namespace fokker {

/// The scratch of `solve_implicit` for states d x n.
template <State X>
struct NewtonWorkspace {
  using S = typename X::Scalar;
  static constexpr int rows = X::RowsAtCompileTime;
  using Matrix = Eigen::Matrix<S, rows, rows>;
  using Vector = Eigen::Matrix<S, rows, 1>;
  static constexpr int entries = rows == Eigen::Dynamic ? Eigen::Dynamic : rows * rows;

  NewtonWorkspace(Index d, Index n)
      : f(d, n),
        moved(d, n),
        f_moved(d, n),
        jacobian(d * d, n),
        open(1, n),
        path(d),
        matrix(d, d),
        residual(d),
        step(d),
        lu(d) {}

  X f, moved, f_moved;
  Eigen::Array<S, entries, Eigen::Dynamic, Eigen::RowMajor> jacobian;  ///< df_i/dx_k in row i + d k
  Eigen::Array<bool, 1, Eigen::Dynamic> open;  ///< paths that have not converged
  PathState<S, rows> path;
  Matrix matrix;
  Vector residual, step;
  Eigen::PartialPivLU<Matrix> lu;
};

namespace detail {

/// Writes the Jacobian of f at (u, t) into w.jacobian: that of the process, or forward differences
/// from f in w.f with displacements of sqrt(epsilon) max(|u|, |r|), or sqrt(epsilon) c |f| where
/// both are 0.
template <State X, class P>
void evaluate_jacobian(const P& p, const X& u, const X& r, Time t, Time c, NewtonWorkspace<X>& w) {
  if constexpr (HasDriftJacobian<P, X>)
    if (has_drift_jacobian<X>(p))
      return evaluate_drift_jacobian(p, u, t, w.jacobian, w.path, w.matrix);
  using S = typename X::Scalar;
  const S root = std::sqrt(std::numeric_limits<S>::epsilon());
  const Index d = u.rows();
  for (Index j = 0; j < d; ++j) {
    w.moved = u;
    const auto size = u.row(j).abs().max(r.row(j).abs());
    const auto step = static_cast<S>(c) * w.f.row(j).abs();
    w.moved.row(j) += root * (size > S(0)).select(size, (step > S(0)).select(step, S(1)));
    evaluate_drift(p, w.moved, t, w.f_moved);
    for (Index i = 0; i < d; ++i)
      w.jacobian.row(i + d * j) = (w.f_moved.row(i) - w.f.row(i)) / (w.moved.row(j) - u.row(j));
  }
}

}  // namespace detail

/// Iterations after which `solve_implicit` sets a path to nan.
inline constexpr int newton_iterations = 50;

/// Solves u = r + c f(u, t) for every path by Newton's method from u, with the Jacobian of each
/// iterate. A path has converged when its Newton step is below sqrt(epsilon) (|u| + |r|), which
/// leaves an error of the order of epsilon; after `newton_iterations` it becomes nan. The bits of a
/// path do not depend on the others. No allocation.
/// @param c  >= 0
/// @param u  d x n, the first guess, overwritten with the solution
/// Cost   one f and one Jacobian (d more f without drift_jacobian) per iteration, and an LU
///        factorisation of d x d per path for d > 1: for small d.
template <State X, class P>
void solve_implicit(const P& p, Time t, Time c, const X& r, X& u, NewtonWorkspace<X>& w) {
  using S = typename X::Scalar;
  const S weight = static_cast<S>(c);
  const S tolerance = std::sqrt(std::numeric_limits<S>::epsilon());
  const Index d = u.rows(), n = u.cols();
  w.open.setConstant(true);
  for (int iteration = 0; iteration < newton_iterations && w.open.any(); ++iteration) {
    evaluate_drift(p, u, t, w.f);
    detail::evaluate_jacobian(p, u, r, t, c, w);
    w.f = u - r - weight * w.f;
    if (d == 1) {
      w.moved.row(0) = w.f.row(0) / (S(1) - weight * w.jacobian.row(0));
      for (Index j = 0; j < n; ++j) {
        if (!w.open(j)) continue;
        u(0, j) -= w.moved(0, j);
        w.open(j) = std::abs(w.moved(0, j)) > tolerance * (std::abs(u(0, j)) + std::abs(r(0, j)));
      }
      continue;
    }
    for (Index j = 0; j < n; ++j) {
      if (!w.open(j)) continue;
      for (Index k = 0; k < d; ++k)
        for (Index i = 0; i < d; ++i)
          w.matrix(i, k) = (i == k ? S(1) : S(0)) - weight * w.jacobian(i + d * k, j);
      w.lu.compute(w.matrix);
      w.residual = w.f.col(j).matrix();
      w.step = w.lu.solve(w.residual);
      u.col(j) -= w.step.array();
      w.open(j) = w.step.norm() > tolerance * (u.col(j).matrix().norm() + r.col(j).matrix().norm());
    }
  }
  for (Index j = 0; j < n; ++j)
    if (w.open(j)) u.col(j).setConstant(std::numeric_limits<S>::quiet_NaN());
}

}  // namespace fokker
