#pragma once
/// @file  samplers.hpp
/// @brief Measures the orders of every sampler of the registry in several processes, and writes
///        them as table rows.

#include "catch.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <fokker/analysis/convergence/regression.hpp>
#include <fokker/diffusion/catalogue/registry.hpp>

#include "certificate/table.hpp"

namespace certificate {

using namespace fokker;

/// A process with the times between which the orders are measured: where its noise and its data are
/// of one size, so that no error is negligible.
struct Setting {
  std::string schedule;
  Time start, end;
};

/// A sampler with an eta that it is defined for, as one line of a table.
struct Certified {
  std::string name;
  double eta;
  ModelEquation equation;
  Orders orders;
  bool solves_model;  ///< else only the marginals of the model are its limit
};

/// f(sampler, model) with the sampler and its model with this score.
template <class Score, class F>
auto with_model(const Certified& c, const Score& score, const F& f) {
  if (c.equation == ModelEquation::ode)
    return f(make_flow_sampler<double>(c.name),
             FlowModel<double>{score.process, AnyScore<double>(score)});
  return f(make_reverse_sampler<double>(c.name),
           ReverseModel<double>{score.process, AnyScore<double>(score), c.eta});
}

/// Every fixed-step sampler at those of `etas` that it is defined for; those that have a noise of
/// their own by default also with that of the model.
inline std::vector<Certified> certified(const std::vector<double>& etas) {
  std::vector<std::string> names;
  for (const SamplerInfo& info : list_samplers())
    if (!info.adaptive) names.push_back(info.name);
  for (const char* name :
       {"er-sde-1:power=1", "er-sde-2:power=1", "er-sde-3:power=1", "sit:diffusion=0"})
    names.push_back(name);
  std::vector<Certified> all;
  for (const std::string& name : names)
    for (const double eta : etas) {
      const SamplerInfo& info = list_samplers().at(name);
      if (!info.etas.contains(eta)) continue;
      const ModelEquation equation = equation_of(info, eta);
      const Orders orders =
          equation == ModelEquation::ode
              ? make_flow_sampler<double>(name).facts().orders(NoiseKind::none)
              : make_reverse_sampler<double>(name).facts().orders(NoiseKind::additive);
      all.push_back({name, eta, equation, orders, solves_model(name)});
    }
  return all;
}

/// A row: the order of `error(setting, steps)` in each setting. If the sampler claims an order,
/// each must be `expected`, which is the claim but for what is known, from both sides.
/// @param cells  the first ones of the row
/// @param floor  rounding: errors that are all below 100 times this are none
template <class Error>
void certify(Table& table, std::vector<std::string> cells, const std::vector<Setting>& settings,
             const std::vector<Index>& steps, const std::optional<double>& claimed,
             const std::optional<double>& expected, double floor, const Error& error) {
  const std::string row = fmt::format("{}", fmt::join(cells, " "));
  cells.push_back(claim(claimed));
  bool holds = true;
  for (const Setting& setting : settings) {
    std::vector<double> h, errors;
    for (const Index n : steps) {
      h.push_back(1.0 / static_cast<double>(n));
      errors.push_back(error(setting, n));
    }
    if (*std::max_element(errors.begin(), errors.end()) < 100 * floor) {
      cells.push_back("exact");
      continue;
    }
    const OrderFit fit = fit_order(h, errors, {}, {.floor = floor});
    cells.push_back(describe(fit));
    if (!expected) continue;
    INFO(row << " in " << setting.schedule << ": " << verdict(fit, *expected));
    CHECK(judge(fit, *expected) == OrderVerdict::holds);
    holds = holds && judge(fit, *expected) == OrderVerdict::holds;
  }
  cells.push_back(!expected ? "-" : holds ? "holds" : "does not hold");
  table.add(cells);
}

}  // namespace certificate
