/// @file  order/ode.cpp
/// @brief Measured orders of the ODE solvers, and end values of problems known to many digits.

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "catch.hpp"

#include <fokker/analysis/convergence/regression.hpp>
#include <fokker/solvers/core/any_process.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ode/ode.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

using namespace fokker;

namespace {

/// x' = x cos t, x = exp(sin t) from 1: linear, with a coefficient that moves.
struct Growth {
  static constexpr NoiseKind noise = NoiseKind::none;
  static constexpr double x0 = 1;
  static double exact(double t) { return std::exp(std::sin(t)); }
  auto drift(const auto& x, Time t) const { return std::cos(t) * x; }
};

/// x' = x (1 - x), x = 1 / (1 + 4 e^-t) from 0.2: nonlinear, autonomous.
struct Logistic {
  static constexpr NoiseKind noise = NoiseKind::none;
  static constexpr double x0 = 0.2;
  static double exact(double t) { return 1 / (1 + 4 * std::exp(-t)); }
  auto drift(const auto& x, Time) const { return x * (1.0 - x); }
};

/// The order that four halvings of h, from the end time over `coarsest`, show.
template <class M, class P>
OrderFit fixed_step_order(const M& method, const P& process, int coarsest) {
  constexpr double end = 2;
  std::vector<double> h, error;
  for (int n = coarsest; n <= 16 * coarsest; n *= 2) {
    h.push_back(end / n);
    const auto s = integrate(AnyOde{process}, method, Fixed{h.back()}, P::x0, {0, end});
    error.push_back(std::abs(s.end(0, 0) - P::exact(end)));
  }
  return fit_order(h, error, {});
}

/// The slope of ln(error) on ln(1 / steps), or on ln(tolerance), over tolerances 10^-6 .. 10^-11,
/// at t = 100 (the last step, clipped, is one of hundreds).
struct AdaptiveSlopes {
  double in_steps, in_tolerance;
};
template <class M, class P>
AdaptiveSlopes adaptive_slopes(const P& process) {
  std::vector<double> log_error, log_step, log_tolerance;
  for (int k = 12; k <= 22; ++k) {
    const double tolerance = std::pow(10.0, -0.5 * k);
    const auto s = integrate(AnyOde{process}, M{}, Adaptive{.rtol = tolerance, .atol = tolerance},
                             P::x0, {0, 100});
    log_error.push_back(std::log((s.end - P::exact(100)).matrix().norm()));
    log_step.push_back(-std::log(static_cast<double>(s.counts.accepted)));
    log_tolerance.push_back(std::log(tolerance));
  }
  const auto slope = [](const std::vector<double>& x, const std::vector<double>& y) {
    const auto n = static_cast<double>(x.size());
    double sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
      sx += x[i], sy += y[i], sxx += x[i] * x[i], sxy += x[i] * y[i];
    return (n * sxy - sx * sy) / (n * sxx - sx * sx);
  };
  return {slope(log_step, log_error), slope(log_tolerance, log_error)};
}

/// x'' = -x from (1, 0): equal steps for ever, so that steps and tolerance are cleanly related.
struct Oscillator {
  static constexpr NoiseKind noise = NoiseKind::none;
  static inline const PathState<double, 2> x0{1, 0};
  static PathState<double, 2> exact(double t) { return {std::cos(t), -std::sin(t)}; }
  void drift(const auto& x, Time, auto& out) const {
    out.row(0) = x.row(1);
    out.row(1) = -x.row(0);
  }
};

struct Lorenz {
  static constexpr NoiseKind noise = NoiseKind::none;
  void drift(const auto& x, Time, auto& out) const {
    out.row(0) = 10 * (x.row(1) - x.row(0));
    out.row(1) = x.row(0) * (28 - x.row(2)) - x.row(1);
    out.row(2) = x.row(0) * x.row(1) - 8.0 / 3.0 * x.row(2);
  }
};

/// Van der Pol's oscillator, eps v' = (1 - x^2) v - x with eps = 1e-3.
struct VanDerPol {
  static constexpr NoiseKind noise = NoiseKind::none;
  void drift(const auto& x, Time, auto& out) const {
    out.row(0) = x.row(1);
    out.row(1) = ((1 - x.row(0).square()) * x.row(1) - x.row(0)) / 1e-3;
  }
};

/// Arenstorf's closed orbit of the restricted three-body problem, (x, y, x', y').
/// Source: Hairer, Norsett & Wanner (1993), II.0.
struct Arenstorf {
  static constexpr NoiseKind noise = NoiseKind::none;
  static constexpr double period = 17.0652165601579625588917206249;
  void drift(const auto& s, Time, auto& out) const {
    constexpr double mu = 0.012277471, nu = 1 - mu;
    const double x = s(0), y = s(1);
    const double d1 = std::pow((x + mu) * (x + mu) + y * y, 1.5);
    const double d2 = std::pow((x - nu) * (x - nu) + y * y, 1.5);
    out(0) = s(2);
    out(1) = s(3);
    out(2) = x + 2 * s(3) - nu * (x + mu) / d1 - mu * (x - nu) / d2;
    out(3) = y - 2 * s(2) - nu * y / d1 - mu * y / d2;
  }
};

template <class M, class P, int d>
double end_error(const P& process, double tolerance, const PathState<double, d>& x0, double end,
                 const PathState<double, d>& exact) {
  const auto s =
      integrate(AnyOde{process}, M{}, Adaptive{.rtol = tolerance, .atol = tolerance}, x0, {0, end});
  CHECK(s.status == Status::success);
  CHECK(s.end_time == end);
  return (s.end - exact).abs().maxCoeff();
}

}  // namespace

TEMPLATE_TEST_CASE("fixed-step solvers have their order, neither less nor more", "", Euler, Heun,
                   Rk4) {
  const TestType method;
  const double claimed = *TestType::facts.orders(NoiseKind::none).deterministic;
  const int coarsest = claimed > 3 ? 16 : claimed > 1 ? 128 : 1024;

  const OrderFit growth = fixed_step_order(method, Growth{}, coarsest);
  const OrderFit logistic = fixed_step_order(method, Logistic{}, coarsest);

  INFO(verdict(growth, claimed) << "; " << verdict(logistic, claimed));
  CHECK_THAT(growth.slope, WithinAbs(claimed, 0.05));
  CHECK_THAT(logistic.slope, WithinAbs(claimed, 0.05));
  CHECK(judge(growth, claimed) == OrderVerdict::holds);
  CHECK(judge(logistic, claimed) == OrderVerdict::holds);
  CHECK(judge(growth, claimed + 1) == OrderVerdict::lower);
  CHECK(judge(growth, claimed - 1) == OrderVerdict::higher);
}

TEMPLATE_TEST_CASE(
    "adaptive methods have their order in the steps, and an error like the tolerance", "",
    OdeintDopri5, Fehlberg78) {
  const double claimed = *TestType::facts.orders(NoiseKind::none).deterministic;

  const AdaptiveSlopes slopes = adaptive_slopes<TestType>(Oscillator{});

  CHECK_THAT(slopes.in_steps, WithinAbs(claimed, 0.15));
  CHECK_THAT(slopes.in_tolerance, WithinAbs(1, 0.1));
}

TEMPLATE_TEST_CASE("adaptive methods meet end values known to many digits", "", OdeintDopri5,
                   Fehlberg78, BulirschStoer) {
  const PathState<double, 3> ones = PathState<double, 3>::Ones();
  const PathState<double, 3> lorenz{-4.90268754113464573, -3.74387292180291962,
                                    24.6908581027905555};
  const PathState<double, 2> van_der_pol{1.76323454020343846, -0.835688681677677391};
  const PathState<double, 4> arenstorf{0.994, 0, 0, -2.00158510637908252240537862224};

  CHECK(end_error<TestType>(Lorenz{}, 1e-13, ones, 10, lorenz) < 1e-9);
  CHECK(end_error<TestType>(Lorenz{}, 1e-6, ones, 10, lorenz) < 1e-2);
  CHECK(end_error<TestType>(VanDerPol{}, 1e-10, PathState<double, 2>{2, 0}, 2, van_der_pol) < 1e-8);
  CHECK(end_error<TestType>(Arenstorf{}, 1e-13, arenstorf, Arenstorf::period, arenstorf) < 1e-6);
}
