#pragma once
/// @file  fokker/solvers/ito/tamed.hpp
/// @brief Explicit Euler-type steps whose moments stay bounded where the drift grows superlinearly.

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

/// One tamed Euler step on a d x n block, |.| the norm of a path's column:
///
///     y = x + h f / (1 + h |f|) + sum_k g_k dw_k         f, g_k at (x, t)
///
/// so that the drift moves a path by less than 1 in a step. Where h |f| > 1 the drift is cut to
/// less than half, and a path from a distant start approaches by at most 1 per step; `check_start`
/// throws for a run in which most steps would do so. The order shows once h |f| is well below 1.
///
/// Converges to  the Ito solution.
/// Order         strong and weak 1/2 (1 for additive noise), deterministic 1, for a
///               one-sided Lipschitz drift with derivatives of polynomial growth and globally
///               Lipschitz g; the moments of the scheme are bounded uniformly in h.
/// Cost          one f and one g; no allocation.
/// Source        Hutzenthaler, Jentzen & Kloeden (2012); Wang & Gan (2013) for additive noise.
struct TamedEuler {
  static constexpr Facts facts{
      .name = "tamed-euler",
      .source = "Hutzenthaler, Jentzen & Kloeden (2012); Wang & Gan (2013)",
      .order = {.strong = {0.5, {.additive = 1}},
                .weak = {0.5, {.additive = 1}},
                .deterministic = 1},
      .condition = "one-sided Lipschitz f of polynomial growth, globally Lipschitz g",
      .cost = {.drift = 1, .diffusion = 1}};

  static constexpr std::string_view source =
      "Hutzenthaler, Jentzen & Kloeden (2012); Wang & Gan (2013)";

  template <State X>
  using Workspace = Scratch<X, 4>;

  /// @copydoc EulerMaruyama::step
  template <State X, ProcessFor<TamedEuler, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    auto& [f, sum, column, norm] = w.array;
    evaluate_drift(p, x, t, f);
    f *= S(h);
    norm.row(0) = S(1) + f.square().colwise().sum().sqrt();
    f.rowwise() /= norm.row(0);
    y = x + f + noise_term(p, x, t, dw.w, sum, column);
  }

  /// Follows the run from x without noise and counts the steps that cut the drift to less than
  /// half, h |f| > 1: over at most 100000 steps, and until 1000 do not. Called once by `simulate`
  /// from a given x0 and by `integrate`.
  /// @param steps  number of steps of the run
  /// @param time   time(k) is the start of step k
  /// @throws std::invalid_argument  if more than half of the steps cut the drift so
  template <State X, Process<X> P, class Times>
  static void check_start(const P& p, X x, Index steps, const Times& time) {
    using S = typename X::Scalar;
    X f(x.rows(), x.cols());
    Eigen::Array<S, 1, Eigen::Dynamic> norm(x.cols());
    const Index half = steps / 2, enough = std::min<Index>(half, 1000);
    Index cut = 0;
    for (Index k = 0; k < std::min<Index>(steps, 100'000) && k - cut <= enough; ++k) {
      const Time t = time(k), h = time(k + 1) - t;
      evaluate_drift(p, x, t, f);
      f *= S(h);
      norm = f.square().colwise().sum().sqrt();
      if (norm.maxCoeff() > S(1) && ++cut > half)
        throw std::invalid_argument(text(
            "tamed-euler would cut the drift to less than half in more than {} of {} steps from "
            "this start, since it moves a path by less than 1 in a step: take more steps, a "
            "start nearer by, or an implicit step such as split-step-backward-euler",
            {half, steps}));
      f.rowwise() /= S(1) + norm;
      x += f;
    }
  }
};

/// One truncated Euler step on a d x n block, with the coefficients at the projection z of x onto
/// the ball of radius R(h) = radius h^-exponent:
///
///     y = x + f(z, t) h + sum_k g_k(z, t) dw_k,    z = x min(1, R(h) / |x|)
///
/// Converges to  the Ito solution.
/// Order         none is claimed: strong orders arbitrarily near to 1/2 are proved where (f, g)
///               meet a Khasminskii-type condition with derivatives of polynomial growth r^q and
///               0 < exponent <= 1 / (4 (q + 1)), but at usual step sizes the error of the ball may
///               dominate; deterministic 1. The moments of the scheme are bounded uniformly in h.
/// Cost          one f and one g; no allocation.
/// Source        Mao (2015), Mao (2016).
struct TruncatedEuler {
  static constexpr Facts facts{.name = "truncated-euler",
                               .source = "Mao (2015), Mao (2016)",
                               .order = {.deterministic = 1},
                               .cost = {.drift = 1, .diffusion = 1}};

  double radius = 2;           ///< R(1), > 0: well beyond the usual states of the solution
  double exponent = 1.0 / 16;  ///< of 1 / h; the default suits drifts up to x^4

  template <State X>
  using Workspace = Scratch<X, 5>;

  /// @copydoc EulerMaruyama::step
  template <State X, ProcessFor<TruncatedEuler, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    auto& [z, f, sum, column, factor] = w.array;
    const S limit = static_cast<S>(radius * std::pow(h, -exponent));
    factor.row(0) = limit / x.square().colwise().sum().sqrt().max(limit);
    z = x;
    z.rowwise() *= factor.row(0);
    y = x + S(h) * drift(p, z, t, f) + noise_term(p, z, t, dw.w, sum, column);
  }
};

}  // namespace fokker
