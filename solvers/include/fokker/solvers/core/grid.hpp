#pragma once
/// @file  fokker/solvers/core/grid.hpp
/// @brief Time grids: uniform, refined, and the check every grid passes.

#include <span>
#include <vector>

#include <fokker/solvers/core/state.hpp>

namespace fokker {

using TimeGrid = std::vector<Time>;

/// t0 + (t1 - t0) i / n, exact at both ends.
inline Time subdivision(Time t0, Time t1, Index i, Index n) {
  return i == n ? t1 : t0 + (t1 - t0) * static_cast<double>(i) / static_cast<double>(n);
}

/// n equal steps from t0 to t1, n + 1 points; both ends exact; t1 < t0 runs down.
/// @throws std::invalid_argument  for n < 1, a non-finite end, or t0 == t1
TimeGrid uniform_grid(Time t0, Time t1, Index n);

/// Each interval of `grid` cut into `factor` equal pieces.
TimeGrid refine(std::span<const Time> grid, Index factor);

/// Refuses a grid that is not finite and strictly monotone with at least two points.
/// @throws std::invalid_argument  naming the first point that is wrong
void check_grid(std::span<const Time> grid);

}  // namespace fokker
