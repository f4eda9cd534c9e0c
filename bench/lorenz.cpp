/// @file  lorenz.cpp
/// @brief The Lorenz system to t = 10 by Dormand-Prince: items are solves.

#include <array>

#include <benchmark/benchmark.h>
#include <boost/numeric/odeint.hpp>

#include <fokker/processes/lorenz.hpp>
#include <fokker/solvers/integrate.hpp>
#include <fokker/solvers/ode.hpp>

namespace {

constexpr double tolerance = 1e-9;
using State = std::array<double, 3>;

void library(benchmark::State& state) {
  const fokker::Lorenz lorenz{};
  const Eigen::Array3d x0(1, 1, 1);
  for (auto _ : state)
    benchmark::DoNotOptimize(fokker::integrate(lorenz, fokker::DormandPrince5{tolerance, tolerance},
                                               x0, {0, 10}, {.save_at = {10.0}})
                                 .end);
  state.SetItemsProcessed(state.iterations());
}

/// Boost.Odeint alone, on the state that it likes best.
void odeint_alone(benchmark::State& state) {
  namespace odeint = boost::numeric::odeint;
  const auto system = [](const State& x, State& dx, double) {
    dx = {10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8.0 / 3 * x[2]};
  };
  for (auto _ : state) {
    State x{1, 1, 1};
    odeint::integrate_adaptive(
        odeint::make_controlled<odeint::runge_kutta_dopri5<State>>(tolerance, tolerance), system, x,
        0.0, 10.0, 1e-3);
    benchmark::DoNotOptimize(x);
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(library)->Name("lorenz_dopri5/fokker")->Unit(benchmark::kMicrosecond);
BENCHMARK(odeint_alone)
    ->Name("lorenz_dopri5/Boost.Odeint on std::array")
    ->Unit(benchmark::kMicrosecond);

}  // namespace
