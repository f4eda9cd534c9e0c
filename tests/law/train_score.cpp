/// @file  train_score.cpp
/// @brief Training reaches the least loss there is, which is known for normal data.
///
/// For x0 ~ N(m, diag(v)) the expected data have the error Var(x0_i | x) = v_i sigma^2 / (v_i +
/// sigma^2) in coordinate i, and the denoiser of a new network, that of N(m, v I) with v the mean
/// of the v_i, has v_i (1 - c)^2 + c^2 sigma^2, c = v / (v + sigma^2).

#include <atomic>
#include <cmath>
#include <functional>
#include <string>
#include <utility>

#include <Eigen/Core>

#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/train/train_score.hpp>

#include "catch.hpp"

using fokker::AffineProcess;
using fokker::AnySchedule;
using fokker::Block;
using fokker::Index;
using fokker::LossContext;
using fokker::ScoreLoss;
using fokker::Status;
using fokker::Training;
using fokker::TrainingSettings;

namespace {

const Eigen::Vector2d variances(16.0, 0.01), means(1.0, -3.0);
const double mean_variance = variances.mean();

fokker::GaussianSpectrum normal_data() {
  return {Eigen::VectorXd(means), Eigen::VectorXd(variances)};
}

/// A process, and the noise levels of each loss under it written out.
struct Case {
  std::string process, loss;
  std::function<double(double u)> sigma, weight;  ///< weight of sigma
};

/// The mean of f over 20000 quantiles.
double mean_over(const std::function<double(double u)>& f) {
  constexpr int n = 20000;
  double sum = 0;
  for (int i = 0; i < n; ++i) sum += f((i + 0.5) / n);
  return sum / n;
}

double least_loss(const Case& c) {
  return mean_over([&](double u) {
    const double sigma = c.sigma(u), s2 = sigma * sigma;
    return c.weight(sigma) * (variances.array() * s2 / (variances.array() + s2)).mean();
  });
}

double first_loss(const Case& c) {
  return mean_over([&](double u) {
    const double sigma = c.sigma(u), s2 = sigma * sigma;
    const double keep = mean_variance / (mean_variance + s2);
    return c.weight(sigma) *
           (variances.array() * (1 - keep) * (1 - keep) + keep * keep * s2).mean();
  });
}

AffineProcess<AnySchedule> process_of(const std::string& name) {
  return {fokker::make_schedule(name)};
}

const Case noise{"vp", "noise",
                 [](double u) {
                   const double t = 1e-3 + (1 - 1e-3) * u;
                   return std::sqrt(std::expm1(t * (0.1 + 0.5 * 19.9 * t)));
                 },
                 [](double sigma) { return 1 / (sigma * sigma); }};
const Case velocity{"flow", "velocity",
                    [](double u) {
                      const double t = 1e-3 + (0.999 - 1e-3) * u;
                      return t / (1 - t);
                    },
                    [](double sigma) { return std::pow((1 + sigma) / sigma, 2); }};
const Case score{"ve", "score",
                 [](double u) {
                   const double low = 0.01 * std::sqrt(std::pow(5000.0, 2e-5) - 1);
                   const double high = 0.01 * std::sqrt(5000.0 * 5000.0 - 1);
                   return low * std::pow(high / low, u);
                 },
                 [](double sigma) { return 1 / (sigma * sigma); }};

}  // namespace

TEST_CASE("losses have the least value and the first value that normal data give") {
  for (const Case& c : {noise, velocity, score}) {
    CAPTURE(c.process, c.loss);
    const LossContext context{process_of(c.process), std::sqrt(mean_variance)};
    const auto data = normal_data();
    const auto measure = [&](const auto& denoise) {
      return fokker::measure_loss(context, fokker::score_loss(c.loss), training_data(data), denoise,
                                  11);
    };

    const double least = measure([&](const Block<double>& x, double s, double std,
                                     Block<double>& out) { data.denoise(x, s, std, out); });
    const double first =
        measure([&](const Block<double>& x, double s, double std, Block<double>& out) {
          const double keep = s * mean_variance / (std * std + s * s * mean_variance);
          out = (keep * (x.colwise() - s * means.array())).colwise() + means.array();
        });

    // 256 x 64 x 2 squares of normals have a relative standard error of sqrt(2 / 32768) = 0.8 %.
    CHECK(std::abs(least / least_loss(c) - 1) < 0.03);
    CHECK(std::abs(first / first_loss(c) - 1) < 0.03);
    CHECK(first_loss(c) > 1.1 * least_loss(c));
  }
}

TEST_CASE("training starts at the loss of a normal law and ends near the least") {
  for (const Case& c : {noise, velocity, score}) {
    CAPTURE(c.process, c.loss);
    const TrainingSettings settings{.loss = c.loss,
                                    .steps = 1200,
                                    .batch = 256,
                                    .width = 32,
                                    .layers = 1,
                                    .rate = 5e-3,
                                    .seed = 3,
                                    .threads = 1};
    const Training training =
        train_score(process_of(c.process), training_data(normal_data()), settings);

    REQUIRE(training.status == Status::success);
    REQUIRE(training.curve.size() == 200);
    const LossContext context{process_of(c.process), std::sqrt(mean_variance)};
    const auto loss_of = [&](const auto& source) {
      return fokker::measure_loss(
          context, fokker::score_loss(c.loss), training_data(normal_data()),
          [&](const Block<double>& x, double s, double std, Block<double>& out) {
            source.denoise(x, s, std, out);
          },
          12);
    };
    const double learned = loss_of(*training.denoiser), least = loss_of(normal_data());
    const double first = first_loss(c);
    CAPTURE(learned, least, first);
    CHECK(training.curve.front().loss > least + 0.5 * (first - least));
    CHECK(learned - least > 0);
    CHECK(learned - least < 0.05 * (first - least));
  }
}

TEST_CASE("a training has the same bits on any number of threads, others for another seed") {
  const auto weights = [](std::uint64_t seed, int threads) {
    const TrainingSettings settings{
        .steps = 5, .batch = 300, .width = 16, .layers = 2, .seed = seed, .threads = threads};
    return train_score(process_of("vp"), training_data(normal_data()), settings)
        .denoiser->parts()
        .weights;
  };

  CHECK(weights(1, 1) == weights(1, 2));
  CHECK(weights(1, 1) == weights(1, 1));
  CHECK(weights(1, 1) != weights(2, 1));
}

TEST_CASE("a training that is stopped keeps what it has, one that diverges says so") {
  std::atomic<bool> stop = false;
  TrainingSettings settings{.steps = 1000, .batch = 32, .width = 8, .layers = 1, .threads = 1};
  settings.cancel = &stop;
  settings.progress = [&](double fraction, double) { stop = fraction >= 0.05; };
  const auto data = training_data(normal_data());

  const Training stopped = train_score(process_of("vp"), data, settings);
  settings.progress = {};
  const Training never = train_score(process_of("vp"), data, settings);
  settings.cancel = nullptr;
  settings.rate = 1e30;
  const Training diverged = train_score(process_of("vp"), data, settings);

  CHECK(stopped.status == Status::cancelled);
  CHECK(stopped.steps == 50);
  CHECK(stopped.denoiser.has_value());
  CHECK(never.status == Status::cancelled);
  CHECK(!never.denoiser);
  CHECK(diverged.status == Status::non_finite);
  CHECK(!diverged.denoiser);
}

TEST_CASE("trainings that make no sense are refused") {
  const auto data = training_data(normal_data());
  const auto refused = [&](const TrainingSettings& settings) {
    CHECK_THROWS_AS(train_score(process_of("vp"), data, settings), std::invalid_argument);
  };

  refused({.loss = "nois"});
  refused({.steps = 0});
  refused({.batch = 0});
  refused({.width = -1});
  refused({.rate = -1});
  refused({.threads = -1});
  const fokker::GaussianSpectrum point(Eigen::VectorXd{{1.0}}, Eigen::VectorXd{{0.0}});
  CHECK_THROWS_AS(train_score(process_of("vp"), training_data(point)), std::invalid_argument);
}
