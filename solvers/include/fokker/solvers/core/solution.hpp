#pragma once
/// @file  fokker/solvers/core/solution.hpp
/// @brief Status and counts that every run returns.

#include <cstdint>
#include <string_view>

namespace fokker {

/// How a run ended. Anything but `success` is said in the result, never thrown and never silent.
/// `event` and `steady_state` are ends that the caller asked for.
enum class Status {
  success,
  non_finite,      ///< a state became nan or infinite
  step_underflow,  ///< an adaptive step fell below the resolution of t
  too_many_steps,  ///< the limit on steps was reached
  cancelled,       ///< stopped from outside; what was finished is kept
  event,           ///< a terminal event ended it, as asked
  steady_state,    ///< the ODE came to rest, as asked
  chattering       ///< f jumps and points back to the jump from both sides, or events accumulate
};

/// The name of a status.
constexpr std::string_view to_string(Status s) {
  switch (s) {
    case Status::success:
      return "success";
    case Status::non_finite:
      return "non-finite state";
    case Status::step_underflow:
      return "step size underflow";
    case Status::too_many_steps:
      return "too many steps";
    case Status::cancelled:
      return "cancelled";
    case Status::event:
      return "event";
    case Status::steady_state:
      return "steady state";
    case Status::chattering:
      return "chattering";
  }
  return "unknown";
}

/// Work done on a path.
struct Counts {
  std::uint64_t accepted = 0;               ///< steps taken
  std::uint64_t rejected = 0;               ///< steps tried and thrown away
  std::uint64_t drift_evaluations = 0;      ///< calls of the drift
  std::uint64_t diffusion_evaluations = 0;  ///< calls of the diffusion coefficient

  Counts& operator+=(const Counts& o) {
    accepted += o.accepted;
    rejected += o.rejected;
    drift_evaluations += o.drift_evaluations;
    diffusion_evaluations += o.diffusion_evaluations;
    return *this;
  }
};

/// The same as means over the paths of an ensemble.
struct MeanCounts {
  double accepted = 0;
  double rejected = 0;
  double drift_evaluations = 0;
  double diffusion_evaluations = 0;

  MeanCounts() = default;
  /// @param paths  so many share the counts
  MeanCounts(const Counts& sum, double paths)
      : accepted(static_cast<double>(sum.accepted) / paths),
        rejected(static_cast<double>(sum.rejected) / paths),
        drift_evaluations(static_cast<double>(sum.drift_evaluations) / paths),
        diffusion_evaluations(static_cast<double>(sum.diffusion_evaluations) / paths) {}
};

}  // namespace fokker
