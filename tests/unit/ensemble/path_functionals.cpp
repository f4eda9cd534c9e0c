/// @file  unit/ensemble/path_functionals.cpp
/// @brief The extremum of a bridge inverts its law; functionals of given paths; what the bits hang
/// on.

#include "no_allocation.hpp"

#include <cmath>
#include <limits>

#include "catch.hpp"

#include <fokker/solvers/ensemble/path_functionals.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>

using namespace fokker;

namespace {

const auto brownian =
    make_sde([](const auto& x, Time) { return 0 * x; }, [](Time) { return 1.0; }, noise::additive);
const auto still =
    make_sde([](const auto& x, Time) { return 0 * x; }, [](Time) { return 0.0; }, noise::additive);

/// The functional of two components on three times: x = (0, 4), (3, -2), (1, 1); t = 0, 1, 3.
double of_given_path(const auto& functional, double sign = 1) {
  Block<double> x(2, 1);
  x << 0, 4;
  auto accumulator = functional.accumulator(x);
  functional.observe(accumulator, 0, 0.0, x, 0);
  x << 3, -2;
  functional.observe(accumulator, 1, sign * 1.0, x, 0);
  x << 1, 1;
  {
    const NoAllocation strict;
    functional.observe(accumulator, 2, sign * 3.0, x, 0);
  }
  functional.finish(accumulator, x);
  return functional.partial(accumulator, x, 0, 1, 0).mean;
}

}  // namespace

TEST_CASE("the maximum of a bridge is the inverse of its law") {
  for (const double variance : {1e-12, 0.3, 4.0, 1e6})
    for (const double a : {-2.0, 0.0, 1.5})
      for (const double u : {1e-15, 0.2, 0.7, 0.999}) {
        const double b = 1, y = bridge_maximum(a, b, variance, u);

        INFO(a << ' ' << variance << ' ' << u);
        CHECK(y >= std::max(a, b));
        CHECK(y == bridge_maximum(b, a, variance, u));
        CHECK(-y == bridge_minimum(-a, -b, variance, u));
        if (variance > 1e-3)
          CHECK_THAT(std::exp(-2 * (y - a) * (y - b) / variance), WithinRel(u, 1e-10));
      }
}

TEST_CASE("the maximum of a bridge at the ends of its parameters") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), u = std::exp(-2.0);

  CHECK(bridge_maximum(1, 2, 0, 0.5) == 2);
  CHECK(bridge_maximum(2, 2, 0, 0.5) == 2);
  CHECK(bridge_maximum(1, 2, 1, 1) == 2);
  CHECK_THAT(bridge_maximum(0, 0, 1e-320, u), WithinRel(std::sqrt(1e-320), 1e-12));
  CHECK_THAT(bridge_maximum(0, 0, 1e300, u), WithinRel(1e150, 1e-12));
  CHECK_THAT(bridge_maximum(0, -1e200, 1e300, u), WithinRel(1e100, 1e-12));
  CHECK_THAT(bridge_maximum(0, -1, 1e-20, u), WithinRel(1e-20, 1e-12));  // no cancellation
  CHECK(std::isnan(bridge_maximum(nan, 1, 1, 0.5)));
  CHECK(std::isnan(bridge_maximum(1, nan, 1, 0.5)));
  CHECK(std::isnan(bridge_minimum(1, nan, 0, 0.5)));
}

TEST_CASE("functionals of a given path, up and down in time") {
  CHECK(of_given_path(time_integral(0)) == 5.5);
  CHECK(of_given_path(time_integral(0), -1) == -5.5);
  CHECK_THAT(of_given_path(time_average(1)), WithinAbs(0, 1e-15));
  CHECK_THAT(of_given_path(time_average(0), -1), WithinRel(5.5 / 3, 1e-15));
  CHECK(of_given_path(running_maximum(0)) == 3);
  CHECK(of_given_path(running_maximum(1)) == 4);
  CHECK(of_given_path(running_minimum(1)) == -2);
  CHECK(of_given_path(running_maximum(0, [](const auto& m) { return m.square(); })) == 9);
  CHECK(of_given_path(running_maximum(still, 0, 7)) == 3);
  CHECK(of_given_path(running_minimum(still, 1, 7)) == -2);
  CHECK(of_given_path(running_maximum(brownian, 0, 7)) > 3);
  CHECK(of_given_path(running_minimum(brownian, 1, 7)) < -2);
}

TEST_CASE("a grid of one time: the functionals of the start") {
  const TimeGrid now{2};
  const SimulateOptions options{.paths = 3, .seed = 1};
  const auto of_start = [&](const auto& functional) {
    return simulate(brownian, EulerMaruyama{}, OnGrid{now}, 1.5, options, functional).value.mean;
  };

  CHECK(of_start(time_average(0)) == 1.5);
  CHECK(of_start(time_integral(0)) == 0);
  CHECK(of_start(running_maximum(brownian, 0, 1)) == 1.5);
}

TEST_CASE("extrema between the points have the same bits on any threads and among any paths") {
  const TimeGrid grid = uniform_grid(0, 1, 4);
  const auto maximum = [&](Index paths, int threads, Seed seed) {
    return simulate(brownian, EulerMaruyama{}, OnGrid{grid}, 0.0,
                    {.paths = paths, .seed = seed, .threads = threads},
                    running_maximum(brownian, 0, seed))
        .value.mean;
  };
  const auto block = [](Index first, Index width) {  // the maxima of one step of given ends
    Block<double> x = Block<double>::Zero(1, width);
    const auto functional = running_maximum(brownian, 0, 3);
    auto accumulator = functional.accumulator(x);
    functional.observe(accumulator, 0, 0.0, x, first);
    functional.observe(accumulator, 1, 1.0, x, first);
    return accumulator.carry.maximum;
  };

  CHECK(maximum(3000, 1, 3) == maximum(3000, 2, 3));
  CHECK((block(0, 64).segment(40, 7) == block(40, 7)).all());
  CHECK((block(64, 64) != block(0, 64)).all());
  CHECK(maximum(100, 1, Seed(3, Generator::philox)) != maximum(100, 1, 3));
}

TEST_CASE("asking for an extremum leaves the paths as they are") {
  const TimeGrid grid = uniform_grid(0, 1, 4);
  const SimulateOptions options{.paths = 100, .seed = 3};

  const double end =
      simulate(brownian, EulerMaruyama{}, OnGrid{grid}, 0.0, options, Moments{}).value.mean[0];
  auto maximum = running_maximum(brownian, 0, options.seed);
  PathFunctional last{maximum.start, maximum.update, [](const auto& carry, const auto&) {
                        return detail::ValueRow(carry.previous);
                      }};

  CHECK(simulate(brownian, EulerMaruyama{}, OnGrid{grid}, 0.0, options, last).value.mean == end);
}

TEST_CASE("a component that is not there is refused, and a path that fails is counted") {
  const TimeGrid grid = uniform_grid(0, 1, 4);
  const SimulateOptions options{.paths = 3, .seed = 3};
  const auto fails =
      make_sde([](const auto& x, Time t) { return 0 * x + (t < 0.5 ? 0 : std::nan("")); },
               [](Time) { return 1e-3; }, noise::additive);
  const auto run = [&](const auto& process, const auto& functional) {
    return simulate(process, EulerMaruyama{}, OnGrid{grid}, 0.0, options, functional);
  };

  CHECK_THROWS_WITH(run(brownian, time_average(1)), ContainsSubstring("component=1"));
  CHECK_THROWS_WITH(run(brownian, running_maximum(-1)), ContainsSubstring("component=-1"));
  CHECK_THROWS_WITH(run(brownian, running_minimum(brownian, 2, 3)),
                    ContainsSubstring("component=2"));
  CHECK(run(fails, running_maximum(0)).failed == 3);
  CHECK(std::isnan(run(fails, running_maximum(0)).value.mean));
  CHECK(std::isnan(run(fails, running_maximum(fails, 0, 3)).value.mean));
  CHECK(run(fails, time_integral(0)).status == Status::non_finite);
}
