#include <fokker/diffusion/model/encode_decode.hpp>

#include <cmath>
#include <numbers>
#include <vector>

#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/schedule/affine_process.hpp>
#include <fokker/diffusion/score/exact_score.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

#include "catch.hpp"

using namespace fokker;

namespace {

const AffineProcess vp{VariancePreserving{}};
const GaussianMixture line({{0.4, {-1.0}, {0.09}}, {0.6, {0.8}, {0.25}}});

/// P(x_t <= x) for the mixture on the line.
double distribution(double x, Time t) {
  double sum = 0;
  for (const auto& c : line.components()) {
    const double s = vp.scale(t), std = vp.std(t);
    const double deviation = std::sqrt(s * s * c.covariance[0] + std * std);
    sum += c.weight * 0.5 * std::erfc((s * c.mean[0] - x) / (deviation * std::sqrt(2.0)));
  }
  return sum;
}

}  // namespace

TEST_CASE("in one dimension the latent of x is the quantile of x") {
  Block<double> x(1, 4);
  x << -1.4, -0.5, 0.1, 1.6;

  const Carried latent = encode(ProbabilityFlow{vp, exact_score(vp, line)}, Dop853{},
                                Adaptive{.rtol = 1e-10, .atol = 1e-12}, x);

  REQUIRE(latent.success());
  for (Index j = 0; j < 4; ++j)
    CHECK_THAT(distribution(latent.x(0, j), 1), WithinAbs(distribution(x(0, j), vp.t_min()), 1e-8));
}

TEST_CASE("what is encoded and decoded comes back, with an error that falls with the tolerance") {
  const ProbabilityFlow flow{vp, exact_score(vp, GaussianMixture::ring(5, 2.0, 0.3))};
  Block<double> x(2, 12);  // many points: the error of one may be small by chance
  for (Index j = 0; j < x.cols(); ++j) {
    const double angle = 2.4 * static_cast<double>(j), radius = 0.5 + 0.15 * static_cast<double>(j);
    x.col(j) << radius * std::cos(angle), radius * std::sin(angle);
  }

  std::vector<double> errors;
  for (const double rtol : {1e-4, 1e-6, 1e-8})
    errors.push_back(
        round_trip_error(flow, Dopri5{}, Adaptive{.rtol = rtol, .atol = rtol}, x).maxCoeff());

  INFO(errors[0] << " " << errors[1] << " " << errors[2]);
  CHECK(errors[1] < 0.2 * errors[0]);
  CHECK(errors[2] < 0.2 * errors[1]);
  CHECK(errors[2] < 1e-5);
}

TEST_CASE("a method of fixed step carries with its order") {
  const ProbabilityFlow flow{vp, exact_score(vp, line)};
  Block<double> x(1, 1);
  x << 0.4;
  const double exact = encode(flow, Dop853{}, Adaptive{.rtol = 1e-12, .atol = 1e-13}, x).x(0, 0);

  const auto error = [&](double dt) {
    return std::abs(carry(flow, Rk4{}, Fixed{dt}, x, {vp.t_min(), 1}).x(0, 0) - exact);
  };

  const double order = std::log2(error(0.999 / 400) / error(0.999 / 800));
  CHECK(order > 3.7);
  CHECK(order < 4.3);
}

TEST_CASE("the straight line between latents of normal data decodes to the straight line") {
  const Eigen::MatrixXd c{{1.0, 0.5}, {0.5, 2.0}};
  const ProbabilityFlow flow{vp, exact_score(vp, Gaussian(Eigen::VectorXd{{1, -1}}, c))};
  const Adaptive tight{.rtol = 1e-11, .atol = 1e-12};
  Block<double> ends(2, 2);
  ends << 0.5, 2, -2, 1;
  const Eigen::ArrayXd weights{{0.0, 0.3, 1.0}};

  const Block<double> latents = encode(flow, Dop853{}, tight, ends).x;
  const Carried between =
      decode(flow, Dop853{}, tight, linear_path(latents.col(0), latents.col(1), weights));

  const Block<double> expected = linear_path(ends.col(0), ends.col(1), weights);
  CHECK((between.x - expected).abs().maxCoeff() < 1e-8);
}

TEST_CASE("a spherical path turns at a constant rate and keeps the length") {
  PathState<double> a(3), b(3);
  a << 2, 0, 0;
  b << 0, 1.2, 1.6;
  const Eigen::ArrayXd weights{{0.0, 0.25, 0.5, 1.0}};

  const Block<double> path = spherical_path(a, b, weights);

  for (Index j = 0; j < 4; ++j) {
    CHECK_THAT(path.col(j).matrix().norm(), WithinRel(2.0, 1e-14));
    CHECK_THAT(path(0, j), WithinAbs(2 * std::cos(weights(j) * std::numbers::pi / 2), 1e-14));
  }
  CHECK((path.col(0) - a).abs().maxCoeff() < 1e-15);
  CHECK((path.col(3) - b).abs().maxCoeff() < 1e-15);
}

TEST_CASE("a spherical path of equal directions is the straight line; none joins opposite ends") {
  PathState<double> a(2), zero = PathState<double>::Zero(2), other(3);
  a << 1, 1;
  const PathState<double> longer = 3 * a, opposite = -a;
  const Eigen::ArrayXd half{{0.5}};

  CHECK((spherical_path(a, longer, half).col(0) - 2 * a).abs().maxCoeff() < 1e-15);
  CHECK_THROWS_WITH(spherical_path(a, opposite, half), ContainsSubstring("opposite"));
  CHECK_THROWS_WITH(spherical_path(a, zero, half), ContainsSubstring("not 0"));
  CHECK_THROWS_WITH(spherical_path(a, other, half), ContainsSubstring("got 2 and 3"));
}

TEST_CASE("a path that fails is nan in the round trip and named in the status") {
  const auto broken = [](const auto& x, Time, auto& out) { out = x / 0.0; };
  Block<double> x(1, 1);
  x << 1;
  const ProbabilityFlow flow{vp, broken};

  CHECK_FALSE(encode(flow, Dopri5{}, Adaptive{}, x).success());
  CHECK(std::isnan(round_trip_error(flow, Dopri5{}, Adaptive{}, x)(0)));
}
