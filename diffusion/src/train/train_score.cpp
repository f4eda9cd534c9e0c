#include <fokker/diffusion/train/train_score.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <iterator>
#include <limits>
#include <numbers>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

#include <fokker/diffusion/train/preconditioning.hpp>
#include <fokker/solvers/ensemble/threads.hpp>
#include <fokker/solvers/noise/random.hpp>
#include <fokker/solvers/support/names.hpp>

namespace fokker {
namespace {

/// Samples whose gradients are summed by one task. The sums of the tasks are added in order.
constexpr Index chunk = 128;

Time uniform_time(const LossContext& c, double u) {
  return c.t_min() + (c.t_max() - c.t_min()) * u;
}

double lowest_sigma(const LossContext& c) { return c.process.sigma(c.t_min()); }
double highest_sigma(const LossContext& c) { return c.process.sigma(c.t_max()); }

NoiseLevel denoiser_level(const LossContext& c, double u) {
  const EdmPreconditioning edm{
      .sigma_data = c.data_std, .log_mean = std::log(0.6 * c.data_std), .log_std = 1.2};
  const double sigma = std::clamp(edm.training_sigma(u), lowest_sigma(c), highest_sigma(c));
  return {1, sigma, edm.weight(sigma)};
}

NoiseLevel noise_level(const LossContext& c, double u) {
  const auto now = c.process.at(uniform_time(c, u));
  return {now.scale, now.std, 1 / (now.sigma * now.sigma)};
}

NoiseLevel velocity_level(const LossContext& c, double u) {
  const auto now = c.process.at(uniform_time(c, u));
  return {now.scale, now.std, now.denoiser_rate * now.denoiser_rate};
}

NoiseLevel score_level(const LossContext& c, double u) {
  const double low = lowest_sigma(c);
  const double sigma = low * std::pow(highest_sigma(c) / low, u);
  return {1, sigma, 1 / (sigma * sigma)};
}

constexpr std::array<ScoreLoss, 4> losses = {{
    {"denoiser", "ln sigma ~ N(ln(0.6 sigma_d), 1.2^2)",
     "(sigma^2 + sigma_d^2) / (sigma sigma_d)^2", "Karras et al. (2022), arXiv 2206.00364, table 1",
     denoiser_level},
    {"noise", "t uniform", "1 / sigma^2", "Ho, Jain & Abbeel (2020), arXiv 2006.11239, (14)",
     noise_level},
    {"velocity", "t uniform", "(s sigma'/sigma)^2", "Lipman et al. (2023), arXiv 2210.02747",
     velocity_level},
    {"score", "ln sigma uniform", "1 / sigma^2", "Song & Ermon (2019), arXiv 1907.05600, (6)",
     score_level},
}};

void check(const TrainingData& data, const TrainingSettings& s) {
  const auto require = [](bool holds, const std::string& otherwise) {
    if (!holds) throw std::invalid_argument(otherwise);
  };
  require(data.dimension >= 1 && data.sample != nullptr, "there are no data to learn from");
  require(s.steps >= 1, fmt::format("training needs at least one step: got {}", s.steps));
  require(s.batch >= 1 && s.batch <= (Index{1} << 24),
          fmt::format("a batch needs from 1 to {} samples: got {}", Index{1} << 24, s.batch));
  require(s.rate > 0 && std::isfinite(s.rate),
          fmt::format("the learning rate must be positive and finite: got {}", s.rate));
  require(s.threads >= 0, fmt::format("threads must not be negative: got {}", s.threads));
}

/// Seeds for the parts of a training, so that none of them shares draws with another, or with a
/// simulation of the same seed.
struct Seeds {
  explicit Seeds(std::uint64_t seed) {
    pcg32 random = path_stream(seed, 0, Purpose::analysis);
    for (std::uint64_t* s : {&moments, &weights, &batches})
      *s = (std::uint64_t{random()} << 32) | random();
  }
  std::uint64_t moments = 0, weights = 0, batches = 0;
};

struct Moments {
  std::vector<double> mean;
  double std = 0;
  double reach =
      0;  ///< largest root mean square of the coordinates of an input, and a quarter more
};

Moments moments_of(const TrainingData& data, std::uint64_t seed) {
  constexpr Index samples = 8192;
  Block<float> x(data.dimension, samples);
  PathRandom random(seed, 0, samples);
  data.sample(random, x);
  const Eigen::ArrayXd mean = x.cast<double>().rowwise().mean();
  const double variance = (x.cast<double>().colwise() - mean).square().mean();
  if (!std::isfinite(variance)) throw std::invalid_argument("the data are not finite");
  if (!(variance > 1e-12 * mean.square().mean()))
    throw std::invalid_argument("the data are all one point: there is nothing to learn");
  // Inputs are the data, centred and of unit variance, then more and more noise.
  const double std = std::sqrt(variance);
  const Block<double> data_input = (x.cast<double>().colwise() - mean) / std;
  random.normal(x);
  const double largest = std::max(data_input.square().colwise().mean().maxCoeff(),
                                  x.cast<double>().square().colwise().mean().maxCoeff());
  return {{mean.begin(), mean.end()}, std, 1.25 * std::sqrt(largest)};
}

/// The samples of one chunk of a batch, and what its pass needs.
struct ChunkWork {
  explicit ChunkWork(Index parameters) : gradient(parameters) {}
  Network<float>::Workspace net;
  Network<float>::Vector gradient;
  double loss = 0;
};

/// Loss and gradient of samples [first, first + n) of the batch of step k, as parts of its mean.
void run_chunk(const LossContext& context, const ScoreLoss& loss, const TrainingData& data,
               const Moments& moments, const Network<float>& network, std::uint64_t seed,
               Index step, Index batch, Index first, Index n, ChunkWork& w) {
  const Index d = data.dimension;
  Block<float> x0(d, n), eps(d, n);
  Eigen::Array<double, 1, Eigen::Dynamic> u(n);
  PathRandom random(seed, static_cast<std::uint64_t>(step * batch + first), n);
  data.sample(random, x0);
  random.normal(eps);
  random.uniform(u);
  for (Index r = 0; r < d; ++r)
    x0.row(r) -= static_cast<float>(moments.mean[static_cast<std::size_t>(r)]);

  // With y = x0 - m and v^2 = std^2 + s^2 sigma_d^2 (see LearnedDenoiser): the input is
  // (s y + std eps) / v, and D - x0 = (std sigma_d / v) (F - target) with
  // target = (std/sigma_d y - s sigma_d eps) / v.
  Eigen::Array<float, 1, Eigen::Dynamic> in_data(n), in_noise(n), to_data(n), to_noise(n),
      weight(n);
  Network<float>::Vector log_sigma(n);
  for (Index j = 0; j < n; ++j) {
    const double quantile = (static_cast<double>(first + j) + u(j)) / static_cast<double>(batch);
    const NoiseLevel level = loss.level(context, quantile);
    const double v = std::hypot(level.std, level.s * moments.std);
    const double gain = level.std * moments.std / v;
    in_data(j) = static_cast<float>(level.s / v);
    in_noise(j) = static_cast<float>(level.std / v);
    to_data(j) = static_cast<float>(level.std / (moments.std * v));
    to_noise(j) = static_cast<float>(level.s * moments.std / v);
    weight(j) = static_cast<float>(level.weight * gain * gain / static_cast<double>(d * batch));
    log_sigma(j) = static_cast<float>(std::log(level.std / level.s));
  }
  network.input(n, w.net) = (x0.rowwise() * in_data + eps.rowwise() * in_noise).matrix();
  network.set_features(log_sigma, w.net);
  network.forward(w.net, true);
  const Block<float> error =
      w.net.output.array() - (x0.rowwise() * to_data - eps.rowwise() * to_noise);
  w.loss = (error.square().rowwise() * weight).cast<double>().sum();
  w.gradient.setZero();
  network.backward((error.rowwise() * (2 * weight)).matrix(), w.net, w.gradient);
}

/// The share of the highest rate in step k.
double rate_factor(Index k, Index steps) {
  const auto warm_up = static_cast<double>(std::min<Index>(100, 1 + steps / 10));
  const double done = static_cast<double>(k) / static_cast<double>(steps);
  return std::min(1.0, static_cast<double>(k + 1) / warm_up) * 0.5 *
         (1 + std::cos(std::numbers::pi * done));
}

}  // namespace

std::span<const ScoreLoss> list_score_losses() { return losses; }

const ScoreLoss& score_loss(std::string_view name) {
  std::vector<std::string_view> names;
  for (const ScoreLoss& loss : losses) {
    if (loss.name == name) return loss;
    names.push_back(loss.name);
  }
  throw std::invalid_argument(unknown_name_message("loss", name, names));
}

Training train_score(const AffineProcess<AnySchedule>& process, const TrainingData& data,
                     const TrainingSettings& settings) {
  check(data, settings);
  const ScoreLoss& loss = score_loss(settings.loss);
  const auto started = std::chrono::steady_clock::now();
  const Seeds seeds(settings.seed);
  Network<float> network({.dimension = data.dimension,
                          .width = width_of(settings, data.dimension),
                          .layers = settings.layers});
  network.initialise(seeds.weights);
  const Moments moments = moments_of(data, seeds.moments);
  const LossContext context{process, moments.std};

  Network<float>::Vector& weights = network.parameters();
  Network<float>::Vector average = weights, gradient(weights.size());
  Adam<float> adam(weights.size());
  std::vector<ChunkWork> work(static_cast<std::size_t>((settings.batch + chunk - 1) / chunk),
                              ChunkWork(weights.size()));
  Threads threads(settings.threads);

  Training result;
  const Index window = std::max<Index>(1, settings.steps / 200);
  double window_loss = 0;
  Index in_window = 0;
  for (Index k = 0; k < settings.steps; ++k) {
    if (settings.cancel && settings.cancel->load(std::memory_order_relaxed)) {
      result.status = Status::cancelled;
      break;
    }
    threads.run([&] {
      for_each_index(std::ssize(work), [&](Index i) {
        const Index first = i * chunk;
        run_chunk(context, loss, data, moments, network, seeds.batches, k, settings.batch, first,
                  std::min(chunk, settings.batch - first), work[static_cast<std::size_t>(i)]);
      });
    });
    double step_loss = 0;
    gradient.setZero();
    for (const ChunkWork& w : work) {
      step_loss += w.loss;
      gradient += w.gradient;
    }
    adam.step(gradient, settings.rate * rate_factor(k, settings.steps), weights);
    constexpr double power = 6.94;  // a relative width of 0.1
    const double keep = std::pow(static_cast<double>(k) / static_cast<double>(k + 1), power + 1);
    average += static_cast<float>(1 - keep) * (weights - average);

    result.steps = k + 1;
    window_loss += step_loss;
    ++in_window;
    if (in_window == window || k + 1 == settings.steps || !std::isfinite(step_loss)) {
      result.curve.push_back({k + 1, window_loss / static_cast<double>(in_window)});
      if (settings.progress)
        settings.progress(static_cast<double>(k + 1) / static_cast<double>(settings.steps),
                          result.curve.back().loss);
      window_loss = 0;
      in_window = 0;
    }
    if (!std::isfinite(step_loss) || !average.array().isFinite().all()) {
      result.status = Status::non_finite;
      break;
    }
  }
  result.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  if (result.status != Status::non_finite && result.steps > 0)
    result.denoiser = LearnedDenoiser(
        {.shape = network.shape(),
         .weights = std::move(average),
         .mean = moments.mean,
         .data_std = moments.std,
         .sigma_min = lowest_sigma(context),
         .sigma_max = highest_sigma(context),
         .process = std::string(process.schedule.name()),
         .parameters = {},
         .loss = std::string(loss.name),
         .reach = settings.damped ? moments.reach : std::numeric_limits<double>::infinity()});
  return result;
}

double measure_loss(const LossContext& context, const ScoreLoss& loss, const TrainingData& data,
                    const std::function<void(const Block<double>& x, double s, double std,
                                             Block<double>& out)>& denoise,
                    std::uint64_t seed, Index samples) {
  constexpr Index levels = 256;
  Block<float> x0(data.dimension, samples);
  Block<double> eps(data.dimension, samples), out(data.dimension, samples);
  double sum = 0;
  for (Index i = 0; i < levels; ++i) {
    const double u = (static_cast<double>(i) + 0.5) / static_cast<double>(levels);
    const NoiseLevel level = loss.level(context, u);
    PathRandom random(seed, static_cast<std::uint64_t>(i * samples), samples);
    data.sample(random, x0);
    random.normal(eps);
    const Block<double> x = level.s * x0.cast<double>() + level.std * eps;
    denoise(x, level.s, level.std, out);
    sum += level.weight * (out - x0.cast<double>()).square().mean();
  }
  return sum / static_cast<double>(levels);
}

}  // namespace fokker
