/// @file  two_sided_interpolant.cpp
/// @brief The tables of an interpolant at one time, and what they say of x0, x1 and z given x_t.

#include <fokker/diffusion/model/two_sided_interpolant.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <Eigen/Cholesky>

#include <fokker/diffusion/data/finite_set.hpp>
#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/diffusion/detail/kernels.hpp>

#include "data/data_model.hpp"

namespace fokker {

// ---- alpha, beta, gamma

namespace {

constexpr double quarter = 0.5 * std::numbers::pi;

/// sin(pi t) on [0, 1], 0 at both ends.
double sine(Time t) { return std::sin(std::numbers::pi * std::min(t, 1 - t)); }

}  // namespace

double InterpolantPath::alpha(Time t) const {
  return weights == Weights::linear ? 1 - t : std::sin(quarter * (1 - t));
}

double InterpolantPath::alpha_rate(Time t) const {
  return weights == Weights::linear ? -1 : -quarter * std::sin(quarter * t);
}

double InterpolantPath::gamma(Time t) const {
  switch (noise) {
    case Gamma::root:
      return std::sqrt(std::max(0.0, t * (1 - t)));
    case Gamma::sine:
      return sine(t) * sine(t);
    case Gamma::none:
      break;
  }
  return 0;
}

double InterpolantPath::half_variance_rate(Time t) const {
  switch (noise) {
    case Gamma::root:
      return 0.5 - t;
    case Gamma::sine:
      return std::numbers::pi * sine(t) * sine(t) * std::sin(2 * std::numbers::pi * t);
    case Gamma::none:
      break;
  }
  return 0;
}

// ---- pairs of components

namespace detail {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The law as a mixture, in which a variance may be 0; isotropic covariances are one number.
std::vector<MixtureComponent> components_of(const AnyData& data, std::string_view name) {
  std::vector<MixtureComponent> components;
  if (const auto spectrum = data.gaussian()) {
    const Eigen::VectorXd mean = data.mean(), values = spectrum->variance();
    std::vector<double> covariance{values[0]};
    if (values.minCoeff() < values.maxCoeff()) {
      const Eigen::MatrixXd full = data.covariance();
      covariance.assign(full.data(), full.data() + full.size());
    }
    components.push_back({1.0, {mean.begin(), mean.end()}, std::move(covariance)});
  } else if (const auto mixture = data.mixture()) {
    components.assign(mixture->components().begin(), mixture->components().end());
  } else if (const auto points = data.finite_set()) {
    for (Index i = 0; i < points->size(); ++i) {
      const std::span<const double> x = points->point(i);
      components.push_back({1 / static_cast<double>(points->size()), {x.begin(), x.end()}, {0.0}});
    }
  } else {
    throw std::invalid_argument(fmt::format(
        "the ends of an interpolant are Gaussian, Gaussian mixtures or finite sets: {} is a {}",
        name, to_string(data.kind())));
  }
  return components;
}

bool all_isotropic(const std::vector<MixtureComponent>& components) {
  return std::all_of(components.begin(), components.end(),
                     [](const MixtureComponent& c) { return c.covariance.size() == 1; });
}

/// to = a C + b C' + c I, whichever form the covariances have.
void combine(double a, const MixtureComponent& first, double b, const MixtureComponent& second,
             double c, Matrix& to) {
  const Index d = static_cast<Index>(first.mean.size());
  to.setZero(d, d);
  to.diagonal().array() += c;
  const auto add = [&](double factor, const std::vector<double>& covariance) {
    if (covariance.size() == 1)
      to.diagonal().array() += factor * covariance[0];
    else
      to += factor * Eigen::Map<const Matrix>(covariance.data(), d, d);
  };
  add(a, first.covariance);
  add(b, second.covariance);
}

/// v = L of v = L L^T, in its lower triangle; false where v is singular to rounding.
bool factorise(Matrix& v) {
  if (Eigen::LLT<Eigen::Ref<Matrix>>(v).info() != Eigen::Success) return false;
  const auto pivot = v.diagonal().array();
  return pivot.minCoeff() > 1e-7 * pivot.maxCoeff();
}

[[noreturn]] void refuse_time(Time t) {
  throw std::invalid_argument(fmt::format(
      "the interpolant has no density at t={}: its law there is of points or flat; use 0 < t < 1 "
      "and a gamma that is not none",
      t));
}

}  // namespace

/// All pairs of components.
class InterpolantModel {
 public:
  InterpolantModel(const AnyData& x0, const AnyData& x1, InterpolantPath path)
      : d_(x0.dimension()),
        first_(components_of(x0, "x0")),
        second_(components_of(x1, "x1")),
        isotropic_(all_isotropic(first_) && all_isotropic(second_)),
        path_(path) {}

  std::vector<MixtureComponent> marginal(Time t) const {
    const auto [alpha, beta, gamma] = at(t);
    std::vector<MixtureComponent> all;
    Matrix v;
    for (const MixtureComponent& c0 : first_)
      for (const MixtureComponent& c1 : second_) {
        MixtureComponent c{c0.weight * c1.weight, c0.mean, {}};
        for (std::size_t r = 0; r < c.mean.size(); ++r)
          c.mean[r] = alpha * c0.mean[r] + beta * c1.mean[r];
        if (isotropic_) {
          c.covariance = {alpha * alpha * c0.covariance[0] + beta * beta * c1.covariance[0] +
                          gamma * gamma};
          if (!(c.covariance[0] > 0)) refuse_time(t);
        } else {
          combine(alpha * alpha, c0, beta * beta, c1, gamma * gamma, v);
          c.covariance.assign(v.data(), v.data() + v.size());
          if (!factorise(v)) refuse_time(t);
        }
        all.push_back(std::move(c));
      }
    return all;
  }

  void read(BlockView<const double> x, Time t, const InterpolantReadout& readout,
            BlockView<double> out) const {
    const Tables& table = tables(t, readout);
    const auto d = static_cast<std::size_t>(d_), n = static_cast<std::size_t>(x.columns),
               stride = static_cast<std::size_t>(x.stride),
               out_stride = static_cast<std::size_t>(out.stride);
    const ComponentMeans<double> means{table.offset.data(), table.gain.data()};
    if (isotropic_)
      mixture_mean(MixtureTable<double>{d, table.log_weight.size(), table.log_weight.data(),
                                        table.centre.data(), table.precision.data()},
                   means, x.data, stride, n, out.data, out_stride);
    else
      mixture_mean(GeneralMixtureTable<double>{d, table.log_weight.size(), table.log_weight.data(),
                                               table.centre.data(), table.precision.data()},
                   means, x.data, stride, n, out.data, out_stride);
  }

 private:
  /// Pair by pair: mu, ln w - 1/2 ln det V, V^-1, and what it expects, offset + gain x. Precision
  /// and gain are one number per pair if all components are isotropic, else d x d.
  struct Tables {
    std::vector<double> centre, log_weight, precision, offset, gain;
    Matrix v, inverse, slope;
  };

  struct Coefficients {
    double alpha, beta, gamma;
  };

  /// A step may overshoot an end by rounding, which counts as the end.
  Coefficients at(Time& t) const {
    if (!(t > -1e-12 && t < 1 + 1e-12))
      throw std::invalid_argument(
          fmt::format("the times of an interpolant lie in [0, 1]: got t={}", t));
    t = std::clamp(t, 0.0, 1.0);
    return {path_.alpha(t), path_.beta(t), path_.gamma(t)};
  }

  const Tables& tables(Time t, const InterpolantReadout& readout) const {
    static thread_local Tables table;
    const auto [alpha, beta, gamma] = at(t);
    const auto d = static_cast<std::size_t>(d_);
    const std::size_t pairs = first_.size() * second_.size(), matrix = isotropic_ ? 1 : d * d;
    table.centre.resize(pairs * d);
    table.offset.resize(pairs * d);
    table.log_weight.resize(pairs);
    table.precision.resize(pairs * matrix);
    table.gain.resize(pairs * matrix);
    const double slope0 = readout.x0_weight * alpha, slope1 = readout.x1_weight * beta;

    std::size_t pair = 0;
    for (const MixtureComponent& c0 : first_)
      for (const MixtureComponent& c1 : second_) {
        double* const centre = table.centre.data() + pair * d;
        double* const offset = table.offset.data() + pair * d;
        for (std::size_t r = 0; r < d; ++r) {
          centre[r] = alpha * c0.mean[r] + beta * c1.mean[r];
          offset[r] = readout.x0_weight * c0.mean[r] + readout.x1_weight * c1.mean[r];
        }
        double log_determinant = 0;
        if (isotropic_) {
          const double v0 = c0.covariance[0], v1 = c1.covariance[0];
          const double v = alpha * alpha * v0 + beta * beta * v1 + gamma * gamma;
          if (!(v > 0)) refuse_time(t);
          const double gain = (slope0 * v0 + slope1 * v1 + readout.noise_weight) / v;
          table.precision[pair] = 1 / v;
          table.gain[pair] = gain;
          for (std::size_t r = 0; r < d; ++r) offset[r] -= gain * centre[r];
          log_determinant = static_cast<double>(d_) * std::log(v);
        } else {
          combine(alpha * alpha, c0, beta * beta, c1, gamma * gamma, table.v);
          combine(slope0, c0, slope1, c1, readout.noise_weight, table.slope);
          if (!factorise(table.v)) refuse_time(t);
          log_determinant = 2 * table.v.diagonal().array().log().sum();
          table.inverse.setIdentity(d_, d_);
          table.v.triangularView<Eigen::Lower>().solveInPlace(table.inverse);
          table.v.transpose().triangularView<Eigen::Upper>().solveInPlace(table.inverse);
          Eigen::Map<Matrix>(table.precision.data() + pair * matrix, d_, d_) = table.inverse;
          Eigen::Map<Matrix> gain(table.gain.data() + pair * matrix, d_, d_);
          gain = table.slope.lazyProduct(table.inverse);
          Eigen::Map<Eigen::VectorXd>(offset, d_) -=
              gain.lazyProduct(Eigen::Map<const Eigen::VectorXd>(centre, d_));
        }
        table.log_weight[pair] = std::log(c0.weight) + std::log(c1.weight) - 0.5 * log_determinant;
        ++pair;
      }
    return table;
  }

  Index d_;
  std::vector<MixtureComponent> first_, second_;  ///< of x0 and of x1
  bool isotropic_;
  InterpolantPath path_;
};

}  // namespace detail

TwoSidedInterpolant::TwoSidedInterpolant(AnyData x0, AnyData x1, InterpolantPath path)
    : x0_(std::move(x0)), x1_(std::move(x1)), path_(path) {
  if (x0_.dimension() != x1_.dimension())
    throw std::invalid_argument(
        fmt::format("both ends of an interpolant need the same dimension: got {} and {}",
                    x0_.dimension(), x1_.dimension()));
  model_ = std::make_shared<const detail::InterpolantModel>(x0_, x1_, path_);
}

GaussianMixture TwoSidedInterpolant::marginal(Time t) const {
  return GaussianMixture(model_->marginal(t));
}

void TwoSidedInterpolant::read_block(detail::BlockView<const double> x, Time t,
                                     const detail::InterpolantReadout& readout,
                                     detail::BlockView<double> out) const {
  if (x.rows != dimension())
    throw std::invalid_argument(fmt::format(
        "the interpolant has dimension {}, the state has {} rows", dimension(), x.rows));
  model_->read(x, t, readout, out);
}

void TwoSidedInterpolant::read_block(detail::BlockView<const float> x, Time t,
                                     const detail::InterpolantReadout& readout,
                                     detail::BlockView<float> out) const {
  const auto at = detail::widened<TwoSidedInterpolant, 0>(x);
  detail::narrowed<TwoSidedInterpolant, 1>(
      out, [&](detail::BlockView<double> result) { read_block(at, t, readout, result); });
}

}  // namespace fokker
