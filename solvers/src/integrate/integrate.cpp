/// @file  integrate.cpp
/// @brief Ends, times and directions that are refused before a run begins.

#include <fokker/solvers/integrate/integrate.hpp>

#include <cmath>
#include <stdexcept>

#include <fokker/solvers/support/text.hpp>

namespace fokker::detail {

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

}  // namespace fokker::detail
