/// @file  score_kernels.cpp
/// @brief Hands the score kernels of this machine their scratch memory.

#include <type_traits>
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

/// The kernels of this machine for one scalar.
template <class S>
const auto& kernels() {
  const ScoreKernels& all = FOKKER_DISPATCH(score_kernels);
  if constexpr (std::is_same_v<S, double>)
    return all.of_double;
  else
    return all.of_float;
}

}  // namespace

template <class S>
void mixture_score(const MixtureTable<S>& m, const S* x, std::size_t x_stride, std::size_t n,
                   S* score, std::size_t score_stride, S* log_sum) {
  kernels<S>().mixture(m, x, x_stride, n, score, score_stride, log_sum, scratch<S>(m.dimension));
}

template <class S>
void mixture_score(const GeneralMixtureTable<S>& m, const S* x, std::size_t x_stride, std::size_t n,
                   S* score, std::size_t score_stride, S* log_sum) {
  kernels<S>().general_mixture(m, x, x_stride, n, score, score_stride, log_sum,
                               scratch<S>(m.dimension));
}

template <class S>
void mixture_mean(const MixtureTable<S>& m, const ComponentMeans<S>& means, const S* x,
                  std::size_t x_stride, std::size_t n, S* mean, std::size_t mean_stride) {
  kernels<S>().mixture_mean(m, means, x, x_stride, n, mean, mean_stride, scratch<S>(m.dimension));
}

template <class S>
void mixture_mean(const GeneralMixtureTable<S>& m, const ComponentMeans<S>& means, const S* x,
                  std::size_t x_stride, std::size_t n, S* mean, std::size_t mean_stride) {
  kernels<S>().general_mixture_mean(m, means, x, x_stride, n, mean, mean_stride,
                                    scratch<S>(m.dimension));
}

template <class S>
void point_mean(const PointTable<S>& t, const S* x, std::size_t x_stride, std::size_t n, S* mean,
                std::size_t mean_stride, S* log_sum) {
  kernels<S>().points(t, x, x_stride, n, mean, mean_stride, log_sum, scratch<S>(t.dimension));
}

#define FOKKER_INSTANTIATE(S)                                                                    \
  template void mixture_score(const MixtureTable<S>&, const S*, std::size_t, std::size_t, S*,    \
                              std::size_t, S*);                                                  \
  template void mixture_score(const GeneralMixtureTable<S>&, const S*, std::size_t, std::size_t, \
                              S*, std::size_t, S*);                                              \
  template void mixture_mean(const MixtureTable<S>&, const ComponentMeans<S>&, const S*,         \
                             std::size_t, std::size_t, S*, std::size_t);                         \
  template void mixture_mean(const GeneralMixtureTable<S>&, const ComponentMeans<S>&, const S*,  \
                             std::size_t, std::size_t, S*, std::size_t);                         \
  template void point_mean(const PointTable<S>&, const S*, std::size_t, std::size_t, S*,         \
                           std::size_t, S*);

FOKKER_INSTANTIATE(double)
FOKKER_INSTANTIATE(float)

}  // namespace fokker::detail
