/// @file  main.cpp
/// @brief Runs the benchmarks. Their names are "work/who"; scripts/bench makes ratios of them.

#include <string>

#include <benchmark/benchmark.h>

#include <fokker/solvers/support/instruction_set.hpp>

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::AddCustomContext("instruction_set", std::string(fokker::instruction_set()));
#if defined(__clang__)
  benchmark::AddCustomContext("compiler", __VERSION__);
#else
  benchmark::AddCustomContext("compiler", "g++ " __VERSION__);
#endif
  benchmark::RunSpecifiedBenchmarks();
}
