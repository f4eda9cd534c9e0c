/// @file  unit/integrate/odeint.cpp
/// @brief The adaptive methods behind `integrate` and `simulate`, and our steppers inside odeint.

#include <array>
#include <cmath>
#include <cstdint>
#include <functional>

#include <boost/numeric/odeint/integrate/integrate_const.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>

#include "catch.hpp"

#include <fokker/solvers/core/any_process.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/integrate/odeint_stepper.hpp>
#include <fokker/solvers/ito/milstein.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>
#include <fokker/solvers/ode/ode.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

using namespace fokker;

namespace {

/// The oscillator x'' = -x, with the number of calls.
struct Oscillator {
  static constexpr NoiseKind noise = NoiseKind::none;
  std::uint64_t* calls = nullptr;
  void drift(const auto& x, Time, auto& out) const {
    if (calls) ++*calls;
    out.row(0) = x.row(1);
    out.row(1) = -x.row(0);
  }
};

/// x' = 1 up to t = 1 and undefined from there.
struct UndefinedAfterOne {
  static constexpr NoiseKind noise = NoiseKind::none;
  void drift(const auto&, Time t, auto& out) const { out.setConstant(t > 1 ? std::nan("") : 1.0); }
};

/// x' = x^2, which blows up at t = 1 from x = 1.
struct BlowUp {
  static constexpr NoiseKind noise = NoiseKind::none;
  auto drift(const auto& x, Time) const { return x.square(); }
};

/// Path j starts at j / 10, but path 2 at 4, from where x' = x^2 blows up at t = 1/4.
struct Starts {
  Index dimension() const { return 1; }
  void sample(PathRandom&, auto& x) const {
    for (Index j = 0; j < x.cols(); ++j) x(0, j) = j == 2 ? 4.0 : 0.1 * static_cast<double>(j);
  }
};

template <class X>
X start() {
  X x(2, X::ColsAtCompileTime == 1 ? 1 : 3);
  x.row(0).setOnes();
  x.row(1).setZero();
  return x;
}

}  // namespace

TEMPLATE_TEST_CASE("adaptive methods solve to their tolerance, up and down", "", OdeintDopri5,
                   Fehlberg78, BulirschStoer) {
  std::uint64_t calls = 0;
  const Adaptive tight{.rtol = 1e-10, .atol = 1e-12};

  const auto up = integrate(AnyOde{Oscillator{&calls}}, TestType{}, tight, start<Block<double>>(),
                            {0, 10}, {.check = false});
  const auto down =
      integrate(AnyOde{Oscillator{}}, TestType{}, tight, start<Block<double>>(), {0, -10});

  CHECK(up.status == Status::success);
  CHECK(up.end_time == 10);
  CHECK(up.t.back() == 10);
  CHECK_THAT(up.end(0, 0), WithinAbs(std::cos(10), 1e-8));
  CHECK_THAT(up.end(1, 2), WithinAbs(-std::sin(10), 1e-8));
  CHECK(up.counts.drift_evaluations == calls);
  CHECK(up.counts.accepted + 1 == up.t.size());
  CHECK(down.end_time == -10);
  CHECK_THAT(down.end(1, 2), WithinAbs(std::sin(10), 1e-8));
}

TEST_CASE("our dopri5 and odeint's take one step to the same state") {
  PathState<double, 2> x(1, 0);
  boost::numeric::odeint::runge_kutta_dopri5<std::array<double, 2>> theirs;
  std::array<double, 2> y = {1, 0};

  const auto ours =
      integrate(Oscillator{}, ExplicitRungeKutta<tableaus::Dopri5>{}, Fixed{0.5}, x, {0, 0.5});
  theirs.do_step([](const auto& s, auto& f, double) { f = {s[1], -s[0]}; }, y, 0.0, 0.5);

  CHECK_THAT(ours.end(0), WithinAbs(y[0], 1e-15));
  CHECK_THAT(ours.end(1), WithinAbs(y[1], 1e-15));
  CHECK(std::abs(ours.end(0) - std::cos(0.5)) > 1e-8);  // it is this method's error that agrees
}

TEST_CASE("our dopri5 and odeint's keep a tolerance at the same work for the same accuracy") {
  const auto work = [](std::uint64_t steps,
                       double error) {  // does not change with a step of order 5
    return static_cast<double>(steps) * std::pow(error, 0.2);
  };
  for (const double tolerance : {1e-4, 1e-6, 1e-8, 1e-10}) {
    const Adaptive adaptive{.rtol = tolerance, .atol = tolerance};
    const auto error = [&](const auto& method, std::uint64_t& steps) {
      const auto run =
          integrate(Oscillator{}, method, adaptive, start<PathState<double, 2>>(), {0, 10});
      steps = run.counts.accepted;
      return std::hypot(run.end(0) - std::cos(10), run.end(1) + std::sin(10));
    };
    std::uint64_t steps = 0, their_steps = 0;

    const double ours = error(Dopri5{}, steps);
    const double theirs = error(OdeintDopri5{}, their_steps);

    INFO("tolerance " << tolerance << ": errors " << ours << " and " << theirs << ", steps "
                      << steps << " and " << their_steps);
    CHECK(ours < 10 * tolerance);
    CHECK(theirs < 20 * tolerance);
    const double ratio = work(steps, ours) / work(their_steps, theirs);
    CHECK(ratio > 0.9);
    CHECK(ratio < 1.1);
  }
}

TEST_CASE("adaptive methods take fixed and dynamic states, in float and double") {
  const auto fixed =
      integrate(Oscillator{}, OdeintDopri5{}, Adaptive{}, start<PathState<double, 2>>(), {0, 10});
  const auto path =
      integrate(Oscillator{}, Fehlberg78{}, Adaptive{}, start<PathState<float>>(), {0, 10});
  const auto block =
      integrate(Oscillator{}, BulirschStoer{}, Adaptive{}, start<Block<float, 2>>(), {0, 10});

  CHECK_THAT(fixed.end(0), WithinAbs(std::cos(10), 1e-4));
  CHECK_THAT(path.end(0), WithinAbs(std::cos(10), 1e-4));
  CHECK_THAT(block.end(0, 1), WithinAbs(std::cos(10), 1e-4));
}

TEST_CASE("save_at is met exactly by adaptive steps, which resume their size") {
  const auto s = integrate(AnyOde{Oscillator{}}, OdeintDopri5{}, Adaptive{}, start<Block<double>>(),
                           {0, 4}, {.save_at = {0.1, 1, 3.9999}});

  REQUIRE(s.t.size() == 3);
  CHECK(s.t[1] == 1);
  CHECK_THAT(s.x[1](0, 0), WithinAbs(std::cos(1), 1e-5));
  CHECK_THAT(s.x[2](0, 0), WithinAbs(std::cos(3.9999), 1e-5));
  CHECK(s.counts.accepted < 60);
}

TEMPLATE_TEST_CASE("a nan is a rejected step, and the run ends in a status where nan remains", "",
                   OdeintDopri5, Fehlberg78, BulirschStoer) {
  const AnyOde undefined{UndefinedAfterOne{}};
  const auto before = integrate(undefined, TestType{}, Adaptive{.first_step = 0.7}, 0.0, {0, 1});
  const auto beyond = integrate(undefined, TestType{}, Adaptive{}, 0.0, {0, 2});
  const auto blow_up = integrate(AnyOde{BlowUp{}}, TestType{}, Adaptive{}, 1.0, {0, 2});

  CHECK(before.status == Status::success);
  CHECK_THAT(before.end(0, 0), WithinAbs(1, 1e-12));
  CHECK(beyond.status == Status::non_finite);
  CHECK_THAT(beyond.end_time, WithinAbs(1, 1e-12));
  CHECK_THAT(beyond.end(0, 0), WithinAbs(1, 1e-12));
  CHECK(beyond.counts.rejected > 0);
  CHECK_THAT(beyond.message, ContainsSubstring("non-finite state at t = "));
  CHECK(blow_up.status != Status::success);
  CHECK_THAT(blow_up.end_time, WithinAbs(1, 1e-5));
}

TEST_CASE("limits and tolerances of adaptive methods are checked") {
  const auto x0 = start<Block<double>>();
  const auto run = [&](Adaptive steps, IntegrateOptions options) {
    return integrate(AnyOde{Oscillator{}}, OdeintDopri5{}, steps, x0, {0, 10}, options);
  };

  CHECK(run({}, {.max_steps = 5}).status == Status::too_many_steps);
  CHECK_THROWS_WITH(run({.rtol = 0}, {}), ContainsSubstring("tolerances above zero: got rtol=0"));
  CHECK_THROWS_WITH(run({.atol = -1}, {}), ContainsSubstring("atol=-1"));
  CHECK_THROWS_WITH(run({.first_step = -1}, {}), ContainsSubstring("got first_step=-1"));
}

TEST_CASE("simulate gives every path its own steps, on the grid, and marks those that fail") {
  const auto result =
      simulate(AnyOde{BlowUp{}}, OdeintDopri5{}, Adaptive{}, Starts{}, {0, 0.5},
               {.paths = 5, .save_at = uniform_grid(0, 0.5, 4), .threads = 1}, FinalState{});

  CHECK(result.failed == 1);
  CHECK(result.status != Status::success);
  CHECK(std::isnan(result.value(0, 2)));
  for (const Index j : {0, 1, 3, 4}) {
    const double x0 = 0.1 * static_cast<double>(j);
    CHECK_THAT(result.value(0, j), WithinAbs(x0 / (1 - 0.5 * x0), 1e-6));
  }
}

TEST_CASE("orders are stated where they are fixed") {
  CHECK(OdeintDopri5::facts.orders(NoiseKind::none).deterministic == 5.0);
  CHECK(Fehlberg78::facts.orders(NoiseKind::none).deterministic == 8.0);
  CHECK_FALSE(BulirschStoer::facts.orders(NoiseKind::none).deterministic.has_value());
}

TEST_CASE("odeint's integrate_const drives an SDE solver to the same bits as integrate") {
  auto gbm = make_sde([](const auto& x, Time) { return 0.5 * x; },
                      [](const auto& x, Time) { return 0.4 * x; }, noise::diagonal);
  const auto ours =
      integrate(gbm, Milstein{}, Fixed{1.0 / 64}, 1.0, {0, 2}, {.seed = 9, .path = 4});

  PathState<double, 1> x = PathState<double, 1>::Ones();
  const OdeintStepper stepper{Milstein{}, gbm, x, BrownianIncrements<double>(9, 4, 1, 1)};
  const auto steps =
      boost::numeric::odeint::integrate_const(stepper, std::ref(gbm), x, 0.0, 2.0, 1.0 / 64);

  CHECK(steps == 128);
  CHECK(x(0) == ours.end(0));
}

TEST_CASE("copies of an odeint stepper share the noise: odeint carries on where it stopped") {
  auto gbm = make_sde([](const auto& x, Time) { return 0.5 * x; },
                      [](const auto& x, Time) { return 0.4 * x; }, noise::diagonal);
  const auto ours = integrate(gbm, Milstein{}, Fixed{1.0 / 64}, 1.0, {0, 2}, {.seed = 9});

  PathState<double, 1> x = PathState<double, 1>::Ones();
  const OdeintStepper stepper{Milstein{}, gbm, x, BrownianIncrements<double>(9, 0, 1, 1)};
  for (const double t : {0.0, 1.0})
    boost::numeric::odeint::integrate_const(stepper, std::ref(gbm), x, t, t + 1, 1.0 / 64);

  CHECK(x(0) == ours.end(0));
}

TEST_CASE("odeint drives an ODE solver on a block, and an SDE up in time only") {
  Oscillator oscillator;
  auto x = start<Block<double, 2>>();
  const auto ours = integrate(oscillator, Rk4{}, Fixed{1.0 / 32}, x, {0, 1});
  OdeintStepper stepper{Rk4{}, oscillator, x};

  boost::numeric::odeint::integrate_const(stepper, std::ref(oscillator), x, 0.0, 1.0, 1.0 / 32);

  CHECK((x == ours.end).all());
  CHECK(stepper.order() == 4);

  auto noise =
      make_sde([](const auto&, Time) { return 0; }, [](Time) { return 1; }, noise::additive);
  PathState<double, 1> y = PathState<double, 1>::Zero();
  OdeintStepper up{Milstein{}, noise, y, BrownianIncrements<double>(1, 0, 1, 1)};
  CHECK_THROWS_WITH(up.do_step(std::ref(noise), y, 1.0, -0.5), ContainsSubstring("dt=-0.5"));
}
