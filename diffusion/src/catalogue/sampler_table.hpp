#pragma once
/// @file  sampler_table.hpp
/// @brief The table of samplers, as types; a new sampler is a name in one of these lists.

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <fokker/diffusion/catalogue/registry.hpp>
#include <fokker/diffusion/samplers/ddim.hpp>
#include <fokker/diffusion/samplers/ddpm.hpp>
#include <fokker/diffusion/samplers/deis.hpp>
#include <fokker/diffusion/samplers/dpm2_ancestral.hpp>
#include <fokker/diffusion/samplers/dpm_solver.hpp>
#include <fokker/diffusion/samplers/dpm_solver_multistep.hpp>
#include <fokker/diffusion/samplers/edm.hpp>
#include <fokker/diffusion/samplers/edm_churn.hpp>
#include <fokker/diffusion/samplers/er_sde.hpp>
#include <fokker/diffusion/samplers/exponential_euler_maruyama.hpp>
#include <fokker/diffusion/samplers/ipndm.hpp>
#include <fokker/diffusion/samplers/langevin.hpp>
#include <fokker/diffusion/samplers/reverse_diffusion.hpp>
#include <fokker/diffusion/samplers/reverse_time_solver.hpp>
#include <fokker/diffusion/samplers/sde_dpm_solver.hpp>
#include <fokker/diffusion/samplers/seeds.hpp>
#include <fokker/diffusion/samplers/sit.hpp>
#include <fokker/diffusion/samplers/unipc.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>
#include <fokker/solvers/stratonovich/stochastic_heun.hpp>
#include <fokker/solvers/support/names.hpp>
#include <fokker/solvers/support/type_list.hpp>

namespace fokker::detail {

/// The fixed-step samplers, plain solvers among them. One that takes no noise is of the probability
/// flow, one that takes additive noise of the reverse SDE; one that takes both is of the flow with
/// its default eta.
FOKKER_TYPE_LIST(SamplerTable, ReverseTimeSolver<EulerMaruyama>, ReverseTimeSolver<HeunSde>, Ddpm,
                 ReverseDiffusion, ExponentialEulerMaruyama, EdmEulerMaruyama,
                 DpmSolverPlusPlus1Sde, DpmSolverPlusPlus2MSde, DpmSolverPlusPlus2MSdeHeun,
                 DpmSolverPlusPlus3MSde, DpmSolverPlusPlus3MSdeShipped, Dpm2Ancestral, SaSolver<1>,
                 SaSolver<2>, SaSolver<3>, Seeds1, Seeds2, DpmSolverPlusPlusSde, ErSde<1>, ErSde<2>,
                 ErSde<3>, Sit, SitHeun, EdmChurn, Restart, PredictorCorrector<>, AnnealedLangevin,
                 ReverseTimeSolver<Euler>, ReverseTimeSolver<Heun>, ReverseTimeSolver<Rk4>, Ddim,
                 EdmEuler, EdmHeun, DpmSolver2, DpmSolver3, DpmSolverPlusPlus2S,
                 DpmSolverPlusPlus2M, DpmSolverPlusPlus3M, DpmSolverPlusPlus3MShipped, UniPc2Bh1,
                 UniPc2Bh2, UniPc3Bh1, UniPc3Bh2, DeisTab1, DeisTab2, DeisTab3, DeisLogRho1,
                 DeisLogRho2, DeisLogRho3, DeisRhoAb1, DeisRhoAb2, DeisRhoAb3, Ipndm);

/// The noise of the model of an equation.
constexpr NoiseKind noise_of(ModelEquation e) {
  return e == ModelEquation::sde ? NoiseKind::additive : NoiseKind::none;
}

/// Evaluations that a sampler takes once in a run, beside those of each step.
template <class M>
constexpr int extra_evaluations(const M& method) {
  if constexpr (requires { method.extra_evaluations(); })
    return method.extra_evaluations();
  else
    return 0;
}

/// One "name=value" behind the name of a sampler.
struct Assignment {
  std::string_view name;
  double value;
};

/// "edm-churn:gamma=0.3:s_max=50" without the name in front.
/// @throws std::invalid_argument  for what is not name=number
std::vector<Assignment> assignments(std::string_view sampler);

/// What the parameters of a sampler are members of: the sampler, or its newest part.
template <class M>
auto& parameter_owner(M& method) {
  if constexpr (requires { method.parameter_owner(); })
    return method.parameter_owner();
  else
    return method;
}

/// Sets the parameters named behind the sampler's name.
/// @throws std::invalid_argument  with the nearest names; for a name that comes twice
template <class M>
void set_parameters([[maybe_unused]] M& method, std::string_view sampler) {
  std::vector<std::string_view> set_before;
  for (const auto& [name, value] : assignments(sampler)) {
    if (std::find(set_before.begin(), set_before.end(), name) != set_before.end()) {
      if constexpr (requires { method.add_parameter_owner(); })
        method.add_parameter_owner();
      else
        throw std::invalid_argument(std::string(name) + " is given twice in '" +
                                    std::string(sampler) + "'");
      set_before.clear();
    }
    set_before.push_back(name);
    std::vector<std::string_view> known;
    bool set = false;
    if constexpr (requires { M::parameters(); })
      for (const auto& parameter : M::parameters()) {
        known.push_back(parameter.name);
        if (parameter.name != name) continue;
        parameter.set(parameter_owner(method), value);
        set = true;
      }
    if (!set)
      throw std::invalid_argument(
          unknown_name_message("parameter of " + std::string(name_of(method)), name, known));
  }
  if constexpr (requires { method.validate(); }) method.validate();
}

/// The sampler of this equation and name, with the parameters behind it.
/// @throws std::invalid_argument
template <class AnySampler, ModelEquation equation, class... Ms>
AnySampler find_sampler(std::string_view name, TypeList<Ms...>) {
  const SamplerInfo& info = list_samplers().at(name);
  std::optional<AnySampler> found;
  const auto look = [&]<class M>(M method) {
    if constexpr (supports<M>(noise_of(equation))) {
      if (name_of(method) != info.name) return;
      set_parameters(method, name);
      found.emplace(method);
    }
  };
  (look(Ms{}), ...);
  if (found) return *found;
  if (info.adaptive)
    throw std::invalid_argument(info.name + " is adaptive: run its solver with Adaptive steps");
  throw std::invalid_argument(info.name + " does not solve " +
                              (equation == ModelEquation::sde
                                   ? "the reverse SDE but the probability flow"
                                   : "the probability flow but the reverse "
                                     "SDE"));
}

}  // namespace fokker::detail
