/// @file  limits/events.cpp
/// @brief Events at the ends: many in one step, at the start, at one time, that accumulate;
/// sliding.

#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

#include "catch.hpp"

#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>
#include <fokker/solvers/ode/rosenbrock.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

#include "row.hpp"

using namespace fokker;

namespace {

/// Free fall: height and speed.
struct Fall {
  static constexpr NoiseKind noise = NoiseKind::none;
  static constexpr int dimension = 2;
  void drift(const auto& x, Time, auto& out) const {
    out.row(0) = x.row(1);
    out.row(1).setConstant(-1);
  }
};

const auto clock_of_x = make_ode([](const auto& x, Time) { return 1 + 0 * x; });

const Event floor_event = level_event(0, 0, Crossing::falling, true, "floor");

template <class M>
auto steps_of([[maybe_unused]] double h) {
  if constexpr (AdaptiveSolver<M>)
    return Adaptive{};
  else
    return Fixed{h};
}

}  // namespace

TEST_CASE("a function that oscillates within one step shows all its zeros") {
  const Event swings{.condition = [](const auto& x, Time) { return std::sin(20 * x(0)); }};
  const Event twice{
      .condition = [](const auto& x, Time) { return (x(0) - 5) * (x(0) - 5) - 1e-4; }};

  const auto s = integrate(clock_of_x, Dopri5{}, Adaptive{}, 0.1, {0, 9.8}, {.events = {swings}});
  const auto pair = integrate(clock_of_x, Rk4{}, Fixed{10}, 0.0, {0, 10}, {.events = {twice}});

  REQUIRE(s.counts.accepted < 12);
  REQUIRE(s.events.size() == 63);
  for (std::size_t i = 0; i < s.events.size(); ++i)
    CHECK_THAT(s.events[i].x(0),
               WithinAbs(static_cast<double>(i + 1) * std::numbers::pi / 20, 1e-13));
  REQUIRE(pair.events.size() == 2);
  CHECK_THAT(pair.events[0].t, WithinAbs(4.99, 1e-12));
  CHECK_THAT(pair.events[1].t, WithinAbs(5.01, 1e-12));
  limit_row("ode", "events", "63 zeros of a condition in 11 steps", "all found, to 1e-13");
}

TEMPLATE_TEST_CASE("a ball that halves its speed at each bounce ends in a status", "", Dopri5,
                   Dop853, Rodas5P, Rk4) {
  Eigen::Array2d x(1, 0);
  Time t = 0;
  int bounces = 0;
  auto status = Status::event;
  for (; status == Status::event && bounces < 200; ++bounces) {
    const auto s = integrate(Fall{}, TestType{}, steps_of<TestType>(0.05), x, {t, 10},
                             {.events = {floor_event}});
    status = s.status;
    t = s.end_time;
    x << s.end(0), -0.5 * s.end(1);
    REQUIRE(std::abs(x(0)) < 1e-12);
  }

  CHECK(status == Status::chattering);
  CHECK(bounces > 30);
  CHECK_THAT(t, WithinAbs(3 * std::sqrt(2.0), 1e-6));
  limit_row("ode", "events", "a ball whose bounces accumulate",
            "chattering at the time of accumulation, never below the floor");
}

TEST_CASE("a start on either side of 0 by rounding is a start at 0") {
  const auto falls_after = [](double height, double speed, auto method) {
    const auto s = integrate(Fall{}, method, Adaptive{}, Eigen::Array2d(height, speed), {0, 10},
                             {.events = {floor_event}});
    REQUIRE(s.status == Status::event);
    return s.end_time;
  };

  for (const double height : {0.0, -1e-17, 1e-17})
    for (const double speed : {1.0, 1e-3, 1e-9}) {
      CHECK_THAT(falls_after(height, speed, Dopri5{}), WithinRel(2 * speed, 1e-6));
      CHECK_THAT(falls_after(height, speed, Dop853{}), WithinRel(2 * speed, 1e-6));
    }
  for (const double height : {0.0, -1e-17, 1e-17}) {
    const auto down = integrate(Fall{}, Dopri5{}, Adaptive{}, Eigen::Array2d(height, -1), {0, 2},
                                {.events = {level_event(0, 0, Crossing::both, true)}});
    CHECK(down.status == Status::success);
  }
  limit_row("ode", "events", "start at |g| <= 1e-4 of the absolute tolerance",
            "the side is the one to which g moves first");
}

TEST_CASE("all events of one time are reported in the order of the list") {
  const auto run = [](auto method, double dt) {
    return integrate(
        clock_of_x, method, steps_of<decltype(method)>(dt), 0.0, {0, 10},
        {.events = {
             level_event(0, 5),
             {.condition = [](const auto&, Time t) { return t - 5; }, .terminal = true},
             {.condition = [](const auto& x, Time t) { return x(0) + t - 10; }},
             level_event(0, 7),
             {.condition = [](const auto& x, Time) { return 1 - x(0) / 5; }, .terminal = true}}});
  };
  const auto check = [](const auto& s) {
    CHECK(s.status == Status::event);
    CHECK_THAT(s.end_time, WithinAbs(5, 1e-13));
    std::vector<std::size_t> numbers;
    for (const auto& e : s.events) {
      numbers.push_back(e.event);
      CHECK(e.t == s.end_time);
    }
    CHECK(numbers == std::vector<std::size_t>{0, 1, 2, 4});
  };

  check(run(Dopri5{}, 0));
  check(run(Rk4{}, 1));
  check(run(Rk4{}, 0.3));
  check(run(Euler{}, 0.1));
  limit_row("ode", "events", "several at one time, a terminal one among them",
            "all reported, in the order of the list");
}

TEST_CASE("sliding along a jump of f is reported as such, stiffness and passing jumps are not") {
  const auto slides = make_ode([](const auto& x, Time) { return -x.sign(); });
  const auto friction = make_ode([](const auto& x, Time, auto& out) {
    out.row(0) = x.row(1);
    out.row(1) = -x.row(0) - 0.5 * x.row(1).sign();
  });
  const auto passes = make_ode([](const auto& x, Time) { return 2 - x.sign(); });
  const auto stiff = make_ode([](const auto& x, Time t) { return -1e6 * (x - std::cos(t)); });
  const IntegrateOptions limited{.max_steps = 20'000};

  const auto a = integrate(slides, Dopri5{}, Adaptive{}, 1.0, {0, 3}, limited);
  const auto b = integrate(slides, Dop853{}, Adaptive{}, 1.0, {0, 3}, limited);
  const auto c = integrate(friction, Tsit5{}, Adaptive{}, Eigen::Array2d(0.9, 0), {0, 20}, limited);
  const auto d = integrate(passes, Dopri5{}, Adaptive{}, -1.0, {0, 3}, limited);
  const auto e = integrate(stiff, Dopri5{}, Adaptive{}, 1.0, {0, 1}, limited);

  for (const auto* s : {&a, &b}) {
    CHECK(s->status == Status::chattering);
    CHECK_THAT(s->message, ContainsSubstring("slides"));
    CHECK_THAT(s->end_time, WithinAbs(1, 0.05));
  }
  CHECK(c.status == Status::chattering);
  CHECK(d.status == Status::success);
  CHECK(e.status == Status::too_many_steps);
  limit_row("ode", "adaptive solvers", "sliding: x' = -sign x, dry friction",
            "chattering, within 4096 steps");
}
