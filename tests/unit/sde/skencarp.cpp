/// @file  unit/sde/skencarp.cpp
/// @brief SKenCarp: the order conditions of its tableau, and its step on linear equations against
///        the stages solved as one linear system.

#include "no_allocation.hpp"

#include <cmath>

#include <Eigen/Dense>

#include "catch.hpp"

#include <fokker/solvers/stiff/skencarp.hpp>

using namespace fokker;

namespace {

using Stages = Eigen::Array4d;

Eigen::Matrix4d drift_matrix() {
  Eigen::Matrix4d a;
  for (Index i = 0; i < 4; ++i)
    for (Index j = 0; j < 4; ++j)
      a(i, j) = SkenCarp::a[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
  return a;
}
const Stages weights = drift_matrix().row(3).transpose().array();
const Stages nodes = Eigen::Map<const Stages>(SkenCarp::c.data());
const Stages noise_row = Eigen::Map<const Stages>(SkenCarp::e.data());

/// dX_i = (lambda_i X_i + t) dt + g_i(t) dW_i with g = (1 + t, 2 - t), lambda_1 = lambda_0 / 10.
struct Linear {
  static constexpr NoiseKind noise = NoiseKind::additive;
  double lambda;
  void drift(const auto& x, Time t, auto& out) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    out.row(0) = S(lambda) * x.row(0) + S(t);
    out.row(1) = S(lambda / 10) * x.row(1) + S(t);
  }
  Eigen::Array2d diffusion(Time t) const { return {1 + t, 2 - t}; }
};

/// y of the step written as one system: H = x + h A (lambda H + t + c h) + e g(t) I.
double expected(double lambda, double x, double t, double h, double w, double space_time, double g,
                double g_end) {
  const Eigen::Matrix4d a = drift_matrix();
  const double mixed = w / 2 + space_time;
  const Eigen::Vector4d times = (t + h * nodes).matrix();
  const Eigen::Vector4d right =
      x * Eigen::Vector4d::Ones() + h * a * times + mixed * g * noise_row.matrix();
  const Eigen::Vector4d stages =
      (Eigen::Matrix4d::Identity() - h * lambda * a).partialPivLu().solve(right);
  return x + h * (weights.matrix().dot(lambda * stages + times)) + g_end * w + (g - g_end) * mixed;
}

template <class S>
Eigen::Array2d step(const Linear& process, double h, double w, double space_time) {
  using X = Block<S>;
  static_assert(Stepper<SkenCarp, Linear, X>);
  X x(2, 3), y(2, 3);
  x.row(0).setConstant(S(0.7));
  x.row(1).setConstant(S(-0.4));
  Increment<Linear, X> dw;
  dw.resize(2, 3, {.h = true});
  dw.w.setConstant(static_cast<S>(w));
  dw.h.setConstant(static_cast<S>(space_time));
  SkenCarp::Workspace<X> workspace(2, 3);
  {
    const NoAllocation guard;
    SkenCarp{}.step(process, x, 0.3, h, dw, y, workspace);
  }
  return y.col(1).template cast<double>();
}

}  // namespace

TEST_CASE("SKenCarp's tableau meets the conditions of strong order 3/2 for additive noise") {
  // Roessler (2010): with beta_1 = (0, 0, 0, 1), beta_2 = (1, 0, 0, -1) the others hold by sight.
  CHECK_THAT(weights.sum(), WithinAbs(1, 1e-12));
  CHECK_THAT((weights * nodes).sum(), WithinAbs(0.5, 1e-12));
  CHECK_THAT((weights * noise_row).sum(), WithinAbs(1, 1e-12));
  CHECK_THAT((weights * noise_row.square()).sum(), WithinAbs(1.5, 1e-12));
}

TEST_CASE("SKenCarp's drift has order 3") {
  const Eigen::Vector4d sums = drift_matrix().rowwise().sum();

  CHECK((sums.array() - nodes).abs().maxCoeff() < 1e-12);
  CHECK_THAT((weights * nodes.square()).sum(), WithinAbs(1.0 / 3, 1e-12));
  CHECK_THAT(weights.matrix().dot(drift_matrix() * nodes.matrix()), WithinAbs(1.0 / 6, 1e-12));
}

TEST_CASE("a SKenCarp step of a linear equation is its system of stages, and allocates nothing") {
  for (const double lambda : {-1.0, -40.0, -1e6}) {
    const double t = 0.3, h = 0.25, w = 0.2, area = -0.05;
    const double first = expected(lambda, 0.7, t, h, w, area, 1 + t, 1 + t + h);
    const double second = expected(lambda / 10, -0.4, t, h, w, area, 2 - t, 2 - t - h);
    const Eigen::Array2d y = step<double>(Linear{lambda}, h, w, area);

    INFO("lambda " << lambda);
    CHECK_THAT(y[0], WithinAbs(first, 1e-11));
    CHECK_THAT(y[1], WithinAbs(second, 1e-11));
  }
  const Eigen::Array2d y = step<float>(Linear{-2}, 0.25, 0.2, -0.05);
  CHECK_THAT(y[0], WithinAbs(expected(-2, 0.7, 0.3, 0.25, 0.2, -0.05, 1.3, 1.55), 2e-5));
}

TEST_CASE("on (W, int W^2 ds) a SKenCarp step errs by what W and H leave open, and no more") {
  // 3/2 I^2 h - int (W_s)^2 ds, I = W/2 + H, has mean 0 and variance h^4 / 30: after 1/h steps the
  // error is h^3/2 / sqrt(30), strong order 3/2 without a term of higher order.
  const auto process = make_sde(
      [](const auto& x, Time, auto& out) {
        out.row(0).setZero();
        out.row(1) = x.row(0).square();
      },
      [](Time) { return Eigen::Array2d(1, 0); }, noise::additive);
  using P = std::remove_const_t<decltype(process)>;
  using X = Block<double>;
  X x(2, 1), y(2, 1);
  x << 0.7, -0.4;
  Increment<P, X> dw;
  dw.resize(2, 1, {.h = true});
  SkenCarp::Workspace<X> workspace(2, 1);
  for (const double h : {0.5, 0.01})
    for (const double w : {0.3, -0.2}) {
      const double space_time = 0.1 - w, i = w / 2 + space_time;
      dw.w << w, 0;
      dw.h << space_time, 0;
      SkenCarp{}.step(process, x, 0.0, h, dw, y, workspace);
      CHECK_THAT(y(0, 0), WithinAbs(0.7 + w, 1e-14));
      CHECK_THAT(y(1, 0), WithinAbs(-0.4 + h * (0.49 + 2 * 0.7 * i + 1.5 * i * i), 1e-12));
    }
}

TEST_CASE("SKenCarp forgets its start in one step of a very stiff equation") {
  // The stability function at h lambda = -1e6 and without noise or t: y / x is of order 1e-6.
  const double at_zero = expected(-1e6, 0, 0, 1, 0, 0, 0, 0);
  const double at_one = expected(-1e6, 1, 0, 1, 0, 0, 0, 0);

  CHECK(std::abs(at_one - at_zero) < 1e-5);
}
