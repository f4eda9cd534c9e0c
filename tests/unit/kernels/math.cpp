/// @file  kernels/math.cpp
/// @brief The vector functions behind Box-Muller, on arrays.

#include "math.hpp"

#include <simd/math.hpp>

namespace fokker::detail::FOKKER_ISA {
namespace {

template <class S>
void log_of(const S* x, std::size_t size, S* y) {
  for (std::size_t i = 0; i < size; i += lanes<S>) store(y + i, log(load(x + i)));
}

template <class S>
void sine_of(const S* x, std::size_t size, S* y) {
  for (std::size_t i = 0; i < size; i += lanes<S>) {
    Vec<S> s, c;
    sin_cos(load(x + i), s, c);
    store(y + i, s);
  }
}

template <class S>
void cosine_of(const S* x, std::size_t size, S* y) {
  for (std::size_t i = 0; i < size; i += lanes<S>) {
    Vec<S> s, c;
    sin_cos(load(x + i), s, c);
    store(y + i, c);
  }
}

}  // namespace

extern const MathKernels math_kernels;
const MathKernels math_kernels = {{log_of<double>, sine_of<double>, cosine_of<double>},
                                  {log_of<float>, sine_of<float>, cosine_of<float>}};

}  // namespace fokker::detail::FOKKER_ISA
