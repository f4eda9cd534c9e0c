#pragma once
/// @file  fokker/solvers/langevin/langevin_high_order.hpp
/// @brief Strong order 2 and 3 for underdamped Langevin dynamics, from W, H and K.
///
/// The free motion, with A, B, N_q, N_v and R, is that of langevin_motion.hpp; a, b without an
/// argument are A(1), B(1). Its noise is exact, so that the stationary law is right for every
/// gamma h: the expectation given W, H (and K), and the residual from normals beside the path.
/// Adaptive steps have no such normals, and the noise is its expectation.

#include <cmath>

#include <fokker/solvers/langevin/kinetic_process.hpp>
#include <fokker/solvers/langevin/langevin_motion.hpp>

namespace fokker {

namespace detail {

/// The facts of a method of this file.
constexpr Facts high_order_langevin(std::string_view name, std::string_view source, int order,
                                    int accelerations, int normals) {
  return {.name = name,
          .source = source,
          .noise = {NoiseKind::additive},
          .order = {.strong = order, .weak = order, .deterministic = order},
          .condition = "a kinetic process, a(q) with bounded derivatives",
          .cost = {.drift = accelerations, .diffusion = 1},
          .needs = {.h = true, .k = order == 3, .normals = normals, .path_suffices = true}};
}

}  // namespace detail

/// One UBU step on a KineticProcess: free motion, kick in the middle, free motion,
///
///     z  = q + A(1/2) v + N_z
///     q' = q + a v + h A(1/2) a(z) + N_q
///     v' = e^{-alpha} v + h e^{-alpha/2} a(z) + N_v
///
/// with N_z the noise of the position in the middle of the step.
///
/// Converges to  the Ito and the Stratonovich solution (the noise is additive).
/// Order         strong 2, weak 2, deterministic 2, for a(q) with two bounded derivatives.
/// Stationary    in a harmonic well both variances are right to O(h^2) for every gamma h; that of v
///               tends to the exact one as gamma h grows.
/// Cost          one acceleration; W, H and two normals; no allocation.
/// Source        Zapatero (2017); Sanz-Serna & Zygalakis (2021).
struct Ubu {
  static constexpr Facts facts =
      detail::high_order_langevin("ubu", "Zapatero (2017); Sanz-Serna & Zygalakis (2021)", 2, 1, 2);

  template <State X>
  using Workspace = HalfScratch<X, 6>;

  /// @copydoc EulerMaruyama::step
  template <State X, KineticProcess<X> P>
  void step(const P& p, const X& x, Time, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    const detail::LangevinMotion k(p, h);
    const detail::LangevinNoise noise(k, 2);
    const detail::LangevinMidNoise mid(k);
    const Index half = x.rows() / 2;
    const auto q = x.topRows(half), v = x.bottomRows(half);
    const auto of_w = dw.w.bottomRows(half), of_h = dw.h.bottomRows(half);
    const auto xi1 = dw.normals.middleRows(half, half), xi2 = dw.normals.bottomRows(half);
    auto& z = w[0];
    auto& a = w[1];
    auto& r = w[2];

    z = q + S(k.a(0.5)) * v + S(mid.z_w) * of_w + S(mid.z_h) * of_h + S(mid.z_rest) * xi2;
    evaluate_acceleration(p, z, a);
    r = S(mid.v_rest) * xi1 + S(mid.v_mid) * xi2;
    y.topRows(half) = q + S(k.a(1)) * v + S(h * k.a(0.5)) * a + S(noise.q_w) * of_w +
                      S(noise.q_h) * of_h + S(k.position_of_rest()) * r;
    y.bottomRows(half) =
        S(k.decay(1)) * v + S(h * k.decay(0.5)) * a + S(noise.v_w) * of_w + S(noise.v_h) * of_h + r;
  }
};

/// One ALIGN step on a KineticProcess (adaptive Langevin by interpolated gradients and noise):
///
///     q' = q + a v + b h a(q) + N_q
///     v' = e^{-alpha} v + (a - b) a(q) + b a(q') + N_v
///
/// Converges to  the Ito and the Stratonovich solution (the noise is additive).
/// Order         strong 2, weak 2, deterministic 2, for a(q) with two bounded derivatives.
/// Stationary    as UBU.
/// Cost          two accelerations; W, H and a normal; no allocation.
/// Source        Foster, Lyons & Oberhauser (2021), definition 4.2, with an exact free motion.
struct Align {
  static constexpr Facts facts = detail::high_order_langevin(
      "align", "Foster, Lyons & Oberhauser (2021), definition 4.2, arXiv:2101.03446", 2, 2, 1);

  template <State X>
  using Workspace = HalfScratch<X, 6>;

  /// @copydoc EulerMaruyama::step
  template <State X, KineticProcess<X> P>
  void step(const P& p, const X& x, Time, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    const detail::LangevinMotion k(p, h);
    const detail::LangevinNoise noise(k, 2);
    const Index half = x.rows() / 2;
    const auto v = x.bottomRows(half);
    const auto of_w = dw.w.bottomRows(half), of_h = dw.h.bottomRows(half),
               xi = dw.normals.bottomRows(half);
    auto& [q, a0, a1, q1, unused1, unused2] = w.array;

    q = x.topRows(half);
    evaluate_acceleration(p, q, a0);
    q1 = q + S(k.a(1)) * v + S(h * k.b(1)) * a0 + S(noise.q_w) * of_w + S(noise.q_h) * of_h +
         S(noise.q_rest) * xi;
    evaluate_acceleration(p, q1, a1);
    y.topRows(half) = q1;
    y.bottomRows(half) = S(k.decay(1)) * v + S(k.a(1) - k.b(1)) * a0 + S(k.b(1)) * a1 +
                         S(noise.v_w) * of_w + S(noise.v_h) * of_h + S(noise.v_rest) * xi;
  }
};

/// The methods of order 3 in two forms: with an exact free motion, and as published.
namespace third_order {

struct Sort {
  static constexpr std::string_view name = "sort";
  static constexpr std::string_view source =
      "Foster, Lyons & Oberhauser (2021), arXiv:2101.03446, with an exact free motion";
  static constexpr bool published = false;
};

struct SortPublished {
  static constexpr std::string_view name = "sort-published";
  static constexpr std::string_view source =
      "Foster, Lyons & Oberhauser (2021), arXiv:2101.03446; too hot for gamma h > 1";
  static constexpr bool published = true;
};

struct Quicsort {
  static constexpr std::string_view name = "quicsort";
  static constexpr std::string_view source =
      "Scott, O'Kane, Jelincic & Foster (2025), arXiv:2508.16485, with an exact free motion";
  static constexpr bool published = false;
};

struct QuicsortPublished {
  static constexpr std::string_view name = "quicsort-published";
  static constexpr std::string_view source =
      "Scott, O'Kane, Jelincic & Foster (2025), arXiv:2508.16485; too hot for gamma h > 1";
  static constexpr bool published = true;
};

}  // namespace third_order

/// One SORT step on a KineticProcess (shifted ODE, Runge-Kutta of order three): with
/// v* = v + rho (H + 6K) and D = rho (W - 12K),
///
///     z  = q + A(1/2) v* + B(1/2) (D + h a(q))
///     q' = q + a v + b h (a(q) + 2 a(z)) / 3 + N_q
///     v' = e^{-alpha} v + h (w_0 a(q) + w_1 a(z) + w_2 a(q')) + N_v
///
/// where h w_i = int_0^h e^{-gamma (h - s)} L_i(s) ds with Lagrange's polynomials of 0, h/2 and h.
/// As published, N_q = a rho (H + 6K) + b D and N_v = (e^{-alpha} - 1) rho H +
/// 6 (e^{-alpha} + 1) rho K + a D / h, the motion along a polynomial path, and the w_i are
/// e^{-alpha}/6, 4 e^{-alpha/2}/6 and 1/6.
///
/// Converges to  the Ito and the Stratonovich solution (the noise is additive).
/// Order         strong 3, weak 3, deterministic 3, for a(q) with three bounded derivatives.
/// Stationary    in a harmonic well of frequency omega <v^2> and <q^2> are right for every gamma h
///               but for the damping of the Runge-Kutta method: the temperature is
///               gamma / (gamma + omega^4 h^3 / 72) of the right one at low friction. As published
///               <v^2> is too large at high friction: 1.4 times at gamma h = 5, 6.4 at 25, about
///               0.27 gamma h above; and <q^2> too small, 0.86 times.
/// Cost          three accelerations; W, H, K and (not as published) a normal; no allocation.
/// Source        Foster, Lyons & Oberhauser (2021), definition 1.2.
template <class Form>
struct SortStep {
  static constexpr Facts facts =
      detail::high_order_langevin(Form::name, Form::source, 3, 3, Form::published ? 0 : 1);

  template <State X>
  using Workspace = HalfScratch<X, 6>;

  /// @copydoc EulerMaruyama::step
  template <State X, KineticProcess<X> P>
  void step(const P& p, const X& x, Time, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    const detail::LangevinMotion k(p, h);
    const Index half = x.rows() / 2;
    const auto of_w = dw.w.bottomRows(half), of_h = dw.h.bottomRows(half),
               of_k = dw.k.bottomRows(half);
    auto& [q, a0, a1, z, v, d] = w.array;

    v = x.bottomRows(half) + S(k.rho) * of_h + S(6 * k.rho) * of_k;
    d = S(k.rho) * of_w - S(12 * k.rho) * of_k;
    q = x.topRows(half);
    evaluate_acceleration(p, q, a0);
    z = q + S(k.a(0.5)) * v + S(k.b(0.5)) * (d + S(h) * a0);
    evaluate_acceleration(p, z, a1);
    if constexpr (Form::published) {
      z = q + S(k.a(1)) * v + S(k.b(1)) * (d + S(h / 3) * a0 + S(2 * h / 3) * a1);
      y.topRows(half) = z;
      v = S(k.decay(1)) * v + S(h * k.decay(1) / 6) * a0 + S(h * k.decay(0.5) * 2 / 3) * a1;
      evaluate_acceleration(p, z, a1);
      y.bottomRows(half) =
          v + S(h / 6) * a1 + S(k.a(1) / h) * d - S(k.rho) * of_h + S(6 * k.rho) * of_k;
    } else {
      const detail::LangevinNoise noise(k, 3);
      const auto xi = dw.normals.bottomRows(half);
      const auto v0 = x.bottomRows(half);
      const double m0 = detail::langevin_phi1(k.alpha), m1 = detail::langevin_moment1(k.alpha),
                   m2 = detail::langevin_moment2(k.alpha);
      z = q + S(k.a(1)) * v0 + S(k.b(1)) * (S(h / 3) * a0 + S(2 * h / 3) * a1) +
          S(noise.q_w) * of_w + S(noise.q_h) * of_h + S(noise.q_k) * of_k + S(noise.q_rest) * xi;
      y.topRows(half) = z;
      v = S(k.decay(1)) * v0 + S(h * (2 * m2 - m1)) * a0 + S(4 * h * (m1 - m2)) * a1;
      evaluate_acceleration(p, z, a1);
      y.bottomRows(half) = v + S(h * (2 * m2 - 3 * m1 + m0)) * a1 + S(noise.v_w) * of_w +
                           S(noise.v_h) * of_h + S(noise.v_k) * of_k + S(noise.v_rest) * xi;
    }
  }
};

using Sort = SortStep<third_order::Sort>;
using SortPublished = SortStep<third_order::SortPublished>;

/// One QUICSORT step on a KineticProcess (quadrature-inspired contractive shifted ODE, Runge-Kutta
/// of order three): with l, r = 1/2 -+ sqrt(3)/6, v* = v + rho (H + 6K) and D = rho (W - 12K),
///
///     z1 = q + A(l) v* + B(l) D
///     z2 = q + A(r) v* + B(r) D + h A(1/3) a(z1)
///     q' = q + a v + h (A(r) a(z1) + A(l) a(z2)) / 2 + N_q
///     v' = e^{-alpha} v + h (e^{-r alpha} a(z1) + e^{-l alpha} a(z2)) / 2 + N_v
///
/// As published N_q and N_v are those of the polynomial path; see SortStep.
///
/// Converges to  the Ito and the Stratonovich solution (the noise is additive).
/// Order         strong 3, weak 3, deterministic 3, for a(q) with three bounded derivatives.
/// Stationary    in a harmonic well as SortStep; as published <v^2> is too large at high friction,
///               by the same factors, and <q^2> right.
/// Cost          two accelerations; W, H, K and (not as published) a normal; no allocation.
/// Source        Scott, O'Kane, Jelincic & Foster (2025), arXiv:2508.16485.
template <class Form>
struct QuicsortStep {
  static constexpr Facts facts =
      detail::high_order_langevin(Form::name, Form::source, 3, 2, Form::published ? 0 : 1);

  template <State X>
  using Workspace = HalfScratch<X, 6>;

  /// @copydoc EulerMaruyama::step
  template <State X, KineticProcess<X> P>
  void step(const P& p, const X& x, Time, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    constexpr double l = 0.21132486540518711775, r = 0.78867513459481288225;
    const detail::LangevinMotion k(p, h);
    const Index half = x.rows() / 2;
    const auto q = x.topRows(half);
    const auto of_w = dw.w.bottomRows(half), of_h = dw.h.bottomRows(half),
               of_k = dw.k.bottomRows(half);
    auto& [z, a1, a2, v, d, unused] = w.array;

    v = x.bottomRows(half) + S(k.rho) * of_h + S(6 * k.rho) * of_k;
    d = S(k.rho) * of_w - S(12 * k.rho) * of_k;
    z = q + S(k.a(l)) * v + S(k.b(l)) * d;
    evaluate_acceleration(p, z, a1);
    z = q + S(k.a(r)) * v + S(k.b(r)) * d + S(h * k.a(1.0 / 3)) * a1;
    evaluate_acceleration(p, z, a2);
    if constexpr (Form::published) {
      y.topRows(half) =
          q + S(k.a(1)) * v + S(k.b(1)) * d + S(0.5 * h * k.a(r)) * a1 + S(0.5 * h * k.a(l)) * a2;
      y.bottomRows(half) = S(k.decay(1)) * v + S(0.5 * h * k.decay(r)) * a1 +
                           S(0.5 * h * k.decay(l)) * a2 + S(k.a(1) / h) * d - S(k.rho) * of_h +
                           S(6 * k.rho) * of_k;
    } else {
      const detail::LangevinNoise noise(k, 3);
      const auto xi = dw.normals.bottomRows(half);
      const auto v0 = x.bottomRows(half);
      y.topRows(half) = q + S(k.a(1)) * v0 + S(0.5 * h * k.a(r)) * a1 + S(0.5 * h * k.a(l)) * a2 +
                        S(noise.q_w) * of_w + S(noise.q_h) * of_h + S(noise.q_k) * of_k +
                        S(noise.q_rest) * xi;
      y.bottomRows(half) = S(k.decay(1)) * v0 + S(0.5 * h * k.decay(r)) * a1 +
                           S(0.5 * h * k.decay(l)) * a2 + S(noise.v_w) * of_w +
                           S(noise.v_h) * of_h + S(noise.v_k) * of_k + S(noise.v_rest) * xi;
    }
  }
};

using Quicsort = QuicsortStep<third_order::Quicsort>;
using QuicsortPublished = QuicsortStep<third_order::QuicsortPublished>;

}  // namespace fokker
