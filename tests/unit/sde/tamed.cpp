/// @file  unit/sde/tamed.cpp
/// @brief Tamed and truncated Euler steps: their formulas, and bounded moments where Euler's
///        explode.

#include "no_allocation.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "catch.hpp"

#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ito/tamed.hpp>

using namespace fokker;

namespace {

/// dX = (X - X^5) dt + 0.5 (1 + X / 2) dW per component, coupled by the drift of the first.
struct Quintic {
  static constexpr NoiseKind noise = NoiseKind::diagonal;
  static constexpr Calculus calculus = Calculus::ito;
  void drift(const auto& x, Time, auto& out) const {
    out = x - x.square().square() * x;
    out.row(0) += x.row(1);
  }
  auto diffusion(const auto& x, Time) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    return S(0.5) + S(0.25) * x;
  }
};

Eigen::Array2d drift(const Eigen::Array2d& x) {
  return {x[0] - std::pow(x[0], 5) + x[1], x[1] - std::pow(x[1], 5)};
}

/// One step of 0.25 with dw = (0.2, -0.1) from x, without an allocation.
template <class S, class M>
Eigen::Array2d step(const M& method, const Eigen::Array2d& x0) {
  using X = Block<S>;
  static_assert(Stepper<M, Quintic, X>);
  require_compatible<M, Quintic>();
  X x(2, 5), y(2, 5);
  x.colwise() = x0.cast<S>();
  Increment<Quintic, X> dw;
  dw.w.resize(2, 5);
  dw.w.row(0).setConstant(S(0.2));
  dw.w.row(1).setConstant(S(-0.1));
  typename M::template Workspace<X> workspace(2, 5);
  {
    const NoAllocation guard;
    method.step(Quintic{}, x, 0, 0.25, dw, y, workspace);
  }
  return y.col(3).template cast<double>();
}

/// dX = (X - X^5) dt + 0.7 dW.
struct Well {
  static constexpr NoiseKind noise = NoiseKind::additive;
  auto drift(const auto& x, Time) const { return x - x.square().square() * x; }
  double diffusion(Time) const { return 0.7; }
};

/// max over all 3^8 sequences of eight increments -sqrt(3h), 0, sqrt(3h) of |X_8| from x0.
template <class M>
double largest_end(const M& method, double x0, double h) {
  using X = Block<double>;
  constexpr int steps = 8;
  constexpr Index n = 6561;
  X x = X::Constant(1, n, x0), y(1, n);
  Increment<Well, X> dw;
  dw.w.resize(1, n);
  typename M::template Workspace<X> workspace(1, n);
  Index period = 1;
  for (int k = 0; k < steps; ++k, period *= 3) {
    for (Index j = 0; j < n; ++j)
      dw.w(0, j) = static_cast<double>(j / period % 3 - 1) * std::sqrt(3 * h);
    method.step(Well{}, x, 0, h, dw, y, workspace);
    x.swap(y);
  }
  return x.abs().maxCoeff<Eigen::PropagateNaN>();
}

}  // namespace

TEST_CASE("a tamed Euler step is its formula, and allocates nothing") {
  const Eigen::Array2d x(1.5, -0.5), g = 0.5 + 0.25 * x, dw(0.2, -0.1);
  const Eigen::Array2d f = drift(x);
  const Eigen::Array2d want = x + 0.25 * f / (1 + 0.25 * f.matrix().norm()) + g * dw;

  CHECK((step<double>(TamedEuler{}, x) - want).abs().maxCoeff() < 1e-15);
  CHECK((step<float>(TamedEuler{}, x) - want).abs().maxCoeff() < 1e-6);
}

TEST_CASE("a truncated Euler step takes its coefficients inside the ball, and allocates nothing") {
  const TruncatedEuler method{.radius = 1, .exponent = 0.125};
  const double limit = std::pow(0.25, -0.125);
  const Eigen::Array2d dw(0.2, -0.1);
  for (const Eigen::Array2d& x : {Eigen::Array2d(0.6, -0.5), Eigen::Array2d(3, -4)}) {
    const Eigen::Array2d z = x * std::min(1.0, limit / x.matrix().norm());
    const Eigen::Array2d want = x + 0.25 * drift(z) + (0.5 + 0.25 * z) * dw;

    CHECK((step<double>(method, x) - want).abs().maxCoeff() < 1e-14);
    CHECK((step<float>(method, x) - want).abs().maxCoeff() < 1e-6);
  }
}

TEST_CASE("from far away tamed steps come nearer on every path where Euler's explode") {
  // The drift of a tamed step is below 1 in size and inwards, so |X_8| <= |x0| + noise; a truncated
  // one pulls with some R^5 and ends within twice the ball of radius R.
  const double h = 0.1, x0 = 20, noise = 8 * 0.7 * std::sqrt(3 * h);

  CHECK(largest_end(TamedEuler{}, x0, h) < x0 - 8 * 0.99 + noise);
  CHECK(largest_end(TruncatedEuler{}, x0, h) < 2 * 2 * std::pow(h, -1.0 / 16));
  CHECK_FALSE(largest_end(EulerMaruyama{}, x0, h) < 1e100);
}

TEST_CASE("tamed and truncated Euler claim strong order 1/2, and no more than is proved") {
  CHECK(TamedEuler::facts.orders(NoiseKind::general).strong == 0.5);
  CHECK(TamedEuler::facts.orders(NoiseKind::additive).strong == 1.0);
  CHECK_FALSE(TruncatedEuler::facts.orders(NoiseKind::diagonal).strong.has_value());
  CHECK_FALSE(TruncatedEuler::facts.orders(NoiseKind::additive).strong.has_value());
}
