/// @file  contract.cpp
/// @brief Short runs with and without the check of the coefficients (contract.hpp).

#include <benchmark/benchmark.h>

#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>

namespace {

constexpr fokker::Index paths = 8192, steps = 100;

/// Euler-Maruyama of gbm.cpp, from two lambdas: items are path-steps.
void ensemble(benchmark::State& state, bool check) {
  const auto process = fokker::make_sde([](const auto& x, fokker::Time) { return 0.05 * x; },
                                        [](const auto& x, fokker::Time) { return 0.2 * x; },
                                        fokker::noise::diagonal);
  const fokker::TimeGrid grid = fokker::uniform_grid(0, 1, steps);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        fokker::simulate(process, fokker::EulerMaruyama{}, fokker::OnGrid{grid}, 1.0,
                         {.paths = paths, .seed = 1, .threads = 1, .check = check},
                         fokker::Moments{})
            .value.mean[0]);
  state.SetItemsProcessed(state.iterations() * paths * steps);
}

/// One short path of Lorenz' equations, about 20 steps: items are runs.
void path(benchmark::State& state, bool check) {
  const auto process = fokker::make_ode([](const auto& x, fokker::Time, auto& out) {
    out.row(0) = 10 * (x.row(1) - x.row(0));
    out.row(1) = x.row(0) * (28 - x.row(2)) - x.row(1);
    out.row(2) = x.row(0) * x.row(1) - 8.0 / 3 * x.row(2);
  });
  const fokker::PathState<double, 3> x0(1, 1, 1);
  for (auto _ : state)
    benchmark::DoNotOptimize(fokker::integrate(process, fokker::Dopri5{},
                                               fokker::Adaptive{.rtol = 1e-6, .atol = 1e-6}, x0,
                                               {0, 1}, {.save_at = {1}, .check = check})
                                 .end[0]);
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(ensemble, with, true)->Name("contract_gbm/fokker")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(ensemble, without, false)
    ->Name("contract_gbm/without the check")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(path, with, true)->Name("contract_lorenz/fokker");
BENCHMARK_CAPTURE(path, without, false)->Name("contract_lorenz/without the check");

}  // namespace
