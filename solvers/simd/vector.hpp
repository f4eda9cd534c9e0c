#pragma once
/// @file  simd/vector.hpp
/// @brief Vectors of the width of the instruction set that this file is compiled for.
///
/// Internal: for kernel files, which fokker_add_kernels() compiles once per instruction set with
/// FOKKER_ISA as the name of the namespace. Everything here is in that namespace and inlined, and
/// kernel files use nothing inline from elsewhere, so that no two builds of a function are merged.

#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#ifndef FOKKER_ISA
#define FOKKER_ISA baseline
#endif

#if defined(__AVX512F__)
#define FOKKER_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define FOKKER_VECTOR_BYTES 32
#else
#define FOKKER_VECTOR_BYTES 16
#endif

#define FOKKER_INLINE inline __attribute__((always_inline))

namespace fokker::detail::FOKKER_ISA {

typedef double F64 __attribute__((vector_size(FOKKER_VECTOR_BYTES)));
typedef float F32 __attribute__((vector_size(FOKKER_VECTOR_BYTES)));
typedef std::int64_t I64 __attribute__((vector_size(FOKKER_VECTOR_BYTES)));
typedef std::int32_t I32 __attribute__((vector_size(FOKKER_VECTOR_BYTES)));
typedef std::uint64_t U64 __attribute__((vector_size(FOKKER_VECTOR_BYTES)));
typedef std::uint32_t U32 __attribute__((vector_size(FOKKER_VECTOR_BYTES)));

/// The vector types that go with a scalar: V of values, I of signed integers of the same width.
template <class S>
struct Simd;
template <>
struct Simd<double> {
  using V = F64;
  using I = I64;
};
template <>
struct Simd<float> {
  using V = F32;
  using I = I32;
};
template <class S>
using Vec = typename Simd<S>::V;

template <class S>
inline constexpr std::size_t lanes = FOKKER_VECTOR_BYTES / sizeof(S);

/// Unaligned load of lanes<S> values.
template <class S>
FOKKER_INLINE Vec<S> load(const S* p) {
  Vec<S> v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

FOKKER_INLINE U64 load(const std::uint64_t* p) {
  U64 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

/// Unaligned store.
template <class S, class V>
FOKKER_INLINE void store(S* p, V v) {
  __builtin_memcpy(p, &v, sizeof v);
}

/// s in every lane; a subtraction, since 0 + s would cost an addition under signed zeros.
template <class S>
FOKKER_INLINE Vec<S> broadcast(S s) {
  return s - Vec<S>{};
}

FOKKER_INLINE U64 broadcast(std::uint64_t s) { return s - U64{}; }

FOKKER_INLINE F64 sqrt(F64 x) {
#if defined(__AVX512F__)
  return F64(_mm512_sqrt_pd(__m512d(x)));
#elif defined(__AVX2__)
  return F64(_mm256_sqrt_pd(__m256d(x)));
#elif defined(__SSE2__)
  return F64(_mm_sqrt_pd(__m128d(x)));
#elif defined(__aarch64__)
  return F64(vsqrtq_f64(float64x2_t(x)));
#else
  for (std::size_t i = 0; i < lanes<double>; ++i) x[i] = __builtin_sqrt(x[i]);
  return x;
#endif
}

FOKKER_INLINE F32 sqrt(F32 x) {
#if defined(__AVX512F__)
  return F32(_mm512_sqrt_ps(__m512(x)));
#elif defined(__AVX2__)
  return F32(_mm256_sqrt_ps(__m256(x)));
#elif defined(__SSE2__)
  return F32(_mm_sqrt_ps(__m128(x)));
#elif defined(__aarch64__)
  return F32(vsqrtq_f32(float32x4_t(x)));
#else
  for (std::size_t i = 0; i < lanes<float>; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}

/// The even 32-bit lanes (low halves) of a and b, in order.
FOKKER_INLINE U32 even(U64 a, U64 b) {
#if FOKKER_VECTOR_BYTES == 64
  return __builtin_shufflevector(U32(a), U32(b), 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26,
                                 28, 30);
#elif FOKKER_VECTOR_BYTES == 32
  return __builtin_shufflevector(U32(a), U32(b), 0, 2, 4, 6, 8, 10, 12, 14);
#else
  return __builtin_shufflevector(U32(a), U32(b), 0, 2, 4, 6);
#endif
}

/// The low half of each 64-bit lane, in both halves.
FOKKER_INLINE U64 twice_low(U64 a) {
#if FOKKER_VECTOR_BYTES == 64
  return U64(__builtin_shufflevector(U32(a), U32(a), 0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12,
                                     14, 14));
#elif FOKKER_VECTOR_BYTES == 32
  return U64(__builtin_shufflevector(U32(a), U32(a), 0, 0, 2, 2, 4, 4, 6, 6));
#else
  return U64(__builtin_shufflevector(U32(a), U32(a), 0, 0, 2, 2));
#endif
}

/// The products of the low halves of each 64-bit lane.
FOKKER_INLINE U64 multiply_low(U64 a, U64 b) {
#if defined(__AVX512F__)
  return U64(_mm512_maskz_mul_epu32(0xFF, __m512i(a), __m512i(b)));
#elif defined(__AVX2__)
  return U64(_mm256_mul_epu32(__m256i(a), __m256i(b)));
#elif defined(__SSE2__)
  return U64(_mm_mul_epu32(__m128i(a), __m128i(b)));
#elif defined(__aarch64__)
  return U64(vmull_u32(vmovn_u64(uint64x2_t(a)), vmovn_u64(uint64x2_t(b))));
#else
  return (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu);
#endif
}

/// In each lane, a where bit 30 of `word` is set, else b.
/// SSE2 compares no 64-bit integers, and g++ would go lane by lane.
FOKKER_INLINE F64 select_by_bit30(U64 word, F64 a, F64 b) {
#if defined(__AVX512F__)
  const __mmask8 set = _mm512_test_epi64_mask(__m512i(word), _mm512_set1_epi64(1 << 30));
  return F64(_mm512_mask_blend_pd(set, __m512d(b), __m512d(a)));
#elif defined(__SSE2__) && !defined(__AVX2__)
  const U64 mask = twice_low(U64(I32(word << 1) >> 31));
  return F64(U64(b) ^ ((U64(a) ^ U64(b)) & mask));
#else
  return I64(word << 33) < 0 ? a : b;
#endif
}

/// The low halves of `high` and `low`, put together to 64 bits.
FOKKER_INLINE U64 join(U64 high, U64 low) {
#if defined(__AVX512F__)
  return U64(_mm512_mask_shuffle_epi32(__m512i(low), 0xAAAA, __m512i(high), _MM_PERM_CCAA));
#else
  return (high << 32) | (low & 0xFFFFFFFFu);
#endif
}

/// Entry `index` mod 16 of a table, in each lane.
FOKKER_INLINE F64 look_up(const double (&table)[16], U64 index) {
#if defined(__AVX512F__)
  return F64(
      _mm512_permutex2var_pd(__m512d(load(table)), __m512i(index), __m512d(load(table + 8))));
#else  // loads one by one: gathers are slow on many processors
  F64 v;
  for (std::size_t i = 0; i < lanes<double>; ++i) v[i] = table[index[i] & 15];
  return v;
#endif
}

/// Whether a lane of a comparison holds.
template <class I>
FOKKER_INLINE bool any(I mask) {
#if defined(__AVX512F__)
  return _mm512_test_epi32_mask(__m512i(mask), __m512i(mask)) != 0;
#elif defined(__AVX2__)
  return _mm256_testz_si256(__m256i(mask), __m256i(mask)) == 0;
#elif defined(__SSE2__)
  return _mm_movemask_epi8(__m128i(mask)) != 0;
#else
  const U64 words = U64(mask);
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < lanes<std::uint64_t>; ++i) all |= words[i];
  return all != 0;
#endif
}

/// The low half of each 64-bit lane, rotated to the right by n < 32; what stands above is
/// arbitrary. SSE2 shifts both lanes alike, and g++ would go through memory.
FOKKER_INLINE U64 rotate_right(U64 a, U64 n) {
#if defined(__AVX512F__)
  return U64(_mm512_maskz_rorv_epi32(0xFFFF, __m512i(a), __m512i(n)));
#elif defined(__SSE2__) && !defined(__AVX2__)
  const __m128i twice = __m128i(twice_low(a));
  const __m128i low = _mm_srl_epi64(twice, __m128i(n));
  const __m128i high = _mm_srl_epi64(twice, _mm_unpackhi_epi64(__m128i(n), __m128i(n)));
  return U64(_mm_shuffle_pd(__m128d(low), __m128d(high), 2));
#else
  return twice_low(a) >> n;
#endif
}

}  // namespace fokker::detail::FOKKER_ISA
