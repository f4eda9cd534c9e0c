/// @file  unit/sde/stabilised.cpp
/// @brief SK-ROCK: its stability polynomials, its mean-square stability at the stages it chooses,
///        and its formula on a nonlinear system.

#include "no_allocation.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "catch.hpp"

#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/stiff/stabilised.hpp>

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

/// y = (a + b mu dw) x of one step of 1 on the test equation.
struct Amplification {
  double a, b;
};
template <class M>
Amplification amplification(const M& method, double lambda) {
  require_compatible<M, TestEquation>();
  const X x = X::Constant(1, 2, 1);
  X y(1, 2);
  Increment<TestEquation, X> dw{X::Zero(1, 2)};
  dw.w(0, 1) = 1;
  typename M::template Workspace<X> workspace(1, 2);
  method.step(TestEquation{lambda, 1}, x, 0, 1, dw, y, workspace);
  return {y(0, 0), y(0, 1) - y(0, 0)};
}

/// The Chebyshev polynomials T_s and U_{s-1}.
double first_kind(int s, double x) {
  double before = 1, last = x;
  for (int i = 1; i < s; ++i) {
    const double next = 2 * x * last - before;
    before = last;
    last = next;
  }
  return last;
}
double second_kind(int s, double x) {
  double before = 0, last = 1;
  for (int i = 1; i < s; ++i) {
    const double next = 2 * x * last - before;
    before = last;
    last = next;
  }
  return last;
}

/// f = (sin(t) - x_1, x_0 x_1), diagonal noise (x_0, cos x_1).
struct Nonlinear {
  static constexpr NoiseKind noise = NoiseKind::diagonal;
  static constexpr Calculus calculus = Calculus::ito;
  void drift(const auto& x, Time t, auto& out) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    out.row(0) = S(std::sin(t)) - x.row(1);
    out.row(1) = x.row(0) * x.row(1);
  }
  void diffusion(const auto& x, Time, auto& out) const {
    out.row(0) = x.row(0);
    out.row(1) = x.row(1).cos();
  }
};

/// f = (x_1 - rate x_0^3, -x_1), without and with its Jacobian.
struct Cubic : Nonlinear {
  double rate = 0;
  void drift(const auto& x, Time, auto& out) const {
    out.row(0) = -rate * x.row(0).cube() + x.row(1);
    out.row(1) = -x.row(1);
  }
};
struct CubicWithJacobian : Cubic {
  void drift_jacobian(const auto& x, Time, auto& j) const {
    j << -3 * rate * x(0, 0) * x(0, 0), 1, 0, -1;
  }
};

template <class S>
Eigen::Array2d step(const SkRock& method, Time t, Time h) {
  using B = Block<S>;
  static_assert(Stepper<SkRock, Nonlinear, B>);
  require_compatible<SkRock, Nonlinear>();
  B x(2, 3), y(2, 3);
  x.row(0).setConstant(S(0.5));
  x.row(1).setConstant(S(-0.4));
  Increment<Nonlinear, B> dw;
  dw.w.resize(2, 3);
  dw.w.row(0).setConstant(S(0.3));
  dw.w.row(1).setConstant(S(-0.2));
  SkRock::Workspace<B> workspace(2, 3);
  {
    const NoAllocation guard;
    method.step(Nonlinear{}, x, t, h, dw, y, workspace);
  }
  return y.col(2).template cast<double>();
}

}  // namespace

TEST_CASE("the amplification of SK-ROCK is its pair of Chebyshev polynomials") {
  for (const double radius : {0.5, 3.0, 20.0, 300.0}) {
    const SkRock method{.spectral_radius = radius};
    const int s = method.stages(1);
    const double w0 = 1 + 0.05 / (s * s);
    const double w1 = first_kind(s, w0) / (s * second_kind(s, w0));  // T_s' = s U_{s-1}
    for (const double p : {-radius, -0.7 * radius, -0.1 * radius, 0.1}) {
      const Amplification r = amplification(method, p);

      INFO(s << " stages, h lambda " << p);
      CHECK_THAT(r.a, WithinAbs(first_kind(s, w0 + w1 * p) / first_kind(s, w0), 1e-12));
      CHECK_THAT(r.b, WithinAbs(second_kind(s, w0 + w1 * p) / second_kind(s, w0) * (1 + w1 * p / 2),
                                1e-12));
    }
  }
}

TEST_CASE("SK-ROCK is stable in mean square wherever the solution is, up to its spectral radius") {
  // E X^2 falls where 2 lambda + mu^2 < 0; the worst case is the edge mu^2 = -2 lambda.
  for (const double radius : {0.5, 1.9, 7.0, 50.0, 400.0, 5000.0}) {
    const SkRock method{.spectral_radius = radius};
    double worst = 0;
    for (int i = 1; i <= 400; ++i) {
      const double lambda = -radius * i / 400;
      const Amplification r = amplification(method, lambda);
      worst = std::max(worst, r.a * r.a + r.b * r.b * 2 * -lambda);
    }

    INFO("spectral radius " << radius << ", stages " << method.stages(1));
    CHECK(worst < 1);
  }
}

TEST_CASE("SK-ROCK takes no more stages than its region needs, and fewer would not do") {
  // 2 / omega_1 is 1.905 for one stage and grows to 1.936 s^2.
  CHECK(SkRock{}.stages(1) == 1);
  CHECK(SkRock{.spectral_radius = 1.9}.stages(1) == 1);
  CHECK(SkRock{.spectral_radius = 2}.stages(1) == 2);
  CHECK(SkRock{.spectral_radius = 1000}.stages(0.1) == 8);
  CHECK(SkRock{.spectral_radius = 1e6}.stages(1) == 719);
  const Amplification few = amplification(SkRock{.spectral_radius = 10}, -60);
  CHECK(few.a * few.a > 1);
  CHECK(std::abs(amplification(EulerMaruyama{}, -60).a) > 1);
}

TEST_CASE(
    "without a spectral radius SK-ROCK takes it from the Jacobian of the path that needs most") {
  const auto cubic_step = []<class P>(const SkRock& method, const P& process, const X& x) {
    X y(2, x.cols());
    Increment<P, X> dw{X::Constant(2, x.cols(), 0.1)};
    SkRock::Workspace<X> workspace(2, x.cols());
    method.step(process, x, 0, 0.1, dw, y, workspace);  // makes the Jacobian's scratch
    const NoAllocation guard;
    method.step(process, x, 0, 0.1, dw, y, workspace);
    return y;
  };
  X x(2, 3);
  x << 0.1, 2, std::numeric_limits<double>::quiet_NaN(), 1, 1, 1;
  const CubicWithJacobian known{{{}, 50}};
  const Cubic unknown{{}, 50};
  const double radius = 3 * 50 * 4 + 1;  // the first row of the second path

  const X given = cubic_step(SkRock{.spectral_radius = radius}, known, x);
  const X estimated = cubic_step(SkRock{}, known, x),
          differenced = cubic_step(SkRock{}, unknown, x);

  REQUIRE(SkRock{.spectral_radius = radius}.stages(0.1) == 6);
  CHECK((estimated.leftCols(2) == given.leftCols(2)).all());
  CHECK((differenced.leftCols(2) == given.leftCols(2)).all());
  CHECK(std::isnan(estimated(0, 2)));
  CHECK((estimated.leftCols(2).abs() < 3).all());
  CHECK((cubic_step(SkRock{.spectral_radius = 1}, known, x).leftCols(2).abs() > 20).any());
}

TEST_CASE(
    "without a spectral radius SK-ROCK ends with a bound on its stages, also on blown-up paths") {
  const X x = X::Constant(1, 2, 1);
  X y(1, 2);
  Increment<TestEquation, X> dw{X::Zero(1, 2)};
  SkRock::Workspace<X> workspace(1, 2);

  SkRock{}.step(TestEquation{-1e200, 0}, x, 0, 1, dw, y, workspace);
  SkRock{}.step(TestEquation{std::numeric_limits<double>::infinity(), 0}, x, 0, 1, dw, y,
                workspace);

  CHECK_FALSE(y.isFinite().all());
}

TEST_CASE("an SK-ROCK step of three stages is its formula, and allocates nothing") {
  const double t = 0.3, h = 0.25, w0 = 1 + 0.05 / 9,
               w1 = first_kind(3, w0) / (3 * second_kind(3, w0));
  const auto f = [&](const Eigen::Array2d& x, double c) {
    return Eigen::Array2d(std::sin(t + c * h) - x[1], x[0] * x[1]);
  };
  const Eigen::Array2d x(0.5, -0.4), q(0.3 * 0.5, -0.2 * std::cos(-0.4));
  const double t1 = w0, t2 = first_kind(2, w0), t3 = first_kind(3, w0);
  const double c1 = w1 / w0, c2 = 2 * w1 * t1 / t2 + 2 * w0 * t1 / t2 * c1;
  const Eigen::Array2d k1 = x + w1 / w0 * h * f(x + 1.5 * w1 * q, 0) + 3 * w1 / w0 * q;
  const Eigen::Array2d k2 = 2 * w1 * t1 / t2 * h * f(k1, c1) + 2 * w0 * t1 / t2 * k1 - 1 / t2 * x;
  const Eigen::Array2d k3 = 2 * w1 * t2 / t3 * h * f(k2, c2) + 2 * w0 * t2 / t3 * k2 - t1 / t3 * k1;
  const SkRock method{.spectral_radius = 60};

  REQUIRE(method.stages(h) == 3);
  CHECK((step<double>(method, t, h) - k3).abs().maxCoeff() < 1e-14);
  CHECK((step<float>(method, t, h) - k3).abs().maxCoeff() < 1e-6);
}
