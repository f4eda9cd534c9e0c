/// @file  law/first_passage.cpp
/// @brief First passage times have the right law between the points of a coarse grid.

#include <cmath>
#include <numbers>

#include "catch.hpp"

#include <fokker/solvers/ensemble/first_passage.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>

using namespace fokker;

namespace {

/// dX = a dt + dW.
auto brownian_motion(double a) {
  return make_sde([a](const auto&, Time) { return a; }, [](Time) { return 1.0; }, noise::additive);
}

/// dX = -X dt + sqrt(2) dW.
const auto ornstein_uhlenbeck = make_sde([](const auto& x, Time) { return -x; },
                                         [](Time) { return std::numbers::sqrt2; }, noise::additive);

/// Values of P(tau <= t) for Brownian motion with drift a and level b > 0.
double inverse_gaussian(double a, double b, double t) {
  const auto phi = [](double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); };
  const double s = std::sqrt(t);
  return phi((a * t - b) / s) + std::exp(2 * a * b) * phi((-a * t - b) / s);
}

/// Passage times on the points of the grid alone: what the bridge is there to mend.
template <class P>
Estimate grid_points_alone(const P& process, const TimeGrid& grid, const SimulateOptions& options,
                           double level) {
  struct Carry {
    Eigen::ArrayXXd time;
  };
  const double never = grid.back();
  return simulate(process, EulerMaruyama{}, OnGrid{grid}, 0.0, options,
                  PathFunctional{[=](const auto& x, Time) {
                                   return Carry{Eigen::ArrayXXd::Constant(1, x.cols(), never)};
                                 },
                                 [=](Carry& c, const auto& x, Time t) {
                                   c.time = (x >= level && c.time == never).select(t, c.time);
                                 },
                                 [](const Carry& c, const auto&) { return c.time; }})
      .value;
}

bool within(const Estimate& e, double exact) {
  return std::abs(e.mean - exact) <= 4 * e.standard_error;
}

}  // namespace

TEST_CASE("Brownian motion meets a level with the exact probability on any grid") {
  const SimulateOptions options{.paths = 200'000, .seed = 11};

  for (const Index steps : {1, 4, 32}) {
    const auto tau =
        first_passage(brownian_motion(0), EulerMaruyama{}, OnGrid{uniform_grid(0, 1, steps)}, 0.0,
                      options, Level{.value = 1.0, .component = 0});

    INFO(steps << " steps");
    CHECK(within(tau.value.reached_by(1), 1 - 0.682689492137086));
  }
}

TEST_CASE("passage times of Brownian motion with drift follow the inverse Gaussian law") {
  const auto tau =
      first_passage(brownian_motion(1), EulerMaruyama{}, OnGrid{uniform_grid(0, 4, 5)}, 0.0,
                    {.paths = 200'000, .seed = 12}, Level{.value = 1.0, .component = 0});

  CHECK_THAT(inverse_gaussian(1, 1, 1), WithinAbs(0.668102001223171, 1e-14));
  for (const double t : {0.1, 0.3, 0.5, 0.8, 1.0, 1.3, 2.0, 3.0, 4.0}) {
    INFO("t = " << t);
    CHECK(within(tau.value.reached_by(t), inverse_gaussian(1, 1, t)));
  }
}

TEST_CASE("a level below is met like one above") {
  const auto tau =
      first_passage(brownian_motion(-1), EulerMaruyama{}, OnGrid{uniform_grid(0, 1, 3)}, 2.0,
                    {.paths = 100'000, .seed = 13}, Level{.value = 1.0, .component = 0});

  CHECK(within(tau.value.reached_by(1), inverse_gaussian(1, 1, 1)));
}

TEST_CASE("the mean passage time of an Ornstein-Uhlenbeck process needs the bridge") {
  const double exact = 2.09340664967832;
  const TimeGrid grid = uniform_grid(0, 30, 1920);
  const SimulateOptions options{.paths = 20'000, .seed = 14};

  const auto tau = first_passage(ornstein_uhlenbeck, EulerMaruyama{}, OnGrid{grid}, 0.0, options,
                                 Level{.value = 1.0, .component = 0});
  const Estimate naive = grid_points_alone(ornstein_uhlenbeck, grid, options, 1.0);

  CHECK(within(tau.value.restricted_mean(), exact));
  CHECK_FALSE(within(naive, exact));
  CHECK(naive.mean > exact + 0.2);
}

TEST_CASE("multiplicative noise: geometric Brownian motion meets a level, to O(h)") {
  // log X = W - t/2: level e^1/2 is met by Brownian motion of drift -1/2 at 1/2.
  const auto gbm = make_sde([](const auto&, Time) { return 0.0; },
                            [](const auto& x, Time) { return x; }, noise::diagonal);

  const auto tau =
      first_passage(gbm, EulerMaruyama{}, OnGrid{uniform_grid(0, 1, 512)}, 1.0,
                    {.paths = 20'000, .seed = 15}, Level{.value = std::exp(0.5), .component = 0});

  CHECK(within(tau.value.reached_by(1), inverse_gaussian(-0.5, 0.5, 1)));
}

TEST_CASE("a path meets the level at the same time alone as in its ensemble, on any threads") {
  const TimeGrid grid = uniform_grid(0, 2, 16);
  const auto one =
      first_passage(ornstein_uhlenbeck, EulerMaruyama{}, OnGrid{grid}, 0.0,
                    {.paths = 1500, .seed = 16, .threads = 1}, Level{.value = 1.5, .component = 0});
  const auto two =
      first_passage(ornstein_uhlenbeck, EulerMaruyama{}, OnGrid{grid}, 0.0,
                    {.paths = 1500, .seed = 16, .threads = 2}, Level{.value = 1.5, .component = 0});

  CHECK((one.value.time == two.value.time).all());
  int met = 0;
  for (Index j = 0; j < 1500; j += 30) {
    const auto path = integrate(ornstein_uhlenbeck, EulerMaruyama{}, Fixed{0.125}, 0.0, {0, 2},
                                {.seed = 16,
                                 .path = static_cast<std::uint64_t>(j),
                                 .events = {level_event(0, 1.5, Crossing::both, true)}});
    if (path.status == Status::event) {
      ++met;
      CHECK_THAT(path.end_time, WithinAbs(one.value.time[j], 1e-12));
      CHECK(path.end(0) == 1.5);
    } else {
      CHECK(std::isinf(one.value.time[j]));
    }
  }
  CHECK(met > 5);
  CHECK(met < 45);
}

TEST_CASE("a path that fails has no passage time, and a component must exist") {
  const auto fails =
      make_sde([](const auto& x, Time t) { return 0 * x + (t < 0.5 ? 0 : std::nan("")); },
               [](Time) { return 1e-3; }, noise::additive);

  const auto tau = first_passage(fails, EulerMaruyama{}, OnGrid{uniform_grid(0, 1, 4)}, 0.0,
                                 {.paths = 3, .seed = 1}, Level{.value = 1.0, .component = 0});

  CHECK(tau.failed == 3);
  CHECK(tau.value.time.isNaN().all());
  CHECK(std::isnan(tau.value.reached_by(1).mean));
  CHECK_THROWS_WITH(first_passage(fails, EulerMaruyama{}, OnGrid{uniform_grid(0, 1, 4)}, 0.0,
                                  {.paths = 3, .seed = 1}, Level{.value = 1.0, .component = 1}),
                    ContainsSubstring("component=1"));
}
