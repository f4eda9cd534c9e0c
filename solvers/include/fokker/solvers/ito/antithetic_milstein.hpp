#pragma once
/// @file  fokker/solvers/ito/antithetic_milstein.hpp
/// @brief The Milstein scheme without Levy areas, and the antithetic coupling for multilevel sums.

#include <fokker/solvers/ito/milstein.hpp>

namespace fokker {

/// One Milstein step for general noise with the Levy areas left out, on a d x n block:
///
///     y = x + f h + sum_k g_k dw_k + 1/2 sum_kl (g_k . grad) g_l (dw_k dw_l - h delta_kl)
///
/// in the derivative-free form of Milstein for commutative noise.
///
/// Converges to  the Ito solution.
/// Order         strong 1/2 (1 for commutative noise, where it is Milstein), weak 1,
///               deterministic 1.
/// Cost          one f and three g_k; no allocation.
/// Source        Giles & Szpruch (2014), Ann. Appl. Probab. 24(4); Clark & Cameron (1980) for its
///               order.
struct MilsteinTruncated {
  static constexpr Facts facts{
      .name = "milstein-truncated",
      .source = "Giles & Szpruch (2014)",
      .noise = noise_by_columns,
      .order = {.strong = {1, {.general = 0.5}}, .weak = 1, .deterministic = 1},
      .cost = {.drift = 1, .diffusion = 3}};

  template <State X>
  using Workspace = Scratch<X, 4>;

  /// @copydoc EulerMaruyama::step
  template <State X, ProcessFor<MilsteinTruncated, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    detail::milstein_without_areas(p, x, t, h, dw, y, w);
  }
};

/// A coarse path, a fine path and its antithetic twin on the same Brownian increments: over a
/// coarse step the fine path takes dw1 and then dw2, the twin dw2 and then dw1, and the coarse path
/// dw1 + dw2. All three have the law of their scheme, so with
///
///     P_f = (phi(fine) + phi(twin)) / 2,    P_c = phi(coarse)
///
/// sums over levels telescope. For smooth phi and MilsteinTruncated Var(P_f - P_c) = O(h^2), as
/// with Levy areas; Var(phi(fine) - phi(coarse)) = O(h).
/// Source  Giles & Szpruch (2014), Ann. Appl. Probab. 24(4).
template <State X>
struct AntitheticPaths {
  X coarse, fine, twin;

  explicit AntitheticPaths(const X& x0) : coarse(x0), fine(x0), twin(x0) {}

  /// Advances all three over [t, t + h].
  /// @param first   dw1, over [t, t + h/2]
  /// @param second  dw2, over [t + h/2, t + h]
  /// @param both    scratch for dw1 + dw2
  /// @param y       scratch, d x n
  template <class M, Process<X> P>
  void step(const M& method, const P& p, Time t, Time h, const Increment<P, X>& first,
            const Increment<P, X>& second, Increment<P, X>& both, X& y,
            typename M::template Workspace<X>& w) {
    static_assert(!needs_of(M{}).h && !needs_of(M{}).k && !needs_of(M{}).area,
                  "the antithetic coupling swaps the increments W alone");
    const Time half = 0.5 * h;
    const auto advance = [&](X& x, Time from, Time length, const Increment<P, X>& dw) {
      method.step(p, x, from, length, dw, y, w);
      x.swap(y);
    };
    both.w = first.w + second.w;
    advance(fine, t, half, first);
    advance(fine, t + half, half, second);
    advance(twin, t, half, second);
    advance(twin, t + half, half, first);
    advance(coarse, t, h, both);
  }
};

}  // namespace fokker
