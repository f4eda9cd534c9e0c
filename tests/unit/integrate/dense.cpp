/// @file  unit/integrate/dense.cpp
/// @brief Dense output: exact where it must be, of its order elsewhere, and not beyond the run.

#include <cmath>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "catch.hpp"

#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>
#include <fokker/solvers/ode/ode.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

using namespace fokker;

namespace {

/// (cos t, -sin t).
struct Oscillator {
  static constexpr NoiseKind noise = NoiseKind::none;
  static constexpr int dimension = 2;
  void drift(const auto& x, Time, auto& out) const {
    out.row(0) = x.row(1);
    out.row(1) = -x.row(0);
  }
};

const Eigen::Array2d start(1, 0);

/// Largest distance from cos t over [t0, t1].
template <class S>
double error(const S& s, Time t0, Time t1) {
  double worst = 0;
  for (int i = 0; i <= 1000; ++i) {
    const Time t = t0 + (t1 - t0) * i / 1000;
    worst = std::max(worst, std::abs(s.at(t)(0) - std::cos(t)));
  }
  return worst;
}

}  // namespace

TEMPLATE_TEST_CASE_SIG("polynomials up to the degree are reproduced on every step", "",
                       ((int degree), degree), 1, 2, 3, 7) {
  using X = PathState<double, 1>;
  const auto polynomial = [](Time t) { return std::pow(t - 0.3, degree) - t; };
  DenseOutput<X> dense;
  for (const auto& [a, b] : {std::pair{2.0, 1.0}, {1.0, 0.9}, {0.9, -1.0}})
    dense.append(a, b, degree, [&](Time t, X& out) { out.setConstant(polynomial(t)); });

  for (int i = 0; i <= 300; ++i) {
    const Time t = std::max(-1.0, 2 - 0.01 * i);
    CHECK_THAT(dense(t)(0), WithinAbs(polynomial(t), 1e-13));
  }
  CHECK(dense(1)(0) == polynomial(1));
  CHECK(dense(2)(0) == polynomial(2));
  CHECK(dense(-1)(0) == polynomial(-1));
}

TEST_CASE("between the steps of an ODE solver the error is of order four") {
  const auto at_step = [](double h) {
    return error(integrate(Oscillator{}, Rk4{}, Fixed{h}, start, {0, 4}, {.dense = true}), 0, 4);
  };

  const double order = std::log2(at_step(0.1) / at_step(0.05));

  CHECK(order > 3.9);
  CHECK(order < 4.1);
}

TEST_CASE("dense output runs down in time, and has the bits of the steps at their ends") {
  const auto s = integrate(Oscillator{}, OdeintDopri5{}, Adaptive{.max_step = 0.2}, start, {0, -6},
                           {.dense = true});

  CHECK(error(s, 0, -6) < 2e-5);
  REQUIRE(s.t.size() > 10);
  for (std::size_t i = 0; i < s.t.size(); ++i) CHECK((s.at(s.t[i]) == s.x[i]).all());
}

TEST_CASE("with dense output save_at shortens no step") {
  const std::vector<Time> at{0, 0.5, 1.234, 5, 10};
  const OdeintDopri5 method;
  const Adaptive steps{.rtol = 1e-6, .atol = 1e-6};

  const auto free = integrate(Oscillator{}, method, steps, start, {0, 10}, {});
  const auto s =
      integrate(Oscillator{}, method, steps, start, {0, 10}, {.save_at = at, .dense = true});

  CHECK(s.counts.accepted == free.counts.accepted);
  CHECK((s.end == free.end).all());
  CHECK(s.t == at);
  for (std::size_t i = 0; i < at.size(); ++i) {
    CHECK_THAT(s.x[i](0), WithinAbs(std::cos(at[i]), 1e-3));
    CHECK_THAT(s.x[i](0), WithinAbs(s.at(at[i])(0), 1e-14));
  }
}

TEMPLATE_TEST_CASE("times interpolated without dense output have the bits of dense output", "",
                   Dopri5, OdeintDopri5, Rk4) {
  const std::vector<Time> at{0, 0.5, 0.51, 1.234, 5, 10};
  const auto steps = [] {
    if constexpr (std::is_same_v<TestType, Rk4>)
      return Fixed{0.1};
    else
      return Adaptive{.rtol = 1e-8, .atol = 1e-8};
  }();
  const auto run = [&](const IntegrateOptions& options, std::size_t* calls) {
    return integrate(Oscillator{}, TestType{}, steps, start, {0, 10}, options,
                     [=](Time, const auto&) { ++*calls; });
  };

  std::size_t seen = 0, all = 0;
  const auto s = run({.save_at = at, .interpolate = true}, &seen);
  const auto dense = run({.save_at = at, .dense = true}, &all);

  CHECK(s.dense.empty());
  CHECK(s.t == at);
  for (std::size_t i = 0; i < at.size(); ++i) CHECK((s.x[i] == dense.x[i]).all());
  CHECK((s.end == dense.end).all());
  CHECK(seen == s.counts.accepted);
  CHECK(seen == all);
}

TEST_CASE("a path of an SDE is joined by lines") {
  const auto wiener =
      make_sde([](const auto&, Time) { return 0.0; }, [](Time) { return 1.0; }, noise::additive);

  const auto s = integrate(wiener, EulerMaruyama{}, Fixed{0.25}, 0.0, {0, 1}, {.dense = true});

  CHECK_THAT(s.at(0.3)(0), WithinAbs(0.8 * s.x[1](0) + 0.2 * s.x[2](0), 1e-15));
  CHECK(s.at(1)(0) == s.end(0));
}

TEST_CASE("nothing is told beyond the run or of a run that kept nothing") {
  const IntegrateOptions options{.events = {level_event(0, 0.5, Crossing::both, true)},
                                 .dense = true};
  const auto s = integrate(Oscillator{}, Rk4{}, Fixed{0.3}, start, {0, 3}, options);
  const auto without = integrate(Oscillator{}, Rk4{}, Fixed{0.3}, start, {0, 3});

  REQUIRE(s.status == Status::event);
  CHECK_THAT(s.at(s.end_time)(0), WithinAbs(0.5, 1e-14));
  CHECK_THROWS_WITH(s.at(s.end_time + 1e-9), ContainsSubstring("the solution is known from t = 0"));
  CHECK_THROWS_WITH(s.at(-0.1), ContainsSubstring("got -0.1"));
  CHECK_THROWS_WITH(s.at(std::nan("")), ContainsSubstring("got nan"));
  CHECK_THROWS_WITH(without.at(1), ContainsSubstring("set dense = true"));
}
