/// @file  one_ode.cpp
/// @brief One ODE by Dormand-Prince, to its end or with every step looked at: items are solves.

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <benchmark/benchmark.h>

#include <fokker/solvers/core/grid.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>

#include "odes.hpp"

namespace {

template <class Problem>
using State = fokker::PathState<double, static_cast<int>(Problem::d)>;

template <class Problem>
State<Problem> start() {
  return State<Problem>(Eigen::Map<const State<Problem>>(Problem::start.data()));
}

template <class Problem, class Method = fokker::Dopri5>
auto solve(const fokker::IntegrateOptions& options, double tolerance = Problem::ours) {
  return fokker::integrate(Problem::process, Method{},
                           fokker::Adaptive{.rtol = tolerance, .atol = tolerance}, start<Problem>(),
                           {0, Problem::end}, options);
}

template <class Problem>
void to_the_end(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(solve<Problem>({.save_at = {Problem::end}}).end);
  state.SetItemsProcessed(state.iterations());
  std::array<double, Problem::d> x;
  State<Problem>::Map(x.data()) = solve<Problem>({.save_at = {Problem::end}}).end;
  state.counters["error"] = error<Problem>(x);
}

/// As `integrate` does by default: every step is saved.
void every_step(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(solve<LorenzProblem>({}).x.data());
  state.SetItemsProcessed(state.iterations());
}

void callback(benchmark::State& state) {
  using X = State<LorenzProblem>;
  for (auto _ : state) {
    std::vector<double> t;
    std::vector<X> x;
    fokker::integrate(LorenzProblem::process, fokker::Dopri5{},
                      fokker::Adaptive{.rtol = LorenzProblem::ours, .atol = LorenzProblem::ours},
                      start<LorenzProblem>(), {0, LorenzProblem::end},
                      {.save_at = {LorenzProblem::end}}, [&](double time, const X& at) {
                        t.push_back(time);
                        x.push_back(at);
                      });
    benchmark::DoNotOptimize(x.data());
  }
  state.SetItemsProcessed(state.iterations());
}

/// At 101 times, by the interpolant; steps are not shortened for them.
void interpolated(benchmark::State& state) {
  const auto times = fokker::uniform_grid(0, LorenzProblem::end, 100);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        solve<LorenzProblem>({.save_at = times, .interpolate = true}).x.data());
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(to_the_end<LorenzProblem>)->Name("lorenz_dopri5/fokker")->Unit(benchmark::kMicrosecond);
BENCHMARK(to_the_end<VanDerPolProblem>)
    ->Name("van_der_pol_dopri5/fokker")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(to_the_end<PleiadesProblem>)
    ->Name("pleiades_dopri5/fokker")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(every_step)->Name("lorenz_every_step/fokker")->Unit(benchmark::kMicrosecond);
BENCHMARK(callback)->Name("lorenz_callback/fokker")->Unit(benchmark::kMicrosecond);
BENCHMARK(interpolated)->Name("lorenz_interpolated/fokker")->Unit(benchmark::kMicrosecond);

}  // namespace

template <class Problem>
double error(const std::array<double, Problem::d>& x) {
  static const State<Problem> exact =
      solve<Problem, fokker::Dop853>({.save_at = {Problem::end}}, 1e-14).end;
  const auto e = (State<Problem>::Map(x.data()) - exact).abs() / (1 + exact.abs());
  return e.maxCoeff();
}
template double error<LorenzProblem>(const std::array<double, 3>&);
template double error<VanDerPolProblem>(const std::array<double, 2>&);
template double error<PleiadesProblem>(const std::array<double, 28>&);
