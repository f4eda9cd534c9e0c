/// @file  unit/core/calculus.cpp
/// @brief Ito and Stratonovich: the drift that conversion gives, and that it goes back.

#include <cmath>
#include <vector>

#include "catch.hpp"

#include <fokker/solvers/core/calculus.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/noise/brownian.hpp>
#include <fokker/solvers/noise/recorded_path.hpp>
#include <fokker/solvers/stratonovich/stochastic_heun.hpp>

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

/// dX = B_k X dW_k by columns.
template <NoiseKind kind>
auto linear_columns(const std::vector<Eigen::Matrix2d>& b) {
  return make_sde([](const auto& x, Time) { return 0.0 * x; },
                  [b](const auto& x, Time, Index k, auto& out) {
                    out = (b[static_cast<std::size_t>(k)] * x.matrix()).array();
                  },
                  noise::Columns<kind>(static_cast<Index>(b.size())));
}

const Eigen::Matrix2d shear = (Eigen::Matrix2d() << 0.3, 1, 0, 0.2).finished();
const Eigen::Matrix2d turn = (Eigen::Matrix2d() << 0, -1, 1, 0.1).finished();

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

TEST_CASE("the Stratonovich drift of noise by columns is f - 1/2 sum_k B_k^2 x for linear noise") {
  const auto converted = to_stratonovich(linear_columns<NoiseKind::general>({shear, turn}));
  const Block<double> expected = (-0.5 * (shear * shear + turn * turn) * x.matrix()).array();

  static_assert(converted.calculus == Calculus::stratonovich);
  CHECK(converted.sources() == 2);
  CHECK((drift_of(converted, x) - expected).abs().maxCoeff() < 1e-11);
}

TEST_CASE("conversion by differences does not depend on the unit of the state") {
  const auto converted = to_stratonovich(linear_columns<NoiseKind::general>({shear, turn}));
  for (const double unit : {1e-150, 1e-12, 1e12, 1e150}) {
    const Block<double> expected =
        (-0.5 * (shear * shear + turn * turn) * x.matrix()).array() * unit;
    CHECK((drift_of(converted, unit * x) - expected).abs().maxCoeff() < 1e-11 * unit);
  }
}

TEST_CASE("conversion works for diagonal and scalar noise without a slope, to 1e-11") {
  const auto diagonal = make_sde([](const auto& z, Time t) { return t + 0.0 * z; },
                                 [](const auto& z, Time) { return z * z; }, noise::diagonal);
  const auto scalar = make_sde([](const auto& z, Time) { return -0.5 * z; },
                               [](const auto& z, Time, auto& out) {
                                 out.row(0) = -z.row(1);
                                 out.row(1) = z.row(0);
                               },
                               noise::scalar);

  CHECK((drift_of(to_stratonovich(diagonal), x) / (0.5 - x.cube()) - 1).abs().maxCoeff() < 1e-11);
  CHECK(drift_of(to_stratonovich(scalar), x).abs().maxCoeff() < 1e-11);
}

TEST_CASE("conversion by differences stays where a root is defined, and takes a state of zeros") {
  const auto root = make_sde([](const auto& z, Time) { return 0.0 * z; },
                             [](const auto& z, Time, Index k, auto& out) {
                               out.setZero();
                               if (k == 0)
                                 out.row(0) = z.row(0) * z.row(1).sqrt();
                               else
                                 out.row(1) = z.row(1).sqrt();
                             },
                             noise::general(2));
  const Block<double> state = (Block<double>(2, 2) << 100, 100, 1e-9, 0.04).finished();
  // g_0 = (S sqrt v, 0), g_1 = (0, sqrt v): c = (S v, 1/2) / 2
  Block<double> expected(2, 2);
  expected.row(0) = -0.5 * state.row(0) * state.row(1);
  expected.row(1).setConstant(-0.25);

  CHECK((drift_of(to_stratonovich(root), state) / expected - 1).abs().maxCoeff() < 1e-9);
  CHECK(drift_of(to_stratonovich(linear_columns<NoiseKind::general>({shear, turn})),
                 Block<double>::Zero(2, 1))
            .abs()
            .maxCoeff() == 0);
}

TEST_CASE("conversion by differences finds the scale of a coefficient at and near a state of 0") {
  for (const double unit : {1e-12, 1.0, 1e12})
    for (const double state : {0.0, 1e-17, -1e-12, 1e-9, -1e-6, 0.1}) {
      INFO("x = " << state << " units of " << unit);
      const auto wave = make_sde([](const auto& z, Time) { return 0.0 * z; },
                                 [unit](const auto& z, Time) {
                                   return unit * (2.0 + sin(z / unit) + 0.5 * cos(z / unit));
                                 },
                                 noise::diagonal);
      const auto line =
          make_sde([](const auto& z, Time) { return 0.0 * z; },
                   [unit](const auto& z, Time) { return unit + 0.1 * z; }, noise::diagonal);
      const Block<double> at = Block<double>::Constant(1, 1, state * unit);
      const double g = 2 + std::sin(state) + 0.5 * std::cos(state),
                   slope = std::cos(state) - 0.5 * std::sin(state);

      CHECK_THAT(drift_of(to_stratonovich(wave), at)(0, 0) / unit,
                 WithinRel(-0.5 * g * slope, 1e-9));
      CHECK_THAT(drift_of(to_stratonovich(line), at)(0, 0) / unit,
                 WithinRel(-0.05 * (1 + 0.1 * state), 1e-9));
    }
}

TEST_CASE("converting noise by columns there and back gives the drift again") {
  const auto p = linear_columns<NoiseKind::commutative>({shear, Eigen::Matrix2d::Identity()});
  const auto back = to_ito(to_stratonovich(p));

  static_assert(back.calculus == Calculus::ito);
  CHECK(drift_of(back, x).abs().maxCoeff() < 1e-11);
}

TEST_CASE("a Stratonovich step on the converted process solves a linear Ito SDE of two sources") {
  // dX = 0.4 X dW_0 + J X dW_1 with J the quarter turn, J^2 = -1:
  // X = exp(0.4 W_0 + (1 - 0.16) t / 2) (rotation by W_1) x
  const Eigen::Matrix2d j = (Eigen::Matrix2d() << 0, -1, 1, 0).finished();
  const auto p = to_stratonovich(
      linear_columns<NoiseKind::commutative>({0.4 * Eigen::Matrix2d::Identity(), j}));
  const TimeGrid grid = uniform_grid(0, 1, 2000);
  const auto noise = record<double>(BrownianIncrements<double>(3, 0, 1, 2), grid, 2, 1);
  Eigen::Array2d w(0, 0);
  Increment<detail::AnyNoise, Block<double>> dw;
  dw.resize(2, 1);
  noise.increment(0, 1, dw);
  w = dw.w.col(0);

  const auto end =
      integrate(p, HeunSde{}, OnGrid{grid}, Block<double>(Eigen::Array2d(1, 0)), {.noise = noise})
          .end;

  const double size = std::exp(0.4 * w[0] + 0.42);
  CHECK_THAT(end(0, 0), WithinAbs(size * std::cos(w[1]), 2e-2));
  CHECK_THAT(end(1, 0), WithinAbs(size * std::sin(w[1]), 2e-2));
}
