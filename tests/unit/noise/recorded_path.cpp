/// @file  unit/noise/recorded_path.cpp
/// @brief Recorded Brownian paths: replayed bit for bit, summed on fewer times, refused elsewhere.

#include <cmath>
#include <vector>

#include "catch.hpp"

#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ito/milstein.hpp>
#include <fokker/solvers/noise/recorded_path.hpp>

using namespace fokker;

namespace {

const auto wave = make_sde([](const auto& x, Time t) { return (1.0 + t) - x; },
                           [](const auto& x, Time) { return 0.3 * x; }, noise::diagonal);
using Wave = std::remove_const_t<decltype(wave)>;

template <class S>
Increment<Wave, Block<S>> room(Index m, Index n) {
  Increment<Wave, Block<S>> dw;
  dw.resize(m, n);
  return dw;
}

struct NeedsH : EulerMaruyama {
  static constexpr Facts facts = [] {
    Facts all = EulerMaruyama::facts;
    all.needs.h = true;
    return all;
  }();
};

/// W(0), ..., W(3) = 0, 1, 3, 2.5 at 0, 0.5, 1, 2.
RecordedPath<double> short_path() {
  Block<double> w(1, 4);
  w << 0, 1, 3, 2.5;
  return RecordedPath<double>::of_values({0, 0.5, 1, 2}, w);
}

}  // namespace

TEMPLATE_TEST_CASE("a replayed path gives the states of simulate and integrate, bit for bit", "",
                   double, float) {
  using S = TestType;
  const TimeGrid grid = uniform_grid(0, 1, 16);
  const Index n = 64;
  const auto path = record<S>(BrownianIncrements<S>(9, 0, n, 2), grid, 2, n);
  Block<S> x0(2, n);
  x0.row(0).setConstant(S(1));
  x0.row(1).setConstant(S(2));

  const auto replayed = integrate(wave, Milstein{}, OnGrid{grid}, x0, {.noise = path});

  const auto simulated =
      simulate<S>(wave, Milstein{}, OnGrid{grid}, Eigen::Array2d(1, 2),
                  {.paths = n, .save_at = {grid[0], grid[7], grid[16]}, .seed = 9}, States{});
  CHECK((replayed.x[0].template cast<double>() == simulated.value[0]).all());
  CHECK((replayed.x[7].template cast<double>() == simulated.value[1]).all());
  CHECK((replayed.x[16].template cast<double>() == simulated.value[2]).all());
  const auto integrated =
      integrate(wave, Milstein{}, Fixed{1.0 / 16}, x0, {0.0, 1.0}, {.seed = 9, .path = 0});
  CHECK(replayed.t == integrated.t);
  for (std::size_t k = 0; k < grid.size(); ++k) CHECK((replayed.x[k] == integrated.x[k]).all());
  CHECK(replayed.status == Status::success);
  CHECK(replayed.counts.accepted == 16);
  CHECK((replayed.end == replayed.x.back()).all());
}

TEST_CASE("on fewer times a recorded path gives the sums of its increments, in any order") {
  const auto path = short_path();
  auto dw = room<double>(1, 1);

  path.increment(1, 2, dw);
  CHECK(dw.w(0, 0) == -0.5);
  path.increment(0, 1, dw);
  CHECK(dw.w(0, 0) == 3);
  path.increment(0, 2, dw);
  CHECK(dw.w(0, 0) == 2.5);
  path.increment(0.5, 1 + 1e-12, dw);
  CHECK(dw.w(0, 0) == 2);
}

TEST_CASE("a path of values drives a process along them") {
  const auto brownian = make_sde([](const auto& x, Time) { return 0.0 * x; },
                                 [](Time) { return 2.0; }, noise::additive);

  const auto solution =
      integrate(brownian, EulerMaruyama{}, OnGrid{TimeGrid{0, 1, 2}}, 1.0, {.noise = short_path()});

  CHECK(solution.x[1](0) == 7);
  CHECK(solution.x[2](0) == 6);
  CHECK(solution.end_time == 2);
}

TEST_CASE("what is not on the record is refused, and the nearest time named") {
  const auto path = short_path();
  auto dw = room<double>(1, 1);
  const auto refuse = [&](Time a, Time b, const char* message) {
    CHECK_THROWS_WITH(path.increment(a, b, dw), ContainsSubstring(message));
  };

  refuse(0, 0.7, "t=0.7 is not on the recorded path: the nearest time that is is t=0.5");
  refuse(0, 0.8, "the nearest time that is is t=1");
  refuse(-1, 1, "t=-1 is not on the recorded path: the nearest time that is is t=0");
  refuse(1, 2.5, "the nearest time that is is t=2");
  refuse(0.5, 1 + 1e-6, "the nearest time that is is t=1");
  refuse(0, NAN, "t=nan is not on the recorded path");
  refuse(1, 1, "replayed upwards in time: asked from 1 to 1");
  refuse(1, 0, "replayed upwards in time: asked from 1 to 0");
}

TEST_CASE("a solver that needs more than W, and other shapes, are refused") {
  auto wide = room<double>(1, 2);

  CHECK_THROWS_WITH(integrate(wave, NeedsH{}, OnGrid{TimeGrid{0, 1}}, 1.0, {.noise = short_path()}),
                    ContainsSubstring("increments of W alone"));
  CHECK_THROWS_WITH(short_path().increment(0, 1, wide),
                    ContainsSubstring("1 Brownian motions of 1 paths: asked for 1 of 2"));
}

TEST_CASE("a record that is no path is refused") {
  const auto refuse = [](TimeGrid times, const std::vector<Block<double>>& dw,
                         const char* message) {
    CHECK_THROWS_WITH(RecordedPath<double>(std::move(times), dw), ContainsSubstring(message));
  };
  const Block<double> one = Block<double>::Ones(1, 1), wide = Block<double>::Ones(1, 2);

  refuse({0, 1, 2}, {one}, "recorded at 3 times has 2 increments: got 1");
  refuse({0, 1, 1}, {one, one}, "strictly monotone");
  refuse({1, 0}, {one}, "must ascend");
  refuse({0, 1, 2}, {one, wide}, "number 1 is 1 x 2, the first 1 x 1");
  refuse({0, 1, 2}, {one, NAN * one}, "increment 1 of the recorded path is not finite");
}

TEST_CASE("a replay stops before the first state that is not finite and says where") {
  const auto burst = make_sde([](const auto& x, Time) { return 1e200 * x * x; },
                              [](Time) { return 0.0; }, noise::additive);

  const auto solution = integrate(burst, EulerMaruyama{}, OnGrid{TimeGrid{0, 0.5, 1, 2}}, 1.0,
                                  {.noise = short_path()});

  CHECK(solution.status == Status::non_finite);
  CHECK_THAT(solution.message, ContainsSubstring("non-finite state at t = 1 (step 2)"));
  CHECK(solution.x.size() == 2);
  CHECK_THROWS_WITH(
      integrate(burst, EulerMaruyama{}, OnGrid{TimeGrid{1, 0}}, 1.0, {.noise = short_path()}),
      ContainsSubstring("runs up in time only"));
}
