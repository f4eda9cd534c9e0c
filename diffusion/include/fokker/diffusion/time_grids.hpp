#pragma once
/// @file  fokker/diffusion/time_grids.hpp
/// @brief Time grids for the way back: where a sampler spends its steps.

#include <string>
#include <string_view>
#include <vector>

#include <fokker/diffusion/any_schedule.hpp>
#include <fokker/solvers/grid.hpp>

namespace fokker {

/// A grid in the list of `list_grids`.
struct GridInfo {
  std::string name;
  std::string spacing;
  std::string source;
};

/// All grids of `make_grid`: uniform, karras, logsnr, quadratic.
const std::vector<GridInfo>& list_grids();

/// `steps` steps from `start` down to `t_min`, steps + 1 strictly decreasing times with both ends
/// exact:
///
///     uniform     equal steps in t
///     quadratic   equal steps in sqrt t
///     logsnr      equal steps in ln sigma
///     karras      equal steps in sigma^(1/7)
///
/// each mapped back to t by the schedule. `karras` down to sigma = 0 is the grid of EDM: steps - 1
/// steps down to the schedule's own t_min and one from there to 0.
/// @throws std::invalid_argument  for an unknown name, steps < 1, t_min outside [0, start), a start
///                                above the end time, a grid in sigma where sigma is infinite or,
///                                for logsnr, zero; or so many steps that two times would be equal
TimeGrid make_grid(std::string_view name, const AnySchedule& schedule, Time start, Time t_min,
                   Index steps);

}  // namespace fokker
