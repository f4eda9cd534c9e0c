/// @file  law/simulate.cpp
/// @brief The confidence interval that `simulate` gives covers the truth as often as it says.

#include <cmath>

#include "catch.hpp"

#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>

using namespace fokker;

TEST_CASE("the interval at a requested standard error covers E X_T in 95 % of 1000 seeds") {
  // Geometric Brownian motion by four Euler-Maruyama steps, whose mean is exactly (1 + mu h)^4. The
  // target needs between one and two of the batches, so the stopping rule is at work.
  const double mu = 0.1, sigma = 0.5, h = 0.25, exact = std::pow(1 + mu * h, 4);
  const auto gbm = make_sde([=](const auto& x, Time) { return mu * x; },
                            [=](const auto& x, Time) { return sigma * x; }, noise::diagonal);
  const auto phi = expectation([](const auto& x) { return x.row(0); });
  const TimeGrid grid = uniform_grid(0, 1, 4);
  const double target = 0.0089;

  int covered = 0, covered_by_narrow = 0, batches[2] = {0, 0};
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const auto result =
        simulate(gbm, EulerMaruyama{}, OnGrid{grid}, 1.0,
                 {.paths = 1'000'000, .seed = seed, .target_standard_error = target}, phi);
    const Estimate& e = result.value;
    REQUIRE(e.standard_error <= target);
    REQUIRE(result.paths <= 8192);
    ++batches[result.paths == 8192];
    covered += e.low <= exact && exact <= e.high;
    covered_by_narrow += std::abs(e.mean - exact) <= 0.8 * (e.high - e.mean);
  }

  // Binomial (1000, 0.95) within four standard deviations; an interval of 0.8 of the width, which
  // covers 88 %, must be told apart.
  CHECK(covered >= 922);
  CHECK(covered <= 978);
  CHECK(covered_by_narrow < 922);
  CHECK(batches[0] > 100);
  CHECK(batches[1] > 100);
}
