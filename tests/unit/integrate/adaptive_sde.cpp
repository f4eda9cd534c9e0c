#include "catch.hpp"

#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/integrate/adaptive_sde.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ito/milstein.hpp>
#include <fokker/solvers/ito/milstein_general.hpp>
#include <fokker/solvers/ito/sri.hpp>
#include <fokker/solvers/stratonovich/reversible_heun.hpp>
#include <fokker/solvers/stratonovich/stochastic_heun.hpp>

using namespace fokker;

namespace {

const auto gbm = make_sde([](const auto& x, double) { return 0.5 * x; },
                          [](const auto& x, double) { return 0.8 * x; }, noise::diagonal);

constexpr auto still = [](const auto& x, double) { return Plain<decltype(x)>(0.0 * x); };
const auto brownian = make_sde(
    still, [](double) { return 1.0; }, noise::additive);
using Brownian = std::remove_const_t<decltype(brownian)>;
using X = PathState<double, 1>;

/// y = x + h^power, with which the step and two half steps differ by h^power (1 - 2^(1 - power));
/// or, where `embedded`, with that difference as its own estimate.
template <bool embedded>
struct KnownError {
  static constexpr Facts facts{
      .name = "known-error", .source = "this test", .order = {.strong = 1.5}};
  static constexpr double power = embedded ? 1.5 : 2;  // half an order above 1 and above 1.5
  template <State Y>
  using Workspace = Scratch<Y, 1>;

  static double error(Time h) { return std::pow(h, power) * (1 - std::pow(2.0, 1 - power)); }

  template <State Y, class P>
  void step(const P&, const Y& x, Time, Time h, const Increment<P, Y>&, Y& y, Workspace<Y>&) const {
    y = x + static_cast<typename Y::Scalar>(std::pow(h, power));
  }
  template <State Y, class P>
  void step(const P& p, const Y& x, Time t, Time h, const Increment<P, Y>& dw, Y& y, Y& estimate,
            Workspace<Y>& w) const requires(embedded) {
    step(p, x, t, h, dw, y, w);
    estimate.setConstant(static_cast<typename Y::Scalar>(error(h)));
  }
};

struct WithNormals : HeunSde {
  static constexpr Facts facts = [] {
    Facts all = HeunSde::facts;
    all.needs.normals = 1;
    return all;
  }();
};

/// x + dw, refused in a pattern that looks at dw; it notes the ends of the intervals it is shown.
struct Recorder {
  static constexpr Facts facts{.name = "recorder",
                               .source = "this test",
                               .order = {.strong = 1, .weak = 1, .deterministic = 1}};
  template <State Y>
  using Workspace = Scratch<Y, 1>;

  std::set<Time>* looked_at;

  template <State Y, class P>
  void step(const P&, const Y& x, Time t, Time h, const Increment<P, Y>& dw, Y& y,
            Workspace<Y>&) const {
    y = x + dw.w;
    looked_at->insert(t + h);
  }
  template <State Y, class P>
  void step(const P& p, const Y& x, Time t, Time h, const Increment<P, Y>& dw, Y& y, Y& error,
            Workspace<Y>& w) const {
    step(p, x, t, h, dw, y, w);
    error.setConstant(std::abs(dw.w(0, 0)) > 0.8 * std::sqrt(h) && h > 1e-3 ? 20.0 : 0.05);
  }
};

/// The first step that a run on [0, 1] accepts, tried first at 1/2, and the rejections before it.
template <class M>
std::pair<Time, int> first_accepted(double rtol, double atol, double x0 = 0) {
  const Adaptive steps{.rtol = rtol, .atol = atol, .first_step = 0.5};
  detail::AdaptiveSdeRun<M, Brownian, X> run({}, steps, brownian, 1, {1, 0});
  X x = X::Constant(x0);
  Counts counts;
  Time t = 0;
  while (!run.accepted()) REQUIRE(run.try_step(x, t, 1.0, counts) == Status::success);
  return {t, static_cast<int>(counts.rejected)};
}

}  // namespace

TEST_CASE("adaptive paths have the same numbers for any number of threads and paths") {
  const auto ends = [&](Index paths, int threads) {
    return simulate(
               gbm, Sriw1{}, Adaptive{.rtol = 1e-2, .atol = 1e-4}, 1.0, {0, 1},
               {.paths = paths, .save_at = uniform_grid(0, 1, 4), .seed = 3, .threads = threads},
               FinalState{})
        .value;
  };

  const auto alone = ends(1, 1), many = ends(3000, 1), parallel = ends(3000, 2);

  CHECK(alone(0, 0) == many(0, 0));
  CHECK((many == parallel).all());
}

TEST_CASE("a step with an error estimate costs its own evaluations, another three steps'") {
  const auto evaluations = [](const auto& method) {
    const Solution<PathState<double, 1>> s = integrate(gbm, method, Adaptive{}, 1.0, {0.0, 1.0});
    REQUIRE(s.status == Status::success);
    const double tries = static_cast<double>(s.counts.accepted + s.counts.rejected);
    return static_cast<double>(s.counts.drift_evaluations) / tries;
  };

  CHECK(evaluations(Sriw1{}) == Sriw1::facts.evaluations(NoiseKind::diagonal).drift);
  CHECK(evaluations(Milstein{}) == 3);
}

TEST_CASE("a run lands on the end and on the times to save") {
  const auto s = integrate(gbm, Sriw1{}, Adaptive{}, 1.0, {0.0, 0.7}, {.save_at = {0.1, 0.3}});

  REQUIRE(s.t == std::vector<Time>{0.1, 0.3});
  CHECK(s.end_time == 0.7);
}

TEST_CASE("the paths of a block share their steps and keep their own noise") {
  const Block<double> start = Block<double>::Constant(1, 3, 1.0);

  const auto s = integrate(gbm, Sriw1{}, Adaptive{}, start, {0.0, 1.0}, {.seed = 9});

  REQUIRE(s.status == Status::success);
  CHECK(s.end(0, 0) != s.end(0, 1));
  CHECK(s.end(0, 1) != s.end(0, 2));
}

TEST_CASE("tolerances that are not positive and steps that would converge elsewhere are refused") {
  const auto run = [](double rtol, double atol) {
    integrate(gbm, Sriw1{}, Adaptive{.rtol = rtol, .atol = atol}, 1.0, {0.0, 1.0});
  };
  const auto general =
      make_sde([](const auto& x, double) { return 0.5 * x; },
               [](const auto& x, double, Index) { return 0.3 * x; }, noise::general(2));

  CHECK_THROWS_WITH(run(0, 1e-6), ContainsSubstring("tolerances above zero: got rtol=0"));
  CHECK_THROWS_WITH(run(1e-3, -1), ContainsSubstring("atol=-1"));
  CHECK_THROWS_WITH(run(std::numeric_limits<double>::quiet_NaN(), 1),
                    ContainsSubstring("rtol=nan"));
  CHECK_THROWS_WITH(integrate(general, MilsteinLevy{}, Adaptive{}, 1.0, {0.0, 1.0}),
                    ContainsSubstring("milstein-levy cannot adapt its steps on general noise"));
  CHECK_THROWS_WITH(integrate(gbm, EulerMaruyama{}, Adaptive{}, 1.0, {0.0, 1.0}),
                    ContainsSubstring("euler-maruyama cannot adapt its steps on diagonal noise"));
}

TEMPLATE_TEST_CASE("the step after a rejection is the one that the power of the error asks for", "",
                   KnownError<false>, KnownError<true>) {
  // h -> 0.9 h e^(-1/k) is 0.9 times the h where the error meets the tolerance, whatever was tried:
  // just above 1/8 a smaller power would end at 1/16, just below 1/4 a larger one at 1/4.
  const auto meets_tolerance_at = [](Time h) {
    return first_accepted<TestType>(1e-12, TestType::error(h));
  };

  CHECK(meets_tolerance_at(0.126 / 0.9) == std::pair{0.125, 1});
  CHECK(meets_tolerance_at(0.249 / 0.9) == std::pair{0.125, 1});
  CHECK(meets_tolerance_at(0.251 / 0.9) == std::pair{0.25, 1});
}

TEST_CASE(
    "a step is accepted where its error is within atol + rtol max(|x|, |y|), and nowhere else") {
  using Method = KnownError<true>;
  const double error = KnownError<true>::error(0.5), y = std::pow(0.5, 1.5);

  CHECK(first_accepted<Method>(1e-12, 1.0001 * error).first == 0.5);
  CHECK(first_accepted<Method>(1e-12, 0.9999 * error).second > 0);
  CHECK(first_accepted<Method>(1.0001 * error / y, 1e-12).first == 0.5);
  CHECK(first_accepted<Method>(0.9999 * error / y, 1e-12).second > 0);
  CHECK(first_accepted<Method>(1.0001 * error / 3, 1e-12, -3.0).first == 0.5);
  CHECK(first_accepted<Method>(0.9999 * error / 3, 1e-12, -3.0).second > 0);
}

TEST_CASE("a step that fails is never accepted, also where the next would be too small to take") {
  // error(h) = h^1.5 (1 - 2^-1/2) meets a tolerance of 1e-30 for no h that can be taken.
  const Adaptive steps{.rtol = 1e-15, .atol = 1e-30};
  detail::AdaptiveSdeRun<KnownError<true>, Brownian, X> run({}, steps, brownian, 1, {1, 0});
  X x = X::Zero();
  Counts counts;
  Time t = 0;
  Status status = Status::success;
  while (status == Status::success) status = run.try_step(x, t, 1.0, counts);

  CHECK(status == Status::step_underflow);
  CHECK(counts.accepted == 0);
  CHECK(counts.rejected > 5);
  CHECK(t == 0);
  CHECK(x[0] == 0);
}

TEST_CASE("time is double where the state is float: far from zero its steps are the same") {
  // At t = 2^20 floats are 1/8 apart. The error meets the tolerance at h = 2^-8.
  const Time start = 1 << 20;
  const double tolerance = KnownError<true>::error(1.0 / 256) / std::pow(0.9, 1.5);
  const auto steps = [&]<class S>(S zero) {
    const Adaptive adaptive{.rtol = 1e-15, .atol = tolerance, .first_step = 1.0 / 256};
    const auto s =
        integrate(brownian, KnownError<true>{}, adaptive, PathState<S, 1>::Constant(zero).eval(),
                  {start, start + 1}, {.seed = 4});
    CHECK(s.status == Status::success);
    return std::pair{s.t, s.counts.rejected};
  };

  const auto single = steps(0.0F), wide = steps(0.0);

  CHECK(wide.first.size() == 257);
  CHECK(single == wide);
}

TEST_CASE("a step without an error estimate is its two half steps on the two halves of the path") {
  const auto process =
      make_sde([](const auto& x, double t) { return std::cos(3 * t) * x; },
               [](const auto& x, double t) { return (0.5 + t) * x.sin(); }, noise::diagonal);
  using P = std::remove_const_t<decltype(process)>;
  const PathKey key{5, 7};
  const Adaptive steps{.rtol = 1e9, .atol = 1e9, .first_step = 0.25};
  detail::AdaptiveSdeRun<Milstein, P, X> run({}, steps, process, 1, {key.seed, key.path});
  X x = X::Constant(1);
  Counts counts;
  Time t = 0;
  BrownianTree<double> tree(key.seed, key.path, 1, 1, 0, 1);
  X want = x, next = x;
  Increment<P, X> dw;
  dw.resize(1, 1);
  Milstein::Workspace<X> workspace(1, 1);

  while (t < 1) {
    const Time from = t;
    REQUIRE(run.try_step(x, t, 1.0, counts) == Status::success);
    REQUIRE(run.accepted());
    for (const Time start : {from, from + (t - from) / 2}) {
      tree.increment(start, start + (t - from) / 2, dw);
      Milstein{}.step(process, want, start, (t - from) / 2, dw, next, workspace);
      want = next;
    }
    CHECK(x[0] == want[0]);
  }
}

TEST_CASE("every time that a step looked at is visited") {
  std::uint64_t rejected = 0;
  for (std::uint64_t path = 0; path < 20; ++path) {
    std::set<Time> looked_at, visited;
    const Adaptive steps{.rtol = 1e-12, .atol = 1.0};
    detail::AdaptiveSdeRun<Recorder, Brownian, X> run({&looked_at}, steps, brownian, 1, {2, path});
    X x = X::Zero();
    Counts counts;
    for (Time t = 0; t < 1;) {
      REQUIRE(run.try_step(x, t, 1.0, counts) == Status::success);
      if (run.accepted()) visited.insert(t);
    }
    rejected += counts.rejected;
    CHECK(looked_at == visited);
  }
  CHECK(rejected > 20);
}

TEST_CASE(
    "steps chosen from the state are the largest halves within delta / max(1, |f| / max(1, |x|))") {
  const auto first_step = [](double slope, double x0, double delta) {
    const auto process = make_sde([slope](const auto& x, double) { return slope * x; },
                                  [](const auto& x, double) { return 0.0 * x; }, noise::diagonal);
    using P = std::remove_const_t<decltype(process)>;
    detail::PredictableRun<EulerMaruyama, P, X> run({}, {delta}, process, 1, {});
    X x = X::Constant(x0);
    Counts counts;
    Time t = 0;
    REQUIRE(run.try_step(x, t, 1.0, counts) == Status::success);
    CHECK(counts.drift_evaluations == 2);
    CHECK(counts.accepted == 1);
    return t;
  };

  CHECK(first_step(0.5, 100, 0.26) == 0.25);
  CHECK(first_step(0.5, 100, 0.24) == 0.125);
  CHECK(first_step(-8, 100, 1.01) == 0.125);  // |f| / |x| = 8
  CHECK(first_step(-8, 100, 0.99) == 0.0625);
  CHECK(first_step(-80, 0.1, 1.01) == 0.125);  // |f| / 1 = 8
  CHECK(first_step(8, 100, 1.01) == 0.125);
}

TEST_CASE("steps chosen from the state take the paths of a block together, by its fastest") {
  const auto process = make_sde([](const auto& x, double) { return -x.cube(); },
                                [](const auto& x, double) { return 0.1 * x; }, noise::diagonal);
  Block<double> start(1, 3);
  start << 1, 4, -2;
  const auto first_time = [&](const Block<double>& x0) {
    using P = std::remove_const_t<decltype(process)>;
    detail::PredictableRun<EulerMaruyama, P, Block<double>> run({}, {1.0}, process, 1, {});
    Block<double> x = x0;
    Counts counts;
    Time t = 0;
    REQUIRE(run.try_step(x, t, 1.0, counts) == Status::success);
    return t;
  };

  CHECK(first_time(start) == 0.0625);  // rate 16 of x = 4
  CHECK(first_time(start.col(0)) == 1);
}

TEST_CASE("runs with steps chosen from the state end, save and repeat like all others") {
  const Predictable steps{0.1};
  const auto ends = [&](Index paths, int threads) {
    return simulate(
               gbm, EulerMaruyama{}, steps, 1.0, {0, 1},
               {.paths = paths, .save_at = uniform_grid(0, 1, 4), .seed = 3, .threads = threads},
               FinalState{})
        .value;
  };
  const auto s = integrate(gbm, EulerMaruyama{}, steps, 1.0, {0.0, 0.7}, {.save_at = {0.1, 0.3}});
  const auto many = ends(3000, 1);

  REQUIRE(s.t == std::vector<Time>{0.1, 0.3});
  CHECK(s.end_time == 0.7);
  CHECK(s.counts.rejected == 0);
  CHECK(ends(1, 1)(0, 0) == many(0, 0));
  CHECK((many == ends(3000, 2)).all());
}

TEST_CASE(
    "steps chosen from the state refuse what would be wrong, and stop at what is not finite") {
  const auto general =
      make_sde([](const auto& x, double) { return 0.5 * x; },
               [](const auto& x, double, Index) { return 0.3 * x; }, noise::general(2));
  const auto broken = make_sde(
      [](const auto& x, double t) {
        return x * (t > 0.5 ? std::numeric_limits<double>::quiet_NaN() : 1.0);
      },
      [](double) { return 0.1; }, noise::additive);

  CHECK_THROWS_WITH(integrate(gbm, EulerMaruyama{}, Predictable{0.0}, 1.0, {0.0, 1.0}),
                    ContainsSubstring("delta above zero: got 0"));
  CHECK_THROWS_WITH(integrate(general, MilsteinLevy{}, Predictable{}, 1.0, {0.0, 1.0}),
                    ContainsSubstring("milstein-levy cannot choose its steps from the state"));
  const auto s = integrate(broken, EulerMaruyama{}, Predictable{}, 1.0, {0.0, 1.0});
  CHECK(s.status == Status::non_finite);
  CHECK(s.end.isFinite().all());
}

TEST_CASE("steps with memory or with normals beside the path are refused") {
  const auto stratonovich =
      make_sde<Calculus::stratonovich>(gbm.drift, gbm.diffusion, noise::diagonal);

  CHECK_THROWS_WITH(integrate(stratonovich, ReversibleHeun{}, Adaptive{}, 1.0, {0.0, 1.0}),
                    ContainsSubstring("reversible-heun cannot adapt its steps"));
  CHECK_THROWS_WITH(integrate(stratonovich, WithNormals{}, Adaptive{}, 1.0, {0.0, 1.0}),
                    ContainsSubstring("normals beside the path"));
  CHECK_THROWS_WITH(integrate(stratonovich, ReversibleHeun{}, Predictable{}, 1.0, {0.0, 1.0}),
                    ContainsSubstring("carries something from step to step"));
  CHECK_THROWS_WITH(integrate(stratonovich, WithNormals{}, Predictable{}, 1.0, {0.0, 1.0}),
                    ContainsSubstring("normals beside the path"));
}

TEST_CASE("a drift that becomes nan ends in a status that names the time") {
  const auto broken = make_sde(
      [](const auto& x, double t) {
        return x * (t > 0.5 ? std::numeric_limits<double>::quiet_NaN() : 1.0);
      },
      [](double) { return 0.1; }, noise::additive);

  const auto s = integrate(broken, HeunSde{}, Adaptive{}, 1.0, {0.0, 1.0});

  CHECK(s.status == Status::non_finite);
  CHECK_THAT(s.message, ContainsSubstring("t = 0.5"));
  CHECK(s.end_time <= 0.5);
  CHECK(s.end.isFinite().all());
}
