#pragma once
/// @file  simd/math.hpp
/// @brief exp, log, sin, cos and hyperbolic functions of vectors, within 2 units in the last place.
///
/// Each sum has at most one product, so that contraction to fma has one way to go: a lane's bits do
/// not depend on where the function was inlined. Log, sin and cos: coefficients and scheme of
/// fdlibm (Sun Microsystems 1993, e_log.c, k_sin.c, k_cos.c), single precision: log of FreeBSD
/// msun's e_logf.c, sin and cos of Cephes (Moshier, sinf.c). Exp: Chebyshev interpolation of (e^r -
/// 1 - r) / r^2 on |r| <= ln(2) / 2, relative error 2e-17 and 1e-8.

#include "vector.hpp"

namespace fokker::detail::FOKKER_ISA {

/// log(1 + f) for 1 + f in [sqrt(1/2), sqrt(2)], given s = f / (2 + f) too; exact near 0.
FOKKER_INLINE F64 log_series(F64 f, F64 s) {
  const F64 z = s * s, z2 = z * z, z4 = z2 * z2;
  const F64 r0 = 3.999999999940941908e-01 * z + 6.666666666666735130e-01;
  const F64 r1 = 2.222219843214978396e-01 * z + 2.857142874366239149e-01;
  const F64 r2 = 1.531383769920937332e-01 * z + 1.818357216161805012e-01;
  const F64 r3 = z2 * 1.479819860511658591e-01 + r2;
  return f - s * (f - z * (z4 * r3 + (z2 * r1 + r0)));
}

FOKKER_INLINE F32 log_series(F32 f, F32 s) {
  const F32 z = s * s, z2 = z * z;
  const F32 r0 = 0.40000972152f * z + 0.66666662693f;
  const F32 r1 = 0.24279078841f * z + 0.28498786688f;
  return f - s * (f - z * (z2 * r1 + r0));
}

/// x = m 2^e with m in [sqrt(1/2), sqrt(2)), for x normal and positive.
FOKKER_INLINE void split(F64 x, F64& m, F64& e) {
  constexpr std::uint64_t root_half = 0x3FE6A09E667F3BCDu;
  constexpr std::uint64_t magic =
      0x4330000000000000u;  // 2^52: holds small integers in its low bits
  const U64 t = U64(x) - root_half + (std::uint64_t{1023} << 52);
  m = F64((t & 0x000FFFFFFFFFFFFFu) + root_half);
  e = F64((t >> 52) | magic) - (0x1p52 + 1023);
}

FOKKER_INLINE void split(F32 x, F32& m, F32& e) {
  constexpr std::uint32_t root_half = 0x3F3504F3u;
  const U32 t = U32(x) - root_half + (127u << 23);
  m = F32((t & 0x007FFFFFu) + root_half);
  e = __builtin_convertvector(I32(t >> 23) - 127, F32);
}

/// log x for x normal and positive.
FOKKER_INLINE F64 log(F64 x) {
  F64 m, e;
  split(x, m, e);
  const F64 f = m - 1.0;
  return e * 0.693147180559945309 + log_series(f, f / (f + 2.0));
}

FOKKER_INLINE F32 log(F32 x) {
  F32 m, e;
  split(x, m, e);
  const F32 f = m - 1.0f;
  return e * 0.693147180559945309f + log_series(f, f / (f + 2.0f));
}

/// sin x and cos x for |x| <= pi/4.
FOKKER_INLINE void sin_cos(F64 x, F64& sine, F64& cosine) {
  const F64 z = x * x, z2 = z * z, z4 = z2 * z2;
  const F64 s0 = 8.33333333332248946124e-03 * z - 1.66666666666666324348e-01;
  const F64 s1 = 2.75573137070700676789e-06 * z - 1.98412698298579493134e-04;
  const F64 s2 = 1.58969099521155010221e-10 * z - 2.50507602534068634195e-08;
  const F64 c0 = -1.38888888888741095749e-03 * z + 4.16666666666666019037e-02;
  const F64 c1 = -2.75573143513906633035e-07 * z + 2.48015872894767294178e-05;
  const F64 c2 = -1.13596475577881948265e-11 * z + 2.08757232129817482790e-09;
  sine = (x * z) * (z4 * s2 + (z2 * s1 + s0)) + x;
  cosine = z2 * (z4 * c2 + (z2 * c1 + c0)) + (1.0 - 0.5 * z);
}

FOKKER_INLINE void sin_cos(F32 x, F32& sine, F32& cosine) {
  const F32 z = x * x, z2 = z * z;
  const F32 s0 = 8.3321608736e-3f * z - 1.6666654611e-1f;
  const F32 c0 = -1.388731625493765e-3f * z + 4.166664568298827e-2f;
  sine = (x * z) * (z2 * -1.9515295891e-4f + s0) + x;
  cosine = z2 * (z2 * 2.443315711809948e-5f + c0) + (1.0f - 0.5f * z);
}

/// x = n ln 2 + r with |r| <= ln(2) / 2: n in the low bits of `shifted`, and tail = e^r - 1.
FOKKER_INLINE void exp_parts(F64 x, F64& shifted, F64& tail) {
  shifted = x * 1.44269504088896340736 + 0x1.8p52;
  const F64 n = shifted - 0x1.8p52;
  F64 r = x - n * 0x1.62e42fefa3800p-1;
  r = r - n * 0x1.ef35793c76730p-45;
  const F64 z = r * r;
  F64 even = 2.7620138719733994e-07 * z + 2.480152119021773e-05;
  F64 odd = 2.5100424157005067e-08 * z + 2.7557268378684192e-06;
  even = even * z + 1.3888888917281794e-03;
  odd = odd * z + 1.9841269863105968e-04;
  even = even * z + 4.166666666662399e-02;
  odd = odd * z + 8.333333333330051e-03;
  even = even * z + 5.000000000000001e-01;
  odd = odd * z + 1.6666666666666669e-01;
  tail = (odd * r + even) * z + r;
}

/// e^x for x <= 0, and 0 where it is below the least weight that can matter: e^-80 beside 1 stays
/// below rounding for sums of 10^18 terms, e^-50 in single precision for 10^14. NaN stays NaN.
FOKKER_INLINE F64 exp_weight(F64 x) {
  F64 shifted, tail;
  exp_parts(x, shifted, tail);
  const F64 power = F64((U64(shifted) + 1023) << 52);  // 2^n
  return x < -80.0 ? F64{} : (tail + 1.0) * power;
}

FOKKER_INLINE F32 exp_weight(F32 x) {
  const F32 shifted = x * 1.44269504088896340736f + 0x1.8p23f;
  const F32 n = shifted - 0x1.8p23f;
  F32 r = x - n * 0x1.62e400p-1f;
  r = r - n * 0x1.7f7d1cp-20f;
  const F32 z = r * r;
  F32 even = 0.0013926213141530752f * z + 0.041666556149721146f;
  const F32 odd = 0.008363203145563602f * z + 0.16666576266288757f;
  even = even * z + 0.5f;
  const F32 tail = (odd * r + even) * z + r;
  const F32 power = F32((U32(shifted) + 127) << 23);
  return x < -50.0f ? F32{} : (tail + 1.0f) * power;
}

/// 2^n for a whole n in [-1022, 1023].
FOKKER_INLINE F64 power_of_two(F64 n) { return F64((U64(n + 0x1.8p52) + 1023) << 52); }

/// e^x for every x: infinite above the largest double, 0 below the least; NaN stays NaN.
FOKKER_INLINE F64 exp(F64 x) {
  F64 shifted, tail;
  F64 y = x < -746.0 ? broadcast(-746.0) : x;
  y = y > 710.0 ? broadcast(710.0) : y;
  exp_parts(y, shifted, tail);
  const F64 n = shifted - 0x1.8p52;
  const F64 half = (n * 0.5 + 0x1.8p52) - 0x1.8p52;
  return ((tail + 1.0) * power_of_two(half)) * power_of_two(n - half);
}

/// e^x - 1, exact near 0.
FOKKER_INLINE F64 expm1(F64 x) {
  F64 shifted, tail;
  F64 y = x < -40.0 ? broadcast(-40.0) : x;
  y = y > 40.0 ? broadcast(40.0) : y;
  exp_parts(y, shifted, tail);
  const F64 power = F64((U64(shifted) + 1023) << 52);
  return x > 40.0 ? exp(x) : power * tail + (power - 1.0);
}

FOKKER_INLINE F64 magnitude(F64 x) { return F64(U64(x) & 0x7FFFFFFFFFFFFFFFu); }

/// The size of `size` >= 0 with the sign of x.
FOKKER_INLINE F64 with_sign_of(F64 x, F64 size) {
  return F64(U64(size) | (U64(x) & 0x8000000000000000u));
}

FOKKER_INLINE F64 tanh(F64 x) {
  const F64 below = -expm1(-2.0 * magnitude(x));
  return with_sign_of(x, below / (2.0 - below));
}

/// For |x| < 709, infinite beyond.
FOKKER_INLINE F64 sinh(F64 x) {
  const F64 grown = expm1(magnitude(x));
  const F64 shrunk = grown > 1e300 ? broadcast(1.0) : grown / (grown + 1.0);
  return with_sign_of(x, 0.5 * (grown + shrunk));
}

/// For |x| < 709, infinite beyond.
FOKKER_INLINE F64 cosh(F64 x) {
  const F64 grown = exp(magnitude(x));
  return 0.5 * grown + 0.5 / grown;
}

/// log x for every x: -infinity at 0, NaN below.
FOKKER_INLINE F64 log_everywhere(F64 x) {
  constexpr double least = 0x1p-1022, infinity = __builtin_inf();
  const F64 up = x < least ? x * 0x1p54 : x;
  const F64 shift = x < least ? broadcast(-54 * 0.693147180559945309) : F64{};
  F64 y = log(up) + shift;
  y = x == 0.0 ? broadcast(-infinity) : y;
  y = x < 0.0 ? broadcast(__builtin_nan("")) : y;
  return x < infinity ? y : x;  // infinity and NaN
}

/// log(1 + x), exact near 0.
FOKKER_INLINE F64 log1p(F64 x) {
  const F64 u = x + 1.0, rounded = u - 1.0;
  const F64 y = log_everywhere(u) * (x / rounded);
  return ((rounded == 0.0) | (u == __builtin_inf())) ? x : y;
}

/// sin x and cos x for |x| < 1e6: x less the nearest multiple of pi / 2, in three parts of 33 bits.
FOKKER_INLINE void sin_cos_below_million(F64 x, F64& sine, F64& cosine) {
  constexpr std::uint64_t sign = 0x8000000000000000u;
  const F64 shifted = x * 6.36619772367581382433e-01 + 0x1.8p52;
  const F64 q = shifted - 0x1.8p52;
  F64 r = x - q * 1.57079632673412561417e+00;
  r = r - q * 6.07710050630396597660e-11;
  r = r - q * 2.02226624879595063154e-21;
  F64 s, c;
  sin_cos(r, s, c);
  const U64 quadrant = U64(shifted);
  sine = F64(U64(select_by_bit30(quadrant << 30, c, s)) ^ ((quadrant << 62) & sign));
  cosine = F64(U64(select_by_bit30(quadrant << 30, s, c)) ^ (((quadrant + 1) << 62) & sign));
}

}  // namespace fokker::detail::FOKKER_ISA
