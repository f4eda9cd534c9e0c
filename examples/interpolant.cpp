/// @file  interpolant.cpp
/// @brief From two moons to a ring of eight modes, neither of them normal, by the flow and the SDEs
///        of a stochastic interpolant: a table of errors, and a picture.
///
///     interpolant [PATHS [FILE.png|FILE.svg...]]
///
/// Markdown on stdout. Errors are of PATHS samples (4096 by default) at t = 0: their sliced W2 to
/// exact samples of the ring, and the RMS distance to the solution by a solver of high order and
/// 2048 steps from the same start on the same Brownian path.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <fokker/analysis/distance/distances.hpp>
#include <fokker/analysis/figures/plot.hpp>
#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/model/two_sided_interpolant.hpp>
#include <fokker/solvers/core/grid.hpp>
#include <fokker/solvers/ensemble/threads.hpp>
#include <fokker/solvers/integrate/stepping.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ito/sra.hpp>
#include <fokker/solvers/noise/brownian.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

namespace {

using namespace fokker;
using X = Block<double>;

constexpr std::uint64_t seed = 2024;
constexpr Index finest = 2048;
const std::vector<Index> all_steps = {4, 8, 16, 32, 64, 128};

/// A solver with a number of steps.
struct Row {
  std::string solver, equation;
  Index steps, evaluations;
  Distance law, path;
};

/// n samples of a law.
template <class Law>
X samples(const Law& law, Index n, std::uint64_t from_seed) {
  X all(law.dimension(), n);
  PathRandom random(from_seed, 0, n);
  law.sample(random, all);
  return all;
}

/// The states at the end of the grid, t falling; each path on its own Brownian path, the same for
/// every solver and every number of steps that divides `finest`.
template <class Model, class Solver>
X solve(const Model& model, const Solver& solver, X x, const TimeGrid& grid, Index pieces) {
  using P = TimeReversed<Model>;
  const P down{model};
  const Index width = 512, m = wiener_dimension(down, x.rows());
  const Needs needs = needs_of(solver);
  for_each_index((x.cols() + width - 1) / width, [&](Index b) {
    const Index first = b * width, n = std::min(width, x.cols() - first);
    CoarsenedIncrements noise{
        BrownianIncrements<double>(seed, static_cast<std::uint64_t>(first), n, m, needs), pieces,
        needs};
    Stepping run(down, solver, X(x.middleCols(first, n)), std::move(noise));
    for (std::size_t k = 0; k + 1 < grid.size(); ++k) run.to(-grid[k], -grid[k + 1]);
    x.middleCols(first, n) = run.x();
  });
  return x;
}

/// Rows of some solvers of one equation, whose solution `reference` gives in `finest` steps.
template <class Model, class Reference, class... Solvers>
void measure(std::string equation, const Model& model, const X& start, const Metric& metric,
             std::vector<Row>& rows, const Reference& reference, const Solvers&... solvers) {
  const X exact = solve(model, reference, start, uniform_grid(1, 0, finest), 1);
  const auto add = [&](const auto& solver) {
    for (const Index steps : all_steps) {
      const X end = solve(model, solver, start, uniform_grid(1, 0, steps), finest / steps);
      const Eigen::ArrayXd square = (end - exact).square().colwise().sum().transpose();
      rows.push_back({std::string(name_of(solver)), equation, steps,
                      steps * facts_of(solver).evaluations(noise_kind<Model>).drift, metric(end),
                      root_mean_square({square.data(), static_cast<std::size_t>(square.size())})});
    }
  };
  (add(solvers), ...);
}

void print(const std::vector<Row>& rows, const Floor& floor) {
  fmt::print("Two exact samples: sliced W2 {:.3g}, standard deviation {:.2g}.\n\n", floor.mean,
             floor.sd);
  fmt::print("| equation | solver | steps | evaluations | sliced W2 | to the solution, RMS |\n");
  fmt::print("|---|---|---:|---:|---:|---:|\n");
  for (const Row& row : rows)
    fmt::print("| {} | `{}` | {} | {} | {:.3g} | {:.2g} |\n", row.equation, row.solver, row.steps,
               row.evaluations, row.law.value, row.path.value);
}

Panel cloud(std::string title, const X& x) {
  Curve dots{.mark = Mark::dots};
  for (Index j = 0; j < x.cols(); ++j) {
    dots.x.push_back(x(0, j));
    dots.y.push_back(x(1, j));
  }
  return {.title = std::move(title),
          .x = {.min = -5.5, .max = 5.5},
          .y = {.min = -5.5, .max = 5.5},
          .layers = {std::move(dots)},
          .equal_aspect = true};
}

template <class Value>
Panel errors(std::string title, const std::vector<Row>& rows, const Value& value) {
  Panel panel{.title = std::move(title),
              .x = {.label = "evaluations", .log = true, .powers_of_two = true},
              .y = {.log = true}};
  std::vector<Curve> curves;
  for (const Row& row : rows) {
    const std::string label = row.solver + ", " + row.equation;
    if (curves.empty() || curves.back().label != label)
      curves.push_back({.label = label, .dashed = row.equation != "flow"});
    curves.back().x.push_back(static_cast<double>(row.evaluations));
    curves.back().y.push_back(value(row));
  }
  for (Curve& curve : curves) panel.layers.emplace_back(std::move(curve));
  return panel;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Index paths = argc > 1 ? std::atoll(argv[1]) : 4096;
    if (paths < 2)
      throw std::invalid_argument(
          "usage: interpolant [PATHS [FILE.png|FILE.svg...]], at least 2 paths");
    const std::vector<std::string> files(argv + std::min(argc, 2), argv + argc);
    for (const std::string& file : files) check_figure(file);

    const TwoSidedInterpolant path(GaussianMixture::ring(8, 4.0, 0.3),
                                   GaussianMixture::two_moons(0.2, 8));
    const InterpolantFlow flow{path};
    const ReverseInterpolantSde quiet{path, 0.2}, loud{path, 2.0};
    const X start = samples(path.base(), paths, seed);
    const auto metric = make_metric("sliced-w2", samples(path.data(), paths, seed + 1));
    const Floor floor = floor_of(
        "sliced-w2",
        [&](int k) {
          const auto draw = [&](std::uint64_t purpose) {
            const X x =
                samples(path.data(), paths, seed + 2 * static_cast<std::uint64_t>(k) + purpose);
            Sample sample(x.rows(), x.cols());
            std::copy_n(x.data(), x.size(), sample.values.begin());
            return sample;
          };
          return std::pair{draw(2), draw(3)};
        },
        8);

    std::vector<Row> rows;
    measure("flow", flow, start, *metric, rows, Rk4{}, Euler{}, Heun{}, Rk4{});
    measure("SDE, epsilon 0.2", quiet, start, *metric, rows, Sra1{}, EulerMaruyama{}, Sra1{});
    measure("SDE, epsilon 2", loud, start, *metric, rows, Sra1{}, EulerMaruyama{}, Sra1{});
    print(rows, floor);

    if (!files.empty()) {
      Figure figure{.title = "Two moons to a ring of eight, by a stochastic interpolant",
                    .columns = 3,
                    .width = 1800,
                    .height = 1100};
      const X middle = solve(flow, Rk4{}, start, uniform_grid(1, 0.5, 64), 1);
      const X end = solve(flow, Rk4{}, middle, uniform_grid(0.5, 0, 64), 1);
      figure.panels = {cloud("t = 1", start), cloud("flow, t = 0.5", middle),
                       cloud("flow, t = 0", end)};
      Panel law =
          errors("sliced W2 to the ring", rows, [](const Row& row) { return row.law.value; });
      law.layers.emplace_back(HorizontalLine{"two exact samples", floor.mean});
      figure.panels.push_back(std::move(law));
      figure.panels.push_back(errors("RMS distance to the solution, same start and noise", rows,
                                     [](const Row& row) { return row.path.value; }));
      figure.panels.push_back(
          cloud("SDE, epsilon 2, t = 0", solve(loud, Sra1{}, start, uniform_grid(1, 0, 128), 1)));
      for (const std::string& file : files) write_figure(figure, file);
    }
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "interpolant: {}\n", error.what());
    return 2;
  }
}
