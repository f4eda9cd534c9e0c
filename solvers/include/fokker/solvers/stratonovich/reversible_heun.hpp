#pragma once
/// @file  fokker/solvers/stratonovich/reversible_heun.hpp
/// @brief Heun's method in a form that can be run backwards exactly, for Stratonovich SDEs.

#include <array>

#include <fokker/solvers/core/solver.hpp>

namespace fokker {

/// One reversible Heun step on a d x n block, with a second state u, kept in the workspace and
/// initially u = x:
///
///     u' = 2 x - u + f(u, t) h + sum_k g_k(u, t) dw_k
///     y  = x + 1/2 (f(u, t) + f(u', t+h)) h + 1/2 sum_k (g_k(u, t) + g_k(u', t+h)) dw_k
///
/// The same step with -h and -dw leads from (y, u') back to (x, u): `reverse_step`. A path can
/// therefore be recovered from its end, and differentiated along, without storing it.
///
/// Converges to  the Stratonovich solution.
/// Order         strong 1/2; 1 for additive noise; deterministic 2.
/// Stability     on x' = lambda x bounded for h lambda in [-i, i] only: where the solution decays,
///               u - x grows like exp(|lambda| t) from the error of one step.
/// Cost          one f, and one g for scalar and diagonal noise, two otherwise (g(u) is evaluated
///               again); one f and one g more in the first step; no allocation.
/// Source        Kidger, Foster, Li & Lyons (2021), arXiv 2105.13493.
struct ReversibleHeun {
  static constexpr Facts facts{.name = "reversible-heun",
                               .source = "Kidger, Foster, Li & Lyons (2021)",
                               .calculus = Calculus::stratonovich,
                               .order = {.strong = {0.5, {.additive = 1}}, .deterministic = 2},
                               .cost = {.drift = 1, .diffusion = {2, {.scalar = 1, .diagonal = 1}}},
                               .has_memory = true};

  template <State X>
  struct Workspace : Scratch<X, 3> {
    Workspace(Index d, Index n) : Scratch<X, 3>(d, n) {
      for (X& carried : memory) carried.setZero(d, n);
    }
    std::array<X, 3> memory;  ///< u, f(u) and, for scalar and diagonal noise, g(u)
    bool started = false;
  };

  /// @copydoc EulerMaruyama::step
  template <State X, ProcessFor<ReversibleHeun, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    move(p, x, t, t + h, h, dw.w, y, w);
  }

  /// Undoes a step: x at t from y at t + h, to rounding.
  /// @param dw  increment of the step
  /// @param x   d x n, result; must not be y
  /// @param w   workspace after the step; on return as before the step
  template <State X, ProcessFor<ReversibleHeun, X> P>
  void reverse_step(const P& p, const X& y, Time t, Time h, const Increment<P, X>& dw, X& x,
                    Workspace<X>& w) const {
    move(p, y, t + h, t, -h, -dw.w, x, w);
  }

 private:
  static constexpr bool keeps_diffusion(NoiseKind kind) {
    return kind == NoiseKind::scalar || kind == NoiseKind::diagonal;
  }

  /// From x at t0 to y at t1, h = t1 - t0 of either sign, with v for dw.
  template <State X, class P, class V>
  static void move(const P& p, const X& x, Time t0, Time t1, Time h, const V& v, X& y,
                   Workspace<X>& w) {
    using S = typename X::Scalar;
    auto& [u, f, g] = w.memory;
    auto& [next, sum, column] = w.array;
    const S dt = static_cast<S>(h), half = static_cast<S>(0.5);
    if (!w.started) {
      u = x;
      evaluate(p, u, t0, f, g);
      w.started = true;
    }
    noise(p, u, t0, g, v, sum, column);
    y = x + half * (dt * f + sum);
    next = S(2) * x - u + dt * f + sum;
    u.swap(next);
    evaluate(p, u, t1, f, g);
    noise(p, u, t1, g, v, sum, column);
    y += half * (dt * f + sum);
  }

  template <State X, class P>
  static void evaluate(const P& p, const X& u, Time t, X& f, [[maybe_unused]] X& g) {
    evaluate_drift(p, u, t, f);
    if constexpr (keeps_diffusion(noise_kind<P>)) detail::assign(g, diffusion(p, u, t, g));
  }

  /// sum = sum_k g_k(u, t) v_k.
  template <State X, class P, class V>
  static void noise([[maybe_unused]] const P& p, [[maybe_unused]] const X& u,
                    [[maybe_unused]] Time t, [[maybe_unused]] const X& g, const V& v, X& sum,
                    [[maybe_unused]] X& column) {
    if constexpr (noise_kind<P> == NoiseKind::diagonal)
      sum = g * v;
    else if constexpr (noise_kind<P> == NoiseKind::scalar)
      sum = g.rowwise() * v.row(0);
    else
      detail::assign(sum, noise_term(p, u, t, v, sum, column));
  }
};

}  // namespace fokker
