#pragma once
/// @file  fokker/diffusion/samplers/seeds.hpp
/// @brief Exponential one-step samplers of one and two stages: SEEDS-1, SEEDS-2, DPM-Solver++ SDE.

#include <fokker/diffusion/samplers/interpolated_denoiser.hpp>

namespace fokker {

namespace detail {

/// In z = x/s a step from sigma to sigma' that freezes what is predicted, at (u, D) with noise
/// `at`: z' = a z + b (u - D) + c D + noise xi.
struct FrozenStep {
  double a, b, c, noise;
};

/// e = (z - D) / sigma frozen.
struct FrozenNoise {
  static FrozenStep step(double sigma, double next, double at, double eta) {
    const double b = -(1 + eta * eta) * (sigma - next) / at;
    return {1, b, 0, eta * std::sqrt((sigma - next) * (sigma + next))};
  }
  /// How much of the variance of the noise comes from the first half, down to sqrt(sigma sigma').
  static double first_half(double sigma, double next, double) { return sigma / (sigma + next); }
};

/// D frozen.
struct FrozenDenoiser {
  static FrozenStep step(double sigma, double next, double, double eta) {
    const double h = std::log(sigma / next), damping = eta * eta * h;
    return {std::exp(-h - damping), 0, -std::expm1(-h - damping),
            next * std::sqrt(-std::expm1(-2 * damping))};
  }
  /// @copydoc FrozenNoise::first_half
  static double first_half(double sigma, double next, double eta) {
    const double q = std::pow(next / sigma, eta * eta);
    return q / (1 + q);
  }
};

/// y = the step of x from (s, sigma) to t_next with what u and D at `at` predict, without noise.
template <class Process, State X>
void frozen_step(const FrozenStep& step, const Process& process, const X& x, Time t, const X& u,
                 const X& denoised, Time at, Time t_next, X& y) {
  using S = typename X::Scalar;
  const double s = process.scale(t_next);
  y = static_cast<S>(s / process.scale(t) * step.a) * x +
      static_cast<S>(s / process.scale(at) * step.b) * u +
      static_cast<S>(s * (step.c - step.b)) * denoised;
}

/// Two stages: to the middle of the step in ln sigma with what is predicted at its start, and from
/// the start with what is predicted there. The noise of the first half is part of the whole's.
template <class Method>
struct ExponentialMidpoint {
  static constexpr bool is_sampler = true;
  static constexpr Facts facts =
      reverse_facts(Method::name, Method::source, {.strong = 1, .weak = 2, .deterministic = 2}, 2,
                    false, {.normals = 1});
  static constexpr EtaRange etas{};

  template <State X>
  using Workspace = Scratch<X, 2>;

  /// @throws std::invalid_argument  for an eta that it is not defined for
  void check(const DiffusionModel auto& model) const { require_eta(facts.name, etas, model.eta); }

  /// @copydoc Ddim::step
  template <State X, ModelFor<ExponentialMidpoint, X> P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    using Frozen = typename Method::Frozen;
    const double eta = model.eta;
    const auto& process = model.process;
    const double sigma = process.sigma(t), next = process.sigma(t_next);
    auto& [middle, denoised] = w.array;
    evaluate_denoiser(process, model.score, x, t, denoised);
    if (!(next > 0)) {
      y = static_cast<S>(process.scale(t_next)) * denoised;
      return;
    }
    const double half = std::sqrt(sigma * next);
    const Time t_half = process.time_of_sigma(half);
    const FrozenStep first = Frozen::step(sigma, half, sigma, eta);
    const FrozenStep whole = Frozen::step(sigma, next, half, eta);
    frozen_step(first, process, x, t, x, denoised, t, t_half, middle);
    const double share = Frozen::first_half(sigma, next, eta);
    const double noise = process.scale(t_half) * first.noise;
    add_noise<P>(noise * std::sqrt(share), t - t_next, dw, middle);
    middle += static_cast<S>(noise * std::sqrt(1 - share)) * dw.normals;
    evaluate_denoiser(process, model.score, middle, t_half, denoised);
    frozen_step(whole, process, x, t, middle, denoised, t_half, t_next, y);
    add_noise<P>(process.scale(t_next) * whole.noise, t - t_next, dw, y);
  }
};

struct Seeds2Method {
  static constexpr std::string_view name = "seeds-2";
  static constexpr std::string_view source = "Gonzalez et al. (2023), arXiv 2305.14267, SEEDS-2";
  using Frozen = FrozenNoise;
};

struct DpmSolverPlusPlusSdeMethod {
  static constexpr std::string_view name = "dpm++2s-sde";
  static constexpr std::string_view source =
      "Lu et al. (2022), arXiv 2211.01095; Gonzalez et al. (2023), arXiv 2305.14267, data "
      "prediction";
  using Frozen = FrozenDenoiser;
};

}  // namespace detail

/// SEEDS-1: the predicted noise e = (x - s D)/std frozen,
///
///     x' = (s'/s) x - (1 + eta^2) s' (sigma - sigma') e + eta s' sqrt(sigma^2 - sigma'^2) xi
///
/// Published for eta = 1. Freezing D instead is DpmSolverPlusPlus1Sde.
///
/// Converges to  the reverse SDE with its eta.
/// Order         strong 1 (additive noise), weak 1, deterministic 1, for e smooth on [t_min, T].
/// Cost          one denoiser; no allocation.
/// Ends          at t' = 0 in s' D.
/// Source        Gonzalez et al. (2023), arXiv 2305.14267, SEEDS-1.
struct Seeds1 {
  static constexpr bool is_sampler = true;
  static constexpr Facts facts =
      detail::reverse_facts("seeds-1", "Gonzalez et al. (2023), arXiv 2305.14267, SEEDS-1",
                            {.strong = 1, .weak = 1, .deterministic = 1}, 1);
  static constexpr EtaRange etas{};

  template <State X>
  using Workspace = Scratch<X, 1>;

  /// @throws std::invalid_argument  for an eta that it is not defined for
  void check(const DiffusionModel auto& model) const {
    detail::require_eta(facts.name, etas, model.eta);
  }

  /// @copydoc Ddim::step
  template <State X, ModelFor<Seeds1, X> P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    const double eta = model.eta;
    const auto& process = model.process;
    const double sigma = process.sigma(t), next = process.sigma(t_next);
    X& denoised = w[0];
    evaluate_denoiser(process, model.score, x, t, denoised);
    if (!(next > 0)) {
      y = static_cast<typename X::Scalar>(process.scale(t_next)) * denoised;
      return;
    }
    const auto step = detail::FrozenNoise::step(sigma, next, sigma, eta);
    frozen_step(step, process, x, t, x, denoised, t, t_next, y);
    detail::add_noise<P>(process.scale(t_next) * step.noise, t - t_next, dw, y);
  }
};

/// SEEDS-2: to sigma_m = sqrt(sigma sigma') as SEEDS-1 does, and the whole step with e there,
///
///     z_m = z - a (sigma - sigma_m) e + eta sqrt(sigma^2 - sigma_m^2) xi_1
///     z'  = z - a (sigma - sigma') e_m
///           + eta [sqrt(sigma^2 - sigma_m^2) xi_1 + sqrt(sigma_m^2 - sigma'^2) xi_2],
///
/// a = 1 + eta^2. Both noises together are the Wiener increment of the step, which is split by one
/// normal more.
///
/// Converges to  the reverse SDE with its eta.
/// Order         strong 1, weak 2, deterministic 2, for e smooth on [t_min, T]; starts where sigma
///               is finite.
/// Cost          two denoisers, one in a step to sigma = 0; no allocation.
/// Ends          at t' = 0 in s' D.
/// Source        Gonzalez et al. (2023), arXiv 2305.14267, SEEDS-2 (c_2 = 1/2), for eta = 1.
using Seeds2 = detail::ExponentialMidpoint<detail::Seeds2Method>;

/// DPM-Solver++ SDE of two stages: as Seeds2, with D frozen in place of e:
///
///     z_m = r z + (1 - r) D + noise_1,         r = (sigma_m / sigma)^(1 + eta^2)
///     z'  = r^2 z + (1 - r^2) D_m + noise
///
/// with the noise of the reverse SDE. k-diffusion's `dpmpp_sde` takes for other eta than 0 and 1
/// the noise of DDIM, and only in the limit this one's.
///
/// The rest      as for Seeds2; exact for data at one point.
/// Source        Lu et al. (2022), arXiv 2211.01095; SEEDS-2 with data prediction in Gonzalez et
///               al. (2023), arXiv 2305.14267.
using DpmSolverPlusPlusSde = detail::ExponentialMidpoint<detail::DpmSolverPlusPlusSdeMethod>;

}  // namespace fokker
