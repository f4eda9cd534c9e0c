#pragma once
/// @file  fokker/solvers/stratonovich/stochastic_heun.hpp
/// @brief Heun's predictor-corrector for Stratonovich SDEs with any noise.

#include <fokker/solvers/core/solver.hpp>

namespace fokker {

/// One stochastic Heun step on a d x n block:
///
///     u = x + f(x, t) h + sum_k g_k(x, t) dw_k
///     y = x + 1/2 (f(x, t) + f(u, t+h)) h + 1/2 sum_k (g_k(x, t) + g_k(u, t+h)) dw_k
///
/// Converges to  the Stratonovich solution.
/// Order         strong 1 (1/2 for general noise), weak 1, deterministic 2.
/// Cost          two f and two g; no allocation.
/// Source        Rumelin (1982); Kloeden & Platen (1992), 11.1; Burrage, Burrage & Tian (2004).
struct HeunSde {
  static constexpr Facts facts{
      .name = "heun-sde",
      .source = "Rumelin (1982); Kloeden & Platen (1992), 11.1",
      .calculus = Calculus::stratonovich,
      .order = {.strong = {1, {.general = 0.5}}, .weak = 1, .deterministic = 2},
      .cost = {.drift = 2, .diffusion = 2}};

  static constexpr std::string_view source = "Rumelin (1982); Kloeden & Platen (1992), 11.1";

  template <State X>
  using Workspace = Scratch<X, 6>;

  /// @copydoc EulerMaruyama::step
  template <State X, ProcessFor<HeunSde, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    auto& [f, g_dw, u, f_end, sum, column] = w.array;
    evaluate_drift(p, x, t, f);
    g_dw = noise_term(p, x, t, dw.w, sum, column);
    u = x + S(h) * f + g_dw;
    y = x + S(0.5 * h) * (f + drift(p, u, t + h, f_end)) +
        S(0.5) * (g_dw + noise_term(p, u, t + h, dw.w, sum, column));
  }
};

}  // namespace fokker
