/// @file  kernels/random.cpp
/// @brief pcg32 lanes and Box-Muller on them. Compiled once per instruction set, without
/// contraction
///        to fma, so that every compiler and instruction set gives the same bits.

#include "random.hpp"

#include <simd/math.hpp>

namespace fokker::detail::FOKKER_ISA {
namespace {

constexpr std::uint64_t low32 = 0xFFFFFFFFu;
constexpr std::uint64_t two52 = 0x4330000000000000u;  ///< the bits of 2^52 as a double
constexpr double half_pi = 1.57079632679489661923;
constexpr double twice_ln2 = 1.38629436111989061883;

/// The vectors of 64-bit integers that make a group.
constexpr std::size_t vectors = LaneGroup::lanes / lanes<std::uint64_t>;

/// The next draw of each stream in the low 32 bits; what stands above is arbitrary.
/// XSH-RR of O'Neill (2014), "PCG", section 6.3.
FOKKER_INLINE U64 draw(U64& state, U64 increment) {
  const U64 s = state;
  state = s * pcg_multiplier + increment;
  return shift_right(twice_low(((s >> 18) ^ s) >> 27), s >> 59);
}

/// The draws of one group, `Count` per stream, in d[k][v].
template <int Count>
FOKKER_INLINE void draw_group(LaneGroup& group, U64 (&d)[Count][vectors]) {
  for (std::size_t v = 0; v < vectors; ++v) {
    std::uint64_t* p = group.state + v * lanes<std::uint64_t>;
    U64 state = load(p);
    const U64 increment = load(group.increment + v * lanes<std::uint64_t>);
    for (int k = 0; k < Count; ++k) d[k][v] = draw(state, increment);
    store(p, state);
  }
}

/// 2 m + 1 for the 52 bits of m: 2^53 u for u = (m + 1/2) 2^-52 in (0, 1). Exact.
FOKKER_INLINE F64 odd53(U64 m) {
  const F64 v = F64(m | two52) - (0x1p52 - 0.5);
  return v + v;
}

/// The words of a pair: what the radius and the direction are made from.
template <class S>
struct Words;

template <>
struct Words<double> {
  static constexpr int draws = 3;
  U64 radius, direction;

  static FOKKER_INLINE Words of(const U64 (&d)[draws][vectors], std::size_t v) {
    return {((d[0][v] << 32) | (d[1][v] & low32)) >> 12, d[2][v]};
  }
};

template <>
struct Words<float> {
  static constexpr int draws = 2;
  U32 radius, direction;

  static FOKKER_INLINE Words of(const U64 (&d)[draws][vectors], std::size_t v) {
    return {even(d[0][2 * v], d[0][2 * v + 1]), even(d[1][2 * v], d[1][2 * v + 1])};
  }
};

/// u = (1 + f) 2^-k with 1 + f in [sqrt(1/2), sqrt(2)), for u = (word + 1/2) 2^-52.
FOKKER_INLINE void reduce(U64 word, F64& f, F64& k) {
  F64 m, e;
  split(odd53(word), m, e);
  f = m - 1.0;
  k = 53.0 - e;
}

/// The same for u = (word + 1/2) 2^-32; near 1, f comes from 1 - u, which has its full precision.
FOKKER_INLINE void reduce(U32 word, F32& f, F32& k) {
  const I32 flip = I32(word) >> 31;  // -1 where u > 1/2
  const F32 p = (__builtin_convertvector(I32(word) ^ flip, F32) + 0.5f) * 0x1p-32f;
  F32 m, e;
  split(flip ? 1.0f - p : p, m, e);
  f = (e == 0.0f) ? -p : m - 1.0f;
  k = -e;
}

/// Cosine and sine of 2 pi (c + 1/2) / 2^32: quadrant and rest are told apart in integers.
FOKKER_INLINE void direction(U64 draw, F64& cosine, F64& sine) {
  constexpr std::uint64_t sign = 0x8000000000000000u;
  constexpr std::uint64_t two51 = 0x4320000000000000u;  // the bits of 2^51, whose last bit is 1/2
  const U64 t = draw + (1u << 29);  // bits 30 and 31: quadrant; below: rest + 2^29
  const F64 rest = F64(((t << 1) & 0x7FFFFFFEu) | (two51 | 1)) - (0x1p51 + 0x1p29);  // with its 1/2
  F64 s, c;
  sin_cos(rest * (half_pi * 0x1p-30), s, c);
  const I64 odd = I64(t << 33) < 0;
  cosine = F64(U64(odd ? s : c) ^ (((t ^ (t << 1)) << 32) & sign));
  sine = F64(U64(odd ? c : s) ^ ((t << 32) & sign));
}

FOKKER_INLINE void direction(U32 draw, F32& cosine, F32& sine) {
  constexpr std::uint32_t sign = 0x80000000u;
  const U32 t = draw + (1u << 29);
  const I32 rest = I32(t & 0x3FFFFFFFu) - (1 << 29);
  F32 s, c;
  sin_cos(__builtin_convertvector(rest + rest + 1, F32) * float(half_pi * 0x1p-31), s, c);
  const I32 odd = I32(t << 1) < 0;
  cosine = F32(U32(odd ? s : c) ^ ((t ^ (t << 1)) & sign));
  sine = F32(U32(odd ? c : s) ^ (t & sign));
}

/// The pairs of `Groups` groups, in passes over all their vectors: a pass is a short chain of
/// operations, of which the processor overlaps many; the whole is too long for that.
template <int Groups, class S>
FOKKER_INLINE void normal_tile(LaneGroup* groups, S* z0, S* z1, S scale0, S scale1) {
  constexpr std::size_t per_group = LaneGroup::lanes / lanes<S>;
  constexpr std::size_t count = Groups * per_group;
  Words<S> words[count];
  Vec<S> f[count], s[count], k[count], r[count];
  for (std::size_t g = 0; g < Groups; ++g) {
    U64 d[Words<S>::draws][vectors];
    draw_group(groups[g], d);
    for (std::size_t v = 0; v < per_group; ++v) words[g * per_group + v] = Words<S>::of(d, v);
  }
  for (std::size_t v = 0; v < count; ++v) {
    reduce(words[v].radius, f[v], k[v]);
    s[v] = f[v] / (f[v] + S(2));
  }
  for (std::size_t v = 0; v < count; ++v)  // -2 log u
    r[v] = k[v] * S(twice_ln2) - S(2) * log_series(f[v], s[v]);
  for (std::size_t v = 0; v < count; ++v) {
    Vec<S> cosine, sine;
    direction(words[v].direction, cosine, sine);
    const Vec<S> root = sqrt(r[v]);
    store(z0 + v * lanes<S>, root * cosine * scale0);
    store(z1 + v * lanes<S>, root * sine * scale1);
  }
}

void uniform_group(LaneGroup& group, double* u) {
  U64 d[2][vectors];
  draw_group(group, d);
  for (std::size_t v = 0; v < vectors; ++v)
    store(u + v * lanes<double>, odd53(((d[0][v] << 32) | (d[1][v] & low32)) >> 12) * 0x1p-53);
}

void uniform_group(LaneGroup& group, float* u) {
  constexpr float below_one = 1.0f - 0x1p-24f;
  U64 d[1][vectors];
  draw_group(group, d);
  for (std::size_t v = 0; v < vectors; v += 2) {
    const U32 a = even(d[0][v], d[0][v + 1]);
    const F32 high = __builtin_convertvector(I32(a >> 16), F32);
    const F32 low = __builtin_convertvector(I32(a & 0xFFFFu), F32) + 0.5f;
    const F32 x = high * 0x1p-16f + low * 0x1p-32f;  // rounded once: both products are exact
    store(u + v * lanes<double>, x > below_one ? broadcast(below_one) : x);
  }
}

void bits_group(LaneGroup& group, std::uint32_t* out) {
  U64 d[1][vectors];
  draw_group(group, d);
  for (std::size_t v = 0; v < vectors; v += 2)
    store(out + v * lanes<double>, even(d[0][v], d[0][v + 1]));
}

template <class S>
void normal_pair(LaneGroup* groups, std::size_t size, S* z0, S* z1, S scale0, S scale1) {
  constexpr std::size_t width = LaneGroup::lanes;
  std::size_t j = 0;
  for (; j + 2 * width <= size; j += 2 * width)
    normal_tile<2>(groups + j / width, z0 + j, z1 + j, scale0, scale1);
  for (; j < size; j += width) {
    S rest0[width], rest1[width];
    normal_tile<1>(groups + j / width, rest0, rest1, scale0, scale1);
    for (std::size_t i = j; i < size && i < j + width; ++i) {
      z0[i] = rest0[i - j];
      z1[i] = rest1[i - j];
    }
  }
}

/// Runs `fill(group, out)` over all groups; the last one, when partial, into a buffer.
template <class S, void (*fill)(LaneGroup&, S*)>
void fill_groups(LaneGroup* groups, std::size_t size, S* out) {
  constexpr std::size_t width = LaneGroup::lanes;
  const std::size_t whole = size / width * width;
  for (std::size_t j = 0; j < whole; j += width) fill(groups[j / width], out + j);
  if (whole == size) return;
  S rest[width];
  fill(groups[whole / width], rest);
  for (std::size_t j = whole; j < size; ++j) out[j] = rest[j - whole];
}

}  // namespace

extern const RandomKernels random_kernels;
const RandomKernels random_kernels = {
    normal_pair<double>, normal_pair<float>, fill_groups<double, uniform_group>,
    fill_groups<float, uniform_group>, fill_groups<std::uint32_t, bits_group>};

}  // namespace fokker::detail::FOKKER_ISA
