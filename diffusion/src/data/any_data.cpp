/// @file  any_data.cpp
/// @brief Moments of any data distribution, and the checks of its arguments.

#include <fokker/diffusion/data/any_data.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>

#include <fokker/solvers/support/text.hpp>

namespace fokker {

Eigen::VectorXd AnyData::mean() const {
  Eigen::VectorXd m(dimension());
  model_->mean(m.data());
  return m;
}

Eigen::VectorXd AnyData::variance() const {
  Eigen::VectorXd v(dimension());
  model_->variance(v.data());
  return v;
}

Eigen::MatrixXd AnyData::covariance() const {
  Eigen::MatrixXd c(dimension(), dimension());
  model_->covariance(c.data());
  return c;
}

Eigen::MatrixXd AnyData::posterior_covariance(const Eigen::VectorXd& x, double s,
                                              double std) const {
  check_rows(x.size());
  const Index d = dimension();
  Eigen::MatrixXd c(d, d);
  constexpr Index width = 64;  // columns at a time
  for (Index first = 0; first < d; first += width) {
    const Index count = std::min(width, d - first);
    const Block<double> at = x.array().replicate(1, count);
    Block<double> unit = Block<double>::Zero(d, count), product(d, count);
    for (Index j = 0; j < count; ++j) unit(first + j, j) = 1;
    posterior_covariance_times(at, s, std, unit, product);
    c.middleCols(first, count) = product.matrix();
  }
  return 0.5 * (c + c.transpose());
}

void AnyData::check_rows(Index rows) const {
  if (rows != dimension())
    throw std::invalid_argument("the data have dimension " + std::to_string(dimension()) +
                                ", the state has " + std::to_string(rows) + " rows");
}

void AnyData::check_noise(double s, double std) {
  if (s < 0 || std < 0)
    throw std::invalid_argument("scale and noise must not be negative: got s=" + text(s) +
                                ", std=" + text(std));
}

void AnyData::check_directions(Index paths, Index directions) {
  if (paths != directions)
    throw std::invalid_argument("each path needs a direction: got " + std::to_string(paths) +
                                " paths and " + std::to_string(directions) + " directions");
}

}  // namespace fokker
