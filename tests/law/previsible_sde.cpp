/// @file  law/previsible_sde.cpp
/// @brief Steps chosen from the state: the law of their increments, convergence, bounded moments.

#include "catch.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include <fokker/solvers/ensemble/reductions.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/integrate/adaptive_sde.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>

using namespace fokker;

namespace {

using X = PathState<double, 1>;

template <class P>
using Run = detail::PredictableRun<EulerMaruyama, P, X>;

void check_mean(const std::vector<double>& values, double mean) {
  const auto m = RunningMoments::of(static_cast<Index>(values.size()),
                                    [&](Index j) { return values[static_cast<std::size_t>(j)]; });
  CHECK(std::abs(m.mean - mean) < 5.1 * m.standard_error());
}

/// X at 1 by steps chosen from the state, on the path (seed, path).
template <class P>
double end_of(const P& process, double x0, double delta, PathKey key) {
  Run<P> run({}, {delta}, process, 1, {key.seed, key.path});
  X x = X::Constant(x0);
  Counts counts;
  detail::Interval interval{.end = 1, .tries = 10'000'000};
  if (detail::run_to(run, x, 0, interval, counts) != Status::success) FAIL("the run stopped");
  return x[0];
}

/// W on [0, 1] of the same path.
BrownianTree<double> tree_of(PathKey key) { return {key.seed, key.path, 1, 1, 0, 1}; }

template <class P>
double increment(BrownianTree<double>& tree, const P&, Time s, Time t) {
  Increment<P, X> dw;
  dw.resize(1, 1);
  tree.increment(s, t, dw);
  return dw.w(0, 0);
}

}  // namespace

TEST_CASE("increments over steps chosen from the state are N(0, h) and independent") {
  // The drift is as fast as 64 |x|: steps from 1/8 down to 1/64.
  const auto process = make_sde([](const auto& x, double) { return -8.0 * x.cube(); },
                                [](double) { return 2.0; }, noise::additive);
  using P = std::remove_const_t<decltype(process)>;
  std::vector<double> z1, z2, zz, short_square;
  std::array<int, 64> sizes{};

  for (std::uint64_t path = 0; path < 10'000; ++path) {
    Run<P> run({}, {0.25}, process, 1, {6, path});
    X x = X::Constant(0.5);
    Counts counts;
    double last = 0;
    for (Time t = 0; t < 1;) {
      const double before = x[0];
      const Time from = t;
      if (run.try_step(x, t, 1.0, counts) != Status::success) FAIL("the run stopped");
      REQUIRE(run.accepted());
      const Time h = t - from;
      const double z = (x[0] - before + 8 * h * before * before * before) / (2 * std::sqrt(h));
      z1.push_back(z);
      z2.push_back(z * z - 1);
      zz.push_back(z * last);
      if (h < 0.1) short_square.push_back(z * z - 1);
      ++sizes[static_cast<std::size_t>(std::lround(-std::log2(h)))];
      last = z;
    }
    REQUIRE(counts.rejected == 0);
  }

  REQUIRE(std::count_if(sizes.begin(), sizes.end(), [](int n) { return n > 1000; }) >= 4);
  for (const auto* values : {&z1, &z2, &zz, &short_square}) check_mean(*values, 0);
}

TEST_CASE("EulerMaruyama with steps chosen from the state has strong order 1/2 on diagonal noise") {
  const auto gbm = make_sde([](const auto& x, double) { return 1.5 * x; },
                            [](const auto& x, double) { return 1.0 * x; }, noise::diagonal);
  const auto error = [&](double delta) {
    double sum = 0;
    for (std::uint64_t path = 0; path < 2000; ++path) {
      auto tree = tree_of({8, path});
      const double w = increment(tree, gbm, 0, 1);
      sum += std::abs(end_of(gbm, 0.5, delta, {8, path}) - 0.5 * std::exp(1 + w));
    }
    return sum;
  };

  CHECK_THAT(std::log2(error(0x1p-6) / error(0x1p-10)) / 4, WithinAbs(0.5, 0.06));
}

TEST_CASE(
    "a drift that grows faster than linearly cannot make steps chosen from the state explode") {
  // dX = -X^3 dt + X dW has X_1 = e^(W_1 - 1/2) / sqrt(x0^-2 + 2 int_0^1 e^(2 W_s - s) ds).
  const auto process = make_sde([](const auto& x, double) { return -x.cube(); },
                                [](const auto& x, double) { return 1.0 * x; }, noise::diagonal);
  constexpr double x0 = 1e4;
  constexpr int paths = 400, cells = 1 << 11;

  std::vector<double> exact;
  for (std::uint64_t path = 0; path < paths; ++path) {
    auto tree = tree_of({9, path});
    double w = 0, integral = 0;
    for (int i = 0; i < cells; ++i) {
      const Time s = 1.0 * i / cells, t = 1.0 * (i + 1) / cells;
      const double before = std::exp(2 * w - s);
      w += increment(tree, process, s, t);
      integral += 0.5 / cells * (before + std::exp(2 * w - t));
    }
    exact.push_back(std::exp(w - 0.5) / std::sqrt(1 / (x0 * x0) + 2 * integral));
  }
  const auto error = [&](double delta) {
    double sum = 0;
    for (std::uint64_t path = 0; path < paths; ++path)
      sum += std::abs(end_of(process, x0, delta, {9, path}) - exact[path]);
    return sum / paths;
  };
  const double coarse = error(0x1p-4), fine = error(0x1p-8);

  CHECK(coarse < 0.2);
  CHECK(fine < 0.35 * coarse);  // delta^(1/2) would make it 1/4
  const auto fixed = simulate(process, EulerMaruyama{}, OnGrid{uniform_grid(0, 1, 256)}, x0,
                              {.paths = 10}, FinalState{});
  CHECK(!fixed.value.isFinite().any());
}
