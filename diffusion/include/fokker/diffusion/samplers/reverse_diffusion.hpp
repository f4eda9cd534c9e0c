#pragma once
/// @file  fokker/diffusion/samplers/reverse_diffusion.hpp
/// @brief Song's reverse diffusion sampler: the forward step turned round.

#include <fokker/diffusion/samplers/reverse_step.hpp>

namespace fokker {

/// One step that reverses the forward step x_t = (s/s') x_t' + G xi, G = s sqrt(sigma^2 -
/// sigma'^2):
///
///     x' = x - (s/s' - 1) x + (1 + eta^2)/2 G^2 score(x, t) + eta G xi
///
/// For the variance preserving process s/s' = sqrt(1 - beta_k), G^2 = beta_k.
///
/// Converges to  the reverse SDE with its eta.
/// Order         strong 1 (additive noise), weak 1, deterministic 1 on [t_min, T].
/// Cost          one score; no allocation.
/// Ends          at t' = 0, without noise in that step (the `denoise` of its code). Starts only
///               where s > 0.
/// Source        Song et al. (2021), arXiv 2011.13456, (46) and appendix E.
struct ReverseDiffusion {
  static constexpr std::string_view name = "reverse-diffusion";
  static constexpr std::string_view source = "Song et al. (2021), arXiv 2011.13456, (46)";
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr EtaRange etas{};

  static constexpr bool supports(NoiseKind kind) { return kind == NoiseKind::additive; }
  static constexpr Orders orders(NoiseKind kind) {
    if (!supports(kind)) return {};
    return {.strong = 1.0, .weak = 1.0, .deterministic = 1.0};
  }
  static constexpr Evaluations evaluations(NoiseKind) { return {.drift = 1, .diffusion = 0}; }

  template <State X>
  using Workspace = Scratch<X, 0>;

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
    const double s = process.scale(t), sigma = process.sigma(t), next = process.sigma(t_next);
    const double g = s * std::sqrt((sigma - next) * (sigma + next));
    evaluate_score(p.base.score, x, t, y);
    y = static_cast<S>(2 - s / process.scale(t_next)) * x +
        static_cast<S>(0.5 * (1 + eta * eta) * g * g) * y;
    if (next > 0) detail::add_noise<P>(eta * g, h, dw, y);
  }
};

}  // namespace fokker
