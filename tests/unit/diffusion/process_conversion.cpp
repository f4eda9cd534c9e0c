/// @file  process_conversion.cpp
/// @brief One process as another: times, states, scores and flows map onto each other.

#include <cmath>
#include <vector>

#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/model/probability_flow.hpp>
#include <fokker/diffusion/samplers/ddim.hpp>
#include <fokker/diffusion/schedule/any_schedule.hpp>
#include <fokker/diffusion/score/conversion.hpp>
#include <fokker/diffusion/score/exact_score.hpp>
#include <fokker/solvers/core/grid.hpp>
#include <fokker/solvers/integrate/stepping.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

#include "catch.hpp"

using namespace fokker;

namespace {

using X = Block<double>;
using AnyForward = AffineProcess<AnySchedule>;

std::vector<AnyForward> processes() {
  std::vector<AnyForward> all;
  for (const ScheduleInfo& info : list_schedules()) all.emplace_back(make_schedule(info.name));
  all.emplace_back(make_schedule("flow", {{"shift", "3"}}));
  return all;
}

const GaussianMixture& data() {
  static const GaussianMixture ring = GaussianMixture::ring(5, 2.0, 0.4);
  return ring;
}

X points() {
  X x(2, 3);
  x << -1, 0.5, 2, 0.3, -0.2, 1;
  return x;
}

double difference(const X& a, const X& b) { return (a - b).abs().maxCoeff() / b.abs().maxCoeff(); }

/// x along the grid by a solver of the flow.
template <class Solver, class Flow>
X follow(const Solver& solver, const Flow& flow, X x, const TimeGrid& grid) {
  const TimeReversed<Flow> down{flow};
  Stepping run(down, solver, std::move(x), NoNoise{});
  for (std::size_t k = 0; k + 1 < grid.size(); ++k) run.to(-grid[k], -grid[k + 1]);
  return run.x();
}

}  // namespace

TEST_CASE("a state goes to another process and back, to where its noise is the same") {
  for (const AnyForward& a : processes())
    for (const AnyForward& b : processes()) {
      INFO(a.schedule.name() << " -> " << b.schedule.name());
      const Time t = a.time_of_sigma(0.8);
      X x = points();

      const Time t_b = convert_state(a, t, b, x);
      const X there = x;
      const Time back = convert_state(b, t_b, a, x);

      CHECK_THAT(b.sigma(t_b), WithinRel(0.8, 1e-12));
      CHECK(difference(there, b.scale(t_b) / a.scale(t) * points()) < 1e-15);
      CHECK_THAT(back, WithinRel(t, 1e-12));
      CHECK(difference(x, points()) < 1e-12);
    }
}

TEST_CASE("the exact score of one process, converted, is the exact score of the other") {
  for (const AnyForward& a : processes())
    for (const AnyForward& b : processes())
      for (const double sigma : {0.05, 0.8, 5.0}) {
        INFO(a.schedule.name() << " -> " << b.schedule.name() << " at sigma = " << sigma);
        const Time t = b.time_of_sigma(sigma);
        const auto converted = converted_score(a, exact_score(a, data()), b);
        const auto exact = exact_score(b, data());
        X score(2, 3), expected(2, 3);

        converted(points(), t, score);
        exact(points(), t, expected);
        CHECK(difference(score, expected) < 1e-10);
        converted.denoise(points(), t, score);
        exact.denoise(points(), t, expected);
        CHECK(difference(score, expected) < 1e-10);
        CHECK(converted.dimension() == 2);
      }
}

TEST_CASE("a score is converted in float too") {
  const AnyForward a{make_schedule("flow")}, b{make_schedule("sub-vp")};
  const Block<float> x = points().cast<float>();
  Block<float> out(2, 3), expected(2, 3);

  converted_score(a, exact_score(a, data()), b)(x, 0.4, out);
  exact_score(b, data())(x, 0.4, expected);

  CHECK((out - expected).abs().maxCoeff() < 1e-5f * expected.abs().maxCoeff());
}

TEST_CASE("a score without a denoiser is converted too") {
  const AnyForward a{make_schedule("vp")}, b{make_schedule("edm")};
  const auto exact = exact_score(a, data());
  const auto bare = [&](const X& x, Time t, X& out) { exact(x, t, out); };
  X out(2, 3), expected(2, 3);

  converted_score(a, bare, b).denoise(points(), 0.8, out);
  exact_score(b, data()).denoise(points(), 0.8, expected);

  CHECK(difference(out, expected) < 1e-12);
}

TEST_CASE("flows map onto each other: ddim step by step, Runge-Kutta as its steps shrink") {
  const AnyForward a{make_schedule("vp")};
  const TimeGrid grid = uniform_grid(0.8, 0.1, 40);
  for (const AnyForward& b : processes()) {
    INFO(b.schedule.name());
    const ProbabilityFlow flow_a{a, exact_score(a, data())}, flow_b{b, exact_score(b, data())};
    TimeGrid grid_b;
    for (const Time t : grid) grid_b.push_back(converted_time(a, t, b));
    X start = points(), start_b = start;
    convert_state(a, grid.front(), b, start_b);

    X ddim = follow(Ddim{}, flow_a, start, grid);
    convert_state(a, grid.back(), b, ddim);
    CHECK(difference(follow(Ddim{}, flow_b, start_b, grid_b), ddim) < 1e-10);

    X fine = follow(Rk4{}, flow_a, start, refine(grid, 20));
    convert_state(a, grid.back(), b, fine);
    CHECK(difference(follow(Rk4{}, flow_b, start_b, refine(grid_b, 20)), fine) < 1e-7);
  }
}

TEST_CASE("noise that the other process never has is refused in one line") {
  const AnyForward edm{make_schedule("edm")}, flow{make_schedule("flow")};

  CHECK_THROWS_WITH(converted_time(flow, 0.99609375, edm),
                    StartsWith("the process to convert to has sigma in [0, 80]: got sigma=255"));
  CHECK_THROWS_AS(converted_time(flow, 1, edm), std::invalid_argument);
  CHECK(converted_time(flow, 0, edm) == 0);
}
