/// @file  unit/integrate/integrate.cpp
/// @brief `integrate`: where it lands and saves, both directions of time, and how it ends when a
/// run
///        cannot go on.

#include <atomic>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "catch.hpp"

#include <fokker/processes/models/van_der_pol.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

using namespace fokker;

namespace {

using X = PathState<double, 1>;

/// x' = a(t) with a counter of calls; nan from the given call on.
struct Slope {
  static constexpr NoiseKind noise = NoiseKind::none;
  int nan_from = std::numeric_limits<int>::max();
  mutable int calls = 0;
  void drift(const auto&, Time t, auto& out) const {
    out.setConstant(++calls >= nan_from ? std::nan("") : 2 * t);
  }
};

struct Decay {
  static constexpr NoiseKind noise = NoiseKind::none;
  auto drift(const auto& x, Time) const { return -x; }
};

/// x' = -x before t = 1/2, then nan.
struct HalfDefined {
  static constexpr NoiseKind noise = NoiseKind::none;
  void drift(const auto& x, Time t, auto& out) const {
    out = t >= 0.5 ? std::nan("") * x : -1.0 * x;
  }
};

auto brownian_motion() {
  return make_sde([](const auto&, Time) { return 0.0; }, [](Time) { return 1.0; }, noise::additive);
}

const auto go_on = [](Time, const auto&) { return true; };

}  // namespace

TEST_CASE("a run saves every step, lands exactly on t1 and counts its work") {
  const auto s = integrate(Decay{}, Rk4{}, Fixed{0.3}, 1.0, {0, 1});

  CHECK(s.status == Status::success);
  CHECK(s.message.empty());
  REQUIRE(s.t.size() == 5);
  CHECK(s.t.front() == 0);
  CHECK_THAT(s.t[3], WithinULP(0.9, 1));
  CHECK(s.t.back() == 1);
  CHECK(s.end_time == 1);
  CHECK(s.x.back()(0) == s.end(0));
  CHECK_THAT(s.end(0), WithinAbs(std::exp(-1), 1e-4));
  CHECK(s.counts.accepted == 4);
  CHECK(s.counts.drift_evaluations == 16);
}

TEST_CASE("ten steps of 0.1 make ten steps, not eleven") {
  const auto s = integrate(Decay{}, Euler{}, Fixed{0.1}, 1.0, {0, 1});

  CHECK(s.counts.accepted == 10);
}

TEST_CASE("save_at is met exactly, ends included, and nothing else is saved") {
  const std::vector<Time> at{0, 0.05, 0.25, 0.5, 1};

  const auto s = integrate(Decay{}, Rk4{}, Fixed{0.1}, 1.0, {0, 1}, {.save_at = at});

  CHECK(s.t == at);
  REQUIRE(s.x.size() == 5);
  for (std::size_t i = 0; i < at.size(); ++i)
    CHECK_THAT(s.x[i](0), WithinAbs(std::exp(-at[i]), 1e-6));
}

TEST_CASE("a callback that ends the run at a time of save_at leaves that time saved") {
  const std::vector<Time> at{0.5, 1, 2};
  const auto before_one = [](Time t, const auto&) { return t < 1; };
  const auto adaptive =
      integrate(Decay{}, Dopri5{}, Adaptive{}, 1.0, {0, 2}, {.save_at = at}, before_one);
  const auto fixed =
      integrate(Decay{}, Rk4{}, Fixed{0.1}, 1.0, {0, 2}, {.save_at = at}, before_one);

  for (const auto& s : {adaptive, fixed}) {
    CHECK(s.status == Status::cancelled);
    CHECK(s.t == std::vector<Time>{0.5, 1});
    CHECK((s.x.back() == s.end).all());
  }
}

TEST_CASE("time runs down as well as up, with the clock of the user") {
  const std::vector<Time> at{1.5, 0.75};
  std::vector<Time> seen;
  const auto collect = [&](Time t, const auto&) {
    seen.push_back(t);
    return true;
  };

  const auto s = integrate(Slope{}, Rk4{}, Fixed{0.5}, 4.0, {2, 0.5}, {.save_at = at}, collect);

  CHECK(s.status == Status::success);
  CHECK(s.end_time == 0.5);
  CHECK(s.t == at);
  CHECK(seen == std::vector<Time>{1.5, 1.0, 0.75, 0.5});
  CHECK_THAT(s.end(0), WithinAbs(0.25, 1e-14));  // x = t^2
  CHECK_THAT(s.x[0](0), WithinAbs(2.25, 1e-14));
}

TEST_CASE("a forward SDE refuses to run down") {
  CHECK_THROWS_WITH(integrate(brownian_motion(), EulerMaruyama{}, Fixed{0.1}, 0.0, {1, 0}),
                    ContainsSubstring("a forward SDE runs up in time only"));
}

TEST_CASE("a nan is reported with step and time, and what was finished is kept") {
  const auto s = integrate(Slope{.nan_from = 3}, Euler{}, Fixed{0.25}, 0.0, {0, 1});

  CHECK(s.status == Status::non_finite);
  CHECK_THAT(s.message, ContainsSubstring("non-finite state at t = 0.75"));
  CHECK_THAT(s.message, ContainsSubstring("step 3"));
  CHECK(s.end_time == 0.75);
  CHECK(s.t == std::vector<Time>{0, 0.25, 0.5});
}

TEST_CASE("the limit on steps, a cancel flag and the callback end a run with a status") {
  const std::atomic<bool> cancel = true;

  const auto limited = integrate(Decay{}, Euler{}, Fixed{0.1}, 1.0, {0, 1}, {.max_steps = 3});
  const auto cancelled = integrate(Decay{}, Euler{}, Fixed{0.1}, 1.0, {0, 1}, {.cancel = &cancel});
  const auto stopped = integrate(Decay{}, Euler{}, Fixed{0.1}, 1.0, {0, 1}, {},
                                 [](Time t, const auto&) { return t < 0.45; });

  CHECK(limited.status == Status::too_many_steps);
  CHECK(limited.counts.accepted == 3);
  CHECK_THAT(limited.message, ContainsSubstring("too many steps at t = 0.3"));
  CHECK(cancelled.status == Status::cancelled);
  CHECK(cancelled.counts.accepted == 1);
  CHECK(stopped.status == Status::cancelled);
  CHECK_THAT(stopped.end_time, WithinAbs(0.5, 1e-15));
}

TEMPLATE_TEST_CASE("a run that nobody watches has the bits of one that is watched", "", Dopri5,
                   Dop853) {
  const VanDerPol process{.mu = 5};
  const PathState<double, 2> x0(2, 0);
  const TestType method;
  const auto same = [&](const IntegrateOptions& options, Time max_step = 0) {
    const Adaptive steps{.rtol = 1e-7, .atol = 1e-7, .max_step = max_step};
    const auto alone = integrate(process, method, steps, x0, {0, 20}, options);
    const auto watched = integrate(process, method, steps, x0, {0, 20}, options, go_on);
    CHECK((alone.end == watched.end).all());
    CHECK(alone.end_time == watched.end_time);
    CHECK(alone.t == watched.t);
    for (std::size_t i = 0; i < alone.x.size(); ++i) CHECK((alone.x[i] == watched.x[i]).all());
    CHECK(alone.status == watched.status);
    CHECK(alone.message == watched.message);
    CHECK(alone.counts.accepted == watched.counts.accepted);
    CHECK(alone.counts.rejected == watched.counts.rejected);
    CHECK(alone.counts.drift_evaluations == watched.counts.drift_evaluations);
    return alone.status;
  };

  CHECK(same({.save_at = {0, 3, 20}}) == Status::success);
  CHECK(same({.save_at = {20}}, 0.01) == Status::success);
  CHECK(same({.save_at = {20}, .max_steps = 100}) == Status::too_many_steps);
  const std::atomic<bool> cancel = true;
  CHECK(same({.save_at = {20}, .cancel = &cancel}) == Status::cancelled);
}

TEST_CASE("an unwatched run ends with a status where f is nan") {
  const HalfDefined f;
  const X one = X::Constant(1);
  const IntegrateOptions at_the_end{.save_at = {1}};

  const auto adaptive = integrate(f, Dopri5{}, Adaptive{}, one, {0, 1}, at_the_end);
  CHECK(adaptive.status == Status::non_finite);
  CHECK_THAT(adaptive.end_time, WithinAbs(0.5, 1e-9));
  CHECK(adaptive.counts.rejected > 0);

  const auto fixed = integrate(f, Rk4{}, Fixed{0.1}, one, {0, 1}, {.save_at = {1}});
  CHECK(fixed.status == Status::non_finite);
  CHECK_THAT(fixed.end_time, WithinAbs(0.5, 1e-9));
  CHECK(fixed.counts.accepted == 5);
}

TEST_CASE("progress rises to one") {
  std::vector<double> fractions;

  integrate(Decay{}, Euler{}, Fixed{0.5}, 1.0, {2, 0},
            {.progress = [&](double p) { fractions.push_back(p); }});

  CHECK(fractions == std::vector<double>{0.25, 0.5, 0.75, 1});
}

TEST_CASE("bad options are refused with a line that says what was wrong") {
  const double nan = std::nan("");
  const auto run = [](std::array<Time, 2> span, Fixed steps, IntegrateOptions options = {},
                      double x0 = 1) {
    return integrate(Decay{}, Euler{}, steps, x0, span, options, go_on);
  };

  CHECK_THROWS_WITH(run({0, 1}, {0}), ContainsSubstring("must be positive and finite: got h=0"));
  CHECK_THROWS_WITH(run({0, 1}, {-0.1}), ContainsSubstring("got h=-0.1"));
  CHECK_THROWS_WITH(run({0, 1}, {nan}), ContainsSubstring("got h=nan"));
  CHECK_THROWS_WITH(run({1, 2}, {1e-20}), ContainsSubstring("below the resolution of t"));
  CHECK_THROWS_WITH(run({0, nan}, {0.1}), ContainsSubstring("two finite ends"));
  CHECK_THROWS_WITH(run({0, 1}, {0.1}, {}, nan), ContainsSubstring("x0 is not finite"));
  CHECK_THROWS_WITH(run({0, 1}, {0.1}, {.save_at = {2}}), ContainsSubstring("got 2"));
  CHECK_THROWS_WITH(run({0, 1}, {0.1}, {.save_at = {0.5, 0.2}}), ContainsSubstring("got 0.2"));
  CHECK_THROWS_WITH(run({0, 1}, {0.1}, {.save_at = {nan}}), ContainsSubstring("got nan"));
}

TEST_CASE("an SDE's end does not depend on what is saved, and its seed and path fix the noise") {
  const auto process = brownian_motion();
  const IntegrateOptions base{.seed = 3, .path = 5};

  const auto a = integrate(process, EulerMaruyama{}, Fixed{0.25}, 0.0, {0, 1}, base);
  auto options = base;
  options.save_at = {0.5, 1};
  const auto b = integrate(process, EulerMaruyama{}, Fixed{0.25}, 0.0, {0, 1}, options);
  options.seed = 4;
  const auto c = integrate(process, EulerMaruyama{}, Fixed{0.25}, 0.0, {0, 1}, options);
  const auto block = integrate(process, EulerMaruyama{}, Fixed{0.25},
                               Block<double, 1>::Zero(1, 8).eval(), {0, 1}, {.seed = 3, .path = 0});

  CHECK(a.end(0) == b.end(0));
  CHECK(a.end(0) != c.end(0));
  CHECK_THAT(block.end(0, 5), WithinAbs(a.end(0), 1e-15));
}
