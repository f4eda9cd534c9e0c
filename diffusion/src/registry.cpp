/// @file  registry.cpp
/// @brief The list of samplers and the checks of their settings.

#include <cmath>
#include <stdexcept>

#include <fokker/diffusion/registry.hpp>
#include <fokker/diffusion/samplers/ancestral.hpp>
#include <fokker/diffusion/samplers/ddim.hpp>
#include <fokker/diffusion/samplers/edm.hpp>
#include <fokker/diffusion/samplers/exponential_euler_maruyama.hpp>
#include <fokker/solvers/euler_maruyama.hpp>
#include <fokker/solvers/names.hpp>
#include <fokker/solvers/ode.hpp>
#include <fokker/solvers/runge_kutta.hpp>
#include <fokker/solvers/stochastic_heun.hpp>
#include <fokker/solvers/text.hpp>

namespace fokker {

namespace {

/// The noise of the model that a sampler with this equation steps.
constexpr NoiseKind kind_of(Equation e) {
  return e == Equation::sde ? NoiseKind::additive : NoiseKind::none;
}

template <class M>
SamplerInfo plain(Equation e, EtaRange etas, bool ends_at_zero) {
  return {.name = std::string(M::name),
          .equation = e,
          .default_eta = e == Equation::sde ? 1.0 : 0.0,
          .etas = etas,
          .evaluations = M::evaluations(kind_of(e)).drift,
          .adaptive = false,
          .orders = M::orders(kind_of(e)),
          .ends_at_zero = ends_at_zero,
          .source = std::string(M::source)};
}

/// A sampler of diffusion/samplers/.
template <class M>
SamplerInfo special(Equation e) {
  return plain<M>(e, M::etas, true);
}

template <class M>
SamplerInfo adaptive(int evaluations) {
  return {.name = std::string(M::name),
          .equation = Equation::ode,
          .default_eta = 0,
          .etas = {.min = 0, .max = 0},
          .evaluations = evaluations,
          .adaptive = true,
          .orders = M::orders(NoiseKind::none),
          .ends_at_zero = false,
          .source = std::string(M::source)};
}

}  // namespace

std::string to_string(const EtaRange& etas) {
  if (etas.min == etas.max) return "eta=" + text(etas.min);
  if (std::isinf(etas.max)) return "eta >= " + text(etas.min);
  return "eta in [" + text(etas.min) + ", " + text(etas.max) + "]";
}

void detail::require_eta(std::string_view sampler, const EtaRange& etas, double eta) {
  if (!etas.contains(eta))
    throw std::invalid_argument(std::string(sampler) + " is defined for " + to_string(etas) +
                                ": got eta=" + text(eta));
}

const std::vector<SamplerInfo>& list_samplers() {
  constexpr auto sde = Equation::sde, ode = Equation::ode;
  constexpr EtaRange any{}, zero{.min = 0, .max = 0};
  static const std::vector<SamplerInfo> list{
      plain<EulerMaruyama>(sde, any, true),
      plain<StochasticHeun>(sde, any, false),
      special<Ancestral>(sde),
      special<ExponentialEulerMaruyama>(sde),
      special<EdmEulerMaruyama>(sde),
      plain<Euler>(ode, zero, true),
      plain<Heun>(ode, zero, false),
      plain<RungeKutta4>(ode, zero, false),
      special<Ddim>(ode),
      special<EdmEuler>(ode),
      special<EdmHeun>(ode),
      adaptive<DormandPrince5>(6),
      adaptive<Fehlberg78>(13),
      adaptive<BulirschStoer>(0),
  };
  return list;
}

const SamplerInfo& sampler_info(std::string_view name) {
  std::vector<std::string_view> known;
  for (const SamplerInfo& info : list_samplers()) {
    if (info.name == name) return info;
    known.push_back(info.name);
  }
  throw std::invalid_argument(unknown_name_message("sampler", name, known));
}

Equation equation_of(const SamplerInfo& sampler, double eta) {
  const bool takes_noise = sampler.equation == Equation::sde || (sampler.etas.max > 0 && eta > 0);
  return takes_noise ? Equation::sde : Equation::ode;
}

Time start_time(const AnySchedule& schedule, Equation equation, std::string_view grid) {
  const bool in_sigma = grid == "karras" || grid == "logsnr";
  return equation == Equation::sde || in_sigma ? schedule.sde_start() : schedule.end_time();
}

void check_sampler(const SamplerInfo& sampler, const AnySchedule& schedule, double eta,
                   Time t_min) {
  detail::require_eta(sampler.name, sampler.etas, eta);
  if (!(t_min >= 0) || !(t_min < schedule.end_time()))
    throw std::invalid_argument("t_min must lie in [0, " + text(schedule.end_time()) +
                                "): got t_min=" + text(t_min));
  if (t_min == 0 && !sampler.ends_at_zero && !(schedule.std(0) > 0))
    throw std::invalid_argument(
        sampler.name + " asks for the score at t_min, and " + std::string(schedule.name()) +
        " has none at t=0: choose t_min > 0 (default " + text(schedule.t_min()) +
        ") or a sampler that ends there, such as ddim, ddpm or edm-heun");
}

}  // namespace fokker
