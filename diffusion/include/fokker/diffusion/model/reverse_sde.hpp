#pragma once
/// @file  fokker/diffusion/model/reverse_sde.hpp
/// @brief The reverse SDE of a diffusion model, with the strength eta of its noise.

#include <utility>

#include <fokker/diffusion/score/evaluate_score.hpp>
#include <fokker/solvers/core/process.hpp>

namespace fokker {

/// The way back from noise to data, t decreasing:
///
///     dx = [f - (1 + eta^2)/2 g^2 score] dt + eta g dw-bar   (Ito, additive noise)
///
/// It has the marginals of the forward process for every eta >= 0: eta = 1 is Anderson's reverse
/// SDE, eta = 0 the probability flow. Integrate it down: from `process.sde_start()` to
/// `process.t_min()`. One evaluation of the score per drift; no allocation. Source: Anderson
/// (1982); Song et al. (2021), arXiv 2011.13456, (6); for eta: Huang, Lim & Courville (2021), arXiv
/// 2106.02808; Zhang & Chen (2023), arXiv 2204.13902.
template <class Forward, class Score>
struct ReverseSde {
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr NoiseKind noise = NoiseKind::additive;
  static constexpr Clock clock = Clock::down;

  Forward process;  ///< an AffineProcess
  Score score;      ///< see evaluate_score.hpp
  double eta = 1;   ///< at least 0

  Index dimension() const requires requires(const Score& s) { s.dimension(); }
  { return score.dimension(); }

  /// out = f - (1 + eta^2)/2 g^2 score at (x, t). @param x,out  d x n; must not overlap
  template <State X>
  void drift(const X& x, Time t, X& out) const {
    using S = typename X::Scalar;
    const auto now = process.at(t);
    const double g = now.diffusion;
    evaluate_score(score, x, t, out);
    out = static_cast<S>(now.log_scale_rate) * x -
          static_cast<S>(0.5 * (1 + eta * eta) * g * g) * out;
  }

  double diffusion(Time t) const { return eta * process.diffusion(t); }  ///< eta g(t)
};

template <class Forward, class Score>
ReverseSde(Forward, Score) -> ReverseSde<Forward, Score>;
template <class Forward, class Score>
ReverseSde(Forward, Score, double) -> ReverseSde<Forward, Score>;

}  // namespace fokker
