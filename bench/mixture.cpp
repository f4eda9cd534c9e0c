/// @file  mixture.cpp
/// @brief The exact score of an eight-mode mixture, and the reverse SDE that it drives, one thread.

#include <array>
#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>
#include <pcg_random.hpp>

#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/model/probability_flow.hpp>
#include <fokker/diffusion/model/reverse_sde.hpp>
#include <fokker/diffusion/schedule/affine_process.hpp>
#include <fokker/diffusion/score/exact_score.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>
#include <simd/dispatch.hpp>

#include "kernels/limit.hpp"

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

const fokker::detail::LimitKernels& limit() { return FOKKER_DISPATCH(limit_kernels); }

/// The table of the kernel by hand: the mixture at signal s and noise std.
fokker::detail::PlaneModes plane_modes(double s, double std) {
  fokker::detail::PlaneModes at{};
  const auto ring = modes_at(s);
  for (std::size_t k = 0; k < ring.size(); ++k) {
    at.mean_x[k] = ring[k].mean_x;
    at.mean_y[k] = ring[k].mean_y;
    at.precision[k] = 1 / (s * s * width * width + std * std);
  }
  return at;
}

void score_in_registers(benchmark::State& state) {
  const fokker::Block<double> x = fokker::Block<double>::Random(2, 1024) * 5;
  fokker::Block<double> out(2, 1024), expected(2, 1024);
  const auto at = plane_modes(0.8, 0.6);
  for (auto _ : state) {
    limit().score(at, x.data(), x.data() + 1024, 1024, out.data(), out.data() + 1024);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * x.cols());
  fokker::GaussianMixture::ring(modes, radius, width).score(x, 0.8, 0.6, expected);
  if (!((out - expected).abs().maxCoeff() < 1e-12))
    state.SkipWithError("another score than fokker's");
}

constexpr fokker::Index paths = 4096, steps = 100;

template <class S>
fokker::Moments::Value simulate_reverse() {
  const fokker::AffineProcess vp{fokker::VariancePreserving{}};
  const fokker::ReverseSde reverse{
      vp, fokker::exact_score(vp, fokker::GaussianMixture::ring(modes, radius, width))};
  return fokker::simulate<S>(reverse, fokker::EulerMaruyama{},
                             fokker::OnGrid{fokker::uniform_grid(1, 1e-3, steps)}, vp.prior(2),
                             {.paths = paths, .seed = 1, .threads = 1}, fokker::Moments{})
      .value;
}

template <class S>
void reverse_library(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(simulate_reverse<S>());
  state.SetItemsProcessed(state.iterations() * paths * steps);
}

/// The probability flow by Heun's method: two scores a step.
template <class S>
void flow_library(benchmark::State& state) {
  const fokker::AffineProcess vp{fokker::VariancePreserving{}};
  const fokker::ProbabilityFlow flow{
      vp, fokker::exact_score(vp, fokker::GaussianMixture::ring(modes, radius, width))};
  const fokker::OnGrid steps_on{fokker::uniform_grid(1, 1e-3, steps)};
  for (auto _ : state)
    benchmark::DoNotOptimize(fokker::simulate<S>(flow, fokker::Heun{}, steps_on, vp.prior(2),
                                                 {.paths = paths, .seed = 1, .threads = 1},
                                                 fokker::Moments{}));
  state.SetItemsProcessed(state.iterations() * paths * steps);
}

void reverse_in_registers(benchmark::State& state) {
  const fokker::AffineProcess vp{fokker::VariancePreserving{}};
  const auto grid = fokker::uniform_grid(1, 1e-3, steps);
  double own = 0;
  for (auto _ : state) {
    std::vector<fokker::detail::ReverseStep> plan;
    for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
      const double t = grid[k], step = grid[k] - grid[k + 1], g = vp.diffusion(t);
      plan.push_back({plane_modes(vp.scale(t), vp.std(t)), 1 - step * vp.log_scale_rate(t),
                      step * g * g, g * std::sqrt(step)});
    }
    benchmark::DoNotOptimize(own = limit().reverse(1, paths, plan.data(), plan.size()));
  }
  state.SetItemsProcessed(state.iterations() * paths * steps);
  const auto moments = simulate_reverse<double>();
  const double n = static_cast<double>(paths);
  const double expected = ((n - 1) / n * moments.variance + moments.mean.square()).sum();
  if (!(std::abs(own - expected) < 1e-9)) state.SkipWithError("another law than fokker's");
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

/// The object-oriented form: a virtual call and a vector per path, the schedule at every call.
struct VirtualSde {
  virtual ~VirtualSde() = default;
  virtual Eigen::VectorXd drift(const Eigen::VectorXd& x, double t) const = 0;
  virtual double diffusion(double t) const = 0;
};
struct VirtualReverse final : VirtualSde {
  fokker::AffineProcess<fokker::VariancePreserving> vp{fokker::VariancePreserving{}};
  std::vector<Eigen::VectorXd> centres;
  VirtualReverse() {
    for (const Mode& mode : modes_at(1)) {
      centres.emplace_back(2);
      centres.back() << mode.mean_x, mode.mean_y;
    }
  }
  Eigen::VectorXd drift(const Eigen::VectorXd& x, double t) const override {
    const double s = vp.scale(t), std = vp.std(t), g = vp.diffusion(t);
    const double precision = 1 / (s * s * width * width + std * std);
    double largest = -1e300;
    for (const Eigen::VectorXd& c : centres)
      largest = std::max(largest, -0.5 * precision * (s * c - x).squaredNorm());
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(x.size());
    double total = 0;
    for (const Eigen::VectorXd& c : centres) {
      const double w = std::exp(-0.5 * precision * (s * c - x).squaredNorm() - largest);
      total += w;
      sum += w * (s * c - x);
    }
    return vp.log_scale_rate(t) * x - g * g * precision / total * sum;
  }
  double diffusion(double t) const override { return vp.diffusion(t); }
};

void reverse_virtual(benchmark::State& state) {
  const std::unique_ptr<VirtualSde> process = std::make_unique<VirtualReverse>();
  const auto grid = fokker::uniform_grid(1, 1e-3, steps);
  for (auto _ : state) {
    pcg64 generator(1);
    std::normal_distribution<double> normal;
    double sum = 0;
    const auto draw = [&] {
      return Eigen::VectorXd::NullaryExpr(2, [&] { return normal(generator); });
    };
    for (fokker::Index j = 0; j < paths; ++j) {
      Eigen::VectorXd x = draw();
      for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
        const double t = grid[k], step = grid[k] - grid[k + 1];
        x = x - step * process->drift(x, t) + std::sqrt(step) * process->diffusion(t) * draw();
      }
      sum += x.squaredNorm();
    }
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * paths * steps);
}

BENCHMARK(score_library<double>)->Name("mixture_score/fokker");
BENCHMARK(score_in_registers)->Name("mixture_score/in registers");
BENCHMARK(score_scalar)->Name("mixture_score/scalar loop");
BENCHMARK(score_library<float>)->Name("mixture_score_float/fokker");
BENCHMARK(reverse_library<double>)
    ->Name("mixture_reverse_sde/fokker")
    ->Unit(benchmark::kMillisecond);
BENCHMARK(reverse_in_registers)
    ->Name("mixture_reverse_sde/in registers")
    ->Unit(benchmark::kMillisecond);
BENCHMARK(reverse_virtual)
    ->Name("mixture_reverse_sde/virtual per path")
    ->Unit(benchmark::kMillisecond);
BENCHMARK(reverse_by_path)
    ->Name("mixture_reverse_sde/scalar by path")
    ->Unit(benchmark::kMillisecond);
BENCHMARK(reverse_hoisted)->Name("mixture_reverse_sde/scalar loop")->Unit(benchmark::kMillisecond);
BENCHMARK(reverse_library<float>)
    ->Name("mixture_reverse_sde_float/fokker")
    ->Unit(benchmark::kMillisecond);
BENCHMARK(flow_library<double>)->Name("mixture_flow_heun/fokker")->Unit(benchmark::kMillisecond);
BENCHMARK(flow_library<float>)
    ->Name("mixture_flow_heun_float/fokker")
    ->Unit(benchmark::kMillisecond);

}  // namespace
