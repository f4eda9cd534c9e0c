/// @file  time_grids.cpp
/// @brief Time grids for the way back.

#include <cmath>
#include <functional>
#include <stdexcept>

#include <fokker/diffusion/time_grids.hpp>
#include <fokker/solvers/names.hpp>
#include <fokker/solvers/text.hpp>

namespace fokker {

namespace {

/// Equal steps in u(t) from t0 to t1, mapped back by its inverse; both ends exact.
TimeGrid equal_steps(const std::function<double(Time)>& u,
                     const std::function<Time(double)>& inverse, Time t0, Time t1, Index steps) {
  TimeGrid grid(static_cast<std::size_t>(steps) + 1);
  const double u0 = u(t0), u1 = u(t1);
  grid.front() = t0;
  grid.back() = t1;
  for (Index i = 1; i < steps; ++i)
    grid[static_cast<std::size_t>(i)] = inverse(subdivision(u0, u1, i, steps));
  return grid;
}

TimeGrid karras(const AnySchedule& schedule, Time start, Time t_min, Index steps) {
  constexpr double rho = 7;
  const auto u = [&](Time t) { return std::pow(schedule.sigma(t), 1 / rho); };
  const auto inverse = [&](double v) { return schedule.time_of_sigma(std::pow(v, rho)); };
  if (schedule.sigma(t_min) > 0) return equal_steps(u, inverse, start, t_min, steps);
  if (steps == 1) return {start, t_min};
  const Time last = schedule.t_min();
  if (!(last > t_min && last < start))
    throw std::invalid_argument("the karras grid down to sigma = 0 stops at t=" + text(last) +
                                " first, which must lie below the start: got start=" + text(start));
  TimeGrid grid = equal_steps(u, inverse, start, last, steps - 1);
  grid.push_back(t_min);
  return grid;
}

TimeGrid logsnr(const AnySchedule& schedule, Time start, Time t_min, Index steps) {
  if (!(schedule.sigma(t_min) > 0))
    throw std::invalid_argument("logsnr grid needs sigma > 0 at t_min: got t_min=" + text(t_min) +
                                " (default of " + std::string(schedule.name()) + ": " +
                                text(schedule.t_min()) + "; karras can end at 0)");
  return equal_steps([&](Time t) { return std::log(schedule.sigma(t)); },
                     [&](double v) { return schedule.time_of_sigma(std::exp(v)); }, start, t_min,
                     steps);
}

}  // namespace

const std::vector<GridInfo>& list_grids() {
  static const std::vector<GridInfo> list{
      {"uniform", "equal steps in t", "Song et al. (2021), arXiv 2011.13456, appendix D"},
      {"karras", "equal steps in sigma^(1/7)", "Karras et al. (2022), arXiv 2206.00364, (5)"},
      {"logsnr", "equal steps in ln sigma", "Lu et al. (2022), arXiv 2206.00927, 3.3"},
      {"quadratic", "equal steps in sqrt t", "Song, Meng & Ermon (2021), arXiv 2010.02502, D.2"},
  };
  return list;
}

TimeGrid make_grid(std::string_view name, const AnySchedule& schedule, Time start, Time t_min,
                   Index steps) {
  std::vector<std::string_view> known;
  bool found = false;
  for (const GridInfo& info : list_grids()) {
    known.push_back(info.name);
    found = found || info.name == name;
  }
  if (!found) throw std::invalid_argument(unknown_name_message("grid", name, known));
  if (steps < 1)
    throw std::invalid_argument("a time grid needs at least one step: got " +
                                std::to_string(steps));
  if (!(start > 0) || !(start <= schedule.end_time()))
    throw std::invalid_argument("the start must lie in (0, " + text(schedule.end_time()) +
                                "]: got start=" + text(start));
  if (!(t_min >= 0) || !(t_min < start))
    throw std::invalid_argument("t_min must lie in [0, " + text(start) +
                                "): got t_min=" + text(t_min));
  if ((name == "karras" || name == "logsnr") && !std::isfinite(schedule.sigma(start)))
    throw std::invalid_argument(
        "the " + std::string(name) + " grid needs a finite sigma at its start: " +
        std::string(schedule.name()) + " has none at t=" + text(start) + "; start at " +
        text(schedule.sde_start()) + " or take the uniform grid");

  TimeGrid grid;
  if (name == "uniform")
    grid = uniform_grid(start, t_min, steps);
  else if (name == "quadratic")
    grid = equal_steps([](Time t) { return std::sqrt(t); }, [](double v) { return v * v; }, start,
                       t_min, steps);
  else if (name == "karras")
    grid = karras(schedule, start, t_min, steps);
  else
    grid = logsnr(schedule, start, t_min, steps);
  check_grid(grid);
  return grid;
}

}  // namespace fokker
