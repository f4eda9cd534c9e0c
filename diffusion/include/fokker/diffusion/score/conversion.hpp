#pragma once
/// @file  fokker/diffusion/score/conversion.hpp
/// @brief From one affine process to another: the same model on another clock and scale.
///
/// Two processes A and B are the same up to time and scale: with sigma_A(t) = sigma_B(t'),
///
///     x' = (s_B(t') / s_A(t)) x
///
/// turns x0 + sigma eps under A into the same under B. Their flows, reverse SDEs (in law) and exact
/// scores map onto each other: score_B(x', t') = (s_A / s_B) score_A(x, t), and the denoiser of x'
/// is that of x. So a score trained under one process serves any other. Source: Karras et al.
/// (2022), arXiv 2206.00364, appendix B.

#include <stdexcept>
#include <string>
#include <utility>

#include <fokker/diffusion/score/evaluate_score.hpp>
#include <fokker/solvers/core/state.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

/// The t' of B with sigma_B(t') = sigma_A(t).
/// @throws std::invalid_argument  if B never has this noise
template <class A, class B>
Time converted_time(const A& a, Time t, const B& b) {
  constexpr double rounding = 1e-12;
  const double sigma = a.sigma(t), least = b.sigma(0), most = b.sigma(b.end_time());
  if (!(sigma >= (1 - rounding) * least) || !(sigma <= (1 + rounding) * most))
    throw std::invalid_argument("the process to convert to has sigma in [" + text(least) + ", " +
                                text(most) + "]: got sigma=" + text(sigma) + " at t=" + text(t));
  return b.time_of_sigma(sigma);
}

/// s_B(t') / s_A(t): what x is multiplied by on the way from (A, t) to (B, t').
template <class A, class B>
double converted_scale(const A& a, Time t, const B& b, Time t_b) {
  return b.scale(t_b) / a.scale(t);
}

/// Turns x at t of A into x' of B, in place, and returns its t'. @param x  d x n
/// @throws std::invalid_argument  see converted_time
template <class A, class B, State X>
Time convert_state(const A& a, Time t, const B& b, X& x) {
  const Time t_b = converted_time(a, t, b);
  x *= static_cast<typename X::Scalar>(converted_scale(a, t, b, t_b));
  return t_b;
}

/// A score under A as a score under B; made by `converted_score`. A call allocates one block.
template <class A, class Score, class B>
struct ScoreOfOtherProcess {
  Index dimension() const requires requires(const Score& s) { s.dimension(); }
  { return score.dimension(); }

  /// out = grad log p_t(x) under B. @param x,out  d x n; must not overlap
  template <State X>
  void operator()(const X& x, Time t, X& out) const {
    const Time t_a = converted_time(to, t, from);
    const auto scale = static_cast<typename X::Scalar>(converted_scale(to, t, from, t_a));
    const X x_a = scale * x;
    evaluate_score(score, x_a, t_a, out);
    out *= scale;
  }

  /// out = E[x0 | x_t = x] under B. @param x,out  d x n; must not overlap
  template <State X>
  void denoise(const X& x, Time t, X& out) const {
    X x_a = x;
    const Time t_a = convert_state(to, t, from, x_a);
    evaluate_denoiser(from, score, x_a, t_a, out);
  }

  A from;
  Score score;
  B to;
};

/// The score of process `from` as one of process `to`, at every time of `to` whose noise `from`
/// has.
template <class A, class Score, class B>
auto converted_score(A from, Score score, B to) {
  return ScoreOfOtherProcess<A, Score, B>{std::move(from), std::move(score), std::move(to)};
}

}  // namespace fokker
