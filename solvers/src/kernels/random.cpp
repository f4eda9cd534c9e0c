/// @file  kernels/random.cpp
/// @brief pcg32 lanes and Box-Muller on them. Compiled once per instruction set, without contraction
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
  return twice_low(((s >> 18) ^ s) >> 27) >> (s >> 59);
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

/// 2^53 u for the 52-bit u = (m + 1/2) 2^-52 in (0, 1), m from two draws; exact, odd.
FOKKER_INLINE F64 odd53(U64 a, U64 b) {
  const U64 m = ((a << 32) | (b & low32)) >> 12;
  const F64 v = F64(m | two52) - (0x1p52 - 0.5);
  return v + v;
}

/// r = sqrt(-2 log u), u as above.
FOKKER_INLINE F64 radius(U64 a, U64 b) {
  F64 m, e;
  split(odd53(a, b), m, e);
  return sqrt((53.0 - e) * twice_ln2 - 2.0 * log_of_mantissa(m - 1.0));
}

/// r = sqrt(-2 log u) for u = (a + 1/2) 2^-32; 1 - u keeps its relative precision too.
FOKKER_INLINE F32 radius(U32 a) {
  const I32 flip = I32(a) >> 31;  // -1 where u > 1/2
  const F32 p = (__builtin_convertvector(I32(a) ^ flip, F32) + 0.5f) * 0x1p-32f;  // min(u, 1 - u)
  F32 m, e;
  split(flip ? 1.0f - p : p, m, e);
  const F32 f = (e == 0.0f) ? -p : m - 1.0f;
  return sqrt(e * float(-twice_ln2) - 2.0f * log_of_mantissa(f));
}

/// Cosine and sine of 2 pi (c + 1/2) / 2^32: quadrant and rest are told apart in integers.
FOKKER_INLINE void direction(U64 draw, F64& cosine, F64& sine) {
  constexpr std::uint64_t sign = 0x8000000000000000u;
  const U64 t = draw + (1u << 29);  // bits 30 and 31: quadrant; below: rest + 2^29
  const F64 rest = F64((t & 0x3FFFFFFFu) | two52) - (0x1p52 + 0x1p29 - 0.5);
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

FOKKER_INLINE void normal_group(LaneGroup& group, double* z0, double* z1, double scale0,
                                double scale1) {
  U64 d[3][vectors];
  draw_group(group, d);
  F64 r[vectors];
  for (std::size_t v = 0; v < vectors; ++v) r[v] = radius(d[0][v], d[1][v]);
  for (std::size_t v = 0; v < vectors; ++v) {
    F64 c, s;
    direction(d[2][v], c, s);
    store(z0 + v * lanes<double>, r[v] * c * scale0);
    store(z1 + v * lanes<double>, r[v] * s * scale1);
  }
}

FOKKER_INLINE void normal_group(LaneGroup& group, float* z0, float* z1, float scale0,
                                float scale1) {
  U64 d[2][vectors];
  draw_group(group, d);
  for (std::size_t v = 0; v < vectors; v += 2) {
    const F32 r = radius(even(d[0][v], d[0][v + 1]));
    F32 c, s;
    direction(even(d[1][v], d[1][v + 1]), c, s);
    store(z0 + v * lanes<double>, r * c * scale0);
    store(z1 + v * lanes<double>, r * s * scale1);
  }
}

FOKKER_INLINE void uniform_group(LaneGroup& group, double* u) {
  U64 d[2][vectors];
  draw_group(group, d);
  for (std::size_t v = 0; v < vectors; ++v)
    store(u + v * lanes<double>, odd53(d[0][v], d[1][v]) * 0x1p-53);
}

FOKKER_INLINE void uniform_group(LaneGroup& group, float* u) {
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

FOKKER_INLINE void bits_group(LaneGroup& group, std::uint32_t* out) {
  U64 d[1][vectors];
  draw_group(group, d);
  for (std::size_t v = 0; v < vectors; v += 2)
    store(out + v * lanes<double>, even(d[0][v], d[0][v + 1]));
}

/// Runs `fill(group, rows...)` over all groups; the last one, when partial, into a buffer.
template <class S, int Rows, class Fill>
FOKKER_INLINE void for_groups(LaneGroup* groups, std::size_t size, S* const (&rows)[Rows],
                              Fill fill) {
  constexpr std::size_t width = LaneGroup::lanes;
  const std::size_t whole = size / width * width;
  for (std::size_t j = 0; j < whole; j += width) {
    S* at[Rows];
    for (int i = 0; i < Rows; ++i) at[i] = rows[i] + j;
    fill(groups[j / width], at);
  }
  if (whole == size) return;
  S buffer[Rows][width];
  S* at[Rows];
  for (int i = 0; i < Rows; ++i) at[i] = buffer[i];
  fill(groups[whole / width], at);
  for (int i = 0; i < Rows; ++i)
    for (std::size_t j = whole; j < size; ++j) rows[i][j] = buffer[i][j - whole];
}

template <class S>
void normal_pair(LaneGroup* groups, std::size_t size, S* z0, S* z1, S scale0, S scale1) {
  S* const rows[] = {z0, z1};
  for_groups(groups, size, rows, [=](LaneGroup& group, S* const(&at)[2]) __attribute__((always_inline)) {
    normal_group(group, at[0], at[1], scale0, scale1);
  });
}

template <class S>
void uniform(LaneGroup* groups, std::size_t size, S* u) {
  S* const rows[] = {u};
  for_groups(groups, size, rows, [](LaneGroup& group, S* const(&at)[1]) __attribute__((always_inline)) {
    uniform_group(group, at[0]);
  });
}

void bits(LaneGroup* groups, std::size_t size, std::uint32_t* out) {
  std::uint32_t* const rows[] = {out};
  for_groups(groups, size, rows,
             [](LaneGroup& group, std::uint32_t* const(&at)[1]) __attribute__((always_inline)) {
               bits_group(group, at[0]);
             });
}

}  // namespace

extern const RandomKernels random_kernels;
const RandomKernels random_kernels = {normal_pair<double>, normal_pair<float>, uniform<double>,
                                      uniform<float>, bits};

}  // namespace fokker::detail::FOKKER_ISA
