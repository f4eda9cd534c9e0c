/// @file  compare.cpp
/// @brief `fokker compare`: samplers of the reverse SDE and of the probability flow, compared.

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fokker/analysis/compare/comparison.hpp>
#include <fokker/analysis/figures/csv.hpp>
#include <fokker/analysis/figures/plot.hpp>
#include <fokker/analysis/figures/report.hpp>
#include <fokker/diffusion/files/input_file.hpp>
#include <fokker/diffusion/schedule/time_grids.hpp>
#include <fokker/solvers/ensemble/checkpoint.hpp>
#include <fokker/solvers/ensemble/shared_work.hpp>
#include <fokker/solvers/support/text.hpp>

#include "command.hpp"
#include "compare/compare_picture.hpp"
#include "compare/compare_words.hpp"
#include "support/data.hpp"
#include "support/estimate.hpp"
#include "support/interrupt.hpp"
#include "support/options.hpp"
#include "support/progress.hpp"
#include "support/ranks.hpp"

namespace fokker::app {
namespace {

constexpr const char* examples = R"(Examples:
  fokker compare                          eight modes in the plane, about ten seconds
  fokker compare --nfe 8,32,128 --samplers euler-maruyama,heun-sde,euler,heun,dopri5
  fokker compare --data gaussian --exact  exact laws, no Monte Carlo
  fokker compare --process edm --samplers edm-heun,ddim --steps 5,10,18 --grid karras
  fokker compare --process vp --set beta_min=0.1,beta_max=20 --eta 0.5 --json out.json
  fokker compare --data spectrum:lambda.csv --exact --init exact --json -
  fokker compare --data gaussian --exact --samplers ddim --steps 20 --trace --json -
  fokker compare --score model:model.json --data ring8
  fokker compare --data points:digits.csv --drop-column 65 --scale 0:16
  fokker compare --paths 1000000 --checkpoint run.ckpt    goes on after a kill
Names: see fokker list.
Without --json and --plot it writes compare.json, compare.svg and compare.png.)";

struct CompareOptions {
  CommonOptions common;
  CheckpointOptions checkpoint;
  /// Modes near enough for strong orders to show within 256 evaluations.
  DataOptions data{.data = "ring8:0.8", .drop_columns = {}, .scale = {}};
  std::string process = "vp", init = "prior", last = "none", precision = "double";
  std::optional<std::string> metric;
  std::vector<std::string> parameters, samplers, steps, nfe;
  std::optional<std::string> grid, t_min, eta, paths;
  std::vector<std::string> score_error;
  std::string score = "exact", rng = "pcg32";
  std::string modes, save;
  bool exact = false, trace = false;
};

/// --score-error scale=0.1,bias=0.05,from=0.2,to=0.5
LinearScoreError read_score_error(const std::vector<std::string>& words) {
  LinearScoreError error;
  for (const auto& [name, value] : assignments(words, "--score-error")) {
    const double x = number(value, "--score-error " + name);
    if (name == "scale")
      error.scale = x;
    else if (name == "bias")
      error.bias = x;
    else if (name == "from")
      error.from = x;
    else if (name == "to")
      error.to = x;
    else
      throw std::invalid_argument(
          unknown_name_message("part of --score-error", name,
                               std::array<std::string_view, 4>{"scale", "bias", "from", "to"}));
  }
  if (!(error.from < error.to))
    throw std::invalid_argument("--score-error needs from < to: got from=" + text(error.from) +
                                ", to=" + text(error.to));
  return error;
}

/// --grid: a name, or a file of times.
void read_grid_option(const std::string& word, ComparisonSettings& s) {
  const auto& grids = list_grids();
  const bool named = std::any_of(grids.begin(), grids.end(),
                                 [&](const GridInfo& grid) { return grid.name == word; });
  s.grid = word;
  if (!named && std::filesystem::exists(word))
    s.times = read_grid(word, make_schedule(s.process, s.parameters).ends().end);
}

/// The names in their own spelling.
void resolve(CompareOptions& o) {
  o.process = list_schedules().canonical(o.process);
  for (std::string& sampler : o.samplers) sampler = list_samplers().canonical(sampler);
  if (o.grid && !std::filesystem::exists(*o.grid)) o.grid = list_grids().canonical(*o.grid);
}

ComparisonSettings read_settings(const CompareOptions& o) {
  ComparisonSettings s;
  s.process = o.process;
  s.parameters = assignments(o.parameters, "--set");
  s.data_name = o.data.data;
  s.samplers = o.samplers;
  s.nfe = whole_numbers(o.nfe, "--nfe", 1);
  s.steps = whole_numbers(o.steps, "--steps", 1);
  if (o.grid) read_grid_option(*o.grid, s);
  if (o.t_min) s.t_min = number(*o.t_min, "--t-min");
  if (o.eta) s.eta = number(*o.eta, "--eta");
  if (o.paths) s.paths = whole_number(*o.paths, "--paths", 1);
  s.init = choice<Init>(o.init, "--init", {{"prior", Init::prior}, {"exact", Init::exact}});
  s.last = last_of(o.last);
  s.precision = choice<Precision>(o.precision, "--precision",
                                  {{"float", Precision::single}, {"double", Precision::double_}});
  if (o.exact && o.metric && *o.metric != "w2")
    throw std::invalid_argument("--exact measures w2: leave out --metric " + *o.metric);
  if (o.metric) s.metric = *o.metric;
  s.exact = o.exact;
  s.trace = o.trace;
  s.score_error = read_score_error(o.score_error);
  s.score_name = o.score;
  constexpr std::string_view model = "model:";
  if (o.score.starts_with(model))
    s.learned = read_denoiser(o.score.substr(model.size()));
  else if (o.score != "exact")
    throw std::invalid_argument("--score is exact or model:FILE (see fokker learn): got '" +
                                o.score + "'");
  s.modes = !o.modes.empty();
  s.keep_samples = !o.save.empty();
  if (o.exact && s.keep_samples)
    throw std::invalid_argument("--exact pushes laws and has no samples: leave out --save");
  s.seed = {o.common.seed, generator(o.rng)};
  s.threads = o.common.threads;
  s.data = read_data(o.data);
  return check_settings(std::move(s));
}

/// What the result depends on beside the code.
Settings settings_of(const CompareOptions& o, const ComparisonSettings& s,
                     const std::vector<InputFile>& read) {
  Comparison comparison;
  comparison.settings = s;
  Settings settings;
  const auto json = nlohmann::json::parse(to_json(comparison)).at("settings");
  for (const auto& [name, value] : json.items()) settings.emplace_back(name, value.dump());
  settings.emplace_back("columns left out", fmt::format("{}", fmt::join(o.data.drop_columns, ",")));
  settings.emplace_back("scale", o.data.scale);
  settings.emplace_back("all samples kept", s.keep_samples ? "yes" : "no");
  for (const InputFile& file : read)
    settings.emplace_back("contents of " + file.path, fmt::format("{:x}", file.checksum));
  return with_build(std::move(settings));
}

std::string cell(const std::optional<double>& value) {
  return value ? format_with_error(*value, 0) : "";
}

/// The columns of the errors, with what each is measured in.
std::vector<TextTable::Column> error_columns(const Comparison& comparison, bool wrong_score) {
  const ComparisonSettings& s = comparison.settings;
  std::vector<TextTable::Column> columns;
  if (s.exact) {
    columns = {{"error"}, {"init"}, {"truncation"}, {"discretisation"}};
    if (wrong_score) columns.push_back({"score (w2)"});
  } else {
    columns = {{fmt::format("error ({})", s.metric)},
               {"floor"},
               {s.data->dimension() > 1 ? "pathwise (full norm)" : "pathwise"}};
    if (wrong_score) columns.push_back({"score (pathwise)"});
  }
  return columns;
}

std::string evaluations(double nfe) {
  if (!std::isfinite(nfe)) return "";
  return nfe == std::floor(nfe) ? fmt::format("{:.0f}", nfe) : fmt::format("{:.1f}", nfe);
}

void print_rows(std::FILE* out, const Comparison& comparison) {
  const bool exact = comparison.settings.exact;
  const auto any = [&](const auto& of) {
    return std::any_of(comparison.rows.begin(), comparison.rows.end(), of);
  };
  const bool trouble = any([](const ComparisonRow& row) {
    return row.status != Status::success || !row.problem.empty();
  });
  const bool outliers = any([](const ComparisonRow& row) { return row.outliers > 0; });
  const bool wrong_score =
      any([](const ComparisonRow& row) { return row.error_score.has_value(); });
  using Align = TextTable::Align;
  std::vector<TextTable::Column> columns = {
      {"sampler", Align::left}, {"equation", Align::left}, {"steps"}, {"NFE"}};
  const auto errors = error_columns(comparison, wrong_score);
  columns.insert(columns.end(), errors.begin(), errors.end());
  columns.push_back({"seconds"});
  if (outliers) columns.push_back({"outliers"});
  if (trouble) columns.push_back({"status", Align::left});

  TextTable table(columns);
  for (const ComparisonRow& row : comparison.rows) {
    std::vector<std::string> cells = {row.sampler, row.equation, std::to_string(row.steps),
                                      evaluations(row.nfe)};
    const auto add = [&](std::string text) { cells.push_back(std::move(text)); };
    add(row.problem.empty() ? format_with_error(row.error, row.error_stderr) : "");
    if (exact) {
      add(cell(row.error_init));
      add(cell(row.error_truncation));
      add(cell(row.error_discretisation));
    } else {
      add(row.problem.empty() ? cell(row.floor) : "");
      add(row.error_pathwise
              ? format_with_error(*row.error_pathwise, row.error_pathwise_stderr.value_or(0))
              : "");
    }
    if (wrong_score) add(cell(row.error_score));
    add(fmt::format("{:.3f}", row.seconds));
    if (outliers) add(row.outliers == 0 ? "" : std::to_string(row.outliers));
    if (trouble)
      cells.emplace_back(!row.problem.empty()            ? "refused"
                         : row.status == Status::success ? ""
                                                         : to_string(row.status));
    table.add_row(std::move(cells));
  }
  fmt::print(out, "{}", table.text());
  if (outliers)
    fmt::print(out,
               "outliers: paths that ended more than ten widths of the data outside them, of "
               "{}; error and pathwise include them\n",
               comparison.settings.paths);
}

void print_orders(std::FILE* out, const Comparison& comparison) {
  if (comparison.orders.empty()) return;
  fmt::print(out, "\nMeasured orders, {}\n",
             comparison.settings.exact ? "of the discretisation error" : "of the pathwise error");
  using Align = TextTable::Align;
  TextTable table({{"sampler", Align::left}, {"kind", Align::left}, {"result", Align::left}});
  for (const ComparisonOrder& order : comparison.orders)
    table.add_row({order.sampler, order.kind, order.verdict});
  fmt::print(out, "{}", table.text());
}

std::string_view last_words(FinalStep last) {
  if (last == FinalStep::none) return "";
  return last == FinalStep::denoise ? " and denoised" : " and a step on to sigma = 0";
}

void print(std::FILE* out, const Comparison& comparison) {
  const ComparisonSettings& s = comparison.settings;
  fmt::print(out, "{} from t = {} to t_min = {}{}, grid {}, data {} (d = {}), {}\n\n", s.process,
             text(comparison.start_time), text(s.t_min.value_or(0)), last_words(s.last),
             s.grid.value_or(""), s.data_name, s.data->dimension(),
             s.exact
                 ? "exact laws, error in w2"
                 : fmt::format("{} paths, seed {}, error in {}{}", s.paths, s.seed.number, s.metric,
                               comparison.metric_paths < s.paths && comparison.metric_paths > 0
                                   ? fmt::format(" of the first {}", comparison.metric_paths)
                                   : ""));
  print_rows(out, comparison);
  print_orders(out, comparison);
  fmt::print(out, "\n");
  for (const std::string& note : comparison.notes) fmt::print(out, "{}\n", note);
  for (const std::string& line : in_words(comparison)) fmt::print(out, "{}\n", line);
}

/// The errors of every eigenmode, a line for each row and mode.
void write_modes(const std::string& file, const Comparison& comparison) {
  Table table{.header = {"row", "steps", "nfe", "variance", "error", "init", "truncation",
                         "discretisation", "score"},
              .rows = 0,
              .columns = 9,
              .values = {}};
  for (std::size_t k = 0; k < comparison.rows.size(); ++k) {
    const ComparisonRow& row = comparison.rows[k];
    const ModeErrors& m = row.modes;
    for (Index i = 0; i < m.variance.size(); ++i, ++table.rows)
      for (const double value :
           {static_cast<double>(k), static_cast<double>(row.steps), row.nfe, m.variance[i],
            m.error[i], m.init[i], m.truncation[i], m.discretisation[i], m.score[i]})
        table.values.push_back(value);
  }
  write_csv(file, table);
}

/// The final states of every row, a line for each path.
void write_samples(const std::string& file, const Comparison& comparison) {
  const Index d = comparison.settings.data->dimension();
  Table table{.header = {"row", "path"},
              .rows = 0,
              .columns = static_cast<std::size_t>(d) + 2,
              .values = {}};
  for (Index r = 1; r <= d; ++r) table.header.push_back(fmt::format("x{}", r));
  for (std::size_t k = 0; k < comparison.rows.size(); ++k) {
    const auto& samples = comparison.rows[k].samples;
    for (Index j = 0; j < samples.cols(); ++j, ++table.rows) {
      table.values.push_back(static_cast<double>(k));
      table.values.push_back(static_cast<double>(j));
      for (Index r = 0; r < d; ++r) table.values.push_back(samples(r, j));
    }
  }
  write_csv(file, table);
}

/// One line on stderr for each row that did not end well.
void report_failures(const Comparison& comparison) {
  for (const ComparisonRow& row : comparison.rows) {
    const std::string at = row.tolerance ? fmt::format("tolerance {}", text(*row.tolerance))
                                         : fmt::format("{} steps", row.steps);
    if (!row.problem.empty())
      fmt::print(stderr, "fokker: {} at {}: {}\n", row.sampler, at, row.problem);
    else if (row.status != Status::success && row.status != Status::cancelled)
      fmt::print(stderr, "fokker: {} at {}: {} ({} of {} paths)\n", row.sampler, at,
                 to_string(row.status), row.failed, comparison.settings.paths);
  }
}

/// `done` where one row at least has its figures; else `bad_input` where all were refused, and
/// `failed`.
Exit exit_code(const Comparison& comparison) {
  const auto& rows = comparison.rows;
  const auto all = [&](const auto& of) { return std::all_of(rows.begin(), rows.end(), of); };
  if (!rows.empty() && all([](const ComparisonRow& row) { return !row.problem.empty(); }))
    return bad_input;
  return all([](const ComparisonRow& row) {
    return row.status != Status::success || !row.problem.empty();
  })
             ? failed
             : done;
}

/// Bytes that the comparison holds at least: the grid, forwards and in reverse, exact samples and
/// those of a row, and their sorted projections.
double memory_of(const ComparisonSettings& s) {
  double steps = s.times ? static_cast<double>(s.times->size()) : 0;
  for (const auto* budget : {&s.steps, &s.nfe})
    for (const Index n : *budget) steps = std::max(steps, static_cast<double>(n));
  const double grids = 3 * sizeof(Time) * steps;
  if (s.exact) return grids;
  const double paths = static_cast<double>(s.paths), d = static_cast<double>(s.data->dimension());
  const double directions = s.metric == "sliced-w2" ? (d == 1 ? 1 : d == 2 ? 64 : 128) : 1;
  const double rows =
      s.keep_samples
          ? static_cast<double>(s.samplers.size() * std::max(s.nfe.size(), s.steps.size()))
          : 0;
  return grids + paths * (8 * d * (3 + 2 * rows) + 12 * directions);
}

int compare_command(CompareOptions o) {
  resolve(o);
  const InputRecord record;
  ComparisonSettings settings = read_settings(o);
  if (o.common.json.empty() && o.common.plots.empty()) {
    o.common.json = "compare.json";
    o.common.plots = {"compare.svg", "compare.png"};
  }
  const double every = o.checkpoint.seconds();
  if (o.checkpoint.given() && settings.exact)
    throw std::invalid_argument("exact laws take seconds: --exact takes no --checkpoint");
  require_memory(memory_of(settings),
                 settings.exact
                     ? "grids of so many steps: take fewer"
                     : fmt::format("{} paths of {} numbers: take fewer --paths or --steps",
                                   settings.paths, settings.data->dimension()));
  std::vector<NamedFile> inputs;
  for (const auto& [option, word] : std::array<std::pair<std::string_view, std::string>, 4>{
           {{"--process", o.process},
            {"--data", o.data.data},
            {"--score", o.score},
            {"--grid", ":" + o.grid.value_or("")}}})
    for (NamedFile& file : files_in(option, word)) inputs.push_back(std::move(file));
  check_outputs(o.common, {.outputs = {{"--modes", &o.modes}, {"--save", &o.save}},
                           .inputs = std::move(inputs),
                           .checkpoint = o.checkpoint.file});
  std::vector<std::string> others;
  if (!o.modes.empty()) others.push_back(o.modes);
  if (!o.save.empty()) others.push_back(o.save);

  settings.cancel = &catch_interrupt();
  std::optional<Checkpoint> checkpoint;
  if (o.checkpoint.given())
    checkpoint.emplace(o.checkpoint.file, settings_of(o, settings, record.files()), every);
  SharedWork work(checkpoint ? &*checkpoint : nullptr, ranks());
  settings.work = &work;
  Comparison comparison;
  {
    Progress progress(o.common.quiet);
    if (first_rank())
      settings.progress = [&](double fraction, std::string_view what) {
        progress.update(fraction, what);
      };
    comparison = compare(settings);
  }
  if (!first_rank()) return done;

  keep_results();
  print(o.common.tables(), comparison);
  write_json(o.common, to_json(comparison));
  if (comparison.status == Status::cancelled || comparison.rows.empty())
    o.common.plots.clear();  // a picture takes longer than an interrupted run has
  draw(o.common, [&] { return comparison_figure(comparison); });
  if (!o.save.empty()) write_samples(o.save, comparison);
  if (!o.modes.empty()) write_modes(o.modes, comparison);
  say_written(o.common.tables(), o.common, others);
  report_failures(comparison);
  if (comparison.status == Status::cancelled) {
    fmt::print(stderr, "fokker: interrupted; {} rows were finished{}\n", comparison.rows.size(),
               goes_on(o.checkpoint));
    return interrupted;
  }
  if (checkpoint) checkpoint->remove();
  return exit_code(comparison);
}

}  // namespace

Command make_compare(CLI::App& app) {
  CLI::App* parser = app.add_subcommand(
      "compare", "Compare samplers of the reverse SDE and of the probability flow with the truth");
  const auto o = std::make_shared<CompareOptions>();
  parser->add_option("--process", o->process, "Forward process (fokker list processes)")
      ->capture_default_str();
  add_list(*parser, "--set", o->parameters, "Parameters of the process: name=value,...");
  parser
      ->add_option("--data", o->data.data,
                   "ring8:SD, gaussian, points:FILE.csv, spectrum:FILE.csv, ... (fokker list data)")
      ->capture_default_str();
  add_list(*parser, "--drop-column", o->data.drop_columns,
           "Leave column N (from 1) of a points file out; repeatable");
  parser->add_option("--scale", o->data.scale, "a:b maps [a, b] of a points file to [-1, 1]");
  add_list(*parser, "--samplers", o->samplers, "Samplers (fokker list samplers)");
  CLI::Option* nfe = add_list(*parser, "--nfe", o->nfe, "Budgets of score evaluations: 8,16,...");
  add_list(*parser, "--steps", o->steps, "Numbers of steps instead of budgets: 10,20,...")
      ->excludes(nfe);
  parser->add_option("--grid", o->grid,
                     "Time grid (fokker list grids), or a file of times, start first");
  parser->add_option("--t-min", o->t_min, "Where samplers end (default: of the process)");
  parser->add_option("--eta", o->eta,
                     "Noise of the reverse equation: 1 reverse SDE, 0 flow (default: 1 for SDE "
                     "samplers, 0 for ODE samplers and ddim)");
  parser->add_option("--init", o->init, "Start at the Gaussian prior or the exact marginal")
      ->type_name("prior|exact")
      ->capture_default_str();
  add_last(*parser, o->last);
  parser->add_option("--paths", o->paths, "Samples of each sampler (default 20000; 400 of points)");
  parser->add_option("--metric", o->metric, "Distance: sliced-w2 (default), energy, w1 or w2");
  parser->add_flag("--exact", o->exact,
                   "Gaussian data: push laws through the schemes, no Monte Carlo (metric w2)");
  parser->add_option("--score", o->score, "exact, or model:FILE of fokker learn")
      ->capture_default_str();
  add_list(*parser, "--score-error", o->score_error,
           "Make the score wrong: scale=A,bias=B gives (1 + A) score + B, from=,to= in t");
  parser->add_flag("--trace", o->trace,
                   "With --exact: W2 and KL to the law of x_t at every step, in the JSON");
  parser->add_option("--modes", o->modes, "With --exact: the errors of every eigenmode")
      ->type_name("FILE.csv");
  parser->add_option("--save", o->save, "The final states of every row, a line for each path")
      ->type_name("FILE.csv");
  parser->add_option("--precision", o->precision, "Scalar of the states")
      ->type_name("float|double")
      ->capture_default_str();
  add_checkpoint(*parser, o->checkpoint);
  add_rng(*parser, o->rng);
  add_common(*parser, o->common);
  add_plot(*parser, o->common);
  parser->footer(examples);
  return {parser, [o] { return compare_command(*o); }, true};
}

}  // namespace fokker::app
