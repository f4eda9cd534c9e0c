#pragma once
/// @file  data_model.hpp
/// @brief Helpers of the compiled data distributions.

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <fokker/diffusion/data/any_data.hpp>

namespace fokker::detail {

/// At least `size` values that belong to this thread and to this Tag. They keep their place until
/// the thread asks for more of the same.
template <class S, class Tag>
S* scratch(Index size) {
  static thread_local std::vector<S> values;
  if (values.size() < static_cast<std::size_t>(size)) values.resize(static_cast<std::size_t>(size));
  return values.data();
}

/// The scratch of one of several blocks of Self.
template <class Self, int slot>
struct Slot {};

template <class Self, int slot>
BlockView<double> scratch_block(Index rows, Index columns) {
  return {scratch<double, Slot<Self, slot>>(rows * columns), rows, columns, columns};
}

/// A copy of a block in double, in the scratch of Self.
template <class Self, int slot>
BlockView<const double> widened(BlockView<const float> x) {
  const BlockView<double> copy = scratch_block<Self, slot>(x.rows, x.columns);
  as_array(copy) = as_array(x).template cast<double>();
  return copy;
}

/// out = what f(result) writes to a block of double.
template <class Self, int slot, class F>
void narrowed(BlockView<float> out, F&& f) {
  const BlockView<double> result = scratch_block<Self, slot>(out.rows, out.columns);
  f(result);
  as_array(out) = as_array(result).template cast<float>();
}

/// Where the data reach farther than this many standard deviations of the narrowest feature of p_t,
/// its rounding errors in float (6e-8 of the squared ratio in a logit) are worth the double.
inline constexpr double widening_ratio = 16;

/// Forwards both precisions of a DataModel to the member templates `sample_values(random, x)`,
/// `score_values(x, s, std, out)`, `denoise_values(x, s, std, out)` and
/// `log_density_values(x, s, std, out)` of Self, and the product with the posterior covariance to
/// `covariance_times_values(x, s, std, v, out)` in double.
template <class Self>
class TypedModel : public DataModel {
 public:
  void sample(PathRandom& random, BlockView<double> x) const final {
    self().sample_values(random, x);
  }
  void sample(PathRandom& random, BlockView<float> x) const final {
    self().sample_values(random, x);
  }
  void score(BlockView<const double> x, double s, double std, BlockView<double> out) const final {
    self().score_values(x, s, std, out);
  }
  void score(BlockView<const float> x, double s, double std, BlockView<float> out) const final {
    self().score_values(x, s, std, out);
  }
  void denoise(BlockView<const double> x, double s, double std, BlockView<double> out) const final {
    self().denoise_values(x, s, std, out);
  }
  void denoise(BlockView<const float> x, double s, double std, BlockView<float> out) const final {
    self().denoise_values(x, s, std, out);
  }
  void log_density(BlockView<const double> x, double s, double std, double* out) const final {
    self().log_density_values(x, s, std, out);
  }
  void log_density(BlockView<const float> x, double s, double std, double* out) const final {
    self().log_density_values(x, s, std, out);
  }
  void posterior_covariance_times(BlockView<const double> x, double s, double std,
                                  BlockView<const double> v, BlockView<double> out) const final {
    self().covariance_times_values(x, s, std, v, out);
  }
  void posterior_covariance_times(BlockView<const float> x, double s, double std,
                                  BlockView<const float> v, BlockView<float> out) const final {
    const auto at = widened<TypedModel, 0>(x), direction = widened<TypedModel, 1>(v);
    narrowed<TypedModel, 2>(out, [&](BlockView<double> result) {
      self().covariance_times_values(at, s, std, direction, result);
    });
  }

 private:
  const Self& self() const { return static_cast<const Self&>(*this); }
};

/// As TypedModel, for a Self that has its members in double only: float states are widened, and the
/// results rounded.
template <class Self>
class DoubleModel : public TypedModel<Self> {
 public:
  template <class S>
  void sample_values(PathRandom& random, BlockView<S> x) const {
    in_double(x, [&](BlockView<double> out) { self().sample_double(random, out); });
  }
  template <class S>
  void score_values(BlockView<const S> x, double s, double std, BlockView<S> out) const {
    const BlockView<const double> at = wide(x);
    in_double(out, [&](BlockView<double> result) { self().score_double(at, s, std, result); });
  }
  template <class S>
  void denoise_values(BlockView<const S> x, double s, double std, BlockView<S> out) const {
    const BlockView<const double> at = wide(x);
    in_double(out, [&](BlockView<double> result) { self().denoise_double(at, s, std, result); });
  }
  template <class S>
  void log_density_values(BlockView<const S> x, double s, double std, double* out) const {
    self().log_density_double(wide(x), s, std, out);
  }

 private:
  const Self& self() const { return static_cast<const Self&>(*this); }

  static BlockView<const double> wide(BlockView<const double> x) { return x; }
  static BlockView<const double> wide(BlockView<const float> x) {
    return widened<DoubleModel, 0>(x);
  }

  template <class F>
  static void in_double(BlockView<double> out, F&& f) {
    f(out);
  }
  template <class F>
  static void in_double(BlockView<float> out, F&& f) {
    narrowed<DoubleModel, 1>(out, f);
  }
};

/// Coordinates up to here, and variances between these, have squares and inverses that are numbers.
inline constexpr double largest_coordinate = 1e150;
inline constexpr double smallest_variance = 1e-300, largest_variance = 1e300;

/// @throws std::invalid_argument  values that are not finite or beyond largest_coordinate
inline void require_coordinates(std::span<const double> values, std::string_view what) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!(std::abs(values[i]) <= largest_coordinate))
      throw std::invalid_argument(fmt::format("the {} must be finite, at most {}: entry {} is {}",
                                              what, largest_coordinate, i + 1, values[i]));
}

/// Weights that sum to 1, also where their own sum is no number.
template <class Part>
void scale_weights(std::vector<Part>& parts) {
  const auto divide = [&](double by) {
    for (Part& part : parts) part.weight /= by;
  };
  const auto sum_of = [&] {
    double total = 0;
    for (const Part& part : parts) total += part.weight;
    return total;
  };
  double whole = sum_of();
  if (!(whole >= smallest_variance && whole <= largest_variance)) {
    double heaviest = 0;
    for (const Part& part : parts) heaviest = std::max(heaviest, part.weight);
    divide(heaviest);
    whole = sum_of();
  }
  divide(whole);
}

/// The most modes, cells of a side or dimensions that are made by number.
inline constexpr Index most_modes = Index{1} << 20, most_cells = 1024,
                       most_dimensions = Index{1} << 22;

/// @throws std::invalid_argument  unless 1 <= count <= most
inline void require_count(Index count, Index most, std::string_view what) {
  if (count < 1 || count > most)
    throw std::invalid_argument(fmt::format("{} >= 1, at most {}: got {}", what, most, count));
}

inline constexpr double log_two_pi = 1.8378770664093454836;

/// @throws std::invalid_argument  if p_t has no density: its least variance is 0
inline void require_density(double least_variance, double s, double std) {
  if (!(s * s * least_variance + std * std > 0))
    throw std::invalid_argument(fmt::format(
        "the noised data have no density, hence no score, at scale={} and std={}: use a time with "
        "std > 0, or the denoiser",
        s, std));
}

/// Lower triangle L with L L^T = U diag(v) U^T, also where some v are 0.
std::vector<double> triangular_root(std::span<const double> basis, std::span<const double> values);

/// The eigenvalues (ascending) and eigenvectors (columns, stored row by row) of a covariance.
struct Spectrum {
  std::vector<double> values, basis;
};

/// @param covariance  d * d numbers
/// @throws std::invalid_argument  values that are not finite, or no symmetry
Spectrum spectrum_of(std::span<const double> covariance, Index d);

/// Row r of x becomes mean_r + sum_{c <= r} L_rc x_c.
template <class S>
void correlate(std::span<const double> lower, std::span<const double> mean, BlockView<S> x) {
  auto z = as_array(x);
  const Index d = x.rows;
  for (Index r = d - 1; r >= 0; --r) {
    const double* l = lower.data() + r * d;
    z.row(r) *= static_cast<S>(l[r]);
    for (Index c = 0; c < r; ++c) z.row(r) += static_cast<S>(l[c]) * z.row(c);
    z.row(r) += static_cast<S>(mean[static_cast<std::size_t>(r)]);
  }
}

}  // namespace fokker::detail
