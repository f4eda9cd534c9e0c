/// Exact solutions satisfy their equations: for X_t = X(t, W_t), Ito's formula asks for
/// dX/dw_k = g_k(X) and dX/dt + 1/2 sum_k d^2X/dw_k^2 = f(X), checked by central differences. The
/// ODEs end where 30-digit Taylor series do.

#include <cmath>

#include <fokker/processes/models/brownian_motion.hpp>
#include <fokker/processes/models/geometric_brownian_motion.hpp>
#include <fokker/processes/models/kubo.hpp>
#include <fokker/processes/models/linear.hpp>
#include <fokker/processes/models/lorenz.hpp>
#include <fokker/processes/models/van_der_pol.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

#include "catch.hpp"

using namespace fokker;

namespace {

using B = Block<double>;

/// The column g_k, whatever the noise kind.
template <class P>
B noise_column(const P& p, const B& x, Index k) {
  B g(x.rows(), x.cols());
  if constexpr (noise_kind<P> == NoiseKind::general) {
    g = diffusion(p, x, 0.0, k, g);
  } else if constexpr (noise_kind<P> == NoiseKind::scalar) {
    g = diffusion(p, x, 0.0, g);
  } else {
    if constexpr (noise_kind<P> == NoiseKind::additive)
      g.setConstant(p.diffusion(0.0));
    else
      g = diffusion(p, x, 0.0, g);
    const B row = g.row(k);
    g.setZero();
    g.row(k) = row;
  }
  return g;
}

template <class P>
void check_ito(const P& p, const B& x0) {
  const Index m = wiener_dimension(p, x0.rows()), n = x0.cols();
  const double t = 0.7, h = 1e-4;
  B w(m, n);
  for (Index k = 0; k < m; ++k)
    for (Index j = 0; j < n; ++j) w(k, j) = std::sin(1.0 + static_cast<double>(3 * k + 5 * j));
  const B x = p.exact(x0, t, w);

  B generated = (p.exact(x0, t + h, w) - p.exact(x0, t - h, w)) / (2 * h);
  for (Index k = 0; k < m; ++k) {
    B up = w, down = w;
    up.row(k) += h;
    down.row(k) -= h;
    const B above = p.exact(x0, t, up), below = p.exact(x0, t, down);
    const B slope = (above - below) / (2 * h);
    generated += 0.5 * (above - 2 * x + below) / (h * h);

    CHECK((slope - noise_column(p, x, k)).abs().maxCoeff() < 1e-7);
  }
  B f(x.rows(), n);
  evaluate_drift(p, x, t, f);

  CHECK((generated - f).abs().maxCoeff() < 1e-6);
  CHECK((B(p.exact(x0, 0.0, B(B::Zero(m, n)))) - x0).abs().maxCoeff() < 1e-14);
}

/// x at t by the classical Runge-Kutta method.
template <class P, class X>
X end_of(const P& p, X x, double t, int steps) {
  const double h = t / steps;
  Rk4::Workspace<X> scratch(x.rows(), 1);
  const Increment<P, X> none{};
  for (int i = 0; i < steps; ++i) {
    X y;
    Rk4{}.step(p, x, i * h, h, none, y, scratch);
    x = y;
  }
  return x;
}

B start() {
  B x0(2, 3);
  x0 << 1.0, 0.5, 2.0, 0.3, 1.5, 1.0;
  return x0;
}

LinearSde commuting() {
  Eigen::MatrixXd A(2, 2), B1(2, 2), B2(2, 2);
  A << -1.5, 0.05, 0.05, -1.5;
  B1 << 0.2, 0.01, 0.01, 0.2;
  B2 << 0.3, -0.4, -0.4, 0.3;
  return LinearSde::homogeneous(A, {B1, B2});
}

LinearSde non_commuting() {
  Eigen::MatrixXd A(2, 2), B1(2, 2), B2(2, 2);
  A << -0.4, 0.3, 0.1, -0.2;
  B1 << 0.2, 0.4, 0, 0.1;
  B2 << 0.1, 0, 0.5, -0.2;
  return LinearSde::homogeneous(A, {B1, B2});
}

}  // namespace

TEST_CASE("exact solutions satisfy Ito's formula") {
  check_ito(BrownianMotion{.mu = 0.3, .sigma = 0.7}, start());
  check_ito(GeometricBrownianMotion{.mu = 0.6, .sigma = 0.8}, start());
  check_ito(KuboOscillator{.omega = 1.3, .sigma = 0.8}, start());
  check_ito(commuting(), start());
}

TEST_CASE("exact solutions take a number or an array as the start") {
  B w(1, 2);
  w << 0.3, -0.2;
  const GeometricBrownianMotion gbm{.mu = 1.01, .sigma = 0.87};

  const B from_number = gbm.exact(0.5, 1.0, w);
  const B from_array = gbm.exact(B(B::Constant(1, 2, 0.5)), 1.0, w);
  const double one = gbm.exact(0.5, 1.0, 0.3);

  CHECK(one == Approx(0.5 * std::exp(0.63155 + 0.87 * 0.3)).epsilon(1e-14));
  CHECK(from_number(0, 0) == Approx(one).epsilon(1e-14));
  CHECK((from_number == from_array).all());
}

TEST_CASE("a linear SDE has an exact solution only where everything commutes") {
  const LinearSde p = non_commuting();
  LinearSde shifted = commuting();
  shifted.b[0][0] = 1;
  const B w = B::Zero(2, 3);

  CHECK(commuting().has_exact());
  CHECK(commuting().commutative());
  CHECK_FALSE(p.commutative());
  CHECK_FALSE(p.has_exact());
  CHECK_FALSE(shifted.has_exact());
  CHECK_FALSE(shifted.commutative());
  CHECK_THROWS_WITH(p.exact(start(), 1.0, w), ContainsSubstring("must commute"));
}

TEST_CASE("noise that commutes while the drift does not leaves no exact solution") {
  LinearSde p = commuting();
  p.A << 1, 2, 0, 3;

  CHECK(p.commutative());
  CHECK_FALSE(p.has_exact());
}

TEST_CASE("the Lorenz system ends where its Taylor series does") {
  const PathState<double, 3> wanted(-4.90268754113464573, -3.74387292180291962,
                                    24.6908581027905555);

  const auto x = end_of(Lorenz{}, PathState<double, 3>(1, 1, 1), 10, 40000);

  CHECK((x - wanted).abs().maxCoeff() < 1e-8);
}

TEST_CASE("the Van der Pol oscillator ends where its Taylor series does") {
  const double eps = 1e-3, mu = 1 / std::sqrt(eps);

  const auto x = end_of(VanDerPol{.mu = mu}, PathState<double, 2>(2, 0), 2 * mu, 400000);

  CHECK(x[0] == Approx(1.76323454020343846).epsilon(1e-9));
  CHECK(x[1] * mu == Approx(-0.835688681677677391).epsilon(1e-9));
}
