#pragma once
/// @file  fokker/solvers/core/solver.hpp
/// @brief What a solver is: its facts, a workspace and a step.
///
/// A fixed-step solver is any object with
///
///     static constexpr Facts facts{.name = ..., ...};   // see facts.hpp
///     template <State X> using Workspace = Scratch<X, k>;
///     void check(p) const;                 // optional: once per run, throws for parameters of p
///                                          // that it cannot take
///     void step(p, x, t, h, dw, y, w) const;            // y = x advanced by h > 0
///
/// A step never draws, never allocates and writes out of place (y must not be x). A workspace is
/// made once for a run of a block, Workspace(d, n). A solver with memory, such as a multistep
/// method, keeps there what it carries from step to step: arrays shaped like the state in
/// `std::array<X, m> memory`, which it changes linearly where the scheme is linear, and numbers
/// such as earlier times beside it. Copies of a workspace are independent. An adaptive solver has
/// `static constexpr bool adaptive = true` and a `Run` (see ode.hpp).

#include <span>
#include <string_view>

#include <fokker/solvers/core/facts.hpp>
#include <fokker/solvers/core/increment.hpp>
#include <fokker/solvers/core/process.hpp>

namespace fokker {

/// A solver that estimates the error of its steps and has a `Run`, for `Adaptive` steps.
template <class M>
concept AdaptiveSolver = requires {
  requires std::remove_cvref_t<M>::adaptive;
};

/// A sampler: it steps a model, a reverse SDE or a probability flow, down in the model's own time:
/// step(model, x, t, t_next, dw, y, w), t_next < t.
template <class M>
concept Sampler = requires {
  requires std::remove_cvref_t<M>::is_sampler;
};

/// The facts of `m`: `M::facts`, or `m.facts()` where they depend on its parameters or its type is
/// erased.
template <class M>
constexpr decltype(auto) facts_of(const M& m) {
  if constexpr (requires { Facts{m.facts()}; })
    return m.facts();
  else
    return (M::facts);
}

/// What a step of `m` needs of the Brownian path beside W.
template <class M>
constexpr Needs needs_of(const M& m) {
  return facts_of(m).needs;
}

/// Whether `m` carries something from step to step.
template <class M>
constexpr bool has_memory(const M& m) {
  return facts_of(m).has_memory;
}

/// The name of a method.
template <class M>
constexpr std::string_view name_of(const M& m) {
  return facts_of(m).name;
}

/// Whether methods of type M take this noise.
template <class M>
constexpr bool supports(NoiseKind kind) {
  if constexpr (requires { Facts{M::facts}; })
    return M::facts.supports(kind);
  else
    return M::supports(kind);
}

/// The calculus of methods of type M.
template <class M>
inline constexpr Calculus calculus_of_method = [] {
  if constexpr (requires { Facts{M::facts}; })
    return M::facts.calculus;
  else
    return M::calculus;
}();

/// A process with noise that the method M takes.
template <class P, class M, class X>
concept ProcessFor = Process<P, X> && supports<M>(noise_kind<P>);

/// The arrays that `m` carries in this workspace; none for most.
template <State X, class M, class W>
std::span<X> memory_of(const M& m, W& w) {
  if constexpr (requires { m.memory(w); })
    return m.memory(w);
  else if constexpr (requires { w.memory; })
    return w.memory;
  else
    return {};
}

/// `m.step` compiles for process P on states X.
template <class M, class P, class X>
concept Stepper = State<X> &&
    requires(const M& m, const P& p, const X& x, Time t, const Increment<P, X>& dw, X& y,
             typename M::template Workspace<X>& w) {
  m.step(p, x, t, t, dw, y, w);
};

/// A step that estimates its own error: `step(p, x, t, h, dw, y, error, w)`, error as x.
template <class M, class P, class X>
concept EmbeddedStepper = Stepper<M, P, X> &&
    requires(const M& m, const P& p, const X& x, Time t, const Increment<P, X>& dw, X& y, X& error,
             typename M::template Workspace<X>& w) {
  m.step(p, x, t, t, dw, y, error, w);
};

namespace detail {

template <class P>
inline constexpr bool is_reversed = false;
template <class P>
inline constexpr bool is_reversed<TimeReversed<P>> = true;

/// The process that `step` of M takes: for a sampler the model beneath the rising clock.
template <class M, class P>
constexpr const auto& stepped_by(const P& process) {
  if constexpr (Sampler<M> && is_reversed<P>)
    return process.base;
  else
    return process;
}

}  // namespace detail

/// The type of the process that `step` of M takes where it runs on P.
template <class M, class P>
using SteppedBy = std::remove_cvref_t<decltype(detail::stepped_by<M>(std::declval<const P&>()))>;

/// Refuses, with a sentence, a solver that does not fit the process.
template <class M, class P>
consteval void require_compatible() {
  constexpr NoiseKind kind = noise_kind<P>;
  if constexpr (supports<M>(NoiseKind::none)) {
    static_assert(kind == NoiseKind::none || supports<M>(kind),
                  "this solver is for ODEs and the process has noise: use an SDE solver such as "
                  "EulerMaruyama or HeunSde");
  } else {
    static_assert(kind != NoiseKind::none,
                  "this solver is for SDEs and the process has no noise: use an ODE solver such as "
                  "Rk4 or Dopri5");
    static_assert(kind == NoiseKind::none || supports<M>(kind),
                  "this solver does not handle the noise kind of the process: see the table of "
                  "methods for one that does (EulerMaruyama and HeunSde take every kind)");
    static_assert(
        kind == NoiseKind::additive || kind == NoiseKind::none ||
            calculus_of_method<M> == calculus_of<P>,
        "Ito and Stratonovich do not match: convert the process with "
        "to_stratonovich(process) or to_ito(process), or choose a solver of its calculus");
  }
}

/// Asks a solver once per run whether it can take the parameters of a process: `m.check(p)`, where
/// it has one.
/// @throws std::invalid_argument  from there, with the condition and the numbers
template <class M, class P>
void check_parameters(const M& m, const P& p) {
  if constexpr (const auto& stepped = detail::stepped_by<M>(p); requires { m.check(stepped); })
    m.check(stepped);
  else if constexpr (requires { m.method.check(stepped); })
    m.method.check(stepped);
}

/// Asks a fixed-step solver once per run whether its steps can start from x: `m.check_start(p, x,
/// steps, time)`, where it has one; step k goes from time(k) to time(k + 1).
/// @throws std::invalid_argument  from there
template <class M, class P, State X, class Times>
void check_first_steps(const M& m, const P& p, const X& x, Index steps, const Times& time) {
  if constexpr (requires { m.check_start(p, x, steps, time); }) m.check_start(p, x, steps, time);
}

/// sum_k g_k(x, t) v_k as an expression over x and v, or in `sum`; v is m x n, an array or an
/// expression such as dw.w; `column` is scratch for g_k.
template <class P, State X, class V>
decltype(auto) noise_term(const P& p, const X& x, Time t, const Eigen::ArrayBase<V>& v, X& sum,
                          X& column) {
  using S = typename X::Scalar;
  if constexpr (noise_kind<P> == NoiseKind::additive) {
    if constexpr (requires {
                    { p.diffusion(t) } -> detail::Number;
                  }) {
      return static_cast<S>(p.diffusion(t)) * v.derived();
    } else {
      if constexpr (requires { p.diffusion(t, column.col(0)); })
        p.diffusion(t, column.col(0));
      else
        column.col(0) = p.diffusion(t).template cast<S>();
      sum = v.derived().colwise() * column.col(0);
      return std::as_const(sum);
    }
  } else if constexpr (noise_kind<P> == NoiseKind::scalar) {
    detail::assign(sum, diffusion(p, x, t, column));
    sum.rowwise() *= v.row(0);
    return std::as_const(sum);
  } else if constexpr (noise_kind<P> == NoiseKind::diagonal) {
    return diffusion(p, x, t, sum) * v.derived();
  } else {
    sum.setZero();
    for (Index k = 0; k < p.sources(); ++k) {
      detail::assign(column, diffusion(p, x, t, k, column));
      column.rowwise() *= v.row(k);
      sum += column;
    }
    return std::as_const(sum);
  }
}

}  // namespace fokker
