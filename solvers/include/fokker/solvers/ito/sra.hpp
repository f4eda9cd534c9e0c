#pragma once
/// @file  fokker/solvers/ito/sra.hpp
/// @brief Stochastic Runge-Kutta methods for additive noise: tableaus as data, one generic step.

#include <array>

#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/core/weighted_sum.hpp>

namespace fokker {

/// The weights of the increment of a stochastic Runge-Kutta method,
/// h sum_i b_i f_i + sum_j (w_j W + h_j H) g_j.
template <std::size_t drifts, std::size_t diffusions>
struct StochasticWeights {
  std::array<double, drifts> b;
  std::array<double, diffusions> w;
  std::array<double, diffusions> h;
};

/// An explicit method for dX = f(X, t) dt + g(t) dW, with g_j = g(t + nodes_j h):
///
///     z_i = x + h sum_j a_ij f_j + sum_j (a_w_ij W + a_h_ij H) g_j,     f_i = f(z_i, t + c_i h)
///     y = x + h sum_i b_i f_i + sum_j (w_j W + h_j H) g_j
template <std::size_t stages, std::size_t points>
struct AdditiveTableau {
  std::array<std::array<double, stages>, stages> a;
  std::array<std::array<double, points>, stages> a_w, a_h;
  std::array<double, stages> c;
  std::array<double, points> nodes;
  StochasticWeights<stages, points> weights;
};

/// The tableau of a strong order 1.5 method of Roessler for additive noise (SRA):
///
///     H_i = x + h sum_j a0_ij f(H_j, t + c0_j h) + I_10 / h sum_j b0_ij g(t + c1_j h)
///     y = x + h sum_i alpha_i f(H_i, t + c0_i h)
///           + sum_i (beta1_i W + beta2_i I_10 / h) g(t + c1_i h),           I_10 / h = W / 2 + H
template <std::size_t stages>
struct SraTableau {
  std::array<std::array<double, stages>, stages> a0, b0;
  std::array<double, stages> alpha, beta1, beta2, c0, c1;
};

/// The tableau as the form that the generic step advances.
template <std::size_t s, std::size_t r>
constexpr AdditiveTableau<s, r> additive_form(const AdditiveTableau<s, r>& tableau) {
  return tableau;
}

/// The same in W and H, with I_10 / h = W / 2 + H.
template <std::size_t s>
constexpr AdditiveTableau<s, s> additive_form(const SraTableau<s>& sra) {
  AdditiveTableau<s, s> result{sra.a0, sra.b0, sra.b0,
                               sra.c0, sra.c1, {sra.alpha, sra.beta1, sra.beta2}};
  for (std::size_t i = 0; i < s; ++i) {
    for (double& w : result.a_w[i]) w /= 2;
    result.weights.w[i] += sra.beta2[i] / 2;
  }
  return result;
}

/// y minus the method of order 1 inside it, x + h f_1 + W sum_i beta1_i g(t + c1_i h).
template <std::size_t s>
constexpr StochasticWeights<s, s> embedded_error(const SraTableau<s>& sra) {
  StochasticWeights<s, s> error{sra.alpha, sra.beta2, sra.beta2};
  error.b[0] -= 1;
  for (double& w : error.w) w /= 2;
  return error;
}

namespace tableaus {

struct Sra1 {
  static constexpr std::string_view name = "sra1";
  static constexpr std::string_view source = "Roessler (2010), SIAM J. Numer. Anal. 48(3)";
  static constexpr OrdersByNoise order{.strong = 1.5, .weak = 2, .deterministic = 2};
  static constexpr SraTableau<2> tableau{.a0 = {{{0, 0}, {0.75, 0}}},
                                         .b0 = {{{0, 0}, {1.5, 0}}},
                                         .alpha = {1.0 / 3, 2.0 / 3},
                                         .beta1 = {1, 0},
                                         .beta2 = {-1, 1},
                                         .c0 = {0, 0.75},
                                         .c1 = {1, 0}};
  static constexpr auto error = embedded_error(tableau);
};

struct Sra2 {
  static constexpr std::string_view name = "sra2";
  static constexpr std::string_view source = "Roessler (2010), SIAM J. Numer. Anal. 48(3)";
  static constexpr OrdersByNoise order{.strong = 1.5, .weak = 2, .deterministic = 2};
  static constexpr SraTableau<2> tableau{.a0 = {{{0, 0}, {0.75, 0}}},
                                         .b0 = {{{0, 0}, {1.5, 0}}},
                                         .alpha = {1.0 / 3, 2.0 / 3},
                                         .beta1 = {0, 1},
                                         .beta2 = {1.5, -1.5},
                                         .c0 = {0, 0.75},
                                         .c1 = {1.0 / 3, 1}};
  static constexpr auto error = embedded_error(tableau);
};

struct Sra3 {
  static constexpr std::string_view name = "sra3";
  static constexpr std::string_view source = "Roessler (2010), SIAM J. Numer. Anal. 48(3)";
  static constexpr OrdersByNoise order{.strong = 1.5, .weak = 2, .deterministic = 3};
  static constexpr SraTableau<3> tableau{.a0 = {{{0, 0, 0}, {1, 0, 0}, {0.25, 0.25, 0}}},
                                         .b0 = {{{0, 0, 0}, {0, 0, 0}, {1, 0.5, 0}}},
                                         .alpha = {1.0 / 6, 1.0 / 6, 2.0 / 3},
                                         .beta1 = {1, 0, 0},
                                         .beta2 = {-1, 1, 0},
                                         .c0 = {0, 1, 0.5},
                                         .c1 = {1, 0, 0}};
  static constexpr auto error = embedded_error(tableau);
};

/// Optimised for stability. The weights -16.8 and 17.5 of g cancel: use double, not float.
struct Sosra {
  static constexpr std::string_view name = "sosra";
  static constexpr std::string_view source = "Rackauckas & Nie (2020), IEEE HPEC";
  static constexpr OrdersByNoise order{.strong = 1.5, .weak = 2, .deterministic = 2};
  static constexpr SraTableau<3> tableau{
      .a0 = {{{0, 0, 0}, {0.6923962376159507, 0, 0}, {-3.1609142252828395, 4.1609142252828395, 0}}},
      .b0 = {{{0, 0, 0}, {1.3371632704399763, 0, 0}, {1.442371048468624, 1.8632741501139225, 0}}},
      .alpha = {0.2889874966892885, 0.6859880440839937, 0.025024459226717772},
      .beta1 = {-16.792534242221663, 17.514995785380226, 0.27753845684143835},
      .beta2 = {0.4237535769069274, 0.6010381474428539, -1.0247917243497813},
      .c0 = {0, 0.6923962376159507, 1},
      .c1 = {0, 0.041248171110700504, 1}};
  static constexpr auto error = embedded_error(tableau);
};

/// z = x + (W / 2 + H) g(t) (shifted Euler with additive noise): the only stage.
struct Sea {
  static constexpr std::string_view name = "sea";
  static constexpr std::string_view source =
      "Foster, dos Reis & Strange (2024), SIAM J. Numer. Anal. 62(1)";
  static constexpr OrdersByNoise order{.strong = 1, .weak = 1, .deterministic = 1};
  static constexpr AdditiveTableau<1, 2> tableau{.a = {{{0}}},
                                                 .a_w = {{{0.5, 0}}},
                                                 .a_h = {{{1, 0}}},
                                                 .c = {0},
                                                 .nodes = {0, 1},
                                                 .weights = {{1}, {0.5, 0.5}, {1, -1}}};
};

/// Shifted additive-noise Runge-Kutta.
struct Shark {
  static constexpr std::string_view name = "shark";
  static constexpr std::string_view source =
      "Foster, dos Reis & Strange (2024), SIAM J. Numer. Anal. 62(1)";
  static constexpr OrdersByNoise order{.strong = 1.5, .weak = 2, .deterministic = 2};
  static constexpr AdditiveTableau<2, 2> tableau{.a = {{{0, 0}, {5.0 / 6, 0}}},
                                                 .a_w = {{{0, 0}, {5.0 / 6, 0}}},
                                                 .a_h = {{{1, 0}, {1, 0}}},
                                                 .c = {0, 5.0 / 6},
                                                 .nodes = {0, 1},
                                                 .weights = {{0.4, 0.6}, {0.5, 0.5}, {1, -1}}};
  /// y minus x + h f_1 + W g(t).
  static constexpr StochasticWeights<2, 2> error{{-0.6, 0.6}, {-0.5, 0.5}, {1, -1}};
};

}  // namespace tableaus

/// A method gives the weights of its error estimate.
template <class Method>
concept HasErrorWeights = requires {
  Method::error;
};

/// One step of the method `Method` for additive noise, on a d x n block: see AdditiveTableau.
///
/// Converges to  the solution, where Ito and Stratonovich agree.
/// Order         the method's: strong 1.5 from the eight conditions of Roessler (2010) or, with one
///               stage, 1; weak 2 or 1; f and g smooth.
/// Cost          one f per stage and one g(t) per node; no allocation.
/// Source        the method's.
template <class Method>
struct AdditiveRungeKutta {
  static constexpr auto tableau = additive_form(Method::tableau);

 private:
  static constexpr std::size_t s_ = tableau.c.size(), r_ = tableau.nodes.size();

  static constexpr bool uses_drift(std::size_t i) {
    bool used = tableau.weights.b[i] != 0;
    for (std::size_t k = i + 1; k < s_; ++k) used |= tableau.a[k][i] != 0;
    return used;
  }
  static constexpr bool uses_diffusion(std::size_t j) {
    bool used = tableau.weights.w[j] != 0 || tableau.weights.h[j] != 0;
    for (std::size_t i = 0; i < s_; ++i)
      used |= uses_drift(i) && (tableau.a_w[i][j] != 0 || tableau.a_h[i][j] != 0);
    return used;
  }
  static constexpr Evaluations evaluations() {
    Evaluations count;
    for (std::size_t i = 0; i < s_; ++i) count.drift += uses_drift(i);
    for (std::size_t j = 0; j < r_; ++j) count.diffusion += uses_diffusion(j);
    return count;
  }

 public:
  static constexpr Facts facts{
      .name = Method::name,
      .source = Method::source,
      .noise = {NoiseKind::additive},
      .order = Method::order,
      .cost = {.drift = evaluations().drift, .diffusion = evaluations().diffusion},
      .needs = {.h = true}};

  /// The number of arrays that a step works on.
  static constexpr int arrays = static_cast<int>(tableau.c.size() + tableau.nodes.size()) + 3;
  template <State X>
  using Workspace = Scratch<X, arrays>;

  /// @param w  a scratch of at least `arrays` arrays
  /// @copydoc EulerMaruyama::step
  template <State X, ProcessFor<AdditiveRungeKutta, X> P, int count>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Scratch<X, count>& w) const requires(count >= arrays) {
    diffusion_at_nodes(p, t, h, w);
    stage(p, x, t, h, dw, w);
    assign([](std::size_t j) { return tableau.weights.w[j]; },
           [](std::size_t j) { return tableau.weights.h[j]; },
           [&](Index r) {
             return detail::plus_sum<s_>(
                 x.row(r), h, [](std::size_t i) { return tableau.weights.b[i]; }, drifts(w, r));
           },
           dw, w, y);
  }

  /// The same step; `error` is y minus the method of lower order inside it.
  template <State X, ProcessFor<AdditiveRungeKutta, X> P, int count>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y, X& error,
            Scratch<X, count>& w) const requires(count >= arrays && HasErrorWeights<Method>) {
    step(p, x, t, h, dw, y, w);
    assign([](std::size_t j) { return Method::error.w[j]; },
           [](std::size_t j) { return Method::error.h[j]; },
           [&](Index r) {
             return detail::weighted_sum<s_>(
                 h, [](std::size_t i) { return Method::error.b[i]; }, drifts(w, r));
           },
           dw, w, error);
  }

 private:
  // f_i in w[i], the argument in w[s], g_j in column 0 of w[s + 1 + j], their sums in the last two.
  static auto drifts(auto& w, Index r) {
    return [&w, r](std::size_t i) { return w[i].row(r); };
  }
  static auto diffusion_at(auto& w) {
    return [&w](std::size_t j) { return w[s_ + 1 + j].col(0); };
  }

  /// g_j = g(t + nodes_j h) for j, j + 1, ...
  template <std::size_t j = 0, class P>
  static void diffusion_at_nodes(const P& p, Time t, Time h, auto& w) {
    if constexpr (j < r_) {
      if constexpr (uses_diffusion(j)) {
        auto& g = w[s_ + 1 + j];
        using S = typename std::remove_cvref_t<decltype(w[0])>::Scalar;
        const Time at = t + tableau.nodes[j] * h;
        if constexpr (requires {
                        { p.diffusion(at) } -> detail::Number;
                      })
          g.col(0).setConstant(static_cast<S>(p.diffusion(at)));
        else if constexpr (requires { p.diffusion(at, g.col(0)); })
          p.diffusion(at, g.col(0));
        else
          g.col(0) = p.diffusion(at).template cast<S>();
      }
      diffusion_at_nodes<j + 1>(p, t, h, w);
    }
  }

  /// out.row(r) = sum(r) + sum_j (row_w(j) W + row_h(j) H) g_j: by rows, where g_j is a number.
  template <class RowW, class RowH, class Sum, class X>
  static void assign(RowW row_w, RowH row_h, const Sum& sum, const auto& dw, auto& w, X& out) {
    constexpr bool has_w = detail::has_terms<r_>(RowW{}), has_h = detail::has_terms<r_>(RowH{});
    auto g_w = w[s_ + r_ + 1].col(0), g_h = w[s_ + r_ + 2].col(0);
    if constexpr (has_w) g_w = detail::weighted_sum<r_>(1, row_w, diffusion_at(w));
    if constexpr (has_h) g_h = detail::weighted_sum<r_>(1, row_h, diffusion_at(w));
    for (Index r = 0; r < out.rows(); ++r) {
      if constexpr (has_w && has_h)
        out.row(r) = sum(r) + g_w(r) * dw.w.row(r) + g_h(r) * dw.h.row(r);
      else if constexpr (has_w)
        out.row(r) = sum(r) + g_w(r) * dw.w.row(r);
      else if constexpr (has_h)
        out.row(r) = sum(r) + g_h(r) * dw.h.row(r);
      else
        out.row(r) = sum(r);
    }
  }

  /// f_i for i, i + 1, ...
  template <std::size_t i = 0, class X, class P>
  static void stage(const P& p, const X& x, Time t, Time h, const auto& dw, auto& w) {
    if constexpr (i < s_) {
      if constexpr (uses_drift(i)) {
        constexpr auto a = [](std::size_t j) { return tableau.a[i][j]; };
        constexpr auto a_w = [](std::size_t j) { return tableau.a_w[i][j]; };
        constexpr auto a_h = [](std::size_t j) { return tableau.a_h[i][j]; };
        const Time at = t + tableau.c[i] * h;
        if constexpr (detail::has_terms<i>(a) || detail::has_terms<r_>(a_w) ||
                      detail::has_terms<r_>(a_h)) {
          assign(
              a_w, a_h, [&](Index r) { return detail::plus_sum<i>(x.row(r), h, a, drifts(w, r)); },
              dw, w, w[s_]);
          evaluate_drift(p, w[s_], at, w[i]);
        } else {
          evaluate_drift(p, x, at, w[i]);
        }
      }
      stage<i + 1>(p, x, t, h, dw, w);
    }
  }
};

using Sra1 = AdditiveRungeKutta<tableaus::Sra1>;
using Sra2 = AdditiveRungeKutta<tableaus::Sra2>;
using Sra3 = AdditiveRungeKutta<tableaus::Sra3>;
using Sosra = AdditiveRungeKutta<tableaus::Sosra>;
using Sea = AdditiveRungeKutta<tableaus::Sea>;
using Shark = AdditiveRungeKutta<tableaus::Shark>;

}  // namespace fokker
