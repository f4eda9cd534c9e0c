#pragma once
/// @file  fokker/diffusion/samplers/ddim.hpp
/// @brief DDIM, deterministic or with noise.

#include <fokker/diffusion/samplers/reverse_step.hpp>

namespace fokker {

namespace detail {

/// y = s' [D + (sigma_down / sigma) (x/s - D) + sigma_up z], D frozen at (x, t), with r =
/// sigma'/sigma, sigma_up = eta sigma' sqrt(1 - r^2) and sigma_up^2 + sigma_down^2 = sigma'^2. With
/// std in place of s sigma it starts where sigma is infinite; at sigma' = 0 it is s' D exactly.
template <DiffusionModel P, State X>
void step_with_frozen_denoiser(const P& model, const X& x, Time t, Time t_next, double eta,
                               const Increment<P, X>& dw, X& y) {
  using S = typename X::Scalar;
  const auto& process = model.process;
  const double s = process.scale(t_next), sigma = process.sigma(t_next);
  const double ratio = sigma / process.sigma(t);
  const double down = std::sqrt((1 - eta) * (1 + eta) + eta * eta * ratio * ratio);  // over sigma'
  const double up = eta * std::sqrt((1 - ratio) * (1 + ratio));                      // over sigma'
  evaluate_denoiser(process, model.score, x, t, y);
  y = static_cast<S>(down * process.std(t_next) / process.std(t)) * x +
      static_cast<S>(s * (1 - ratio * down)) * y;
  add_noise<P>(s * sigma * up, t - t_next, dw, y);
}

}  // namespace detail

/// One step of DDIM, in z = x/s with the denoiser D frozen at the start:
///
///     z' = D + (sqrt(sigma'^2 - sigma_up^2) / sigma) (z - D) + sigma_up eps
///     sigma_up = eta sigma' sqrt((sigma^2 - sigma'^2) / sigma^2)
///
/// eta = 0 is deterministic (also Euler in sigma, and DPM-Solver-1); eta = 1 is the ancestral step.
/// This eta is that of DDIM: it agrees with that of the reverse SDE as h -> 0.
///
/// Converges to  the reverse SDE with its eta, the probability flow for eta = 0.
/// Order         strong 1 (additive noise), weak 1, deterministic 1, for D smooth on [t_min, T].
///               Exact for data at one point.
/// Cost          one denoiser; no allocation.
/// Ends          at t' = 0 in s' D exactly; starts also where sigma is infinite.
/// Source        Song, Meng & Ermon (2021), arXiv 2010.02502, (12) and (16).
struct Ddim {
  static constexpr bool is_sampler = true;
  static constexpr Facts facts{.name = "ddim",
                               .source = "Song, Meng & Ermon (2021), arXiv 2010.02502",
                               .noise = {NoiseKind::none, NoiseKind::additive},
                               .order = {.strong = {std::nullopt, {.additive = 1}},
                                         .weak = {std::nullopt, {.additive = 1}},
                                         .deterministic = 1},
                               .cost = {.drift = 1}};
  static constexpr EtaRange etas{.min = 0, .max = 1};

  template <State X>
  using Workspace = Scratch<X, 0>;

  /// @throws std::invalid_argument  for an eta that it is not defined for
  void check(const DiffusionModel auto& model) const {
    detail::require_eta(facts.name, etas, model.eta);
  }

  /// @param x       d x n, state at t
  /// @param t_next  where it steps to, 0 <= t_next < t
  /// @param dw      the Wiener increment over the step, drawn by the caller
  /// @param y       d x n, result; must not be x
  template <State X, ModelFor<Ddim, X> P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>& dw, X& y,
            Workspace<X>&) const {
    detail::step_with_frozen_denoiser(model, x, t, t_next, model.eta, dw, y);
  }
};

}  // namespace fokker
