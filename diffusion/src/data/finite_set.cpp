/// @file  finite_set.cpp
/// @brief The empirical distribution of a set of points.

#include <fokker/diffusion/data/finite_set.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <type_traits>
#include <utility>

#include <fokker/diffusion/detail/kernels.hpp>

#include "data/data_model.hpp"
#include "data/point_posterior.hpp"

namespace fokker {
namespace detail {

class FiniteSetModel final : public TypedModel<FiniteSetModel> {
 public:
  /// @param points  double or float; kept in double only if given so
  template <class T>
  FiniteSetModel(std::span<const T> points, Index dimension, std::span<const double> labels)
      : d_(check(points, dimension)), labels_(labels.begin(), labels.end()) {
    const auto d = static_cast<std::size_t>(d_);
    const std::size_t n = points.size() / d;
    if (!labels.empty() && labels.size() != n)
      throw std::invalid_argument(
          fmt::format("a finite set needs one label per point: got {} for {}", labels.size(), n));
    if constexpr (std::is_same_v<T, double>) doubles_.assign(points.begin(), points.end());
    floats_.reserve(points.size());
    for (const T value : points) floats_.push_back(static_cast<float>(value));
    mean_.assign(d, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      double square = 0, float_square = 0;
      for (std::size_t r = 0; r < d; ++r) {
        const double value = static_cast<double>(points[i * d + r]);
        const double rounded = static_cast<double>(floats_[i * d + r]);
        square += value * value;
        float_square += rounded * rounded;
        mean_[r] += value;
      }
      half_square_.push_back(0.5 * square);
      float_half_square_.push_back(static_cast<float>(0.5 * float_square));
      largest_ = std::max(largest_, std::sqrt(square));
    }
    for (double& m : mean_) m /= static_cast<double>(n);
  }

  Index size() const { return static_cast<Index>(half_square_.size()); }
  std::span<const double> labels() const { return labels_; }

  std::span<const double> points() const {
    if (!doubles_.empty()) return doubles_;
    std::call_once(copied_, [&] { copy_.assign(floats_.begin(), floats_.end()); });
    return copy_;
  }

  /// Whether float states need double.
  bool widens(double s, double std) const { return s * largest_ > widening_ratio * std; }

  DataKind kind() const override { return DataKind::finite_set; }
  Index dimension() const override { return d_; }
  bool has_density() const override { return false; }
  void mean(double* out) const override { std::copy(mean_.begin(), mean_.end(), out); }

  void variance(double* out) const override {
    Eigen::Map<Eigen::ArrayXd> total(out, d_);
    total.setZero();
    for_each_block([&](const Eigen::MatrixXd& centred) {
      total += centred.cwiseAbs2().rowwise().sum().array() / static_cast<double>(size());
    });
  }

  void covariance(double* out) const override {
    Eigen::Map<Eigen::MatrixXd> c(out, d_, d_);
    c.setZero();
    for_each_block([&](const Eigen::MatrixXd& centred) {
      c += centred * centred.transpose() / static_cast<double>(size());
    });
  }

  template <class S>
  void sample_values(PathRandom& random, BlockView<S> x) const {
    Eigen::Array<double, 1, Eigen::Dynamic> u(x.columns);
    random.uniform(u);
    with_points([&](const auto* points) {
      for (Index j = 0; j < x.columns; ++j) {
        const Index i =
            std::min(static_cast<Index>(u(j) * static_cast<double>(size())), size() - 1);
        for (Index r = 0; r < d_; ++r) x.row(r)[j] = static_cast<S>(points[i * d_ + r]);
      }
    });
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
    // The bound keeps the logits finite where neither noise nor scale is left: all weigh alike.
    const double precision = std::min(1 / (std * std), 1e20);
    if constexpr (std::is_same_v<S, float>) {
      kernel_mean(floats_.data(), 0, size(), x, s, precision, out);
    } else if (s * largest_ > kernel_ratio * std) {
      for (Index j = 0; j < x.columns; ++j)
        mean_of(posterior(x, j, s, std), out.data + j, out.stride);
    } else if (!doubles_.empty()) {
      kernel_mean(doubles_.data(), 0, size(), x, s, precision, out);
    } else {
      merged_mean(x, s, precision, out);
    }
  }

  void log_density_values(BlockView<const double> x, double s, double std, double* out) const {
    require_density(0, s, std);
    const double constant = -std::log(static_cast<double>(size())) -
                            0.5 * static_cast<double>(d_) * (log_two_pi + 2 * std::log(std));
    for (Index j = 0; j < x.columns; ++j) out[j] = constant + posterior(x, j, s, std).log_sum;
  }

  void covariance_times_values(BlockView<const double> x, double s, double std,
                               BlockView<const double> v, BlockView<double> out) const {
    Eigen::Map<Eigen::MatrixXd> column(scratch<double, Slot<FiniteSetModel, 2>>(4 * d_), d_, 4);
    auto mean = column.col(0), direction = column.col(1), sum = column.col(2),
         offset = column.col(3);
    for (Index j = 0; j < x.columns; ++j) {
      const PointPosterior& p = posterior(x, j, s, std);
      mean_of(p, mean.data(), 1);
      direction = as_array(v).col(j);
      sum.setZero();
      with_points([&](const auto* points) {
        for (const auto& [weight, i] : p.points) {
          offset = point_of(points, i, d_).template cast<double>() - mean;
          sum += weight * offset.dot(direction) * offset;
        }
      });
      as_array(out).col(j) = sum;
    }
  }

  /// The first of the points nearest to column 0 of x.
  Index nearest(BlockView<const double> x) const { return posterior(x, 0, 1, 0).points[0].second; }

 private:
  /// Up to this many standard deviations the points may reach for logits from scalar products, in
  /// double: their rounding is 1e-16 of its square.
  static constexpr double kernel_ratio = 8192;

  template <class T>
  static Index check(std::span<const T> points, Index dimension) {
    if (dimension < 1 || points.empty() || points.size() % static_cast<std::size_t>(dimension) != 0)
      throw std::invalid_argument(
          fmt::format("a finite set needs N * d numbers with N, d >= 1: got {} numbers and d = {}",
                      points.size(), dimension));
    for (std::size_t i = 0; i < points.size(); ++i)
      if (!(std::abs(static_cast<double>(points[i])) <= largest_coordinate))
        throw std::invalid_argument(fmt::format(
            "the points must be finite, with coordinates of at most {}: point {} has {}",
            largest_coordinate, i / static_cast<std::size_t>(dimension) + 1, points[i]));
    return dimension;
  }

  /// f(points), N * d numbers in the most exact form there is.
  template <class F>
  void with_points(F&& f) const {
    if (doubles_.empty())
      f(floats_.data());
    else
      f(doubles_.data());
  }

  /// f(block) for blocks of points less their mean, d x (at most 256).
  template <class F>
  void for_each_block(F&& f) const {
    with_points([&](const auto* points) {
      using T = std::remove_cvref_t<decltype(*points)>;
      const Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>> all(points, d_,
                                                                                   size());
      const Eigen::Map<const Eigen::VectorXd> mean(mean_.data(), d_);
      Eigen::MatrixXd centred;
      for (Index first = 0; first < size(); first += 256) {
        centred =
            all.middleCols(first, std::min<Index>(256, size() - first)).template cast<double>();
        centred.colwise() -= mean;
        f(centred);
      }
    });
  }

  /// The mean of `count` points from number `first` on, which begin at `points`.
  template <class S>
  void kernel_mean(const S* points, Index first, Index count, BlockView<const S> x, double s,
                   double precision, BlockView<S> out, S* log_sum = nullptr) const {
    const S* half_square;
    if constexpr (std::is_same_v<S, double>)
      half_square = half_square_.data();
    else
      half_square = float_half_square_.data();
    const PointTable<S> table{.dimension = static_cast<std::size_t>(d_),
                              .points = static_cast<std::size_t>(count),
                              .point = points,
                              .half_square = half_square + first,
                              .log_weight = nullptr,
                              .scale = static_cast<S>(s),
                              .precision = static_cast<S>(precision)};
    point_mean(table, x.data, static_cast<std::size_t>(x.stride),
               static_cast<std::size_t>(x.columns), out.data, static_cast<std::size_t>(out.stride),
               log_sum);
  }

  /// The mean of points that are kept as floats, in double: block by block, each block weighted by
  /// its sum of weights.
  void merged_mean(BlockView<const double> x, double s, double precision,
                   BlockView<double> out) const {
    constexpr Index block = 256;
    double* const points = scratch<double, Slot<FiniteSetModel, 3>>(block * d_);
    const auto part = scratch_block<FiniteSetModel, 4>(x.rows, x.columns);
    // Per path: the log of the sum of this block, the largest so far, the sum relative to it.
    auto sums = as_array(scratch_block<FiniteSetModel, 5>(3, x.columns));
    auto own = sums.row(0), top = sums.row(1), sum = sums.row(2);
    as_array(out).setZero();
    top.setConstant(-std::numeric_limits<double>::infinity());
    sum.setZero();
    for (Index first = 0; first < size(); first += block) {
      const Index count = std::min(block, size() - first);
      std::copy_n(floats_.data() + first * d_, count * d_, points);
      kernel_mean(points, first, count, x, s, precision, part, own.data());
      for (Index j = 0; j < x.columns; ++j) {
        const double largest = std::max(top(j), own(j));
        const double before = PointPosterior::relative_weight(top(j) - largest);
        const double now = PointPosterior::relative_weight(own(j) - largest);
        as_array(out).col(j) = before * as_array(out).col(j) + now * as_array(part).col(j);
        sum(j) = before * sum(j) + now;
        top(j) = largest;
      }
    }
    as_array(out).rowwise() /= sum;
  }

  /// Of column j of x.
  const PointPosterior& posterior(BlockView<const double> x, Index j, double s, double std) const {
    static thread_local PointPosterior p;
    with_points([&](const auto* points) { p.find(points, size(), x, j, s, std); });
    return p;
  }

  /// out_r = sum of w_i y_ir, at out + r * stride.
  void mean_of(const PointPosterior& p, double* out, Index stride) const {
    Eigen::Map<Eigen::VectorXd, 0, Eigen::InnerStride<>> mean(out, d_,
                                                              Eigen::InnerStride<>(stride));
    with_points([&](const auto* points) { p.mean(points, mean); });
  }

  Index d_;
  std::vector<double> doubles_, half_square_;
  std::vector<float> floats_, float_half_square_;
  mutable std::once_flag copied_;
  mutable std::vector<double> copy_;  ///< of the floats, where someone asks for points in double
  double largest_ = 0;                ///< |y|
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

FiniteSet::FiniteSet(std::span<const float> points, Index dimension, std::span<const double> labels)
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
  return detail::finite(model()).nearest({x.data(), d, 1, 1});
}

std::optional<FiniteSet> AnyData::finite_set() const {
  if (kind() != DataKind::finite_set) return std::nullopt;
  return FiniteSet(*this);
}

}  // namespace fokker
