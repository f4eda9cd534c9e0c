#pragma once
/// @file  fokker/diffusion/train/train_score.hpp
/// @brief Learning a score from samples: denoising score matching under any process.
///
/// The losses of SMLD, DDPM, EDM and flow matching are one loss,
///
///     L = E w(level) |D(x; s, std) - x0|^2 / d,   x = s x0 + std eps,
///
/// with the noise level (s, std) drawn from a law of its own. They differ in the law and in w only:
/// a row of `list_score_losses`. The minimum is at D = E[x0 | x] for each of them, where L is
/// E w trace Cov(x0 | x) / d.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <fokker/diffusion/score/learned_score.hpp>
#include <fokker/solvers/core/solution.hpp>
#include <fokker/solvers/noise/initial.hpp>

namespace fokker {

/// A noise level and the weight of |D - x0|^2 there.
struct NoiseLevel {
  double s, std, weight;
};

/// What the levels of a loss may depend on.
struct LossContext {
  AffineProcess<AnySchedule> process;
  double data_std;  ///< sigma_d: root of the mean variance of the coordinates of x0

  Time t_min() const { return process.t_min(); }      ///< times are drawn from here ...
  Time t_max() const { return process.sde_start(); }  ///< ... to here
};

/// A loss in the list.
struct ScoreLoss {
  std::string_view name;
  std::string_view levels;  ///< how they are drawn
  std::string_view weight;  ///< w
  std::string_view source;
  NoiseLevel (*level)(const LossContext&, double u);  ///< from u uniform in (0, 1), ascending
};

/// All losses, times and noise between t_min and sde_start of the process:
///
///     denoiser   ln sigma ~ N(ln(0.6 sigma_d), 1.2^2)   (sigma^2 + sigma_d^2) / (sigma sigma_d)^2
///     noise      t uniform          1 / sigma^2: |eps^ - eps|^2
///     velocity   t uniform          (s sigma'/sigma)^2: |v^ - v|^2, v = dx/dt given (x0, eps)
///     score      ln sigma uniform   1 / sigma^2: sigma^2 |score^ - grad log p(x | x0)|^2
std::span<const ScoreLoss> list_score_losses();

/// The entry of `list_score_losses` with this name.
/// @throws std::invalid_argument  with the nearest names
const ScoreLoss& score_loss(std::string_view name);

/// Samples to learn from: fills d x n blocks with independent samples of x0.
struct TrainingData {
  Index dimension;
  std::function<void(PathRandom&, Block<float>&)> sample;
};

/// Training data from anything with dimension() and sample(random, x), such as a data distribution.
template <class Data>
TrainingData training_data(Data data) {
  const Index d = data.dimension();
  return {
      d, [data = std::move(data)](PathRandom& random, Block<float>& x) { data.sample(random, x); }};
}

/// How to learn.
struct TrainingSettings {
  std::string_view loss = "denoiser";  ///< a name of list_score_losses()
  Index steps = 8000;
  Index batch = 256;   ///< samples of each step
  bool damped = true;  ///< beyond the reach of the training inputs (LearnedParts::reach)
  Index width = 0;     ///< of the network; 0: four for each dimension, from 128 to 512
  Index layers = 3;    ///< of the network
  double rate = 5e-3;  ///< of Adam, at its highest
  std::uint64_t seed = 1;
  int threads = 0;  ///< at most, and at most the cores; 0: all; never changes a bit of the result
  const std::atomic<bool>* cancel = nullptr;
  std::function<void(double fraction, double loss)> progress = {};
};

/// The mean loss of the steps up to `step`, from the point before.
struct LossPoint {
  Index step;
  double loss;
};

/// What training gives.
struct Training {
  /// With the weights averaged over the steps; empty unless `status` is success or cancelled after
  /// a first step.
  std::optional<LearnedDenoiser> denoiser;
  std::vector<LossPoint> curve;  ///< at most about 200 points
  Index steps = 0;               ///< done
  double seconds = 0;
  Status status = Status::success;  ///< cancelled; non_finite: the loss was not a number
};

/// The width of the network for data of dimension d.
constexpr Index width_of(const TrainingSettings& settings, Index d) {
  return settings.width != 0 ? settings.width : std::clamp<Index>(4 * d, 128, 512);
}

/// Learns a denoiser by Adam on fresh samples and noise in every step. The rate rises over the
/// first steps, at most 100, and falls to zero by half a cosine; the weights of the result are an
/// average over the steps k with the weight of step j growing as j^6.94. Levels are stratified over
/// the batch. Sample i of step k is path k * batch + i of the seed.
/// Cost: 6 x batch x parameters flops a step.
/// Source: Vincent (2011), Neural Computation 23 (denoising score matching); the average: Karras et
/// al. (2024), arXiv 2312.02696, section 3.1.
/// @param process  an AffineProcess
/// @throws std::invalid_argument  for settings that make no sense, data without any variance
Training train_score(const AffineProcess<AnySchedule>& process, const TrainingData& data,
                     const TrainingSettings& settings = {});

/// The same under an affine process.
template <Schedule C>
Training train_score(const AffineProcess<C>& process, const TrainingData& data,
                     const TrainingSettings& settings = {}) {
  return train_score(AffineProcess<AnySchedule>(AnySchedule(process.schedule)), data, settings);
}

/// The loss of any denoiser, by 256 levels at the quantiles of their law and `samples` samples at
/// each: the same draws for the same seed, so that losses of two denoisers are compared on them.
/// @param denoise  denoise(x, s, std, out) with d x n blocks: a data distribution's, a learned
/// one's
double measure_loss(const LossContext& context, const ScoreLoss& loss, const TrainingData& data,
                    const std::function<void(const Block<double>& x, double s, double std,
                                             Block<double>& out)>& denoise,
                    std::uint64_t seed, Index samples = 64);

}  // namespace fokker
