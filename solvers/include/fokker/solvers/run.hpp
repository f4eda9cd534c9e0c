#pragma once
/// @file  fokker/solvers/run.hpp
/// @brief What the runs of all adaptive solvers check, and how they go from stop to stop.

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

#include <fokker/solvers/solution.hpp>
#include <fokker/solvers/state.hpp>

namespace fokker::detail {

/// @throws std::invalid_argument  for tolerances that are not positive and finite
inline void check_tolerances(std::string_view solver, double rtol, double atol) {
  if (!(rtol > 0) || !(atol > 0) || !std::isfinite(rtol) || !std::isfinite(atol))
    throw std::invalid_argument(
        fmt::format("{} needs tolerances above zero: got rtol={}, atol={}", solver, rtol, atol));
}

/// @throws std::invalid_argument  for a first step h < 0 or not finite
inline void check_first_step(Time h) {
  if (!(h >= 0) || !std::isfinite(h))
    throw std::invalid_argument(fmt::format(
        "the first step of an adaptive solver must be positive (0: its own choice): got dt={}", h));
}

/// Advances x from t0 to t1 > t0 by `run.try_step`.
/// @return as try_step; too_many_steps after ten million tries; non_finite for such an x
template <class Run, State X>
Status run_to(Run& run, X& x, Time t0, Time t1, Counts& counts) {
  constexpr std::uint64_t max_steps = 10'000'000;
  if (!x.isFinite().all()) return Status::non_finite;
  Time t = t0;
  for (std::uint64_t i = 0; i < max_steps; ++i) {
    const Status status = run.try_step(x, t, t1, counts);
    if (status != Status::success) return status;
    if (t == t1) return Status::success;
  }
  return Status::too_many_steps;
}

}  // namespace fokker::detail
