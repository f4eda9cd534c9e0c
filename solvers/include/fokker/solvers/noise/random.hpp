#pragma once
/// @file  fokker/solvers/noise/random.hpp
/// @brief Random numbers keyed by (seed, path, purpose): one stream each, advanced in blocks.

#include <array>
#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include <pcg_random.hpp>

namespace fokker {

/// What a stream of random numbers is for. Streams of different purposes never share draws, so that
/// asking for one more kind of noise leaves the others as they are. The values are part of what a
/// seed means: add new ones at the end.
enum class Purpose : std::uint64_t {
  initial,    ///< normals and uniforms of the initial law
  choice,     ///< discrete choices in the initial law: which component, which row
  wiener,     ///< W: increments of the Wiener process
  levy_h,     ///< H: space-time Levy areas
  levy_k,     ///< K: space-time-time Levy areas
  jump,       ///< jump times and sizes
  analysis,   ///< directions, resampling and other draws of measurements, not of the model
  levy_area,  ///< A: Levy areas between the Wiener processes
  crossing,   ///< whether and when a path meets a level between two steps
  tree,       ///< the Brownian tree: W, H and K by bisection
  normals,    ///< normals of a step that are not of the Brownian path
  extremum,   ///< the maximum or minimum of a path between two steps
};

/// What makes the draws of a stream.
enum class Generator {
  pcg32,   ///< pcg32 (O'Neill 2014), state and stream hashed from the key: the faster one
  philox,  ///< Philox4x32-10 (Salmon et al. 2011): a counter, so that streams cannot overlap
};

/// What all random numbers of a run hang on: a number, and the generator that makes streams of it.
/// A plain number stands for pcg32.
struct Seed {
  std::uint64_t number = 0;
  Generator generator = Generator::pcg32;

  constexpr Seed(std::uint64_t seed_number = 0, Generator by = Generator::pcg32)
      : number(seed_number), generator(by) {}
  /// Equality.
  friend bool operator==(const Seed&, const Seed&) = default;
};

/// The pcg32 (O'Neill 2014, XSH-RR 64/32) of (seed, path, purpose). State and stream are both
/// hashed from the triple by the finaliser of splitmix64 (Steele, Lea, Flood 2014): the streams of
/// consecutive seeds or stream numbers are measurably correlated, those of hashed ones are not.
/// Different paths of one (seed, purpose) never have the same state and stream.
pcg32 path_stream(std::uint64_t seed, std::uint64_t path, Purpose purpose);

using PhiloxWords = std::array<std::uint32_t, 4>;

/// Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"):
/// a bijection of 128 bits for each key, whose low word is the first of the paper.
PhiloxWords philox(PhiloxWords counter, std::uint64_t key);

/// Key of the Philox streams of (seed, purpose). Draw i of path j is word i mod 4 of
///
///     philox({b mod 2^32, b / 2^32, j mod 2^32, j / 2^32}, philox_key(seed, purpose)),  b = i / 4
///
/// Seeds that differ have different keys for one purpose, and so have purposes for one seed.
std::uint64_t philox_key(std::uint64_t seed, Purpose purpose);

namespace detail {
struct Pcg32Group;
struct PhiloxGroup;
}  // namespace detail

/// The streams of `size` consecutive paths, advanced together by vector code. Lane j is bit for bit
/// path_stream(seed, first_path + j, purpose), or the Philox stream of philox_key, whatever the
/// size and the instruction set, and every function takes the same number of draws from each lane.
///
/// Normals are by Box and Muller (1958), r = sqrt(-2 log u), (r cos a, r sin a), from the next
/// draws of the same lane:
///
///     double   u = (m + 1/2) 2^-52, m the upper 52 bits of draws 1 and 2 (1 above 2);
///              a = 2 pi (c + 1/2) / 2^32, c draw 3                        |z| < 8.58
///     float    u = (b + 1/2) 2^-32, b draw 1; a as above, c draw 2        |z| < 6.77
///
/// to 2e-15 and 1e-6. u near 0 and near 1 keeps its relative precision; r is never 0. Compiled
/// without contraction and with its own log, sin and cos: normals and uniforms have the same bits
/// on every instruction set and compiler. Normal q of a lane is found again by advance(3 * (q / 2))
/// in double, advance(2 * (q / 2)) in float. Copies are independent and continue alike.
class StreamLanes {
 public:
  /// @param seed        of the whole run, with its generator
  /// @param first_path  number of the path in lane 0
  /// @param size        lanes; fastest in multiples of 16
  StreamLanes(Seed seed, std::uint64_t first_path, std::size_t size, Purpose purpose);
  StreamLanes(const StreamLanes&);
  StreamLanes(StreamLanes&&) noexcept;
  StreamLanes& operator=(const StreamLanes&);
  StreamLanes& operator=(StreamLanes&&) noexcept;
  ~StreamLanes();

  std::size_t size() const { return size_; }

  /// One Box-Muller pair per lane: z0[j] = scale0 * (r cos a), z1[j] = scale1 * (r sin a).
  /// @param z0, z1  `size` values each; must not overlap
  void normal_pair(double* z0, double* z1, double scale0, double scale1);
  void normal_pair(float* z0, float* z1, float scale0, float scale1);

  /// One number in (0, 1) per lane. double: u as above, two draws. float: u as above, one draw,
  /// rounded to nearest and at most 1 - 2^-24.
  /// @param u  `size` values
  void uniform(double* u);
  void uniform(float* u);

  /// The next draw of each lane. @param out  `size` values
  void bits(std::uint32_t* out);

  /// Moves every lane on by `draws` draws; back, if negative modulo 2^64 (the period is 2^64).
  /// Numbers at a distance with a large power of two in it are correlated: hash such a distance.
  void advance(std::uint64_t draws);

 private:
  std::variant<std::vector<detail::Pcg32Group>, std::vector<detail::PhiloxGroup>> groups_;
  std::size_t size_;
};

}  // namespace fokker
