/// @file  grid.cpp
/// @brief Time grids, and what is refused before a run begins.

#include <fokker/solvers/core/grid.hpp>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include <fokker/solvers/core/run.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

TimeGrid uniform_grid(Time t0, Time t1, Index n) {
  if (n < 1)
    throw std::invalid_argument("uniform_grid needs at least one step: got " + std::to_string(n));
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

namespace detail {

void check_tolerances(std::string_view solver, double rtol, double atol) {
  if (!(rtol > 0) || !(atol > 0) || !std::isfinite(rtol) || !std::isfinite(atol))
    throw std::invalid_argument(
        text("{} needs tolerances above zero: got rtol={}, atol={}", {solver, rtol, atol}));
  constexpr double least = 4 * std::numeric_limits<double>::epsilon();
  if (rtol < least)
    throw std::invalid_argument(text(
        "{} cannot keep a relative tolerance below the rounding of a step, {}: got rtol={} (for "
        "an absolute tolerance alone take rtol=1e-15)",
        {solver, least, rtol}));
}

void check_first_step(Time h) {
  if (!(h >= 0) || !std::isfinite(h))
    throw std::invalid_argument(
        text("the first step of an adaptive solver must be positive (0: its own choice): got dt={}",
             {h}));
}

void check_span(Time t0, Time t1) {
  if (!std::isfinite(t0) || !std::isfinite(t1))
    throw std::invalid_argument("integrate needs two finite ends: got " + text(t0) + " and " +
                                text(t1));
}

void refuse_direction(bool up) {
  throw std::invalid_argument(
      up ? "this process runs down in time (a reverse SDE): give a grid from its end time to t_min"
         : "a forward SDE runs up in time only: give an increasing grid, or use ReverseSde");
}

void refuse_save_at(Time t) {
  throw std::invalid_argument(
      "save_at must lie between the ends and follow the direction of time: got " + text(t));
}

void refuse_dimension(Index of_process, Index of_x0) {
  throw std::invalid_argument("the process has dimension " + std::to_string(of_process) +
                              " and x0 has " + std::to_string(of_x0));
}

void refuse_start(Index component, double x0, double low, double high) {
  throw std::invalid_argument("component " + std::to_string(component) + " of x0 is " + text(x0) +
                              ", outside the domain [" + text(low) + ", " + text(high) +
                              "] of the process");
}

}  // namespace detail

}  // namespace fokker
