#pragma once
/// @file  fokker/diffusion/samplers/dpm2_ancestral.hpp
/// @brief DPM2 with the noise of an ancestral step.

#include <cmath>

#include <fokker/diffusion/samplers/dpm_solver.hpp>

namespace fokker {

/// DPM-Solver-2's step from sigma to sigma_down, then noise up to sigma': with r = sigma'/sigma,
/// sigma_up = eta sigma' sqrt(1 - r^2), sigma_up^2 + sigma_down^2 = sigma'^2,
///
///     u  = s_m [D + sigma_m e],   sigma_m = sqrt(sigma sigma_down)
///     z' = z + (sigma_down - sigma) e(u) + sigma_up xi
///
/// Known as DPM2 a, or KDPM2AncestralDiscreteScheduler. eta = 0 is DpmSolver2.
///
/// Converges to  the reverse SDE with its eta.
/// Order         strong 1 (additive noise), weak 1, deterministic 2, for D smooth on [t_min, T].
/// Cost          two denoisers, one in a step from sigma infinite or to 0; no allocation.
/// Ends          at t' = 0 in s' D exactly.
/// Source        the step: Lu et al. (2022), arXiv 2206.00927, algorithm 1; the noise: Song, Meng &
///               Ermon (2021), arXiv 2010.02502, (16); together k-diffusion's
///               sample_dpm_2_ancestral.
struct Dpm2Ancestral {
  static constexpr std::string_view name = "dpm2-ancestral";
  static constexpr std::string_view source =
      "Lu et al. (2022), arXiv 2206.00927, as in k-diffusion's sample_dpm_2_ancestral";
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr EtaRange etas{.min = 0, .max = 1};

  static constexpr bool supports(NoiseKind kind) { return kind == NoiseKind::additive; }
  static constexpr Orders orders(NoiseKind kind) {
    if (!supports(kind)) return {};
    return {.strong = 1.0, .weak = 1.0, .deterministic = 2.0};
  }
  static constexpr Evaluations evaluations(NoiseKind) { return {.drift = 2, .diffusion = 0}; }

  template <State X>
  using Workspace = Scratch<X, 3>;

  /// @copydoc Ddim::step
  /// @throws std::invalid_argument  for an eta outside [0, 1]
  template <State X, ReversedDiffusion P>
  requires(supports(noise_kind<P>)) void step(const P& p, const X& x, Time r, Time h,
                                              const Increment<P, X>& dw, X& y,
                                              Workspace<X>& w) const {
    using S = typename X::Scalar;
    const double eta = p.base.eta;
    detail::require_eta(name, etas, eta);
    const auto& process = p.base.process;
    const auto [t, t_next] = detail::TimeInterval(r, h);
    const detail::StagePlace start{t, process.scale(t), process.sigma(t)};
    const double s = process.scale(t_next), sigma = process.sigma(t_next);
    if (!std::isfinite(start.sigma) || sigma == 0) {
      detail::step_with_frozen_denoiser(p, x, r, h, eta, dw, y);
      return;
    }
    const double ratio = sigma / start.sigma, rest = (1 - ratio) * (1 + ratio);
    const double up = eta * sigma * std::sqrt(rest);
    const double down = sigma * std::sqrt(1 - eta * eta * rest);
    const auto middle = detail::stage_place(process, start.sigma, down, 0.5);
    auto& [denoised, noise, u] = w.array;
    evaluate_denoiser(process, p.base.score, x, t, denoised);
    detail::noise_of(start, x, denoised, noise);
    u = static_cast<S>(middle.scale) * (denoised + static_cast<S>(middle.sigma) * noise);
    evaluate_denoiser(process, p.base.score, u, middle.t, denoised);
    detail::noise_of(middle, u, denoised, noise);
    y = static_cast<S>(s / start.scale) * x + static_cast<S>(s * (down - start.sigma)) * noise;
    detail::add_noise<P>(s * up, h, dw, y);
  }
};

}  // namespace fokker
