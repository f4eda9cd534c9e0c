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
  static constexpr std::string_view name = heun ? "sit-heun" : "sit";
  static constexpr std::string_view source = "Ma et al. (2024), arXiv 2401.08740, (6)";
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr EtaRange etas{};

  int diffusion = static_cast<int>(InterpolantDiffusion::std);  ///< an InterpolantDiffusion
  double norm = 1;

  constexpr bool has_own_noise() const { return diffusion != 0 || norm != 1; }
  static constexpr bool supports(NoiseKind kind) { return kind == NoiseKind::additive; }
  static constexpr Orders orders(NoiseKind kind) {
    if (!supports(kind)) return {};
    return {.strong = 1.0, .weak = 1.0, .deterministic = heun ? 2.0 : 1.0};
  }
  static constexpr Evaluations evaluations(NoiseKind) {
    return {.drift = heun ? 2 : 1, .diffusion = 0};
  }

  static constexpr auto parameters() {
    using M = InterpolantSampler;
    return std::array{Parameter<M>{"diffusion", &M::diffusion,
                                   "w(t): 0 reverse SDE, 1 constant, 2 std, 3 linear, 4 "
                                   "decreasing, 5 bump"},
                      Parameter<M>{"norm", &M::norm, "factor of w(t)"}};
  }
  void validate() const {
    detail::require_parameter(diffusion >= 0 && diffusion <= 5, name, "diffusion in 0, 1, ..., 5",
                              diffusion);
    detail::require_parameter(norm >= 0 && std::isfinite(norm), name, "norm >= 0 and finite", norm);
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

  /// @copydoc Ddim::step
  /// @throws std::invalid_argument  for a negative eta
  template <State X, ReversedDiffusion P>
  requires(supports(noise_kind<P>)) void step(const P& p, const X& x, Time r, Time h,
                                              const Increment<P, X>& dw, X& y,
                                              [[maybe_unused]] Workspace<X>& scratch) const {
    using S = typename X::Scalar;
    const double eta = p.base.eta;
    detail::require_eta(name, etas, eta);
    validate();
    const auto& process = p.base.process;
    const auto [t, t_next] = detail::TimeInterval(r, h);
    const bool to_zero = !(process.sigma(t_next) > 0);
    const double noise = std::sqrt(2 * eta * eta * strength(process, t) * h);
    if constexpr (heun) {
      auto& [hat, slope] = scratch.array;
      hat = x;
      if (!to_zero) detail::add_noise<P>(noise, h, dw, hat);
      drift(p.base, hat, t, slope);
      y = hat - static_cast<S>(h) * slope;
      if (to_zero) return;
      hat -= static_cast<S>(0.5 * h) * slope;
      drift(p.base, y, t_next, slope);
      y = hat - static_cast<S>(0.5 * h) * slope;
    } else {
      drift(p.base, x, t, y);
      y = x - static_cast<S>(h) * y;
      if (!to_zero) detail::add_noise<P>(noise, h, dw, y);
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
