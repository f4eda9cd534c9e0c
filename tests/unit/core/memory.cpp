/// @file  unit/core/memory.cpp
/// @brief Solvers that carry something from step to step, and normals beside the Brownian path.

#include <cmath>
#include <stdexcept>

#include "catch.hpp"
#include "two_step.hpp"

#include <fokker/solvers/core/any_stepper.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/integrate/jumps.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/noise/recorded_path.hpp>

using namespace fokker;
using test::TwoStep;

namespace {

using X = Block<double>;
const auto sine = make_sde([](const auto& x, Time t) { return (t - x).sin(); },
                           [](Time) { return 0.3; }, noise::additive);
using Sine = std::remove_const_t<decltype(sine)>;
const TimeGrid grid = uniform_grid(0, 1, 8);

Increment<Sine, X> increment(double w, double z) {
  Increment<Sine, X> dw;
  dw.resize(1, 1, TwoStep::facts.needs);
  dw.w << w;
  dw.normals << z;
  return dw;
}

}  // namespace

TEST_CASE("each block of an ensemble starts with an empty memory, whatever was run before") {
  const auto run = [](const auto& method, Index paths, int threads) {
    return simulate(sine, method, OnGrid{grid}, 0.5,
                    {.paths = paths, .seed = 4, .threads = threads}, FinalState{})
        .value;
  };
  const auto all = run(TwoStep{}, 5000, 0);

  CHECK((run(TwoStep{}, 3000, 1) == all.leftCols(3000)).all());
  CHECK((run(AnyStepper<Sine, Block<double, 1>>{TwoStep{}}, 5000, 0) == all).all());
  CHECK((run(EulerMaruyama{}, 5000, 0) != all).any());
}

TEST_CASE("a copy of an erased workspace goes on by itself") {
  const AnyStepper<Sine, X> method{TwoStep{}};
  AnyStepper<Sine, X>::Workspace<X> w(1, 1);
  const X x = X::Constant(1, 1, 0.4);
  X first(1, 1), second(1, 1), third(1, 1);
  method.step(sine, x, 0, 0.1, increment(0.2, 1), first, w);
  AnyStepper<Sine, X>::Workspace<X> copy = w;

  method.step(sine, first, 0.1, 0.1, increment(0.1, 0), second, w);
  method.step(sine, first, 0.1, 0.1, increment(0.1, 0), third, copy);

  CHECK(second(0, 0) == third(0, 0));
  REQUIRE(method.memory(w).size() == 1);
  CHECK(method.memory(w)[0].data() != method.memory(copy)[0].data());
}

TEST_CASE("an integration with memory that is stopped and kept goes on to the same bits") {
  const IntegrateOptions options{.seed = 3};
  Integration<PathState<double, 1>> whole(sine, TwoStep{}, Fixed{0.125}, 0.5, 0.0, options);
  Integration<PathState<double, 1>> halves(sine, TwoStep{}, Fixed{0.125}, 0.5, 0.0, options);

  const auto end = whole.to(1.0).end;
  halves.to(0.5);
  Integration<PathState<double, 1>> kept = halves;
  halves.to(0.75);

  CHECK(kept.to(1.0).end(0) == end(0));
  CHECK(halves.to(1.0).end(0) == end(0));
}

TEST_CASE("normals beside the path leave the path as it is, and are standard and independent") {
  constexpr Index m = 3, n = 4096;
  BrownianIncrements<double> plain(5, 0, n, m), with(5, 0, n, m, {.normals = 2});
  Increment<Sine, X> a, b;
  a.resize(m, n);
  b.resize(m, n, {.normals = 2});

  for (int k = 0; k < 3; ++k) {
    plain.increment(k, k + 1, a);
    with.increment(k, k + 1, b);
    REQUIRE((a.w == b.w).all());
  }

  REQUIRE(b.normals.rows() == 2 * m);
  const double bound = 5 / std::sqrt(static_cast<double>(n));
  for (Index i = 0; i < 2 * m; ++i) {
    CHECK(std::abs(b.normals.row(i).mean()) < bound);
    CHECK(std::abs(b.normals.row(i).square().mean() - 1) < std::sqrt(2.0) * bound);
    for (Index j = 0; j < m; ++j) CHECK(std::abs((b.normals.row(i) * b.w.row(j)).mean()) < bound);
    for (Index j = 0; j < i; ++j)
      CHECK(std::abs((b.normals.row(i) * b.normals.row(j)).mean()) < bound);
  }
}

TEST_CASE("what goes back to a path or jumps refuses solvers with memory or normals") {
  const auto never = PoissonJumps{1.0, [](auto&, Time, JumpRandom&) {}};
  const auto path = RecordedPath<double>::of_values({0, 1}, Block<double>::Zero(1, 2));

  CHECK_THROWS_WITH(simulate(sine, TwoStep{}, JumpAdapted{OnGrid{grid}, never}, 0.5,
                             {.paths = 1, .seed = 1}, FinalState{}),
                    ContainsSubstring("two-step carries something from step to step"));
  CHECK_THROWS_WITH(integrate(sine, TwoStep{}, OnGrid{TimeGrid{0, 1}}, 0.5, {.noise = path}),
                    ContainsSubstring("no normals beside the path"));
}
