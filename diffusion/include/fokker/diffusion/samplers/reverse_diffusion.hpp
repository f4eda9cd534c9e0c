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
  static constexpr bool is_sampler = true;
  static constexpr Facts facts =
      detail::reverse_facts("reverse-diffusion", "Song et al. (2021), arXiv 2011.13456, (46)",
                            {.strong = 1, .weak = 1, .deterministic = 1}, 1);
  static constexpr EtaRange etas{};

  template <State X>
  using Workspace = Scratch<X, 0>;

  /// @throws std::invalid_argument  for an eta that it is not defined for
  void check(const DiffusionModel auto& model) const {
    detail::require_eta(facts.name, etas, model.eta);
  }

  /// @copydoc Ddim::step
  template <State X, ModelFor<ReverseDiffusion, X> P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>& dw, X& y,
            Workspace<X>&) const {
    using S = typename X::Scalar;
    const double eta = model.eta;
    const auto& process = model.process;
    const double s = process.scale(t), sigma = process.sigma(t), next = process.sigma(t_next);
    const double g = s * std::sqrt((sigma - next) * (sigma + next));
    evaluate_score(model.score, x, t, y);
    y = static_cast<S>(2 - s / process.scale(t_next)) * x +
        static_cast<S>(0.5 * (1 + eta * eta) * g * g) * y;
    if (next > 0) detail::add_noise<P>(eta * g, t - t_next, dw, y);
  }
};

}  // namespace fokker
