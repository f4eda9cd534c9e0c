/// @file  preconditioning.cpp
/// @brief The columns of EDM's table: what they recover, their variances and their training laws.

#include <cmath>
#include <vector>

#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/diffusion/schedule/affine_process.hpp>
#include <fokker/diffusion/score/exact_score.hpp>
#include <fokker/diffusion/train/preconditioning.hpp>

#include "catch.hpp"

using namespace fokker;

namespace {

using X = Block<double>;

X points() {
  X x(2, 3);
  x << -1, 0.5, 2, 0.3, -0.2, 1;
  return x;
}

/// The network of a perfect denoiser of data N(0, variance) at this sigma: F of its scaled input.
template <class P>
auto perfect_network(const P& p, double sigma, double variance) {
  return [=](const X& input, double c_noise, X& out) {
    REQUIRE(c_noise == p.c_noise(sigma));
    const X x = input / p.c_in(sigma);
    const X denoised = variance / (variance + sigma * sigma) * x;
    out = (denoised - p.c_skip(sigma) * x) / p.c_out(sigma);
  };
}

template <class P>
void recovers(const P& p) {
  STATIC_REQUIRE(Preconditioning<P>);
  INFO(P::name);
  const double variance = 0.7;
  const std::vector<double> mean{0, 0}, spectrum{variance, variance};
  const GaussianSpectrum data(mean, spectrum);
  const AffineProcess vp{VariancePreserving{}};
  for (const Time t : {0.01, 0.2, 0.6}) {
    const auto denoiser = preconditioned_denoiser(vp, p, perfect_network(p, vp.sigma(t), variance));
    X out(2, 3), exact(2, 3);

    denoiser(points(), t, out);
    exact_score(vp, data).denoise(points(), t, exact);

    CHECK((out - exact).abs().maxCoeff() < 1e-12);
  }
}

constexpr double sigmas[] = {1e-3, 0.1, 0.5, 3, 80};

}  // namespace

TEST_CASE("a perfect network makes the perfect denoiser, in every column and process") {
  recovers(VpPreconditioning{});
  recovers(VePreconditioning{});
  recovers(IddpmPreconditioning{});
  recovers(EdmPreconditioning{});
}

TEST_CASE("EDM's input and target have unit variance, and its loss weighs all noise alike") {
  const EdmPreconditioning p{.sigma_data = 0.8};
  const double v = p.sigma_data;
  for (const double sigma : sigmas) {
    INFO("sigma = " << sigma);
    const double skip = p.c_skip(sigma), out = p.c_out(sigma);

    CHECK_THAT(std::pow(p.c_in(sigma), 2) * (v * v + sigma * sigma), WithinRel(1, 1e-14));
    // target (x0 - c_skip (x0 + sigma eps)) / c_out; the two terms of its numerator are independent
    const double target = std::pow((1 - skip) * v, 2) + std::pow(skip * sigma, 2);
    CHECK_THAT(target / (out * out), WithinRel(1, 1e-12));
    CHECK_THAT(p.weight(sigma) * out * out, WithinRel(1, 1e-14));
    // c_skip is where |c_out| is least
    CHECK(std::pow((1 - 1.01 * skip) * v, 2) + std::pow(1.01 * skip * sigma, 2) > target);
    CHECK(std::pow((1 - 0.99 * skip) * v, 2) + std::pow(0.99 * skip * sigma, 2) > target);
    CHECK_THAT(p.weight(sigma), WithinRel((sigma * sigma + v * v) / std::pow(sigma * v, 2), 1e-13));
    CHECK_THAT(out, WithinRel(sigma * v / std::sqrt(sigma * sigma + v * v), 1e-14));
    CHECK(p.c_noise(sigma) == std::log(sigma) / 4);
  }
}

TEST_CASE("VP's and iDDPM's input has unit variance for data of unit variance; targets are noise") {
  const VpPreconditioning vp;
  const IddpmPreconditioning iddpm;
  for (const double sigma : sigmas) {
    CHECK_THAT(std::pow(vp.c_in(sigma), 2) * (1 + sigma * sigma), WithinRel(1, 1e-14));
    CHECK(iddpm.c_in(sigma) == vp.c_in(sigma));
    CHECK(vp.c_skip(sigma) == 1);
    CHECK(vp.c_out(sigma) == -sigma);  // (x0 - x) / c_out = eps
    CHECK(iddpm.c_out(sigma) == -sigma);
    CHECK(VePreconditioning{}.c_out(sigma) == sigma);
    CHECK_THAT(vp.weight(sigma) * sigma * sigma, WithinRel(1, 1e-14));
  }
}

TEST_CASE("the noise that a network is told is that of the table") {
  const VariancePreserving schedule;
  const IddpmPreconditioning iddpm;

  CHECK_THAT(VpPreconditioning{}.c_noise(schedule.at(0.4).sigma), WithinRel(999 * 0.4, 1e-12));
  CHECK(VePreconditioning{}.c_noise(2) == 0);
  CHECK(iddpm.c_noise(iddpm.levels[0]) == 999);
  CHECK(iddpm.c_noise(1e9) == 999);
  CHECK(iddpm.c_noise(iddpm.levels[999]) == 0);
  CHECK(iddpm.c_noise(0) == 0);
  CHECK(iddpm.c_noise(iddpm.levels[400]) == 599);
  const double high = iddpm.levels[400], low = iddpm.levels[401];
  CHECK(iddpm.c_noise(0.4 * high + 0.6 * low) == 598);
  CHECK(iddpm.c_noise(0.6 * high + 0.4 * low) == 599);
}

TEST_CASE("training levels have the law of the table") {
  const EdmPreconditioning edm;
  const IddpmPreconditioning iddpm;

  CHECK_THAT(edm.training_sigma(0.5), WithinRel(std::exp(-1.2), 1e-14));
  // Phi(1) = 0.841344746...
  CHECK_THAT(edm.training_sigma(0.5 * std::erfc(-1 / std::sqrt(2.0))),
             WithinRel(std::exp(-1.2 + 1.2), 1e-12));
  CHECK_THAT(VePreconditioning{}.training_sigma(0.5), WithinRel(std::sqrt(0.02 * 100), 1e-14));
  CHECK_THAT(VpPreconditioning{}.training_sigma(1),
             WithinRel(VariancePreserving{}.at(1).sigma, 1e-14));
  CHECK_THAT(VpPreconditioning{}.training_sigma(0),
             WithinRel(VariancePreserving{}.at(1e-5).sigma, 1e-14));
  CHECK(iddpm.training_sigma(0) == iddpm.levels[0]);
  CHECK(iddpm.training_sigma(0.5) == iddpm.levels[500]);
  CHECK(iddpm.training_sigma(1) == iddpm.levels[999]);
}
