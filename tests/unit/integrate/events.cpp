/// @file  unit/integrate/events.cpp
/// @brief Events, steady states and failures of `integrate`: where they are found and what they
/// say.

#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"

#include <fokker/solvers/integrate/adaptive_sde.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ito/milstein.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

using namespace fokker;

namespace {

/// x = t^3 - t, a cubic: Rk4 and the cubic between its steps are exact.
struct Cubic {
  static constexpr NoiseKind noise = NoiseKind::none;
  auto drift(const auto&, Time t) const { return 3 * t * t - 1; }
};

/// Free fall: height and speed.
struct Fall {
  static constexpr NoiseKind noise = NoiseKind::none;
  static constexpr int dimension = 2;
  void drift(const auto& x, Time, auto& out) const {
    out.row(0) = x.row(1);
    out.row(1).setConstant(-2);
  }
};

const auto decay = make_ode([](const auto& x, Time) { return -x; });
const auto brownian_motion =
    make_sde([](const auto&, Time) { return 0.0; }, [](Time) { return 1.0; }, noise::additive);

/// An adaptive solver for x' = 1 whose steps are of 1/4, who pretends that x = t^2 inside a step,
/// and who finds everything stiff from t = 1/2 on.
struct Pretender {
  static constexpr Facts facts{.name = "pretender", .noise = {NoiseKind::none}};
  static constexpr bool adaptive = true;

  template <class P, State X>
  struct Run {
    Run(const Pretender&, const Adaptive&, const P&, Index) {}
    void first_step(Time) {}
    Status try_step(X& x, Time& t, Time t1, Counts& counts) {
      last = t = std::min(t + 0.25, t1);
      x.setConstant(t);
      ++counts.accepted;
      return Status::success;
    }
    bool accepted() const { return true; }
    void interpolate(Time t, X& out) const { out.setConstant(t * t); }
    bool stiff() const { return last >= 0.5; }
    Time last = 0;
  };
};

struct Interval {
  double low, high;
};

/// Component 1 lives in [0, 9], the others below 9.
struct Positive {
  static constexpr NoiseKind noise = NoiseKind::none;
  auto drift(const auto& x, Time) const { return -x; }
  Interval domain(Index i) const {
    return {i == 1 ? 0 : -std::numeric_limits<double>::infinity(), 9};
  }
};

Event zero(Crossing direction, bool terminal = false) {
  return {.name = "zero",
          .condition = [](const auto& x, Time) { return x(0); },
          .direction = direction,
          .terminal = terminal};
}

}  // namespace

TEST_CASE("a bracketed root is found to the last digits, at the price of bisection at most") {
  int calls = 0;
  const auto root = [&](auto f, double a, double b) {
    calls = 0;
    const auto counted = [&](double t) {
      ++calls;
      return f(t);
    };
    return detail::bracketed_root(counted, a, f(a), b, f(b));
  };

  CHECK_THAT(root([](double t) { return std::cos(t) - t; }, 0, 1),
             WithinAbs(0.7390851332151607, 1e-15));
  CHECK(calls < 15);
  CHECK_THAT(root([](double t) { return 2 - t; }, 1, 10), WithinAbs(2, 2e-15));
  CHECK_THAT(root([](double t) { return t < 0.3 ? -1 : 1e9; }, 0, 1), WithinAbs(0.3, 1e-15));
  CHECK(calls <= 55);
  CHECK_THAT(root([](double t) { return std::pow(t - 1, 9); }, 0, 5), WithinAbs(1, 1e-15));
  CHECK(calls <= 55);
}

TEST_CASE("events are found where they are, in the directions asked for, and in order") {
  const auto run = [](Time t0, Time t1, Crossing direction) {
    return integrate(Cubic{}, Rk4{}, Fixed{0.35}, t0 * t0 * t0 - t0, {t0, t1},
                     {.events = {zero(direction)}});
  };
  const auto times = [](const auto& s) {
    std::vector<Time> t;
    for (const auto& e : s.events) t.push_back(e.t);
    return t;
  };

  const auto both = times(run(-2, 2, Crossing::both));
  const auto rising = times(run(-2, 2, Crossing::rising));
  const auto falling = times(run(-2, 2, Crossing::falling));
  const auto down = times(run(2, -2, Crossing::rising));

  REQUIRE(both.size() == 3);
  for (const std::size_t i : {0u, 1u, 2u})
    CHECK_THAT(both[i], WithinAbs(static_cast<double>(i) - 1, 1e-14));
  REQUIRE(rising.size() == 2);
  CHECK_THAT(rising[1], WithinAbs(1, 1e-14));
  REQUIRE(falling.size() == 1);
  CHECK_THAT(falling[0], WithinAbs(0, 1e-14));
  REQUIRE(down.size() == 1);  // downwards it rises at 0 alone
  CHECK_THAT(down[0], WithinAbs(0, 1e-14));
}

TEST_CASE("the state of an event has the sign that it changes to") {
  const auto s = integrate(decay, Rk4{}, Fixed{0.05}, 1.0, {0, 3},
                           {.events = {level_event(0, 0.5), level_event(0, 0.1)}});

  REQUIRE(s.events.size() == 2);
  CHECK(s.events[0].event == 0);
  CHECK(s.events[0].x(0) <= 0.5);
  CHECK_THAT(s.events[0].x(0), WithinAbs(0.5, 1e-15));
  CHECK_THAT(s.events[0].t, WithinAbs(std::log(2), 1e-6));
  CHECK(s.events[1].event == 1);
  CHECK_THAT(s.events[1].t, WithinAbs(std::log(10), 1e-6));
}

TEST_CASE("a terminal event ends the run there and is named") {
  const Eigen::Array2d top(1, 0);
  const Event ground{.name = "ground",
                     .condition = [](const auto& x, Time) { return x(0); },
                     .direction = Crossing::falling,
                     .terminal = true};
  const auto run = [&](std::vector<Time> at, Time t1 = 5) {
    return integrate(Fall{}, Rk4{}, Fixed{0.3}, top, {0, t1}, {.save_at = at, .events = {ground}});
  };

  const auto every = run({});
  const auto some = run({0.5, 0.95, 1.05, 4});
  const auto missed = run({}, 0.99);

  CHECK(every.status == Status::event);
  CHECK_THAT(every.message, ContainsSubstring("event at t = "));
  CHECK_THAT(every.message, ContainsSubstring("(step 4): ground"));
  CHECK_THAT(every.end_time, WithinAbs(1, 1e-14));
  CHECK_THAT(every.end(1), WithinAbs(-2, 1e-14));
  CHECK(every.t.back() == every.end_time);
  CHECK(every.x.back()(1) == every.end(1));
  CHECK(every.t.size() == 5);
  REQUIRE(every.events.size() == 1);
  CHECK(every.events[0].t == every.end_time);
  CHECK(some.t == std::vector<Time>{0.5, 0.95});
  CHECK(missed.status == Status::success);
  CHECK(missed.events.empty());
}

TEST_CASE("events of one step are told in the order of time, a terminal one last") {
  const auto run = [](bool terminal) {
    return integrate(Cubic{}, Rk4{}, Fixed{2}, 0.0, {1, 3},
                     {.events = {level_event(0, 20), level_event(0, 5, Crossing::both, terminal),
                                 level_event(0, 1)}});
  };

  const auto all = run(false), ended = run(true);

  REQUIRE(all.events.size() == 3);
  CHECK(all.events[0].event == 2);
  CHECK(all.events[1].event == 1);
  CHECK(all.events[2].event == 0);
  REQUIRE(ended.events.size() == 2);
  CHECK(ended.events[1].event == 1);
  CHECK_THAT(ended.message, ContainsSubstring("number 1"));
}

TEST_CASE("a run that starts at a zero does not find it again, so a ball can bounce") {
  Eigen::Array2d x(1, 0);
  Time t = 0;
  std::vector<Time> bounces;
  for (int i = 0; i < 3; ++i) {
    const auto s = integrate(Fall{}, Rk4{}, Fixed{0.3}, x, {t, t + 10},
                             {.events = {level_event(0, 0, Crossing::falling, true)}});
    REQUIRE(s.status == Status::event);
    t = s.end_time;
    bounces.push_back(t);
    x << 0, -s.end(1);
  }

  CHECK_THAT(bounces[0], WithinAbs(1, 1e-13));
  CHECK_THAT(bounces[1], WithinAbs(3, 1e-13));
  CHECK_THAT(bounces[2], WithinAbs(5, 1e-13));
}

TEST_CASE("an event of an SDE that is no level is sought on the line between the steps") {
  const Event even{.condition = [](const auto& x, Time t) { return x(0) - (0.1 - t); }};
  const IntegrateOptions plain{.seed = 5};
  auto options = plain;
  options.events = {even};

  const auto path = integrate(brownian_motion, EulerMaruyama{}, Fixed{0.25}, 0.0, {0, 4}, plain);
  const auto s = integrate(brownian_motion, EulerMaruyama{}, Fixed{0.25}, 0.0, {0, 4}, options);

  std::vector<Time> expected;
  for (std::size_t k = 0; k + 1 < path.t.size(); ++k) {
    const double a = path.x[k](0) - 0.1 + path.t[k], b = path.x[k + 1](0) - 0.1 + path.t[k + 1];
    if (a * b < 0) expected.push_back(path.t[k] + 0.25 * a / (a - b));
  }
  REQUIRE(expected.size() > 0);
  REQUIRE(s.events.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK_THAT(s.events[i].t, WithinAbs(expected[i], 1e-14));
  CHECK(s.end(0) == path.end(0));
}

TEST_CASE(
    "adaptive steps of an SDE find the events of the steps that were accepted, and no others") {
  const auto noisy = make_sde([](const auto& x, Time) { return 0.2 - x; },
                              [](const auto& x, Time) { return 0.8 * x.cos(); }, noise::diagonal);
  const auto condition = [](const Eigen::ArrayXd& x, Time) { return x[0] - 0.25; };
  const IntegrateOptions options{.seed = 5, .events = {{.condition = condition}}};

  const auto s =
      integrate(noisy, Milstein{}, Adaptive{.rtol = 1e-2, .atol = 1e-3}, 0.0, {0, 6}, options);

  REQUIRE(s.counts.rejected > 0);
  std::size_t crossings = 0;
  for (std::size_t i = 1; i < s.t.size(); ++i) {
    const double from = s.x[i - 1](0) - 0.25, to = s.x[i](0) - 0.25;
    if ((from < 0) == (to < 0)) continue;
    REQUIRE(crossings < s.events.size());
    const auto& event = s.events[crossings++];
    CHECK_THAT(event.t, WithinAbs(s.t[i - 1] + from / (from - to) * (s.t[i] - s.t[i - 1]), 1e-12));
    CHECK_THAT(event.x(0), WithinAbs(0.25, 1e-12));
  }
  CHECK(crossings > 2);
  CHECK(s.events.size() == crossings);
}

TEST_CASE("a terminal level ends an adaptive SDE run at the first passage, from where it goes on") {
  const auto options = [](std::uint64_t seed, bool terminal) {
    return IntegrateOptions{.seed = seed,
                            .events = {level_event(0, 0.5, Crossing::rising, terminal, "half")}};
  };
  const EulerMaruyama method;
  const Adaptive steps{.rtol = 1e-2, .atol = 1e-2};
  int passages = 0, ends = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Integration<PathState<double, 1>> run{brownian_motion,    method, steps, 0.0, 0.0,
                                          options(seed, true)};

    const auto first = run.to(4);
    const auto whole = integrate(brownian_motion, method, steps, 0.0, {0, 4}, options(seed, false));

    INFO("seed " << seed);
    REQUIRE((first.status == Status::event) == !whole.events.empty());
    if (whole.events.empty()) continue;
    ++passages;
    CHECK(first.end_time == whole.events.front().t);
    CHECK(first.end(0) == 0.5);
    auto rest = first;  // the step of a passage may be the last
    while (rest.status == Status::event && run.t() < 4) rest = run.to(4);
    if (rest.status == Status::event) continue;
    ++ends;
    CHECK(rest.end(0) == whole.end(0));
  }
  CHECK(passages > 2);
  CHECK(ends > 1);
}

TEST_CASE("a level without noise of its own is sought on the line too") {
  // Only the speed has noise: the position cannot meet a level between two ends on one side.
  const auto langevin = make_sde(
      [](const auto& x, Time, auto& out) {
        out.row(0) = x.row(1);
        out.row(1).setZero();
      },
      [](Time) { return Eigen::Array2d(0, 1e-9); }, noise::additive);

  const auto s = integrate(langevin, EulerMaruyama{}, Fixed{0.25}, Eigen::Array2d(0, 1), {0, 1},
                           {.events = {level_event(0, 0.4)}});

  REQUIRE(s.events.size() == 1);
  CHECK_THAT(s.events[0].t, WithinAbs(0.4, 1e-7));
  CHECK_THAT(s.events[0].x(0), WithinAbs(0.4, 1e-15));
}

TEST_CASE("the bridge is certain where the ends differ, and spends no draw where it cannot meet") {
  detail::BridgePassage a(1, 0), b(1, 0);

  CHECK_FALSE(a(10, 10, 1).has_value());
  for (int i = 0; i < 100; ++i) {
    const auto part = a(1, -1e-3 * i, 0.5);
    REQUIRE(part.has_value());
    CHECK(*part > 0);
    CHECK(*part <= 1);
    CHECK(part == b(1, -1e-3 * i, 0.5));
  }
}

TEST_CASE("the variance of a component is that of all its sources") {
  using Row = Eigen::Array<double, 1, Eigen::Dynamic>;
  const Block<double> x = (Block<double>(2, 2) << 1, 2, 3, 4).finished();
  Block<double> sum = x, column = x;
  const auto variance = [&](const auto& process, Index i) {
    Row out;
    detail::component_variance(process, x, 0.5, i, sum, column, out);
    return std::vector<double>(out.begin(), out.end());
  };
  const auto zero_drift = [](const auto&, Time) { return 0.0; };
  const auto own = [](const auto& y, Time) { return 2 * y; };

  CHECK(variance(make_sde(
                     zero_drift, [](Time t) { return t; }, noise::additive),
                 1) == std::vector<double>{0.25, 0.25});
  CHECK(variance(make_sde(zero_drift, own, noise::diagonal), 1) == std::vector<double>{36, 64});
  CHECK(variance(make_sde(zero_drift, own, noise::scalar), 0) == std::vector<double>{4, 16});
  CHECK(variance(make_sde(
                     zero_drift,
                     [](const auto& y, Time, Index k) { return static_cast<double>(k + 1) * y; },
                     noise::general(2)),
                 0) == std::vector<double>{5, 20});
  CHECK(variance(Cubic{}, 0) == std::vector<double>{0, 0});
}

TEST_CASE("events that make no sense are refused") {
  const auto run = [](const auto& x0, std::vector<Event> events) {
    return integrate(decay, Euler{}, Fixed{0.1}, x0, {0, 1}, {.events = std::move(events)});
  };
  const Block<double> block = Block<double>::Ones(1, 3);

  CHECK_THROWS_WITH(run(block, {level_event(0, 0.5)}), ContainsSubstring("a single path"));
  CHECK_THROWS_WITH(run(1.0, {level_event(0, 0.5), level_event(1, 0.5)}),
                    ContainsSubstring("event 1 is of component 1 of a state with 1"));
  CHECK_THROWS_WITH(run(1.0, {Event{}}), ContainsSubstring("event 0 has no condition"));
}

TEST_CASE("an ODE at rest ends its run") {
  const auto run = [](double tolerance) {
    return integrate(decay, Rk4{}, Fixed{0.25}, 4.0, {0, 100},
                     {.steady_state_tolerance = tolerance});
  };

  const auto s = run(1e-3), never = run(0);

  CHECK(s.status == Status::steady_state);
  CHECK_THAT(s.message, ContainsSubstring("steady state at t = "));
  CHECK(s.end(0) <= 1e-3 * (1 + s.end(0)));
  REQUIRE(s.x.size() > 2);
  CHECK(s.x[s.x.size() - 2](0) > 1e-3 * (1 + s.x[s.x.size() - 2](0)));
  CHECK(s.counts.drift_evaluations == 5 * s.counts.accepted);
  CHECK(never.status == Status::success);
  CHECK_THROWS_WITH(run(-1), ContainsSubstring("steady_state_tolerance"));
  CHECK_THROWS_WITH(integrate(brownian_motion, EulerMaruyama{}, Fixed{0.1}, 0.0, {0, 1},
                              {.steady_state_tolerance = 1}),
                    ContainsSubstring("an SDE has no steady state"));
}

TEST_CASE("an adaptive solver's own interpolant and verdict of stiffness are used") {
  const auto s = integrate(Cubic{}, Pretender{}, Adaptive{}, 0.0, {0, 1},
                           {.events = {level_event(0, 0.6)}, .dense = true});
  const auto early = integrate(Cubic{}, Pretender{}, Adaptive{}, 0.0, {0, 0.4});
  const auto limited = integrate(Cubic{}, Pretender{}, Adaptive{}, 0.0, {0, 9}, {.max_steps = 3});
  const auto bounded = integrate(Cubic{}, Pretender{}, Adaptive{.max_step = 0.125}, 0.0, {0, 1});

  REQUIRE(s.events.size() == 3);  // t^2 has not reached 0.6 by 0.75, and falls behind there again
  CHECK_THAT(s.events[0].t, WithinAbs(0.75, 1e-15));
  CHECK_THAT(s.events[2].t, WithinAbs(std::sqrt(0.6), 1e-15));
  CHECK_THAT(s.at(0.7)(0), !WithinAbs(0.7, 1e-3));
  CHECK(s.status == Status::success);
  CHECK_THAT(s.warning, ContainsSubstring("looks stiff: try rodas5p or radau5"));
  CHECK(early.warning.empty());
  CHECK(limited.status == Status::too_many_steps);
  CHECK_THAT(limited.message, ContainsSubstring("looks stiff"));
  CHECK(bounded.counts.accepted == 8);
  CHECK_THROWS_WITH(integrate(Cubic{}, Dopri5{}, Adaptive{.max_step = -1}, 0.0, {0, 1}),
                    ContainsSubstring("max_step"));
}

TEST_CASE(
    "what ends a run is told apart: a solution that grows, coefficients that are no numbers") {
  const auto squared = make_ode([](const auto& x, Time) { return x * x; });
  const auto root = make_ode([](const auto& x, Time) { return -1 / x.sqrt(); });

  const auto grows = integrate(squared, Euler{}, Fixed{0.01}, 1.0, {0, 2});
  const auto undefined = integrate(root, Euler{}, Fixed{0.03}, 1.0, {0, 2});

  CHECK(grows.status == Status::non_finite);
  CHECK_THAT(grows.message, ContainsSubstring("|x| has grown to "));
  CHECK_THAT(grows.message, ContainsSubstring("blows up here, or the steps are too long"));
  CHECK(undefined.status == Status::non_finite);
  CHECK_THAT(undefined.message, ContainsSubstring("the coefficients are not finite"));
}

TEST_CASE("a start outside the domain of the process is refused by component") {
  const auto run = [](double a, double b) {
    return integrate(Positive{}, Euler{}, Fixed{0.5}, Eigen::Array2d(a, b), {0, 1});
  };

  CHECK(run(-1, 0).status == Status::success);
  CHECK_THROWS_WITH(run(0, -1e-9),
                    ContainsSubstring("component 1 of x0 is -1e-09, outside the domain [0, 9]"));
  CHECK_THROWS_WITH(run(10, 1), ContainsSubstring("component 0 of x0 is 10"));
}

TEST_CASE("a callback that returns nothing only watches") {
  int steps = 0;

  const auto s =
      integrate(decay, Euler{}, Fixed{0.25}, 1.0, {0, 1}, {}, [&](Time, const auto&) { ++steps; });

  CHECK(s.status == Status::success);
  CHECK(steps == 4);
}
