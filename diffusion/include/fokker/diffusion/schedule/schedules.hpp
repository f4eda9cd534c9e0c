#pragma once
/// @file  fokker/diffusion/schedule/schedules.hpp
/// @brief Noise schedules: how fast data are scaled down and drowned in noise.
///
/// A schedule gives the law of one-step noising, x_t = s(t) (x0 + sigma(t) eps) with eps ~ N(0, I),
/// and with it the forward process dx = (s'/s) x dt + g dw, g^2 = 2 s^2 sigma sigma'. It is any
/// object with
///
///     scale(t)           s(t)
///     sigma(t)           sigma(t), the noise over the data; may be infinite at the end
///     log_scale_rate(t)  s'(t) / s(t), so that the drift is log_scale_rate(t) x
///     diffusion(t)       g(t)
///     end_time()         T: t runs from 0, the data, to T, the noise
///
/// and, where a form exists that is exact or better conditioned than what `AffineProcess` derives,
///
///     std(t)                 s sigma
///     log_sigma_rate(t)      sigma' / sigma
///     log_std_rate(t)        (s sigma)' / (s sigma)
///     denoiser_rate(t)       s sigma' / sigma
///     time_of_sigma(sigma)   the t with this sigma
///     frozen_score_weight(t, t_next)   s(t_next) * integral of s d(sigma^2) from t_next up to t
///     t_min()                where the way back stops by default
///     sde_start()            where a reverse SDE starts by default
///     prior_std(start)       std of the normal law that x at `start` is taken to have
///     validate()             throws std::invalid_argument if the parameters make no sense
///
/// Times lie in [0, T]; outside, the formulas are continued or give nan. Limits: sigma' / sigma is
/// infinite where sigma(0) = 0, and std(0) = 0 there, so a score at t = 0 exists only for data with
/// a smooth density.

#include <concepts>
#include <functional>
#include <string_view>

#include <fokker/solvers/core/state.hpp>

namespace fokker {

/// What `AffineProcess` asks of a schedule.
template <class C>
concept Schedule = requires(const C& c, Time t) {
  { c.scale(t) } -> std::convertible_to<double>;
  { c.sigma(t) } -> std::convertible_to<double>;
  { c.log_scale_rate(t) } -> std::convertible_to<double>;
  { c.diffusion(t) } -> std::convertible_to<double>;
  { c.end_time() } -> std::convertible_to<Time>;
};

namespace detail {

/// @throws std::invalid_argument  unless 0 <= t_min <= start <= end and the scale and the noise at
/// the
///         start are numbers whose squares are numbers; unless finite_at_start, the noise may be
///         infinite and the scale 0
void require_noise(Time end, Time t_min, Time start, double scale, double sigma,
                   bool finite_at_start);

/// The integral of f over [a, b] by adaptive Gauss-Kronrod quadrature, to 1e-12 of that of |f|.
double integral(const std::function<double(double)>& f, double a, double b);

/// The t in [low, high] with f(t) = value for an increasing f, to the last bits; an end if the
/// value lies beyond it. f(high) may be infinite. Source: Alefeld, Potra & Shi (1995), algorithm
/// 748.
double invert_increasing(const std::function<double(double)>& f, double value, double low,
                         double high);

/// beta(t) = low + (high - low) t on [0, 1] and its integral B(t).
struct LinearBeta {
  double low, high;

  double rate(Time t) const { return low + (high - low) * t; }
  double integral(Time t) const { return t * (low + 0.5 * (high - low) * t); }
  Time time_of_integral(double b) const;
  void validate() const;
};

/// What every variance preserving schedule, s^2 + std^2 = 1, has at a time with this beta and this
/// integral B of beta: s = exp(-B/2), sigma^2 = exp(B) - 1.
struct VariancePreservingForm {
  double beta, integral;

  double scale() const;
  double sigma() const;
  double std() const;
  double log_scale_rate() const { return -0.5 * beta; }
  double log_sigma_rate() const;
  double log_std_rate() const;
  double diffusion() const;
  /// From here down to `next`.
  double frozen_score_weight(const VariancePreservingForm& next) const;
  /// B where sigma is this.
  static double integral_of_sigma(double sigma);
};

}  // namespace detail

/// Variance preserving: dx = -1/2 beta x dt + sqrt(beta) dw, beta(t) = beta_min + (beta_max -
/// beta_min) t on [0, 1]; s = exp(-B/2), sigma^2 = exp(B) - 1 with B the integral of beta. Source:
/// Song et al. (2021), arXiv 2011.13456, section 3.4, appendix C; Ho, Jain & Abbeel (2020).
struct VariancePreserving {
  static constexpr std::string_view name = "vp";
  double beta_min = 0.1;
  double beta_max = 20;

  double scale(Time t) const;
  double sigma(Time t) const;
  double std(Time t) const;
  double log_scale_rate(Time t) const;
  double log_sigma_rate(Time t) const;
  double log_std_rate(Time t) const;
  double diffusion(Time t) const;
  double frozen_score_weight(Time t, Time t_next) const;
  Time time_of_sigma(double sigma) const;
  Time end_time() const { return 1; }
  Time t_min() const { return 1e-3; }
  double prior_std(Time) const { return 1; }
  void validate() const;

 private:
  detail::LinearBeta beta() const { return {beta_min, beta_max}; }
  detail::VariancePreservingForm at(Time t) const { return {beta().rate(t), beta().integral(t)}; }
};

/// Variance preserving with s^2 = c(t)/c(0), c = cos^2(pi/2 (t + 0.008) / 1.008), on [0, end]. The
/// cap of 0.999 on the beta of 1000 discrete steps is beta(t) <= 999 here; `end` must come before
/// it binds. Source: Nichol & Dhariwal (2021), arXiv 2102.09672, section 3.2; end = 0.9946: Lu et
/// al. (2022), arXiv 2206.00927, appendix D.
struct CosineVariancePreserving {
  static constexpr std::string_view name = "vp-cosine";
  double end = 0.9946;

  double scale(Time t) const;
  double sigma(Time t) const;
  double std(Time t) const;
  double log_scale_rate(Time t) const;
  double log_sigma_rate(Time t) const;
  double log_std_rate(Time t) const;
  double diffusion(Time t) const;
  double frozen_score_weight(Time t, Time t_next) const;
  Time time_of_sigma(double sigma) const;
  Time end_time() const { return end; }
  Time t_min() const { return 1e-3; }
  double prior_std(Time) const { return 1; }
  void validate() const;
};

/// Sub-variance preserving: the drift of `VariancePreserving` with g^2 = beta (1 - exp(-2B)), so
/// that std = 1 - exp(-B); s = exp(-B/2), sigma = 2 sinh(B/2). Source: Song et al. (2021), arXiv
/// 2011.13456, section 3.4, appendix C.
struct SubVariancePreserving {
  static constexpr std::string_view name = "sub-vp";
  double beta_min = 0.1;
  double beta_max = 20;

  double scale(Time t) const;
  double sigma(Time t) const;
  double std(Time t) const;
  double log_scale_rate(Time t) const;
  double log_sigma_rate(Time t) const;
  double log_std_rate(Time t) const;
  double diffusion(Time t) const;
  double frozen_score_weight(Time t, Time t_next) const;
  Time time_of_sigma(double sigma) const;
  Time end_time() const { return 1; }
  Time t_min() const { return 1e-3; }
  double prior_std(Time) const { return 1; }
  void validate() const;

 private:
  detail::LinearBeta beta() const { return {beta_min, beta_max}; }
};

/// Variance exploding: dx = g dw on [0, 1], g = sigma_min r^t sqrt(2 ln r), r = sigma_max /
/// sigma_min. `exact` has the variance that this equation gives from x0 at t = 0, sigma^2 =
/// sigma_min^2 (r^(2t) - 1); `song` has sigma = sigma_min r^t, the noise of sigma_min being there
/// at t = 0 already. Source: Song et al. (2021), arXiv 2011.13456, section 3.4, appendix C; Song &
/// Ermon (2019), SMLD.
struct VarianceExploding {
  static constexpr std::string_view name = "ve";
  /// The exact variance from t = 0, or that of Song et al.
  enum class Variance { exact, song };
  double sigma_min = 0.01;
  double sigma_max = 50;
  Variance variance = Variance::exact;

  double scale(Time) const { return 1; }
  double sigma(Time t) const;
  double log_scale_rate(Time) const { return 0; }
  double log_sigma_rate(Time t) const;
  double diffusion(Time t) const;
  double frozen_score_weight(Time t, Time t_next) const;
  Time time_of_sigma(double sigma) const;
  Time end_time() const { return 1; }
  Time t_min() const { return 1e-5; }
  void validate() const;
};

/// EDM: time is the noise, s = 1, sigma = t on [0, sigma_max]: dx = sqrt(2t) dw.
/// Source: Karras et al. (2022), arXiv 2206.00364, table 1.
struct Edm {
  static constexpr std::string_view name = "edm";
  double sigma_min = 0.002;  ///< where the way back stops by default
  double sigma_max = 80;

  double scale(Time) const { return 1; }
  double sigma(Time t) const { return t; }
  double log_scale_rate(Time) const { return 0; }
  double log_sigma_rate(Time t) const { return 1 / t; }
  double diffusion(Time t) const;
  double frozen_score_weight(Time t, Time t_next) const { return (t - t_next) * (t + t_next); }
  Time time_of_sigma(double sigma) const { return sigma; }
  Time end_time() const { return sigma_max; }
  Time t_min() const { return sigma_min; }
  void validate() const;
};

/// Flow matching, or rectified flow: x_t = (1 - t) x0 + t eps on [0, 1]: s = 1 - t, sigma = t/(1 -
/// t), std = t, f = -x/(1 - t), g^2 = 2t/(1 - t). Both coefficients are singular at t = 1, where
/// sigma is infinite: a reverse SDE starts at 0.999 by default, from N(0, t^2 I); the probability
/// flow, whose velocity is (x - D)/t, may start at 1. Source: Lipman et al. (2023), arXiv
/// 2210.02747; Liu, Gong & Liu (2023), arXiv 2209.03003.
struct FlowMatching {
  static constexpr std::string_view name = "flow";

  double scale(Time t) const { return 1 - t; }
  double sigma(Time t) const { return t / (1 - t); }
  double std(Time t) const { return t; }
  double log_scale_rate(Time t) const { return -1 / (1 - t); }
  double log_sigma_rate(Time t) const { return 1 / (t * (1 - t)); }
  double log_std_rate(Time t) const { return 1 / t; }
  double denoiser_rate(Time t) const { return 1 / t; }
  double diffusion(Time t) const;
  double frozen_score_weight(Time t, Time t_next) const;
  Time time_of_sigma(double sigma) const;
  Time end_time() const { return 1; }
  Time sde_start() const { return 0.999; }
  Time t_min() const { return 1e-3; }
};

/// Polynomial paths of flow matching: x_t = (1 - t)^n x0 + (1 - (1 - t)^n) eps on [0, 1], flow
/// matching at the time 1 - (1 - t)^n; n = 1 is `FlowMatching`. s = (1 - t)^n, sigma = (1 - t)^-n
/// - 1, g^2 = 2n (1 - (1 - t)^n)/(1 - t). Singular at t = 1 as flow matching is; for n > 1 the
/// velocity of the flow vanishes there. Source: Lipman et al. (2024), arXiv 2412.06264, whose clock
/// is 1 - t (alpha = t^n).
struct PolynomialFlow {
  static constexpr std::string_view name = "polynomial";
  double n = 2;

  double scale(Time t) const;
  double sigma(Time t) const;
  double std(Time t) const;
  double log_scale_rate(Time t) const { return -n / (1 - t); }
  double log_sigma_rate(Time t) const;
  double log_std_rate(Time t) const;
  double denoiser_rate(Time t) const { return log_std_rate(t); }
  double diffusion(Time t) const;
  double frozen_score_weight(Time t, Time t_next) const;
  Time time_of_sigma(double sigma) const;
  Time end_time() const { return 1; }
  Time sde_start() const { return 0.999; }
  Time t_min() const { return 1e-3; }
  void validate() const;
};

/// The variance preserving process whose scale falls linearly: s = 1 - t, std = sqrt(1 - (1 - t)^2)
/// on [0, 1]; sigma^2 = (1 - t)^-2 - 1, g^2 = 2/(1 - t). Singular at t = 1 as flow matching is.
/// Source: Lipman et al. (2024), arXiv 2412.06264, whose clock is 1 - t (alpha = t).
struct LinearVariancePreserving {
  static constexpr std::string_view name = "linear-vp";

  double scale(Time t) const { return 1 - t; }
  double sigma(Time t) const { return std(t) / (1 - t); }
  double std(Time t) const;
  double log_scale_rate(Time t) const { return -1 / (1 - t); }
  double log_sigma_rate(Time t) const { return 1 / ((1 - t) * t * (2 - t)); }
  double log_std_rate(Time t) const { return (1 - t) / (t * (2 - t)); }
  double denoiser_rate(Time t) const { return 1 / (t * (2 - t)); }
  double diffusion(Time t) const;
  double frozen_score_weight(Time t, Time t_next) const { return 2 * (t - t_next) / (1 - t); }
  Time time_of_sigma(double sigma) const;
  Time end_time() const { return 1; }
  Time sde_start() const { return 0.999; }
  Time t_min() const { return 1e-3; }
  double prior_std(Time) const { return 1; }
};

/// The variance preserving process on a quarter of a circle at even speed, "GVP": s = cos(pi t/2),
/// std = sin(pi t/2), sigma = tan(pi t/2) on [0, 1], g^2 = pi tan(pi t/2). Singular at t = 1 as
/// flow matching is. Source: Albergo & Vanden-Eijnden (2023), arXiv 2209.15571; Ma et al. (2024),
/// arXiv 2401.08740.
struct TrigonometricVariancePreserving {
  static constexpr std::string_view name = "gvp";

  double scale(Time t) const;
  double sigma(Time t) const;
  double std(Time t) const;
  double log_scale_rate(Time t) const;
  double log_sigma_rate(Time t) const;
  double log_std_rate(Time t) const;
  double denoiser_rate(Time t) const;
  double diffusion(Time t) const;
  double frozen_score_weight(Time t, Time t_next) const;
  Time time_of_sigma(double sigma) const;
  Time end_time() const { return 1; }
  Time sde_start() const { return 0.999; }
  Time t_min() const { return 1e-3; }
  double prior_std(Time) const { return 1; }
};

/// The stochastic interpolant x_t = (1 - t) x0 + t x1 + gamma(t) z on [0, 1] from the data x0 to x1
/// ~ N(0, I), z ~ N(0, I). As x1 is normal, t x1 + gamma z is normal too: the path has the
/// marginals of the affine process with s = 1 - t and std^2 = t^2 + gamma^2, which is all that flow
/// and reverse SDE see. `root`: gamma^2 = t (1 - t), so that std = sqrt(t), sigma = sqrt(t)/(1 - t)
/// and g^2 = (1 + t)/(1 - t). `sine`: gamma = sin^2(pi t). Singular at t = 1 as flow matching is.
/// Source: Albergo, Boffi & Vanden-Eijnden (2023), arXiv 2303.08797.
struct StochasticInterpolant {
  static constexpr std::string_view name = "interpolant";
  /// Form of gamma.
  enum class Gamma { root, sine };
  Gamma gamma = Gamma::root;

  double scale(Time t) const { return 1 - t; }
  double sigma(Time t) const { return std(t) / (1 - t); }
  double std(Time t) const;
  double log_scale_rate(Time t) const { return -1 / (1 - t); }
  double log_sigma_rate(Time t) const { return log_std_rate(t) + 1 / (1 - t); }
  double log_std_rate(Time t) const;
  double denoiser_rate(Time t) const { return (1 - t) * log_std_rate(t) + 1; }
  double diffusion(Time t) const;
  Time time_of_sigma(double sigma) const;
  Time end_time() const { return 1; }
  Time sde_start() const { return 0.999; }
  Time t_min() const { return 1e-3; }

 private:
  double half_variance_rate(Time t) const;  // std std'
};

}  // namespace fokker
