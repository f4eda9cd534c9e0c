#pragma once
/// @file  kernels/math.hpp
/// @brief The functions behind Box-Muller, of solvers/simd, on arrays, for each instruction set.

#include <cstddef>
#include <cstdint>

namespace fokker::detail {

template <class S>
struct ArrayFunctions {
  void (*log)(const S* x, std::size_t size, S* y);
  void (*sine)(const S* x, std::size_t size, S* y);
  void (*cosine)(const S* x, std::size_t size, S* y);
};

/// Every `size` is a multiple of 16.
struct MathKernels {
  ArrayFunctions<double> of_double;
  ArrayFunctions<float> of_float;

  /// -log(u) / 2 for u = (m + 1/2) 2^-52, m the upper 52 bits of a word.
  void (*half_log)(const std::uint64_t* words, std::size_t size, double* y);

  /// cos(a) and sin(a) for a = 2 pi (c + 1/2) / 2^32, c the low 32 bits of a draw.
  void (*turn_cosine)(const std::uint64_t* draws, std::size_t size, double* y);
  void (*turn_sine)(const std::uint64_t* draws, std::size_t size, double* y);
};

namespace baseline {
extern const MathKernels math_kernels;
}
namespace avx2 {
extern const MathKernels math_kernels;
}
namespace avx512 {
extern const MathKernels math_kernels;
}

}  // namespace fokker::detail
