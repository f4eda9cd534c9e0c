/// @file  main.cpp
/// @brief Geometric Brownian motion by a program that knows only fokker's public face.

#include <cmath>
#include <cstdio>

#if __has_include(<fokker/fokker.hpp>)
#include <fokker/fokker.hpp>
#else  // of fokker, the solvers alone
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#endif

int main() {
  auto sde =
      fokker::make_sde([](const auto& x, double) { return 0.05 * x; },
                       [](const auto& x, double) { return 0.2 * x; }, fokker::noise::diagonal);
  auto r = fokker::simulate(sde, fokker::EulerMaruyama{},
                            fokker::OnGrid{fokker::uniform_grid(0, 1, 100)}, 1.0,
                            {.paths = 10'000, .seed = 42}, fokker::Moments{});

  // E X_1 of Euler's scheme; the sample mean's standard error is about 0.0021.
  const double expected = std::pow(1 + 0.05 / 100, 100);
  const double mean = r.value.mean[0];
  std::printf("E X_1 = %.4f, expected %.4f\n", mean, expected);
  return std::abs(mean - expected) < 0.0085 ? 0 : 1;
}
