#pragma once
/// @file  fokker/diffusion/samplers/ancestral.hpp
/// @brief DDPM's ancestral step, with the exact posterior of the process.

#include <fokker/diffusion/samplers/ddim.hpp>

namespace fokker {

/// One ancestral step: x' is drawn from q(x' | x, x0 = D), the posterior of the affine process with
/// the denoiser D frozen. In z = x/s, with r = sigma'/sigma:
///
///     z' = r^2 z + (1 - r^2) D + sqrt(sigma'^2 (sigma^2 - sigma'^2) / sigma^2) eps
///
/// which is DDIM's step with eta = 1, and SDE-DPM-Solver++1. DDPM as published takes the same
/// posterior at its 1000 discrete times.
///
/// Converges to  Anderson's reverse SDE, eta = 1.
/// Order         strong 1 (additive noise), weak 1, for D smooth on [t_min, T]. Exact for data at
/// one
///               point.
/// Cost          one denoiser; no allocation.
/// Ends          at t' = 0 in s' D exactly.
/// Source        Ho, Jain & Abbeel (2020), arXiv 2006.11239, (6)-(7), algorithm 2.
struct Ancestral {
  static constexpr std::string_view name = "ddpm";
  static constexpr std::string_view source = "Ho, Jain & Abbeel (2020), arXiv 2006.11239, (6)-(7)";
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr EtaRange etas{.min = 1, .max = 1};

  static constexpr bool supports(NoiseKind kind) { return kind == NoiseKind::additive; }
  static constexpr Orders orders(NoiseKind kind) {
    if (!supports(kind)) return {};
    return {.strong = 1.0, .weak = 1.0, .deterministic = 1.0};
  }
  static constexpr Evaluations evaluations(NoiseKind) { return {.drift = 1, .diffusion = 0}; }

  template <State X>
  using Workspace = Scratch<X, 0>;

  /// @copydoc Ddim::step
  /// @throws std::invalid_argument  for an eta other than 1
  template <State X, ReversedDiffusion P>
  requires(supports(noise_kind<P>)) void step(const P& p, const X& x, Time r, Time h,
                                              const Increment<P, X>& dw, X& y,
                                              Workspace<X>&) const {
    detail::require_eta(name, etas, p.base.eta);
    detail::step_with_frozen_denoiser(p, x, r, h, 1.0, dw, y);
  }
};

}  // namespace fokker
