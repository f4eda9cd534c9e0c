#pragma once
/// @file  fokker/diffusion/model/gaussian_law.hpp
/// @brief A Gaussian law as its two moments.

#include <Eigen/Core>

namespace fokker {

/// N(mean, covariance): a d-vector and a symmetric positive semidefinite d x d matrix.
struct GaussianLaw {
  Eigen::VectorXd mean;
  Eigen::MatrixXd covariance;
};

}  // namespace fokker
