#pragma once
/// @file  fokker/diffusion/samplers/ddim.hpp
/// @brief DDIM, deterministic or with noise.

#include <fokker/diffusion/samplers/reverse_step.hpp>

namespace fokker {

namespace detail {

/// y = s' [D + (sigma_down / sigma) (x/s - D) + sigma_up z], D frozen at (x, t), with r =
/// sigma'/sigma, sigma_up = eta sigma' sqrt(1 - r^2) and sigma_up^2 + sigma_down^2 = sigma'^2.
/// Written with std for s sigma, it starts where sigma is infinite; at sigma' = 0 it is s' D
/// exactly.
template <ReversedDiffusion P, State X>
void step_with_frozen_denoiser(const P& p, const X& x, Time r, Time h, double eta,
                               const Increment<P, X>& dw, X& y) {
  using S = typename X::Scalar;
  const auto& process = p.base.process;
  const auto [t, t_next] = TimeInterval(r, h);
  const double s = process.scale(t_next), sigma = process.sigma(t_next);
  const double ratio = sigma / process.sigma(t);
  const double down = std::sqrt((1 - eta) * (1 + eta) + eta * eta * ratio * ratio);  // over sigma'
  const double up = eta * std::sqrt((1 - ratio) * (1 + ratio));                      // over sigma'
  evaluate_denoiser(process, p.base.score, x, t, y);
  y = static_cast<S>(down * process.std(t_next) / process.std(t)) * x +
      static_cast<S>(s * (1 - ratio * down)) * y;
  add_noise<P>(s * sigma * up, h, dw, y);
}

}  // namespace detail

/// One step of DDIM, in z = x/s with the denoiser D frozen at the start:
///
///     z' = D + (sqrt(sigma'^2 - sigma_up^2) / sigma) (z - D) + sigma_up eps
///     sigma_up = eta sigma' sqrt((sigma^2 - sigma'^2) / sigma^2)
///
/// eta = 0 is deterministic (also Euler in sigma, and DPM-Solver-1); eta = 1 is the ancestral step.
/// This eta is DDIM's own: it agrees with that of the reverse SDE as h -> 0.
///
/// Converges to  the reverse SDE with its eta, the probability flow for eta = 0.
/// Order         strong 1 (additive noise), weak 1, deterministic 1, for D smooth on [t_min, T].
/// Exact
///               for data at one point.
/// Cost          one denoiser; no allocation.
/// Ends          at t' = 0 in s' D exactly; starts also where sigma is infinite.
/// Source        Song, Meng & Ermon (2021), arXiv 2010.02502, (12) and (16).
struct Ddim {
  static constexpr std::string_view name = "ddim";
  static constexpr std::string_view source = "Song, Meng & Ermon (2021), arXiv 2010.02502";
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr EtaRange etas{.min = 0, .max = 1};

  static constexpr bool supports(NoiseKind kind) {
    return kind == NoiseKind::none || kind == NoiseKind::additive;
  }
  static constexpr Orders orders(NoiseKind kind) {
    if (!supports(kind)) return {};
    if (kind == NoiseKind::none) return {.strong = {}, .weak = {}, .deterministic = 1.0};
    return {.strong = 1.0, .weak = 1.0, .deterministic = 1.0};
  }
  static constexpr Evaluations evaluations(NoiseKind) { return {.drift = 1, .diffusion = 0}; }

  template <State X>
  using Workspace = Scratch<X, 0>;

  /// @param x   d x n, state at t = -r
  /// @param h   step, h > 0, down in t
  /// @param dw  W(r + h) - W(r), drawn by the caller
  /// @param y   d x n, result; must not be x
  /// @throws std::invalid_argument  for an eta outside [0, 1]
  template <State X, ReversedDiffusion P>
  void step(const P& p, const X& x, Time r, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>&) const {
    detail::require_eta(name, etas, p.base.eta);
    detail::step_with_frozen_denoiser(p, x, r, h, p.base.eta, dw, y);
  }
};

}  // namespace fokker
