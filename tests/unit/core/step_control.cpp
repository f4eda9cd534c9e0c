/// @file  unit/core/step_control.cpp
/// @brief The factors of the step size controllers, one by one.

#include <cmath>
#include <limits>

#include "catch.hpp"

#include <fokker/solvers/core/step_control.hpp>

using namespace fokker;

namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

StepControl without_band(StepControl control) {
  control.keep = {0, 0};
  return control;
}

}  // namespace

TEST_CASE("the error alone decides on acceptance, and nan is a rejection") {
  CHECK(StepController::accepts(0));
  CHECK(StepController::accepts(1));
  CHECK_FALSE(StepController::accepts(std::nextafter(1.0, 2.0)));
  CHECK_FALSE(StepController::accepts(infinity));
  CHECK_FALSE(StepController::accepts(undefined));
}

TEST_CASE("integral control is safety e^(-1/k), within its bounds") {
  StepController controller(without_band(step_controls::integral), 5);

  CHECK_THAT(controller.factor(0.3), WithinRel(0.9 * std::pow(0.3, -0.2), 1e-14));
  CHECK_THAT(controller.factor(1), WithinRel(0.9, 1e-14));
  CHECK(controller.factor(1e-9) == 5);
  CHECK(controller.factor(0) == 5);
  CHECK_THAT(controller.factor(0.3), WithinRel(0.9 * std::pow(0.3, -0.2), 1e-14));
}

TEST_CASE("PI and PID control weigh the last errors in units of their target") {
  const double target = std::pow(0.9, 4);
  StepController pi(without_band(step_controls::pi), 4);
  StepController pid(without_band(StepControl{.b = {0.2, 0.3, 0.1}}), 4);

  pi.factor(0.2);
  CHECK_THAT(pi.factor(0.5),
             WithinRel(std::pow(target / 0.5, 0.7 / 4) * std::pow(target / 0.2, -0.4 / 4), 1e-14));

  pid.factor(0.2);
  pid.factor(0.5);
  CHECK_THAT(pid.factor(0.9),
             WithinRel(std::pow(target / 0.9, 0.2 / 4) * std::pow(target / 0.5, 0.3 / 4) *
                           std::pow(target / 0.2, 0.1 / 4),
                       1e-14));
}

TEST_CASE("a rejected step shrinks by the integral rule, the more the larger its error") {
  StepController controller(step_controls::pi, 5);

  CHECK_THAT(controller.factor(2), WithinRel(0.9 * std::pow(2, -0.2), 1e-14));
  CHECK(controller.factor(std::nextafter(1.0, 2.0)) < 1);
  CHECK(controller.factor(1e30) == 0.2);
  CHECK(controller.factor(infinity) == 0.2);
  CHECK(controller.factor(undefined) == 0.2);
}

TEST_CASE("the step after a rejection does not grow, the one after that may") {
  StepController controller(step_controls::integral, 5);

  controller.factor(undefined);
  const double after = controller.factor(1e-3);
  const double later = controller.factor(1e-3);

  CHECK(after == 1);
  CHECK_THAT(later, WithinRel(0.9 * std::pow(1e-3, -0.2), 1e-14));
}

TEST_CASE("in the dead band the step is kept, outside it is not") {
  StepControl control = step_controls::integral;
  control.keep = {0.95, 1.1};
  StepController controller(control, 5);
  const double low = std::pow(0.9 / 1.1, 5), high = std::pow(0.9 / 0.95, 5);

  CHECK(controller.factor(1.001 * low) == 1);
  CHECK(controller.factor(0.999 * high) == 1);
  CHECK(controller.factor(0.999 * low) > 1.1);
  CHECK(controller.factor(1.001 * high) < 0.95);
}

TEST_CASE("calm control keeps no step whose error is near the tolerance") {
  StepController calm(step_controls::calm, 5), pi(step_controls::pi, 5);

  CHECK(calm.keeps(0.6));
  CHECK_FALSE(calm.keeps(0.7));
  CHECK(calm.factor(1) < 0.86);
  CHECK(pi.keeps(0.99));
}

TEST_CASE("every controller brings the error to its target, and keeps it there") {
  for (const StepControl& design : {step_controls::integral, step_controls::pi, step_controls::pi42,
                                    step_controls::h211pi, step_controls::h312pid}) {
    constexpr double k = 5;
    StepController controller(without_band(design), k);
    double h = 0.01, error = 0;
    for (int step = 0; step < 400; ++step) {
      error = std::pow(h, k);
      h *= controller.factor(error);
    }

    CHECK_THAT(error, WithinRel(std::pow(0.9, k), 1e-6));
  }
}

TEST_CASE("controllers outside their ranges are refused") {
  const auto make = [](StepControl control, double k = 5) { return StepController(control, k); };

  CHECK_NOTHROW(make(StepControl{}));
  CHECK_THROWS_WITH(make({.safety = 1}), ContainsSubstring("safety=1"));
  CHECK_THROWS_WITH(make({.min_factor = 0.95}), ContainsSubstring("min_factor=0.95"));
  CHECK_THROWS_WITH(make({.min_factor = 0}), ContainsSubstring("min_factor=0"));
  CHECK_THROWS_WITH(make({.max_factor = 1}), ContainsSubstring("max_factor=1"));
  CHECK_THROWS_AS(make({.b = {undefined, 0, 0}}), std::invalid_argument);
  CHECK_THROWS_WITH(make(StepControl{}, 0), ContainsSubstring("k=0"));
}

TEST_CASE("an error far below what a step shortened by the most can have is not believed") {
  StepController controller(step_controls::integral, 5);

  CHECK(controller.factor(1e8) == 0.2);
  CHECK_THAT(controller.expected(), WithinRel(1e8 * std::pow(0.2, 5), 1e-14));
  CHECK(controller.doubts(0.5));
  CHECK(controller.doubts(0));
  CHECK_FALSE(controller.doubts(1.5));  // a rejection as it is
  controller.trust();
  CHECK_FALSE(controller.doubts(0.5));

  CHECK(controller.factor(1e4) == 0.2);
  CHECK_FALSE(controller.doubts(0.5));  // 3 was to be expected
  controller.factor(100);
  CHECK_FALSE(controller.doubts(0));  // the error chose the factor
  controller.factor(infinity);
  CHECK_FALSE(controller.doubts(0));
}
