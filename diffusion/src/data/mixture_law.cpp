/// @file  mixture_law.cpp
/// @brief Checks and moments of Gaussian mixtures.

#include "data/mixture_law.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace fokker::detail {

MixtureLaw::MixtureLaw(std::vector<MixtureComponent> components)
    : components_(std::move(components)) {
  if (components_.empty()) throw std::invalid_argument("a mixture needs at least one component");
  d_ = static_cast<Index>(components_.front().mean.size());
  isotropic_ = std::all_of(components_.begin(), components_.end(),
                           [](const auto& c) { return c.covariance.size() == 1; });
  for (std::size_t k = 0; k < components_.size(); ++k) {
    try {
      add(components_[k]);
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument(
          fmt::format("component {} of {}: {}", k + 1, components_.size(), error.what()));
    }
  }
  scale_weights(components_);
  mean_.assign(static_cast<std::size_t>(d_), 0.0);
  double cumulative = 0;
  for (const MixtureComponent& c : components_) {
    cumulative_.push_back(cumulative += c.weight);
    log_weight_.push_back(std::log(c.weight));
    for (std::size_t r = 0; r < mean_.size(); ++r) mean_[r] += c.weight * c.mean[r];
  }
  least_ = *std::min_element(values_.begin(), values_.end());
  reach_ = 0;
  for (const MixtureComponent& c : components_)
    reach_ = std::max(reach_, vector(c.mean).cwiseAbs().maxCoeff());
  reach_ = std::max(reach_, std::sqrt(*std::max_element(values_.begin(), values_.end())));
}

void MixtureLaw::add(const MixtureComponent& c) {
  const auto d = static_cast<std::size_t>(d_);
  check_positive("the weight", c.weight);
  if (d == 0 || c.mean.size() != d)
    throw std::invalid_argument(fmt::format(
        "all means need the same dimension >= 1: got {}, and {} in the first", c.mean.size(), d));
  require_coordinates(c.mean, "mean");
  if (c.covariance.size() == 1) {
    const double v = c.covariance[0];
    if (!(v >= smallest_variance && v <= largest_variance))
      throw std::invalid_argument(
          fmt::format("the variance must be positive, from {} to {}: got {}", smallest_variance,
                      largest_variance, v));
    if (isotropic_) {
      values_.push_back(v);
      return;
    }
  } else if (c.covariance.size() != d * d) {
    throw std::invalid_argument(fmt::format("the covariance needs {} x {} numbers, or one: got {}",
                                            d, d, c.covariance.size()));
  }
  std::vector<double> full = c.covariance;
  if (full.size() != d * d) {
    full.assign(d * d, 0.0);
    for (std::size_t r = 0; r < d; ++r) full[r * d + r] = c.covariance[0];
  }
  const Spectrum spectrum = spectrum_of(full, d_);
  if (!(spectrum.values.front() > 1e-14 * spectrum.values.back()))
    throw std::invalid_argument(
        fmt::format("the covariance is not positive definite: its least eigenvalue is {:.4g}",
                    spectrum.values.front()));
  if (spectrum.values.front() < smallest_variance)
    throw std::invalid_argument(
        fmt::format("the covariance must have variances of at least {}: got {}", smallest_variance,
                    spectrum.values.front()));
  const std::vector<double> lower = triangular_root(spectrum.basis, spectrum.values);
  values_.insert(values_.end(), spectrum.values.begin(), spectrum.values.end());
  basis_.insert(basis_.end(), spectrum.basis.begin(), spectrum.basis.end());
  lower_.insert(lower_.end(), lower.begin(), lower.end());
}

std::size_t MixtureLaw::chosen(double u) const {
  const auto at = std::lower_bound(cumulative_.begin(), cumulative_.end() - 1, u);
  return static_cast<std::size_t>(at - cumulative_.begin());
}

void MixtureLaw::variance(double* out) const {
  const std::size_t d = mean_.size();
  std::fill_n(out, d, 0.0);
  for (const MixtureComponent& c : components_)
    for (std::size_t r = 0; r < d; ++r) {
      const double own = c.covariance.size() == 1 ? c.covariance[0] : c.covariance[r * d + r];
      out[r] += c.weight * (own + (c.mean[r] - mean_[r]) * (c.mean[r] - mean_[r]));
    }
}

void MixtureLaw::covariance(double* out) const {
  Eigen::Map<RowMatrix<double>> total(out, d_, d_);
  total.setZero();
  for (const MixtureComponent& c : components_) {
    const Eigen::VectorXd offset = vector(c.mean) - vector(mean_);
    total += c.weight * offset * offset.transpose();
    if (c.covariance.size() == 1)
      total.diagonal().array() += c.weight * c.covariance[0];
    else
      total += c.weight * Eigen::Map<const RowMatrix<double>>(c.covariance.data(), d_, d_);
  }
}

}  // namespace fokker::detail
