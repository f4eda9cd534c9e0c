#pragma once
/// @file  langevin_map.hpp
/// @brief One step of a Langevin solver on a harmonic well as an affine map, read off the stepper,
///        and its stationary law by Lyapunov's equation: no Monte Carlo.

#include <Eigen/Dense>

#include <fokker/processes/models/langevin.hpp>
#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/noise/brownian.hpp>

namespace fokker::test {

/// (q, v) <- m (q, v) + w W + h H + k K + normals xi.
struct LangevinMap {
  Eigen::Matrix2d m;
  Eigen::Vector2d w, h, k;
  Eigen::Matrix2Xd normals;
};

/// The map of one step of `method` on a harmonic `process`.
template <class M>
LangevinMap map_of(const M& method, const Langevin& process, Time h) {
  using X = Block<double>;
  const Needs needs = needs_of(method);
  const Index n = 5 + needs.normals;
  X x = X::Zero(2, n), y(2, n);
  Increment<Langevin, X> dw;
  dw.resize(2, n, {.h = true, .k = true, .normals = needs.normals});
  x(0, 0) = x(1, 1) = 1;
  dw.w(1, 2) = dw.h(1, 3) = dw.k(1, 4) = 1;
  dw.w.row(0).setConstant(7);  // of the position: drawn and not used
  for (Index j = 0; j < needs.normals; ++j) {
    dw.normals.row(2 * j).setConstant(7);
    dw.normals(2 * j + 1, 5 + j) = 1;
  }
  typename M::template Workspace<X> workspace(2, n);
  method.step(process, x, 0.3, h, dw, y, workspace);
  return {y.leftCols(2).matrix(), y.col(2).matrix(), y.col(3).matrix(), y.col(4).matrix(),
          y.rightCols(needs.normals).matrix()};
}

/// The covariance of the noise of a step.
inline Eigen::Matrix2d noise_covariance(const LangevinMap& a, Time h) {
  return h * a.w * a.w.transpose() + h / 12 * a.h * a.h.transpose() +
         h / 720 * a.k * a.k.transpose() + a.normals * a.normals.transpose();
}

/// P = M P M^T + Q.
inline Eigen::Matrix2d stationary_covariance(const LangevinMap& a, Time h) {
  Eigen::Matrix4d lyapunov = Eigen::Matrix4d::Identity();
  for (Index i = 0; i < 2; ++i)
    for (Index j = 0; j < 2; ++j) lyapunov.block<2, 2>(2 * i, 2 * j) -= a.m(i, j) * a.m;
  const Eigen::Matrix2d q = noise_covariance(a, h);
  const Eigen::Vector4d p = lyapunov.fullPivLu().solve(Eigen::Map<const Eigen::Vector4d>(q.data()));
  return Eigen::Map<const Eigen::Matrix2d>(p.data());
}

}  // namespace fokker::test
