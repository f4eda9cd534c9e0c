/// @file  limits/dense.cpp
/// @brief Dense output and event times of every ODE method, from loose to tight tolerances.

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "catch.hpp"

#include <fokker/solvers/embedded_runge_kutta.hpp>
#include <fokker/solvers/integrate.hpp>
#include <fokker/solvers/ode.hpp>
#include <fokker/solvers/radau.hpp>
#include <fokker/solvers/rosenbrock.hpp>
#include <fokker/solvers/runge_kutta.hpp>

#include "row.hpp"

using namespace fokker;

namespace {

using Adaptive =
    std::tuple<BogackiShampine32, Tsitouras54, DormandPrince54, Verner76, DormandPrince853, Rodas4,
               Rodas5P, Radau5, OdeintDormandPrince5, Fehlberg78, BulirschStoer>;
using Fixed = std::tuple<Euler, Heun, RungeKutta4>;

/// (cos t, -sin t).
struct Oscillator {
  static constexpr NoiseKind noise = NoiseKind::none;
  static constexpr int dimension = 2;
  void drift(const auto& x, Time, auto& out) const {
    out.row(0) = x.row(1);
    out.row(1) = -x.row(0);
  }
  static constexpr Time end = 10;
};

struct VanDerPol {
  static constexpr NoiseKind noise = NoiseKind::none;
  static constexpr int dimension = 2;
  void drift(const auto& x, Time, auto& out) const {
    out.row(0) = x.row(1);
    out.row(1) = 2 * (1 - x.row(0) * x.row(0)) * x.row(1) - x.row(0);
  }
  static constexpr Time end = 8;
};

const Eigen::Array2d start(2, 0);

struct Errors {
  double at_steps = 0, between = 0, events = 0;
};

double distance(const auto& a, const auto& b) { return (a - b).abs().maxCoeff(); }

/// The solution at any time, to rounding.
template <class Process>
const auto& truth() {
  static const auto solution = integrate(Process{}, DormandPrince853{.rtol = 1e-14, .atol = 1e-14},
                                         start, {0, Process::end}, {.max_dt = 0.02, .dense = true});
  return solution;
}

/// Largest errors of a run, at its steps, at 1000 times, and of the zeros of x_0 times |x_1| there.
template <class Process, class Solved>
Errors errors(const Solved& s) {
  Errors e;
  for (std::size_t i = 0; i < s.t.size(); ++i)
    e.at_steps = std::max(e.at_steps, distance(s.x[i], truth<Process>().at(s.t[i])));
  for (int i = 0; i <= 1000; ++i) {
    const Time t = Process::end * i / 1000;
    e.between = std::max(e.between, distance(s.at(t), truth<Process>().at(t)));
  }
  for (const auto& event : s.events)
    e.events = std::max(e.events, std::abs(truth<Process>().at(event.t)(0)));
  return e;
}

template <class Process>
std::size_t zeros() {
  return integrate(Process{}, DormandPrince853{.rtol = 1e-10, .atol = 1e-10}, start,
                   {0, Process::end}, {.max_dt = 0.02, .events = {level_event(0, 0)}})
      .events.size();
}

template <class Process, class Method>
void check(const Method& method, double dt, double floor) {
  const auto s = integrate(Process{}, method, start, {0, Process::end},
                           {.dt = dt, .events = {level_event(0, 0)}, .dense = true});
  const Errors e = errors<Process>(s);

  INFO("steps " << s.counts.accepted << ", error there " << e.at_steps);
  REQUIRE(s.status == Status::success);
  CHECK(e.between <= 10 * e.at_steps + floor);
  CHECK(e.events <= 10 * e.at_steps + floor);
  CHECK(s.events.size() == zeros<Process>());
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("dense values and event times are as accurate as the steps", "", Adaptive) {
  for (const double tolerance : {1e-3, 1e-5, 1e-7, 1e-9, 1e-11, 1e-13}) {
    TestType method;
    method.rtol = method.atol = tolerance;
    INFO("tolerance " << tolerance);
    check<Oscillator>(method, 0, 1e-12);
    if (tolerance > 1e-12) check<VanDerPol>(method, 0, 1e-11);
  }

  limit_row("ode", std::string(TestType::name), "tolerances from 1e-3 to 1e-13",
            "dense values and event times within 10 times the error at the steps");
}

TEMPLATE_LIST_TEST_CASE("between fixed steps the error is that of the steps", "", Fixed) {
  for (const double dt : {0.2, 0.05, 0.0125}) check<Oscillator>(TestType{}, dt, 1e-12);

  limit_row("ode", std::string(TestType::name), "fixed steps from 0.2 to 0.0125",
            "dense values and event times within 10 times the error at the steps");
}
