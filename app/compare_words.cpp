#include "compare_words.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <fmt/core.h>

namespace fokker::app {
namespace {

std::string_view equation_name(const ComparisonRow& row) {
  return row.equation == "sde" ? "reverse SDE" : "flow";
}

std::string describe_row(const ComparisonRow& row) {
  return fmt::format("{} ({}) with {:.3g}", row.sampler, equation_name(row), row.error);
}

/// The row of fewest evaluations whose error is at most `limit`.
const ComparisonRow* first_below(const Comparison& comparison, double limit) {
  const ComparisonRow* first = nullptr;
  for (const ComparisonRow& row : comparison.rows)
    if (row.error <= limit && (!first || row.nfe < first->nfe)) first = &row;
  return first;
}

std::string floor_line(const Comparison& comparison) {
  const double floor = comparison.floor;
  const ComparisonRow* first = first_below(comparison, 2 * floor);
  if (!first) {
    const auto nearest =
        std::min_element(comparison.rows.begin(), comparison.rows.end(),
                         [](const auto& a, const auto& b) { return a.error < b.error; });
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
      if (row.error <= 2 * floor && (!second || row.nfe < second->nfe)) second = &row;
    }
  if (second)
    line += fmt::format("; of the {}, {} at {:.0f}", equation_name(*second), second->sampler,
                        second->nfe);
  else if (any)
    line += fmt::format("; of the {}, none", other == "sde" ? "reverse SDE" : "flow");
  return line + ".";
}

std::string ledger_line(const Comparison& comparison) {
  const auto best =
      std::min_element(comparison.rows.begin(), comparison.rows.end(),
                       [](const auto& a, const auto& b) { return a.error < b.error; });
  std::string words =
      fmt::format("Smallest error: {} at {:.0f} score evaluations", describe_row(*best), best->nfe);
  if (!best->error_discretisation)
    return words + "; it has no continuous equation to take it apart.";
  return words + fmt::format(
                     "; its parts are {:.2g} from the start, {:.2g} from ending at t_min and "
                     "{:.2g} from the steps.",
                     best->error_init.value_or(0), best->error_truncation.value_or(0),
                     *best->error_discretisation);
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
  const bool clear = gap > 2 * std::hypot(winner.error_stderr, loser.error_stderr);
  return fmt::format("with up to {:.0f} evaluations {} {} {}{}", nfe, describe_row(winner),
                     clear ? "beats" : "and", describe_row(loser),
                     clear ? "" : " cannot be told apart");
}

}  // namespace

const ComparisonRow* best_row(const Comparison& comparison, std::string_view equation, double nfe) {
  const ComparisonRow* best = nullptr;
  for (const ComparisonRow& row : comparison.rows)
    if (row.equation == equation && row.nfe <= nfe && std::isfinite(row.error) &&
        (!best || row.error < best->error))
      best = &row;
  return best;
}

std::vector<std::string> in_words(const Comparison& comparison) {
  if (comparison.rows.empty()) return {};
  double low = comparison.rows.front().nfe, high = low;
  for (const ComparisonRow& row : comparison.rows) {
    low = std::min(low, row.nfe);
    high = std::max(high, row.nfe);
  }
  // Budgets at which both kinds have a row: adaptive samplers may spend less or more than any
  // budget.
  double sde_low = INFINITY, ode_low = INFINITY;
  for (const ComparisonRow& row : comparison.rows)
    (row.equation == "sde" ? sde_low : ode_low) =
        std::min(row.equation == "sde" ? sde_low : ode_low, row.nfe);
  if (std::isfinite(sde_low) && std::isfinite(ode_low)) low = std::max(sde_low, ode_low);
  std::string second = duel(comparison, low);
  if (high > low) second += "; " + duel(comparison, high);
  if (!second.empty()) second[0] = static_cast<char>(std::toupper(second[0]));
  return {comparison.settings.exact ? ledger_line(comparison) : floor_line(comparison),
          second + "."};
}

}  // namespace fokker::app
