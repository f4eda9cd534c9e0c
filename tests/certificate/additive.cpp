#include "certify.hpp"

using namespace certificate;

namespace {

struct Nonlinear {
  static constexpr NoiseKind noise = NoiseKind::additive;
  void drift(const X& x, Time, X& out) const { nonlinear_drift(x, out); }
  Eigen::Array2d linear_part() const { return {-1, 0}; }
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
  certify_strong<NoiseKind::additive>({"nonlinear drift, g(t)", p, p}, "slow-rk", 2048,
                                      "additive-strong");
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
                                     {"drift-implicit-trapezoid", 2}});
}
