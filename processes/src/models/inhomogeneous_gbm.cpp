/// @file  inhomogeneous_gbm.cpp
/// @brief The covariance of inhomogeneous geometric Brownian motion, that of a linear SDE.

#include <fokker/processes/models/inhomogeneous_gbm.hpp>

namespace fokker {

Eigen::MatrixXd InhomogeneousGbm::covariance(const Eigen::ArrayXd& x0, Time t) const {
  const auto number = [](double value) { return Eigen::MatrixXd::Constant(1, 1, value); };
  LinearSde component = LinearSde::homogeneous(number(-kappa), {number(sigma)});
  component.a[0] = kappa * theta;
  Eigen::MatrixXd c = Eigen::MatrixXd::Zero(x0.size(), x0.size());
  for (Index i = 0; i < x0.size(); ++i)
    c(i, i) = component.covariance(Eigen::ArrayXd::Constant(1, x0[i]), t)(0, 0);
  return c;
}

}  // namespace fokker
