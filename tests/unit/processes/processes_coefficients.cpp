/// Drift, diffusion, slopes and divergences of the processes, by hand and by finite differences.

#include <cmath>
#include <limits>

#include <fokker/processes/models/brownian_motion.hpp>
#include <fokker/processes/models/cox_ingersoll_ross.hpp>
#include <fokker/processes/models/double_well.hpp>
#include <fokker/processes/models/geometric_brownian_motion.hpp>
#include <fokker/processes/models/heston.hpp>
#include <fokker/processes/models/kubo.hpp>
#include <fokker/processes/models/langevin.hpp>
#include <fokker/processes/models/linear.hpp>
#include <fokker/processes/models/lorenz.hpp>
#include <fokker/processes/models/lotka_volterra.hpp>
#include <fokker/processes/models/ornstein_uhlenbeck.hpp>
#include <fokker/processes/models/van_der_pol.hpp>

#include "catch.hpp"

using namespace fokker;

namespace {

using B = Block<double>;

B block(std::initializer_list<std::initializer_list<double>> rows) {
  B x(static_cast<Index>(rows.size()), static_cast<Index>(rows.begin()->size()));
  Index i = 0;
  for (const auto& row : rows) {
    Index j = 0;
    for (const double v : row) x(i, j++) = v;
    ++i;
  }
  return x;
}

template <class P>
B drift_of(const P& p, const B& x) {
  B out(x.rows(), x.cols());
  evaluate_drift(p, x, 0.0, out);
  return out;
}

template <class P>
B diffusion_of(const P& p, const B& x) {
  B scratch(x.rows(), x.cols());
  scratch = diffusion(p, x, 0.0, scratch);
  return scratch;
}

template <class P>
B column_of(const P& p, const B& x, Index k) {
  B scratch(x.rows(), x.cols());
  scratch = diffusion(p, x, 0.0, k, scratch);
  return scratch;
}

void check_equal(const B& got, const B& wanted, double tolerance = 1e-14) {
  REQUIRE(got.rows() == wanted.rows());
  REQUIRE(got.cols() == wanted.cols());
  CHECK((got - wanted).abs().maxCoeff() <= tolerance);
}

/// d f_i / d x_i by central differences, d x n.
template <class F>
B own_derivatives(const F& f, const B& x) {
  const double h = 1e-5;
  B out(x.rows(), x.cols());
  for (Index i = 0; i < x.rows(); ++i) {
    B up = x, down = x;
    up.row(i) += h;
    down.row(i) -= h;
    out.row(i) = (f(up).row(i) - f(down).row(i)) / (2 * h);
  }
  return out;
}

template <class P>
void check_divergence(const P& p, const B& x) {
  B got(1, x.cols());
  got = p.divergence(x, 0.0);
  check_equal(got, own_derivatives([&](const B& y) { return drift_of(p, y); }, x).colwise().sum(),
              1e-8);
}

LinearSde affine() {
  LinearSde p{Eigen::MatrixXd(2, 2),
              Eigen::VectorXd(2),
              {Eigen::MatrixXd(2, 2), Eigen::MatrixXd(2, 2)},
              {Eigen::VectorXd(2), Eigen::VectorXd(2)}};
  p.A << 1, 2, 3, 4;
  p.a << 10, 20;
  p.B[0] << 0, 1, 0, 0;
  p.B[1] << 5, 0, 0, 6;
  p.b[0] << 0, 7;
  p.b[1] << 8, 0;
  return p;
}

const B pair = block({{1.0, 0.5}, {2.0, 3.0}});

}  // namespace

TEST_CASE("coefficients of the processes of one component are those of their equations") {
  const B x = block({{1.0, 4.0}, {0.25, 2.0}});
  const CoxIngersollRoss cir{.kappa = 2, .theta = 3, .sigma = 0.5};
  const OrnsteinUhlenbeck ou{.theta = 2, .mu = 3, .sigma = 0.7};
  const BrownianMotion bm{.mu = 0.3, .sigma = 0.4};

  check_equal(drift_of(bm, x), B::Constant(2, 2, 0.3));
  CHECK(bm.diffusion(0) == 0.4);
  check_equal(drift_of(GeometricBrownianMotion{.mu = 2, .sigma = 3}, x), 2 * x);
  check_equal(diffusion_of(GeometricBrownianMotion{.mu = 2, .sigma = 3}, x), 3 * x);
  check_equal(drift_of(ou, x), block({{4, -2}, {5.5, 2}}));
  CHECK(ou.diffusion(0) == 0.7);
  check_equal(drift_of(cir, x), block({{4, -2}, {5.5, 2}}));
  check_equal(diffusion_of(cir, x), block({{0.5, 1}, {0.25, 0.5 * std::sqrt(2.0)}}));
  check_equal(drift_of(DoubleWell{.sigma = 1}, x), block({{0, -60}, {0.234375, -6}}));
}

TEST_CASE("coefficients of the systems are those of their equations") {
  const Heston heston{.mu = 0.1, .kappa = 2, .theta = 3.5, .xi = 0.5, .rho = -0.6};
  const B xv = block({{0.0, 1.0}, {4.0, 1.0}});
  const Langevin langevin{.gamma = 2, .kT = 3, .mass = 0.5, .stiffness = -1, .quartic = 2};
  const StochasticLotkaVolterra lv{
      .alpha = 2, .beta = 3, .delta = 4, .gamma = 5, .sigma = {0.1, 0.2}};
  const KuboOscillator kubo{.omega = 3, .sigma = 2};

  check_equal(drift_of(heston, xv), block({{-1.9, -0.4}, {-1, 5}}));
  check_equal(column_of(heston, xv, 0), block({{2, 1}, {-0.6, -0.3}}));
  check_equal(column_of(heston, xv, 1), block({{0, 0}, {0.8, 0.4}}));
  check_equal(drift_of(langevin, pair), block({{2, 3}, {-2 * (2 - 1) - 4, -2 * (0.25 - 0.5) - 6}}));
  CHECK(langevin.diffusion(0)[0] == 0);
  CHECK(langevin.diffusion(0)[1] == Approx(std::sqrt(24.0)));
  check_equal(drift_of(lv, pair), block({{-4, -3.5}, {-2, -9}}));
  check_equal(diffusion_of(lv, pair), block({{0.1, 0.05}, {0.4, 0.6}}));
  check_equal(drift_of(kubo, pair), block({{-2 - 6, -1 - 9}, {-4 + 3, -6 + 1.5}}));
  check_equal(diffusion_of(kubo, pair), block({{-4, -6}, {2, 1}}));
  check_equal(drift_of(Lorenz{.sigma = 10, .rho = 28, .beta = 2}, block({{1.0}, {2.0}, {3.0}})),
              block({{10}, {23}, {-4}}));
  check_equal(drift_of(VanDerPol{.mu = 2}, pair), block({{2, 3}, {-1, 4}}));
}

TEST_CASE("a linear SDE evaluates its matrices and offsets") {
  const LinearSde p = affine();

  check_equal(drift_of(p, pair), block({{15, 16.5}, {31, 33.5}}));
  check_equal(column_of(p, pair, 0), block({{2, 3}, {7, 7}}));
  check_equal(column_of(p, pair, 1), block({{13, 10.5}, {12, 18}}));
  CHECK(p.sources() == 2);
  CHECK(p.dimension() == 2);
}

TEST_CASE("slopes of the diffusion are its derivatives") {
  const CoxIngersollRoss cir{.kappa = 2, .theta = 3, .sigma = 0.5};
  const StochasticLotkaVolterra lv{.sigma = {0.1, 0.2}};
  const KuboOscillator kubo{.omega = 3, .sigma = 2};
  const B zero = B::Zero(2, 2);

  const B cir_slope = cir.diffusion_slope(pair, 0.0);
  const B lv_slope = lv.diffusion_slope(pair, 0.0);
  const B kubo_slope = kubo.diffusion_slope(pair, 0.0);
  const double h = 1e-5;
  const B g = diffusion_of(kubo, pair);
  const B along = (diffusion_of(kubo, pair + h * g) - diffusion_of(kubo, pair - h * g)) / (2 * h);

  check_equal(cir_slope, own_derivatives([&](const B& y) { return diffusion_of(cir, y); }, pair),
              1e-8);
  check_equal(lv_slope, own_derivatives([&](const B& y) { return diffusion_of(lv, y); }, pair),
              1e-8);
  check_equal(kubo_slope, along, 1e-8);
  CHECK(GeometricBrownianMotion{.sigma = 0.3}.diffusion_slope(pair, 0.0) == 0.3);
  check_equal(zero + cir.diffusion_slope(B(-pair), 0.0), zero);
}

TEST_CASE("divergences of the drift are its traces") {
  check_divergence(BrownianMotion{.mu = 2}, pair);
  check_divergence(GeometricBrownianMotion{.mu = 2}, pair);
  check_divergence(OrnsteinUhlenbeck{.theta = 2}, pair);
  check_divergence(DoubleWell{}, pair);
  check_divergence(Langevin{.gamma = 2, .quartic = 1}, pair);
  check_divergence(StochasticLotkaVolterra{.alpha = 2, .beta = 3, .delta = 4, .gamma = 5}, pair);
  check_divergence(KuboOscillator{.omega = 3, .sigma = 2}, pair);
  check_divergence(VanDerPol{.mu = 2}, pair);
  check_divergence(affine(), pair);
  check_divergence(Lorenz{}, block({{1, 5}, {2, -6}, {3, 7}}));
}

TEST_CASE("square-root coefficients below zero are those at zero") {
  const CoxIngersollRoss cir{.kappa = 2, .theta = 3, .sigma = 0.5};
  const Heston heston{.mu = 0.1, .kappa = 2, .theta = 3, .xi = 0.5, .rho = -0.6};

  check_equal(drift_of(cir, block({{-1}})), block({{6}}));
  check_equal(diffusion_of(cir, block({{-1}})), block({{0}}));
  check_equal(drift_of(heston, block({{1}, {-1}})), block({{0.1}, {6}}));
  check_equal(column_of(heston, block({{1}, {-1}}), 0), block({{0}, {0}}));
  check_equal(column_of(heston, block({{1}, {-1}}), 1), block({{0}, {0}}));
}

TEST_CASE("coefficients take float blocks and fixed-size paths") {
  const Block<float, 2> x = pair.cast<float>();
  Block<float, 2> f(2, 2), g(2, 2);
  const PathState<double, 2> y(1.0, 2.0);
  PathState<double, 2> fy, gy;
  const StochasticLotkaVolterra lv{.alpha = 2, .beta = 3, .delta = 4, .gamma = 5};

  evaluate_drift(lv, x, 0.0, f);
  g = diffusion(lv, x, 0.0, g) * lv.diffusion_slope(x, 0.0);
  evaluate_drift(lv, y, 0.0, fy);
  gy = diffusion(lv, y, 0.0, gy) * lv.diffusion_slope(y, 0.0);

  check_equal(f.cast<double>(), drift_of(lv, pair), 1e-5);
  check_equal(g.cast<double>(), 0.01 * pair, 1e-7);
  check_equal(fy, drift_of(lv, pair).col(0));
  check_equal(gy, 0.01 * pair.col(0));

  Block<float> cir(1, 2), slope(1, 2);
  cir << 1.0f, 4.0f;
  slope = CoxIngersollRoss{.sigma = 2}.diffusion_slope(cir, 0.0);
  CHECK(slope(0, 1) == 0.5f);
}

TEST_CASE("bad parameters are refused by name and value") {
  const double nan = std::numeric_limits<double>::quiet_NaN();

  CHECK_THROWS_WITH(BrownianMotion{.sigma = -1}.validate(),
                    "sigma must be positive and finite: got sigma=-1");
  CHECK_THROWS_WITH(OrnsteinUhlenbeck{.theta = 0}.validate(),
                    "theta must be positive and finite: got theta=0");
  CHECK_THROWS_WITH(GeometricBrownianMotion{.mu = nan}.validate(), "mu must be finite: got mu=nan");
  CHECK_THROWS_WITH(CoxIngersollRoss{.kappa = nan}.validate(),
                    "kappa must be positive and finite: got kappa=nan");
  CHECK_THROWS_WITH(Heston{.rho = 1.5}.validate(), "rho must lie in [-1, 1]: got rho=1.5");
  CHECK_THROWS_WITH(StochasticLotkaVolterra{.beta = -1}.validate(),
                    "beta must be at least 0 and finite: got beta=-1");
  CHECK_THROWS_WITH(Langevin{.stiffness = -1}.validate(),
                    "the potential must confine: with quartic=0 stiffness must be positive, got "
                    "stiffness=-1");
  CHECK_THROWS_WITH(DoubleWell{.sigma = 0}.validate(),
                    "sigma must be positive and finite: got sigma=0");
  CHECK_THROWS_WITH(KuboOscillator{.sigma = 0}.validate(),
                    "sigma must be positive and finite: got sigma=0");
  CHECK_THROWS_WITH(Lorenz{.beta = 0}.validate(), "beta must be positive and finite: got beta=0");
  CHECK_THROWS_WITH(VanDerPol{.mu = -1}.validate(), "mu must be at least 0 and finite: got mu=-1");
  CHECK_NOTHROW(Langevin{}.validate());
  CHECK_NOTHROW(Heston{}.validate());
}

TEST_CASE("a linear SDE refuses shapes that do not agree") {
  LinearSde wide = affine(), few = affine(), bad = affine(), infinite = affine();
  wide.A.resize(2, 3);
  few.b.pop_back();
  bad.B[1].resize(3, 3);
  infinite.a[0] = std::numeric_limits<double>::infinity();

  CHECK_NOTHROW(affine().validate());
  CHECK_THROWS_WITH(wide.validate(), ContainsSubstring("A must be square"));
  CHECK_THROWS_WITH(few.validate(), ContainsSubstring("got 2 and 1"));
  CHECK_THROWS_WITH(bad.validate(), ContainsSubstring("k=1 does not"));
  CHECK_THROWS_WITH(infinite.validate(), ContainsSubstring("finite"));
}
