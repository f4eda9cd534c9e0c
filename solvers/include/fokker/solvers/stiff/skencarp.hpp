#pragma once
/// @file  fokker/solvers/stiff/skencarp.hpp
/// @brief An implicit stochastic Runge-Kutta method of strong order 3/2 for stiff SDEs with
///        additive noise.

#include <array>

#include <fokker/solvers/stiff/drift_implicit.hpp>

namespace fokker {

/// One SKenCarp step on a d x n block: the singly diagonally implicit KenCarp3 for the drift (an
/// explicit first stage, then three implicit ones), with I = W/2 + H in two of its stages,
///
///     H_i = x + h sum_{j <= i} a_ij f(H_j, t + c_j h) + e_i g(t) I
///     y   = x + h sum_j a_4j f(H_j, t + c_j h) + g(t + h) W + (g(t) - g(t + h)) I
///
/// solved path by path with Newton's method (see newton.hpp); a path without a solution becomes
/// nan.
///
/// Converges to  the Ito and the Stratonovich solution (the noise is additive).
/// Order         strong and weak 3/2, deterministic 3, for f with bounded derivatives. The e_i are
///               large: for a drift that is nonlinear over the width of the noise, errors of order
///               2 and more dominate at usual step sizes.
/// Stability     the drift is treated L-stably.
/// Cost          f and its Jacobian in each Newton iteration of three stages, two at least, one f
///               more and two g; W and H; no allocation.
/// Source        Rackauckas & Nie (2020), arXiv:1804.04344; Kennedy & Carpenter (2003) for the
///               drift.
struct SkenCarp {
  static constexpr Facts facts{
      .name = "skencarp",
      .source = "Rackauckas & Nie (2020), arXiv:1804.04344; Kennedy & Carpenter (2003)",
      .noise = {NoiseKind::additive},
      .order = {.strong = 1.5, .weak = 1.5, .deterministic = 3},
      // with two Newton iterations per stage, the fewest, and the Jacobian given
      .cost = {.drift = 7, .diffusion = 2},
      .needs = {.h = true}};

  static constexpr std::string_view source =
      "Rackauckas & Nie (2020), arXiv:1804.04344; Kennedy & Carpenter (2003)";

  /// The diagonal of a; a_4j are the weights.
  static constexpr double gamma = 1767732205903.0 / 4055673282236.0;
  static constexpr std::array<std::array<double, 4>, 4> a{
      {{0, 0, 0, 0},
       {gamma, gamma, 0, 0},
       {2746238789719.0 / 10658868560708.0, -640167445237.0 / 6845629431997.0, gamma, 0},
       {1471266399579.0 / 7840856788654.0, -4482444167858.0 / 7529755066697.0,
        11266239266428.0 / 11593286722821.0, gamma}}};
  static constexpr std::array<double, 4> c{0, 2 * gamma, 0.6, 1};
  static constexpr std::array<double, 4> e{0, -12.246764387585055918, 0, -14.432096958608752822};

  template <State X>
  using Workspace = detail::ImplicitWorkspace<X, 8>;

  /// @copydoc EulerMaruyama::step
  template <State X, ProcessFor<SkenCarp, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    auto& [k0, k1, k2, k3, r, noise, sum, column] = w.array;  // k_j = h f(H_j)
    noise = noise_term(p, x, t, S(0.5) * dw.w + dw.h, sum, column);
    evaluate_drift(p, x, t, k0);
    k0 *= S(h);

    r = x + S(a[1][0]) * k0 + S(e[1]) * noise;
    solve_stage(p, x, t + c[1] * h, h, r, y, k1, w);
    r = x + S(a[2][0]) * k0 + S(a[2][1]) * k1;
    solve_stage(p, x, t + c[2] * h, h, r, y, k2, w);
    r = x + S(a[3][0]) * k0 + S(a[3][1]) * k1 + S(a[3][2]) * k2 + S(e[3]) * noise;
    solve_stage(p, x, t + h, h, r, y, k3, w);

    // Replace the noise of the last stage by that of the step.
    r += S(gamma) * k3 + S(1 - e[3]) * noise;
    y = r + noise_term(p, x, t + h, S(0.5) * dw.w - dw.h, sum, column);
  }

 private:
  /// u = r + gamma k with k = h f(u, t).
  template <State X, class P>
  static void solve_stage(const P& p, const X& x, Time t, Time h, const X& r, X& u, X& k,
                          Workspace<X>& w) {
    u = x;
    solve_implicit(p, t, gamma * h, r, u, w.newton);
    k = (u - r) / static_cast<typename X::Scalar>(gamma);
  }
};

}  // namespace fokker
