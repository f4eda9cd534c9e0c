/// @file  inverse_problem.cpp
/// @brief Exact posteriors of normal laws and mixtures given a linear observation.

#include <fokker/diffusion/inverse/inverse_problem.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <fmt/format.h>
#include <Eigen/QR>

#include <fokker/solvers/support/checks.hpp>

namespace fokker {

void LinearObservation::validate(Index d) const {
  const Index m = h.rows();
  if (m < 1 || h.cols() != d)
    throw std::invalid_argument(
        fmt::format("an observation of data of dimension {} needs an H with m >= 1 rows and {} "
                    "columns: got {} x {}",
                    d, d, m, h.cols()));
  if (y.size() != m || covariance.rows() != m || covariance.cols() != m)
    throw std::invalid_argument(
        fmt::format("an H with {} rows needs {} observed values and a {} x {} covariance: got {} "
                    "and {} x {}",
                    m, m, m, m, y.size(), covariance.rows(), covariance.cols()));
  if (!h.allFinite() || !y.allFinite() || !covariance.allFinite())
    throw std::invalid_argument("the observation has a value that is not finite");
  if ((covariance - covariance.transpose()).cwiseAbs().maxCoeff() >
      1e-10 * covariance.cwiseAbs().maxCoeff())
    throw std::invalid_argument("the covariance of the observation's noise is not symmetric");
}

LinearObservation LinearObservation::of_rows(Index d, std::span<const Index> rows,
                                             const Eigen::VectorXd& y, double noise) {
  check_not_negative("the noise of an observation", noise);
  const Index m = static_cast<Index>(rows.size());
  LinearObservation seen{Eigen::MatrixXd::Zero(m, d), y,
                         noise * noise * Eigen::MatrixXd::Identity(m, m)};
  for (Index i = 0; i < m; ++i) {
    const Index row = rows[static_cast<std::size_t>(i)];
    if (row < 0 || row >= d)
      throw std::invalid_argument(
          fmt::format("the rows of data of dimension {} are 0 to {}: got {}", d, d - 1, row));
    seen.h(i, row) = 1;
  }
  seen.validate(d);
  return seen;
}

namespace {

/// A normal law and the log density of the observation under it.
struct Updated {
  Eigen::VectorXd mean;
  Eigen::MatrixXd covariance;
  double log_evidence;
};

Updated update(const Eigen::VectorXd& mean, const Eigen::MatrixXd& covariance,
               const LinearObservation& observation) {
  observation.validate(mean.size());
  const auto& [h, y, r] = observation;
  const Eigen::MatrixXd seen = h * covariance;
  const Eigen::MatrixXd total = seen * h.transpose() + r;
  const Eigen::LLT<Eigen::MatrixXd> factor(0.5 * (total + total.transpose()));
  const Eigen::VectorXd roots = factor.matrixLLT().diagonal();
  if (factor.info() != Eigen::Success ||
      !(roots.minCoeff() > 1e-8 * std::sqrt(total.diagonal().maxCoeff())))
    throw std::invalid_argument(
        "the observation has no density under the data: H C H^T + R is singular; leave out rows of "
        "H, or add noise");
  const Eigen::VectorXd residual = y - h * mean;
  const Eigen::MatrixXd gain = factor.solve(seen).transpose();
  // (I - K H) C (I - K H)^T + K R K^T is the posterior covariance, and positive by its form.
  const Eigen::MatrixXd rest = Eigen::MatrixXd::Identity(mean.size(), mean.size()) - gain * h;
  const Eigen::MatrixXd left = rest * covariance * rest.transpose() + gain * r * gain.transpose();
  const double log_evidence = -0.5 * factor.matrixL().solve(residual).squaredNorm() -
                              roots.array().log().sum() -
                              0.5 * static_cast<double>(y.size()) * std::log(2 * std::numbers::pi);
  return {mean + gain * residual, 0.5 * (left + left.transpose()), log_evidence};
}

Updated update(const AnyData& data, const LinearObservation& observation) {
  return update(data.mean(), data.covariance(), observation);
}

/// The components given the observation, with weights w_k N(y; ...) that may underflow.
struct UpdatedMixture {
  std::vector<MixtureComponent> components;
  std::vector<double> log_weight;  // ln w_k + ln N(y; H m_k, H C_k H^T + R)
};

UpdatedMixture update(const GaussianMixture& data, const LinearObservation& observation) {
  UpdatedMixture result;
  const Index d = data.dimension();
  const auto size = static_cast<std::size_t>(d);
  for (const MixtureComponent& c : data.components()) {
    using Square = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Eigen::MatrixXd covariance =
        c.covariance.size() == size * size
            ? Eigen::MatrixXd(Eigen::Map<const Square>(c.covariance.data(), d, d))
            : Eigen::MatrixXd(c.covariance[0] * Eigen::MatrixXd::Identity(d, d));
    const Updated u =
        update(Eigen::Map<const Eigen::VectorXd>(c.mean.data(), d), covariance, observation);
    result.components.push_back({c.weight,
                                 {u.mean.data(), u.mean.data() + d},
                                 {u.covariance.data(), u.covariance.data() + d * d}});
    result.log_weight.push_back(std::log(c.weight) + u.log_evidence);
  }
  return result;
}

}  // namespace

Gaussian posterior(const Gaussian& data, const LinearObservation& observation) {
  const Updated u = update(data, observation);
  return Gaussian(u.mean, u.covariance);
}

Gaussian posterior(const GaussianSpectrum& data, const LinearObservation& observation) {
  const Updated u = update(data, observation);
  return Gaussian(u.mean, u.covariance);
}

GaussianMixture posterior(const GaussianMixture& data, const LinearObservation& observation) {
  UpdatedMixture all = update(data, observation);
  const double largest = *std::max_element(all.log_weight.begin(), all.log_weight.end());
  std::vector<MixtureComponent> left;
  for (std::size_t k = 0; k < all.components.size(); ++k) {
    all.components[k].weight = std::exp(all.log_weight[k] - largest);
    if (all.components[k].weight > 0) left.push_back(std::move(all.components[k]));
  }
  return GaussianMixture(std::move(left));
}

double log_evidence(const Gaussian& data, const LinearObservation& observation) {
  return update(data, observation).log_evidence;
}

double log_evidence(const GaussianSpectrum& data, const LinearObservation& observation) {
  return update(data, observation).log_evidence;
}

double log_evidence(const GaussianMixture& data, const LinearObservation& observation) {
  const std::vector<double> terms = update(data, observation).log_weight;
  const double largest = *std::max_element(terms.begin(), terms.end());
  double sum = 0;
  for (const double term : terms) sum += std::exp(term - largest);
  return largest + std::log(sum);
}

namespace detail {

std::pair<Eigen::MatrixXd, Eigen::ArrayXd> seen_part(const LinearObservation& observation) {
  const Eigen::CompleteOrthogonalDecomposition<Eigen::MatrixXd> h(observation.h);
  const Eigen::MatrixXd inverse = h.pseudoInverse();
  return {inverse * observation.h, inverse * observation.y};
}

}  // namespace detail

}  // namespace fokker
