/// The standard errors of the distances, against the real spread over independent repetitions.

#include <array>
#include <cmath>
#include <numbers>
#include <random>
#include <string_view>
#include <vector>

#include <pcg_random.hpp>

#include <fokker/analysis/distance/distances.hpp>

#include "catch.hpp"

using fokker::Distance;
using fokker::Index;
using fokker::Sample;

namespace {

/// Draws one path into column j.
using Law = void (*)(pcg64& rng, Sample& x, Index j);

double normal(pcg64& rng) { return std::normal_distribution<double>{}(rng); }

template <int shift_percent, int scale_percent>
void gaussian(pcg64& rng, Sample& x, Index j) {
  for (Index r = 0; r < x.d; ++r) {
    x.row(r)[j] = shift_percent / 100.0 + scale_percent / 100.0 * normal(rng);
  }
}

/// Eight narrow modes on a circle: far apart, so that a small imbalance costs a long way.
template <int radius_percent>
void ring(pcg64& rng, Sample& x, Index j) {
  const double angle = 0.25 * std::numbers::pi * static_cast<double>(rng(8));
  x.row(0)[j] = 4.0 * radius_percent / 100.0 * std::cos(angle) + 0.3 * normal(rng);
  x.row(1)[j] = 4.0 * radius_percent / 100.0 * std::sin(angle) + 0.3 * normal(rng);
}

Sample draw(Law law, Index d, Index n, pcg64& rng) {
  Sample x(d, n);
  for (Index j = 0; j < n; ++j) law(rng, x, j);
  return x;
}

struct Ratio {
  double mean;
  double predicted_over_real;
};

/// The mean standard error over the real standard deviation of the distance between P and Q.
Ratio repeat(std::string_view metric, Law p, Law q, Index d, Index n, int repetitions) {
  pcg64 rng(20240607);
  std::vector<Distance> distances;
  for (int k = 0; k < repetitions; ++k) {
    const Sample x = draw(p, d, n, rng), y = draw(q, d, n + n / 2, rng);
    distances.push_back((*fokker::make_metric(metric, y))(x));
  }
  double mean = 0.0, predicted = 0.0, squares = 0.0;
  for (const Distance& v : distances) mean += v.value / repetitions;
  for (const Distance& v : distances) predicted += v.standard_error / repetitions;
  for (const Distance& v : distances) squares += (v.value - mean) * (v.value - mean);
  return {mean, predicted / std::sqrt(squares / (repetitions - 1))};
}

struct Case {
  std::string_view metric;
  Index d;
};
constexpr std::array cases{Case{"w1", 1},        Case{"w2", 1},     Case{"energy", 1},
                           Case{"sliced-w2", 2}, Case{"energy", 2}, Case{"sliced-w2", 5}};

// The real sd over 120 repetitions is itself known to 1 / sqrt(240) = 6.5 %.
constexpr int repetitions = 120;
constexpr Index paths = 400;

}  // namespace

TEST_CASE("Standard errors predict the spread between laws that differ") {
  for (const auto [metric, d] : cases) {
    const Ratio shifted =
        repeat(metric, gaussian<0, 100>, gaussian<50, 100>, d, paths, repetitions);
    const Ratio scaled = repeat(metric, gaussian<0, 100>, gaussian<0, 200>, d, paths, repetitions);

    INFO(metric << " in " << d << " dimensions: " << shifted.predicted_over_real << ", "
                << scaled.predicted_over_real);
    CHECK(shifted.predicted_over_real == Approx(1.0).margin(0.25));
    CHECK(scaled.predicted_over_real == Approx(1.0).margin(0.25));
  }
}

TEST_CASE("Standard errors predict the spread between mixtures that differ") {
  for (const auto metric : {"sliced-w2", "energy"}) {
    const Ratio ratio = repeat(metric, ring<100>, ring<75>, 2, paths, repetitions);

    INFO(metric << ": " << ratio.predicted_over_real);
    CHECK(ratio.predicted_over_real == Approx(1.0).margin(0.25));
  }
}

TEST_CASE("Standard errors at the floor err to the large side, by less than a factor two") {
  for (const auto [metric, d] : cases) {
    const Ratio same = repeat(metric, gaussian<0, 100>, gaussian<0, 100>, d, paths, repetitions);

    INFO(metric << " in " << d << " dimensions: " << same.predicted_over_real);
    CHECK(same.predicted_over_real > 0.9);
    CHECK(same.predicted_over_real < 2.0);
  }
  for (const auto metric : {"sliced-w2", "energy"}) {
    const Ratio same = repeat(metric, ring<100>, ring<100>, 2, paths, repetitions);

    INFO(metric << " on the ring: " << same.predicted_over_real);
    CHECK(same.predicted_over_real > 0.9);
    CHECK(same.predicted_over_real < 2.0);
  }
}

TEST_CASE("The floor of W2 between normal samples falls with the number of paths") {
  pcg64 rng(7);
  const auto floor = [&](Index n) {
    const auto pair = [&](int) {
      return std::pair{draw(gaussian<0, 100>, 1, n, rng), draw(gaussian<0, 100>, 1, n, rng)};
    };
    return fokker::floor_of("w2", pair, 60).mean;
  };

  // n E W2^2 grows like log log n for a normal law (Bobkov & Ledoux, 2019): nearly n^-1/2.
  const double ratio = floor(200) / floor(3200);

  CHECK(ratio > 2.8);
  CHECK(ratio < 4.2);
}
