/// @file  unit/sde/magnus.cpp
/// @brief Magnus steps against the exponential of their matrix, path by path, and where they are
/// the
///        solution.

#include "no_allocation.hpp"

#include <cmath>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include <Eigen/Dense>

#include "catch.hpp"

#include <fokker/processes/laws/matrix_exponential.hpp>
#include <fokker/processes/models/cox_ingersoll_ross.hpp>
#include <fokker/processes/models/geometric_brownian_motion.hpp>
#include <fokker/processes/models/kubo.hpp>
#include <fokker/processes/models/linear.hpp>
#include <fokker/solvers/core/any_process.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/linear/magnus.hpp>

using namespace fokker;

namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

Matrix two_by_two(double a, double b, double c, double d) {
  return (Matrix(2, 2) << a, b, c, d).finished();
}

/// Three sources that do not commute, with constant parts.
LinearSde general(double scale = 1) {
  LinearSde p{
      scale * two_by_two(-0.4, 0.3, 0.1, -0.2),
      Vector::Constant(2, 0.6),
      {two_by_two(0.2, 0.4, 0, 0.1), two_by_two(0.1, 0, 0.5, -0.2), two_by_two(0, -0.7, 0.3, 0.2)},
      {Eigen::Vector2d(0.3, -0.2), Eigen::Vector2d(0, 0.4), Eigen::Vector2d(-0.1, 0.2)}};
  p.validate();
  return p;
}

/// The matrix of an affine map on (x, 1).
Matrix lifted(const Matrix& A, const Vector& a) {
  Matrix out = Matrix::Zero(A.rows() + 1, A.rows() + 1);
  out.topLeftCorner(A.rows(), A.rows()) = A;
  out.col(A.rows()).head(A.rows()) = a;
  return out;
}

/// e^Omega (x, 1) on plain matrices. @param area  A_kl in (k, l), 0 where areas are not used
Vector expected(const LinearSde& p, const Vector& x, Time h, const Vector& w, const Matrix& area) {
  std::vector<Matrix> B;
  for (std::size_t k = 0; k < p.B.size(); ++k) B.push_back(lifted(p.B[k], p.b[k]));
  Matrix omega = h * lifted(p.A, p.a);
  for (std::size_t k = 0; k < B.size(); ++k) {
    omega += w[static_cast<Index>(k)] * B[k] - h / 2 * B[k] * B[k];
    for (std::size_t l = k + 1; l < B.size(); ++l)
      omega += area(static_cast<Index>(k), static_cast<Index>(l)) * (B[l] * B[k] - B[k] * B[l]);
  }
  Vector y(x.size() + 1);
  y << x, 1;
  return (detail::matrix_exponential(omega) * y).head(x.size());
}

/// Steps a block of columns that all differ and compares each with `expected`.
template <class S, class M>
void check_step(const LinearSde& process, Time h) {
  using X = Block<S>;
  static_assert(Stepper<M, LinearSde, X>);
  require_compatible<M, LinearSde>();
  const Index n = 19;
  X x(2, n), y(2, n);
  Increment<LinearSde, X> dw;
  dw.resize(3, n, {.area = true});
  for (Index j = 0; j < n; ++j) {
    const double s = 0.1 * static_cast<double>(j);
    x.col(j) << S(0.5 + s), S(-1 + 0.3 * s);
    dw.w.col(j) << S(0.4 - s), S(0.3 * s), S(-0.2 + s * s / 2);
    dw.area.col(j) << S(0.2 * s), S(0.3 - s), S(-0.1);
  }
  typename M::template Workspace<X> w(2, n);
  M{}.step(process, x, 0, h, dw, y, w);  // makes the columns
  {
    const NoAllocation guard;
    M{}.step(process, x, 0, h, dw, y, w);
  }
  const double tolerance = std::is_same_v<S, float> ? 2e-5 : 1e-13;
  for (Index j = 0; j < n; ++j) {
    Matrix area = Matrix::Zero(3, 3);
    if (M::facts.needs.area)
      for (Index l = 1; l < 3; ++l)
        for (Index k = 0; k < l; ++k) area(k, l) = static_cast<double>(dw.area(area_row(k, l), j));
    const Vector want = expected(process, x.col(j).matrix().template cast<double>(), h,
                                 dw.w.col(j).matrix().template cast<double>(), area);
    INFO(M::facts.name << ", h " << h << ", column " << j);
    CHECK((y.col(j).matrix().template cast<double>() - want).norm() <
          tolerance * (1 + want.norm()));
  }
}

const TimeGrid grid = uniform_grid(0, 1, 4);
const SimulateOptions options{.paths = 70, .seed = 3, .threads = 1};

}  // namespace

TEMPLATE_TEST_CASE("a Magnus step is the exponential of its matrix", "", Magnus, MagnusLevy) {
  for (const double h : {1e-3, 0.25, 2.0}) {
    check_step<double, TestType>(general(), h);
    check_step<float, TestType>(general(), h);
  }
  check_step<double, TestType>(general(20), 1.0);  // |Omega| some 15: many parts
}

TEST_CASE("one Magnus step is the solution where all matrices commute") {
  using X = Block<double>;
  X w2(2, 3), w1(1, 3);
  w2 << 0.5, -2, 0.1, 1.5, 0.2, -0.4;
  w1 << 0.5, -2, 0.1;
  const X x0 = X::Constant(2, 3, 1.5), x1 = X::Constant(1, 3, 1.5);
  const double h = 3;
  const auto end = [&](const auto& p, const X& start, const X& w) {
    using P = std::remove_cvref_t<decltype(p)>;
    X y(start.rows(), start.cols());
    Increment<P, X> dw;
    dw.w = w;
    Magnus::Workspace<X> workspace(start.rows(), start.cols());
    Magnus{}.step(p, start, 0, h, dw, y, workspace);
    return y;
  };
  const CommutingLinearSde linear{
      LinearSde::homogeneous(two_by_two(-1.5, 0.05, 0.05, -1.5),
                             {two_by_two(0.2, 0.01, 0.01, 0.2), two_by_two(0.5, 0.1, 0.1, 0.5)})};
  const KuboOscillator kubo{.omega = 1.3, .sigma = 0.8};
  const GeometricBrownianMotion gbm{.mu = 0.3, .sigma = 0.7};

  const X turned = end(kubo, x0, w1);

  CHECK((end(linear, x0, w2) - linear.exact(x0, h, w2)).abs().maxCoeff() < 1e-14);
  CHECK((turned - kubo.exact(x0, h, w1)).abs().maxCoeff() < 1e-14);
  CHECK((turned.square().colwise().sum() - 4.5).abs().maxCoeff() < 1e-13);
  CHECK((end(gbm, x0, w2) - gbm.exact(x0, h, w2)).abs().maxCoeff() < 1e-13);
  CHECK((end(gbm, x1, w1) > 0).all());
}

TEST_CASE("an erased linear process steps alike by Magnus, and another is refused") {
  const auto run = [](const auto& process, const auto& method) {
    const PathState<double> x0 = PathState<double>::Constant(2, 1.5);
    return simulate(process, method, OnGrid{grid}, x0, options, FinalState{}).value;
  };
  const auto distance = [](const auto& a, const auto& b) { return (a - b).abs().maxCoeff(); };
  const GeometricBrownianMotion gbm;
  const KuboOscillator kubo;

  CHECK(distance(run(AnySde<NoiseKind::general>{general()}, MagnusLevy{}),
                 run(general(), MagnusLevy{})) < 1e-13);
  CHECK(distance(run(AnySde<NoiseKind::diagonal>{gbm}, Magnus{}), run(gbm, Magnus{})) < 1e-13);
  CHECK(distance(run(AnySde<NoiseKind::scalar>{kubo}, Magnus{}), run(kubo, Magnus{})) < 1e-13);
  CHECK_THROWS_WITH(run(AnySde<NoiseKind::diagonal>{CoxIngersollRoss{}}, Magnus{}),
                    StartsWith("magnus takes linear SDEs, and this process is not linear"));
  CHECK_THROWS_AS(run(AnySde<NoiseKind::diagonal>{CoxIngersollRoss{}}, Magnus{}),
                  std::invalid_argument);
}

TEST_CASE("a Magnus step gives up a block whose matrix is beyond it") {
  using X = Block<double>;
  const LinearSde stiff =
      LinearSde::homogeneous(-1e9 * Matrix::Identity(1, 1), {Matrix::Identity(1, 1)});
  const X x = X::Ones(1, 2);
  X y(1, 2);
  Increment<LinearSde, X> dw;
  dw.resize(1, 2);
  Magnus::Workspace<X> w(1, 2);

  Magnus{}.step(stiff, x, 0, 1, dw, y, w);

  CHECK(y.isNaN().all());
}
