/// @file  unit/ensemble/reductions.cpp
/// @brief Streamed statistics against two-pass formulas, and functionals of paths.

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "catch.hpp"

#include <fokker/solvers/ensemble/first_passage.hpp>
#include <fokker/solvers/ensemble/path_statistics.hpp>
#include <fokker/solvers/ensemble/reductions.hpp>
#include <fokker/solvers/ensemble/streamed_states.hpp>

using namespace fokker;

namespace {

const std::vector<double> values{3, -1, 4, 1, -5, 9, 2, 6, 5, 3, 5, -8, 9, 7, 9, 3, 2};

RunningMoments part(std::size_t first, std::size_t count) {
  return RunningMoments::of(static_cast<Index>(count),
                            [&](Index j) { return values[first + static_cast<std::size_t>(j)]; });
}

}  // namespace

TEST_CASE("running moments are the mean and the sum of squared deviations") {
  double mean = 0, m2 = 0;
  for (const double v : values) mean += v / static_cast<double>(values.size());
  for (const double v : values) m2 += (v - mean) * (v - mean);

  const RunningMoments m = part(0, values.size());

  CHECK(m.n == 17);
  CHECK_THAT(m.mean, WithinAbs(mean, 1e-14));
  CHECK_THAT(m.m2, WithinRel(m2, 1e-14));
  CHECK_THAT(m.variance(), WithinRel(m2 / 16, 1e-14));
  CHECK_THAT(m.standard_error(), WithinRel(std::sqrt(m2 / 16 / 17), 1e-14));
}

TEST_CASE("merged moments are those of the union, and an empty side changes nothing") {
  const RunningMoments all = part(0, 17), none{};

  const RunningMoments merged = RunningMoments::merge(part(0, 5), part(5, 12));

  CHECK(merged.n == 17);
  CHECK_THAT(merged.mean, WithinAbs(all.mean, 1e-14));
  CHECK_THAT(merged.m2, WithinRel(all.m2, 1e-14));
  CHECK(RunningMoments::merge(none, all).m2 == all.m2);
  CHECK(RunningMoments::merge(all, none).m2 == all.m2);
}

TEST_CASE("the variance of one path is unknown, not zero") {
  CHECK(std::isnan(part(0, 1).variance()));
}

TEST_CASE("Moments reduces each component apart and sees the columns of the leaf only") {
  Block<double> x(2, 4);
  x << 1, 2, 3, 1e9,  //
      -1, 0, 4, 1e9;

  const Moments moments;
  const auto value = moments.result(moments.partial(Nothing{}, x, 0, 3, 0));

  CHECK_THAT(value.mean[0], WithinAbs(2, 1e-15));
  CHECK_THAT(value.mean[1], WithinAbs(1, 1e-15));
  CHECK_THAT(value.variance[0], WithinAbs(1, 1e-15));
  CHECK_THAT(value.variance[1], WithinAbs(7, 1e-14));
}

TEST_CASE("a path functional carries its own state along the path") {
  PathFunctional maximum{[](const auto& x, Time) { return x; },
                         [](auto& top, const auto& x, Time) { top = top.max(x); },
                         [](const auto& top, const auto&) { return top.row(0); }};
  Block<double> x0(1, 2), x1(1, 2), x2(1, 2);
  x0 << 0, 0;
  x1 << 3, -2;
  x2 << 1, -1;

  auto accumulator = maximum.accumulator(x0);
  maximum.observe(accumulator, 0, 0.0, x0, 0);
  maximum.observe(accumulator, 1, 0.5, x1, 0);
  maximum.observe(accumulator, 2, 1.0, x2, 0);
  maximum.finish(accumulator, x2);
  const Estimate e = maximum.result(maximum.partial(accumulator, x2, 0, 2, 0));

  CHECK_THAT(e.mean, WithinAbs(1.5, 1e-15));
  CHECK_THAT(e.standard_error, WithinAbs(1.5, 1e-14));
  CHECK_THAT(e.high - e.low, WithinRel(2 * 1.959963984540054 * 1.5, 1e-12));
}

TEST_CASE("FinalState and States keep the paths in their places") {
  FinalState final_state;
  States saved;
  const TimeGrid grid{0, 1, 2};
  Block<double> x(1, 3);
  x << 5, 6, 7;
  final_state.prepare(5, 1, grid);
  saved.prepare(5, 1, grid);

  final_state.partial(Nothing{}, x, 1, 2, 2);
  Nothing none;
  saved.observe(none, 0, 0.0, x, 0);
  saved.observe(none, 2, 2.0, x, 3);
  const auto states = final_state.result(Nothing{});
  const auto points = saved.result(Nothing{});

  CHECK(states(0, 3) == 6);
  CHECK(states(0, 4) == 7);
  CHECK(std::isnan(states(0, 0)));
  REQUIRE(points.size() == 3);
  CHECK(points[2](0, 4) == 6);
  CHECK(points[0](0, 2) == 7);
  CHECK(std::isnan(points[0](0, 3)));
  CHECK(!points[1].isFinite().any());
}

namespace {

struct Still {};

}  // namespace

TEST_CASE("Reductions that store what cannot fit are refused with the figures") {
  constexpr Index most = std::numeric_limits<Index>::max();
  const TimeGrid grid{0, 1, 2};
  const auto refused = [&](auto reduction, const char* figures) {
    CHECK_THROWS_WITH(reduction.prepare(most, 1, grid),
                      ContainsSubstring(figures) && ContainsSubstring("paths"));
  };
  refused(FinalState{}, "needs about 73787 PB of memory");
  refused(States{}, "needs about 221361 PB of memory");
  refused(FirstPassage(Still{}, 0, 1.0, 0), "needs about 73787 PB of memory");
  refused(StreamedStates("never.npy"), "would take 221361 PB");
}
