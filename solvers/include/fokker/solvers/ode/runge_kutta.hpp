#pragma once
/// @file  fokker/solvers/ode/runge_kutta.hpp
/// @brief Explicit Runge-Kutta methods for ODEs: tableaus as data, one generic step.

#include <array>

#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/core/weighted_sum.hpp>

namespace fokker {

/// The Butcher tableau of an explicit method: k_i = f(x + h sum_j a_ij k_j, t + c_i h),
/// y = x + h sum_i b_i k_i.
template <std::size_t stages>
struct ButcherTableau {
  std::array<std::array<double, stages>, stages> a;
  std::array<double, stages> b;
  std::array<double, stages> c;
};

/// The explicit methods with a fixed step. A new one is a struct here: name, order, source,
/// tableau. The tests check the order conditions of each.
namespace tableaus {

struct Euler {
  static constexpr std::string_view name = "euler";
  static constexpr std::string_view source = "Hairer, Norsett & Wanner (1993), I.7";
  static constexpr int order = 1;
  static constexpr ButcherTableau<1> tableau{{{{0}}}, {1}, {0}};
};

struct Heun {
  static constexpr std::string_view name = "heun";
  static constexpr std::string_view source = "Heun (1900); Hairer, Norsett & Wanner (1993), II.1";
  static constexpr int order = 2;
  static constexpr ButcherTableau<2> tableau{{{{0, 0}, {1, 0}}}, {0.5, 0.5}, {0, 1}};
};

struct Rk4 {
  static constexpr std::string_view name = "rk4";
  static constexpr std::string_view source = "Kutta (1901); Hairer, Norsett & Wanner (1993), II.1";
  static constexpr int order = 4;
  static constexpr ButcherTableau<4> tableau{
      {{{0, 0, 0, 0}, {0.5, 0, 0, 0}, {0, 0.5, 0, 0}, {0, 0, 1, 0}}},
      {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6},
      {0, 0.5, 0.5, 1}};
};

}  // namespace tableaus

/// One step of the explicit Runge-Kutta method `Method` on a d x n block.
///
/// Order   the method's.
/// Cost    one f per stage; no allocation.
/// Source  the method's.
template <class Method>
struct ExplicitRungeKutta {
  static constexpr Facts facts{.name = Method::name,
                               .source = Method::source,
                               .noise = {NoiseKind::none},
                               .order = {.deterministic = Method::order},
                               .cost = {.drift = static_cast<int>(Method::tableau.b.size())}};

  static constexpr auto tableau = Method::tableau;
  static constexpr int stages = static_cast<int>(tableau.b.size());

  template <State X>
  using Workspace = Scratch<X, stages + 1>;

  /// @copydoc EulerMaruyama::step
  template <State X, ProcessFor<ExplicitRungeKutta, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>&, X& y,
            Workspace<X>& w) const {
    stage<0>(p, x, t, h, w);
    y = combine<tableau.b.size()>(x, h, w);
  }

 private:
  static constexpr std::size_t s_ = tableau.b.size();

  /// k_i = f(x + h sum_j a_ij k_j, t + c_i h) for i, i+1, ...; k_i in w[i], the argument in w[s].
  template <std::size_t i, State X, class P>
  static void stage(const P& p, const X& x, Time t, Time h, Scratch<X, stages + 1>& w) {
    if constexpr (i == 0) {
      evaluate_drift(p, x, t, w[0]);
      stage<1>(p, x, t, h, w);
    } else if constexpr (i < s_) {
      w[s_] = combine<i>(x, h, w);
      evaluate_drift(p, w[s_], t + tableau.c[i] * h, w[i]);
      stage<i + 1>(p, x, t, h, w);
    }
  }

  /// x + h sum_j a_ij k_j, with b_j as the row i = s.
  template <std::size_t i, State X>
  static auto combine(const X& x, Time h, const Scratch<X, stages + 1>& w) {
    constexpr auto row = [](std::size_t j) { return i < s_ ? tableau.a[i][j] : tableau.b[j]; };
    return detail::plus_sum<s_>(x, h, row, [&w](std::size_t j) -> const X& { return w.array[j]; });
  }
};

using Euler = ExplicitRungeKutta<tableaus::Euler>;
using Heun = ExplicitRungeKutta<tableaus::Heun>;
using Rk4 = ExplicitRungeKutta<tableaus::Rk4>;

}  // namespace fokker
