#pragma once
/// @file  fokker/diffusion/schedule/schedules.hpp
/// @brief Noise schedules in closed form.

#include <string_view>

#include <fokker/diffusion/schedule/schedule.hpp>

namespace fokker {

namespace detail {

/// beta(t) = low + (high - low) t on [0, 1] and its integral B(t).
struct LinearBeta {
  double low, high;

  double rate(Time t) const { return low + (high - low) * t; }
  double integral(Time t) const { return t * (low + 0.5 * (high - low) * t); }
  Time time_of_integral(double b) const;
  void validate() const;
};

/// Every variance preserving schedule, s^2 + std^2 = 1, at a time with this beta and this integral
/// B of beta: s = exp(-B/2), sigma^2 = exp(B) - 1.
AffineCoefficients variance_preserving(double beta, double integral);

/// Its frozen_score_weight, from B down to B_next, and the B of a sigma.
double variance_preserving_weight(double integral, double integral_next);
double variance_preserving_integral(double sigma);

}  // namespace detail

/// Variance preserving: dx = -1/2 beta x dt + sqrt(beta) dw on [0, 1] with beta(t) = beta_min +
/// (beta_max - beta_min) t; s = exp(-B/2), sigma^2 = exp(B) - 1 with B the integral of beta.
/// Source: Song et al. (2021), arXiv 2011.13456, section 3.4, appendix C; Ho, Jain & Abbeel (2020).
struct VariancePreserving {
  static constexpr std::string_view name = "vp";
  double beta_min = 0.1;
  double beta_max = 20;

  AffineCoefficients at(Time t) const;
  double frozen_score_weight(Time t, Time t_next) const;
  Time time_of_sigma(double sigma) const;
  ScheduleEnds ends() const { return {.end = 1, .t_min = 1e-3, .prior_std = 1}; }
  void validate() const { beta().validate(); }

 private:
  detail::LinearBeta beta() const { return {beta_min, beta_max}; }
};

/// Variance preserving with s^2 = c(t)/c(0), c = cos^2(pi/2 (t + 0.008) / 1.008), on [0, end]. The
/// cap of 0.999 on the beta of 1000 discrete steps is beta(t) <= 999 here; `end` must come before
/// it binds.
/// Source: Nichol & Dhariwal (2021), arXiv 2102.09672, section 3.2; end = 0.9946: Lu et al. (2022),
///         arXiv 2206.00927, appendix D.
struct CosineVariancePreserving {
  static constexpr std::string_view name = "vp-cosine";
  double end = 0.9946;

  AffineCoefficients at(Time t) const;
  double frozen_score_weight(Time t, Time t_next) const;
  Time time_of_sigma(double sigma) const;
  ScheduleEnds ends() const { return {.end = end, .t_min = 1e-3, .prior_std = 1}; }
  void validate() const;
};

/// Sub-variance preserving: the drift of `VariancePreserving` with g^2 = beta (1 - exp(-2B)), so
/// that std = 1 - exp(-B); s = exp(-B/2), sigma = 2 sinh(B/2).
/// Source: Song et al. (2021), arXiv 2011.13456, section 3.4, appendix C.
struct SubVariancePreserving {
  static constexpr std::string_view name = "sub-vp";
  double beta_min = 0.1;
  double beta_max = 20;

  AffineCoefficients at(Time t) const;
  double frozen_score_weight(Time t, Time t_next) const;
  Time time_of_sigma(double sigma) const;
  ScheduleEnds ends() const { return {.end = 1, .t_min = 1e-3, .prior_std = 1}; }
  void validate() const { beta().validate(); }

 private:
  detail::LinearBeta beta() const { return {beta_min, beta_max}; }
};

/// Variance exploding: dx = g dw on [0, 1], g = sigma_min r^t sqrt(2 ln r), r = sigma_max /
/// sigma_min. `exact` has the variance that this equation gives from x0 at t = 0, sigma^2 =
/// sigma_min^2 (r^(2t) - 1); `song` has sigma = sigma_min r^t, with noise of sigma_min already at
/// t = 0.
/// Source: Song et al. (2021), arXiv 2011.13456, section 3.4, appendix C; Song & Ermon (2019), SMLD.
struct VarianceExploding {
  static constexpr std::string_view name = "ve";
  /// The exact variance from t = 0, or that of Song et al.
  enum class Variance { exact, song };
  double sigma_min = 0.01;
  double sigma_max = 50;
  Variance variance = Variance::exact;

  AffineCoefficients at(Time t) const;
  double frozen_score_weight(Time t, Time t_next) const;
  Time time_of_sigma(double sigma) const;
  ScheduleEnds ends() const { return {.end = 1, .t_min = 1e-5}; }
  void validate() const;
};

/// EDM: time is the noise, s = 1, sigma = t on [0, sigma_max]: dx = sqrt(2t) dw.
/// Source: Karras et al. (2022), arXiv 2206.00364, table 1.
struct Edm {
  static constexpr std::string_view name = "edm";
  double sigma_min = 0.002;  ///< default end of reverse time
  double sigma_max = 80;

  AffineCoefficients at(Time t) const;
  double frozen_score_weight(Time t, Time t_next) const { return (t - t_next) * (t + t_next); }
  Time time_of_sigma(double sigma) const { return sigma; }
  ScheduleEnds ends() const { return {.end = sigma_max, .t_min = sigma_min}; }
  void validate() const;
};

/// Flow matching, or rectified flow: x_t = (1 - t) x0 + t eps on [0, 1]: s = 1 - t, sigma = t/(1 -
/// t), std = t, f = -x/(1 - t), g^2 = 2t/(1 - t). Both coefficients are singular at t = 1, where
/// sigma is infinite: a reverse SDE starts at 0.999 by default, from N(0, t^2 I); the probability
/// flow, whose velocity is (x - D)/t, may start at 1.
/// Source: Lipman et al. (2023), arXiv 2210.02747; Liu, Gong & Liu (2023), arXiv 2209.03003.
struct FlowMatching {
  static constexpr std::string_view name = "flow";

  AffineCoefficients at(Time t) const;
  double frozen_score_weight(Time t, Time t_next) const;
  Time time_of_sigma(double sigma) const;
  ScheduleEnds ends() const { return {.end = 1, .sde_start = 0.999, .t_min = 1e-3}; }
};

/// Polynomial paths of flow matching: x_t = (1 - t)^n x0 + (1 - (1 - t)^n) eps on [0, 1], flow
/// matching at the time 1 - (1 - t)^n; n = 1 is `FlowMatching`. s = (1 - t)^n, sigma = (1 - t)^-n
/// - 1, g^2 = 2n (1 - (1 - t)^n)/(1 - t). Singular at t = 1 as flow matching is; for n > 1 the
/// velocity of the flow vanishes there.
/// Source: Lipman et al. (2024), arXiv 2412.06264, whose clock is 1 - t (alpha = t^n).
struct PolynomialFlow {
  static constexpr std::string_view name = "polynomial";
  double n = 2;

  AffineCoefficients at(Time t) const;
  double frozen_score_weight(Time t, Time t_next) const;
  Time time_of_sigma(double sigma) const;
  ScheduleEnds ends() const { return {.end = 1, .sde_start = 0.999, .t_min = 1e-3}; }
  void validate() const;
};

/// The variance preserving process whose scale falls linearly: s = 1 - t, std = sqrt(1 - (1 - t)^2)
/// on [0, 1]; sigma^2 = (1 - t)^-2 - 1, g^2 = 2/(1 - t). Singular at t = 1 as flow matching is.
/// Source: Lipman et al. (2024), arXiv 2412.06264, whose clock is 1 - t (alpha = t).
struct LinearVariancePreserving {
  static constexpr std::string_view name = "linear-vp";

  AffineCoefficients at(Time t) const;
  double frozen_score_weight(Time t, Time t_next) const { return 2 * (t - t_next) / (1 - t); }
  Time time_of_sigma(double sigma) const;
  ScheduleEnds ends() const {
    return {.end = 1, .sde_start = 0.999, .t_min = 1e-3, .prior_std = 1};
  }
};

/// The variance preserving process on a quarter of a circle at even speed, "GVP": s = cos(pi t/2),
/// std = sin(pi t/2), sigma = tan(pi t/2) on [0, 1], g^2 = pi tan(pi t/2). Singular at t = 1 as
/// flow matching is.
/// Source: Albergo & Vanden-Eijnden (2023), arXiv 2209.15571; Ma et al. (2024), arXiv 2401.08740.
struct TrigonometricVariancePreserving {
  static constexpr std::string_view name = "gvp";

  AffineCoefficients at(Time t) const;
  double frozen_score_weight(Time t, Time t_next) const;
  Time time_of_sigma(double sigma) const;
  ScheduleEnds ends() const {
    return {.end = 1, .sde_start = 0.999, .t_min = 1e-3, .prior_std = 1};
  }
};

/// The stochastic interpolant x_t = (1 - t) x0 + t x1 + gamma(t) z on [0, 1] from the data x0 to x1
/// ~ N(0, I), z ~ N(0, I). As x1 is normal, t x1 + gamma z is normal too: the path has the
/// marginals of the affine process with s = 1 - t and std^2 = t^2 + gamma^2, and flow and reverse
/// SDE depend on nothing else. `root`: gamma^2 = t (1 - t), so that std = sqrt(t), sigma =
/// sqrt(t)/(1 - t) and g^2 = (1 + t)/(1 - t). `sine`: gamma = sin^2(pi t). Singular at t = 1 as
/// flow matching is.
/// Source: Albergo, Boffi & Vanden-Eijnden (2023), arXiv 2303.08797.
struct StochasticInterpolant {
  static constexpr std::string_view name = "interpolant";
  /// Form of gamma.
  enum class Gamma { root, sine };
  Gamma gamma = Gamma::root;

  AffineCoefficients at(Time t) const;
  Time time_of_sigma(double sigma) const;
  ScheduleEnds ends() const { return {.end = 1, .sde_start = 0.999, .t_min = 1e-3}; }
};

}  // namespace fokker
