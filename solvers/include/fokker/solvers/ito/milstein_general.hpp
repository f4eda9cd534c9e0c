#pragma once
/// @file  fokker/solvers/ito/milstein_general.hpp
/// @brief Strong order 1 for Ito SDEs with general noise, from the Levy areas.

#include <cmath>
#include <vector>

#include <fokker/solvers/core/column_scratch.hpp>
#include <fokker/solvers/core/solver.hpp>

namespace fokker {

namespace detail {

/// columns[k] = g_k(x, t) and noise = sum_k g_k dw_k.
template <State X, class P, class W>
void evaluate_columns(const P& p, const X& x, Time t, const W& w, std::vector<X>& columns, X& noise,
                      X& scratch) {
  noise.setZero();
  for (Index k = 0; k < static_cast<Index>(columns.size()); ++k) {
    X& g = columns[static_cast<std::size_t>(k)];
    assign(g, diffusion(p, x, t, k, g));
    scratch = g;
    scratch.rowwise() *= w.row(k);
    noise += scratch;
  }
}

/// v = sum_k g_k I_kl, where I_kl = int int dW_k dW_l (k inside) = (dw_k dw_l - h delta_kl) / 2 +
/// A_kl, from the columns and their sum `noise` = sum_k g_k dw_k.
template <State X, class Dw>
void iterated_direction(const Dw& dw, Time h, Index l, const std::vector<X>& columns,
                        const X& noise, X& v, X& scratch) {
  using S = typename X::Scalar;
  v = noise;
  v.rowwise() *= dw.w.row(l);
  v = S(0.5) * (v - S(h) * columns[static_cast<std::size_t>(l)]);
  for (Index k = 0; k < static_cast<Index>(columns.size()); ++k) {
    if (k == l) continue;
    scratch = columns[static_cast<std::size_t>(k)];
    scratch.rowwise() *= dw.area.row(k < l ? area_row(k, l) : area_row(l, k));
    if (k < l)
      v += scratch;
    else
      v -= scratch;  // A_kl = -A_lk
  }
}

}  // namespace detail

/// One Milstein step with Levy areas on a d x n block:
///
///     y = x + f h + sum_k g_k dw_k + sum_kl (g_k . grad) g_l I_kl
///     I_kl = int_t^{t+h} int_t^s dW_k(r) dW_l(s) = (dw_k dw_l - h delta_kl) / 2 + A_kl
///
/// in the derivative-free form (v_l . grad) g_l ~ g_l(x + v_l, t) - g_l(x, t) with
/// v_l = sum_k g_k I_kl, whose remainder 1/2 g_l''(v_l, v_l) is O(h^2) in mean and in mean square.
///
/// Converges to  the Ito solution.
/// Order         strong 1, weak 1, deterministic 1, if the mean-square error of the areas is
///               O(h^{3/2}), as that of LevyAreas is.
/// Cost          one f and two g_k, and O(m^2) sums of columns for m sources; no allocation after
///               the first step of a workspace.
/// Source        Milstein (1974); Kloeden & Platen (1992), 10.3.
struct MilsteinLevy {
  static constexpr Facts facts{.name = "milstein-levy",
                               .source = "Kloeden & Platen (1992), 10.3",
                               .noise = noise_by_columns,
                               .order = {.strong = 1, .weak = 1, .deterministic = 1},
                               .condition = "Levy areas with a mean-square error of O(h^{3/2})",
                               .cost = {.drift = 1, .diffusion = 2},
                               .needs = {.area = true}};

  template <State X>
  using Workspace = ColumnScratch<X, 4>;

  /// @copydoc EulerMaruyama::step
  template <State X, ProcessFor<MilsteinLevy, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    auto& [f, noise, u, scratch] = w.array;
    std::vector<X>& g = w.columns(p.sources());
    detail::evaluate_columns(p, x, t, dw.w, g, noise, scratch);
    y = x + S(h) * drift(p, x, t, f) + noise;
    for (Index l = 0; l < p.sources(); ++l) {
      detail::iterated_direction(dw, h, l, g, noise, u, scratch);
      u += x;
      y -= g[static_cast<std::size_t>(l)];
      y += diffusion(p, u, t, l, f);
    }
  }
};

/// One step of Roessler's derivative-free scheme of strong order 1 on a d x n block:
///
///     u    = x + f h
///     u+-l = u +- sum_k g_k I_kl / sqrt(h)
///     y    = x + 1/2 (f(x, t) + f(u, t+h)) h + sum_k g_k dw_k
///              + 1/2 sqrt(h) sum_l [g_l(u+l, t+h) - g_l(u-l, t+h)]
///
/// with I_kl as in MilsteinLevy.
///
/// Converges to  the Ito solution.
/// Order         strong 1, weak 1, deterministic 2; areas as for MilsteinLevy.
/// Cost          two f and three g_k, and O(m^2) sums of columns for m sources; no allocation after
///               the first step of a workspace.
/// Source        Roessler (2010), SIAM J. Numer. Anal. 48(3), scheme SRI2.
struct Sri2 {
  static constexpr Facts facts{.name = "sri2",
                               .source = "Roessler (2010), SRI2",
                               .noise = noise_by_columns,
                               .order = {.strong = 1, .weak = 1, .deterministic = 2},
                               .condition = "Levy areas with a mean-square error of O(h^{3/2})",
                               .cost = {.drift = 2, .diffusion = 3},
                               .needs = {.area = true}};

  template <State X>
  using Workspace = ColumnScratch<X, 6>;

  /// @copydoc EulerMaruyama::step
  template <State X, ProcessFor<Sri2, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    const S dt = static_cast<S>(h), root_h = static_cast<S>(std::sqrt(h));
    auto& [f, noise, u, v, stage, scratch] = w.array;
    std::vector<X>& g = w.columns(p.sources());
    detail::evaluate_columns(p, x, t, dw.w, g, noise, scratch);
    evaluate_drift(p, x, t, f);
    u = x + dt * f;
    y = x + S(0.5) * dt * (f + drift(p, u, t + h, scratch)) + noise;
    for (Index l = 0; l < p.sources(); ++l) {
      detail::iterated_direction(dw, h, l, g, noise, v, scratch);
      stage = u + v / root_h;
      y += S(0.5) * root_h * diffusion(p, stage, t + h, l, f);
      stage = u - v / root_h;
      y -= S(0.5) * root_h * diffusion(p, stage, t + h, l, f);
    }
  }
};

}  // namespace fokker
