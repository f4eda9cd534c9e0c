/// @file  unit/sde/sri.cpp
/// @brief The strong order 1.5 methods for scalar and diagonal noise: conditions of the tableaus,
///        the step against a plain transcription, its error against the Ito-Taylor expansion.

#include "no_allocation.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "catch.hpp"
#include "sde_problems.hpp"

#include <fokker/solvers/ito/sri.hpp>

using namespace fokker;

namespace {

using Real = long double;
using Tableau = SriTableau<4>;
using Row = std::array<double, 4>;
using Stages = std::array<Real, 4>;

Stages operator*(const std::array<Row, 4>& a, const Stages& v) {
  Stages r{};
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 4; ++j) r[i] += a[i][j] * v[j];
  return r;
}

Stages operator*(const Stages& u, const Stages& v) {
  return {u[0] * v[0], u[1] * v[1], u[2] * v[2], u[3] * v[3]};
}

Real dot(const Row& u, const Stages& v) {
  return u[0] * v[0] + u[1] * v[1] + u[2] * v[2] + u[3] * v[3];
}

/// The 25 conditions for strong order 1.5 of Roessler (2010), and c = A e: the largest residual.
Real worst_residual(const Tableau& m) {
  const Stages e{1, 1, 1, 1};
  const Stages a0 = m.a0 * e, a1 = m.a1 * e, b0 = m.b0 * e, b1 = m.b1 * e;
  const Stages b1_b1 = m.b1 * b1, a1_b0 = m.a1 * b0;
  std::vector<Real> residuals{
      dot(m.alpha, e) - 1,
      dot(m.beta1, e) - 1,
      dot(m.beta2, e),
      dot(m.beta3, e),
      dot(m.beta4, e),
      dot(m.beta1, b1),
      dot(m.beta2, b1) - 1,
      dot(m.beta3, b1),
      dot(m.beta4, b1),
      dot(m.alpha, a0) - 0.5L,
      dot(m.alpha, b0) - 1,
      dot(m.alpha, b0 * b0) - 1.5L,
      dot(m.beta1, a1) - 1,
      dot(m.beta2, a1),
      dot(m.beta3, a1) + 1,
      dot(m.beta4, a1),
      dot(m.beta1, b1 * b1) - 1,
      dot(m.beta2, b1 * b1),
      dot(m.beta3, b1 * b1) + 1,
      dot(m.beta4, b1 * b1) - 2,
      dot(m.beta1, b1_b1),
      dot(m.beta2, b1_b1),
      dot(m.beta3, b1_b1),
      dot(m.beta4, b1_b1) - 1,
      dot(m.beta1, a1_b0) / 2 + dot(m.beta3, a1_b0) / 3,
  };
  for (std::size_t i = 0; i < 4; ++i) {
    residuals.push_back(a0[i] - m.c0[i]);
    residuals.push_back(a1[i] - m.c1[i]);
  }
  Real worst = 0;
  for (const Real r : residuals) worst = std::max(worst, std::abs(r));
  return worst;
}

/// Each coefficient that is not zero moved by `shift`: the smallest of the worst residuals.
Real least_residual_when_one_moves(const Tableau& m, double shift) {
  Real least = 1;
  const auto visit = [&](auto&& coefficient) {
    Tableau moved = m;
    double& c = coefficient(moved);
    if (c == 0) return;
    c += shift;
    least = std::min(least, worst_residual(moved));
  };
  for (std::size_t i = 0; i < 4; ++i) {
    for (const auto row : {&Tableau::alpha, &Tableau::beta1, &Tableau::beta2, &Tableau::beta3,
                           &Tableau::beta4, &Tableau::c0, &Tableau::c1})
      visit([&](Tableau& t) -> double& { return (t.*row)[i]; });
    for (const auto matrix : {&Tableau::a0, &Tableau::a1, &Tableau::b0, &Tableau::b1})
      for (std::size_t j = 0; j < i; ++j)
        visit([&](Tableau& t) -> double& { return (t.*matrix)[i][j]; });
  }
  return least;
}

using Vector = std::array<double, 2>;
using Additive = sde_problems::Additive<Calculus::ito>;
using Scalar = sde_problems::Scalar<Calculus::ito>;
using Diagonal = sde_problems::Diagonal<Calculus::ito>;

/// The step and the step of order 1 inside it, with every stage and every zero.
std::array<Vector, 2> expected(const Tableau& m, NoiseKind kind, const Vector& x, double t,
                               double h, const Vector& w, const Vector& area) {
  std::array<Vector, 4> df, dg;
  Vector y = x, low = x;
  for (std::size_t i = 0; i < 4; ++i) {
    Vector z0 = x, z1 = x;
    for (std::size_t r = 0; r < 2; ++r)
      for (std::size_t j = 0; j < i; ++j) {
        const double i10 = w[r] / 2 + area[r];
        z0[r] += m.a0[i][j] * df[j][r] * h + m.b0[i][j] * dg[j][r] * i10;
        z1[r] += m.a1[i][j] * df[j][r] * h + m.b1[i][j] * dg[j][r] * std::sqrt(h);
      }
    df[i] = sde_problems::drift_of(z0, t + m.c0[i] * h);
    dg[i] = sde_problems::diffusion_of(kind, z1, t + m.c1[i] * h);
    for (std::size_t r = 0; r < 2; ++r) {
      const double i10 = w[r] / 2 + area[r], i11 = (w[r] * w[r] - h) / 2,
                   i111 = (w[r] * w[r] * w[r] - 3 * h * w[r]) / 6;
      const bool additive = kind == NoiseKind::additive;
      const double first = m.beta1[i] * w[r] + (additive ? 0 : m.beta2[i] * i11 / std::sqrt(h));
      const double second = m.beta3[i] * i10 + (additive ? 0 : m.beta4[i] * i111 / h);
      y[r] += m.alpha[i] * df[i][r] * h + (first + second) * dg[i][r];
      low[r] += (i == 0 ? df[i][r] * h : 0) + first * dg[i][r];
    }
  }
  return {y, low};
}

template <class X, class M, class P>
void check_step(const M& method, const P& process) {
  static_assert(Stepper<M, P, X>);
  using S = typename X::Scalar;
  const double t = 0.3, h = 0.125;
  const Index n = X::ColsAtCompileTime == 1 ? 1 : 19, m = wiener_dimension(process, 2);
  X x(2, n), y(2, n), y_of_pair(2, n), error(2, n);
  Increment<P, X> dw;
  dw.resize(m, n, needs_of(method));
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
  method.step(process, x, t, h, dw, y_of_pair, error, workspace);

  CHECK((y == y_of_pair).all());
  const double tolerance = std::is_same_v<S, float> ? 1e-5 : 1e-14;
  for (Index j = 0; j < n; ++j) {
    const Index last = m - 1;
    const auto [want, low] = expected(M::tableau, P::noise, {x(0, j), x(1, j)}, t, h,
                                      {dw.w(0, j), dw.w(last, j)}, {dw.h(0, j), dw.h(last, j)});
    for (Index r = 0; r < 2; ++r) {
      const auto i = static_cast<std::size_t>(r);
      const double scale = std::max(1.0, std::abs(want[i]));
      CHECK_THAT((y(r, j) - want[i]) / scale, WithinAbs(0, tolerance));
      CHECK_THAT((error(r, j) - (want[i] - low[i])) / scale, WithinAbs(0, tolerance));
    }
  }
}

/// y minus the Ito-Taylor scheme of strong order 1.5 after one step of dX = sin X dt + (2 + cos X)
/// dW with W = sqrt(h) xi, H = sqrt(h / 12) eta.
template <class M>
double taylor_error(double h, double xi, double eta) {
  using X = PathState<double, 1>;
  const auto process = make_sde([](const auto& x, Time) { return x.sin(); },
                                [](const auto& x, Time) { return 2 + x.cos(); }, noise::diagonal);
  Increment<std::remove_const_t<decltype(process)>, X> dw;
  dw.resize(1, 1, M::facts.needs);
  const double x = 0.7, w = std::sqrt(h) * xi, i10 = h * (w / 2 + std::sqrt(h / 12) * eta);
  dw.w(0) = w;
  dw.h(0) = std::sqrt(h / 12) * eta;
  typename M::template Workspace<X> workspace(1, 1);
  X y;
  M{}.step(process, X::Constant(x).eval(), 0, h, dw, y, workspace);

  const double a = std::sin(x), da = std::cos(x), dda = -a;
  const double b = 2 + std::cos(x), db = -std::sin(x), ddb = -std::cos(x);
  return y(0) -
         (x + a * h + b * w + b * db * (w * w - h) / 2 + b * da * i10 +
          (a * db + b * b * ddb / 2) * (h * w - i10) + (a * da + b * b * dda / 2) * h * h / 2 +
          b * (db * db + b * ddb) * (w * w * w - 3 * h * w) / 6);
}

/// The mean of `taylor_error` over normal xi and eta, exact for polynomials of degree 9 (the five
/// roots of the Hermite polynomial).
template <class M>
double mean_taylor_error(double h) {
  const double outer = std::sqrt(5 + std::sqrt(10.0)), inner = std::sqrt(5 - std::sqrt(10.0));
  const double p_outer = (7 - 2 * std::sqrt(10.0)) / 60, p_inner = (7 + 2 * std::sqrt(10.0)) / 60;
  const double z[] = {-outer, -inner, 0, inner, outer};
  const double p[] = {p_outer, p_inner, 8.0 / 15, p_inner, p_outer};
  double mean = 0;
  for (int i = 0; i < 5; ++i)
    for (int j = 0; j < 5; ++j) mean += p[i] * p[j] * taylor_error<M>(h, z[i], z[j]);
  return mean;
}

}  // namespace

TEST_CASE("every SRI tableau meets the 25 conditions of strong order 1.5") {
  CHECK(worst_residual(Sriw1::tableau) < 4e-16);
  CHECK(worst_residual(Sriw2::tableau) < 4e-16);
  CHECK(worst_residual(Sosri::tableau) < 5e-16);
  CHECK(worst_residual(Sosri2::tableau) < 1.3e-13);

  CHECK(least_residual_when_one_moves(Sriw1::tableau, 1e-6) > 1e-8);
  CHECK(least_residual_when_one_moves(Sriw2::tableau, 1e-6) > 1e-8);
  CHECK(least_residual_when_one_moves(Sosri::tableau, 1e-6) > 1e-8);
  CHECK(least_residual_when_one_moves(Sosri2::tableau, 1e-6) > 1e-8);
}

TEMPLATE_TEST_CASE("a step of an SRI method and its error are their formulas", "", Sriw1, Sriw2,
                   Sosri, Sosri2) {
  using X = Block<double>;
  check_step<X>(TestType{}, Diagonal{});
  check_step<X>(TestType{}, Scalar{});
}

TEST_CASE("an SRI method steps additive noise, a single path and floats") {
  check_step<Block<double>>(Sriw1{}, Additive{});
  check_step<Block<double>>(Sosri2{}, Additive{});
  check_step<PathState<float, 2>>(Sriw1{}, Diagonal{});
  check_step<PathState<double>>(Sosri2{}, Scalar{});
}

TEMPLATE_TEST_CASE("a step of an SRI method is the Ito-Taylor scheme to O(h^2), in the mean better",
                   "", Sriw1, Sriw2, Sosri, Sosri2) {
  const double h = 0x1p-14;
  for (const auto& [xi, eta] : {std::pair{1.1, -0.6}, {-0.4, 1.3}, {-1.7, -0.2}}) {
    const double slope =
        std::log2(taylor_error<TestType>(h, xi, eta) / taylor_error<TestType>(h / 2, xi, eta));
    CHECK_THAT(slope, WithinAbs(2, 0.1));
  }
  CHECK(std::log2(mean_taylor_error<TestType>(h) / mean_taylor_error<TestType>(h / 2)) > 2.4);
}

TEST_CASE("SRI methods count their evaluations and claim nothing for noise they do not take") {
  CHECK(Sriw1::facts.evaluations(NoiseKind::diagonal).drift == 2);
  CHECK(Sriw1::facts.evaluations(NoiseKind::diagonal).diffusion == 4);
  CHECK(Sriw2::facts.evaluations(NoiseKind::scalar).drift == 3);
  CHECK(Sosri2::facts.evaluations(NoiseKind::scalar).drift == 4);
  CHECK(Sosri2::facts.evaluations(NoiseKind::scalar).diffusion == 4);
  CHECK_FALSE(Sriw1::facts.orders(NoiseKind::general).strong);
  CHECK_FALSE(Sriw1::facts.orders(NoiseKind::commutative).strong);
}
