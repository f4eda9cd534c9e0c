/// @file  unit/sde/implicit.cpp
/// @brief Drift-implicit steps: their amplification on linear equations, their formulas on a
///        nonlinear system, stiff problems with known solutions, and honest failure.

#include "no_allocation.hpp"

#include <cmath>

#include <Eigen/Dense>

#include "catch.hpp"

#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/noise/brownian.hpp>
#include <fokker/solvers/stiff/drift_implicit.hpp>

using namespace fokker;

namespace {

using X = Block<double>;

/// dX = lambda X dt + mu X dW.
struct TestEquation {
  static constexpr NoiseKind noise = NoiseKind::diagonal;
  static constexpr Calculus calculus = Calculus::ito;
  double lambda, mu;
  auto drift(const auto& x, Time) const { return lambda * x; }
  auto diffusion(const auto& x, Time) const { return mu * x; }
};

/// y / x of one step of h on the test equation with increment w.
template <class M>
double amplification(const M& method, const TestEquation& p, double h, double w) {
  require_compatible<M, TestEquation>();
  const X x = X::Constant(1, 2, 1.5);
  X y(1, 2);
  const Increment<TestEquation, X> dw{X::Constant(1, 2, w)};
  typename M::template Workspace<X> workspace(1, 2);
  method.step(p, x, 0, h, dw, y, workspace);
  return y(0, 1) / x(0, 1);
}

/// f = (-x_0^3 + x_1 + t, -50 x_1 - x_0), diagonal noise (1 + x_0 / 2, sin x_1).
template <bool with_jacobian>
struct Stiff {
  static constexpr NoiseKind noise = NoiseKind::diagonal;
  static constexpr Calculus calculus = Calculus::ito;
  void drift(const auto& x, Time t, auto& out) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    out.row(0) = x.row(1) - x.row(0).cube() + S(t);
    out.row(1) = S(-50) * x.row(1) - x.row(0);
  }
  void drift_jacobian(const auto& x, Time, auto& j) const requires with_jacobian {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    j << S(-3) * x(0) * x(0), S(1), S(-1), S(-50);
  }
  void diffusion(const auto& x, Time, auto& out) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    out.row(0) = S(1) + S(0.5) * x.row(0);
    out.row(1) = x.row(1).sin();
  }
  void diffusion_slope(const auto& x, Time, auto& out) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    out.row(0).setConstant(S(0.5));
    out.row(1) = x.row(1).cos();
  }
};

using Vector = Eigen::Array2d;
Vector drift_at(const Vector& x, double t) {
  return {x[1] - std::pow(x[0], 3) + t, -50 * x[1] - x[0]};
}
Vector noise_at(const Vector& x) { return {1 + 0.5 * x[0], std::sin(x[1])}; }

const Vector start(0.8, -0.3), wiener(0.2, -0.15);
const double t0 = 0.4, step_size = 0.1;

/// y of one step from `start`, without an allocation.
template <class State, class P, class M>
Vector stiff_step(const M& method, const P& process) {
  static_assert(Stepper<M, P, State>);
  using S = typename State::Scalar;
  constexpr Index n = State::ColsAtCompileTime == 1 ? 1 : 5;
  State x(2, n), y(2, n);
  x.colwise() = start.cast<S>();
  Increment<P, State> dw;
  dw.w.resize(2, n);
  dw.w.colwise() = wiener.cast<S>();
  typename M::template Workspace<State> workspace(2, n);
  {
    const NoAllocation guard;
    method.step(process, x, t0, step_size, dw, y, workspace);
  }
  return y.col(n - 1).template cast<double>();
}

/// The defect of y in y = x + h ((1 - theta) f(x, t) + theta f(y, t + h)) + noise.
template <class M, class P>
double defect(const M& method, const P& process) {
  const Vector y = stiff_step<X>(method, process);
  const double h = step_size;
  Vector r = start + h * (1 - M::theta) * drift_at(start, t0) + noise_at(start) * wiener;
  if (M::facts.orders(NoiseKind::diagonal).strong == 1.0)
    r += 0.5 * noise_at(start) * Vector(0.5, std::cos(start[1])) * (wiener.square() - h);
  return (y - r - h * M::theta * drift_at(y, t0 + h)).abs().maxCoeff();
}

/// dX = -(alpha + beta^2 X)(1 - X^2) dt + beta (1 - X^2) dW, stiff for large alpha:
/// X = ((1 + x0) E + x0 - 1) / ((1 + x0) E + 1 - x0), E = exp(-2 alpha t + 2 beta W).
struct Cubic {
  static constexpr NoiseKind noise = NoiseKind::diagonal;
  static constexpr Calculus calculus = Calculus::ito;
  double alpha, beta;
  auto drift(const auto& x, Time) const { return -(alpha + beta * beta * x) * (1 - x.square()); }
  auto diffusion(const auto& x, Time) const { return beta * (1 - x.square()); }
};

/// max |X_N - X_T| over 64 paths at T = 3 from x0 = -1/2, where the drift is dissipative: for x > 0
/// it is not, and the implicit equation of a large step has a second root there.
template <class M>
double cubic_error(const M& method, const Cubic& p, Index steps) {
  require_compatible<M, Cubic>();
  constexpr Index n = 64;
  BrownianIncrements<double> source(5, 0, n, 1);
  X x = X::Constant(1, n, -0.5), y(1, n), w = X::Zero(1, n);
  Increment<Cubic, X> dw;
  dw.w.resize(1, n);
  typename M::template Workspace<X> workspace(1, n);
  const double h = 3.0 / static_cast<double>(steps);
  for (Index k = 0; k < steps; ++k) {
    source.increment(static_cast<double>(k) * h, static_cast<double>(k + 1) * h, dw);
    method.step(p, x, 0, h, dw, y, workspace);
    x.swap(y);
    w += dw.w;
  }
  const X e = 0.5 * (-2 * p.alpha * 3 + 2 * p.beta * w).exp();
  return (x - (e - 1.5) / (e + 1.5)).abs().maxCoeff<Eigen::PropagateNaN>();
}

}  // namespace

TEST_CASE("on the linear test equation the drift-implicit steps are their rational functions") {
  for (const double z : {-0.3, -4.0, -1e4, 0.2}) {
    const double h = 0.25, mu = 0.7, w = 0.4;
    const TestEquation p{z / h, mu};
    const double milstein = 0.5 * mu * mu * (w * w - h);

    INFO("h lambda " << z);
    CHECK_THAT(amplification(DriftImplicitEuler{}, p, h, w),
               WithinRel((1 + mu * w) / (1 - z), 1e-14));
    CHECK_THAT(amplification(DriftImplicitTrapezoid{}, p, h, w),
               WithinRel((1 + z / 2 + mu * w) / (1 - z / 2), 1e-13));
    CHECK_THAT(amplification(DriftImplicitMilstein{}, p, h, w),
               WithinRel((1 + mu * w + milstein) / (1 - z), 1e-14));
    CHECK_THAT(amplification(SplitStepBackwardEuler{}, p, h, w),
               WithinRel((1 + mu * w) / (1 - z), 1e-14));
  }
}

TEST_CASE("in mean square the implicit steps are stable where the solution is") {
  // E y^2 / x^2 = a^2 + b^2 h with y = (a + b w) x. The solution: 2 lambda + mu^2 < 0.
  const auto growth = [](const auto& method, double lambda, double mu) {
    const TestEquation p{lambda, mu};
    const double a = amplification(method, p, 1, 0), b = amplification(method, p, 1, 1) - a;
    return a * a + b * b;
  };
  for (const double lambda : {-0.5, -3.0, -100.0}) {
    const double inside = std::sqrt(-2 * lambda * 0.99), outside = std::sqrt(-2 * lambda * 1.01);
    CHECK(growth(DriftImplicitEuler{}, lambda, inside) < 1);
    CHECK(growth(SplitStepBackwardEuler{}, lambda, inside) < 1);
    CHECK(growth(DriftImplicitTrapezoid{}, lambda, inside) < 1);
    CHECK(growth(DriftImplicitTrapezoid{}, lambda, outside) > 1);
  }
  CHECK(growth(EulerMaruyama{}, -3, 1) > 1);
}

TEST_CASE("a drift-implicit step of a nonlinear system solves its equation") {
  static_assert(HasDriftJacobian<Stiff<true>, X> && !HasDriftJacobian<Stiff<false>, X>);
  CHECK(defect(DriftImplicitEuler{}, Stiff<true>{}) < 1e-14);
  CHECK(defect(DriftImplicitTrapezoid{}, Stiff<true>{}) < 1e-14);
  CHECK(defect(DriftImplicitMilstein{}, Stiff<true>{}) < 1e-14);
  CHECK(defect(DriftImplicitEuler{}, Stiff<false>{}) < 1e-14);
  CHECK(defect(DriftImplicitTrapezoid{}, Stiff<false>{}) < 1e-14);
  CHECK(defect(DriftImplicitMilstein{}, Stiff<false>{}) < 1e-14);
}

TEST_CASE("split-step backward Euler puts the noise on top of the implicit drift") {
  const Vector y = stiff_step<X>(SplitStepBackwardEuler{}, Stiff<true>{});
  Vector u = start;  // by iteration of the stiff part alone
  for (int i = 0; i < 200; ++i) {
    u[1] = (start[1] - step_size * u[0]) / (1 + 50 * step_size);
    u[0] = start[0] + step_size * (u[1] - std::pow(u[0], 3) + t0 + step_size);
  }

  CHECK((y - u - noise_at(u) * wiener).abs().maxCoeff() < 1e-14);
}

TEST_CASE("single paths, fixed sizes and float states take the same implicit step") {
  const Vector y = stiff_step<X>(DriftImplicitEuler{}, Stiff<true>{});

  CHECK(
      (stiff_step<PathState<double, 2>>(DriftImplicitEuler{}, Stiff<true>{}) - y).abs().maxCoeff() <
      1e-14);
  CHECK((stiff_step<Block<double, 2>>(DriftImplicitEuler{}, Stiff<false>{}) - y).abs().maxCoeff() <
        1e-14);
  CHECK((stiff_step<Block<float>>(DriftImplicitEuler{}, Stiff<false>{}) - y).abs().maxCoeff() <
        1e-6);
}

TEST_CASE("implicit steps follow a stiff cubic problem where Euler's explode") {
  // alpha = 50 and 500: steps of 3/64, far above the explicit limit 1 / alpha.
  for (const double alpha : {50.0, 500.0}) {
    const Cubic p{alpha, 1};
    INFO("alpha " << alpha);
    CHECK(cubic_error(DriftImplicitEuler{}, p, 64) < 1e-12);
    CHECK(cubic_error(DriftImplicitMilstein{}, p, 64) < 1e-12);
    CHECK(cubic_error(SplitStepBackwardEuler{}, p, 64) < 1e-12);
    CHECK_FALSE(cubic_error(EulerMaruyama{}, p, 64) < 1e-2);
  }
}

TEST_CASE("a path whose implicit equation has no solution becomes nan, and it alone") {
  // y = x + h (1 + y^2) has no root for x > 1/(4h) - h.
  auto blow_up = make_sde([](const auto& x, Time) { return 1 + x.square(); },
                          [](Time) { return 0.0; }, noise::additive);
  X x(1, 4), y(1, 4);
  x << 0.1, 100, 0.2, -3;
  const Increment<decltype(blow_up), X> dw{X::Zero(1, 4)};
  DriftImplicitEuler::Workspace<X> workspace(1, 4);
  DriftImplicitEuler{}.step(blow_up, x, 0, 0.1, dw, y, workspace);

  CHECK(std::isnan(y(0, 1)));
  for (const Index j : {0, 2, 3})
    CHECK_THAT(y(0, j), WithinAbs(5 - std::sqrt(25 - 1 - 10 * x(0, j)), 1e-13));
}

TEST_CASE("every path has the same bits whatever the others need") {
  const Cubic p{500, 1};
  X x(1, 6), y(1, 6), alone(1, 1);
  x << 0.1, 0.9, -0.99, 0.5, -0.2, 0.7;
  const Increment<Cubic, X> dw{X::Constant(1, 6, 0.1)}, dw1{X::Constant(1, 1, 0.1)};
  DriftImplicitEuler::Workspace<X> workspace(1, 6), workspace1(1, 1);
  DriftImplicitEuler{}.step(p, x, 0, 0.01, dw, y, workspace);
  for (Index j = 0; j < 6; ++j) {
    const X one = x.col(j);
    DriftImplicitEuler{}.step(p, one, 0, 0.01, dw1, alone, workspace1);
    CHECK(alone(0, 0) == y(0, j));
  }
}
