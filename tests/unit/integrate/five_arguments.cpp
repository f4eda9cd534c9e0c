/// @file  unit/integrate/five_arguments.cpp
/// @brief Process, method, steps, start, time: the same for one path and for many.

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "catch.hpp"

#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ito/milstein.hpp>
#include <fokker/solvers/ito/sri.hpp>
#include <fokker/solvers/noise/brownian_tree.hpp>
#include <fokker/solvers/noise/recorded_path.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>
#include <fokker/solvers/ode/radau.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

using namespace fokker;

namespace {

const auto decay = make_ode([](const auto& x, Time) { return -x; });
const auto gbm = make_sde([](const auto& x, Time) { return 0.5 * x; },
                          [](const auto& x, Time) { return 0.3 * x; }, noise::diagonal);
const TimeGrid grid = uniform_grid(0, 1, 8);

/// x' = -x, solved in lanes.
struct InLanes {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  static constexpr bool autonomous = true;
  auto drift(const auto& x, Time) const { return -x; }
};

/// A user-defined source: W(t) = t on every path.
struct Straight {
  void increment(Time t0, Time t1, auto& dw) { dw.w.setConstant(t1 - t0); }
};

auto final_states(const SimulateOptions& options) {
  return simulate(gbm, EulerMaruyama{}, OnGrid{grid}, 1.0, options, FinalState{}).value;
}

}  // namespace

TEST_CASE("a start is a number, an Eigen vector or array, a std::array or a std::vector") {
  const auto one = [](const auto& x0) {
    return integrate(decay, Rk4{}, Fixed{0.125}, x0, {0, 1}).end;
  };
  const auto many = [](const auto& x0) {
    return simulate(decay, Rk4{}, Fixed{0.125}, x0, {0, 1}, {.paths = 2}, FinalState{}).value;
  };
  const auto pair = one(Eigen::Array2d(1, 2));

  CHECK(one(1)(0) == one(1.0)(0));
  CHECK(many(1)(0, 1) == many(1.0)(0, 1));
  CHECK(std::abs(one(1.0F)(0) - std::exp(-1.0F)) < 1e-4F);
  const auto check = [&](const auto& x0) {
    CHECK((one(x0) == pair).all());
    CHECK_THAT(many(x0)(1, 1), WithinAbs(pair(1), 1e-15));
  };
  check(Eigen::Vector2d(1, 2));
  check(Eigen::Array2i(1, 2));
  check(std::array{1.0, 2.0});
  check(std::array{1, 2});
  check(std::vector<double>{1, 2});
}

TEST_CASE("save_at gives the same times and states for one path and for many") {
  const std::vector<Time> at{0, 0.3, 0.5, 1};
  const auto check = [&](const auto& process, const auto& method, const auto& steps) {
    const auto one = integrate(process, method, steps, 1.0, {0, 1}, {.save_at = at, .seed = 3});
    const auto many = simulate(process, method, steps, 1.0, {0, 1},
                               {.paths = 70, .save_at = at, .seed = 3}, States{});

    REQUIRE(one.t == at);
    REQUIRE(many.t == at);
    for (std::size_t i = 0; i < at.size(); ++i)
      CHECK_THAT(many.value[i](0, 0), WithinAbs(one.x[i](0), 1e-14));
    CHECK(many.status == Status::success);
    CHECK(many.message.empty());
  };

  check(gbm, Milstein{}, Fixed{0.125});
  check(gbm, Sriw1{}, Adaptive{.rtol = 1e-2});
  check(gbm, EulerMaruyama{}, Predictable{0.1});
  check(decay, Rk4{}, Fixed{0.125});
  check(decay, Dopri5{}, Adaptive{.rtol = 1e-8});
  check(decay, Radau5{}, Adaptive{});
}

TEST_CASE("without save_at an ensemble on fixed steps sees each of them, the last one shortened") {
  const auto one = integrate(gbm, EulerMaruyama{}, Fixed{0.3}, 1.0, {0, 1}, {.seed = 3});
  const auto many =
      simulate(gbm, EulerMaruyama{}, Fixed{0.3}, 1.0, {0, 1}, {.paths = 3, .seed = 3}, States{});

  CHECK(one.t.size() == 5);
  CHECK(many.t == one.t);
  for (std::size_t i = 0; i < one.t.size(); ++i) CHECK(many.value[i](0, 0) == one.x[i](0));
}

TEST_CASE("too many steps are a status with advice, for one path and for many") {
  const auto check = [](const auto& method, const auto& steps) {
    const auto one = integrate(decay, method, steps, 1.0, {0, 1}, {.max_steps = 3});
    const auto many =
        simulate(decay, method, steps, 1.0, {0, 1}, {.paths = 3, .max_steps = 3}, FinalState{});

    CHECK(one.status == Status::too_many_steps);
    CHECK(many.status == Status::too_many_steps);
    CHECK(many.failed == 3);
    CHECK_THAT(one.message, ContainsSubstring("max_steps"));
    CHECK_THAT(many.message, ContainsSubstring("max_steps (3)"));
    CHECK(!many.value.isFinite().any());
  };

  check(Rk4{}, Fixed{0.1});
  check(Dopri5{}, Adaptive{.rtol = 1e-10});
  check(Radau5{}, Adaptive{.rtol = 1e-10});
}

TEST_CASE("counts of an ensemble are the mean of its paths") {
  const auto fixed = simulate(decay, Rk4{}, Fixed{0.1}, 1.0, {0, 1}, {.paths = 100}, FinalState{});
  const auto one = integrate(decay, Radau5{}, Adaptive{}, 1.0, {0, 1}, {.save_at = {1}});
  const auto many =
      simulate(decay, Radau5{}, Adaptive{}, 1.0, {0, 1}, {.paths = 100}, FinalState{});

  CHECK(fixed.counts.accepted == 10);
  CHECK(fixed.counts.drift_evaluations == 40);
  CHECK(many.counts.accepted == static_cast<double>(one.counts.accepted));
  CHECK(many.counts.drift_evaluations == static_cast<double>(one.counts.drift_evaluations));
}

TEST_CASE("a run takes any Brownian source, with the bits of the seed where it has its path") {
  const Index n = 70;
  const auto seeded = final_states({.paths = n, .seed = 5});
  const auto recorded = record<double>(BrownianIncrements<double>(5, 0, n, 1), grid, 1, n);

  CHECK((final_states({.paths = n, .noise = BrownianIncrements<double>(5, 0, n, 1)}) == seeded)
            .all());
  CHECK((final_states({.paths = n, .noise = recorded}) == seeded).all());
  const auto by_block = [](std::uint64_t first, Index columns, Index m, Needs needs) {
    return BrownianIncrements<double>(5, first, columns, m, needs);
  };
  CHECK((final_states({.paths = n, .noise = by_block}) == seeded).all());
  const Block<double> start = Block<double>::Ones(1, n);
  const auto block = integrate(gbm, EulerMaruyama{}, OnGrid{grid}, start, {.noise = recorded});
  CHECK((block.end == seeded).all());
}

TEST_CASE("a source serves ensembles of several blocks, copied for each") {
  const Index n = 2500;
  const auto seeded = final_states({.paths = n, .seed = 5, .threads = 2});

  CHECK((final_states(
             {.paths = n, .noise = BrownianIncrements<double>(5, 0, n, 1), .threads = 2}) == seeded)
            .all());
}

TEST_CASE("a tree, a coarser view of a path and a user-defined source drive runs too") {
  const auto fine = BrownianIncrements<double>(7, 0, 1, 1);
  const auto refined = integrate(gbm, EulerMaruyama{}, OnGrid{refine(grid, 4)}, 1.0, {.seed = 7});
  const auto coarse =
      integrate(gbm, EulerMaruyama{}, OnGrid{grid}, 1.0, {.noise = CoarsenedIncrements{fine, 4}});
  const BrownianTree<double> tree(7, 0, 1, 1, 0, 1);
  const auto on_tree = [&](const TimeGrid& times) {
    return integrate(gbm, Milstein{}, OnGrid{times}, 1.0, {.noise = tree}).end(0);
  };
  double w = 0;
  {
    BrownianTree<double> copy = tree;
    detail::AnyIncrement<double> dw;
    dw.resize(1, 1);
    copy.increment(0, 1, dw);
    w = dw.w(0, 0);
  }
  const auto straight =
      integrate(gbm, EulerMaruyama{}, OnGrid{TimeGrid{0, 1}}, 1.0, {.noise = Straight{}});
  const auto many = simulate(gbm, EulerMaruyama{}, OnGrid{TimeGrid{0, 1}}, 1.0,
                             {.paths = 3, .noise = Straight{}}, FinalState{});

  CHECK_THAT(coarse.end(0), WithinAbs(refined.end(0), 0.05));  // the same path
  CHECK(coarse.end(0) != refined.end(0));
  const double exact = std::exp(0.5 - 0.045 + 0.3 * w);
  CHECK_THAT(on_tree(uniform_grid(0, 1, 256)), WithinAbs(exact, 2e-3));
  CHECK(straight.end(0) == 1 + 0.5 + 0.3);
  CHECK((many.value == straight.end(0)).all());
}

TEST_CASE("noise is refused where it has no place") {
  const Straight source;

  CHECK_THROWS_WITH(integrate(decay, Rk4{}, Fixed{0.1}, 1.0, {0, 1}, {.noise = source}),
                    ContainsSubstring("without noise takes no noise source"));
  CHECK_THROWS_WITH(integrate(gbm, Sriw1{}, Adaptive{}, 1.0, {0, 1}, {.noise = source}),
                    ContainsSubstring("Brownian tree of the seed"));
}

TEST_CASE("an absolute tolerance may be one for each component") {
  const auto ode = make_ode([](const auto& x, Time t, auto& out) {
    out.row(0) = std::cos(50 * t) * 1e-6 + 0 * x.row(0);
    out.row(1) = -x.row(1);
  });
  const auto steps_of = [&](const Tolerance& atol) {
    return integrate(ode, Dopri5{}, Adaptive{.rtol = 1e-12, .atol = atol}, Eigen::Array2d(0, 1),
                     {0, 1})
        .counts.accepted;
  };

  CHECK(steps_of(1e-6) == steps_of({1e-6, 1e-6}));
  CHECK(steps_of({1e-12, 1e-6}) > 2 * steps_of({1e-6, 1e-6}));
  CHECK_THROWS_WITH(steps_of({1e-6, 1e-6, 1e-6}), ContainsSubstring("each of 2 components: got 3"));
  CHECK_THROWS_WITH(steps_of({1e-6, 0.0}), ContainsSubstring("tolerances above zero"));
}

TEST_CASE(
    "the longest and the first step hold in ensembles, also where paths are solved in lanes") {
  const auto steps = [](const auto& process, Adaptive how) {
    how.rtol = 1e-3;
    return simulate(process, Dopri5{}, how, 1.0, {0, 10}, {.paths = 8}, FinalState{})
        .counts.accepted;
  };

  static_assert(Dopri5::in_lanes<InLanes, double, 1>);
  const auto check = [&](const auto& process) {
    CHECK(steps(process, {.max_step = 0.1}) >= 100);
    CHECK(steps(process, {.max_step = 0.1}) < 103);
    CHECK(steps(process, {}) < 60);
    CHECK(steps(process, {.first_step = 1e-6}) > steps(process, {}));
  };
  check(decay);
  check(InLanes{});
}

TEST_CASE("on given steps an embedded pair is its tableau") {
  const auto pair = integrate(decay, Dopri5{}, Fixed{0.25}, 1.0, {0, 1});
  const auto tableau =
      integrate(decay, ExplicitRungeKutta<tableaus::Dopri5>{}, Fixed{0.25}, 1.0, {0, 1});

  CHECK(pair.end(0) == tableau.end(0));
  CHECK(pair.counts.accepted == 4);
}

TEST_CASE("steps on a grid run down where the clock allows it") {
  const TimeGrid down = uniform_grid(1, 0, 16);
  const auto one = integrate(decay, Rk4{}, OnGrid{down}, 1.0);
  const auto many =
      simulate(decay, Rk4{}, OnGrid{down}, 1.0, {.paths = 2, .save_at = {0.5, 0}}, States{});

  CHECK(one.t == down);
  CHECK_THAT(one.end(0), WithinRel(std::exp(1.0), 1e-6));
  CHECK(many.t == std::vector<Time>{0.5, 0});
  CHECK_THAT(many.value[1](0, 1), WithinAbs(one.end(0), 1e-15));
  CHECK_THROWS_WITH(integrate(gbm, EulerMaruyama{}, OnGrid{down}, 1.0),
                    ContainsSubstring("runs up in time only"));
}
