/// @file  time_grids.cpp
/// @brief Time grids of the way back.

#include <cmath>

#include <fokker/diffusion/time_grids.hpp>

#include "catch.hpp"

using namespace fokker;

TEST_CASE("every grid is strictly decreasing with exact ends on every schedule") {
  for (const ScheduleInfo& info : list_schedules()) {
    const AnySchedule schedule = make_schedule(info.name);
    for (const GridInfo& grid_info : list_grids()) {
      for (const Index steps : {1, 2, 3, 7, 18, 100, 999, 4096, 10000}) {
        INFO(info.name << " " << grid_info.name << " " << steps);

        const TimeGrid grid =
            make_grid(grid_info.name, schedule, info.sde_start, info.t_min, steps);

        REQUIRE(grid.size() == static_cast<std::size_t>(steps) + 1);
        CHECK(grid.front() == info.sde_start);
        CHECK(grid.back() == info.t_min);
        CHECK_NOTHROW(check_grid(grid));
        CHECK((grid.size() < 3 || grid[1] < grid[0]));
      }
    }
  }
}

TEST_CASE("grids have equal steps in what they say") {
  const AnySchedule vp = VariancePreserving{};
  const Index steps = 10;
  const auto spread = [&](const char* name, auto u) {
    const TimeGrid grid = make_grid(name, vp, 1, 1e-3, steps);
    double low = 1e300, high = 0;
    for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
      const double step = u(grid[k]) - u(grid[k + 1]);
      low = std::min(low, step);
      high = std::max(high, step);
    }
    return high / low - 1;
  };

  CHECK(spread("uniform", [](Time t) { return t; }) < 1e-12);
  CHECK(spread("quadratic", [](Time t) { return std::sqrt(t); }) < 1e-12);
  CHECK(spread("logsnr", [&](Time t) { return std::log(vp.sigma(t)); }) < 1e-11);
  CHECK(spread("karras", [&](Time t) { return std::pow(vp.sigma(t), 1.0 / 7); }) < 1e-11);
}

TEST_CASE("the karras grid to sigma = 0 is EDM's: N points down to sigma_min, then 0") {
  const TimeGrid grid = make_grid("karras", Edm{}, 80, 0, 18);

  REQUIRE(grid.size() == 19);
  for (int i = 0; i < 18; ++i) {
    const double a = std::pow(80.0, 1.0 / 7), b = std::pow(0.002, 1.0 / 7);
    CHECK_THAT(grid[static_cast<std::size_t>(i)],
               WithinRel(std::pow(a + i / 17.0 * (b - a), 7), 1e-12));
  }
  CHECK(grid[18] == 0);
  CHECK(make_grid("karras", Edm{}, 80, 0, 1) == TimeGrid{80, 0});
  CHECK(make_grid("karras", Edm{}, 80, 0, 2) == TimeGrid{80, 0.002, 0});
}

TEST_CASE("grids that make no sense are refused in one line") {
  const AnySchedule vp = VariancePreserving{}, flow = FlowMatching{};

  CHECK_THROWS_WITH(make_grid("karas", vp, 1, 1e-3, 10), ContainsSubstring("karras"));
  CHECK_THROWS_WITH(make_grid("uniform", vp, 1, 1e-3, 0),
                    "a time grid needs at least one step: got 0");
  CHECK_THROWS_WITH(make_grid("uniform", vp, 1, 2, 10), "t_min must lie in [0, 1): got t_min=2");
  CHECK_THROWS_WITH(make_grid("uniform", vp, 1, -0.1, 10),
                    "t_min must lie in [0, 1): got t_min=-0.1");
  CHECK_THROWS_WITH(make_grid("uniform", vp, 1.5, 0.1, 10),
                    "the start must lie in (0, 1]: got start=1.5");
  CHECK_THROWS_WITH(make_grid("logsnr", vp, 1, 0, 10),
                    StartsWith("logsnr grid needs sigma > 0 at t_min: got t_min=0"));
  CHECK_THROWS_WITH(
      make_grid("karras", flow, 1, 1e-3, 10),
      "the karras grid needs a finite sigma at its start: flow has none at t=1; start "
      "at 0.999 or take the uniform grid");
  CHECK_THROWS_WITH(make_grid("karras", vp, 5e-4, 0, 10), ContainsSubstring("below the start"));
  CHECK_THROWS_AS(make_grid("uniform", vp, 1, std::nan(""), 10), std::invalid_argument);
}
