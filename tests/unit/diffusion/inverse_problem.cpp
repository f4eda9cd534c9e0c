#include <fokker/diffusion/inverse/inverse_problem.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>
#include <type_traits>

#include <Eigen/LU>

#include <fokker/diffusion/model/reverse_sde.hpp>
#include <fokker/diffusion/model/sampled_law.hpp>
#include <fokker/diffusion/samplers/exponential_euler_maruyama.hpp>
#include <fokker/diffusion/schedule/affine_process.hpp>
#include <fokker/diffusion/score/any_score.hpp>
#include <fokker/diffusion/score/exact_score.hpp>
#include <fokker/diffusion/score/learned_score.hpp>
#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>

#include "catch.hpp"

using namespace fokker;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

const AffineProcess vp{VariancePreserving{}};
const AffineProcess edm{Edm{}};  // s = 1, sigma = t

const Gaussian plane(VectorXd{{0.5, -1}}, MatrixXd{{1.0, 0.6}, {0.6, 2.0}});
const LinearObservation seen{MatrixXd{{1.0, 2.0}}, VectorXd{{0.7}}, MatrixXd{{0.3}}};

GaussianMixture mixture() {
  return GaussianMixture({{0.3, {-1.5, 0.2}, {0.3, 0.1, 0.1, 0.2}}, {0.7, {1.0, -0.5}, {0.25}}});
}

GaussianSpectrum normal(double mean, double variance, Index d = 1) {
  return GaussianSpectrum(VectorXd::Constant(d, mean), VectorXd::Constant(d, variance));
}

Block<double> points() {
  Block<double> x(2, 4);
  x << 0, 1, -1, 2, 0.5, 0, 1, -2;
  return x;
}

/// log N(y; H x, R) of each column.
Eigen::ArrayXd log_observation(const LinearObservation& o, const Block<double>& x) {
  Eigen::ArrayXd out(x.cols());
  for (Index j = 0; j < x.cols(); ++j) {
    const VectorXd residual = o.y - o.h * x.col(j).matrix();
    out(j) = -0.5 * residual.dot(o.covariance.inverse() * residual) -
             0.5 * std::log((2 * std::numbers::pi * o.covariance).determinant());
  }
  return out;
}

/// The largest distance of the guided score from that of the exact posterior, over the largest
/// size of the term added to the score.
double score_error(const auto& process, const auto& data, const LinearObservation& o,
                   const auto& approximation, Time t) {
  const auto score = exact_score(process, data);
  const auto exact = exact_score(process, posterior(data, o));
  const auto guided = observed(process, score, o, approximation);
  const Block<double> x = points().topRows(data.dimension());
  Block<double> a(x.rows(), x.cols()), b(x.rows(), x.cols()), free(x.rows(), x.cols());
  guided(x, t, a);
  exact(x, t, b);
  score(x, t, free);
  return (a - b).abs().maxCoeff() / (b - free).abs().maxCoeff();
}

/// The mean of the second of two coordinates with variances 1 and covariance rho after steps of the
/// exponential Euler-Maruyama scheme down to t = 0, the first being replaced by y = 1.
double mean_by_replacement(double rho, int steps) {
  const auto score = exact_score(edm, Gaussian(VectorXd::Zero(2), MatrixXd{{1, rho}, {rho, 1}}));
  const std::array<Index, 1> first{0};
  const Replacement sampler(ExponentialEulerMaruyama{},
                            LinearObservation::of_rows(2, first, VectorXd{{1.0}}));
  const ReverseSde reverse{edm, score, 1.0};
  using X = Block<double>;
  X x(2, 1), y(2, 1);
  x << 1, 0;
  Increment<std::remove_const_t<decltype(reverse)>, X> dw;
  dw.resize(2, 1, needs_of(sampler));
  decltype(sampler)::Workspace<X> w(2, 1);
  const double high = std::log(200.0), low = std::log(1e-4);
  for (int k = 0; k < steps; ++k) {
    const Time t = std::exp(high + (low - high) * k / steps);
    const Time next = k + 1 == steps ? 0 : std::exp(high + (low - high) * (k + 1) / steps);
    sampler.step(reverse, x, t, next, dw, y, w);
    x.swap(y);
  }
  return x(1, 0);
}

}  // namespace

TEST_CASE("Bayes: log posterior = log prior + log observation - log evidence") {
  const LinearObservation both{MatrixXd{{1.0, 2.0}, {0.5, -1.0}}, VectorXd{{0.7, 0.1}},
                               MatrixXd{{0.3, 0.1}, {0.1, 0.2}}};
  const Block<double> x = points();
  const auto check = [&](const auto& data, const LinearObservation& o) {
    const Eigen::ArrayXd expected =
        data.log_density(x, 1, 0).transpose() + log_observation(o, x) - log_evidence(data, o);
    const Eigen::ArrayXd got = posterior(data, o).log_density(x, 1, 0).transpose();
    CHECK((got - expected).abs().maxCoeff() < 1e-10);
  };

  for (const LinearObservation& o : {seen, both}) {
    check(plane, o);
    check(mixture(), o);
    check(normal(0.3, 0.8, 2), o);
  }
}

TEST_CASE("an observation without noise pins what it sees; of a mixture no density is left") {
  const std::array<Index, 1> first{0};
  const auto exact = LinearObservation::of_rows(2, first, VectorXd{{2.0}});

  const Gaussian left = posterior(plane, exact);

  CHECK_THAT(left.mean()(0), WithinAbs(2.0, 1e-14));
  CHECK_THAT(left.mean()(1), WithinAbs(-1 + 0.6 * 1.5, 1e-14));
  CHECK(left.covariance().row(0).norm() < 1e-14);
  CHECK_THAT(left.covariance()(1, 1), WithinAbs(2 - 0.36, 1e-14));
  CHECK_THROWS_WITH(posterior(mixture(), exact), ContainsSubstring("not positive definite"));
}

TEST_CASE("a far observation leaves the mixture one component, without underflow") {
  const LinearObservation far{MatrixXd{{1.0, 0.0}}, VectorXd{{-60.0}}, MatrixXd{{0.01}}};

  const GaussianMixture left = posterior(mixture(), far);

  CHECK(left.dimension() == 2);
  CHECK(left.components().front().weight > 1 - 1e-12);
  CHECK(std::isfinite(log_evidence(mixture(), far)));
}

TEST_CASE(
    "with the posterior covariance the guided score of normal data is that of the posterior") {
  for (const Time t : {0.02, 0.3, 0.9})
    CHECK(score_error(vp, plane, seen, PosteriorCovariance{}, t) < 1e-6);
  for (const Time t : {0.05, 1.0, 20.0})
    CHECK(score_error(edm, plane, seen, PosteriorCovariance{}, t) < 1e-6);
}

TEST_CASE("PiGDM is exact for data N(m, v I) with their v, and for no other") {
  const GaussianSpectrum data = normal(0.4, 0.5, 2);

  for (const Time t : {0.02, 0.3, 0.6})
    CHECK(score_error(vp, data, seen, IsotropicCovariance{0.5}, t) < 1e-6);
  CHECK(score_error(vp, normal(0.4, 1, 2), seen, IsotropicCovariance{}, 0.3) < 1e-6);
  for (const Time t : {0.3, 0.6}) {  // as t -> 0 every S is small beside R
    CHECK(score_error(vp, data, seen, IsotropicCovariance{}, t) > 1e-3);
    CHECK(score_error(vp, plane, seen, IsotropicCovariance{}, t) > 1e-3);
  }
}

TEST_CASE("DPS in one dimension is g (y - g x) / R where the truth is g (y - g x) / (S + R)") {
  const double v = 0.8, r = 0.1, y = 0.7, t = 0.3;
  const LinearObservation o{MatrixXd{{1.0}}, VectorXd{{y}}, MatrixXd{{r}}};
  const double s = vp.scale(t), std = vp.std(t), total = s * s * v + std * std;
  const double g = s * v / total, left = v * std * std / total;
  const auto score = exact_score(vp, normal(0, v));
  Block<double> x(1, 3), out(1, 3), truth(1, 3);
  x << -1, 0.2, 2;

  observed(vp, score, o, PointEstimate{})(x, t, out);
  const Block<double> expected = -x / total + g * (y - g * x) / r;
  CHECK((out - expected).abs().maxCoeff() < 1e-7 * expected.abs().maxCoeff());

  exact_score(vp, posterior(normal(0, v), o))(x, t, truth);
  CHECK((truth - (-x / total + g * (y - g * x) / (left + r))).abs().maxCoeff() < 1e-12);
}

TEST_CASE(
    "the posterior variance that DPS samples: v exp(-v/R) by the flow, R/2 (1 - exp(-2v/R)) "
    "by the SDE, v R / (v + R) in truth") {
  const double v = 0.8, r = 0.5, y = 0.7, far = 400;
  const LinearObservation o{MatrixXd{{1.0}}, VectorXd{{y}}, MatrixXd{{r}}};
  const auto score = exact_score(edm, normal(0, v));
  const GaussianLaw start{VectorXd::Zero(1), MatrixXd{{far * far}}};
  const auto variance = [&](const auto& guided, double eta) {
    const auto sampled = sampled_law(ReverseSde{edm, guided, eta}, Dop853{},
                                     Adaptive{.rtol = 1e-8, .atol = 1e-10}, start, {far, 1e-4});
    REQUIRE(sampled.status == Status::success);
    return sampled.law.covariance(0, 0);
  };

  const auto dps = observed(edm, score, o, PointEstimate{});
  CHECK_THAT(variance(dps, 0), WithinRel(v * std::exp(-v / r), 1e-4));
  CHECK_THAT(variance(dps, 1), WithinRel(0.5 * r * (1 - std::exp(-2 * v / r)), 1e-4));
  const auto exact = observed(edm, score, o, IsotropicCovariance{v});
  for (const double eta : {0.0, 1.0})
    CHECK_THAT(variance(exact, eta), WithinRel(v * r / (v + r), 1e-4));
}

TEST_CASE("on a mixture no approximation is exact, and DPS is the farthest") {
  for (const Time t : {0.2, 0.4}) {
    const double point = score_error(vp, mixture(), seen, PointEstimate{}, t);
    const double isotropic = score_error(vp, mixture(), seen, IsotropicCovariance{0.25}, t);
    const double moments = score_error(vp, mixture(), seen, PosteriorCovariance{}, t);
    INFO(t << ": " << point << " " << isotropic << " " << moments);
    CHECK(moments > 1e-3);
    CHECK(isotropic > 1e-3);
    CHECK(std::max(moments, isotropic) < point);
  }
}

TEST_CASE(
    "the term of a learned score is the gradient of its objective, whose J is not symmetric") {
  LearnedParts parts{.shape = {.dimension = 2, .width = 6, .layers = 1, .frequencies = 3},
                     .weights = {},
                     .mean = {0.5, -1.25},
                     .data_std = 1.7,
                     .sigma_min = 0.01,
                     .sigma_max = 50,
                     .process = "vp",
                     .parameters = {},
                     .loss = "denoiser"};
  parts.weights.resize(parts.shape.parameters());
  for (Index i = 0; i < parts.weights.size(); ++i)
    parts.weights(i) = 0.7f * std::sin(1.0f + 1.7f * static_cast<float>(i));
  const auto learned = learned_score(vp, LearnedDenoiser(parts));
  const Block<double> x = points();

  const auto check = [&](const auto& score, Time t, double h, double tolerance) {
    // -1/2 (y - H D)^T A (y - H D) with A = (H S H^T + R)^-1 of the point, by differences in x
    const auto residual = [&](const Block<double>& at) {
      Block<double> denoised(2, 4);
      evaluate_denoiser(vp, score, at, t, denoised);
      return VectorXd(seen.y(0) - (seen.h * denoised.matrix()).row(0).transpose().array());
    };
    const double s = vp.scale(t), std = vp.std(t);
    std::array<VectorXd, 2> slope;  // of the residual in each direction
    for (Index i = 0; i < 2; ++i) {
      Block<double> ahead = x, behind = x;
      ahead.row(i) += h;
      behind.row(i) -= h;
      slope[static_cast<std::size_t>(i)] = (residual(ahead) - residual(behind)) / (2 * h);
    }
    const auto error = [&](const auto& approximation, const Eigen::ArrayXd& spread) {
      Block<double> free(2, 4), guided(2, 4), expected(2, 4);
      evaluate_score(score, x, t, free);
      observed(vp, score, seen, approximation)(x, t, guided);
      for (Index i = 0; i < 2; ++i)
        expected.row(i) = -(slope[static_cast<std::size_t>(i)].array() * residual(x).array() /
                            (spread + seen.covariance(0, 0)))
                               .transpose();
      return (guided - free - expected).abs().maxCoeff() / expected.abs().maxCoeff();
    };
    const auto zero = Eigen::ArrayXd::Zero(4);
    CHECK(error(PointEstimate{}, zero) < tolerance);
    const double q = 0.5 * std * std / (s * s * 0.5 + std * std);
    CHECK(error(IsotropicCovariance{0.5}, zero + 5 * q) < tolerance);
    const VectorXd seen_slope = seen.h(0, 0) * slope[0] + seen.h(0, 1) * slope[1];
    CHECK(error(PosteriorCovariance{}, -std * std / s * seen_slope.array()) < tolerance);
  };

  const auto bent = [](const Block<double>& z, Time, Block<double>& out) {  // no gradient
    out.row(0) = -z.row(0) + 0.4 * z.row(1).sin();
    out.row(1) = -0.5 * z.row(1) - 0.9 * z.row(0);
  };
  for (const Time t : {0.2, 0.5}) {
    check(learned, t, 0.02 * vp.std(t), 3e-3);  // the network computes in float
    check(AnyScore<double>(learned), t, 0.02 * vp.std(t), 3e-3);
    check(bent, t, 1e-4, 1e-6);
  }
  Block<double> out(2, 4);
  CHECK(denoiser_jacobian_transposed_times(vp, learned, x, 0.2, x, out) == 1);
  CHECK(denoiser_jacobian_transposed_times(vp, bent, x, 0.2, x, out) == 4);
}

TEST_CASE("the denoiser of a guided score is Tweedie's, also at t = 0") {
  const auto guided = observed(vp, exact_score(vp, plane), seen, IsotropicCovariance{});
  const Block<double> x = points();
  Block<double> score(2, 4), denoised(2, 4);

  guided(x, 0.3, score);
  guided.denoise(x, 0.3, denoised);
  const double std = vp.std(0.3);
  CHECK((denoised * vp.scale(0.3) - (x + std * std * score)).abs().maxCoeff() < 1e-12);

  guided.denoise(x, 0, denoised);
  CHECK((denoised - x).abs().maxCoeff() < 1e-14);
}

TEST_CASE("each path of a block is guided by itself") {
  const auto guided = observed(vp, exact_score(vp, mixture()), seen, PosteriorCovariance{});
  const Block<double> x = points();
  Block<double> all(2, 4), one(2, 1);

  guided(x, 0.3, all);

  for (Index j = 0; j < 4; ++j) {
    const Block<double> path = x.col(j);
    guided(path, 0.3, one);
    CHECK((one.col(0) - all.col(j)).abs().maxCoeff() < 1e-9);
  }
}

TEST_CASE("replacement is the sampler's step with the seen part put in") {
  const auto score = exact_score(vp, plane);
  const std::array<Index, 1> second{1};
  const Replacement sampler(EulerMaruyama{},
                            LinearObservation::of_rows(2, second, VectorXd{{0.7}}));
  const ReverseSde reverse{vp, score, 1.0};
  using X = Block<double>;
  const X x = points();
  X plain(2, 4), y(2, 4);
  Increment<std::remove_const_t<decltype(reverse)>, X> dw;
  CHECK(needs_of(sampler).normals == 1);
  dw.resize(2, 4, needs_of(sampler));
  dw.w << 0.1, -0.2, 0.3, 0, 0.05, 0.1, -0.1, 0.2;
  dw.normals << 9, 9, 9, 9, 1, -1, 0.5, 0;
  EulerMaruyama::Workspace<X> w(2, 4);
  decltype(sampler)::Workspace<X> own(2, 4);

  const TimeReversed<std::remove_const_t<decltype(reverse)>> down{reverse};
  EulerMaruyama{}.step(down, x, -0.5, 0.01, dw, plain, w);
  sampler.step(reverse, x, 0.5, 0.49, dw, y, own);

  CHECK((y.row(0) - plain.row(0)).abs().maxCoeff() < 1e-15);
  CHECK((y.row(1) - (vp.scale(0.49) * 0.7 + vp.std(0.49) * dw.normals.row(1))).abs().maxCoeff() <
        1e-15);
}

TEST_CASE("replacement tends to the mean (1 - sqrt(1 - rho^2)) / rho y, not to rho y") {
  for (const double rho : {0.3, 0.8}) {
    const double limit = (1 - std::sqrt(1 - rho * rho)) / rho;
    const double coarse = std::abs(mean_by_replacement(rho, 500) - limit);
    const double fine = std::abs(mean_by_replacement(rho, 2000) - limit);
    INFO(coarse << " " << fine);
    CHECK(fine < 0.01);
    CHECK(fine < 0.35 * coarse);
    CHECK(std::abs(limit - rho) > 0.1);
  }
}

TEST_CASE("bad observations are refused with the reason") {
  const auto score = exact_score(vp, plane);
  const MatrixXd h{{1.0, 2.0}}, one{{1.0}};
  const VectorXd y{{0.0}};
  const std::array<Index, 1> outside{2};

  CHECK_THROWS_WITH(posterior(plane, {one, y, one}), ContainsSubstring("got 1 x 1"));
  CHECK_THROWS_WITH(posterior(plane, {h, VectorXd(2), one}), ContainsSubstring("got 2 and 1 x 1"));
  CHECK_THROWS_WITH(posterior(plane, {h, VectorXd{{std::nan("")}}, one}),
                    ContainsSubstring("finite"));
  CHECK_THROWS_WITH(posterior(plane, {MatrixXd{{0.0, 0.0}}, y, MatrixXd{{0.0}}}),
                    ContainsSubstring("singular"));
  CHECK_THROWS_WITH(observed(vp, score, {h, y, MatrixXd{{0.0}}}, PointEstimate{}),
                    ContainsSubstring("which is singular"));
  CHECK_THROWS_WITH(observed(vp, score, {h, y, one}, IsotropicCovariance{0}),
                    ContainsSubstring("variance of IsotropicCovariance must be positive"));
  CHECK_THROWS_WITH(LinearObservation::of_rows(2, outside, y), ContainsSubstring("0 to 1: got 2"));
  CHECK_THROWS_WITH(LinearObservation::of_rows(2, std::array<Index, 1>{0}, y, -1),
                    ContainsSubstring("got -1"));
}
