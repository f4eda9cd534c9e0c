/// @file  many_odes.cpp
/// @brief Many Lorenz systems by Dormand-Prince: items are solves.

#include <vector>

#include <benchmark/benchmark.h>

#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>

#include "many_odes.hpp"
#include "odes.hpp"

namespace {

void many(benchmark::State& state) {
  const fokker::Adaptive steps{.rtol = LorenzProblem::ours, .atol = LorenzProblem::ours};
  for (auto _ : state)
    benchmark::DoNotOptimize(fokker::simulate(
        LorenzProblem::process, fokker::Dopri5{}, steps, Starts{}, {0, LorenzProblem::end},
        {.paths = paths, .seed = 1, .threads = 1}, fokker::FinalState{}));
  state.SetItemsProcessed(state.iterations() * paths);
}

BENCHMARK(many)->Name("lorenz_ensemble/fokker")->Unit(benchmark::kMicrosecond);

}  // namespace
