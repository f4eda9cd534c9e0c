/// Moments and densities of the processes: against published values, the moment equations
/// integrated numerically, and one another.

#include <cmath>
#include <functional>

#include <boost/math/quadrature/tanh_sinh.hpp>

#include <fokker/processes/models/brownian_motion.hpp>
#include <fokker/processes/models/cox_ingersoll_ross.hpp>
#include <fokker/processes/models/double_well.hpp>
#include <fokker/processes/models/geometric_brownian_motion.hpp>
#include <fokker/processes/models/heston.hpp>
#include <fokker/processes/models/kubo.hpp>
#include <fokker/processes/models/langevin.hpp>
#include <fokker/processes/models/linear.hpp>
#include <fokker/processes/models/ornstein_uhlenbeck.hpp>

#include "catch.hpp"

using namespace fokker;

namespace {

using Eigen::ArrayXd;
using Eigen::MatrixXd;

double integral(const std::function<double(double)>& f, double low, double high) {
  static boost::math::quadrature::tanh_sinh<double> rule;
  return rule.integrate(f, low, high, 1e-12);
}

/// The density exp(log_density) has mass 1 and this mean and variance.
void check_density(const std::function<double(double)>& log_density, double low, double high,
                   double mean, double variance) {
  const auto moment = [&](auto phi) {
    return integral([&](double x) { return phi(x) * std::exp(log_density(x)); }, low, high);
  };
  CHECK(moment([](double) { return 1.0; }) == Approx(1).epsilon(1e-9));
  CHECK(moment([](double x) { return x; }) == Approx(mean).epsilon(1e-9).margin(1e-9));
  CHECK(moment([&](double x) { return (x - mean) * (x - mean); }) ==
        Approx(variance).epsilon(1e-8));
}

/// E (A X X^T + X X^T A^T + sum g_k g_k^T) and so on need only first and second moments where the
/// process is linear: P' as a function of (m, P), integrated by the classical Runge-Kutta method.
MatrixXd second_moment_by_quadrature(const LinearSde& p, const ArrayXd& x0, double t) {
  Eigen::VectorXd m = x0.matrix();
  MatrixXd P = m * m.transpose();
  const auto derivative = [&](const Eigen::VectorXd& mean, const MatrixXd& second) {
    MatrixXd d =
        p.A * second + second * p.A.transpose() + p.a * mean.transpose() + mean * p.a.transpose();
    for (std::size_t k = 0; k < p.B.size(); ++k)
      d += p.B[k] * second * p.B[k].transpose() + p.B[k] * mean * p.b[k].transpose() +
           p.b[k] * mean.transpose() * p.B[k].transpose() + p.b[k] * p.b[k].transpose();
    return d;
  };
  const int steps = 400;
  const double h = t / steps;
  for (int i = 0; i < steps; ++i) {
    const Eigen::VectorXd k1 = p.A * m + p.a, m2 = m + h / 2 * k1;
    const Eigen::VectorXd k2 = p.A * m2 + p.a, m3 = m + h / 2 * k2;
    const Eigen::VectorXd k3 = p.A * m3 + p.a, m4 = m + h * k3;
    const Eigen::VectorXd k4 = p.A * m4 + p.a;
    const MatrixXd l1 = derivative(m, P), l2 = derivative(m2, P + h / 2 * l1);
    const MatrixXd l3 = derivative(m3, P + h / 2 * l2), l4 = derivative(m4, P + h * l3);
    m += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
    P += h / 6 * (l1 + 2 * l2 + 2 * l3 + l4);
  }
  return P;
}

/// dm/dt = f(m) for a process whose drift is affine, and d Var/dt = 2 Cov(X, f) + E g^2.
void check_derivative(const std::function<double(double)>& f, double t, double wanted) {
  const double h = 1e-5;
  CHECK((f(t + h) - f(t - h)) / (2 * h) == Approx(wanted).epsilon(1e-8));
}

ArrayXd two(double a, double b) { return Eigen::Array2d{a, b}; }

}  // namespace

TEST_CASE("means and variances satisfy the moment equations") {
  const double t = 0.8, x0 = 1.7;
  const BrownianMotion bm{.mu = 0.3, .sigma = 0.4};
  const GeometricBrownianMotion gbm{.mu = 0.3, .sigma = 0.4};
  const OrnsteinUhlenbeck ou{.theta = 1.5, .mu = 0.4, .sigma = 0.7};
  const CoxIngersollRoss cir{.kappa = 1.5, .theta = 0.4, .sigma = 0.7};

  check_derivative([&](double s) { return bm.mean(x0, s); }, t, 0.3);
  check_derivative([&](double s) { return bm.variance(x0, s); }, t, 0.16);
  check_derivative([&](double s) { return gbm.mean(x0, s); }, t, 0.3 * gbm.mean(x0, t));
  const double second = gbm.variance(x0, t) + std::pow(gbm.mean(x0, t), 2);
  check_derivative([&](double s) { return gbm.variance(x0, s); }, t,
                   0.6 * gbm.variance(x0, t) + 0.16 * second);
  check_derivative([&](double s) { return ou.mean(x0, s); }, t, 1.5 * (0.4 - ou.mean(x0, t)));
  check_derivative([&](double s) { return ou.variance(x0, s); }, t, 0.49 - 3 * ou.variance(x0, t));
  check_derivative([&](double s) { return cir.mean(x0, s); }, t, 1.5 * (0.4 - cir.mean(x0, t)));
  check_derivative([&](double s) { return cir.variance(x0, s); }, t,
                   0.49 * cir.mean(x0, t) - 3 * cir.variance(x0, t));
  CHECK(gbm.variance(x0, 0.0) == 0);
  CHECK(cir.variance(x0, 0.0) == 0);
  CHECK(ou.variance(x0, 0.0) == 0);
}

TEST_CASE("transition densities have mass one and the closed moments") {
  const double t = 0.8, x0 = 1.2;
  const BrownianMotion bm{.mu = 0.3, .sigma = 0.4};
  const GeometricBrownianMotion gbm{.mu = 0.3, .sigma = 0.4};
  const OrnsteinUhlenbeck ou{.theta = 1.5, .mu = 0.4, .sigma = 0.7};
  const CoxIngersollRoss cir{.kappa = 1, .theta = 1, .sigma = 1};

  check_density([&](double x) { return bm.log_density(x, x0, t); }, -5, 7, bm.mean(x0, t),
                bm.variance(x0, t));
  check_density([&](double x) { return gbm.log_density(x, x0, t); }, 1e-3, 40, gbm.mean(x0, t),
                gbm.variance(x0, t));
  check_density([&](double x) { return ou.log_density(x, x0, t); }, -6, 6, ou.mean(x0, t),
                ou.variance(x0, t));
  check_density([&](double x) { return cir.log_density(x, x0, t); }, 0, 60, cir.mean(x0, t),
                cir.variance(x0, t));
}

TEST_CASE("transition densities tend to the stationary ones") {
  const OrnsteinUhlenbeck ou{.theta = 1.5, .mu = 0.4, .sigma = 0.7};
  const CoxIngersollRoss cir{.kappa = 1.5, .theta = 0.8, .sigma = 0.7};

  for (const double x : {0.2, 0.7, 1.9}) {
    CHECK(ou.log_density(x, 3.0, 30) == Approx(ou.stationary_log_density(x)).epsilon(1e-9));
    CHECK(cir.log_density(x, 3.0, 30) == Approx(cir.stationary_log_density(x)).epsilon(1e-9));
  }
}

TEST_CASE("the square-root process has the published variance and mean square root") {
  const CoxIngersollRoss cir{.kappa = 1, .theta = 1, .sigma = 1};

  const double mean_root =
      integral([&](double x) { return std::sqrt(x) * std::exp(cir.log_density(x, 1, 1)); }, 0, 60);

  CHECK(cir.variance(1.0, 1.0) == Approx(0.432332358381694).epsilon(1e-14));
  CHECK(mean_root == Approx(0.946396461911041).epsilon(1e-11));
  CHECK(cir.feller());
  CHECK_FALSE(CoxIngersollRoss{.kappa = 1, .theta = 1, .sigma = 1.5}.feller());
}

TEST_CASE("the square-root density holds below the Feller condition and from zero") {
  const CoxIngersollRoss below{.kappa = 1, .theta = 0.8, .sigma = 1.2};
  const double t = 0.5;

  const double c = 1.44 * (1 - std::exp(-t)) / 4, shape = 4 * 0.8 / 1.44 / 2;
  const double gamma =
      -shape * std::log(2 * c) + (shape - 1) * std::log(0.3) - 0.3 / (2 * c) - std::lgamma(shape);

  check_density([&](double x) { return below.log_density(x, 0.6, t); }, 0, 40, below.mean(0.6, t),
                below.variance(0.6, t));
  CHECK(below.log_density(0.3, 0, t) == Approx(gamma).epsilon(1e-12));
}

TEST_CASE("the noncentral chi-square sampler inverts its law") {
  const double degrees = 1.7, lambda = 2.4;
  const int grid = 400;

  double mean = 0, square = 0;
  for (int i = 0; i < grid; ++i)
    for (int j = 0; j < grid; ++j) {
      const double x =
          detail::noncentral_chi_squared_value(degrees, lambda, (i + 0.5) / grid, (j + 0.5) / grid);
      mean += x / (grid * grid);
      square += x * x / (grid * grid);
    }

  CHECK(mean == Approx(degrees + lambda).epsilon(5e-3));
  CHECK(square - mean * mean == Approx(2 * (degrees + 2 * lambda)).epsilon(2e-2));
  CHECK(detail::noncentral_chi_squared_value(2, 0, 0.5, 0.5) == Approx(2 * std::log(2.0)));
}

TEST_CASE("the stationary law of the double well has the published moments") {
  const auto moment = [](double sigma, int power) {
    const DoubleWell p{.sigma = sigma};
    const auto f = [&](double x) {
      return std::pow(x, power) * std::exp(p.stationary_log_density(x));
    };
    return 2 * (integral(f, 0, 1) + integral(f, 1, 6));  // even powers; the peak is at 1
  };

  CHECK(moment(1, 2) == Approx(0.893464969574237).epsilon(1e-11));
  CHECK(moment(0.5, 2) == Approx(0.852136152178334).epsilon(1e-11));
  CHECK(moment(std::sqrt(2.0), 2) == Approx(1.04179729648716).epsilon(1e-11));
  for (const double sigma : {0.1, 0.5, 1.0, 3.0}) {
    CHECK(moment(sigma, 0) == Approx(1).epsilon(1e-10));
    CHECK(moment(sigma, 4) == Approx(moment(sigma, 2) + sigma * sigma / 2).epsilon(1e-10));
  }
}

TEST_CASE("the normalizer of the double well is continuous where its expansion takes over") {
  const double sigma = 1 / std::sqrt(2000.0);

  CHECK(detail::double_well_log_normalizer(sigma * (1 - 1e-12)) ==
        Approx(detail::double_well_log_normalizer(sigma * (1 + 1e-12))).epsilon(1e-10));
  CHECK(std::isfinite(detail::double_well_log_normalizer(1e-3)));
}

TEST_CASE("moments of a linear SDE solve its moment equation") {
  LinearSde p{MatrixXd(2, 2),
              Eigen::VectorXd(2),
              {MatrixXd(2, 2), MatrixXd(2, 2)},
              {Eigen::VectorXd(2), Eigen::VectorXd(2)}};
  p.A << -0.4, 0.3, 0.1, -0.2;
  p.a << 0.5, -0.3;
  p.B[0] << 0.2, 0.4, 0, 0.1;
  p.B[1] << 0.1, 0, 0.5, -0.2;
  p.b[0] << 0.3, 0.1;
  p.b[1] << -0.2, 0.4;
  const ArrayXd x0 = two(1, 1);

  const MatrixXd P = second_moment_by_quadrature(p, x0, 1.0);
  const MatrixXd Q = p.second_moment(x0, 1.0);
  const MatrixXd m = p.mean(x0, 1.0).matrix();

  CHECK((P - Q).norm() < 1e-10);
  CHECK((p.covariance(x0, 1.0) - (Q - m * m.transpose())).norm() < 1e-15);
}

TEST_CASE("a linear SDE in one dimension has the moments of GBM and of Ornstein-Uhlenbeck") {
  const GeometricBrownianMotion gbm{.mu = 0.3, .sigma = 0.4};
  const OrnsteinUhlenbeck ou{.theta = 1.5, .mu = 0.4, .sigma = 0.7};
  const auto one = [](double v) { return MatrixXd::Constant(1, 1, v).eval(); };
  const auto offset = [](double v) { return Eigen::VectorXd::Constant(1, v).eval(); };
  const LinearSde as_gbm = LinearSde::homogeneous(one(0.3), {one(0.4)});
  const LinearSde as_ou{one(-1.5), offset(0.6), {one(0)}, {offset(0.7)}};
  const ArrayXd x0 = ArrayXd::Constant(1, 1.7);

  CHECK(as_gbm.mean(x0, 0.8)[0] == Approx(gbm.mean(1.7, 0.8)).epsilon(1e-13));
  CHECK(as_gbm.covariance(x0, 0.8)(0, 0) == Approx(gbm.variance(1.7, 0.8)).epsilon(1e-12));
  CHECK(as_ou.mean(x0, 0.8)[0] == Approx(ou.mean(1.7, 0.8)).epsilon(1e-13));
  CHECK(as_ou.covariance(x0, 0.8)(0, 0) == Approx(ou.variance(1.7, 0.8)).epsilon(1e-12));
  CHECK(covariance(gbm, x0, 0.8)(0, 0) == Approx(gbm.variance(1.7, 0.8)));
  CHECK(covariance(ou, two(1, 2), 0.8).isApprox(ou.variance(0, 0.8) * MatrixXd::Identity(2, 2)));
}

TEST_CASE("harmonic Langevin dynamics tends to equipartition") {
  const Langevin p{.gamma = 0.7, .kT = 1.3, .mass = 2, .stiffness = 3};

  const MatrixXd c = p.covariance(two(1, -1), 60);

  CHECK(c(0, 0) == Approx(1.3 / 3).epsilon(1e-10));
  CHECK(c(1, 1) == Approx(1.3 / 2).epsilon(1e-10));
  CHECK(std::abs(c(0, 1)) < 1e-10);
  CHECK(p.mean(two(1, -1), 60).abs().maxCoeff() < 1e-8);
  CHECK(p.energy(two(2, 3))(0) == Approx(0.5 * 2 * 9 + 0.5 * 3 * 4));
  CHECK_THROWS_WITH((Langevin{.quartic = 1}.mean(two(1, 1), 1)), ContainsSubstring("quartic=1"));
}

TEST_CASE("the Kubo oscillator has the moments of the linear SDE that it is") {
  const KuboOscillator p{.omega = 1.3, .sigma = 0.8};
  MatrixXd A(2, 2), B(2, 2);
  A << -0.32, -1.3, 1.3, -0.32;
  B << 0, -0.8, 0.8, 0;
  const LinearSde linear = LinearSde::homogeneous(A, {B});
  const ArrayXd x0 = two(0.6, -1.1);

  CHECK((p.mean(x0, 0.9) - linear.mean(x0, 0.9)).abs().maxCoeff() < 1e-13);
  CHECK((p.covariance(x0, 0.9) - linear.covariance(x0, 0.9)).norm() < 1e-13);
}

TEST_CASE("Heston's moments are those of its characteristic function") {
  const Heston p{.mu = 0.05, .kappa = 1.5, .theta = 0.04, .xi = 0.3, .rho = -0.7};
  const ArrayXd x0 = two(0.1, 0.09);
  const double t = 2, h = 1e-3;

  const auto log_phi = [&](double u) { return std::log(p.characteristic_function(u, x0, t)); };
  const double mean =
      (8.0 * (log_phi(h) - log_phi(-h)) - (log_phi(2 * h) - log_phi(-2 * h))).imag() / (12 * h);
  const double variance =
      -(16.0 * (log_phi(h) + log_phi(-h)) - (log_phi(2 * h) + log_phi(-2 * h))).real() /
      (12 * h * h);

  CHECK(p.mean(x0, t)[0] == Approx(mean).epsilon(1e-9));
  CHECK(p.covariance(x0, t)(0, 0) == Approx(variance).epsilon(1e-7));
  CHECK(p.characteristic_function({0, -1}, x0, t).real() ==
        Approx(std::exp(0.1 + 0.05 * t)).epsilon(1e-12));
}

TEST_CASE("Heston's variance has the moments of the square-root process") {
  const Heston p{.mu = 0.05, .kappa = 1.5, .theta = 0.04, .xi = 0.3, .rho = -0.7};
  const CoxIngersollRoss v{.kappa = 1.5, .theta = 0.04, .sigma = 0.3};
  const ArrayXd x0 = two(0.1, 0.09);

  CHECK(p.mean(x0, 2)[1] == Approx(v.mean(0.09, 2)).epsilon(1e-13));
  CHECK(p.covariance(x0, 2)(1, 1) == Approx(v.variance(0.09, 2)).epsilon(1e-12));
  CHECK(Heston::domain(1).low == 0);
  CHECK(std::isinf(Heston::domain(0).low));
}
