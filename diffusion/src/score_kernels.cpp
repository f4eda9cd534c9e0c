/// @file  score_kernels.cpp
/// @brief Hands the score kernels of this machine their scratch memory.

#include <vector>

#include <simd/dispatch.hpp>

#include "kernels/score.hpp"

namespace fokker::detail {
namespace {

/// A vector of the widest instruction set.
template <class S>
struct alignas(64) Line {
  static constexpr std::size_t size = 64 / sizeof(S);
  S values[size];
};

/// Of this thread; kernels call nothing that could use it a second time.
template <class S>
S* scratch(std::size_t dimension) {
  thread_local std::vector<Line<S>> memory;
  const std::size_t needed = scratch_per_dimension / Line<S>::size * dimension;
  if (memory.size() < needed) memory.resize(needed);
  return memory.front().values;
}

const ScoreKernels& kernels() { return FOKKER_DISPATCH(score_kernels); }

}  // namespace

void mixture_score(const MixtureTable<double>& m, const double* x, std::size_t x_stride,
                   std::size_t n, double* score, std::size_t score_stride, double* log_sum) {
  kernels().of_double.mixture(m, x, x_stride, n, score, score_stride, log_sum,
                              scratch<double>(m.dimension));
}

void mixture_score(const MixtureTable<float>& m, const float* x, std::size_t x_stride,
                   std::size_t n, float* score, std::size_t score_stride, float* log_sum) {
  kernels().of_float.mixture(m, x, x_stride, n, score, score_stride, log_sum,
                             scratch<float>(m.dimension));
}

void mixture_score(const GeneralMixtureTable<double>& m, const double* x, std::size_t x_stride,
                   std::size_t n, double* score, std::size_t score_stride, double* log_sum) {
  kernels().of_double.general_mixture(m, x, x_stride, n, score, score_stride, log_sum,
                                      scratch<double>(m.dimension));
}

void mixture_score(const GeneralMixtureTable<float>& m, const float* x, std::size_t x_stride,
                   std::size_t n, float* score, std::size_t score_stride, float* log_sum) {
  kernels().of_float.general_mixture(m, x, x_stride, n, score, score_stride, log_sum,
                                     scratch<float>(m.dimension));
}

void mixture_mean(const MixtureTable<double>& m, const ComponentMeans<double>& means,
                  const double* x, std::size_t x_stride, std::size_t n, double* mean,
                  std::size_t mean_stride) {
  kernels().of_double.mixture_mean(m, means, x, x_stride, n, mean, mean_stride,
                                   scratch<double>(m.dimension));
}

void mixture_mean(const MixtureTable<float>& m, const ComponentMeans<float>& means, const float* x,
                  std::size_t x_stride, std::size_t n, float* mean, std::size_t mean_stride) {
  kernels().of_float.mixture_mean(m, means, x, x_stride, n, mean, mean_stride,
                                  scratch<float>(m.dimension));
}

void mixture_mean(const GeneralMixtureTable<double>& m, const ComponentMeans<double>& means,
                  const double* x, std::size_t x_stride, std::size_t n, double* mean,
                  std::size_t mean_stride) {
  kernels().of_double.general_mixture_mean(m, means, x, x_stride, n, mean, mean_stride,
                                           scratch<double>(m.dimension));
}

void mixture_mean(const GeneralMixtureTable<float>& m, const ComponentMeans<float>& means,
                  const float* x, std::size_t x_stride, std::size_t n, float* mean,
                  std::size_t mean_stride) {
  kernels().of_float.general_mixture_mean(m, means, x, x_stride, n, mean, mean_stride,
                                          scratch<float>(m.dimension));
}

void point_mean(const PointTable<double>& t, const double* x, std::size_t x_stride, std::size_t n,
                double* mean, std::size_t mean_stride, double* log_sum) {
  kernels().of_double.points(t, x, x_stride, n, mean, mean_stride, log_sum,
                             scratch<double>(t.dimension));
}

void point_mean(const PointTable<float>& t, const float* x, std::size_t x_stride, std::size_t n,
                float* mean, std::size_t mean_stride, float* log_sum) {
  kernels().of_float.points(t, x, x_stride, n, mean, mean_stride, log_sum,
                            scratch<float>(t.dimension));
}

}  // namespace fokker::detail
