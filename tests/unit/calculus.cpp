/// @file  unit/calculus.cpp
/// @brief Ito and Stratonovich: the drift that conversion gives, and that it goes back.

#include "catch.hpp"

#include <fokker/processes/heston.hpp>
#include <fokker/processes/linear.hpp>
#include <fokker/solvers/any_process.hpp>
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

TEST_CASE("a conversion differentiates coefficients without a slope by dual numbers") {
  const auto zero = [](const auto& z, Time) { return 0.0 * z; };
  const auto diagonal = make_sde(
      zero, [](const auto& z, Time t) { return 2.0 + t * sin(z) * exp(-0.5 * z.square()); },
      noise::diagonal);
  const auto powers = make_sde(
      zero,
      [](const auto& z, Time) { return pow(1.0 + z.square(), 0.25) / 3.0 + z.abs().max(1.5); },
      noise::diagonal);
  const auto circle = make_sde([](const auto& z, Time) { return -0.5 * z; },
                               [](const auto& z, Time, auto& out) {
                                 out.row(0) = -z.row(1);
                                 out.row(1) = z.row(0);
                               },
                               noise::scalar);
  const Block<double> e = (-0.5 * x.square()).exp();

  CHECK_THAT((drift_of(to_stratonovich(diagonal), x) +
              0.5 * (2.0 + 0.5 * sin(x) * e) * 0.5 * e * (cos(x) - x * sin(x)))
                 .abs()
                 .maxCoeff(),
             WithinAbs(0, 1e-15));
  CHECK_THAT(
      (drift_of(to_stratonovich(powers), x) +
       0.5 * (pow(1.0 + x.square(), 0.25) / 3.0 + x.abs().max(1.5)) *
           (x * pow(1.0 + x.square(), -0.75) / 6.0 + (x.abs() > 1.5).select(x.sign(), 0.0 * x)))
          .abs()
          .maxCoeff(),
      WithinAbs(0, 1e-14));
  CHECK(drift_of(to_stratonovich(circle), x).abs().maxCoeff() == 0);
}

TEST_CASE("the Stratonovich drift of noise by columns is f - sum_k (g_k . grad) g_k / 2") {
  const Eigen::Matrix2d A{{-1, 0.5}, {0.25, -2}}, B0{{0.5, 1}, {-0.25, 2}}, B1{{1, 0}, {3, -1}};
  const auto linear = LinearSde::homogeneous(A, {B0, B1});
  const auto lambdas = make_sde(
      [&](const auto& z, Time, auto& out) {
        for (Index i = 0; i < 2; ++i) out.row(i) = A(i, 0) * z.row(0) + A(i, 1) * z.row(1);
      },
      [&](const auto& z, Time, Index k, auto& out) {
        const auto& B = k == 0 ? B0 : B1;
        for (Index i = 0; i < 2; ++i) out.row(i) = B(i, 0) * z.row(0) + B(i, 1) * z.row(1);
      },
      noise::general(2));
  const Block<double> expected = ((A - 0.5 * (B0 * B0 + B1 * B1)) * x.matrix()).array();

  CHECK_THAT((drift_of(to_stratonovich(linear), x) - expected).abs().maxCoeff(),
             WithinAbs(0, 1e-14));
  CHECK_THAT((drift_of(to_stratonovich(lambdas), x) - expected).abs().maxCoeff(),
             WithinAbs(0, 1e-14));
  CHECK_THAT((drift_of(to_ito(to_stratonovich(lambdas)), x) - drift_of(linear, x)).abs().maxCoeff(),
             WithinAbs(0, 1e-14));
  CHECK(drift_of(to_stratonovich(AnySde<NoiseKind::general>{linear}), x)
            .isApprox(drift_of(to_stratonovich(linear), x), 0));
}

TEST_CASE("the analytic slopes of Heston's columns agree with dual numbers") {
  const Heston heston{};
  const Block<double> state = (Block<double>(2, 3) << 4.5, 4.6, 4.7, 0.04, 0.5, -0.1).finished();
  Block<double> slope(2, 3), dual(2, 3), g(2, 3);
  for (const Index k : {0, 1})
    for (const Index l : {0, 1}) {
      INFO("k = " << k << ", l = " << l);
      heston.diffusion(state, 0, k, g);

      heston.diffusion_slope(state, 0, k, l, slope);
      detail::differentiate([&](const auto& z, auto& out) { heston.diffusion(z, 0, l, out); },
                            state, g, dual);

      CHECK_THAT((slope - dual).leftCols(2).abs().maxCoeff(), WithinAbs(0, 1e-15));
      CHECK(slope.col(2).abs().maxCoeff() == 0);
    }
}

TEST_CASE("additive noise and processes of the wanted calculus stay as they are") {
  static_assert(std::same_as<decltype(to_stratonovich(Additive{})), Additive>);
  static_assert(std::same_as<decltype(to_ito(Square{})), Square>);
  SUCCEED();
}
