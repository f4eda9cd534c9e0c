/// @file  sampled_law.cpp
/// @brief The moments of the way back with a score linear in x.

#include <fokker/diffusion/model/sampled_law.hpp>

#include <cmath>
#include <stdexcept>

namespace fokker::detail {

Block<double> moment_points(Index d) {
  Block<double> points = Block<double>::Zero(d, d + 2);
  points.middleCols(1, d).matrix().setIdentity();
  for (Index i = 0; i < d; ++i) points(i, d + 1) = 0.75 - std::fmod(0.61803 * double(i), 1.5);
  return points;
}

void moment_rates(const Block<double>& points, const Block<double>& drift, double g, Time t,
                  const Block<double>& y, Block<double>& out) {
  const Index d = points.rows();
  const Eigen::VectorXd c = drift.col(0);
  const Eigen::MatrixXd f = drift.middleCols(1, d).matrix().colwise() - c;
  const Eigen::VectorXd got = drift.col(d + 1);
  const Eigen::VectorXd off = got - c - f * points.col(d + 1).matrix();
  const double size = drift.abs().maxCoeff();
  if (!(off.cwiseAbs().maxCoeff() <= 1e-9 * (1 + size)))
    throw std::invalid_argument(
        "the law of the way back is normal only for a score linear in x; "
        "this one is not, at t = " +
        std::to_string(t));
  const Eigen::MatrixXd fv = f * y.rightCols(d).matrix();
  out.resize(d, d + 1);
  out.col(0) = f * y.col(0).matrix() + c;
  out.rightCols(d) = fv + fv.transpose();
  out.rightCols(d).matrix().diagonal().array() -= g * g;
}

Block<double> moments_of(const GaussianLaw& law, std::array<Time, 2> span) {
  const Index d = law.mean.size();
  if (d < 1 || law.covariance.rows() != d || law.covariance.cols() != d)
    throw std::invalid_argument("a normal law needs d >= 1 means and d x d covariances: got " +
                                std::to_string(d) + " and " +
                                std::to_string(law.covariance.rows()) + " x " +
                                std::to_string(law.covariance.cols()));
  if (!(span[1] < span[0]))
    throw std::invalid_argument("the way back goes down in t: got a span from " +
                                std::to_string(span[0]) + " to " + std::to_string(span[1]));
  Block<double> y(d, d + 1);
  y.col(0) = law.mean;
  y.rightCols(d) = law.covariance;
  return y;
}

GaussianLaw law_of(const Block<double>& moments) {
  const Eigen::MatrixXd covariance = moments.rightCols(moments.rows());
  return {moments.col(0), 0.5 * (covariance + covariance.transpose())};
}

}  // namespace fokker::detail
