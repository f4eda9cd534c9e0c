/// @file  random.cpp
/// @brief The law of the normals, and the independence of the streams.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "catch.hpp"

#include <fokker/solvers/noise/random.hpp>

using fokker::Generator;
using fokker::path_stream;
using fokker::Purpose;
using fokker::Seed;
using fokker::StreamLanes;

namespace {

/// Every figure here is a standard normal number if the claim holds, but for a probability of
/// 3e-6; there are some 200 of them. Maxima over many such figures have limits of their own.
constexpr double limit = 4.7;

/// Exceeded with probability 1e-6 by a true sample: sqrt(-log(1e-6 / 2) / 2).
constexpr double kolmogorov_smirnov_limit = 2.694;

/// P(Z > x).
double upper_tail(double x) { return 0.5 * std::erfc(x / std::sqrt(2.0)); }

/// sqrt(n) sup |F_n - F|, for values of F that a true sample spreads evenly over (0, 1).
double kolmogorov_smirnov(std::vector<double> p) {
  std::sort(p.begin(), p.end());
  const double n = static_cast<double>(p.size());
  double worst = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double below = static_cast<double>(i) / n;
    worst = std::max({worst, p[i] - below, below + 1 / n - p[i]});
  }
  return std::sqrt(n) * worst;
}

/// Calls `see(z0, z1)` for pairs of normals, `count` normals in all, of a thousand paths.
template <class S, class See>
void for_normals(Seed seed, std::size_t count, See see) {
  constexpr std::size_t lanes = 1000;
  StreamLanes streams(seed, 0, lanes, Purpose::wiener);
  std::vector<S> z0(lanes), z1(lanes);
  for (std::size_t i = 0; i < count; i += 2 * lanes) {
    streams.normal_pair(z0.data(), z1.data(), S(1), S(1));
    for (std::size_t j = 0; j < lanes; ++j) see(double(z0[j]), double(z1[j]));
  }
}

/// Standardised deviations of what a sample of normals shows from what N(0, 1) does.
struct Deviations {
  std::array<double, 4> moments;
  double squares;         ///< the correlation of the squares of the two normals of a pair
  double above5, below5;  ///< the number beyond 5 and -5
  double tail_smirnov;    ///< Kolmogorov and Smirnov among those beyond +-4
};

/// `change` is what is done to each normal first.
template <class S, class Change>
Deviations deviations(Seed seed, std::size_t count, Change change) {
  double m1 = 0, m2 = 0, m3 = 0, m4 = 0, squares = 0;
  std::size_t above5 = 0, below5 = 0;
  std::vector<double> tail;
  for_normals<S>(seed, count, [&](double a, double b) {
    for (double* z : {&a, &b}) {
      const double x = *z = change(*z), x2 = x * x;
      m1 += x;
      m2 += x2;
      m3 += x2 * x;
      m4 += x2 * x2;
      if (x2 > 16) {
        above5 += x > 5;
        below5 += x < -5;
        tail.push_back(upper_tail(std::abs(x)) / upper_tail(4));
      }
    }
    squares += (a * a - 1) * (b * b - 1);
  });
  const double n = static_cast<double>(count), root = std::sqrt(n);
  const double expected5 = n * upper_tail(5);
  const auto beyond = [&](std::size_t found) {
    return (static_cast<double>(found) - expected5) / std::sqrt(expected5);
  };
  return {{m1 / root, (m2 - n) / (root * std::sqrt(2.0)), m3 / (root * std::sqrt(15.0)),
           (m4 - 3 * n) / (root * std::sqrt(96.0))},
          squares / (2 * std::sqrt(n / 2)),
          beyond(above5),
          beyond(below5),
          kolmogorov_smirnov(std::move(tail))};
}

/// Rows of numbers of mean 0 and variance 1, one per stream, that one scalar generator per stream
/// draws.
template <class Engine>
class Engines {
 public:
  template <class Make>
  Engines(std::size_t count, Make make) {
    for (std::size_t i = 0; i < count; ++i) engines_.push_back(make(i));
  }
  void next(std::vector<double>& row) {
    constexpr double range = static_cast<double>(Engine::max());
    for (std::size_t i = 0; i < row.size(); ++i)
      row[i] = (static_cast<double>(engines_[i]()) / range - 0.5) * std::sqrt(12.0);
  }

 private:
  std::vector<Engine> engines_;
};

/// The same of the normals of neighbouring paths.
template <class S>
class Normals {
 public:
  Normals(std::size_t count, Seed seed)
      : lanes_(seed, 1000, count, Purpose::wiener),
        z_{std::vector<S>(count), std::vector<S>(count)} {}
  void next(std::vector<double>& row) {
    if (turn_ == 0) lanes_.normal_pair(z_[0].data(), z_[1].data(), S(1), S(1));
    std::copy(z_[turn_].begin(), z_[turn_].end(), row.begin());
    turn_ = 1 - turn_;
  }

 private:
  StreamLanes lanes_;
  std::array<std::vector<S>, 2> z_;
  std::size_t turn_ = 0;
};

constexpr std::size_t streams = 4096, draws = 4000;

/// Limit of `dependence`: that one of its 33 000 figures is above it has a probability of 2e-5
/// where all streams are independent.
constexpr double dependence_limit = 6.3;

/// The largest of many standardised sums, each N(0, 1) for independent streams: over all streams at
/// one draw, and the variance of these sums; over all draws, of products of neighbouring streams,
/// and of one stream with itself 1, 2, 3, 4, 8 and 16 draws before.
template <class Source>
double dependence(Source source) {
  constexpr std::array<std::size_t, 6> lags = {1, 2, 3, 4, 8, 16};
  std::array<std::vector<double>, 17> rows;
  for (auto& row : rows) row.resize(streams);
  std::array<std::vector<double>, lags.size()> serial;
  for (auto& sums : serial) sums.resize(streams);
  std::vector<double> neighbour(streams);
  double worst = 0, variance = 0;
  for (std::size_t k = 0; k < draws; ++k) {
    std::vector<double>& now = rows[k % rows.size()];
    source.next(now);
    double sum = 0;
    for (std::size_t i = 0; i < streams; ++i) sum += now[i];
    worst = std::max(worst, std::abs(sum) / std::sqrt(double(streams)));
    variance += sum * sum / double(streams);
    for (std::size_t i = 1; i < streams; ++i) neighbour[i] += now[i] * now[i - 1];
    for (std::size_t l = 0; l < lags.size(); ++l) {
      if (k < lags[l]) continue;
      const std::vector<double>& before = rows[(k - lags[l]) % rows.size()];
      for (std::size_t i = 0; i < streams; ++i) serial[l][i] += now[i] * before[i];
    }
  }
  worst = std::max(worst, std::abs(variance - draws) / std::sqrt(2.0 * draws));
  for (const double sum : neighbour) worst = std::max(worst, std::abs(sum) / std::sqrt(draws));
  for (std::size_t l = 0; l < lags.size(); ++l)
    for (const double sum : serial[l])
      worst = std::max(worst, std::abs(sum) / std::sqrt(double(draws - lags[l])));
  return worst;
}

/// The largest of three batches; `make(base, i)` makes stream i of a batch.
template <class Make>
double dependence_of_engines(Make make) {
  using Engine = decltype(make(std::uint64_t{}, std::uint64_t{}));
  double worst = 0;
  for (std::uint64_t base = 0; base < 3; ++base)
    worst = std::max(worst, dependence(Engines<Engine>(
                                streams, [&](std::uint64_t i) { return make(base, i); })));
  return worst;
}

template <class Engine>
Engine advanced(Engine engine, typename Engine::state_type draws_on) {
  engine.advance(draws_on);
  return engine;
}

/// The Philox stream of a key, one draw after another.
struct PhiloxStream {
  using result_type = std::uint32_t;
  static constexpr result_type max() { return ~result_type{0}; }

  std::uint64_t seed, path;
  std::uint32_t position = 0;
  fokker::PhiloxWords words{};

  result_type operator()() {
    const std::uint32_t word = position % 4;
    if (word == 0)
      words = fokker::philox({position / 4, 0, static_cast<std::uint32_t>(path), 0},
                             fokker::philox_key(seed, Purpose::wiener));
    ++position;
    return words[word];
  }
};

}  // namespace

TEMPLATE_TEST_CASE("normals pass Kolmogorov and Smirnov at a million", "", double, float) {
  const Generator generator = GENERATE(Generator::pcg32, Generator::philox);
  std::vector<double> p, stretched;
  for_normals<TestType>({1, generator}, 1000000, [&](double a, double b) {
    for (const double z : {a, b}) {
      p.push_back(upper_tail(z));
      stretched.push_back(upper_tail(1.02 * z));
    }
  });

  CHECK(kolmogorov_smirnov(std::move(p)) < kolmogorov_smirnov_limit);
  CHECK(kolmogorov_smirnov(std::move(stretched)) > kolmogorov_smirnov_limit);
}

TEMPLATE_TEST_CASE("a hundred million normals have the moments and the tails of N(0, 1)", "",
                   double, float) {
  const Generator generator = GENERATE(Generator::pcg32, Generator::philox);
  const Deviations d = deviations<TestType>({2, generator}, 100000000, [](double z) { return z; });

  for (const double moment : d.moments) CHECK(std::abs(moment) < limit);
  CHECK(std::abs(d.squares) < limit);
  CHECK(std::abs(d.above5) < limit);
  CHECK(std::abs(d.below5) < limit);
  CHECK(d.tail_smirnov < kolmogorov_smirnov_limit);
}

TEST_CASE("the same figures find normals that are wrong by little") {
  const std::size_t count = 20000000;
  const auto shifted = deviations<double>(2, count, [](double z) { return z + 0.002; });
  const auto stretched = deviations<double>(2, count, [](double z) { return 1.002 * z; });
  const auto skewed =
      deviations<double>(2, count, [](double z) { return z + 0.001 * (z * z - 1); });
  const auto cut = deviations<double>(2, count, [](double z) { return std::min(z, 4.9); });
  const auto thick = deviations<double>(
      2, count, [](double z) { return std::abs(z) > 4.5 ? z + std::copysign(0.3, z) : z; });

  CHECK(shifted.moments[0] > limit);
  CHECK(stretched.moments[1] > limit);
  CHECK(skewed.moments[2] > limit);
  CHECK(stretched.moments[3] > limit);
  CHECK(cut.above5 == Approx(-std::sqrt(count * upper_tail(5))));
  CHECK(thick.above5 > limit);
  CHECK(thick.below5 > limit);
  CHECK(thick.tail_smirnov > kolmogorov_smirnov_limit);
}

TEMPLATE_TEST_CASE("normals of neighbouring paths are independent, and at all lags", "", double,
                   float) {
  const Generator generator = GENERATE(Generator::pcg32, Generator::philox);

  for (const std::uint64_t seed : {1u, 2u})
    CHECK(dependence(Normals<TestType>(streams, {seed, generator})) < dependence_limit);
}

TEST_CASE("streams of consecutive paths and seeds are independent") {
  CHECK(dependence_of_engines([](std::uint64_t base, std::uint64_t i) {
          return path_stream(base, i, Purpose::wiener);
        }) < dependence_limit);
  CHECK(dependence_of_engines([](std::uint64_t base, std::uint64_t i) {
          return path_stream(i, base, Purpose::wiener);
        }) < dependence_limit);
  CHECK(dependence_of_engines([](std::uint64_t base, std::uint64_t i) {
          return PhiloxStream{i, base};
        }) < dependence_limit);
}

TEST_CASE("the same measurement finds every known bad way to seed pcg streams") {
  CHECK(dependence_of_engines([](std::uint64_t base, std::uint64_t i) { return pcg32(base, i); }) >
        dependence_limit);
  CHECK(dependence_of_engines([](std::uint64_t base, std::uint64_t i) {
          return pcg32(4096 * base + i);
        }) > dependence_limit);
  CHECK(dependence_of_engines([](std::uint64_t base, std::uint64_t i) {
          return advanced(pcg32(base), i << 40);
        }) > dependence_limit);
  CHECK(dependence_of_engines([](std::uint64_t base, std::uint64_t i) { return pcg64(base, i); }) >
        dependence_limit);
  CHECK(dependence_of_engines([](std::uint64_t base, std::uint64_t i) {
          return pcg64(4096 * base + i);
        }) > dependence_limit);
  CHECK(dependence_of_engines([](std::uint64_t base, std::uint64_t i) {
          return advanced(pcg64(base), pcg_extras::pcg128_t(i) << 64);
        }) > dependence_limit);
}
