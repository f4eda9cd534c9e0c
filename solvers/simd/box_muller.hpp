#pragma once
/// @file  simd/box_muller.hpp
/// @brief Vectors of normals from vectors of random words, by Box and Muller (1958).
///
/// A pair is r (cos a, sin a) with r = sqrt(-2 log u), of which Radial is (r / unit)^2.
///
/// Every operation rounds as IEEE 754 says, or is exact where it differs between instruction sets,
/// so that without contraction to fma all of them give the same bits.
///
/// -log u in double: u = m 2^-k with m in [3/4, 3/2), log m = log c + 2 atanh((m - c) / (m + c))
/// with c of a table (P. T. P. Tang 1990, "Table-driven implementation of the logarithm function"):
/// fewer operations than one polynomial for all m. For u near 1, c is 1, so that the full precision
/// is left. Coefficients: minimax (Remez), to 2e-17.

#include "math.hpp"

namespace fokker::detail::FOKKER_ISA {

/// In two parts, so that a division is over before its result is asked for.
template <class S>
struct Radial;

/// c of sixteenth i of [1, 2), of which the upper half stands for [1/2, 1), and -log(c) / 2. Near
/// the middle, chosen so that the rounding of the logarithm is less than 1/500 unit in the last
/// place (S. Gal 1986, "Computing elementary functions: a new approach"); the last is 1, seen as 2.
inline constexpr double center[16] = {
    0x1.08000001f2000p+0, 0x1.180000025a000p+0, 0x1.280000000c000p+0, 0x1.38000000b4000p+0,
    0x1.480000050a000p+0, 0x1.5800000470000p+0, 0x1.68000003e0000p+0, 0x1.78000005a6000p+0,
    0x1.88000005d7000p+0, 0x1.98000004b6000p+0, 0x1.a800000316000p+0, 0x1.b8000005d8000p+0,
    0x1.c80000022e000p+0, 0x1.d800000395000p+0, 0x1.e800000240000p+0, 2.0};
inline constexpr double center_log[16] = {
    -0x1.f829b1603d5e9p-7, -0x1.6f0d28d0bd1b2p-5, -0x1.29552f8252592p-4, -0x1.9525a9d3e2f52p-4,
    -0x1.fb9186f55a850p-4, -0x1.2e8e2bbb4767ep-3, -0x1.5d1bdc00864d0p-3, -0x1.89a3387b76309p-3,
    0x1.1178e8133cf96p-3,  0x1.d1037f0eb0421p-4,  0x1.823c16463262cp-4,  0x1.365fcae625ce3p-4,
    0x1.da727624b0344p-5,  0x1.4d3115b2f238ep-5,  0x1.894aa12435f54p-6,  0.0};

/// -log(u) / 2 for u = (m + 1/2) 2^-52, m the upper 52 bits of a word.
template <>
struct Radial<double> {
  F64 power, table, s;  ///< power + (table + atanh s)

  static constexpr double unit = 2;

  static FOKKER_INLINE Radial of(U64 word) {
    constexpr std::uint64_t half = 0x0008000000000000u;  // carries into the exponent from 3/2 on
#if defined(__AVX512F__)
    const __m512i odd = __m512i((word & ~std::uint64_t{0xFFF}) | 0x800);  // 2^64 u
    const __m512d x = _mm512_cvtepu64_pd(odd);                            // exact: 53 bits
    const F64 m = F64(_mm512_maskz_getmant_pd(0xFF, x, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_src));
    const F64 k = 64.0 - F64(_mm512_maskz_getexp_pd(0xFF, __m512d(U64(x) + half)));
#else
    constexpr std::uint64_t two52 = 0x4330000000000000u;  // the bits of 2^52
    const F64 v = F64((word >> 12) | two52) - (0x1p52 - 0.5);
    const U64 x = U64(v + v);  // 2^53 u
    const F64 m = F64((x & 0x000FFFFFFFFFFFFFu) | 0x3FF0000000000000u);
    const F64 k = (0x1p52 + 1023 + 53) - F64(((x + half) >> 52) | two52);
#endif
    const U64 sixteenth = U64(m) >> 48;
    const F64 c = look_up(center, sixteenth);
    return {k * 0.34657359027997264, look_up(center_log, sixteenth), (c - m) / (c + m)};
  }

  FOKKER_INLINE F64 value() const {
    const F64 z = s * s;
    const F64 p = (0.14289914545016244 * z + 0.19999999603112079) * z + 0.3333333333333889;
    return power + (table + (s * z * p + s));
  }
};

/// Cosine and sine of 2 pi (c + 1/2) / 2^32, c the low 32 bits of `draw`: quadrant and rest are
/// told apart in integers.
FOKKER_INLINE void angular(U64 draw, F64& cosine, F64& sine) {
  constexpr std::uint64_t sign = 0x8000000000000000u;
  const U64 t = draw + (1u << 29);  // bits 30 and 31: quadrant; below: rest + 2^29
#if defined(__AVX512F__)
  const F64 rest = F64(_mm512_cvtepi64_pd(__m512i((draw << 34) | (std::uint64_t{1} << 33))));
#else
  constexpr std::uint64_t two85 = 0x4540000000000000u;  // the bits of 2^85, whose last bit is 2^33
  const F64 rest = F64(((t << 1) & 0x7FFFFFFEu) | (two85 | 1)) - (0x1p85 + 0x1p63);
#endif
  F64 s, c;
  sin_cos(rest * (1.57079632679489661923 * 0x1p-64), s, c);
  cosine = F64(U64(select_by_bit30(t, s, c)) ^ (((t + (1u << 30)) << 32) & sign));
  sine = F64(U64(select_by_bit30(t, c, s)) ^ ((t << 32) & sign));
}

/// -2 log u for u = (word + 1/2) 2^-32. u = (1 + f) 2^-k with 1 + f in [sqrt(1/2), sqrt(2)); near
/// 1, f comes from 1 - u, which has its full precision.
template <>
struct Radial<float> {
  F32 base, f, s;  ///< base - 2 log_series(f, s)
  static constexpr float unit = 1;

  static FOKKER_INLINE Radial of(U32 word) {
    const I32 flip = I32(word) >> 31;  // -1 where u > 1/2
    const F32 p = (__builtin_convertvector(I32(word) ^ flip, F32) + 0.5f) * 0x1p-32f;
    F32 m, e;
    split(flip ? 1.0f - p : p, m, e);
    const F32 f = (e == 0.0f) ? -p : m - 1.0f;
    return {e * -1.38629436111989061883f, f, f / (f + 2.0f)};
  }

  FOKKER_INLINE F32 value() const { return base - 2.0f * log_series(f, s); }
};

FOKKER_INLINE void angular(U32 draw, F32& cosine, F32& sine) {
  constexpr std::uint32_t sign = 0x80000000u;
  const U32 t = draw + (1u << 29);  // bits 30 and 31: quadrant; below: rest + 2^29
  const I32 rest = I32(t & 0x3FFFFFFFu) - (1 << 29);
  F32 s, c;
  sin_cos(__builtin_convertvector(rest + rest + 1, F32) * float(1.57079632679489661923 * 0x1p-31),
          s, c);
  const I32 odd = I32(t << 1) < 0;
  cosine = F32(U32(odd ? s : c) ^ ((t ^ (t << 1)) & sign));
  sine = F32(U32(odd ? c : s) ^ (t & sign));
}

}  // namespace fokker::detail::FOKKER_ISA
