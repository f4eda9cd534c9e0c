/// @file  explain.cpp
/// @brief `fokker explain`: what is known of an equation, and which solvers take it.

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fokker/analysis/catalogue/solver_registry.hpp>
#include <fokker/analysis/figures/report.hpp>
#include <fokker/processes/equation/equation.hpp>
#include <fokker/solvers/support/text.hpp>

#include "command.hpp"
#include "support/options.hpp"
#include "support/recommendation.hpp"

namespace fokker::app {
namespace {

using Json = nlohmann::ordered_json;
using Align = TextTable::Align;

struct ExplainCommand {
  std::string equation;
  std::vector<std::string> parameters;
  CommonOptions common;
};

/// An equation and what was found out about it.
struct Explained {
  EquationSystem system;
  NoiseStructure noise;
  Equation sample;                   ///< with a value for every parameter
  std::vector<std::string> missing;  ///< parameters without a value
};

std::string order_text(const std::optional<double>& order) { return order ? text(*order) : "none"; }

Explained explained(const ExplainCommand& o) {
  std::map<std::string, double> given;
  for (const auto& [name, word] : assignments(o.parameters, "--set"))
    given[name] = number(word, "--set");
  EquationSystem system = read_equations(o.equation, given, Unknown::parameter);
  NoiseStructure noise = noise_structure(system, given);
  std::vector<std::string> missing;
  std::map<std::string, double> all = given;
  for (const std::string& name : system.parameters)
    if (all.emplace(name, 0.5).second) missing.push_back(name);
  return {std::move(system), std::move(noise), Equation(o.equation, all), std::move(missing)};
}

std::string shown(const EquationSystem& s, Expr e) {
  return s.graph.text(e, s.states, s.parameters);
}

/// Whether a text needs parentheses before a differential.
std::string factor(const std::string& words) {
  int open = 0;
  for (const char c : words) {
    open += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (open == 0 && c == ' ') return "(" + words + ")";
  }
  return words;
}

/// The equations in a calculus, one a line.
std::vector<std::string> equations(const Explained& e, Calculus calculus) {
  std::vector<std::string> lines;
  const EquationSystem& s = e.system;
  for (std::size_t i = 0; i < s.states.size(); ++i) {
    const std::string drift = shown(s, s.drift(calculus)[i]);
    std::string right = drift == "0" ? "" : factor(drift) + " dt";
    for (std::size_t k = 0; k < e.noise.columns.size(); ++k) {
      std::string g = shown(s, e.noise.columns[k][i]);
      if (g == "0") continue;
      const bool minus = g.starts_with('-') && g.find(' ') == g.npos;
      if (minus) g.erase(0, 1);
      right += right.empty() ? (minus ? "-" : "") : minus ? " - " : " + ";
      right += (g == "1" ? "" : factor(g) + " ") +
               (calculus == Calculus::stratonovich ? "o d" : "d") + e.noise.sources[k];
    }
    lines.push_back("d" + s.states[i] + " = " + (right.empty() ? "0 dt" : right));
  }
  return lines;
}

struct Slopes {
  std::vector<std::vector<std::string>> jacobian;
  std::string divergence;
};

Slopes slopes(Explained& e) {
  EquationSystem& s = e.system;
  Slopes out;
  Expr divergence = s.graph.constant(0);
  for (std::size_t i = 0; i < s.states.size(); ++i) {
    auto& row = out.jacobian.emplace_back();
    for (int k = 0; k < s.dimension(); ++k) {
      const Expr slope = s.graph.derivative(s.ito_drift[i], k);
      row.push_back(shown(s, slope));
      if (static_cast<int>(i) == k) divergence = s.graph.add(divergence, slope);
    }
  }
  out.divergence = shown(s, divergence);
  return out;
}

bool takes(const Explained& e, const SolverInfo& solver) {
  return solver.process.empty() && solver.supports(e.noise.kind) &&
         solver.takes(e.sample.process<Calculus::ito>());
}

bool adapts(const SolverInfo& solver, NoiseKind kind) {
  return solver.adaptive || solver.adaptable(kind);
}

std::string solver_table(const Explained& e) {
  const NoiseKind kind = e.noise.kind;
  const bool ode = kind == NoiseKind::none;
  std::vector<TextTable::Column> columns = {{"solver", Align::left}};
  if (ode)
    columns.insert(columns.end(), {{"order"}, {"steps", Align::left}});
  else
    columns.insert(columns.end(), {{"calculus", Align::left},
                                   {"strong"},
                                   {"weak"},
                                   {"without noise"},
                                   {"steps", Align::left}});
  TextTable table(columns);
  for (const SolverInfo& solver : list_solvers()) {
    if (!takes(e, solver)) continue;
    const Orders orders = solver.orders(kind);
    const std::string steps = adapts(solver, kind) ? "adaptive" : "fixed";
    if (ode)
      table.add_row({std::string(solver.name), order_text(orders.deterministic), steps});
    else
      table.add_row({std::string(solver.name), std::string(to_string(solver.calculus)),
                     order_text(orders.strong), order_text(orders.weak),
                     order_text(orders.deterministic), steps});
  }
  return table.text();
}

std::string linear_text(const Explained& e) {
  return std::visit(
      [](const auto& p) -> std::string {
        if (p.linear()) return "drift and noise";
        return p.has_linear_part() ? "a part of the drift" : "no part of the drift";
      },
      e.sample.process<Calculus::ito>());
}

std::string report(Explained& e) {
  const EquationSystem& s = e.system;
  std::string out;
  const auto line = [&](std::string_view title, std::string_view words) {
    out += fmt::format("{:<13} {}\n", title, words);
  };
  const auto lines = [&](std::string_view title, const std::vector<std::string>& all) {
    for (std::size_t i = 0; i < all.size(); ++i) line(i == 0 ? title : "", all[i]);
  };
  line("states", fmt::format("{}", fmt::join(s.states, ", ")));
  if (!s.parameters.empty()) {
    std::string words = fmt::format("{}", fmt::join(s.parameters, ", "));
    if (!e.missing.empty())
      words += fmt::format("; without a value: {} (--set {}=...)", fmt::join(e.missing, ", "),
                           e.missing.front());
    line("parameters", words);
  }
  const auto ito = equations(e, Calculus::ito);
  const auto stratonovich = equations(e, Calculus::stratonovich);
  if (e.noise.kind == NoiseKind::none) {
    lines("equations", ito);
  } else {
    lines("Ito", ito);
    lines("Stratonovich", stratonovich);
  }
  const bool correlated = e.noise.additive && e.noise.kind == NoiseKind::commutative;
  if (e.noise.kind == NoiseKind::none)
    line("noise", "none");
  else
    line("noise", fmt::format("{}{}", to_string(e.noise.kind),
                              correlated ? " (additive, components share Brownian motions)"
                              : e.noise.additive && e.noise.kind == NoiseKind::scalar
                                  ? " (additive, one Brownian motion for several components)"
                                  : ""));
  if (e.noise.kind != NoiseKind::none)
    line("commutative", fmt::format("{}: {}", e.noise.commutative ? "yes" : "no", e.noise.reason));
  line("linear", linear_text(e));
  const Slopes d = slopes(e);
  for (std::size_t i = 0; i < d.jacobian.size(); ++i)
    line(i == 0 ? "Jacobian" : "", fmt::format("[{}]", fmt::join(d.jacobian[i], ", ")));
  line("divergence", d.divergence);
  const Recommendation best = recommended_solver(e.noise.kind);
  line("recommended", fmt::format("{} ({})", best.solver, best.reason));
  return out + "\n" + solver_table(e);
}

Json json_of(Explained& e) {
  const Slopes d = slopes(e);
  const NoiseKind kind = e.noise.kind;
  Json solvers = Json::array();
  for (const SolverInfo& solver : list_solvers()) {
    if (!takes(e, solver)) continue;
    const Orders orders = solver.orders(kind);
    const auto value = [](const std::optional<double>& order) {
      return order ? Json(*order) : Json(nullptr);
    };
    solvers.push_back({{"name", solver.name},
                       {"strong", value(orders.strong)},
                       {"weak", value(orders.weak)},
                       {"deterministic", value(orders.deterministic)},
                       {"adaptive", adapts(solver, kind)}});
  }
  return {{"states", e.system.states},
          {"parameters", e.system.parameters},
          {"ito", equations(e, Calculus::ito)},
          {"stratonovich", equations(e, Calculus::stratonovich)},
          {"noise", to_string(kind)},
          {"additive", e.noise.additive},
          {"commutative", e.noise.commutative},
          {"reason", e.noise.reason},
          {"jacobian", d.jacobian},
          {"divergence", d.divergence},
          {"recommended", recommended_solver(kind).solver},
          {"solvers", solvers}};
}

int explain_command(ExplainCommand o) {
  if (o.equation.empty())
    throw std::invalid_argument(
        "which equation? For instance fokker explain \"dX = theta*(mu - X) dt + sigma dW\"");
  check_outputs(o.common);
  Explained e = explained(o);
  fmt::print(o.common.tables(), "{}", report(e));
  write_json(o.common, json_of(e));
  say_written(o.common.tables(), o.common);
  return done;
}

constexpr const char* examples = R"(Examples:
  fokker explain "dX = theta*(mu - X) dt + sigma dW"
  fokker explain "dx = -y o dW; dy = x o dW" --json -
  fokker explain "dS = r*S dt + sqrt(v)*S dW1; dv = k*(m - v) dt + s*sqrt(v) dW2" --set r=0.02)";

}  // namespace

Command make_explain(CLI::App& app) {
  CLI::App* parser = app.add_subcommand(
      "explain", "Explain an equation: both calculi, noise, derivatives, solvers that take it");
  const auto o = std::make_shared<ExplainCommand>();
  parser->add_option("equation", o->equation,
                     "Equations such as \"dX = -X dt + dW\", separated by ;");
  add_list(*parser, "--set", o->parameters, "Parameters of the equation: name=value,...");
  add_common(*parser, o->common);
  parser->footer(examples);
  return {parser, [o] { return explain_command(*o); }};
}

}  // namespace fokker::app
