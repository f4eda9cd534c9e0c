#pragma once
/// @file  fokker/diffusion/score/parametrisation.hpp
/// @brief Score, denoiser, noise and velocity: what a model may predict, each from each other.
///
/// With x = s x0 + std eps and D = E[x0 | x], every prediction is a combination y = p D + q e of D
/// and of e = E[eps | x] = (x - s D) / std:
///
///     denoiser      D                          p = 1,     q = 0
///     noise         e                          p = 0,     q = 1
///     score         -e / std                   p = 0,     q = -1/std
///     velocity      s' D + std' e              p = s',    q = std'    (dx/dt of the flow)
///     v_prediction  s e - std D                p = -std,  q = s
///
/// So from x and y the prediction y' = p' D + q' e is
///
///     y' = [(q' p - p' q) x + (p' std - q' s) y] / (p std - q s).
///
/// Source: Karras et al. (2022), arXiv 2206.00364, appendix B (score and denoiser); Salimans & Ho
/// (2022), arXiv 2202.00512, section 4 (v); Lipman et al. (2023), arXiv 2210.02747 (velocity).

#include <cmath>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <fokker/solvers/core/state.hpp>

namespace fokker {

/// What a model of x at time t predicts.
enum class Prediction { score, denoiser, noise, velocity, v_prediction };

/// The name of a parametrisation.
constexpr std::string_view to_string(Prediction prediction) {
  switch (prediction) {
    case Prediction::score:
      return "score";
    case Prediction::denoiser:
      return "denoiser";
    case Prediction::noise:
      return "noise";
    case Prediction::velocity:
      return "velocity";
    case Prediction::v_prediction:
      return "v-prediction";
  }
  return "unknown";
}

/// converted = x * state + y * prediction.
struct Conversion {
  double x, y;
};

namespace detail {

/// p and q of a prediction, y = p D + q e.
struct PredictionWeights {
  double data, noise;
};

template <class Process>
PredictionWeights prediction_weights(const Process& process, Time t, Prediction prediction) {
  const auto now = process.at(t);
  const double s = now.scale, std = now.std;
  switch (prediction) {
    case Prediction::score:
      return {0, -1 / std};
    case Prediction::denoiser:
      return {1, 0};
    case Prediction::noise:
      return {0, 1};
    case Prediction::velocity: {
      // s' = s std'/std - s sigma'/sigma: finite where s = 0, as s'/s is not.
      const double rate = now.log_std_rate;
      return {s * rate - now.denoiser_rate, std * rate};
    }
    case Prediction::v_prediction:
      return {-std, s};
  }
  return {0, 0};
}

}  // namespace detail

/// The coefficients that turn one prediction at time t into another.
/// @throws std::invalid_argument  where one does not determine the other: no score at std = 0, no
///                                denoiser from the score or the noise at s = 0, ...
template <class Process>
Conversion conversion(const Process& process, Time t, Prediction from, Prediction to) {
  if (from == to) return {0, 1};
  const auto now = process.at(t);
  const double s = now.scale, std = now.std;
  const auto [p, q] = detail::prediction_weights(process, t, from);
  const auto [p_to, q_to] = detail::prediction_weights(process, t, to);
  const double determinant = p * std - q * s;
  const Conversion c{(q_to * p - p_to * q) / determinant, (p_to * std - q_to * s) / determinant};
  if (!std::isfinite(c.x) || !std::isfinite(c.y))
    throw std::invalid_argument(std::string(to_string(from)) + " gives no " +
                                std::string(to_string(to)) + " at t = " + std::to_string(t) +
                                ", where the scale is " + std::to_string(s) + " and std is " +
                                std::to_string(std));
  return c;
}

/// y, a prediction of kind `from` at (x, t), becomes one of kind `to`.
/// @param x,y  d x n
template <class Process, State X>
void convert(const Process& process, Prediction from, Prediction to, const X& x, Time t, X& y) {
  using S = typename X::Scalar;
  if (from == to) return;
  const Conversion c = conversion(process, t, from, to);
  y = static_cast<S>(c.x) * x + static_cast<S>(c.y) * y;
}

/// A model `model(x, t, out)` of one prediction as a score with a denoiser; made by
/// `score_from_denoiser`, `score_from_noise`, `score_from_velocity` or `score_from`.
template <class Process, class Model>
struct ConvertedScore {
  Index dimension() const requires requires(const Model& m) { m.dimension(); }
  { return model.dimension(); }

  /// out = grad log p_t(x). @param x,out  d x n; must not overlap
  template <State X>
  void operator()(const X& x, Time t, X& out) const {
    model(x, t, out);
    convert(process, predicts, Prediction::score, x, t, out);
  }

  /// out = E[x0 | x_t = x]. @param x,out  d x n; must not overlap
  template <State X>
  void denoise(const X& x, Time t, X& out) const {
    model(x, t, out);
    convert(process, predicts, Prediction::denoiser, x, t, out);
  }

  Process process;
  Model model;
  Prediction predicts;
};

template <class Process, class Model>
ConvertedScore(Process, Model, Prediction) -> ConvertedScore<Process, Model>;

/// A score from a model of any prediction: a callable model(x, t, out) on d x n blocks.
template <class Process, class Model>
auto score_from(Prediction predicts, Process process, Model model) {
  return ConvertedScore<Process, Model>{std::move(process), std::move(model), predicts};
}

/// A score from D(x, t), the expected data.
template <class Process, class Denoiser>
auto score_from_denoiser(Process process, Denoiser denoiser) {
  return score_from(Prediction::denoiser, std::move(process), std::move(denoiser));
}

/// A score from eps(x, t), the expected noise.
template <class Process, class Noise>
auto score_from_noise(Process process, Noise noise) {
  return score_from(Prediction::noise, std::move(process), std::move(noise));
}

/// A score from v(x, t), the velocity dx/dt of the probability flow.
template <class Process, class Velocity>
auto score_from_velocity(Process process, Velocity velocity) {
  return score_from(Prediction::velocity, std::move(process), std::move(velocity));
}

}  // namespace fokker
