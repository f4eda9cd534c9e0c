/// @file  guidance.cpp
/// @brief The target laws of classifier-free guidance.

#include <fokker/diffusion/score/guidance.hpp>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>
#include <Eigen/Cholesky>

namespace fokker {

GaussianMixture class_of(const GaussianMixture& mixture, std::span<const std::size_t> components) {
  const auto all = mixture.components();
  std::vector<MixtureComponent> chosen;
  for (std::size_t i = 0; i < components.size(); ++i) {
    if (components[i] >= all.size())
      throw std::invalid_argument(
          fmt::format("the mixture has components 0 to {}: got {}", all.size() - 1, components[i]));
    if (std::count(components.begin(), components.end(), components[i]) > 1)
      throw std::invalid_argument(
          fmt::format("a class has each component once: got {} twice", components[i]));
    chosen.push_back(all[components[i]]);
  }
  return GaussianMixture(std::move(chosen));
}

namespace {

void require_one_dimension(const AnyData& conditional, const AnyData& unconditional) {
  if (conditional.dimension() != unconditional.dimension())
    throw std::invalid_argument(
        fmt::format("guidance needs two laws of one dimension: got {} and {}",
                    conditional.dimension(), unconditional.dimension()));
}

Eigen::MatrixXd precision(const AnyData& law) {
  if (law.kind() != DataKind::gaussian)
    throw std::invalid_argument(fmt::format(
        "the law meant by guidance is normal only between normal laws: got a {}; in one "
        "dimension guidance_target_density takes any",
        to_string(law.kind())));
  const Eigen::LLT<Eigen::MatrixXd> factor(law.covariance());
  if (factor.info() != Eigen::Success)
    throw std::invalid_argument("guidance needs laws with a density: a covariance is singular");
  return factor.solve(Eigen::MatrixXd::Identity(law.dimension(), law.dimension()));
}

}  // namespace

Gaussian guidance_target(const AnyData& conditional, const AnyData& unconditional, double weight) {
  require_one_dimension(conditional, unconditional);
  const Eigen::MatrixXd c = precision(conditional), u = precision(unconditional);
  const Eigen::MatrixXd both = weight * c + (1 - weight) * u;
  const Eigen::LLT<Eigen::MatrixXd> factor(both);
  if (factor.info() != Eigen::Success)
    throw std::invalid_argument(
        fmt::format("guidance of weight {} is meant for no law: p_c^w p_u^(1-w) has no finite "
                    "integral",
                    weight));
  const Eigen::MatrixXd covariance = factor.solve(Eigen::MatrixXd::Identity(c.rows(), c.rows()));
  const Eigen::VectorXd mean =
      factor.solve(weight * c * conditional.mean() + (1 - weight) * u * unconditional.mean());
  return Gaussian(mean, 0.5 * (covariance + covariance.transpose()));
}

Eigen::ArrayXd guidance_target_density(const AnyData& conditional, const AnyData& unconditional,
                                       double weight, const Eigen::ArrayXd& points) {
  require_one_dimension(conditional, unconditional);
  const Index n = points.size();
  if (conditional.dimension() != 1)
    throw std::invalid_argument(fmt::format(
        "the density by quadrature is for one dimension: got {}", conditional.dimension()));
  if (n < 2 || !(points.tail(n - 1) > points.head(n - 1)).all())
    throw std::invalid_argument("the density by quadrature needs at least two increasing points");
  const Block<double> x = points.transpose();
  const Eigen::ArrayXd log_density =
      guidance_target_log_density(conditional, unconditional, weight, x);
  const Eigen::ArrayXd density = (log_density - log_density.maxCoeff()).exp();
  const double z = 0.5 * ((points.tail(n - 1) - points.head(n - 1)) *
                          (density.tail(n - 1) + density.head(n - 1)))
                             .sum();
  return density / z;
}

}  // namespace fokker
