/// @file  unit/noise/correlated.cpp
/// @brief Correlated Brownian motions: the root of the matrix, the columns, and what is refused.

#include <cmath>

#include "catch.hpp"

#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ito/milstein.hpp>
#include <fokker/solvers/noise/correlated.hpp>

using namespace fokker;

namespace {

Eigen::Matrix3d matrix() {
  Eigen::Matrix3d c;
  c << 1, 0.5, -0.3, 0.5, 1, 0.2, -0.3, 0.2, 1;
  return c;
}

constexpr auto still = [](const auto& x, Time) { return Plain<decltype(x)>(0.0 * x); };

/// Sum over l of (column l of the process at x) (the same)^T: the covariance of an Euler-Maruyama
/// step of length 1, put together from one step for each unit increment.
template <class S, class P>
Eigen::MatrixXd covariance(const P& process, const Eigen::ArrayXd& at) {
  using X = Block<S>;
  const Index d = at.rows(), m = process.sources();
  X x(d, m), y(d, m);
  x.colwise() = at.cast<S>();
  Increment<P, X> dw;
  dw.resize(m, m);
  dw.w.matrix().setIdentity();
  typename EulerMaruyama::Workspace<X> workspace(d, m);
  EulerMaruyama{}.step(process, x, 0, 1, dw, y, workspace);
  const Eigen::MatrixXd columns = (y - x).template cast<double>().matrix();
  return columns * columns.transpose();
}

/// g C g^T.
Eigen::MatrixXd expected(const Eigen::MatrixXd& g) { return g * matrix() * g.transpose(); }

constexpr auto diagonal = [](const auto& x, Time) { return x * x; };

}  // namespace

TEMPLATE_TEST_CASE("one step has the covariance g C g^T for each kind of noise", "", double,
                   float) {
  using S = TestType;
  const Eigen::Array3d at(0.5, -2, 3);
  const double tolerance = std::is_same_v<S, double> ? 1e-13 : 2e-5;
  const auto distance = [&](const auto& process, const Eigen::MatrixXd& g) {
    return (covariance<S>(process, at) - expected(g)).cwiseAbs().maxCoeff();
  };
  Eigen::MatrixXd columns(3, 3);
  columns << 0.5, 1, 2, -2, 1, 4, 3, 1, 6;  // x, 1, (2, 4, 6)

  CHECK(distance(correlated(make_sde(still, diagonal, noise::diagonal), matrix()),
                 at.square().matrix().asDiagonal().toDenseMatrix()) < tolerance);
  CHECK(distance(correlated(make_sde(
                                still, [](Time) { return 0.7; }, noise::additive),
                            matrix()),
                 0.7 * Eigen::Matrix3d::Identity()) < tolerance);
  CHECK(
      distance(correlated(make_sde(
                              still, [](Time) { return Eigen::Array3d(1, 2, 3); }, noise::additive),
                          matrix()),
               Eigen::Vector3d(1, 2, 3).asDiagonal().toDenseMatrix()) < tolerance);
  CHECK(distance(correlated(make_sde(
                                still,
                                [](const auto& x, Time, Index k, auto& out) {
                                  if (k == 0) out = x;
                                  if (k == 1) out.setOnes();
                                  if (k == 2)
                                    for (Index i = 0; i < 3; ++i)
                                      out.row(i).setConstant(static_cast<S>(2 * (i + 1)));
                                },
                                noise::general(3)),
                            matrix()),
                 columns) < tolerance);
  CHECK(distance(correlated(
                     make_sde(
                         still, [](const auto& x, Time, Index k) { return S(k == 0 ? 1 : 2) * x; },
                         noise::commutative(3)),
                     matrix()),
                 at.matrix() * Eigen::RowVector3d(1, 2, 2)) < tolerance);
}

TEST_CASE("the root is lower triangular, also of a singular matrix") {
  Eigen::Matrix3d singular;
  singular << 1, -1, 0.6, -1, 1, -0.6, 0.6, -0.6, 1;
  for (const Eigen::MatrixXd& c :
       {Eigen::MatrixXd(matrix()), Eigen::MatrixXd(singular),
        Eigen::MatrixXd(Eigen::Matrix3d::Ones()), Eigen::MatrixXd(Eigen::Matrix2d::Identity())}) {
    const Eigen::MatrixXd root = correlation_root(c);

    CHECK((root * root.transpose() - c).cwiseAbs().maxCoeff() < 1e-14);
    CHECK(root.isLowerTriangular(0));
    CHECK(root.diagonal().minCoeff() >= 0);
    CHECK(root(0, 0) == Approx(1).epsilon(1e-14));
  }
}

TEST_CASE("diagonal and additive noise become commutative, and general noise stays general") {
  const auto gbm = make_sde(still, diagonal, noise::diagonal);
  const auto flat = make_sde(
      still, [](Time) { return 1.0; }, noise::additive);
  const auto column = [](const auto& x, Time, Index) { return x; };
  const auto commutative = make_sde<Calculus::stratonovich>(still, column, noise::commutative(3));
  const auto general = make_sde(still, column, noise::general(3));

  STATIC_REQUIRE(noise_kind<Correlated<decltype(gbm)>> == NoiseKind::commutative);
  STATIC_REQUIRE(noise_kind<Correlated<decltype(flat)>> == NoiseKind::commutative);
  STATIC_REQUIRE(noise_kind<Correlated<decltype(commutative)>> == NoiseKind::commutative);
  STATIC_REQUIRE(calculus_of<Correlated<decltype(commutative)>> == Calculus::stratonovich);
  STATIC_REQUIRE(noise_kind<Correlated<decltype(general)>> == NoiseKind::general);
}

TEST_CASE("a Milstein step of correlated geometric Brownian motion is the formula by components") {
  // dX_i = X_i dB_i with dB = L dW: y_i = x_i (1 + dB_i + (dB_i^2 - h) / 2).
  const auto gbm = make_sde(
      still, [](const auto& x, Time) { return x; }, noise::diagonal);
  const auto process = correlated(gbm, matrix());
  using P = std::remove_const_t<decltype(process)>;
  using X = Block<double>;
  X x(3, 1), y(3, 1);
  x << 1, 2, -0.5;
  Increment<P, X> dw;
  dw.resize(3, 1);
  dw.w << 0.3, -0.1, 0.2;
  const double h = 0.1;
  typename Milstein::Workspace<X> workspace(3, 1);

  Milstein{}.step(process, x, 0, h, dw, y, workspace);

  const Eigen::ArrayXd b = (correlation_root(matrix()) * dw.w.matrix()).array();
  CHECK((y.col(0) - x.col(0) * (1 + b + 0.5 * (b.square() - h))).abs().maxCoeff() < 1e-14);
}

TEST_CASE("the identity leaves the paths as they are") {
  const auto gbm = make_sde([](const auto& x, Time) { return 0.1 * x; },
                            [](const auto& x, Time) { return 0.3 * x; }, noise::diagonal);
  const Eigen::Array2d x0(1, 2);
  const TimeGrid grid = uniform_grid(0, 1, 8);
  const SimulateOptions options{.paths = 100, .seed = 4};

  const auto plain = simulate(gbm, EulerMaruyama{}, OnGrid{grid}, x0, options, FinalState{});
  const auto same = simulate(correlated(gbm, Eigen::Matrix2d::Identity()), EulerMaruyama{},
                             OnGrid{grid}, x0, options, FinalState{});

  CHECK((plain.value - same.value).abs().maxCoeff() < 1e-14);
}

TEST_CASE("what is no correlation matrix, or not of the process, is refused with its entry") {
  const auto refuse = [](const Eigen::MatrixXd& c, const char* message) {
    CHECK_THROWS_WITH(correlation_root(c), ContainsSubstring(message));
  };
  Eigen::Matrix3d c = matrix();
  c(1, 0) = 0.4;
  refuse(c, "symmetric: entry (1, 0) is 0.4 and (0, 1) is 0.5");
  c = matrix();
  c(2, 2) = 2;
  refuse(c, "ones on its diagonal: entry (2, 2) is 2");
  refuse(Eigen::MatrixXd::Ones(2, 3), "square: got 2 x 3");
  refuse(Eigen::MatrixXd(0, 0), "square: got 0 x 0");
  c << 1, 0.9, 0.9, 0.9, 1, -0.9, 0.9, -0.9, 1;
  refuse(c, "no negative eigenvalue: the smallest is -0.8");
  c = matrix();
  c(1, 0) = c(0, 1) = NAN;
  refuse(c, "symmetric: entry (1, 0) is nan");

  const auto general = make_sde(
      still, [](const auto& x, Time, Index) { return x; }, noise::general(2));
  CHECK_THROWS_WITH(
      correlated(general, matrix()),
      ContainsSubstring("has 2 Brownian motions and the correlation matrix is 3 x 3"));
  const auto process = correlated(make_sde(still, diagonal, noise::diagonal), matrix());
  CHECK_THROWS_AS(simulate(process, EulerMaruyama{}, OnGrid{uniform_grid(0, 1, 2)},
                           Eigen::Array2d(1, 2), {.paths = 1}, FinalState{}),
                  std::invalid_argument);
}
