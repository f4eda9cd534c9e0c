#pragma once
/// @file  fokker/analysis/distance/distances.hpp
/// @brief Distances between samples, their standard errors, and the floor of two exact samples.
///
/// All are distances, not their squares: the square would have twice the order. Samples are d x n,
/// one path per column, and are compared in double. Each metric is that of the two *empirical*
/// laws (for the energy distance: the V-statistic), so it is never negative and is biased upwards
/// by its floor, the distance of two exact samples of the same sizes: read the two side by side.
///
/// Standard errors are infinitesimal jackknives: if D moves by (1/n) sum_i phi(x_i) to first order,
/// Var D is estimated by Var phi / n, plus the same of the reference sample. By the Gaussian
/// Poincare inequality, Var f(xi) <= E <grad f, Sigma grad f>, this is right where the laws differ
/// and errs to the large side at the floor, where D is quadratic in the noise (law/distances.cpp
/// measures both).

#include <atomic>
#include <concepts>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <Eigen/Core>

#include <fokker/solvers/core/state.hpp>
#include <fokker/solvers/support/catalogue.hpp>

namespace fokker {

/// A sample that is owned elsewhere: d x n, one path per column, row r at data + r * stride.
struct SampleView {
  const double* data = nullptr;
  Index d = 0;
  Index n = 0;
  Index stride = 0;  ///< from one row to the next, in doubles

  SampleView() = default;
  SampleView(const double* values, Index dimension, Index count, Index row_stride)
      : data(values), d(dimension), n(count), stride(row_stride) {}

  /// Views a row-major array of double with contiguous rows (or a block of its columns).
  template <class A>
  requires(bool(A::IsRowMajor)) && std::same_as<typename A::Scalar, double> &&
      (A::InnerStrideAtCompileTime == 1)
          SampleView(const Eigen::DenseBase<A>& x)  // NOLINT: a view is meant to be implicit
      : SampleView(x.derived().data(), x.rows(), x.cols(), x.outerStride()) {}

  /// Component r of all samples.
  const double* row(Index r) const { return data + r * stride; }
};

/// A sample that owns its values, row-major without gaps.
struct Sample {
  Sample() = default;
  Sample(Index dimension, Index count)
      : d(dimension), n(count), values(static_cast<std::size_t>(dimension * count)) {}

  /// A view of all samples.
  operator SampleView() const { return {values.data(), d, n, n}; }  // NOLINT: as above
  /// Component r of all samples.
  double* row(Index r) { return values.data() + r * n; }

  Index d = 0;
  Index n = 0;
  std::vector<double> values;
};

/// A distance and its standard error.
struct Distance {
  double value = 0.0;
  double standard_error = 0.0;
};

/// The distance to a fixed reference sample; made by `make_metric`.
class Metric {
 public:
  virtual ~Metric() = default;

  /// The distance of `sample` (d x n, any n >= 2) to the reference. May be called from several
  /// threads at once. A sample that is not finite everywhere is infinitely far away: {inf, NaN}.
  /// @throws std::invalid_argument  another dimension than the reference, fewer than two paths
  Distance operator()(SampleView sample) const;

 protected:
  Metric(SampleView reference, const std::atomic<bool>* cancel);
  /// Whether the computation was cancelled.
  bool cancelled() const { return cancel_ && cancel_->load(); }

 private:
  virtual Distance measure(SampleView sample) const = 0;

  Index d_;
  const std::atomic<bool>* cancel_;
};

/// A metric of the catalogue.
struct MetricInfo {
  std::string name;
  std::string distance;  ///< that it measures
  std::string source;
};

/// All metrics of `make_metric`: sliced-w2, energy, w1, w2.
const Catalogue<MetricInfo>& list_metrics();

/// A metric to `reference` (copied as far as needed).
///
/// - `sliced-w2`  sqrt of the mean over unit vectors v of W2^2 between the projections on v.
///   Directions: one for d = 1, 64 at equal angles over a half turn for d = 2, otherwise 128 hashed
///   normals (splitmix64 and Box-Muller, the same in every run), normalised.
///   Cost: directions (d n + n log n). Source: Bonneel et al., J. Math. Imaging Vis. 51 (2015).
/// - `energy`     sqrt(2 E|X - Y| - E|X - X'| - E|Y - Y'|) between the empirical laws. Exact,
///   n log n for d = 1; for d > 1 exact in O(n^2 d) on the first `energy_paths` columns of a
///   sample. Source: Szekely & Rizzo, J. Stat. Plan. Inference 143 (2013).
/// - `w1`, `w2`   Wasserstein distances, exact, for d = 1 only.
/// @param cancel   looked at between directions and tiles, here and in every measurement; when it
/// is
///                 true they end at once, and the distance is {NaN, NaN}
/// @throws std::invalid_argument  an unknown name; `w1` or `w2` with d > 1; a reference that has
///                                fewer than two paths or is not finite
std::unique_ptr<Metric> make_metric(std::string_view name, SampleView reference,
                                    const std::atomic<bool>* cancel = nullptr);

/// The energy distance in d > 1 compares at most this many columns of each sample.
inline constexpr Index energy_paths = 4096;

/// The exact Wasserstein distance W_p between the empirical laws of two samples of numbers, of
/// equal or different sizes, by merging their quantile functions.
/// @param p  1 or 2
/// @throws std::invalid_argument  another p, an empty sample, or values that are not finite
double wasserstein_1d(std::span<const double> x, std::span<const double> y, int p);

/// sqrt(mean of `squares`) and its standard error by the delta method: the pathwise (strong) error
/// from the squared error of each path. Infinite where a square is not finite.
/// @throws std::invalid_argument  fewer than two squares
Distance root_mean_square(std::span<const double> squares);

/// What two exact samples have as their distance.
struct Floor {
  double mean = 0.0;
  double sd = 0.0;  ///< of one distance, not of the mean
  int repetitions = 0;
};

/// The floor of a metric: mean and spread of the distance between two exact samples.
/// @param draw         draw(k), k = 0, 1, ..., gives pair k, independent of the others, each of the
///                     size of the samples to be compared
/// @param repetitions  number of pairs, >= 2
/// @param cancel       as for `make_metric`; the floor is then {NaN, NaN}
/// @throws std::invalid_argument  as make_metric, or fewer than two repetitions
Floor floor_of(std::string_view metric, const std::function<std::pair<Sample, Sample>(int)>& draw,
               int repetitions, const std::atomic<bool>* cancel = nullptr);

}  // namespace fokker
