/// @file  unit/integrate/jumps.cpp
/// @brief Jump-adapted steps: the loop they are, what their jumps do not depend on, refusals.

#include <cmath>

#include "catch.hpp"

#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/integrate/jumps.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>

using namespace fokker;

namespace {

const auto growth = make_sde([](const auto& x, Time) { return 0.1 * x; },
                             [](const auto& x, Time) { return 0.3 * x; }, noise::diagonal);
const auto still = make_sde([](const auto& x, Time) { return 0.0 * x; }, [](Time) { return 0.0; },
                            noise::additive);
const auto clock_process = make_sde([](const auto& x, Time) { return 0.0 * x + 1.0; },
                                    [](Time) { return 0.0; }, noise::additive);

/// Jumps of a random size that depends on x and t.
constexpr auto shift = [](auto& x, Time t, JumpRandom& random) {
  x = 0.9 * x + (t + 0.1 * random.normal() + random.uniform());
};
/// Counts.
constexpr auto one = [](auto& x, Time, JumpRandom&) { x += 1.0; };

const TimeGrid grid = uniform_grid(0, 2, 10);

template <class P, class Jumps>
Block<double> ends(const P& process, const Jumps& jumps, const TimeGrid& times, int threads = 0) {
  return simulate(process, EulerMaruyama{}, JumpAdapted{OnGrid{times}, jumps}, 1.0,
                  {.paths = 500, .seed = 3, .threads = threads}, FinalState{})
      .value;
}

}  // namespace

TEST_CASE("a path is the plain loop over the grid and the jumps") {
  const double rate = 3;
  const Block<double> x = ends(growth, PoissonJumps{rate, shift}, grid);

  for (const Index j : {0, 77, 499}) {
    const auto path = static_cast<std::uint64_t>(j);
    JumpRandom random({3, path});
    StreamLanes normals(3, path, 1, Purpose::wiener);
    double z[2] = {0, 0};
    int next = 2;
    double y = 1;
    Time t = 0, jump = random.exponential() / rate;
    for (std::size_t k = 1; k < grid.size(); ++k)
      while (t < grid[k]) {
        const Time end = std::min(grid[k], jump);
        if (next == 2) normals.normal_pair(&z[0], &z[1], 1.0, 1.0), next = 0;
        y += 0.1 * y * (end - t) + 0.3 * y * std::sqrt(end - t) * z[next++];
        t = end;
        if (t == jump) {
          const double normal = random.normal(), uniform = random.uniform();
          y = 0.9 * y + (t + 0.1 * normal + uniform);
          jump += random.exponential() / rate;
        }
      }
    CHECK(x(0, j) == Approx(y).epsilon(1e-13));
  }
}

TEST_CASE("without jumps the states are those of the solver alone, bit for bit") {
  const auto alone =
      simulate(growth, EulerMaruyama{}, OnGrid{grid}, 1.0, {.paths = 500, .seed = 3}, FinalState{});

  CHECK((ends(growth, PoissonJumps{0.0, one}, grid) == alone.value).all());
  CHECK((ends(growth, IntensityJumps{[](const auto&, Time) { return 0.0; }, 0.0, one}, grid) ==
         alone.value)
            .all());
}

TEST_CASE("a path has the same bits on any number of threads") {
  const PoissonJumps jumps{3.0, shift};

  CHECK((ends(growth, jumps, grid, 1) == ends(growth, jumps, grid, 2)).all());
}

TEST_CASE("jumps come at the same times and have the same sizes whatever the steps") {
  const PoissonJumps jumps{3.0, shift};
  const Block<double> coarse = ends(still, jumps, {0, 2});

  CHECK((ends(still, jumps, grid) == coarse).all());
  CHECK((ends(still, jumps, uniform_grid(0, 2, 97)) == coarse).all());
  CHECK((coarse != 1).count() > 490);  // e^-6 of the paths have no jump
}

TEST_CASE("the intensity sees the state just before a candidate, at its time") {
  // X = 1 + t between the jumps, which are looked at and leave X as it is.
  double off = 0;
  int seen = 0;
  const IntensityJumps jumps{[&](const auto& x, Time t) {
                               off = std::max(off, std::abs(x(0) - (1 + t)));
                               ++seen;
                               return 0.5;
                             },
                             1.0, [](auto&, Time, JumpRandom&) {}};
  ends(clock_process, jumps, {0, 2}, 1);

  CHECK(seen > 800);  // Poisson, mean 1000
  CHECK(off < 1e-14);
}

TEST_CASE("an intensity of 0 never jumps") {
  const auto zero = [](const auto&, Time) { return 0.0; };

  CHECK((ends(still, IntensityJumps{zero, 2.0, one}, grid) == 1).all());
}

TEST_CASE("a clock of constant intensity is the plain sum of exponential times") {
  const ClockJumps jumps{[](const auto&, Time) { return 3.0; }, one};
  for (const Time start : {0.0, -7.0, 1e9}) {
    const Block<double> x = ends(still, jumps, {start, start + 2});
    const Block<double> fine = ends(still, jumps, uniform_grid(start, start + 2, 97));

    for (const Index j : {0, 77, 499}) {
      JumpRandom random({3, static_cast<std::uint64_t>(j)});
      double count = 0;
      for (double t = random.exponential() / 3; t < 2; t += random.exponential() / 3) ++count;
      INFO(start << ' ' << j);
      CHECK(x(0, j) == 1 + count);
    }
    CHECK((fine == x).all());
  }
}

TEST_CASE("a clock jumps where the integral of the intensity reaches its exponential number") {
  // Integral t^2 / 2, exactly by the trapezoid rule: number n comes at sqrt(2 (e_1 + ... + e_n)),
  // at most the length of a step late.
  const ClockJumps jumps{[](const auto&, Time t) { return t; },
                         [](auto& x, Time t, JumpRandom&) { x = t; }};
  for (const double h : {0.25, 0.01}) {
    const auto solution = integrate(still, EulerMaruyama{}, JumpAdapted{Fixed{h}, jumps}, 0.0,
                                    {0.0, 3.0}, {.seed = 3, .path = 4});
    JumpRandom random({3, 4});
    double sum = random.exponential();
    int seen = 0;
    for (std::size_t k = 1; k < solution.t.size(); ++k) {
      const double before = solution.x[k - 1](0), after = solution.x[k](0);
      if (after == before) continue;
      CHECK(after >= std::sqrt(2 * sum) * (1 - 1e-12));
      CHECK(after < std::sqrt(2 * sum) + h);
      sum += random.exponential();
      ++seen;
    }
    CHECK(std::sqrt(2 * sum) > 3);
    CHECK(seen > 0);
  }
}

TEST_CASE("clocks: without intensity no jump, on any threads the same bits, carried on the same") {
  const ClockJumps never{[](const auto&, Time) { return 0.0; }, one};
  const ClockJumps jumps{[](const auto& x, Time t) { return 1 + std::abs(x(0)) + t; }, shift};
  const JumpAdapted steps{Fixed{0.25}, jumps};
  const IntegrateOptions options{.seed = 3, .path = 4};

  const auto alone =
      simulate(growth, EulerMaruyama{}, OnGrid{grid}, 1.0, {.paths = 500, .seed = 3}, FinalState{});
  Integration run(growth, EulerMaruyama{}, steps, 1.0, 0.0, options);
  run.to(1);
  auto copy = run;

  CHECK((ends(growth, never, grid) == alone.value).all());
  CHECK((ends(growth, jumps, grid, 1) == ends(growth, jumps, grid, 2)).all());
  const auto whole = integrate(growth, EulerMaruyama{}, steps, 1.0, {0.0, 2.0}, options);
  CHECK((run.to(2).end == whole.end).all());
  CHECK((copy.to(2).end == whole.end).all());
}

TEST_CASE("an intensity that explodes ends in step_underflow, one that cannot be is refused") {
  const auto run = [](const auto& intensity) {
    return integrate(still, EulerMaruyama{}, JumpAdapted{Fixed{0.1}, ClockJumps{intensity, one}},
                     1.0, {0.0, 5.0});
  };

  const auto exploded = run([](const auto& x, Time) { return std::pow(x(0), 5); });
  const auto too_long = run([](const auto&, Time t) { return t < 1 ? 0.0 : 1e6; });

  CHECK(exploded.status == Status::step_underflow);
  CHECK(exploded.end_time < 5);
  CHECK(too_long.status == Status::step_underflow);
  CHECK_THROWS_WITH(run([](const auto&, Time t) { return 1 - t; }),
                    ContainsSubstring("finite and not negative: it is -"));
  CHECK_THROWS_WITH(run([](const auto&, Time) { return std::nan(""); }),
                    ContainsSubstring("it is nan at t = 0"));
  CHECK_THROWS_WITH(run([](const auto&, Time t) { return 1 / (t - t); }),
                    ContainsSubstring("it is inf at t = 0"));
}

TEST_CASE("integrate takes steps of dt and lands on every jump") {
  const JumpAdapted steps{Fixed{0.25}, PoissonJumps{3.0, one}};

  const auto solution =
      integrate(still, EulerMaruyama{}, steps, 0.0, {0.0, 2.0}, {.seed = 3, .path = 4});

  double jumps = 0;
  for (std::size_t k = 1; k < solution.t.size(); ++k) {
    const double rise = solution.x[k](0) - solution.x[k - 1](0);
    const bool regular = std::fmod(solution.t[k], 0.25) == 0;
    CHECK(rise == (regular ? 0 : 1));
    jumps += rise;
  }
  CHECK(jumps > 0);
  CHECK(jumps == ends(still, PoissonJumps{3.0, one}, grid)(0, 4) - 1);
  CHECK(static_cast<double>(solution.t.size()) == 1 + 8 + jumps);
  CHECK(solution.counts.accepted == solution.t.size() - 1);
}

TEST_CASE("a run carried on after a stop on its way gives the same bits") {
  const JumpAdapted steps{Fixed{0.25}, PoissonJumps{3.0, shift}};
  const IntegrateOptions options{.seed = 3, .path = 4};

  Integration run(growth, EulerMaruyama{}, steps, 1.0, 0.0, options);
  run.to(1);
  auto copy = run;

  const auto whole = integrate(growth, EulerMaruyama{}, steps, 1.0, {0.0, 2.0}, options);
  CHECK((run.to(2).end == whole.end).all());
  CHECK((copy.to(2).end == whole.end).all());
}

TEST_CASE("a state that is not finite after a jump is a status") {
  const PoissonJumps breaks{3.0, [](auto& x, Time, JumpRandom&) { x /= 0.0; }};

  const auto solution =
      integrate(growth, EulerMaruyama{}, JumpAdapted{Fixed{0.25}, breaks}, 1.0, {0.0, 9.0});
  const auto ensemble = simulate(growth, EulerMaruyama{}, JumpAdapted{OnGrid{grid}, breaks}, 1.0,
                                 {.paths = 10}, FinalState{});

  CHECK(solution.status == Status::non_finite);
  CHECK(ensemble.status == Status::non_finite);
}

TEST_CASE("rates, bounds, blocks and steps that cannot be are refused") {
  const auto run = [](const auto& jumps, Fixed steps, const auto& x0) {
    integrate(clock_process, EulerMaruyama{}, JumpAdapted{steps, jumps}, x0, {0.0, 5.0});
  };
  const auto rising = [](const auto& x, Time) { return x(0); };

  CHECK_THROWS_WITH(run(PoissonJumps{-1.0, one}, {0.1}, 0.0),
                    ContainsSubstring("finite and not negative: got -1"));
  CHECK_THROWS_WITH(run(PoissonJumps{INFINITY, one}, {0.1}, 0.0),
                    ContainsSubstring("finite and not negative: got inf"));
  CHECK_THROWS_WITH(run(PoissonJumps{1.0, one}, {0}, 0.0), ContainsSubstring("got h=0"));
  CHECK_THROWS_WITH(run(IntensityJumps{rising, 4.0, one}, {0.1}, 3.9),
                    ContainsSubstring("[0, 4], its bound: it is") && ContainsSubstring("at t = "));
  CHECK_THROWS_WITH(run(IntensityJumps{rising, 50.0, one}, {0.1}, -40.0),
                    ContainsSubstring("it is -"));
  CHECK_THROWS_WITH(run(PoissonJumps{1.0, one}, {0.1}, Block<double>(1, 2).setZero().eval()),
                    ContainsSubstring("a block of 2"));
}
