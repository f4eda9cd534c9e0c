/// @file  registry.cpp
/// @brief The list of samplers and the checks of their settings.

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

#include <fokker/diffusion/catalogue/adaptive_samplers.hpp>
#include <fokker/diffusion/schedule/time_grids.hpp>
#include <fokker/solvers/support/text.hpp>

#include "catalogue/sampler_table.hpp"

namespace fokker {

namespace {

/// What the list says of a fixed-step sampler.
template <class M>
SamplerInfo describe(std::string_view type) {
  const Facts facts = facts_of(M{});
  const ModelEquation equation =
      facts.supports(NoiseKind::none) ? ModelEquation::ode : ModelEquation::sde;
  const NoiseKind kind = detail::noise_of(equation);
  constexpr std::string_view wrapper = "ReverseTimeSolver<";  // of a plain solver
  if (type.starts_with(wrapper))
    type = type.substr(wrapper.size(), type.size() - wrapper.size() - 1);
  SamplerInfo info{.name = std::string(facts.name),
                   .type = std::string(type),
                   .equation = equation,
                   .default_eta = equation == ModelEquation::sde ? 1.0 : 0.0,
                   .etas = {},
                   .evaluations = facts.evaluations(kind).drift,
                   .extra_evaluations = detail::extra_evaluations(M{}),
                   .adaptive = false,
                   .orders = facts.orders(kind),
                   .ends_at_zero = true,
                   .parameters = {},
                   .source = std::string(facts.source)};
  if constexpr (requires { M::etas; }) {  // of diffusion/samplers/
    info.etas = M::etas;
    info.default_eta = std::clamp(info.default_eta, M::etas.min, M::etas.max);
  } else {
    if (equation == ModelEquation::ode) info.etas.max = 0;
    info.ends_at_zero = info.evaluations == 1;  // then at the start of the step
  }
  if constexpr (requires { M::parameters(); }) {
    static const M defaults{};
    for (const auto& parameter : M::parameters())
      info.parameters.push_back({std::string(parameter.name),
                                 text(parameter.get(detail::parameter_owner(defaults))),
                                 std::string(parameter.meaning)});
  }
  return info;
}

/// The entry of a solver with Adaptive steps.
template <class M>
SamplerInfo describe_adaptive(std::string_view type) {
  constexpr bool sde = M::facts.supports(NoiseKind::additive);
  constexpr NoiseKind kind = sde ? NoiseKind::additive : NoiseKind::none;
  return {.name = std::string(M::facts.name),
          .type = std::string(type),
          .equation = sde ? ModelEquation::sde : ModelEquation::ode,
          .default_eta = sde ? 1.0 : 0.0,
          .etas = sde ? EtaRange{} : EtaRange{.min = 0, .max = 0},
          .evaluations = M::facts.evaluations(kind).drift,
          .extra_evaluations = 0,
          .adaptive = true,
          .orders = sde ? Orders{} : M::facts.orders(kind),  // of adaptive SDE steps none is proved
          .ends_at_zero = false,
          .parameters = {},
          .source = std::string(M::facts.source)};
}

std::vector<SamplerInfo> all_samplers() {
  std::vector<SamplerInfo> all;
  const auto add = [&]<class... Ms>(detail::TypeList<Ms...>, std::string_view list,
                                    const auto& describe_one) {
    const std::vector<std::string_view> types = detail::type_names(list);
    std::size_t i = 0;
    (all.push_back(describe_one.template operator()<Ms>(types[i++])), ...);
  };
  const auto fixed = []<class M>(std::string_view type) { return describe<M>(type); };
  const auto adaptive = []<class M>(std::string_view type) { return describe_adaptive<M>(type); };
  using namespace detail;
  add(SamplerTable{}, SamplerTableNames, fixed);
  add(AdaptiveFlowSamplers{}, AdaptiveFlowSamplersNames, adaptive);
  add(AdaptiveReverseSamplers{}, AdaptiveReverseSamplersNames, adaptive);
  return all;
}

}  // namespace

std::string to_string(const EtaRange& etas) {
  if (etas.min == etas.max) return "eta=" + text(etas.min);
  if (std::isinf(etas.max)) return "eta >= " + text(etas.min);
  return "eta in [" + text(etas.min) + ", " + text(etas.max) + "]";
}

int detail::whole(std::string_view parameter, double value) {
  if (value != std::floor(value) || std::abs(value) > 1e9)
    throw std::invalid_argument(std::string(parameter) + " must be a whole number: got " +
                                text(value));
  return static_cast<int>(value);
}

void detail::require_eta(std::string_view sampler, const EtaRange& etas, double eta) {
  if (!etas.contains(eta))
    throw std::invalid_argument(std::string(sampler) + " is defined for " + to_string(etas) +
                                ": got eta=" + text(eta));
}

std::vector<detail::Assignment> detail::assignments(std::string_view sampler) {
  std::vector<Assignment> all;
  std::size_t colon = sampler.find(':');
  while (colon != std::string_view::npos) {
    const std::size_t next = sampler.find(':', colon + 1);
    const std::string_view word =
        sampler.substr(colon + 1, next == std::string_view::npos ? next : next - colon - 1);
    const std::size_t equals = std::min(word.find('='), word.size());
    const auto value = number_of(word.substr(std::min(equals + 1, word.size())));
    if (equals == 0 || !value || !std::isfinite(*value))
      throw std::invalid_argument(
          "a parameter of a sampler reads name=number, as in "
          "edm-churn:gamma=0.3: got '" +
          std::string(word) + "' in '" + std::string(sampler) + "'");
    all.push_back({word.substr(0, equals), *value});
    colon = next;
  }
  return all;
}

const Catalogue<SamplerInfo>& list_samplers() {
  static const Catalogue<SamplerInfo> samplers(
      "sampler", all_samplers(),
      {{"dpm-solver-1", "ddim"},
       {"dpm-solver++1", "ddim"},
       {"dpm-solver++2s", "dpm++2s"},
       {"dpm-solver++2m", "dpm++2m"},
       {"dpm-solver++3m", "dpm++3m"},
       {"sde-dpm-solver++1", "dpm++1-sde"},
       {"dpm-solver++1-sde", "dpm++1-sde"},
       {"dpm-solver++2m-sde", "dpm++2m-sde"},
       {"dpm-solver++2m-sde-heun", "dpm++2m-sde-heun"},
       {"dpm-solver++3m-sde", "dpm++3m-sde"},
       {"dpm-solver++3m-sde-shipped", "dpm++3m-sde-shipped"},
       {"dpm-solver++3m-shipped", "dpm++3m-shipped"},
       {"dpm-solver++sde", "dpm++2s-sde"},
       {"dpm++sde", "dpm++2s-sde"},
       {"sa-solver-2", "sa-solver"},
       {"predictor-corrector", "pc-langevin"},
       {"dpm2", "dpm-solver-2"},
       {"kdpm2", "dpm-solver-2"},
       {"kdpm2-ancestral", "dpm2-ancestral"},
       {"dpm2-a", "dpm2-ancestral"},
       {"lms", "deis-rhoab3"},
       {"adams-bashforth", "deis-rhoab3"},
       {"pndm", "ipndm"},
       {"ancestral", "ddpm"},
       {"edm", "edm-heun"},
       {"smld", "annealed-langevin"},
       {"ncsn", "annealed-langevin"},
       {"unipc", "unipc-3-bh2"},
       {"deis", "deis-tab3"}});
  return samplers;
}

namespace {

/// Calls f(sampler) with the fixed-step sampler of this name and the parameters behind it, if there
/// is one.
template <class F, class... Ms>
void with_sampler(std::string_view name, const F& f, detail::TypeList<Ms...>) {
  const SamplerInfo& info = list_samplers().at(name);
  const auto look = [&]<class M>(M method) {
    if (name_of(M{}) != info.name) return;
    detail::set_parameters(method, name);
    f(method);
  };
  (look(Ms{}), ...);
}

}  // namespace

SamplerCost cost_of(std::string_view name) {
  const SamplerInfo& info = list_samplers().at(name);
  SamplerCost cost{info.evaluations, info.extra_evaluations};
  with_sampler(
      name,
      [&](const auto& sampler) {
        cost = {facts_of(sampler).evaluations(detail::noise_of(info.equation)).drift,
                detail::extra_evaluations(sampler)};
      },
      detail::SamplerTable{});
  return cost;
}

bool solves_model(std::string_view name) {
  bool own = false;
  with_sampler(
      name,
      [&](const auto& sampler) {
        if constexpr (requires { sampler.has_own_noise(); }) own = sampler.has_own_noise();
      },
      detail::SamplerTable{});
  return !own && list_samplers().at(name).orders.deterministic.has_value();
}

ModelEquation equation_of(const SamplerInfo& sampler, double eta) {
  const bool takes_noise =
      sampler.equation == ModelEquation::sde || (sampler.etas.max > 0 && eta > 0);
  return takes_noise ? ModelEquation::sde : ModelEquation::ode;
}

Time start_time(const AnySchedule& schedule, ModelEquation equation, std::string_view grid) {
  const GridInfo* info = list_grids().find(grid);
  const bool in_sigma = info != nullptr && info->in_sigma;
  return equation == ModelEquation::sde || in_sigma ? schedule.ends().sde_start
                                                    : schedule.ends().end;
}

void check_sampler(const SamplerInfo& sampler, const AnySchedule& schedule, double eta,
                   Time t_min) {
  detail::require_eta(sampler.name, sampler.etas, eta);
  if (!(t_min >= 0) || !(t_min < schedule.ends().end))
    throw std::invalid_argument("t_min must lie in [0, " + text(schedule.ends().end) +
                                "): got t_min=" + text(t_min));
  if (t_min == 0 && !sampler.ends_at_zero && !(schedule.at(0).std > 0))
    throw std::invalid_argument(
        sampler.name + " asks for the score at t_min, and " + std::string(schedule.name()) +
        " has none at t=0: choose t_min > 0 (default " + text(schedule.ends().t_min) +
        ") or a sampler that ends there, such as ddim, ddpm or edm-heun");
}

}  // namespace fokker
