#pragma once
/// @file  fokker/diffusion/samplers/reverse_step.hpp
/// @brief What the samplers of diffusion models share: the models they step and the words of a
/// step.
///
/// A sampler steps a model, `ReverseSde` or `ProbabilityFlow`, down in the model's own time:
/// step(model, x, t, t_next, dw, y, w), t_next < t. It takes z = dw / sqrt(t - t_next) for its
/// standard normal. Beside `facts` and `Workspace` of a solver (solver.hpp) it has
///
///     static constexpr bool is_sampler = true;
///     static constexpr EtaRange etas;            // the etas that it is defined for
///     void check(model) const;                   // once per run: throws for another eta and for
///                                                // parameters that `validate` refuses
///     static constexpr auto parameters();        // optional: its numbers by name, see SamplerParameter
///     void validate() const;                     // optional: throws std::invalid_argument
///     parameter_owner(), add_parameter_owner()   // optional: the part that holds the parameters;
///                                                // a name given twice adds another part
///     bool has_own_noise() const;                // optional: it converges to an SDE with the
///                                                // marginals of `ReverseSde` and other noise
///
/// All of them can step to t_next = 0, where a score need not exist: none evaluates it there.

#include <cmath>
#include <concepts>
#include <limits>
#include <string>
#include <string_view>
#include <variant>

#include <fokker/diffusion/score/evaluate_score.hpp>
#include <fokker/solvers/core/solver.hpp>

namespace fokker {

/// A reverse SDE or a probability flow.
template <class P>
concept DiffusionModel = requires(const P& model, Time t) {
  { model.eta } -> std::convertible_to<double>;
  { model.process.sigma(t) } -> std::convertible_to<double>;
  model.score;
};

/// A model that the sampler M steps.
template <class P, class M, class X>
concept ModelFor = DiffusionModel<P> && State<X> && supports<M>(noise_kind<P>);

/// The etas that a sampler is defined for, both ends included.
struct EtaRange {
  double min = 0;
  double max = std::numeric_limits<double>::infinity();

  /// Whether eta lies in the range.
  constexpr bool contains(double eta) const { return eta >= min && eta <= max; }
};

/// A number of the sampler M that can be set by name. A sampler lists its own as
///
///     static constexpr auto parameters() { return std::array{SamplerParameter<M>{"churn", &M::churn,
///                                                                         "noise added"}}; }
template <class M>
struct SamplerParameter {
  std::string_view name;
  std::variant<double M::*, int M::*> member;
  std::string_view meaning;

  /// Value of the parameter in a sampler.
  double get(const M& m) const {
    if (const auto* number = std::get_if<double M::*>(&member)) return m.*(*number);
    return m.*std::get<int M::*>(member);
  }
  /// @throws std::invalid_argument  for a number with decimals where whole ones count
  void set(M& m, double value) const;
};

/// "eta=1", "eta >= 0" or "eta in [0, 1]".
std::string to_string(const EtaRange& etas);

namespace detail {

/// @throws std::invalid_argument  unless the value of this parameter is whole
int whole(std::string_view parameter, double value);

/// The facts of a sampler of the probability flow. @param cost  denoisers per step
constexpr Facts flow_facts(std::string_view name, std::string_view source, double order, int cost,
                           bool has_memory = false) {
  return {.name = name,
          .source = source,
          .noise = {NoiseKind::none},
          .order = {.deterministic = order},
          .cost = {.drift = cost},
          .has_memory = has_memory};
}

/// The facts of a sampler of the reverse SDE. @param cost  scores or denoisers per step
constexpr Facts reverse_facts(std::string_view name, std::string_view source, OrdersByNoise order,
                              int cost, bool has_memory = false, Needs needs = {}) {
  return {.name = name,
          .source = source,
          .noise = {NoiseKind::additive},
          .order = order,
          .cost = {.drift = cost},
          .needs = needs,
          .has_memory = has_memory};
}

/// Refuses an eta that the sampler is not defined for.
/// @throws std::invalid_argument
void require_eta(std::string_view sampler, const EtaRange& etas, double eta);

/// y += c z, z = dw / sqrt(h); nothing for an ODE.
template <class P, State X>
void add_noise(double c, Time h, const Increment<P, X>& dw, X& y) {
  if constexpr (noise_kind<P> != NoiseKind::none)
    y += static_cast<typename X::Scalar>(c / std::sqrt(h)) * dw.w;
}

}  // namespace detail

template <class M>
void SamplerParameter<M>::set(M& m, double value) const {
  if (const auto* number = std::get_if<double M::*>(&member))
    m.*(*number) = value;
  else
    m.*std::get<int M::*>(member) = detail::whole(name, value);
}

}  // namespace fokker
