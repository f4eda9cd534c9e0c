#pragma once
/// @file  fokker/solvers/ito/milstein.hpp
/// @brief Milstein step for Ito SDEs with noise that commutes.

#include <cmath>

#include <fokker/solvers/core/solver.hpp>

namespace fokker {

namespace detail {

/// The Milstein step for noise by columns with every Levy area put to 0:
///
///     y = x + f h + sum_l [g_l dw_l + g_l(x + v_l, t) - g_l],
///     v_l = sum_k g_k (dw_k dw_l - h delta_kl) / 2
///
/// where g_l(x + v_l) - g_l stands for (v_l . grad) g_l; see Milstein.
/// @param w  scratch of four arrays
template <State X, class P>
void milstein_without_areas(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
                            Scratch<X, 4>& w) {
  using S = typename X::Scalar;
  auto& [f, noise, g, u] = w.array;
  noise = noise_term(p, x, t, dw.w, f, g);
  y = x + S(h) * drift(p, x, t, f) + noise;
  for (Index l = 0; l < p.sources(); ++l) {
    assign(g, diffusion(p, x, t, l, g));
    u = noise;
    u.rowwise() *= dw.w.row(l);
    u = x + S(0.5) * (u - S(h) * g);
    y -= g;
    y += diffusion(p, u, t, l, f);
  }
}

/// slope = (g . grad) g at (x, t) by the `diffusion_slope` of a process with scalar or diagonal
/// noise, where it has one. @param g  g(x, t)  @return whether it has
template <State X, class P>
bool analytic_slope(const P& p, const X& x, Time t, const X& g, X& slope) {
  if constexpr (HasDiffusionSlope<P, X>) {
    if (!has_diffusion_slope<X>(p)) return false;
    if constexpr (noise_kind<P> == NoiseKind::diagonal)
      slope = g * diffusion_slope(p, x, t, slope);
    else
      assign(slope, diffusion_slope(p, x, t, slope));
    return true;
  }
  return false;
}

/// slope = (g . grad) g at (x, t), scalar or diagonal noise, where g = g(x, t): analytic, or by one
/// more evaluation of g at u = x + g sqrt(h).
template <State X, class P>
void milstein_slope(const P& p, const X& x, Time t, Time h, const X& g, X& slope, X& u) {
  using S = typename X::Scalar;
  if (analytic_slope(p, x, t, g, slope)) return;
  const S root_h = static_cast<S>(std::sqrt(h));
  u = x + root_h * g;
  assign(slope, diffusion(p, u, t, slope));
  slope = (slope - g) / root_h;
}

}  // namespace detail

/// One Milstein step on a d x n block:
///
///     y = x + f h + sum_k g_k dw_k + 1/2 sum_kl (g_k . grad) g_l (dw_k dw_l - h delta_kl)
///
/// with (g . grad) g = g_i dg_i/dx_i for diagonal noise. Scalar and diagonal noise use the
/// `diffusion_slope` of the process where there is one, otherwise the derivative-free form with
/// u = x + g sqrt(h),
///
///     (g . grad) g ~ (g(u, t) - g(x, t)) / sqrt(h)
///
/// For commutative noise the sum over k comes first: with v_l = 1/2 sum_k g_k (dw_k dw_l -
/// h delta_kl), (v_l . grad) g_l ~ g_l(x + v_l, t) - g_l(x, t), which costs O(m) for m sources. The
/// remainder 1/2 g_l''(v_l, v_l) is O(h^2) in mean and in mean square and keeps the order.
///
/// Converges to  the Ito solution.
/// Order         strong 1, weak 1, deterministic 1. Diagonal noise needs g_i to depend on x_i alone
///               and commutative noise (g_k . grad) g_l = (g_l . grad) g_k: both are checked once
///               per run (contract.hpp).
/// Cost          one f, one g and one slope, or one f and two g (three g_k for commutative noise);
///               no allocation.
/// Source        Milstein (1974); Kloeden & Platen (1992), 10.3 and 11.1 (derivative-free).
struct Milstein {
  static constexpr Facts facts{
      .name = "milstein",
      .source = "Kloeden & Platen (1992), 10.3, 11.1",
      .noise = {NoiseKind::additive, NoiseKind::scalar, NoiseKind::diagonal,
                NoiseKind::commutative},
      .order = {.strong = 1, .weak = 1, .deterministic = 1},
      .cost = {.drift = 1, .diffusion = {2, {.additive = 1, .commutative = 3}}}};

  template <State X>
  using Workspace = Scratch<X, 4>;

  /// @copydoc EulerMaruyama::step
  template <State X, ProcessFor<Milstein, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    const S dt = static_cast<S>(h);
    auto& [f, g, slope, u] = w.array;
    if constexpr (noise_kind<P> == NoiseKind::additive) {
      y = x + dt * drift(p, x, t, f) + noise_term(p, x, t, dw.w, g, u);
    } else if constexpr (noise_kind<P> == NoiseKind::commutative) {
      detail::milstein_without_areas(p, x, t, h, dw, y, w);
    } else {
      detail::assign(g, diffusion(p, x, t, g));
      detail::milstein_slope(p, x, t, h, g, slope, u);
      if constexpr (noise_kind<P> == NoiseKind::diagonal) {
        y = x + dt * drift(p, x, t, f) + g * dw.w + S(0.5) * slope * (dw.w.square() - dt);
      } else {
        g.rowwise() *= dw.w.row(0);
        u.row(0) = dw.w.row(0).square() - dt;
        slope.rowwise() *= u.row(0);
        y = x + dt * drift(p, x, t, f) + g + S(0.5) * slope;
      }
    }
  }
};

}  // namespace fokker
