/// @file  gbm.cpp
/// @brief Geometric Brownian motion by Euler-Maruyama, one thread: items are path-steps.

#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>
#include <pcg_random.hpp>

#include <fokker/processes/geometric_brownian_motion.hpp>
#include <fokker/solvers/euler_maruyama.hpp>
#include <fokker/solvers/random.hpp>
#include <fokker/solvers/simulate.hpp>

namespace {

constexpr fokker::Index paths = 8192, steps = 100;
constexpr double mu = 0.05, sigma = 0.2, h = 1.0 / steps;

void count(benchmark::State& state) { state.SetItemsProcessed(state.iterations() * paths * steps); }

template <class S>
void library(benchmark::State& state) {
  const fokker::GeometricBrownianMotion process{mu, sigma};
  const auto grid = fokker::uniform_grid(0, 1, steps);
  for (auto _ : state)
    benchmark::DoNotOptimize(fokker::simulate<S>(process, fokker::EulerMaruyama{}, 1.0, grid,
                                                 {.paths = paths, .seed = 1, .threads = 1},
                                                 fokker::Moments{}));
  count(state);
}

/// What one would write by hand for this one process with the library's generator.
void hand_written(benchmark::State& state) {
  constexpr std::size_t width = 1024;
  std::vector<double> x(width), z0(width), z1(width);
  const double root_h = std::sqrt(h);
  for (auto _ : state) {
    double sum = 0;
    for (fokker::Index first = 0; first < paths; first += width) {
      fokker::StreamLanes streams(1, static_cast<std::uint64_t>(first), width,
                                  fokker::Purpose::wiener);
      x.assign(width, 1.0);
      for (fokker::Index k = 0; k < steps; k += 2) {
        streams.normal_pair(z0.data(), z1.data(), root_h, root_h);
        for (std::size_t j = 0; j < width; ++j) {
          const double y = x[j] + mu * x[j] * h + sigma * x[j] * z0[j];
          x[j] = y + mu * y * h + sigma * y * z1[j];
        }
      }
      for (const double value : x) sum += value;
    }
    benchmark::DoNotOptimize(sum);
  }
  count(state);
}

/// The obvious loop: a scalar path after another, everything inlined.
template <class S>
void scalar_loop(benchmark::State& state) {
  const S root_h = static_cast<S>(std::sqrt(h)), m = static_cast<S>(mu * h),
          s = static_cast<S>(sigma);
  for (auto _ : state) {
    pcg64 generator(1);
    std::normal_distribution<S> normal;
    S sum = 0;
    for (fokker::Index j = 0; j < paths; ++j) {
      S x = 1;
      for (fokker::Index k = 0; k < steps; ++k) x += m * x + s * x * root_h * normal(generator);
      sum += x;
    }
    benchmark::DoNotOptimize(sum);
  }
  count(state);
}

struct VirtualSde {
  virtual ~VirtualSde() = default;
  virtual Eigen::VectorXd drift(const Eigen::VectorXd& x) const = 0;
  virtual Eigen::VectorXd diffusion(const Eigen::VectorXd& x) const = 0;
};
struct VirtualGbm final : VirtualSde {
  Eigen::VectorXd drift(const Eigen::VectorXd& x) const override { return mu * x; }
  Eigen::VectorXd diffusion(const Eigen::VectorXd& x) const override { return sigma * x; }
};

/// The object-oriented form: a virtual call and a vector per path.
void virtual_per_path(benchmark::State& state) {
  const std::unique_ptr<VirtualSde> process = std::make_unique<VirtualGbm>();
  const double root_h = std::sqrt(h);
  for (auto _ : state) {
    pcg64 generator(1);
    std::normal_distribution<double> normal;
    double sum = 0;
    for (fokker::Index j = 0; j < paths; ++j) {
      Eigen::VectorXd x = Eigen::VectorXd::Ones(1);
      for (fokker::Index k = 0; k < steps; ++k)
        x = x + h * process->drift(x) + root_h * normal(generator) * process->diffusion(x);
      sum += x[0];
    }
    benchmark::DoNotOptimize(sum);
  }
  count(state);
}

BENCHMARK(library<double>)->Name("gbm/fokker")->Unit(benchmark::kMillisecond);
BENCHMARK(hand_written)->Name("gbm/hand-written, same generator")->Unit(benchmark::kMillisecond);
BENCHMARK(scalar_loop<double>)
    ->Name("gbm/inlined scalar, pcg64 + std::normal_distribution")
    ->Unit(benchmark::kMillisecond);
BENCHMARK(virtual_per_path)
    ->Name("gbm/virtual, one Eigen vector per path")
    ->Unit(benchmark::kMillisecond);
BENCHMARK(library<float>)->Name("gbm_float/fokker")->Unit(benchmark::kMillisecond);
BENCHMARK(scalar_loop<float>)
    ->Name("gbm_float/inlined scalar, pcg64 + std::normal_distribution")
    ->Unit(benchmark::kMillisecond);

}  // namespace
