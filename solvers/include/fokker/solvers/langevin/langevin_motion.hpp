#pragma once
/// @file  fokker/solvers/langevin/langevin_motion.hpp
/// @brief The free motion of underdamped Langevin dynamics over a step, given W, H and K.
///
/// Without a force, with alpha = gamma h and rho = sqrt(2 gamma u), over s h of time
///
///     q' = q + A(s) v + N_q,    v' = e^{-s alpha} v + N_v
///     A(s) = (1 - e^{-s alpha}) / gamma                     the way of a unit velocity
///     B(s) = (e^{-s alpha} + s alpha - 1) / (gamma^2 h)     that of a unit force, over h
///
/// The noise of the whole step is N_v = rho int_0^h e^{-gamma (h - r)} dW and
/// N_q = (rho W - N_v) / gamma. Its expectation given W, H and K is linear in them; the
/// residual R of N_v is independent of them, and the residual of N_q is -R / gamma.

#include <algorithm>
#include <cmath>

#include <fokker/solvers/core/state.hpp>

namespace fokker::detail {

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

/// 60 (e^{-x} (x^2 + 6x + 12) - x^2 + 6x - 12) / x^4.
inline double langevin_of_k(double x) {
  if (x < 0.5) return 60 * x * alternating_series<5>(x, [](int n) { return (n - 3) * (n - 4); });
  return 60 * (std::exp(-x) * (x * (x + 6) + 12) - x * (x - 6) - 12) / (x * x * x * x);
}

/// int_0^1 e^{-x s} s ds.
inline double langevin_moment1(double x) {
  if (x < 0.5) return alternating_series<2>(x, [](int n) { return n - 1; });
  return (1 - std::exp(-x) * (1 + x)) / (x * x);
}

/// int_0^1 e^{-x s} s^2 ds.
inline double langevin_moment2(double x) {
  if (x < 0.5) return alternating_series<3>(x, [](int n) { return -(n - 1) * (n - 2); });
  return (2 - std::exp(-x) * (x * (x + 2) + 2)) / (x * x * x);
}

/// int_0^1 ((1 - e^{-x s}) / x)^2 ds.
inline double langevin_way_squared(double x) {
  if (x < 0.5) return alternating_series<3>(x, [](int n) { return 2 - std::ldexp(1.0, n - 1); });
  return (1 - 2 * langevin_phi1(x) + langevin_phi1(2 * x)) / (x * x);
}

/// The modified spherical Bessel function i_j(x), by its series of positive terms; for x <= 2.
inline double spherical_bessel(int j, double x) {
  double term = 1, sum = 0;
  for (int i = 1; i <= j; ++i) term *= x / (2 * i + 1);
  for (int k = 0; k < 12; ++k) {
    sum += term;
    term *= x * x / ((2 * k + 2) * (2 * j + 2 * k + 3.0));
  }
  return sum;
}

/// Var R / (rho^2 h) with x = alpha, given W and H (`known` = 2) or W, H and K (3): e^{-x s} has
/// the coefficients sqrt(2j + 1) e^{-x/2} i_j(x/2) in Legendre's polynomials on [0, 1], up to
/// signs; the first `known` of them belong to W, H and K. Relative error below 1e-12.
inline double langevin_rest(double x, int known) {
  if (x < 4) {
    double sum = 0;
    for (int j = known + 11; j >= known; --j) {
      const double i = spherical_bessel(j, x / 2);
      sum += (2 * j + 1) * i * i;
    }
    return std::exp(-x) * sum;
  }
  const double of_w = langevin_phi1(x), of_h = x * langevin_of_h(x),
               of_k = known > 2 ? x * langevin_of_k(x) : 0;
  return langevin_phi1(2 * x) - of_w * of_w - of_h * of_h / 12 - of_k * of_k / 720;
}

/// The coefficients of one step. a, b and the decay are A(s), B(s) and e^{-s alpha}.
struct LangevinMotion {
  double alpha, h, rho;

  template <class P>
  LangevinMotion(const P& p, Time step)
      : alpha(p.friction() * step),
        h(step),
        rho(std::sqrt(2 * p.friction() * p.velocity_variance())) {}

  double decay(double s) const { return std::exp(-s * alpha); }
  double a(double s) const { return s * h * langevin_phi1(s * alpha); }
  double b(double s) const { return s * s * h * langevin_phi2(s * alpha); }

  /// -1 / gamma, what R does to the position; without friction there is no R.
  double position_of_rest() const { return alpha > 0 ? -h / alpha : 0; }
};

/// The noise of the free motion, N_v = v_w W + v_h H + v_k K + v_rest xi and N_q likewise, xi a
/// standard normal beside the path: exact in law together with W, H and K. Without xi it is its
/// expectation.
struct LangevinNoise {
  double v_w, q_w, v_h, q_h, v_k, q_k, v_rest, q_rest;

  /// @param known  2: given W and H (v_k = q_k = 0); 3: given K too
  LangevinNoise(const LangevinMotion& m, int known) {
    const double of_h = langevin_of_h(m.alpha), of_k = known > 2 ? langevin_of_k(m.alpha) : 0;
    v_w = m.rho * langevin_phi1(m.alpha);
    q_w = m.rho * m.b(1);
    v_h = -m.rho * m.alpha * of_h;
    q_h = m.rho * m.h * of_h;
    v_k = -m.rho * m.alpha * of_k;
    q_k = m.rho * m.h * of_k;
    v_rest = m.rho * std::sqrt(m.h * langevin_rest(m.alpha, known));
    q_rest = m.position_of_rest() * v_rest;
  }
};

/// The noise of the position in the middle of the step, z_w W + z_h H + z_rest xi_2, together with
/// the residual of N_v given W and H: v_mid xi_2 + v_rest xi_1.
struct LangevinMidNoise {
  double z_w, z_h, z_rest, v_mid, v_rest;

  explicit LangevinMidNoise(const LangevinMotion& m) {
    const double x = m.alpha, y = x / 2;
    const double of_w = langevin_phi2(y) / 4, of_h = langevin_of_h_at_half(x);
    z_w = m.rho * m.h * of_w;
    z_h = m.rho * m.h * of_h;
    // Over rho^2 h^3 and rho^2 h^2.
    const double variance = langevin_way_squared(y) / 8 - of_w * of_w - of_h * of_h / 12;
    const double way = langevin_phi1(y);
    const double covariance =
        std::exp(-y) * way * way / 8 - langevin_phi1(x) * of_w + x * langevin_of_h(x) * of_h / 12;
    const double mid = covariance / std::sqrt(variance);
    const double scale = m.rho * std::sqrt(m.h);
    z_rest = scale * m.h * std::sqrt(variance);
    v_mid = scale * mid;
    v_rest = scale * std::sqrt(std::max(0.0, langevin_rest(x, 2) - mid * mid));
  }
};

}  // namespace fokker::detail
