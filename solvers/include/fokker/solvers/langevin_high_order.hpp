#pragma once
/// @file  fokker/solvers/langevin_high_order.hpp
/// @brief Strong order 2 and 3 for underdamped Langevin dynamics, from W, H and K.
///
/// With alpha = gamma h and rho = sqrt(2 gamma u), all share
///
///     A(s) = (1 - e^{-s alpha}) / gamma                     the way of a unit velocity in time s h
///     B(s) = (e^{-s alpha} + s alpha - 1) / (gamma^2 h)     that of a unit force, over h
///     C(s) = the factor of H in the way of the noise, 6 (e^{-alpha} (alpha + 2) + alpha - 2) /
///            (alpha^2 gamma) for s = 1
///
/// computed without cancellation for small alpha; a, b, c without an argument are those at s = 1.

#include <cmath>

#include <fokker/solvers/kinetic_process.hpp>

namespace fokker {

namespace detail {

/// sum_{n >= first} (-1)^n c(n) / n! x^{n - first} for |x| <= 1/2.
template <int first, class Coefficient>
double alternating_series(double x, Coefficient c) {
  constexpr int last = first + 12;
  double factorial = 1, sum = 0;
  for (int n = 2; n <= last; ++n) factorial *= n;
  for (int n = last; n >= first; --n) {
    sum = sum * x + (n % 2 == 0 ? 1 : -1) * static_cast<double>(c(n)) / factorial;
    factorial /= n;
  }
  return sum;
}

/// (1 - e^{-x}) / x.
inline double langevin_phi1(double x) { return x == 0 ? 1 : -std::expm1(-x) / x; }

/// (e^{-x} + x - 1) / x^2.
inline double langevin_phi2(double x) {
  if (x < 0.5) return alternating_series<2>(x, [](int) { return 1; });
  return (std::expm1(-x) + x) / (x * x);
}

/// 6 (e^{-x} (x + 2) + x - 2) / x^3.
inline double langevin_of_h(double x) {
  if (x < 0.5) return 6 * alternating_series<3>(x, [](int n) { return 2 - n; });
  return 6 * (std::exp(-x) * (x + 2) + x - 2) / (x * x * x);
}

/// 6 (e^{-x/2} (x + 2) + x^2 / 4 - 2) / x^3.
inline double langevin_of_h_at_half(double x) {
  if (x < 0.5) return 1.5 * alternating_series<3>(x / 2, [](int n) { return 1 - n; });
  return 6 * (std::exp(-x / 2) * (x + 2) + x * x / 4 - 2) / (x * x * x);
}

/// The coefficients of one step.
struct LangevinCoefficients {
  double alpha, h, rho;

  template <class P>
  LangevinCoefficients(const P& p, Time step)
      : alpha(p.friction() * step),
        h(step),
        rho(std::sqrt(2 * p.friction() * p.velocity_variance())) {}

  double decay(double s) const { return std::exp(-s * alpha); }
  double a(double s) const { return s * h * langevin_phi1(s * alpha); }
  double b(double s) const { return s * s * h * langevin_phi2(s * alpha); }
};

}  // namespace detail

/// What the methods of this file say of themselves.
template <int order, int accelerations, bool with_k>
struct HighOrderLangevin {
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr Needs needs{.h = true, .k = with_k};

  static constexpr bool supports(NoiseKind kind) { return kind == NoiseKind::additive; }
  static constexpr Orders orders(NoiseKind kind) {
    if (!supports(kind)) return {};
    return {.strong = order, .weak = order, .deterministic = order};
  }
  static constexpr Evaluations evaluations(NoiseKind) {
    return {.drift = accelerations, .diffusion = 1};
  }

  template <State X>
  using Workspace = HalfScratch<X, 6>;
};

/// One UBU step on a KineticProcess: free motion, kick in the middle, free motion,
///
///     z  = q + A(1/2) v + rho (B(1/2) W + C(1/2) H)
///     q' = q + a v + h A(1/2) a(z) + rho (b W + c H)
///     v' = e^{-alpha} v + h e^{-alpha/2} a(z) + rho (a W / h - gamma c H)
///
/// where the noise of the free motion is its expectation given W and H.
///
/// Converges to  the Ito and the Stratonovich solution (the noise is additive).
/// Order         strong 2, weak 2, deterministic 2, for a(q) with two bounded derivatives.
/// Cost          one acceleration; W and H; no allocation.
/// Source        Zapatero (2017); Sanz-Serna & Zygalakis (2021).
struct Ubu : HighOrderLangevin<2, 1, false> {
  static constexpr std::string_view name = "ubu";
  static constexpr std::string_view source = "Zapatero (2017); Sanz-Serna & Zygalakis (2021)";

  /// @copydoc EulerMaruyama::step
  template <State X, KineticProcess<X> P>
  void step(const P& p, const X& x, Time, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    const detail::LangevinCoefficients k(p, h);
    const double c = h * detail::langevin_of_h(k.alpha);
    const double c_half = h * detail::langevin_of_h_at_half(k.alpha);
    const Index half = x.rows() / 2;
    const auto q = x.topRows(half), v = x.bottomRows(half);
    const auto of_w = dw.w.bottomRows(half), of_h = dw.h.bottomRows(half);
    auto& z = w[0];
    auto& a = w[1];

    z = q + S(k.a(0.5)) * v + S(k.rho * k.b(0.5)) * of_w + S(k.rho * c_half) * of_h;
    evaluate_acceleration(p, z, a);
    y.topRows(half) =
        q + S(k.a(1)) * v + S(h * k.a(0.5)) * a + S(k.rho * k.b(1)) * of_w + S(k.rho * c) * of_h;
    y.bottomRows(half) = S(k.decay(1)) * v + S(h * k.decay(0.5)) * a +
                         S(k.rho * k.a(1) / h) * of_w - S(k.rho * p.friction() * c) * of_h;
  }
};

/// One ALIGN step on a KineticProcess (adaptive Langevin by interpolated gradients and noise):
///
///     q' = q + a v + b h a(q) + rho (b W + c H)
///     v' = e^{-alpha} v + (a - b) a(q) + b a(q') + rho (a W / h - gamma c H)
///
/// Converges to  the Ito and the Stratonovich solution (the noise is additive).
/// Order         strong 2, weak 2, deterministic 2, for a(q) with two bounded derivatives.
/// Cost          two accelerations; W and H; no allocation.
/// Source        Foster, Lyons & Oberhauser (2021), definition 4.2, with an exact free motion.
struct Align : HighOrderLangevin<2, 2, false> {
  static constexpr std::string_view name = "align";
  static constexpr std::string_view source =
      "Foster, Lyons & Oberhauser (2021), definition 4.2, arXiv:2101.03446";

  /// @copydoc EulerMaruyama::step
  template <State X, KineticProcess<X> P>
  void step(const P& p, const X& x, Time, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    const detail::LangevinCoefficients k(p, h);
    const double c = h * detail::langevin_of_h(k.alpha);
    const Index half = x.rows() / 2;
    const auto v = x.bottomRows(half);
    const auto of_w = dw.w.bottomRows(half), of_h = dw.h.bottomRows(half);
    auto& [q, a0, a1, q1, unused1, unused2] = w.array;

    q = x.topRows(half);
    evaluate_acceleration(p, q, a0);
    q1 = q + S(k.a(1)) * v + S(h * k.b(1)) * a0 + S(k.rho * k.b(1)) * of_w + S(k.rho * c) * of_h;
    evaluate_acceleration(p, q1, a1);
    y.topRows(half) = q1;
    y.bottomRows(half) = S(k.decay(1)) * v + S(k.a(1) - k.b(1)) * a0 + S(k.b(1)) * a1 +
                         S(k.rho * k.a(1) / h) * of_w - S(k.rho * p.friction() * c) * of_h;
  }
};

/// One SORT step on a KineticProcess (shifted ODE, Runge-Kutta of order three): with
/// v* = v + rho (H + 6K) and D = rho (W - 12K),
///
///     z  = q + A(1/2) v* + B(1/2) (D + h a(q))
///     q' = q + a v* + b (D + h (a(q) + 2 a(z)) / 3)
///     v' = e^{-alpha} v* + h (e^{-alpha} a(q) + 4 e^{-alpha/2} a(z) + a(q')) / 6 + a D / h
///          - rho (H - 6K)
///
/// Converges to  the Ito and the Stratonovich solution (the noise is additive).
/// Order         strong 3, weak 3, deterministic 3, for a(q) with three bounded derivatives.
/// Cost          three accelerations; W, H and K; no allocation.
/// Source        Foster, Lyons & Oberhauser (2021), definition 1.2.
struct Sort : HighOrderLangevin<3, 3, true> {
  static constexpr std::string_view name = "sort";
  static constexpr std::string_view source = "Foster, Lyons & Oberhauser (2021), arXiv:2101.03446";

  /// @copydoc EulerMaruyama::step
  template <State X, KineticProcess<X> P>
  void step(const P& p, const X& x, Time, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    const detail::LangevinCoefficients k(p, h);
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
    z = q + S(k.a(1)) * v + S(k.b(1)) * (d + S(h / 3) * a0 + S(2 * h / 3) * a1);
    y.topRows(half) = z;
    v = S(k.decay(1)) * v + S(h * k.decay(1) / 6) * a0 + S(h * k.decay(0.5) * 2 / 3) * a1;
    evaluate_acceleration(p, z, a1);
    y.bottomRows(half) =
        v + S(h / 6) * a1 + S(k.a(1) / h) * d - S(k.rho) * of_h + S(6 * k.rho) * of_k;
  }
};

/// One QUICSORT step on a KineticProcess (quadrature-inspired contractive shifted ODE, Runge-Kutta
/// of order three): with l, r = 1/2 -+ sqrt(3)/6, v* = v + rho (H + 6K) and D = rho (W - 12K),
///
///     z1 = q + A(l) v* + B(l) D
///     z2 = q + A(r) v* + B(r) D + h A(1/3) a(z1)
///     q' = q + a v* + b D + h (A(r) a(z1) + A(l) a(z2)) / 2
///     v' = e^{-alpha} v* + h (e^{-r alpha} a(z1) + e^{-l alpha} a(z2)) / 2 + a D / h - rho (H -
///     6K)
///
/// Converges to  the Ito and the Stratonovich solution (the noise is additive).
/// Order         strong 3, weak 3, deterministic 3, for a(q) with three bounded derivatives.
/// Cost          two accelerations; W, H and K; no allocation.
/// Source        Scott, O'Kane, Jelincic & Foster (2025), arXiv:2508.16485.
struct Quicsort : HighOrderLangevin<3, 2, true> {
  static constexpr std::string_view name = "quicsort";
  static constexpr std::string_view source =
      "Scott, O'Kane, Jelincic & Foster (2025), arXiv:2508.16485";

  /// @copydoc EulerMaruyama::step
  template <State X, KineticProcess<X> P>
  void step(const P& p, const X& x, Time, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    constexpr double l = 0.21132486540518711775, r = 0.78867513459481288225;
    const detail::LangevinCoefficients k(p, h);
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
    y.topRows(half) =
        q + S(k.a(1)) * v + S(k.b(1)) * d + S(0.5 * h * k.a(r)) * a1 + S(0.5 * h * k.a(l)) * a2;
    y.bottomRows(half) = S(k.decay(1)) * v + S(0.5 * h * k.decay(r)) * a1 +
                         S(0.5 * h * k.decay(l)) * a2 + S(k.a(1) / h) * d - S(k.rho) * of_h +
                         S(6 * k.rho) * of_k;
  }
};

}  // namespace fokker
