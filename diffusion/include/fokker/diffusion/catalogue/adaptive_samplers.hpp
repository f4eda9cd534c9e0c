#pragma once
/// @file  fokker/diffusion/catalogue/adaptive_samplers.hpp
/// @brief The solvers with Adaptive steps among the samplers; a new one is a name in a list here.

#include <string_view>

#include <fokker/solvers/ito/sra.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>
#include <fokker/solvers/ode/ode.hpp>
#include <fokker/solvers/support/type_list.hpp>

namespace fokker::detail {

FOKKER_TYPE_LIST(AdaptiveFlowSamplers, Dopri5, Fehlberg78, BulirschStoer);
FOKKER_TYPE_LIST(AdaptiveReverseSamplers, Shark, Sosra);

/// Calls f(method) with the solver of this name in a list, if there is one.
template <class F, class... Ms>
void with_adaptive_sampler(std::string_view name, TypeList<Ms...>, const F& f) {
  const auto look = [&]<class M>(M method) {
    if (M::facts.name == name) f(method);
  };
  (look(Ms{}), ...);
}

}  // namespace fokker::detail
