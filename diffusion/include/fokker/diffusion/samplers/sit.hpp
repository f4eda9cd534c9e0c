#pragma once
/// @file  fokker/diffusion/samplers/sit.hpp
/// @brief The stochastic sampler of interpolants, with a diffusion coefficient of one's choice.

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

/// One Euler-Maruyama step of the SDE that stochastic interpolants are sampled by,
///
///     dx = [v - w score] dt + sqrt(2 w) dw-bar,   w = eta^2 norm w(t),
///
/// v the velocity of the probability flow. It has the marginals of the model for every w >= 0,
/// which may vanish where g explodes: so it starts at t = 1 of flow matching too.
///
/// Converges to  that SDE: for InterpolantDiffusion::reverse_sde and norm = 1 the reverse SDE with
///               its eta.
/// Order         strong 1 (additive noise), weak 1, deterministic 1 on [t_min, T].
/// Cost          one denoiser; no allocation.
/// Ends          at t' = 0, without noise in that step; starts where w is finite.
/// Source        Ma et al. (2024), arXiv 2401.08740, (6) and its code's choices of w; Albergo,
///               Boffi & Vanden-Eijnden (2023), arXiv 2303.08797.
struct Sit {
  static constexpr std::string_view name = "sit";
  static constexpr std::string_view source = "Ma et al. (2024), arXiv 2401.08740, (6)";
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr EtaRange etas{};

  int diffusion = static_cast<int>(InterpolantDiffusion::std);  ///< an InterpolantDiffusion
  double norm = 1;

  constexpr bool has_own_noise() const { return diffusion != 0 || norm != 1; }
  static constexpr bool supports(NoiseKind kind) { return kind == NoiseKind::additive; }
  static constexpr Orders orders(NoiseKind kind) {
    if (!supports(kind)) return {};
    return {.strong = 1.0, .weak = 1.0, .deterministic = 1.0};
  }
  static constexpr Evaluations evaluations(NoiseKind) { return {.drift = 1, .diffusion = 0}; }

  static constexpr auto parameters() {
    return std::array{Parameter<Sit>{"diffusion", &Sit::diffusion,
                                     "w(t): 0 reverse SDE, 1 constant, 2 std, 3 linear, 4 "
                                     "decreasing, 5 bump"},
                      Parameter<Sit>{"norm", &Sit::norm, "factor of w(t)"}};
  }
  void validate() const {
    detail::require_parameter(diffusion >= 0 && diffusion <= 5, name, "diffusion in 0, 1, ..., 5",
                              diffusion);
    detail::require_parameter(norm >= 0 && std::isfinite(norm), name, "norm >= 0 and finite", norm);
  }

  template <State X>
  using Workspace = Scratch<X, 0>;

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
                                              Workspace<X>&) const {
    using S = typename X::Scalar;
    const double eta = p.base.eta;
    detail::require_eta(name, etas, eta);
    const auto& process = p.base.process;
    const auto [t, t_next] = detail::TimeInterval(r, h);
    const double w = eta * eta * strength(process, t), std = process.std(t);
    const double pull = w / (std * std);  // of the score, -(x - s D) / std^2
    evaluate_denoiser(process, p.base.score, x, t, y);
    y = static_cast<S>(1 - h * (process.log_std_rate(t) + pull)) * x +
        static_cast<S>(h * (process.denoiser_rate(t) + process.scale(t) * pull)) * y;
    if (process.sigma(t_next) > 0) detail::add_noise<P>(std::sqrt(2 * w * h), h, dw, y);
  }
};

}  // namespace fokker
