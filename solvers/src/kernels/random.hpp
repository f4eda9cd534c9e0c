#pragma once
/// @file  kernels/random.hpp
/// @brief The compiled loops behind StreamLanes, one table of them per instruction set.

#include <cstddef>
#include <cstdint>

namespace fokker::detail {

/// Streams are advanced in groups of 16 neighbouring paths.
inline constexpr std::size_t group_lanes = 16;

/// State and increment of 16 neighbouring pcg32 streams.
struct alignas(64) Pcg32Group {
  std::uint64_t state[group_lanes];
  std::uint64_t increment[group_lanes];
};

/// Multiplier of pcg32: state <- state * multiplier + increment.
inline constexpr std::uint64_t pcg_multiplier = 6364136223846793005u;

/// Philox4x32: multipliers of a round, and what is added to the key after it.
inline constexpr std::uint64_t philox_multiplier[2] = {0xD2511F53u, 0xCD9E8D57u};
inline constexpr std::uint32_t philox_weyl[2] = {0x9E3779B9u, 0xBB67AE85u};
inline constexpr int philox_rounds = 10;

/// 16 neighbouring Philox streams: draw i of a stream is word i mod 4 of its block i / 4. A block
/// that is not yet used up is kept.
struct alignas(64) PhiloxGroup {
  static constexpr std::uint64_t none = ~std::uint64_t{0};
  std::uint64_t key = 0;                ///< of all lanes
  std::uint64_t first_path = 0;         ///< in lane 0
  std::uint64_t position = 0;           ///< draws taken from each lane
  std::uint64_t kept = none;            ///< number of the block in `words`
  std::uint64_t words[2][group_lanes];  ///< words 2 k and 2 k + 1 of the block, low word first
};

/// The loops on one kind of group. Each advances ceil(size / 16) groups and writes `size` values
/// per output row.
template <class Group>
struct StreamKernels {
  void (*normal_pair_double)(Group*, std::size_t size, double* z0, double* z1, double scale0,
                             double scale1);
  void (*normal_pair_float)(Group*, std::size_t size, float* z0, float* z1, float scale0,
                            float scale1);
  void (*uniform_double)(Group*, std::size_t size, double* u);
  void (*uniform_float)(Group*, std::size_t size, float* u);
  void (*bits)(Group*, std::size_t size, std::uint32_t* out);
};

struct RandomKernels {
  StreamKernels<Pcg32Group> pcg32;
  StreamKernels<PhiloxGroup> philox;
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
