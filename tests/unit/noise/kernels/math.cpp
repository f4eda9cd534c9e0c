/// @file  kernels/math.cpp
/// @brief The vector functions behind Box-Muller, on arrays.

#include "math.hpp"

#include <simd/box_muller.hpp>

namespace fokker::detail::FOKKER_ISA {
namespace {

/// y = f(x), vector by vector.
template <class T, class S, class F>
FOKKER_INLINE void map(const T* x, std::size_t size, S* y, F f) {
  for (std::size_t i = 0; i < size; i += lanes<S>) store(y + i, f(load(x + i)));
}

template <class S>
void log_of(const S* x, std::size_t size, S* y) {
  map(x, size, y, [](Vec<S> v) { return log(v); });
}

template <class S>
void sine_of(const S* x, std::size_t size, S* y) {
  map(x, size, y, [](Vec<S> v) {
    Vec<S> s, c;
    sin_cos(v, s, c);
    return s;
  });
}

template <class S>
void cosine_of(const S* x, std::size_t size, S* y) {
  map(x, size, y, [](Vec<S> v) {
    Vec<S> s, c;
    sin_cos(v, s, c);
    return c;
  });
}

void half_log(const std::uint64_t* words, std::size_t size, double* y) {
  map(words, size, y, [](U64 v) { return Radial<double>::of(v).value(); });
}

void turn_cosine(const std::uint64_t* draws, std::size_t size, double* y) {
  map(draws, size, y, [](U64 v) {
    F64 c, s;
    angular(v, c, s);
    return c;
  });
}

void turn_sine(const std::uint64_t* draws, std::size_t size, double* y) {
  map(draws, size, y, [](U64 v) {
    F64 c, s;
    angular(v, c, s);
    return s;
  });
}

}  // namespace

extern const MathKernels math_kernels;
const MathKernels math_kernels = {{log_of<double>, sine_of<double>, cosine_of<double>},
                                  {log_of<float>, sine_of<float>, cosine_of<float>},
                                  half_log,
                                  turn_cosine,
                                  turn_sine};

}  // namespace fokker::detail::FOKKER_ISA
