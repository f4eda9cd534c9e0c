/// @file  unit/sde/exact_linear.cpp
/// @brief The exact step of linear SDEs with additive noise: its law against Van Loan's matrices.

#include "no_allocation.hpp"

#include <cmath>
#include <stdexcept>
#include <type_traits>

#include <Eigen/Dense>

#include "catch.hpp"

#include <fokker/processes/laws/matrix_exponential.hpp>
#include <fokker/processes/models/double_well.hpp>
#include <fokker/processes/models/langevin.hpp>
#include <fokker/processes/models/ornstein_uhlenbeck.hpp>
#include <fokker/solvers/core/any_process.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/linear/exact_linear.hpp>

using namespace fokker;

namespace {

using Matrix = Eigen::MatrixXd;

/// dX = (A X + (1, cos t, -2)) dt + g dW, in three dimensions; the cosine only if `forced`.
struct Linear {
  static constexpr NoiseKind noise = NoiseKind::additive;
  Eigen::Matrix3d A;
  Eigen::Array3d g;
  bool forced = false;
  const Eigen::Matrix3d& linear_part() const { return A; }
  static constexpr bool linear() { return true; }
  void drift(const auto& x, Time t, auto& out) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    for (Index i = 0; i < 3; ++i)
      out.row(i) = S(A(i, 0)) * x.row(0) + S(A(i, 1)) * x.row(1) + S(A(i, 2)) * x.row(2);
    out.row(0) += S(1);
    if (forced) out.row(1) += S(std::cos(t));
    out.row(2) -= S(2);
  }
  const Eigen::Array3d& diffusion(Time) const { return g; }
};

const Eigen::Matrix3d full =
    (Eigen::Matrix3d() << -2, 1.5, 0.3, -0.7, -1, 0.4, 0.2, -1.1, 0.5).finished();

/// The affine map of a step, read off its columns: y = mean + of_w dw + of_normals xi.
struct Map {
  Eigen::VectorXd mean;
  Matrix of_w, of_normals;
  Matrix covariance(Time h) const {
    return h * of_w * of_w.transpose() + of_normals * of_normals.transpose();
  }
};

template <class S, class P>
Map map_of(const P& process, const Eigen::VectorXd& x0, Time t, Time h) {
  using X = Block<S>;
  static_assert(Stepper<ExactLinear, P, X>);
  require_compatible<ExactLinear, P>();
  const Index d = x0.size(), n = 2 * d + 1;
  X x(d, n), y(d, n);
  x.colwise() = x0.array().template cast<S>();
  Increment<P, X> dw;
  dw.resize(d, n, ExactLinear::facts.needs);
  for (Index j = 0; j < d; ++j) {
    dw.w(j, 1 + j) = 1;
    dw.normals(j, 1 + d + j) = 1;
  }
  ExactLinear::Workspace<X> w(d, n);
  {
    const NoAllocation guard;
    ExactLinear{}.step(process, x, t, h, dw, y, w);
  }
  const Matrix all = y.matrix().template cast<double>();
  return {all.col(0), all.middleCols(1, d).colwise() - all.col(0),
          all.rightCols(d).colwise() - all.col(0)};
}

/// Cov int_0^h e^{sA} G dW by the exponential of a matrix. Source: Van Loan (1978).
Matrix van_loan(const Matrix& A, const Eigen::VectorXd& g, Time h) {
  const Index d = A.rows();
  Matrix block = Matrix::Zero(2 * d, 2 * d);
  block.topLeftCorner(d, d) = -A;
  block.topRightCorner(d, d) = Matrix(g.array().square().matrix().asDiagonal());
  block.bottomRightCorner(d, d) = A.transpose();
  const Matrix e = detail::matrix_exponential(block * h);
  return e.bottomRightCorner(d, d).transpose() * e.topRightCorner(d, d);
}

double distance(const Matrix& a, const Matrix& b) { return (a - b).norm() / b.norm(); }

}  // namespace

TEST_CASE("the exact linear step has the mean and the covariance of the solution at any step") {
  const Eigen::Vector3d x0(0.4, -1, 2), a(1, 1, -2);
  for (const double h : {1e-3, 0.1, 0.6, 3.0}) {
    const Linear process{full, {0.5, 0, 2}, false};
    const Map map = map_of<double>(process, x0, 0, h);
    const Map in_float = map_of<float>(process, x0, 0, h);
    Matrix lifted = Matrix::Zero(4, 4);
    lifted.topLeftCorner(3, 3) = full;
    lifted.col(3).head(3) << 1, 0, -2;
    const Matrix propagator = detail::matrix_exponential(lifted * h);
    const Eigen::VectorXd mean = propagator.topLeftCorner(3, 3) * x0 + propagator.col(3).head(3);

    INFO("h " << h);
    CHECK(distance(map.mean, mean) < 1e-13);
    CHECK(distance(map.covariance(h), van_loan(full, process.g.matrix(), h)) < 1e-13);
    CHECK(distance(in_float.covariance(h), van_loan(full, process.g.matrix(), h)) < 1e-5);
  }
}

TEST_CASE("over long steps its covariance C solves A C + C A^T = e^{hA} G^2 e^{hA^T} - G^2") {
  for (const double h : {3.0, 8.0, 50.0}) {
    const Linear process{full, {0.5, 0, 2}, false};
    const Matrix c = map_of<double>(process, Eigen::Vector3d::Zero(), 0, h).covariance(h);
    const Matrix e = detail::matrix_exponential(full * h);
    const Matrix q = process.g.square().matrix().asDiagonal();

    INFO("h " << h);
    const Matrix residual = full * c + c * full.transpose() + q - e * q * e.transpose();
    CHECK(residual.norm() < 1e-13 * full.norm() * c.norm());
  }
}

TEST_CASE("its noise has the covariance with W of the solution") {
  const Linear process{full, {0.5, 0, 2}, false};
  const double h = 1.7;
  const Matrix e = detail::matrix_exponential(full * h);
  const Matrix phi = (full * h).inverse() * (e - Matrix::Identity(3, 3));

  const Map map = map_of<double>(process, Eigen::Vector3d::Ones(), 0, h);

  CHECK(distance(map.of_w, phi * Matrix(process.g.matrix().asDiagonal())) < 1e-13);
}

TEST_CASE("what W does not say is right to full precision at small steps too") {
  // R = h^3/12 A G G^T A^T (1 + O(h)), which a difference of covariances would lose.
  const Linear process{full, {0.5, 0.8, 2}, false};
  const double h = 1e-7;
  const Matrix ag = full * Matrix(process.g.matrix().asDiagonal());

  const Map map = map_of<double>(process, Eigen::Vector3d::Zero(), 0, h);
  const Matrix rest = map.of_normals * map.of_normals.transpose();

  CHECK(distance(rest, std::pow(h, 3) / 12 * ag * ag.transpose()) < 1e-6);
}

TEST_CASE("the exact linear step has the law of Ornstein and Uhlenbeck's process, stiff or slow") {
  for (const double theta : {1e-9, 0.3, 2.0, 1e6})
    for (const double h : {1e-4, 0.2, 1.0, 40.0}) {
      const OrnsteinUhlenbeck process{.theta = theta, .mu = 0.7, .sigma = 0.9};
      const Map map = map_of<double>(process, Eigen::VectorXd::Constant(2, 1.5), 0, h);

      INFO("theta " << theta << ", h " << h);
      CHECK_THAT(map.mean[1], WithinRel(process.mean(1.5, h), 1e-12));
      CHECK_THAT(map.covariance(h)(1, 1), WithinRel(process.variance(1.5, h), 1e-12));
      CHECK(map.covariance(h)(0, 1) == 0);
    }
}

TEST_CASE("noise in one component only: the exact linear step of a Langevin oscillator") {
  const Langevin process{.gamma = 3, .kT = 0.5, .mass = 2, .stiffness = 40};
  const Eigen::Vector2d x0(1, -0.3);
  for (const double h : {1e-3, 0.1, 2.0, 100.0}) {
    const Map map = map_of<double>(process, x0, 0, h);

    INFO("h " << h);
    CHECK((map.mean - process.mean(x0.array(), h).matrix()).norm() < 1e-12);
    CHECK(distance(map.covariance(h), process.covariance(x0.array(), h)) < 1e-10);
  }
}

TEST_CASE("a drift that depends on time is taken in the middle of the step: order 2") {
  const Eigen::Vector3d x0(0.4, -1, 2);
  const auto end = [&](int steps) {
    const Linear process{full, {0, 0, 0}, true};
    Eigen::VectorXd x = x0;
    for (int i = 0; i < steps; ++i)
      x = map_of<double>(process, x, 1.0 * i / steps, 1.0 / steps).mean;
    return x;
  };
  const Eigen::VectorXd fine = end(2048);

  const double coarse = (end(16) - fine).norm(), half = (end(32) - fine).norm();

  CHECK(std::log2(coarse / half) > 1.95);
  CHECK(std::log2(coarse / half) < 2.05);
}

TEST_CASE("the kept matrices follow the step, the drift and the noise") {
  using X = Block<double>;
  const Linear first{full, {0.5, 0, 2}, false}, drifts{-full, {0.5, 0, 2}, false},
      noise{full, {0.5, 1, 2}, false};
  const X x = X::Constant(3, 2, 0.8);
  X y(3, 2), fresh(3, 2);
  Increment<Linear, X> dw;
  dw.resize(3, 2, ExactLinear::facts.needs);
  dw.w.setConstant(0.3);
  dw.normals.setConstant(-0.4);
  ExactLinear::Workspace<X> kept(3, 2);
  const auto same = [&](const Linear& process, Time h) {
    ExactLinear::Workspace<X> clean(3, 2);
    ExactLinear{}.step(process, x, 0, h, dw, y, kept);
    ExactLinear{}.step(process, x, 0, h, dw, fresh, clean);
    return (y == fresh).all();
  };

  CHECK(same(first, 0.1));
  CHECK(same(first, 2));
  CHECK(same(drifts, 2));
  CHECK(same(first, 2));
  CHECK(same(noise, 2));
  CHECK(same(noise, 2));
}

TEST_CASE("on a uniform grid the matrices are made once, and every step is right to rounding") {
  for (const double end : {10.0, 1000.0}) {
    const TimeGrid grid = uniform_grid(0, end, 1000);
    detail::ExponentialOfMatrix kept(3);
    int made = 0;
    for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
      const Time h = grid[k + 1] - grid[k];
      made += kept.update(full, h) ? 1 : 0;
      detail::ExponentialOfMatrix fresh(3);
      fresh.update(full, h);
      // The error of phi_1 is of second order in the rounding of h.
      REQUIRE((kept.phi_of_step() - fresh.phi).norm() < 2e-15 * fresh.phi.norm());
    }
    CHECK(made == 1);
  }
}

TEST_CASE("a step that differs by more than rounding makes its own matrices") {
  detail::ExponentialOfMatrix kept(3);
  CHECK(kept.update(full, 0.1));
  CHECK_FALSE(kept.update(full, std::nextafter(0.1, 1)));
  CHECK(kept.update(full, 0.1 + 1e-9));
  CHECK(kept.update(1e9 * full, 0.1));
  CHECK(kept.update(1e9 * full, std::nextafter(0.1, 1) + 1e-15));
}

TEST_CASE("an erased linear process steps alike, and one that is not linear is refused") {
  const TimeGrid grid = uniform_grid(0, 1, 4);
  const SimulateOptions options{.paths = 70, .seed = 3, .threads = 1};
  const auto run = [&](const auto& process, const auto& x0) {
    return simulate(process, ExactLinear{}, OnGrid{grid}, x0, options, FinalState{}).value;
  };
  using Erased = AnySde<NoiseKind::additive>;
  const OrnsteinUhlenbeck ou{.theta = 2, .mu = 0.7, .sigma = 0.9};
  const PathState<double> x0 = PathState<double>::Constant(2, 1.5);

  CHECK((run(Erased{ou}, x0) - run(ou, x0)).abs().maxCoeff() < 1e-14);
  CHECK((run(Erased{Langevin{}}, x0) - run(Langevin{}, x0)).abs().maxCoeff() < 1e-14);
  CHECK_THROWS_WITH(run(Erased{DoubleWell{}}, x0),
                    StartsWith("exact-linear takes linear SDEs with additive noise"));
  CHECK_THROWS_AS(run(Erased{Langevin{.quartic = 1}}, x0), std::invalid_argument);
}
