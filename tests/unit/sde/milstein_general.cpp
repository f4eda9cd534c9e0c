/// @file  unit/sde/milstein_general.cpp
/// @brief Milstein steps for noise by columns, with and without Levy areas, against their formulas;
///        the variance of the antithetic coupling, exactly.

#include "no_allocation.hpp"

#include <array>
#include <cmath>
#include <vector>

#include <Eigen/Dense>

#include "catch.hpp"

#include <fokker/solvers/core/grid.hpp>
#include <fokker/solvers/ito/antithetic_milstein.hpp>
#include <fokker/solvers/ito/milstein.hpp>
#include <fokker/solvers/ito/milstein_general.hpp>
#include <fokker/solvers/noise/brownian.hpp>

using namespace fokker;

namespace {

using Vector = Eigen::Vector2d;
using Matrix = Eigen::Matrix2d;

// ---- a nonlinear problem with three sources, on plain vectors and as a process ------------------

Vector f(const Vector& x, double t) { return {t - x[1], x[0] * x[1]}; }

Vector g(const Vector& x, double t, Index k) {
  switch (k) {
    case 0:
      return {x[1] * x[0], 1 + t};
    case 1:
      return {std::cos(x[1]), -t * x[0]};
    default:
      return {std::sin(x[0]), x[0] + x[1]};
  }
}

template <NoiseKind kind>
struct Problem {
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr NoiseKind noise = kind;
  Index sources() const { return 3; }
  void drift(const auto& x, Time t, auto& out) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    out.row(0) = S(t) - x.row(1);
    out.row(1) = x.row(0) * x.row(1);
  }
  void diffusion(const auto& x, Time t, Index k, auto& out) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    switch (k) {
      case 0:
        out.row(0) = x.row(1) * x.row(0);
        out.row(1).setConstant(S(1 + t));
        break;
      case 1:
        out.row(0) = x.row(1).cos();
        out.row(1) = S(-t) * x.row(0);
        break;
      default:
        out.row(0) = x.row(0).sin();
        out.row(1) = x.row(0) + x.row(1);
    }
  }
};

const double t = 0.3, h = 0.25;

/// int int dW_k dW_l, k inside, from the increments and the matrix of areas.
double iterated(const Eigen::Vector3d& w, const Eigen::Matrix3d& area, Index k, Index l) {
  return (w[k] * w[l] - (k == l ? h : 0)) / 2 + area(k, l);
}

Vector expected_milstein(const Vector& x, const Eigen::Vector3d& w, const Eigen::Matrix3d& area) {
  Vector y = x + h * f(x, t);
  for (Index l = 0; l < 3; ++l) {
    Vector v = Vector::Zero();
    for (Index k = 0; k < 3; ++k) v += g(x, t, k) * iterated(w, area, k, l);
    y += g(x, t, l) * w[l] + g(x + v, t, l) - g(x, t, l);
  }
  return y;
}

Vector expected(Milstein, const Vector& x, const Eigen::Vector3d& w, const Eigen::Matrix3d&) {
  return expected_milstein(x, w, Eigen::Matrix3d::Zero());
}
Vector expected(MilsteinTruncated, const Vector& x, const Eigen::Vector3d& w,
                const Eigen::Matrix3d&) {
  return expected_milstein(x, w, Eigen::Matrix3d::Zero());
}
Vector expected(MilsteinLevy, const Vector& x, const Eigen::Vector3d& w,
                const Eigen::Matrix3d& area) {
  return expected_milstein(x, w, area);
}
Vector expected(Sri2, const Vector& x, const Eigen::Vector3d& w, const Eigen::Matrix3d& area) {
  const Vector u = x + h * f(x, t);
  Vector y = x + h / 2 * (f(x, t) + f(u, t + h));
  for (Index l = 0; l < 3; ++l) {
    Vector v = Vector::Zero();
    for (Index k = 0; k < 3; ++k) v += g(x, t, k) * iterated(w, area, k, l) / std::sqrt(h);
    y += g(x, t, l) * w[l] + std::sqrt(h) / 2 * (g(u + v, t + h, l) - g(u - v, t + h, l));
  }
  return y;
}

/// Steps a block (or a path) of columns that all differ and compares each with `expected`.
template <class X, class M, NoiseKind kind>
void check_step(const M& method, const Problem<kind>& process) {
  using S = typename X::Scalar;
  using P = Problem<kind>;
  static_assert(Stepper<M, P, X>);
  const Index n = X::ColsAtCompileTime == 1 ? 1 : 37;
  X x(2, n), y(2, n);
  Increment<P, X> dw;
  dw.resize(3, n, {.area = true});
  for (Index j = 0; j < n; ++j) {
    const double shift = 0.1 * static_cast<double>(j);
    x.col(j) << static_cast<S>(0.5 + shift), static_cast<S>(-1 + 0.3 * shift);
    for (Index k = 0; k < 3; ++k) {
      dw.w(k, j) = static_cast<S>(0.2 - 0.15 * static_cast<double>(k) + 0.05 * shift);
      dw.area(k, j) = static_cast<S>(-0.05 + 0.04 * static_cast<double>(k) + 0.01 * shift);
    }
  }
  typename M::template Workspace<X> workspace(2, n);
  method.step(process, x, t, h, dw, y, workspace);
  y.setZero();
  {
    const NoAllocation guard;
    method.step(process, x, t, h, dw, y, workspace);
  }

  const double tolerance = std::is_same_v<S, float> ? 4e-6 : 4e-15;
  for (Index j = 0; j < n; ++j) {
    const Eigen::Vector3d w = dw.w.col(j).matrix().template cast<double>();
    Eigen::Matrix3d area = Eigen::Matrix3d::Zero();
    for (Index l = 1; l < 3; ++l)
      for (Index k = 0; k < l; ++k) {
        area(k, l) = static_cast<double>(dw.area(area_row(k, l), j));
        area(l, k) = -area(k, l);
      }
    const Vector want = expected(method, x.col(j).matrix().template cast<double>(), w, area);
    const double error = (y.col(j).matrix().template cast<double>() - want).norm();
    CHECK_THAT(error / want.norm(), WithinAbs(0, tolerance));
  }
}

// ---- a linear system that does not commute ------------------------------------------------------

const Matrix drift_matrix{{-.4, .3}, {.1, -.2}};
const std::array<Matrix, 2> noise_matrix{Matrix{{.2, .4}, {0, .1}}, Matrix{{.1, 0}, {.5, -.2}}};

struct Linear {
  [[maybe_unused]] static constexpr Calculus calculus = Calculus::ito;
  static constexpr NoiseKind noise = NoiseKind::general;
  Index sources() const { return 2; }
  void drift(const auto& x, Time, auto& out) const { out = drift_matrix.lazyProduct(x.matrix()); }
  void diffusion(const auto& x, Time, Index k, auto& out) const {
    out = noise_matrix[static_cast<std::size_t>(k)].lazyProduct(x.matrix());
  }
};

using X = Block<double>;

}  // namespace

TEMPLATE_TEST_CASE("a step for noise by columns is its formula, and allocates in the first alone",
                   "", (Block<double>), (Block<float>), (PathState<double, 2>)) {
  check_step<TestType>(Milstein{}, Problem<NoiseKind::commutative>{});
  check_step<TestType>(MilsteinTruncated{}, Problem<NoiseKind::general>{});
  check_step<TestType>(MilsteinLevy{}, Problem<NoiseKind::general>{});
  check_step<TestType>(Sri2{}, Problem<NoiseKind::general>{});
}

TEST_CASE("on a linear system the term of k inside l is B_l B_k I_kl") {
  const X x{{0.7}, {-1.3}};
  Increment<Linear, X> dw;
  dw.resize(2, 1, {.area = true});
  dw.w << 0.3, -0.6;
  dw.area << 0.11;
  MilsteinLevy::Workspace<X> workspace(2, 1);
  X y(2, 1);

  MilsteinLevy{}.step(Linear{}, x, t, h, dw, y, workspace);

  const auto& [b0, b1] = noise_matrix;
  const Matrix one = Matrix::Identity();
  const Matrix m = one + h * drift_matrix + 0.3 * b0 - 0.6 * b1 + (0.09 - h) / 2 * b0 * b0 +
                   (0.36 - h) / 2 * b1 * b1 + (-0.18 / 2 + 0.11) * b1 * b0 +
                   (-0.18 / 2 - 0.11) * b0 * b1;
  CHECK((y.matrix() - m * x.matrix()).norm() < 1e-15);
}

namespace {

/// X = (W_0, W_1, int W_0 dW_1, int W_1 dW_0). Source: Clark & Cameron (1980).
struct ClarkCameron {
  static constexpr NoiseKind noise = NoiseKind::general;
  [[maybe_unused]] static constexpr Calculus calculus = Calculus::ito;
  Index sources() const { return 2; }
  double drift(const auto&, Time) const { return 0; }
  void diffusion(const auto& x, Time, Index k, auto& out) const {
    out.setZero();
    out.row(k).setOnes();
    out.row(3 - k) = x.row(1 - k);
  }
};

/// The end of `steps` steps over [0, 1] on the path with 256 fine increments.
template <class M>
X clark_cameron(const M& method, Index steps, Index paths, bool turned = false) {
  const Needs needs{.area = true};
  const Index fine = 256;
  CoarsenedIncrements source(BrownianIncrements<double>(3, 0, paths, 2, needs), fine / steps,
                             needs);
  Increment<ClarkCameron, X> dw;
  dw.resize(2, paths, needs);
  X x = X::Zero(4, paths), y = x;
  typename M::template Workspace<X> workspace(4, paths);
  const TimeGrid grid = uniform_grid(0, 1, steps);
  for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
    source.increment(grid[i], grid[i + 1], dw);
    if (turned) dw.area = -dw.area;
    method.step(ClarkCameron{}, x, grid[i], grid[i + 1] - grid[i], dw, y, workspace);
    x.swap(y);
  }
  return x;
}

double rms(const X& difference) { return std::sqrt(difference.square().mean()); }

}  // namespace

TEMPLATE_TEST_CASE("with its areas the Clark-Cameron system is exact at every step", "",
                   MilsteinLevy, Sri2) {
  const X fine = clark_cameron(TestType{}, 256, 100);
  for (const Index steps : {1, 4, 64})
    CHECK((clark_cameron(TestType{}, steps, 100) - fine).abs().maxCoeff() < 1e-12);

  // J_lk for J_kl, the area with the wrong sign, is as bad as no area at all.
  CHECK(rms((clark_cameron(TestType{}, 64, 100, true) - fine).bottomRows(2)) > 0.05);
}

TEST_CASE("without areas the error on the Clark-Cameron system is sqrt(h / 4)") {
  const Index paths = 10000;
  const X exact = clark_cameron(MilsteinLevy{}, 256, paths).bottomRows(2);
  for (const Index steps : {4, 16, 64}) {
    const X error = clark_cameron(MilsteinTruncated{}, steps, paths).bottomRows(2) - exact;

    const double ratio = error.square().mean() * 4 * static_cast<double>(steps);
    CHECK_THAT(ratio, WithinAbs(1, 0.05));  // standard error about 0.01
  }
}

namespace {

using Matrix6 = Eigen::Matrix<double, 6, 6>;
using Matrix36 = Eigen::Matrix<double, 36, 36>;

/// Var(x_0 of `weights` applied to (fine, twin, coarse)) after `steps` coarse steps over [0, 1].
/// The scheme is quadratic in the increments, so the mean of its square is the same for normals and
/// for the three-point variables that share their first five moments: 81 outcomes say it exactly.
double variance(const Eigen::Vector3d& weights, int steps) {
  const double length = 1.0 / steps, root_3 = std::sqrt(3.0);
  const std::array<double, 3> z{0, root_3, -root_3}, p{2. / 3, 1. / 6, 1. / 6};
  const Index n = 81;
  Increment<Linear, X> first, second, both;
  first.resize(2, n), second.resize(2, n), both.resize(2, n);
  Eigen::ArrayXd probability = Eigen::ArrayXd::Ones(n);
  for (Index j = 0; j < n; ++j) {
    Index rest = j;
    for (auto* dw : {&first, &second})
      for (Index k = 0; k < 2; ++k, rest /= 3) {
        const auto which = static_cast<std::size_t>(rest % 3);
        dw->w(k, j) = std::sqrt(length / 2) * z[which];
        probability[j] *= p[which];
      }
  }
  MilsteinTruncated::Workspace<X> workspace(2, n);
  X y(2, n);
  std::vector<AntitheticPaths<X>> columns;
  for (Index i = 0; i < 2; ++i) {
    X start = X::Zero(2, n);
    start.row(i).setOnes();
    columns.emplace_back(start).step(MilsteinTruncated{}, Linear{}, 0, length, first, second, both,
                                     y, workspace);
  }

  Matrix6 mean = Matrix6::Zero();
  Matrix36 square = Matrix36::Zero();
  for (Index j = 0; j < n; ++j) {
    Matrix6 m = Matrix6::Zero();
    for (Index i = 0; i < 2; ++i) {
      const auto& c = columns[static_cast<std::size_t>(i)];
      m.block<2, 1>(0, i) = c.fine.col(j).matrix();
      m.block<2, 1>(2, 2 + i) = c.twin.col(j).matrix();
      m.block<2, 1>(4, 4 + i) = c.coarse.col(j).matrix();
    }
    mean += probability[j] * m;
    for (Index a = 0; a < 6; ++a)
      for (Index b = 0; b < 6; ++b)
        square.block<6, 6>(6 * a, 6 * b) += probability[j] * m(a, b) * m;
  }
  Eigen::Matrix<double, 6, 1> e = Eigen::Matrix<double, 6, 1>::Ones();
  Eigen::Matrix<double, 36, 1> e_e = Eigen::Matrix<double, 36, 1>::Ones();
  for (int k = 0; k < steps; ++k) {
    e = mean * e;
    e_e = square * e_e;
  }
  double first_moment = 0, second_moment = 0;
  for (Index a = 0; a < 3; ++a) {
    first_moment += weights[a] * e[2 * a];
    for (Index b = 0; b < 3; ++b) second_moment += weights[a] * weights[b] * e_e[12 * a + 2 * b];
  }
  return second_moment - first_moment * first_moment;
}

}  // namespace

TEST_CASE("the antithetic coupling has Var(P_f - P_c) = O(h^2), the plain one O(h)") {
  const auto order = [](const Eigen::Vector3d& weights) {
    return std::log2(variance(weights, 512) / variance(weights, 1024));
  };

  CHECK_THAT(order({0.5, 0.5, -1}), WithinAbs(2, 0.05));
  CHECK_THAT(order({1, 0, -1}), WithinAbs(1, 0.05));
}
