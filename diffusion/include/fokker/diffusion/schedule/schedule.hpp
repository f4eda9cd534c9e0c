#pragma once
/// @file  fokker/diffusion/schedule/schedule.hpp
/// @brief Noise schedules: coefficients at a time, and the two ends of the time axis.
///
/// A schedule defines one-step noising, x_t = s(t) (x0 + sigma(t) eps) with eps ~ N(0, I), and with
/// it the forward process dx = (s'/s) x dt + g dw, g^2 = 2 s^2 sigma sigma'. It is any object with
///
///     at(t)    the AffineCoefficients at time t
///     ends()   the ScheduleEnds: end time, default start and end of reverse time
///
/// and, where a form exists that is exact or better conditioned than what `AffineProcess` derives,
///
///     time_of_sigma(sigma)             the t with this sigma
///     frozen_score_weight(t, t_next)   s(t_next) * integral of s d(sigma^2) from t_next up to t
///     validate()                       throws std::invalid_argument for parameters out of range
///
/// Times lie in [0, T]; outside, the formulas are continued or give nan. Limits: sigma' / sigma is
/// infinite where sigma(0) = 0, and std(0) = 0 there, so a score at t = 0 exists only for data with
/// a smooth density.

#include <concepts>
#include <functional>
#include <optional>

#include <fokker/solvers/core/state.hpp>

namespace fokker {

/// The coefficients of a forward process at one time. Four are required; a schedule gives the
/// others where it knows a form that is exact at the ends, and they are derived where it does not.
struct AffineCoefficients {
  double scale;                ///< s
  double sigma;                ///< noise over data; may be infinite at T
  double log_scale_rate;       ///< s'/s, so that the drift is log_scale_rate x
  double diffusion;            ///< g
  double std = scale * sigma;  ///< standard deviation of x_t given x_0
  double log_sigma_rate = 0.5 * (diffusion / std) * (diffusion / std);  ///< sigma'/sigma
  double log_std_rate = log_scale_rate + log_sigma_rate;                ///< std'/std
  double denoiser_rate = scale * log_sigma_rate;                        ///< s sigma'/sigma
};

/// The two ends of a schedule, from the data at t = 0 to the noise at t = T.
struct ScheduleEnds {
  Time end;                 ///< T
  Time sde_start = end;     ///< default start of a reverse SDE; below T where g(T) is infinite
  Time t_min = 1e-3 * end;  ///< default end of reverse time
  std::optional<double> prior_std = {};  ///< std of the normal law assumed of x at the start; by
                                         ///< default that of the noise there
};

/// The requirements of `AffineProcess` on a schedule.
template <class C>
concept Schedule = requires(const C& c, Time t) {
  { c.at(t) } -> std::convertible_to<AffineCoefficients>;
  { c.ends() } -> std::convertible_to<ScheduleEnds>;
};

namespace detail {

/// @throws std::invalid_argument  unless 0 <= t_min <= sde_start <= end, and scale and sigma at
///                                sde_start and their squares are finite and positive; sigma may be
///                                infinite, and the scale 0, where sde_start is the end
void require_noise(const ScheduleEnds& ends, const AffineCoefficients& start);

/// The integral of f over [a, b] by adaptive Gauss-Kronrod quadrature, to 1e-12 of that of |f|.
double integral(const std::function<double(double)>& f, double a, double b);

/// The t in [low, high] with f(t) = value for an increasing f, to the last bits; an end if the
/// value lies beyond it. f(high) may be infinite.
/// Source: Alefeld, Potra & Shi (1995), algorithm 748.
double invert_increasing(const std::function<double(double)>& f, double value, double low,
                         double high);

}  // namespace detail

}  // namespace fokker
