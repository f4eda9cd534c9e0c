/// @file  unit/sde/sra.cpp
/// @brief The stochastic Runge-Kutta methods for additive noise: conditions of the tableaus, the
/// step
///        against its formula, its error against the Taylor expansion.

#include "no_allocation.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "catch.hpp"

#include <fokker/solvers/ito/sri.hpp>

using namespace fokker;

namespace {

/// The conditions for strong order 1.5 in terms of W and H, where every stage has the noise
/// A_i W + B_i H for constant g: the largest residual.
template <std::size_t s, std::size_t r>
double worst_residual(const AdditiveTableau<s, r>& m) {
  double b = 0, w = 0, h = 0, w_node = 0, h_node = 0, b_w = 0, b_h = 0, b_square = 0, b_c = 0;
  for (std::size_t j = 0; j < r; ++j) {
    w += m.weights.w[j], w_node += m.weights.w[j] * m.nodes[j];
    h += m.weights.h[j], h_node += m.weights.h[j] * m.nodes[j];
  }
  double worst = 0;
  for (std::size_t i = 0; i < s; ++i) {
    double c = 0, stage_w = 0, stage_h = 0;
    for (std::size_t j = 0; j < i; ++j) c += m.a[i][j];
    for (std::size_t j = 0; j < r; ++j) stage_w += m.a_w[i][j], stage_h += m.a_h[i][j];
    const double b_i = m.weights.b[i];
    b += b_i, b_c += b_i * c, b_w += b_i * stage_w, b_h += b_i * stage_h;
    b_square += b_i * (stage_w * stage_w + stage_h * stage_h / 12);
    worst = std::max(worst, std::abs(c - m.c[i]));
  }
  for (const double residual :
       {b - 1, w - 1, h, w_node - 0.5, h_node + 1, b_w - 0.5, b_h - 1, b_square - 0.5, b_c - 0.5})
    worst = std::max(worst, std::abs(residual));
  return worst;
}

/// Each coefficient that is not zero moved by `shift`: the smallest of the worst residuals.
template <std::size_t s>
double least_residual_when_one_moves(const SraTableau<s>& m, double shift) {
  double least = 1;
  const auto visit = [&](auto&& coefficient) {
    SraTableau<s> moved = m;
    double& c = coefficient(moved);
    if (c == 0) return;
    c += shift;
    least = std::min(least, worst_residual(additive_form(moved)));
  };
  using Tableau = SraTableau<s>;
  for (std::size_t i = 0; i < s; ++i) {
    for (const auto row :
         {&Tableau::alpha, &Tableau::beta1, &Tableau::beta2, &Tableau::c0, &Tableau::c1})
      visit([&](Tableau& t) -> double& { return (t.*row)[i]; });
    for (const auto matrix : {&Tableau::a0, &Tableau::b0})
      for (std::size_t j = 0; j < i; ++j)
        visit([&](Tableau& t) -> double& { return (t.*matrix)[i][j]; });
  }
  return least;
}

// dX = (sin X + t) dt + g(t) dW in two dimensions, with g = (2 + t, 3 t^2).
double f(double x, double t) { return std::sin(x) + t; }
double g(std::size_t r, double t) { return r == 0 ? 2 + t : 3 * t * t; }

struct Process {
  static constexpr NoiseKind noise = NoiseKind::additive;
  auto drift(const auto& x, Time t) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    return x.sin() + S(t);
  }
  PathState<double, 2> diffusion(Time t) const { return {2 + t, 3 * t * t}; }
};

/// y and y minus the method of lower order inside it, for component r of one path.
using Pair = std::pair<double, double>;

template <std::size_t s>
Pair expected(const SraTableau<s>& m, std::size_t r, double x, double t, double h, double w,
              double area) {
  const double i10 = w / 2 + area;
  std::array<double, s> k{};
  double y = x, error = 0;
  for (std::size_t i = 0; i < s; ++i) {
    double z = x;
    for (std::size_t j = 0; j < i; ++j)
      z += m.a0[i][j] * k[j] * h + m.b0[i][j] * g(r, t + m.c1[j] * h) * i10;
    k[i] = f(z, t + m.c0[i] * h);
    const double second = m.beta2[i] * i10 * g(r, t + m.c1[i] * h);
    y += m.alpha[i] * k[i] * h + m.beta1[i] * w * g(r, t + m.c1[i] * h) + second;
    error += (m.alpha[i] - (i == 0 ? 1 : 0)) * k[i] * h + second;
  }
  return {y, error};
}

Pair expected(const tableaus::Shark&, std::size_t r, double x, double t, double h, double w,
              double area) {
  const double g0 = g(r, t), correction = (g(r, t + h) - g0) * (w / 2 - area);
  const double k1 = f(x + g0 * area, t);
  const double k2 = f(x + 5.0 / 6 * (h * k1 + g0 * w) + g0 * area, t + 5.0 / 6 * h);
  return {x + h * (0.4 * k1 + 0.6 * k2) + g0 * w + correction, 0.6 * h * (k2 - k1) + correction};
}

Pair expected(const tableaus::Sea&, std::size_t r, double x, double t, double h, double w,
              double area) {
  const double g0 = g(r, t), k = f(x + g0 * (w / 2 + area), t);
  return {x + h * k + g0 * w + (g(r, t + h) - g0) * (w / 2 - area), 0};
}

/// One step, and the error estimate if the method has one, against `expected`.
template <class X, class M>
void check_step(const M& method, const auto& formula) {
  static_assert(Stepper<M, Process, X>);
  using S = typename X::Scalar;
  const double t = 0.3, h = 0.125;
  const Process process;
  const Index n = X::ColsAtCompileTime == 1 ? 1 : 19;
  X x(2, n), y(2, n), error = X::Zero(2, n);
  Increment<Process, X> dw;
  dw.resize(2, n, needs_of(method));
  for (Index j = 0; j < n; ++j) {
    const double shift = 0.1 * static_cast<double>(j);
    x.col(j) << static_cast<S>(0.5 + shift), static_cast<S>(0.3 * shift - 1);
    dw.w.col(j) << static_cast<S>(0.3 - 0.05 * shift), static_cast<S>(-0.15 - 0.05 * shift);
    dw.h.col(j) << static_cast<S>(0.04 * shift - 0.07), static_cast<S>(0.03 + 0.04 * shift);
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

  const double tolerance = std::is_same_v<S, float> ? 2e-6 : 1e-14;
  for (Index j = 0; j < n; ++j)
    for (Index r = 0; r < 2; ++r) {
      const auto [want, want_error] =
          expected(formula, static_cast<std::size_t>(r), x(r, j), t, h, dw.w(r, j), dw.h(r, j));
      CHECK_THAT(y(r, j), WithinAbs(want, tolerance));
      CHECK_THAT(error(r, j), WithinAbs(want_error, tolerance));
    }
}

/// y minus the Taylor scheme of strong order 1.5 after one step of dX = sin X dt + (1 + t) dW from
/// t = 0, with W = sqrt(h) xi, H = sqrt(h / 12) eta.
template <class M>
double taylor_error(double h, double xi, double eta) {
  using X = PathState<double, 1>;
  const auto process = make_sde([](const auto& x, Time) { return x.sin(); },
                                [](Time t) { return 1 + t; }, noise::additive);
  Increment<std::remove_const_t<decltype(process)>, X> dw;
  dw.resize(1, 1, M::facts.needs);
  const double x = 0.7, w = std::sqrt(h) * xi, area = std::sqrt(h / 12) * eta;
  dw.w(0) = w;
  dw.h(0) = area;
  typename M::template Workspace<X> workspace(1, 1);
  X y;
  M{}.step(process, X::Constant(x).eval(), 0, h, dw, y, workspace);

  const double a = std::sin(x), da = std::cos(x);
  return y(0) - (x + a * h + w + h * (w / 2 - area) + da * h * (w / 2 + area) +
                 (a * da - a / 2) * h * h / 2);
}

/// The mean over normal xi and eta, exact for polynomials of degree 9.
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

TEST_CASE("the tableaus for additive noise meet the conditions of strong order 1.5") {
  CHECK(worst_residual(Sra1::tableau) < 4e-16);
  CHECK(worst_residual(Sra2::tableau) < 4e-16);
  CHECK(worst_residual(Sra3::tableau) < 4e-16);
  CHECK(worst_residual(Sosra::tableau) < 2e-14);
  CHECK(worst_residual(Shark::tableau) < 4e-16);
  CHECK(worst_residual(additive_form(Sriw1::tableau)) < 4e-16);
  CHECK(worst_residual(additive_form(Sosri2::tableau)) < 2e-13);

  // SEA has strong order 1: it misses the two conditions on the means of order h^2.
  CHECK_THAT(worst_residual(Sea::tableau), WithinAbs(0.5, 1e-15));
  CHECK(least_residual_when_one_moves(tableaus::Sra1::tableau, 1e-6) > 1e-8);
  CHECK(least_residual_when_one_moves(tableaus::Sra2::tableau, 1e-6) > 1e-8);
  CHECK(least_residual_when_one_moves(tableaus::Sra3::tableau, 1e-6) > 1e-8);
  CHECK(least_residual_when_one_moves(tableaus::Sosra::tableau, 1e-6) > 1e-8);
}

TEST_CASE("a step for additive noise and its error are their formulas") {
  using X = Block<double>;
  check_step<X>(Sra1{}, tableaus::Sra1::tableau);
  check_step<X>(Sra2{}, tableaus::Sra2::tableau);
  check_step<X>(Sra3{}, tableaus::Sra3::tableau);
  check_step<X>(Sosra{}, tableaus::Sosra::tableau);
  check_step<X>(Shark{}, tableaus::Shark{});
  check_step<X>(Sea{}, tableaus::Sea{});
  check_step<PathState<float, 2>>(Sra1{}, tableaus::Sra1::tableau);
  check_step<PathState<double>>(Shark{}, tableaus::Shark{});
}

TEMPLATE_TEST_CASE(
    "a step of strong order 1.5 is the Taylor scheme to O(h^2), in the mean to O(h^3)", "", Sra1,
    Sra2, Sra3, Sosra, Shark) {
  const double fine = 0x1p-13, h = 0x1p-8;
  for (const auto& [xi, eta] : {std::pair{1.1, -0.6}, {-0.4, 1.3}, {-1.7, -0.2}}) {
    const double slope = std::log2(taylor_error<TestType>(fine, xi, eta) /
                                   taylor_error<TestType>(fine / 2, xi, eta));
    CHECK_THAT(slope, WithinAbs(2, 0.1));
  }
  CHECK_THAT(std::log2(mean_taylor_error<TestType>(h) / mean_taylor_error<TestType>(h / 2)),
             WithinAbs(3, 0.1));
}

TEST_CASE("SEA, of strong order 1, misses the mean of order h^2") {
  const double h = 0x1p-8;
  CHECK_THAT(std::log2(mean_taylor_error<Sea>(h) / mean_taylor_error<Sea>(h / 2)),
             WithinAbs(2, 0.05));
}

TEST_CASE("methods for additive noise count what they evaluate") {
  const auto count = [](const Evaluations& e) { return std::pair{e.drift, e.diffusion}; };
  CHECK(count(Sra1::facts.evaluations(NoiseKind::additive)) == std::pair{2, 2});
  CHECK(count(Sra3::facts.evaluations(NoiseKind::additive)) == std::pair{3, 2});
  CHECK(count(Sosra::facts.evaluations(NoiseKind::additive)) == std::pair{3, 3});
  CHECK(count(Sea::facts.evaluations(NoiseKind::additive)) == std::pair{1, 2});
  CHECK(count(Sriw1::facts.evaluations(NoiseKind::additive)) == std::pair{2, 3});
  CHECK_FALSE(Sra1::facts.orders(NoiseKind::diagonal).strong);
}

namespace {

/// dX_1 = dW_1, dX_2 = X_1^2 dt.
struct Square {
  static constexpr NoiseKind noise = NoiseKind::additive;
  void drift(const auto& x, Time, auto& out) const {
    out.row(0).setZero();
    out.row(1) = x.row(0).square();
  }
  Eigen::Array2d diffusion(Time) const { return {1, 0}; }
};

/// E (int_0^1 W^2 dt - its approximation by one step)^2 of an additive method, by the moments of
/// (W, H): the drift X_1^2 at the stages gives a quadratic form in W and H, read off the step.
template <class M>
double error_on_square(const M& method) {
  using X = Block<double>;
  X x = X::Zero(2, 3), y(2, 3);
  Increment<Square, X> dw;
  dw.resize(2, 3, {.h = true});
  dw.w.row(0) << 1, 0, 1;
  dw.h.row(0) << 0, 1, 1;
  typename M::template Workspace<X> w(2, 3);
  method.step(Square{}, x, 0, 1, dw, y, w);
  const double a = y(1, 0), b = y(1, 1), c = y(1, 2) - a - b;  // a W^2 + b H^2 + c W H
  // Var W = 1, Var H = 1/12; Cov(int W^2, .) of W^2, H^2 and W H by int of products of covariances.
  const double square = 3 * a * a + b * b / 48 + (2 * a * b + c * c) / 12;
  const double mean_of_square = 7.0 / 12;  // E (int W^2)^2
  const double with_ww = 0.5 + 2.0 / 3, with_hh = 0.5 / 12 + 2 * (1.0 / 4) / 30,
               with_wh = 2 * (1.0 / 24);
  return mean_of_square + square - 2 * (a * with_ww + b * with_hh + c * with_wh);
}

}  // namespace

TEST_CASE(
    "shark has the smaller error on int W^2 dt: h^4 / 45 for a step, h^4 / 30 by sra1, sra3") {
  CHECK_THAT(error_on_square(Shark{}), WithinAbs(1.0 / 45, 1e-12));
  CHECK_THAT(error_on_square(Sra1{}), WithinAbs(1.0 / 30, 1e-12));
  CHECK_THAT(error_on_square(Sra3{}), WithinAbs(1.0 / 30, 1e-12));
}
