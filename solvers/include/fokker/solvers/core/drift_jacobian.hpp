#pragma once
/// @file  fokker/solvers/core/drift_jacobian.hpp
/// @brief The Jacobian of the drift over a block of paths, where the process has it.

#include <fokker/solvers/core/process.hpp>

namespace fokker {

/// A process with the Jacobian of its drift: `drift_jacobian(x, t, j)` fills a d x d matrix with
/// j_ik = df_i/dx_k at one path x, d x 1.
template <class P, class X>
concept HasDriftJacobian = State<X> &&
    requires(const P& p, const PathState<typename X::Scalar, X::RowsAtCompileTime>& x, Time t,
             Eigen::Matrix<typename X::Scalar, X::RowsAtCompileTime, X::RowsAtCompileTime>& j) {
  p.drift_jacobian(x, t, j);
};

/// Whether p has the Jacobian of its drift; known at run time for a type-erased process.
template <State X, class P>
constexpr bool has_drift_jacobian(const P& p) {
  if constexpr (HasDriftJacobian<P, X> && requires { p.has_drift_jacobian(); })
    return p.has_drift_jacobian();
  else
    return HasDriftJacobian<P, X>;
}

/// The Jacobian at every path of x (d x n), df_i/dx_k in row i + d k of `out` (d^2 x n). In one
/// dimension it is the divergence of the drift, where the process has that. No allocation.
/// @param path, matrix  scratch, d x 1 and d x d
/// @pre   has_drift_jacobian(p)
template <State X, HasDriftJacobian<X> P, class Jacobians, class Column, class Matrix>
void evaluate_drift_jacobian(const P& p, const X& x, Time t, Jacobians& out, Column& path,
                             Matrix& matrix) {
  if constexpr (requires { p.drift_jacobian(x, t, out, path, matrix); }) {
    p.drift_jacobian(x, t, out, path, matrix);
  } else {
    if constexpr (requires { p.divergence(x, t); })
      if (x.rows() == 1) {
        using S = typename X::Scalar;
        if constexpr (detail::Number<decltype(p.divergence(x, t))>)
          out.setConstant(static_cast<S>(p.divergence(x, t)));
        else
          out = p.divergence(x, t).template cast<S>();
        return;
      }
    for (Index j = 0; j < x.cols(); ++j) {
      path = x.col(j);
      p.drift_jacobian(path, t, matrix);
      out.col(j) = matrix.reshaped().array();
    }
  }
}

}  // namespace fokker
