#include "list/sections.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include <fokker/analysis/catalogue/solver_registry.hpp>
#include <fokker/analysis/distance/distances.hpp>
#include <fokker/diffusion/catalogue/registry.hpp>
#include <fokker/diffusion/schedule/time_grids.hpp>
#include <fokker/processes/models/registry.hpp>
#include <fokker/solvers/support/names.hpp>
#include <fokker/solvers/support/text.hpp>

#include "list/declarations.hpp"
#include "list/entry.hpp"
#include "support/data.hpp"

namespace fokker::app {
namespace {

using Json = nlohmann::ordered_json;
using Align = TextTable::Align;
using Column = TextTable::Column;

constexpr std::array kinds = {NoiseKind::none,     NoiseKind::additive,    NoiseKind::scalar,
                              NoiseKind::diagonal, NoiseKind::commutative, NoiseKind::general};

Column left(std::string title) { return {std::move(title), Align::left}; }
Column wrapped(std::string title) { return {std::move(title), Align::left, true}; }

std::string order_text(const std::optional<double>& order) { return order ? text(*order) : "-"; }

Json order_json(const std::optional<double>& order) { return order ? Json(*order) : Json(nullptr); }

/// "strong/weak" on a noise kind; empty where the solver does not take it.
std::string orders_text(const Facts& facts, NoiseKind kind) {
  if (!facts.supports(kind)) return "";
  const Orders orders = facts.orders(kind);
  if (kind == NoiseKind::none) return order_text(orders.deterministic);
  return order_text(orders.strong) + "/" + order_text(orders.weak);
}

/// The order of an ODE solver, or of an SDE solver where the noise vanishes.
std::optional<double> deterministic_order(const Facts& facts) {
  for (const NoiseKind kind : kinds)
    if (facts.supports(kind)) return facts.orders(kind).deterministic;
  return {};
}

std::string evaluations_text(const Evaluations& cost) {
  if (cost.drift == 0) return "varies";
  return cost.diffusion > 0 ? fmt::format("{} f, {} g", cost.drift, cost.diffusion)
                            : fmt::format("{} f", cost.drift);
}

/// "2 f, 2 g", the most that any noise kind costs.
std::string evaluations_text(const Facts& facts) {
  Evaluations most;
  for (const NoiseKind kind : kinds) {
    if (!facts.supports(kind)) continue;
    most.drift = std::max(most.drift, facts.evaluations(kind).drift);
    most.diffusion = std::max(most.diffusion, facts.evaluations(kind).diffusion);
  }
  return evaluations_text(most);
}

/// Brownian quantities of a step beside W.
std::string needs_text(const Needs& needs) {
  std::vector<std::string> words;
  if (needs.h) words.emplace_back("H");
  if (needs.k) words.emplace_back("K");
  if (needs.area) words.emplace_back("A");
  if (needs.normals > 0)
    words.push_back(fmt::format("{} normal{}", needs.normals, needs.normals > 1 ? "s" : ""));
  return fmt::format("{}", fmt::join(words, ", "));
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

std::string_view short_name(Calculus calculus) { return calculus == Calculus::ito ? "Ito" : "Str"; }

Json parameters_json(const std::vector<Parameter>& parameters) {
  Json json = Json::array();
  for (const Parameter& p : parameters)
    json.push_back({{"name", p.name},
                    {"default", p.default_value},
                    {"meaning", p.meaning},
                    {"range", p.range}});
  return json;
}

std::string parameters_text(const std::vector<Parameter>& parameters, std::string_view separator) {
  std::vector<std::string> words;
  for (const Parameter& p : parameters) words.push_back(p.name + "=" + p.default_value);
  return fmt::format("{}", fmt::join(words, separator));
}

/// Other names of an entry.
template <class Info>
std::vector<std::string_view> other_names(const Catalogue<Info>& all, std::string_view name) {
  std::vector<std::string_view> others;
  for (const Synonym& other : all.synonyms())
    if (other.name == name) others.push_back(other.other);
  return others;
}

template <class Info>
void add_other_names(Entry& entry, const Catalogue<Info>& all, std::string_view name) {
  const auto others = other_names(all, name);
  if (!others.empty()) entry.add("also called", fmt::format("{}", fmt::join(others, ", ")));
}

Entry with_parameters(Entry entry, const std::vector<Parameter>& parameters) {
  for (const Parameter& p : parameters)
    entry.add(p.name, fmt::format("{} (default {}{}{})", p.meaning, p.default_value,
                                  p.range.empty() ? "" : ", ", p.range));
  return entry;
}

// ------------------------------------------------------------------------------------------ solvers

bool admits(const Filter& filter, const SolverInfo& solver) {
  if (!filter.family.empty() && filter.family != solver.family) return false;
  if (!filter.calculus.empty() &&
      (solver.supports(NoiseKind::none) ||
       (filter.calculus == "ito") != (solver.calculus == Calculus::ito)))
    return false;
  return filter.noise.empty() || std::any_of(kinds.begin(), kinds.end(), [&](NoiseKind kind) {
           return filter.noise == to_string(kind) && solver.supports(kind);
         });
}

Json solver_json(const SolverInfo& solver) {
  const bool ode = solver.supports(NoiseKind::none);
  Json orders = Json::object(), adaptable = Json::array();
  for (const NoiseKind kind : kinds) {
    if (solver.adaptable(kind)) adaptable.push_back(to_string(kind));
    if (kind == NoiseKind::none || !solver.supports(kind)) continue;
    orders[std::string(to_string(kind))] = {{"strong", order_json(solver.orders(kind).strong)},
                                            {"weak", order_json(solver.orders(kind).weak)}};
  }
  return {{"name", solver.name},
          {"synonyms", other_names(list_solvers(), solver.name)},
          {"type", solver.type},
          {"header", header_of_type(solver.type)},
          {"family", solver.family},
          {"kind", ode ? "ode" : "sde"},
          {"calculus", to_string(solver.calculus)},
          {"process", solver.process.empty() ? Json(nullptr) : Json(solver.process)},
          {"adaptive", solver.adaptive},
          {"adaptable", adaptable},
          {"orders", orders},
          {"deterministic_order", order_json(deterministic_order(solver))},
          {"condition", solver.condition},
          {"evaluations", evaluations_text(solver)},
          {"needs", needs_text(solver.needs)},
          {"source", solver.source}};
}

Listing solver_table(const Filter& filter) {
  filter.check();
  TextTable table({left("solver"), left("calc"), left("additive"), left("scalar"), left("diag."),
                   left("commut."), left("general"), left("ode"), left("f, g"), left("needs"),
                   left("adaptive"), wrapped("condition"), left("C++"), left("source")});
  Json json = Json::array();
  for (const SolverInfo& solver : list_solvers()) {
    if (!admits(filter, solver)) continue;
    std::vector<std::string> cells = {
        std::string(solver.name),
        std::string(solver.supports(NoiseKind::none) ? "" : short_name(solver.calculus))};
    for (const NoiseKind kind : kinds)
      if (kind != NoiseKind::none) cells.push_back(orders_text(solver, kind));
    cells.push_back(order_text(deterministic_order(solver)));
    cells.push_back(evaluations_text(solver));
    cells.push_back(needs_text(solver.needs));
    cells.push_back(adaptive_text(solver));
    cells.emplace_back(solver.condition);
    cells.emplace_back(solver.type);
    cells.emplace_back(solver.source);
    table.add_row(std::move(cells));
    json.push_back(solver_json(solver));
  }
  table.drop_empty_columns();
  return {{{"Solvers of integrate and converge. Proved orders, strong/weak, for additive, scalar, "
            "diagonal, commutative and general noise; ode: where the noise vanishes. Empty: not "
            "for this noise; -: no proof. calc: Ito or Stratonovich.",
            {table}}},
          json};
}

Listing solver_entry(std::string_view name) {
  const SolverInfo& solver = list_solvers().at(name);
  const bool ode = solver.supports(NoiseKind::none);
  Entry entry(solver.name, solver.family);
  entry.add_type(solver.type);
  add_other_names(entry, list_solvers(), solver.name);
  if (!ode) entry.add("calculus", std::string(to_string(solver.calculus)));
  if (!solver.process.empty()) entry.add("made for", std::string(solver.process));
  if (!solver.condition.empty()) entry.add("condition", std::string(solver.condition));
  entry.add("adaptive", adaptive_text(solver));
  if (const std::string needs = needs_text(solver.needs); !needs.empty())
    entry.add("needs", needs + ", beside W");
  if (ode) {
    entry.add("order", order_text(deterministic_order(solver)));
    entry.add("per step", evaluations_text(solver));
  }
  entry.add("source", std::string(solver.source));
  const std::string_view process = example_process(solver);
  entry.add("example", fmt::format("fokker integrate --process {} --solver {} --t 0:1{}", process,
                                   solver.name, solver.adaptive ? " --rtol 1e-6" : " --dt 0.01"));
  entry.add("in C++", fmt::format("integrate(process, {}{{}}, {}, x0, {{0, 1}})", solver.type,
                                  solver.adaptive ? "Adaptive{.rtol = 1e-6}" : "Fixed{0.01}"));
  if (!ode) {
    TextTable claims({left("noise"), {"strong"}, {"weak"}, {"deterministic"}, left("per step")});
    for (const NoiseKind kind : kinds)
      if (solver.supports(kind))
        claims.add_row({std::string(to_string(kind)), order_text(solver.orders(kind).strong),
                        order_text(solver.orders(kind).weak),
                        order_text(solver.orders(kind).deterministic),
                        evaluations_text(solver.evaluations(kind))});
    entry.add_table("Proved orders; -: no proof", std::move(claims));
    entry.add_certificates(solver_certificates, solver.name);
  }
  return entry.listing(solver_json(solver));
}

Listing family_table(const Filter& filter) {
  TextTable table({left("family"), wrapped("solvers")});
  for (auto solver = list_solvers().begin(); solver != list_solvers().end();) {
    const std::string_view family = solver->family;
    std::vector<std::string_view> names;
    for (; solver != list_solvers().end() && solver->family == family; ++solver)
      if (admits(filter, *solver)) names.push_back(solver->name);
    if (!names.empty())
      table.add_row({std::string(family), fmt::format("{}", fmt::join(names, ", "))});
  }
  return {{{"Solvers by family", {table}}}, nullptr};
}

// ---------------------------------------------------------------------------------------- processes

std::string known_text(const ProcessInfo& p) {
  return p.has_exact ? p.has_moments ? "path, moments" : "path" : p.has_moments ? "moments" : "";
}

Json process_json(const ProcessInfo& p) {
  return {{"name", p.name},
          {"type", p.type},
          {"header", header_of_type(p.type)},
          {"description", p.description},
          {"equation", p.equation},
          {"dimension", p.dimension},
          {"noise", to_string(p.noise)},
          {"calculus", to_string(p.calculus)},
          {"x0", p.x0},
          {"components", p.components},
          {"has_exact", p.has_exact},
          {"has_moments", p.has_moments},
          {"parameters", parameters_json(p.parameters)},
          {"source", p.source}};
}

Json schedule_json(const ScheduleInfo& s) {
  return {{"name", s.name},
          {"type", s.type},
          {"header", header_of_type(s.type)},
          {"equation", s.equation},
          {"end_time", s.end_time},
          {"sde_start", s.sde_start},
          {"t_min", s.t_min},
          {"grid", s.default_grid},
          {"parameters", parameters_json(s.parameters)},
          {"source", s.source}};
}

std::string start_text(const ProcessInfo& p) {
  std::vector<std::string> x0;
  for (const double x : p.x0) x0.push_back(text(x));
  return fmt::format("{}", fmt::join(x0, ","));
}

Listing process_table(const Filter& filter) {
  filter.check();
  TextTable sdes({left("process"),
                  left("noise"),
                  {"d"},
                  wrapped("equation"),
                  wrapped("parameters"),
                  left("x0"),
                  left("known"),
                  left("C++")});
  Json json = Json::array();
  for (const ProcessInfo& p : list_processes()) {
    if (!filter.admits(p.noise)) continue;
    sdes.add_row({std::string(p.name), std::string(to_string(p.noise)), std::to_string(p.dimension),
                  std::string(p.equation), parameters_text(p.parameters, ", "), start_text(p),
                  known_text(p), std::string(p.type)});
    json.push_back(process_json(p));
  }
  return {{{"Processes of integrate and converge (all Ito)", {sdes}}}, json};
}

Listing schedule_table(const Filter&) {
  TextTable schedules({left("process"),
                       wrapped("equation"),
                       wrapped("parameters"),
                       {"end"},
                       {"SDE from"},
                       {"t_min"},
                       left("grid"),
                       left("C++")});
  Json json = Json::array();
  for (const ScheduleInfo& s : list_schedules()) {
    schedules.add_row({s.name, s.equation, parameters_text(s.parameters, ", "), text(s.end_time),
                       text(s.sde_start), text(s.t_min), s.default_grid, s.type});
    json.push_back(schedule_json(s));
  }
  return {
      {{"Forward processes of compare, with their end time, the start of a reverse SDE, and the "
        "defaults of --t-min and --grid. table:FILE is a discrete model: a column with the "
        "header beta or alpha_bar, a line per level.",
        {schedules}}},
      json};
}

Listing process_entry(std::string_view name) {
  const ProcessInfo& p = list_processes().at(name);
  Entry entry(p.name, p.description);
  entry.add_type(p.type);
  add_other_names(entry, list_processes(), p.name);
  entry.add("equation", std::string(p.equation));
  entry.add("noise", std::string(to_string(p.noise)));
  if (!p.components.empty())
    entry.add("components", fmt::format("{}", fmt::join(p.components, ", ")));
  entry.add("starts at", start_text(p));
  if (const std::string known = known_text(p); !known.empty()) entry.add("known exactly", known);
  entry.add("source", std::string(p.source));
  const bool ode = p.noise == NoiseKind::none;
  entry.add("example", fmt::format("fokker integrate --process {} --solver {} --t 0:1", p.name,
                                   ode ? "dopri5" : "euler-maruyama --dt 0.01"));
  return with_parameters(std::move(entry), p.parameters).listing(process_json(p));
}

Listing schedule_entry(std::string_view name) {
  const ScheduleInfo& s = list_schedules().at(name);
  Entry entry(s.name, "forward process of a diffusion model");
  entry.add_type(s.type);
  entry.add("equation", s.equation);
  entry.add("times", fmt::format("t in [0, {}]; a reverse SDE starts at {}, t_min is {}",
                                 text(s.end_time), text(s.sde_start), text(s.t_min)));
  entry.add("grid", s.default_grid);
  entry.add("source", s.source);
  entry.add("example", "fokker compare --process " + s.name);
  entry.add("in C++", fmt::format("AffineProcess process{{{}{{}}}};", s.type));
  return with_parameters(std::move(entry), s.parameters).listing(schedule_json(s));
}

// ----------------------------------------------------------------------------------------- samplers

std::string cost_text(const SamplerInfo& s) {
  if (s.adaptive)
    return s.evaluations > 0 ? fmt::format("{}, adaptive", s.evaluations) : "adaptive";
  return s.extra_evaluations > 0
             ? fmt::format("{}, and {} once", s.evaluations, s.extra_evaluations)
             : std::to_string(s.evaluations);
}

std::string eta_text(const SamplerInfo& s) {
  return fmt::format("{} ({})", text(s.default_eta), to_string(s.etas));
}

Json sampler_json(const SamplerInfo& s) {
  return {{"name", s.name},
          {"synonyms", other_names(list_samplers(), s.name)},
          {"type", s.type},
          {"header", header_of_type(s.type)},
          {"equation", to_string(s.equation)},
          {"eta", s.default_eta},
          {"eta_min", s.etas.min},
          {"eta_max", std::isfinite(s.etas.max) ? Json(s.etas.max) : Json(nullptr)},
          {"adaptive", s.adaptive},
          {"evaluations", s.evaluations},
          {"extra_evaluations", s.extra_evaluations},
          {"parameters", parameters_json(s.parameters)},
          {"strong_order", order_json(s.orders.strong)},
          {"weak_order", order_json(s.orders.weak)},
          {"deterministic_order", order_json(s.orders.deterministic)},
          {"source", s.source}};
}

Listing sampler_table(const Filter&) {
  TextTable table({left("sampler"),
                   left("of"),
                   left("NFE per step"),
                   {"strong"},
                   {"weak"},
                   {"det"},
                   left("eta"),
                   wrapped("parameters"),
                   left("C++"),
                   left("source")});
  Json json = Json::array();
  for (const SamplerInfo& s : list_samplers()) {
    table.add_row({s.name, std::string(to_string(s.equation)), cost_text(s),
                   order_text(s.orders.strong), order_text(s.orders.weak),
                   order_text(s.orders.deterministic), eta_text(s),
                   parameters_text(s.parameters, " "), s.type, s.source});
    json.push_back(sampler_json(s));
  }
  std::vector<std::string> others;
  for (const Synonym& other : list_samplers().synonyms())
    others.push_back(fmt::format("{} is {}", other.other, other.name));
  return {{{"Samplers of compare for the reverse SDE (sde) or the probability flow (ode): score "
            "evaluations per step, proved orders (det: without noise), eta with its range, and the "
            "parameters that may follow the name, as in edm-churn:gamma=0.3:s_max=50.",
            {table}},
           {"Synonyms: " + fmt::format("{}", fmt::join(others, ", ")) + ".", {}}},
          json};
}

Listing sampler_entry(std::string_view name) {
  const SamplerInfo& s = list_samplers().at(name);
  const bool sde = s.equation == ModelEquation::sde;
  Entry entry(s.name, sde ? "sampler of the reverse SDE" : "sampler of the probability flow");
  entry.add_type(s.type);
  entry.add("NFE per step", cost_text(s));
  if (sde)
    entry.add("orders", fmt::format("strong {}, weak {}, without noise {} (-: no proof)",
                                    order_text(s.orders.strong), order_text(s.orders.weak),
                                    order_text(s.orders.deterministic)));
  else
    entry.add("order", order_text(s.orders.deterministic));
  entry.add("eta", eta_text(s));
  entry.add("ends at t = 0", s.ends_at_zero ? "yes" : "only where the data have a density");
  add_other_names(entry, list_samplers(), s.name);
  entry.add("source", s.source);
  entry.add("example", fmt::format("fokker compare --samplers {}{}", s.name,
                                   s.adaptive ? "" : " --nfe 10,20,50"));
  entry.add("in C++",
            fmt::format("simulate({}{{process, score}}, {}{{}}, {}, start, ..., FinalState{{}})",
                        sde ? "ReverseSde" : "ProbabilityFlow", s.type,
                        s.adaptive ? "Adaptive{.rtol = 1e-4}" : "OnGrid{grid}"));
  entry = with_parameters(std::move(entry), s.parameters);
  entry.add_certificates(sampler_certificates, s.name);
  return entry.listing(sampler_json(s));
}

// --------------------------------------------------------------------------- grids, data and metrics

Json grid_json(const GridInfo& grid) {
  return {{"name", grid.name}, {"spacing", grid.spacing}, {"source", grid.source}};
}

Listing grid_table(const Filter&) {
  TextTable table({left("grid"), wrapped("spacing"), left("source")});
  Json json = Json::array();
  for (const GridInfo& grid : list_grids()) {
    table.add_row({grid.name, grid.spacing, grid.source});
    json.push_back(grid_json(grid));
  }
  return {{{"Time grids of compare", {table}}}, json};
}

Listing grid_entry(std::string_view name) {
  const GridInfo& grid = list_grids().at(name);
  Entry entry(grid.name, "time grid of a diffusion model");
  entry.add("spacing", grid.spacing);
  entry.add("needs", grid.in_sigma ? "a finite sigma at its start" : "nothing");
  entry.add("source", grid.source);
  entry.add("example", "fokker compare --grid " + grid.name);
  entry.add("in C++", fmt::format("make_grid(\"{}\", schedule, start, t_min, steps)", grid.name));
  return entry.listing(grid_json(grid));
}

Json data_json(const DataInfo& data) {
  return {{"name", data.form}, {"type", data.type}, {"distribution", data.meaning}};
}

Listing data_table(const Filter&) {
  TextTable table({left("data"), wrapped("distribution")});
  Json json = Json::array();
  for (const DataInfo& data : list_data()) {
    table.add_row({data.form, data.meaning});
    json.push_back(data_json(data));
  }
  return {{{"Data of compare", {table}}}, json};
}

Listing data_entry(std::string_view name) {
  const DataInfo& data = list_data().at(name);
  Entry entry(data.name, "data distribution");
  entry.add_type(data.type);
  entry.add("distribution", data.meaning);
  entry.add("example", "fokker compare --data " + data.form);
  return entry.listing(data_json(data));
}

Json metric_json(const MetricInfo& metric) {
  return {{"name", metric.name}, {"distance", metric.distance}, {"source", metric.source}};
}

Listing metric_table(const Filter&) {
  TextTable table({left("metric"), wrapped("distance"), left("source")});
  Json json = Json::array();
  for (const MetricInfo& metric : list_metrics()) {
    table.add_row({metric.name, metric.distance, metric.source});
    json.push_back(metric_json(metric));
  }
  return {{{"Metrics of compare", {table}}}, json};
}

Listing metric_entry(std::string_view name) {
  const MetricInfo& metric = list_metrics().at(name);
  Entry entry(metric.name, "distance of two samples");
  entry.add("distance", metric.distance);
  entry.add("source", metric.source);
  entry.add("example", "fokker compare --metric " + metric.name);
  entry.add("in C++", fmt::format("make_metric(\"{}\", reference)", metric.name));
  return entry.listing(metric_json(metric));
}

}  // namespace

void Filter::check() const {
  const auto known = [](const std::string& word, std::string_view kind,
                        const std::vector<std::string_view>& words) {
    if (!word.empty() && std::find(words.begin(), words.end(), word) == words.end())
      throw std::invalid_argument(unknown_name_message(kind, word, words));
  };
  std::vector<std::string_view> noises;
  for (const NoiseKind kind : kinds) noises.push_back(to_string(kind));
  known(noise, "noise", noises);
  known(calculus, "calculus", {"ito", "stratonovich"});
  std::vector<std::string_view> families;
  for (const SolverInfo& solver : list_solvers())
    if (families.empty() || families.back() != solver.family) families.push_back(solver.family);
  known(family, "family", families);
}

std::string Listing::text(std::size_t width) const {
  std::string out;
  for (const Part& part : parts) {
    if (!out.empty()) out += '\n';
    for (const std::string& line : wrapped_lines(part.paragraph, std::min<std::size_t>(width, 100)))
      out += line + '\n';
    for (const TextTable& table : part.table) out += '\n' + table.text(width);
  }
  return out;
}

std::string Listing::markdown() const {
  std::string out;
  for (const Part& part : parts)
    for (const TextTable& table : part.table) {
      if (!out.empty()) out += '\n';
      out += table.markdown();
    }
  return out;
}

const std::vector<Section>& sections() {
  static const std::vector<Section> all = {
      {"solvers", "solver", "sriw1", true, solver_table, solver_entry},
      {"families", "family", "", true, family_table, nullptr},
      {"processes", "process", "gbm", true, process_table, process_entry},
      {"schedules", "schedule", "vp", false, schedule_table, schedule_entry},
      {"samplers", "sampler", "ddim", false, sampler_table, sampler_entry},
      {"grids", "grid", "karras", false, grid_table, grid_entry},
      {"data", "distribution", "ring8", false, data_table, data_entry},
      {"metrics", "metric", "energy", false, metric_table, metric_entry}};
  return all;
}

}  // namespace fokker::app
