/// @file  time_grids.cpp
/// @brief Time grids of the way back.

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fokker/diffusion/schedule/time_grids.hpp>

#include "catch.hpp"

using namespace fokker;

TEST_CASE("every grid is strictly decreasing with exact ends on every schedule") {
  for (const ScheduleInfo& info : list_schedules()) {
    const AnySchedule schedule = make_schedule(info.name);
    for (const GridInfo& grid_info : list_grids()) {
      for (const Index steps : {1, 2, 3, 7, 18, 100, 900, 4096, 10000}) {
        if (grid_info.name == "iddpm" && steps > 900) continue;  // it has 1000 levels
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
  CHECK(spread("logsnr", [&](Time t) { return std::log(vp.at(t).sigma); }) < 1e-11);
  CHECK(spread("karras", [&](Time t) { return std::pow(vp.at(t).sigma, 1.0 / 7); }) < 1e-11);
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

TEST_CASE("the grids of EDM's other columns end with one step to 0") {
  const TimeGrid vp = make_grid("edm-vp", VariancePreserving{}, 1, 0, 11);
  const TimeGrid ve = make_grid("logsnr", Edm{.sigma_min = 0.02, .sigma_max = 100}, 100, 0, 11);

  REQUIRE(vp.size() == 12);
  REQUIRE(ve.size() == 12);
  for (int i = 0; i < 11; ++i) {
    CHECK_THAT(vp[static_cast<std::size_t>(i)], WithinRel(1 + i / 10.0 * (1e-3 - 1), 1e-13));
    // table 1 has sigma^2 there, as its sigma(t) is sqrt t
    CHECK_THAT(std::pow(ve[static_cast<std::size_t>(i)], 2),
               WithinRel(1e4 * std::pow(4e-4 / 1e4, i / 10.0), 1e-12));
  }
  CHECK(vp.back() == 0);
  CHECK(ve.back() == 0);
  CHECK(make_grid("edm-vp", VariancePreserving{}, 1, 0.1, 9) == uniform_grid(1, 0.1, 9));
}

TEST_CASE("iddpm's levels are those of its alpha-bars, but for the last, where its cap binds") {
  const std::vector<double> u = iddpm_levels();
  const auto alpha_bar = [](int j) { return std::pow(std::sin(M_PI / 2 * j / (1000 * 1.008)), 2); };

  REQUIRE(u.size() == 1001);
  CHECK(u.back() == 0);
  for (const int j : {1, 2, 8, 500, 999})  // the recursion telescopes: 1 + u_j^2 = a_M / a_j
    CHECK_THAT(u[static_cast<std::size_t>(j)],
               WithinRel(std::sqrt(alpha_bar(1000) / alpha_bar(j) - 1), j == 999 ? 1e-9 : 1e-11));
  CHECK_THAT(u[0], WithinRel(std::sqrt((u[1] * u[1] + 1) / 0.001 - 1), 1e-13));
}

TEST_CASE("the iddpm grid takes every so many levels, from the eighth to the last and 0 as EDM's") {
  const std::vector<double> u = iddpm_levels();
  const int n = 18;

  const TimeGrid grid = make_grid("iddpm", Edm{.sigma_max = u[8]}, u[8], 0, n);

  REQUIRE(grid.size() == n + 1);
  for (int i = 0; i < n; ++i) {
    const auto j = static_cast<std::size_t>(std::floor(8 + 991.0 * i / (n - 1) + 0.5));
    CHECK(grid[static_cast<std::size_t>(i)] == u[j]);
  }
  CHECK(grid.back() == 0);
  CHECK(make_grid("iddpm", Edm{}, 80, 0, 1) == TimeGrid{80, 0});
}

TEST_CASE("a grid of levels of sigma is at the times with this noise") {
  const AnySchedule flow = FlowMatching{};
  const std::vector<double> sigmas{4, 1, 0.25, 0};

  const TimeGrid grid = grid_from_sigmas(sigmas, flow);

  REQUIRE(grid.size() == 4);
  CHECK_THAT(grid[0], WithinRel(0.8, 1e-15));
  CHECK_THAT(grid[2], WithinRel(0.2, 1e-15));
  CHECK(grid[3] == 0);
  CHECK_THROWS_WITH(grid_from_sigmas(std::vector<double>{2, 1, 1}, flow),
                    "level 3 of sigma must lie below the one before it: got 1 after 1");
  CHECK_THROWS_WITH(grid_from_sigmas(std::vector<double>{100, 1}, Edm{}),
                    "level 1 of sigma must lie in [0, 80], the noise of edm: got 100");
  CHECK_THROWS_WITH(grid_from_sigmas(std::vector<double>{1}, flow),
                    "a grid needs at least two levels of sigma: got 1");
}

TEST_CASE("a grid is read from a file, and refused with its name and the number of the time") {
  const auto path = std::filesystem::temp_directory_path() / "fokker_test_read_grid.csv";
  const auto read = [&](const std::string& text) {
    std::ofstream(path) << text;
    return read_grid(path, 1);
  };

  CHECK(read("t\n1\n0.5\n0.25\n") == TimeGrid{1, 0.5, 0.25});
  CHECK(read("0.9\n0\n") == TimeGrid{0.9, 0});
  CHECK_THROWS_WITH(read("1\n0.5\n0.5\n0\n"),
                    path.string() + ": time 3 must lie below the one before it: got 0.5 after 0.5");
  CHECK_THROWS_WITH(read("0\n0.5\n1\n"),
                    path.string() + ": time 2 must lie below the one before it: got 0.5 after 0");
  CHECK_THROWS_WITH(read("1000\n999\n"), path.string() + ": time 1 must lie in [0, 1]: got 1000");
  CHECK_THROWS_WITH(read("1\n-0.1\n"), path.string() + ": time 2 must lie in [0, 1]: got -0.1");
  CHECK_THROWS_WITH(read("1\n"), path.string() + ": a time grid needs at least two times: got 1");
  CHECK_THROWS_WITH(read("1,0.5\n"), path.string() + ": a time grid is one column: got 2");
  std::filesystem::remove(path);
  CHECK_THROWS_WITH(read_grid(path, 1), ContainsSubstring("cannot be read"));
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
  CHECK_THROWS_WITH(make_grid("logsnr", vp, 5e-4, 0, 10), ContainsSubstring("below the start"));
  CHECK_THROWS_WITH(make_grid("iddpm", flow, 1, 1e-3, 10),
                    StartsWith("the iddpm grid needs a finite sigma at its start"));
  CHECK_THROWS_WITH(make_grid("iddpm", Edm{}, 80, 0, 2000), EndsWith("got steps=2000"));
  CHECK_THROWS_WITH(
      make_grid("karras", flow, 1, 1e-3, 10),
      "the karras grid needs a finite sigma at its start: flow has none at t=1; start "
      "at 0.999 or take the uniform grid");
  CHECK_THROWS_WITH(make_grid("karras", vp, 5e-4, 0, 10), ContainsSubstring("below the start"));
  CHECK_THROWS_AS(make_grid("uniform", vp, 1, std::nan(""), 10), std::invalid_argument);
}
