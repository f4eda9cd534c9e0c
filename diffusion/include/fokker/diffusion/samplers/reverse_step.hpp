#pragma once
/// @file  fokker/diffusion/samplers/reverse_step.hpp
/// @brief What the samplers of diffusion models share: the models they step and the words of a
/// step.
///
/// A sampler is a solver (solver.hpp) for `ReverseSde` and `ProbabilityFlow`, seen on the clock r =
/// -t by `TimeReversed`: `p.base` is the model, with process, score and eta. A step goes from t =
/// -r down to t' = -(r + h) and takes z = dw / sqrt(h) for its standard normal. Besides the members
/// of a solver it has
///
///     static constexpr EtaRange etas;   // the etas that it is defined for
///     static constexpr auto parameters();   // optional: its numbers by name, see Parameter
///     void validate() const;                // optional: throws std::invalid_argument
///     parameter_owner(), add_parameter_owner()   // optional: whose the parameters are, where a
///                                           // name given again is meant for another such part
///     bool has_own_noise() const;           // optional: it converges to an SDE with the marginals
///                                           // of `ReverseSde`, but with a noise of its own
///
/// and all of them can step to t' = 0, where a score need not exist: none asks for it there.

#include <cmath>
#include <concepts>
#include <limits>
#include <string>
#include <string_view>
#include <variant>

#include <fokker/diffusion/score/evaluate_score.hpp>
#include <fokker/solvers/core/solver.hpp>

namespace fokker {

/// A reverse SDE or a probability flow as a step sees it.
template <class P>
concept ReversedDiffusion = requires(const P& p, Time t) {
  { p.base.eta } -> std::convertible_to<double>;
  { p.base.process.sigma(t) } -> std::convertible_to<double>;
  p.base.score;
};

/// The etas that a sampler is defined for, both ends included.
struct EtaRange {
  double min = 0;
  double max = std::numeric_limits<double>::infinity();

  /// Whether eta lies in the range.
  constexpr bool contains(double eta) const { return eta >= min && eta <= max; }
};

/// A number of the sampler M that can be set by name. A sampler lists its own as
///
///     static constexpr auto parameters() { return std::array{Parameter<M>{"churn", &M::churn,
///                                                                         "noise added"}}; }
template <class M>
struct Parameter {
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

/// A step in the model's own time, t > t_next >= 0.
struct TimeInterval {
  TimeInterval(Time r, Time h) : t(-r), t_next(0.0 - (r + h)) {}
  Time t, t_next;
};

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
void Parameter<M>::set(M& m, double value) const {
  if (const auto* number = std::get_if<double M::*>(&member))
    m.*(*number) = value;
  else
    m.*std::get<int M::*>(member) = detail::whole(name, value);
}

}  // namespace fokker
