#pragma once
/// @file  fokker/diffusion/schedule/affine_process.hpp
/// @brief The forward process of a diffusion model: x_t = s(t) (x0 + sigma(t) eps).

#include <cmath>
#include <concepts>
#include <utility>

#include <fokker/diffusion/schedule/schedules.hpp>
#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/noise/initial.hpp>

namespace fokker {

/// N(0, std^2 I): an InitialLaw. `d` < 0 leaves the dimension to the process.
struct IsotropicNormal {
  double std = 1;
  Index d = -1;

  Index dimension() const { return d; }
  template <State X>
  void sample(PathRandom& random, X& x) const {
    random.normal(x);
    x *= static_cast<typename X::Scalar>(std);
  }
};

/// The forward process of a noise schedule, from the data at t = 0 to noise at t = T:
///
///     dx = (s'/s) x dt + g dw   (Ito, additive noise),   x_t | x_0 ~ N(s x_0, s^2 sigma^2 I)
///
/// It is a process for the solvers of this library, upwards in time, and the one place where the
/// coefficients of the reverse SDE, the probability flow and the samplers come from. States are d x
/// n for any d. Write `AffineProcess vp{VariancePreserving{.beta_min = 0.1, .beta_max = 20}}`.
/// Source: Karras et al. (2022), arXiv 2206.00364, appendix B; Song et al. (2021), arXiv
/// 2011.13456.
template <Schedule C>
class AffineProcess {
 public:
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr NoiseKind noise = NoiseKind::additive;

  C schedule;

  /// @throws std::invalid_argument  if the parameters of the schedule make no sense
  AffineProcess(C c) : schedule(std::move(c)) {
    if constexpr (requires { schedule.validate(); }) schedule.validate();
    // Without a start of its own for the SDE, sigma may be infinite at the end.
    constexpr bool has_start = requires { schedule.sde_start(); };
    detail::require_noise(end_time(), t_min(), sde_start(), scale(sde_start()), sigma(sde_start()),
                          has_start);
  }

  /// (s'/s) x, an expression over x.
  template <State X>
  auto drift(const X& x, Time t) const {
    return static_cast<typename X::Scalar>(log_scale_rate(t)) * x;
  }
  double diffusion(Time t) const { return schedule.diffusion(t); }  ///< g(t)

  double scale(Time t) const { return schedule.scale(t); }  ///< s(t)
  double sigma(Time t) const { return schedule.sigma(t); }  ///< noise over data; std / s

  /// s sigma, the standard deviation of x_t given x_0.
  double std(Time t) const {
    if constexpr (requires { schedule.std(t); })
      return schedule.std(t);
    else
      return scale(t) * sigma(t);
  }

  /// ln(s^2 / std^2) = -2 ln sigma.
  double log_snr(Time t) const { return -2 * std::log(sigma(t)); }

  double log_scale_rate(Time t) const { return schedule.log_scale_rate(t); }  ///< s'/s

  /// sigma'/sigma.
  double log_sigma_rate(Time t) const {
    if constexpr (requires { schedule.log_sigma_rate(t); }) {
      return schedule.log_sigma_rate(t);
    } else {
      const double g_over_std = diffusion(t) / std(t);
      return 0.5 * g_over_std * g_over_std;
    }
  }

  /// std'/std.
  double log_std_rate(Time t) const {
    if constexpr (requires { schedule.log_std_rate(t); })
      return schedule.log_std_rate(t);
    else
      return log_scale_rate(t) + log_sigma_rate(t);
  }

  /// s sigma'/sigma: the flow is dx/dt = log_std_rate x - denoiser_rate D.
  double denoiser_rate(Time t) const {
    if constexpr (requires { schedule.denoiser_rate(t); })
      return schedule.denoiser_rate(t);
    else
      return scale(t) * log_sigma_rate(t);
  }

  /// s(t_next) * integral of s d(sigma^2) from t_next up to t > t_next: what a score of x that is
  /// frozen over the step is multiplied by, times (1 + eta^2)/2. Otherwise by d(sigma^2) = (g/s)^2
  /// dt.
  double frozen_score_weight(Time t, Time t_next) const {
    if constexpr (requires { schedule.frozen_score_weight(t, t_next); }) {
      return schedule.frozen_score_weight(t, t_next);
    } else {
      const auto weight = [&](Time u) { return diffusion(u) * diffusion(u) / scale(u); };
      return scale(t_next) * detail::integral(weight, t_next, t);
    }
  }

  /// The t in [0, T] with this sigma; sigma must be one of the process's.
  Time time_of_sigma(double value) const {
    if constexpr (requires { schedule.time_of_sigma(value); })
      return schedule.time_of_sigma(value);
    else
      return detail::invert_increasing([&](Time t) { return sigma(t); }, value, 0, end_time());
  }

  Time end_time() const { return schedule.end_time(); }  ///< T

  /// Where a reverse SDE starts by default: T, or a little before where g(T) is infinite.
  Time sde_start() const {
    if constexpr (requires { schedule.sde_start(); })
      return schedule.sde_start();
    else
      return end_time();
  }

  /// Where the way back stops by default.
  Time t_min() const {
    if constexpr (requires { schedule.t_min(); })
      return schedule.t_min();
    else
      return 1e-3 * end_time();
  }

  /// N(0, prior_std^2 I), which x at time `start` is taken to have; d < 0: of the process that
  /// starts.
  IsotropicNormal prior_at(Time start, Index d = -1) const { return {prior_std(start), d}; }
  IsotropicNormal prior(Index d = -1) const { return prior_at(end_time(), d); }  ///< at T
  double prior_std(Time start) const {
    if constexpr (requires { schedule.prior_std(start); })
      return schedule.prior_std(start);
    else
      return std(start);
  }

  /// One-step noising s x0 + std eps, an expression over both d x n arrays; eps ~ N(0, I).
  template <State X>
  auto noised(const X& x0, Time t, const X& eps) const {
    using S = typename X::Scalar;
    return static_cast<S>(scale(t)) * x0 + static_cast<S>(std(t)) * eps;
  }
};

}  // namespace fokker
