/// @file  unit/integrate/restart.cpp
/// @brief An integration that is stopped, kept and carried on has the bits of one that is not.

#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"

#include <fokker/solvers/integrate/adaptive_sde.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ito/milstein.hpp>
#include <fokker/solvers/ode/ode.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

using namespace fokker;

namespace {

using X = PathState<double, 1>;

const auto noisy = make_sde([](const auto& x, Time t) { return (t - x).sin(); },
                            [](const auto& x, Time) { return 0.3 * x.cos(); }, noise::diagonal);

struct Forced {
  static constexpr NoiseKind noise = NoiseKind::none;
  auto drift(const auto& x, Time t) const { return std::cos(3 * t) - x * x * x; }
};

template <class M>
auto process() {
  if constexpr (M::facts.supports(NoiseKind::none))
    return Forced{};
  else
    return noisy;
}

/// Milstein with steps of its own.
struct AdaptiveMilstein : Milstein {};

/// Fixed steps, or adaptive ones that begin with the same.
template <class M>
auto steps() {
  if constexpr (AdaptiveSolver<M> || std::is_same_v<M, AdaptiveMilstein>)
    return Adaptive{.first_step = 0.125};
  else
    return Fixed{0.125};
}

template <class M>
Integration<X> begin(IntegrateOptions options = {}) {
  options.seed = 3;
  return {process<M>(), M{}, steps<M>(), 1.0, 0.0, options};
}

bool same(const std::vector<X>& a, const std::vector<X>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i](0) != b[i](0)) return false;
  return true;
}

template <class T>
std::vector<T> joined(std::vector<T> a, const std::vector<T>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

#define EVERY_SOLVER \
  EulerMaruyama, Milstein, AdaptiveMilstein, Rk4, OdeintDopri5, Fehlberg78, BulirschStoer

TEMPLATE_TEST_CASE("one `to` is integrate", "", EVERY_SOLVER) {
  const auto a = begin<TestType>().to(2);
  const auto b =
      integrate(process<TestType>(), TestType{}, steps<TestType>(), 1.0, {0, 2}, {.seed = 3});

  CHECK(a.t == b.t);
  CHECK(same(a.x, b.x));
  CHECK(a.counts.drift_evaluations == b.counts.drift_evaluations);
}

TEMPLATE_TEST_CASE("a run stopped after any step and carried on was never stopped", "",
                   EVERY_SOLVER) {
  const auto whole = begin<TestType>().to(2);
  REQUIRE(whole.t.size() > 3);

  for (std::size_t stop = 1; stop + 1 < whole.t.size(); ++stop) {
    auto run = begin<TestType>();
    const auto first = run.to(2, [&](Time t, const auto&) { return t < whole.t[stop]; });
    auto kept = run;
    const auto rest = run.to(2);

    INFO("stopped at step " << stop);
    REQUIRE(first.status == Status::cancelled);
    CHECK(first.end_time == whole.t[stop]);
    CHECK(joined(first.t, rest.t) == whole.t);
    CHECK(same(joined(first.x, rest.x), whole.x));
    CHECK(rest.end(0) == whole.end(0));
    CHECK(rest.counts.accepted == whole.counts.accepted);
    CHECK(rest.counts.rejected == whole.counts.rejected);
    CHECK(rest.counts.drift_evaluations == whole.counts.drift_evaluations);

    const auto again = kept.to(2);  // the copy knows nothing of what the first one did
    CHECK(again.t == rest.t);
    CHECK(same(again.x, rest.x));
  }
}

TEMPLATE_TEST_CASE("two calls of `to` are one run that stops on the first end", "", EVERY_SOLVER) {
  for (const Time middle : {1.0, 0.77}) {
    auto run = begin<TestType>();
    run.to(middle);
    const auto rest = run.to(2);

    const auto whole = begin<TestType>({.save_at = {middle, 2}}).to(2);

    INFO("by way of " << middle);
    CHECK(rest.status == Status::success);
    CHECK(rest.end(0) == whole.end(0));
    CHECK(rest.counts.accepted == whole.counts.accepted);
  }
}

TEMPLATE_TEST_CASE("an end on the grid of a fixed step leaves no trace", "", EulerMaruyama,
                   Milstein, Rk4) {
  auto run = begin<TestType>();

  run.to(1);

  CHECK(run.to(2).end(0) == begin<TestType>().to(2).end(0));
}

TEST_CASE("the position in the noise is kept: a path begun anew at the same state differs") {
  auto run = begin<Milstein>();
  const auto first = run.to(1);

  const auto rest = run.to(2);
  const auto anew = integrate(noisy, Milstein{}, Fixed{0.125}, first.end, {1, 2}, {.seed = 3});

  CHECK(rest.end(0) != anew.end(0));
}

TEST_CASE(
    "an adaptive SDE run keeps its place in the tree, also between a rejection and its repeat") {
  const auto whole = begin<AdaptiveMilstein>().to(2);
  REQUIRE(whole.counts.rejected > 0);

  auto run = begin<AdaptiveMilstein>();
  const auto first = run.to(2, [&](Time t, const auto&) { return t < 0.5; });
  const auto rest = run.to(2);
  const auto anew = integrate(noisy, AdaptiveMilstein{}, steps<AdaptiveMilstein>(), first.end,
                              {first.end_time, 2}, {.seed = 3});

  CHECK(rest.end(0) == whole.end(0));
  CHECK(rest.end(0) != anew.end(0));
}

TEST_CASE("the step of an adaptive solver is kept: one begun anew at the same state differs") {
  auto run = begin<OdeintDopri5>();
  const auto first = run.to(2, [](Time t, const auto&) { return t < 0.5; });

  const auto rest = run.to(2);
  const auto anew = integrate(Forced{}, OdeintDopri5{}, Adaptive{}, first.end, {first.end_time, 2});

  CHECK(rest.end(0) != anew.end(0));
  CHECK_THAT(rest.end(0), WithinAbs(anew.end(0), 1e-5));
}

TEMPLATE_TEST_CASE("after terminal events the path goes on as if they had not been terminal", "",
                   EVERY_SOLVER) {
  const auto options = [](bool terminal) {
    return IntegrateOptions{
        .save_at = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.5, 2},
        .events = {level_event(0, 0.93, Crossing::both, terminal), level_event(0, 0.9)},
        .dense = true};
  };
  const auto whole = begin<TestType>(options(false)).to(2);
  REQUIRE(whole.status == Status::success);
  REQUIRE(whole.events.size() > 1);

  auto run = begin<TestType>(options(true));
  std::vector<Time> saved, events;
  std::size_t ended = 0;
  for (;;) {
    const auto s = run.to(2);
    saved = joined(saved, s.t);
    for (const auto& e : s.events) events.push_back(e.t);
    for (const Time t : {0.25, 0.45, 1.3})
      if (s.dense.start() <= t && t <= s.dense.end())
        CHECK_THAT(s.at(t)(0), WithinAbs(whole.at(t)(0), 1e-15));
    if (s.status == Status::success) {
      CHECK(s.end(0) == whole.end(0));
      CHECK(s.counts.accepted == whole.counts.accepted);
      break;
    }
    REQUIRE(s.status == Status::event);
    ++ended;
  }

  CHECK(ended > 0);
  CHECK(saved == whole.t);
  REQUIRE(events.size() == whole.events.size());
  for (std::size_t i = 0; i < events.size(); ++i) CHECK(events[i] == whole.events[i].t);
}

TEST_CASE("a limit on steps is per call, so a limited run can be carried on") {
  auto run = begin<Rk4>({.max_steps = 5});

  const auto first = run.to(1.25), rest = run.to(1.25);

  CHECK(first.status == Status::too_many_steps);
  CHECK(rest.status == Status::success);
  CHECK(rest.counts.accepted == 10);
}

TEST_CASE("time runs down too, and an integration keeps its direction") {
  auto down = begin<OdeintDopri5>();
  const auto first = down.to(-0.5, [](Time t, const auto&) { return t > -0.2; });
  auto assigned = begin<OdeintDopri5>();
  assigned.to(1);
  assigned = down;

  const auto rest = assigned.to(-0.5);

  CHECK(first.end_time < 0);
  CHECK(rest.end(0) ==
        integrate(Forced{}, OdeintDopri5{}, Adaptive{.first_step = 0.125}, 1.0, {0, -0.5}).end(0));
  CHECK(down.t() == first.end_time);
  CHECK(assigned.t() == -0.5);
  CHECK_THROWS_WITH(down.to(1), ContainsSubstring("in the direction it began"));
  CHECK_THROWS_WITH(down.to(down.t()), ContainsSubstring("goes on to another time"));
  CHECK_THROWS_WITH(begin<Milstein>().to(-1),
                    ContainsSubstring("a forward SDE runs up in time only"));
}
