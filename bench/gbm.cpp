/// @file  gbm.cpp
/// @brief Geometric Brownian motion by Euler-Maruyama, one thread: items are path-steps.

#include <cmath>
#include <memory>
#include <random>

#include <benchmark/benchmark.h>
#include <pcg_random.hpp>

#include <fokker/processes/models/geometric_brownian_motion.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <simd/dispatch.hpp>

#include "kernels/limit.hpp"

namespace {

constexpr fokker::Index paths = 8192, steps = 100;
constexpr std::uint64_t seed = 1;
constexpr double mu = 0.05, sigma = 0.2, h = 1.0 / steps;

void count(benchmark::State& state) { state.SetItemsProcessed(state.iterations() * paths * steps); }

template <class S = double>
double simulate_mean(fokker::Index n = paths, int threads = 1) {
  const fokker::GeometricBrownianMotion process{mu, sigma};
  return fokker::simulate<S>(process, fokker::EulerMaruyama{},
                             fokker::OnGrid{fokker::uniform_grid(0, 1, steps)}, 1.0,
                             {.paths = n, .seed = seed, .threads = threads}, fokker::Moments{})
      .value.mean[0];
}

template <class S>
void library(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(simulate_mean<S>());
  count(state);
}

/// The same on `threads` threads, with more paths: in wall time.
void on_threads(benchmark::State& state, int threads) {
  constexpr fokker::Index many = 32 * paths;
  for (auto _ : state) benchmark::DoNotOptimize(simulate_mean(many, threads));
  state.SetItemsProcessed(state.iterations() * many * steps);
}

const fokker::detail::LimitKernels& limit() { return FOKKER_DISPATCH(limit_kernels); }

/// By hand for this one process: generator, normals and state in registers.
void in_registers(benchmark::State& state) {
  const double mean = simulate_mean();
  double own = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(own =
                                 limit().gbm(seed, paths, steps, 1 + mu * h, sigma * std::sqrt(h)));
  count(state);
  if (!(std::abs(own - mean) < 1e-12)) state.SkipWithError("another mean than fokker's");
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
BENCHMARK(in_registers)->Name("gbm/in registers")->Unit(benchmark::kMillisecond);
BENCHMARK(scalar_loop<double>)->Name("gbm/scalar loop")->Unit(benchmark::kMillisecond);
BENCHMARK(virtual_per_path)->Name("gbm/virtual per path")->Unit(benchmark::kMillisecond);
BENCHMARK(library<float>)->Name("gbm_float/fokker")->Unit(benchmark::kMillisecond);
BENCHMARK(scalar_loop<float>)->Name("gbm_float/scalar loop")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(on_threads, two, 2)
    ->Name("gbm_two_threads/fokker")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(on_threads, one, 1)
    ->Name("gbm_two_threads/one thread")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
