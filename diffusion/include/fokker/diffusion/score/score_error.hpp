#pragma once
/// @file  fokker/diffusion/score/score_error.hpp
/// @brief A score made wrong on purpose: what its errors do to samples.
///
/// `with_error(process, score, error)` is a score with a fixed error, a function of (x, t): the
/// same at every call, as that of a network is. Errors are objects with `apply(x, t, score)`, which
/// changes the score in place:
///
///     ScoreBias       score + b
///     ScoreScale      (1 + a) score
///     ScoreField      score + a smooth random field
///     pulse(e, from, to)            e for from <= t < to, none else
///     weighted(e, w)                w(t) times the error of e
///     error_of_noise(process, e)    the error of e over std: of a noise prediction
///
/// All but ScoreField leave a linear score linear, so `sampled_law` has the exact law of what is
/// sampled from normal data. For x0 ~ N(m, v), s = 1, r = sigma^2 and k = (1 + eta^2)/2, a bias b
/// on sigma^2 in [r1, r2] moves the mean by
///
///     b k v^k int_r1^r2 (v + r)^-k dr,
///
/// so that a bias at sigma^2 > 3v hurts the flow (eta = 0) more than the SDE (eta = 1), and one at
/// sigma^2 < 3v the SDE more than the flow.
/// Source: for the roles of early and late errors Cao et al. (2023), "Exploring the optimal choice
/// for generative processes in diffusion models".

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include <Eigen/Core>

#include <fokker/diffusion/score/evaluate_score.hpp>

namespace fokker {

/// score + b. @param bias  d numbers
struct ScoreBias {
  Eigen::VectorXd bias;

  template <State X>
  void apply(const X&, Time, X& score) const {
    score.colwise() += bias.array().template cast<typename X::Scalar>();
  }
};

/// (1 + a) score.
struct ScoreScale {
  double relative;  ///< a

  template <State X>
  void apply(const X&, Time, X& score) const {
    score *= static_cast<typename X::Scalar>(1 + relative);
  }
};

/// score + e(x), one draw of a smooth random field: component r is
///
///     e_r(x) = amplitude sqrt(2/K) sum_k a_rk cos(w_k . x + u_k),
///
/// a_rk ~ N(0, 1), w_k ~ N(0, I / length^2), u_k uniform on [0, 2 pi): over draws of mean 0 and
/// covariance amplitude^2 exp(-|x - x'|^2 / 2 length^2), components independent, normal as K grows.
/// A frozen function: the same seed is the same field. In general no gradient, as the error of a
/// network is none. Costs K (2d + 1) operations and a cosine each; allocates.
/// Source: Rahimi & Recht (2007), "Random features for large-scale kernel machines".
class ScoreField {
 public:
  /// @param d          dimension
  /// @param amplitude  standard deviation of each component
  /// @param length     over which the field changes, > 0
  /// @param seed       of the draw
  /// @param features   K >= 1
  /// @throws std::invalid_argument  values outside those ranges, or not finite
  ScoreField(Index d, double amplitude, double length, std::uint64_t seed, Index features = 256);

  template <State X>
  void apply(const X& x, Time, X& score) const {
    score += values(x.template cast<double>()).template cast<typename X::Scalar>();
  }

 private:
  Block<double> values(const Block<double>& x) const;  // e, d x n

  Eigen::MatrixXd frequencies_, amplitudes_;  // K x d, d x K with all factors
  Eigen::VectorXd phases_;                    // K
};

/// w(t) times the error of another. Made by `weighted`, `pulse` and `error_of_noise`.
template <class Error, class Weight>
struct WeightedError {
  Error error;
  Weight weight;  ///< weight(t) -> a number

  template <State X>
  void apply(const X& x, Time t, X& score) const {
    const double w = weight(t);
    if (w == 0) return;
    const X exact = score;
    error.apply(x, t, score);
    score = exact + static_cast<typename X::Scalar>(w) * (score - exact);
  }
};

/// w(t) times the error of `error`.
template <class Error, class Weight>
WeightedError<Error, Weight> weighted(Error error, Weight weight) {
  return {std::move(error), std::move(weight)};
}

/// `error` for from <= t < to alone. A jump in t: let a solver stop at both ends.
/// @throws std::invalid_argument  unless from < to
template <class Error>
auto pulse(Error error, Time from, Time to) {
  if (!(from < to))
    throw std::invalid_argument("a pulse needs from < to: got " + std::to_string(from) + " and " +
                                std::to_string(to));
  return weighted(std::move(error), [=](Time t) { return from <= t && t < to ? 1.0 : 0.0; });
}

/// The error of `error` over std(t): the prediction of eps = -std score is then off by -`error` at
/// all t. Infinite at std = 0.
template <class Forward, class Error>
auto error_of_noise(Forward process, Error error) {
  return weighted(std::move(error),
                  [process = std::move(process)](Time t) { return 1 / process.std(t); });
}

/// A score with an error. Made by `with_error`.
template <class Forward, class Score, class Error>
struct DisturbedScore {
  Forward process;
  Score score;
  Error error;

  Index dimension() const requires requires(const Score& s) { s.dimension(); }
  { return score.dimension(); }

  /// One evaluation of the score. @param x,out  d x n; must not overlap
  template <State X>
  void operator()(const X& x, Time t, X& out) const {
    evaluate_score(score, x, t, out);
    error.apply(x, t, out);
  }

  /// The denoiser of the wrong score, D + (std^2/s) times its error; the true D where std = 0. One
  /// evaluation; allocates. @param x,out  d x n; must not overlap
  /// @throws std::invalid_argument  where s = 0: there the score gives no denoiser
  template <State X>
  void denoise(const X& x, Time t, X& out) const {
    using S = typename X::Scalar;
    const auto now = process.at(t);
    const double s = now.scale, std = now.std;
    if (!(s > 0))
      throw std::invalid_argument(
          "an error of the score gives none of the denoiser where the scale "
          "is 0, at t = " +
          std::to_string(t) + ": start at a smaller t");
    evaluate_denoiser(process, score, x, t, out);
    if (std == 0) return;
    X exact = out;
    convert(process, Prediction::denoiser, Prediction::score, x, t, exact);
    X wrong = exact;
    error.apply(x, t, wrong);
    out += static_cast<S>(std * std / s) * (wrong - exact);
  }
};

/// `score` with a fixed error; see the top of the file.
template <class Forward, class Score, class Error>
DisturbedScore<Forward, Score, Error> with_error(Forward process, Score score, Error error) {
  return {std::move(process), std::move(score), std::move(error)};
}

}  // namespace fokker
