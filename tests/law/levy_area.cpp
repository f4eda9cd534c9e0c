/// @file  law/levy_area.cpp
/// @brief The law of the Levy areas, alone and given the increments.

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "catch.hpp"

#include <fokker/solvers/noise/brownian.hpp>
#include <fokker/solvers/noise/levy_ladder.hpp>

using namespace fokker;

namespace {

struct General {
  static constexpr NoiseKind noise = NoiseKind::general;
};

constexpr Needs areas{.area = true};

/// Each of the checks below fails with probability 6e-7 for a true sample.
constexpr double limit = 5;

/// |mean - value| / standard error.
double deviation(const Eigen::ArrayXd& sample, double value) {
  const double n = static_cast<double>(sample.size()), mean = sample.mean();
  const double variance = (sample - mean).square().sum() / (n - 1);
  return std::abs(mean - value) / std::sqrt(variance / n);
}

/// sqrt(n) sup |F_n - F| for the area over a unit step, with the density sech(pi a).
double kolmogorov_smirnov(Eigen::ArrayXd a) {
  std::sort(a.begin(), a.end());
  const double n = static_cast<double>(a.size());
  double worst = 0;
  for (Index i = 0; i < a.size(); ++i) {
    const double p = 0.5 + 2 / std::numbers::pi * std::atan(std::tanh(std::numbers::pi * a[i] / 2));
    const double below = static_cast<double>(i) / n;
    worst = std::max({worst, p - below, below + 1 / n - p});
  }
  return std::sqrt(n) * worst;
}

/// Exceeded with probability 1e-6 by a true sample: sqrt(-log(1e-6 / 2) / 2).
constexpr double kolmogorov_smirnov_limit = 2.694;

/// W / sqrt(h) and A / h of many steps, one row per Wiener process and per pair.
struct Sample {
  Block<double> w, area;
};

template <class Source>
Sample sample(Source source, Index m, Time h, Index count) {
  const Index n = 4000;
  Sample all{Block<double>(m, count), Block<double>(m * (m - 1) / 2, count)};
  Increment<General, Block<double>> dw;
  dw.resize(m, n, areas);
  for (Index i = 0; i < count; i += n) {
    const Time t = h * static_cast<Time>(i / n);
    source.increment(t, t + h, dw);
    all.w.middleCols(i, n) = dw.w / std::sqrt(h);
    all.area.middleCols(i, n) = dw.area / h;
  }
  return all;
}

BrownianIncrements<double> source(std::uint64_t seed, Index m) { return {seed, 0, 4000, m, areas}; }

/// Areas with Wiktorsson's tail over independent increments.
class WiktorssonIncrements {
 public:
  WiktorssonIncrements(std::uint64_t seed, Index m)
      : w_(seed, 0, 4000, m), area_(seed, 0, 4000, m, LevyTail::wiktorsson) {}
  template <class Dw>
  void increment(Time t0, Time t1, Dw& dw) {
    w_.increment(t0, t1, dw);
    area_.fill(dw.w, t1 - t0, dw.area);
  }

 private:
  BrownianIncrements<double> w_;
  LevyAreas<double> area_;
};

/// Each interval as the three last quarters and the first one of a ladder of its own, put together.
struct LadderIncrements {
  std::uint64_t seed;
  template <class Dw>
  void increment(Time t0, Time t1, Dw& dw) {
    LevyLadder<double> ladder(seed++, 0, dw.w.cols(), dw.w.rows(), t0, t1, 2);
    const Time quarter = subdivision(t0, t1, 1, 4);
    Dw rest;
    rest.resize(dw.w.rows(), dw.w.cols(), areas);
    ladder.increment(quarter, t1, rest);
    ladder.increment(t0, quarter, dw);
    append(dw, quarter - t0, rest, t1 - quarter, areas);
  }
};

void check_law_of_one_area(const Sample& s) {
  const Eigen::ArrayXd a = s.area.row(0), square = a.square();
  const Eigen::ArrayXd given = square - (1 + s.w.square().colwise().sum().transpose()) / 12;
  const Eigen::ArrayXd length = s.w.square().colwise().sum();

  CHECK(deviation(a, 0) < limit);
  CHECK(deviation(square, 0.25) < limit);
  CHECK(deviation(square.square(), 5 * 0.25 * 0.25) < limit);
  CHECK(deviation(a.abs(), 0.371226872711) < limit);
  CHECK(deviation((a.abs() < 0.25).cast<double>(), 0.455332200774) < limit);
  CHECK(kolmogorov_smirnov(a) < kolmogorov_smirnov_limit);
  CHECK(deviation(given, 0) < limit);  // Var(A | W) = (1 + |W|^2) / 12
  CHECK(deviation(given * (length - 2), 0) < limit);
  CHECK(deviation(given * (length < 1).cast<double>(), 0) < limit);
  const Eigen::ArrayXd iterated = 0.5 * (s.w.row(0) * s.w.row(1)).transpose() + a;
  CHECK(deviation(iterated.square(), 0.5) < limit);  // int W_0 dW_1
}

}  // namespace

TEST_CASE("an area over a short step has the law of Levy's formula, alone and given W") {
  check_law_of_one_area(sample(source(11, 2), 2, 1e-4, 1000000));
}

TEST_CASE("areas put together by Chen's relation have the law of those drawn") {
  check_law_of_one_area(sample(CoarsenedIncrements(source(12, 2), 4, areas), 2, 4e-3, 400000));
}

TEST_CASE("an area with Wiktorsson's tail has the law of Levy's formula, alone and given W") {
  check_law_of_one_area(sample(WiktorssonIncrements(16, 2), 2, 1e-3, 400000));
}

TEST_CASE("areas from a ladder have the law of those drawn") {
  check_law_of_one_area(sample(LadderIncrements{1000}, 2, 4e-3, 400000));
}

TEST_CASE("the moments of an area given W are exact for a single term") {
  const Sample s = sample(source(13, 2), 2, 4.0, 400000);
  REQUIRE(levy_area_terms(2, 4.0) == 1);
  const Eigen::ArrayXd given = s.area.row(0).square() - (1 + s.w.square().colwise().sum()) / 12;

  CHECK(deviation(s.area.row(0).square(), 0.25) < limit);
  CHECK(deviation(given, 0) < limit);
}

TEST_CASE("three areas have the covariances of one Brownian path") {
  const Sample s = sample(source(14, 3), 3, 1e-3, 400000);
  const auto w = [&](Index k) { return s.w.row(k); };
  const auto area = [&](Index k, Index l) { return s.area.row(area_row(k, l)); };
  const Eigen::ArrayXd shared_first = area(0, 1) * area(0, 2) - w(1) * w(2) / 12,
                       shared_last = area(0, 2) * area(1, 2) - w(0) * w(1) / 12,
                       chain = area(0, 1) * area(1, 2) + w(0) * w(2) / 12;

  for (Index row = 0; row < 3; ++row) CHECK(deviation(s.area.row(row).square(), 0.25) < limit);
  CHECK(deviation(shared_first * (w(1) * w(2)).transpose(), 0) < limit);
  CHECK(deviation(shared_last * (w(0) * w(1)).transpose(), 0) < limit);
  CHECK(deviation(chain * (w(0) * w(2)).transpose(), 0) < limit);
}

TEST_CASE("Fourier coefficients of variance h where 1 is meant do not pass") {
  // The bridge part of the area from 20 terms over a step h, with coefficients of a given variance.
  const double h = 0.25;
  const Index count = 100000;
  const auto iterated_square = [&](double variance) {
    StreamLanes lanes(15, 0, static_cast<std::size_t>(count), Purpose::analysis);
    Eigen::ArrayXd w0(count), w1(count), x0(count), y0(count), x1(count), y1(count);
    Eigen::ArrayXd area = Eigen::ArrayXd::Zero(count);
    const double scale = std::sqrt(variance);
    lanes.normal_pair(w0.data(), w1.data(), 1.0, 1.0);
    for (int r = 1; r <= 20; ++r) {
      lanes.normal_pair(x0.data(), y0.data(), scale, scale);
      lanes.normal_pair(x1.data(), y1.data(), scale, scale);
      const double root_2 = std::numbers::sqrt2;
      area += (x0 * (y1 - root_2 * w1) - x1 * (y0 - root_2 * w0)) / (2 * std::numbers::pi * r);
    }
    return Eigen::ArrayXd((0.5 * w0 * w1 + area).square());
  };

  CHECK(std::abs(iterated_square(1).mean() - 0.5) < 0.02);
  CHECK(deviation(iterated_square(h), 0.5) > 10 * limit);
}
