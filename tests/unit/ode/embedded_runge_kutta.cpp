/// @file  unit/ode/embedded_runge_kutta.cpp
/// @brief Embedded pairs step by step: the step, its error, the landing, nan, blocks,
/// interpolation.

#include <cmath>
#include <limits>

#include "catch.hpp"
#include "run_to.hpp"

#include <fokker/solvers/core/any_process.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>

using namespace fokker;

namespace {

/// The oscillator x'' = -x (1 + x^2 / 10) with a drive, and the number of calls.
struct Oscillator {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  std::uint64_t* calls = nullptr;
  void drift(const auto& x, Time t, auto& out) const {
    if (calls) ++*calls;
    out.row(0) = x.row(1);
    out.row(1) = -x.row(0) * (1 + 0.1 * x.row(0).square()) + std::cos(t);
  }
};

/// x'' = -x.
struct Circle {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  void drift(const auto& x, Time, auto& out) const {
    out.row(0) = x.row(1);
    out.row(1) = -x.row(0);
  }
};

/// x' = rate x.
struct Decay {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  double rate = -50;
  auto drift(const auto& x, Time) const { return rate * x; }
};

/// x' = 1 up to t = 1 and undefined from there.
struct UndefinedAfterOne {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  void drift(const auto&, Time t, auto& out) const { out.setConstant(t > 1 ? std::nan("") : 1.0); }
};

/// A slope of 1e6 whose sign no step can follow.
struct Rough {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  void drift(const auto&, Time t, auto& out) const {
    out.setConstant(std::sin(1e9 * t * t) > 0 ? 1e6 : -1e6);
  }
};

/// Van der Pol's oscillator with eps = 1e-3: stiff.
struct VanDerPol {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  void drift(const auto& x, Time, auto& out) const {
    out.row(0) = x.row(1);
    out.row(1) = ((1 - x.row(0).square()) * x.row(1) - x.row(0)) / 1e-3;
  }
};

/// Van der Pol's oscillator, fast and slow by turns.
struct Swing {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  void drift(const auto& x, Time, auto& out) const {
    out.row(0) = x.row(1);
    out.row(1) = 2 * (1 - x.row(0).square()) * x.row(1) - x.row(0);
  }
};

using Pair2 = PathState<double, 2>;

template <class M, class P, State X = Pair2>
using RunOf = typename M::template Run<P, X>;

/// The status of a run over [1, 3] from (1, 1), with its counts.
template <class M, class P>
Status outcome(const P& process, const Adaptive& steps, Counts& counts, bool* stiff = nullptr) {
  RunOf<M, P> run(M{}, steps, process, 2);
  Pair2 x{1, 1};
  const Status status = fokker_test::run_to(run, x, 1, 3, counts);
  if (stiff) *stiff = run.stiff();
  return status;
}

}  // namespace

#define PAIRS Bs3, Dopri5, Tsit5, Vern7, Dop853

TEMPLATE_TEST_CASE("embedded pairs solve to their tolerance, up and down, and count their calls",
                   "", PAIRS) {
  std::uint64_t calls = 0;
  const Adaptive tight{.rtol = 1e-9, .atol = 1e-11};
  const Pair2 x0{1, 0};

  const auto there =
      integrate(Oscillator{&calls}, TestType{}, tight, x0, {0, 10}, {.check = false});
  const auto counted = calls;
  const auto back = integrate(Oscillator{&calls}, TestType{}, tight, there.end, {10, 0});
  const auto circle = integrate(Circle{}, TestType{}, tight, x0, {0, 10});

  CHECK(there.status == Status::success);
  CHECK(there.end_time == 10);
  CHECK(there.counts.drift_evaluations == counted);
  CHECK((back.end - x0).abs().maxCoeff() < 1e-7);
  CHECK_THAT(circle.end(0), WithinAbs(std::cos(10), 1e-7));
}

TEMPLATE_TEST_CASE("a step has the bits of the fixed-step method of the same tableau", "",
                   tableaus::Bs3, tableaus::Dopri5, tableaus::Tsit5, tableaus::Vern7,
                   tableaus::Dop853) {
  const Oscillator process;
  RunOf<EmbeddedRungeKutta<TestType>, Oscillator> run(
      EmbeddedRungeKutta<TestType>{}, Adaptive{.rtol = 1e100, .atol = 1e100}, process, 2);
  run.first_step(0.25);
  Pair2 x{1, 0.5};
  Counts counts;
  Time t = 0.5;

  ExplicitRungeKutta<TestType> fixed;
  typename ExplicitRungeKutta<TestType>::template Workspace<Pair2> w(2, 1);
  Pair2 y;
  fixed.step(process, x, t, 0.25, {}, y, w);
  run.try_step(x, t, 0.75, counts);

  CHECK(run.accepted());
  CHECK(t == 0.75);
  CHECK((x == y).all());
}

TEMPLATE_TEST_CASE("the error is the estimate over atol + rtol max(|x|, |y|), the largest", "",
                   tableaus::Bs3, tableaus::Dopri5, tableaus::Tsit5, tableaus::Vern7,
                   tableaus::Dop853) {
  constexpr std::size_t s = TestType::tableau.b.size();
  constexpr double h = 0.03, rtol = 1e-3, atol = 1e-4;
  const Adaptive method{.rtol = rtol, .atol = atol};
  const double rate = GENERATE(-50.0, 20.0);
  const Decay process{rate};
  RunOf<EmbeddedRungeKutta<TestType>, Decay> run(EmbeddedRungeKutta<TestType>{}, method, process,
                                                 2);
  run.first_step(h);
  Pair2 x{2, 0.3};
  Counts counts;
  Time t = 0;
  run.try_step(x, t, 1, counts);

  const auto estimate = [&](const auto& e, double x0) {
    double k[s + 1], y = x0, sum = 0;
    for (std::size_t i = 0; i < s; ++i) {
      double z = x0;
      for (std::size_t j = 0; j < i; ++j) z += h * TestType::tableau.a[i][j] * k[j];
      k[i] = rate * z;
      y += h * TestType::tableau.b[i] * k[i];
    }
    k[s] = rate * y;
    for (std::size_t i = 0; i <= s; ++i) sum += h * e[i] * k[i];
    return std::abs(sum) / (atol + rtol * std::max(std::abs(x0), std::abs(y)));
  };
  double expected = std::max(estimate(TestType::error, 2), estimate(TestType::error, 0.3));
  if constexpr (requires { TestType::error_low; }) {
    const double low =
        std::max(estimate(TestType::error_low, 2), estimate(TestType::error_low, 0.3));
    expected *= expected / std::hypot(expected, 0.1 * low);
  }

  CHECK(expected > 1e-9);
  CHECK_THAT(run.error(), WithinRel(expected, 1e-6));
}

TEMPLATE_TEST_CASE("first same as last: the slope at the end is not evaluated twice", "", PAIRS) {
  Counts counts;
  const Adaptive method{.rtol = 1e-7, .atol = 1e-7};
  constexpr bool in_error = std::is_same_v<TestType, Bs3> || std::is_same_v<TestType, Dopri5> ||
                            std::is_same_v<TestType, Tsit5>;
  constexpr std::uint64_t stages = std::is_same_v<TestType, Bs3>     ? 3
                                   : in_error                        ? 6
                                   : std::is_same_v<TestType, Vern7> ? 10
                                                                     : 12;
  const Oscillator process;
  RunOf<TestType, Oscillator> run(TestType{}, method, process, 2);
  run.first_step(1);
  Pair2 x{1, 0};
  fokker_test::run_to(run, x, 0, 20, counts);

  CHECK(counts.rejected > 0);
  const auto tries = counts.accepted + counts.rejected;
  const auto once = in_error ? 1 + stages * tries : counts.accepted + (stages - 1) * tries;
  CHECK(counts.drift_evaluations == once);
}

TEMPLATE_TEST_CASE("steps are accepted for their error alone, however large the first", "", PAIRS) {
  const Decay process;
  RunOf<TestType, Decay> run(TestType{}, Adaptive{}, process, 2);
  run.first_step(3);
  Pair2 x{1, 1};
  Counts counts;
  for (Time t = 0; t < 10;) {
    const Time before = t;
    REQUIRE(run.try_step(x, t, 10, counts) == Status::success);
    REQUIRE(run.accepted() == (run.error() <= 1));
    REQUIRE(run.accepted() == (t > before));
  }

  CHECK(counts.rejected > 0);
  CHECK(x.abs().maxCoeff() < 1e-6);
}

TEMPLATE_TEST_CASE("a block shares the steps, and its error is that of its worst path", "", PAIRS) {
  const Oscillator process;
  const Adaptive method{.rtol = 1e-4, .atol = 1e-4};
  const auto first_error = [&](auto x) {
    RunOf<TestType, Oscillator, decltype(x)> run(TestType{}, method, process, 2);
    run.first_step(0.5);
    Counts counts;
    Time t = 0;
    run.try_step(x, t, 5, counts);
    return run.error();
  };
  Block<double> both(2, 2), twins(2, 3);
  both << 0.1, 2, 0, 0.5;
  twins << 1, 1, 1, 0.5, 0.5, 0.5;

  CHECK(first_error(both) == std::max(first_error(Pair2{0.1, 0}), first_error(Pair2{2, 0.5})));

  const auto block = integrate(process, TestType{}, method, twins, {0, 10});
  const auto path = integrate(process, TestType{}, method, Pair2{1, 0.5}, {0, 10});
  CHECK(block.counts.accepted == path.counts.accepted);
  CHECK((block.end.col(2) - path.end).abs().maxCoeff() < 1e-12);
}

TEMPLATE_TEST_CASE("embedded pairs take float states and processes with the type erased", "", Tsit5,
                   Dop853) {
  Block<float> x0(2, 2);
  x0 << 1, 1, 0, 0;
  const auto single =
      integrate(Circle{}, TestType{}, Adaptive{.rtol = 1e-5, .atol = 1e-5}, x0, {0, 3});
  const auto erased = integrate(AnyOde{Circle{}}, TestType{}, Adaptive{}, Pair2{1, 0}, {0, 3});

  CHECK_THAT(single.end(0, 1), WithinAbs(std::cos(3), 1e-3));
  CHECK_THAT(erased.end(0, 0), WithinAbs(std::cos(3), 1e-4));
}

TEMPLATE_TEST_CASE("a nan is a rejected step, and the run ends in a status where nan remains", "",
                   PAIRS) {
  const UndefinedAfterOne process;
  RunOf<TestType, UndefinedAfterOne> run(TestType{}, Adaptive{}, process, 2);
  run.first_step(0.4);
  Pair2 x{0, 0};
  Counts counts;

  const Status status = fokker_test::run_to(run, x, 0, 2, counts);

  CHECK(status == Status::non_finite);
  CHECK_THAT(x(0), WithinAbs(1, 1e-9));
  CHECK(counts.accepted >= 2);
  CHECK(counts.rejected > 10);
  CHECK(counts.rejected < 1000);
}

TEMPLATE_TEST_CASE("a drift that no step can follow ends in step underflow", "", PAIRS) {
  Counts counts;

  CHECK(outcome<TestType>(Rough{}, {.rtol = 1e-14, .atol = 1e-14}, counts) ==
        Status::step_underflow);
  CHECK(counts.rejected < 100'000);
}

TEMPLATE_TEST_CASE("a run lands on its stops, with no trace of them in the size of later steps", "",
                   PAIRS) {
  const Circle process;
  Counts free, stopped;
  const auto run = [&](std::initializer_list<double> stops, Counts& counts) {
    // `calm` keeps one of many sizes in its wide dead band, by how the run began.
    RunOf<TestType, Circle> r(TestType{}, Adaptive{.control = step_controls::pi}, process, 2);
    Pair2 x{1, 0};
    Time t = 0;
    for (const double stop : stops)
      while (t < stop) REQUIRE(r.try_step(x, t, stop, counts) == Status::success);
    CHECK(t == *(stops.end() - 1));
    return x;
  };

  const Pair2 a = run({20}, free);
  const Pair2 b = run({0.1, 0.1 + 1e-9, 7, 13.3, 20}, stopped);

  CHECK((a - b).abs().maxCoeff() < 1e-4);
  CHECK(stopped.accepted + stopped.rejected <= free.accepted + free.rejected + 8);
}

TEMPLATE_TEST_CASE("steps that keep their size in a row are those one by one", "", PAIRS) {
  const Adaptive method{.rtol = 1e-7, .atol = 1e-7, .control = step_controls::pi};
  const Swing process;
  RunOf<TestType, Swing> row(TestType{}, method, process, 2),
      single(TestType{}, method, process, 2);
  Counts in_a_row, one_by_one;
  Pair2 x{2, 0}, y{2, 0};
  Time t = 0;

  REQUIRE(fokker_test::run_to(row, x, 0, 20, in_a_row) == Status::success);
  while (t < 20) REQUIRE(single.try_step(y, t, 20, one_by_one) == Status::success);

  CHECK((x == y).all());
  CHECK(row.error() == single.error());
  CHECK(in_a_row.accepted == one_by_one.accepted);
  CHECK(in_a_row.rejected == one_by_one.rejected);
  CHECK(in_a_row.drift_evaluations == one_by_one.drift_evaluations);
}

TEMPLATE_TEST_CASE("interpolation leaves the run as it is, meets its ends and says when it cannot",
                   "", PAIRS) {
  std::uint64_t calls = 0;
  const Oscillator process{&calls};
  const Adaptive method{.rtol = 1e-7, .atol = 1e-7};
  const Oscillator plain;
  RunOf<TestType, Oscillator> with(TestType{}, method, process, 2);
  RunOf<TestType, Oscillator> without(TestType{}, method, plain, 2);
  Pair2 x{1, 0}, y{1, 0}, out;
  Counts counts, other;

  CHECK_THROWS_WITH(with.interpolate(0, out), ContainsSubstring("got 0"));
  for (Time t = 0, u = 0; t < 5;) {
    const Pair2 before = x;
    const Time start = t;
    with.try_step(x, t, 5, counts);
    without.try_step(y, u, 5, other);
    if (!with.accepted()) {
      REQUIRE_THROWS_AS(with.interpolate(t, out), std::invalid_argument);
      continue;
    }
    with.interpolate(start, out);
    REQUIRE((out - before).abs().maxCoeff() < 1e-12);
    with.interpolate(t, out);
    REQUIRE((out - x).abs().maxCoeff() < 1e-12);
    with.interpolate(0.5 * (start + t), out);
    REQUIRE_THROWS_WITH(with.interpolate(t + 0.1, out), ContainsSubstring("in the step"));
  }

  CHECK((x == y).all());
  CHECK(counts.drift_evaluations + with.dense_evaluations() == calls);
}

TEMPLATE_TEST_CASE("a stiff problem is recognised, and one that is not is not", "", Dopri5, Tsit5,
                   Vern7, Dop853) {
  Counts counts;
  bool stiff = false;
  const Adaptive method{.rtol = 1e-4, .atol = 1e-4};

  CHECK(outcome<TestType>(VanDerPol{}, method, counts, &stiff) == Status::success);
  CHECK(stiff);

  const Circle circle;
  RunOf<TestType, Circle> run(TestType{}, Adaptive{.rtol = 1e-3, .atol = 1e-3}, circle, 2);
  Pair2 x{1, 0};
  CHECK(fokker_test::run_to(run, x, 0, 300, counts) == Status::success);
  CHECK_FALSE(run.stiff());
}

TEST_CASE("tolerances, first steps and controllers of embedded pairs are checked") {
  const auto solve = [](const Adaptive& steps) {
    return integrate(Circle{}, Tsit5{}, steps, Pair2{1, 0}, {0, 1});
  };

  CHECK_THROWS_WITH(solve({.rtol = 0}), ContainsSubstring("tolerances above zero: got rtol=0"));
  CHECK_THROWS_WITH(solve({.atol = -1}), ContainsSubstring("atol=-1"));
  CHECK_THROWS_WITH(solve({.control = StepControl{.safety = 2}}), ContainsSubstring("safety=2"));
  CHECK_THROWS_WITH(solve({.first_step = -1}), ContainsSubstring("got first_step=-1"));
}
