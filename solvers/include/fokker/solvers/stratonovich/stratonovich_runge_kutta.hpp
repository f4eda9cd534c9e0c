#pragma once
/// @file  fokker/solvers/stratonovich/stratonovich_runge_kutta.hpp
/// @brief Runge-Kutta methods driven by W and H for Stratonovich SDEs with any noise: tableaus as
///        data, one generic step.

#include <algorithm>

#include <fokker/solvers/ito/sra.hpp>

namespace fokker {

/// An explicit method for dX = f(X, t) dt + sum_k g_k(X, t) o dW_k. With f_j = f(z_j, t + c_j h)
/// and g_j v = sum_k g_k(z_j, t + c_j h) v_k,
///
///     z_i = x + h sum_j a_ij f_j + sum_j g_j (a_w_ij W + a_h_ij H)
///     y = x + h sum_j b_j f_j + sum_j g_j (w_j W + h_j H)
///
/// Stages that nothing uses are not evaluated.
template <std::size_t stages>
struct StratonovichTableau {
  /// Coefficients of the stages.
  using Matrix = std::array<std::array<double, stages>, stages>;
  Matrix a, a_w, a_h;
  std::array<double, stages> c;
  StochasticWeights<stages, stages> weights;
};

/// The tableau for additive noise.
template <std::size_t s>
constexpr AdditiveTableau<s, s> additive_form(const StratonovichTableau<s>& tableau) {
  return {tableau.a, tableau.a_w, tableau.a_h, tableau.c, tableau.c, tableau.weights};
}

namespace tableaus {

/// Trapezoidal in the noise alone: z = x + g W, y = x + f h + (g + g(z, t + h)) W / 2.
struct EulerHeun {
  static constexpr std::string_view name = "euler-heun";
  static constexpr std::string_view source = "Burrage, Burrage & Tian (2004), Proc. R. Soc. A 460";
  static constexpr OrdersByNoise order{
      .strong = {1, {.general = 0.5}}, .weak = 1, .deterministic = 1};
  static constexpr StratonovichTableau<2> tableau{.a = {},
                                                  .a_w = {{{0, 0}, {1, 0}}},
                                                  .a_h = {},
                                                  .c = {0, 1},
                                                  .weights = {{1, 0}, {0.5, 0.5}, {}}};
};

/// z = x + (f h + g W) / 2, y = x + f(z) h + g(z) W.
struct MidpointSde {
  static constexpr std::string_view name = "midpoint-sde";
  static constexpr std::string_view source = "Burrage & Burrage (1996), Appl. Numer. Math. 22";
  static constexpr OrdersByNoise order{
      .strong = {1, {.general = 0.5}}, .weak = 1, .deterministic = 2};
  static constexpr StratonovichTableau<2> tableau{.a = {{{0, 0}, {0.5, 0}}},
                                                  .a_w = {{{0, 0}, {0.5, 0}}},
                                                  .a_h = {},
                                                  .c = {0, 0.5},
                                                  .weights = {{0, 1}, {0, 1}, {}}};
};

/// ShARK (shifted Runge-Kutta) for any noise.
struct GeneralShark {
  static constexpr std::string_view name = "general-shark";
  static constexpr std::string_view source =
      "Foster, dos Reis & Strange (2024), SIAM J. Numer. Anal. 62(1)";
  static constexpr OrdersByNoise order{.strong = {1, {.additive = 1.5, .general = 0.5}},
                                       .weak = {1, {.additive = 1.5}},
                                       .deterministic = 2};
  static constexpr StratonovichTableau<3> tableau{
      .a = {{{0, 0, 0}, {0, 0, 0}, {0, 5.0 / 6, 0}}},
      .a_w = {{{0, 0, 0}, {0, 0, 0}, {0, 5.0 / 6, 0}}},
      .a_h = {{{0, 0, 0}, {1, 0, 0}, {1, 0, 0}}},
      .c = {0, 0, 5.0 / 6},
      .weights = {{0, 0.4, 0.6}, {0, 0.4, 0.6}, {0, 1.2, -1.2}}};
};

/// Splitting path Runge-Kutta, with an embedded method for step control.
struct Spark {
  static constexpr std::string_view name = "spark";
  static constexpr std::string_view source = "Foster & Jelincic (2023), arXiv 2311.14201";
  static constexpr OrdersByNoise order{.strong = {1, {.additive = 1.5, .general = 0.5}},
                                       .weak = {1, {.additive = 1.5}},
                                       .deterministic = 2};
  static constexpr double root_3 = 1.7320508075688772, outer = (3 - root_3) / 6;
  static constexpr StratonovichTableau<3> tableau{
      .a = {{{0, 0, 0}, {0.5, 0, 0}, {0, 1, 0}}},
      .a_w = {{{0, 0, 0}, {0.5, 0, 0}, {0, 1, 0}}},
      .a_h = {{{0, 0, 0}, {root_3, 0, 0}, {0, 0, 0}}},
      .c = {0, 0.5, 1},
      .weights = {{outer, root_3 / 3, outer}, {outer, root_3 / 3, outer}, {1, 0, -1}}};
  /// y minus x + (f_1 + f_3) h / 2 + (g_1 + g_3) W / 2.
  static constexpr StochasticWeights<3, 3> error{
      {outer - 0.5, root_3 / 3, outer - 0.5}, {outer - 0.5, root_3 / 3, outer - 0.5}, {1, 0, -1}};
};

/// Strong order 3/2 for commutative noise, at two f and five g.
struct SlowRk {
  static constexpr std::string_view name = "slow-rk";
  static constexpr std::string_view source =
      "Foster, dos Reis & Strange (2024), SIAM J. Numer. Anal. 62(1)";
  static constexpr OrdersByNoise order{
      .strong = {1.5, {.general = 0.5}}, .weak = {1.5, {.general = 1}}, .deterministic = 2};
  static constexpr StratonovichTableau<7> tableau{
      .a = {{{},
             {0.5, 0, 0, 0, 0, 0, 0},
             {0.5, 0, 0, 0, 0, 0, 0},
             {0.5, 0, 0, 0, 0, 0, 0},
             {0.5, 0, 0, 0, 0, 0, 0},
             {0.75, 0, 0, 0, 0, 0, 0},
             {1, 0, 0, 0, 0, 0, 0}}},
      .a_w = {{{},
               {},
               {0, 0.5, 0, 0, 0, 0, 0},
               {0, 0, 0.5, 0, 0, 0, 0},
               {0, 0, 0, 1, 0, 0, 0},
               {0, 0, 0, 0.75, 0, 0, 0},
               {0, 0, 0.5, 0, 0, 0, 0}}},
      .a_h = {{{}, {}, {}, {}, {}, {0, 0, 0, 1.5, 0, 0, 0}, {}}},
      .c = {0, 0.5, 0.5, 0.5, 0.5, 0.75, 1},
      .weights = {{1.0 / 3, 0, 0, 0, 0, 2.0 / 3, 0},
                  {0, 1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6, 0, 0},
                  {0, 0, 0, 2, 0, 0, -2}}};
};

}  // namespace tableaus

/// One step of the method `Method` on a d x n block: see StratonovichTableau. Additive noise takes
/// the same step through AdditiveRungeKutta.
///
/// Converges to  the Stratonovich solution.
/// Order         the method's: strong 1/2 for general noise, 1 or 3/2 for the others; weak 1, or
///               3/2 where the strong order is; f and g smooth. Commutativity is checked once per
///               run (contract.hpp).
/// Cost          one f and one g per stage in use; no allocation.
/// Source        the method's.
template <class Method>
struct StratonovichRungeKutta {
  static constexpr auto tableau = Method::tableau;

 private:
  static constexpr std::size_t s_ = tableau.c.size();

  /// Which of f_i, g_i W and g_i H of each stage are used.
  struct Used {
    std::array<bool, s_> drift, w, h;
  };
  static constexpr Used used_ = [] {
    Used used{};
    for (std::size_t i = s_; i-- > 0;) {
      used.drift[i] = tableau.weights.b[i] != 0;
      used.w[i] = tableau.weights.w[i] != 0;
      used.h[i] = tableau.weights.h[i] != 0;
      for (std::size_t k = i + 1; k < s_; ++k) {
        if (!used.drift[k] && !used.w[k] && !used.h[k]) continue;
        used.drift[i] |= tableau.a[k][i] != 0;
        used.w[i] |= tableau.a_w[k][i] != 0;
        used.h[i] |= tableau.a_h[k][i] != 0;
      }
    }
    return used;
  }();

  // The places of f_i, g_i W and g_i H in the workspace, then two arrays of scratch.
  static constexpr std::size_t slot(const std::array<bool, s_>& used, std::size_t i) {
    return static_cast<std::size_t>(std::count(used.begin(), used.begin() + i, true));
  }
  static constexpr std::size_t w0_ = slot(used_.drift, s_), h0_ = w0_ + slot(used_.w, s_),
                               scratch_ = h0_ + slot(used_.h, s_);

  struct AdditiveForm {
    static constexpr std::string_view name = Method::name, source = Method::source;
    static constexpr OrdersByNoise order{};
    static constexpr auto tableau = additive_form(Method::tableau);
    static constexpr auto error = [] {
      if constexpr (requires { Method::error; })
        return Method::error;
      else
        return StochasticWeights<s_, s_>{};
    }();
  };
  using Additive = AdditiveRungeKutta<AdditiveForm>;

  static constexpr Evaluations evaluations() {
    Evaluations count;
    for (std::size_t i = 0; i < s_; ++i) {
      count.drift += used_.drift[i];
      count.diffusion += used_.w[i] || used_.h[i];
    }
    return count;
  }

 public:
  static constexpr Facts facts{
      .name = Method::name,
      .source = Method::source,
      .calculus = Calculus::stratonovich,
      .order = Method::order,
      .cost = {.drift = {evaluations().drift,
                         {.additive = Additive::facts.cost.drift(NoiseKind::additive)}},
               .diffusion = {evaluations().diffusion,
                             {.additive = Additive::facts.cost.diffusion(NoiseKind::additive)}}},
      .needs = {.h = h0_ != scratch_}};

  template <State X>
  using Workspace = Scratch<X, std::max(static_cast<int>(scratch_) + 2, Additive::arrays)>;

  /// @copydoc EulerMaruyama::step
  template <State X, ProcessFor<StratonovichRungeKutta, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    if constexpr (noise_kind<P> == NoiseKind::additive) {
      Additive{}.step(p, x, t, h, dw, y, w);
    } else {
      stage(p, x, t, h, dw, w);
      y = sum<s_>(
          x, h, [](std::size_t j) { return tableau.weights.b[j]; },
          [](std::size_t j) { return tableau.weights.w[j]; },
          [](std::size_t j) { return tableau.weights.h[j]; }, w);
    }
  }

  /// The same step; `error` is y minus the method of lower order inside it.
  template <State X, ProcessFor<StratonovichRungeKutta, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y, X& error,
            Workspace<X>& w) const requires HasErrorWeights<Method> {
    if constexpr (noise_kind<P> == NoiseKind::additive) {
      Additive{}.step(p, x, t, h, dw, y, error, w);
    } else {
      step(p, x, t, h, dw, y, w);
      constexpr auto b = [](std::size_t j) { return Method::error.b[j]; };
      error = sum<s_>(
          detail::weighted_sum<s_>(h, b, drifts(w)), h, [](std::size_t) { return 0.0; },
          [](std::size_t j) { return Method::error.w[j]; },
          [](std::size_t j) { return Method::error.h[j]; }, w);
    }
  }

 private:
  static auto drifts(auto& w) {
    return [&w](std::size_t i) -> const auto& { return w[slot(used_.drift, i)]; };
  }

  /// base + h sum_j b(j) f_j + sum_j g_j (w(j) W + h(j) H), j < count.
  template <std::size_t count, class Base, class B, class RowW, class RowH>
  static decltype(auto) sum(const Base& base, Time h, B b, RowW row_w, RowH row_h, auto& w) {
    const auto g_w = [&w](std::size_t j) -> const auto& { return w[w0_ + slot(used_.w, j)]; };
    const auto g_h = [&w](std::size_t j) -> const auto& { return w[h0_ + slot(used_.h, j)]; };
    return detail::plus_sum<count>(
        detail::plus_sum<count>(detail::plus_sum<count>(base, h, b, drifts(w)), 1, row_w, g_w), 1,
        row_h, g_h);
  }

  /// Evaluates f_i, g_i W and g_i H for i, i + 1, ...
  template <std::size_t i = 0, class X, class P>
  static void stage(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, auto& w) {
    if constexpr (i < s_) {
      if constexpr (used_.drift[i] || used_.w[i] || used_.h[i]) {
        constexpr auto a = [](std::size_t j) { return tableau.a[i][j]; };
        constexpr auto a_w = [](std::size_t j) { return tableau.a_w[i][j]; };
        constexpr auto a_h = [](std::size_t j) { return tableau.a_h[i][j]; };
        const X& z = [&]() -> const X& {
          if constexpr (detail::has_terms<i>(a) || detail::has_terms<i>(a_w) ||
                        detail::has_terms<i>(a_h))
            return w[scratch_] = sum<i>(x, h, a, a_w, a_h, w);
          else
            return x;
        }();
        const Time at = t + tableau.c[i] * h;
        if constexpr (used_.drift[i]) evaluate_drift(p, z, at, w[slot(used_.drift, i)]);
        noise<i>(p, z, at, dw, w);
      }
      stage<i + 1>(p, x, t, h, dw, w);
    }
  }

  /// g_i W and g_i H, as far as used, from one evaluation of g at z.
  template <std::size_t i, class X, class P>
  static void noise(const P& p, const X& z, Time at, const Increment<P, X>& dw, auto& w) {
    X& g_w = w[w0_ + slot(used_.w, i)];
    X& g_h = w[h0_ + slot(used_.h, i)];
    X& g = w[scratch_ + 1];
    if constexpr (!used_.w[i] && !used_.h[i]) {
      return;
    } else if constexpr (by_columns(noise_kind<P>)) {
      if constexpr (used_.w[i]) g_w.setZero();
      if constexpr (used_.h[i]) g_h.setZero();
      for (Index k = 0; k < p.sources(); ++k) {
        detail::assign(g, diffusion(p, z, at, k, g));
        for (Index r = 0; r < z.rows(); ++r) {
          if constexpr (used_.w[i]) g_w.row(r) += g.row(r) * dw.w.row(k);
          if constexpr (used_.h[i]) g_h.row(r) += g.row(r) * dw.h.row(k);
        }
      }
    } else if constexpr (noise_kind<P> == NoiseKind::scalar) {
      detail::assign(g, diffusion(p, z, at, g));
      if constexpr (used_.w[i]) detail::times_row(g, dw.w.row(0), g_w);
      if constexpr (used_.h[i]) detail::times_row(g, dw.h.row(0), g_h);
    } else {
      detail::assign(g, diffusion(p, z, at, g));
      if constexpr (used_.w[i]) g_w = g * dw.w;
      if constexpr (used_.h[i]) g_h = g * dw.h;
    }
  }
};

using EulerHeun = StratonovichRungeKutta<tableaus::EulerHeun>;
using MidpointSde = StratonovichRungeKutta<tableaus::MidpointSde>;
using GeneralShark = StratonovichRungeKutta<tableaus::GeneralShark>;
using Spark = StratonovichRungeKutta<tableaus::Spark>;
using SlowRk = StratonovichRungeKutta<tableaus::SlowRk>;

}  // namespace fokker
