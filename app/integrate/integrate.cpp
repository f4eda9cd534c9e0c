/// @file  integrate.cpp
/// @brief `fokker integrate`: an ensemble of any listed process by any solver that fits.

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <fokker/analysis/catalogue/passage_registry.hpp>
#include <fokker/analysis/catalogue/solver_registry.hpp>
#include <fokker/analysis/figures/csv.hpp>
#include <fokker/analysis/figures/plot.hpp>
#include <fokker/analysis/figures/report.hpp>
#include <fokker/solvers/ensemble/checkpoint.hpp>
#include <fokker/solvers/ensemble/streamed_states.hpp>
#include <fokker/solvers/support/bytes.hpp>
#include <fokker/solvers/support/text.hpp>

#include "command.hpp"
#include "integrate/instability.hpp"
#include "integrate/summary.hpp"
#include "integrate/until.hpp"
#include "support/estimate.hpp"
#include "support/interrupt.hpp"
#include "support/options.hpp"
#include "support/progress.hpp"
#include "support/ranks.hpp"
#include "support/recommendation.hpp"
#include "support/text_process.hpp"

namespace fokker::app {
namespace {

constexpr const char* examples = R"(Examples:
  fokker integrate "dX = theta*(1 - X) dt + 0.3*sqrt(X) dW" --set theta=2 --x0 1 --t 0:10
  fokker integrate --process gbm --solver milstein --t 0:1 --dt 0.01 --paths 10000 --plot gbm.svg
  fokker integrate --process ou --set theta=2,sigma=0.5 --solver euler-maruyama --t 0:5 --dt 0.01
  fokker integrate --process heston --solver euler-maruyama --t 0:1 --dt 0.004 --csv heston.csv
  fokker integrate --process lorenz --solver dopri5 --t 0:20 --rtol 1e-9 --points 2001 --csv - 
  fokker integrate --process double-well --solver heun-sde --t 0:20 --dt 0.01 --trajectories 5 --plot paths.pdf
  fokker integrate --process gbm --solver sriw1 --t 0:1 --rtol 1e-4 --paths 1000
  fokker integrate --process ou --solver milstein --points 11 --save paths.npy
  fokker integrate --process heston --solver euler-maruyama --paths 10000000 --checkpoint run.ckpt
  fokker integrate --process ou --solver euler-maruyama --t 0:50 --dt 0.01 --until "x>=2"
  fokker integrate --process bm --solver euler-maruyama --t 0:9 --until "x>=1 or x<=-1"
Names: see fokker list processes and fokker list solvers.)";

struct IntegrateCommand {
  CommonOptions common;
  CheckpointOptions checkpoint;
  std::string equation, process, solver, t = "0:1", csv, save, until, rng = "pcg32";
  std::vector<std::string> parameters, x0;
  std::optional<std::string> dt, paths, rtol, atol, save_every, points, trajectories;
};

/// Everything that a run gives.
struct Run {
  RegisteredProcess process;
  std::vector<double> x0;
  std::vector<Time> times;
  Ensemble<PathStatistics::Value> ensemble;
  std::vector<std::vector<Summary>> summaries;  ///< by time and component
  Index steps = 0;                              ///< of a fixed-step solver
  bool converted = false;
  std::optional<PassageReport> passage = {};  ///< with --until, instead of states
  std::string warning = {};                   ///< of steps that are not stable

  Index d() const { return static_cast<Index>(x0.size()); }
  bool single() const { return ensemble.paths == 1; }
  bool noisy() const { return process.info->noise != NoiseKind::none; }
  const std::vector<PathStatistics::States>& states() const { return ensemble.value.states; }
  Index kept() const { return states().front().cols(); }
};

/// Paths whose states are held, for quantiles, trajectories and the picture: the first ones, up to
/// 64 MiB of states and at least 64.
Index kept_paths(Index paths, std::size_t points, std::size_t d, Index trajectories) {
  const auto most = (Index{1} << 23) / static_cast<Index>(points * d);
  return std::min(paths, std::max({most, trajectories, Index{64}}));
}

/// The grid of a fixed-step solver and the points of it to save.
struct Plan {
  TimeGrid grid;
  std::vector<Index> points;
};

/// Whether the solver chooses its own steps: always, or because tolerances are given.
bool chooses_steps(const IntegrateCommand& o, const SolverInfo& solver) {
  return solver.adaptive || o.rtol || o.atol;
}

Plan plan_of(const IntegrateCommand& o, const SolverInfo& solver) {
  const auto [t0, t1] = interval(o.t, "--t");
  if (t0 == t1) throw std::invalid_argument("--t a:b needs two different times: got '" + o.t + "'");
  if (o.points && o.save_every)
    throw std::invalid_argument("give --points or --save-every, not both");
  const Index wanted = o.points ? whole_number(*o.points, "--points", 2) : 101;
  if (chooses_steps(o, solver)) {
    require_memory(24 * static_cast<double>(wanted),
                   fmt::format("--points {} are too many to be saved", wanted));
    if (o.dt)
      throw std::invalid_argument(
          fmt::format("{} chooses its own steps by --rtol and --atol: give no --dt", solver.name));
    if (o.save_every)
      throw std::invalid_argument(
          fmt::format("{} chooses its own steps: give --points, not --save-every", solver.name));
    Plan plan{uniform_grid(t0, t1, wanted - 1), {}};
    for (Index k = 0; k < wanted; ++k) plan.points.push_back(k);
    return plan;
  }
  const double dt = o.dt ? number(*o.dt, "--dt") : 0.01;
  if (!(dt > 0)) throw std::invalid_argument("--dt needs a step above zero: got '" + *o.dt + "'");
  if (o.dt && dt > std::abs(t1 - t0) * (1 + 1e-9))
    throw std::invalid_argument(
        fmt::format("--dt {} is longer than --t {}: choose a step of at most {}", text(dt), o.t,
                    text(std::abs(t1 - t0))));
  const double steps = std::ceil(std::abs(t1 - t0) / dt - 1e-9);
  if (!(steps <= 1e9))
    throw std::invalid_argument(
        fmt::format("--dt {} makes {:.3g} steps of --t {}: at most 1e9", text(dt), steps, o.t));
  // The grid as it is made, as it is run, and the points of it.
  require_memory(8 * steps * (o.save_every ? 3 : 2),
                 fmt::format("--dt {} makes {:.4g} steps: take a longer one", text(dt), steps));
  const Index n = std::max<Index>(1, static_cast<Index>(steps));
  if (const double far = std::max(std::abs(t0), std::abs(t1)); far - dt == far)
    throw std::invalid_argument(fmt::format(
        "--dt {} is below the resolution of t on --t {}: shift the times towards 0, or take a "
        "larger step",
        text(dt), o.t));
  Plan plan{uniform_grid(t0, t1, n), {}};
  if (o.save_every) {
    const Index every = whole_number(*o.save_every, "--save-every", 1);
    for (Index k = 0; k < n; k += every) plan.points.push_back(k);
    plan.points.push_back(n);
  } else {
    const Index intervals = std::min(wanted - 1, n);
    for (Index k = 0; k <= intervals; ++k) plan.points.push_back(k * n / intervals);
  }
  return plan;
}

std::map<std::string, double> parameters_of(const IntegrateCommand& o) {
  std::map<std::string, double> values;
  for (const auto& [name, word] : assignments(o.parameters, "--set"))
    values[name] = number(word, "--set " + name);
  return values;
}

/// What the result of a run depends on, beside the code.
Settings settings_of(const IntegrateCommand& o, const Run& run, const Plan& plan, Index paths,
                     Index kept) {
  std::string parameters;
  for (const auto& [name, value] : parameters_of(o))
    parameters += fmt::format("{}={} ", name, value);
  return with_build(
      {{"process", o.process},
       {"parameters", parameters},
       {"solver", o.solver},
       {"x0", fmt::format("{}", fmt::join(run.x0, ","))},
       {"t", fmt::format("{}:{}", plan.grid.front(), plan.grid.back())},
       {"steps", fmt::format("{}", run.steps)},
       {"rtol", o.rtol.value_or("default")},
       {"atol", o.atol.value_or("default")},
       {"saved points", fmt::format("{} of {} ({:x})", plan.points.size(), plan.grid.size(),
                                    checksum(to_bytes(plan.points)))},
       {"paths", fmt::format("{}", paths)},
       {"kept paths", fmt::format("{}", kept)},
       {"seed", fmt::format("{}", o.common.seed)},
       {"rng", o.rng}});
}

/// The name of a component in files.
std::string component(const Run& run, Index r) {
  return run.d() == 1 ? "x" : fmt::format("x{}", r + 1);
}

/// The same with what it is: "x2 (variance)".
std::string described(const Run& run, Index r) {
  const auto& names = run.process.info->components;
  return names.empty()
             ? component(run, r)
             : fmt::format("{} ({})", component(run, r), names[static_cast<std::size_t>(r)]);
}

/// The fewest finite values of a component at a saved time: below the number of paths, the
/// statistics are those of some of them.
Index fewest_values(const Run& run, std::size_t k) {
  double fewest = static_cast<double>(run.ensemble.paths);
  for (const Summary& s : run.summaries[k]) fewest = std::min(fewest, s.n);
  return static_cast<Index>(fewest);
}

/// Mean and standard deviation of every component at t, if they are known.
struct Exact {
  std::vector<double> mean, sd;
};

std::optional<Exact> exact_moments(const Run& run, Time t) {
  if (!run.process.mean || !run.process.covariance) return {};
  const Time elapsed = t - run.times.front();
  Exact exact{run.process.mean(run.x0, elapsed), {}};
  const std::vector<double> c = run.process.covariance(run.x0, elapsed);
  for (std::size_t r = 0; r < run.x0.size(); ++r)
    exact.sd.push_back(std::sqrt(std::max(0.0, c[r * run.x0.size() + r])));
  return exact;
}

/// Of fixed steps that grow where the exact solution does not.
std::string warning_of(const IntegrateCommand& o, const Run& run) {
  if (run.steps == 0 || !run.noisy()) return "";
  const Time t0 = run.times.front(), t1 = run.times.back();
  const Time h = (t1 - t0) / static_cast<double>(run.steps);
  const std::string warning = instability_warning(run.process, o.solver, t0, h, run.steps);
  const auto exact = exact_moments(run, t1);
  if (!warning.empty() || !exact || run.summaries.empty()) return warning;
  return far_from_exact(run.summaries.back(), exact->mean, exact->sd, run.x0);
}

void print_end(std::FILE* out, const Run& run) {
  const auto exact = exact_moments(run, run.times.back());
  std::vector<TextTable::Column> columns = {{"component", TextTable::Align::left}};
  const bool spread = run.noisy() && !run.single();
  const bool some_lost = fewest_values(run, run.summaries.size() - 1) < run.ensemble.paths;
  if (spread && some_lost) columns.push_back({"finite paths"});
  columns.push_back({spread ? "mean" : "value"});
  if (run.noisy() && exact) columns.push_back({"exact mean"});
  if (spread) columns.push_back({"sd"});
  if (run.noisy() && exact) columns.push_back({"exact sd"});
  if (spread) columns.insert(columns.end(), {{"5 %"}, {"median"}, {"95 %"}});
  TextTable table(columns);
  for (Index r = 0; r < run.d(); ++r) {
    const auto i = static_cast<std::size_t>(r);
    const Summary& s = run.summaries.back()[i];
    const auto known = [](double value, std::string shown) {
      return std::isnan(value) ? std::string("-") : shown;
    };
    std::vector<std::string> cells = {described(run, r)};
    if (spread && some_lost) cells.push_back(fmt::format("{:.0f} of {}", s.n, run.ensemble.paths));
    cells.push_back(known(s.mean, spread ? format_with_error(s.mean, s.mean_error) : text(s.mean)));
    if (run.noisy() && exact) cells.push_back(fmt::format("{:.6g}", exact->mean[i]));
    if (spread) cells.push_back(known(s.sd, format_with_error(s.sd, s.sd_error)));
    if (run.noisy() && exact) cells.push_back(fmt::format("{:.6g}", exact->sd[i]));
    if (spread)
      for (const std::size_t q : {0u, 2u, 4u})
        cells.push_back(known(s.quantiles[q], fmt::format("{:.4g}", s.quantiles[q])));
    table.add_row(std::move(cells));
  }
  fmt::print(out, "{}", table.text());
  if (run.noisy() && run.single())
    fmt::print(out, "mean and sd of the process are unknown from one path\n");
  if (spread && some_lost)
    fmt::print(out, "these are statistics of the finite paths only, not of the process\n");
}

/// The steps that an adaptive solver took, of a path on average.
std::string adaptive_steps(const Run& run) {
  const MeanCounts& counts = run.ensemble.counts;
  if (!run.noisy())
    return fmt::format("{} ({:.0f} rejected), {}",
                       count(static_cast<Index>(counts.accepted), "step"), counts.rejected,
                       count(static_cast<Index>(counts.drift_evaluations), "evaluation"));
  return fmt::format("{:.1f} steps a path ({:.1f} rejected), {:.1f} f and {:.1f} g",
                     counts.accepted, counts.rejected, counts.drift_evaluations,
                     counts.diffusion_evaluations);
}

/// Steps of an adaptive run that end at a saved time, where they are most of them.
std::string forced_steps(const Run& run) {
  const auto& counts = run.ensemble.counts;
  const auto forced = static_cast<double>(run.times.size() - 1);
  const double steps = counts.accepted;
  if (run.passage || run.steps > 0 || steps == 0 || 2 * forced < steps) return "";
  return fmt::format(
      "every saved time ends a step: {:.0f} of the {:.1f} steps; fewer --points may be faster\n",
      std::min(forced, steps), steps);
}

/// "100 steps of 0.01", or what an adaptive solver took.
std::string steps_text(const IntegrateCommand& o, const Run& run) {
  if (run.steps == 0) return adaptive_steps(run);
  const double length = std::abs(run.times.back() - run.times.front());
  const double h = length / static_cast<double>(run.steps);
  const bool shortened = o.dt && std::abs(h - number(*o.dt, "--dt")) > 1e-6 * h;
  return fmt::format("{} of {:.6g}{}", count(run.steps, "step"), h,
                     shortened ? fmt::format(" (--dt {} does not divide --t)", *o.dt) : "");
}

void print(std::FILE* out, const IntegrateCommand& o, const Run& run) {
  const ProcessInfo& info = *run.process.info;
  if (info.name != info.equation) fmt::print(out, "{}: ", info.name);
  fmt::print(out, "{}\n{}, {} from t = {} to {}, {}\n", info.equation, o.solver,
             run.noisy()
                 ? fmt::format("{}, seed {},", count(run.ensemble.paths, "path"), o.common.seed)
                 : "one path,",
             text(run.times.front()), text(run.times.back()), steps_text(o, run));
  if (run.converted)
    fmt::print(out,
               "{} is a Stratonovich solver: it runs on the Stratonovich form of the process\n",
               o.solver);
  fmt::print(out, "\n");
  if (run.passage) {
    run.passage->print(out);
  } else {
    fmt::print(out, "at t = {}\n", text(run.times.back()));
    print_end(out, run);
    if (run.kept() < run.ensemble.paths)
      fmt::print(out, "the quantiles are those of the first {} paths\n", run.kept());
    fmt::print(out, "{}", forced_steps(run));
  }
  if (!run.warning.empty()) fmt::print(out, "warning: {}\n", run.warning);
  fmt::print(out, "{:.3f} s\n", run.ensemble.seconds);
}

/// Times down, and per component mean, sd and quantiles; or the first `trajectories` paths.
Table csv_table(const Run& run, Index trajectories) {
  if (run.passage) return run.passage->csv();
  Table table;
  table.header.emplace_back("t");
  const bool paths = trajectories > 0 || !run.noisy();
  const Index shown = run.noisy() ? std::min(trajectories, run.kept()) : 1;
  for (Index r = 0; r < run.d(); ++r) {
    const std::string name = component(run, r);
    if (!run.noisy())
      table.header.push_back(name);
    else if (paths)
      for (Index j = 0; j < shown; ++j) table.header.push_back(fmt::format("{}_path{}", name, j));
    else {
      table.header.push_back(name + "_mean");
      table.header.push_back(name + "_sd");
      for (const double p : probabilities)
        table.header.push_back(fmt::format("{}_q{:02.0f}", name, 100 * p));
    }
  }
  table.columns = table.header.size();
  table.rows = run.times.size();
  for (std::size_t k = 0; k < run.times.size(); ++k) {
    table.values.push_back(run.times[k]);
    for (Index r = 0; r < run.d(); ++r)
      if (paths) {
        for (Index j = 0; j < shown; ++j) table.values.push_back(run.states()[k](r, j));
      } else {
        const Summary& s = run.summaries[k][static_cast<std::size_t>(r)];
        table.values.push_back(s.mean);
        table.values.push_back(s.sd);
        table.values.insert(table.values.end(), s.quantiles.begin(), s.quantiles.end());
      }
  }
  return table;
}

/// The table as it stands in a CSV file.
std::string csv_text(const Table& table) {
  std::string lines = fmt::format("{}\n", fmt::join(table.header, ","));
  for (auto row = table.values.begin(); row != table.values.end();) {
    const auto end = row + static_cast<std::ptrdiff_t>(table.columns);
    lines += fmt::format("{}\n", fmt::join(row, end, ","));
    row = end;
  }
  return lines;
}

/// The tolerances that an adaptive run was given or took.
nlohmann::ordered_json tolerances_json(const IntegrateCommand& o, const Run& run) {
  if (run.steps > 0) return nullptr;
  return {{"rtol", o.rtol        ? number(*o.rtol, "--rtol")
                   : run.noisy() ? 1e-3
                                 : 1e-6},
          {"atol", o.atol        ? number(*o.atol, "--atol")
                   : run.noisy() ? 1e-6
                                 : 1e-9}};
}

nlohmann::ordered_json json_of(const IntegrateCommand& o, const Run& run) {
  using Json = nlohmann::ordered_json;
  Json rows = Json::array();
  for (std::size_t k = 0; k < run.summaries.size(); ++k) {
    const auto exact = exact_moments(run, run.times[k]);
    Json row = {{"t", run.times[k]}};
    for (const char* key : {"finite_paths", "mean", "mean_stderr", "sd", "sd_stderr", "quantiles"})
      row[key] = Json::array();
    for (const Summary& s : run.summaries[k]) {
      row["finite_paths"].push_back(static_cast<Index>(s.n));
      row["mean"].push_back(s.mean);
      row["mean_stderr"].push_back(s.mean_error);
      row["sd"].push_back(s.sd);
      row["sd_stderr"].push_back(s.sd_error);
      row["quantiles"].push_back(s.quantiles);
    }
    if (exact) {
      row["exact_mean"] = exact->mean;
      row["exact_sd"] = exact->sd;
    }
    rows.push_back(std::move(row));
  }
  const auto total = [&](double mean) {  // of one path where all have the same steps
    return std::llround(run.steps > 0 ? mean : mean * static_cast<double>(run.ensemble.paths));
  };
  const MeanCounts& counts = run.ensemble.counts;
  Json document = {{"settings",
                    {{"process", o.process},
                     {"parameters", every_parameter(*run.process.info, parameters_of(o))},
                     {"solver", o.solver},
                     {"converted_to_stratonovich", run.converted},
                     {"t0", run.times.front()},
                     {"t1", run.times.back()},
                     {"steps", run.steps},
                     {"tolerances", tolerances_json(o, run)},
                     {"saved_times", run.times.size()},
                     {"components", run.process.info->components},
                     {"x0", run.x0},
                     {"seed", o.common.seed},
                     {"rng", o.rng},
                     {"probabilities", probabilities}}},
                   {"status", to_string(run.ensemble.status)},
                   {"paths", run.ensemble.paths},
                   {"failed", run.ensemble.failed},
                   {"counts",
                    {{"accepted", total(counts.accepted)},
                     {"rejected", total(counts.rejected)},
                     {"drift_evaluations", total(counts.drift_evaluations)},
                     {"diffusion_evaluations", total(counts.diffusion_evaluations)}}},
                   {"seconds", run.ensemble.seconds}};
  if (!run.warning.empty()) document["warning"] = run.warning;
  if (run.passage) {
    document["passage"] = run.passage->json();
  } else {
    document["settings"]["quantile_paths"] = run.kept();
    document["rows"] = std::move(rows);
  }
  return document;
}

/// Bands of quantiles, a few paths, the mean and the exact mean of a component.
Panel component_panel(const Run& run, Index r, Index trajectories) {
  Panel panel{.title = run.d() == 1 ? "" : described(run, r),
              .x = {.label = "t"},
              .y = {.label = described(run, r)}};
  const auto line = [&](std::string label, Colour colour, bool dashed, const auto& value) {
    Curve curve{.label = std::move(label),
                .x = run.times,
                .y = {},
                .mark = Mark::line,
                .colour = colour,
                .dashed = dashed};
    for (std::size_t k = 0; k < run.times.size(); ++k) curve.y.push_back(value(k));
    return curve;
  };
  const auto i = static_cast<std::size_t>(r);
  if (!run.noisy()) {
    panel.layers.emplace_back(
        line("", Colour::blue, false, [&](std::size_t k) { return run.states()[k](r, 0); }));
    return panel;
  }
  const Index shown = std::min<Index>(trajectories > 0 ? trajectories : 4, run.kept());
  const auto add_paths = [&] {
    for (Index j = 0; j < shown; ++j)
      panel.layers.emplace_back(line(j == 0 ? shown == 1 ? "one path" : "paths" : "", Colour::grey,
                                     false, [&](std::size_t k) { return run.states()[k](r, j); }));
  };
  const auto exact = [&] {
    if (exact_moments(run, run.times.front()))
      panel.layers.emplace_back(line("exact mean", Colour::vermillion, true, [&](std::size_t k) {
        return exact_moments(run, run.times[k])->mean[i];
      }));
  };
  if (const std::size_t last = run.summaries.size() - 1;
      fewest_values(run, last) < run.ensemble.paths)
    panel.note = fmt::format("statistics of the finite paths only: {} of {} at the end",
                             fewest_values(run, last), run.ensemble.paths);
  if (run.single()) {
    add_paths();
    exact();
    return panel;
  }
  for (const auto& [low, high, label, colour] :
       {std::tuple{0u, 4u, "5 % to 95 %", Colour::sky},
        std::tuple{1u, 3u, "25 % to 75 %", Colour::blue}}) {
    Band band{.label = label, .x = run.times, .low = {}, .high = {}, .colour = colour};
    for (std::size_t k = 0; k < run.times.size(); ++k) {
      band.low.push_back(run.summaries[k][i].quantiles[low]);
      band.high.push_back(run.summaries[k][i].quantiles[high]);
    }
    panel.layers.emplace_back(std::move(band));
  }
  add_paths();
  panel.layers.emplace_back(
      line("mean", Colour::blue, false, [&](std::size_t k) { return run.summaries[k][i].mean; }));
  exact();
  return panel;
}

Figure figure_of(const IntegrateCommand& o, const Run& run, Index trajectories) {
  Figure figure;
  figure.title = run.noisy() ? fmt::format("{} by {}: {}", run.process.info->description, o.solver,
                                           count(run.ensemble.paths, "path"))
                             : fmt::format("{} by {}", run.process.info->description, o.solver);
  if (run.passage) return run.passage->figure(std::move(figure.title));
  for (Index r = 0; r < run.d(); ++r)
    figure.panels.push_back(component_panel(run, r, trajectories));
  if (!run.noisy() && run.d() >= 2) {  // the orbit, in its first and last component
    Curve orbit{.label = "", .x = {}, .y = {}, .mark = Mark::line, .colour = Colour::vermillion};
    for (const auto& x : run.states()) {
      orbit.x.push_back(x(0, 0));
      orbit.y.push_back(x(run.d() - 1, 0));
    }
    figure.panels.push_back({.title = "orbit",
                             .x = {.label = described(run, 0)},
                             .y = {.label = described(run, run.d() - 1)},
                             .layers = {std::move(orbit)}});
  }
  figure.columns = std::min<std::size_t>(2, figure.panels.size());
  const std::size_t rows = (figure.panels.size() + figure.columns - 1) / figure.columns;
  figure.width = static_cast<int>(figure.columns == 1 ? 1000 : 1500);
  figure.height = static_cast<int>(560 * rows);
  return figure;
}

/// Runs the ensemble: the states saved and their summaries, or the passage times.
void simulate_run(const IntegrateCommand& o, const Plan& plan, SimulateOptions options,
                  const Adaptive& tolerances, const std::vector<Until>& until, PathStatistics keep,
                  Run& run) {
  for (const Index k : plan.points) run.times.push_back(plan.grid[static_cast<std::size_t>(k)]);
  if (!until.empty()) {
    std::vector<PassageTimes> passages;
    for (const Until& condition : until) {  // each on the same paths
      auto ensemble = first_passage_by_name(run.process, o.solver, run.x0, plan.grid, options,
                                            {condition.level, condition.component}, tolerances);
      const double before = run.ensemble.seconds;
      run.ensemble = {.value = {},
                      .status = ensemble.status,
                      .paths = ensemble.paths,
                      .failed = ensemble.failed,
                      .counts = ensemble.counts,
                      .seconds = before + ensemble.seconds};
      passages.push_back(std::move(ensemble.value));
      if (ensemble.status == Status::cancelled) break;
    }
    if (passages.size() == until.size())
      run.passage.emplace(until, passages, plan.grid.front(), plan.grid.back());
    return;
  }
  options.save_at = run.times;
  run.ensemble = simulate_by_name(run.process, o.solver, run.x0, plan.grid, std::move(keep),
                                  options, tolerances);
  if (!first_rank()) return;
  auto moments = run.ensemble.value.moments.begin();
  for (const auto& states : run.states()) {
    std::vector<Summary> row;
    for (Index r = 0; r < run.d(); ++r) {
      Summary s = summarise(*moments++, {states.row(r).begin(), states.row(r).end()});
      if (!run.noisy()) s.mean_error = s.sd = s.sd_error = 0;  // one path is the law
      row.push_back(s);
    }
    run.summaries.push_back(std::move(row));
  }
}

/// ", the first by t = 0.03 (step 3)": the first time saved with a state that is not finite.
std::string first_failure(const Plan& plan, const Run& run) {
  const auto& moments = run.ensemble.value.moments;  // of the finite values
  for (std::size_t i = 0; i < moments.size(); ++i)
    if (moments[i].n < static_cast<double>(run.ensemble.paths)) {
      const std::size_t k = i / run.x0.size();
      return fmt::format(", the first by t = {}{}", text(run.times[k]),
                         run.steps > 0 ? fmt::format(" (step {})", plan.points[k]) : "");
    }
  return "";
}

/// Refuses states that cannot be held: those kept (once in the tree of blocks and once in the
/// result), moments and summaries of every saved time, and the document, of which every number
/// takes much.
void require_states(const IntegrateCommand& o, const Run& run, std::size_t points, Index kept) {
  const double entries = static_cast<double>(points) * static_cast<double>(run.x0.size());
  const double states = 2 * 8 * entries * static_cast<double>(kept);
  const double rows = entries * (3 * sizeof(FourMoments) + sizeof(Summary));
  const double columns = o.csv.empty() ? 0 : entries * 8 * (o.trajectories ? double(kept) : 7.0);
  const double document = o.common.json.empty() ? 0 : 1200 * entries;
  require_memory(
      states + rows + columns + document,
      fmt::format("{} saved times of {} components and {} paths kept for quantiles: save "
                  "fewer by --points or --save-every",
                  points, run.x0.size(), kept));
}

/// Seconds that an ensemble on fixed steps will take, from a short run of its first steps.
double measured_seconds(const IntegrateCommand& o, const Run& run, const Plan& plan,
                        SimulateOptions options) {
  const double all = static_cast<double>(options.paths) * static_cast<double>(run.steps);
  if (all < 1e7) return 0;
  const auto steps = std::min<std::size_t>(static_cast<std::size_t>(run.steps), 32);
  options.paths = std::min<Index>(options.paths, 4096);
  const TimeGrid grid(plan.grid.begin(),
                      plan.grid.begin() + static_cast<std::ptrdiff_t>(steps) + 1);
  options.save_at = {grid.front(), grid.back()};
  const auto trial =
      simulate_by_name(run.process, o.solver, run.x0, grid, PathStatistics(64), options);
  const double some = static_cast<double>(options.paths) * static_cast<double>(steps);
  return trial.seconds * all / some;
}

/// Beside FILE.npy, the times of its states: FILE-times.npy. None where the CSV or the JSON has
/// them.
std::string times_file(const IntegrateCommand& o) {
  if (o.save.empty() || !o.csv.empty() || !o.common.json.empty()) return "";
  return o.save.substr(0, o.save.size() - 4) + "-times.npy";
}

/// The process that is asked for by name or as text.
RegisteredProcess process_of(IntegrateCommand& o) {
  if (o.equation.empty() == o.process.empty())
    throw std::invalid_argument(
        o.process.empty() ? "give an equation, as in \"dX = -X dt + dW\", or --process; see fokker "
                            "list processes"
                          : "give an equation or --process, not both");
  if (o.process.empty()) {
    o.process = o.equation;
    RegisteredProcess process = text_process(o.equation, parameters_of(o));
    if (o.x0.empty())
      throw std::invalid_argument(
          fmt::format("an equation needs a start: give --x0, one number for "
                      "each of {}",
                      fmt::join(process.info->components, ", ")));
    process.x0 = numbers(o.x0, "--x0");
    return process;
  }
  o.process = list_processes().canonical(o.process);
  return make_process(o.process, parameters_of(o));
}

/// Takes the recommended solver where none is given, with tolerances unless steps are given.
/// @return why, for the first line of the output; empty where a solver is given
std::string choose_solver(IntegrateCommand& o, const RegisteredProcess& process) {
  o.solver = list_solvers().canonical(o.solver);
  if (!o.solver.empty()) return {};
  const auto [name, reason] = recommended_solver(process.info->noise);
  o.solver = name;
  const bool steps_given = o.dt || o.save_every || !o.until.empty();
  const SolverInfo& solver = list_solvers().at(name);
  if (!steps_given && !o.rtol && !o.atol && solver.adaptable(process.info->noise)) o.rtol = "1e-3";
  return fmt::format("solver {}: {}", name, reason);
}

int integrate_command(IntegrateCommand o) {
  Run run{process_of(o), {}, {}, {}, {}};
  const std::string reason = choose_solver(o, run.process);
  const SolverInfo& solver = list_solvers().at(o.solver);
  require_fit(run.process, solver);
  if (o.rtol || o.atol) require_adaptive(run.process, solver);
  run.converted = fit(run.process, solver) == Fit::converted;
  run.x0 = o.x0.empty() ? run.process.x0 : numbers(o.x0, "--x0");
  std::vector<Until> until;
  if (!o.until.empty()) {
    if (o.points || o.save_every || o.trajectories || !o.save.empty())
      throw std::invalid_argument(
          "--until reports times, not states: give no --points, --save-every, --trajectories or "
          "--save");
    if (o.checkpoint.given() || ranks())
      throw std::invalid_argument(
          "--until keeps the time of every path: it takes no --checkpoint and no mpirun");
    until = parse_until(o.until, run.x0);
  }
  const Plan plan = plan_of(o, solver);
  if (!chooses_steps(o, solver)) run.steps = static_cast<Index>(plan.grid.size()) - 1;
  const Index paths = o.paths ? whole_number(*o.paths, "--paths", 1) : run.noisy() ? 10000 : 1;
  const Index trajectories =
      o.trajectories ? whole_number(*o.trajectories, "--trajectories", 1) : 0;
  Adaptive tolerances;
  if (o.rtol) tolerances.rtol = number(*o.rtol, "--rtol");
  if (o.atol) tolerances.atol = number(*o.atol, "--atol");
  if (trajectories > 0 && o.csv.empty() && o.common.plots.empty())
    throw std::invalid_argument(
        "--trajectories are written to --csv and drawn by --plot: give one of them, or --save "
        "FILE.npy for the states of all paths");
  if (o.csv == "-" && o.common.json == "-")
    throw std::invalid_argument("--csv and --json cannot both go to stdout");
  if (!o.save.empty() && !o.save.ends_with(".npy"))
    throw std::invalid_argument(
        "--save writes the format of NumPy: give a file that ends in .npy, not '" + o.save + "'");
  if (!o.save.empty() && o.checkpoint.given())
    throw std::invalid_argument(
        "--save and --checkpoint cannot both be given: a checkpoint holds "
        "statistics, not the states of all paths");
  const double every = o.checkpoint.seconds();
  if (!o.save.empty() && ranks())
    throw std::invalid_argument("--save writes from one program: run it without mpirun");
  std::string times = times_file(o);
  check_outputs(o.common, {.outputs = {{"--csv", &o.csv}, {"--save", &o.save}, {"--save", &times}},
                           .checkpoint = o.checkpoint.file});
  std::vector<std::string> files;
  for (const std::string& file : {o.csv, o.save, times})
    if (!file.empty() && file != "-") files.push_back(file);

  SimulateOptions options{.paths = run.noisy() ? paths : 1,
                          .seed = {o.common.seed, generator(o.rng)},
                          .threads = o.common.threads,
                          .cancel = &catch_interrupt(),
                          .ranks = ranks()};
  const Index kept = kept_paths(options.paths, plan.points.size(), run.x0.size(), trajectories);
  if (until.empty())
    require_states(o, run, plan.points.size(), kept);
  else
    require_memory(static_cast<double>(options.paths) * 8.0 * static_cast<double>(4 + until.size()),
                   fmt::format("--until keeps the time of each of {} paths: take fewer --paths",
                               options.paths));
  if (!o.save.empty())
    require_disk(o.save, 8.0 * static_cast<double>(plan.points.size()) *
                             static_cast<double>(run.x0.size()) *
                             static_cast<double>(options.paths));
  if (run.steps > 0 && on_terminal() && !o.common.quiet)
    announce_time(measured_seconds(o, run, plan, options));
  PathStatistics keep(kept);
  if (!o.save.empty()) keep.stream_to(o.save);
  std::optional<Checkpoint> checkpoint;
  if (o.checkpoint.given())
    options.checkpoint = &checkpoint.emplace(o.checkpoint.file,
                                             settings_of(o, run, plan, options.paths, kept), every);
  {
    Progress progress(o.common.quiet);
    if (first_rank())
      options.progress = [&](Index finished, Index all) {
        progress.update(static_cast<double>(finished) / static_cast<double>(all), o.process);
      };
    simulate_run(o, plan, options, tolerances, until, std::move(keep), run);
  }
  if (!first_rank()) return done;
  run.warning = warning_of(o, run);

  keep_results();
  const bool stopped = run.ensemble.status == Status::cancelled;
  if (!run.ensemble.value.streamed) {
    std::erase(files, o.save);
    std::erase(files, times);
    times.clear();
  }
  if (stopped && (run.ensemble.paths == 0 || (!until.empty() && !run.passage))) {
    fmt::print(stderr, "fokker: interrupted before anything was finished{}\n",
               goes_on(o.checkpoint));
    return interrupted;
  }
  std::FILE* tables = o.csv == "-" && !o.common.quiet ? stderr : o.common.tables();
  if (!reason.empty()) fmt::print(tables, "{}\n", reason);
  print(tables, o, run);
  if (!o.csv.empty()) {
    const Table csv = csv_table(run, trajectories);
    if (o.csv == "-")
      fmt::print("{}", csv_text(csv));
    else
      write_csv(o.csv, csv);
  }
  if (!times.empty()) write_npy(times, run.times);
  if (!o.common.json.empty()) write_json(o.common, json_of(o, run));
  draw(o.common, [&] { return figure_of(o, run, trajectories); });
  say_written(tables, o.common, files);
  if (stopped) {
    fmt::print(stderr, "fokker: interrupted; {} of {} paths were finished{}\n", run.ensemble.paths,
               options.paths,
               o.save.empty() ? goes_on(o.checkpoint) : ", and " + o.save + " was not written");
    return interrupted;
  }
  if (checkpoint) checkpoint->remove();
  if (run.ensemble.status != Status::success) {
    fmt::print(stderr, "fokker: {}: {} of {} paths failed{}; try a smaller step\n",
               to_string(run.ensemble.status), run.ensemble.failed, run.ensemble.paths,
               first_failure(plan, run));
    return failed;
  }
  return done;
}

}  // namespace

Command make_integrate(CLI::App& app) {
  CLI::App* parser = app.add_subcommand(
      "integrate", "Integrate a process by a solver: moments, quantiles, trajectories");
  const auto o = std::make_shared<IntegrateCommand>();
  parser->add_option("equation", o->equation,
                     "Equations as text, as in \"dX = theta*(mu - X) dt + sigma dW\" (see fokker "
                     "explain)");
  parser->add_option("--process", o->process, "Process (fokker list processes)");
  parser->add_option("--solver", o->solver,
                     "Solver (fokker list solvers; default: the recommended one)");
  add_list(*parser, "--set", o->parameters, "Parameters of the process: name=value,...");
  add_list(*parser, "--x0", o->x0, "Start, one number per component (default: of --process)");
  parser->add_option("--t", o->t, "From a to b")->type_name("a:b")->capture_default_str();
  parser->add_option("--dt", o->dt, "Step of a fixed-step solver (default 0.01)");
  parser->add_option(
      "--rtol", o->rtol,
      "Relative tolerance: an SDE solver adapts its steps (default 1e-6, SDEs 1e-3)");
  parser->add_option("--atol", o->atol, "Absolute tolerance (default 1e-9, SDEs 1e-6)");
  parser->add_option("--paths", o->paths, "Paths (default 10000; one without noise)");
  parser->add_option("--points", o->points, "Save at this many times (default 101)");
  parser->add_option("--save-every", o->save_every, "Save every so many steps instead");
  parser->add_option("--csv", o->csv, "Write t, mean, sd and quantiles to FILE, - for stdout")
      ->type_name("FILE");
  parser->add_option("--trajectories", o->trajectories,
                     "So many paths in the CSV, instead of their statistics, and in the picture");
  add_rng(*parser, o->rng);
  parser
      ->add_option("--save", o->save,
                   "Write the saved states of all paths to FILE.npy: points x d x paths doubles, "
                   "and their times to FILE-times.npy, the CSV or the JSON")
      ->type_name("FILE.npy");
  add_checkpoint(*parser, o->checkpoint);
  parser->add_option("--until", o->until,
                     "Report when each path first meets a level instead: \"x>=1\", \"x2<=0\", "
                     "\"x1=1\", \"x>=1 or x<=-1\"");
  add_common(*parser, o->common);
  add_plot(*parser, o->common);
  parser->footer(examples);
  return {parser, [o] { return integrate_command(*o); }, true};
}

}  // namespace fokker::app
