#pragma once
/// @file  fokker/solvers/weak/platen.hpp
/// @brief Platen's explicit scheme of weak order 2 for Ito SDEs with any noise.

#include <cmath>
#include <vector>

#include <fokker/solvers/weak/weak_runge_kutta.hpp>

namespace fokker {

/// One step of Platen's explicit scheme of weak order 2 on a d x n block, with the discrete I^_k
/// and I~_k of DiscreteIncrements, V_kk = -h and V_rk = -V_kr = -I~_r I~_k for r < k:
///
///     u    = x + f h + sum_k g_k I^_k
///     r_k+- = x + f h +- g_k sqrt(h)
///     u_r+- = x +- g_r sqrt(h)
///     y = x + 1/2 (f + f(u)) h
///           + 1/4 sum_k [g_k(r_k+) + g_k(r_k-) + 2 g_k] I^_k
///           + 1/4 sum_k [g_k(r_k+) - g_k(r_k-)] (I^_k^2 + V_kk) / sqrt(h)
///           + 1/4 sum_k sum_{r != k} [g_k(u_r+) + g_k(u_r-) - 2 g_k] I^_k
///           + 1/4 sum_k sum_{r != k} [g_k(u_r+) - g_k(u_r-)] (I^_k I^_r + V_rk) / sqrt(h)
///
/// f and g without argument are evaluated at (x, t), f(u) and g_k(r_k+-) at t + h, g_k(u_r+-) at t.
/// For diagonal noise g_k depends on component k alone and the sums over r vanish; with one source
/// there are none, and the scheme is known as PL1WM. The source has an independent two-point
/// variable for each pair in place of -I~_r I~_k: the products have the moments that weak order 2
/// needs.
///
/// Converges to  the Ito solution, in law.
/// Order         weak 2, if the coefficients have enough bounded derivatives; deterministic 2; no
///               strong order.
/// Cost          two f; three g, two for additive noise; by columns 2 m + 1 of each g_k for m
///               sources (`facts` has those of two; the methods of WeakRungeKutta take five for any
///               m). No allocation after the first step of a workspace.
/// Source        Kloeden & Platen (1992), 15.1.
struct Platen {
  static constexpr Facts facts{
      .name = "platen",
      .source = "Kloeden & Platen (1992), 15.1",
      .order = {.weak = 2, .deterministic = 2},
      .cost = {.drift = 2, .diffusion = {3, {.additive = 2, .commutative = 5, .general = 5}}}};

  template <State X>
  using Workspace = WeakScratch<X, 5>;

  /// @copydoc EulerMaruyama::step
  template <State X, ProcessFor<Platen, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    auto& [f, sum, u, a, b] = w.array;
    w.noise.assign(dw.w, h);
    evaluate_drift(p, x, t, f);
    if constexpr (noise_kind<P> == NoiseKind::additive) {
      const auto& three = w.noise.three;
      sum = noise_term(p, x, t, three, a, b);
      y = S(0.5) * (sum + noise_term(p, x, t + h, three, a, b));
    } else {
      own_noise(p, x, t, h, y, w);
      if constexpr (by_columns(noise_kind<P>)) mixed_noise(p, x, t, h, y, w);
    }
    heun.add(p, x, t, h, f, sum, a, u, y);
  }

 private:
  static constexpr WeakDriftTableau heun{1, 0, 0, 1, 0, {0.5, 0.5, 0}};

  /// y = the terms of r_k+-, sum = sum_k g_k I^_k, columns[k] = g_k.
  template <State X, class P>
  static void own_noise(const P& p, const X& x, Time t, Time h, X& y, Workspace<X>& w) {
    using S = typename X::Scalar;
    constexpr NoiseKind kind = noise_kind<P>;
    const S root_h = static_cast<S>(std::sqrt(h)), dt = static_cast<S>(h), quarter = S(0.25);
    auto& [f, sum, u, plus, minus] = w.array;
    const auto& three = w.noise.three;
    const auto own = (three.square() - dt) / root_h;
    const Index m = detail::column_count(p);
    std::vector<X>& columns = w.columns(m);
    y.setZero();
    sum.setZero();
    for (Index k = 0; k < m; ++k) {
      X& g = columns[static_cast<std::size_t>(k)];
      detail::evaluate_column(p, x, t, k, g);
      u = x + dt * f + root_h * g;
      detail::evaluate_column(p, u, t + h, k, plus);
      u = x + dt * f - root_h * g;
      detail::evaluate_column(p, u, t + h, k, minus);
      sum += detail::scaled<kind>(g, three, k);
      u = quarter * (plus + minus + S(2) * g);
      y += detail::scaled<kind>(u, three, k);
      u = quarter * (plus - minus);
      y += detail::scaled<kind>(u, own, k);
    }
  }

  /// Adds the terms of u_r+- to y.
  template <State X, class P>
  static void mixed_noise(const P& p, const X& x, Time t, Time h, X& y, Workspace<X>& w) {
    using S = typename X::Scalar;
    const S root_h = static_cast<S>(std::sqrt(h)), quarter = S(0.25);
    auto& [f, sum, u, plus, minus] = w.array;
    const auto& [three, two] = w.noise;
    const Index m = p.sources();
    const std::vector<X>& columns = w.columns(m);
    for (Index r = 0; r < m; ++r)
      for (Index k = 0; k < m; ++k) {
        if (k == r) continue;
        u = x + root_h * columns[static_cast<std::size_t>(r)];
        detail::evaluate_column(p, u, t, k, plus);
        u = x - root_h * columns[static_cast<std::size_t>(r)];
        detail::evaluate_column(p, u, t, k, minus);
        u = quarter * (plus + minus - S(2) * columns[static_cast<std::size_t>(k)]);
        y += u.rowwise() * three.row(k);
        u = quarter / root_h * (plus - minus);
        const S sign = r < k ? S(-1) : S(1);  // of V_rk
        y += u.rowwise() * (three.row(k) * three.row(r) + sign * two.row(k) * two.row(r));
      }
  }
};

}  // namespace fokker
