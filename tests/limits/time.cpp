/// @file  limits/time.cpp
/// @brief Nothing depends on the origin or the unit of time, nor on the unit of the state: all
/// adaptive methods for ODEs, ensembles in lanes, adaptive SDEs, fixed steps.

#include <cmath>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

#include "catch.hpp"
#include "ode_methods.hpp"
#include "row.hpp"

#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/integrate/adaptive_sde.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ito/sra.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

using namespace fokker;

namespace {

/// u' = -rate (u - sin s) + cos s, v' = u (1 - v) with s = (t - origin) / unit, in units of `size`:
/// the same numbers whatever these are.
struct Forced {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  double rate, origin = 0, unit = 1, size = 1;
  void drift(const auto& x, Time t, auto& out) const {
    const double s = (t - origin) / unit, u = x(0) / size, v = x(1) / size;
    out(0) = (-rate * (u - std::sin(s)) + std::cos(s)) * (size / unit);
    out(1) = u * (1 - v) * (size / unit);
  }
};

/// Where explicit methods are limited by stability, rounding is amplified from step to step.
template <class M>
constexpr double rate =
    M::facts.name == Rodas4::facts.name || M::facts.name == Rodas5P::facts.name ||
            M::facts.name == Radau5::facts.name
        ? 100
        : 3;

template <class M>
Solution<PathState<double, 2>> solve(const Forced& p, Adaptive steps = {},
                                     IntegrateOptions options = {}) {
  steps.rtol = 1e-6;
  steps.atol = 1e-6 * p.size;
  const Time end = p.origin + 16 * p.unit;
  steps.first_step *= p.unit;
  steps.max_step *= p.unit;
  for (Time& t : options.save_at) t = p.origin + t * p.unit;
  return integrate(p, M{}, steps, PathState<double, 2>(0.5 * p.size, 0), {p.origin, end}, options);
}

/// The runs take the same steps, but for `slack` of them, and end within `tolerance` of each other.
void check_alike(const auto& one, const auto& other, double size, double slack, double tolerance) {
  const auto tries = [](const Counts& c) { return static_cast<double>(c.accepted + c.rejected); };
  CHECK(other.status == Status::success);
  CHECK_THAT(tries(other.counts), WithinRel(tries(one.counts), slack));
  CHECK_THAT(static_cast<double>(other.counts.drift_evaluations),
             WithinRel(static_cast<double>(one.counts.drift_evaluations), slack + 0.1));
  CHECK((other.end / size - one.end).abs().maxCoeff() <= tolerance);
}

/// Van der Pol's oscillator, solved in lanes.
struct Swing {
  static constexpr Index dimension = 2;
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  static constexpr bool autonomous = true;
  double unit = 1;
  template <State X>
  void drift(const X& x, Time, auto& out) const {
    using S = typename X::Scalar;
    out.row(0) = x.row(1) / S(unit);
    out.row(1) = (S(2) * (S(1) - x.row(0).square()) * x.row(1) - x.row(0)) / S(unit);
  }
};

struct Starts {
  void sample(PathRandom& random, auto& x) const { random.normal(x); }
};

}  // namespace

TEMPLATE_LIST_TEST_CASE("the same problem later takes the same steps", "", AllMethods) {
  constexpr double stiffness = rate<TestType>;
  constexpr double slack =
      TestType::facts.name == BulirschStoer::facts.name ? 0.2 : 0.1;  // its order varies
  const auto here = solve<TestType>({stiffness});

  for (const double origin : {1e6, 1e9, -1e9})
    check_alike(here, solve<TestType>({stiffness, origin}), 1, slack, 1e-5);

  limit_row("ode", TestType::facts.name, "t0 = 1e9",
            fmt::format("the steps of t0 = 0 within {:.0f} %, where times are 1.2e-7 apart",
                        100 * slack));
}

TEMPLATE_LIST_TEST_CASE("the same problem in another unit of time takes the same steps", "",
                        AllMethods) {
  const auto [first_step, max_step, stops] =
      GENERATE(std::tuple{0.0, 0.0, false}, std::tuple{0.25, 0.0, false},
               std::tuple{0.0, 0.1, false}, std::tuple{0.0, 0.0, true});
  const Adaptive steps{.first_step = first_step, .max_step = max_step};
  IntegrateOptions options;
  if (stops) options.save_at = {0.1, 7, 7.0001, 13};
  constexpr double stiffness = rate<TestType>;
  const auto here = solve<TestType>({stiffness}, steps, options);

  for (const double unit : {1e-12, 1e-6, 1e6, 1e12})
    check_alike(here, solve<TestType>({stiffness, 0, unit}, steps, options), 1, 0.02, 1e-5);
  check_alike(here, solve<TestType>({stiffness, 1e9, 1e6}, steps, options), 1, 0.02, 1e-5);

  limit_row("ode", TestType::facts.name, "unit of time times 1e-12 to 1e12",
            "the same steps, first one and stops included");
}

TEMPLATE_LIST_TEST_CASE("the same problem in another unit of the state takes the same steps", "",
                        AllMethods) {
  constexpr double stiffness = rate<TestType>;
  const auto here = solve<TestType>({stiffness});

  for (const double size : {1e-12, 1e12})
    check_alike(here, solve<TestType>({stiffness, 0, 1, size}), size, 0.02, 1e-5);

  limit_row("ode", TestType::facts.name, "unit of the state and atol times 1e-12 and 1e12",
            "the same steps");
}

TEMPLATE_TEST_CASE("f_t of a Rosenbrock method is right late and in any unit", "", Rodas4,
                   Rodas5P) {
  // x' = -100 (x - sin(t - t0)) + cos(t - t0)
  const auto steps = [](double origin, double unit) {
    const auto s = solve<TestType>({100, origin, unit});
    CHECK(s.status == Status::success);
    CHECK_THAT(s.end(0), WithinAbs(std::sin(16.0), 1e-5));
    return static_cast<double>(s.counts.accepted);
  };
  const double here = steps(0, 1);

  CHECK_THAT(steps(1e6, 1), WithinRel(here, 0.05));
  CHECK_THAT(steps(1e9, 1), WithinRel(here, 0.05));
  CHECK_THAT(steps(0, 1e-12), WithinRel(here, 0.02));
}

TEMPLATE_TEST_CASE("ensembles in lanes know no origin and no unit of time", "", Bs3, Dopri5,
                   Tsit5) {
  const auto run = [](double origin, double unit) {
    std::vector<Time> grid{0, 0.1, 1.75, 4};
    for (Time& t : grid) t = origin + unit * t;
    return simulate(Swing{unit}, TestType{}, Adaptive{.rtol = 1e-8, .atol = 1e-8}, Starts{},
                    {grid.front(), grid.back()},
                    {.paths = 40, .save_at = grid, .seed = 1, .threads = 1}, FinalState{});
  };
  static_assert(TestType::template in_lanes<Swing, double, 2>);
  const auto here = run(0, 1);

  for (const auto [origin, unit, slack, tolerance] :
       {std::array{0.0, 1e-12, 0.002, 1e-9}, std::array{0.0, 1e12, 0.002, 1e-9},
        std::array{1e9, 1.0, 0.02, 2e-6}}) {
    const auto other = run(origin, unit);
    CHECK_THAT(static_cast<double>(other.counts.accepted),
               WithinRel(static_cast<double>(here.counts.accepted), slack));
    CHECK((other.value - here.value).abs().maxCoeff() < tolerance);
  }
}

TEST_CASE("adaptive steps of an SDE know no origin and no unit of time") {
  // dX = -X^3 dt / unit + sqrt(1 / unit) dW, on the same Brownian path
  const auto run = [](double origin, double unit) {
    const auto process = make_sde([unit](const auto& x, double) { return -x.cube() / unit; },
                                  [unit](double) { return std::sqrt(1 / unit); }, noise::additive);
    return integrate(process, Sra3{}, Adaptive{.rtol = 1e-4, .atol = 1e-6}, 1.0,
                     {origin, origin + 4 * unit}, {.seed = 3});
  };
  const auto here = run(0, 1);

  for (const double unit : {0x1p-40, 1e-12, 1e12}) {
    const auto other = run(0, unit);
    CHECK(other.counts.accepted == here.counts.accepted);
    CHECK(other.counts.rejected == here.counts.rejected);
    CHECK_THAT(other.end(0), WithinAbs(here.end(0), 1e-10));
  }
  const auto later = run(1e9, 1);
  CHECK(later.counts.accepted == here.counts.accepted);
  CHECK_THAT(later.end(0), WithinAbs(here.end(0), 1e-10));

  limit_row("sde", "adaptive steps", "t0 = 1e9; unit of time times 1e-12 to 1e12",
            "the same steps on the same path");
}

TEST_CASE("fixed steps land on stops late as they do at 0, without a step of one rounding") {
  const auto steps = [](double origin) {
    return integrate(Forced{3, origin}, Rk4{}, Fixed{0.1}, PathState<double, 2>(0.5, 0),
                     {origin, origin + 7.7})
        .counts.accepted;
  };

  CHECK(steps(0) == 77);
  for (const double origin : {1e6, 1e8, 1e9, -1e9}) CHECK(steps(origin) == 77);
}
