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
  static constexpr bool is_sampler = true;
  static constexpr Facts facts = detail::reverse_facts(
      "dpm2-ancestral",
      "Lu et al. (2022), arXiv 2206.00927, as in k-diffusion's sample_dpm_2_ancestral",
      {.strong = 1, .weak = 1, .deterministic = 2}, 2);
  static constexpr EtaRange etas{.min = 0, .max = 1};

  template <State X>
  using Workspace = Scratch<X, 3>;

  /// @throws std::invalid_argument  for an eta that it is not defined for
  void check(const DiffusionModel auto& model) const {
    detail::require_eta(facts.name, etas, model.eta);
  }

  /// @copydoc Ddim::step
  template <State X, ModelFor<Dpm2Ancestral, X> P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    const double eta = model.eta;
    const auto& process = model.process;
    const detail::StagePlace start{t, process.scale(t), process.sigma(t)};
    const double s = process.scale(t_next), sigma = process.sigma(t_next);
    if (!std::isfinite(start.sigma) || sigma == 0) {
      detail::step_with_frozen_denoiser(model, x, t, t_next, eta, dw, y);
      return;
    }
    const double ratio = sigma / start.sigma, rest = (1 - ratio) * (1 + ratio);
    const double up = eta * sigma * std::sqrt(rest);
    const double down = sigma * std::sqrt(1 - eta * eta * rest);
    const auto middle = detail::stage_place(process, start.sigma, down, 0.5);
    auto& [denoised, noise, u] = w.array;
    evaluate_denoiser(process, model.score, x, t, denoised);
    detail::noise_of(start, x, denoised, noise);
    u = static_cast<S>(middle.scale) * (denoised + static_cast<S>(middle.sigma) * noise);
    evaluate_denoiser(process, model.score, u, middle.t, denoised);
    detail::noise_of(middle, u, denoised, noise);
    y = static_cast<S>(s / start.scale) * x + static_cast<S>(s * (down - start.sigma)) * noise;
    detail::add_noise<P>(s * up, t - t_next, dw, y);
  }
};

}  // namespace fokker
