/// @file  unit/analysis/linear_law.cpp
/// @brief Gaussian laws pushed through linear schemes agree with recursions written by hand.

#include <cmath>
#include <stdexcept>

#include "catch.hpp"
#include "two_step.hpp"

#include <fokker/analysis/law/linear_law.hpp>
#include <fokker/solvers/core/any_stepper.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>

using namespace fokker;

namespace {

const auto decay = make_sde([](const auto& x, Time) { return 1.0 - 2.0 * x; },
                            [](Time t) { return 0.5 + t; }, noise::additive);
const TimeGrid grid{0, 0.1, 0.25, 0.3, 0.5};

/// Two components that turn into each other, with noise on both.
struct Rotation {
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr NoiseKind noise = NoiseKind::additive;
  template <State X>
  void drift(const X& x, Time, X& out) const {
    out.row(0) = -x.row(1);
    out.row(1) = 3.0 * x.row(0) + 1.0;
  }
  double diffusion(Time) const { return 0.7; }
};

struct Moments2 {
  double mean, variance;
};

/// Mean and variance of x, and of the drift kept from the step before, carried by hand.
Moments2 two_step_moments(double mean, double variance) {
  double m_f = 0, v_f = 0, c_xf = 0;
  for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
    const double h = grid[k + 1] - grid[k], g = 0.5 + grid[k];
    const double p = k == 0 ? 1.0 : 1.5, q = k == 0 ? 0.0 : -0.5;
    // f = 1 - 2 x; x' = x + h (p f + q f_before) + noise
    const double a = 1 - 2 * h * p, b = h * q;
    const double noise = g * g * h + 0.01;
    const double next_mean = a * mean + h * p + b * m_f;
    const double next_variance = a * a * variance + 2 * a * b * c_xf + b * b * v_f + noise;
    const double next_c = a * -2 * variance + b * -2 * c_xf;  // with f = 1 - 2 x
    m_f = 1 - 2 * mean;
    v_f = 4 * variance;
    mean = next_mean;
    variance = next_variance;
    c_xf = next_c;
  }
  return {mean, variance};
}

}  // namespace

TEST_CASE("the law of a one-step scheme is that of its recursion") {
  const DiagonalGaussian start{Eigen::Vector2d(0.3, -1), Eigen::Vector2d(0.2, 4)};
  Eigen::Vector2d mean = start.mean, variance = start.variance;
  for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
    const double h = grid[k + 1] - grid[k], g = 0.5 + grid[k], a = 1 - 2 * h;
    mean = (a * mean.array() + h).matrix();
    variance = (a * a * variance.array() + g * g * h).matrix();
  }

  const DiagonalGaussian law = propagate(decay, EulerMaruyama{}, start, grid);

  CHECK((law.mean - mean).norm() < 1e-13);
  CHECK((law.variance - variance).norm() < 1e-13);
}

TEST_CASE("the law of a scheme with memory and normals of its own carries both") {
  const DiagonalGaussian start{Eigen::VectorXd::Constant(3, 0.3),
                               Eigen::VectorXd::Constant(3, 0.2)};
  const Moments2 exact = two_step_moments(0.3, 0.2);

  const DiagonalGaussian law = propagate(decay, test::TwoStep{}, start, grid);
  const GaussianLaw full =
      propagate(decay, test::TwoStep{},
                GaussianLaw{start.mean, Eigen::MatrixXd(start.variance.asDiagonal())}, grid);

  for (Index i = 0; i < 3; ++i) {
    CHECK(std::abs(law.mean[i] - exact.mean) < 1e-13);
    CHECK(std::abs(law.variance[i] - exact.variance) < 1e-13);
  }
  CHECK((full.mean - law.mean).norm() < 1e-13);
  CHECK((full.covariance - Eigen::MatrixXd(law.variance.asDiagonal())).norm() < 1e-13);
}

TEST_CASE("a scheme whose type is erased has the same law") {
  using P = std::remove_const_t<decltype(decay)>;
  const DiagonalGaussian start{Eigen::VectorXd::Constant(1, 0.3),
                               Eigen::VectorXd::Constant(1, 0.2)};

  const DiagonalGaussian plain = propagate(decay, test::TwoStep{}, start, grid);
  const DiagonalGaussian erased =
      propagate(decay, AnyStepper<P, Block<double>>{test::TwoStep{}}, start, grid);

  CHECK(erased.mean == plain.mean);
  CHECK(erased.variance == plain.variance);
}

TEST_CASE("the law of a scheme that couples coordinates is that of its matrix recursion") {
  GaussianLaw law{Eigen::Vector2d(1, 2), Eigen::Matrix2d::Identity()};
  Eigen::Matrix2d drift;
  drift << 0, -1, 3, 0;
  GaussianLaw exact = law;
  for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
    const double h = grid[k + 1] - grid[k];
    const Eigen::Matrix2d a = Eigen::Matrix2d::Identity() + h * drift;
    exact.mean = a * exact.mean + h * Eigen::Vector2d(0, 1);
    exact.covariance =
        a * exact.covariance * a.transpose() + 0.49 * h * Eigen::Matrix2d::Identity();
  }

  law = propagate(Rotation{}, EulerMaruyama{}, law, grid);

  CHECK((law.mean - exact.mean).norm() < 1e-12);
  CHECK((law.covariance - exact.covariance).norm() < 1e-12);
}

TEST_CASE("a scheme that grows beyond all numbers has a law that is not finite") {
  const auto stiff = make_sde([](const auto& x, Time) { return -1e200 * x; },
                              [](Time) { return 1.0; }, noise::additive);

  const DiagonalGaussian law = propagate(
      stiff, EulerMaruyama{}, DiagonalGaussian{Eigen::Vector2d(1, 2), Eigen::Vector2d(1, 1)}, grid);

  CHECK_FALSE(law.variance.array().isFinite().any());
}

TEST_CASE("a scheme that is not linear is refused, and one that couples where none should") {
  const auto cubic = make_sde([](const auto& x, Time) { return -x * x * x; },
                              [](Time) { return 1.0; }, noise::additive);
  const DiagonalGaussian diagonal{Eigen::Vector2d(1, 2), Eigen::Vector2d(1, 1)};
  const GaussianLaw full{Eigen::Vector2d(1, 2), Eigen::Matrix2d::Identity()};

  CHECK_THROWS_AS(propagate(cubic, EulerMaruyama{}, diagonal, grid), std::invalid_argument);
  CHECK_THROWS_AS(propagate(cubic, EulerMaruyama{}, full, grid), std::invalid_argument);
  CHECK_THROWS_AS(propagate(Rotation{}, EulerMaruyama{}, diagonal, grid), std::invalid_argument);
}
