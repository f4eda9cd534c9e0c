#pragma once
/// @file  fokker/diffusion/detail/kernels.hpp
/// @brief Compiled scores of mixtures and of finite data sets, at one time, on blocks of paths.
///
/// A block is d rows of n values, one path per column: row r of x starts at x + r * x_stride.
/// Outputs must not overlap inputs. One path is computed alike wherever it stands in a block; n = 1
/// agrees with it to rounding. Nothing throws, and nothing allocates beyond a buffer per thread
/// that grows with d. Weights are by the largest logit, so that no exponential overflows; weights
/// below e^-80 (float: e^-50) of the largest count as 0. A weight of zero is a log weight of
/// -infinity; at least one must be finite.

#include <cstddef>

namespace fokker::detail {

/// sum_k exp(log_weight_k - precision_k/2 |x - mean_k|^2): isotropic components. The caller puts
/// the normalisation, d/2 log(precision_k / (2 pi)), into the log weight.
template <class S>
struct MixtureTable {
  std::size_t dimension;   ///< d >= 1
  std::size_t components;  ///< K >= 1
  const S* log_weight;     ///< K
  const S* mean;           ///< K * d, component after component
  const S* precision;      ///< K, inverse variances
};

/// sum_k exp(log_weight_k - (x - mean_k)^T precision_k (x - mean_k) / 2): full covariances.
template <class S>
struct GeneralMixtureTable {
  std::size_t dimension;   ///< d >= 1
  std::size_t components;  ///< K >= 1
  const S* log_weight;     ///< K, normalisation included
  const S* mean;           ///< K * d
  const S* precision;      ///< K * d * d, symmetric inverses of the covariances
};

/// sum_i exp(log_weight_i - precision/2 |x - scale y_i|^2) over the N rows y_i of a data set.
template <class S>
struct PointTable {
  std::size_t dimension;  ///< d >= 1
  std::size_t points;     ///< N >= 1
  const S* point;         ///< N * d, point after point
  const S* half_square;   ///< N: |y_i|^2 / 2
  const S* log_weight;    ///< N, or nullptr for equal weights of 1
  S scale;                ///< a
  S precision;            ///< p > 0
};

/// What each component expects of x0 given x: offset_k + gain_k x.
template <class S>
struct ComponentMeans {
  const S* offset;  ///< K * d
  const S* gain;    ///< K, or K * d * d for full covariances
};

// Each for S = double and float.

/// score_r = sum_k w_k precision_k (mean_kr - x_r), w the softmax of the logarithms of the terms:
/// the gradient of the log of the sum.
/// @param score    d rows of n, row r at score + r * score_stride
/// @param log_sum  n logarithms of the sum, or nullptr
template <class S>
void mixture_score(const MixtureTable<S>& m, const S* x, std::size_t x_stride, std::size_t n,
                   S* score, std::size_t score_stride, S* log_sum = nullptr);

/// The same for full covariances: score = sum_k w_k precision_k (mean_k - x).
template <class S>
void mixture_score(const GeneralMixtureTable<S>& m, const S* x, std::size_t x_stride, std::size_t n,
                   S* score, std::size_t score_stride, S* log_sum = nullptr);

/// mean = sum_k w_k (offset_k + gain_k x), w as above: the denoiser of the mixture.
/// @param mean  d rows of n, row r at mean + r * mean_stride
template <class S>
void mixture_mean(const MixtureTable<S>& m, const ComponentMeans<S>& means, const S* x,
                  std::size_t x_stride, std::size_t n, S* mean, std::size_t mean_stride);
template <class S>
void mixture_mean(const GeneralMixtureTable<S>& m, const ComponentMeans<S>& means, const S* x,
                  std::size_t x_stride, std::size_t n, S* mean, std::size_t mean_stride);

/// mean = sum_i w_i y_i, w the softmax of the logarithms of the terms: the denoiser of the data
/// set. The nearest point itself, exactly, once all others weigh nothing. Logits come from scalar
/// products, so they carry a rounding error of about precision * |x| |scale y| * eps.
/// @param mean     d rows of n, row r at mean + r * mean_stride
/// @param log_sum  n logarithms of the sum, or nullptr
template <class S>
void point_mean(const PointTable<S>& t, const S* x, std::size_t x_stride, std::size_t n, S* mean,
                std::size_t mean_stride, S* log_sum = nullptr);

}  // namespace fokker::detail
