#include "compare/compare_words.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <fmt/core.h>

namespace fokker::app {
namespace {

std::string_view equation_name(const ComparisonRow& row) {
  return row.equation == "sde" ? "reverse SDE" : "flow";
}

bool measured(const ComparisonRow& row) { return row.problem.empty() && std::isfinite(row.error); }

std::string describe_row(const ComparisonRow& row) {
  const std::string far =
      row.outliers == 0 ? "" : fmt::format(", {} of its paths far outside the data", row.outliers);
  return fmt::format("{} ({}) with {:.3g}{}", row.sampler, equation_name(row), row.error, far);
}

/// The measured row of least error; null where there is none.
const ComparisonRow* nearest_row(const Comparison& comparison) {
  const ComparisonRow* nearest = nullptr;
  for (const ComparisonRow& row : comparison.rows)
    if (measured(row) && (!nearest || row.error < nearest->error)) nearest = &row;
  return nearest;
}

/// The row of fewest evaluations whose error is at most `limit`.
const ComparisonRow* first_below(const Comparison& comparison, double limit) {
  const ComparisonRow* first = nullptr;
  for (const ComparisonRow& row : comparison.rows)
    if (measured(row) && row.error <= limit && (!first || row.nfe < first->nfe)) first = &row;
  return first;
}

std::string floor_line(const Comparison& comparison) {
  const double floor = comparison.floor;
  const ComparisonRow* first = first_below(comparison, 2 * floor);
  if (!first) {
    const ComparisonRow* nearest = nearest_row(comparison);
    return fmt::format(
        "No sampler comes within twice the floor of {:.3g}: the nearest is {} at {:.0f} score "
        "evaluations, {:.1f} times the floor.",
        floor, describe_row(*nearest), nearest->nfe, nearest->error / floor);
  }
  std::string line =
      fmt::format("First within twice the floor of {:.3g}: {} (the {}) at {:.0f} score evaluations",
                  floor, first->sampler, equation_name(*first), first->nfe);
  const std::string_view other = first->equation == "sde" ? "ode" : "sde";
  const ComparisonRow* second = nullptr;
  bool any = false;
  for (const ComparisonRow& row : comparison.rows)
    if (row.equation == other) {
      any = true;
      if (measured(row) && row.error <= 2 * floor && (!second || row.nfe < second->nfe))
        second = &row;
    }
  if (second)
    line += fmt::format("; of the {}, {} at {:.0f}", equation_name(*second), second->sampler,
                        second->nfe);
  else if (any)
    line += fmt::format("; of the {}, none", other == "sde" ? "reverse SDE" : "flow");
  return line + ".";
}

std::string ledger_line(const Comparison& comparison) {
  const ComparisonRow* best = nearest_row(comparison);
  std::string words =
      fmt::format("Smallest error: {} at {:.0f} score evaluations", describe_row(*best), best->nfe);
  if (!best->error_discretisation)
    return words + "; it has no continuous equation to take it apart.";
  const double init = best->error_init.value_or(0), end = best->error_truncation.value_or(0),
               steps = *best->error_discretisation, score = best->error_score.value_or(0);
  words += fmt::format(
      "; its parts are {:.2g} from the start, {:.2g} from ending at t_min{} and "
      "{:.2g} from the steps.",
      init, end, best->error_score ? fmt::format(", {:.2g} from the score", score) : "", steps);
  const double largest = std::max({init, end, steps, score});
  if (best->error < 0.5 * largest)
    words += fmt::format(
        " The parts cancel: the error is {:.0f} times smaller than the largest of them.",
        largest / best->error);
  return words;
}

/// How far apart the evaluations of two rows may be that are compared.
constexpr double like_cost = 1.5;

bool near_budget(const ComparisonRow& row, double nfe) {
  return measured(row) && row.nfe <= nfe && row.nfe * like_cost >= nfe;
}

/// "at 8 evaluations heun (flow) with 0.3 beats euler-maruyama (reverse SDE) with 0.9".
std::string duel(const Comparison& comparison, double nfe) {
  const ComparisonRow* sde = best_row(comparison, "sde", nfe);
  const ComparisonRow* ode = best_row(comparison, "ode", nfe);
  if (!sde || !ode) {
    const ComparisonRow* only = sde ? sde : ode;
    return only ? fmt::format("with up to {:.0f} evaluations the best is {}", nfe,
                              describe_row(*only))
                : "";
  }
  const bool ode_wins = ode->error < sde->error;
  const ComparisonRow& winner = ode_wins ? *ode : *sde;
  const ComparisonRow& loser = ode_wins ? *sde : *ode;
  const double gap = loser.error - winner.error;
  // The standard error of a row with outliers is that of the outliers.
  const bool clear = gap > 2 * std::hypot(winner.error_stderr, loser.error_stderr) ||
                     (loser.outliers > winner.outliers && loser.error > 2 * winner.error);
  return fmt::format("with up to {:.0f} evaluations {} {} {}{}", nfe, describe_row(winner),
                     clear ? "beats" : "and", describe_row(loser),
                     clear ? "" : " cannot be told apart");
}

}  // namespace

const ComparisonRow* best_row(const Comparison& comparison, std::string_view equation, double nfe) {
  const ComparisonRow* best = nullptr;
  for (const ComparisonRow& row : comparison.rows)
    if (row.equation == equation && row.nfe <= nfe && measured(row) &&
        (!best || row.error < best->error))
      best = &row;
  return best;
}

std::vector<std::string> in_words(const Comparison& comparison) {
  if (!nearest_row(comparison)) return {};
  std::vector<std::string> lines = {comparison.settings.exact ? ledger_line(comparison)
                                                              : floor_line(comparison)};
  const ComparisonRow* sde = best_row(comparison, "sde", INFINITY);
  const ComparisonRow* ode = best_row(comparison, "ode", INFINITY);
  // Budgets at which both kinds have a row of that cost: adaptive samplers spend what they spend.
  double low = INFINITY, high = 0;
  for (const ComparisonRow& row : comparison.rows) {
    const auto spent = [&](std::string_view equation) {
      return std::any_of(comparison.rows.begin(), comparison.rows.end(), [&](const auto& other) {
        return other.equation == equation && near_budget(other, row.nfe);
      });
    };
    if (!measured(row) || (sde && !spent("sde")) || (ode && !spent("ode"))) continue;
    low = std::min(low, row.nfe);
    high = std::max(high, row.nfe);
  }
  std::string second;
  if (high == 0) {
    second = fmt::format(
        "no row of the reverse SDE and of the flow take about as many evaluations: "
        "the best are {} at {:.0f} and {} at {:.0f}",
        describe_row(*sde), sde->nfe, describe_row(*ode), ode->nfe);
  } else {
    second = duel(comparison, low);
    if (high > low) second += "; " + duel(comparison, high);
  }
  second[0] = static_cast<char>(std::toupper(second[0]));
  lines.push_back(second + ".");
  return lines;
}

}  // namespace fokker::app
