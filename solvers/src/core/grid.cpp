/// @file  grid.cpp
/// @brief Time grids: uniform, refined, checked.

#include <fokker/solvers/core/grid.hpp>

#include <cmath>
#include <stdexcept>
#include <string>

#include <fokker/solvers/support/checks.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

TimeGrid uniform_grid(Time t0, Time t1, Index n) {
  check_at_least({"the number of steps of a uniform grid", "n"}, n, 1);
  if (!std::isfinite(t0) || !std::isfinite(t1) || t0 == t1)
    throw std::invalid_argument("uniform_grid needs two different finite ends: got " + text(t0) +
                                " and " + text(t1));
  TimeGrid grid(static_cast<std::size_t>(n) + 1);
  for (Index i = 0; i <= n; ++i) grid[static_cast<std::size_t>(i)] = subdivision(t0, t1, i, n);
  return grid;
}

TimeGrid refine(std::span<const Time> grid, Index factor) {
  TimeGrid fine;
  fine.reserve((grid.size() - 1) * static_cast<std::size_t>(factor) + 1);
  for (std::size_t k = 0; k + 1 < grid.size(); ++k)
    for (Index i = 0; i < factor; ++i) fine.push_back(subdivision(grid[k], grid[k + 1], i, factor));
  fine.push_back(grid.back());
  return fine;
}

void check_grid(std::span<const Time> grid) {
  check_at_least("the number of points of a time grid", static_cast<Index>(grid.size()), 2);
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
