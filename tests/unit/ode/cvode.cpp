/// @file  unit/ode/cvode.cpp
/// @brief CVODE as a solver: decay, Robertson's reaction, rodas5p, landing, nan, copies.

#include <cmath>
#include <stdexcept>

#include "catch.hpp"
#include "run_to.hpp"

#include <fokker/solvers/integrate/integrator.hpp>
#include <fokker/solvers/ode/cvode.hpp>
#include <fokker/solvers/ode/rosenbrock.hpp>

using namespace fokker;

namespace {

using One = PathState<double, 1>;
using Pair = PathState<double, 2>;

/// x' = -x.
struct Decay {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  std::uint64_t* calls = nullptr;
  auto drift(const auto& x, Time) const {
    if (calls) ++*calls;
    return -x;
  }
};

/// Robertson's reaction up to 1e11, with the Jacobian if `known`.
template <bool known>
struct Robertson {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  static inline const PathState<double, 3> x0{1, 0, 0};
  static constexpr double end = 1e11;
  static inline const PathState<double, 3> exact{.2083340149701255e-7, .8333360770334713e-13,
                                                 .9999999791665050};
  std::uint64_t* jacobians = nullptr;
  void drift(const auto& x, Time, auto& out) const {
    out(0) = -0.04 * x(0) + 1e4 * x(1) * x(2);
    out(2) = 3e7 * x(1) * x(1);
    out(1) = -out(0) - out(2);
  }
  void drift_jacobian(const auto& x, Time, auto& j) const requires(known) {
    if (jacobians) ++*jacobians;
    j << -0.04, 1e4 * x(2), 1e4 * x(1), 0.04, -1e4 * x(2) - 6e7 * x(1), -1e4 * x(1), 0, 6e7 * x(1),
        0;
  }
};

/// A driven oscillator of Van der Pol, stiff.
struct VanDerPol {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  void drift(const auto& x, Time t, auto& out) const {
    out(0) = x(1);
    out(1) = ((1 - x(0) * x(0)) * x(1) - x(0) + 0.5 * std::sin(t)) / 1e-3;
  }
};

/// x' = 1 up to t = 1 and undefined from there.
struct UndefinedAfterOne {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  void drift(const auto&, Time t, auto& out) const { out.setConstant(t > 1 ? std::nan("") : 1.0); }
};

/// x' = x^2, infinite at t = 1 from 1.
struct BlowUp {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  auto drift(const auto& x, Time) const { return x * x; }
};

template <class M, class P, State X>
X end_of(const M& method, const Adaptive& steps, const P& process, X x, Time t0, Time t1,
         Counts& counts) {
  typename M::template Run<P, X> run(method, steps, process, x.rows());
  CHECK(fokker_test::run_to(run, x, t0, t1, counts) == Status::success);
  return x;
}

}  // namespace

TEST_CASE("cvode decays as the exponential, the better the tighter, and counts its calls") {
  std::uint64_t calls = 0;
  Counts loose, tight;

  const One at_loose =
      end_of(Cvode{}, Adaptive{.rtol = 1e-4, .atol = 1e-4}, Decay{}, One{1}, 0, 5, loose);
  const One at_tight =
      end_of(Cvode{}, Adaptive{.rtol = 1e-10, .atol = 1e-12}, Decay{&calls}, One{1}, 0, 5, tight);

  CHECK(std::abs(at_loose(0) - std::exp(-5)) > 1e-6);
  CHECK_THAT(at_loose(0), WithinAbs(std::exp(-5), 1e-3));
  CHECK_THAT(at_tight(0), WithinAbs(std::exp(-5), 1e-9));
  CHECK(tight.accepted > loose.accepted);
  CHECK(tight.drift_evaluations == calls);
}

TEST_CASE("cvode meets the end of Robertson's reaction, with differences or the Jacobian") {
  const Cvode method;
  const Adaptive steps{.rtol = 1e-8, .atol = 1e-16};
  std::uint64_t jacobians = 0;
  Counts by_differences, by_jacobian;

  const auto differences = end_of(method, steps, Robertson<false>{}, Robertson<false>::x0, 0,
                                  Robertson<false>::end, by_differences);
  const auto exact = end_of(method, steps, Robertson<true>{&jacobians}, Robertson<true>::x0, 0,
                            Robertson<true>::end, by_jacobian);

  for (const auto& x : {differences, exact}) {
    CHECK_THAT(x(0), WithinRel(Robertson<true>::exact(0), 1e-5));
    CHECK_THAT(x(1), WithinRel(Robertson<true>::exact(1), 1e-5));
    CHECK_THAT(x(2), WithinAbs(Robertson<true>::exact(2), 1e-12));
  }
  CHECK(jacobians > 10);
  CHECK(by_jacobian.drift_evaluations < by_differences.drift_evaluations);
  CHECK(by_jacobian.rejected > 0);
}

TEST_CASE("cvode and rodas5p agree on a driven stiff oscillator") {
  Counts counts;
  const Pair bdf = end_of(Cvode{}, Adaptive{.rtol = 1e-10, .atol = 1e-12}, VanDerPol{}, Pair{2, 0},
                          0.5, 2, counts);
  const Pair rosenbrock = end_of(Rodas5P{}, Adaptive{.rtol = 1e-10, .atol = 1e-12}, VanDerPol{},
                                 Pair{2, 0}, 0.5, 2, counts);

  CHECK((bdf - rosenbrock).abs().maxCoeff() < 1e-7);
}

TEST_CASE("cvode lands on every stop and goes on, and its interpolant meets the solution") {
  const Decay process;
  Cvode::Run<Decay, One> run(Cvode{}, Adaptive{.rtol = 1e-9, .atol = 1e-12}, process, 1);
  run.first_step(1e-3);
  One x{1}, out{0};
  Counts counts;
  Time t = 0;
  CHECK_THROWS_AS(run.interpolate(0, out), std::invalid_argument);

  for (const Time stop : {0.3, 0.7000001, 2.0}) {
    while (t < stop) {
      const Time before = t;
      REQUIRE(run.try_step(x, t, stop, counts) == Status::success);
      REQUIRE(run.accepted());
      REQUIRE(t <= stop);
      const Time inside = before + 0.4 * (t - before);
      run.interpolate(inside, out);
      REQUIRE_THAT(out(0), WithinAbs(std::exp(-inside), 1e-7));
    }
    CHECK(t == stop);
    CHECK_THAT(x(0), WithinAbs(std::exp(-stop), 1e-7));
  }
  CHECK(counts.accepted < 200);
  CHECK_THROWS_AS(run.interpolate(0.1, out), std::invalid_argument);
}

TEST_CASE("nan and blow-up end a run of cvode in a status") {
  Counts counts;
  const UndefinedAfterOne undefined;
  Cvode::Run<UndefinedAfterOne, One> run(Cvode{}, Adaptive{}, undefined, 1);
  One x{0};
  Time t = 0;
  Status status = Status::success;
  for (int i = 0; i < 100000 && status == Status::success && t < 2; ++i)
    status = run.try_step(x, t, 2, counts);
  CHECK(status == Status::non_finite);
  CHECK_THAT(t, WithinAbs(1, 1e-6));

  const BlowUp blow_up;
  Cvode::Run<BlowUp, One> up(Cvode{}, Adaptive{}, blow_up, 1);
  One y{1};
  const Status end = fokker_test::run_to(up, y, 0, 2, counts);
  CHECK((end == Status::step_underflow || end == Status::non_finite));
}

TEST_CASE("cvode goes through integrate, with float and dynamic states, and one path only") {
  const Decay process;
  const auto path =
      detail::make_integrator(process, detail::bind(Cvode{}, Adaptive{.max_step = 0.05}),
                              Block<float>::Ones(1, 1).eval(), 0.0, {});
  const auto copy = path->clone();
  for (auto* each : {path.get(), copy.get()}) {
    detail::Interval interval{.end = 1, .tries = 10'000};
    REQUIRE(each->advance(interval, nullptr) == Status::success);
  }
  CHECK_THAT(path->x()(0, 0), WithinAbs(std::exp(-1.0), 1e-5));
  CHECK((path->x() == copy->x()).all());
  CHECK(path->counts().accepted >= 20);
  CHECK_THROWS_AS(path->clone(), std::logic_error);

  Counts counts;
  Cvode::Run<Decay, Block<double>> run(Cvode{}, Adaptive{}, process, 1);
  Block<double> two = Block<double>::Ones(1, 2);
  CHECK_THROWS_WITH(fokker_test::run_to(run, two, 0, 1, counts),
                    ContainsSubstring("one path at a time: got a block of 2"));
  using Run = Cvode::Run<Decay, One>;
  CHECK_THROWS_AS(Run(Cvode{}, Adaptive{.rtol = 1e-6, .atol = 0}, process, 1),
                  std::invalid_argument);
}
