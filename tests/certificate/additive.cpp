#include "certify.hpp"

using namespace certificate;

namespace {

struct Nonlinear {
  static constexpr NoiseKind noise = NoiseKind::additive;
  void drift(const X& x, Time, X& out) const { nonlinear_drift(x, out); }
  Eigen::Array2d linear_part() const { return {-1, 0}; }
  Eigen::Array2d diffusion(Time t) const { return {1.1 * (1 + 0.5 * t), 0.9 - 0.3 * t}; }
};

/// dX_1 = dt + g dW, dX_2 = X_1^2 dt + g dW: the noise is squared and goes no further, so that
/// terms of order 2 stay small (see unit/sde/skencarp.cpp).
struct Square {
  static constexpr NoiseKind noise = NoiseKind::additive;
  void drift(const X& x, Time, X& out) const {
    out.row(0).setOnes();
    out.row(1) = x.row(0).square();
  }
  Eigen::Array2d diffusion(Time t) const { return {1.1 * (1 + 0.5 * t), 0.9 - 0.3 * t}; }
};

struct Linear {
  static constexpr NoiseKind noise = NoiseKind::additive;
  void drift(const X& x, Time, X& out) const { out = (linear_drift * x.matrix()).array(); }
  Eigen::Array2d diffusion(Time) const { return {0.5, 0.8}; }
};

}  // namespace

TEST_CASE("every solver has its strong order on additive noise") {
  const AnySde<NoiseKind::additive> p{Nonlinear{}};
  // The noise weights of skencarp, up to 14, make its errors of order 2 the larger ones here.
  certify_strong<NoiseKind::additive>({"nonlinear drift, g(t)", p, p}, "slow-rk", 2048,
                                      "additive-strong", {}, "skencarp");
}

TEST_CASE("every solver has its strong order on the square of its noise") {
  const AnySde<NoiseKind::additive> p{Square{}};
  certify_strong<NoiseKind::additive>({"drift (1, X_1^2), g(t)", p, p}, "slow-rk", 2048,
                                      "additive-strong-square");
}

TEST_CASE("every solver has its weak order on additive noise") {
  const AnySde<NoiseKind::additive> p{Linear{}};
  LinearSde linear =
      LinearSde::homogeneous(linear_drift, {two_by_two(0, 0, 0, 0), two_by_two(0, 0, 0, 0)});
  linear.b = {Eigen::Vector2d(0.5, 0), Eigen::Vector2d(0, 0.8)};
  certify_weak<NoiseKind::additive>(linear, {"linear drift", p, p}, "additive-weak",
                                    // On a linear drift with constant noise their second moments
                                    // are those of a method of order 2.
                                    {{"heun-sde", 2},
                                     {"midpoint-sde", 2},
                                     {"spark", 2},
                                     {"general-shark", 2},
                                     {"slow-rk", 2},
                                     {"drift-implicit-trapezoid", 2},
                                     {"skencarp", 2}});
}
