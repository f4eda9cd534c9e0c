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
  y = x - static_cast<S>(h) * slope;
  if (model.process.sigma(t_next) > 0) {
    edm_slope(model, y, t_next, slope_end);
    y = x - static_cast<S>(0.5 * h) * (slope + slope_end);
  }
}

/// Facts about EDM's deterministic steps.
template <int order>
struct EdmOde {
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr EtaRange etas{.min = 0, .max = 0};

  static constexpr bool supports(NoiseKind kind) { return kind == NoiseKind::none; }
  static constexpr Orders orders(NoiseKind kind) {
    if (!supports(kind)) return {};
    return {.strong = {}, .weak = {}, .deterministic = order};
  }
  static constexpr Evaluations evaluations(NoiseKind) { return {.drift = order, .diffusion = 0}; }
};

}  // namespace detail

/// One Euler step x' = x + (t' - t) d, d = (std'/std) x - s (sigma'/sigma) D.
///
/// Converges to  the probability flow.
/// Order         deterministic 1 on [t_min, T].
/// Cost          one denoiser; no allocation.
/// Ends          at t' = 0; starts also at t = 1 of flow matching.
/// Source        Karras et al. (2022), arXiv 2206.00364, algorithm 1 without its correction.
struct EdmEuler : detail::EdmOde<1> {
  static constexpr std::string_view name = "edm-euler";
  static constexpr std::string_view source = "Karras et al. (2022), arXiv 2206.00364, algorithm 1";

  template <State X>
  using Workspace = Scratch<X, 0>;

  /// @copydoc Ddim::step
  template <State X, ReversedDiffusion P>
  requires(supports(noise_kind<P>)) void step(const P& p, const X& x, Time r, Time h,
                                              const Increment<P, X>&, X& y, Workspace<X>&) const {
    detail::edm_slope(p.base, x, -r, y);
    y = x - static_cast<typename X::Scalar>(h) * y;
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
struct EdmHeun : detail::EdmOde<2> {
  static constexpr std::string_view name = "edm-heun";
  static constexpr std::string_view source = "Karras et al. (2022), arXiv 2206.00364, algorithm 1";

  template <State X>
  using Workspace = Scratch<X, 2>;

  /// @copydoc Ddim::step
  template <State X, ReversedDiffusion P>
  requires(supports(noise_kind<P>)) void step(const P& p, const X& x, Time r, Time h,
                                              const Increment<P, X>&, X& y, Workspace<X>& w) const {
    const auto [t, t_next] = detail::TimeInterval(r, h);
    auto& [slope, slope_end] = w.array;
    detail::edm_heun_step(p.base, x, t, t_next, slope, slope_end, y);
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
  static constexpr std::string_view name = "edm-euler-maruyama";
  static constexpr std::string_view source = "Karras et al. (2022), arXiv 2206.00364, (6)";
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr EtaRange etas{};

  static constexpr bool supports(NoiseKind kind) { return kind == NoiseKind::additive; }
  static constexpr Orders orders(NoiseKind kind) {
    if (!supports(kind)) return {};
    return {.strong = 1.0, .weak = 1.0, .deterministic = 1.0};
  }
  static constexpr Evaluations evaluations(NoiseKind) { return {.drift = 1, .diffusion = 1}; }

  template <State X>
  using Workspace = Scratch<X, 0>;

  /// @copydoc Ddim::step
  /// @throws std::invalid_argument  for a negative eta
  template <State X, ReversedDiffusion P>
  requires(supports(noise_kind<P>)) void step(const P& p, const X& x, Time r, Time h,
                                              const Increment<P, X>& dw, X& y,
                                              Workspace<X>&) const {
    using S = typename X::Scalar;
    detail::require_eta(name, etas, p.base.eta);
    detail::edm_slope(p.base, x, -r, y);
    y = x - static_cast<S>(h) * y + static_cast<S>(p.base.diffusion(-r)) * dw.w;
  }
};

}  // namespace fokker
