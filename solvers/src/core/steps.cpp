/// @file  steps.cpp
/// @brief Default tolerances, and the times of regular steps.

#include <fokker/solvers/core/steps.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include <fokker/solvers/core/interval.hpp>
#include <fokker/solvers/support/checks.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

ErrorControl::ErrorControl(std::string_view method, const Adaptive& steps, NoiseKind kind,
                           const StepControl& own, Index d)
    : rtol(steps.rtol.value_or(kind == NoiseKind::none ? 1e-6 : 1e-3)),
      atol(steps.atol.value_or(kind == NoiseKind::none ? 1e-9 : 1e-6)),
      control(steps.control.value_or(own)) {
  const auto number = static_cast<Index>(atol.values().size());
  if (number != 1 && number != d)
    throw std::invalid_argument(
        text("{} needs one absolute tolerance or one for each of {} components: got {}",
             {method, d, number}));
  for (const double a : atol.values()) detail::check_tolerances(method, rtol, a);
  if (!(steps.max_step >= 0))
    throw std::invalid_argument(
        text("max_step must be positive (0: no bound): got {}", {steps.max_step}));
  detail::check_first_step(steps.first_step);
}

double ErrorControl::least_atol() const {
  return *std::min_element(atol.values().begin(), atol.values().end());
}

namespace detail {

RegularTimes::RegularTimes(Time t0, Fixed steps) : t0_(t0), h_(steps.h) {
  check_positive({"the step size of Fixed", "h"}, h_);
}

RegularTimes::RegularTimes(TimeGrid up) : t0_(up.front()), grid_(std::move(up)) {}

Time RegularTimes::next(Time stop) {
  if (h_ == 0 && met_ + 1 >= grid_.size()) return stop;
  const Time regular = h_ > 0 ? t0_ + static_cast<double>(met_ + 1) * h_ : grid_[met_ + 1];
  const Time h = h_ > 0 ? h_ : regular - grid_[met_];
  const Time slack =
      std::max(1e-9 * h, std::min(1e-2 * h, 4 * std::numeric_limits<Time>::epsilon() *
                                                std::max(std::abs(t0_), std::abs(stop))));
  const Time next = regular >= stop - slack ? stop : regular;
  if (next >= regular - slack) ++met_;
  return next;
}

void RegularTimes::check_end(Time t, Time t1) const {
  if (h_ > 0 && (t + h_ == t || t1 - h_ == t1))
    throw std::invalid_argument(
        text("a step of {} is below the resolution of t on [{}, {}]", {h_, t, t1}));
}

TimeGrid step_times(RegularTimes regular, Time t0, Time t1, std::span<const Time> stops) {
  TimeGrid times{t0};
  for (Time t = t0; t < t1;) {
    while (!stops.empty() && stops.front() <= t) stops = stops.subspan(1);
    t = regular.next(stops.empty() ? t1 : std::min(t1, stops.front()));
    times.push_back(t);
  }
  return times;
}

}  // namespace detail

}  // namespace fokker
