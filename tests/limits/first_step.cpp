/// @file  limits/first_step.cpp
/// @brief Steps whose error estimate vanishes while the error does not: first steps, given and
/// chosen, at every h lambda; steps across jumps; forcing that the stages are blind to.

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "catch.hpp"
#include "ode_methods.hpp"
#include "row.hpp"

#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/integrate/integrate.hpp>

using namespace fokker;

namespace {

using One = PathState<double, 1>;

/// x' = rate x up to t = 1, then x' = later x; or, where f is given, x' = f(t).
struct Linear {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  double rate = 0, later = rate;
  double (*f)(double) = nullptr;
  void drift(const auto& x, Time t, auto& out) const {
    if (f)
      out.setConstant(f(t));
    else
      out = (t < 1 ? rate : later) * x;
  }
};

/// x' = rate x, solved in lanes.
struct Decay {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  static constexpr bool autonomous = true;
  double rate;
  auto drift(const auto& x, Time) const { return rate * x; }
};

/// The largest error after the first three accepted steps, in units of the tolerance, of a run of
/// x' = rate x whose first step is tried with h = 1 (0: chosen).
template <class M>
double first_errors(double rate, double tolerance, double h = 1) {
  const Linear process{rate, rate};
  typename M::template Run<Linear, One> run(
      M{}, Adaptive{.rtol = tolerance, .atol = tolerance, .first_step = h}, process, 1);
  One x{1};
  Counts counts;
  Time t = 0;
  double worst = 0;
  while (counts.accepted < 3) {
    REQUIRE(run.try_step(x, t, 1e9, counts) == Status::success);
    const double exact = std::exp(rate * t), scale = tolerance * (1 + std::max(1.0, exact));
    worst = std::max(worst, std::abs(x(0) - exact) / scale);
  }
  return worst;
}

/// The end of x' = f(t), x(0) = 0, at t1, with the default first step or dt.
template <class M>
double integral(double (*f)(double), Time t1, double tolerance, double dt = 0) {
  const auto s = integrate(Linear{.f = f}, M{},
                           Adaptive{.rtol = tolerance, .atol = tolerance, .first_step = dt}, 0.0,
                           {0, t1}, {.save_at = {t1}});
  CHECK(s.status == Status::success);
  return s.end(0);
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("the first steps are right for h lambda from 0 to 20", "", AllMethods) {
  for (const double tolerance : {1e-6, 1e-9})
    for (double z = 0.03125; z <= 20; z += 0.03125) {
      INFO("h lambda = -" << z << ", tolerance " << tolerance);
      REQUIRE(first_errors<TestType>(-z, tolerance) < 10);
      REQUIRE(first_errors<TestType>(z, tolerance) < 10);
    }

  limit_row("ode", TestType::facts.name, "a given first step with any h lambda in (0, 20]",
            "confirmed by two unequal steps: first errors below 10 tolerances");
}

TEST_CASE("where estimates of embedded pairs vanish the first step is seen to be wrong") {
  // found by a scan in steps of 1e-6
  CHECK(first_errors<Bs3>(-1, 1e-6) < 1);
  CHECK(first_errors<Bs3>(-5, 1e-9) < 1);  // and -1 after the first rejection
  CHECK(first_errors<Dop853>(-5.6554662, 1e-6) < 1);
  CHECK(first_errors<Vern7>(-5.8692991, 1e-9) < 1);
  CHECK(first_errors<Rodas5P>(13.109142, 1e-9) < 1);
  CHECK(first_errors<BulirschStoer>(-9, 1e-9) < 1);
}

TEMPLATE_LIST_TEST_CASE("first steps that are chosen are right in every unit", "", AllMethods) {
  for (double rate = 1e-9; rate < 1e13; rate *= 3.7)
    for (const double tolerance : {1e-3, 1e-6}) {
      INFO("rate " << rate << ", tolerance " << tolerance);
      REQUIRE(first_errors<TestType>(-rate, tolerance, 0) < 10);
      REQUIRE(first_errors<TestType>(rate, tolerance, 0) < 10);
    }
}

TEMPLATE_LIST_TEST_CASE("a fast decay over five of its times is solved", "", AllMethods) {
  const auto s = integrate(Linear{-1e9, -1e9}, TestType{}, Adaptive{}, 1.0, {0, 5e-9});

  CHECK(s.status == Status::success);
  CHECK_THAT(s.end(0), WithinRel(std::exp(-5.0), 1e-3));
}

TEST_CASE("a fast decay is solved in lanes") {
  const auto run = simulate(Decay{-1e9}, Bs3{}, Adaptive{}, 1.0, {0, 5e-9},
                            {.paths = 3, .threads = 1}, FinalState{});

  CHECK_THAT(run.value(0, 2), WithinRel(std::exp(-5.0), 1e-3));
}

TEMPLATE_LIST_TEST_CASE("forcing alone is integrated: no estimate is blind to f(t)", "",
                        AllMethods) {
  const auto wave = [](double t) { return 1 + std::cos(t); };

  CHECK_THAT(integral<TestType>(wave, 50, 1e-6), WithinAbs(50 + std::sin(50.0), 1e-3));

  limit_row("ode", TestType::facts.name, "x' = f(t)", "within the tolerance");
}

TEMPLATE_LIST_TEST_CASE("a given first step of whole periods of the forcing is seen", "",
                        AllMethods) {
  const auto wave = [](double t) { return 1 - std::cos(2 * std::numbers::pi * t); };

  for (const double dt : {1.0, 2.0, 4.0, 10.0, 90.0})
    CHECK_THAT(integral<TestType>(wave, 100, 1e-6, dt), WithinAbs(100, 1e-2));
}

TEMPLATE_LIST_TEST_CASE("a drift that is 0 at the start and switched on later is found", "",
                        AllMethods) {
  const auto late = [](double t) { return t < 61 ? 0.0 : 1.0; };
  const auto pulse = [](double t) { return t > 41 && t < 56 ? 1.0 : 0.0; };
  const auto smooth = [](double t) { return t * t * t; };

  CHECK_THAT(integral<TestType>(late, 100, 1e-6), WithinAbs(39, 1e-2));
  CHECK_THAT(integral<TestType>(pulse, 100, 1e-6), WithinAbs(15, 1e-2));
  CHECK_THAT(integral<TestType>(smooth, 2, 1e-6), WithinAbs(4, 1e-5));

  limit_row("ode", TestType::facts.name, "f = 0 at the start",
            "steps of at most a tenth of the interval while nothing moves");
}

TEMPLATE_LIST_TEST_CASE("a step into a drift that has become 1e6 times faster is not believed", "",
                        AllMethods) {
  const auto s = integrate(Linear{-1, -1e6}, TestType{}, Adaptive{.rtol = 1e-6, .atol = 1e-12}, 1.0,
                           {0, 1 + 1e-6}, {.save_at = {1 + 1e-6}});

  CHECK_THAT(s.end(0), WithinRel(std::exp(-2.0), 1e-3));
}

TEST_CASE("tolerances below rounding are refused") {
  const auto solve = [](double rtol, double atol) {
    return integrate(Linear{-1, -1}, Dopri5{}, Adaptive{.rtol = rtol, .atol = atol}, 1.0, {0, 1});
  };

  CHECK_THROWS_WITH(solve(1e-20, 1e-6), ContainsSubstring("below the rounding of a step") &&
                                            ContainsSubstring("rtol=1e-20"));
  CHECK_THROWS_AS(solve(5e-16, 1e-6), std::invalid_argument);
  CHECK(solve(1e-15, 1e-30).status == Status::success);

  limit_row("ode", "all adaptive methods", "rtol below 8.9e-16", "refused");
}
