#pragma once
/// @file  fokker/solvers/grid.hpp
/// @brief Time grids: uniform, refined, and the check every grid passes.

#include <cmath>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <fokker/solvers/state.hpp>
#include <fokker/solvers/text.hpp>

namespace fokker {

using TimeGrid = std::vector<Time>;

/// t0 + (t1 - t0) i / n, exact at both ends.
inline Time subdivision(Time t0, Time t1, Index i, Index n) {
  return i == n ? t1 : t0 + (t1 - t0) * static_cast<double>(i) / static_cast<double>(n);
}

/// n equal steps from t0 to t1, n + 1 points; both ends exact; t1 < t0 runs down.
/// @throws std::invalid_argument  for n < 1, a non-finite end, or t0 == t1
inline TimeGrid uniform_grid(Time t0, Time t1, Index n) {
  if (n < 1)
    throw std::invalid_argument("uniform_grid needs at least one step: got " + std::to_string(n));
  if (!std::isfinite(t0) || !std::isfinite(t1) || t0 == t1)
    throw std::invalid_argument("uniform_grid needs two different finite ends: got " + text(t0) +
                                " and " + text(t1));
  TimeGrid grid(static_cast<std::size_t>(n) + 1);
  for (Index i = 0; i <= n; ++i) grid[static_cast<std::size_t>(i)] = subdivision(t0, t1, i, n);
  return grid;
}

/// Each interval of `grid` cut into `factor` equal pieces.
inline TimeGrid refine(std::span<const Time> grid, Index factor) {
  TimeGrid fine;
  fine.reserve((grid.size() - 1) * static_cast<std::size_t>(factor) + 1);
  for (std::size_t k = 0; k + 1 < grid.size(); ++k)
    for (Index i = 0; i < factor; ++i) fine.push_back(subdivision(grid[k], grid[k + 1], i, factor));
  fine.push_back(grid.back());
  return fine;
}

/// Refuses a grid that is not finite and strictly monotone with at least two points.
/// @throws std::invalid_argument  naming the first point that is wrong
inline void check_grid(std::span<const Time> grid) {
  if (grid.size() < 2)
    throw std::invalid_argument("a time grid needs at least two points: got " +
                                std::to_string(grid.size()));
  const bool down = grid[1] < grid[0];
  for (std::size_t k = 0; k < grid.size(); ++k) {
    if (!std::isfinite(grid[k]))
      throw std::invalid_argument("time grid point " + std::to_string(k) + " is not finite");
    if (k > 0 && !(down ? grid[k] < grid[k - 1] : grid[k] > grid[k - 1]))
      throw std::invalid_argument("a time grid must be strictly monotone: point " +
                                  std::to_string(k) + " is " + text(grid[k]) + " after " +
                                  text(grid[k - 1]));
  }
}

}  // namespace fokker
