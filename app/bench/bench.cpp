/// @file  bench.cpp
/// @brief `fokker bench`: how fast the hot loops are here, beside the obvious scalar loop.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <pcg_random.hpp>

#include <boost/numeric/odeint/integrate/integrate_adaptive.hpp>
#include <boost/numeric/odeint/stepper/controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>

#include <fokker/analysis/figures/report.hpp>
#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/model/reverse_sde.hpp>
#include <fokker/diffusion/schedule/affine_process.hpp>
#include <fokker/diffusion/score/exact_score.hpp>
#include <fokker/processes/models/geometric_brownian_motion.hpp>
#include <fokker/processes/models/lorenz.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/noise/random.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>
#include <fokker/solvers/support/instruction_set.hpp>

#include "command.hpp"
#include "support/interrupt.hpp"
#include "support/options.hpp"
#include "support/progress.hpp"

namespace fokker::app {
namespace {

/// What a timed loop computed, kept so that the compiler cannot leave it out.
volatile double sink = 0;

/// Seconds per item of `work`, which does `items` of them: the best of the runs in about 0.3 s.
double seconds_per_item(double items, const std::function<double()>& work,
                        const std::atomic<bool>& cancel) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(300);
  double best = INFINITY;
  for (int run = 0; (run < 3 || Clock::now() < deadline) && !cancel; ++run) {
    const auto start = Clock::now();
    sink = work();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best / items;
}

/// One benchmark: the library and the obvious scalar loop, both on one thread.
struct Benchmark {
  std::string name, unit, obvious;  ///< `obvious` says what the loop is
  double scale;                     ///< units per second
  double items;
  std::function<double()> ours, loop;
};

constexpr double nano = 1e9, micro = 1e6;

Benchmark normals(std::uint64_t seed) {
  constexpr std::size_t lanes = 1024, pairs = 64;
  const auto library = [seed] {
    StreamLanes streams(seed, 0, lanes, Purpose::wiener);
    std::vector<double> z0(lanes), z1(lanes);
    for (std::size_t i = 0; i < pairs; ++i) streams.normal_pair(z0.data(), z1.data(), 1, 1);
    return z0[0] + z1[1];
  };
  const auto loop = [seed] {
    pcg64 random(seed);
    std::normal_distribution<double> normal;
    double sum = 0;
    for (std::size_t i = 0; i < 2 * lanes * pairs; ++i) sum += normal(random);
    return sum;
  };
  return {"normals", "ns per normal",     "pcg64 + std::normal_distribution",
          nano,      2.0 * lanes * pairs, library,
          loop};
}

Benchmark geometric_brownian_motion(const CommonOptions& common) {
  constexpr Index paths = 8192, steps = 100;
  const auto library = [&common] {
    const auto ensemble =
        simulate(GeometricBrownianMotion{}, EulerMaruyama{}, OnGrid{uniform_grid(0, 1, steps)}, 1.0,
                 {.paths = paths, .seed = common.seed, .threads = common.threads}, Moments{});
    return ensemble.value.mean[0];
  };
  const auto loop = [&common] {
    const GeometricBrownianMotion gbm;
    pcg64 random(common.seed);
    std::normal_distribution<double> normal;
    const double h = 1.0 / steps, root_h = std::sqrt(h);
    double sum = 0;
    for (Index j = 0; j < paths; ++j) {
      double x = 1;
      for (Index k = 0; k < steps; ++k)
        x += gbm.mu * x * h + gbm.sigma * x * root_h * normal(random);
      sum += x;
    }
    return sum / paths;
  };
  return {"gbm euler-maruyama",
          "ns per path-step",
          "a path at a time, pcg64 + std::normal",
          nano,
          1.0 * paths * steps,
          library,
          loop};
}

/// The ring of eight modes, written out for one point: the score of s x0 + std eps.
std::array<double, 2> ring_score(double x, double y, double s, double std) {
  constexpr int modes = 8;
  const double variance = s * s * 0.3 * 0.3 + std * std;
  std::array<double, modes> dx, dy, exponent;
  double top = -INFINITY;
  for (std::size_t k = 0; k < modes; ++k) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(k) / modes;
    dx[k] = x - s * 4 * std::cos(angle);
    dy[k] = y - s * 4 * std::sin(angle);
    exponent[k] = -0.5 * (dx[k] * dx[k] + dy[k] * dy[k]) / variance;
    top = std::max(top, exponent[k]);
  }
  double total = 0, sx = 0, sy = 0;
  for (std::size_t k = 0; k < modes; ++k) {
    const double w = std::exp(exponent[k] - top);
    total += w;
    sx -= w * dx[k];
    sy -= w * dy[k];
  }
  return {sx / (total * variance), sy / (total * variance)};
}

Benchmark mixture_score() {
  static constexpr Index points = 1024;
  const auto library = [data = GaussianMixture::ring(8, 4.0, 0.3)] {
    Block<double> x(2, points), score(2, points);
    for (Index j = 0; j < points; ++j) x.col(j) << 0.004 * static_cast<double>(j) - 2, 1.5;
    data.score(x, 0.8, 0.6, score);
    return score(0, 0);
  };
  const auto loop = [] {
    double sum = 0;
    for (Index j = 0; j < points; ++j)
      sum += ring_score(0.004 * static_cast<double>(j) - 2, 1.5, 0.8, 0.6)[0];
    return sum;
  };
  return {"mixture score (8 modes, d = 2)",
          "ns per point",
          "a point at a time",
          nano,
          1.0 * points,
          library,
          loop};
}

Benchmark reverse_sde(const CommonOptions& common) {
  constexpr Index paths = 2048, steps = 50;
  const auto library = [&common] {
    const AffineProcess vp{VariancePreserving{}};
    const ReverseSde reverse{vp, exact_score(vp, GaussianMixture::ring(8, 4.0, 0.3))};
    const auto ensemble =
        simulate(reverse, EulerMaruyama{}, OnGrid{uniform_grid(1, 1e-3, steps)}, vp.prior(2),
                 {.paths = paths, .seed = common.seed, .threads = common.threads}, Moments{});
    return ensemble.value.mean[0];
  };
  const auto loop = [&common] {
    const AffineProcess vp{VariancePreserving{}};
    pcg64 random(common.seed);
    std::normal_distribution<double> normal;
    const TimeGrid grid = uniform_grid(1, 1e-3, steps);
    double sum = 0;
    for (Index j = 0; j < paths; ++j) {
      double x = normal(random), y = normal(random);
      for (std::size_t k = 0; k < steps; ++k) {
        const double t = grid[k], h = t - grid[k + 1], g = vp.diffusion(t);
        const auto [sx, sy] = ring_score(x, y, vp.scale(t), vp.std(t));
        const double rate = vp.log_scale_rate(t), noise = g * std::sqrt(h);
        x += -h * (rate * x - g * g * sx) + noise * normal(random);
        y += -h * (rate * y - g * g * sy) + noise * normal(random);
      }
      sum += x;
    }
    return sum / paths;
  };
  return {"mixture reverse SDE, euler-maruyama",
          "ns per sample-step",
          "a sample at a time, pcg64 + std::normal",
          nano,
          1.0 * paths * steps,
          library,
          loop};
}

Benchmark lorenz() {
  const auto library = [] {
    const PathState<double, 3> x0(1, 1, 1);
    return integrate(Lorenz{}, Dopri5{}, Adaptive{.rtol = 1e-8, .atol = 1e-8}, x0, {0, 20},
                     {.save_at = {20}})
        .end[0];
  };
  const auto loop = [] {
    namespace odeint = boost::numeric::odeint;
    using State = std::array<double, 3>;
    const auto system = [](const State& x, State& f, double) {
      f = {10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8.0 / 3 * x[2]};
    };
    State x = {1, 1, 1};
    odeint::integrate_adaptive(
        odeint::make_controlled(1e-8, 1e-8, odeint::runge_kutta_dopri5<State>()), system, x, 0.0,
        20.0, 0.01);
    return x[0];
  };
  return {"lorenz, dopri5 at 1e-8, t = 0 to 20",
          "us per solution",
          "odeint on std::array",
          micro,
          1.0,
          library,
          loop};
}

int bench_command(CommonOptions common) {
  check_outputs(common);
  const std::atomic<bool>& cancel = catch_interrupt();
  const std::vector<Benchmark> benchmarks = {normals(common.seed),
                                             geometric_brownian_motion(common), mixture_score(),
                                             reverse_sde(common), lorenz()};
  using Align = TextTable::Align;
  TextTable table({{"benchmark", Align::left},
                   {"fokker"},
                   {"obvious"},
                   {"unit", Align::left},
                   {"ratio"},
                   {"obvious is", Align::left}});
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  {
    Progress progress(common.quiet);
    for (const Benchmark& b : benchmarks) {
      if (cancel) break;
      progress.update(static_cast<double>(rows.size()) / static_cast<double>(benchmarks.size()),
                      b.name);
      const double library = b.scale * seconds_per_item(b.items, b.ours, cancel);
      const double loop = b.scale * seconds_per_item(b.items, b.loop, cancel);
      if (cancel) break;
      table.add_row({b.name, fmt::format("{:.3g}", library), fmt::format("{:.3g}", loop), b.unit,
                     fmt::format("{:.1f}", loop / library), b.obvious});
      rows.push_back({{"name", b.name},
                      {"unit", b.unit},
                      {"fokker", library},
                      {"obvious", loop},
                      {"ratio", loop / library},
                      {"obvious_is", b.obvious}});
    }
  }
  keep_results();
  const std::string threads =
      common.threads == 0 ? "all cores" : fmt::format("{} threads", common.threads);
  fmt::print(common.tables(), "instruction set {}, one thread{}\n\n{}\n{}", instruction_set(),
             common.threads == 1 ? "" : " (ensembles: " + threads + ")", table.text(),
             "scripts/bench runs all benchmarks\n");
  const nlohmann::ordered_json document = {{"instruction_set", instruction_set()},
                                           {"threads", common.threads},
                                           {"seed", common.seed},
                                           {"rows", rows}};
  write_json(common, document);
  say_written(common.tables(), common);
  if (rows.size() == benchmarks.size()) return done;
  fmt::print(stderr, "fokker: interrupted; {} of {} benchmarks were finished\n", rows.size(),
             benchmarks.size());
  return interrupted;
}

constexpr const char* examples = R"(Examples:
  fokker bench
  fokker bench --json bench.json)";

}  // namespace

Command make_bench(CLI::App& app) {
  CLI::App* parser = app.add_subcommand(
      "bench", "Measure the hot loops here, beside the obvious scalar loop (a few seconds)");
  const auto common = std::make_shared<CommonOptions>();
  common->threads = 1;
  add_common(*parser, *common);
  parser->footer(examples);
  return {parser, [common] { return bench_command(*common); }};
}

}  // namespace fokker::app
