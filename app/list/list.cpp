/// @file  list.cpp
/// @brief `fokker list`: the names that the other commands take.

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fokker/analysis/catalogue/solver_registry.hpp>
#include <fokker/analysis/distance/distances.hpp>
#include <fokker/analysis/figures/report.hpp>
#include <fokker/diffusion/catalogue/registry.hpp>
#include <fokker/diffusion/schedule/time_grids.hpp>
#include <fokker/processes/models/registry.hpp>
#include <fokker/solvers/support/text.hpp>

#include "command.hpp"
#include "support/data.hpp"
#include "support/names.hpp"
#include "support/options.hpp"

namespace fokker::app {
namespace {

using Json = nlohmann::ordered_json;
using Align = TextTable::Align;

constexpr std::array kinds = {NoiseKind::none,     NoiseKind::additive,    NoiseKind::scalar,
                              NoiseKind::diagonal, NoiseKind::commutative, NoiseKind::general};

/// A listing: text for the terminal and the same as JSON.
struct Listing {
  std::string text;
  Json json;
};

std::string order_text(const std::optional<double>& order) { return order ? text(*order) : "none"; }

Json order_json(const std::optional<double>& order) { return order ? Json(*order) : Json(nullptr); }

/// "strong/weak" on a noise kind; "-" where the solver does not take it.
std::string orders_text(const SolverInfo& solver, NoiseKind kind) {
  if (!solver.supports(kind)) return "-";
  const Orders orders = solver.orders(kind);
  if (kind == NoiseKind::none) return order_text(orders.deterministic);
  return order_text(orders.strong) + "/" + order_text(orders.weak);
}

/// The order of an ODE solver, or of an SDE solver where the noise vanishes.
std::optional<double> deterministic_order(const SolverInfo& solver) {
  for (const NoiseKind kind : kinds)
    if (solver.supports(kind)) return solver.orders(kind).deterministic;
  return {};
}

/// "2 f, 2 g", the most that any noise kind costs.
std::string evaluations_text(const SolverInfo& solver) {
  if (solver.adaptive) return "-";
  Evaluations most;
  for (const NoiseKind kind : kinds) {
    if (!solver.supports(kind)) continue;
    most.drift = std::max(most.drift, solver.evaluations(kind).drift);
    most.diffusion = std::max(most.diffusion, solver.evaluations(kind).diffusion);
  }
  return most.diffusion > 0 ? fmt::format("{} f, {} g", most.drift, most.diffusion)
                            : fmt::format("{} f", most.drift);
}

/// Where the solver adapts its steps.
std::string adaptive_text(const SolverInfo& solver) {
  if (solver.adaptive) return "always";
  std::vector<std::string_view> with_tolerance;
  bool all = true;
  for (const NoiseKind kind : kinds) {
    if (!solver.supports(kind)) continue;
    if (solver.adaptable(kind))
      with_tolerance.push_back(to_string(kind));
    else
      all = false;
  }
  if (with_tolerance.empty()) return "no";
  return all ? "with --rtol" : fmt::format("with --rtol ({})", fmt::join(with_tolerance, ", "));
}

Listing list_solver_table() {
  TextTable table({{"solver", Align::left},
                   {"calculus", Align::left},
                   {"additive", Align::left},
                   {"scalar", Align::left},
                   {"diagonal", Align::left},
                   {"commutative", Align::left},
                   {"general", Align::left},
                   {"deterministic", Align::left},
                   {"per step", Align::left},
                   {"adaptive", Align::left},
                   {"source", Align::left}});
  Json json = Json::array();
  for (const SolverInfo& solver : list_solvers()) {
    const bool ode = solver.supports(NoiseKind::none);
    std::vector<std::string> cells = {solver.process.empty()
                                          ? std::string(solver.name)
                                          : fmt::format("{} ({})", solver.name, solver.process),
                                      ode ? "-" : std::string(to_string(solver.calculus))};
    Json orders = Json::object(), adaptable = Json::array();
    for (const NoiseKind kind : kinds) {
      if (solver.adaptable(kind)) adaptable.push_back(to_string(kind));
      if (kind != NoiseKind::none) cells.push_back(orders_text(solver, kind));
      if (kind == NoiseKind::none || !solver.supports(kind)) continue;
      orders[std::string(to_string(kind))] = {{"strong", order_json(solver.orders(kind).strong)},
                                              {"weak", order_json(solver.orders(kind).weak)}};
    }
    cells.push_back(order_text(deterministic_order(solver)));
    cells.push_back(evaluations_text(solver));
    cells.push_back(adaptive_text(solver));
    cells.emplace_back(solver.source);
    table.add_row(std::move(cells));
    json.push_back({{"name", solver.name},
                    {"kind", ode ? "ode" : "sde"},
                    {"calculus", to_string(solver.calculus)},
                    {"process", solver.process.empty() ? Json(nullptr) : Json(solver.process)},
                    {"adaptive", solver.adaptive},
                    {"adaptable", adaptable},
                    {"orders", orders},
                    {"deterministic_order", order_json(deterministic_order(solver))},
                    {"evaluations", evaluations_text(solver)},
                    {"source", solver.source}});
  }
  return {
      "Solvers of integrate and converge: proved orders, strong/weak for each kind of noise; - "
      "means\nnot for this kind, none that no order is proved; (name): made for that process\n\n" +
          table.text(),
      json};
}

std::string parameters_text(const auto& parameters, const auto& value) {
  std::vector<std::string> words;
  for (const auto& parameter : parameters)
    words.push_back(fmt::format("{}={}", parameter.name, value(parameter)));
  return words.empty() ? "-" : fmt::format("{}", fmt::join(words, ", "));
}

Listing list_process_table() {
  TextTable sdes({{"process", Align::left},
                  {"noise", Align::left},
                  {"d"},
                  {"known", Align::left},
                  {"parameters", Align::left},
                  {"x0", Align::left},
                  {"equation", Align::left}});
  Json json = {{"integrate", Json::array()}, {"compare", Json::array()}};
  for (const ProcessInfo& p : list_processes()) {
    const std::string known = p.has_exact     ? p.has_moments ? "path, moments" : "path"
                              : p.has_moments ? "moments"
                                              : "-";
    std::vector<std::string> x0;
    for (const double x : p.x0) x0.push_back(text(x));
    sdes.add_row({std::string(p.name), std::string(to_string(p.noise)), std::to_string(p.dimension),
                  known, parameters_text(p.parameters, [](const auto& q) { return text(q.value); }),
                  fmt::format("{}", fmt::join(x0, ",")), std::string(p.equation)});
    Json parameters = Json::array();
    for (const ParameterInfo& q : p.parameters)
      parameters.push_back({{"name", q.name}, {"default", q.value}, {"meaning", q.meaning}});
    json["integrate"].push_back({{"name", p.name},
                                 {"description", p.description},
                                 {"equation", p.equation},
                                 {"dimension", p.dimension},
                                 {"noise", to_string(p.noise)},
                                 {"calculus", to_string(p.calculus)},
                                 {"x0", p.x0},
                                 {"components", p.components},
                                 {"has_exact", p.has_exact},
                                 {"has_moments", p.has_moments},
                                 {"parameters", parameters},
                                 {"source", p.source}});
  }
  TextTable schedules({{"process", Align::left},
                       {"end time"},
                       {"SDE starts at"},
                       {"t_min"},
                       {"grid", Align::left},
                       {"parameters", Align::left},
                       {"equation", Align::left}});
  for (const ScheduleInfo& s : list_schedules()) {
    schedules.add_row({s.name, text(s.end_time), text(s.sde_start), text(s.t_min), s.default_grid,
                       parameters_text(s.parameters, [](const auto& q) { return q.default_value; }),
                       s.equation});
    Json parameters = Json::array();
    for (const ScheduleParameter& q : s.parameters)
      parameters.push_back(
          {{"name", q.name}, {"default", q.default_value}, {"meaning", q.meaning}});
    json["compare"].push_back({{"name", s.name},
                               {"equation", s.equation},
                               {"end_time", s.end_time},
                               {"sde_start", s.sde_start},
                               {"t_min", s.t_min},
                               {"grid", s.default_grid},
                               {"parameters", parameters},
                               {"source", s.source}});
  }
  return {"Processes of integrate and converge (all Ito)\n\n" + sdes.text() +
              "\nForward processes of compare: --t-min and --grid default to what stands here\n\n" +
              schedules.text() +
              "\ntable:FILE is a discrete model: a column with the header beta or alpha_bar, a "
              "line per level\n",
          json};
}

Listing list_sampler_table() {
  TextTable table({{"sampler", Align::left},
                   {"equation", Align::left},
                   {"eta", Align::left},
                   {"NFE per step", Align::left},
                   {"strong"},
                   {"weak"},
                   {"deterministic"},
                   {"parameters", Align::left},
                   {"source", Align::left}});
  Json json = Json::array();
  for (const SamplerInfo& s : list_samplers()) {
    const std::string etas = fmt::format("{} ({})", text(s.default_eta), to_string(s.etas));
    const std::string cost =
        s.adaptive ? s.evaluations > 0 ? fmt::format("{}, adaptive", s.evaluations) : "adaptive"
        : s.extra_evaluations > 0
            ? fmt::format("{}, and {} once", s.evaluations, s.extra_evaluations)
            : std::to_string(s.evaluations);
    std::vector<std::string> parameters;
    Json parameters_json = Json::array();
    for (const SamplerParameter& p : s.parameters) {
      parameters.push_back(fmt::format("{}={}", p.name, p.default_value));
      parameters_json.push_back(
          {{"name", p.name}, {"default", p.default_value}, {"meaning", p.meaning}});
    }
    table.add_row({s.name, std::string(to_string(s.equation)), etas, cost,
                   order_text(s.orders.strong), order_text(s.orders.weak),
                   order_text(s.orders.deterministic),
                   fmt::format("{}", fmt::join(parameters, ":")), s.source});
    json.push_back({{"name", s.name},
                    {"equation", to_string(s.equation)},
                    {"eta", s.default_eta},
                    {"eta_min", s.etas.min},
                    {"eta_max", std::isfinite(s.etas.max) ? Json(s.etas.max) : Json(nullptr)},
                    {"adaptive", s.adaptive},
                    {"evaluations", s.evaluations},
                    {"extra_evaluations", s.extra_evaluations},
                    {"parameters", parameters_json},
                    {"strong_order", order_json(s.orders.strong)},
                    {"weak_order", order_json(s.orders.weak)},
                    {"deterministic_order", order_json(s.orders.deterministic)},
                    {"source", s.source}});
  }
  std::string others;
  for (const OtherName& other : other_sampler_names())
    others += fmt::format("{}{} is {}", others.empty() ? "" : ", ", other.other, other.name);
  return {
      "Samplers of compare; sde: the reverse SDE, ode: the probability flow. Parameters follow the "
      "name,\nas in edm-churn:gamma=0.3:s_max=50\n\n" +
          table.text() + "\nBy names of others: " + others + "\n",
      json};
}

Listing list_grid_table() {
  TextTable table({{"grid", Align::left}, {"spacing", Align::left}, {"source", Align::left}});
  Json json = Json::array();
  for (const GridInfo& grid : list_grids()) {
    table.add_row({grid.name, grid.spacing, grid.source});
    json.push_back({{"name", grid.name}, {"spacing", grid.spacing}, {"source", grid.source}});
  }
  return {"Time grids of compare\n\n" + table.text(), json};
}

Listing list_data_table() {
  TextTable table({{"data", Align::left}, {"distribution", Align::left}});
  Json json = Json::array();
  for (const DataForm& data : data_forms()) {
    table.add_row({data.form, data.meaning});
    json.push_back({{"name", data.form}, {"distribution", data.meaning}});
  }
  return {"Data of compare\n\n" + table.text(), json};
}

Listing list_metric_table() {
  const std::map<std::string_view, std::string> meanings = {
      {"sliced-w2", "2-Wasserstein distance of projections, averaged over directions"},
      {"energy", "energy distance"},
      {"w1", "1-Wasserstein distance, one dimension only"},
      {"w2", "2-Wasserstein distance, one dimension only; exact for Gaussian laws with --exact"}};
  TextTable table({{"metric", Align::left}, {"distance", Align::left}});
  Json json = Json::array();
  for (const std::string_view metric : metric_names()) {
    const auto meaning = meanings.find(metric);
    const std::string words = meaning == meanings.end() ? "" : meaning->second;
    table.add_row({std::string(metric), words});
    json.push_back({{"name", metric}, {"distance", words}});
  }
  return {"Metrics of compare\n\n" + table.text(), json};
}

struct Section {
  std::string_view name;
  std::function<Listing()> list;
};

const std::vector<Section>& sections() {
  static const std::vector<Section> all = {
      {"solvers", list_solver_table},   {"processes", list_process_table},
      {"samplers", list_sampler_table}, {"grids", list_grid_table},
      {"data", list_data_table},        {"metrics", list_metric_table}};
  return all;
}

int list_command(std::string what, CommonOptions common) {
  std::vector<std::string_view> names;
  for (const Section& section : sections()) names.push_back(section.name);
  what = known_name(what, names);
  if (!what.empty() && std::find(names.begin(), names.end(), what) == names.end())
    throw std::invalid_argument(unknown_name_message("list", what, names));
  check_outputs(common);

  Json document = Json::object();
  std::vector<std::string> texts;
  for (const Section& section : sections()) {
    if (!what.empty() && section.name != what) continue;
    Listing listing = section.list();
    texts.push_back(std::move(listing.text));
    document[std::string(section.name)] = std::move(listing.json);
  }
  fmt::print(common.tables(), "{}", fmt::join(texts, "\n"));
  write_json(common, document);
  say_written(common.tables(), common);
  return done;
}

constexpr const char* examples = R"(Examples:
  fokker list
  fokker list solvers
  fokker list samplers --json -)";

}  // namespace

Command make_list(CLI::App& app) {
  CLI::App* parser =
      app.add_subcommand("list", "List solvers, processes, samplers, grids, data, metrics");
  const auto common = std::make_shared<CommonOptions>();
  const auto what = std::make_shared<std::string>();
  parser->add_option("what", *what,
                     "solvers, processes, samplers, grids, data or metrics (default: all)");
  add_common(*parser, *common);
  parser->footer(examples);
  return {parser, [what, common] { return list_command(*what, *common); }};
}

}  // namespace fokker::app
