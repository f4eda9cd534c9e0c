#pragma once
/// @file  fokker/diffusion/samplers/sit.hpp
/// @brief The stochastic samplers of interpolants, with a diffusion coefficient of one's choice.

#include <array>
#include <cmath>
#include <numbers>

#include <fokker/diffusion/samplers/edm.hpp>
#include <fokker/diffusion/samplers/parameter.hpp>

namespace fokker {

/// w(t) of the interpolant's SDE, with u = t / T, in our clock (the data at t = 0):
///   reverse_sde  g^2 / 2, Anderson's reverse SDE
///   constant     1
///   std          s sigma
///   linear       u
///   decreasing   (1 - cos(pi u))^2 / 4
///   bump         sin(pi u)^2
enum class InterpolantDiffusion { reverse_sde, constant, std, linear, decreasing, bump };

/// A step of the SDE that stochastic interpolants are sampled by,
///
///     dx = b dt + sqrt(2 w) dw-bar,   b = v - w score,   w = eta^2 norm w(t),
///
/// v the velocity of the probability flow: Euler-Maruyama's, or the authors' Heun, which puts the
/// noise in before it goes down,
///
///     x^ = x + sqrt(2 w h) xi,   x' = x^ - h/2 (b(x^, t) + b(x^ - h b(x^, t), t')).
///
/// The SDE has the marginals of the model for every w >= 0, which may vanish where g explodes: so
/// it starts at t = 1 of flow matching too.
///
/// Converges to  that SDE: for InterpolantDiffusion::reverse_sde and norm = 1 the reverse SDE with
///               its eta.
/// Order         strong 1 (additive noise), weak 1, deterministic 1, Heun 2, on [t_min, T].
/// Cost          one denoiser, Heun two, one in a step to sigma = 0; no allocation.
/// Ends          at t' = 0, by Euler without noise in that step; starts where w is finite.
/// Source        Ma et al. (2024), arXiv 2401.08740, (6) and its code's choices of w and steps;
///               Albergo, Boffi & Vanden-Eijnden (2023), arXiv 2303.08797.
template <bool heun>
struct InterpolantSampler {
  static constexpr bool is_sampler = true;
  static constexpr Facts facts =
      detail::reverse_facts(heun ? "sit-heun" : "sit", "Ma et al. (2024), arXiv 2401.08740, (6)",
                            {.strong = 1, .weak = 1, .deterministic = heun ? 2 : 1}, heun ? 2 : 1);
  static constexpr EtaRange etas{};

  int diffusion = static_cast<int>(InterpolantDiffusion::std);  ///< an InterpolantDiffusion
  double norm = 1;

  constexpr bool has_own_noise() const { return diffusion != 0 || norm != 1; }
  static constexpr auto parameters() {
    using M = InterpolantSampler;
    return std::array{SamplerParameter<M>{"diffusion", &M::diffusion,
                                          "w(t): 0 reverse SDE, 1 constant, 2 std, 3 linear, 4 "
                                          "decreasing, 5 bump"},
                      SamplerParameter<M>{"norm", &M::norm, "factor of w(t)"}};
  }
  void validate() const {
    detail::require_parameter(diffusion >= 0 && diffusion <= 5, facts.name,
                              "diffusion in 0, 1, ..., 5", diffusion);
    detail::require_parameter(norm >= 0 && std::isfinite(norm), facts.name, "norm >= 0 and finite",
                              norm);
  }

  template <State X>
  using Workspace = Scratch<X, heun ? 2 : 0>;

  /// w(t) for eta = 1.
  template <class Process>
  double strength(const Process& process, Time t) const {
    const double u = std::numbers::pi * t / process.end_time();
    switch (static_cast<InterpolantDiffusion>(diffusion)) {
      case InterpolantDiffusion::reverse_sde:
        return 0.5 * norm * process.diffusion(t) * process.diffusion(t);
      case InterpolantDiffusion::constant:
        return norm;
      case InterpolantDiffusion::std:
        return norm * process.std(t);
      case InterpolantDiffusion::linear:
        return norm * t / process.end_time();
      case InterpolantDiffusion::decreasing:
        return 0.25 * norm * (1 - std::cos(u)) * (1 - std::cos(u));
      case InterpolantDiffusion::bump:
        return norm * std::sin(u) * std::sin(u);
    }
    return 0;
  }

  /// @throws std::invalid_argument  for an eta that it is not defined for, and as validate
  void check(const DiffusionModel auto& model) const {
    detail::require_eta(facts.name, etas, model.eta);
    validate();
  }

  /// @copydoc Ddim::step
  template <State X, ModelFor<InterpolantSampler, X> P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>& dw, X& y,
            [[maybe_unused]] Workspace<X>& scratch) const {
    using S = typename X::Scalar;
    const double eta = model.eta;
    const auto& process = model.process;
    const bool to_zero = !(process.sigma(t_next) > 0);
    const double noise = std::sqrt(2 * eta * eta * strength(process, t) * (t - t_next));
    if constexpr (heun) {
      auto& [hat, slope] = scratch.array;
      hat = x;
      if (!to_zero) detail::add_noise<P>(noise, t - t_next, dw, hat);
      drift(model, hat, t, slope);
      y = hat - static_cast<S>(t - t_next) * slope;
      if (to_zero) return;
      hat -= static_cast<S>(0.5 * (t - t_next)) * slope;
      drift(model, y, t_next, slope);
      y = hat - static_cast<S>(0.5 * (t - t_next)) * slope;
    } else {
      drift(model, x, t, y);
      y = x - static_cast<S>(t - t_next) * y;
      if (!to_zero) detail::add_noise<P>(noise, t - t_next, dw, y);
    }
  }

 private:
  /// out = v - w score at (x, t).
  template <class Model, State X>
  void drift(const Model& model, const X& x, Time t, X& out) const {
    using S = typename X::Scalar;
    const auto& process = model.process;
    const double std = process.std(t);
    const double pull = model.eta * model.eta * strength(process, t) / (std * std);
    evaluate_denoiser(process, model.score, x, t, out);
    out = static_cast<S>(process.log_std_rate(t) + pull) * x -
          static_cast<S>(process.denoiser_rate(t) + process.scale(t) * pull) * out;
  }
};

using Sit = InterpolantSampler<false>;
using SitHeun = InterpolantSampler<true>;

}  // namespace fokker
