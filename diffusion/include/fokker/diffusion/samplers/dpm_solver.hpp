#pragma once
/// @file  fokker/diffusion/samplers/dpm_solver.hpp
/// @brief DPM-Solver and DPM-Solver++ as one-step methods.
///
/// Their stages lie at lambda + c h between both ends of the step, lambda = -ln sigma and h =
/// lambda' - lambda, at the time where the process has that sigma. From or to an infinite lambda,
/// that is from sigma infinite and to sigma = 0, there is nothing between: the step is DDIM's.
/// DPM-Solver-1 is DDIM.

#include <cmath>

#include <fokker/diffusion/detail/exponential_moments.hpp>
#include <fokker/diffusion/samplers/ddim.hpp>

namespace fokker {

namespace detail {

/// A time of the process with what a stage there needs.
struct StagePlace {
  Time t;
  double scale, sigma;
};

/// The place with lambda + c h, c in (0, 1): sigma^(1-c) sigma'^c.
template <class Process>
StagePlace stage_place(const Process& process, double sigma, double sigma_next, double c) {
  const double at = sigma * std::pow(sigma_next / sigma, c);
  const Time t = process.time_of_sigma(at);
  return {t, process.scale(t), at};
}

/// noise = (x - s D) / (s sigma), D = `denoised` at (x, t).
template <State X>
void noise_of(const StagePlace& at, const X& x, const X& denoised, X& noise) {
  using S = typename X::Scalar;
  noise = (x - static_cast<S>(at.scale) * denoised) / static_cast<S>(at.scale * at.sigma);
}

}  // namespace detail

/// DPM-Solver-2: DDIM's step with the noise at the middle of the step in lambda,
///
///     u  = s_m [D + sigma_m e],    sigma_m = sqrt(sigma sigma'),    z' = z + (sigma' - sigma) e(u)
///
/// also known as DPM2: the midpoint rule in sigma around the geometric mean.
///
/// Converges to  the probability flow.
/// Order         deterministic 2 on [t_min, T].
/// Cost          two denoisers, one in a step from sigma infinite or to 0; no allocation.
/// Ends          at t' = 0 in s' D; starts also where sigma is infinite.
/// Source        Lu et al. (2022), arXiv 2206.00927, algorithm 1.
struct DpmSolver2 {
  static constexpr bool is_sampler = true;
  static constexpr Facts facts =
      detail::flow_facts("dpm-solver-2", "Lu et al. (2022), arXiv 2206.00927, algorithm 1", 2, 2);
  static constexpr EtaRange etas{.min = 0, .max = 0};

  template <State X>
  using Workspace = Scratch<X, 4>;

  /// @copydoc Ddim::step
  template <State X, ModelFor<DpmSolver2, X> P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    const auto& process = model.process;
    const detail::StagePlace start{t, process.scale(t), process.sigma(t)};
    const double s = process.scale(t_next), sigma = process.sigma(t_next);
    if (!std::isfinite(start.sigma) || sigma == 0) {
      detail::step_with_frozen_denoiser(model, x, t, t_next, 0.0, dw, y);
      return;
    }
    const auto middle = detail::stage_place(process, start.sigma, sigma, 0.5);
    auto& [denoised, noise, u, noise_u] = w.array;
    evaluate_denoiser(process, model.score, x, t, denoised);
    detail::noise_of(start, x, denoised, noise);
    u = static_cast<S>(middle.scale) * (denoised + static_cast<S>(middle.sigma) * noise);
    evaluate_denoiser(process, model.score, u, middle.t, y);
    detail::noise_of(middle, u, y, noise_u);
    y = static_cast<S>(s) * (denoised + static_cast<S>(start.sigma) * (noise - noise_u) +
                             static_cast<S>(sigma) * noise_u);
  }
};

/// DPM-Solver-3, with stages at c = 1/3 and 2/3:
///
///     u1 = s_1 [D + sigma_1 e]
///     u2 = s_2 [D + sigma_2 e - sigma_2 m(2h/3) / (h/3) (e(u1) - e)]
///     z' =      D + sigma'  e - sigma'  m(h)   / (2h/3) (e(u2) - e),      m(h) = exp(h) - 1 - h
///
/// Converges to  the probability flow.
/// Order         deterministic 3 on [t_min, T].
/// Cost          three denoisers, one in a step from sigma infinite or to 0; no allocation.
/// Ends          at t' = 0 in s' D; starts also where sigma is infinite.
/// Source        Lu et al. (2022), arXiv 2206.00927, algorithm 2.
struct DpmSolver3 {
  static constexpr bool is_sampler = true;
  static constexpr Facts facts =
      detail::flow_facts("dpm-solver-3", "Lu et al. (2022), arXiv 2206.00927, algorithm 2", 3, 3);
  static constexpr EtaRange etas{.min = 0, .max = 0};

  template <State X>
  using Workspace = Scratch<X, 4>;

  /// @copydoc Ddim::step
  template <State X, ModelFor<DpmSolver3, X> P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    const auto& process = model.process;
    const detail::StagePlace start{t, process.scale(t), process.sigma(t)};
    const double s = process.scale(t_next), sigma = process.sigma(t_next);
    if (!std::isfinite(start.sigma) || sigma == 0) {
      detail::step_with_frozen_denoiser(model, x, t, t_next, 0.0, dw, y);
      return;
    }
    const double length = std::log(start.sigma / sigma);
    const auto first = detail::stage_place(process, start.sigma, sigma, 1.0 / 3);
    const auto second = detail::stage_place(process, start.sigma, sigma, 2.0 / 3);
    auto& [denoised, noise, u, noise_u] = w.array;
    evaluate_denoiser(process, model.score, x, t, denoised);
    detail::noise_of(start, x, denoised, noise);
    u = static_cast<S>(first.scale) * (denoised + static_cast<S>(first.sigma) * noise);
    evaluate_denoiser(process, model.score, u, first.t, y);
    detail::noise_of(first, u, y, noise_u);
    const double weight_2 = second.sigma * curvature(2 * length / 3) / (length / 3);
    u = static_cast<S>(second.scale) * (denoised + static_cast<S>(second.sigma) * noise -
                                        static_cast<S>(weight_2) * (noise_u - noise));
    evaluate_denoiser(process, model.score, u, second.t, y);
    detail::noise_of(second, u, y, noise_u);
    const double weight = sigma * curvature(length) / (2 * length / 3);
    y = static_cast<S>(s) *
        (denoised + static_cast<S>(sigma) * noise - static_cast<S>(weight) * (noise_u - noise));
  }

 private:
  /// exp(h) - 1 - h.
  static double curvature(double h) { return detail::exponential_moments<2>(-h)[1]; }
};

/// DPM-Solver++(2S): DDIM's step with the denoiser at the middle of the step in lambda,
///
///     u = s_m [(sigma_m/sigma) z + (1 - sigma_m/sigma) D],      sigma_m = sqrt(sigma sigma')
///     z' = (sigma'/sigma) z + (1 - sigma'/sigma) D(u)
///
/// Converges to  the probability flow.
/// Order         deterministic 2 on [t_min, T].
/// Cost          two denoisers, one in a step from sigma infinite or to 0; no allocation.
/// Ends          at t' = 0 in s' D; starts also where sigma is infinite.
/// Source        Lu et al. (2022), arXiv 2211.01095, algorithm 1 with r = 1/2.
struct DpmSolverPlusPlus2S {
  static constexpr bool is_sampler = true;
  static constexpr Facts facts =
      detail::flow_facts("dpm++2s", "Lu et al. (2022), arXiv 2211.01095, algorithm 1", 2, 2);
  static constexpr EtaRange etas{.min = 0, .max = 0};

  template <State X>
  using Workspace = Scratch<X, 1>;

  /// @copydoc Ddim::step
  template <State X, ModelFor<DpmSolverPlusPlus2S, X> P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    const auto& process = model.process;
    const double sigma_start = process.sigma(t), std_start = process.std(t);
    const double sigma = process.sigma(t_next);
    if (!std::isfinite(sigma_start) || sigma == 0) {
      detail::step_with_frozen_denoiser(model, x, t, t_next, 0.0, dw, y);
      return;
    }
    const auto middle = detail::stage_place(process, sigma_start, sigma, 0.5);
    X& u = w[0];
    evaluate_denoiser(process, model.score, x, t, y);
    u = static_cast<S>(middle.scale * middle.sigma / std_start) * x +
        static_cast<S>(middle.scale * (1 - middle.sigma / sigma_start)) * y;
    evaluate_denoiser(process, model.score, u, middle.t, y);
    y = static_cast<S>(process.std(t_next) / std_start) * x +
        static_cast<S>(process.scale(t_next) * (1 - sigma / sigma_start)) * y;
  }
};

}  // namespace fokker
