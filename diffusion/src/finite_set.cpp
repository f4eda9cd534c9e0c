/// @file  finite_set.cpp
/// @brief The empirical distribution of a set of points.

#include <fokker/diffusion/finite_set.hpp>

#include <algorithm>
#include <cmath>

#include <fokker/diffusion/detail/kernels.hpp>

#include "data_model.hpp"

namespace fokker {
namespace detail {

/// The points in one precision, with |y|^2 / 2 of each.
template <class S>
struct PointValues {
  PointValues(std::span<const double> all, std::size_t d) {
    points.reserve(all.size());
    double square = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      points.push_back(static_cast<S>(all[i]));
      square += 0.5 * static_cast<double>(points[i]) * static_cast<double>(points[i]);
      if ((i + 1) % d != 0) continue;
      half_square.push_back(static_cast<S>(square));
      square = 0;
    }
  }
  std::vector<S> points, half_square;
};

class FiniteSetModel final : public TypedModel<FiniteSetModel> {
 public:
  FiniteSetModel(std::span<const double> points, Index dimension, std::span<const double> labels)
      : d_(check(points, dimension)),
        of_double_(points, static_cast<std::size_t>(d_)),
        of_float_(points, static_cast<std::size_t>(d_)),
        labels_(labels.begin(), labels.end()) {
    const auto d = static_cast<std::size_t>(d_);
    const std::size_t n = points.size() / d;
    if (!labels.empty() && labels.size() != n)
      throw std::invalid_argument(
          fmt::format("a finite set needs one label per point: got {} for {}", labels.size(), n));
    mean_.assign(d, 0.0);
    for (std::size_t i = 0; i < points.size(); ++i) mean_[i % d] += points[i];
    for (double& m : mean_) m /= static_cast<double>(n);
  }

  Index size() const { return static_cast<Index>(points().size()) / d_; }
  std::span<const double> points() const { return of_double_.points; }
  std::span<const double> labels() const { return labels_; }

  DataKind kind() const override { return DataKind::finite_set; }
  Index dimension() const override { return d_; }
  void mean(double* out) const override { std::copy(mean_.begin(), mean_.end(), out); }

  void variance(double* out) const override {
    const std::size_t d = mean_.size();
    std::fill_n(out, d, 0.0);
    for (std::size_t i = 0; i < points().size(); ++i) {
      const double offset = points()[i] - mean_[i % d];
      out[i % d] += offset * offset / static_cast<double>(size());
    }
  }

  void covariance(double* out) const override {
    Eigen::Map<Eigen::MatrixXd> c(out, d_, d_);
    const Eigen::MatrixXd centred =
        Eigen::Map<const Eigen::MatrixXd>(points().data(), d_, size()).colwise() -
        Eigen::Map<const Eigen::VectorXd>(mean_.data(), d_);
    c = centred * centred.transpose() / static_cast<double>(size());
  }

  template <class S>
  void sample_values(PathRandom& random, BlockView<S> x) const {
    Eigen::Array<double, 1, Eigen::Dynamic> u(x.columns);
    random.uniform(u);
    for (Index j = 0; j < x.columns; ++j) {
      const Index i = std::min(static_cast<Index>(u(j) * static_cast<double>(size())), size() - 1);
      for (Index r = 0; r < d_; ++r)
        x.row(r)[j] = values<S>().points[static_cast<std::size_t>(i * d_ + r)];
    }
  }

  template <class S>
  void score_values(BlockView<const S> x, double s, double std, BlockView<S> out) const {
    require_density(0, s, std);
    denoise_values(x, s, std, out);
    as_array(out) =
        (static_cast<S>(s) * as_array(out) - as_array(x)) * static_cast<S>(1 / (std * std));
  }

  template <class S>
  void denoise_values(BlockView<const S> x, double s, double std, BlockView<S> out) const {
    // The bound keeps the logits finite and gives the limit std = 0: all weight on the nearest.
    const double precision = std::min(1 / (std * std), 1e20);
    const PointTable<S> table{.dimension = static_cast<std::size_t>(d_),
                              .points = static_cast<std::size_t>(size()),
                              .point = values<S>().points.data(),
                              .half_square = values<S>().half_square.data(),
                              .log_weight = nullptr,
                              .scale = static_cast<S>(s),
                              .precision = static_cast<S>(precision)};
    point_mean(table, x.data, static_cast<std::size_t>(x.stride),
               static_cast<std::size_t>(x.columns), out.data, static_cast<std::size_t>(out.stride));
  }

  template <class S>
  void log_density_values(BlockView<const S> x, double s, double std, double* out) const {
    require_density(0, s, std);
    const Eigen::Map<const Eigen::MatrixXd> all(points().data(), d_, size());
    const double constant = -std::log(static_cast<double>(size())) -
                            0.5 * static_cast<double>(d_) * (log_two_pi + 2 * std::log(std));
    Eigen::ArrayXd q(size());
    for (Index j = 0; j < x.columns; ++j) {
      const Eigen::VectorXd at = as_array(x).col(j).template cast<double>();
      q = ((s * all).colwise() - at).colwise().squaredNorm().transpose().array();
      const double least = q.minCoeff();
      const double sum = (-0.5 * (q - least) / (std * std)).exp().sum();
      out[j] = constant - 0.5 * least / (std * std) + std::log(sum);
    }
  }

 private:
  static Index check(std::span<const double> points, Index dimension) {
    if (dimension < 1 || points.empty() || points.size() % static_cast<std::size_t>(dimension) != 0)
      throw std::invalid_argument(
          fmt::format("a finite set needs N * d numbers with N, d >= 1: got {} numbers and d = {}",
                      points.size(), dimension));
    for (std::size_t i = 0; i < points.size(); ++i)
      if (!std::isfinite(points[i]))
        throw std::invalid_argument(fmt::format("the points must be finite: point {} has {}",
                                                i / static_cast<std::size_t>(dimension) + 1,
                                                points[i]));
    return dimension;
  }

  template <class S>
  const PointValues<S>& values() const {
    if constexpr (std::is_same_v<S, double>)
      return of_double_;
    else
      return of_float_;
  }

  Index d_;
  PointValues<double> of_double_;
  PointValues<float> of_float_;
  std::vector<double> labels_, mean_;
};

namespace {
const FiniteSetModel& finite(const DataModel& model) {
  return static_cast<const FiniteSetModel&>(model);
}
}  // namespace

}  // namespace detail

FiniteSet::FiniteSet(std::span<const double> points, Index dimension,
                     std::span<const double> labels)
    : AnyData(std::make_shared<detail::FiniteSetModel>(points, dimension, labels)) {}

Index FiniteSet::size() const { return detail::finite(model()).size(); }
std::span<const double> FiniteSet::points() const { return detail::finite(model()).points(); }
std::span<const double> FiniteSet::labels() const { return detail::finite(model()).labels(); }

std::span<const double> FiniteSet::point(Index i) const {
  const auto d = static_cast<std::size_t>(dimension());
  return points().subspan(static_cast<std::size_t>(i) * d, d);
}

Index FiniteSet::nearest(std::span<const double> x) const {
  const Index d = dimension();
  if (static_cast<Index>(x.size()) != d)
    throw std::invalid_argument(
        fmt::format("nearest: the points have {} coordinates, x has {}", d, x.size()));
  const Eigen::Map<const Eigen::MatrixXd> all(points().data(), d, size());
  Index best = 0;
  (all.colwise() - Eigen::Map<const Eigen::VectorXd>(x.data(), d))
      .colwise()
      .squaredNorm()
      .minCoeff(&best);
  return best;
}

std::optional<FiniteSet> AnyData::finite_set() const {
  if (kind() != DataKind::finite_set) return std::nullopt;
  return FiniteSet(*this);
}

}  // namespace fokker
