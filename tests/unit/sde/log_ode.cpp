/// @file  unit/sde/log_ode.cpp
/// @brief The log-ODE step of affine SDEs, and the splitting of the Cox-Ingersoll-Ross process.

#include "no_allocation.hpp"
#include "quadrature.hpp"

#include <cmath>
#include <stdexcept>

#include "catch.hpp"

#include <fokker/analysis/convergence/convergence.hpp>
#include <fokker/processes/models/geometric_brownian_motion.hpp>
#include <fokker/processes/models/inhomogeneous_gbm.hpp>
#include <fokker/processes/models/kubo.hpp>
#include <fokker/processes/models/ornstein_uhlenbeck.hpp>
#include <fokker/processes/schemes/cir_splitting.hpp>
#include <fokker/solvers/core/any_process.hpp>
#include <fokker/solvers/ito/log_ode.hpp>
#include <fokker/solvers/ito/milstein.hpp>

using namespace fokker;

namespace {

using X = Block<double>;

/// y of one step from x by increments w and h.
template <class P, class M>
double step(const P& process, const M& method, double x0, Time t, Time time_step, double w,
            double h) {
  X x = X::Constant(1, 4, x0), y(1, 4);
  Increment<P, X> dw;
  dw.resize(1, 4, {.h = true});
  dw.w.setConstant(w);
  dw.h.setConstant(h);
  typename M::template Workspace<X> workspace(1, 4);
  {
    const NoAllocation guard;
    method.step(process, x, t, time_step, dw, y, workspace);
  }
  CHECK((y == y(0, 1)).all());
  return y(0, 1);
}

/// dX = (-0.5 X + 1 + sin t) dt + (0.6 X + 0.3 - 0.2 t) dW: everything at once.
struct Affine {
  static constexpr NoiseKind noise = NoiseKind::diagonal;
  auto drift(const auto& x, Time t) const { return -0.5 * x + (1 + std::sin(t)); }
  auto diffusion(const auto& x, Time t) const { return 0.6 * x + (0.3 - 0.2 * t); }
  double diffusion_slope(const State auto&, Time) const { return 0.6; }
  double linear_part() const { return -0.5; }
  double linear_diffusion() const { return 0.6; }
  static constexpr bool linear() { return true; }
};

/// Root mean square distances at t = 1 on the same paths: the slope of that to 1024 steps of the
/// method from 16 to 64 steps, and that of 16 steps to 1024 steps of Milstein's method.
struct Strong {
  double order, distance;
};
template <class P, class M>
Strong strong(const P& process, const M& method, double x0) {
  ConvergenceSettings s;
  s.x0 = Eigen::ArrayXd::Constant(1, x0);
  const auto end = [&](const auto& by, Index steps) {
    return end_states(process, by, s, 0, 512, steps, 1024);
  };
  const X reference = end(method, 1024), coarse = end(method, 16), fine = end(method, 64);
  const auto distance = [](const X& a, const X& b) { return std::sqrt((a - b).square().mean()); };
  return {std::log2(distance(coarse, reference) / distance(fine, reference)) / 2,
          distance(coarse, end(Milstein{}, 1024))};
}

/// The errors of E X_1 and E X_1^2 by n steps, the noise by quadrature.
double weak_error(const InhomogeneousGbm& p, double x0, int n) {
  const double h = 1.0 / n;
  const test::Quadrature rule = test::Quadrature::normal(16);
  double a = 0, b = 0, aa = 0, ab = 0, bb = 0;  // moments of y = a x + b
  for (Index i = 0; i < 16; ++i)
    for (Index j = 0; j < 16; ++j) {
      const double w = std::sqrt(h) * rule.nodes[i], v = std::sqrt(h / 12) * rule.nodes[j];
      const double weight = rule.weights[i] * rule.weights[j];
      const double offset = step(p, LogOde{}, 0, 0, h, w, v);
      const double slope = step(p, LogOde{}, 1, 0, h, w, v) - offset;
      a += weight * slope;
      b += weight * offset;
      aa += weight * slope * slope;
      ab += weight * slope * offset;
      bb += weight * offset * offset;
    }
  double first = x0, second = x0 * x0;
  for (int i = 0; i < n; ++i) {
    second = aa * second + 2 * ab * first + bb;
    first = a * first + b;
  }
  const Eigen::ArrayXd start = Eigen::ArrayXd::Constant(1, x0);
  const double mean = p.mean(start, 1)[0];
  return std::hypot(first - mean, second - mean * mean - p.covariance(start, 1)(0, 0));
}

}  // namespace

TEST_CASE("a log-ODE step of inhomogeneous geometric Brownian motion is its formula") {
  const InhomogeneousGbm p{.kappa = 0.7, .theta = 0.4, .sigma = 0.6};
  const double h = 0.25, w = 0.3, v = -0.1, s = 0.6;
  const double z = -(0.7 + 0.5 * s * s) * h + s * w;

  CHECK_THAT(step(p, LogOde{}, 0.9, 0, h, w, v),
             WithinAbs(0.9 * std::exp(z) + 0.28 * h * (1 - s * v + s * s * (0.6 * v * v + h / 30)) *
                                               std::expm1(z) / z,
                       1e-15));
}

TEST_CASE("a log-ODE step is the solution of geometric Brownian motion, also where Z = 0") {
  const GeometricBrownianMotion p{.mu = 0.08, .sigma = 0.4};  // mu = sigma^2 / 2

  CHECK_THAT(step(p, LogOde{}, 1.5, 0, 0.3, 0.7, 0.1), WithinAbs(1.5 * std::exp(0.4 * 0.7), 1e-15));
  CHECK(step(p, LogOde{}, 1.5, 0, 0.3, 0, 0.1) == 1.5);
}

TEST_CASE("log-ODE has strong order 3/2 and tends to the solution, with all terms") {
  const InhomogeneousGbm igbm{.kappa = 1, .theta = 0.5, .sigma = 0.6};

  const Strong of_igbm = strong(igbm, LogOde{}, 1), of_affine = strong(Affine{}, LogOde{}, 0.4);

  CHECK_THAT(of_igbm.order, WithinAbs(1.5, 0.1));
  CHECK_THAT(of_affine.order, WithinAbs(1.5, 0.1));
  CHECK(of_igbm.distance < 2e-3);
  CHECK(of_affine.distance < 4e-3);
}

TEST_CASE("log-ODE has weak order 2") {
  const InhomogeneousGbm igbm{.kappa = 1, .theta = 0.5, .sigma = 0.6};

  const double coarse = weak_error(igbm, 1, 8), fine = weak_error(igbm, 1, 16);

  CHECK_THAT(std::log2(coarse / fine), WithinAbs(2, 0.1));
}

TEST_CASE("log-ODE refuses components that act on each other") {
  using Scalar = AnySde<NoiseKind::scalar>;
  X x = X::Ones(2, 1), y(2, 1);
  Increment<KuboOscillator, X> dw;
  dw.resize(1, 1, LogOde::facts.needs);
  LogOde::Workspace<X> workspace(2, 1);

  CHECK_FALSE(LogOde::takes(Scalar{KuboOscillator{}}));
  CHECK(LogOde::takes(AnySde<NoiseKind::diagonal>{InhomogeneousGbm{}}));
  CHECK_THROWS_AS(LogOde{}.step(KuboOscillator{}, x, 0, 0.1, dw, y, workspace),
                  std::invalid_argument);
}

TEST_CASE("a splitting step of the Cox-Ingersoll-Ross process is its formula, and exact at rest") {
  const CoxIngersollRoss p{.kappa = 2, .theta = 0.8, .sigma = 0.9};
  const double h = 0.2, w = 0.3, v = -0.05, r = std::sqrt(3.0), level = 0.8 - 0.81 / 8;
  const auto flow = [&](double x, double c) { return level + std::exp(-2 * c * h) * (x - level); };
  const auto kick = [&](double x, double b) { return std::pow(std::sqrt(x) + 0.45 * b, 2); };

  double want = kick(flow(0.5, (3 - r) / 6), w / 2 + r * v);
  want = flow(kick(flow(want, 1 / r), w / 2 - r * v), (3 - r) / 6);

  CHECK_THAT(step(p, CirSplitting{}, 0.5, 0, h, w, v), WithinAbs(want, 1e-15));
  const CoxIngersollRoss calm{.kappa = 2, .theta = 0.8, .sigma = 1e-150};
  CHECK_THAT(step(calm, CirSplitting{}, 0.5, 0, h, w, v), WithinAbs(calm.mean(0.5, h), 1e-15));
  CHECK_THROWS_WITH(check_parameters(CirSplitting{}, CoxIngersollRoss{1, 0.2, 1}),
                    StartsWith("cir-splitting needs 4 kappa theta >= sigma^2"));
}

TEST_CASE("the splitting of the Cox-Ingersoll-Ross process is of order 3/2 and stays positive") {
  const CoxIngersollRoss p{.kappa = 1, .theta = 1, .sigma = 0.5};

  const Strong found = strong(p, CirSplitting{}, 1);

  CHECK_THAT(found.order, WithinAbs(1.5, 0.1));
  CHECK(found.distance < 2e-3);
  CHECK(step(CoxIngersollRoss{1, 0.25, 1}, CirSplitting{}, 0, 0, 10, -9, 0) >= 0);
}
