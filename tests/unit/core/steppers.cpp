/// @file  unit/core/steppers.cpp
/// @brief One step of every solver on every kind of noise, against the formula written out on plain
///        vectors, for every kind of state.

#include "no_allocation.hpp"

#include <cmath>

#include <Eigen/Dense>

#include "catch.hpp"

#include <fokker/solvers/core/any_stepper.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ito/milstein.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>
#include <fokker/solvers/stratonovich/stochastic_heun.hpp>

using namespace fokker;

namespace {

// One problem in two dimensions, written twice: on plain vectors for the expected values, and as a
// process. f = (t - x_1, x_0 x_1); the noise matrix G is 2 x m.
using Vector = Eigen::Vector2d;
using Matrix = Eigen::MatrixXd;

Vector f(const Vector& x, double t) { return {t - x[1], x[0] * x[1]}; }

Matrix noise_matrix(NoiseKind kind, const Vector& x, double t) {
  switch (kind) {
    case NoiseKind::additive:
      return Vector(1 + t, 2 * t).asDiagonal();
    case NoiseKind::scalar:
      return Vector(x[1], t * std::sin(x[0]));
    case NoiseKind::diagonal:
      return Vector(t * x[0] * x[0], std::cos(x[1])).asDiagonal();
    case NoiseKind::general:
      return (Matrix(2, 3) << x[0], x[1], std::sin(x[1]), 1, -t * x[0], x[0]).finished();
    default:
      return Matrix::Zero(2, 0);
  }
}

template <NoiseKind kind>
struct Problem {
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr NoiseKind noise = kind;
  void drift(const auto& x, Time t, auto& out) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    out.row(0) = S(t) - x.row(1);
    out.row(1) = x.row(0) * x.row(1);
  }
};

struct None : Problem<NoiseKind::none> {};

struct Additive : Problem<NoiseKind::additive> {
  PathState<double, 2> diffusion(Time t) const { return {1 + t, 2 * t}; }
};

struct Scalar : Problem<NoiseKind::scalar> {
  void diffusion(const auto& x, Time t, auto& out) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    out.row(0) = x.row(1);
    out.row(1) = S(t) * x.row(0).sin();
  }
};

struct ScalarWithSlope : Scalar {
  void diffusion_slope(const auto& x, Time t, auto& out) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    out.row(0) = S(t) * x.row(0).sin();
    out.row(1) = S(t) * x.row(1) * x.row(0).cos();
  }
};

struct Diagonal : Problem<NoiseKind::diagonal> {
  auto diffusion(const auto& x, Time t) const -> Plain<decltype(x)> {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    Plain<decltype(x)> out(x.rows(), x.cols());
    out.row(0) = S(t) * x.row(0).square();
    out.row(1) = x.row(1).cos();
    return out;
  }
};

struct DiagonalWithSlope : Problem<NoiseKind::diagonal> {
  void diffusion(const auto& x, Time t, auto& out) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    out.row(0) = S(t) * x.row(0).square();
    out.row(1) = x.row(1).cos();
  }
  void diffusion_slope(const auto& x, Time t, auto& out) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    out.row(0) = S(2 * t) * x.row(0);
    out.row(1) = -x.row(1).sin();
  }
};

/// Three sources for two components.
struct General : Problem<NoiseKind::general> {
  Index sources() const { return 3; }
  void diffusion(const auto& x, Time t, Index k, auto& out) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    switch (k) {
      case 0:
        out.row(0) = x.row(0);
        out.row(1).setOnes();
        break;
      case 1:
        out.row(0) = x.row(1);
        out.row(1) = S(-t) * x.row(0);
        break;
      default:
        out.row(0) = x.row(1).sin();
        out.row(1) = x.row(0);
    }
  }
};

const double t = 0.3, h = 0.25;

Vector expected(EulerMaruyama, NoiseKind kind, bool, const Vector& x, const Eigen::VectorXd& dw) {
  return x + h * f(x, t) + noise_matrix(kind, x, t) * dw;
}

Vector expected(HeunSde, NoiseKind kind, bool, const Vector& x, const Eigen::VectorXd& dw) {
  const Vector u = x + h * f(x, t) + noise_matrix(kind, x, t) * dw;
  return x + h / 2 * (f(x, t) + f(u, t + h)) +
         0.5 * (noise_matrix(kind, x, t) + noise_matrix(kind, u, t + h)) * dw;
}

Vector expected(Milstein, NoiseKind kind, bool analytic, const Vector& x,
                const Eigen::VectorXd& dw) {
  const Matrix g = noise_matrix(kind, x, t);
  Vector y = x + h * f(x, t) + g * dw;
  if (kind == NoiseKind::scalar) {
    const Vector b = g.col(0);
    Vector slope = (noise_matrix(kind, x + std::sqrt(h) * b, t) - g) / std::sqrt(h);
    if (analytic) slope = {t * std::sin(x[0]), x[1] * t * std::cos(x[0])};
    y += 0.5 * slope * (dw[0] * dw[0] - h);
  } else if (kind == NoiseKind::diagonal) {
    const Vector b = g.diagonal();
    Vector slope = (noise_matrix(kind, x + std::sqrt(h) * b, t).diagonal() - b) / std::sqrt(h);
    if (analytic) slope = b.cwiseProduct(Vector(2 * t * x[0], -std::sin(x[1])));
    y += 0.5 * slope.cwiseProduct(dw.cwiseAbs2() - Vector::Constant(h));
  }
  return y;
}

Vector expected(Euler, NoiseKind, bool, const Vector& x, const Eigen::VectorXd&) {
  return x + h * f(x, t);
}

Vector expected(Heun, NoiseKind, bool, const Vector& x, const Eigen::VectorXd&) {
  return x + h / 2 * (f(x, t) + f(x + h * f(x, t), t + h));
}

Vector expected(Rk4, NoiseKind, bool, const Vector& x, const Eigen::VectorXd&) {
  const Vector k1 = f(x, t), k2 = f(x + h / 2 * k1, t + h / 2), k3 = f(x + h / 2 * k2, t + h / 2),
               k4 = f(x + h * k3, t + h);
  return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
}

/// Steps a block (or a path) of columns that all differ and compares each with `expected`.
template <class X, class M, class P>
void check_step(const M& method, const P& process) {
  static_assert(Stepper<M, P, X>);
  using S = typename X::Scalar;
  const Index n = X::ColsAtCompileTime == 1 ? 1 : 37, m = wiener_dimension(process, 2);
  X x(2, n), y(2, n);
  Increment<P, X> dw;
  dw.w.resize(m, n);
  for (Index j = 0; j < n; ++j) {
    const double shift = 0.1 * static_cast<double>(j);
    x(0, j) = static_cast<S>(0.5 + shift);
    x(1, j) = static_cast<S>(-1 + 0.3 * shift);
    for (Index k = 0; k < m; ++k)
      dw.w(k, j) = static_cast<S>(0.2 - 0.15 * static_cast<double>(k) + 0.05 * shift);
  }
  typename M::template Workspace<X> workspace(2, n);

  // A coefficient that returns an array by value allocates it, when its size is dynamic.
  const bool returns_array = std::is_same_v<P, Diagonal> && X::SizeAtCompileTime == Eigen::Dynamic;
  {
    const NoAllocation guard(!returns_array);
    method.step(process, x, t, h, dw, y, workspace);
  }

  constexpr bool analytic = HasDiffusionSlope<P, X>;
  const double tolerance = std::is_same_v<S, float> ? 4e-6 : 4e-15;
  for (Index j = 0; j < n; ++j) {
    Eigen::VectorXd increments(m);
    for (Index k = 0; k < m; ++k) increments(k) = static_cast<double>(dw.w(k, j));
    const Vector want =
        expected(method, P::noise, analytic, x.col(j).matrix().template cast<double>(), increments);
    const double error = (y.col(j).matrix().template cast<double>() - want).norm();
    CHECK_THAT(error / want.norm(), WithinAbs(0, tolerance));
  }
}

}  // namespace

TEMPLATE_TEST_CASE("a step of every solver is its formula, and allocates nothing", "",
                   (Block<double>), (Block<double, 2>), (Block<float>), (PathState<double, 2>),
                   (PathState<float>)) {
  using X = TestType;
  SECTION("Euler-Maruyama") {
    check_step<X>(EulerMaruyama{}, Additive{});
    check_step<X>(EulerMaruyama{}, Scalar{});
    check_step<X>(EulerMaruyama{}, Diagonal{});
    check_step<X>(EulerMaruyama{}, General{});
  }
  SECTION("Milstein") {
    check_step<X>(Milstein{}, Additive{});
    check_step<X>(Milstein{}, Scalar{});
    check_step<X>(Milstein{}, ScalarWithSlope{});
    check_step<X>(Milstein{}, Diagonal{});
    check_step<X>(Milstein{}, DiagonalWithSlope{});
  }
  SECTION("stochastic Heun") {
    check_step<X>(HeunSde{}, Additive{});
    check_step<X>(HeunSde{}, Scalar{});
    check_step<X>(HeunSde{}, Diagonal{});
    check_step<X>(HeunSde{}, General{});
  }
  SECTION("Runge-Kutta") {
    check_step<X>(Euler{}, None{});
    check_step<X>(Heun{}, None{});
    check_step<X>(Rk4{}, None{});
  }
}

TEST_CASE("steps on numbers worked out by hand") {
  // GBM, mu = 0.5, sigma = 0.4, X = 2, h = 0.25, dW = 0.3: X (1 + mu h + sigma dW) = 2.49, and
  // Milstein's X sigma^2 (dW^2 - h) / 2 = -0.0256 more.
  auto gbm = make_sde([](const auto& x, Time) { return 0.5 * x; },
                      [](const auto& x, Time) { return 0.4 * x; }, noise::diagonal);
  using X = PathState<double, 1>;
  const X x = X::Constant(2);
  X y;
  Increment<decltype(gbm), X> dw;
  dw.w(0) = 0.3;

  Scratch<X, 3> euler_scratch(1, 1);
  EulerMaruyama{}.step(gbm, x, 0.0, 0.25, dw, y, euler_scratch);
  CHECK_THAT(y(0), WithinAbs(2.49, 1e-15));

  Scratch<X, 4> milstein_scratch(1, 1);
  Milstein{}.step(gbm, x, 0.0, 0.25, dw, y, milstein_scratch);
  CHECK_THAT(y(0), WithinAbs(2.49 - 0.0256, 1e-15));
}

TEMPLATE_TEST_CASE("a coefficient may be a plain number", "", double, float) {
  using X = Block<TestType>;
  auto drifting = make_sde([](const auto&, Time time) { return 2 * time; }, [](Time) { return 3; },
                           noise::additive);
  auto constant = make_sde([](const auto&, Time) { return 1; },
                           [](const auto&, Time) { return 3.0; }, noise::scalar);
  const X x = X::Constant(2, 5, TestType(1));
  X y(2, 5);
  Scratch<X, 3> scratch(2, 5);

  Increment<decltype(drifting), X> dw{X::Constant(2, 5, TestType(0.5))};
  EulerMaruyama{}.step(drifting, x, 0.5, 0.25, dw, y, scratch);
  CHECK((y == TestType(1 + 0.25 + 1.5)).all());

  Increment<decltype(constant), X> dw1;
  dw1.w.setConstant(1, 5, TestType(0.5));
  EulerMaruyama{}.step(constant, x, 0.5, 0.25, dw1, y, scratch);
  CHECK((y == TestType(1 + 0.25 + 1.5)).all());
}

TEST_CASE("a solver of any type steps as the solver does") {
  using X = Block<double>;
  const DiagonalWithSlope process;
  const AnyStepper<DiagonalWithSlope, X> any{Milstein{}};
  const X x = X::Constant(2, 4, 0.7);
  X y(2, 4), y_any(2, 4);
  Increment<DiagonalWithSlope, X> dw{X::Constant(2, 4, 0.1)};
  Milstein::Workspace<X> workspace(2, 4);
  AnyStepper<DiagonalWithSlope, X>::Workspace<X> any_workspace(2, 4);

  Milstein{}.step(process, x, t, h, dw, y, workspace);
  any.step(process, x, t, h, dw, y_any, any_workspace);

  CHECK((y == y_any).all());
  CHECK(any.facts().name == "milstein");
  CHECK(any.facts().orders(NoiseKind::diagonal).strong == 1.0);
}

namespace {

/// The order conditions up to order 4: sum b_i Phi_i = 1 / gamma for the eight rooted trees, and
/// c_i = sum_j a_ij. Source: Hairer, Norsett & Wanner (1993), table II.2.2.
template <class M>
int order_of_tableau() {
  using Real = long double;
  constexpr auto tab = M::tableau;
  constexpr std::size_t s = tab.b.size();
  const auto c = [&](std::size_t i) { return static_cast<Real>(tab.c[i]); };
  const auto a = [&](std::size_t i, std::size_t j) { return static_cast<Real>(tab.a[i][j]); };
  Real residual[5] = {0, 0, 0, 0, 0};  // the largest of each order
  Real b = 0, bc = 0, bc2 = 0, bac = 0, bc3 = 0, bcac = 0, bac2 = 0, baac = 0;
  for (std::size_t i = 0; i < s; ++i) {
    const Real w = static_cast<Real>(tab.b[i]);
    Real row = 0, ac = 0, ac2 = 0, aac = 0;
    for (std::size_t j = 0; j < s; ++j) {
      row += a(i, j);
      ac += a(i, j) * c(j);
      ac2 += a(i, j) * c(j) * c(j);
      for (std::size_t k = 0; k < s; ++k) aac += a(i, j) * a(j, k) * c(k);
    }
    residual[1] = std::max(residual[1], std::abs(row - c(i)));
    b += w, bc += w * c(i), bc2 += w * c(i) * c(i), bac += w * ac;
    bc3 += w * c(i) * c(i) * c(i), bcac += w * c(i) * ac, bac2 += w * ac2, baac += w * aac;
  }
  const auto include = [&](std::size_t order, Real sum, Real value) {
    residual[order] = std::max(residual[order], std::abs(sum - value));
  };
  include(1, b, 1);
  include(2, bc, Real(1) / 2);
  include(3, bc2, Real(1) / 3), include(3, bac, Real(1) / 6);
  include(4, bc3, Real(1) / 4), include(4, bcac, Real(1) / 8);
  include(4, bac2, Real(1) / 12), include(4, baac, Real(1) / 24);
  int order = 0;
  while (order < 4 && residual[order + 1] < 1e-15L) ++order;
  return order;
}

}  // namespace

TEST_CASE("every Runge-Kutta tableau meets the conditions of its order and not one more") {
  CHECK(order_of_tableau<Euler>() == Euler::facts.orders(NoiseKind::none).deterministic);
  CHECK(order_of_tableau<Heun>() == Heun::facts.orders(NoiseKind::none).deterministic);
  CHECK(order_of_tableau<Rk4>() == Rk4::facts.orders(NoiseKind::none).deterministic);
}
