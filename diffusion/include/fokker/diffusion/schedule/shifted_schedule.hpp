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
#include <fokker/diffusion/schedule/schedules.hpp>
#include <fokker/solvers/support/checks.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

/// The schedule C at the time u(t) where its noise is sigma_new(t) = factor sigma(t)^power: the
/// same process on another clock, with power ln SNR - 2 ln(factor) for ln SNR. Three shifts in use
/// are special cases:
///
///     high resolution   ln SNR + 2 ln(64/d)             any C, factor = d/64
///     flow shift k      u = k t/(1 + (k - 1) t)         C = FlowMatching, factor = k
///     dynamic shift mu  u = e^mu/(e^mu + (1/t - 1)^a)   C = FlowMatching, factor = e^mu, power = a
///
/// It ends where C ends: at the T of C, or before it where sigma_new reaches C's largest noise. It
/// starts from the data as C does; with power < 1 its drift is infinite at t = 0. Rates are those
/// of C times u', whose limit at t = 0 is taken at t = 1e-18 T.
/// Source: Hoogeboom, Heek & Salimans (2023), arXiv 2301.11093, section 3.1 (resolution); Esser et
///         al. (2024), arXiv 2403.03206 (flow).
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

  AffineCoefficients at(Time t) const {
    const AffineCoefficients plain = process.at(t);  // of C at t, not at u(t)
    const double sigma = shifted(plain.sigma), log_sigma_rate = power * plain.log_sigma_rate;
    const AffineCoefficients inner = process.at(inner_time(sigma));
    if (t == 0) {  // the values, and the limits of the rates
      const AffineCoefficients limit = at(1e-18 * process.end_time());
      return {.scale = inner.scale,
              .sigma = sigma,
              .log_scale_rate = limit.log_scale_rate,
              .diffusion = limit.diffusion,
              .std = inner.std,
              .log_sigma_rate = log_sigma_rate,
              .log_std_rate = limit.log_std_rate,
              .denoiser_rate = limit.denoiser_rate};
    }
    // s(u) / s(t) = std(u) / std(t) * sigma(t) / sigma_new(t), which has a limit where s = 0.
    const double scale_ratio = inner.std / plain.std * std::pow(plain.sigma, 1 - power) / factor;
    const double denoiser_rate = power * scale_ratio * plain.denoiser_rate;
    // u' = power (sigma'/sigma)(t) / (sigma'/sigma)(u), through s sigma'/sigma, which has a limit
    // where sigma'/sigma has none.
    const double clock_rate = denoiser_rate / inner.denoiser_rate;
    return {.scale = inner.scale,
            .sigma = sigma,
            .log_scale_rate = times(inner.log_scale_rate, clock_rate),
            .diffusion = inner.std * std::sqrt(2 * log_sigma_rate),
            .std = inner.std,
            .log_sigma_rate = log_sigma_rate,
            .log_std_rate = times(inner.log_std_rate, clock_rate),
            .denoiser_rate = denoiser_rate};
  }
  double frozen_score_weight(Time t, Time t_next) const {
    const auto inner = [&](Time at) { return inner_time(shifted(process.sigma(at))); };
    return process.frozen_score_weight(inner(t), inner(t_next));
  }
  Time time_of_sigma(double value) const {
    return process.time_of_sigma(std::pow(value / factor, 1 / power));
  }
  ScheduleEnds ends() const {
    const ScheduleEnds own = process.schedule.ends();
    const auto outer = [&](Time u) { return std::min(time_of_sigma(process.sigma(u)), own.end); };
    return {outer(own.end), outer(own.sde_start), outer(own.t_min), own.prior_std};
  }

  /// @throws std::invalid_argument  for parameters out of range, or noise of C at t = 0
  void validate() const {
    check_positive("shift", factor);
    check_in("shift", factor, 1e-12, 1e12);
    check_positive({"the power of a shift", "power"}, power);
    if (process.sigma(0) > 0)
      throw std::invalid_argument("a shift needs a schedule with sigma=0 at t=0: " +
                                  std::string(name) + " has sigma=" + text(process.sigma(0)));
  }

 private:
  double shifted(double sigma) const { return factor * std::pow(sigma, power); }

  /// The u with this noise under C.
  Time inner_time(double sigma) const {
    return std::min(process.time_of_sigma(sigma), process.end_time());
  }

  /// A rate of C times u'; 0 also where u' has no limit.
  static double times(double rate, double clock_rate) { return rate == 0 ? 0 : rate * clock_rate; }
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
