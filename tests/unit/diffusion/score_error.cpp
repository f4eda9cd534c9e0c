#include <fokker/diffusion/score/score_error.hpp>

#include <cmath>
#include <utility>

#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/diffusion/model/reverse_sde.hpp>
#include <fokker/diffusion/model/sampled_law.hpp>
#include <fokker/diffusion/schedule/affine_process.hpp>
#include <fokker/diffusion/score/exact_score.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>

#include "catch.hpp"

using namespace fokker;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

const AffineProcess edm{Edm{}};  // s = 1, sigma = t
const AffineProcess vp{VariancePreserving{}};
constexpr double v = 0.5, m = 0.3, far = 30;

/// The law sampled from N(m, v) with a wrong score from the exact law at sigma = far.
GaussianLaw sampled(const auto& error, double eta) {
  const auto score = exact_score(edm, GaussianSpectrum(VectorXd{{m}}, VectorXd{{v}}));
  const GaussianLaw start{VectorXd{{m}}, MatrixXd{{v + far * far}}};
  const auto result = sampled_law(ReverseSde{edm, with_error(edm, score, error), eta}, Dopri5{},
                                  Adaptive{.rtol = 1e-10, .atol = 1e-12}, start, {far, 1e-7});
  REQUIRE(result.status == Status::success);
  return result.law;
}

/// b k v^k int (v + r)^-k dr over [r1, r2], k = (1 + eta^2) / 2.
double shift(double b, double eta, double r1, double r2) {
  const double k = 0.5 * (1 + eta * eta);
  const double integral = k == 1 ? std::log((v + r2) / (v + r1))
                                 : (std::pow(v + r2, 1 - k) - std::pow(v + r1, 1 - k)) / (1 - k);
  return b * k * std::pow(v, k) * integral;
}

}  // namespace

TEST_CASE("a bias moves the mean as its closed form says and leaves the variance, for every eta") {
  const ScoreBias bias{VectorXd{{0.2}}};

  for (const double eta : {0.0, 0.6, 1.0, 1.5}) {
    const GaussianLaw law = sampled(bias, eta);
    CHECK_THAT(law.mean(0), WithinRel(m + shift(0.2, eta, 0, far * far), 1e-7));
    CHECK_THAT(law.covariance(0, 0), WithinRel(v, 1e-6));
  }
}

TEST_CASE("a pulse of bias hurts the flow more above sigma^2 = 3v and the SDE more below") {
  const ScoreBias bias{VectorXd{{0.2}}};
  const double border = std::sqrt(3 * v);
  const auto moved = [&](double eta, double from, double to) {
    return sampled(pulse(bias, from, to), eta).mean(0) - m;
  };

  for (const auto& [from, to] : {std::pair{0.1, border}, std::pair{border, 10.0}}) {
    const double flow = moved(0, from, to), sde = moved(1, from, to);
    CHECK_THAT(flow, WithinRel(shift(0.2, 0, from * from, to * to), 1e-6));
    CHECK_THAT(sde, WithinRel(shift(0.2, 1, from * from, to * to), 1e-6));
    CHECK((flow > sde) == (from == border));
  }
  // A thin pulse at the border itself: the two agree to first order in its width.
  const double flow = moved(0, border - 0.01, border + 0.01);
  CHECK_THAT(moved(1, border - 0.01, border + 0.01), WithinRel(flow, 1e-3));
}

TEST_CASE("a relative error changes the variance as its closed form says") {
  const double a = 0.1, r = far * far, start = v + r;
  const ScoreScale scale{a};

  CHECK_THAT(sampled(scale, 0).covariance(0, 0),
             WithinRel(start * std::pow(v / (v + r), 1 + a), 1e-7));
  CHECK_THAT(
      sampled(scale, 1).covariance(0, 0),
      WithinRel(start * std::pow(v / (v + r), 2 + 2 * a) +
                    std::pow(v, 2 + 2 * a) *
                        (std::pow(v, -1 - 2 * a) - std::pow(v + r, -1 - 2 * a)) / (1 + 2 * a),
                1e-7));
  CHECK_THAT(sampled(scale, 1).mean(0), WithinRel(m, 1e-9));
}

TEST_CASE("errors do to a score what they say, and to its denoiser what Tweedie's formula says") {
  const auto score = exact_score(vp, GaussianSpectrum(VectorXd{{1, 0}}, VectorXd{{0.5, 2}}));
  const Time t = 0.4;
  const double s = vp.scale(t), std = vp.std(t);
  Block<double> x(2, 3), exact(2, 3), out(2, 3), denoised(2, 3);
  x << -1, 0, 2, 0.5, 3, 0;
  score(x, t, exact);
  const auto check = [&](const auto& error, const Block<double>& expected) {
    const auto wrong = with_error(vp, score, error);
    wrong(x, t, out);
    CHECK((out - expected).abs().maxCoeff() < 1e-14);
    wrong.denoise(x, t, denoised);
    CHECK((s * denoised - (x + std * std * out)).abs().maxCoeff() < 1e-13);
    wrong.denoise(x, 0, denoised);
    CHECK((denoised - x).abs().maxCoeff() < 1e-14);
  };
  const ScoreBias bias{VectorXd{{0.1, -0.2}}};
  const Block<double> shift = bias.bias.array().replicate(1, 3);

  check(bias, exact + shift);
  check(ScoreScale{0.1}, 1.1 * exact);
  check(pulse(bias, 0.4, 0.5), exact + shift);
  check(pulse(bias, 0.3, 0.4), exact);
  check(weighted(ScoreScale{0.1}, [](Time at) { return 2 * at; }), 1.08 * exact);
  check(error_of_noise(vp, bias), exact + shift / std);
  CHECK(with_error(vp, score, bias).dimension() == 2);
}

TEST_CASE(
    "a random field is one function: the same in every block and precision, another for "
    "another seed") {
  const ScoreField field(2, 0.5, 1.5, 7), same(2, 0.5, 1.5, 7), other(2, 0.5, 1.5, 8);
  Block<double> x(2, 3), all = Block<double>::Zero(2, 3), again = all, another = all;
  x << -1, 0, 2, 0.5, 3, 0;

  field.apply(x, 0.1, all);
  same.apply(x, 0.9, again);
  other.apply(x, 0.1, another);

  CHECK((all - again).abs().maxCoeff() == 0);
  CHECK((all - another).abs().maxCoeff() > 0.01);
  for (Index j = 0; j < 3; ++j) {
    PathState<double> path = x.col(j), one = PathState<double>::Zero(2);
    field.apply(path, 0.1, one);
    CHECK((one - all.col(j)).abs().maxCoeff() < 1e-14);
  }
  Block<float> in_float = Block<float>::Zero(2, 3);
  const Block<float> x_float = x.cast<float>();
  field.apply(x_float, 0.1, in_float);
  CHECK((in_float.cast<double>() - all).abs().maxCoeff() < 1e-5);
}

TEST_CASE("over its draws a random field has the covariance amplitude^2 exp(-|x - x'|^2 / 2 l^2)") {
  const double amplitude = 0.5, length = 1.5;
  const int draws = 4000;
  Block<double> x(2, 2);
  x << 0.3, 1.3, -0.4, 0.1;
  const double distance = (x.col(0) - x.col(1)).matrix().squaredNorm();

  double variance = 0, covariance = 0, across = 0, mean = 0;
  for (int k = 0; k < draws; ++k) {
    Block<double> e = Block<double>::Zero(2, 2);
    ScoreField(2, amplitude, length, static_cast<std::uint64_t>(k), 16).apply(x, 0.1, e);
    mean += e(0, 0) / draws;
    variance += e(0, 0) * e(0, 0) / draws;
    covariance += e(0, 0) * e(0, 1) / draws;
    across += e(0, 0) * e(1, 0) / draws;
  }

  const double unit = amplitude * amplitude, error = 4 * unit * std::sqrt(2.2 / draws);
  CHECK_THAT(variance, WithinAbs(unit, error));
  CHECK_THAT(covariance, WithinAbs(unit * std::exp(-distance / (2 * length * length)), error));
  CHECK_THAT(across, WithinAbs(0, error));
  CHECK_THAT(mean, WithinAbs(0, 4 * amplitude / std::sqrt(double(draws))));
}

TEST_CASE("bad errors are refused with the reason") {
  CHECK_THROWS_WITH(pulse(ScoreScale{1}, 0.5, 0.5), ContainsSubstring("from < to"));
  CHECK_THROWS_WITH(ScoreField(0, 1, 1, 0), ContainsSubstring("got 0 and 256"));
  CHECK_THROWS_WITH(ScoreField(1, 1, 0, 0),
                    ContainsSubstring("length of a random field must be positive"));
  const AffineProcess fm{FlowMatching{}};
  const auto score = exact_score(fm, GaussianSpectrum(VectorXd{{m}}, VectorXd{{v}}));
  Block<double> x(1, 1), out(1, 1);
  x << 0.1;
  CHECK_THROWS_AS(with_error(fm, score, ScoreScale{0.1}).denoise(x, 1, out), std::invalid_argument);
}
