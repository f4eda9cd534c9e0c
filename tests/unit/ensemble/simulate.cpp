/// @file  unit/ensemble/simulate.cpp
/// @brief `simulate`: the same bits for any number of threads and paths, and how an ensemble ends.

#include <atomic>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "catch.hpp"

#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ito/milstein.hpp>

using namespace fokker;

namespace {

/// A nonlinear system whose components mix, with three sources of noise.
struct System {
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr NoiseKind noise = NoiseKind::general;
  static constexpr int dimension = 2;
  void drift(const auto& x, Time t, auto& out) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    out.row(0) = x.row(1) - S(2) * x.row(0).sin();
    out.row(1) = (S(t) + x.row(0)).sin() - x.row(1);
  }
  Index sources() const { return 3; }
  auto diffusion(const auto& x, Time, Index k) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    return S(0.1) * static_cast<S>(k + 1) * x.cos();
  }
};

struct NormalStart {
  Index dimension() const { return 2; }
  void sample(PathRandom& random, auto& x) const { random.normal(x); }
};

/// Every path starts at its column, but the columns from `bad` on at nan.
struct Columns {
  Index bad;
  Index dimension() const { return 1; }
  void sample(PathRandom&, auto& x) const {
    for (Index j = 0; j < x.cols(); ++j) x(0, j) = j >= bad ? std::nan("") : static_cast<double>(j);
  }
};

/// dX = 2 t dt, integrated down only.
struct Down {
  static constexpr NoiseKind noise = NoiseKind::additive;
  static constexpr Clock clock = Clock::down;
  auto drift(const auto&, Time t) const { return 2 * t; }
  double diffusion(Time) const { return 0; }
};

/// dX = -X dt + sqrt(X) dW on X >= 0.
struct Positive {
  static constexpr NoiseKind noise = NoiseKind::diagonal;
  struct Interval {
    double low, high;
  };
  static Interval domain(Index) { return {0, std::numeric_limits<double>::infinity()}; }
  auto drift(const auto& x, Time) const { return -x; }
  auto diffusion(const auto& x, Time) const { return x.sqrt(); }
};

/// X = W.
const auto wiener =
    make_sde([](const auto&, Time) { return 0.0; }, [](Time) { return 1.0; }, noise::additive);

const TimeGrid grid = uniform_grid(0, 1, 5);

template <class S>
auto states(Index paths, int threads, Seed seed) {
  return simulate<S>(System{}, EulerMaruyama{}, OnGrid{grid}, NormalStart{},
                     {.paths = paths, .seed = seed, .threads = threads}, FinalState{})
      .value;
}

}  // namespace

TEMPLATE_TEST_CASE("states have the same bits for any number of threads and paths", "", double,
                   float) {
  const Generator generator = GENERATE(Generator::pcg32, Generator::philox);
  const Generator other = generator == Generator::pcg32 ? Generator::philox : Generator::pcg32;
  const auto many = states<TestType>(10'000, 1, {42, generator});

  CHECK((states<TestType>(10'000, 2, {42, generator}) == many).all());
  for (const Index paths : {1, 3, 64, 100, 1500})
    CHECK((states<TestType>(paths, 2, {42, generator}) == many.leftCols(paths)).all());
  CHECK_FALSE((states<TestType>(1, 1, {43, generator}) == many.leftCols(1)).all());
  CHECK_FALSE((states<TestType>(1, 1, {42, other}) == many.leftCols(1)).all());
  CHECK(many.isFinite().all());
}

TEST_CASE("statistics have the same bits for any number of threads") {
  const auto moments = [](Index paths, int threads) {
    return simulate(System{}, EulerMaruyama{}, OnGrid{grid}, NormalStart{},
                    {.paths = paths, .seed = 1, .threads = threads}, Moments{})
        .value;
  };
  for (const Index paths : {1000, 10'000, 70'001}) {
    const auto one = moments(paths, 1), two = moments(paths, 2), five = moments(paths, 5);

    CHECK((one.mean == two.mean).all());
    CHECK((one.variance == two.variance).all());
    CHECK((one.mean == five.mean).all());
    CHECK((one.variance == five.variance).all());
  }
}

TEST_CASE("streamed moments are those of the stored states") {
  const SimulateOptions options{.paths = 3001, .seed = 1, .threads = 2};

  const auto x =
      simulate(System{}, EulerMaruyama{}, OnGrid{grid}, NormalStart{}, options, FinalState{}).value;
  const auto m =
      simulate(System{}, EulerMaruyama{}, OnGrid{grid}, NormalStart{}, options, Moments{}).value;

  for (const Index r : {0, 1}) {
    const double mean = x.row(r).mean();
    const double variance = (x.row(r) - mean).square().sum() / 3000;
    CHECK_THAT(m.mean[r], WithinAbs(mean, 1e-14));
    CHECK_THAT(m.variance[r], WithinRel(variance, 1e-12));
    CHECK_THAT(m.standard_error[r], WithinRel(std::sqrt(variance / 3001), 1e-12));
  }
}

TEST_CASE("saved states and path functionals see every point of the grid") {
  const SimulateOptions options{.paths = 500, .seed = 2, .threads = 2};
  PathFunctional top{[](const auto& x, Time) { return x; },
                     [](auto& m, const auto& x, Time) { m = m.max(x); },
                     [](const auto& m, const auto&) { return m.row(0); }};

  const auto saved = simulate(wiener, EulerMaruyama{}, OnGrid{grid}, 0.0, options, States{}).value;
  const auto estimate = simulate(wiener, EulerMaruyama{}, OnGrid{grid}, 0.0, options, top).value;

  double sum = 0;
  for (Index j = 0; j < 500; ++j) {
    double maximum = saved[0](0, j);
    for (const auto& x : saved) maximum = std::max(maximum, x(0, j));
    sum += maximum;
  }
  CHECK_THAT(estimate.mean, WithinRel(sum / 500, 1e-12));
  CHECK(estimate.paths == 500);
}

TEST_CASE("a target error ends in rounds that double, the same for any number of threads") {
  const auto run = [](double target, int threads) {
    return simulate(
        wiener, EulerMaruyama{}, OnGrid{grid}, 0.0,
        {.paths = 100'000, .seed = 3, .threads = threads, .target_standard_error = target},
        expectation([](const auto& x) { return x.row(0); }));
  };

  const auto loose = run(0.1, 1), tight = run(0.008, 1), parallel = run(0.008, 2),
             hopeless = run(1e-9, 2);

  CHECK(loose.paths == 4096);
  CHECK(tight.paths == 16384);
  CHECK(tight.value.standard_error <= 0.008);
  CHECK(parallel.value.mean == tight.value.mean);
  CHECK(parallel.value.paths == 16384);
  CHECK(hopeless.paths == 100'000);
}

TEST_CASE("paths that fail are counted, and the padding of the last block never is") {
  const auto run = [](Index bad, Index paths) {
    return simulate(wiener, EulerMaruyama{}, OnGrid{grid}, Columns{bad},
                    {.paths = paths, .seed = 3, .threads = 1}, Moments{});
  };

  const auto padding = run(5, 5), some = run(5, 8);

  CHECK(padding.status == Status::success);
  CHECK(padding.failed == 0);
  CHECK(std::isfinite(padding.value.mean[0]));
  CHECK(some.status == Status::non_finite);
  CHECK(some.failed == 3);
  CHECK(some.paths == 8);
  CHECK(std::isnan(some.value.mean[0]));
}

TEST_CASE("a cancelled ensemble keeps the blocks that are finished") {
  std::atomic<bool> cancel = false;
  const auto run = [&](std::function<void(Index, Index)> progress) {
    return simulate(wiener, EulerMaruyama{}, OnGrid{grid}, 0.0,
                    {.paths = 50'000,
                     .seed = 3,
                     .threads = 1,
                     .cancel = &cancel,
                     .progress = std::move(progress)},
                    Moments{});
  };

  const auto partial = run([&](Index done, Index) { cancel = done >= 3000; });
  const auto nothing = run({});

  CHECK(partial.status == Status::cancelled);
  CHECK(partial.paths >= 3000);
  CHECK(partial.paths < 10'000);
  CHECK(std::isfinite(partial.value.mean[0]));
  CHECK(nothing.status == Status::cancelled);
  CHECK(nothing.paths == 0);
}

TEST_CASE("progress counts up to all paths") {
  Index last = 0, total = 0;

  simulate(wiener, EulerMaruyama{}, OnGrid{grid}, 0.0,
           {.paths = 5000,
            .threads = 2,
            .progress =
                [&](Index done, Index all) {
                  CHECK(done > last);
                  last = done;
                  total = all;
                }},
           Moments{});

  CHECK(last == 5000);
  CHECK(total == 5000);
}

TEST_CASE("a process whose clock runs down is simulated on the user's clock") {
  const TimeGrid down = uniform_grid(1, 0.5, 100);

  const auto end =
      simulate(Down{}, EulerMaruyama{}, OnGrid{down}, 1.0, {.paths = 1}, FinalState{}).value;

  CHECK_THAT(end(0, 0), WithinAbs(0.25, 0.005));
  CHECK_THROWS_WITH(
      simulate(Down{}, EulerMaruyama{}, OnGrid{grid}, 1.0, {.paths = 1}, FinalState{}),
      ContainsSubstring("runs down in time"));
}

TEST_CASE("a start outside the domain of the process is refused by component") {
  const auto run = [](const auto& x0) {
    simulate(Positive{}, EulerMaruyama{}, OnGrid{grid}, x0, {.paths = 1}, Moments{});
  };

  CHECK_THROWS_WITH(run(-1.0), ContainsSubstring("component 0 of x0 is -1, outside the domain [0"));
  CHECK_THROWS_WITH(run(Eigen::Array2d(1, -2).eval()),
                    ContainsSubstring("component 1 of x0 is -2"));
  CHECK_THROWS_WITH(run(std::nan("")), ContainsSubstring("x0 is nan"));
  CHECK_NOTHROW(run(0.0));
}

TEST_CASE("bad ensembles are refused with a line that says what was wrong") {
  const auto run = [](Index paths, const TimeGrid& times) {
    return simulate(wiener, EulerMaruyama{}, OnGrid{times}, 0.0, {.paths = paths}, Moments{});
  };

  CHECK_THROWS_WITH(run(0, grid), ContainsSubstring("at least one path: got 0"));
  CHECK_THROWS_WITH(run(-4, grid), ContainsSubstring("got -4"));
  CHECK_THROWS_WITH(run(1, TimeGrid{0, 1, 1}), ContainsSubstring("strictly monotone"));
  CHECK_THROWS_WITH(run(1, TimeGrid{1, 0}), ContainsSubstring("up in time only"));
  CHECK_THROWS_WITH(simulate(System{}, EulerMaruyama{}, OnGrid{grid},
                             PathState<double>::Zero(3).eval(), {.paths = 1}, Moments{}),
                    ContainsSubstring("dimension 2 and x0 has 3"));
}

TEST_CASE("an exception in a block comes out of simulate, whatever the other threads have begun") {
  const auto sde = make_sde(
      [](const auto& x, Time) -> Plain<decltype(x)> {
        if (x(0, 0) > 0) throw std::domain_error("no drift here");
        return x;
      },
      [](Time) { return 1.0; }, noise::additive);

  for (int run = 0; run < 200; ++run)
    CHECK_THROWS_AS(simulate(sde, EulerMaruyama{}, OnGrid{uniform_grid(0, 1, 4)}, 1.0,
                             {.paths = 100'000, .seed = 1}, Moments{}),
                    std::domain_error);
}
