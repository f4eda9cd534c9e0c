/// @file  odeint.cpp
/// @brief The work of one_ode.cpp and many_odes.cpp by Boost.Odeint alone, on std::array, which it
/// likes best; and by its stepper through `integrate`.

#include <array>
#include <vector>

#include <benchmark/benchmark.h>
#include <boost/numeric/odeint.hpp>

#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ode/ode.hpp>

#include "../many_odes.hpp"
#include "../odes.hpp"

namespace {

namespace odeint = boost::numeric::odeint;

template <class Problem>
using State = std::array<double, Problem::d>;

constexpr auto nobody = [](const auto&, double) {};

/// The controlled Dormand-Prince over the whole time.
template <class Problem, class Observer>
void solve(State<Problem>& x, const Observer& observer) {
  odeint::integrate_adaptive(
      odeint::make_controlled<odeint::runge_kutta_dopri5<State<Problem>>>(Problem::theirs,
                                                                          Problem::theirs),
      [](const auto& y, auto& dy, double) { Problem::f(y, dy); }, x, 0.0, Problem::end, 1e-3,
      observer);
}

template <class Problem>
void to_the_end(benchmark::State& state) {
  State<Problem> x;
  for (auto _ : state) {
    x = Problem::start;
    solve<Problem>(x, nobody);
    benchmark::DoNotOptimize(x);
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["error"] = error<Problem>(x);
}

void every_step(benchmark::State& state) {
  for (auto _ : state) {
    State<LorenzProblem> x = LorenzProblem::start;
    Points<LorenzProblem> points;
    solve<LorenzProblem>(x, [&](const auto& at, double t) {
      points.t.push_back(t);
      points.x.push_back(at);
    });
    benchmark::DoNotOptimize(points.x.data());
  }
  state.SetItemsProcessed(state.iterations());
}

void interpolated(benchmark::State& state) {
  for (auto _ : state) {
    State<LorenzProblem> x = LorenzProblem::start;
    Points<LorenzProblem> points;
    odeint::integrate_const(
        odeint::make_dense_output(LorenzProblem::theirs, LorenzProblem::theirs,
                                  odeint::runge_kutta_dopri5<State<LorenzProblem>>()),
        [](const auto& y, auto& dy, double) { LorenzProblem::f(y, dy); }, x, 0.0,
        LorenzProblem::end, LorenzProblem::end / 100,
        [&](const auto& at, double t) {
          points.t.push_back(t);
          points.x.push_back(at);
        });
    benchmark::DoNotOptimize(points.x.data());
  }
  state.SetItemsProcessed(state.iterations());
}

void many(benchmark::State& state) {
  fokker::PathRandom random(1, 0, paths);
  fokker::Block<double, 3> start(3, paths);
  Starts{}.sample(random, start);
  for (auto _ : state)
    for (fokker::Index j = 0; j < paths; ++j) {
      State<LorenzProblem> x{start(0, j), start(1, j), start(2, j)};
      solve<LorenzProblem>(x, nobody);
      benchmark::DoNotOptimize(x);
    }
  state.SetItemsProcessed(state.iterations() * paths);
}

void through_integrate(benchmark::State& state) {
  const fokker::OdeintDopri5 method;
  const fokker::Adaptive steps{.rtol = LorenzProblem::theirs, .atol = LorenzProblem::theirs};
  for (auto _ : state)
    benchmark::DoNotOptimize(fokker::integrate(LorenzProblem::process, method, steps,
                                               Eigen::Array3d(1, 1, 1), {0, LorenzProblem::end},
                                               {.save_at = {LorenzProblem::end}})
                                 .end);
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(to_the_end<LorenzProblem>)
    ->Name("lorenz_dopri5/Boost.Odeint on std::array")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(through_integrate)->Name("lorenz_dopri5/odeint-dopri5")->Unit(benchmark::kMicrosecond);
BENCHMARK(to_the_end<VanDerPolProblem>)
    ->Name("van_der_pol_dopri5/Boost.Odeint on std::array")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(to_the_end<PleiadesProblem>)
    ->Name("pleiades_dopri5/Boost.Odeint on std::array")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(every_step)
    ->Name("lorenz_every_step/Boost.Odeint on std::array")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(every_step)
    ->Name("lorenz_callback/Boost.Odeint on std::array")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(interpolated)
    ->Name("lorenz_interpolated/Boost.Odeint on std::array")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(many)->Name("lorenz_ensemble/Boost.Odeint on std::array")->Unit(benchmark::kMicrosecond);

}  // namespace
