#pragma once
/// @file  fokker/diffusion/samplers/ddpm.hpp
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
///               one point.
/// Cost          one denoiser; no allocation.
/// Ends          at t' = 0 in s' D exactly.
/// Source        Ho, Jain & Abbeel (2020), arXiv 2006.11239, (6)-(7), algorithm 2.
struct Ddpm {
  static constexpr bool is_sampler = true;
  static constexpr Facts facts =
      detail::reverse_facts("ddpm", "Ho, Jain & Abbeel (2020), arXiv 2006.11239, (6)-(7)",
                            {.strong = 1, .weak = 1, .deterministic = 1}, 1);
  static constexpr EtaRange etas{.min = 1, .max = 1};

  template <State X>
  using Workspace = Scratch<X, 0>;

  /// @throws std::invalid_argument  for an eta that it is not defined for
  void check(const DiffusionModel auto& model) const {
    detail::require_eta(facts.name, etas, model.eta);
  }

  /// @copydoc Ddim::step
  template <State X, ModelFor<Ddpm, X> P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>& dw, X& y,
            Workspace<X>&) const {
    detail::step_with_frozen_denoiser(model, x, t, t_next, 1.0, dw, y);
  }
};

}  // namespace fokker
