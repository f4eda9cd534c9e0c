#pragma once
/// @file  point_posterior.hpp
/// @brief The posterior over the points of a finite set given one path, by distances.

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <Eigen/Core>

#include "data/data_model.hpp"

namespace fokker::detail {

/// Point i of a set of N * d numbers.
template <class T>
Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, 1>> point_of(const T* points, Index i, Index d) {
  return {points + i * d, d};
}

/// The points y_i that x = s y_i + std eps may come from, with weights that sum to 1.
struct PointPosterior {
  std::vector<std::pair<double, Index>> points;  ///< weight and number
  double log_sum;                                ///< of exp(-|x - s y_i|^2 / (2 std^2))
  std::vector<double> column;                    ///< x

  /// Of column j of x among `size` points. Those beyond e^-80 of the nearest are left out.
  template <class T>
  void find(const T* all, Index size, BlockView<const double> x, Index j, double s, double std) {
    column.resize(static_cast<std::size_t>(x.rows));
    for (Index r = 0; r < x.rows; ++r) column[static_cast<std::size_t>(r)] = x.row(r)[j];
    points.clear();
    const double variance = std * std;
    double least = std::numeric_limits<double>::infinity();
    for (Index i = 0; i < size; ++i) {
      const double limit = least + 160 * variance;
      const double square = distance(s, all + i * x.rows, limit);
      if (square > limit) continue;
      points.emplace_back(square, i);
      least = std::min(least, square);
    }
    double sum = 0;
    for (auto& [weight, i] : points)
      sum += weight = weight == least ? 1 : relative_weight(-0.5 * (weight - least) / variance);
    std::erase_if(points, [](const auto& point) { return point.first == 0; });
    for (auto& [weight, i] : points) weight /= sum;
    log_sum = std::log(sum) - 0.5 * least / variance;
  }

  /// out = sum of w_i y_i.
  template <class T, class Out>
  void mean(const T* all, Out& out) const {
    out.setZero();
    for (const auto& [weight, i] : points)
      out += weight * point_of(all, i, out.size()).template cast<double>();
  }

  /// exp, and 0 where it is 0 in the kernels.
  static double relative_weight(double logit) { return logit < -80 ? 0 : std::exp(logit); }

 private:
  /// |x - s y|^2, or a part of it that is above `limit`.
  template <class T>
  double distance(double s, const T* y, double limit) const {
    constexpr Index chunk = 32;
    const auto d = static_cast<Index>(column.size());
    double sum = 0;
    for (Index first = 0; first < d && !(sum > limit); first += chunk) {
      const Index count = std::min(chunk, d - first);
      const Eigen::Map<const Eigen::ArrayXd> at(column.data() + first, count);
      const Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>> point(y + first, count);
      sum += (at - s * point.template cast<double>()).square().sum();
    }
    return sum;
  }
};

}  // namespace fokker::detail
