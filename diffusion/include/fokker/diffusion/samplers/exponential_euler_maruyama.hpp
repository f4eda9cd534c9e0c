#pragma once
/// @file  fokker/diffusion/samplers/exponential_euler_maruyama.hpp
/// @brief The exponential integrator that freezes the score of x.

#include <fokker/diffusion/samplers/reverse_step.hpp>

namespace fokker {

/// One step that is exact in the linear drift and in the noise, the score of x frozen at the start:
///
///     x' = (s'/s) x + (1 + eta^2)/2 w score(x, t) + eta s' sqrt(sigma^2 - sigma'^2) eps
///     w  = s' * integral of s d(sigma^2) over [sigma'^2, sigma^2]
///
/// For variance preserving processes w = 2 (s'/s - 1).
///
/// Converges to  the reverse SDE with its eta, the probability flow for eta = 0.
/// Order         strong 1 (additive noise), weak 1, deterministic 1, for a score smooth on
///               [t_min, T].
/// Cost          one score; no allocation.
/// Ends          at t' = 0 without a score there; starts only where s > 0.
/// Source        Chen et al. (2023), arXiv 2209.11215, (5); De Bortoli (2022), arXiv 2208.05314;
///               for the recursion on Gaussian data: Pierret & Galerne (2024), arXiv 2405.14250.
struct ExponentialEulerMaruyama {
  static constexpr bool is_sampler = true;
  static constexpr Facts facts = detail::reverse_facts(
      "exponential-euler-maruyama", "Chen et al. (2023), arXiv 2209.11215, (5)",
      {.strong = 1, .weak = 1, .deterministic = 1}, 1);
  static constexpr EtaRange etas{};

  template <State X>
  using Workspace = Scratch<X, 0>;

  /// @throws std::invalid_argument  for an eta that it is not defined for
  void check(const DiffusionModel auto& model) const {
    detail::require_eta(facts.name, etas, model.eta);
  }

  /// @copydoc Ddim::step
  template <State X, ModelFor<ExponentialEulerMaruyama, X> P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>& dw, X& y,
            Workspace<X>&) const {
    using S = typename X::Scalar;
    const double eta = model.eta;
    const auto& process = model.process;
    const double s = process.scale(t_next);
    const double sigma = process.sigma(t), sigma_next = process.sigma(t_next);
    const double weight = 0.5 * (1 + eta * eta) * process.frozen_score_weight(t, t_next);
    evaluate_score(model.score, x, t, y);
    y = static_cast<S>(s / process.scale(t)) * x + static_cast<S>(weight) * y;
    detail::add_noise<P>(eta * s * std::sqrt((sigma - sigma_next) * (sigma + sigma_next)),
                         t - t_next, dw, y);
  }
};

}  // namespace fokker
