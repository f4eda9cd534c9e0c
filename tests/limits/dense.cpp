/// @file  limits/dense.cpp
/// @brief Dense output and event times of every ODE method, from loose to tight tolerances.

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>

#include "catch.hpp"

#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>
#include <fokker/solvers/ode/ode.hpp>
#include <fokker/solvers/ode/radau.hpp>
#include <fokker/solvers/ode/rosenbrock.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

#include "row.hpp"

using namespace fokker;

namespace {

using AdaptiveMethods = std::tuple<Bs3, Tsit5, Dopri5, Vern7, Dop853, Rodas4, Rodas5P, Radau5,
                                   OdeintDopri5, Fehlberg78, BulirschStoer>;
using FixedMethods = std::tuple<Euler, Heun, Rk4>;

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

double distance(const auto& a, const auto& b) { return (a - b).abs().maxCoeff(); }

/// The solution at any time, to rounding.
template <class Process>
const auto& truth() {
  static const auto solution =
      integrate(Process{}, Dop853{}, Adaptive{.rtol = 1e-14, .atol = 1e-14, .max_step = 0.02},
                start, {0, Process::end}, {.dense = true});
  return solution;
}

/// Largest errors at the steps (1000 of them at most), at 400 times, and of |x_0| at its zeros,
/// which are as many as they should be.
template <class Process, class Method, class Steps>
void check(const Method& method, const Steps& steps, Time end, double floor) {
  const auto exact = [](Time t) { return truth<Process>().at(t); };
  const auto s = integrate(Process{}, method, steps, start, {0, end},
                           {.events = {level_event(0, 0)}, .dense = true});
  double at_steps = distance(s.end, exact(end)), between = 0, at_events = 0;
  for (std::size_t i = 0; i < s.t.size(); i += 1 + s.t.size() / 1000)
    at_steps = std::max(at_steps, distance(s.x[i], exact(s.t[i])));
  std::size_t zeros = 0;
  double last = start[0];
  for (int i = 1; i <= 400; ++i) {
    const Time t = end * i / 400;
    const auto x = exact(t);
    between = std::max(between, distance(s.at(t), x));
    zeros += x(0) * last < 0 ? 1 : 0;
    last = x(0);
  }
  for (const auto& event : s.events) at_events = std::max(at_events, std::abs(exact(event.t)(0)));

  INFO("steps " << s.counts.accepted << ", error there " << at_steps);
  REQUIRE(s.status == Status::success);
  CHECK(between <= 10 * at_steps + floor);
  CHECK(at_events <= 10 * at_steps + floor);
  CHECK(s.events.size() == zeros);
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("dense values and event times are as accurate as the steps", "",
                        AdaptiveMethods) {
  for (const double tolerance : {1e-3, 1e-5, 1e-7, 1e-9, 1e-11, 1e-13}) {
    const Adaptive steps{.rtol = tolerance, .atol = tolerance};
    INFO("tolerance " << tolerance);
    const bool tight = tolerance < 1e-10;  // many steps for methods of low order
    check<Oscillator>(TestType{}, steps, tight ? 2 : Oscillator::end, 1e-12);
    check<VanDerPol>(TestType{}, steps, tight ? 2 : VanDerPol::end, 1e-11);
  }

  limit_row("ode", std::string(TestType::facts.name), "tolerances from 1e-3 to 1e-13",
            "dense values and event times within 10 times the error at the steps");
}

TEMPLATE_LIST_TEST_CASE("between fixed steps the error is that of the steps", "", FixedMethods) {
  for (const double dt : {0.2, 0.05, 0.0125})
    check<Oscillator>(TestType{}, Fixed{dt}, Oscillator::end, 1e-12);

  limit_row("ode", std::string(TestType::facts.name), "fixed steps from 0.2 to 0.0125",
            "dense values and event times within 10 times the error at the steps");
}
