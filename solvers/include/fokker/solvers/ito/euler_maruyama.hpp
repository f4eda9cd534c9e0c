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
  static constexpr std::string_view name = "euler-maruyama";
  static constexpr std::string_view source = "Kloeden & Platen (1992), 10.2";
  static constexpr Calculus calculus = Calculus::ito;

  static constexpr bool supports(NoiseKind kind) { return kind != NoiseKind::none; }
  static constexpr Orders orders(NoiseKind kind) {
    return {.strong = kind == NoiseKind::additive ? 1.0 : 0.5, .weak = 1.0, .deterministic = 1.0};
  }
  static constexpr Evaluations evaluations(NoiseKind) { return {.drift = 1, .diffusion = 1}; }

  template <State X>
  using Workspace = Scratch<X, 3>;

  /// @param x   d x n, state at t
  /// @param h   step, h > 0
  /// @param dw  W(t + h) - W(t), drawn by the caller
  /// @param y   d x n, result; must not be x
  template <State X, Process<X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    auto& [f, sum, column] = w.array;
    y = x + S(h) * drift(p, x, t, f) + noise_term(p, x, t, dw.w, sum, column);
  }
};

}  // namespace fokker
