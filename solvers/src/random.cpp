/// @file  random.cpp
/// @brief Keys of streams, and their lanes on the compiled kernels.

#include "kernels/random.hpp"

#include <simd/dispatch.hpp>

#include <fokker/solvers/random.hpp>

namespace fokker {
namespace {

/// Finaliser of splitmix64: a bijection of 64 bits.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

constexpr std::uint64_t golden = 0x9E3779B97F4A7C15u;

struct Key {
  std::uint64_t state, stream;
};

Key key_of(std::uint64_t seed, std::uint64_t path, Purpose purpose) {
  std::uint64_t h = mix(seed + golden);
  h = mix(h + golden * (static_cast<std::uint64_t>(purpose) + 1));
  h = mix(h + golden * (path + 1));
  return {mix(h + golden), mix(h + 2 * golden)};
}

const detail::RandomKernels& kernels() { return FOKKER_DISPATCH(random_kernels); }

}  // namespace

pcg32 path_stream(std::uint64_t seed, std::uint64_t path, Purpose purpose) {
  const Key key = key_of(seed, path, purpose);
  return pcg32(key.state, key.stream);
}

StreamLanes::StreamLanes(std::uint64_t seed, std::uint64_t first_path, std::size_t size,
                         Purpose purpose)
    : groups_((size + detail::LaneGroup::lanes - 1) / detail::LaneGroup::lanes), size_(size) {
  std::uint64_t path = first_path;
  for (detail::LaneGroup& group : groups_)
    for (std::size_t j = 0; j < detail::LaneGroup::lanes; ++j, ++path) {
      const Key key = key_of(seed, path, purpose);
      group.increment[j] = (key.stream << 1) | 1;
      group.state[j] =
          (key.state + group.increment[j]) * detail::pcg_multiplier + group.increment[j];
    }
}

StreamLanes::StreamLanes(const StreamLanes&) = default;
StreamLanes::StreamLanes(StreamLanes&&) noexcept = default;
StreamLanes& StreamLanes::operator=(const StreamLanes&) = default;
StreamLanes& StreamLanes::operator=(StreamLanes&&) noexcept = default;
StreamLanes::~StreamLanes() = default;

void StreamLanes::normal_pair(double* z0, double* z1, double scale0, double scale1) {
  kernels().normal_pair_double(groups_.data(), size_, z0, z1, scale0, scale1);
}

void StreamLanes::normal_pair(float* z0, float* z1, float scale0, float scale1) {
  kernels().normal_pair_float(groups_.data(), size_, z0, z1, scale0, scale1);
}

void StreamLanes::uniform(double* u) { kernels().uniform_double(groups_.data(), size_, u); }

void StreamLanes::uniform(float* u) { kernels().uniform_float(groups_.data(), size_, u); }

void StreamLanes::bits(std::uint32_t* out) { kernels().bits(groups_.data(), size_, out); }

void StreamLanes::advance(std::uint64_t draws) {
  // `draws` steps of s <- s M + c in one: s A + c C, by squaring (F. Brown 1994, "Random number
  // generation with arbitrary strides").
  std::uint64_t a = 1, c = 0, a_bit = detail::pcg_multiplier, c_bit = 1;
  for (; draws != 0; draws >>= 1) {
    if (draws & 1) {
      a *= a_bit;
      c = c * a_bit + c_bit;
    }
    c_bit *= a_bit + 1;
    a_bit *= a_bit;
  }
  for (detail::LaneGroup& group : groups_)
    for (std::size_t j = 0; j < detail::LaneGroup::lanes; ++j)
      group.state[j] = group.state[j] * a + group.increment[j] * c;
}

}  // namespace fokker
