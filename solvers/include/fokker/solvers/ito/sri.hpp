#pragma once
/// @file  fokker/solvers/ito/sri.hpp
/// @brief Strong order 1.5 for Ito SDEs with scalar or diagonal noise: tableaus as data, one step.

#include <algorithm>
#include <cmath>

#include <fokker/solvers/ito/sra.hpp>

namespace fokker {

/// The tableau of a strong order 1.5 method of Roessler for scalar or diagonal noise (SRI); see
/// StochasticRungeKutta for what the coefficients multiply.
template <std::size_t stages>
struct SriTableau {
  std::array<std::array<double, stages>, stages> a0, a1, b0, b1;
  std::array<double, stages> alpha, beta1, beta2, beta3, beta4, c0, c1;
};

/// Its form for additive noise, with I_10 / h = W / 2 + H: the I_11 and I_111 terms vanish where g
/// is constant, are O(h^(5/2)) otherwise, and are left out.
template <std::size_t s>
constexpr AdditiveTableau<s, s> additive_form(const SriTableau<s>& sri) {
  return additive_form(
      SraTableau<s>{sri.a0, sri.b0, sri.alpha, sri.beta1, sri.beta3, sri.c0, sri.c1});
}

/// Coefficients of the error estimate.
template <std::size_t s>
constexpr StochasticWeights<s, s> embedded_error(const SriTableau<s>& sri) {
  return embedded_error(
      SraTableau<s>{sri.a0, sri.b0, sri.alpha, sri.beta1, sri.beta3, sri.c0, sri.c1});
}

namespace tableaus {

struct Sriw1 {
  static constexpr std::string_view name = "sriw1";
  static constexpr std::string_view source = "Roessler (2010), SIAM J. Numer. Anal. 48(3)";
  static constexpr double deterministic = 2;
  static constexpr SriTableau<4> tableau{
      .a0 = {{{0, 0, 0, 0}, {0.75, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}}},
      .a1 = {{{0, 0, 0, 0}, {0.25, 0, 0, 0}, {1, 0, 0, 0}, {0, 0, 0.25, 0}}},
      .b0 = {{{0, 0, 0, 0}, {1.5, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}}},
      .b1 = {{{0, 0, 0, 0}, {0.5, 0, 0, 0}, {-1, 0, 0, 0}, {-5, 3, 0.5, 0}}},
      .alpha = {1.0 / 3, 2.0 / 3, 0, 0},
      .beta1 = {-1, 4.0 / 3, 2.0 / 3, 0},
      .beta2 = {-1, 4.0 / 3, -1.0 / 3, 0},
      .beta3 = {2, -4.0 / 3, -2.0 / 3, 0},
      .beta4 = {-2, 5.0 / 3, -2.0 / 3, 1},
      .c0 = {0, 0.75, 0, 0},
      .c1 = {0, 0.25, 1, 0.25}};
};

struct Sriw2 {
  static constexpr std::string_view name = "sriw2";
  static constexpr std::string_view source = "Roessler (2010), SIAM J. Numer. Anal. 48(3)";
  static constexpr double deterministic = 3;
  static constexpr SriTableau<4> tableau{
      .a0 = {{{0, 0, 0, 0}, {1, 0, 0, 0}, {0.25, 0.25, 0, 0}, {0, 0, 0, 0}}},
      .a1 = {{{0, 0, 0, 0}, {0.25, 0, 0, 0}, {1, 0, 0, 0}, {0, 0, 0.25, 0}}},
      .b0 = {{{0, 0, 0, 0}, {0, 0, 0, 0}, {1, 0.5, 0, 0}, {0, 0, 0, 0}}},
      .b1 = {{{0, 0, 0, 0}, {-0.5, 0, 0, 0}, {1, 0, 0, 0}, {2, -1, 0.5, 0}}},
      .alpha = {1.0 / 6, 1.0 / 6, 2.0 / 3, 0},
      .beta1 = {-1, 4.0 / 3, 2.0 / 3, 0},
      .beta2 = {1, -4.0 / 3, 1.0 / 3, 0},
      .beta3 = {2, -4.0 / 3, -2.0 / 3, 0},
      .beta4 = {-2, 5.0 / 3, -2.0 / 3, 1},
      .c0 = {0, 1, 0.5, 0},
      .c1 = {0, 0.25, 1, 0.25}};
};

/// Optimised for stability. It evaluates f at t - 0.042 h and at t + 3.75 h, outside the step: use
/// Sosri2 for a drift that is undefined outside the interval or discontinuous in time.
struct Sosri {
  static constexpr std::string_view name = "sosri";
  static constexpr std::string_view source = "Rackauckas & Nie (2020), IEEE HPEC";
  static constexpr double deterministic = 2;
  static constexpr SriTableau<4> tableau{
      .a0 = {{{0, 0, 0, 0},
              {-0.04199224421316468, 0, 0, 0},
              {2.842612915017106, -2.0527723684000727, 0, 0},
              {4.338237071435815, -2.8895936137439793, 2.3017575594644466, 0}}},
      .a1 = {{{0, 0, 0, 0},
              {0.26204282091330466, 0, 0, 0},
              {0.20903646383505375, -0.1502377115150361, 0, 0},
              {0.05836595312746999, 0.6149440396332373, 0.08535117634046772, 0}}},
      .b0 = {{{0, 0, 0, 0},
              {-0.21641093549612528, 0, 0, 0},
              {1.5336352863679572, 0.26066223492647056, 0, 0},
              {-1.0536037558179159, 1.7015284721089472, -0.20725685784180017, 0}}},
      .b1 = {{{0, 0, 0, 0},
              {-0.5119011827621657, 0, 0, 0},
              {2.67767339866713, -4.9395031322250995, 0, 0},
              {0.15580956238299215, 3.2361551006624674, -1.4223118283355949, 0}}},
      .alpha = {1.140099274172029, -0.6401334255743456, 0.4736296532772559, 0.026404498125060714},
      .beta1 = {-1.8453464565104432, 2.688764531100726, -0.2523866501071323, 0.40896857551684956},
      .beta2 = {0.4969658141589478, -0.5771202869753592, -0.12919702470322217, 0.2093514975196336},
      .beta3 = {2.8453464565104425, -2.688764531100725, 0.2523866501071322, -0.40896857551684945},
      .beta4 = {0.11522663875443433, -0.57877086147738, 0.2857851028163886, 0.17775911990655704},
      .c0 = {0, -0.04199224421316468, 0.7898405466170333, 3.7504010171562823},
      .c1 = {0, 0.26204282091330466, 0.05879875232001765, 0.758661169101175}};
};

/// Optimised for stability, with all evaluations inside the step. The digits as published meet the
/// order conditions to 1.3e-13.
struct Sosri2 {
  static constexpr std::string_view name = "sosri2";
  static constexpr std::string_view source = "Rackauckas & Nie (2020), IEEE HPEC";
  static constexpr double deterministic = 2;
  static constexpr SriTableau<4> tableau{
      .a0 = {{{0, 0, 0, 0},
              {0.13804532298278663, 0, 0, 0},
              {0.5818361298250374, 0.4181638701749618, 0, 0},
              {0.4670018408674211, 0.8046204792187386, -0.27162232008616016, 0}}},
      .a1 = {{{0, 0, 0, 0},
              {0.45605532163856893, 0, 0, 0},
              {0.7555807846451692, 0.24441921535482677, 0, 0},
              {0.6981181143266059, 0.3453277086024727, -0.04344582292908241, 0}}},
      .b0 = {{{0, 0, 0, 0},
              {0.08852381537667678, 0, 0, 0},
              {1.0317752458971061, 0.4563552922077882, 0, 0},
              {1.73078280444124, -0.46089678470929774, -0.9637509618944188, 0}}},
      .b1 = {{{0, 0, 0, 0},
              {0.6753186815412179, 0, 0, 0},
              {-0.07452812525785148, -0.49783736486149366, 0, 0},
              {-0.5591906709928903, 0.022696571806569924, -0.8984927888368557, 0}}},
      .alpha = {-0.15036858140642623, 0.7545275856696072, 0.686995463807979, -0.2911544680711602},
      .beta1 = {-0.45315689727309133, 0.8330937231303951, 0.3792843195533544, 0.24077885458934192},
      .beta2 = {-0.4994383733810986, 0.9181786186154077, -0.25613778661003145,
                -0.16260245862427797},
      .beta3 = {1.4531568972730915, -0.8330937231303933, -0.3792843195533583, -0.24077885458934023},
      .beta4 = {-0.4976090683622265, 0.9148155835648892, -1.4102107084476505, 0.9930041932449877},
      .c0 = {0, 0.13804532298278663, 0.9999999999999992, 0.9999999999999994},
      .c1 = {0, 0.45605532163856893, 0.999999999999996, 0.9999999999999962}};
};

}  // namespace tableaus

/// One step of the method `Method` of Roessler's SRI family, on a d x n block:
///
///     H0_i = x + h sum_j a0_ij f(H0_j) + I_10 / h sum_j b0_ij g(H1_j)           (f at t + c0_i h)
///     H1_i = x + h sum_j a1_ij f(H0_j) + sqrt(h) sum_j b1_ij g(H1_j)            (g at t + c1_i h)
///     y = x + h sum_i alpha_i f(H0_i) + sum_i (beta1_i W + beta2_i I_11 / sqrt(h)
///           + beta3_i I_10 / h + beta4_i I_111 / h) g(H1_i)
///
/// with I_10 / h = W / 2 + H, I_11 = (W^2 - h) / 2 and I_111 = (W^3 - 3 h W) / 6. Additive noise
/// takes the short form of AdditiveRungeKutta.
///
/// Converges to  the Ito solution.
/// Order         strong 1.5, from the 25 conditions of Roessler (2010), and so weak 1.5 (2 for
///               additive noise); deterministic the method's; f and g smooth. Diagonal noise needs
///               g_i to depend on x_i alone, which is checked once per run (contract.hpp).
/// Cost          one f and one g per stage in use, two f and four g for SRIW1; no allocation.
/// Source        the method's.
template <class Method>
struct StochasticRungeKutta {
  static constexpr auto tableau = Method::tableau;

 private:
  static constexpr std::size_t s_ = tableau.alpha.size();

  struct AdditiveForm {
    static constexpr std::string_view name = Method::name, source = Method::source;
    static constexpr OrdersByNoise order{};
    static constexpr auto tableau = additive_form(Method::tableau);
    /// Coefficients of the error estimate.
    static constexpr auto error = embedded_error(Method::tableau);
  };
  using Additive = AdditiveRungeKutta<AdditiveForm>;

  /// The first stage with the same H0 and c0 as stage i.
  static constexpr std::size_t same_drift(std::size_t i) {
    for (std::size_t j = 0; j < i; ++j)
      if (tableau.a0[j] == tableau.a0[i] && tableau.b0[j] == tableau.b0[i] &&
          tableau.c0[j] == tableau.c0[i])
        return j;
    return i;
  }

  /// Which f(H0_i) and g(H1_i) are evaluated: those that y needs, directly or not, once each.
  struct Used {
    std::array<bool, s_> drift, diffusion;
  };
  static constexpr Used used_ = [] {
    Used used{};
    for (std::size_t i = 0; i < s_; ++i) {
      used.drift[same_drift(i)] |= tableau.alpha[i] != 0;
      used.diffusion[i] = tableau.beta1[i] != 0 || tableau.beta2[i] != 0 || tableau.beta3[i] != 0 ||
                          tableau.beta4[i] != 0;
    }
    for (std::size_t k = s_; k-- > 0;)
      for (std::size_t i = 0; i < k; ++i) {
        used.drift[same_drift(i)] |= (used.drift[k] && tableau.a0[k][i] != 0) ||
                                     (used.diffusion[k] && tableau.a1[k][i] != 0);
        used.diffusion[i] |= (used.drift[k] && tableau.b0[k][i] != 0) ||
                             (used.diffusion[k] && tableau.b1[k][i] != 0);
      }
    return used;
  }();
  static constexpr int count(const std::array<bool, s_>& used) {
    return static_cast<int>(std::count(used.begin(), used.end(), true));
  }

 public:
  static constexpr Facts facts{
      .name = Method::name,
      .source = Method::source,
      .noise = {NoiseKind::additive, NoiseKind::scalar, NoiseKind::diagonal},
      .order = {.strong = 1.5,
                .weak = {1.5, {.additive = 2}},
                .deterministic = Method::deterministic},
      .cost = {.drift = {count(used_.drift),
                         {.additive = Additive::facts.cost.drift(NoiseKind::additive)}},
               .diffusion = {count(used_.diffusion),
                             {.additive = Additive::facts.cost.diffusion(NoiseKind::additive)}}},
      .needs = {.h = true}};

  template <State X>
  using Workspace = Scratch<X, 2 * static_cast<int>(tableau.alpha.size()) + 5>;

  /// @copydoc EulerMaruyama::step
  template <State X, ProcessFor<StochasticRungeKutta, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    if constexpr (noise_kind<P> == NoiseKind::additive) {
      Additive{}.step(p, x, t, h, dw, y, w);
    } else {
      integrals<noise_kind<P>>(h, dw, w);
      stage(p, x, t, h, w);
      y = detail::plus_sum<s_>(x, h, alpha_, drifts(w)) + noise(beta1_, w[i1_], w) +
          noise(beta2_, w[i11_], w) + noise(beta3_, w[i10_], w) + noise(beta4_, w[i111_], w);
    }
  }

  /// The same step; `error` is y minus the method of strong order 1 inside it, which has the
  /// weights (1, 0, ...), beta1, beta2, 0, 0.
  template <State X, ProcessFor<StochasticRungeKutta, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y, X& error,
            Workspace<X>& w) const {
    if constexpr (noise_kind<P> == NoiseKind::additive) {
      Additive{}.step(p, x, t, h, dw, y, error, w);
    } else {
      step(p, x, t, h, dw, y, w);
      constexpr auto drift_difference = [](std::size_t i) {
        return tableau.alpha[i] - (i == 0 ? 1.0 : 0.0);
      };
      error = detail::weighted_sum<s_>(h, drift_difference, drifts(w)) + noise(beta3_, w[i10_], w) +
              noise(beta4_, w[i111_], w);
    }
  }

 private:
  static constexpr auto alpha_ = [](std::size_t i) { return tableau.alpha[i]; };
  static constexpr auto beta1_ = [](std::size_t i) { return tableau.beta1[i]; };
  static constexpr auto beta2_ = [](std::size_t i) { return tableau.beta2[i]; };
  static constexpr auto beta3_ = [](std::size_t i) { return tableau.beta3[i]; };
  static constexpr auto beta4_ = [](std::size_t i) { return tableau.beta4[i]; };

  // f(H0_i) in w[i], g(H1_i) in w[s + i], an argument in w[2 s], then the integrals.
  static constexpr std::size_t i10_ = 2 * s_ + 1, i11_ = 2 * s_ + 2, i111_ = 2 * s_ + 3,
                               i1_ = 2 * s_ + 4;
  static auto drifts(auto& w) {
    return [&w](std::size_t i) -> const auto& { return w[same_drift(i)]; };
  }
  static auto diffusions(auto& w) {
    return [&w](std::size_t i) -> const auto& { return w[s_ + i]; };
  }

  /// W, I_10 / h, I_11 / sqrt(h) and I_111 / h, d x n: all rows equal for scalar noise.
  template <NoiseKind kind>
  static void integrals(Time h, const auto& dw, auto& w) {
    using S = typename std::remove_cvref_t<decltype(dw.w)>::Scalar;
    const S dt = static_cast<S>(h), over_root = static_cast<S>(0.5 / std::sqrt(h)),
            over_h = static_cast<S>(1 / (6 * h));
    for (Index r = 0; r < w[0].rows(); ++r) {
      const Index k = kind == NoiseKind::scalar ? 0 : r;
      w[i1_].row(r) = dw.w.row(k);
      w[i10_].row(r) = S(0.5) * dw.w.row(k) + dw.h.row(k);
    }
    w[i11_] = over_root * (w[i1_].square() - dt);
    w[i111_] = over_h * w[i1_] * (w[i1_].square() - 3 * dt);
  }

  /// integral (row(0) g(H1_0) + ... + row(count - 1) g(H1_count-1)).
  template <std::size_t count = s_, class Row, class X>
  static auto noise(Row row, const X& integral, auto& w) {
    return detail::weighted_sum<count>(1, row, diffusions(w)) * integral;
  }

  /// f(H0_i) and g(H1_i) for i, i + 1, ...
  template <std::size_t i = 0, class X, class P>
  static void stage(const P& p, const X& x, Time t, Time h, auto& w) {
    if constexpr (i < s_) {
      X& u = w[2 * s_];
      if constexpr (used_.drift[i]) {
        constexpr auto a = [](std::size_t j) { return tableau.a0[i][j]; };
        constexpr auto b = [](std::size_t j) { return tableau.b0[i][j]; };
        const Time at = t + tableau.c0[i] * h;
        const X& z = [&]() -> const X& {
          if constexpr (detail::has_terms<i>(b))
            return u = detail::plus_sum<i>(x, h, a, drifts(w)) + noise<i>(b, w[i10_], w);
          else if constexpr (detail::has_terms<i>(a))
            return u = detail::plus_sum<i>(x, h, a, drifts(w));
          else
            return x;
        }();
        evaluate_drift(p, z, at, w[i]);
      }
      if constexpr (used_.diffusion[i]) {
        constexpr auto a = [](std::size_t j) { return tableau.a1[i][j]; };
        constexpr auto b = [](std::size_t j) { return tableau.b1[i][j]; };
        const Time at = t + tableau.c1[i] * h;
        const X& z = [&]() -> const X& {
          if constexpr (detail::has_terms<i>(a) || detail::has_terms<i>(b))
            return u = detail::plus_sum<i>(detail::plus_sum<i>(x, h, a, drifts(w)), std::sqrt(h), b,
                                           diffusions(w));
          else
            return x;
        }();
        detail::assign(w[s_ + i], diffusion(p, z, at, w[s_ + i]));
      }
      stage<i + 1>(p, x, t, h, w);
    }
  }
};

using Sriw1 = StochasticRungeKutta<tableaus::Sriw1>;
using Sriw2 = StochasticRungeKutta<tableaus::Sriw2>;
using Sosri = StochasticRungeKutta<tableaus::Sosri>;
using Sosri2 = StochasticRungeKutta<tableaus::Sosri2>;

}  // namespace fokker
