#pragma once
/// @file  fokker/solvers/integrate/integrate_options.hpp
/// @brief What `integrate` is asked for and what it returns.

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <fokker/solvers/core/solution.hpp>
#include <fokker/solvers/integrate/dense.hpp>
#include <fokker/solvers/integrate/events.hpp>
#include <fokker/solvers/noise/noise_source.hpp>
#include <fokker/solvers/noise/random.hpp>

namespace fokker {

/// Options of `integrate`.
struct IntegrateOptions {
  std::vector<Time> save_at = {};  ///< times to save, in the order of time; empty: every step
  Seed seed = 0;                   ///< of the noise
  NoiseSource noise = {};          ///< a Brownian source in place of the seed's (noise_source.hpp)
  std::uint64_t path = 0;          ///< number of the path (of column 0 of a block)
  std::uint64_t max_steps = 10'000'000;       ///< accepted and rejected together
  const std::atomic<bool>* cancel = nullptr;  ///< when it turns true, end with what is finished
  std::function<void(double fraction)> progress = {};  ///< of the interval, after each step
  std::vector<Event> events = {};                      ///< of a single path
  /// Keep what `Solution::at` needs. The times of `save_at` are then interpolated, and no step is
  /// shortened for them.
  bool dense = false;
  /// Interpolate the times of `save_at` as `dense` does, so that no step is shortened for them, but
  /// keep nothing else.
  bool interpolate = false;
  /// ODEs: end with Status::steady_state after a step with |f_i| <= tolerance (1 + |x_i|) for every
  /// component i of every path; 0: never.
  double steady_state_tolerance = 0;
  /// Times, in any order, at which the coefficients jump. Steps end and start there, and the solver
  /// forgets its slopes, its step size and its memory, so that no step mixes the two sides. The
  /// coefficients are evaluated a few units in the last place of t before and behind such a time,
  /// never at it: it does not matter which side f(x, t_d) belongs to.
  std::vector<Time> discontinuities = {};
  bool check = true;  ///< the contract of the coefficients, before the first step (contract.hpp)
};

/// What `integrate` returns.
template <State X>
struct Solution {
  std::vector<Time> t = {};  ///< times saved
  std::vector<X> x = {};     ///< states saved, one per time
  Time end_time = 0;         ///< where it ended: t1 on success
  X end = {};                ///< state there
  Status status = Status::success;
  std::string message = {};  ///< empty on success; else what happened, where, and what to try
  Counts counts = {};
  std::vector<FoundEvent<X>> events = {};  ///< in the order of time
  std::string warning = {};                ///< advice, also on success; empty: none
  DenseOutput<X> dense = DenseOutput<X>{};

  /// The state at any time of the run, with `dense`. ODEs: as accurate as the steps, by the
  /// solver's own interpolant where that is of the order of the steps, else by a polynomial through
  /// shorter steps of the same method (which cost evaluations of f, in the counts). SDEs: linear
  /// between steps, which is the path's conditional mean there, not its law (error O(h^1/2)).
  /// @throws std::invalid_argument  without `dense`, or for t outside the run
  X at(Time time) const { return dense(time); }
};

}  // namespace fokker
