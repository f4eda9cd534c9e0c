#include <fokker/diffusion/score/guidance.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

#include <Eigen/Eigenvalues>

#include <fokker/diffusion/model/likelihood.hpp>
#include <fokker/diffusion/model/sampled_law.hpp>
#include <fokker/diffusion/schedule/affine_process.hpp>
#include <fokker/diffusion/score/any_score.hpp>
#include <fokker/diffusion/score/exact_score.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>

#include "catch.hpp"

using namespace fokker;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

const AffineProcess edm{Edm{}};  // s = 1, sigma = t
const Adaptive tight{.rtol = 1e-11, .atol = 1e-13};

GaussianSpectrum normal(double mean, double variance) {
  return GaussianSpectrum(VectorXd{{mean}}, VectorXd{{variance}});
}

/// The variance of what guidance of weight w samples between N(0, a) and N(0, b) from variance V at
/// sigma^2 = r, in r: (a + r)^w (b + r)^(1-w) is the square of what multiplies x in the flow.
double flow_variance(double a, double b, double w, double from, double r) {
  return from * std::pow(a / (a + r), w) * std::pow(b / (b + r), 1 - w);
}
double sde_variance(double a, double b, double w, double from, double r) {
  const double shrink = std::pow(a / (a + r), 2 * w) * std::pow(b / (b + r), 2 - 2 * w);
  const double power = 2 * w - 1;
  const double at_0 = std::pow(b / a, power), at_r = std::pow((b + r) / (a + r), power);
  return from * shrink +
         std::pow(a, 2 * w) * std::pow(b, 2 - 2 * w) * (at_0 - at_r) / (power * (b - a));
}

}  // namespace

TEST_CASE("the Jacobian of a guided score comes from both posterior covariances, erased too") {
  const GaussianMixture ring = GaussianMixture::ring(8, 4.0, 0.3);
  const std::size_t half[] = {0, 1, 2, 3};
  const auto c = exact_score(edm, class_of(ring, half)), u = exact_score(edm, ring);
  const auto both = guided(c, u, 2.5);
  const auto erased = guided(AnyScore<double>(c), AnyScore<double>(u), 2.5);
  const AnyScore<double> any = both;
  const Block<double> x{{1.0, -2.0}, {0.3, 3.5}}, v{{1.0, 0.5}, {-0.2, 1.0}};
  Block<double> out(2, 2), again(2, 2), above(2, 2), below(2, 2);
  const double t = 0.8, h = 1e-5;

  CHECK(score_jacobian_times(edm, both, x, t, v, out) == 1);

  both(Block<double>(x + h * v), t, above);
  both(Block<double>(x - h * v), t, below);
  CHECK((out - (above - below) / (2 * h)).abs().maxCoeff() < 1e-8);
  CHECK(score_jacobian_times(edm, erased, x, t, v, again) == 1);
  CHECK((again == out).all());
  CHECK(score_jacobian_times(edm, any, x, t, v, again) == 1);
  CHECK((again == out).all());
  CHECK(denoiser_jacobian_times(edm, any, x, t, v, again) == 1);
  CHECK((again - (v + t * t * out)).abs().maxCoeff() < 1e-12);
}

namespace {

/// A score that is only itself.
struct SquareScore {
  Index dimension() const { return 1; }
  template <State X>
  void operator()(const X& x, Time t, X& out) const {
    out = x.square() / (1 + t);
  }
  template <State X>
  void denoise(const X& x, Time, X& out) const {
    out = x;
  }
};

}  // namespace

TEST_CASE("a score that knows no Jacobian is differenced, erased too") {
  const AnyScore<double> any = SquareScore{};
  const Block<double> x{{1.0, -2.0}}, v{{1.0, 0.5}};
  Block<double> out(1, 2);

  CHECK(score_jacobian_times(edm, any, x, 0.8, v, out) == 2);
  CHECK((out - 2 * x * v / 1.8).abs().maxCoeff() < 1e-8);
  CHECK(!any.has_jacobian());
  CHECK_THROWS_AS(any.jacobian_times(x, 0.8, v, out), std::logic_error);
  CHECK_THROWS_AS(any.posterior_covariance_times(x, 0.8, v, out), std::logic_error);
}

TEST_CASE("a guided score is u + w (c - u), and so is its denoiser") {
  const auto c = exact_score(edm, normal(1, 0.5)), u = exact_score(edm, normal(0, 2));
  const auto both = guided(c, u, 2.5);
  Block<double> x(1, 3), from_c(1, 3), from_u(1, 3), out(1, 3);
  x << -1, 0, 3;

  c(x, 0.7, from_c);
  u(x, 0.7, from_u);
  both(x, 0.7, out);
  CHECK((out - (from_u + 2.5 * (from_c - from_u))).abs().maxCoeff() < 1e-15);

  // Tweedie's formula ties the two: D = x + sigma^2 score.
  Block<double> denoised(1, 3);
  both.denoise(x, 0.7, denoised);
  CHECK((denoised - (x + 0.49 * out)).abs().maxCoeff() < 1e-14);
  CHECK(both.dimension() == 1);
}

TEST_CASE("the law meant between normal laws is the normalised p_c^w p_u^(1-w)") {
  const Gaussian c(VectorXd{{1, 0}}, MatrixXd{{0.5, 0.1}, {0.1, 0.4}});
  const Gaussian u(VectorXd{{0, -1}}, MatrixXd{{2.0, 0.3}, {0.3, 1.0}});
  const Gaussian meant = guidance_target(c, u, 1.7);
  Block<double> x(2, 4);
  x << 0, 1, -1, 2, 0.5, 0, 1, -2;

  const Eigen::ArrayXd difference =
      meant.log_density(x, 1, 0).transpose() - guidance_target_log_density(c, u, 1.7, x);

  CHECK(difference.maxCoeff() - difference.minCoeff() < 1e-12);
}

TEST_CASE("weights that no law is meant by are refused, and so are laws of other kinds") {
  // 1/2 (1 - w) + w/4 < 0 for w > 2: the class is wider than all.
  CHECK_THROWS_WITH(guidance_target(normal(0, 4), normal(0, 2), 3.0),
                    ContainsSubstring("no finite integral"));
  const GaussianMixture mixture = GaussianMixture::ring(3, 1, 0.2);
  CHECK_THROWS_WITH(guidance_target(mixture, mixture, 1), ContainsSubstring("gaussian mixture"));
  CHECK_THROWS_WITH(guidance_target(mixture, normal(0, 1), 1), ContainsSubstring("got 2 and 1"));
}

TEST_CASE("the law sampled with an exact score of normal data is the data, for every eta") {
  const VectorXd mean{{1, -0.5}};
  const MatrixXd c{{1.0, 0.5}, {0.5, 2.0}};
  const auto score = exact_score(edm, Gaussian(mean, c));
  const GaussianLaw start{mean, c + 100 * MatrixXd::Identity(2, 2)};

  for (const double eta : {0.0, 0.6, 1.0}) {
    const auto sampled =
        sampled_law(ReverseSde{edm, score, eta}, Dop853{}, tight, start, {10.0, 0.05});
    REQUIRE(sampled.status == Status::success);
    CHECK((sampled.law.mean - mean).norm() < 1e-9);
    CHECK((sampled.law.covariance - c - 0.0025 * MatrixXd::Identity(2, 2)).norm() < 1e-9);
  }
}

TEST_CASE("a wrong start is forgotten as M^2, M = ((v + s'^2) / (v + s^2))^((1 + eta^2)/2)") {
  const double v = 0.5, from = 3.0, to = 0.1;
  const auto score = exact_score(edm, normal(0.2, v));

  for (const double eta : {0.0, 0.5, 1.0}) {
    const double m = std::pow((v + to * to) / (v + from * from), 0.5 * (1 + eta * eta));
    const GaussianLaw start{VectorXd{{1.2}}, MatrixXd{{2.0}}};
    const auto sampled =
        sampled_law(ReverseSde{edm, score, eta}, Dop853{}, tight, start, {from, to});
    CHECK_THAT(sampled.law.mean(0), WithinRel(0.2 + m * 1.0, 1e-9));
    CHECK_THAT(sampled.law.covariance(0, 0),
               WithinRel(m * m * 2.0 + v + to * to - m * m * (v + from * from), 1e-8));
  }
}

TEST_CASE("a wrong start whose covariance does not commute with that of the data comes out right") {
  const MatrixXd c{{1.0, 0.5}, {0.5, 2.0}}, wrong{{3.0, 1.0}, {1.0, 1.0}};
  const MatrixXd identity = MatrixXd::Identity(2, 2);
  const auto score = exact_score(edm, Gaussian(VectorXd::Zero(2), c));
  const Eigen::SelfAdjointEigenSolver<MatrixXd> modes(c);

  for (const double eta : {0.0, 1.0}) {
    const Eigen::ArrayXd v = modes.eigenvalues();
    const VectorXd factor = ((v + 0.01) / (v + 9)).pow(0.5 * (1 + eta * eta));
    const MatrixXd m =
        modes.eigenvectors() * factor.asDiagonal() * modes.eigenvectors().transpose();
    const auto sampled = sampled_law(ReverseSde{edm, score, eta}, Dop853{}, tight,
                                     {VectorXd::Zero(2), wrong}, {3.0, 0.1});
    const MatrixXd expected = m * (wrong - c - 9 * identity) * m + c + 0.01 * identity;
    CHECK((sampled.law.covariance - expected).norm() < 1e-9);
  }
}

TEST_CASE(
    "guidance samples what Bradley and Nakkiran computed: neither what is meant nor, with "
    "noise, what it samples without") {
  const double a = 1, b = 2, r = 80 * 80;
  for (const double w : {1.0, 1.5, 3.0}) {
    const auto score = guided(exact_score(edm, normal(0, a)), exact_score(edm, normal(0, b)), w);
    const GaussianLaw start{VectorXd::Zero(1), MatrixXd{{r}}};
    const auto sampled = [&](double eta) {
      return sampled_law(ReverseSde{edm, score, eta}, Dop853{}, tight, start, {80.0, 1e-9})
          .law.covariance(0, 0);
    };

    CHECK_THAT(sampled(0), WithinRel(flow_variance(a, b, w, r, r), 1e-8));
    CHECK_THAT(sampled(1), WithinRel(sde_variance(a, b, w, r, r), 1e-8));

    // From sigma = infinity: their (2 - 2^(2-2w)) / (2w - 1) and 2^(1-w), against 2 / (w + 1).
    CHECK_THAT(sampled(0), WithinRel(std::pow(2.0, 1 - w), 1e-3));
    CHECK_THAT(sampled(1), WithinRel((2 - std::pow(2.0, 2 - 2 * w)) / (2 * w - 1), 1e-3));
    CHECK_THAT(guidance_target(normal(0, a), normal(0, b), w).variance()(0),
               WithinRel(2 / (w + 1), 1e-12));
  }
}

TEST_CASE("a score that is not linear has no sampled normal law, and bad arguments are refused") {
  const auto score = exact_score(edm, GaussianMixture::ring(3, 1, 0.2));
  const ReverseSde reverse{edm, score};
  const GaussianLaw start{VectorXd::Zero(2), MatrixXd::Identity(2, 2)};

  CHECK_THROWS_WITH(sampled_law(reverse, Dop853{}, tight, start, {1.0, 0.1}),
                    ContainsSubstring("linear in x"));
  CHECK_THROWS_WITH(sampled_law(reverse, Dop853{}, tight, start, {0.1, 1.0}),
                    ContainsSubstring("goes down"));
  CHECK_THROWS_WITH(sampled_law(reverse, Dop853{}, tight,
                                {VectorXd::Zero(2), MatrixXd::Identity(3, 3)}, {1.0, 0.1}),
                    ContainsSubstring("3 x 3"));
}

TEST_CASE("a class of a mixture is its components alone") {
  const GaussianMixture all({{0.2, {-1.0}, {0.1}}, {0.3, {0.0}, {0.2}}, {0.5, {2.0}, {0.3}}});
  const std::vector<std::size_t> first_and_last{0, 2};

  const GaussianMixture some = class_of(all, first_and_last);

  REQUIRE(some.components().size() == 2);
  CHECK_THAT(some.components()[0].weight, WithinRel(0.2 / 0.7, 1e-15));
  CHECK(some.components()[1].mean[0] == 2.0);
  CHECK_THROWS_WITH(class_of(all, std::vector<std::size_t>{3}), ContainsSubstring("0 to 2: got 3"));
  CHECK_THROWS_WITH(class_of(all, std::vector<std::size_t>{1, 1}),
                    ContainsSubstring("got 1 twice"));
}

TEST_CASE(
    "the density of what is meant by guidance in one dimension has mass 1 and the right shape") {
  const GaussianSpectrum c = normal(1, 0.5), u = normal(0, 2);
  const Eigen::ArrayXd points = Eigen::ArrayXd::LinSpaced(401, -8, 10);

  const Eigen::ArrayXd density = guidance_target_density(c, u, 2.0, points);

  const Block<double> x = points.transpose();
  const Eigen::ArrayXd expected = guidance_target(c, u, 2.0).log_density(x, 1, 0).exp().transpose();
  CHECK((density - expected).abs().maxCoeff() < 1e-12);
  CHECK_THROWS_WITH(guidance_target_density(c, u, 2.0, Eigen::ArrayXd{{1.0, 0.0}}),
                    ContainsSubstring("increasing"));
}

TEST_CASE(
    "on a mixture the flow samples a density of mass 1 that is not the one meant, but for "
    "weight 1") {
  const GaussianMixture all({{0.5, {-1.0}, {0.16}}, {0.5, {1.0}, {0.16}}});
  const GaussianMixture right = class_of(all, std::vector<std::size_t>{1});
  const Eigen::ArrayXd points = Eigen::ArrayXd::LinSpaced(121, -2, 4);
  const Block<double> x = points.transpose();
  const double spacing = points(1) - points(0);

  const auto distance_in_variation = [&](double w) {
    const auto score = guided(exact_score(edm, right), exact_score(edm, all), w);
    const auto result = log_likelihood(
        ProbabilityFlow{edm, score}, Dopri5{}, Adaptive{.rtol = 1e-7, .atol = 1e-7}, x,
        {1e-3, 80.0}, [](const Block<double>& z) { return prior_log_density(z, 80); },
        ExactDivergence{});
    const Eigen::ArrayXd sampled = result.log_density.exp();
    CHECK_THAT(sampled.sum() * spacing, WithinAbs(1, 2e-3));
    return 0.5 * (sampled - guidance_target_density(right, all, w, points)).abs().sum() * spacing;
  };

  CHECK(distance_in_variation(1.0) < 0.01);
  CHECK(distance_in_variation(3.0) > 0.03);
}
