/// @file  unit/sde/exponential.cpp
/// @brief The exponential Euler step: exact where it should be, with a number, an array or a matrix
///        for the linear part.

#include "no_allocation.hpp"

#include <cmath>
#include <limits>

#include <Eigen/Dense>

#include "catch.hpp"

#include <fokker/processes/laws/matrix_exponential.hpp>
#include <fokker/processes/models/ornstein_uhlenbeck.hpp>
#include <fokker/solvers/stiff/exponential_euler.hpp>

using namespace fokker;

namespace {

struct Ou : OrnsteinUhlenbeck {
  double linear_part() const { return -theta; }
};

/// dX_i = (a_i X_i + 1) dt + s_i dW_i with a = (-3, 0).
struct Decays {
  static constexpr NoiseKind noise = NoiseKind::additive;
  Eigen::Array2d linear_part() const { return {-3, 0}; }
  void drift(const auto& x, Time, auto& out) const {
    out.row(0) = 1 - 3 * x.row(0);
    out.row(1).setOnes();
  }
  Eigen::Array2d diffusion(Time) const { return {0.5, 2}; }
};

/// dX = (A X + F(t)) dt + 0.3 X dW (diagonal), F = (t, -t).
struct Matrix {
  static constexpr NoiseKind noise = NoiseKind::diagonal;
  static constexpr Calculus calculus = Calculus::ito;
  Eigen::Matrix2d a;
  const Eigen::Matrix2d& linear_part() const { return a; }
  void drift(const auto& x, Time t, auto& out) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    out.row(0) = S(a(0, 0)) * x.row(0) + S(a(0, 1)) * x.row(1) + S(t);
    out.row(1) = S(a(1, 0)) * x.row(0) + S(a(1, 1)) * x.row(1) - S(t);
  }
  auto diffusion(const auto& x, Time) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    return S(0.3) * x;
  }
};

/// One step from x with dw, both the same in every column, without an allocation.
template <class S, class P>
Eigen::ArrayXd step(const P& process, const Eigen::ArrayXd& x0, Time t, Time h,
                    const Eigen::ArrayXd& w) {
  using X = Block<S>;
  static_assert(Stepper<ExponentialEuler, P, X>);
  require_compatible<ExponentialEuler, P>();
  X x(x0.size(), 3), y(x0.size(), 3);
  x.colwise() = x0.cast<S>();
  Increment<P, X> dw;
  dw.w.resize(w.size(), 3);
  dw.w.colwise() = w.cast<S>();
  ExponentialEuler::Workspace<X> workspace(x0.size(), 3);
  {
    const NoAllocation guard;
    ExponentialEuler{}.step(process, x, t, h, dw, y, workspace);
  }
  return y.col(1).template cast<double>();
}

Eigen::ArrayXd row(std::initializer_list<double> values) {
  Eigen::ArrayXd a(static_cast<Index>(values.size()));
  std::copy(values.begin(), values.end(), a.begin());
  return a;
}

}  // namespace

TEST_CASE("exponential Euler has the exact law of Ornstein and Uhlenbeck's process at any step") {
  for (const double h : {1e-9, 0.1, 3.0, 100.0}) {
    const Ou process{{.theta = 2, .mu = 0.7, .sigma = 0.9}};
    const double mean = step<double>(process, row({1.5}), 0, h, row({0}))[0];
    const double plus = step<double>(process, row({1.5}), 0, h, row({std::sqrt(h)}))[0];

    INFO("h " << h);
    CHECK_THAT(mean, WithinAbs(process.mean(1.5, h), 1e-15));
    CHECK_THAT((plus - mean) * (plus - mean), WithinRel(process.variance(1.5, h), 1e-11));
  }
}

TEST_CASE("exponential Euler takes each component's own decay, also none") {
  const double h = 0.4, fall = std::exp(-3 * h);
  const Eigen::ArrayXd y = step<double>(Decays{}, row({2, -1}), 0, h, row({0.3, 0.3}));

  CHECK_THAT(y[0], WithinAbs(1.0 / 3 + (2 - 1.0 / 3) * fall +
                                 0.15 * std::sqrt((1 - fall * fall) / (6 * h)),
                             1e-15));
  CHECK_THAT(y[1], WithinAbs(-1 + h + 0.6, 1e-15));
}

TEST_CASE("exponential Euler with a matrix is e^{hA} (x + g dw) and the integral of the rest") {
  const double t = 0.7;
  for (const double scale : {0.01, 1.0, 30.0}) {
    Matrix process;
    process.a << -2, 1, 0.5, -1;
    process.a *= scale;
    for (const double h : {0.05, 0.5}) {
      const Eigen::Matrix2d e = detail::matrix_exponential(process.a * h);
      const Eigen::Matrix2d phi = (process.a * h).inverse() * (e - Eigen::Matrix2d::Identity());
      const Eigen::Vector2d x(1.2, -0.4), noise(0.3 * 1.2 * 0.2, 0.3 * 0.4 * 0.1);
      const Eigen::Vector2d want = e * (x + noise) + h * phi * Eigen::Vector2d(t, -t);

      const Eigen::ArrayXd y = step<double>(process, x.array(), t, h, row({0.2, -0.1}));
      const Eigen::ArrayXd y_float = step<float>(process, x.array(), t, h, row({0.2, -0.1}));

      INFO("A " << scale << ", h " << h);
      CHECK((y.matrix() - want).norm() < 1e-13);
      CHECK((y_float.matrix() - want).norm() < 2e-6);
    }
  }
}

TEST_CASE("the kept exponential follows the step and the matrix") {
  using X = Block<double>;
  Matrix first, second;
  first.a << -2, 1, 0.5, -1;
  second.a << -1, 0, 0.3, -4;
  const X x = X::Constant(2, 2, 0.8);
  X y(2, 2), fresh(2, 2);
  Increment<Matrix, X> dw{X::Constant(2, 2, 0.1)};
  ExponentialEuler::Workspace<X> kept(2, 2);
  const auto same = [&](const Matrix& process, Time h) {
    ExponentialEuler::Workspace<X> clean(2, 2);
    ExponentialEuler{}.step(process, x, 0, h, dw, y, kept);
    ExponentialEuler{}.step(process, x, 0, h, dw, fresh, clean);
    return (y == fresh).all();
  };

  CHECK(same(first, 0.1));
  CHECK(same(first, 0.2));
  CHECK(same(second, 0.2));
  CHECK(same(second, 0.2));
}
