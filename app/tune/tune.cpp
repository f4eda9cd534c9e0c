/// @file  tune.cpp
/// @brief `fokker tune`: the time grid on which a sampler does best.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fokker/analysis/compare/tune_grid.hpp>
#include <fokker/analysis/figures/csv.hpp>
#include <fokker/analysis/figures/report.hpp>
#include <fokker/solvers/support/text.hpp>

#include "command.hpp"
#include "support/data.hpp"
#include "support/estimate.hpp"
#include "support/interrupt.hpp"
#include "support/options.hpp"
#include "support/progress.hpp"

namespace fokker::app {
namespace {

constexpr const char* examples = R"(Examples:
  fokker tune --nfe 10
  fokker tune --process edm --sampler edm-heun --steps 9 --data spectrum:lambda.csv
  fokker tune --sampler ddim --nfe 10 --out grid.txt
  fokker compare --exact --samplers ddim --data gaussian --grid grid.txt
The grid goes to the terminal and to --out, which --grid of compare reads.)";

struct TuneOptions {
  CommonOptions common;
  DataOptions data{.data = "gaussian", .drop_columns = {}, .scale = {}};
  std::string process = "vp", sampler = "ddim", init = "prior", last = "none", out = "grid.txt";
  std::vector<std::string> parameters;
  std::optional<std::string> nfe, steps, t_min, eta;
};

ComparisonSettings read_settings(const TuneOptions& o) {
  ComparisonSettings s;
  s.process = o.process;
  s.parameters = assignments(o.parameters, "--set");
  s.data_name = o.data.data;
  s.data = read_data(o.data);
  s.samplers = {o.sampler};
  if (o.steps)
    s.steps = {whole_number(*o.steps, "--steps", 2, 1'000'000'000)};
  else
    s.nfe = {o.nfe ? whole_number(*o.nfe, "--nfe", 1, 1'000'000'000) : 10};
  if (o.t_min) s.t_min = number(*o.t_min, "--t-min");
  if (o.eta) s.eta = number(*o.eta, "--eta");
  s.init = choice<Init>(o.init, "--init", {{"prior", Init::prior}, {"exact", Init::exact}});
  s.last = last_of(o.last);
  s.exact = true;
  s.threads = o.common.threads;
  return s;
}

nlohmann::ordered_json json_of(const TuneOptions& o, const ComparisonSettings& settings,
                               const TunedGrid& tuned) {
  nlohmann::ordered_json named = nlohmann::ordered_json::array();
  for (const NamedGridError& grid : tuned.named)
    named.push_back({{"grid", grid.grid}, {"error", grid.error}});
  const nlohmann::ordered_json document = {
      {"settings",
       {{"process", o.process},
        {"sampler", o.sampler},
        {"data", o.data.data},
        {"parameters", settings.parameters},
        {"steps", tuned.times.size() - 1},
        {"t_min", tuned.times.back()},
        {"eta",
         settings.eta ? nlohmann::ordered_json(*settings.eta) : nlohmann::ordered_json("default")},
        {"init", o.init},
        {"last", o.last}}},
      {"status", to_string(tuned.status)},
      {"times", tuned.times},
      {"nfe", tuned.nfe},
      {"error", tuned.error},
      {"named", named},
      {"evaluations", tuned.evaluations}};
  return document;
}

void print(std::FILE* out, const TuneOptions& o, const TunedGrid& tuned) {
  fmt::print(out, "{} with {} steps on {}, {} evaluations; W2 to the data\n\n", o.sampler,
             tuned.times.size() - 1, o.process, tuned.nfe);
  TextTable table({{"grid", TextTable::Align::left}, {"error"}});
  table.add_row({"tuned", format_with_error(tuned.error, 0)});
  for (const NamedGridError& grid : tuned.named)
    table.add_row({grid.grid, format_with_error(grid.error, 0)});
  fmt::print(out, "{}\nTimes:\n", table.text());
  for (const Time t : tuned.times) fmt::print(out, "  {}\n", text(t));
}

int tune_command(TuneOptions o) {
  o.process = list_schedules().canonical(o.process);
  o.sampler = list_samplers().canonical(o.sampler);
  ComparisonSettings settings = read_settings(o);
  // Levenberg and Marquardt's Jacobian, its decomposition and their scratch, of one unknown a step.
  const auto steps =
      static_cast<double>(settings.steps.empty() ? settings.nfe.front() : settings.steps.front());
  require_memory(
      8 * 3 * steps * std::max(steps, 2.0 * static_cast<double>(settings.data->dimension())),
      fmt::format("a search over {:.0f} steps: take fewer", steps));
  check_outputs(o.common,
                {.outputs = {{"--out", &o.out}}, .inputs = files_in("--data", o.data.data)});
  const std::vector<std::string> files = {o.out};
  settings.cancel = &catch_interrupt();
  TunedGrid tuned;
  {
    Progress progress(o.common.quiet);
    settings.progress = [&](double fraction, std::string_view what) {
      progress.update(fraction, what);
    };
    tuned = tune_grid(settings);
  }
  keep_results();
  if (tuned.times.empty()) {
    fmt::print(stderr, "fokker: interrupted before the first grid was tried\n");
    return interrupted;
  }
  print(o.common.tables(), o, tuned);
  const Table table{
      .header = {"t"}, .rows = tuned.times.size(), .columns = 1, .values = tuned.times};
  write_csv(o.out, table);
  write_json(o.common, json_of(o, settings, tuned));
  say_written(o.common.tables(), o.common, files);
  if (tuned.status != Status::cancelled) return done;
  fmt::print(stderr, "fokker: interrupted; the grid is the best of {} that were tried\n",
             tuned.evaluations);
  return interrupted;
}

}  // namespace

Command make_tune(CLI::App& app) {
  CLI::App* parser =
      app.add_subcommand("tune", "Find the time grid on which a sampler does best, exactly");
  const auto o = std::make_shared<TuneOptions>();
  parser->add_option("--process", o->process, "Forward process (fokker list processes)")
      ->capture_default_str();
  add_list(*parser, "--set", o->parameters, "Parameters of the process: name=value,...");
  parser->add_option("--data", o->data.data, "gaussian or spectrum:FILE.csv")
      ->capture_default_str();
  parser->add_option("--sampler", o->sampler, "Sampler with fixed steps (fokker list samplers)")
      ->capture_default_str();
  CLI::Option* nfe = parser->add_option("--nfe", o->nfe, "Score evaluations (default 10)");
  parser->add_option("--steps", o->steps, "Number of steps instead")->excludes(nfe);
  parser->add_option("--t-min", o->t_min, "Where the grid ends (default: of the process)");
  parser->add_option("--eta", o->eta, "Noise of the reverse equation, as for compare");
  parser->add_option("--init", o->init, "Start at the Gaussian prior or the exact marginal")
      ->type_name("prior|exact")
      ->capture_default_str();
  add_last(*parser, o->last);
  parser->add_option("--out", o->out, "File for the times, one a line")->capture_default_str();
  add_common(*parser, o->common);
  parser->footer(examples);
  return {parser, [o] { return tune_command(*o); }};
}

}  // namespace fokker::app
