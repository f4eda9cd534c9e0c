/// @file  random.cpp
/// @brief Streams are pcg32 bit for bit; normals are Box-Muller of their draws, with the same bits
/// on
///        every instruction set.

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

#include "../../solvers/simd/math.hpp"
#include "catch.hpp"

#include <fokker/solvers/instruction_set.hpp>
#include <fokker/solvers/random.hpp>

using fokker::path_stream;
using fokker::Purpose;
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

/// One pair of a stream, by the formulas of the documentation.
struct Pair {
  double z0, z1;
};

Pair reference(long double u, std::uint32_t c) {
  const long double angle = 2 * std::numbers::pi_v<long double> * (c + 0.5L) / 4294967296.0L;
  const long double r = std::sqrt(-2 * std::log(u));
  return {static_cast<double>(r * std::cos(angle)), static_cast<double>(r * std::sin(angle))};
}

Pair reference_double(pcg32& stream) {
  const std::uint64_t a = stream(), b = stream();
  const std::uint64_t m = (a << 20) | (b >> 12);
  return reference((static_cast<long double>(m) + 0.5L) * 0x1p-52L, stream());
}

Pair reference_float(pcg32& stream) {
  const long double u = (stream() + 0.5L) * 0x1p-32L;
  return reference(u, stream());
}

template <class S>
bool same_bits(const std::vector<S>& a, const std::vector<S>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(S)) == 0;
}

/// Two pairs and a uniform number of each of many paths.
template <class S>
std::vector<S> sample(std::size_t paths, int rounds) {
  StreamLanes lanes(11, 5, paths, Purpose::wiener);
  std::vector<S> all(3 * paths * static_cast<std::size_t>(rounds));
  for (int i = 0; i < rounds; ++i) {
    S* at = all.data() + 3 * paths * static_cast<std::size_t>(i);
    lanes.normal_pair(at, at + paths, S(0.25), S(1.5));
    lanes.uniform(at + 2 * paths);
  }
  return all;
}

/// Largest error of `f` against `exact`, in units in the last place of the exact value.
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
      const S near = static_cast<S>(std::abs(wanted));
      const S ulp = std::nextafter(near, std::numeric_limits<S>::infinity()) - near;
      const long double error = std::abs(static_cast<long double>(y[l]) - wanted) / ulp;
      worst = std::max(worst, static_cast<double>(error));
    }
  }
  return worst;
}

template <class S>
std::vector<S> arguments(S low, S high, bool logarithmic) {
  std::mt19937_64 engine(1);
  std::uniform_real_distribution<double> u(0, 1);
  std::vector<S> x(1 << 20);
  for (S& v : x)
    v = logarithmic ? static_cast<S>(low * std::pow(double(high) / double(low), u(engine)))
                    : static_cast<S>(low + (high - low) * u(engine));
  return x;
}

}  // namespace

TEST_CASE("lanes draw bit for bit what pcg32 draws") {
  const OnInstructionSet guard(
      GENERATE(from_range(instruction_sets.begin(), instruction_sets.end())));
  const std::size_t size = GENERATE(1u, 15u, 16u, 17u, 64u, 1000u);
  StreamLanes lanes(42, 1000, size, Purpose::levy_h);
  std::vector<std::uint32_t> drawn(size);
  int wrong = 0;

  std::vector<pcg32> streams;
  for (std::size_t j = 0; j < size; ++j)
    streams.push_back(path_stream(42, 1000 + j, Purpose::levy_h));
  for (int i = 0; i < 100; ++i) {
    lanes.bits(drawn.data());
    for (std::size_t j = 0; j < size; ++j) wrong += drawn[j] != streams[j]();
  }

  CHECK(wrong == 0);
}

TEST_CASE("advance jumps as pcg32 does, and back") {
  const std::uint64_t jump = GENERATE(0u, 1u, 3u, 1000003u, (std::uint64_t{1} << 63) + 12345u);
  StreamLanes lanes(7, 0, 20, Purpose::wiener);
  pcg32 stream = path_stream(7, 19, Purpose::wiener);
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
  const std::size_t size = 37;
  std::vector<double> z0(size), z1(size);
  std::vector<float> f0(size), f1(size);
  double worst = 0, worst_float = 0;

  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    StreamLanes lanes(seed, 3, size, Purpose::initial), floats = lanes;
    std::vector<pcg32> streams, float_streams;
    for (std::size_t j = 0; j < size; ++j)
      streams.push_back(path_stream(seed, 3 + j, Purpose::initial));
    float_streams = streams;
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
  const std::size_t size = 48;
  StreamLanes lanes(1, 0, size, Purpose::choice), floats = lanes;
  std::vector<double> u(size);
  std::vector<float> f(size);
  int wrong = 0;

  std::vector<pcg32> streams, float_streams;
  for (std::size_t j = 0; j < size; ++j) streams.push_back(path_stream(1, j, Purpose::choice));
  float_streams = streams;
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
  const std::size_t paths = GENERATE(1u, 16u, 100u, 1024u);
  fokker::detail::limit_instruction_set("baseline");
  const auto wanted = sample<TestType>(paths, 200);

  for (const std::string& name : instruction_sets) {
    const OnInstructionSet guard(name);
    CHECK(same_bits(sample<TestType>(paths, 200), wanted));
  }
}

TEMPLATE_TEST_CASE("a path has the same normals alone and among others", "", double, float) {
  using S = TestType;
  const std::size_t size = 200;
  StreamLanes block(9, 50, size, Purpose::wiener);
  std::vector<S> z0(size), z1(size);
  block.normal_pair(z0.data(), z1.data(), S(1), S(1));
  int wrong = 0;

  for (std::size_t j = 0; j < size; ++j) {
    StreamLanes alone(9, 50 + j, 1, Purpose::wiener);
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
  StreamLanes walk(3, 0, 16, Purpose::wiener), jump = walk;
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
  std::set<std::uint64_t> starts;
  std::size_t keys = 0;

  for (std::uint64_t seed = 0; seed < 10; ++seed)
    for (std::uint64_t path = 0; path < 100; ++path)
      for (const Purpose purpose :
           {Purpose::initial, Purpose::choice, Purpose::wiener, Purpose::levy_h, Purpose::levy_k,
            Purpose::jump, Purpose::analysis}) {
        pcg32 stream = path_stream(seed, path, purpose);
        const std::uint64_t high = stream();
        starts.insert((high << 32) | stream());
        ++keys;
      }

  CHECK(starts.size() == keys);
}

TEST_CASE("vector log, sin and cos are within two units in the last place") {
  using namespace fokker::detail::baseline;
  using Real = long double;
  const auto log_of = [](auto x) { return fokker::detail::baseline::log(x); };
  const auto sine = [](auto x) {
    decltype(x) s, c;
    sin_cos(x, s, c);
    return s;
  };
  const auto cosine = [](auto x) {
    decltype(x) s, c;
    sin_cos(x, s, c);
    return c;
  };
  const auto exact_log = [](Real x) { return std::log(x); };
  const auto exact_sine = [](Real x) { return std::sin(x); };
  const auto exact_cosine = [](Real x) { return std::cos(x); };
  const double quarter = std::numbers::pi / 4;

  CHECK(worst_ulps<F64>(arguments(1e-300, 1e300, true), log_of, exact_log) < 2);
  CHECK(worst_ulps<F64>(arguments(0.5, 2.0, false), log_of, exact_log) < 2);
  CHECK(worst_ulps<F64>(arguments(-quarter, quarter, false), sine, exact_sine) < 2);
  CHECK(worst_ulps<F64>(arguments(-quarter, quarter, false), cosine, exact_cosine) < 2);
  CHECK(worst_ulps<F32>(arguments(1e-37f, 1e37f, true), log_of, exact_log) < 2);
  CHECK(worst_ulps<F32>(arguments(0.5f, 2.0f, false), log_of, exact_log) < 2);
  CHECK(worst_ulps<F32>(arguments(-0.785f, 0.785f, false), sine, exact_sine) < 2);
  CHECK(worst_ulps<F32>(arguments(-0.785f, 0.785f, false), cosine, exact_cosine) < 2);
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
