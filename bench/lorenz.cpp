/// @file  lorenz.cpp
/// @brief The Lorenz system to t = 10 by Dormand-Prince, one path and many: items are solves.

#include <array>
#include <vector>

#include <benchmark/benchmark.h>
#include <boost/numeric/odeint.hpp>

#include <fokker/processes/lorenz.hpp>
#include <fokker/solvers/embedded_runge_kutta.hpp>
#include <fokker/solvers/integrate.hpp>
#include <fokker/solvers/ode.hpp>
#include <fokker/solvers/simulate.hpp>

namespace {

constexpr double tolerance = 1e-9;
using State = std::array<double, 3>;

template <class Method>
void one(benchmark::State& state) {
  const fokker::Lorenz lorenz{};
  const Eigen::Array3d x0(1, 1, 1);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        fokker::integrate(lorenz, Method{tolerance, tolerance}, x0, {0, 10}, {.save_at = {10.0}})
            .end);
  state.SetItemsProcessed(state.iterations());
}

void solve_by_odeint(State& x) {
  namespace odeint = boost::numeric::odeint;
  const auto system = [](const State& y, State& dy, double) {
    dy = {10 * (y[1] - y[0]), y[0] * (28 - y[2]) - y[1], y[0] * y[1] - 8.0 / 3 * y[2]};
  };
  odeint::integrate_adaptive(
      odeint::make_controlled<odeint::runge_kutta_dopri5<State>>(tolerance, tolerance), system, x,
      0.0, 10.0, 1e-3);
}

/// Boost.Odeint alone, on the state that it likes best.
void odeint_one(benchmark::State& state) {
  for (auto _ : state) {
    State x{1, 1, 1};
    solve_by_odeint(x);
    benchmark::DoNotOptimize(x);
  }
  state.SetItemsProcessed(state.iterations());
}

constexpr fokker::Index paths = 256;

/// Starts about (1, 1, 1), so that no two paths take the same steps.
struct Starts {
  void sample(fokker::PathRandom& random, auto& x) const {
    random.normal(x);
    x = 1 + 0.1 * x;
  }
};

void ensemble(benchmark::State& state) {
  const std::vector<double> grid{0, 10};
  for (auto _ : state)
    benchmark::DoNotOptimize(
        fokker::simulate(fokker::Lorenz{}, fokker::DormandPrince54{tolerance, tolerance}, Starts{},
                         grid, {.paths = paths, .seed = 1, .threads = 1}, fokker::FinalState{}));
  state.SetItemsProcessed(state.iterations() * paths);
}

void odeint_ensemble(benchmark::State& state) {
  fokker::PathRandom random(1, 0, paths);
  fokker::Block<double, 3> start(3, paths);
  Starts{}.sample(random, start);
  for (auto _ : state)
    for (fokker::Index j = 0; j < paths; ++j) {
      State x{start(0, j), start(1, j), start(2, j)};
      solve_by_odeint(x);
      benchmark::DoNotOptimize(x);
    }
  state.SetItemsProcessed(state.iterations() * paths);
}

BENCHMARK(one<fokker::DormandPrince54>)
    ->Name("lorenz_dopri5/fokker")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(odeint_one)
    ->Name("lorenz_dopri5/Boost.Odeint on std::array")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(one<fokker::OdeintDormandPrince5>)
    ->Name("lorenz_dopri5/Boost.Odeint through integrate")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(ensemble)->Name("lorenz_ensemble/fokker")->Unit(benchmark::kMicrosecond);
BENCHMARK(odeint_ensemble)
    ->Name("lorenz_ensemble/Boost.Odeint on std::array")
    ->Unit(benchmark::kMicrosecond);

}  // namespace
