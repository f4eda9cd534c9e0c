/// @file  converge.cpp
/// @brief `fokker converge`: measured strong and weak orders of solvers on a process.

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
#include <nlohmann/json.hpp>

#include <fokker/analysis/catalogue/solver_registry.hpp>
#include <fokker/analysis/figures/plot.hpp>
#include <fokker/analysis/figures/report.hpp>
#include <fokker/solvers/ensemble/checkpoint.hpp>
#include <fokker/solvers/ensemble/shared_work.hpp>

#include "command.hpp"
#include "support/estimate.hpp"
#include "support/interrupt.hpp"
#include "support/options.hpp"
#include "support/progress.hpp"
#include "support/ranks.hpp"

namespace fokker::app {
namespace {

constexpr const char* examples = R"(Examples:
  fokker converge --process gbm --solvers euler-maruyama,milstein --plot orders.svg
  fokker converge --process kubo --solvers euler-maruyama,milstein,heun-sde --paths 20000
  fokker converge --process gbm --set mu=1.5,sigma=1 --solvers milstein --levels 8 --t 0:2
  fokker converge --process lorenz --solvers euler,heun,rk4 --t 0:1 --json -
  fokker converge --process kubo --solvers midpoint-sde --paths 1000000 --checkpoint run.ckpt
Names: see fokker list processes and fokker list solvers.)";

struct ConvergeCommand {
  CommonOptions common;
  CheckpointOptions checkpoint;
  std::string process, t = "0:1", rng = "pcg32";
  std::vector<std::string> solvers, parameters, x0;
  std::string levels = "6", first = "16";
  std::string paths = std::to_string(ConvergenceSettings{}.paths);
};

struct Study {
  std::string solver;
  ConvergenceStudy found;
};

/// Why no order follows from these errors, which the fit knows nothing of; empty where one does.
/// @param scale  the size of what the errors are errors of
std::string no_order(const OrderFit& fit, double finest, double scale) {
  constexpr double small = 0.1;
  if (fit.status != OrderStatus::measured) return "";
  if (!(finest <= small * scale))
    return fmt::format(
        "no order: the error of {:.3g} at the finest step is not small beside the solution, "
        "{:.3g}; "
        "take smaller steps",
        finest, scale);
  if (fit.slope <= 0) return "no order: the error does not fall with the step";
  return "";
}

/// The strong or the weak order of a study.
struct Judged {
  const OrderFit* fit;
  std::optional<double> claimed;
  std::string none;  ///< why there is none

  bool measured() const { return none.empty() && fit->status == OrderStatus::measured; }
};

Judged strong_of(const ConvergenceStudy& s) {
  return {&s.strong, s.claimed_strong, no_order(s.strong, s.levels.back().strong, s.scale)};
}
Judged weak_of(const ConvergenceStudy& s) {
  return {&s.weak, s.claimed_weak, no_order(s.weak, s.levels.back().weak, s.scale * s.scale)};
}

/// The verdict on an order, or what was measured where none is claimed.
std::string judgement(const Judged& order) {
  if (!order.none.empty()) return order.none;
  const OrderFit& fit = *order.fit;
  return order.claimed ? verdict(fit, *order.claimed) : describe(fit) + ", claimed: none";
}

void print(std::FILE* out, const Study& study, bool noisy) {
  const ConvergenceStudy& s = study.found;
  fmt::print(out, "{} against {}\n\n", study.solver, s.reference);
  std::vector<TextTable::Column> columns = {{"steps"}, {"h"}, {noisy ? "strong error" : "error"}};
  if (noisy) columns.push_back({"weak error of |X|^2"});
  TextTable table(columns);
  for (const ConvergenceLevel& level : s.levels) {
    std::vector<std::string> cells = {std::to_string(level.steps), fmt::format("{:.4g}", level.h),
                                      format_with_error(level.strong, level.strong_stderr)};
    if (noisy) cells.push_back(format_with_error(level.weak, level.weak_stderr));
    table.add_row(std::move(cells));
  }
  fmt::print(out, "{}", table.text());
  fmt::print(out, "{}: {}\n", noisy ? "strong" : "error", judgement(strong_of(s)));
  if (noisy) fmt::print(out, "weak:   {}\n", judgement(weak_of(s)));
  fmt::print(out, "\n");
}

nlohmann::ordered_json order_json(const Judged& order) {
  using Json = nlohmann::ordered_json;
  const OrderFit& fit = *order.fit;
  const bool measured = order.measured();
  return {{"order", measured ? Json(fit.slope) : Json(nullptr)},
          {"low", measured ? Json(fit.low) : Json(nullptr)},
          {"high", measured ? Json(fit.high) : Json(nullptr)},
          {"claimed", order.claimed ? Json(*order.claimed) : Json(nullptr)},
          {"points", fit.points},
          {"verdict", judgement(order)}};
}

nlohmann::ordered_json json_of(const ConvergeCommand& o, const ConvergenceSettings& settings,
                               const std::map<std::string, double>& parameters,
                               const std::vector<Study>& studies) {
  using Json = nlohmann::ordered_json;
  Json solvers = Json::array();
  for (const Study& study : studies) {
    Json rows = Json::array();
    for (const ConvergenceLevel& level : study.found.levels)
      rows.push_back({{"steps", level.steps},
                      {"h", level.h},
                      {"strong", level.strong},
                      {"strong_stderr", level.strong_stderr},
                      {"weak", level.weak},
                      {"weak_stderr", level.weak_stderr}});
    solvers.push_back({{"solver", study.solver},
                       {"reference", study.found.reference},
                       {"scale", study.found.scale},
                       {"rows", rows},
                       {"strong", order_json(strong_of(study.found))},
                       {"weak", order_json(weak_of(study.found))}});
  }
  return {{"settings",
           {{"process", o.process},
            {"parameters", every_parameter(list_processes().at(o.process), parameters)},
            {"t0", settings.t0},
            {"t1", settings.t1},
            {"x0", std::vector<double>(settings.x0.begin(), settings.x0.end())},
            {"steps", settings.steps},
            {"paths", settings.paths},
            {"seed", o.common.seed},
            {"rng", o.rng}}},
          {"solvers", solvers}};
}

/// Errors against h and, dashed in grey, lines of the claimed orders through the coarsest error.
Panel panel_of(const std::vector<Study>& studies, std::string title, bool strong) {
  constexpr std::array colours = {Colour::blue,   Colour::vermillion, Colour::green,
                                  Colour::purple, Colour::orange,     Colour::sky};
  Panel panel{.title = std::move(title),
              .x = {.label = "step h", .log = true, .powers_of_two = true},
              .y = {.label = "error", .log = true}};
  std::vector<double> drawn;  // reference slopes
  for (std::size_t i = 0; i < studies.size(); ++i) {
    const ConvergenceStudy& s = studies[i].found;
    const Judged order = strong ? strong_of(s) : weak_of(s);
    const auto& claimed = order.claimed;
    const Colour colour = colours[i % colours.size()];
    Curve curve{
        .label = studies[i].solver, .x = {}, .y = {}, .mark = Mark::line_points, .colour = colour};
    if (order.measured()) curve.label += fmt::format(", order {:.2f}", order.fit->slope);
    for (const ConvergenceLevel& level : s.levels) {
      curve.x.push_back(level.h);
      curve.y.push_back(strong ? level.strong : level.weak);
      curve.error.push_back(strong ? level.strong_stderr : level.weak_stderr);
    }
    if (claimed && !curve.y.empty() && curve.y.front() > 0) {
      Curve slope{.label = "",
                  .x = curve.x,
                  .y = {},
                  .mark = Mark::line,
                  .colour = Colour::grey,
                  .dashed = true};
      if (std::find(drawn.begin(), drawn.end(), *claimed) == drawn.end())
        slope.label = fmt::format("slope {}", *claimed);
      drawn.push_back(*claimed);
      for (const double h : curve.x)
        slope.y.push_back(1.4 * curve.y.front() * std::pow(h / curve.x.front(), *claimed));
      panel.layers.emplace_back(std::move(slope));
    }
    panel.layers.emplace_back(std::move(curve));
  }
  return panel;
}

Settings settings_of(const ConvergeCommand& o, const ConvergenceSettings& s,
                     const std::map<std::string, double>& parameters) {
  std::string words;
  for (const auto& [name, value] : parameters) words += fmt::format("{}={} ", name, value);
  return with_build({{"process", o.process},
                     {"parameters", words},
                     {"solvers", fmt::format("{}", fmt::join(o.solvers, ","))},
                     {"x0", fmt::format("{}", fmt::join(s.x0, ","))},
                     {"t", fmt::format("{}:{}", s.t0, s.t1)},
                     {"steps", fmt::format("{}", fmt::join(s.steps, ","))},
                     {"paths", fmt::format("{}", s.paths)},
                     {"seed", fmt::format("{}", o.common.seed)},
                     {"rng", o.rng}});
}

int converge_command(ConvergeCommand o) {
  o.process = list_processes().canonical(o.process);
  for (std::string& solver : o.solvers) solver = list_solvers().canonical(solver);
  if (o.process.empty()) throw std::invalid_argument("which --process? See fokker list processes");
  if (o.solvers.empty()) throw std::invalid_argument("which --solvers? See fokker list solvers");
  std::map<std::string, double> parameters;
  for (const auto& [name, word] : assignments(o.parameters, "--set"))
    parameters[name] = number(word, "--set " + name);
  const RegisteredProcess process = make_process(o.process, parameters);
  const bool noisy = process.info->noise != NoiseKind::none;
  for (const std::string& name : o.solvers) {
    const SolverInfo& solver = list_solvers().at(name);
    require_fit(process, solver);
    require_fixed_step(solver);
  }
  ConvergenceSettings settings;
  std::tie(settings.t0, settings.t1) = interval(o.t, "--t");
  if (!(settings.t1 > settings.t0))
    throw std::invalid_argument("--t a:b needs a < b: got '" + o.t + "'");
  const std::vector<double> x0 = o.x0.empty() ? process.x0 : numbers(o.x0, "--x0");
  settings.x0 = Eigen::Map<const Eigen::ArrayXd>(x0.data(), static_cast<Index>(x0.size()));
  const Index levels = whole_number(o.levels, "--levels", 3);
  if (levels > 16) throw std::invalid_argument("--levels needs at most 16: got " + o.levels);
  settings.steps.clear();
  const Index first = whole_number(o.first, "--first-steps", 1, Index{1} << 40);
  for (Index level = 0; level < levels; ++level) settings.steps.push_back(first << level);
  settings.paths = noisy ? whole_number(o.paths, "--paths", 2) : 2;
  settings.seed = {o.common.seed, generator(o.rng)};
  settings.threads = o.common.threads;
  // The errors of every path and level, as they are found and as they are put together.
  require_memory(
      3 * 16 * static_cast<double>(levels) * static_cast<double>(settings.paths),
      fmt::format("errors of {} paths at {} levels: take fewer --paths", settings.paths, levels));
  const double every = o.checkpoint.seconds();
  check_outputs(o.common, {.checkpoint = o.checkpoint.file});

  settings.cancel = &catch_interrupt();
  std::optional<Checkpoint> checkpoint;
  if (o.checkpoint.given())
    checkpoint.emplace(o.checkpoint.file, settings_of(o, settings, parameters), every);
  SharedWork work(checkpoint ? &*checkpoint : nullptr, ranks());
  settings.work = &work;
  std::vector<Study> studies;
  {
    Progress progress(o.common.quiet);
    for (const std::string& solver : o.solvers) {
      settings.progress = [&](double fraction) {
        progress.update((static_cast<double>(studies.size()) + fraction) /
                            static_cast<double>(o.solvers.size()),
                        solver);
      };
      ConvergenceStudy found = measure_convergence_by_name(process, solver, settings);
      if (found.cancelled) break;
      studies.push_back({solver, std::move(found)});
    }
  }
  if (!first_rank()) return done;

  keep_results();
  fmt::print(o.common.tables(), "{}: {}\n{} from t = {} to {}, seed {}\n\n", process.info->name,
             process.info->equation, noisy ? count(settings.paths, "path") : "one path",
             settings.t0, settings.t1, o.common.seed);
  for (const Study& study : studies) print(o.common.tables(), study, noisy);
  write_json(o.common, json_of(o, settings, parameters, studies));
  draw(o.common, [&] {
    Figure figure{.title = fmt::format("Convergence on {}", process.info->description),
                  .panels = {panel_of(studies, noisy ? "strong error" : "error at the end", true)}};
    if (noisy) figure.panels.push_back(panel_of(studies, "weak error of |X|^2", false));
    figure.columns = figure.panels.size();
    figure.width = static_cast<int>(750 * figure.columns);
    figure.height = 620;
    return figure;
  });
  say_written(o.common.tables(), o.common);
  if (studies.size() < o.solvers.size()) {
    fmt::print(stderr, "fokker: interrupted; {} of {} solvers were finished{}\n", studies.size(),
               o.solvers.size(), goes_on(o.checkpoint));
    return interrupted;
  }
  if (checkpoint) checkpoint->remove();
  int code = done;
  for (const Study& study : studies)
    for (const ConvergenceLevel& level : study.found.levels)
      if (!std::isfinite(level.strong)) {
        fmt::print(stderr, "fokker: {} at {} steps: non-finite state\n", study.solver, level.steps);
        code = failed;
      }
  return code;
}

}  // namespace

Command make_converge(CLI::App& app) {
  CLI::App* parser =
      app.add_subcommand("converge", "Measure the strong and weak order of solvers on a process");
  const auto o = std::make_shared<ConvergeCommand>();
  parser->add_option("--process", o->process, "Process (fokker list processes)");
  add_list(*parser, "--solvers", o->solvers, "Fixed-step solvers (fokker list solvers)");
  add_list(*parser, "--set", o->parameters, "Parameters of the process: name=value,...");
  add_list(*parser, "--x0", o->x0, "Start, one number per component (default: of the process)");
  parser->add_option("--t", o->t, "From a to b")->type_name("a:b")->capture_default_str();
  parser->add_option("--paths", o->paths, "Brownian paths, the same for every step")
      ->capture_default_str();
  parser->add_option("--levels", o->levels, "Step sizes, each half the one before")
      ->capture_default_str();
  parser->add_option("--first-steps", o->first, "Steps of the coarsest level")
      ->capture_default_str();
  add_rng(*parser, o->rng);
  add_checkpoint(*parser, o->checkpoint);
  add_common(*parser, o->common);
  add_plot(*parser, o->common);
  parser->footer(examples);
  return {parser, [o] { return converge_command(*o); }, true};
}

}  // namespace fokker::app
