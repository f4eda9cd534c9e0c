#pragma once
/// @file  quadrature.hpp
/// @brief Discrete laws that stand for a standard normal.

#include <cmath>

#include <Eigen/Dense>

#include <fokker/solvers/core/state.hpp>

namespace fokker::test {

struct Quadrature {
  Eigen::VectorXd nodes, weights;

  /// Integrates polynomials against N(0, 1) exactly up to degree 2 n - 1.
  /// Source: Golub & Welsch (1969).
  static Quadrature normal(Index n) {
    Eigen::MatrixXd jacobi = Eigen::MatrixXd::Zero(n, n);
    for (Index i = 1; i < n; ++i)
      jacobi(i, i - 1) = jacobi(i - 1, i) = std::sqrt(static_cast<double>(i));
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(jacobi);
    return {solver.eigenvalues(), solver.eigenvectors().row(0).array().square().matrix()};
  }
  static Quadrature sign() { return {Eigen::Vector2d(-1, 1), Eigen::Vector2d(0.5, 0.5)}; }
  /// One point in each cell of N(0, 1) that the weak schemes tell apart (DiscreteIncrements): they
  /// make one pair of discrete increments of all of it.
  static Quadrature cells() {
    Eigen::VectorXd nodes(6), weights(6);
    nodes << -1.8, -1.2, -0.5, 0.5, 1.2, 1.8;
    weights << 1.0 / 12, 1.0 / 12, 1.0 / 3, 1.0 / 3, 1.0 / 12, 1.0 / 12;
    return {nodes, weights};
  }
};

}  // namespace fokker::test
