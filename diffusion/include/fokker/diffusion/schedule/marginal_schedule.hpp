#pragma once
/// @file  fokker/diffusion/schedule/marginal_schedule.hpp
/// @brief The schedule of user-defined s(t) and sigma(t).

#include <algorithm>
#include <cmath>
#include <complex>
#include <concepts>
#include <stdexcept>
#include <utility>

#include <fokker/diffusion/schedule/schedule.hpp>
#include <fokker/solvers/support/checks.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

/// A function of time that also takes complex times: a generic lambda of operations that both
/// double and std::complex<double> have, such as `[](auto t) { using std::exp; return exp(-t); }`.
template <class F>
concept ComplexFunction = requires(const F& f, std::complex<double> z) {
  { f(z) } -> std::convertible_to<std::complex<double>>;
  { f(1.0) } -> std::convertible_to<double>;
};

/// f and its derivative by the complex step f'(t) = Im f(t + ih)/h, h = 1e-20: exact to rounding,
/// as nothing is subtracted, wherever f is analytic (not through abs, max or a comparison of t).
/// Source: Squire & Trapp (1998), Using complex variables to estimate derivatives of real functions.
template <ComplexFunction F>
struct ComplexStep {
  F f;
  double operator()(Time t) const { return f(t); }
  /// Derivative at t.
  double derivative(Time t) const { return std::imag(step(t)) / h; }
  /// (f^2)', also where f = 0 and f' is infinite.
  double derivative_of_square(Time t) const {
    const std::complex<double> z = step(t);
    return std::imag(z * z) / h;
  }

 private:
  static constexpr double h = 1e-20;
  std::complex<double> step(Time t) const { return f(std::complex<double>(t, h)); }
};

/// f and its derivative as given.
template <class F, class Derivative>
struct WithDerivative {
  F f;
  Derivative df;
  double operator()(Time t) const { return f(t); }
  /// Derivative at t.
  double derivative(Time t) const { return df(t); }
  /// Derivative of the square at t.
  double derivative_of_square(Time t) const { return 2 * f(t) * df(t); }
};

/// The schedule with this s and sigma: f = (s'/s) x, g^2 = s^2 (sigma^2)'. The rest follows as in
/// `AffineProcess`; sigma is inverted numerically. Made by `schedule_from_marginals`. Where s(T) =
/// 0 or sigma(T) is infinite, a run starts at 0.999 T.
template <class Scale, class Sigma>
struct MarginalSchedule {
  Scale s;
  Sigma noise;
  Time end = 1;

  AffineCoefficients at(Time t) const {
    const double scale = s(t), sigma = noise(t);
    return {
        .scale = scale,
        .sigma = sigma,
        .log_scale_rate = s.derivative(t) / scale,
        .diffusion = scale * std::sqrt(std::max(noise.derivative_of_square(t), 0.0)),  // -h^2 is 0
        .log_sigma_rate = noise.derivative(t) / sigma};
  }
  ScheduleEnds ends() const {
    return {.end = end, .sde_start = s(end) > 0 && std::isfinite(noise(end)) ? end : 0.999 * end};
  }

  /// @throws std::invalid_argument  unless T > 0, s(0) = 1 and sigma >= 0 never falls; checked at
  ///                                65 times in [0, T]
  void validate() const {
    check_positive("the end time", end);
    if (!(std::abs(s(0) - 1) < 1e-12))
      throw std::invalid_argument("s must be 1 at t=0, the data: got s(0)=" + text(s(0)));
    constexpr int checks = 64;
    double before = 0;
    for (int i = 0; i <= checks; ++i) {
      const Time t = end * i / checks;
      const double now = noise(t);
      if (!(now >= before))
        throw std::invalid_argument("sigma must be at least 0 and never fall: got sigma(" +
                                    text(t) + ")=" + text(now) + " after " + text(before));
      before = now;
    }
  }
};

/// A schedule from s(t) and sigma(t), generic lambdas that take complex times: derivatives are by
/// the complex step.
/// @throws std::invalid_argument  see MarginalSchedule::validate
template <ComplexFunction Scale, ComplexFunction Sigma>
auto schedule_from_marginals(Scale s, Sigma sigma, Time end = 1) {
  MarginalSchedule<ComplexStep<Scale>, ComplexStep<Sigma>> schedule{
      {std::move(s)}, {std::move(sigma)}, end};
  schedule.validate();
  return schedule;
}

/// A schedule from s(t), s'(t), sigma(t) and sigma'(t).
/// @throws std::invalid_argument  see MarginalSchedule::validate
template <class Scale, class ScaleRate, class Sigma, class SigmaRate>
requires(std::invocable<const SigmaRate&, Time>) auto schedule_from_marginals(
    Scale s, ScaleRate s_rate, Sigma sigma, SigmaRate sigma_rate, Time end = 1) {
  MarginalSchedule<WithDerivative<Scale, ScaleRate>, WithDerivative<Sigma, SigmaRate>> schedule{
      {std::move(s), std::move(s_rate)}, {std::move(sigma), std::move(sigma_rate)}, end};
  schedule.validate();
  return schedule;
}

}  // namespace fokker
