#pragma once
/// @file  fokker/diffusion/samplers/edm.hpp
/// @brief Euler, Heun and Euler-Maruyama in EDM's form, through the denoiser.
///
/// EDM writes the flow and the reverse SDE with the denoiser D in place of the score,
///
///     dx = [(s'/s + (1 + eta^2) sigma'/sigma) x - (1 + eta^2) s (sigma'/sigma) D] dt
///          + eta s sqrt(2 sigma sigma') dw-bar
///
/// and steps in t. Away from t = 0 these are the equations of `ProbabilityFlow` and `ReverseSde`,
/// and the steps agree with those of `Euler`, `Heun` and `EulerMaruyama` to rounding. What the form
/// adds is the ends: it starts where flow matching's sigma is infinite, and ends at sigma = 0.
/// Source: Karras et al. (2022), arXiv 2206.00364, algorithm 1, (6), (81) and (95).

#include <fokker/diffusion/samplers/reverse_step.hpp>

namespace fokker {

namespace detail {

/// out = the drift in EDM's form at (x, t).
template <class Model, State X>
void edm_slope(const Model& model, const X& x, Time t, X& out) {
  using S = typename X::Scalar;
  const auto& process = model.process;
  const double noise = model.eta * model.eta;
  double rate = process.log_std_rate(t);
  if (noise > 0) rate += noise * process.log_sigma_rate(t);
  evaluate_denoiser(process, model.score, x, t, out);
  out = static_cast<S>(rate) * x - static_cast<S>((1 + noise) * process.denoiser_rate(t)) * out;
}

/// y = EDM's step of Heun from x at t down to t_next; Euler's where sigma(t_next) = 0.
template <class Model, State X>
void edm_heun_step(const Model& model, const X& x, Time t, Time t_next, X& slope, X& slope_end,
                   X& y) {
  using S = typename X::Scalar;
  const Time h = t - t_next;
  edm_slope(model, x, t, slope);
  y = x - static_cast<S>(t - t_next) * slope;
  if (model.process.sigma(t_next) > 0) {
    edm_slope(model, y, t_next, slope_end);
    y = x - static_cast<S>(0.5 * h) * (slope + slope_end);
  }
}

}  // namespace detail

/// One Euler step x' = x + (t' - t) d, d = (std'/std) x - s (sigma'/sigma) D.
///
/// Converges to  the probability flow.
/// Order         deterministic 1 on [t_min, T].
/// Cost          one denoiser; no allocation.
/// Ends          at t' = 0; starts also at t = 1 of flow matching.
/// Source        Karras et al. (2022), arXiv 2206.00364, algorithm 1 without its correction.
struct EdmEuler {
  static constexpr bool is_sampler = true;
  static constexpr Facts facts =
      detail::flow_facts("edm-euler", "Karras et al. (2022), arXiv 2206.00364, algorithm 1", 1, 1);
  static constexpr EtaRange etas{.min = 0, .max = 0};

  template <State X>
  using Workspace = Scratch<X, 0>;

  /// @copydoc Ddim::step
  template <State X, ModelFor<EdmEuler, X> P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>&, X& y,
            Workspace<X>&) const {
    detail::edm_slope(model, x, t, y);
    y = x - static_cast<typename X::Scalar>(t - t_next) * y;
  }
};

/// One step of EDM's algorithm 1: Heun's, d averaged over both ends; plain Euler where sigma(t') =
/// 0.
///
/// Converges to  the probability flow.
/// Order         deterministic 2 on [t_min, T].
/// Cost          two denoisers, one in a step to sigma = 0; no allocation.
/// Ends          at t' = 0; starts also at t = 1 of flow matching.
/// Source        Karras et al. (2022), arXiv 2206.00364, algorithm 1.
struct EdmHeun {
  static constexpr bool is_sampler = true;
  static constexpr Facts facts =
      detail::flow_facts("edm-heun", "Karras et al. (2022), arXiv 2206.00364, algorithm 1", 2, 2);
  static constexpr EtaRange etas{.min = 0, .max = 0};

  template <State X>
  using Workspace = Scratch<X, 2>;

  /// @copydoc Ddim::step
  template <State X, ModelFor<EdmHeun, X> P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>&, X& y,
            Workspace<X>& w) const {
    auto& [slope, slope_end] = w.array;
    detail::edm_heun_step(model, x, t, t_next, slope, slope_end, y);
  }
};

/// One Euler-Maruyama step of the reverse SDE in EDM's form, its drift through the denoiser.
///
/// Converges to  the reverse SDE with its eta.
/// Order         strong 1 (additive noise), weak 1, deterministic 1 on [t_min, T].
/// Cost          one denoiser; no allocation.
/// Ends          at t' = 0, with the noise of the last step left in; starts where g is finite.
/// Source        Karras et al. (2022), arXiv 2206.00364, (6) with beta = eta^2 sigma'/sigma.
struct EdmEulerMaruyama {
  static constexpr bool is_sampler = true;
  static constexpr Facts facts{.name = "edm-euler-maruyama",
                               .source = "Karras et al. (2022), arXiv 2206.00364, (6)",
                               .noise = {NoiseKind::additive},
                               .order = {.strong = 1, .weak = 1, .deterministic = 1},
                               .cost = {.drift = 1, .diffusion = 1}};
  static constexpr EtaRange etas{};

  template <State X>
  using Workspace = Scratch<X, 0>;

  /// @throws std::invalid_argument  for an eta that it is not defined for
  void check(const DiffusionModel auto& model) const {
    detail::require_eta(facts.name, etas, model.eta);
  }

  /// @copydoc Ddim::step
  template <State X, ModelFor<EdmEulerMaruyama, X> P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>& dw, X& y,
            Workspace<X>&) const {
    using S = typename X::Scalar;
    detail::edm_slope(model, x, t, y);
    y = x - static_cast<S>(t - t_next) * y + static_cast<S>(model.diffusion(t)) * dw.w;
  }
};

}  // namespace fokker
