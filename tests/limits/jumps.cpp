/// @file  limits/jumps.cpp
/// @brief Declared jumps of the coefficients, runs of no length, bounds of the step, cancels.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <thread>
#include <vector>

#include "catch.hpp"

#include <fokker/solvers/ensemble/reductions.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/integrate/adaptive_sde.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ito/sri.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>
#include <fokker/solvers/ode/ode.hpp>
#include <fokker/solvers/ode/radau.hpp>
#include <fokker/solvers/ode/rosenbrock.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

#include "row.hpp"

using namespace fokker;

namespace {

/// x' = 1 before t = 1 and -3 behind it; `closed`: also at it.
struct Switch {
  static constexpr NoiseKind noise = NoiseKind::none;
  bool closed;
  double drift(const auto&, Time t) const { return (closed ? t <= 1 : t < 1) ? 1 : -3; }
};

template <class M>
auto steps_of([[maybe_unused]] double h) {
  if constexpr (AdaptiveSolver<M>)
    return Adaptive{};
  else
    return Fixed{h};
}

}  // namespace

TEMPLATE_TEST_CASE("no step mixes the two sides of a declared jump", "", Bs3, Dopri5, Tsit5, Vern7,
                   Dop853, Rodas4, Rodas5P, Radau5, OdeintDopri5, Fehlberg78, BulirschStoer, Rk4,
                   Heun, Euler) {
  const auto steps = steps_of<TestType>(0.3);
  for (const bool closed : {false, true}) {
    const Switch process{closed};
    const IntegrateOptions options{.save_at = {0.5, 1, 2}, .discontinuities = {7, 1, 1}};

    const auto up = integrate(process, TestType{}, steps, 0.0, {0, 2}, options);
    const auto down = integrate(process, TestType{}, steps, -2.0, {2, 0},
                                {.save_at = {2, 1, 0.5}, .discontinuities = {1}});
    const auto from = integrate(process, TestType{}, steps, 1.0, {1, 2}, {.discontinuities = {1}});
    const auto to = integrate(process, TestType{}, steps, 0.0, {0, 1}, {.discontinuities = {1}});
    const auto every =
        integrate(process, TestType{}, steps, 0.0, {0, 2},
                  {.events = {level_event(0, 0.25)}, .dense = true, .discontinuities = {1}});

    INFO("closed " << closed);
    REQUIRE(up.status == Status::success);
    CHECK(up.t == std::vector<Time>{0.5, 1, 2});
    CHECK_THAT(up.x[1](0), WithinAbs(1, 1e-13));
    CHECK_THAT(up.end(0), WithinAbs(-2, 1e-13));
    CHECK_THAT(down.x[1](0), WithinAbs(1, 1e-13));
    CHECK_THAT(down.end(0), WithinAbs(0, 1e-13));
    CHECK_THAT(from.end(0), WithinAbs(-2, 1e-13));
    CHECK(to.end_time == 1);
    CHECK_THAT(to.end(0), WithinAbs(1, 1e-13));
    CHECK_THAT(every.at(0.99)(0), WithinAbs(0.99, 1e-13));
    CHECK_THAT(every.at(1)(0), WithinAbs(1, 1e-13));
    CHECK_THAT(every.at(1.01)(0), WithinAbs(0.97, 1e-13));
    REQUIRE(every.events.size() == 2);
    CHECK_THAT(every.events[1].t, WithinAbs(1.25, 1e-13));
    CHECK(std::count(every.t.begin(), every.t.end(), 1.0) == 1);
  }
  limit_row("ode", "declared jumps of f", "every method, both directions of time",
            "exact to rounding, whichever side f at the jump belongs to");
}

TEST_CASE("a noise that is switched on at a declared time is met by adaptive steps") {
  const auto process = make_sde([](const auto& x, Time) { return -x; },
                                [](const auto& x, Time t) { return (t < 0.5 ? 0.0 : 1.0) + 0 * x; },
                                noise::diagonal);
  for (std::uint64_t path = 0; path < 50; ++path) {
    const auto s = integrate(process, Sriw1{}, Adaptive{.rtol = 1e-3, .atol = 1e-4}, 1.0, {0, 1},
                             {.path = path, .discontinuities = {0.5}});
    REQUIRE(s.status == Status::success);
    CHECK(std::count(s.t.begin(), s.t.end(), 0.5) == 1);
  }
  limit_row("sde", "sriw1, adaptive", "noise switched on at a declared time",
            "success on 50 paths");
}

TEST_CASE("a run of no length returns the start") {
  const auto decay = make_ode([](const auto& x, Time) { return -x; });
  const auto noise =
      make_sde([](const auto& x, Time) { return -x; }, [](Time) { return 1.0; }, noise::additive);
  const auto check = [](const auto& s) {
    CHECK(s.status == Status::success);
    CHECK(s.end_time == 2);
    CHECK(s.end(0) == 3);
    CHECK(s.t == std::vector<Time>{2});
    CHECK(s.events.empty());
    CHECK(s.at(2)(0) == 3);
    CHECK(s.counts.accepted == 0);
  };
  const IntegrateOptions options{.save_at = {2}, .events = {level_event(0, 3)}, .dense = true};

  check(integrate(decay, Dopri5{}, Adaptive{}, 3.0, {2, 2}, options));
  check(integrate(decay, Rk4{}, Fixed{0.1}, 3.0, {2, 2}, options));
  check(integrate(noise, EulerMaruyama{}, Fixed{0.1}, 3.0, {2, 2}, {.dense = true}));
  const std::vector<Time> once{2}, twice{2, 2};
  for (const auto& grid : {once, twice}) {
    const auto e =
        simulate(noise, EulerMaruyama{}, OnGrid{grid}, 3.0, {.paths = 100}, FinalState{});
    CHECK(e.status == Status::success);
    CHECK((e.value == 3).all());
  }
  limit_row("ode", "integrate, simulate", "t1 = t0", "the start, success");
}

TEST_CASE("a longest step that is negative is refused") {
  const auto decay = make_ode([](const auto& x, Time) { return -x; });

  CHECK_THROWS_WITH(integrate(decay, Dopri5{}, Adaptive{.max_step = -1}, 1.0, {0, 1}),
                    ContainsSubstring("max_step must be positive"));
  limit_row("ode", "adaptive steps", "max_step below 0", "refused");
}

TEST_CASE("a cancel ends long runs between two saved points at once") {
  const auto spins = make_ode([](const auto& x, Time, auto& out) {
    out.row(0) = x.row(1);
    out.row(1) = -x.row(0);
  });
  const auto spins_in_time = make_ode([](const auto& x, Time t, auto& out) {
    out.row(0) = x.row(1);
    out.row(1) = -x.row(0) + 0 * t;
  });
  const auto seconds = [](const auto& run) {
    std::atomic<bool> cancel = false;
    std::thread later([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      cancel = true;
    });
    const auto begin = std::chrono::steady_clock::now();
    CHECK(run(&cancel) == Status::cancelled);
    later.join();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  const Eigen::Array2d start(1, 0);
  const auto ensemble = [&](const auto& process, const auto& method) {
    return seconds([&](const std::atomic<bool>* cancel) {
      return simulate(process, method, Adaptive{}, start, {0, 1e9}, {.paths = 3, .cancel = cancel},
                      FinalState{})
          .status;
    });
  };
  const auto alone = [&](const auto& method, const auto& steps) {
    return seconds([&](const std::atomic<bool>* cancel) {
      return integrate(spins, method, steps, start, {0, 1e9},
                       {.save_at = {1e9}, .max_steps = 1'000'000'000'000, .cancel = cancel})
          .status;
    });
  };

  CHECK(ensemble(spins, Dopri5{}) < 0.55);
  CHECK(ensemble(spins_in_time, Dop853{}) < 0.55);
  CHECK(ensemble(spins, Rodas5P{}) < 0.55);
  CHECK(ensemble(spins, Fehlberg78{}) < 0.55);
  CHECK(alone(Dopri5{}, Adaptive{}) < 0.55);
  CHECK(alone(Rodas5P{}, Adaptive{}) < 0.55);
  CHECK(alone(Rk4{}, Fixed{0.1}) < 0.55);
  limit_row("ode", "cancel", "between two saved points, 1e9 apart", "looked at at every step");
}
