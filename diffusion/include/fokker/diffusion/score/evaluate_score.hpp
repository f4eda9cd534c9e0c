#pragma once
/// @file  fokker/diffusion/score/evaluate_score.hpp
/// @brief The value of a score or of its denoiser, whichever form the score has.
///
/// A score is any callable that gives grad log p_t(x) for a block x (d x n): `score(x, t, out)`
/// writes it, `score(x, t)` returns it. A score with a denoiser D = E[x0 | x_t = x] of its own has
/// `denoise(x, t, out)`; any other is converted to its denoiser by the process.

#include <fokker/diffusion/score/parametrisation.hpp>
#include <fokker/solvers/core/state.hpp>

namespace fokker {

namespace detail {

template <class Score, class X>
concept ScoreOn = requires(const Score& score, const X& x, Time t, X& out) {
  score(x, t, out);
}
|| requires(const Score& score, const X& x, Time t, X& out) { out = score(x, t); };

template <class Score, class X>
concept OffersDenoiser = requires(const Score& score, const X& x, Time t, X& out) {
  score.denoise(x, t, out);
};

template <class X, class Score>
bool knows_denoiser(const Score& score) {
  if constexpr (requires { score.has_denoiser(); })
    return score.has_denoiser();
  else
    return OffersDenoiser<Score, X>;
}

}  // namespace detail

/// out = grad log p_t(x). @param x,out  d x n; must not overlap
template <class Score, State X>
void evaluate_score(const Score& score, const X& x, Time t, X& out) {
  if constexpr (requires { score(x, t, out); })
    score(x, t, out);
  else
    out = score(x, t);
}

/// out = E[x0 | x_t = x] under the forward process. @param x,out  d x n; must not overlap
/// @throws std::invalid_argument  where the score does not determine it: s = 0 or std = 0
template <class Forward, class Score, State X>
void evaluate_denoiser(const Forward& process, const Score& score, const X& x, Time t, X& out) {
  static_assert(
      detail::ScoreOn<Score, X> || detail::OffersDenoiser<Score, X>,
      "a score is any callable score(x, t, out) or score(x, t), or has denoise(x, t, out)");
  if constexpr (detail::OffersDenoiser<Score, X>)
    if (detail::knows_denoiser<X>(score)) return score.denoise(x, t, out);
  if constexpr (detail::ScoreOn<Score, X>) {
    evaluate_score(score, x, t, out);
    convert(process, Prediction::score, Prediction::denoiser, x, t, out);
  }
}

}  // namespace fokker
