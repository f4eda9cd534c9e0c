/// @file  unit/analysis/tune_grid.cpp
/// @brief The search for a time grid finds what a scan finds, and never less than a named grid.

#include <cmath>
#include <limits>

#include "catch.hpp"

#include <fokker/analysis/compare/tune_grid.hpp>
#include <fokker/diffusion/data/gaussian.hpp>

using namespace fokker;

namespace {

ComparisonSettings settings(std::string sampler, Index steps) {
  ComparisonSettings s;
  s.data = Gaussian(Eigen::Vector3d(0.5, -1, 0),
                    Eigen::MatrixXd(Eigen::Vector3d(1, 0.2, 0.01).asDiagonal()));
  s.data_name = "three modes";
  s.samplers = {std::move(sampler)};
  s.steps = {steps};
  s.exact = true;
  return s;
}

double error_on(ComparisonSettings s, const TimeGrid& times) {
  s.steps.clear();
  s.times = times;
  return compare(s).rows.front().error;
}

}  // namespace

TEST_CASE("with one time to choose, the search finds the minimum that a scan finds") {
  const ComparisonSettings s = settings("ddim", 2);
  double best = std::numeric_limits<double>::infinity();
  for (int i = 1; i < 4000; ++i)
    best = std::min(best, error_on(s, {1, 1e-3 + (1 - 1e-3) * i / 4000.0, 1e-3}));

  const TunedGrid tuned = tune_grid(s);

  CHECK(tuned.error <= best * (1 + 1e-9));
  CHECK(tuned.error > best * (1 - 1e-4));
}

TEST_CASE("the error of a tuned grid is what compare says of it, below every named grid") {
  for (const char* sampler : {"ddim", "edm-heun", "ddpm"}) {
    const ComparisonSettings s = settings(sampler, 8);

    const TunedGrid tuned = tune_grid(s);

    INFO(sampler);
    REQUIRE(tuned.times.size() == 9);
    CHECK_THAT(error_on(s, tuned.times), WithinRel(tuned.error, 1e-9));
    REQUIRE(!tuned.named.empty());
    for (const NamedGridError& grid : tuned.named) CHECK(tuned.error < grid.error);
  }
}

TEST_CASE("a grid is tuned for the last step that is taken, and its evaluations are counted") {
  for (const FinalStep last : {FinalStep::denoise, FinalStep::zero}) {
    ComparisonSettings s = settings("sa-solver", 6);
    s.last = last;

    const TunedGrid tuned = tune_grid(s);

    INFO(to_string(last));
    CHECK_THAT(error_on(s, tuned.times), WithinRel(tuned.error, 1e-9));
    // One more in the first step of SA-Solver, and one for the denoiser; its step to 0 has none.
    CHECK(tuned.nfe == (last == FinalStep::denoise ? 8 : 7));
    s.last = FinalStep::none;
    CHECK(error_on(s, tuned.times) > 1.001 * tune_grid(s).error);
  }
}

TEST_CASE("steps that are not stable, tried on the way, are no bar to the search") {
  ComparisonSettings s = settings("edm-heun", 8);
  s.process = "edm";
  s.data = GaussianSpectrum(Eigen::VectorXd::Zero(16),
                            Eigen::VectorXd::LinSpaced(16, 1, 16).array().pow(-1.1).matrix());

  const TunedGrid tuned = tune_grid(s);

  for (const NamedGridError& grid : tuned.named) CHECK(tuned.error < grid.error);
}

TEST_CASE("a search that makes no sense is refused") {
  ComparisonSettings two = settings("ddim", 8);
  two.samplers.push_back("ddpm");
  ComparisonSettings zero = settings("ddim", 8);
  zero.t_min = 0;

  CHECK_THROWS_WITH(tune_grid(two), ContainsSubstring("one sampler and one number of steps"));
  CHECK_THROWS_WITH(tune_grid(zero), ContainsSubstring("no end at t_min=0"));
  CHECK_THROWS_WITH(tune_grid(settings("ddim", 1)), ContainsSubstring("two steps at least"));
  CHECK_THROWS_WITH(tune_grid(settings("dopri5", 8)), ContainsSubstring("adapts its steps"));
}
