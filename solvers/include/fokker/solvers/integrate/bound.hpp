#pragma once
/// @file  fokker/solvers/integrate/bound.hpp
/// @brief A method with its steps, and the sentences for what does not go together.

#include <concepts>
#include <type_traits>
#include <utility>
#include <vector>

#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/core/steps.hpp>
#include <fokker/solvers/integrate/adaptive_sde.hpp>
#include <fokker/solvers/integrate/jumps.hpp>
#include <fokker/solvers/integrate/stepping.hpp>

namespace fokker::detail {

/// Whether M can be asked to step P: a solver with the type erased takes the one it was made for.
template <class M, class P>
constexpr bool accepts() {
  if constexpr (requires { typename M::ProcessType; })
    return std::is_same_v<typename M::ProcessType, P>;
  else
    return true;
}

/// The directions of time in which M may integrate P; only these are compiled. Samplers go down.
template <class P, class M>
inline constexpr bool runs_up = !Sampler<M> && clock_of<P> != Clock::down && accepts<M, P>();
template <class P, class M>
inline constexpr bool runs_down = clock_of<P> != Clock::up &&
                                  (Sampler<M> ? accepts<M, P>() : accepts<M, TimeReversed<P>>());

/// @throws std::invalid_argument  always, with the reason why a direction of time is refused
[[noreturn]] void refuse_direction(bool up);

template <class Steps>
inline constexpr bool are_jump_adapted = false;
template <class Steps, class Jumps>
inline constexpr bool are_jump_adapted<JumpAdapted<Steps, Jumps>> = true;

/// The times that steps fix from start to end, if they do.
template <class Steps>
concept GivesGrid = requires(const Steps& steps) {
  { steps.times } -> std::convertible_to<const TimeGrid&>;
}
|| requires(const Steps& steps) {
  { steps.steps.times } -> std::convertible_to<const TimeGrid&>;
};
template <GivesGrid Steps>
const TimeGrid& grid_of(const Steps& steps) {
  if constexpr (requires { steps.times; })
    return steps.times;
  else
    return steps.steps.times;
}

/// The class of a run by steps that are chosen on the way.
template <class M, class Steps, class P, State X>
struct RunOf;
template <AdaptiveSolver M, class P, State X>
struct RunOf<M, Adaptive, P, X> {
  using Type = typename M::template Run<P, X>;
};
template <class M, class P, State X>
requires(!AdaptiveSolver<M>) struct RunOf<M, Adaptive, P, X> {
  using Type = AdaptiveSdeRun<M, P, X>;
};
template <class M, class P, State X>
struct RunOf<M, Predictable, P, X> {
  using Type = PredictableRun<M, P, X>;
};
template <class M, class Steps, class Jumps, class P, State X>
struct RunOf<M, JumpAdapted<Steps, Jumps>, P, X> {
  using Type = JumpRun<M, Steps, Jumps, P, X>;
};

/// A method with steps: `regular`, or with a Run of its own for each path.
template <class M, class Steps>
struct Bound {
  static constexpr bool regular = are_regular<Steps>;
  using Method = M;
  template <class P, State X>
  using Run = typename RunOf<M, Steps, P, X>::Type;

  M method;
  Steps steps;

  /// A run of one path, or of a block with joint steps.
  template <class P, State X>
  Run<P, X> run(const P& process, Index d, const NoiseKey& key) const {
    if constexpr (AdaptiveSolver<M>)
      return Run<P, X>(method, steps, process, d);
    else
      return Run<P, X>(method, steps, process, d, key);
  }

  Time max_step() const {
    if constexpr (requires { steps.max_step; })
      return steps.max_step;
    else
      return 0;
  }
};

/// On given steps an adaptive method is its tableau alone.
template <class M, class Steps>
auto bind(const M& method, const Steps& steps) {
  if constexpr (are_regular<Steps> && requires { typename M::FixedSteps; })
    return Bound<typename M::FixedSteps, Steps>{{}, steps};
  else
    return Bound<M, Steps>{method, steps};
}
template <class M, class Steps>
using BoundOf = decltype(bind(std::declval<const M&>(), std::declval<const Steps&>()));

/// What may be wrong with the arguments of a run, as far as types tell.
enum class Misuse {
  none,
  steps,
  start,
  drift_takes_time_first,
  drift,
  diffusion,
  noise_of_ode_solver,
  noise_of_sde_solver,
  noise_kind,
  calculus,
  ode_method_on_adaptive,
  own_steps_only,
  ode_on_sde_steps,
  erased_type,
  sampler_on_process,
  step
};

template <class P, class X>
concept DriftTakesTimeFirst = requires(const P& p, const X& x, Time t) {
  p.drift(t, x);
}
|| requires(const P& p, const X& x, Time t, X& out) { p.drift(t, x, out); };

template <class P, class M, class Steps, State X>
constexpr Misuse find_misuse() {
  constexpr NoiseKind kind = noise_kind<P>;
  constexpr bool known = are_regular<Steps> || are_jump_adapted<Steps> ||
                         std::same_as<Steps, Adaptive> || std::same_as<Steps, Predictable>;
  if constexpr (!known) {
    return Misuse::steps;
  } else if constexpr (!has_drift<P, X>) {
    return DriftTakesTimeFirst<P, X> ? Misuse::drift_takes_time_first : Misuse::drift;
  } else if constexpr (!has_diffusion<P, X>) {
    return Misuse::diffusion;
  } else if constexpr (kind != NoiseKind::none && !supports<M>(kind) &&
                       supports<M>(NoiseKind::none)) {
    return Misuse::noise_of_ode_solver;
  } else if constexpr (kind == NoiseKind::none && !supports<M>(kind)) {
    return Misuse::noise_of_sde_solver;
  } else if constexpr (!supports<M>(kind)) {
    return Misuse::noise_kind;
  } else if constexpr (kind != NoiseKind::none && kind != NoiseKind::additive &&
                       calculus_of_method<M> != calculus_of<P>) {
    return Misuse::calculus;
  } else if constexpr (std::same_as<Steps, Adaptive> && kind == NoiseKind::none &&
                       !AdaptiveSolver<M>) {
    return Misuse::ode_method_on_adaptive;
  } else if constexpr (AdaptiveSolver<M> && are_regular<Steps> &&
                       !requires { typename M::FixedSteps; }) {
    return Misuse::own_steps_only;
  } else if constexpr (kind == NoiseKind::none && std::same_as<Steps, Predictable>) {
    return Misuse::ode_on_sde_steps;
  } else if constexpr (!runs_up<P, M> && !runs_down<P, M>) {
    return Sampler<M> ? Misuse::sampler_on_process : Misuse::erased_type;
  } else if constexpr (are_regular<Steps>) {
    using Fixed = typename BoundOf<M, Steps>::Method;
    if constexpr (Sampler<M> ? !Stepper<Fixed, P, X> : (runs_up<P, M> && !Stepper<Fixed, P, X>))
      return Sampler<M> ? Misuse::sampler_on_process : Misuse::step;
    else
      return Misuse::none;
  } else {
    return Misuse::none;
  }
}

/// Fails to compile, with one sentence, where the arguments of a run do not fit each other.
/// @return whether they do
template <class P, class M, class Steps, State X>
consteval bool check_usage() {
  constexpr Misuse found = find_misuse<P, M, Steps, X>();
  static_assert(found != Misuse::steps,
                "the third argument is the steps: Fixed{h}, OnGrid{times}, Adaptive{.rtol = ...}, "
                "Predictable{delta} or JumpAdapted{steps, jumps}");
  static_assert(found != Misuse::drift_takes_time_first,
                "the drift takes (t, x): fokker calls drift(x, t), so swap its parameters");
  static_assert(found != Misuse::drift,
                "the drift cannot be called as drift(x, t) or drift(x, t, out) with x an Eigen "
                "array, d x n: take `const auto& x`");
  static_assert(found != Misuse::diffusion,
                "the diffusion coefficient does not have the arguments of the declared noise: (t) "
                "for additive, (x, t) for scalar and diagonal, (x, t, k) with sources() for "
                "commutative and general noise");
  static_assert(found != Misuse::noise_of_ode_solver,
                "this solver is for ODEs and the process has noise: use an SDE solver such as "
                "EulerMaruyama or HeunSde");
  static_assert(found != Misuse::noise_of_sde_solver,
                "this solver is for SDEs and the process has no noise: use an ODE solver such as "
                "Rk4 or Dopri5");
  static_assert(found != Misuse::noise_kind,
                "this solver does not handle the noise kind of the process: see the table of "
                "methods for one that does (EulerMaruyama and HeunSde take every kind)");
  static_assert(found != Misuse::calculus,
                "Ito and Stratonovich do not match: convert the process with "
                "to_stratonovich(process) or to_ito(process), or choose a solver of its calculus");
  static_assert(found != Misuse::ode_method_on_adaptive,
                "this ODE solver does not estimate its error: give Fixed{h} or OnGrid{times}, or "
                "choose one that does, such as Dopri5");
  static_assert(found != Misuse::own_steps_only,
                "this solver chooses its own steps: give Adaptive{.rtol = ...}");
  static_assert(found != Misuse::ode_on_sde_steps,
                "predictable steps are for SDEs: give an ODE Adaptive, Fixed or OnGrid steps");
  static_assert(found != Misuse::erased_type,
                "this type-erased solver was made for another type of process");
  static_assert(found != Misuse::sampler_on_process,
                "a sampler steps a ReverseSde or a ProbabilityFlow of the kind that it is made "
                "for: see the table of samplers");
  static_assert(found != Misuse::step, "the solver's step does not take this process");
  return found == Misuse::none;
}

}  // namespace fokker::detail
