#pragma once
/// @file  fokker/solvers/stratonovich/stratonovich_milstein.hpp
/// @brief Milstein step for Stratonovich SDEs with additive, scalar or diagonal noise.

#include <cmath>

#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/core/weighted_sum.hpp>
#include <fokker/solvers/ito/milstein.hpp>

namespace fokker {

/// One Milstein step on a d x n block:
///
///     y = x + f h + g dw + 1/2 (g . grad) g dw^2
///
/// with (g . grad) g = g_i dg_i/dx_i for diagonal noise: by the `diffusion_slope` of the process
/// where there is one, otherwise by the central difference
///
///     (g . grad) g ~ (g(x + g sqrt(h), t) - g(x - g sqrt(h), t)) / (2 sqrt(h))
///
/// whose error is O(h). (The one-sided difference of the Ito scheme would leave strong order 1/2:
/// its error is O(sqrt(h)), and dw^2 has mean h where dw^2 - h has mean 0.)
///
/// Converges to  the Stratonovich solution.
/// Order         strong 1, weak 1, deterministic 1. Diagonal noise needs g_i to depend on x_i
///               alone, which is checked once per run (contract.hpp).
/// Cost          one f, one g and one slope, or one f and three g; no allocation.
/// Source        Milstein (1974); Kloeden & Platen (1992), 10.3.
struct MilsteinStratonovich {
  static constexpr Facts facts{
      .name = "milstein-stratonovich",
      .source = "Kloeden & Platen (1992), 10.3",
      .calculus = Calculus::stratonovich,
      .noise = {NoiseKind::additive, NoiseKind::scalar, NoiseKind::diagonal},
      .order = {.strong = 1, .weak = 1, .deterministic = 1},
      .cost = {.drift = 1, .diffusion = {3, {.additive = 1}}}};

  template <State X>
  using Workspace = Scratch<X, 4>;

  /// @copydoc EulerMaruyama::step
  template <State X, ProcessFor<MilsteinStratonovich, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    constexpr NoiseKind kind = noise_kind<P>;
    auto& [f, g, slope, u] = w.array;
    if constexpr (kind == NoiseKind::additive) {
      y = x + S(h) * drift(p, x, t, f) + noise_term(p, x, t, dw.w, g, u);
    } else {
      detail::assign(g, diffusion(p, x, t, g));
      correction(p, x, t, h, g, slope, u, f);
      if constexpr (kind == NoiseKind::diagonal) {
        y = x + S(h) * drift(p, x, t, f) + (g + S(0.5) * slope * dw.w) * dw.w;
      } else {
        detail::times_row(slope, dw.w.row(0), slope);
        u = g + S(0.5) * slope;
        detail::times_row(u, dw.w.row(0), u);
        y = x + S(h) * drift(p, x, t, f) + u;
      }
    }
  }

 private:
  /// slope = (g . grad) g at (x, t): analytic, or by two more evaluations of g.
  template <State X, class P>
  static void correction(const P& p, const X& x, Time t, Time h, const X& g, X& slope, X& u,
                         X& below) {
    using S = typename X::Scalar;
    if (detail::analytic_slope(p, x, t, g, slope)) return;
    const S root_h = static_cast<S>(std::sqrt(h));
    u = x - root_h * g;
    detail::assign(below, diffusion(p, u, t, below));
    u = x + root_h * g;
    detail::assign(slope, diffusion(p, u, t, slope));
    slope = (slope - below) / (2 * root_h);
  }
};

}  // namespace fokker
