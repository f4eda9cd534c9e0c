/// @file  unit/ode/embedded_lanes.cpp
/// @brief Ensembles of small ODEs in lanes: the paths are those of the solver path by path,
/// whatever is beside them.

#include <cmath>
#include <vector>

#include "catch.hpp"

#include <fokker/processes/models/lorenz.hpp>
#include <fokker/processes/models/van_der_pol.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>

using namespace fokker;

namespace {

/// The same process without its word that f ignores t: solved path by path.
template <class P>
struct PathByPath : P {
  static constexpr bool autonomous = false;
};

/// x' = x^2, which leaves every bound at t = 1 / x0 for x0 > 0.
struct BlowUp {
  static constexpr NoiseKind noise = NoiseKind::none;
  static constexpr bool autonomous = true;
  static constexpr int dimension = 1;
  auto drift(const auto& x, Time) const { return x.square(); }
};

/// Normal; with an `odd` path, in one block, that starts at 2, the others are negative.
struct Starts {
  Index odd = -1;
  double scale = 1;
  void sample(PathRandom& random, auto& x) const {
    random.normal(x);
    x *= static_cast<typename std::remove_cvref_t<decltype(x)>::Scalar>(scale);
    if (odd >= 0) {
      x = -x.abs();
      x(0, odd) = 2;
    }
  }
};

template <class M, class S = double>
auto states(const auto& process, const Starts& starts, Index paths, std::vector<Time> grid,
            int threads = 1, const StepControl& control = step_controls::pi) {
  return simulate<S>(process, M{}, Adaptive{.rtol = 1e-8, .atol = 1e-8, .control = control}, starts,
                     {grid.front(), grid.back()},
                     {.paths = paths, .save_at = grid, .seed = 1, .threads = threads}, States{});
}

}  // namespace

TEMPLATE_TEST_CASE("paths in lanes take the steps of the solver path by path", "", Bs3, Dopri5,
                   Tsit5) {
  const VanDerPol process{.mu = 2};
  static_assert(TestType::template in_lanes<VanDerPol, double, 2>);
  static_assert(!TestType::template in_lanes<PathByPath<VanDerPol>, double, 2>);
  const std::vector<Time> grid{0, 0.1, 1.75, 4};

  const auto lanes = states<TestType>(process, Starts{}, 83, grid);
  const auto paths = states<TestType>(PathByPath<VanDerPol>{process}, Starts{}, 83, grid);

  CHECK(lanes.status == Status::success);
  CHECK(lanes.counts.accepted == paths.counts.accepted);
  CHECK(lanes.counts.rejected == paths.counts.rejected);
  CHECK(lanes.counts.rejected > 0);
  CHECK(lanes.counts.drift_evaluations == paths.counts.drift_evaluations);
  for (std::size_t k = 0; k < 4; ++k)
    CHECK((lanes.value[k] - paths.value[k]).abs().maxCoeff() < 1e-11);
}

TEST_CASE("a lane does not grow its step right after a rejection") {
  // The retried step misses the target by little and is kept in a dead band: here there is none.
  const StepControl control{.b = {1, 0, 0}, .keep = {1, 1}};
  const VanDerPol process{.mu = 2};
  const std::vector<Time> grid{0, 1, 2, 4};

  const auto lanes = states<Dopri5>(process, Starts{}, 83, grid, 1, control);
  const auto paths = states<Dopri5>(PathByPath<VanDerPol>{process}, Starts{}, 83, grid, 1, control);

  CHECK(lanes.counts.rejected > 0);
  CHECK(lanes.counts.accepted == paths.counts.accepted);
  CHECK(lanes.counts.rejected == paths.counts.rejected);
}

TEMPLATE_TEST_CASE("a path in a lane has the same bits whatever is beside it", "", double, float) {
  const std::vector<Time> grid{0, 0.5, 1, 2};
  const auto many = states<Dopri5, TestType>(Lorenz{}, Starts{}, 1100, grid, 2);
  for (const Index paths : {1, 15, 17, 64}) {
    const auto few = states<Dopri5, TestType>(Lorenz{}, Starts{}, paths, grid);
    for (std::size_t k = 0; k < 4; ++k)
      CHECK((few.value[k] == many.value[k].leftCols(paths)).all());
  }
}

TEST_CASE("a lane that meets infinity ends with a status and leaves the others alone") {
  const std::vector<Time> grid{0, 0.25, 0.75, 1};
  const auto with = states<Tsit5>(BlowUp{}, Starts{.odd = 5}, 40, grid);
  const auto paths = states<Tsit5>(PathByPath<BlowUp>{}, Starts{.odd = 5}, 40, grid);
  const auto without = states<Tsit5>(BlowUp{}, Starts{.odd = 39}, 39, grid);

  CHECK(with.failed == 1);
  CHECK(with.status == paths.status);
  CHECK(with.status != Status::success);
  CHECK_THAT(with.value[1](0, 5), WithinAbs(2 / (1 - 0.5), 1e-6));
  CHECK(std::isnan(with.value[2](0, 5)));
  CHECK(std::isnan(with.value[3](0, 5)));
  CHECK(without.status == Status::success);
  for (std::size_t k = 0; k < 4; ++k)
    for (Index j = 0; j < 39; ++j)
      if (j != 5) CHECK(with.value[k](0, j) == without.value[k](0, j));
}

TEST_CASE("lanes land on the grid, up and down in time") {
  const std::vector<Time> down{1, 0.75, 0.5, 0};
  const auto run = states<Dopri5>(BlowUp{}, Starts{.scale = 0.3}, 20, down);
  CHECK(run.status == Status::success);
  for (std::size_t k = 0; k < 4; ++k)
    for (Index j = 0; j < 20; ++j) {
      const double x0 = run.value[0](0, j);
      CHECK_THAT(run.value[k](0, j), WithinAbs(x0 / (1 + x0 * (1 - down[k])), 1e-6));
    }
}
