#pragma once
/// @file  solver_table.hpp
/// @brief The table of solvers, as types; a new solver is a name in one of these lists.

#include <stdexcept>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <fokker/processes/models/langevin.hpp>
#include <fokker/processes/schemes/cir_schemes.hpp>
#include <fokker/processes/schemes/cir_splitting.hpp>
#include <fokker/processes/schemes/heston_quadratic_exponential.hpp>
#include <fokker/solvers/core/any_process.hpp>
#include <fokker/solvers/core/any_stepper.hpp>
#include <fokker/solvers/ito/antithetic_milstein.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ito/log_ode.hpp>
#include <fokker/solvers/ito/milstein.hpp>
#include <fokker/solvers/ito/milstein_general.hpp>
#include <fokker/solvers/ito/sra.hpp>
#include <fokker/solvers/ito/sri.hpp>
#include <fokker/solvers/ito/tamed.hpp>
#include <fokker/solvers/langevin/langevin_high_order.hpp>
#include <fokker/solvers/langevin/langevin_splitting.hpp>
#include <fokker/solvers/linear/exact_linear.hpp>
#include <fokker/solvers/linear/magnus.hpp>
#include <fokker/solvers/stiff/drift_implicit.hpp>
#include <fokker/solvers/stiff/exponential_euler.hpp>
#include <fokker/solvers/stiff/skencarp.hpp>
#include <fokker/solvers/stiff/stabilised.hpp>
#include <fokker/solvers/stratonovich/reversible_heun.hpp>
#include <fokker/solvers/stratonovich/stochastic_heun.hpp>
#include <fokker/solvers/stratonovich/stratonovich_milstein.hpp>
#include <fokker/solvers/stratonovich/stratonovich_runge_kutta.hpp>
#include <fokker/solvers/support/type_list.hpp>
#include <fokker/solvers/weak/platen.hpp>
#include <fokker/solvers/weak/simplified_euler.hpp>
#include <fokker/solvers/weak/weak_runge_kutta.hpp>

namespace fokker::detail {

FOKKER_TYPE_LIST(ItoMethods, EulerMaruyama, Milstein, MilsteinLevy, MilsteinTruncated, Sri2, Sriw1,
                 Sriw2, Sosri, Sosri2);
FOKKER_TYPE_LIST(AdditiveMethods, Sra1, Sra2, Sra3, Sosra, Sea, Shark);
FOKKER_TYPE_LIST(StratonovichMethods, HeunSde, EulerHeun, MidpointSde, ReversibleHeun,
                 MilsteinStratonovich, Spark, GeneralShark, SlowRk);
FOKKER_TYPE_LIST(WeakMethods, SimplifiedEuler, Ri1, Ri5, Ri6, Dri1, W2Ito1, Platen);
FOKKER_TYPE_LIST(SuperlinearMethods, TamedEuler, TruncatedEuler);
FOKKER_TYPE_LIST(StiffMethods, DriftImplicitEuler, DriftImplicitTrapezoid, DriftImplicitMilstein,
                 SplitStepBackwardEuler, SkenCarp, SkRock, ExponentialEuler);
FOKKER_TYPE_LIST(LinearMethods, ExactLinear, Magnus, MagnusLevy, LogOde);

// Each for one process.
FOKKER_TYPE_LIST(LangevinMethods, Baoab, Aboba, Obabo, Ubu, Align, Sort, Quicsort, SortPublished,
                 QuicsortPublished);
FOKKER_TYPE_LIST(CirMethods, CirDriftImplicit, CirQuadraticExponential, CirSplitting);
FOKKER_TYPE_LIST(HestonMethods, HestonQuadraticExponential);

/// Fixed-step solvers of SDEs, for any process.
using SdeMethods = Joined<ItoMethods, AdditiveMethods, StratonovichMethods, WeakMethods,
                          SuperlinearMethods, StiffMethods, LinearMethods>::Type;

/// Whether M takes processes of a noise kind and calculus; the latter is all one for additive
/// noise.
template <class M>
constexpr bool accepts(NoiseKind kind, Calculus calculus) {
  return M::facts.supports(kind) &&
         (kind == NoiseKind::none || kind == NoiseKind::additive || M::facts.calculus == calculus);
}

/// The fixed-step solver of this name for the type-erased process P.
/// @throws std::invalid_argument  if none of that name takes P
template <class P, class... Ms>
AnyStepper<P, Block<double>> find_stepper(std::string_view name, TypeList<Ms...>) {
  std::vector<AnyStepper<P, Block<double>>> found;
  const auto look = [&]<class M>() {
    if constexpr (accepts<M>(noise_kind<P>, calculus_of<P>))
      if (M::facts.name == name) found.emplace_back(M{});
  };
  (look.template operator()<Ms>(), ...);
  if (found.empty())
    throw std::invalid_argument(
        fmt::format("{} does not take a process with {} noise{}", name, to_string(noise_kind<P>),
                    noise_kind<P> == NoiseKind::none || noise_kind<P> == NoiseKind::additive
                        ? ""
                        : fmt::format(" in {} form", to_string(calculus_of<P>))));
  return found.front();
}

}  // namespace fokker::detail
