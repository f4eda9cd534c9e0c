#pragma once
/// @file  fokker/solvers/weak/weak_runge_kutta.hpp
/// @brief Stochastic Runge-Kutta methods of weak order 2 for Ito SDEs with any noise.

#include <array>
#include <cmath>
#include <vector>

#include <fokker/solvers/core/column_scratch.hpp>
#include <fokker/solvers/core/solver.hpp>

namespace fokker {

/// Discrete random variables with the moments that weak order 2 needs, one of each per Wiener
/// process, both functions of the normal z = dw / sqrt(h):
///
///     three = I^ = sqrt(3h) sign(z) if |z| > a, else 0      +-sqrt(3h) with probability 1/6 each
///     two   = I~ = +-sqrt(h) with probability 1/2, the sign that of z if |z| <= a, else that of
///             |z| - b
///
/// a is the 5/6 quantile of the normal law and b its 11/12 quantile, the median of |z| above a:
/// given I^, both signs of I~ are equally likely. A step therefore needs dw only.
template <class S, int columns, int layout>
struct DiscreteIncrements {
  static constexpr double a = 0.9674215661017010;
  static constexpr double b = 1.382994127100638;

  /// Increments of all sources.
  using Rows = Eigen::Array<S, Eigen::Dynamic, columns, layout>;
  Rows three, two;

  /// Derives the discrete increments of a step from W.
  template <class W>
  void assign(const W& w, Time h) {
    const auto to_scalar = [](Time value) { return static_cast<S>(value); };
    const S outer = to_scalar(std::sqrt(3 * h)), root_h = to_scalar(std::sqrt(h));
    const S above = to_scalar(a * std::sqrt(h)), median = to_scalar(b * std::sqrt(h));
    three = (w.abs() > above).select(outer * w.sign(), S(0));
    two = root_h * (w.abs() > above).select(w.abs() - median, w).sign();
  }
};

/// Scratch of a weak method: `count` arrays, one per Wiener process, and the discrete increments.
/// Arrays whose size depends on the number of Wiener processes are allocated at the first step.
template <State X, int count>
struct WeakScratch : ColumnScratch<X, count> {
  using ColumnScratch<X, count>::ColumnScratch;

  DiscreteIncrements<typename X::Scalar, X::ColsAtCompileTime,
                     X::ColsAtCompileTime == 1 ? Eigen::ColMajor : Eigen::RowMajor>
      noise;
};

namespace detail {

/// g v as an expression: componentwise for diagonal noise, else each row of g times row k of v.
template <NoiseKind kind, class G, class V>
auto scaled(const G& g, const V& v, [[maybe_unused]] Index k) {
  if constexpr (kind == NoiseKind::diagonal)
    return g * v;
  else
    return g.rowwise() * v.row(k);
}

/// out = g_k(x, t); scalar and diagonal noise have k = 0 alone.
template <State X, class P>
void evaluate_column(const P& p, const X& x, Time t, [[maybe_unused]] Index k, X& out) {
  if constexpr (by_columns(noise_kind<P>))
    assign(out, diffusion(p, x, t, k, out));
  else
    assign(out, diffusion(p, x, t, out));
}

template <class P>
Index column_count([[maybe_unused]] const P& p) {
  if constexpr (by_columns(noise_kind<P>))
    return p.sources();
  else
    return 1;
}

}  // namespace detail

/// The drift of a method of weak order 2: with G = sum_k g_k(x, t) I^_k,
///
///     u_2 = x + a21 h f(x) + b2 G,    u_3 = x + a31 h f(x) + a32 h f(u_2) + b3 G
///     y = x + h (alpha_1 f(x) + alpha_2 f(u_2) + alpha_3 f(u_3)) + the noise
struct WeakDriftTableau {
  double a21, a31, a32;
  double b2, b3;
  std::array<double, 3> alpha;

  /// Number of stages.
  constexpr int stages() const { return alpha[2] == 0 ? 2 : 3; }

  /// Adds x and the drift to y, which has the noise.
  /// @param f1      f(x, t)
  /// @param sum     G
  /// @param f2, u   scratch; sum is scratch too
  template <State X, class P>
  void add(const P& p, const X& x, Time t, Time h, const X& f1, X& sum, X& f2, X& u, X& y) const {
    using S = typename X::Scalar;
    const auto to_scalar = [](Time value) { return static_cast<S>(value); };
    u = x + to_scalar(h * a21) * f1 + to_scalar(b2) * sum;
    evaluate_drift(p, u, t + a21 * h, f2);
    y += x + to_scalar(h * alpha[0]) * f1 + to_scalar(h * alpha[1]) * f2;
    if (stages() == 2) return;
    u = x + to_scalar(h * a31) * f1 + to_scalar(h * a32) * f2 + to_scalar(b3) * sum;
    y += to_scalar(h * alpha[2]) * drift(p, u, t + (a31 + a32) * h, sum);
  }
};

/// A method of Roessler's class with three stages: see WeakRungeKutta.
struct WeakTableau {
  WeakDriftTableau drift;
  double a1;                 ///< A1_21 = A1_31
  double b1;                 ///< B1_21 = -B1_31
  std::array<double, 3> b2;  ///< B2_2j = -B2_3j
  std::array<double, 3> beta1;
  std::array<double, 3> beta2;
  std::array<double, 3> beta3;  ///< sum 0
  std::array<double, 3> beta4;  ///< sum 0, beta4_1 = 0
};

/// The methods of Roessler's class. A new one is a struct here: name, source, deterministic order,
/// tableau. The tests measure the order of each without random numbers.
namespace tableaus {

struct Ri1 {
  static constexpr std::string_view name = "ri1";
  static constexpr std::string_view source = "Roessler (2009), RI1";
  static constexpr int deterministic = 3;
  static constexpr WeakTableau tableau{{2.0 / 3, -1.0 / 3, 1, 1, 0, {0.25, 0.5, 0.25}},
                                       1,
                                       1,
                                       {1, 0, 0},
                                       {0.5, 0.25, 0.25},
                                       {0, 0.5, -0.5},
                                       {-0.5, 0.25, 0.25},
                                       {0, 0.5, -0.5}};
};

/// sum beta1 = -1: the noise is that of -I^, which has the same law.
struct Ri5 {
  static constexpr std::string_view name = "ri5";
  static constexpr std::string_view source = "Roessler (2009), RI5";
  static constexpr int deterministic = 3;
  static constexpr WeakTableau tableau{
      {1, 25.0 / 144, 35.0 / 144, 1.0 / 3, -5.0 / 6, {0.1, 3.0 / 14, 24.0 / 35}},
      0.25,
      0.5,
      {1, 0, 0},
      {1, -1, -1},
      {0, 1, -1},
      {0.5, -0.25, -0.25},
      {0, 0.5, -0.5}};
};

struct Ri6 {
  static constexpr std::string_view name = "ri6";
  static constexpr std::string_view source = "Roessler (2009), RI6";
  static constexpr int deterministic = 2;
  static constexpr WeakTableau tableau{{1, 0, 0, 1, 0, {0.5, 0.5, 0}},
                                       1,
                                       1,
                                       {1, 0, 0},
                                       {0.5, 0.25, 0.25},
                                       {0, 0.5, -0.5},
                                       {-0.5, 0.25, 0.25},
                                       {0, 0.5, -0.5}};
};

/// B0 and alpha are those of Kutta's method and of two roots of a quadratic: b2 = (6 - sqrt 6) /
/// 10, b3 = (3 + 2 sqrt 6) / 5.
inline constexpr WeakDriftTableau dri1_drift{
    0.5, -1, 2, 0.35505102572168219, 1.5797958971132712, {1.0 / 6, 2.0 / 3, 1.0 / 6}};

struct Dri1 {
  static constexpr std::string_view name = "dri1";
  static constexpr std::string_view source = "Debrabant & Roessler (2009), DRI1";
  static constexpr int deterministic = 3;
  static constexpr double b1 = 0.8345883285834634;      ///< 3 sqrt(38 / 491)
  static constexpr double b2_1 = -0.4404947330910052;   ///< -214/513 sqrt(1105 / 991)
  static constexpr double b2_2 = -0.2021335644370874;   ///< -491/513 sqrt(221 / 4955)
  static constexpr double beta2 = 0.5990977621849132;   ///< sqrt(491 / 38) / 6
  static constexpr double beta4 = -0.5918827808310898;  ///< -sqrt(4955 / 221) / 8
  static constexpr WeakTableau tableau{dri1_drift,
                                       342.0 / 491,
                                       b1,
                                       {b2_1, b2_2, b2_2},
                                       {193.0 / 684, 491.0 / 1368, 491.0 / 1368},
                                       {0, beta2, -beta2},
                                       {-4955.0 / 7072, 4955.0 / 14144, 4955.0 / 14144},
                                       {0, beta4, -beta4}};
};

}  // namespace tableaus

/// One step of a stochastic Runge-Kutta method of Roessler's class on a d x n block, with the
/// discrete I^_k and I~_k of DiscreteIncrements:
///
///     I^_kk = (I^_k^2 - h) / 2,    I^_kl = (I^_k I^_l - I~_k I~_l) / 2   for k < l,
///                                          (I^_k I^_l + I~_k I~_l) / 2   for k > l
///     v^k_1 = z^k_1 = x
///     v^k_i = x + A1_i1 f(x) h + B1_i1 g_k(x) sqrt(h)                            i = 2, 3
///     z^k_i = x + sum_{l != k} sum_j B2_ij g_l(v^l_j) I^_kl / sqrt(h)            i = 2, 3
///     y = x + the drift (WeakDriftTableau)
///           + sum_k sum_i [beta1_i I^_k + beta2_i I^_kk / sqrt(h)] g_k(v^k_i)
///           + sum_k sum_i [beta3_i I^_k + beta4_i sqrt(h)] g_k(z^k_i)
///
/// g_k(v^k_i) is evaluated at t + A1_i1 h and g_k(z^k_i) at t. The sums over l are running sums
/// over the columns, in O(m) for m sources. The papers have sqrt(h) I~_min(k,l) in place of I~_k
/// I~_l. For two sources the law is the same; for more E I^_01 I^_02 would be h^2/4 instead of 0,
/// and noise that does not commute would have weak order 1. For diagonal noise g_k depends on
/// component k alone: the v^k are one array, z^k = x, and the terms of beta3 and beta4, which sum
/// to 0, vanish, as for scalar and additive noise.
///
/// Converges to  the Ito solution, in law.
/// Order         weak 2, if the coefficients have enough bounded derivatives; no strong order.
/// Cost          an f for each alpha that is not 0; three g, five g_k for noise by columns, two g
///               for additive noise; no allocation after the first step of a workspace.
/// Source        the method's; for the class Roessler (2009), SIAM J. Numer. Anal. 47(3).
template <class Method>
struct WeakRungeKutta {
  static constexpr Facts facts{
      .name = Method::name,
      .source = Method::source,
      .order = {.weak = 2, .deterministic = Method::deterministic},
      .cost = {.drift = Method::tableau.drift.stages(),
               .diffusion = {3, {.additive = 2, .commutative = 5, .general = 5}}}};

  static constexpr WeakTableau tableau = Method::tableau;

  template <State X>
  using Workspace = WeakScratch<X, 8>;

  /// @copydoc EulerMaruyama::step
  template <State X, ProcessFor<WeakRungeKutta, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    auto& [f, sum, u, a, b, c, d, e] = w.array;
    w.noise.assign(dw.w, h);
    evaluate_drift(p, x, t, f);
    if constexpr (noise_kind<P> == NoiseKind::additive) {
      const auto& three = w.noise.three;
      sum = noise_term(p, x, t, three, a, b);
      y = S(tableau.beta1[0]) * sum + S(tableau.beta1[1] + tableau.beta1[2]) *
                                          noise_term(p, x, t + tableau.a1 * h, three, a, b);
    } else {
      own_noise(p, x, t, h, y, w);
      if constexpr (by_columns(noise_kind<P>)) mixed_noise(p, x, t, h, y, w);
    }
    tableau.drift.add(p, x, t, h, f, sum, a, u, y);
  }

 private:
  /// y = the terms of beta1 and beta2, sum = sum_k g_k(x, t) I^_k and, for noise by columns,
  /// columns[k] = sum_j B2_2j g_k(v^k_j) and the term of beta3_1.
  template <State X, class P>
  static void own_noise(const P& p, const X& x, Time t, Time h, X& y, Workspace<X>& w) {
    using S = typename X::Scalar;
    constexpr NoiseKind kind = noise_kind<P>;
    constexpr WeakTableau tab = tableau;
    constexpr S beta1_2 = S(tab.beta1[1]), beta1_3 = S(tab.beta1[2]);
    constexpr S beta2_2 = S(tab.beta2[1]), beta2_3 = S(tab.beta2[2]);
    const S root_h = static_cast<S>(std::sqrt(h)), dt = static_cast<S>(h);
    auto& [f, sum, u, g1, g2, g3, unused, unused2] = w.array;
    const auto& three = w.noise.three;
    const auto own = S(0.5) / root_h * (three.square() - dt);  // I^_kk / sqrt(h)
    const Index m = detail::column_count(p);
    std::vector<X>& columns = w.columns(by_columns(kind) ? m : 0);
    y.setZero();
    sum.setZero();
    for (Index k = 0; k < m; ++k) {
      detail::evaluate_column(p, x, t, k, g1);
      u = x + S(tab.a1) * dt * f + S(tab.b1) * root_h * g1;
      detail::evaluate_column(p, u, t + tab.a1 * h, k, g2);
      u = x + S(tab.a1) * dt * f - S(tab.b1) * root_h * g1;
      detail::evaluate_column(p, u, t + tab.a1 * h, k, g3);

      sum += detail::scaled<kind>(g1, three, k);
      u = S(tab.beta1[0]) * g1 + beta1_2 * g2 + beta1_3 * g3;
      if constexpr (by_columns(kind)) {
        u += S(tab.beta3[0]) * g1;
        columns[static_cast<std::size_t>(k)] =
            S(tab.b2[0]) * g1 + S(tab.b2[1]) * g2 + S(tab.b2[2]) * g3;
      }
      y += detail::scaled<kind>(u, three, k);
      u = S(tab.beta2[0]) * g1 + beta2_2 * g2 + beta2_3 * g3;
      y += detail::scaled<kind>(u, own, k);
    }
  }

  /// Adds the terms of beta3 and beta4 at z^k_2 = x + v and z^k_3 = x - v with
  /// v = sum_{l != k} columns[l] I^_kl / sqrt(h); uses up the columns.
  template <State X, class P>
  static void mixed_noise(const P& p, const X& x, Time t, Time h, X& y, Workspace<X>& w) {
    using S = typename X::Scalar;
    constexpr WeakTableau tab = tableau;
    const S root_h = static_cast<S>(std::sqrt(h));
    auto& [f, sum, u, g, all, after, before, own] = w.array;
    const auto& [three, two] = w.noise;
    std::vector<X>& columns = w.columns(p.sources());
    all.setZero();     // sum_l columns[l] I^_l
    after.setZero();   // sum_{l > k} columns[l] I~_l
    before.setZero();  // sum_{l < k} columns[l] I~_l
    for (Index k = 0; k < p.sources(); ++k) {
      const X& c = columns[static_cast<std::size_t>(k)];
      all += c.rowwise() * three.row(k);
      after += c.rowwise() * two.row(k);
    }
    for (Index k = 0; k < p.sources(); ++k) {
      X& c = columns[static_cast<std::size_t>(k)];
      g = c.rowwise() * two.row(k);
      after -= g;
      own = c.rowwise() * three.row(k);
      u = (all - own).rowwise() * three.row(k) + (before - after).rowwise() * two.row(k);
      before += g;
      c = S(0.5) / root_h * u;  // v

      u = x + c;
      detail::assign(g, diffusion(p, u, t, k, g));
      u = x - c;
      own = diffusion(p, u, t, k, own);
      u = S(tab.beta3[1]) * g + S(tab.beta3[2]) * own;
      y += u.rowwise() * three.row(k);
      y += root_h * (S(tab.beta4[1]) * g + S(tab.beta4[2]) * own);
    }
  }
};

using Ri1 = WeakRungeKutta<tableaus::Ri1>;
using Ri5 = WeakRungeKutta<tableaus::Ri5>;
using Ri6 = WeakRungeKutta<tableaus::Ri6>;
using Dri1 = WeakRungeKutta<tableaus::Dri1>;

/// One step of W2Ito1 on a d x n block, with I^_k as in WeakRungeKutta and two signs for all k,
/// xi = I~_1 and eta = I~_2 / sqrt(h):
///
///     chi_k = (I^_k^2 / xi - xi) / 2
///     v_k = x + 1/4 f h + 1/2 g_k xi + 1/2 sum_{l > k} g_l I^_l (1 - eta)
///                                    + 1/2 sum_{l < k} g_l I^_l (1 + eta)
///     z_k = x + 1/4 f h - 1/2 g_k xi
///     y = x + the drift of DRI1
///           + sum_k [g_k (2 chi_k - I^_k) + g_k(v_k) I^_k + g_k(z_k) (I^_k - 2 chi_k)]
///
/// f and g without argument are evaluated at (x, t), g_k(v_k) and g_k(z_k) at t + h/4. For diagonal
/// noise g_k does not depend on the sums over l, which are left out.
///
/// Converges to  the Ito solution, in law.
/// Order         weak 2, if the coefficients have enough bounded derivatives; deterministic 3; no
///               strong order.
/// Cost          three f and three g; no allocation after the first step of a workspace.
/// Source        Tang & Xiao (2017), Numer. Algorithms 75, W2Ito1.
struct W2Ito1 {
  static constexpr Facts facts{.name = "w2ito1",
                               .source = "Tang & Xiao (2017), W2Ito1",
                               .order = {.weak = 2, .deterministic = 3},
                               .cost = {.drift = 3, .diffusion = 3}};

  template <State X>
  struct Workspace : WeakScratch<X, 8> {
    using WeakScratch<X, 8>::WeakScratch;
    typename decltype(WeakScratch<X, 8>::noise)::Rows rest;  ///< I^ - 2 chi
  };

  /// @copydoc EulerMaruyama::step
  template <State X, ProcessFor<W2Ito1, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    constexpr NoiseKind kind = noise_kind<P>;
    auto& [f, sum, u, g, g_v, g_z, before, after] = w.array;
    const auto& [three, two] = w.noise;
    w.noise.assign(dw.w, h);
    const auto xi = two.row(0);
    w.rest = (three - three.square().rowwise() / xi).rowwise() + xi;
    evaluate_drift(p, x, t, f);
    if constexpr (kind == NoiseKind::additive) {
      sum = noise_term(p, x, t, three, u, g);
      y = noise_term(p, x, t + h / 4, three + w.rest, u, g);
      y -= noise_term(p, x, t, w.rest, u, g);
    } else {
      const Index m = detail::column_count(p);
      std::vector<X>& columns = w.columns(m);
      sum.setZero();
      for (Index k = 0; k < m; ++k) {
        X& c = columns[static_cast<std::size_t>(k)];
        detail::evaluate_column(p, x, t, k, c);
        sum += detail::scaled<kind>(c, three, k);
      }
      y.setZero();
      before.setZero();  // sum_{l < k} g_l I^_l
      after = sum;       // sum_{l > k} g_l I^_l
      for (Index k = 0; k < m; ++k) {
        const X& c = columns[static_cast<std::size_t>(k)];
        u = x + S(h / 4) * f + S(0.5) * (c.rowwise() * xi);
        if (by_columns(kind) && m > 1) {
          const auto eta = two.row(1) / static_cast<S>(std::sqrt(h));
          g = c.rowwise() * three.row(k);
          after -= g;
          u += S(0.5) * (after.rowwise() * (S(1) - eta) + before.rowwise() * (S(1) + eta));
          before += g;
        }
        detail::evaluate_column(p, u, t + h / 4, k, g_v);
        u = x + S(h / 4) * f - S(0.5) * (c.rowwise() * xi);
        detail::evaluate_column(p, u, t + h / 4, k, g_z);
        y += detail::scaled<kind>(g_v, three, k);
        u = g_z - c;
        y += detail::scaled<kind>(u, w.rest, k);
      }
    }
    tableaus::dri1_drift.add(p, x, t, h, f, sum, g, u, y);
  }
};

}  // namespace fokker
