#pragma once
/// @file  fokker/solvers/weak/simplified_euler.hpp
/// @brief The simplified weak Euler step for Ito SDEs with any noise.

#include <cmath>

#include <fokker/solvers/core/solver.hpp>

namespace fokker {

/// One simplified weak Euler step on a d x n block:
///
///     y = x + f(x, t) h + sum_k g_k(x, t) I~_k,    I~_k = sqrt(h) sign(dw_k)
///
/// Each I~_k takes two values, with the mean and the variance of dw_k.
///
/// Converges to  the Ito solution, in law.
/// Order         weak 1, deterministic 1; no strong order.
/// Cost          one f and one g; no allocation.
/// Source        Kloeden & Platen (1992), 14.1.
struct SimplifiedEuler {
  static constexpr Facts facts{.name = "simplified-euler",
                               .source = "Kloeden & Platen (1992), 14.1",
                               .order = {.weak = 1, .deterministic = 1},
                               .cost = {.drift = 1, .diffusion = 1}};

  template <State X>
  using Workspace = Scratch<X, 3>;

  /// @copydoc EulerMaruyama::step
  template <State X, ProcessFor<SimplifiedEuler, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    auto& [f, sum, column] = w.array;
    y = x + S(h) * drift(p, x, t, f) +
        noise_term(p, x, t, static_cast<S>(std::sqrt(h)) * dw.w.sign(), sum, column);
  }
};

}  // namespace fokker
