#include "catch.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>

#include <fokker/solvers/adaptive_sde.hpp>
#include <fokker/solvers/euler_maruyama.hpp>
#include <fokker/solvers/integrate.hpp>
#include <fokker/solvers/milstein.hpp>
#include <fokker/solvers/milstein_general.hpp>
#include <fokker/solvers/simulate.hpp>
#include <fokker/solvers/sri.hpp>
#include <fokker/solvers/stochastic_heun.hpp>

using namespace fokker;

namespace {

const auto gbm = make_sde([](const auto& x, double) { return 0.5 * x; },
                          [](const auto& x, double) { return 0.8 * x; }, noise::diagonal);

}  // namespace

TEST_CASE("adaptive paths have the same numbers for any number of threads and paths") {
  const AdaptiveSde<Sriw1> method{Sriw1{}, 1e-2, 1e-4};
  const auto ends = [&](Index paths, int threads) {
    return simulate(gbm, method, 1.0, uniform_grid(0, 1, 4),
                    {.paths = paths, .seed = 3, .threads = threads}, FinalState{})
        .value;
  };

  const auto alone = ends(1, 1), many = ends(3000, 1), parallel = ends(3000, 2);

  CHECK(alone(0, 0) == many(0, 0));
  CHECK((many == parallel).all());
}

TEST_CASE("a step with an error estimate costs its own evaluations, another three steps'") {
  const auto evaluations = [](const auto& method) {
    const Solution<Path<double, 1>> s = integrate(gbm, method, 1.0, {0.0, 1.0});
    REQUIRE(s.status == Status::success);
    const double tries = static_cast<double>(s.counts.accepted + s.counts.rejected);
    return static_cast<double>(s.counts.drift_evaluations) / tries;
  };

  CHECK(evaluations(AdaptiveSde{Sriw1{}}) == Sriw1::evaluations(NoiseKind::diagonal).drift);
  CHECK(evaluations(AdaptiveSde{Milstein{}}) == 3);
}

TEST_CASE("a run lands on the end and on the times to save") {
  const auto s = integrate(gbm, AdaptiveSde{Sriw1{}}, 1.0, {0.0, 0.7}, {.save_at = {0.1, 0.3}});

  REQUIRE(s.t == std::vector<Time>{0.1, 0.3});
  CHECK(s.end_time == 0.7);
}

TEST_CASE("the paths of a block share their steps and keep their own noise") {
  const Block<double> start = Block<double>::Constant(1, 3, 1.0);

  const auto s = integrate(gbm, AdaptiveSde{Sriw1{}}, start, {0.0, 1.0}, {.seed = 9});

  REQUIRE(s.status == Status::success);
  CHECK(s.end(0, 0) != s.end(0, 1));
  CHECK(s.end(0, 1) != s.end(0, 2));
}

TEST_CASE("tolerances that are not positive and steps that would converge elsewhere are refused") {
  const auto run = [](double rtol, double atol) {
    integrate(gbm, AdaptiveSde<Sriw1>{Sriw1{}, rtol, atol}, 1.0, {0.0, 1.0});
  };
  const auto general =
      make_sde([](const auto& x, double) { return 0.5 * x; },
               [](const auto& x, double, Index) { return 0.3 * x; }, noise::general(2));

  CHECK_THROWS_WITH(run(0, 1e-6), ContainsSubstring("tolerances above zero: got rtol=0"));
  CHECK_THROWS_WITH(run(1e-3, -1), ContainsSubstring("atol=-1"));
  CHECK_THROWS_WITH(run(std::numeric_limits<double>::quiet_NaN(), 1),
                    ContainsSubstring("rtol=nan"));
  CHECK_THROWS_WITH(integrate(general, AdaptiveSde{MilsteinLevy{}}, 1.0, {0.0, 1.0}),
                    ContainsSubstring("milstein-levy cannot adapt its steps on general noise"));
  CHECK_THROWS_WITH(integrate(gbm, AdaptiveSde{EulerMaruyama{}}, 1.0, {0.0, 1.0}),
                    ContainsSubstring("euler-maruyama cannot adapt its steps on diagonal noise"));
}

TEST_CASE("a drift that becomes nan ends in a status that names the time") {
  const auto broken = make_sde(
      [](const auto& x, double t) {
        return x * (t > 0.5 ? std::numeric_limits<double>::quiet_NaN() : 1.0);
      },
      [](double) { return 0.1; }, noise::additive);

  const auto s = integrate(broken, AdaptiveSde{StochasticHeun{}}, 1.0, {0.0, 1.0});

  CHECK(s.status == Status::non_finite);
  CHECK_THAT(s.message, ContainsSubstring("t = 0.5"));
  CHECK(s.end_time <= 0.5);
  CHECK(s.end.isFinite().all());
}
