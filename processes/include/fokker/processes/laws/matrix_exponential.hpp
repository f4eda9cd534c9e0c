#pragma once
/// @file  fokker/processes/laws/matrix_exponential.hpp
/// @brief The exponential of a small dense matrix.

#include <Eigen/Core>

namespace fokker::detail {

/// out = e^a for the n x n matrix a, both column-major and without gaps; out must not overlap a.
/// Scaling and squaring with Pade approximants (Higham 2005), by Eigen's MatrixFunctions.
void matrix_exponential(const double* a, Eigen::Index n, double* out);

/// e^a.
inline Eigen::MatrixXd matrix_exponential(const Eigen::MatrixXd& a) {
  Eigen::MatrixXd out(a.rows(), a.rows());
  matrix_exponential(a.data(), a.rows(), out.data());
  return out;
}

}  // namespace fokker::detail
