#pragma once
/// @file  fokker/diffusion/schedule/time_grids.hpp
/// @brief Time grids for reverse time: the times of the steps of a sampler.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fokker/diffusion/schedule/any_schedule.hpp>
#include <fokker/solvers/core/grid.hpp>
#include <fokker/solvers/support/catalogue.hpp>
#include <fokker/solvers/support/file_path.hpp>

namespace fokker {

/// A grid of the catalogue.
struct GridInfo {
  std::string name;
  std::string spacing;
  std::string source;
  bool in_sigma = false;  ///< spaced in sigma, which must be finite at the start
};

/// All grids of `make_grid`: uniform, karras, logsnr, quadratic, edm-vp, iddpm.
const Catalogue<GridInfo>& list_grids();

/// `steps` steps from `start` down to `t_min`, steps + 1 strictly decreasing times with both ends
/// exact:
///
///     uniform     equal steps in t
///     quadratic   equal steps in sqrt t
///     logsnr      equal steps in ln sigma: the geometric levels of VE
///     karras      equal steps in sigma^(1/7)
///     edm-vp      equal steps in t
///     iddpm       the `iddpm_levels` between both ends, every so many of them
///
/// each mapped back to t by the schedule. The last four can end at sigma = 0 as EDM's do: steps - 1
/// steps down to the default t_min of the schedule (iddpm: to its last level above 0) and one from there to
/// 0.
/// @throws std::invalid_argument  for an unknown name, steps < 1, t_min outside [0, start), a start
///                                above the end time, a grid in sigma where sigma is infinite; more
///                                steps than there are levels, or so many that two times would be
///                                equal
TimeGrid make_grid(std::string_view name, const AnySchedule& schedule, Time start, Time t_min,
                   Index steps);

/// The grid `logsnr` over the whole time of an affine process, from its end down to its t_min:
/// equal steps in ln sigma. @throws std::invalid_argument  as make_grid
template <class Process>
TimeGrid log_snr_grid(const Process& process, Index steps) {
  return make_grid("logsnr", process.schedule, process.end_time(), process.t_min(), steps);
}

/// The noise levels u_0 > ... > u_M = 0 of iDDPM as EDM has them,
///
///     u_{j-1} = sqrt((u_j^2 + 1) / max(a_{j-1} / a_j, c1) - 1)
///     a_j     = sin^2(pi/2 j / (M (c2 + 1)))
///
/// Source: Karras et al. (2022), arXiv 2206.00364, table 1; Nichol & Dhariwal (2021), arXiv
/// 2102.09672.
/// @throws std::invalid_argument  for M < 1
std::vector<double> iddpm_levels(Index m = 1000, double c1 = 0.001, double c2 = 0.008);

/// The times of a schedule with these levels of sigma, largest first.
/// @throws std::invalid_argument  fewer than two levels, one that is not below the one before it (a
///                                repeated level would be a step of nothing), or one that the
///                                schedule does not have
TimeGrid grid_from_sigmas(std::span<const double> sigmas, const AnySchedule& schedule);

/// A time grid from a file of one number per line (a header is allowed), start first.
/// @throws std::runtime_error     a file that cannot be read, or cells that are no numbers
/// @throws std::invalid_argument  more than one column, fewer than two times, a time outside [0,
///                                end_time], or one that is not below the one before it: named by
///                                file and number
TimeGrid read_grid(const FilePath& path, Time end_time);

}  // namespace fokker
