#pragma once
/// @file  kernels/score.hpp
/// @brief The compiled loops behind fokker/diffusion/detail/kernels.hpp, one table per instruction
///        set.

#include <cstddef>

#include <fokker/diffusion/detail/kernels.hpp>

namespace fokker::detail {

/// Values per dimension of the scratch memory that every kernel is handed: an input tile, an output
/// tile and two more rows of tiles, of at most 64 paths each.
inline constexpr std::size_t scratch_per_dimension = 4 * 64;

template <class Table, class S>
using ScoreKernel = void (*)(const Table&, const S* x, std::size_t x_stride, std::size_t n, S* out,
                             std::size_t out_stride, S* log_sum, S* scratch);

template <class Table, class S>
using MeanKernel = void (*)(const Table&, const ComponentMeans<S>&, const S* x,
                            std::size_t x_stride, std::size_t n, S* out, std::size_t out_stride,
                            S* scratch);

template <class S>
struct ScoreKernelsOf {
  ScoreKernel<MixtureTable<S>, S> mixture;
  ScoreKernel<GeneralMixtureTable<S>, S> general_mixture;
  MeanKernel<MixtureTable<S>, S> mixture_mean;
  MeanKernel<GeneralMixtureTable<S>, S> general_mixture_mean;
  ScoreKernel<PointTable<S>, S> points;
};

struct ScoreKernels {
  ScoreKernelsOf<double> of_double;
  ScoreKernelsOf<float> of_float;
};

namespace baseline {
extern const ScoreKernels score_kernels;
}
namespace avx2 {
extern const ScoreKernels score_kernels;
}
namespace avx512 {
extern const ScoreKernels score_kernels;
}

}  // namespace fokker::detail
