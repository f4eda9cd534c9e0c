/// @file  kernels/random.cpp
/// @brief pcg32 and Philox lanes and Box-Muller on them. Compiled once per instruction set, without
/// contraction
///        to fma, so that every compiler and instruction set gives the same bits.

#include "random.hpp"

#include <simd/box_muller.hpp>

namespace fokker::detail::FOKKER_ISA {
namespace {

constexpr std::uint64_t low32 = 0xFFFFFFFFu;
constexpr std::uint64_t two52 = 0x4330000000000000u;  ///< the bits of 2^52 as a double

/// The vectors of 64-bit integers that make a group.
constexpr std::size_t vectors = group_lanes / lanes<std::uint64_t>;

/// The next draw of each stream in the low 32 bits; what stands above is arbitrary.
/// XSH-RR of O'Neill (2014), "PCG", section 6.3.
FOKKER_INLINE U64 draw(U64& state, U64 increment) {
  const U64 s = state;
  state = s * pcg_multiplier + increment;
  return rotate_right(((s >> 18) ^ s) >> 27, s >> 59);
}

/// The next draws of `Groups` groups, `Count` per stream, in the low halves of d[k][v].
template <std::size_t Groups, std::size_t Count>
FOKKER_INLINE void draw_groups(Pcg32Group* groups, U64 (&d)[Count][Groups * vectors]) {
  for (std::size_t v = 0; v < Groups * vectors; ++v) {
    std::uint64_t* p = groups[v / vectors].state + v % vectors * lanes<std::uint64_t>;
    U64 state = load(p);
    const U64 increment = load(groups[v / vectors].increment + v % vectors * lanes<std::uint64_t>);
    for (std::size_t k = 0; k < Count; ++k) d[k][v] = draw(state, increment);
    store(p, state);
  }
}

/// The words of block number `block` of the streams of `Groups` groups, in the low halves of
/// w[k][v]; what stands above is arbitrary. Salmon, Moraes, Dror & Shaw (2011), "Parallel random
/// numbers: as easy as 1, 2, 3".
template <std::size_t Groups>
FOKKER_INLINE void philox_block(const PhiloxGroup* groups, std::uint64_t block,
                                U64 (&w)[4][Groups * vectors]) {
  static constexpr std::uint64_t lane[group_lanes] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                      8, 9, 10, 11, 12, 13, 14, 15};
  // Rounds of some vectors side by side, as many as there are registers for: each alone is one
  // chain of operations that wait for one another.
  constexpr std::size_t registers = FOKKER_VECTOR_BYTES == 64 ? 4 : 2;
  constexpr std::size_t abreast = registers < Groups * vectors ? registers : Groups * vectors;
  for (std::size_t v = 0; v < Groups * vectors; ++v) {
    const PhiloxGroup& group = groups[v / vectors];
    const U64 path = load(lane + v % vectors * lanes<std::uint64_t>) + group.first_path;
    w[0][v] = broadcast(block);
    w[1][v] = broadcast(block >> 32);
    w[2][v] = path;
    w[3][v] = path >> 32;
  }
  for (std::size_t first = 0; first < Groups * vectors; first += abreast) {
    std::uint64_t key0 = groups->key & low32, key1 = groups->key >> 32;
    U64 x[4][abreast];
    for (std::size_t k = 0; k < 4; ++k)
      for (std::size_t i = 0; i < abreast; ++i) x[k][i] = w[k][first + i];
    for (int round = 0; round < philox_rounds; ++round) {
      for (std::size_t i = 0; i < abreast; ++i) {
        const U64 p = multiply_low(x[0][i], broadcast(philox_multiplier[0]));
        const U64 q = multiply_low(x[2][i], broadcast(philox_multiplier[1]));
        x[0][i] = (q >> 32) ^ x[1][i] ^ key0;
        x[1][i] = q;
        x[2][i] = (p >> 32) ^ x[3][i] ^ key1;
        x[3][i] = p;
      }
      key0 += philox_weyl[0];
      key1 += philox_weyl[1];
    }
    for (std::size_t k = 0; k < 4; ++k)
      for (std::size_t i = 0; i < abreast; ++i) w[k][first + i] = x[k][i];
  }
}

template <std::size_t Groups>
FOKKER_INLINE void keep(PhiloxGroup* groups, std::uint64_t block,
                        const U64 (&w)[4][Groups * vectors]) {
  for (std::size_t g = 0; g < Groups; ++g) groups[g].kept = block;
  for (std::size_t k = 0; k < 2; ++k)
    for (std::size_t v = 0; v < Groups * vectors; ++v)
      store(groups[v / vectors].words[k] + v % vectors * lanes<std::uint64_t>,
            (w[2 * k][v] & low32) | (w[2 * k + 1][v] << 32));
}

/// The next draws of streams that stand before word `Word` of a block: first what is left of it,
/// then the next block. Not inlined: the loops of its callers are long enough (measured).
template <std::size_t Groups, std::size_t Word, std::size_t Count>
__attribute__((noinline)) void draw_from(PhiloxGroup* groups, U64 (&d)[Count][Groups * vectors]) {
  constexpr std::size_t all = Groups * vectors;
  const std::uint64_t block = groups->position / 4;
  for (std::size_t k = 0; Word > 0 && k < Count && Word + k < 4; ++k)
    for (std::size_t v = 0; v < all; ++v) {
      const U64 both =
          load(groups[v / vectors].words[(Word + k) / 2] + v % vectors * lanes<std::uint64_t>);
      d[k][v] = (Word + k) % 2 == 0 ? both : both >> 32;
    }
  if constexpr (Word == 0 || Word + Count > 4) {
    constexpr std::size_t left = (4 - Word) % 4;
    const std::uint64_t next = Word == 0 ? block : block + 1;
    U64 w[4][all];
    philox_block<Groups>(groups, next, w);
    for (std::size_t k = left; k < Count; ++k)
      for (std::size_t v = 0; v < all; ++v) d[k][v] = w[k - left][v];
    if constexpr (Count - left < 4) keep<Groups>(groups, next, w);
  }
}

template <std::size_t Groups, std::size_t Count>
FOKKER_INLINE void draw_groups(PhiloxGroup* groups, U64 (&d)[Count][Groups * vectors]) {
  const std::uint64_t block = groups->position / 4, word = groups->position % 4;
  if (word > 0 && groups->kept != block) {
    U64 w[4][Groups * vectors];
    philox_block<Groups>(groups, block, w);
    keep<Groups>(groups, block, w);
  }
  if (word == 0) draw_from<Groups, 0>(groups, d);
  if (word == 1) draw_from<Groups, 1>(groups, d);
  if (word == 2) draw_from<Groups, 2>(groups, d);
  if (word == 3) draw_from<Groups, 3>(groups, d);
  for (std::size_t g = 0; g < Groups; ++g) groups[g].position += Count;
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
  static constexpr std::size_t draws = 3;
  U64 radius, direction;

  template <std::size_t N>
  static FOKKER_INLINE Words of(const U64 (&d)[draws][N], std::size_t v) {
    return {join(d[0][v], d[1][v]), d[2][v]};
  }
};

template <>
struct Words<float> {
  static constexpr std::size_t draws = 2;
  U32 radius, direction;

  template <std::size_t N>
  static FOKKER_INLINE Words of(const U64 (&d)[draws][N], std::size_t v) {
    return {even(d[0][2 * v], d[0][2 * v + 1]), even(d[1][2 * v], d[1][2 * v + 1])};
  }
};

/// The pairs of `Groups` groups, in passes over all their vectors: a pass is a short chain of
/// operations, of which the processor overlaps many; the whole is too long for that. Angles are
/// computed while divisions are under way (measured: other orders of the passes are slower).
template <std::size_t Groups, class Group, class S>
FOKKER_INLINE void normal_tile(Group* groups, S* z0, S* z1, S scale0, S scale1) {
  constexpr std::size_t count = Groups * group_lanes / lanes<S>;
  U64 d[Words<S>::draws][Groups * vectors];
  Radial<S> radial[count];
  Vec<S> cosine[count], sine[count];
  draw_groups<Groups>(groups, d);
  scale0 *= Radial<S>::unit, scale1 *= Radial<S>::unit;
  for (std::size_t v = 0; v < count; ++v) radial[v] = Radial<S>::of(Words<S>::of(d, v).radius);
  for (std::size_t v = 0; v < count; ++v) angular(Words<S>::of(d, v).direction, cosine[v], sine[v]);
  for (std::size_t v = 0; v < count; ++v) {
    const Vec<S> root = sqrt(radial[v].value());
    store(z0 + v * lanes<S>, root * cosine[v] * scale0);
    store(z1 + v * lanes<S>, root * sine[v] * scale1);
  }
}

template <class Group>
void uniform_group(Group& group, double* u) {
  U64 d[2][vectors];
  draw_groups<1>(&group, d);
  for (std::size_t v = 0; v < vectors; ++v)
    store(u + v * lanes<double>, odd53(join(d[0][v], d[1][v]) >> 12) * 0x1p-53);
}

template <class Group>
void uniform_group(Group& group, float* u) {
  constexpr float below_one = 1.0f - 0x1p-24f;
  U64 d[1][vectors];
  draw_groups<1>(&group, d);
  for (std::size_t v = 0; v < vectors; v += 2) {
    const U32 a = even(d[0][v], d[0][v + 1]);
    const F32 high = __builtin_convertvector(I32(a >> 16), F32);
    const F32 low = __builtin_convertvector(I32(a & 0xFFFFu), F32) + 0.5f;
    const F32 x = high * 0x1p-16f + low * 0x1p-32f;  // rounded once: both products are exact
    store(u + v * lanes<double>, x > below_one ? broadcast(below_one) : x);
  }
}

template <class Group>
void bits_group(Group& group, std::uint32_t* out) {
  U64 d[1][vectors];
  draw_groups<1>(&group, d);
  for (std::size_t v = 0; v < vectors; v += 2)
    store(out + v * lanes<double>, even(d[0][v], d[0][v + 1]));
}

template <class Group, class S>
void normal_pair(Group* groups, std::size_t size, S* z0, S* z1, S scale0, S scale1) {
  constexpr std::size_t width = group_lanes;
  // as many as there are registers for (measured)
  constexpr std::size_t abreast = sizeof(S) == sizeof(double) && lanes<S> < 8 ? 1 : 2;
  std::size_t j = 0;
  for (; j + abreast * width <= size; j += abreast * width)
    normal_tile<abreast>(groups + j / width, z0 + j, z1 + j, scale0, scale1);
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
template <class Group, class S, void (*fill)(Group&, S*)>
void fill_groups(Group* groups, std::size_t size, S* out) {
  constexpr std::size_t width = group_lanes;
  const std::size_t whole = size / width * width;
  for (std::size_t j = 0; j < whole; j += width) fill(groups[j / width], out + j);
  if (whole == size) return;
  S rest[width];
  fill(groups[whole / width], rest);
  for (std::size_t j = whole; j < size; ++j) out[j] = rest[j - whole];
}

template <class Group>
constexpr StreamKernels<Group> stream_kernels = {
    normal_pair<Group, double>, normal_pair<Group, float>,
    fill_groups<Group, double, uniform_group<Group>>,
    fill_groups<Group, float, uniform_group<Group>>,
    fill_groups<Group, std::uint32_t, bits_group<Group>>};

}  // namespace

extern const RandomKernels random_kernels;
const RandomKernels random_kernels = {stream_kernels<Pcg32Group>, stream_kernels<PhiloxGroup>};

}  // namespace fokker::detail::FOKKER_ISA
