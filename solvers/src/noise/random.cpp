/// @file  random.cpp
/// @brief Keys of streams, and their lanes on the compiled kernels.

#include "kernels/random.hpp"

#include <utility>

#include <simd/dispatch.hpp>

#include <fokker/solvers/noise/random.hpp>

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

/// A bijection of the seed for each purpose, and of the purpose for each seed.
std::uint64_t key_of(std::uint64_t seed, Purpose purpose) {
  return mix(mix(seed + golden) + golden * (static_cast<std::uint64_t>(purpose) + 1));
}

Key key_of(std::uint64_t seed, std::uint64_t path, Purpose purpose) {
  const std::uint64_t h = mix(key_of(seed, purpose) + golden * (path + 1));
  return {mix(h + golden), mix(h + 2 * golden)};
}

const detail::RandomKernels& kernels() { return FOKKER_DISPATCH(random_kernels); }

const auto& kernels_of(const std::vector<detail::Pcg32Group>&) { return kernels().pcg32; }
const auto& kernels_of(const std::vector<detail::PhiloxGroup>&) { return kernels().philox; }

/// `draws` steps of s <- s M + c in one: s A + c C, by squaring (F. Brown 1994, "Random number
/// generation with arbitrary strides").
void skip(std::vector<detail::Pcg32Group>& groups, std::uint64_t draws) {
  std::uint64_t a = 1, c = 0, a_bit = detail::pcg_multiplier, c_bit = 1;
  for (; draws != 0; draws >>= 1) {
    if (draws & 1) {
      a *= a_bit;
      c = c * a_bit + c_bit;
    }
    c_bit *= a_bit + 1;
    a_bit *= a_bit;
  }
  for (detail::Pcg32Group& group : groups)
    for (std::size_t j = 0; j < detail::group_lanes; ++j)
      group.state[j] = group.state[j] * a + group.increment[j] * c;
}

void skip(std::vector<detail::PhiloxGroup>& groups, std::uint64_t draws) {
  for (detail::PhiloxGroup& group : groups) group.position += draws;
}

}  // namespace

pcg32 path_stream(std::uint64_t seed, std::uint64_t path, Purpose purpose) {
  const Key key = key_of(seed, path, purpose);
  return pcg32(key.state, key.stream);
}

PhiloxWords philox(PhiloxWords counter, std::uint64_t key) {
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  std::uint32_t key0 = low(key), key1 = low(key >> 32);
  for (int round = 0; round < detail::philox_rounds; ++round) {
    const std::uint64_t p = counter[0] * detail::philox_multiplier[0];
    const std::uint64_t q = counter[2] * detail::philox_multiplier[1];
    counter = {low(q >> 32) ^ counter[1] ^ key0, low(q), low(p >> 32) ^ counter[3] ^ key1, low(p)};
    key0 += detail::philox_weyl[0];
    key1 += detail::philox_weyl[1];
  }
  return counter;
}

std::uint64_t philox_key(std::uint64_t seed, Purpose purpose) { return key_of(seed, purpose); }

StreamLanes::StreamLanes(Seed seed, std::uint64_t first_path, std::size_t size, Purpose purpose)
    : size_(size) {
  const std::size_t groups = (size + detail::group_lanes - 1) / detail::group_lanes;
  std::uint64_t path = first_path;
  if (seed.generator == Generator::philox) {
    std::vector<detail::PhiloxGroup> philox(groups);
    for (detail::PhiloxGroup& group : philox) {
      group.key = philox_key(seed.number, purpose);
      group.first_path = path;
      path += detail::group_lanes;
    }
    groups_ = std::move(philox);
  } else {
    std::vector<detail::Pcg32Group> pcg(groups);
    for (detail::Pcg32Group& group : pcg)
      for (std::size_t j = 0; j < detail::group_lanes; ++j, ++path) {
        const Key key = key_of(seed.number, path, purpose);
        group.increment[j] = (key.stream << 1) | 1;
        group.state[j] =
            (key.state + group.increment[j]) * detail::pcg_multiplier + group.increment[j];
      }
    groups_ = std::move(pcg);
  }
}

StreamLanes::StreamLanes(const StreamLanes&) = default;
StreamLanes::StreamLanes(StreamLanes&&) noexcept = default;
StreamLanes& StreamLanes::operator=(const StreamLanes&) = default;
StreamLanes& StreamLanes::operator=(StreamLanes&&) noexcept = default;
StreamLanes::~StreamLanes() = default;

void StreamLanes::normal_pair(double* z0, double* z1, double scale0, double scale1) {
  std::visit(
      [&](auto& groups) {
        kernels_of(groups).normal_pair_double(groups.data(), size_, z0, z1, scale0, scale1);
      },
      groups_);
}

void StreamLanes::normal_pair(float* z0, float* z1, float scale0, float scale1) {
  std::visit(
      [&](auto& groups) {
        kernels_of(groups).normal_pair_float(groups.data(), size_, z0, z1, scale0, scale1);
      },
      groups_);
}

void StreamLanes::uniform(double* u) {
  std::visit([&](auto& groups) { kernels_of(groups).uniform_double(groups.data(), size_, u); },
             groups_);
}

void StreamLanes::uniform(float* u) {
  std::visit([&](auto& groups) { kernels_of(groups).uniform_float(groups.data(), size_, u); },
             groups_);
}

void StreamLanes::bits(std::uint32_t* out) {
  std::visit([&](auto& groups) { kernels_of(groups).bits(groups.data(), size_, out); }, groups_);
}

void StreamLanes::advance(std::uint64_t draws) {
  std::visit([&](auto& groups) { skip(groups, draws); }, groups_);
}

}  // namespace fokker
