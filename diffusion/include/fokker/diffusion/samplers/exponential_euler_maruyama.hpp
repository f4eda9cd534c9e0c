#pragma once
/// @file  fokker/diffusion/samplers/exponential_euler_maruyama.hpp
/// @brief The exponential integrator that freezes the score of x.

#include <fokker/diffusion/samplers/reverse_step.hpp>

namespace fokker {

/// One step that is exact in the linear drift and in the noise, the score of x frozen at the start:
///
///     x' = (s'/s) x + (1 + eta^2)/2 w score(x, t) + eta s' sqrt(sigma^2 - sigma'^2) eps
///     w  = s' * integral of s d(sigma^2) over [sigma'^2, sigma^2];  variance preserving: 2 (s'/s -
///     1)
///
/// Converges to  the reverse SDE with its eta, the probability flow for eta = 0.
/// Order         strong 1 (additive noise), weak 1, deterministic 1, for a score smooth on [t_min,
/// T]. Cost          one score; no allocation. Ends          at t' = 0 without a score there;
/// starts only where s > 0. Source        Chen et al. (2023), arXiv 2209.11215, (5); De Bortoli
/// (2022), arXiv 2208.05314; for the
///               recursion on Gaussian data: Pierret & Galerne (2024), arXiv 2405.14250.
struct ExponentialEulerMaruyama {
  static constexpr std::string_view name = "exponential-euler-maruyama";
  static constexpr std::string_view source = "Chen et al. (2023), arXiv 2209.11215, (5)";
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
    const double s = process.scale(t_next);
    const double sigma = process.sigma(t), sigma_next = process.sigma(t_next);
    const double weight = 0.5 * (1 + eta * eta) * process.frozen_score_weight(t, t_next);
    evaluate_score(p.base.score, x, t, y);
    y = static_cast<S>(s / process.scale(t)) * x + static_cast<S>(weight) * y;
    detail::add_noise<P>(eta * s * std::sqrt((sigma - sigma_next) * (sigma + sigma_next)), h, dw,
                         y);
  }
};

}  // namespace fokker
