/// @file  matrix_exponential.cpp
/// @brief The exponential of a small dense matrix.

#include <unsupported/Eigen/MatrixFunctions>

#include <fokker/processes/laws/matrix_exponential.hpp>

namespace fokker::detail {

void matrix_exponential(const double* a, Eigen::Index n, double* out) {
  const Eigen::MatrixXd matrix = Eigen::Map<const Eigen::MatrixXd>(a, n, n);
  Eigen::Map<Eigen::MatrixXd>(out, n, n) = matrix.exp();
}

}  // namespace fokker::detail
