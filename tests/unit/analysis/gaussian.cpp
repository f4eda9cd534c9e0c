#include <cmath>
#include <limits>
#include <stdexcept>

#include <Eigen/Dense>

#include <fokker/analysis/law/gaussian.hpp>

#include "catch.hpp"

using Eigen::MatrixXd;
using Eigen::VectorXd;
using fokker::DiagonalGaussian;
using fokker::GaussianLaw;

namespace {

MatrixXd rotation(double angle) {
  MatrixXd r(2, 2);
  r << std::cos(angle), -std::sin(angle), std::sin(angle), std::cos(angle);
  return r;
}

GaussianLaw dense(const DiagonalGaussian& g) { return {g.mean, g.variance.asDiagonal()}; }

const DiagonalGaussian first{VectorXd{{1.0, -2.0, 0.5}}, VectorXd{{4.0, 0.25, 1e-6}}};
const DiagonalGaussian second{VectorXd{{0.0, -1.0, 0.5}}, VectorXd{{1.0, 1.0, 4e-6}}};

}  // namespace

TEST_CASE("Bures-Wasserstein of diagonal laws is the sum over coordinates") {
  // W2^2 = (1 + 1 + 0) + (2 - 1)^2 + (0.5 - 1)^2 + (1e-3 - 2e-3)^2
  const double expected = std::sqrt(3.25 + 1e-6);

  CHECK(bures_wasserstein(first, second) == Approx(expected).epsilon(1e-14));
  CHECK(bures_wasserstein(dense(first), dense(second)) == Approx(expected).epsilon(1e-13));
}

TEST_CASE("laws given by roots keep a distance of 1e-12, singular ones too") {
  MatrixXd root = MatrixXd::Zero(2, 2), other = MatrixXd::Zero(2, 3);
  root(0, 0) = 1;
  other(0, 2) = 1;
  other(1, 1) = 1e-12;  // the nearest orthogonal map leaves this alone
  const fokker::GaussianRoot p{VectorXd::Zero(2), root}, q{VectorXd::Zero(2), other};

  CHECK(bures_wasserstein(p, q) == Approx(1e-12).epsilon(1e-3));
  CHECK(bures_wasserstein(p, p) < 1e-15);
  CHECK(bures_wasserstein(dense(first), dense(second)) ==
        Approx(bures_wasserstein(root_of(dense(first)), root_of(dense(second)))).epsilon(1e-14));
}

TEST_CASE("Bures-Wasserstein agrees with the trace formula in two dimensions") {
  // In 2-D the trace of a square root is closed: tr M^1/2 = sqrt(tr M + 2 sqrt(det M)).
  const GaussianLaw p{VectorXd{{0.3, 0.0}},
                      rotation(0.4) * VectorXd{{3.0, 0.2}}.asDiagonal() * rotation(-0.4)};
  const GaussianLaw q{VectorXd{{0.0, 0.1}},
                      rotation(-1.0) * VectorXd{{0.7, 1.5}}.asDiagonal() * rotation(1.0)};
  const MatrixXd product = p.covariance * q.covariance;
  const double root_trace = std::sqrt(product.trace() + 2.0 * std::sqrt(product.determinant()));
  const double expected =
      std::sqrt(0.09 + 0.01 + p.covariance.trace() + q.covariance.trace() - 2.0 * root_trace);

  CHECK(bures_wasserstein(p, q) == Approx(expected).epsilon(1e-13));
  CHECK(bures_wasserstein(q, p) == Approx(expected).epsilon(1e-13));
}

TEST_CASE("Bures-Wasserstein keeps its digits near equality") {
  const MatrixXd c = rotation(0.4) * VectorXd{{3.0, 0.2}}.asDiagonal() * rotation(-0.4);
  const double delta = 1e-9;
  const GaussianLaw p{VectorXd::Zero(2), c};
  const GaussianLaw q{VectorXd::Zero(2), (1.0 + delta) * (1.0 + delta) * c};

  CHECK(bures_wasserstein(p, p) < 1e-14);
  CHECK(bures_wasserstein(p, q) == Approx(delta * std::sqrt(c.trace())).epsilon(1e-5));
}

TEST_CASE("Bures-Wasserstein accepts singular covariances") {
  const GaussianLaw point{VectorXd::Zero(2), MatrixXd::Zero(2, 2)};
  const GaussianLaw line{VectorXd::Zero(2), MatrixXd{{1.0, 1.0}, {1.0, 1.0}}};

  CHECK(bures_wasserstein(point, line) == Approx(std::sqrt(2.0)));
}

TEST_CASE("Gaussian relative entropy has its closed form") {
  // One dimension: ln(s2 / s1) + (s1^2 + (m1 - m2)^2) / (2 s2^2) - 1/2.
  const auto term = [](double m1, double v1, double m2, double v2) {
    return 0.5 * std::log(v2 / v1) + (v1 + (m1 - m2) * (m1 - m2)) / (2.0 * v2) - 0.5;
  };
  double expected = 0.0;
  for (int i = 0; i < 3; ++i) {
    expected += term(first.mean(i), first.variance(i), second.mean(i), second.variance(i));
  }

  CHECK(gaussian_kl(first, second) == Approx(expected).epsilon(1e-13));
  CHECK(gaussian_kl(dense(first), dense(second)) == Approx(expected).epsilon(1e-12));
  CHECK(gaussian_kl(first, first) == 0.0);
}

TEST_CASE("Gaussian relative entropy is infinite from a singular law") {
  const DiagonalGaussian point{VectorXd::Zero(1), VectorXd::Zero(1)};
  const DiagonalGaussian normal{VectorXd::Zero(1), VectorXd::Ones(1)};

  CHECK(gaussian_kl(point, normal) == std::numeric_limits<double>::infinity());
  CHECK_THROWS_WITH(gaussian_kl(normal, point), ContainsSubstring("must be positive"));
}

TEST_CASE("Gaussian distances refuse what is no law") {
  const GaussianLaw good{VectorXd::Zero(2), MatrixXd::Identity(2, 2)};
  const GaussianLaw indefinite{VectorXd::Zero(2), MatrixXd{{1.0, 2.0}, {2.0, 1.0}}};
  const GaussianLaw larger{VectorXd::Zero(3), MatrixXd::Identity(3, 3)};
  const GaussianLaw lost{VectorXd{{0.0, std::nan("")}}, MatrixXd::Identity(2, 2)};

  CHECK_THROWS_WITH(bures_wasserstein(good, indefinite),
                    ContainsSubstring("smallest eigenvalue is -1"));
  CHECK_THROWS_WITH(bures_wasserstein(good, larger), ContainsSubstring("sizes disagree"));
  CHECK_THROWS_WITH(bures_wasserstein(lost, good), ContainsSubstring("finite"));
  CHECK_THROWS_AS(gaussian_kl(good, indefinite), std::invalid_argument);
  CHECK_THROWS_AS(gaussian_kl(indefinite, good), std::invalid_argument);
}
