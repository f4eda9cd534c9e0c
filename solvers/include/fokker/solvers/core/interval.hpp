#pragma once
/// @file  fokker/solvers/core/interval.hpp
/// @brief Adaptive steppers: how they go from stop to stop, who watches, and what all of them check.

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string_view>

#include <fokker/solvers/core/solution.hpp>
#include <fokker/solvers/core/state.hpp>

namespace fokker::detail {

/// @throws std::invalid_argument  for tolerances that are not positive and finite, and for a
///                                relative one below 4 epsilon of double, which rounding exceeds
void check_tolerances(std::string_view solver, double rtol, double atol);

/// @throws std::invalid_argument  for a first step h < 0 or not finite
void check_first_step(Time h);

/// The interval up to the next stop.
struct Interval {
  Time end;                                   ///< never passed
  std::uint64_t tries;                        ///< steps that may be tried; counted down
  Time max_dt = 0;                            ///< longest step; 0: no bound
  const std::atomic<bool>* cancel = nullptr;  ///< looked at after each step tried
  /// The time that the end stands for, a little later, where f jumps; else the end itself.
  Time land = end;

  /// Where the next step, from t, must stop.
  Time stop(Time t) const { return max_dt > 0 ? std::min(end, t + max_dt) : end; }

  bool cancelled() const { return cancel && cancel->load(std::memory_order_relaxed); }
};

/// Watches the accepted steps of one path, called by reference. A step that ends at `due` or later
/// is shown by `at_rest`, between two steps, where the path can be asked for more than x and t; one
/// before it by `passing`, in the middle of a row of steps, and only if `every_step` is set. Either
/// returns false to end the run at that step.
template <State X>
class StepObserver {
 public:
  virtual bool passing(Time t, const X& x) = 0;
  virtual bool at_rest() = 0;

  bool show(Time t, const X& x) { return t >= due_ ? at_rest() : !every_step_ || passing(t, x); }
  Time due() const { return due_; }
  bool every_step() const { return every_step_; }

 protected:
  ~StepObserver() = default;

  Time due_ = -std::numeric_limits<Time>::infinity();
  bool every_step_ = false;
};

/// One path, or a block with a joint step, by steps that are chosen on the way: `try_step` tries one
/// from (x, t) towards `stop`, which is never passed, and `accepted` reports whether it was taken.
/// Optional members: `interpolate(t, out)` and `interpolates_as_steps`, `first_step(h)`, `stiff()`,
/// `rtol()`, `least_atol()`, and `advance`, a loop of its own (see `advance`).
template <class Run, class X>
concept AdaptiveStepper = State<X> && requires(Run& run, X& x, Time& t, Time stop, Counts& counts) {
  { run.try_step(x, t, stop, counts) } -> std::same_as<Status>;
  { run.accepted() } -> std::same_as<bool>;
};

/// Tries steps by try_step(stop) until t is at the end of the interval.
/// @param go_on  called after each; false where a step that was taken ends the run
/// @return success there or where go_on() is false; as try_step; cancelled; too_many_steps
template <class TryStep, class GoOn>
Status step_by_step(const Time& t, Interval& interval, const TryStep& try_step, const GoOn& go_on) {
  while (t < interval.end) {
    if (interval.tries == 0) return Status::too_many_steps;
    --interval.tries;
    const Status status = try_step(interval.stop(t));
    if (status != Status::success) return status;
    if (!go_on()) return Status::success;
    if (interval.cancelled()) return Status::cancelled;
  }
  return Status::success;
}

/// Takes x along the interval from t on, by the stepper's own loop where it has one.
/// @param observer  shown the steps in the middle of a row, by a stepper that takes rows; may be null
/// @param taken     called after each other step that was taken; false ends the run
template <class Run, State X, class Taken>
requires AdaptiveStepper<Run, X> Status advance(Run& run, X& x, Time& t, Interval& interval,
                                                Counts& counts, StepObserver<X>* observer,
                                                const Taken& taken) {
  if constexpr (requires { run.advance(x, t, interval, counts, observer, taken); })
    return run.advance(x, t, interval, counts, observer, taken);
  else
    return step_by_step(
        t, interval, [&](Time stop) { return run.try_step(x, t, stop, counts); },
        [&] { return !run.accepted() || taken(); });
}

/// Advances x along the interval from t0 on, unwatched.
/// @return as try_step; too_many_steps where the interval allows no more; non_finite for such an x;
///         cancelled
template <class Run, State X>
Status run_to(Run& run, X& x, Time t0, Interval& interval, Counts& counts) {
  if (!x.isFinite().all()) return Status::non_finite;
  Time t = t0;
  return advance(run, x, t, interval, counts, static_cast<StepObserver<X>*>(nullptr),
                 [] { return true; });
}

}  // namespace fokker::detail
