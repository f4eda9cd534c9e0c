/// @file  one_sde.cpp
/// @brief The smallest program: everything included, one SDE simulated. How long it takes to
///        compile is measured by scripts/bench.

#include <cstdio>

#include <fokker/fokker.hpp>

int main() {
  const auto sde = fokker::make_sde([](const auto& x, double) { return 2.0 * (1.0 - x); },
                                    [](const auto& x, double) { return 0.3 * x.sqrt(); },
                                    fokker::noise::diagonal);
  const auto result = fokker::simulate(sde, fokker::EulerMaruyama{},
                                       fokker::OnGrid{fokker::uniform_grid(0, 10, 1000)}, 1.0,
                                       {.paths = 10'000, .seed = 42}, fokker::Moments{});
  std::printf("%g\n", result.value.mean[0]);
}
