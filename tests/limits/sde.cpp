/// @file  sde.cpp
/// @brief Runs of SDEs at the ends: coefficients that jump, parameters that a step cannot take,
///        numbers of paths beyond any time, nan levels and functionals.

#include "no_allocation.hpp"

#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <thread>
#include <type_traits>

#include "catch.hpp"
#include "row.hpp"

#include <fokker/analysis/convergence/convergence.hpp>
#include <fokker/processes/schemes/cir_schemes.hpp>
#include <fokker/solvers/core/any_stepper.hpp>
#include <fokker/solvers/ensemble/first_passage.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/integrate/adaptive_sde.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ito/sra.hpp>
#include <fokker/solvers/ito/tamed.hpp>
#include <fokker/solvers/stratonovich/stochastic_heun.hpp>

using namespace fokker;

namespace {

const auto brownian =
    make_sde([](const auto& x, Time) { return 0 * x; }, [](Time) { return 1.0; }, noise::additive);

/// Noise that is switched on at t = switched.
auto switched_on(Time switched) {
  return make_sde([](const auto& x, Time) { return 0 * x; },
                  [switched](Time t) { return t < switched ? 0.0 : 1.0; }, noise::additive);
}

/// Seconds from the moment at which `cancel` turns true, 20 ms after the start, to the end of run.
template <class Run>
double seconds_to_end(std::atomic<bool>& cancel, const Run& run) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point asked;
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    asked = Clock::now();
    cancel = true;
  });
  run();
  const auto ended = Clock::now();
  other.join();
  return std::chrono::duration<double>(ended - asked).count();
}

}  // namespace

TEST_CASE("adaptive steps pass a switch of the noise, with or without a stop on it") {
  for (const auto& grid : {TimeGrid{0, 1}, TimeGrid{0, 0.5, 1}, TimeGrid{0, 0.3, 1}}) {
    const auto run =
        simulate(switched_on(0.5), HeunSde{}, Adaptive{.rtol = 1e-7, .atol = 1e-7}, 0.0,
                 {grid.front(), grid.back()}, {.paths = 50, .seed = 3}, Moments{});
    CAPTURE(grid.size());
    CHECK(run.status == Status::success);
    CHECK(run.failed == 0);
    // 0.5 within 4.5 standard errors of a sample variance.
    CHECK(run.value.variance[0] == Approx(0.5).margin(4.5 * 0.5 * std::sqrt(2.0 / 49)));
  }
  limit_row("sde", "adaptive steps", "noise switched on at a time",
            "a step at the resolution of the path, 2^-39 of the way to the next stop, is taken "
            "across the switch whatever its error; every path ends");
}

TEST_CASE("adaptive steps that nothing can follow still end in step underflow") {
  const auto rough =
      make_sde([](const auto& x, Time t) { return 0 * x + 1e30 * std::sin(1e25 * t); },
               [](Time) { return 1.0; }, noise::additive);
  const auto run = integrate(rough, HeunSde{}, Adaptive{.rtol = 1e-6, .atol = 1e-6}, 0.0, {0, 1});
  CHECK(run.status == Status::step_underflow);
  limit_row("sde", "adaptive steps", "an error above the tolerance at every step",
            "step size underflow, after at most four steps at the resolution");
}

TEST_CASE("parameters that a step cannot take are refused before the run") {
  const CoxIngersollRoss p{.kappa = 1, .theta = 0.04, .sigma = 1};
  using X = Block<double, 1>;
  const AnyStepper<CoxIngersollRoss, X> erased{CirDriftImplicit{}};
  const TimeGrid grid = uniform_grid(0, 1, 10);
  const SimulateOptions options{.paths = 10, .seed = 1};
  CHECK_THROWS_WITH(simulate(p, CirDriftImplicit{}, OnGrid{grid}, 0.04, options, Moments{}),
                    ContainsSubstring("4 kappa theta = 0.16 and sigma^2 = 1"));
  CHECK_THROWS_AS(simulate(p, erased, OnGrid{grid}, 0.04, options, Moments{}),
                  std::invalid_argument);
  CHECK_THROWS_AS(integrate(p, CirDriftImplicit{}, Fixed{0.1}, 0.04, {0, 1}),
                  std::invalid_argument);
  CHECK_THROWS_AS(integrate(p, CirDriftImplicit{}, Adaptive{}, 0.04, {0, 1}),
                  std::invalid_argument);
  CHECK_NOTHROW(simulate(CoxIngersollRoss{.kappa = 1, .theta = 1, .sigma = 1.9}, CirDriftImplicit{},
                         OnGrid{grid}, 0.04, options, Moments{}));
  limit_row("sde", "cir-drift-implicit", "4 kappa theta <= sigma^2",
            "refused at the start with both numbers; other steps are named");
}

TEST_CASE("tamed steps that a distant start would fill are refused before the run") {
  const auto cubic = make_sde([](const auto& x, Time) { return -x * x * x; },
                              [](Time) { return 0.1; }, noise::additive);
  using X = Block<double, 1>;
  const AnyStepper<std::remove_const_t<decltype(cubic)>, X> erased{TamedEuler{}};
  const SimulateOptions options{.paths = 10, .seed = 1};
  const TimeGrid grid = uniform_grid(0, 1, 229), geometric = [] {  // steps that grow by a fifth
    TimeGrid times{0};
    for (double t = 1e-10; t < 1; t *= 1.2) times.push_back(t);
    times.push_back(1);
    return times;
  }();
  const TimeGrid fine = [] {  // h |f| about 0.3 from 1000 on
    TimeGrid times{0};
    for (double t = 0; t < 1; times.push_back(std::min(t, 1.0)))
      t += 0.3 * std::pow(2 * t + 1e-6, 1.5);
    return times;
  }();
  const auto run = [&](const auto& method, double x0, const TimeGrid& times) {
    return simulate(cubic, method, OnGrid{times}, x0, options, Moments{});
  };

  CHECK_THROWS_WITH(run(TamedEuler{}, 1000.0, grid),
                    ContainsSubstring("more than 114 of 229 steps"));
  CHECK_THROWS_AS(run(erased, -1000.0, grid), std::invalid_argument);
  CHECK_THROWS_AS(integrate(cubic, TamedEuler{}, Fixed{1.0 / 229}, 1000.0, {0, 1}),
                  std::invalid_argument);
  CHECK_THROWS_AS(run(TamedEuler{}, 1000.0, geometric), std::invalid_argument);
  CHECK_THROWS_AS(run(TamedEuler{}, 1e6, uniform_grid(0, 1, 10'000)), std::invalid_argument);
  CHECK(run(TamedEuler{}, 1000.0, fine).value.mean[0] == Approx(1 / std::sqrt(2)).margin(0.1));
  CHECK_NOTHROW(run(TamedEuler{}, 20.0, grid));
  CHECK_NOTHROW(run(TamedEuler{}, 1000.0, {0.5}));
  CHECK_NOTHROW(integrate(cubic, TamedEuler{}, Fixed{0.5}, 1.0, {0, 1}));
  limit_row("sde", "tamed-euler", "a start from which most steps cut the drift to less than half",
            "refused at the start; an implicit step is named");
}

TEST_CASE("an ensemble of more paths than any time allows ends soon after it is cancelled") {
  for (const Index paths : {Index{100'000'000'000}, std::numeric_limits<Index>::max()}) {
    std::atomic<bool> cancel = false;
    Ensemble<Moments::Value> run;
    const double seconds = seconds_to_end(cancel, [&] {
      run = simulate(brownian, EulerMaruyama{}, OnGrid{TimeGrid{0, 1}}, 0.0,
                     {.paths = paths, .seed = 1, .threads = 1, .cancel = &cancel}, Moments{});
    });
    CAPTURE(paths);
    CHECK(seconds < 0.5);
    CHECK(run.status == Status::cancelled);
    CHECK(run.paths > 0);
    CHECK(run.paths < paths);
    CHECK(std::isfinite(run.value.variance[0]));
  }
  limit_row("sde", "simulate", "9223372036854775807 paths, cancelled",
            "ends within half a second with the paths that are finished");
}

TEST_CASE("a long adaptive path of an ensemble ends soon after it is cancelled") {
  std::atomic<bool> cancel = false;
  Ensemble<Moments::Value> run;
  const double seconds = seconds_to_end(cancel, [&] {
    run = simulate(brownian, EulerMaruyama{}, Predictable{1e-6}, 0.0, {0, 100},
                   {.paths = 100, .seed = 1, .threads = 1, .cancel = &cancel}, Moments{});
  });
  CHECK(seconds < 0.5);
  CHECK(run.status == Status::cancelled);
  CHECK(run.paths == 0);
  limit_row("sde", "simulate", "one adaptive path of 10^8 steps, cancelled",
            "ends within half a second, in the middle of the path");
}

TEST_CASE("a convergence study of long grids ends soon after it is cancelled") {
  std::atomic<bool> cancel = false;
  ConvergenceStudy study;
  const double seconds = seconds_to_end(cancel, [&] {
    ConvergenceSettings settings;
    settings.x0 = Eigen::ArrayXd::Zero(1);
    settings.steps = {250'000, 500'000, 1'000'000};
    settings.paths = 2;
    settings.refinement = 1;
    settings.threads = 1;
    settings.cancel = &cancel;
    study = measure_convergence(brownian, EulerMaruyama{}, {}, settings, {});
  });
  CHECK(seconds < 0.5);
  CHECK(study.cancelled);
  limit_row("sde", "measure_convergence", "a block of 10^6 steps, cancelled",
            "ends within half a second, in the middle of the block");
}

TEST_CASE("a level or a functional that is nan is never a success") {
  const TimeGrid grid = uniform_grid(0, 1, 4);
  const SimulateOptions options{.paths = 70, .seed = 1};
  CHECK_THROWS_WITH(first_passage(brownian, EulerMaruyama{}, OnGrid{grid}, 0.0, options,
                                  Level{.value = std::nan(""), .component = 0}),
                    ContainsSubstring("got nan"));
  const auto root = simulate(brownian, EulerMaruyama{}, OnGrid{grid}, 0.0, options,
                             expectation([](const auto& x) { return x.row(0).sqrt(); }));
  CHECK(root.status == Status::non_finite);
  CHECK(root.failed > 10);
  CHECK(root.failed < 60);
  const auto square = simulate(brownian, EulerMaruyama{}, OnGrid{grid}, 0.0, options,
                               expectation([](const auto& x) { return x.row(0).square(); }));
  CHECK(square.status == Status::success);
  limit_row("sde", "first_passage and expectation", "a level or a value that is nan",
            "the level is refused; the status is non-finite state, with the number of such paths");
}
