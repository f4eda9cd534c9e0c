/// @file  equation.cpp
/// @brief Processes from text against the same processes compiled, one thread: items are path-steps,
///        of one path of Lorenz' equations solves.

#include <map>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <fokker/processes/equation/integrate_equation.hpp>
#include <fokker/processes/models/double_well.hpp>
#include <fokker/processes/models/geometric_brownian_motion.hpp>
#include <fokker/processes/models/heston.hpp>
#include <fokker/processes/models/lorenz.hpp>
#include <fokker/processes/models/lotka_volterra.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

namespace {

constexpr fokker::Index paths = 8192, steps = 100;

/// An ensemble by a method with fixed steps.
template <class M>
void ensemble(benchmark::State& state, const auto& process, const M& method,
              const std::vector<double>& x0) {
  for (auto _ : state)
    benchmark::DoNotOptimize(fokker::simulate(process, method, fokker::Fixed{0.01}, x0, {0, 1},
                                              {.paths = paths, .seed = 1, .threads = 1},
                                              fokker::Moments{})
                                 .value.mean[0]);
  state.SetItemsProcessed(state.iterations() * paths * steps);
}

template <class M, class P>
void rows(const std::string& name, const P& process, const fokker::Equation& equation,
          const std::vector<double>& x0) {
  const auto row = [&](const char* what, const auto& run) {
    benchmark::RegisterBenchmark(("equation_" + name + "/" + what).c_str(), run)
        ->Unit(benchmark::kMillisecond);
  };
  row("fokker", [=](benchmark::State& state) { ensemble(state, equation, M{}, x0); });
  row("compiled", [=](benchmark::State& state) { ensemble(state, process, M{}, x0); });
}

void one_path(benchmark::State& state, const auto& process, const auto& x0) {
  for (auto _ : state)
    benchmark::DoNotOptimize(fokker::integrate(process, fokker::Dopri5{},
                                               fokker::Adaptive{.rtol = 1e-9, .atol = 1e-9}, x0,
                                               {0, 10}, {.save_at = {10}})
                                 .end(0));
  state.SetItemsProcessed(state.iterations());
}

const bool registered = [] {
  using namespace fokker;
  rows<EulerMaruyama>("gbm", GeometricBrownianMotion{}, parse_sde("dX = 0.05*X dt + 0.2*X dW"),
                      {1});
  rows<EulerMaruyama>("double_well", DoubleWell{}, parse_sde("dx = (x - x^3) dt + dW"), {1});
  rows<EulerMaruyama>("lotka_volterra", StochasticLotkaVolterra{},
                      parse_sde("dx = x*(1.5 - y) dt + 0.1*x dW1; dy = y*(x - 3) dt + 0.1*y dW2"),
                      {1, 1});
  rows<EulerMaruyama>(
      "heston", Heston{},
      parse_sde("let w = max(v, 0); ds = (0.05 - 0.5*w) dt + sqrt(w) dW1; dv = 1.5*(0.04 - w) dt + "
                "xi*sqrt(w)*(rho dW1 + sqrt(1 - rho^2) dW2)",
                {{"xi", 0.3}, {"rho", -0.7}}),
      {0, 0.04});
  const Equation lorenz = parse_sde("x' = 10*(y - x); y' = x*(28 - z) - y; z' = x*y - 8/3*z");
  rows<Rk4>("lorenz", Lorenz{}, lorenz, {1, 1, 1});
  const PathState<double, 3> start(1, 1, 1);
  benchmark::RegisterBenchmark("equation_lorenz_path/fokker",
                               [=](benchmark::State& state) { one_path(state, lorenz, start); });
  benchmark::RegisterBenchmark("equation_lorenz_path/compiled",
                               [=](benchmark::State& state) { one_path(state, Lorenz{}, start); });
  return true;
}();

}  // namespace
