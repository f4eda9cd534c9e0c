/// @file  gsl.cpp
/// @brief The Lorenz system of odes.hpp by the GNU Scientific Library.

#include <benchmark/benchmark.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_odeiv2.h>

namespace {

int lorenz(double, const double x[], double dx[], void*) {
  dx[0] = 10 * (x[1] - x[0]);
  dx[1] = x[0] * (28 - x[2]) - x[1];
  dx[2] = x[0] * x[1] - 8.0 / 3 * x[2];
  return GSL_SUCCESS;
}

void solve(benchmark::State& state, const gsl_odeiv2_step_type* method) {
  gsl_odeiv2_system system{lorenz, nullptr, 3, nullptr};
  for (auto _ : state) {
    gsl_odeiv2_driver* driver = gsl_odeiv2_driver_alloc_y_new(&system, method, 1e-3, 1e-9, 1e-9);
    double t = 0, x[3] = {1, 1, 1};
    if (gsl_odeiv2_driver_apply(driver, &t, 10, x) != GSL_SUCCESS)
      state.SkipWithError("GSL gave up");
    benchmark::DoNotOptimize(x);
    gsl_odeiv2_driver_free(driver);
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(solve, rkf45, gsl_odeiv2_step_rkf45)
    ->Name("lorenz_dopri5/GSL rkf45")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(solve, rk8pd, gsl_odeiv2_step_rk8pd)
    ->Name("lorenz_dopri5/GSL rk8pd")
    ->Unit(benchmark::kMicrosecond);

}  // namespace
