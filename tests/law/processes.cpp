/// Laws of the processes from simulated paths: the closed moments and densities, and the identities
/// that hold where there are none. Every mean is tested at five standard errors; where a scheme has
/// a bias, the step is small enough for it to hide well below one.

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include <boost/math/quadrature/gauss_kronrod.hpp>

#include <fokker/processes/models/brownian_motion.hpp>
#include <fokker/processes/models/cox_ingersoll_ross.hpp>
#include <fokker/processes/models/double_well.hpp>
#include <fokker/processes/models/geometric_brownian_motion.hpp>
#include <fokker/processes/models/heston.hpp>
#include <fokker/processes/models/langevin.hpp>
#include <fokker/processes/models/linear.hpp>
#include <fokker/processes/models/lotka_volterra.hpp>
#include <fokker/processes/models/ornstein_uhlenbeck.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/stratonovich/stochastic_heun.hpp>

#include "catch.hpp"

using namespace fokker;

namespace {

using B = Block<double>;
using Row = Eigen::Array<double, 1, Eigen::Dynamic>;

/// |mean - wanted| in standard errors.
double z_score(const Row& values, double wanted) {
  const double n = static_cast<double>(values.size()), mean = values.mean();
  const double variance = (values - mean).square().sum() / (n - 1);
  return std::abs(mean - wanted) / std::sqrt(variance / n);
}

void check_mean(const Row& values, double wanted) { CHECK(z_score(values, wanted) < 5); }

/// The sample has this mean and this covariance.
void check_moments(const B& x, const Eigen::ArrayXd& mean, const Eigen::MatrixXd& covariance) {
  for (Index i = 0; i < x.rows(); ++i) {
    check_mean(x.row(i), mean[i]);
    for (Index j = 0; j <= i; ++j)
      check_mean((x.row(i) - mean[i]) * (x.row(j) - mean[j]), covariance(i, j));
  }
}

/// Kolmogorov-Smirnov distance of a sample to the law with this log density on (low, high), the cdf
/// accumulated from one ordered value to the next.
double kolmogorov_smirnov(Row values, const std::function<double(double)>& log_density,
                          double low) {
  std::sort(values.begin(), values.end());
  const double n = static_cast<double>(values.size());
  double cdf = 0, at = low, distance = 0;
  for (Index j = 0; j < values.size(); ++j) {
    cdf += boost::math::quadrature::gauss<double, 7>::integrate(
        [&](double x) { return std::exp(log_density(x)); }, at, values[j]);
    at = values[j];
    const double below = static_cast<double>(j) / n;
    distance = std::max({distance, std::abs(cdf - below), std::abs(cdf - below - 1 / n)});
  }
  return distance;
}

/// What the distance exceeds with probability 1e-6 for a sample of this size.
double critical_distance(double n) { return std::sqrt(std::log(2 / 1e-6) / (2 * n)); }

template <class P>
B exact_sample(const P& p, double x0, double t, Index n) {
  PathRandom random(11, 0, n);
  B x(1, n);
  p.sample_exact(x0, t, random, x);
  return x;
}

template <class Method, class P>
B simulated(const P& p, const Method& method, const Eigen::ArrayXd& x0, double t, Index steps,
            Index paths) {
  return simulate(p, method, OnGrid{uniform_grid(0, t, steps)}, x0, {.paths = paths, .seed = 5},
                  FinalState{})
      .value;
}

Eigen::ArrayXd two(double a, double b) { return Eigen::Array2d{a, b}; }

}  // namespace

TEST_CASE("exact samplers draw from their transition densities") {
  const Index n = 100000;
  const BrownianMotion bm{.mu = 0.3, .sigma = 0.4};
  const GeometricBrownianMotion gbm{.mu = 0.3, .sigma = 0.4};
  const OrnsteinUhlenbeck ou{.theta = 1.5, .mu = 0.4, .sigma = 0.7};
  const double critical = critical_distance(static_cast<double>(n));
  const auto distance = [&](const auto& p, double low) {
    return kolmogorov_smirnov(
        exact_sample(p, 1.2, 0.8, n).row(0), [&](double x) { return p.log_density(x, 1.2, 0.8); },
        low);
  };

  CHECK(distance(bm, -5) < critical);
  CHECK(distance(gbm, 1e-3) < critical);
  CHECK(distance(ou, -5) < critical);
}

TEST_CASE("the exact square-root sampler draws from the noncentral chi-square law") {
  const Index n = 20000;
  const CoxIngersollRoss p{.kappa = 1, .theta = 1, .sigma = 1};

  const B x = exact_sample(p, 1.2, 0.8, n);

  CHECK(kolmogorov_smirnov(
            x.row(0), [&](double y) { return p.log_density(y, 1.2, 0.8); }, 0) <
        critical_distance(static_cast<double>(n)));
  CHECK((x > 0).all());
  check_mean(x.row(0), p.mean(1.2, 0.8));
  check_mean((x.row(0) - p.mean(1.2, 0.8)).square(), p.variance(1.2, 0.8));
}

TEST_CASE("the exact square-root sampler holds below the Feller condition") {
  const CoxIngersollRoss p{.kappa = 1, .theta = 0.3, .sigma = 1.2};

  const B x = exact_sample(p, 0.2, 0.5, 40000);

  CHECK((x >= 0).all());
  check_mean(x.row(0), p.mean(0.2, 0.5));
  check_mean((x.row(0) - p.mean(0.2, 0.5)).square(), p.variance(0.2, 0.5));
}

TEST_CASE("full truncation keeps the moments of a square-root process that touches zero") {
  const CoxIngersollRoss p{.kappa = 1, .theta = 0.5, .sigma = 1};
  REQUIRE(2 * p.kappa * p.theta == p.sigma * p.sigma);

  const B x = simulated(p, EulerMaruyama{}, Eigen::ArrayXd::Constant(1, 0.5), 1, 512, 10000);

  CHECK(x.isFinite().all());
  check_mean(x.row(0).max(0), p.mean(0.5, 1.0));
  check_mean((x.row(0).max(0) - p.mean(0.5, 1.0)).square(), p.variance(0.5, 1.0));
}

TEST_CASE("Heston's log price and variance have their closed moments") {
  const Heston p{.mu = 0.05, .kappa = 2, .theta = 0.09, .xi = 0.3, .rho = -0.7};
  const Eigen::ArrayXd x0 = two(0.1, 0.16);

  const B x = simulated(p, EulerMaruyama{}, x0, 1, 256, 20000);

  check_moments(x, p.mean(x0, 1), p.covariance(x0, 1));
}

TEST_CASE("the law of Heston's log price has its characteristic function") {
  const Heston p{.mu = 0.05, .kappa = 2, .theta = 0.09, .xi = 0.3, .rho = -0.7};
  const Eigen::ArrayXd x0 = two(0.1, 0.16);

  const B x = simulated(p, EulerMaruyama{}, x0, 1, 256, 20000);
  const auto phi = p.characteristic_function(4.0, x0, 1);

  check_mean((4 * x.row(0)).cos(), phi.real());
  check_mean((4 * x.row(0)).sin(), phi.imag());
}

TEST_CASE("harmonic Langevin dynamics has its closed moments") {
  const Langevin p{.gamma = 0.7, .kT = 1.3, .mass = 2, .stiffness = 3};
  const Eigen::ArrayXd x0 = two(1, -1);

  const B x = simulated(p, HeunSde{}, x0, 1.5, 64, 20000);

  check_moments(x, p.mean(x0, 1.5), p.covariance(x0, 1.5));
}

TEST_CASE("quartic Langevin dynamics obeys the virial theorem") {
  const Langevin p{.gamma = 1, .kT = 0.8, .mass = 1, .stiffness = -1, .quartic = 1};

  const B x = simulated(p, HeunSde{}, two(1, 0), 20, 1000, 10000);
  const Row q = x.row(0);

  check_mean(q * (q.cube() - q), p.kT);
  check_mean(x.row(1).square(), p.kT / p.mass);
  check_mean(q * x.row(1), 0);
}

TEST_CASE("the stationary double well satisfies E X^4 = E X^2 + sigma^2 / 2 and its density") {
  const DoubleWell p{.sigma = 1};

  const B x = simulated(p, HeunSde{}, Eigen::ArrayXd::Constant(1, 1.0), 15, 1000, 20000);

  check_mean(x.row(0).square(), 0.893464969574237);
  check_mean(x.row(0).pow(4) - x.row(0).square(), 0.5);
  CHECK(kolmogorov_smirnov(
            x.row(0), [&](double y) { return p.stationary_log_density(y); }, -6) <
        critical_distance(20000));
}

TEST_CASE("a non-commuting linear SDE has its closed moments") {
  Eigen::MatrixXd A(2, 2), B1(2, 2), B2(2, 2);
  A << -0.4, 0.3, 0.1, -0.2;
  B1 << 0.2, 0.4, 0, 0.1;
  B2 << 0.1, 0, 0.5, -0.2;
  LinearSde p = LinearSde::homogeneous(A, {B1, B2});
  p.a << 0.2, -0.1;
  p.b[1] << 0.3, 0.1;
  const Eigen::ArrayXd x0 = two(1, 1);

  const B x = simulated(p, EulerMaruyama{}, x0, 1, 256, 20000);

  check_moments(x, p.mean(x0, 1), p.covariance(x0, 1));
}

TEST_CASE("Lotka-Volterra stays positive and obeys the mean logarithms of its species") {
  const StochasticLotkaVolterra p{
      .alpha = 1.5, .beta = 1, .delta = 1, .gamma = 3, .sigma = {0.3, 0.2}};
  const Index steps = 400;
  const double t = 2, h = t / static_cast<double>(steps);
  using Carry = std::pair<B, B>;  // the trapezoidal integral of X, and X itself

  const auto balance = [&](Index species) {
    return PathFunctional{
        [](const auto& x, Time) {
          return Carry{B::Zero(x.rows(), x.cols()), x};
        },
        [h](Carry& c, const auto& x, Time) {
          c.first += 0.5 * h * (c.second + x);
          c.second = x;
        },
        [species, &p, t](const Carry& c, const auto& x) {
          const Row growth =
              species == 0
                  ? Row((p.alpha - 0.5 * p.sigma[0] * p.sigma[0]) * t - p.beta * c.first.row(1))
                  : Row((-p.gamma - 0.5 * p.sigma[1] * p.sigma[1]) * t + p.delta * c.first.row(0));
          return Row(x.row(species).log() - growth);
        }};
  };
  for (const Index species : {0, 1}) {
    const auto result = simulate(p, EulerMaruyama{}, OnGrid{uniform_grid(0, t, steps)}, two(2, 1.5),
                                 {.paths = 4000, .seed = 3}, balance(species));

    CHECK(result.status == Status::success);
    CHECK(std::abs(result.value.mean - std::log(species == 0 ? 2 : 1.5)) <
          5 * result.value.standard_error);
  }
}
