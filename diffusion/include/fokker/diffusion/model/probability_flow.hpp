#pragma once
/// @file  fokker/diffusion/model/probability_flow.hpp
/// @brief The probability flow ODE of a diffusion model.

#include <cmath>
#include <utility>

#include <fokker/diffusion/score/evaluate_score.hpp>
#include <fokker/solvers/core/process.hpp>

namespace fokker {

/// The ODE with the marginals of the forward process, both ways in time:
///
///     dx/dt = f - 1/2 g^2 score = (std'/std) x - s (sigma'/sigma) D
///
/// The second form, through the denoiser D, is taken where f or g is not finite: flow matching at
/// t = 1, where it is the velocity x - D; a score there must know its denoiser.
/// One evaluation of the score per drift; no allocation.
/// Source: Song et al. (2021), arXiv 2011.13456, (13); Karras et al. (2022), arXiv 2206.00364,
/// (81).
template <class Forward, class Score>
struct ProbabilityFlow {
  static constexpr NoiseKind noise = NoiseKind::none;
  static constexpr double eta = 0;

  Forward process;  ///< an AffineProcess
  Score score;      ///< see evaluate_score.hpp

  Index dimension() const requires requires(const Score& s) { s.dimension(); }
  { return score.dimension(); }

  /// out = dx/dt at (x, t). @param x,out  d x n; must not overlap
  template <State X>
  void drift(const X& x, Time t, X& out) const {
    using S = typename X::Scalar;
    const auto now = process.at(t);
    const double rate = now.log_scale_rate, g = now.diffusion;
    if (std::isfinite(rate) && std::isfinite(g)) {
      evaluate_score(score, x, t, out);
      out = static_cast<S>(rate) * x - static_cast<S>(0.5 * g * g) * out;
    } else {
      evaluate_denoiser(process, score, x, t, out);
      out = static_cast<S>(now.log_std_rate) * x - static_cast<S>(now.denoiser_rate) * out;
    }
  }
};

template <class Forward, class Score>
ProbabilityFlow(Forward, Score) -> ProbabilityFlow<Forward, Score>;

}  // namespace fokker
