/// @file  kernels/limit.cpp
/// @brief The hand-written kernels of the benchmarks. Compiled once per instruction set.

#include "limit.hpp"

#include <simd/box_muller.hpp>

namespace fokker::detail::FOKKER_ISA {
namespace {

constexpr std::uint64_t multiplier = 6364136223846793005u;  // of pcg32
constexpr std::uint64_t golden = 0x9E3779B97F4A7C15u;
constexpr std::size_t width = lanes<double>;
constexpr std::size_t tile = 2;  ///< vectors in flight

/// Purposes of the library's streams.
constexpr std::uint64_t initial = 0, wiener = 2;

template <class T>
FOKKER_INLINE T mix(T x) {  // finaliser of splitmix64
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/// The pcg32 streams of `width` neighbouring paths.
struct Streams {
  U64 state, increment;

  FOKKER_INLINE Streams(std::uint64_t seed, std::size_t path, std::uint64_t purpose) {
    const std::uint64_t key = mix(mix(seed + golden) + golden * (purpose + 1));
    U64 number;
    for (std::size_t j = 0; j < width; ++j) number[j] = path + j + 1;
    const U64 h = mix(number * golden + key);
    increment = (mix(h + 2 * golden) << 1) | 1;
    state = (mix(h + golden) + increment) * multiplier + increment;
  }

  FOKKER_INLINE U64 draw() {
    const U64 s = state;
    state = s * multiplier + increment;
    return rotate_right(((s >> 18) ^ s) >> 27, s >> 59);
  }

  /// Box-Muller on three draws, as in StreamLanes.
  FOKKER_INLINE void normal_pair(F64& z0, F64& z1) {
    const U64 high = draw(), low = draw();
    F64 cosine, sine;
    angular(draw(), cosine, sine);
    const F64 radius = sqrt(Radial<double>::of(join(high, low)).value()) * Radial<double>::unit;
    z0 = radius * cosine;
    z1 = radius * sine;
  }
};

FOKKER_INLINE double lane_sum(F64 v) {
  double sum = 0;
  for (std::size_t j = 0; j < width; ++j) sum += v[j];
  return sum;
}

double gbm(std::uint64_t seed, std::size_t paths, std::size_t steps, double growth, double spread) {
  F64 sum = {};
  for (std::size_t path = 0; path < paths; path += tile * width) {
    Streams streams[tile] = {{seed, path, wiener}, {seed, path + width, wiener}};
    F64 x[tile];
    for (std::size_t t = 0; t < tile; ++t) x[t] = broadcast(1.0);
    for (std::size_t k = 0; k < steps; k += 2)
      for (std::size_t t = 0; t < tile; ++t) {
        F64 z0, z1;
        streams[t].normal_pair(z0, z1);
        x[t] *= z0 * spread + growth;
        x[t] *= z1 * spread + growth;
      }
    for (std::size_t t = 0; t < tile; ++t) sum += x[t];
  }
  return lane_sum(sum) / static_cast<double>(paths);
}

FOKKER_INLINE void score_of(const PlaneModes& m, F64 x, F64 y, F64& score_x, F64& score_y) {
  F64 logit[PlaneModes::count];
  F64 high = broadcast(-__DBL_MAX__);
  for (std::size_t k = 0; k < PlaneModes::count; ++k) {
    const F64 dx = x - m.mean_x[k], dy = y - m.mean_y[k];
    logit[k] = (dx * dx + dy * dy) * (-0.5 * m.precision[k]) + m.log_weight[k];
    high = logit[k] > high ? logit[k] : high;
  }
  F64 sum = {}, total = {}, sum_x = {}, sum_y = {};
  for (std::size_t k = 0; k < PlaneModes::count; ++k) {
    const F64 w = exp_weight(logit[k] - high);
    const F64 force = w * m.precision[k];
    sum += w;
    total += force;
    sum_x = force * m.mean_x[k] + sum_x;
    sum_y = force * m.mean_y[k] + sum_y;
  }
  const F64 inverse = 1.0 / sum;
  score_x = (sum_x - total * x) * inverse;
  score_y = (sum_y - total * y) * inverse;
}

void score(const PlaneModes& modes, const double* x, const double* y, std::size_t n,
           double* score_x, double* score_y) {
  for (std::size_t j = 0; j < n; j += tile * width)
    for (std::size_t t = 0; t < tile; ++t) {
      const std::size_t at = j + t * width;
      F64 out_x, out_y;
      score_of(modes, load(x + at), load(y + at), out_x, out_y);
      store(score_x + at, out_x);
      store(score_y + at, out_y);
    }
}

double reverse(std::uint64_t seed, std::size_t paths, const ReverseStep* steps, std::size_t count) {
  F64 sum = {};
  for (std::size_t path = 0; path < paths; path += tile * width) {
    Streams streams[tile] = {{seed, path, wiener}, {seed, path + width, wiener}};
    F64 x[tile], y[tile];
    for (std::size_t t = 0; t < tile; ++t)
      Streams(seed, path + t * width, initial).normal_pair(x[t], y[t]);
    for (std::size_t k = 0; k < count; ++k) {
      const ReverseStep& step = steps[k];
      for (std::size_t t = 0; t < tile; ++t) {
        F64 z0, z1, score_x, score_y;
        streams[t].normal_pair(z0, z1);
        score_of(step.modes, x[t], y[t], score_x, score_y);
        x[t] = x[t] * step.keep + score_x * step.score_weight + z0 * step.noise;
        y[t] = y[t] * step.keep + score_y * step.score_weight + z1 * step.noise;
      }
    }
    for (std::size_t t = 0; t < tile; ++t) sum += x[t] * x[t] + y[t] * y[t];
  }
  return lane_sum(sum) / static_cast<double>(paths);
}

}  // namespace

extern const LimitKernels limit_kernels;
const LimitKernels limit_kernels = {gbm, score, reverse};

}  // namespace fokker::detail::FOKKER_ISA
