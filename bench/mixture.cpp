/// @file  mixture.cpp
/// @brief The exact score of an eight-mode mixture, and the reverse SDE that it drives, one thread.

#include <array>
#include <cmath>
#include <random>

#include <benchmark/benchmark.h>
#include <pcg_random.hpp>

#include <fokker/diffusion/affine_process.hpp>
#include <fokker/diffusion/exact_score.hpp>
#include <fokker/diffusion/mixture.hpp>
#include <fokker/diffusion/reverse_sde.hpp>
#include <fokker/solvers/euler_maruyama.hpp>
#include <fokker/solvers/simulate.hpp>

namespace {

constexpr int modes = 8;
constexpr double radius = 4, width = 0.3;

/// One mode of the mixture at one time: what can be taken out of the loop over paths.
struct Mode {
  double mean_x, mean_y;
};

std::array<Mode, modes> modes_at(double s) {
  std::array<Mode, modes> at{};
  for (int k = 0; k < modes; ++k) {
    const double angle = 2 * M_PI * k / modes;
    at[static_cast<std::size_t>(k)] = {s * radius * std::cos(angle), s * radius * std::sin(angle)};
  }
  return at;
}

/// The obvious score of one path, by std::exp.
void scalar_score(const std::array<Mode, modes>& at, double precision, double x, double y,
                  double& score_x, double& score_y) {
  std::array<double, modes> exponent{};
  double largest = -1e300;
  for (std::size_t k = 0; k < modes; ++k) {
    const double dx = at[k].mean_x - x, dy = at[k].mean_y - y;
    exponent[k] = -0.5 * precision * (dx * dx + dy * dy);
    largest = std::max(largest, exponent[k]);
  }
  double total = 0, sum_x = 0, sum_y = 0;
  for (std::size_t k = 0; k < modes; ++k) {
    const double w = std::exp(exponent[k] - largest);
    total += w;
    sum_x += w * (at[k].mean_x - x);
    sum_y += w * (at[k].mean_y - y);
  }
  score_x = precision * sum_x / total;
  score_y = precision * sum_y / total;
}

template <class S>
void score_library(benchmark::State& state) {
  const auto data = fokker::GaussianMixture::ring(modes, radius, width);
  fokker::Block<S> x = fokker::Block<S>::Random(2, 1024) * S(5), out(2, 1024);
  for (auto _ : state) {
    data.score(x, 0.8, 0.6, out);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * x.cols());
}

void score_scalar(benchmark::State& state) {
  const fokker::Block<double> x = fokker::Block<double>::Random(2, 1024) * 5;
  fokker::Block<double> out(2, 1024);
  const auto at = modes_at(0.8);
  const double precision = 1 / (0.64 * width * width + 0.36);
  for (auto _ : state) {
    for (fokker::Index j = 0; j < x.cols(); ++j)
      scalar_score(at, precision, x(0, j), x(1, j), out(0, j), out(1, j));
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * x.cols());
}

constexpr fokker::Index paths = 4096, steps = 100;

template <class S>
void reverse_library(benchmark::State& state) {
  const fokker::AffineProcess vp{fokker::VariancePreserving{}};
  const fokker::ReverseSde reverse{
      vp, fokker::exact_score(vp, fokker::GaussianMixture::ring(modes, radius, width))};
  const auto grid = fokker::uniform_grid(1, 1e-3, steps);
  for (auto _ : state)
    benchmark::DoNotOptimize(fokker::simulate<S>(reverse, fokker::EulerMaruyama{}, vp.prior(2),
                                                 grid, {.paths = paths, .seed = 1, .threads = 1},
                                                 fokker::Moments{}));
  state.SetItemsProcessed(state.iterations() * paths * steps);
}

/// All paths step by step, the schedule taken out of the loop over paths.
void reverse_hoisted(benchmark::State& state) {
  const fokker::AffineProcess vp{fokker::VariancePreserving{}};
  const auto grid = fokker::uniform_grid(1, 1e-3, steps);
  std::vector<double> x(paths), y(paths);
  for (auto _ : state) {
    pcg64 generator(1);
    std::normal_distribution<double> normal;
    for (std::size_t j = 0; j < x.size(); ++j) {
      x[j] = normal(generator);
      y[j] = normal(generator);
    }
    for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
      const double t = grid[k], step = grid[k] - grid[k + 1], s = vp.scale(t), std = vp.std(t);
      const double f = vp.log_scale_rate(t), g = vp.diffusion(t), noise = g * std::sqrt(step);
      const auto at = modes_at(s);
      const double precision = 1 / (s * s * width * width + std * std);
      for (std::size_t j = 0; j < x.size(); ++j) {
        double score_x = 0, score_y = 0;
        scalar_score(at, precision, x[j], y[j], score_x, score_y);
        x[j] += -step * (f * x[j] - g * g * score_x) + noise * normal(generator);
        y[j] += -step * (f * y[j] - g * g * score_y) + noise * normal(generator);
      }
    }
    benchmark::DoNotOptimize(x.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * paths * steps);
}

/// Path after path, as the algorithm is written: the schedule at every step of every path.
void reverse_by_path(benchmark::State& state) {
  const fokker::AffineProcess vp{fokker::VariancePreserving{}};
  const auto grid = fokker::uniform_grid(1, 1e-3, steps);
  const auto ring = modes_at(1);
  std::vector<double> x(paths), y(paths);
  for (auto _ : state) {
    pcg64 generator(1);
    std::normal_distribution<double> normal;
    for (std::size_t j = 0; j < x.size(); ++j) {
      x[j] = normal(generator);
      y[j] = normal(generator);
      for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
        const double t = grid[k], step = grid[k] - grid[k + 1], s = vp.scale(t), std = vp.std(t);
        const double f = vp.log_scale_rate(t), g = vp.diffusion(t), noise = g * std::sqrt(step);
        std::array<Mode, modes> at = ring;
        for (Mode& mode : at) mode = {s * mode.mean_x, s * mode.mean_y};
        double score_x = 0, score_y = 0;
        scalar_score(at, 1 / (s * s * width * width + std * std), x[j], y[j], score_x, score_y);
        x[j] += -step * (f * x[j] - g * g * score_x) + noise * normal(generator);
        y[j] += -step * (f * y[j] - g * g * score_y) + noise * normal(generator);
      }
    }
    benchmark::DoNotOptimize(x.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * paths * steps);
}

BENCHMARK(score_library<double>)->Name("mixture_score/fokker");
BENCHMARK(score_scalar)->Name("mixture_score/inlined scalar, std::exp");
BENCHMARK(score_library<float>)->Name("mixture_score_float/fokker");
BENCHMARK(reverse_library<double>)
    ->Name("mixture_reverse_sde/fokker")
    ->Unit(benchmark::kMillisecond);
BENCHMARK(reverse_by_path)
    ->Name("mixture_reverse_sde/inlined scalar, path by path")
    ->Unit(benchmark::kMillisecond);
BENCHMARK(reverse_hoisted)
    ->Name("mixture_reverse_sde/inlined scalar, schedule hoisted")
    ->Unit(benchmark::kMillisecond);
BENCHMARK(reverse_library<float>)
    ->Name("mixture_reverse_sde_float/fokker")
    ->Unit(benchmark::kMillisecond);

}  // namespace
