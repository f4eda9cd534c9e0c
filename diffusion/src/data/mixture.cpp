/// @file  mixture.cpp
/// @brief Gaussian mixtures: their tables at one (s, std), and the posterior over components.

#include <fokker/diffusion/data/mixture.hpp>

#include <algorithm>
#include <cmath>

#include <Eigen/Core>

#include <fokker/diffusion/detail/kernels.hpp>

#include "data/data_model.hpp"

namespace fokker {
namespace detail {
namespace {

template <class S>
using Matrix = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A mixture at one (s, std). With V_k = s^2 C_k + std^2 I, component k has the centre s m_k, the
/// log weight ln w_k - 1/2 ln det V_k - constant, and the precision V_k^-1; its denoiser is
/// offset_k + gain_k x, gain_k = s C_k V_k^-1. Precision and gain are one number per component if
/// all components are isotropic, else d x d.
template <class S>
struct Tables {
  double constant;  ///< the largest ln w_k - 1/2 ln det V_k
  std::vector<S> centre, log_weight, precision, offset, gain;
};

class MixtureModel final : public TypedModel<MixtureModel> {
 public:
  explicit MixtureModel(std::vector<MixtureComponent> components)
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
      for (std::size_t r = 0; r < mean_.size(); ++r) mean_[r] += c.weight * c.mean[r];
    }
    least_ = *std::min_element(values_.begin(), values_.end());
    reach_ = 0;
    for (const MixtureComponent& c : components_)
      reach_ = std::max(reach_, vector(c.mean).cwiseAbs().maxCoeff());
    reach_ = std::max(reach_, std::sqrt(*std::max_element(values_.begin(), values_.end())));
  }

  std::span<const MixtureComponent> components() const { return components_; }

  /// Whether float states need double.
  bool widens(double s, double std) const {
    const double least = s * s * least_ + std * std, largest = std::max(s * reach_, std);
    return s * reach_ > widening_ratio * std::sqrt(least) || least < 1e-30 || largest > 1e15;
  }

  DataKind kind() const override { return DataKind::gaussian_mixture; }
  Index dimension() const override { return d_; }
  bool has_density() const override { return true; }
  void mean(double* out) const override { std::copy(mean_.begin(), mean_.end(), out); }

  void variance(double* out) const override {
    const std::size_t d = mean_.size();
    std::fill_n(out, d, 0.0);
    for (const MixtureComponent& c : components_)
      for (std::size_t r = 0; r < d; ++r) {
        const double own = c.covariance.size() == 1 ? c.covariance[0] : c.covariance[r * d + r];
        out[r] += c.weight * (own + (c.mean[r] - mean_[r]) * (c.mean[r] - mean_[r]));
      }
  }

  void covariance(double* out) const override {
    Eigen::Map<Matrix<double>> total(out, d_, d_);
    total.setZero();
    for (const MixtureComponent& c : components_) {
      const Eigen::VectorXd offset = vector(c.mean) - vector(mean_);
      total += c.weight * offset * offset.transpose();
      if (c.covariance.size() == 1)
        total.diagonal().array() += c.weight * c.covariance[0];
      else
        total += c.weight * Eigen::Map<const Matrix<double>>(c.covariance.data(), d_, d_);
    }
  }

  template <class S>
  void sample_values(PathRandom& random, BlockView<S> x) const {
    Eigen::Array<double, 1, Eigen::Dynamic> u(x.columns);
    random.uniform(u);
    auto z = as_array(x);
    random.normal(z);
    for (Index j = 0; j < x.columns; ++j) {
      const std::size_t k = chosen(u(j));
      const BlockView<S> path{x.data + j, d_, 1, x.stride};
      if (isotropic_)
        as_array(path) = static_cast<S>(std::sqrt(values_[k])) * as_array(path) +
                         vector(components_[k].mean).template cast<S>().array();
      else
        correlate(block(lower_, k), components_[k].mean, path);
    }
  }

  template <class S>
  void score_values(BlockView<const S> x, double s, double std, BlockView<S> out) const {
    require_density(least_, s, std);
    run_score(tables<S>(s, std), x, out);
  }

  template <class S>
  void denoise_values(BlockView<const S> x, double s, double std, BlockView<S> out) const {
    if (s == 0 && std == 0) {
      as_array(out).colwise() = vector(mean_).template cast<S>().array();
      return;
    }
    run_denoise(tables<S>(s, std), x, out);
  }

  void log_density_values(BlockView<const double> x, double s, double std, double* out) const {
    require_density(least_, s, std);
    const Tables<double>& t = tables<double>(s, std);
    Matrix<double> score(x.rows, x.columns);
    run_score(t, x, BlockView<double>{score.data(), x.rows, x.columns, x.columns}, out);
    for (Index j = 0; j < x.columns; ++j)
      out[j] += t.constant - 0.5 * static_cast<double>(d_) * log_two_pi;
  }

  void covariance_times_values(BlockView<const double> x, double s, double std,
                               BlockView<const double> v, BlockView<double> out) const {
    if (std == 0 && s > 0) {  // x tells x0
      as_array(out).setZero();
      return;
    }
    const std::size_t components = components_.size();
    const bool prior = std == 0;  // x says nothing: C_k, and the weights of x0
    const Tables<double>* const t = prior ? nullptr : &tables<double>(s, std);
    const std::size_t matrix = isotropic_ ? 1 : mean_.size() * mean_.size();
    Eigen::Map<Eigen::ArrayXd> weight(scratch<double, Slot<MixtureModel, 2>>(index(components)),
                                      index(components));
    // x, v, the sum, the mean of D_k, a difference, C_k v.
    Eigen::Map<Eigen::MatrixXd> column(scratch<double, Slot<MixtureModel, 3>>(6 * d_), d_, 6);
    auto at = column.col(0), direction = column.col(1), sum = column.col(2), mean = column.col(3),
         difference = column.col(4), spread = column.col(5);

    /// to = the product of the matrix of component k, from a table, with `from`.
    const auto multiply = [&](const std::vector<double>& table, std::size_t k, const auto& from,
                              auto& to) {
      if (isotropic_)
        to = table[k] * from;
      else
        to = Eigen::Map<const Matrix<double>>(table.data() + k * matrix, d_, d_).lazyProduct(from);
    };
    /// difference = D_k - mean.
    const auto subtract_mean = [&](std::size_t k) {
      if (prior) {
        difference = vector(components_[k].mean) - mean;
        return;
      }
      multiply(t->gain, k, at, difference);
      difference += Eigen::Map<const Eigen::VectorXd>(t->offset.data() + index(k) * d_, d_) - mean;
    };

    for (Index j = 0; j < x.columns; ++j) {
      at = as_array(x).col(j);
      direction = as_array(v).col(j);
      for (std::size_t k = 0; k < components; ++k) {
        if (prior) {
          weight(index(k)) = components_[k].weight;
          continue;
        }
        difference = at - Eigen::Map<const Eigen::VectorXd>(t->centre.data() + index(k) * d_, d_);
        multiply(t->precision, k, difference, spread);
        weight(index(k)) = t->log_weight[k] - 0.5 * difference.dot(spread);
      }
      if (!prior) weight = (weight - weight.maxCoeff()).exp();
      weight /= weight.sum();

      mean.setZero();
      sum.setZero();
      for (std::size_t k = 0; k < components; ++k) {
        subtract_mean(k);  // the sum of weighted D_k; `mean` is not yet known
        sum += weight(index(k)) * difference;
      }
      mean = sum;
      sum.setZero();
      for (std::size_t k = 0; k < components; ++k) {
        const double w = weight(index(k));
        if (w == 0) continue;
        subtract_mean(k);
        sum += w * difference.dot(direction) * difference;
        multiply_covariance(k, direction, spread);
        if (!prior) {
          difference = spread;
          multiply(t->precision, k, difference, spread);
          spread *= std * std;
        }
        sum += w * spread;
      }
      as_array(out).col(j) = sum;
    }
  }

 private:
  static Index index(std::size_t i) { return static_cast<Index>(i); }

  /// to = C_k from.
  template <class From, class To>
  void multiply_covariance(std::size_t k, const From& from, To& to) const {
    const std::vector<double>& c = components_[k].covariance;
    if (c.size() == 1)
      to = c[0] * from;
    else
      to = Eigen::Map<const Matrix<double>>(c.data(), d_, d_).lazyProduct(from);
  }

  static Eigen::Map<const Eigen::VectorXd> vector(const std::vector<double>& v) {
    return {v.data(), static_cast<Index>(v.size())};
  }

  /// The d * d numbers of component k.
  std::span<const double> block(const std::vector<double>& all, std::size_t k) const {
    const auto size = static_cast<std::size_t>(d_ * d_);
    return {all.data() + k * size, size};
  }

  /// Checks a component and keeps its spectrum.
  void add(const MixtureComponent& c) {
    const auto d = static_cast<std::size_t>(d_);
    if (!(c.weight > 0) || !std::isfinite(c.weight))
      throw std::invalid_argument(fmt::format("the weight must be positive: got {}", c.weight));
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
      throw std::invalid_argument(fmt::format(
          "the covariance needs {} x {} numbers, or one: got {}", d, d, c.covariance.size()));
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
          fmt::format("the covariance must have variances of at least {}: got {}",
                      smallest_variance, spectrum.values.front()));
    const std::vector<double> lower = triangular_root(spectrum.basis, spectrum.values);
    values_.insert(values_.end(), spectrum.values.begin(), spectrum.values.end());
    basis_.insert(basis_.end(), spectrum.basis.begin(), spectrum.basis.end());
    lower_.insert(lower_.end(), lower.begin(), lower.end());
  }

  /// The component whose share of (0, 1) holds u.
  std::size_t chosen(double u) const {
    const auto at = std::lower_bound(cumulative_.begin(), cumulative_.end() - 1, u);
    return static_cast<std::size_t>(at - cumulative_.begin());
  }

  template <class S>
  const Tables<S>& tables(double s, double std) const {
    static thread_local Tables<S> t;
    const auto components = components_.size(), d = mean_.size();
    const std::size_t matrix = isotropic_ ? 1 : d * d, eigenvalues = isotropic_ ? 1 : d;
    t.centre.resize(components * d);
    t.offset.resize(components * d);
    t.log_weight.resize(components);
    t.precision.resize(components * matrix);
    t.gain.resize(components * matrix);
    const auto noised = [=](double v) { return s * s * v + std * std; };

    const auto log_weight = [&](std::size_t k) {
      double log_det = 0;
      for (std::size_t i = 0; i < eigenvalues; ++i)
        log_det += std::log(noised(values_[k * eigenvalues + i]));
      return std::log(components_[k].weight) - 0.5 * log_det * static_cast<double>(d / eigenvalues);
    };
    t.constant = log_weight(0);
    for (std::size_t k = 1; k < components; ++k) t.constant = std::max(t.constant, log_weight(k));

    for (std::size_t k = 0; k < components; ++k) {
      const double* const mean = components_[k].mean.data();
      const double* const v = values_.data() + k * eigenvalues;
      t.log_weight[k] = static_cast<S>(log_weight(k) - t.constant);
      for (std::size_t r = 0; r < d; ++r) t.centre[k * d + r] = static_cast<S>(s * mean[r]);
      if (isotropic_) {
        t.precision[k] = static_cast<S>(1 / noised(*v));
        t.gain[k] = static_cast<S>(s * *v / noised(*v));
        for (std::size_t r = 0; r < d; ++r)
          t.offset[k * d + r] = static_cast<S>(std * std / noised(*v) * mean[r]);
        continue;
      }
      const double* const u = basis_.data() + k * matrix;
      for (std::size_t r = 0; r < d; ++r) {
        double offset = 0;
        for (std::size_t c = 0; c < d; ++c) {
          double precision = 0, gain = 0;
          for (std::size_t i = 0; i < d; ++i) {
            const double projection = u[r * d + i] * u[c * d + i] / noised(v[i]);
            precision += projection;
            gain += s * v[i] * projection;
          }
          offset += std * std * precision * mean[c];
          t.precision[k * matrix + r * d + c] = static_cast<S>(precision);
          t.gain[k * matrix + r * d + c] = static_cast<S>(gain);
        }
        t.offset[k * d + r] = static_cast<S>(offset);
      }
    }
    return t;
  }

  /// Calls f with the tables as the kernels take them.
  template <class S, class F>
  void with_table(const Tables<S>& t, F&& f) const {
    if (isotropic_)
      f(MixtureTable<S>{mean_.size(), components_.size(), t.log_weight.data(), t.centre.data(),
                        t.precision.data()});
    else
      f(GeneralMixtureTable<S>{mean_.size(), components_.size(), t.log_weight.data(),
                               t.centre.data(), t.precision.data()});
  }

  /// The gradient and, unless it is null, the log of the sum that the tables stand for.
  template <class S>
  void run_score(const Tables<S>& t, BlockView<const S> x, BlockView<S> score,
                 S* log_sum = nullptr) const {
    with_table(t, [&](const auto& table) {
      mixture_score(table, x.data, static_cast<std::size_t>(x.stride),
                    static_cast<std::size_t>(x.columns), score.data,
                    static_cast<std::size_t>(score.stride), log_sum);
    });
  }

  /// out = sum_k w_k(x) (offset_k + gain_k x).
  template <class S>
  void run_denoise(const Tables<S>& t, BlockView<const S> x, BlockView<S> out) const {
    with_table(t, [&](const auto& table) {
      mixture_mean(table, ComponentMeans<S>{t.offset.data(), t.gain.data()}, x.data,
                   static_cast<std::size_t>(x.stride), static_cast<std::size_t>(x.columns),
                   out.data, static_cast<std::size_t>(out.stride));
    });
  }

  std::vector<MixtureComponent> components_;
  Index d_;
  bool isotropic_;
  std::vector<double> values_;         ///< variances, one per component or d
  std::vector<double> basis_, lower_;  ///< K x d x d, unless isotropic
  std::vector<double> cumulative_, mean_;
  double least_;  ///< variance
  double reach_;  ///< the largest |mean| of a coordinate, or standard deviation
};

}  // namespace
}  // namespace detail

GaussianMixture::GaussianMixture(std::vector<MixtureComponent> components)
    : AnyData(std::make_shared<detail::MixtureModel>(std::move(components))) {}

GaussianMixture GaussianMixture::ring(Index modes, double radius, double std) {
  detail::require_count(modes, detail::most_modes, "a ring needs modes");
  if (!(std > 0)) throw std::invalid_argument(fmt::format("a ring needs std > 0: got {}", std));
  if (!(radius >= 0) || !std::isfinite(radius))
    throw std::invalid_argument(fmt::format("a ring needs a radius >= 0: got {}", radius));
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
  if (!(std > 0) || !std::isfinite(std))
    throw std::invalid_argument(fmt::format("{} need std > 0: got {}", name, std));
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
