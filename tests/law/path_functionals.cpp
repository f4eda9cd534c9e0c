/// @file  law/path_functionals.cpp
/// @brief Running extrema and integrals of Brownian motion have their exact laws on coarse grids.

#include <cmath>
#include <numbers>

#include "catch.hpp"

#include <fokker/solvers/ensemble/path_functionals.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>

using namespace fokker;

namespace {

/// dX = a dt + dW.
auto brownian_motion(double a) {
  return make_sde([a](const auto&, Time) { return a; }, [](Time) { return 1.0; }, noise::additive);
}

bool within(const Estimate& e, double exact) {
  return std::abs(e.mean - exact) <= 4 * e.standard_error;
}

const auto square = [](const auto& v) { return v.square(); };

}  // namespace

TEST_CASE("the maximum of Brownian motion on [0, 1] has mean sqrt(2/pi) and square 1 on any grid") {
  const auto brownian = brownian_motion(0);
  const double mean = std::sqrt(2 / std::numbers::pi);
  const SimulateOptions options{.paths = 200'000, .seed = 21};

  for (const Index steps : {1, 3, 16}) {
    const TimeGrid grid = uniform_grid(0, 1, steps);
    const auto of = [&](const auto& functional) {
      return simulate(brownian, EulerMaruyama{}, OnGrid{grid}, 0.0, options, functional).value;
    };

    INFO(steps << " steps");
    CHECK(within(of(running_maximum(brownian, 0, options.seed)), mean));
    CHECK(within(of(running_maximum(brownian, 0, options.seed, square)), 1));
    CHECK(within(of(running_minimum(brownian, 0, options.seed)), -mean));
    CHECK(of(running_maximum(0)).mean < mean - 0.1);
  }
}

TEST_CASE("the maximum of Brownian motion with drift has its law") {
  // P(M > y) of motion with drift a on [0, t].
  const double a = 0.7, t = 2;
  const auto phi = [](double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); };
  const auto exact = [&](double y) {
    return phi((a * t - y) / std::sqrt(t)) + std::exp(2 * a * y) * phi((-a * t - y) / std::sqrt(t));
  };
  const auto process = brownian_motion(a);
  const SimulateOptions options{.paths = 100'000, .seed = 22};

  for (const double y : {0.1, 0.5, 1.0, 2.0, 3.0, 4.0}) {
    const auto above = [y](const auto& m) { return (m > y).template cast<double>(); };
    const auto e = simulate(process, EulerMaruyama{}, OnGrid{uniform_grid(0, t, 5)}, 0.0, options,
                            running_maximum(process, 0, options.seed, above))
                       .value;

    INFO("y = " << y << ": " << e.mean << " exact " << exact(y));
    CHECK(within(e, exact(y)));
  }
}

TEST_CASE(
    "the integral of Brownian motion has mean 0 and variance T^3/3, less T h^2/12 of the rule") {
  const double t = 2;
  const auto brownian = brownian_motion(0);
  const SimulateOptions options{.paths = 200'000, .seed = 23};

  for (const Index steps : {1, 4, 32}) {
    const TimeGrid grid = uniform_grid(0, t, steps);
    const double h = t / static_cast<double>(steps);
    const double variance = t * t * t / 3 - t * h * h / 12;
    const auto of = [&](const auto& functional) {
      return simulate(brownian, EulerMaruyama{}, OnGrid{grid}, 0.0, options, functional).value;
    };

    INFO(steps << " steps");
    CHECK(within(of(time_integral(0)), 0));
    CHECK(within(of(time_integral(0, square)), variance));
    CHECK(within(of(time_average(0, square)), variance / (t * t)));
  }
}

TEST_CASE("the maximum of geometric Brownian motion is right to O(h) with bridges") {
  // log X = W - t/2: P(M > e^y) is that of motion of drift -1/2 at y.
  const auto gbm = make_sde([](const auto&, Time) { return 0.0; },
                            [](const auto& x, Time) { return x; }, noise::diagonal);
  const auto phi = [](double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); };
  const double y = 0.5, exact = phi(-0.5 - y) + std::exp(-y) * phi(0.5 - y);
  const SimulateOptions options{.paths = 20'000, .seed = 24};
  const auto above = [&](const auto& m) { return (m > std::exp(y)).template cast<double>(); };

  const auto e = simulate(gbm, EulerMaruyama{}, OnGrid{uniform_grid(0, 1, 256)}, 1.0, options,
                          running_maximum(gbm, 0, options.seed, above))
                     .value;

  CHECK(within(e, exact));
}
