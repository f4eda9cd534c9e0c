#pragma once
/// @file  fokker/diffusion/schedule/affine_process.hpp
/// @brief The forward process of a diffusion model: x_t = s(t) (x0 + sigma(t) eps).

#include <cmath>
#include <optional>
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
/// It is a process for the solvers of this library, upwards in time, and the one source of the
/// coefficients of the reverse SDE, the probability flow and the samplers. States are d x n for any
/// d. Write `AffineProcess vp{VariancePreserving{.beta_min = 0.1, .beta_max = 20}}`.
/// Source: Karras et al. (2022), arXiv 2206.00364, appendix B; Song et al. (2021), arXiv 2011.13456.
template <Schedule C>
class AffineProcess {
 public:
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr NoiseKind noise = NoiseKind::additive;

  C schedule;

  /// @throws std::invalid_argument  for parameters of the schedule out of range
  AffineProcess(C c) : schedule(std::move(c)) {
    if constexpr (requires { schedule.validate(); }) schedule.validate();
    detail::require_noise(schedule.ends(), at(sde_start()));
  }

  /// All coefficients at time t; the functions below give one of them.
  AffineCoefficients at(Time t) const { return schedule.at(t); }

  double scale(Time t) const { return at(t).scale; }                ///< s(t)
  double sigma(Time t) const { return at(t).sigma; }                ///< noise over data; std / s
  double std(Time t) const { return at(t).std; }                    ///< s sigma, of x_t given x_0
  double log_snr(Time t) const { return -2 * std::log(sigma(t)); }  ///< ln(s^2 / std^2)
  double log_scale_rate(Time t) const { return at(t).log_scale_rate; }  ///< s'/s
  double log_sigma_rate(Time t) const { return at(t).log_sigma_rate; }  ///< sigma'/sigma
  double log_std_rate(Time t) const { return at(t).log_std_rate; }      ///< std'/std
  /// s sigma'/sigma: the flow is dx/dt = log_std_rate x - denoiser_rate D.
  double denoiser_rate(Time t) const { return at(t).denoiser_rate; }
  double diffusion(Time t) const { return at(t).diffusion; }  ///< g(t)

  /// (s'/s) x, an expression over x.
  template <State X>
  auto drift(const X& x, Time t) const {
    return static_cast<typename X::Scalar>(log_scale_rate(t)) * x;
  }

  /// s(t_next) * integral of s d(sigma^2) from t_next up to t > t_next: (1 + eta^2)/2 times this is
  /// the weight of a score of x that is frozen over the step. By quadrature of d(sigma^2) = (g/s)^2
  /// dt where the schedule has no closed form.
  double frozen_score_weight(Time t, Time t_next) const {
    if constexpr (requires { schedule.frozen_score_weight(t, t_next); }) {
      return schedule.frozen_score_weight(t, t_next);
    } else {
      const auto weight = [&](Time u) {
        const AffineCoefficients c = at(u);
        return c.diffusion * c.diffusion / c.scale;
      };
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

  Time end_time() const { return schedule.ends().end; }         ///< T
  Time sde_start() const { return schedule.ends().sde_start; }  ///< default start of a reverse SDE
  Time t_min() const { return schedule.ends().t_min; }          ///< default end of reverse time

  /// N(0, prior_std^2 I), assumed of x at time `start`; d < 0: the dimension of the process that
  /// starts.
  IsotropicNormal prior_at(Time start, Index d = -1) const { return {prior_std(start), d}; }
  IsotropicNormal prior(Index d = -1) const { return prior_at(end_time(), d); }  ///< at T
  double prior_std(Time start) const {
    const std::optional<double> given = schedule.ends().prior_std;
    return given ? *given : std(start);
  }

  /// One-step noising s x0 + std eps, an expression over both d x n arrays; eps ~ N(0, I).
  template <State X>
  auto noised(const X& x0, Time t, const X& eps) const {
    using S = typename X::Scalar;
    return static_cast<S>(scale(t)) * x0 + static_cast<S>(std(t)) * eps;
  }
};

}  // namespace fokker
