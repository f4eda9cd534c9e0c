#pragma once
/// @file  fokker/diffusion/schedule/shifted_schedule.hpp
/// @brief A schedule on another clock: its log-SNR shifted, or scaled too.

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <fokker/diffusion/schedule/affine_process.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

/// The schedule C at the time u(t) where its noise is sigma_new(t) = factor sigma(t)^power: the
/// same process on another clock, with power ln SNR - 2 ln(factor) for ln SNR. Three shifts in use
/// are this one:
///
///     high resolution   ln SNR + 2 ln(64/d)             any C, factor = d/64
///     flow shift k      u = k t/(1 + (k - 1) t)         C = FlowMatching, factor = k
///     dynamic shift mu  u = e^mu/(e^mu + (1/t - 1)^a)   C = FlowMatching, factor = e^mu, power = a
///
/// It ends where C ends: at the T of C, or before it where sigma_new reaches C's largest noise. It
/// starts from the data as C does; with power < 1 its drift is infinite at t = 0. Rates are those
/// of C times u', whose limit at t = 0 is taken at t = 1e-18 T. Source: Hoogeboom, Heek & Salimans
/// (2023), arXiv 2301.11093, section 3.1 (resolution); Esser et al. (2024), arXiv 2403.03206
/// (flow).
template <Schedule C>
struct ShiftedSchedule {
  static constexpr std::string_view name = [] {
    if constexpr (requires { C::name; })
      return std::string_view(C::name);
    else
      return std::string_view("custom");
  }();

  AffineProcess<C> process;  ///< C on its own clock
  double factor = 1;
  double power = 1;

  double scale(Time t) const { return process.scale(inner(t)); }
  double sigma(Time t) const { return factor * std::pow(process.sigma(t), power); }
  double std(Time t) const { return process.std(inner(t)); }
  double log_sigma_rate(Time t) const { return power * process.log_sigma_rate(t); }

  double log_scale_rate(Time t) const {
    t = off_zero(t);
    return times(process.log_scale_rate(inner(t)), inner_rate(t));
  }
  double log_std_rate(Time t) const {
    t = off_zero(t);
    return times(process.log_std_rate(inner(t)), inner_rate(t));
  }
  double denoiser_rate(Time t) const {
    t = off_zero(t);
    return power * scale_ratio(t) * process.denoiser_rate(t);
  }
  double diffusion(Time t) const {
    t = off_zero(t);
    return std(t) * std::sqrt(2 * log_sigma_rate(t));
  }
  double frozen_score_weight(Time t, Time t_next) const {
    return process.frozen_score_weight(inner(t), inner(t_next));
  }
  Time time_of_sigma(double value) const {
    return process.time_of_sigma(std::pow(value / factor, 1 / power));
  }

  Time end_time() const { return outer(process.end_time()); }
  Time sde_start() const { return outer(process.sde_start()); }
  Time t_min() const { return outer(process.t_min()); }
  double prior_std(Time start) const { return process.prior_std(inner(start)); }

  /// @throws std::invalid_argument  if the parameters make no sense, or C has noise at t = 0
  void validate() const {
    if (!(factor > 0) || !std::isfinite(factor))
      throw std::invalid_argument("shift must be positive and finite: got shift=" + text(factor));
    if (!(factor >= 1e-12 && factor <= 1e12))
      throw std::invalid_argument("shift must lie in [1e-12, 1e12]: got shift=" + text(factor));
    if (!(power > 0) || !std::isfinite(power))
      throw std::invalid_argument("the power of a shift must be positive and finite: got power=" +
                                  text(power));
    if (process.sigma(0) > 0)
      throw std::invalid_argument("a shift needs a schedule with sigma=0 at t=0: " +
                                  std::string(name) + " has sigma=" + text(process.sigma(0)));
  }

 private:
  /// u(t)
  Time inner(Time t) const { return std::min(process.time_of_sigma(sigma(t)), process.end_time()); }

  /// The t with u(t) = u, or the end of C.
  Time outer(Time u) const { return std::min(time_of_sigma(process.sigma(u)), process.end_time()); }

  /// s(u) / s(t) = std(u) / std(t) * sigma(t) / sigma_new(t), which has a limit where s = 0.
  double scale_ratio(Time t) const {
    return std(t) / process.std(t) * std::pow(process.sigma(t), 1 - power) / factor;
  }

  /// u' = power (sigma'/sigma)(t) / (sigma'/sigma)(u), through s sigma'/sigma, which has a limit
  /// where sigma'/sigma has none.
  double inner_rate(Time t) const { return denoiser_rate(t) / process.denoiser_rate(inner(t)); }

  /// A rate of C times u'; 0 also where u' has no limit.
  static double times(double rate, double inner_rate) { return rate == 0 ? 0 : rate * inner_rate; }

  Time off_zero(Time t) const { return t == 0 ? 1e-18 * process.end_time() : t; }
};

template <Schedule C>
ShiftedSchedule(C, double) -> ShiftedSchedule<C>;
template <Schedule C>
ShiftedSchedule(C, double, double) -> ShiftedSchedule<C>;

/// C with ln SNR + 2 ln(base/size): the schedule of images of size x size pixels that has the noise
/// per low-resolution pixel that C has at base x base.
/// @throws std::invalid_argument  see ShiftedSchedule::validate
template <Schedule C>
ShiftedSchedule<C> shifted_for_resolution(C schedule, double size, double base = 64) {
  ShiftedSchedule<C> shifted{std::move(schedule), size / base};
  shifted.validate();
  return shifted;
}

/// Flow matching at the time u = e^mu / (e^mu + (1/t - 1)^power); power 1 and mu = ln k is the
/// shift u = k t / (1 + (k - 1) t).
/// @throws std::invalid_argument  see ShiftedSchedule::validate
inline ShiftedSchedule<FlowMatching> dynamically_shifted_flow(double mu, double power = 1) {
  ShiftedSchedule<FlowMatching> shifted{FlowMatching{}, std::exp(mu), power};
  shifted.validate();
  return shifted;
}

}  // namespace fokker
