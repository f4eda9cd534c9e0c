/// @file  unit/calculus.cpp
/// @brief Ito and Stratonovich: the drift that conversion gives, and that it goes back.

#include "catch.hpp"

#include <fokker/solvers/calculus.hpp>

using namespace fokker;

namespace {

/// dX_i = t dt + X_i^2 dW_i.
struct Square {
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr NoiseKind noise = NoiseKind::diagonal;
  auto drift(const auto& x, Time t) const { return t + 0.0 * x; }
  auto diffusion(const auto& x, Time) const { return x * x; }
  auto diffusion_slope(const auto& x, Time) const { return 2.0 * x; }
};

/// The circle: dX = -X/2 dt - Y dW, dY = -Y/2 dt + X dW; its Stratonovich drift is zero.
struct Circle {
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr NoiseKind noise = NoiseKind::scalar;
  auto drift(const auto& x, Time) const { return -0.5 * x; }
  void diffusion(const auto& x, Time, auto& out) const {
    out.row(0) = -x.row(1);
    out.row(1) = x.row(0);
  }
  auto diffusion(const auto& x, Time t) const {
    Plain<decltype(x)> g(x.rows(), x.cols());
    diffusion(x, t, g);
    return g;
  }
  auto diffusion_slope(const auto& x, Time) const { return -x; }
};

struct Additive {
  static constexpr NoiseKind noise = NoiseKind::additive;
  auto drift(const auto& x, Time) const { return -x; }
  double diffusion(Time) const { return 1; }
};

template <class P>
Block<double> drift_of(const P& p, const Block<double>& x) {
  Block<double> out(x.rows(), x.cols());
  evaluate_drift(p, x, 0.5, out);
  return out;
}

const Block<double> x = (Block<double>(2, 3) << 1, 2, -1, 0.5, -3, 4).finished();

}  // namespace

TEST_CASE("the Stratonovich drift of diagonal noise is f - g g' / 2") {
  const auto converted = to_stratonovich(Square{});

  static_assert(converted.calculus == Calculus::stratonovich);
  CHECK_THAT((drift_of(converted, x) - (0.5 - x.cube())).abs().maxCoeff(), WithinAbs(0, 1e-14));
}

TEST_CASE("the Stratonovich drift of scalar noise is f - (g . grad) g / 2") {
  const auto converted = to_stratonovich(Circle{});

  CHECK(drift_of(converted, x).abs().maxCoeff() == 0);
}

TEST_CASE("converting there and back gives the drift again") {
  const auto back = to_ito(to_stratonovich(Square{}));

  static_assert(back.calculus == Calculus::ito);
  CHECK_THAT((drift_of(back, x) - drift_of(Square{}, x)).abs().maxCoeff(), WithinAbs(0, 1e-14));
}

TEST_CASE("additive noise and processes of the wanted calculus stay as they are") {
  static_assert(std::same_as<decltype(to_stratonovich(Additive{})), Additive>);
  static_assert(std::same_as<decltype(to_ito(Square{})), Square>);
  SUCCEED();
}
