/// @file  mixture.cpp
/// @brief Gaussian mixtures, and the named ones.

#include <fokker/diffusion/data/mixture.hpp>

#include <algorithm>
#include <cmath>

#include <Eigen/Core>

#include "data/mixture_posterior.hpp"

namespace fokker {
namespace detail {
namespace {

class MixtureModel final : public TypedModel<MixtureModel> {
 public:
  explicit MixtureModel(std::vector<MixtureComponent> components) : law_(std::move(components)) {}

  std::span<const MixtureComponent> components() const { return law_.components(); }

  DataKind kind() const override { return DataKind::gaussian_mixture; }
  Index dimension() const override { return law_.dimension(); }
  bool has_density() const override { return true; }
  void mean(double* out) const override {
    Eigen::Map<Eigen::VectorXd>(out, dimension()) = law_.mean();
  }
  void variance(double* out) const override { law_.variance(out); }
  void covariance(double* out) const override { law_.covariance(out); }

  /// Whether float states need double.
  bool widens(double s, double std) const {
    const double least = s * s * law_.least() + std * std;
    const double reach = s * law_.reach(), largest = std::max(reach, std);
    return reach > widening_ratio * std::sqrt(least) || least < 1e-30 || largest > 1e15;
  }

  template <class S>
  void sample_values(PathRandom& random, BlockView<S> x) const {
    law_.sample(random, x);
  }

  template <class S>
  void score_values(BlockView<const S> x, double s, double std, BlockView<S> out) const {
    require_density(law_.least(), s, std);
    MixtureTables<S>::of(law_, s, std).score(x, out);
  }

  template <class S>
  void denoise_values(BlockView<const S> x, double s, double std, BlockView<S> out) const {
    if (s == 0 && std == 0)
      as_array(out).colwise() = law_.mean().template cast<S>().array();
    else
      MixtureTables<S>::of(law_, s, std).mean(x, out);
  }

  void log_density_values(BlockView<const double> x, double s, double std, double* out) const {
    require_density(law_.least(), s, std);
    const auto& tables = MixtureTables<double>::of(law_, s, std);
    RowMatrix<double> score(x.rows, x.columns);
    tables.score(x, BlockView<double>{score.data(), x.rows, x.columns, x.columns}, out);
    for (Index j = 0; j < x.columns; ++j)
      out[j] += tables.constant - 0.5 * static_cast<double>(dimension()) * log_two_pi;
  }

  void covariance_times_values(BlockView<const double> x, double s, double std,
                               BlockView<const double> v, BlockView<double> out) const {
    if (std == 0 && s > 0) {  // x determines x0
      as_array(out).setZero();
      return;
    }
    MixturePosterior posterior(law_, s, std);
    for (Index j = 0; j < x.columns; ++j)
      posterior.covariance_times(as_array(x).col(j).matrix(), as_array(v).col(j).matrix(),
                                 as_array(out).col(j).matrix());
  }

 private:
  MixtureLaw law_;
};

}  // namespace
}  // namespace detail

GaussianMixture::GaussianMixture(std::vector<MixtureComponent> components)
    : AnyData(std::make_shared<detail::MixtureModel>(std::move(components))) {}

GaussianMixture GaussianMixture::ring(Index modes, double radius, double std) {
  detail::require_count(modes, detail::most_modes, "a ring needs modes");
  check_positive({"the std of a ring", "std"}, std);
  check_not_negative({"the radius of a ring", "radius"}, radius);
  std::vector<MixtureComponent> components;
  for (Index k = 0; k < modes; ++k) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(modes);
    components.push_back({1.0, {radius * std::cos(angle), radius * std::sin(angle)}, {std * std}});
  }
  return GaussianMixture(std::move(components));
}

namespace {

/// Equal isotropic modes at curve(u), u at the middles of equal pieces of [low, high].
template <class Curve>
void add_modes(std::vector<MixtureComponent>& components, Index modes, double low, double high,
               double std, Curve curve) {
  for (Index k = 0; k < modes; ++k) {
    const double u =
        low + (high - low) * (static_cast<double>(k) + 0.5) / static_cast<double>(modes);
    components.push_back({1.0, curve(u), {std * std}});
  }
}

void check_curve(std::string_view name, double std, Index modes) {
  detail::require_count(modes, detail::most_modes, fmt::format("{} need modes", name));
  check_positive({fmt::format("the std of {}", name), "std"}, std);
}

}  // namespace

GaussianMixture GaussianMixture::two_moons(double std, Index modes) {
  check_curve("two moons", std, modes);
  std::vector<MixtureComponent> components;
  add_modes(components, modes, 0, std::numbers::pi, std, [](double u) {
    return std::vector<double>{std::cos(u), std::sin(u)};
  });
  add_modes(components, modes, 0, std::numbers::pi, std, [](double u) {
    return std::vector<double>{1 - std::cos(u), 0.5 - std::sin(u)};
  });
  return GaussianMixture(std::move(components));
}

GaussianMixture GaussianMixture::swiss_roll(double std, Index modes) {
  check_curve("the modes of a swiss roll", std, modes);
  std::vector<MixtureComponent> components;
  add_modes(components, modes, 1.5 * std::numbers::pi, 4.5 * std::numbers::pi, std, [](double u) {
    return std::vector<double>{u * std::cos(u) / 4, u * std::sin(u) / 4};
  });
  return GaussianMixture(std::move(components));
}

std::span<const MixtureComponent> GaussianMixture::components() const {
  return static_cast<const detail::MixtureModel&>(model()).components();
}

std::optional<GaussianMixture> AnyData::mixture() const {
  if (kind() != DataKind::gaussian_mixture) return std::nullopt;
  return GaussianMixture(*this);
}

}  // namespace fokker
