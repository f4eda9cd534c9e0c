#pragma once
/// @file  fokker/diffusion/score/evaluate_score.hpp
/// @brief The value of a score or of its denoiser, whichever form the score has.
///
/// A score is any callable that gives grad log p_t(x) for a block x (d x n): `score(x, t, out)`
/// writes it, `score(x, t)` returns it. One that knows the denoiser D = E[x0 | x_t = x] itself has
/// `denoise(x, t, out)`; of any other it is converted from the score.

#include <fokker/diffusion/score/parametrisation.hpp>
#include <fokker/solvers/core/state.hpp>

namespace fokker {

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
  if constexpr (requires { score.denoise(x, t, out); }) {
    score.denoise(x, t, out);
  } else {
    evaluate_score(score, x, t, out);
    convert(process, Prediction::score, Prediction::denoiser, x, t, out);
  }
}

}  // namespace fokker
