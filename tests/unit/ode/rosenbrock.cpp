/// @file  unit/ode/rosenbrock.cpp
/// @brief Rosenbrock methods step by step: the stages by hand, the Jacobian, nan, blocks.

#include <cmath>

#include <Eigen/LU>

#include "catch.hpp"

#include <fokker/solvers/core/any_process.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ode/rosenbrock.hpp>

using namespace fokker;

namespace {

using Pair = PathState<double, 2>;

/// x' = A x + (sin t, 1), stiff, with the Jacobian if `known`.
template <bool known>
struct Linear {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  std::uint64_t* calls = nullptr;
  void drift(const auto& x, Time t, auto& out) const {
    if (calls) ++*calls;
    out(0) = -2 * x(0) + x(1) + std::sin(t);
    out(1) = 3 * x(0) - 400 * x(1) + 1;
  }
  void drift_jacobian(const auto&, Time, auto& j) const requires(known) { j << -2, 1, 3, -400; }
};

/// x' = -1000 (x - cos t).
struct Prothero {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  auto drift(const auto& x, Time t) const { return -1000 * (x - std::cos(t)); }
};

/// x'' = -x.
struct Circle {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  void drift(const auto& x, Time, auto& out) const {
    out(0) = x(1);
    out(1) = -x(0);
  }
};

/// x' = 1 up to t = 1 and undefined from there.
struct UndefinedAfterOne {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  void drift(const auto&, Time t, auto& out) const { out.setConstant(t > 1 ? std::nan("") : 1.0); }
};

/// x' = lambda x.
struct Scaling {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  double lambda;
  auto drift(const auto& x, Time) const { return lambda * x; }
  void drift_jacobian(const auto&, Time, auto& j) const { j(0, 0) = lambda; }
};

/// x' = 3 x, which decays downwards, with the Jacobian, of which calls are counted, if `known`.
template <bool known>
struct Scaled {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  std::uint64_t* calls;
  auto drift(const auto& x, Time) const { return 3.0 * x; }
  void drift_jacobian(const auto&, Time, auto& j) const requires(known) {
    ++*calls;
    j(0, 0) = 3;
  }
};

}  // namespace

TEMPLATE_TEST_CASE("a step is the formula's, stage by stage", "", tableaus::Rodas4,
                   tableaus::Rodas5P) {
  constexpr auto& tableau = TestType::tableau;
  constexpr std::size_t s = tableau.alpha.size();
  constexpr double h = 0.05, t0 = 0.3;
  const Linear<true> process;
  typename Rosenbrock<TestType>::template Run<Linear<true>, Pair> run(
      Rosenbrock<TestType>{}, Adaptive{.rtol = 1e-3, .atol = 1e100}, process, 2);
  run.first_step(h);
  Pair x{1, -0.5};
  Counts counts;
  Time t = t0;

  Eigen::Matrix2d w;
  w << 1 / (tableau.gamma * h) + 2, -1, -3, 1 / (tableau.gamma * h) + 400;
  Pair u[s], z = x, f;
  for (std::size_t i = 0; i < s; ++i) {
    z = x;
    for (std::size_t j = 0; j < i; ++j) z += tableau.a[i][j] * u[j];
    process.drift(z, t0 + tableau.alpha[i] * h, f);
    f(0) += tableau.gammas[i] * h * std::cos(t0);
    for (std::size_t j = 0; j < i; ++j) f += tableau.c[i][j] / h * u[j];
    u[i] = w.inverse() * f.matrix();
  }
  run.try_step(x, t, t0 + h, counts);

  REQUIRE(run.accepted());
  CHECK_THAT(x(0), WithinAbs(z(0) + u[s - 1](0), 1e-9));
  CHECK_THAT(x(1), WithinAbs(z(1) + u[s - 1](1), 1e-9));
  CHECK_THAT(run.error() * 1e100, WithinRel(u[s - 1].abs().maxCoeff(), 1e-4));
}

TEMPLATE_TEST_CASE("at infinity the solution is gone: L-stable", "", Rodas4, Rodas5P) {
  const auto factor = [](double z) {
    const Scaling process{z};
    typename TestType::template Run<Scaling, PathState<double, 1>> run(
        TestType{}, Adaptive{.rtol = 1e100, .atol = 1e100}, process, 1);
    run.first_step(1);
    PathState<double, 1> x{1};
    Counts counts;
    Time t = 0;
    run.try_step(x, t, 1, counts);
    return std::abs(x(0));
  };

  for (double z = -1e-3; z > -1e9; z *= 1.5) REQUIRE(factor(z) <= 1);
  CHECK(factor(-1e6) < 1e-4);
  CHECK(factor(-1e9) < 1e-6);
}

TEMPLATE_TEST_CASE("the Jacobian by differences serves as the exact one, which saves calls", "",
                   Rodas4, Rodas5P) {
  std::uint64_t with = 0, without = 0;
  const TestType method;
  const Adaptive steps{.rtol = 1e-8, .atol = 1e-8};
  const Pair x0{1, -0.5};

  const auto exact = integrate(Linear<true>{&with}, method, steps, x0, {0, 3}, {.check = false});
  const auto differences =
      integrate(Linear<false>{&without}, method, steps, x0, {0, 3}, {.check = false});

  CHECK((exact.end - differences.end).abs().maxCoeff() < 1e-9);
  CHECK(exact.counts.drift_evaluations == with);
  CHECK(differences.counts.drift_evaluations == without);
  CHECK(differences.counts.accepted == exact.counts.accepted);
  CHECK(without == with + 2 * exact.counts.accepted);
}

TEST_CASE("a type-erased process without a Jacobian is solved by differences") {
  const Adaptive steps{.rtol = 1e-6, .atol = 1e-6};

  const auto up = integrate(AnyOde{Prothero{}}, Rodas5P{}, steps, 1.0, {0, 1});
  const auto typed = integrate(Prothero{}, Rodas5P{}, steps, 1.0, {0, 1});

  CHECK_THAT(up.end(0), WithinAbs(typed.end(0), 1e-9));
  CHECK(up.counts.drift_evaluations == typed.counts.drift_evaluations);
}

TEST_CASE("downwards in time the exact Jacobian serves too") {
  const Adaptive steps{.rtol = 1e-8, .atol = 1e-8};
  std::uint64_t with = 0, without = 0;

  const auto exact = integrate(Scaled<true>{&with}, Rodas5P{}, steps, 1.0, {3, 0});
  const auto differences = integrate(Scaled<false>{&without}, Rodas5P{}, steps, 1.0, {3, 0});

  CHECK(with > 0);
  CHECK_THAT(exact.end(0), WithinAbs(std::exp(-9.0), 1e-8));
  CHECK(exact.counts.accepted == differences.counts.accepted);
  CHECK(differences.counts.drift_evaluations ==
        exact.counts.drift_evaluations + exact.counts.accepted);
}

TEMPLATE_TEST_CASE("Rosenbrock methods take large steps where the solution is smooth, up and down",
                   "", Rodas4, Rodas5P) {
  const TestType method;
  const Adaptive steps{.rtol = 1e-6, .atol = 1e-6};
  const auto stiff = integrate(Prothero{}, method, steps, 1.0, {0, 10});
  const auto down = integrate(Circle{}, method, steps, Pair{1, 0}, {10, 0});
  const double exact = (1e6 * std::cos(10.0) + 1e3 * std::sin(10.0)) / (1e6 + 1);

  CHECK(stiff.status == Status::success);
  CHECK_THAT(stiff.end(0), WithinAbs(exact, 1e-5));
  CHECK(stiff.counts.accepted < 400);
  CHECK((down.end - Pair{std::cos(10), std::sin(10)}).abs().maxCoeff() < 1e-4);
}

TEMPLATE_TEST_CASE("nan ends a Rosenbrock run in a status", "", Rodas4, Rodas5P) {
  const auto s =
      integrate(UndefinedAfterOne{}, TestType{}, Adaptive{.first_step = 0.3}, 0.0, {0, 2});

  CHECK(s.status == Status::non_finite);
  CHECK_THAT(s.end_time, WithinAbs(1, 1e-6));
  CHECK(s.counts.rejected < 1000);
}

TEMPLATE_TEST_CASE("the interpolant of a Rosenbrock method meets the ends of the step", "", Rodas4,
                   Rodas5P) {
  const Linear<false> process;
  typename TestType::template Run<Linear<false>, Pair> run(TestType{}, Adaptive{}, process, 2);
  Pair x{1, -0.5}, out;
  Counts counts;

  CHECK_THROWS_AS(run.interpolate(0, out), std::invalid_argument);
  for (Time t = 0; t < 1;) {
    const Pair before = x;
    const Time start = t;
    run.try_step(x, t, 1, counts);
    if (!run.accepted()) continue;
    run.interpolate(start, out);
    REQUIRE((out - before).abs().maxCoeff() < 1e-13);
    run.interpolate(t, out);
    REQUIRE((out - x).abs().maxCoeff() < 1e-13);
  }
}

TEMPLATE_TEST_CASE("a block goes path by path in simulate and is refused by integrate", "", Rodas4,
                   Rodas5P) {
  Block<double> x0 = Block<double>::Ones(1, 2);
  CHECK_THROWS_WITH(integrate(Prothero{}, TestType{}, Adaptive{}, x0, {0, 1}),
                    ContainsSubstring("one path at a time: got a block of 2"));

  const auto result = simulate(Prothero{}, TestType{}, Adaptive{}, 1.0, {0, 1},
                               {.paths = 3, .threads = 1}, FinalState{});
  const auto path = integrate(Prothero{}, TestType{}, Adaptive{}, 1.0, {0, 1});
  CHECK_THAT(result.value(0, 2), WithinAbs(path.end(0), 1e-6));
}
