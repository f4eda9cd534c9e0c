/// @file  random.cpp
/// @brief Streams are pcg32 or Philox bit for bit; normals are Box-Muller of their draws, with the
///        same bits on every instruction set.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numbers>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "../../solvers/simd/dispatch.hpp"
#include "../../solvers/simd/math.hpp"
#include "catch.hpp"
#include "kernels/math.hpp"

#include <fokker/solvers/noise/random.hpp>
#include <fokker/solvers/support/instruction_set.hpp>

using fokker::Generator;
using fokker::path_stream;
using fokker::Purpose;
using fokker::Seed;
using fokker::StreamLanes;

namespace {

const std::vector<std::string> instruction_sets = {"baseline", "avx2", "avx512"};

/// Runs a test on one instruction set and gives back the machine's own.
class OnInstructionSet {
 public:
  explicit OnInstructionSet(const std::string& name) {
    fokker::detail::limit_instruction_set(name);
  }
  ~OnInstructionSet() { fokker::detail::limit_instruction_set("avx512"); }
};

/// The draws of one path, one after another, by the scalar functions.
class Stream {
 public:
  Stream(Seed seed, std::uint64_t path, Purpose purpose)
      : pcg_(path_stream(seed.number, path, purpose)),
        philox_(seed.generator == Generator::philox),
        key_(fokker::philox_key(seed.number, purpose)),
        path_(path) {}

  std::uint32_t operator()() {
    if (!philox_) return pcg_();
    const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
    const std::uint64_t block = position_ / 4, word = position_ % 4;
    ++position_;
    return fokker::philox({low(block), low(block >> 32), low(path_), low(path_ >> 32)}, key_)[word];
  }
  void advance(std::uint64_t draws) {
    pcg_.advance(draws);
    position_ += draws;
  }

 private:
  pcg32 pcg_;
  bool philox_;
  std::uint64_t key_, path_, position_ = 0;
};

std::vector<Stream> streams_from(Seed seed, std::uint64_t first, std::size_t size, Purpose use) {
  std::vector<Stream> streams;
  for (std::size_t j = 0; j < size; ++j) streams.emplace_back(seed, first + j, use);
  return streams;
}

/// A generator of Catch: both of ours.
auto generators() { return Catch::Generators::values({Generator::pcg32, Generator::philox}); }

/// One pair of a stream, by the formulas of the documentation.
struct Pair {
  double z0, z1;
};

Pair reference(long double u, std::uint32_t c) {
  const long double angle = 2 * std::numbers::pi_v<long double> * (c + 0.5L) / 4294967296.0L;
  const long double r = std::sqrt(-2 * std::log(u));
  return {static_cast<double>(r * std::cos(angle)), static_cast<double>(r * std::sin(angle))};
}

Pair reference_double(Stream& stream) {
  const std::uint64_t a = stream(), b = stream();
  const std::uint64_t m = (a << 20) | (b >> 12);
  return reference((static_cast<long double>(m) + 0.5L) * 0x1p-52L, stream());
}

Pair reference_float(Stream& stream) {
  const long double u = (stream() + 0.5L) * 0x1p-32L;
  return reference(u, stream());
}

template <class S>
bool same_bits(const std::vector<S>& a, const std::vector<S>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(S)) == 0;
}

/// Two pairs and a uniform number of each of many paths.
template <class S>
std::vector<S> sample(Generator generator, std::size_t paths, int rounds) {
  StreamLanes lanes({11, generator}, 5, paths, Purpose::wiener);
  std::vector<S> all(3 * paths * static_cast<std::size_t>(rounds));
  for (int i = 0; i < rounds; ++i) {
    S* at = all.data() + 3 * paths * static_cast<std::size_t>(i);
    lanes.normal_pair(at, at + paths, S(0.25), S(1.5));
    lanes.uniform(at + 2 * paths);
  }
  return all;
}

const fokker::detail::MathKernels& math() { return FOKKER_DISPATCH(math_kernels); }

const fokker::detail::ArrayFunctions<double>& array_functions(double) { return math().of_double; }
const fokker::detail::ArrayFunctions<float>& array_functions(float) { return math().of_float; }

/// Cosine and sine of 2 pi (c + 1/2) / 2^32: near its zeros only the distance to them may be
/// rounded.
struct Direction {
  long double cosine, sine;
};

Direction exact_direction(std::uint64_t draw) {
  const auto c = static_cast<std::uint32_t>(draw);
  const std::uint32_t quadrant = (c + (1u << 29)) >> 30;
  const auto rest = static_cast<std::int32_t>(c - (quadrant << 30));
  const long double x =
      2 * std::numbers::pi_v<long double> * (static_cast<long double>(rest) + 0.5L) * 0x1p-32L;
  const long double s = std::sin(x), co = std::cos(x);
  const Direction turned[4] = {{co, s}, {-s, co}, {-co, -s}, {s, -co}};
  return turned[quadrant];
}

template <class S>
S ulp(S x) {
  return std::nextafter(std::abs(x), std::numeric_limits<S>::max()) - std::abs(x);
}

/// Largest error of `f` on an array against `exact`, in units in the last place of the exact value.
template <class T, class S, class Exact>
double worst_ulps(const std::vector<T>& arguments, void (*f)(const T*, std::size_t, S*),
                  Exact exact) {
  std::vector<S> y(arguments.size());
  f(arguments.data(), arguments.size(), y.data());
  double worst = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const long double wanted = exact(arguments[i]);
    const long double error = std::abs(static_cast<long double>(y[i]) - wanted);
    worst = std::max(worst, static_cast<double>(error / ulp(static_cast<S>(wanted))));
  }
  return worst;
}

/// Each point with the eight numbers before and after it, as far as they are finite and of its
/// sign.
template <class S>
std::vector<S> around(const std::vector<S>& points) {
  std::vector<S> x;
  for (const S point : points)
    for (int side : {-1, 1}) {
      S near = point;
      for (int i = 0; i < 8;
           ++i, near = std::nextafter(near, S(side) * std::numeric_limits<S>::max()))
        x.push_back(std::abs(near) < std::numeric_limits<S>::min() ? point : near);
    }
  return x;
}

/// The same of a function on vectors.
template <class V, class S, class F, class Exact>
double worst_ulps(const std::vector<S>& arguments, F f, Exact exact) {
  constexpr std::size_t lanes = sizeof(V) / sizeof(S);
  double worst = 0;
  for (std::size_t i = 0; i + lanes <= arguments.size(); i += lanes) {
    V x;
    std::memcpy(&x, arguments.data() + i, sizeof x);
    const V y = f(x);
    for (std::size_t l = 0; l < lanes; ++l) {
      const long double wanted = exact(static_cast<long double>(arguments[i + l]));
      const long double error =
          std::abs(static_cast<long double>(y[l]) - wanted) / ulp(static_cast<S>(wanted));
      worst = std::max(worst, static_cast<double>(error));
    }
  }
  return worst;
}

template <class S>
std::vector<S> arguments(S low, S high, bool logarithmic) {
  std::mt19937_64 engine(1);
  std::uniform_real_distribution<double> u(0, 1);
  std::vector<S> x(1 << 19);
  for (S& v : x)
    v = logarithmic ? static_cast<S>(low * std::pow(double(high) / double(low), u(engine)))
                    : static_cast<S>(low + (high - low) * u(engine));
  return x;
}

}  // namespace

TEST_CASE("Philox4x32-10 gives the known answers of Random123") {
  // Salmon et al., Random123 1.14, tests/kat_vectors
  const std::uint32_t all = 0xFFFFFFFFu;
  using Words = fokker::PhiloxWords;

  CHECK(fokker::philox({0, 0, 0, 0}, 0) ==
        Words{0x6627E8D5u, 0xE169C58Du, 0xBC57AC4Cu, 0x9B00DBD8u});
  CHECK(fokker::philox({all, all, all, all}, ~std::uint64_t{0}) ==
        Words{0x408F276Du, 0x41C83B0Eu, 0xA20BC7C6u, 0x6D5451FDu});
  CHECK(fokker::philox({0x243F6A88u, 0x85A308D3u, 0x13198A2Eu, 0x03707344u}, 0x299F31D0A4093822u) ==
        Words{0xD16CFE09u, 0x94FDCCEBu, 0x5001E420u, 0x24126EA1u});
}

TEST_CASE("lanes draw bit for bit what pcg32 and Philox draw") {
  const OnInstructionSet guard(
      GENERATE(from_range(instruction_sets.begin(), instruction_sets.end())));
  const Generator generator = GENERATE(generators());
  const std::size_t size = GENERATE(1u, 15u, 16u, 17u, 64u, 1000u);
  const std::uint64_t first = GENERATE(1000u, (std::uint64_t{5} << 32) - 7);
  StreamLanes lanes({42, generator}, first, size, Purpose::levy_h);
  std::vector<std::uint32_t> drawn(size);
  std::vector<Stream> streams = streams_from({42, generator}, first, size, Purpose::levy_h);
  int wrong = 0;

  for (int i = 0; i < 100; ++i) {
    lanes.bits(drawn.data());
    for (std::size_t j = 0; j < size; ++j) wrong += drawn[j] != streams[j]();
  }

  CHECK(wrong == 0);
}

TEST_CASE("whatever was drawn before, the next draws of a lane are those of its stream") {
  const OnInstructionSet guard(
      GENERATE(from_range(instruction_sets.begin(), instruction_sets.end())));
  const Seed seed(4, GENERATE(generators()));
  const std::size_t size = 40;
  StreamLanes lanes(seed, 0, size, Purpose::jump);
  std::vector<Stream> streams = streams_from(seed, 0, size, Purpose::jump);
  std::vector<std::uint32_t> drawn(size);
  std::vector<double> u(size), v(size);
  std::vector<float> f(size), g(size);
  std::mt19937 engine(1);
  int wrong = 0;

  for (int i = 0; i < 300; ++i) {
    std::uint64_t taken = 0;
    switch (engine() % 5) {
      case 0:
        lanes.normal_pair(u.data(), v.data(), 1, 1), taken = 3;
        break;
      case 1:
        lanes.normal_pair(f.data(), g.data(), 1, 1), taken = 2;
        break;
      case 2:
        lanes.uniform(u.data()), taken = 2;
        break;
      case 3:
        lanes.uniform(f.data()), taken = 1;
        break;
      default:
        lanes.advance(taken = engine() % 10);
    }
    lanes.bits(drawn.data());
    for (std::size_t j = 0; j < size; ++j) {
      streams[j].advance(taken);
      wrong += drawn[j] != streams[j]();
    }
  }

  CHECK(wrong == 0);
}

TEST_CASE("advance jumps as the stream does, and back") {
  const Seed seed(7, GENERATE(generators()));
  const std::uint64_t jump = GENERATE(0u, 1u, 3u, 1000003u, (std::uint64_t{1} << 63) + 12345u);
  StreamLanes lanes(seed, 0, 20, Purpose::wiener);
  Stream stream(seed, 19, Purpose::wiener);
  std::vector<std::uint32_t> first(20), there(20), back(20);

  lanes.bits(first.data());
  lanes.advance(jump);
  lanes.bits(there.data());
  lanes.advance(std::uint64_t{0} - jump - 2);
  lanes.bits(back.data());
  stream.advance(jump + 1);

  CHECK(there[19] == stream());
  CHECK(back == first);
}

TEST_CASE("copies of lanes continue alike and apart") {
  StreamLanes lanes(7, 0, 20, Purpose::wiener);
  std::vector<double> a(20), b(20), c(20), d(20);
  lanes.normal_pair(a.data(), b.data(), 1, 1);

  StreamLanes copy = lanes;
  lanes.normal_pair(a.data(), b.data(), 1, 1);
  copy.normal_pair(c.data(), d.data(), 1, 1);

  CHECK(same_bits(a, c));
  CHECK(same_bits(b, d));
}

TEST_CASE("normals are Box-Muller of the draws, to rounding") {
  const OnInstructionSet guard(
      GENERATE(from_range(instruction_sets.begin(), instruction_sets.end())));
  const Generator generator = GENERATE(generators());
  const std::size_t size = 37;
  std::vector<double> z0(size), z1(size);
  std::vector<float> f0(size), f1(size);
  double worst = 0, worst_float = 0;

  for (std::uint64_t number = 0; number < 20; ++number) {
    const Seed seed(number, generator);
    StreamLanes lanes(seed, 3, size, Purpose::initial), floats = lanes;
    std::vector<Stream> streams = streams_from(seed, 3, size, Purpose::initial);
    std::vector<Stream> float_streams = streams;
    for (int i = 0; i < 50; ++i) {
      lanes.normal_pair(z0.data(), z1.data(), 1, 1);
      floats.normal_pair(f0.data(), f1.data(), 1, 1);
      for (std::size_t j = 0; j < size; ++j) {
        const Pair z = reference_double(streams[j]);
        worst = std::max({worst, std::abs(z.z0 - z0[j]), std::abs(z.z1 - z1[j])});
        const Pair f = reference_float(float_streams[j]);
        worst_float =
            std::max({worst_float, std::abs(f.z0 - double(f0[j])), std::abs(f.z1 - double(f1[j]))});
      }
    }
  }

  CHECK(worst < 2e-15);
  CHECK(worst_float < 1e-6);
}

TEST_CASE("uniform numbers are the documented ones, inside (0, 1)") {
  const Seed seed(1, GENERATE(generators()));
  const std::size_t size = 48;
  StreamLanes lanes(seed, 0, size, Purpose::choice), floats = lanes;
  std::vector<double> u(size);
  std::vector<float> f(size);
  int wrong = 0;

  std::vector<Stream> streams = streams_from(seed, 0, size, Purpose::choice);
  std::vector<Stream> float_streams = streams;
  for (int i = 0; i < 1000; ++i) {
    lanes.uniform(u.data());
    floats.uniform(f.data());
    for (std::size_t j = 0; j < size; ++j) {
      const std::uint64_t a = streams[j](), b = streams[j]();
      wrong += u[j] != (static_cast<double>((a << 20) | (b >> 12)) + 0.5) * 0x1p-52;
      const double wanted = (float_streams[j]() + 0.5) * 0x1p-32;
      wrong += f[j] != std::min(static_cast<float>(wanted), 1 - 0x1p-24f);
    }
  }

  CHECK(wrong == 0);
}

TEMPLATE_TEST_CASE("every instruction set gives the same bits", "", double, float) {
  const Generator generator = GENERATE(generators());
  const std::size_t paths = GENERATE(1u, 16u, 100u, 1024u);
  fokker::detail::limit_instruction_set("baseline");
  const auto wanted = sample<TestType>(generator, paths, 200);

  for (const std::string& name : instruction_sets) {
    const OnInstructionSet guard(name);
    CHECK(same_bits(sample<TestType>(generator, paths, 200), wanted));
  }
}

TEMPLATE_TEST_CASE("a path has the same normals alone and among others", "", double, float) {
  using S = TestType;
  const Seed seed(9, GENERATE(generators()));
  const std::size_t size = 200;
  StreamLanes block(seed, 50, size, Purpose::wiener);
  std::vector<S> z0(size), z1(size);
  block.normal_pair(z0.data(), z1.data(), S(1), S(1));
  int wrong = 0;

  for (std::size_t j = 0; j < size; ++j) {
    StreamLanes alone(seed, 50 + j, 1, Purpose::wiener);
    S a, b;
    alone.normal_pair(&a, &b, S(1), S(1));
    wrong += a != z0[j] || b != z1[j];
  }

  CHECK(wrong == 0);
}

TEMPLATE_TEST_CASE("the scale multiplies the normal, rounded once", "", double, float) {
  using S = TestType;
  StreamLanes plain(9, 0, 50, Purpose::wiener), scaled = plain;
  std::vector<S> z0(50), z1(50), s0(50), s1(50);
  int wrong = 0;

  plain.normal_pair(z0.data(), z1.data(), S(1), S(1));
  scaled.normal_pair(s0.data(), s1.data(), S(0.3), S(1e-3));
  for (std::size_t j = 0; j < 50; ++j)
    wrong += s0[j] != S(z0[j] * S(0.3)) || s1[j] != S(z1[j] * S(1e-3));

  CHECK(wrong == 0);
}

TEST_CASE("normal q of a path is found again by advance") {
  const Seed seed(3, GENERATE(generators()));
  StreamLanes walk(seed, 0, 16, Purpose::wiener), jump = walk;
  StreamLanes float_walk = walk, float_jump = walk;
  std::vector<double> a(16), b(16), c(16), d(16);
  std::vector<float> e(16), f(16), g(16), h(16);

  for (int pair = 0; pair <= 17; ++pair) {
    walk.normal_pair(a.data(), b.data(), 1, 1);
    float_walk.normal_pair(e.data(), f.data(), 1, 1);
  }
  jump.advance(3 * 17);
  jump.normal_pair(c.data(), d.data(), 1, 1);
  float_jump.advance(2 * 17);
  float_jump.normal_pair(g.data(), h.data(), 1, 1);

  CHECK(same_bits(a, c));
  CHECK(same_bits(b, d));
  CHECK(same_bits(e, g));
  CHECK(same_bits(f, h));
}

TEST_CASE("seeds, paths and purposes near one another have different streams") {
  std::set<std::uint64_t> starts, philox_keys;
  std::size_t keys = 0, key_pairs = 0;

  for (std::uint64_t seed = 0; seed < 10; ++seed)
    for (const Purpose purpose :
         {Purpose::initial, Purpose::choice, Purpose::wiener, Purpose::levy_h, Purpose::levy_k,
          Purpose::jump, Purpose::analysis}) {
      for (std::uint64_t path = 0; path < 100; ++path, ++keys) {
        pcg32 stream = path_stream(seed, path, purpose);
        const std::uint64_t high = stream();
        starts.insert((high << 32) | stream());
      }
      philox_keys.insert(fokker::philox_key(seed, purpose));
      ++key_pairs;
    }

  CHECK(starts.size() == keys);
  CHECK(philox_keys.size() == key_pairs);
}

TEMPLATE_TEST_CASE("vector log, sin and cos are within two units in the last place", "", double,
                   float) {
  using S = TestType;
  const OnInstructionSet guard(
      GENERATE(from_range(instruction_sets.begin(), instruction_sets.end())));
  const auto& functions = array_functions(S{});
  const auto exact_log = [](long double x) { return std::log(x); };
  const auto exact_sine = [](long double x) { return std::sin(x); };
  const auto exact_cosine = [](long double x) { return std::cos(x); };
  const S quarter = static_cast<S>(std::numbers::pi / 4), least = std::numeric_limits<S>::min();
  const S most = std::numeric_limits<S>::max(), eps = std::numeric_limits<S>::epsilon();

  // dense, then where exponents, signs, the halves of a split and the accuracy of a sum change
  CHECK(worst_ulps(arguments(least, most, true), functions.log, exact_log) < 2);
  CHECK(worst_ulps(arguments(S(0.5), S(2), false), functions.log, exact_log) < 2);
  CHECK(worst_ulps(arguments(1 - 4096 * eps, 1 + 4096 * eps, false), functions.log, exact_log) < 2);
  CHECK(worst_ulps(around<S>({least, S(0.5), std::sqrt(S(0.5)), 1, std::sqrt(S(2)), 2, S(0x1p-53),
                              S(0x1p-32), most}),
                   functions.log, exact_log) < 2);
  for (const auto& x : {arguments(-quarter, quarter, false), arguments(S(1e-30), quarter, true),
                        around<S>({0, S(0x1p-33), S(0x1p-27), S(0x1p-12), S(0.3), S(0.78125),
                                   quarter, -quarter})}) {
    CHECK(worst_ulps(x, functions.sine, exact_sine) < 2);
    CHECK(worst_ulps(x, functions.cosine, exact_cosine) < 2);
  }
  CHECK(worst_ulps(std::vector<S>(16, 1), functions.log, exact_log) == 0);
}

TEST_CASE("the log of a uniform number in double is within two units in the last place") {
  const OnInstructionSet guard(
      GENERATE(from_range(instruction_sets.begin(), instruction_sets.end())));
  const auto exact = [](std::uint64_t word) {
    return -std::log((static_cast<long double>(word >> 12) + 0.5L) * 0x1p-52L) / 2;
  };
  std::mt19937_64 engine(1);
  std::vector<std::uint64_t> dense(1 << 19), small(1 << 16), near_one(1 << 16), edges;
  for (auto& word : dense) word = engine();
  for (auto& word : small) word = engine() >> engine() % 52;
  for (auto& word : near_one) word = ~(engine() >> engine() % 52);
  // the sixteenths of each power of two
  for (int power = 4; power <= 52; ++power)
    for (std::uint64_t sixteenth = 16; sixteenth <= 32; ++sixteenth)
      for (std::uint64_t i = 0; i < 16; ++i)
        edges.push_back((((sixteenth << power) >> 4) + i - 8) << 12);

  CHECK(worst_ulps(dense, math().half_log, exact) < 2);
  CHECK(worst_ulps(small, math().half_log, exact) < 2);
  CHECK(worst_ulps(near_one, math().half_log, exact) < 2);
  CHECK(worst_ulps(edges, math().half_log, exact) < 2);
}

TEST_CASE("the cosine and sine of a turn in double are within two units in the last place") {
  const OnInstructionSet guard(
      GENERATE(from_range(instruction_sets.begin(), instruction_sets.end())));
  const auto exact_cosine = [](std::uint64_t draw) { return exact_direction(draw).cosine; };
  const auto exact_sine = [](std::uint64_t draw) { return exact_direction(draw).sine; };
  std::mt19937_64 engine(1);
  std::vector<std::uint64_t> dense(1 << 19), edges;
  for (auto& draw : dense) draw = engine();  // what stands above 32 bits is not looked at
  for (std::uint64_t part = 0; part < 64; ++part)
    for (std::uint64_t i = 0; i < 16; ++i) edges.push_back((part << 26) + i - 8);

  for (const auto& draws : {dense, edges}) {
    CHECK(worst_ulps(draws, math().turn_cosine, exact_cosine) < 2);
    CHECK(worst_ulps(draws, math().turn_sine, exact_sine) < 2);
  }
}

TEST_CASE("vector exp is within two units in the last place down to the least weight, then 0") {
  using namespace fokker::detail::baseline;
  const auto exp_of = [](auto x) { return exp_weight(x); };
  const auto exact = [](long double x) { return std::exp(x); };
  const double infinity = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();

  CHECK(worst_ulps<F64>(arguments(-80.0, 0.0, false), exp_of, exact) < 2);
  CHECK(worst_ulps<F32>(arguments(-50.0f, 0.0f, false), exp_of, exact) < 2);
  CHECK(exp_weight(F64{0, -80.5})[0] == 1.0);
  CHECK(exp_weight(F64{0, -80.5})[1] == 0.0);
  CHECK(exp_weight(F64{-infinity, -1e300})[0] == 0.0);
  CHECK(exp_weight(F64{-infinity, -1e300})[1] == 0.0);
  CHECK(std::isnan(exp_weight(F64{nan, 0})[0]));
  CHECK(exp_weight(F32{0, -51, -1e30f, -1e38f})[3] == 0.0f);
}

TEST_CASE("the instruction set can be lowered, and only by its names") {
  fokker::detail::limit_instruction_set("baseline");
  const std::string_view lowest = fokker::instruction_set();
  fokker::detail::limit_instruction_set("avx512");

  CHECK(lowest == "baseline");
  CHECK(std::find(instruction_sets.begin(), instruction_sets.end(), fokker::instruction_set()) !=
        instruction_sets.end());
  CHECK_THROWS_MATCHES(fokker::detail::limit_instruction_set("sse9"), std::invalid_argument,
                       Message("FOKKER_ISA must be baseline, avx2 or avx512: got \"sse9\""));
}
