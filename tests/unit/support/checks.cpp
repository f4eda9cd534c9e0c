/// @file  unit/support/checks.cpp
/// @brief The messages of the named checks.

#include <limits>
#include <stdexcept>
#include <string>

#include "catch.hpp"

#include <fokker/solvers/support/checks.hpp>

using namespace fokker;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

template <class F>
std::string message(F check) {
  try {
    check();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a check names what was wrong, the value and the advice") {
  CHECK(message([] { check_positive("sigma", -1); }) ==
        "sigma must be positive and finite: got sigma=-1");
  CHECK(message([] { check_positive("the end time", 0); }) ==
        "the end time must be positive and finite: got 0");
  CHECK(message([] {
          check_not_negative({"the power of a shift", "power"}, -1);
        }) == "the power of a shift must be at least 0 and finite: got power=-1");
  CHECK(message([] { check_in("t_min", 1, 0, 1, Ends::open_right, "choose a smaller one"); }) ==
        "t_min must lie in [0, 1): got t_min=1; choose a smaller one");
  CHECK(message([] { check_above("beta_max", 0.1, "beta_min", 20); }) ==
        "beta_max must exceed beta_min: got beta_max=0.1, beta_min=20");
  CHECK(message([] { check_index("component", 2, 2); }) ==
        "component must lie in [0, 2): got component=2");
  CHECK(message([] { check_at_least("steps", 0, 1); }) == "steps must be at least 1: got steps=0");
}

TEST_CASE("checks pass the value on, refuse nan, and hold open ends apart") {
  CHECK(check_positive("x", 2) == 2);
  CHECK(check_in("x", 1, 0, 1) == 1);
  CHECK(check_in("x", 1, 0, 1, Ends::open_left) == 1);
  CHECK(check_at_least("n", 3, 3) == 3);
  CHECK(check_index("i", 1, 2) == 1);
  for (const double bad : {not_a_number, inf, -inf}) {
    CHECK_THROWS_AS(check_finite("x", bad), std::invalid_argument);
    CHECK_THROWS_AS(check_positive("x", bad), std::invalid_argument);
    CHECK_THROWS_AS(check_not_negative("x", bad), std::invalid_argument);
    CHECK_THROWS_AS(check_in("x", bad, 0, 1), std::invalid_argument);
    CHECK_THROWS_AS(check_above("x", bad, "y", 0), std::invalid_argument);
  }
  CHECK_THROWS_AS(check_positive("x", 0), std::invalid_argument);
  CHECK_THROWS_AS(check_in("x", 0, 0, 1, Ends::open_left), std::invalid_argument);
  CHECK_THROWS_AS(check_in("x", 1, 0, 1, Ends::open), std::invalid_argument);
  CHECK_THROWS_AS(check_above("x", 1, "y", 1), std::invalid_argument);
}
