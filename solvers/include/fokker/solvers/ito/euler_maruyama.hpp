#pragma once
/// @file  fokker/solvers/ito/euler_maruyama.hpp
/// @brief Euler-Maruyama step for Ito SDEs with any noise.

#include <fokker/solvers/core/solver.hpp>

namespace fokker {

/// One Euler-Maruyama step on a d x n block:
///
///     y = x + f(x, t) h + sum_k g_k(x, t) dw_k
///
/// Converges to  the Ito solution.
/// Order         strong 1/2 (1 for additive noise), weak 1, deterministic 1, for globally Lipschitz
///               coefficients; moments may diverge where the drift grows superlinearly.
/// Cost          one f and one g; no allocation.
/// Source        Maruyama (1955); Kloeden & Platen (1992), section 10.2.
struct EulerMaruyama {
  static constexpr Facts facts{
      .name = "euler-maruyama",
      .source = "Kloeden & Platen (1992), 10.2",
      .order = {.strong = {0.5, {.additive = 1}}, .weak = 1, .deterministic = 1},
      .condition = "globally Lipschitz f and g",
      .cost = {.drift = 1, .diffusion = 1}};

  template <State X>
  using Workspace = Scratch<X, 3>;

  /// @param x   d x n, state at t
  /// @param h   step, h > 0
  /// @param dw  W(t + h) - W(t), drawn by the caller
  /// @param y   d x n, result; must not be x
  template <State X, ProcessFor<EulerMaruyama, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    auto& [f, sum, column] = w.array;
    y = x + S(h) * drift(p, x, t, f) + noise_term(p, x, t, dw.w, sum, column);
  }
};

}  // namespace fokker
