/// @file  critically_damped_langevin.cpp
/// @brief Critically damped Langevin diffusion: its moments, its exact score and its ways back.

#include <cmath>
#include <vector>

#include <Eigen/Dense>

#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/model/critically_damped_langevin.hpp>
#include <fokker/solvers/core/grid.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>
#include <fokker/solvers/stratonovich/stochastic_heun.hpp>

#include "catch.hpp"

using namespace fokker;

namespace {

using X = Block<double>;
using Eigen::Matrix2d;
using Eigen::Vector2d;

struct Law {
  Vector2d mean;
  Matrix2d covariance;
};

/// The law of (x_t, v_t) for x_0 ~ N(m, variance).
Law marginal(const CriticallyDampedLangevin& process, double m, double variance, Time t) {
  const PhaseMoments c = process.moments(t);
  const Vector2d e(c.mean_x, c.mean_v);
  Matrix2d noise;
  noise << c.xx, c.xv, c.xv, c.vv;
  return {m * e, noise + variance * e * e.transpose()};
}

double difference(const Law& a, const Law& b) {
  return std::max((a.mean - b.mean).cwiseAbs().maxCoeff(),
                  (a.covariance - b.covariance).cwiseAbs().maxCoeff());
}

/// The law after a solver's steps along the grid, exactly: on Gaussian data a step is affine, and
/// stepping 0, both unit vectors and both unit increments gives its matrices.
template <class Solver, class P>
Law push(const Solver& solver, const P& p, const TimeGrid& grid, Law law) {
  constexpr bool noisy = noise_kind<P> != NoiseKind::none;
  Increment<P, X> dw;
  typename Solver::template Workspace<X> workspace(2, 5);
  X x = X::Zero(2, 5), y(2, 5);
  x(0, 1) = x(1, 2) = 1;
  dw.w = X::Zero(noisy ? 2 : 0, 5);
  if (noisy) dw.w(0, 3) = dw.w(1, 4) = 1;
  for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
    const double h = grid[k + 1] - grid[k];
    solver.step(p, x, grid[k], h, dw, y, workspace);
    const Vector2d c = y.col(0);
    Matrix2d a, b;
    a << y.col(1).matrix() - c, y.col(2).matrix() - c;
    b << y.col(3).matrix() - c, y.col(4).matrix() - c;
    law = {a * law.mean + c, a * law.covariance * a.transpose() + h * b * b.transpose()};
  }
  return law;
}

TimeGrid negated(TimeGrid grid) {
  for (Time& t : grid) t = -t;
  return grid;
}

GaussianSpectrum one_dimensional(double m, double variance) {
  return GaussianSpectrum(std::vector<double>{m}, std::vector<double>{variance});
}

const std::vector<CriticallyDampedLangevin> settings{
    {}, {.inverse_mass = 1, .beta = 8, .gamma = 0.5}, {.inverse_mass = 9, .beta = 2, .gamma = 1}};

}  // namespace

TEST_CASE("the moments solve the equations of the mean and the covariance") {
  for (const CriticallyDampedLangevin& p : settings)
    for (const Time t : {0.01, 0.3, 1.0}) {
      INFO("1/M = " << p.inverse_mass << " t = " << t);
      Matrix2d a, noise = Matrix2d::Zero();
      a << 0, p.inverse_mass, -1, -2 * std::sqrt(p.inverse_mass);
      a *= p.beta;
      noise(1, 1) = 4 * p.beta / std::sqrt(p.inverse_mass);
      const double h = 1e-4 * t;

      const Law at = marginal(p, 1, 0, t), later = marginal(p, 1, 0, t + h),
                before = marginal(p, 1, 0, t - h);

      const Vector2d mean_rate = (later.mean - before.mean) / (2 * h);
      const Matrix2d rate = (later.covariance - before.covariance) / (2 * h);
      CHECK((mean_rate - a * at.mean).cwiseAbs().maxCoeff() < 1e-6);
      CHECK(
          (rate - a * at.covariance - at.covariance * a.transpose() - noise).cwiseAbs().maxCoeff() <
          1e-5);
    }
}

TEST_CASE("the process starts at the data with its first velocities and ends at its prior") {
  const CriticallyDampedLangevin p{.end = 20};
  const PhaseMoments first = p.moments(0), last = p.moments(20);

  CHECK(first.mean_x == 1);
  CHECK(first.mean_v == 0);
  CHECK(first.xx == 0);
  CHECK(first.xv == 0);
  CHECK_THAT(first.vv, WithinRel(0.04 / 4, 1e-14));
  CHECK_THAT(last.mean_x, WithinAbs(0, 1e-14));
  CHECK_THAT(last.xx, WithinRel(1, 1e-14));
  CHECK_THAT(last.xv, WithinAbs(0, 1e-14));
  CHECK_THAT(last.vv, WithinRel(0.25, 1e-14));
}

TEST_CASE("the covariance keeps its relative precision as t -> 0") {
  const CriticallyDampedLangevin p{.gamma = 1e-20};
  const Time t = 1e-6;
  const double u = 2 * 4 * t;

  CHECK_THAT(p.moments(t).xx, WithinRel(4 * u * u * u / 3, 1e-4));  // (2u)^3 / 3!
  CHECK_THAT(p.moments(t).vv, WithinRel(u, 1e-4));                  // 4u M
}

TEST_CASE("the forward process, stepped from x0, converges to its moments") {
  for (const CriticallyDampedLangevin& p : settings) {
    const double x0 = 1.7;
    Law start{Vector2d(x0, 0), Matrix2d::Zero()};
    start.covariance(1, 1) = p.gamma / p.inverse_mass;
    std::vector<double> errors;
    for (const Index n : {1000, 2000}) {
      const Law law = push(HeunSde{}, p, uniform_grid(0, 1, n), start);
      errors.push_back(difference(law, marginal(p, x0, 0, 1)));
    }

    CHECK(errors[1] < 1e-4);
    CHECK_THAT(std::log2(errors[0] / errors[1]), WithinAbs(2, 0.1));
  }
}

TEST_CASE("the exact score of Gaussian data is that of the law of position and velocity") {
  for (const CriticallyDampedLangevin& p : settings)
    for (const Time t : {1e-3, 0.2, 1.0}) {
      const Law law = marginal(p, 0.5, 2, t);
      X z(2, 3), out(2, 3);
      z << -1, 0.3, 2, 0.1, -0.4, 0.2;

      const auto score = exact_score(p, one_dimensional(0.5, 2));
      const Block<float> z_float = z.cast<float>();
      Block<float> out_float(2, 3);
      score(z, t, out);
      score(z_float, t, out_float);

      if (t > 0.1)
        CHECK((out_float.cast<double>() - out).abs().maxCoeff() < 1e-4 * out.abs().maxCoeff());
      for (Index j = 0; j < 3; ++j) {
        const Vector2d expected = -law.covariance.inverse() * (z.col(j).matrix() - law.mean);
        CHECK((out.col(j).matrix() - expected).norm() < 1e-9 * expected.norm());
      }
    }
}

TEST_CASE("the exact score of a mixture is the gradient of its log density") {
  const CriticallyDampedLangevin p;
  const Time t = 0.3;
  const GaussianMixture data = GaussianMixture::ring(2, 1.5, 0.4);  // means (1.5, 0), (-1.5, 0)
  const auto log_density = [&](const Eigen::Vector4d& z) {
    double density = 0;
    for (const double m : {1.5, -1.5}) {
      double exponent = 0;
      for (Index i = 0; i < 2; ++i) {
        const Law law = marginal(p, i == 0 ? m : 0, 0.16, t);
        const Vector2d r = Vector2d(z(i), z(i + 2)) - law.mean;
        exponent -= 0.5 * r.dot(law.covariance.inverse() * r);
      }
      density += std::exp(exponent);
    }
    return std::log(density);
  };
  const Eigen::Vector4d z(0.2, -0.5, 0.3, 0.1);
  X x(4, 1), out(4, 1);
  x = z.array();

  const auto score = exact_score(p, data);
  score(x, t, out);

  CHECK(score.dimension() == 4);
  for (Index i = 0; i < 4; ++i) {
    const double h = 1e-5;
    const Eigen::Vector4d step = h * Eigen::Vector4d::Unit(i);
    CHECK_THAT(out(i, 0),
               WithinAbs((log_density(z + step) - log_density(z - step)) / (2 * h), 1e-7));
  }
}

TEST_CASE("from the exact marginal the ways back recover the law of the data, for every eta") {
  const double m = 0.5, variance = 0.3;
  const Time end = 0.02;
  for (const CriticallyDampedLangevin& p : settings) {
    const auto score = exact_score(p, one_dimensional(m, variance));
    const Law start = marginal(p, m, variance, 1), exact = marginal(p, m, variance, end);
    const auto converges = [&](const auto& solver, const auto& model) {
      const TimeReversed<std::remove_cvref_t<decltype(model)>> down{model};
      std::vector<double> errors;
      for (const Index n : {8000, 16000}) {  // below, parts of the flow's error cancel
        TimeGrid grid;                       // shorter steps towards the data
        for (Index k = 0; k <= n; ++k)
          grid.push_back(std::pow(end, static_cast<double>(k) / static_cast<double>(n)));
        errors.push_back(difference(push(solver, down, negated(grid), start), exact));
      }
      INFO("errors " << errors[0] << " " << errors[1]);
      CHECK(errors[1] < 1e-4);
      CHECK_THAT(std::log2(errors[0] / errors[1]), WithinAbs(2, 0.15));
    };
    INFO("1/M = " << p.inverse_mass);
    for (const double eta : {0.5, 1.0})
      converges(HeunSde{}, ReverseCriticallyDampedLangevin{p, score, eta});
    converges(Heun{}, CriticallyDampedFlow{p, score});
  }
}

TEST_CASE("an ensemble runs back from the prior to the data") {
  const CriticallyDampedLangevin p;
  const Index paths = 10000;
  const auto score = exact_score(p, one_dimensional(0.5, 0.3));
  const ReverseCriticallyDampedLangevin reverse{p, score};
  const TimeGrid grid = uniform_grid(1, 0.01, 200);

  const auto result = simulate(reverse, HeunSde{}, OnGrid{grid}, PhasePrior{},
                               {.paths = paths, .seed = 3}, Moments{});

  Law start{Vector2d::Zero(), Matrix2d::Identity()};
  start.covariance(1, 1) = 0.25;
  const Law law = push(HeunSde{}, TimeReversed<decltype(reverse)>{reverse}, negated(grid), start);
  for (Index i = 0; i < 2; ++i) {
    const double v = law.covariance(i, i);
    CHECK(std::abs(result.value.mean[i] - law.mean(i)) < 5 * std::sqrt(v / paths));
    CHECK(std::abs(result.value.variance[i] / v - 1) < 5 * std::sqrt(2.0 / paths));
  }
  CHECK_THAT(law.mean(0), WithinAbs(0.5, 0.02));
  CHECK_THAT(law.covariance(0, 0), WithinAbs(0.3, 0.02));
}

TEST_CASE("senseless parameters of critically damped Langevin diffusion are refused in one line") {
  CHECK_THROWS_WITH(exact_score(CriticallyDampedLangevin{.gamma = 0}, one_dimensional(0, 1)),
                    "gamma must be positive and finite: got gamma=0");
}
