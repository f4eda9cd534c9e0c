/// @file  time_grids.cpp
/// @brief Time grids for reverse time.

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <stdexcept>

#include <fokker/diffusion/files/csv.hpp>
#include <fokker/diffusion/schedule/time_grids.hpp>
#include <fokker/solvers/support/checks.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

namespace {

constexpr Index most_steps = Index{1} << 26;

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

/// `grid` down to t_min; or, where `to_zero`, down to the schedule's own t_min and then one step.
TimeGrid last_step_to_zero(std::string_view name,
                           const std::function<TimeGrid(Time, Index)>& grid_down_to, bool to_zero,
                           const AnySchedule& schedule, Time start, Time t_min, Index steps) {
  if (!to_zero) return grid_down_to(t_min, steps);
  if (steps == 1) return {start, t_min};
  const Time last = schedule.ends().t_min;
  if (!(last > t_min && last < start))
    throw std::invalid_argument("the " + std::string(name) +
                                " grid down to sigma = 0 stops at t=" + text(last) +
                                " first, which must lie below the start: got start=" + text(start));
  TimeGrid grid = grid_down_to(last, steps - 1);
  grid.push_back(t_min);
  return grid;
}

TimeGrid karras(const AnySchedule& schedule, Time start, Time t_min, Index steps) {
  constexpr double rho = 7;
  return equal_steps([&](Time t) { return std::pow(schedule.at(t).sigma, 1 / rho); },
                     [&](double v) { return schedule.time_of_sigma(std::pow(v, rho)); }, start,
                     t_min, steps);
}

TimeGrid logsnr(const AnySchedule& schedule, Time start, Time t_min, Index steps) {
  return equal_steps([&](Time t) { return std::log(schedule.at(t).sigma); },
                     [&](double v) { return schedule.time_of_sigma(std::exp(v)); }, start, t_min,
                     steps);
}

/// Every so many of the levels between both ends, rounded to the nearest; 0 is a step of its own.
TimeGrid iddpm(const AnySchedule& schedule, Time start, Time t_min, Index steps) {
  const double most = schedule.at(start).sigma, least = schedule.at(t_min).sigma;
  TimeGrid times{start};
  for (const double level : iddpm_levels())
    if (level < most && level > least) times.push_back(schedule.time_of_sigma(level));
  const Index to_zero = least > 0 ? 0 : 1;
  if (to_zero == 0) times.push_back(t_min);
  const auto last = static_cast<Index>(times.size()) - 1;
  if (steps > last + to_zero)
    throw std::invalid_argument("the iddpm grid has " + std::to_string(last + to_zero) +
                                " steps from t=" + text(start) + " to t=" + text(t_min) +
                                ": got steps=" + std::to_string(steps));
  const Index count = steps - to_zero;
  TimeGrid grid{start};
  for (Index i = 1; i <= count; ++i)
    grid.push_back(times[static_cast<std::size_t>((2 * last * i + count) / (2 * count))]);
  if (to_zero == 1) grid.push_back(t_min);
  return grid;
}

}  // namespace

const Catalogue<GridInfo>& list_grids() {
  static const Catalogue<GridInfo> list{
      "grid",
      {{"uniform", "equal steps in t", "Song et al. (2021), arXiv 2011.13456, appendix D"},
       {"karras", "equal steps in sigma^(1/7)", "Karras et al. (2022), arXiv 2206.00364, (5)",
        true},
       {"logsnr", "equal steps in ln sigma", "Lu et al. (2022), arXiv 2206.00927, 3.3", true},
       {"quadratic", "equal steps in sqrt t", "Song, Meng & Ermon (2021), arXiv 2010.02502, D.2"},
       {"edm-vp", "equal steps in t; to t = 0: to the default t_min, then one to 0",
        "Karras et al. (2022), arXiv 2206.00364, table 1"},
       {"iddpm", "every so many of 1000 levels of a cosine schedule",
        "Karras et al. (2022), arXiv 2206.00364, table 1", true}},
      {{"log-snr", "logsnr"}}};
  return list;
}

std::vector<double> iddpm_levels(Index m, double c1, double c2) {
  if (m < 1 || m > most_steps)
    throw std::invalid_argument("iDDPM needs at least one level, at most " +
                                std::to_string(most_steps) + ": got " + std::to_string(m));
  if (!(c1 > 0 && c1 < 1) || !(c2 >= 0) || !std::isfinite(c2))
    throw std::invalid_argument("iDDPM needs 0 < c1 < 1 and a finite c2 >= 0: got c1=" + text(c1) +
                                ", c2=" + text(c2));
  const double turn = 0.5 * std::numbers::pi / (static_cast<double>(m) * (c2 + 1));
  std::vector<double> u(static_cast<std::size_t>(m) + 1);
  for (Index j = m; j >= 1; --j) {
    const auto k = static_cast<std::size_t>(j);
    const double now = turn * static_cast<double>(j), before = now - turn;
    const double sine = std::sin(now);
    // 1 - a_{j-1} / a_j = sin(now - before) sin(now + before) / sin^2(now)
    const double drop = std::min(std::sin(turn) * std::sin(now + before) / (sine * sine), 1 - c1);
    u[k - 1] = std::sqrt((u[k] * u[k] + drop) / (1 - drop));
  }
  return u;
}

TimeGrid grid_from_sigmas(std::span<const double> sigmas, const AnySchedule& schedule) {
  if (sigmas.size() < 2)
    throw std::invalid_argument("a grid needs at least two levels of sigma: got " +
                                std::to_string(sigmas.size()));
  const double least = schedule.at(0).sigma, most = schedule.at(schedule.ends().end).sigma;
  TimeGrid grid;
  for (std::size_t k = 0; k < sigmas.size(); ++k) {
    const std::string place = "level " + std::to_string(k + 1) + " of sigma";
    if (!(sigmas[k] >= least && sigmas[k] <= most))
      throw std::invalid_argument(place + " must lie in [" + text(least) + ", " + text(most) +
                                  "], the noise of " + std::string(schedule.name()) + ": got " +
                                  text(sigmas[k]));
    if (k > 0 && !(sigmas[k] < sigmas[k - 1]))
      throw std::invalid_argument(place + " must lie below the one before it: got " +
                                  text(sigmas[k]) + " after " + text(sigmas[k - 1]));
    grid.push_back(schedule.time_of_sigma(sigmas[k]));
  }
  check_grid(grid);
  return grid;
}

TimeGrid read_grid(const FilePath& path, Time end_time) {
  const Table table = read_csv(path);
  const auto refuse = [&](const std::string& cause) {
    throw std::invalid_argument(path.string() + ": " + cause);
  };
  if (table.columns != 1) refuse("a time grid is one column: got " + std::to_string(table.columns));
  if (table.rows < 2) refuse("a time grid needs at least two times: got 1");
  for (std::size_t k = 0; k < table.rows; ++k) {
    const Time t = table.values[k];
    const std::string place = "time " + std::to_string(k + 1);
    if (!(t >= 0 && t <= end_time))
      refuse(place + " must lie in [0, " + text(end_time) + "]: got " + text(t));
    if (k > 0 && !(t < table.values[k - 1]))
      refuse(place + " must lie below the one before it: got " + text(t) + " after " +
             text(table.values[k - 1]));
  }
  return table.values;
}

TimeGrid make_grid(std::string_view spacing, const AnySchedule& schedule, Time start, Time t_min,
                   Index steps) {
  const GridInfo& info = list_grids().at(spacing);
  const std::string_view name = info.name;
  if (steps < 1)
    throw std::invalid_argument("a time grid needs at least one step: got " +
                                std::to_string(steps));
  if (steps > most_steps)
    throw std::invalid_argument("a time grid has at most " + std::to_string(most_steps) +
                                " steps: got " + std::to_string(steps));
  check_in({"the start", "start"}, start, 0, schedule.ends().end, Ends::open_left);
  check_in("t_min", t_min, 0, start, Ends::open_right);
  if (info.in_sigma && !std::isfinite(schedule.at(start).sigma))
    throw std::invalid_argument("the " + info.name + " grid needs a finite sigma at its start: " +
                                std::string(schedule.name()) + " has none at t=" + text(start) +
                                "; start at " + text(schedule.ends().sde_start) +
                                " or take the uniform grid");

  const auto down = [&](const std::function<TimeGrid(Time, Index)>& grid_down_to, bool to_zero) {
    return last_step_to_zero(name, grid_down_to, to_zero, schedule, start, t_min, steps);
  };
  const bool clean = !(schedule.at(t_min).sigma > 0);
  TimeGrid grid;
  if (name == "uniform")
    grid = uniform_grid(start, t_min, steps);
  else if (name == "quadratic")
    grid = equal_steps([](Time t) { return std::sqrt(t); }, [](double v) { return v * v; }, start,
                       t_min, steps);
  else if (name == "karras")
    grid = down([&](Time t, Index n) { return karras(schedule, start, t, n); }, clean);
  else if (name == "logsnr")
    grid = down([&](Time t, Index n) { return logsnr(schedule, start, t, n); }, clean);
  else if (name == "edm-vp")
    grid = down([&](Time t, Index n) { return uniform_grid(start, t, n); }, t_min == 0);
  else
    grid = iddpm(schedule, start, t_min, steps);
  check_grid(grid);
  return grid;
}

}  // namespace fokker
