#pragma once
/// @file  data_model.hpp
/// @brief Helpers of the compiled data distributions.

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <fmt/format.h>

#include <fokker/diffusion/data/any_data.hpp>
#include <fokker/solvers/support/checks.hpp>

namespace fokker::detail {

template <class S>
using RowMatrix = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

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

/// The functions of Self on blocks of S, by its members `sample_values(random, x)`,
/// `score_values(x, s, std, out)` and `denoise_values(x, s, std, out)`, and in double
/// `log_density_values(x, s, std, out)` and `covariance_times_values(x, s, std, v, out)`. Float
/// states are widened and the results rounded for the latter two, where Self has all of them in
/// double only, and where `widens(s, std)` of Self asks for it.
template <class Self, class S, bool in_double>
class ValuesOf final : public DataValues<S> {
 public:
  explicit ValuesOf(const DataModel& model) : model_(model) {}

  void sample(PathRandom& random, BlockView<S> x) const override {
    if constexpr (widens)
      narrowed<ValuesOf, 0>(x, [&](BlockView<double> out) { self().sample_values(random, out); });
    else
      self().sample_values(random, x);
  }
  void score(BlockView<const S> x, double s, double std, BlockView<S> out) const override {
    evaluate(x, s, std, out, [&](auto in, auto to) { self().score_values(in, s, std, to); });
  }
  void denoise(BlockView<const S> x, double s, double std, BlockView<S> out) const override {
    evaluate(x, s, std, out, [&](auto in, auto to) { self().denoise_values(in, s, std, to); });
  }
  void log_density(BlockView<const S> x, double s, double std, double* out) const override {
    self().log_density_values(wide<1>(x), s, std, out);
  }
  void posterior_covariance_times(BlockView<const S> x, double s, double std, BlockView<const S> v,
                                  BlockView<S> out) const override {
    const BlockView<const double> at = wide<1>(x), direction = wide<2>(v);
    const auto product = [&](BlockView<double> to) {
      self().covariance_times_values(at, s, std, direction, to);
    };
    if constexpr (is_float)
      narrowed<ValuesOf, 0>(out, product);
    else
      product(out);
  }

 private:
  static constexpr bool is_float = std::is_same_v<S, float>, widens = is_float && in_double;

  template <int slot>
  static BlockView<const double> wide(BlockView<const S> x) {
    if constexpr (is_float)
      return widened<ValuesOf, slot>(x);
    else
      return x;
  }

  template <class F>
  void evaluate(BlockView<const S> x, double s, double std, BlockView<S> out, F&& f) const {
    if constexpr (is_float)
      if (asks_for_double(s, std)) {
        const BlockView<const double> at = wide<1>(x);
        return narrowed<ValuesOf, 0>(out, [&](BlockView<double> to) { f(at, to); });
      }
    if constexpr (!widens) f(x, out);
  }

  bool asks_for_double(double s, double std) const {
    if constexpr (requires { self().widens(s, std); })
      return self().widens(s, std);
    else
      return in_double;
  }

  /// The model is a Self once its constructor has run; a cast before that is undefined.
  const Self& self() const { return static_cast<const Self&>(model_); }

  const DataModel& model_;
};

/// A DataModel whose functions are members of Self, see ValuesOf.
template <class Self, bool in_double = false>
class TypedModel : public DataModel {
 protected:
  TypedModel() : DataModel(doubles_, floats_), doubles_(*this), floats_(*this) {}

 private:
  ValuesOf<Self, double, in_double> doubles_;
  ValuesOf<Self, float, in_double> floats_;
};

/// The same for a Self with its functions in double only.
template <class Self>
using DoubleModel = TypedModel<Self, true>;

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
