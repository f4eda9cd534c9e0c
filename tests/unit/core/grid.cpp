/// @file  unit/core/grid.cpp
/// @brief Time grids: exact ends, refinement, and what is refused.

#include <limits>
#include <stdexcept>

#include "catch.hpp"

#include <fokker/solvers/core/grid.hpp>

using namespace fokker;

TEST_CASE("a uniform grid has n + 1 points and exact ends, up and down") {
  const TimeGrid up = uniform_grid(0.1, 0.7, 7);
  const TimeGrid down = uniform_grid(1.0, 1e-3, 3);

  REQUIRE(up.size() == 8);
  CHECK(up.front() == 0.1);
  CHECK(up.back() == 0.7);
  CHECK_THAT(up[3], WithinULP(0.1 + 0.6 * 3 / 7, 2));
  REQUIRE(down.size() == 4);
  CHECK(down.front() == 1.0);
  CHECK(down.back() == 1e-3);
  CHECK(down[1] > down[2]);
}

TEST_CASE("refining keeps the points of the grid and cuts every interval alike") {
  const TimeGrid grid{0.0, 0.5, 2.0};

  const TimeGrid fine = refine(grid, 4);

  REQUIRE(fine.size() == 9);
  CHECK(fine[0] == 0.0);
  CHECK(fine[4] == 0.5);
  CHECK(fine[8] == 2.0);
  CHECK(fine[1] == 0.125);
  CHECK(fine[5] == 0.875);
}

TEST_CASE("a uniform grid refuses no steps and bad ends") {
  const double inf = std::numeric_limits<double>::infinity();

  CHECK_THROWS_WITH(uniform_grid(0, 1, 0), ContainsSubstring("must be at least 1: got n=0"));
  CHECK_THROWS_AS(uniform_grid(0, inf, 3), std::invalid_argument);
  CHECK_THROWS_AS(uniform_grid(2, 2, 3), std::invalid_argument);
}

TEST_CASE("a grid must be finite and strictly monotone, and the first bad point is named") {
  const double nan = std::numeric_limits<double>::quiet_NaN();

  CHECK_NOTHROW(check_grid(TimeGrid{0, 1, 3}));
  CHECK_NOTHROW(check_grid(TimeGrid{3, 1, 0}));
  CHECK_THROWS_WITH(check_grid(TimeGrid{0}), ContainsSubstring("must be at least 2: got 1"));
  CHECK_THROWS_WITH(check_grid(TimeGrid{0, 1, 1}), ContainsSubstring("point 2"));
  CHECK_THROWS_WITH(check_grid(TimeGrid{0, 1, 0.5}), ContainsSubstring("point 2"));
  CHECK_THROWS_WITH(check_grid(TimeGrid{2, 1, 1.5}), ContainsSubstring("point 2"));
  CHECK_THROWS_WITH(check_grid(TimeGrid{0, 1, nan}), ContainsSubstring("point 2 is not finite"));
  CHECK_THROWS_AS(check_grid(TimeGrid{0, 0}), std::invalid_argument);
}
