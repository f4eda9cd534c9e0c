/// @file  law/jumps.cpp
/// @brief Jump-diffusions against their exact laws: Merton's model, a birth process, strong orders.

#include <array>
#include <cmath>
#include <vector>

#include "catch.hpp"

#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/integrate/jumps.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ito/milstein.hpp>

using namespace fokker;

namespace {

/// The mean of `count` values lies within five standard errors of `exact`.
template <class Values>
void check_mean(Index count, const Values& v, double exact) {
  const auto m = RunningMoments::of(count, v);
  INFO(m.mean << " +- " << m.standard_error() << ", exact " << exact);
  CHECK(std::abs(m.mean - exact) < 5 * m.standard_error());
}

/// The mean and the variance of a row of x are those given.
template <class Row>
void check_moments(const Row& row, double mean, double variance) {
  check_mean(
      row.size(), [&](Index j) { return row(j); }, mean);
  check_mean(
      row.size(), [&](Index j) { return (row(j) - mean) * (row(j) - mean); }, variance);
}

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

const auto still = make_sde([](const auto& x, Time) { return 0.0 * x; }, [](Time) { return 0.0; },
                            noise::additive);

}  // namespace

TEST_CASE("Merton's model has its moments, its price of a call and Poisson numbers of jumps") {
  // X = (log S / S_0, number of jumps): additive noise, no error of discretisation.
  const double s0 = 100, strike = 100, r = 0.05, sigma = 0.2, rate = 1, mu = -0.1, delta = 0.15;
  const double compensator = std::exp(mu + 0.5 * delta * delta) - 1;
  const double drift = r - 0.5 * sigma * sigma - rate * compensator;
  const auto log_price = make_sde(
      [=](const auto& x, Time, auto& out) {
        out.setZero(x.rows(), x.cols());
        out.row(0).setConstant(drift);
      },
      [=](Time) { return Eigen::Array2d(sigma, 0); }, noise::additive);
  const PoissonJumps jumps{rate, [=](auto& x, Time, JumpRandom& random) {
                             x(0) += mu + delta * random.normal();
                             x(1) += 1;
                           }};

  const Index paths = 200'000;
  const auto x =
      simulate(log_price, EulerMaruyama{}, JumpAdapted{OnGrid{uniform_grid(0, 1, 3)}, jumps},
               Eigen::Array2d(0, 0), {.paths = paths, .seed = 26}, FinalState{})
          .value;

  check_mean(
      paths, [&](Index j) { return s0 * std::exp(x(0, j)); }, s0 * std::exp(r));
  check_moments(x.row(0), drift + rate * mu, sigma * sigma + rate * (mu * mu + delta * delta));
  check_moments(x.row(1), rate, rate);
  double price = 0, weight = std::exp(-rate);  // of k jumps
  for (int k = 0; k < 40; weight *= rate / ++k) {
    const double variance = sigma * sigma + k * delta * delta;
    const double mean = std::log(s0 / strike) + drift + k * mu;
    const double d = mean / std::sqrt(variance);
    price += weight * std::exp(-r) *
             (strike * std::exp(mean + 0.5 * variance) * normal_cdf(d + std::sqrt(variance)) -
              strike * normal_cdf(d));
    if (weight * paths < 10) continue;  // no normal law for so few
    const double frequency = static_cast<double>((x.row(1) == k).count()) / paths;
    CHECK(std::abs(frequency - weight) < 5 * std::sqrt(weight * (1 - weight) / paths));
  }
  check_mean(
      paths, [&](Index j) { return std::exp(-r) * std::max(s0 * std::exp(x(0, j)) - strike, 0.0); },
      price);
}

TEST_CASE("a birth process of intensity lambda x has the geometric law") {
  // From X_0 = 1: P(X_t = n) = p (1 - p)^(n - 1), p = exp(-lambda t); beyond 60: 5e-14.
  const double lambda = 0.9, p = std::exp(-lambda);
  const IntensityJumps births{[=](const auto& x, Time) { return lambda * x(0); }, 60 * lambda,
                              [](auto& x, Time, JumpRandom&) { x(0) += 1; }};

  const Index paths = 100'000;
  const auto x =
      simulate(still, EulerMaruyama{}, JumpAdapted{OnGrid{uniform_grid(0, 1, 2)}, births}, 1.0,
               {.paths = paths, .seed = 5}, FinalState{})
          .value;

  check_moments(x.row(0), 1 / p, (1 - p) / (p * p));
  for (int n = 1; n <= 8; ++n) {
    const double weight = p * std::pow(1 - p, n - 1);
    const double frequency = static_cast<double>((x.row(0) == n).count()) / paths;
    CHECK(std::abs(frequency - weight) < 5 * std::sqrt(weight * (1 - weight) / paths));
  }
}

TEST_CASE("an intensity that follows drift and time gives Poisson numbers of its integral") {
  // X = (t, number of jumps), intensity 2 X_0 t + t^2 = 3 t^2 on [0, 2]: mean 8.
  const auto clock = make_sde(
      [](const auto& x, Time, auto& out) {
        out.setZero(x.rows(), x.cols());
        out.row(0).setOnes();
      },
      [](Time) { return 0.0; }, noise::additive);
  const IntensityJumps jumps{[](const auto& x, Time t) { return 2 * x(0) * t + t * t; }, 12.5,
                             [](auto& x, Time, JumpRandom&) { x(1) += 1; }};

  const auto x = simulate(clock, EulerMaruyama{}, JumpAdapted{OnGrid{uniform_grid(0, 2, 2)}, jumps},
                          Eigen::Array2d(0, 0), {.paths = 50'000, .seed = 6}, FinalState{})
                     .value;

  check_moments(x.row(1), 8, 8);
}

TEST_CASE("jump-adapted steps keep the strong order of the step") {
  // dX = a X dt + b X dW + z X dN: X_0 is stepped, X_1 is the logarithm of the exact solution on
  // the same noise and jumps.
  const double a = 0.5, b = 0.8;
  const auto process = make_sde(
      [=](const auto& x, Time, auto& out) {
        out.row(0) = a * x.row(0);
        out.row(1).setConstant(a - 0.5 * b * b);
      },
      [=](const auto& x, Time, auto& out) {
        out.row(0) = b * x.row(0);
        out.row(1).setConstant(b);
      },
      noise::scalar);
  const PoissonJumps jumps{2.0, [](auto& x, Time, JumpRandom& random) {
                             const double z = random.uniform() - 0.4;
                             x(0) *= 1 + z;
                             x(1) += std::log1p(z);
                           }};
  const auto slope = [&](const auto& method) {
    std::array<double, 3> errors{};
    for (std::size_t i = 0; i < 3; ++i) {
      const auto x = simulate(process, method,
                              JumpAdapted{OnGrid{uniform_grid(0, 1, Index{16} << (2 * i))}, jumps},
                              Eigen::Array2d(1, 0), {.paths = 20'000, .seed = 8}, FinalState{})
                         .value;
      errors[i] = (x.row(0) - x.row(1).exp()).abs().mean();
    }
    INFO(errors[0] << ' ' << errors[1] << ' ' << errors[2]);
    return 0.25 * std::log2(errors[0] / errors[2]);
  };

  CHECK(slope(EulerMaruyama{}) == Approx(0.5).margin(0.06));
  CHECK(slope(Milstein{}) == Approx(1.0).margin(0.08));
}

TEST_CASE("a birth process without a bound has the geometric law on any grid") {
  const double lambda = 0.9, end = 1.5, p = std::exp(-lambda * end);
  const ClockJumps births{[=](const auto& x, Time) { return lambda * x(0); },
                          [](auto& x, Time, JumpRandom&) { x(0) += 1; }};

  const Index paths = 100'000;
  for (const Index steps : {1, 7}) {
    const auto x =
        simulate(still, EulerMaruyama{}, JumpAdapted{OnGrid{uniform_grid(0, end, steps)}, births},
                 1.0, {.paths = paths, .seed = 7}, FinalState{})
            .value;

    check_moments(x.row(0), 1 / p, (1 - p) / (p * p));
    for (int n = 1; n <= 8; ++n) {
      const double weight = p * std::pow(1 - p, n - 1);
      const double frequency = static_cast<double>((x.row(0) == n).count()) / paths;
      CHECK(std::abs(frequency - weight) < 5 * std::sqrt(weight * (1 - weight) / paths));
    }
  }
}

TEST_CASE("intensities of time give Poisson numbers of their integral, whatever the origin") {
  // X = (number of jumps, sum of their times): intensity t on [0, 2], means 2 and 8/3.
  const Index paths = 50'000;
  for (const Time origin : {0.0, 1e9}) {
    const ClockJumps jumps{[=](const auto&, Time t) { return t - origin; },
                           [=](auto& x, Time t, JumpRandom&) {
                             x(0) += 1;
                             x(1) += t - origin;
                           }};
    for (const Index steps : {1, 5, 60}) {
      const auto x = simulate(still, EulerMaruyama{},
                              JumpAdapted{OnGrid{uniform_grid(origin, origin + 2, steps)}, jumps},
                              Eigen::Array2d(0, 0), {.paths = paths, .seed = 8}, FinalState{})
                         .value;

      INFO(origin << ", " << steps << " steps");
      check_moments(x.row(0), 2, 2);
      const double none = static_cast<double>((x.row(0) == 0).count()) / paths;
      CHECK(std::abs(none - std::exp(-2)) < 5 * std::sqrt(std::exp(-2) / paths));
      if (steps == 60)
        check_mean(
            paths, [&](Index j) { return x(1, j); }, 8.0 / 3);
    }
  }
}

TEST_CASE("a Hawkes process has its mean intensity") {
  // X = (intensity just after the last jump, its time): no bound holds for all times.
  const double base = 1, decay = 3, rise = 2, end = 2;
  const auto intensity = [=](const auto& x, Time t) {
    return base + (x(0) - base) * std::exp(-decay * (t - x(1)));
  };
  const ClockJumps jumps{intensity, [=](auto& x, Time t, JumpRandom&) {
                           x(0) = intensity(x, t) + rise;
                           x(1) = t;
                         }};

  const Index paths = 20'000;
  const auto x =
      simulate(still, EulerMaruyama{}, JumpAdapted{OnGrid{uniform_grid(0, end, 100)}, jumps},
               Eigen::Array2d(base, 0), {.paths = paths, .seed = 9}, FinalState{})
          .value;

  const double stationary = decay * base / (decay - rise);
  check_mean(
      paths, [&](Index j) { return intensity(x.col(j), end); },
      stationary + (base - stationary) * std::exp(-(decay - rise) * end));
}
