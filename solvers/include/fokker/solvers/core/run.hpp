#pragma once
/// @file  fokker/solvers/core/run.hpp
/// @brief What the runs of all adaptive solvers check, and how they go from stop to stop.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>

#include <fokker/solvers/core/solution.hpp>
#include <fokker/solvers/core/state.hpp>

namespace fokker::detail {

/// @throws std::invalid_argument  for tolerances that are not positive and finite, and for a
///                                relative one below 4 epsilon of double, which rounding exceeds
void check_tolerances(std::string_view solver, double rtol, double atol);

/// @throws std::invalid_argument  for a first step h < 0 or not finite
void check_first_step(Time h);

/// How far a run may go by itself.
struct Leg {
  Time end;                                   ///< never passed
  std::uint64_t tries;                        ///< steps that may be tried; counted down
  Time max_dt = 0;                            ///< longest step; 0: no bound
  const std::atomic<bool>* cancel = nullptr;  ///< looked at after each step tried
  /// Called after each accepted step, which x, t and counts then show; false ends the leg.
  const std::function<bool()>* after = nullptr;
  /// The time that the end stands for, a little later, where f jumps; else the end itself.
  Time land = end;

  /// Where the next step, from t, must stop.
  Time stop(Time t) const { return max_dt > 0 ? std::min(end, t + max_dt) : end; }

  bool cancelled() const { return cancel && cancel->load(std::memory_order_relaxed); }
};

/// Tries steps by try_step(stop) until t is at the end of the leg; accepted() says what came of
/// one.
/// @return success there or where leg.after() says so; as try_step; cancelled; too_many_steps
template <class TryStep, class Accepted>
Status step_by_step(const Time& t, Leg& leg, const TryStep& try_step, const Accepted& accepted) {
  while (t < leg.end) {
    if (leg.tries == 0) return Status::too_many_steps;
    --leg.tries;
    const Status status = try_step(leg.stop(t));
    if (status != Status::success) return status;
    if (accepted() && leg.after && !(*leg.after)()) return Status::success;
    if (leg.cancelled()) return Status::cancelled;
  }
  return Status::success;
}

/// The same by the run's own loop, where it has one.
template <class Run, State X>
Status walk_leg(Run& run, X& x, Time& t, Leg& leg, Counts& counts) {
  if constexpr (requires { run.walk(x, t, leg, counts); })
    return run.walk(x, t, leg, counts);
  else
    return step_by_step(
        t, leg, [&](Time stop) { return run.try_step(x, t, stop, counts); },
        [&] { return run.accepted(); });
}

/// Advances x along the leg from t0 on.
/// @return as try_step; too_many_steps where the leg allows no more; non_finite for such an x;
///         cancelled
template <class Run, State X>
Status run_to(Run& run, X& x, Time t0, Leg& leg, Counts& counts) {
  if (!x.isFinite().all()) return Status::non_finite;
  Time t = t0;
  return walk_leg(run, x, t, leg, counts);
}

}  // namespace fokker::detail
