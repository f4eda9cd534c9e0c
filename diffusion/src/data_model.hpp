#pragma once
/// @file  data_model.hpp
/// @brief Helpers of the compiled data distributions.

#include <cmath>
#include <numbers>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <fokker/diffusion/any_data.hpp>

namespace fokker::detail {

/// Forwards both precisions of a DataModel to the member templates `sample_values(random, x)`,
/// `score_values(x, s, std, out)`, `denoise_values(x, s, std, out)` and
/// `log_density_values(x, s, std, out)` of Self.
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

 private:
  const Self& self() const { return static_cast<const Self&>(*this); }
};

/// At least `size` values that belong to this thread and to this Tag. They keep their place until
/// the thread asks for more of the same.
template <class S, class Tag>
S* scratch(Index size) {
  static thread_local std::vector<S> values;
  if (values.size() < static_cast<std::size_t>(size)) values.resize(static_cast<std::size_t>(size));
  return values.data();
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
