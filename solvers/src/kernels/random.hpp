#pragma once
/// @file  kernels/random.hpp
/// @brief The compiled loops behind StreamLanes, one table of them per instruction set.

#include <cstddef>
#include <cstdint>

namespace fokker::detail {

/// State and increment of 16 neighbouring pcg32 streams.
struct alignas(64) LaneGroup {
  static constexpr std::size_t lanes = 16;
  std::uint64_t state[lanes];
  std::uint64_t increment[lanes];
};

/// Multiplier of pcg32: state <- state * multiplier + increment.
inline constexpr std::uint64_t pcg_multiplier = 6364136223846793005u;

/// Each advances ceil(size / 16) groups and writes `size` values per output row.
struct RandomKernels {
  void (*normal_pair_double)(LaneGroup*, std::size_t size, double* z0, double* z1, double scale0,
                             double scale1);
  void (*normal_pair_float)(LaneGroup*, std::size_t size, float* z0, float* z1, float scale0,
                            float scale1);
  void (*uniform_double)(LaneGroup*, std::size_t size, double* u);
  void (*uniform_float)(LaneGroup*, std::size_t size, float* u);
  void (*bits)(LaneGroup*, std::size_t size, std::uint32_t* out);
};

namespace baseline {
extern const RandomKernels random_kernels;
}
namespace avx2 {
extern const RandomKernels random_kernels;
}
namespace avx512 {
extern const RandomKernels random_kernels;
}

}  // namespace fokker::detail
