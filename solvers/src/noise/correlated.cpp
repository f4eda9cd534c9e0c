/// @file  correlated.cpp
/// @brief The root of a correlation matrix.

#include <cmath>
#include <stdexcept>

#include <fmt/format.h>
#include <Eigen/Eigenvalues>
#include <Eigen/QR>

#include <fokker/solvers/noise/correlated.hpp>

namespace fokker::detail {

void correlation_root(const double* matrix, Index n, double* out) {
  constexpr double tolerance = 1e-12;
  const Eigen::Map<const Eigen::MatrixXd> c(matrix, n, n);
  for (Index i = 0; i < n; ++i) {
    if (!(std::abs(c(i, i) - 1) <= tolerance))
      throw std::invalid_argument(
          fmt::format("a correlation matrix must have ones on its diagonal: entry ({}, {}) is {}",
                      i, i, c(i, i)));
    for (Index j = 0; j < i; ++j)
      if (!(std::abs(c(i, j) - c(j, i)) <= tolerance))
        throw std::invalid_argument(
            fmt::format("a correlation matrix must be symmetric: entry ({}, {}) is {} and ({}, {}) "
                        "is {}",
                        i, j, c(i, j), j, i, c(j, i)));
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(c);
  if (!(eigen.eigenvalues().minCoeff() >= -tolerance))
    throw std::invalid_argument(
        fmt::format("a correlation matrix must have no negative eigenvalue: the smallest is {:.3g}",
                    eigen.eigenvalues().minCoeff()));
  // C = (V s)(V s)^T with s^2 the eigenvalues; (V s)^T = Q R gives C = R^T R.
  const Eigen::VectorXd s = eigen.eigenvalues().cwiseMax(0).cwiseSqrt();
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(s.asDiagonal() * eigen.eigenvectors().transpose());
  Eigen::Map<Eigen::MatrixXd> root(out, n, n);
  root = qr.matrixQR().triangularView<Eigen::Upper>().transpose();
  for (Index k = 0; k < root.cols(); ++k)
    if (root(k, k) < 0) root.col(k) = -root.col(k);
}

}  // namespace fokker::detail
