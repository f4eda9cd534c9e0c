/// @file  sundials.cpp
/// @brief The Lorenz system of odes.hpp by SUNDIALS.

#include <arkode/arkode_erkstep.h>
#include <benchmark/benchmark.h>
#include <nvector/nvector_serial.h>

namespace {

int lorenz(realtype, N_Vector state, N_Vector rate, void*) {
  const double* const x = N_VGetArrayPointer(state);
  double* const dx = N_VGetArrayPointer(rate);
  dx[0] = 10 * (x[1] - x[0]);
  dx[1] = x[0] * (28 - x[2]) - x[1];
  dx[2] = x[0] * x[1] - 8.0 / 3 * x[2];
  return 0;
}

void dormand_prince(benchmark::State& state) {
  SUNContext context = nullptr;
  SUNContext_Create(nullptr, &context);
  for (auto _ : state) {
    N_Vector x = N_VNew_Serial(3, context);
    N_VConst(1, x);
    void* memory = ERKStepCreate(lorenz, 0, x, context);
    ERKStepSetTableNum(memory, ARKODE_DORMAND_PRINCE_7_4_5);
    ERKStepSStolerances(memory, 1e-9, 1e-9);
    ERKStepSetMaxNumSteps(memory, 1'000'000);
    ERKStepSetStopTime(memory, 10);
    realtype t = 0;
    if (ERKStepEvolve(memory, 10, x, &t, ARK_NORMAL) < 0) state.SkipWithError("SUNDIALS gave up");
    benchmark::DoNotOptimize(N_VGetArrayPointer(x)[0]);
    ERKStepFree(&memory);
    N_VDestroy(x);
  }
  SUNContext_Free(&context);
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(dormand_prince)
    ->Name("lorenz_dopri5/SUNDIALS ERKStep, Dormand-Prince")
    ->Unit(benchmark::kMicrosecond);

}  // namespace
