#include <cmath>
#include <vector>

#include <Eigen/Core>

#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/schedule/any_schedule.hpp>
#include <fokker/diffusion/score/exact_score.hpp>
#include <fokker/diffusion/score/parametrisation.hpp>

#include "catch.hpp"

using fokker::AffineProcess;
using fokker::AnySchedule;
using fokker::Block;
using fokker::FlowMatching;
using fokker::Index;
using fokker::Prediction;
using fokker::VariancePreserving;

namespace {

constexpr Prediction predictions[] = {Prediction::score, Prediction::denoiser, Prediction::noise,
                                      Prediction::velocity, Prediction::v_prediction};

Block<double> random_like(Index d, Index n, double phase) {
  Block<double> x(d, n);
  for (Index i = 0; i < x.size(); ++i)
    x.data()[i] = 2 * std::sin(phase + 1.3 * static_cast<double>(i));
  return x;
}

double distance(const Block<double>& a, const Block<double>& b) {
  return (a - b).abs().maxCoeff() / b.abs().maxCoeff();
}

}  // namespace

TEST_CASE("each prediction comes back from each other") {
  for (const auto& info : fokker::list_schedules()) {
    const AffineProcess process{fokker::make_schedule(info.name)};
    for (const double fraction : {0.05, 0.5, 0.95})
      for (const Prediction from : predictions)
        for (const Prediction to : predictions) {
          const double t = fraction * process.end_time();
          const Block<double> x = random_like(2, 5, 0.1), y = random_like(2, 5, 0.7);
          Block<double> z = y;

          convert(process, from, to, x, t, z);
          convert(process, to, from, x, t, z);

          // Where the scale is small, D is known from e only to a rounding of x / s.
          const double s = process.scale(t), std = process.std(t);
          const double amplified = 1e-13 * (1 + std / s) * (1 + s / std);
          INFO(info.name << " t=" << t << " " << to_string(from) << " -> " << to_string(to));
          CHECK(distance(z, y) < amplified);
        }
  }
}

TEST_CASE("each prediction is its combination of clean data and noise") {
  const AffineProcess vp{VariancePreserving{.beta_min = 0.1, .beta_max = 20}};
  const double t = 0.3, s = vp.scale(t), std = vp.std(t), h = 1e-5;
  const Block<double> x0 = random_like(2, 5, 0.1), eps = random_like(2, 5, 0.7);
  const Block<double> x = vp.noised(x0, t, eps);
  const double scale_rate = (vp.scale(t + h) - vp.scale(t - h)) / (2 * h);
  const double std_rate = (vp.std(t + h) - vp.std(t - h)) / (2 * h);

  const auto from_noise = [&](Prediction to) {
    Block<double> y = eps;
    convert(vp, Prediction::noise, to, x, t, y);
    return y;
  };

  CHECK(distance(from_noise(Prediction::denoiser), x0) < 1e-14);
  CHECK(distance(from_noise(Prediction::score), (s * x0 - x) / (std * std)) < 1e-14);
  CHECK(distance(from_noise(Prediction::velocity), scale_rate * x0 + std_rate * eps) < 1e-8);
  CHECK(distance(from_noise(Prediction::v_prediction), s * eps - std * x0) < 1e-14);
}

TEST_CASE("the velocity of flow matching is eps - x0, also at its end") {
  const AffineProcess flow{FlowMatching{}};
  const Block<double> x0 = random_like(2, 5, 0.1), eps = random_like(2, 5, 0.7);

  for (const double t : {0.2, 0.999, 1.0}) {
    const Block<double> x = flow.noised(x0, t, eps);
    Block<double> velocity = x0, score = eps - x0;

    convert(flow, Prediction::denoiser, Prediction::velocity, x, t, velocity);
    convert(flow, Prediction::velocity, Prediction::score, x, t, score);

    CHECK(distance(velocity, eps - x0) < 1e-13);
    CHECK(distance(score, -(x + (1 - t) * (eps - x0)) / t) < 1e-13);
  }
}

TEST_CASE("the adaptors turn models into the exact score and denoiser") {
  const AffineProcess vp{VariancePreserving{}};
  const auto exact = fokker::exact_score(vp, fokker::GaussianMixture::ring(8, 4.0, 0.3));
  const auto denoiser = [&](const auto& x, double t, auto& out) { exact.denoise(x, t, out); };
  const auto noise = [&](const auto& x, double t, auto& out) {
    exact(x, t, out);
    out *= -vp.std(t);
  };
  const auto velocity = [&](const auto& x, double t, auto& out) {
    exact(x, t, out);
    out = vp.log_scale_rate(t) * x - 0.5 * vp.diffusion(t) * vp.diffusion(t) * out;
  };
  const Block<double> x = random_like(2, 9, 0.3);
  Block<double> score(2, 9), clean(2, 9), out(2, 9);
  const double t = 0.4;
  exact(x, t, score);
  exact.denoise(x, t, clean);

  const auto check = [&](const auto& converted) {
    converted(x, t, out);
    CHECK(distance(out, score) < 1e-12);
    converted.denoise(x, t, out);
    CHECK(distance(out, clean) < 1e-12);
  };

  check(fokker::score_from_denoiser(vp, denoiser));
  check(fokker::score_from_noise(vp, noise));
  check(fokker::score_from_velocity(vp, velocity));
  check(fokker::score_from(Prediction::score, vp, exact));
}

TEST_CASE("a denoiser stays one at t = 0, and what is undetermined is refused") {
  const AffineProcess vp{VariancePreserving{}};
  const AffineProcess flow{FlowMatching{}};
  const auto score =
      fokker::score_from_denoiser(vp, [](const auto& x, double, auto& out) { out = 0.5 * x; });
  const Block<double> x = random_like(2, 3, 0.3);
  Block<double> out(2, 3);

  score.denoise(x, 0, out);

  CHECK((out == 0.5 * x).all());
  CHECK_THROWS_WITH(score(x, 0, out),
                    ContainsSubstring("denoiser gives no score") && ContainsSubstring("std is 0"));
  CHECK_THROWS_WITH(
      convert(flow, Prediction::noise, Prediction::denoiser, x, 1, out),
      ContainsSubstring("noise gives no denoiser") && ContainsSubstring("the scale is 0"));
}
