#pragma once
/// @file  kernels/math.hpp
/// @brief log, sin and cos of solvers/simd/math.hpp on arrays, compiled for each instruction set.

#include <cstddef>

namespace fokker::detail {

template <class S>
struct ArrayFunctions {
  void (*log)(const S* x, std::size_t size, S* y);
  void (*sine)(const S* x, std::size_t size, S* y);
  void (*cosine)(const S* x, std::size_t size, S* y);
};

/// `size` is a multiple of 16.
struct MathKernels {
  ArrayFunctions<double> of_double;
  ArrayFunctions<float> of_float;
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
