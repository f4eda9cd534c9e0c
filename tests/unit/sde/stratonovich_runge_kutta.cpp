/// @file  unit/sde/stratonovich_runge_kutta.cpp
/// @brief The methods driven by W and H for Stratonovich SDEs: the step against its formula on
/// every
///        kind of noise, its error against the Taylor expansion with and without commuting noise.

#include "no_allocation.hpp"

#include <cmath>
#include <utility>

#include <Eigen/Dense>

#include "catch.hpp"
#include "sde_problems.hpp"

#include <fokker/solvers/stratonovich/stratonovich_milstein.hpp>
#include <fokker/solvers/stratonovich/stratonovich_runge_kutta.hpp>

using namespace fokker;

namespace {

using Vector = Eigen::Vector2d;
using Matrix = Eigen::Matrix2d;

constexpr Calculus stratonovich = Calculus::stratonovich;
using Additive = sde_problems::Additive<stratonovich>;
using Scalar = sde_problems::Scalar<stratonovich>;
using Diagonal = sde_problems::Diagonal<stratonovich>;

/// G, 2 x m; scalar noise in the first column.
Matrix g(NoiseKind kind, const Vector& x, double t) {
  if (kind == NoiseKind::general)
    return (Matrix() << x[1] + t, x[0] * x[1], std::sin(x[0]), t - x[0]).finished();
  const auto b = sde_problems::diffusion_of(kind, x, t);
  if (kind == NoiseKind::scalar) return (Matrix() << b[0], 0, b[1], 0).finished();
  return b.asDiagonal();
}

struct DiagonalWithSlope : Diagonal {
  void diffusion_slope(const auto& x, Time, auto& out) const {
    out.row(0) = -x.row(0).sin();
    out.row(1) = 2 * x.row(1);
  }
};

struct General : sde_problems::Problem<NoiseKind::general, stratonovich> {
  Index sources() const { return 2; }
  void diffusion(const auto& x, Time t, Index k, auto& out) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    if (k == 0) {
      out.row(0) = x.row(1) + S(t);
      out.row(1) = x.row(0).sin();
    } else {
      out.row(0) = x.row(0) * x.row(1);
      out.row(1) = S(t) - x.row(0);
    }
  }
};

/// What a step is made of.
struct Step {
  NoiseKind kind;
  Vector x;
  double t, h;
  Vector w, area;
  bool analytic;  ///< the process gives the slope of g
  Vector F(const Vector& z, double c) const { return sde_problems::drift_of(z, t + c * h); }
  Vector G(const Vector& z, double c, const Vector& v) const { return g(kind, z, t + c * h) * v; }
};

/// y and y minus the method of lower order inside it.
using Pair = std::pair<Vector, Vector>;

Pair expected(EulerHeun, const Step& s) {
  const Vector z = s.x + s.G(s.x, 0, s.w);
  return {s.x + s.h * s.F(s.x, 0) + 0.5 * (s.G(s.x, 0, s.w) + s.G(z, 1, s.w)), Vector::Zero()};
}

Pair expected(MidpointSde, const Step& s) {
  const Vector z = s.x + 0.5 * (s.h * s.F(s.x, 0) + s.G(s.x, 0, s.w));
  return {s.x + s.h * s.F(z, 0.5) + s.G(z, 0.5, s.w), Vector::Zero()};
}

Pair expected(GeneralShark, const Step& s) {
  const double c = 5.0 / 6;
  const Vector z2 = s.x + s.G(s.x, 0, s.area);
  const Vector z3 = s.x + c * (s.h * s.F(z2, 0) + s.G(z2, 0, s.w)) + s.G(s.x, 0, s.area);
  return {s.x + s.h * (0.4 * s.F(z2, 0) + 0.6 * s.F(z3, c)) + s.G(z2, 0, 0.4 * s.w + 1.2 * s.area) +
              s.G(z3, c, 0.6 * s.w - 1.2 * s.area),
          Vector::Zero()};
}

Pair expected(Spark, const Step& s) {
  const double root = std::sqrt(3.0), outer = (3 - root) / 6;
  const Vector k1 = s.h * s.F(s.x, 0) + s.G(s.x, 0, s.w);
  const Vector z2 = s.x + 0.5 * k1 + root * s.G(s.x, 0, s.area);
  const Vector k2 = s.h * s.F(z2, 0.5) + s.G(z2, 0.5, s.w);
  const Vector z3 = s.x + k2;
  const Vector k3 = s.h * s.F(z3, 1) + s.G(z3, 1, s.w);
  const Vector y =
      s.x + outer * (k1 + k3) + root / 3 * k2 + s.G(s.x, 0, s.area) - s.G(z3, 1, s.area);
  return {y, y - (s.x + 0.5 * (k1 + k3))};
}

Pair expected(SlowRk, const Step& s) {
  const Vector f1 = s.F(s.x, 0), z2 = s.x + 0.5 * s.h * f1, g2 = s.G(z2, 0.5, s.w);
  const Vector z3 = z2 + 0.5 * g2, g3 = s.G(z3, 0.5, s.w);
  const Vector z4 = z2 + 0.5 * g3, g4 = s.G(z4, 0.5, s.w);
  const Vector g5 = s.G(z2 + g4, 0.5, s.w);
  const Vector z6 = s.x + 0.75 * s.h * f1 + s.G(z4, 0.5, 0.75 * s.w + 1.5 * s.area);
  const Vector z7 = s.x + s.h * f1 + 0.5 * g3;
  return {s.x + s.h / 3 * (f1 + 2 * s.F(z6, 0.75)) + (g2 + 2 * g3 + 2 * g4 + g5) / 6 +
              2 * (s.G(z4, 0.5, s.area) - s.G(z7, 1, s.area)),
          Vector::Zero()};
}

Pair expected(MilsteinStratonovich, const Step& s) {
  const Vector one(1, s.kind == NoiseKind::scalar ? 0 : 1);
  const Vector b = s.G(s.x, 0, one), euler = s.x + s.h * s.F(s.x, 0) + s.G(s.x, 0, s.w);
  Vector slope = (s.G(s.x + std::sqrt(s.h) * b, 0, one) - s.G(s.x - std::sqrt(s.h) * b, 0, one)) /
                 (2 * std::sqrt(s.h));
  if (s.analytic) slope = b.cwiseProduct(Vector(-std::sin(s.x[0]), 2 * s.x[1]));
  const Vector w = s.kind == NoiseKind::scalar ? Vector::Constant(s.w[0]).eval() : s.w;
  return {euler + 0.5 * slope.cwiseProduct(w.cwiseAbs2()), Vector::Zero()};
}

/// One step, and the error estimate if the method has one, against `expected`.
template <class X, class M, class P>
void check_step(const M& method, const P& process) {
  static_assert(Stepper<M, P, X>);
  using S = typename X::Scalar;
  const double t = 0.3, h = 0.125;
  const Index n = X::ColsAtCompileTime == 1 ? 1 : 19, m = wiener_dimension(process, 2);
  X x(2, n), y(2, n), error = X::Zero(2, n);
  Increment<P, X> dw;
  dw.resize(m, n, Needs{.h = true});
  for (Index j = 0; j < n; ++j) {
    const double shift = 0.1 * static_cast<double>(j);
    x.col(j) << static_cast<S>(0.5 + shift), static_cast<S>(0.3 * shift - 1);
    for (Index k = 0; k < m; ++k) {
      dw.w(k, j) = static_cast<S>(0.3 - 0.45 * static_cast<double>(k) - 0.05 * shift);
      dw.h(k, j) = static_cast<S>(0.1 * static_cast<double>(k) - 0.07 + 0.04 * shift);
    }
  }
  typename M::template Workspace<X> workspace(2, n);

  {
    const NoAllocation guard;
    method.step(process, x, t, h, dw, y, workspace);
  }
  if constexpr (requires { method.step(process, x, t, h, dw, y, error, workspace); }) {
    X again(2, n);
    method.step(process, x, t, h, dw, again, error, workspace);
    CHECK((again == y).all());
  }

  const double tolerance = std::is_same_v<S, float> ? 2e-6 : 2e-15;
  for (Index j = 0; j < n; ++j) {
    const auto [want, want_error] = expected(method, {P::noise,
                                                      x.col(j).matrix().template cast<double>(),
                                                      t,
                                                      h,
                                                      {dw.w(0, j), dw.w(m - 1, j)},
                                                      {dw.h(0, j), dw.h(m - 1, j)},
                                                      HasDiffusionSlope<P, X>});
    const double scale = std::max(1.0, want.norm());
    for (Index r = 0; r < 2; ++r) {
      CHECK_THAT((y(r, j) - want[r]) / scale, WithinAbs(0, tolerance));
      CHECK_THAT((error(r, j) - want_error[r]) / scale, WithinAbs(0, tolerance));
    }
  }
}

/// dX = A X dt + (B_0 X o dW_0 + B_1 X o dW_1).
struct Linear {
  static constexpr Calculus calculus = Calculus::stratonovich;
  static constexpr NoiseKind noise = NoiseKind::commutative;
  Matrix a, b[2];
  static void product(const Matrix& m, const auto& x, auto& out) {
    out.row(0) = m(0, 0) * x.row(0) + m(0, 1) * x.row(1);
    out.row(1) = m(1, 0) * x.row(0) + m(1, 1) * x.row(1);
  }
  void drift(const auto& x, Time, auto& out) const { product(a, x, out); }
  Index sources() const { return 2; }
  void diffusion(const auto& x, Time, Index k, auto& out) const { product(b[k], x, out); }
};

const Matrix drift_matrix = (Matrix() << -0.4, 0.3, 0.1, -0.2).finished();
const Linear commuting{
    drift_matrix,
    {(Matrix() << 0.5, 0.2, 0.2, 0.5).finished(), (Matrix() << 0.3, -0.4, -0.4, 0.3).finished()}};
const Linear not_commuting{
    drift_matrix,
    {(Matrix() << 0.2, 0.4, 0, 0.1).finished(), (Matrix() << 0.1, 0, 0.5, -0.2).finished()}};

/// |y minus the Stratonovich-Taylor scheme of order 1.5 for noise that commutes| after one step,
/// and with an area of size h where it does not.
template <class M>
double taylor_error(const Linear& process, double h, const Vector& xi, const Vector& eta) {
  static_assert(M::facts.calculus == Linear::calculus);
  using X = PathState<double, 2>;
  Increment<Linear, X> dw;
  dw.resize(2, 1, Needs{.h = true});
  dw.w = std::sqrt(h) * xi.array();
  dw.h = std::sqrt(h / 12) * eta.array();
  typename M::template Workspace<X> workspace(2, 1);
  const X x(1, -0.6);
  X y;
  M{}.step(process, x, 0, h, dw, y, workspace);

  const Matrix a = process.a, id = Matrix::Identity();
  const Matrix b_w = process.b[0] * dw.w(0) + process.b[1] * dw.w(1);
  const Matrix b_h = process.b[0] * dw.h(0) + process.b[1] * dw.h(1);
  Matrix taylor = id + h * a + b_w + b_w * b_w / 2 + b_w * b_w * b_w / 6 +
                  h * (a * (b_w / 2 + b_h) + (b_w / 2 - b_h) * a) + h * h / 2 * a * a;
  taylor += 0.1 * h * (process.b[0] * process.b[1] - process.b[1] * process.b[0]);
  return (y.matrix() - taylor * x.matrix()).norm();
}

/// The power of h in the error of one step.
template <class M>
double taylor_slope(const Linear& process) {
  const double h = 0x1p-14;
  const Vector xi(1.1, -0.7), eta(0.4, 1.2);
  return std::log2(taylor_error<M>(process, h, xi, eta) / taylor_error<M>(process, h / 2, xi, eta));
}

}  // namespace

TEMPLATE_TEST_CASE("a step driven by W and H is its formula on every kind of noise", "", EulerHeun,
                   MidpointSde, GeneralShark, Spark, SlowRk) {
  using X = Block<double>;
  check_step<X>(TestType{}, Additive{});
  check_step<X>(TestType{}, Scalar{});
  check_step<X>(TestType{}, Diagonal{});
  check_step<X>(TestType{}, General{});
}

TEST_CASE("methods driven by W and H step a single path and floats") {
  check_step<PathState<float, 2>>(Spark{}, General{});
  check_step<PathState<double>>(SlowRk{}, Scalar{});
}

TEST_CASE("a Stratonovich Milstein step is its formula, with the slope and without") {
  using X = Block<double>;
  check_step<X>(MilsteinStratonovich{}, Additive{});
  check_step<X>(MilsteinStratonovich{}, Scalar{});
  check_step<X>(MilsteinStratonovich{}, Diagonal{});
  check_step<X>(MilsteinStratonovich{}, DiagonalWithSlope{});
  check_step<PathState<float, 2>>(MilsteinStratonovich{}, DiagonalWithSlope{});
}

TEST_CASE(
    "SlowRK is the Taylor scheme to O(h^2) where the noise commutes, the others to O(h^1.5)") {
  CHECK_THAT(taylor_slope<SlowRk>(commuting), WithinAbs(2, 0.05));
  CHECK_THAT(taylor_slope<Spark>(commuting), WithinAbs(1.5, 0.05));
  CHECK_THAT(taylor_slope<GeneralShark>(commuting), WithinAbs(1.5, 0.05));
  CHECK_THAT(taylor_slope<MidpointSde>(commuting), WithinAbs(1.5, 0.05));
  CHECK_THAT(taylor_slope<EulerHeun>(commuting), WithinAbs(1.5, 0.05));
}

TEST_CASE(
    "no method without the area is better than O(h) in a step where the noise does not "
    "commute") {
  CHECK_THAT(taylor_slope<SlowRk>(not_commuting), WithinAbs(1, 0.05));
  CHECK_THAT(taylor_slope<Spark>(not_commuting), WithinAbs(1, 0.05));
  CHECK_THAT(taylor_slope<GeneralShark>(not_commuting), WithinAbs(1, 0.05));
  CHECK_THAT(taylor_slope<MidpointSde>(not_commuting), WithinAbs(1, 0.05));
  CHECK_THAT(taylor_slope<EulerHeun>(not_commuting), WithinAbs(1, 0.05));
}

TEST_CASE("methods driven by W and H say what they evaluate and need") {
  const auto count = [](const Evaluations& e) { return std::pair{e.drift, e.diffusion}; };
  CHECK(count(EulerHeun::facts.evaluations(NoiseKind::general)) == std::pair{1, 2});
  CHECK(count(MidpointSde::facts.evaluations(NoiseKind::general)) == std::pair{2, 2});
  CHECK(count(GeneralShark::facts.evaluations(NoiseKind::general)) == std::pair{2, 3});
  CHECK(count(Spark::facts.evaluations(NoiseKind::general)) == std::pair{3, 3});
  CHECK(count(SlowRk::facts.evaluations(NoiseKind::general)) == std::pair{2, 5});
  CHECK_FALSE(EulerHeun::facts.needs.h);
  CHECK_FALSE(MidpointSde::facts.needs.h);
  CHECK(Spark::facts.needs.h);
  CHECK(SlowRk::facts.orders(NoiseKind::commutative).strong == 1.5);
  CHECK(SlowRk::facts.orders(NoiseKind::general).strong == 0.5);
}
