#pragma once
/// @file  fokker/solvers/stiff/drift_implicit.hpp
/// @brief Steps that are implicit in the drift, for stiff Ito SDEs.

#include <cmath>

#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/ito/milstein.hpp>
#include <fokker/solvers/stiff/newton.hpp>

namespace fokker {

/// The drift-implicit methods: the weight theta of the drift at the end of the step, and Milstein's
/// or Euler's noise. A new method is a struct here.
namespace drift_implicit {

struct Euler {
  static constexpr std::string_view name = "drift-implicit-euler";
  static constexpr std::string_view source = "Kloeden & Platen (1992), 12.2";
  static constexpr double theta = 1;
  static constexpr bool milstein = false;
};

struct Trapezoid {
  static constexpr std::string_view name = "drift-implicit-trapezoid";
  static constexpr std::string_view source = "Kloeden & Platen (1992), 12.2";
  static constexpr double theta = 0.5;
  static constexpr bool milstein = false;
};

struct Milstein {
  static constexpr std::string_view name = "drift-implicit-milstein";
  static constexpr std::string_view source = "Kloeden & Platen (1992), 12.2";
  static constexpr double theta = 1;
  static constexpr bool milstein = true;
};

}  // namespace drift_implicit

namespace detail {

/// The arrays of a step and the scratch of its Newton iteration.
template <State X, int count>
struct ImplicitWorkspace : Scratch<X, count> {
  ImplicitWorkspace(Index d, Index n) : Scratch<X, count>(d, n), newton(d, n) {}
  NewtonWorkspace<X> newton;
};

/// sum += 1/2 (g . grad) g (dw^2 - h). @param g, u, slope  scratch
template <class P, State X>
void add_milstein_correction(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw,
                             X& sum, X& g, X& u, X& slope) {
  using S = typename X::Scalar;
  const S dt = static_cast<S>(h);
  assign(g, diffusion(p, x, t, g));
  milstein_slope(p, x, t, h, g, slope, u);
  if constexpr (noise_kind<P> == NoiseKind::diagonal) {
    sum += S(0.5) * slope * (dw.w.square() - dt);
  } else {
    u.row(0) = S(0.5) * (dw.w.row(0).square() - dt);
    slope.rowwise() *= u.row(0);
    sum += slope;
  }
}

}  // namespace detail

/// One drift-implicit step on a d x n block:
///
///     y = x + h ((1 - theta) f(x, t) + theta f(y, t + h)) + sum_k g_k(x, t) dw_k
///         [+ 1/2 (g . grad) g (dw^2 - h)  for Milstein's noise]
///
/// solved path by path with Newton's method from x (see newton.hpp); a path without a solution
/// becomes nan.
///
/// Converges to  the Ito solution.
/// Order         Euler's noise: strong 1/2 (1 for additive noise), weak 1; Milstein's: strong 1,
///               weak 1, for diagonal, scalar and additive noise; deterministic 1 (2 for
///               theta = 1/2). For f and g globally Lipschitz.
/// Stability     with Euler's noise, on dX = lambda X dt + mu X dW: E y^2 decreases for every h
///               wherever E X^2 does, for theta = 1/2 only there. Not with Milstein's noise.
/// Cost          one g (two for Milstein's noise without a slope), and f and its Jacobian in each
///               Newton iteration, two at least; no allocation.
/// Source        the method's; Higham (2000) for the stability.
template <class Method>
struct DriftImplicit {
  static constexpr Facts facts{
      .name = Method::name,
      .source = Method::source,
      .noise = Method::milstein
                   ? NoiseKinds{NoiseKind::additive, NoiseKind::scalar, NoiseKind::diagonal}
                   : any_noise,
      .order = {.strong = {Method::milstein ? 1 : 0.5, {.additive = 1}},
                .weak = 1,
                .deterministic = Method::theta == 0.5 ? 2 : 1},
      .condition = "globally Lipschitz f and g",
      // with two Newton iterations, the fewest, and the Jacobian given
      .cost = {.drift = Method::theta < 1 ? 3 : 2,
               .diffusion = {Method::milstein ? 2 : 1, {.additive = 1}}}};

  static constexpr double theta = Method::theta;

  template <State X>
  using Workspace = detail::ImplicitWorkspace<X, 4>;

  /// @copydoc EulerMaruyama::step
  template <State X, ProcessFor<DriftImplicit, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    auto& [r, a, b, c] = w.array;
    r = x + noise_term(p, x, t, dw.w, a, b);
    if constexpr (Method::milstein && noise_kind<P> != NoiseKind::additive)
      detail::add_milstein_correction(p, x, t, h, dw, r, a, b, c);
    if constexpr (theta < 1) r += S((1 - theta) * h) * drift(p, x, t, a);
    y = x;
    solve_implicit(p, t + h, theta * h, r, y, w.newton);
  }
};

using DriftImplicitEuler = DriftImplicit<drift_implicit::Euler>;
using DriftImplicitTrapezoid = DriftImplicit<drift_implicit::Trapezoid>;
using DriftImplicitMilstein = DriftImplicit<drift_implicit::Milstein>;

/// One split-step backward Euler step on a d x n block: the drift first, implicitly, then the
/// noise,
///
///     u = x + h f(u, t + h)
///     y = u + sum_k g_k(u, t) dw_k
///
/// Converges to  the Ito solution.
/// Order         strong and weak 1/2 (1 for additive noise), deterministic 1, also for a one-sided
///               Lipschitz drift of polynomial growth, with g globally Lipschitz.
/// Cost          one g, and f and its Jacobian in each Newton iteration, two at least; no
///               allocation.
/// Source        Higham, Mao & Stuart (2002), section 3.
struct SplitStepBackwardEuler {
  static constexpr Facts facts{
      .name = "split-step-backward-euler",
      .source = "Higham, Mao & Stuart (2002), 3",
      .order = {.strong = {0.5, {.additive = 1}},
                .weak = {0.5, {.additive = 1}},
                .deterministic = 1},
      .condition = "one-sided Lipschitz f of polynomial growth, globally Lipschitz g",
      // with two Newton iterations, the fewest, and the Jacobian given
      .cost = {.drift = 2, .diffusion = 1}};

  template <State X>
  using Workspace = detail::ImplicitWorkspace<X, 3>;

  /// @copydoc EulerMaruyama::step
  template <State X, ProcessFor<SplitStepBackwardEuler, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    auto& [u, sum, column] = w.array;
    u = x;
    solve_implicit(p, t + h, h, x, u, w.newton);
    y = u + noise_term(p, u, t, dw.w, sum, column);
  }
};

}  // namespace fokker
