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
///
/// and all of them can step to t' = 0, where a score need not exist: none asks for it there.

#include <cmath>
#include <concepts>
#include <limits>
#include <string>
#include <string_view>

#include <fokker/diffusion/evaluate_score.hpp>
#include <fokker/solvers/solver.hpp>

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

  constexpr bool contains(double eta) const { return eta >= min && eta <= max; }
};

/// "eta=1", "eta >= 0" or "eta in [0, 1]".
std::string to_string(const EtaRange& etas);

namespace detail {

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

}  // namespace fokker
