/// @file  cost.cpp
/// @brief How long a path-step takes, over the number of paths, of steps, of components of the
///        state and of modes of a mixture. fokker_bench_cost FILE.svg|png...

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <ctime>
#include <exception>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <fokker/analysis/figures/plot.hpp>
#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/model/reverse_sde.hpp>
#include <fokker/diffusion/schedule/affine_process.hpp>
#include <fokker/diffusion/score/exact_score.hpp>
#include <fokker/processes/models/geometric_brownian_motion.hpp>
#include <fokker/processes/models/ornstein_uhlenbeck.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>

namespace {

using fokker::Index;

double seconds(const std::function<void()>& run) {
  const std::clock_t start = std::clock();
  run();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

void gbm(Index paths, Index steps) {
  fokker::simulate(fokker::GeometricBrownianMotion{0.05, 0.2}, fokker::EulerMaruyama{},
                   fokker::OnGrid{fokker::uniform_grid(0, 1, steps)}, 1.0,
                   {.paths = paths, .seed = 1, .threads = 1}, fokker::Moments{});
}

void ornstein_uhlenbeck(Index dimension, Index paths, Index steps) {
  const Eigen::ArrayXd x0 = Eigen::ArrayXd::Ones(dimension);
  fokker::simulate(fokker::OrnsteinUhlenbeck{}, fokker::EulerMaruyama{},
                   fokker::OnGrid{fokker::uniform_grid(0, 1, steps)}, x0,
                   {.paths = paths, .seed = 1, .threads = 1}, fokker::Moments{});
}

void reverse(Index modes, Index paths, Index steps) {
  const fokker::AffineProcess vp{fokker::VariancePreserving{}};
  const fokker::ReverseSde process{
      vp, fokker::exact_score(vp, fokker::GaussianMixture::ring(modes, 4, 0.3))};
  fokker::simulate(process, fokker::EulerMaruyama{},
                   fokker::OnGrid{fokker::uniform_grid(1, 1e-3, steps)}, vp.prior(2),
                   {.paths = paths, .seed = 1, .threads = 1}, fokker::Moments{});
}

/// Nanoseconds per unit of work over n, in CPU time: `run(n)` does `work(n)` units. The least of
/// five rounds over all sizes, since the speed of a machine drifts.
fokker::Curve measure(const std::string& label, const std::vector<Index>& sizes,
                      const std::function<void(Index)>& run,
                      const std::function<double(Index)>& work) {
  fokker::Curve curve{.label = label, .y = std::vector<double>(sizes.size(), 1e300)};
  for (int round = 0; round < 5; ++round)
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const auto calls = static_cast<Index>(std::ceil(1e6 / work(sizes[i])));
      const double spent = seconds([&] {
        for (Index call = 0; call < calls; ++call) run(sizes[i]);
      });
      curve.y[i] =
          std::min(curve.y[i], 1e9 * spent / (static_cast<double>(calls) * work(sizes[i])));
    }
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    curve.x.push_back(static_cast<double>(sizes[i]));
    std::printf("%-34s %9ld %9.3f ns\n", label.c_str(), static_cast<long>(sizes[i]), curve.y[i]);
  }
  return curve;
}

fokker::Panel panel(const std::string& title, const std::string& x, fokker::Curve curve) {
  const double highest = *std::max_element(curve.y.begin(), curve.y.end());
  return {.title = title,
          .x = {.label = x, .log = true},
          .y = {.label = "ns", .min = 0, .max = 1.25 * highest},
          .layers = {std::move(curve)}};
}

void draw(const std::vector<std::string>& files) {
  for (const std::string& file : files) fokker::check_figure(file);
  const auto real = [](Index n) { return static_cast<double>(n); };
  fokker::Figure figure{.title = "Time of a path-step, one thread, double precision"};
  figure.panels.push_back(
      panel("GBM, 100 steps", "paths",
            measure(
                "per path-step", {1000, 3000, 10'000, 100'000, 1'000'000, 10'000'000},
                [](Index n) { gbm(n, 100); }, [&](Index n) { return real(n) * 100; })));
  figure.panels.push_back(
      panel("GBM, 8192 paths", "steps",
            measure(
                "per path-step", {10, 30, 100, 300, 1000, 3000, 10'000},
                [](Index n) { gbm(8192, n); }, [&](Index n) { return real(n) * 8192; })));
  const auto paths_in = [](Index d) { return std::max<Index>(1024, 65'536 / d); };
  figure.panels.push_back(
      panel("Ornstein-Uhlenbeck, 100 steps", "dimension",
            measure(
                "per path-step and component", {1, 2, 3, 5, 10, 30, 100, 300, 1000},
                [&](Index d) { ornstein_uhlenbeck(d, paths_in(d), 100); },
                [&](Index d) { return real(d * paths_in(d)) * 100; })));
  figure.panels.push_back(panel(
      "reverse SDE in the plane, 4096 paths, 100 steps", "modes of the mixture",
      measure(
          "per path-step and mode", {1, 2, 3, 5, 8, 16, 30, 100, 300, 1000},
          [](Index k) { reverse(k, 4096, 100); }, [&](Index k) { return real(k) * 4096 * 100; })));
  for (const std::string& file : files) fokker::write_figure(figure, file);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    draw({argv + 1, argv + argc});
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench: %s\n", error.what());
    return 2;
  }
}
