/// @file  random.cpp
/// @brief The law of the normals, and the independence of the streams.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "catch.hpp"

#include <fokker/solvers/random.hpp>

using fokker::path_stream;
using fokker::Purpose;
using fokker::StreamLanes;

namespace {

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

template <class S>
std::vector<S> normals(std::size_t count, std::uint64_t seed) {
  const std::size_t lanes = 1000;
  StreamLanes streams(seed, 0, lanes, Purpose::wiener);
  std::vector<S> z(count);
  for (std::size_t i = 0; i < count; i += 2 * lanes)
    streams.normal_pair(z.data() + i, z.data() + i + lanes, S(1), S(1));
  return z;
}

/// sqrt(n) sup |F_n - Phi|.
template <class S>
double kolmogorov_smirnov(std::vector<S> z) {
  std::sort(z.begin(), z.end());
  const double n = static_cast<double>(z.size());
  double worst = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    const double p = normal_cdf(double(z[i]));
    const double below = static_cast<double>(i) / n;
    worst = std::max({worst, p - below, below + 1 / n - p});
  }
  return std::sqrt(n) * worst;
}

/// Exceeded with probability 1e-6 by a true sample: sqrt(-log(1e-6 / 2) / 2).
constexpr double kolmogorov_smirnov_limit = 2.694;

/// Largest standardised deviation over many sums that would each be N(0, 1).
struct Dependence {
  double across;     ///< sums over all streams at one draw
  double neighbour;  ///< sums over all draws of products of streams i and i + 1
  double serial;     ///< sums over all draws of products of successive draws of a stream
};

template <class MakeStream>
Dependence dependence(MakeStream make_stream) {
  const std::size_t streams = 4096, draws = 4000;
  std::vector<double> at_draw(draws), previous(draws), current(draws);
  Dependence worst{};
  for (std::size_t i = 0; i < streams; ++i) {
    pcg32 stream = make_stream(i);
    for (double& x : current) x = (stream() * 0x1p-32 - 0.5) * std::sqrt(12.0);
    double neighbour = 0, serial = 0;
    for (std::size_t k = 0; k < draws; ++k) {
      at_draw[k] += current[k];
      neighbour += current[k] * previous[k];
      if (k > 0) serial += current[k] * current[k - 1];
    }
    const double root = std::sqrt(static_cast<double>(draws));
    worst.neighbour = std::max(worst.neighbour, std::abs(neighbour) / root);
    worst.serial = std::max(worst.serial, std::abs(serial) / root);
    previous.swap(current);
  }
  for (const double sum : at_draw)
    worst.across = std::max(worst.across, std::abs(sum) / std::sqrt(static_cast<double>(streams)));
  return worst;
}

/// The middle of three batches: each measure of one batch of independent streams passes 5 with a
/// probability of 0.2 %, so the middle does not.
template <class MakeStream>
Dependence middle_dependence(MakeStream make_stream) {
  std::vector<Dependence> batches;
  for (std::uint64_t base = 0; base < 3; ++base)
    batches.push_back(dependence([&](std::uint64_t i) { return make_stream(base, i); }));
  const auto middle = [&](double Dependence::*measure) {
    std::sort(batches.begin(), batches.end(),
              [&](const Dependence& a, const Dependence& b) { return a.*measure < b.*measure; });
    return batches[1].*measure;
  };
  return {middle(&Dependence::across), middle(&Dependence::neighbour), middle(&Dependence::serial)};
}

}  // namespace

TEMPLATE_TEST_CASE("normals pass Kolmogorov and Smirnov at a million", "", double, float) {
  const auto z = normals<TestType>(1000000, 1);
  auto stretched = z;
  for (TestType& x : stretched) x *= TestType(1.02);

  CHECK(kolmogorov_smirnov(z) < kolmogorov_smirnov_limit);
  CHECK(kolmogorov_smirnov(stretched) > kolmogorov_smirnov_limit);
}

TEMPLATE_TEST_CASE("normals have the moments and the tails of N(0, 1)", "", double, float) {
  const std::size_t count = 20000000;
  const auto z = normals<TestType>(count, 2);
  const double n = static_cast<double>(count);
  double m1 = 0, m2 = 0, m3 = 0, m4 = 0, cross = 0;
  double beyond4 = 0, beyond5 = 0;

  for (std::size_t i = 0; i < count; ++i) {
    const double x = double(z[i]), x2 = x * x;
    m1 += x;
    m2 += x2;
    m3 += x2 * x;
    m4 += x2 * x2;
    cross += i >= 1000 ? (x2 - 1) * (double(z[i - 1000]) * double(z[i - 1000]) - 1) : 0;
    beyond4 += std::abs(x) > 4;
    beyond5 += std::abs(x) > 5;
  }

  const double root = std::sqrt(n);
  CHECK(std::abs(m1 / root) < 4.5);
  CHECK(std::abs((m2 - n) / root) < 4.5 * std::sqrt(2.0));
  CHECK(std::abs(m3 / root) < 4.5 * std::sqrt(15.0));
  CHECK(std::abs((m4 - 3 * n) / root) < 4.5 * std::sqrt(96.0));
  CHECK(std::abs(cross / root) < 4.5 * 2.0);  // squares of the two normals of a pair
  const double expected4 = n * std::erfc(4 / std::sqrt(2.0));
  CHECK(std::abs(beyond4 - expected4) < 4.5 * std::sqrt(expected4));
  const double expected5 = n * std::erfc(5 / std::sqrt(2.0));  // 11.5
  CHECK(std::abs(beyond5 - expected5) < 4.5 * std::sqrt(expected5));
}

TEST_CASE("streams of consecutive paths and seeds are independent") {
  const Dependence paths = middle_dependence(
      [](std::uint64_t base, std::uint64_t i) { return path_stream(base, i, Purpose::wiener); });
  const Dependence seeds = middle_dependence(
      [](std::uint64_t base, std::uint64_t i) { return path_stream(i, base, Purpose::wiener); });

  for (const Dependence& d : {paths, seeds}) {
    CHECK(d.across < 5);
    CHECK(d.neighbour < 5);
    CHECK(d.serial < 5);
  }
}

TEST_CASE("the same measurement finds the dependence of consecutive pcg32 streams and seeds") {
  const Dependence streams =
      middle_dependence([](std::uint64_t base, std::uint64_t i) { return pcg32(base, i); });
  const Dependence seeds =
      middle_dependence([](std::uint64_t base, std::uint64_t i) { return pcg32(4096 * base + i); });

  CHECK(std::max(streams.across, streams.neighbour) > 7);
  CHECK(std::max(seeds.across, seeds.neighbour) > 7);
}
