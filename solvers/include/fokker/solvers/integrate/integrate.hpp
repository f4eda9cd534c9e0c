#pragma once
/// @file  fokker/solvers/integrate/integrate.hpp
/// @brief One path, or one block with a joint step: `integrate` and its solution.

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include <fokker/solvers/integrate/contract.hpp>
#include <fokker/solvers/integrate/integrate_options.hpp>
#include <fokker/solvers/integrate/trajectory.hpp>
#include <fokker/solvers/noise/initial.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

namespace detail {

/// The state type that x0 stands for: a number is one path in one dimension; a process that takes
/// dynamic blocks only gets one.
template <class P, class X0>
auto as_state(const X0& x0) {
  if constexpr (std::is_arithmetic_v<X0>) {
    using S = std::conditional_t<std::is_same_v<X0, float>, float, double>;
    return as_state<P>(Path<S, 1>(Path<S, 1>::Constant(static_cast<S>(x0))));
  } else {
    static_assert(State<X0>, "x0 must be a number or an Eigen array, d x n");
    using X = Plain<X0>;
    using Dynamic = Block<typename X::Scalar>;
    return std::conditional_t < Process<P, X> || !Process<P, Dynamic>, X, Dynamic > (x0);
  }
}

/// @throws std::invalid_argument  if x0 is not finite, has not the dimension of the process or lies
///                                outside its domain
template <class P, State X>
void check_start(const P& process, const X& x0) {
  if (!x0.isFinite().all()) throw std::invalid_argument("x0 is not finite");
  state_dimension(process, x0);
  check_domain(process, x0);
}

/// @throws std::invalid_argument  unless the ends are finite
void check_span(Time t0, Time t1);

/// The callback of a run that nobody watches.
inline constexpr auto go_on = [](Time, const auto&) { return true; };

/// The callback without its type, empty for go_on; one that returns nothing never ends the run. It
/// must outlive the result.
template <State X, class OnStep>
typename Trajectory<X>::OnStep callback(OnStep& on_step) {
  if constexpr (std::is_same_v<const OnStep, decltype(go_on)>)
    return {};
  else
    return [&on_step](Time t, const X& x) {
      if constexpr (std::is_void_v<decltype(on_step(t, x))>) {
        on_step(t, x);
        return true;
      } else {
        return static_cast<bool>(on_step(t, x));
      }
    };
}

/// `check_first_steps` for the steps of options.dt of a run up from t0 to t1.
template <class M, class P, State X>
void check_fixed_steps(const M& method, const P& process, const X& x, Time t0, Time t1, Time dt) {
  if constexpr (!AdaptiveSolver<M>) {
    const double steps = std::ceil((t1 - t0) / dt);
    if (dt > 0 && steps > 0 && steps < 1e18)
      check_first_steps(method, process, x, static_cast<Index>(steps),
                        [=](Index k) { return std::min(t0 + static_cast<double>(k) * dt, t1); });
  }
}

/// The trajectory in the direction asked for. @throws std::invalid_argument  if time cannot run so
template <class P, class M, State X>
Trajectory<X> make_trajectory(const P& process, const TimeReversed<P>& reversed, const M& method,
                              const X& x0, Time t0, bool up, const IntegrateOptions& options) {
  static_assert(runs_up<P, M> || runs_down<P, M>,
                "this type-erased solver was made for another type of process");
  if (up) {
    if constexpr (runs_up<P, M>) return {make_walk(process, method, x0, t0, options), 1, options};
  } else {
    if constexpr (runs_down<P, M>)
      return {make_walk(reversed, method, x0, -t0, options), -1, options};
  }
  refuse_direction(up);
}

}  // namespace detail

/// Integrates the process from x0 over [t0, t1], landing exactly on t1; t1 < t0 runs down where the
/// process's clock allows it, and t1 = t0 returns the start.
///
/// @param process   drift and diffusion (see process.hpp)
/// @param method    a fixed-step solver (needs options.dt) or an adaptive one
/// @param x0        a number, or an Eigen array d x n: columns are paths `options.path + j` that
///                  share every step
/// @param span      {t0, t1}
/// @param on_step   called with (t, x) after each accepted step; return false to stop
/// @throws std::invalid_argument  for bad options or spans, an x0 that does not fit the process, or
///                  coefficients that break their contract (contract.hpp).
///                  Numerical failure (nan, step underflow, too many steps) is `solution.status`
///                  with a message.
template <class P, class M, class X0, class OnStep>
auto integrate(const P& process, const M& method, const X0& x0, std::array<Time, 2> span,
               const IntegrateOptions& options, OnStep&& on_step) {
  const auto x = detail::as_state<P>(x0);
  using X = std::remove_cv_t<decltype(x)>;
  const auto [t0, t1] = span;
  detail::check_span(t0, t1);
  detail::check_start(process, x);
  for (const Time t : options.save_at)
    if (t1 > t0 ? t > t1 : t < t1) detail::refuse_save_at(t);
  check_parameters(method, process);
  if (options.check) detail::check_contract<X>(process, x, x.cols() > 1, t0, t1);
  const TimeReversed<P> reversed{process};
  const bool up = t1 > t0 || (t1 == t0 && detail::runs_up<P, M>);
  if constexpr (detail::runs_up<P, M>) {
    if (up) detail::check_fixed_steps(method, process, x, t0, t1, options.dt);
  }
  if constexpr (detail::runs_down<P, M>) {
    if (!up) detail::check_fixed_steps(method, reversed, x, -t0, -t1, options.dt);
  }
  return detail::make_trajectory(process, reversed, method, x, t0, up, options)
      .run(t1, detail::callback<X>(on_step));
}

template <class P, class M, class X0>
auto integrate(const P& process, const M& method, const X0& x0, std::array<Time, 2> span,
               const IntegrateOptions& options = {}) {
  return integrate(process, method, x0, span, options, detail::go_on);
}

/// An integration that can be stopped, kept and carried on:
///
///     Integration run(process, Milstein{}, x0, 0.0, {.dt = 0.01, .seed = 1});
///     const auto first = run.to(5);
///     auto saved = run;              // the whole state, by value
///     const auto rest = run.to(10);  // saved.to(10) gives the same bits
///
/// The state is x and t, the solver's own (step size, slope carried over, memory of the step
/// control), the position in the random numbers, events and times not yet told, and the counts.
/// What is promised, bit for bit: `to(t1)` and then `to(t2)` is one run to t2 that stops on t1 (as
/// it does for a time of save_at); and a run ended in between (by the callback, a cancel,
/// max_steps, an event, a steady state) and carried on is the run that was never ended. After a
/// terminal event the path goes on from the end of the step in which it was found, as if the event
/// had not been terminal. Each `to` returns what is new: states saved, events and dense output
/// since the last one; counts are those since t0, max_steps is per call, and times of save_at
/// beyond t1 wait.
///
/// Process and method are copied once and shared by copies of the integration: what one of them
/// changes behind a const (a cache, a counter) the others see.
template <State X>
class Integration {
 public:
  /// @param process, method, x0, options  as for `integrate`
  /// @param t0                            where it starts
  /// @throws std::invalid_argument        as `integrate`, here or at the first `to`
  template <class P, class M, class X0>
  Integration(P process, M method, const X0& x0, Time t0, IntegrateOptions options = {}) : t0_(t0) {
    const X x = detail::as_state<P>(x0);
    detail::check_start(process, x);
    check_parameters(method, process);
    if (options.check) detail::check_contract<X>(process, x, x.cols() > 1, t0, t0);
    struct Shared {
      Shared(P p, M m) : process(std::move(p)), method(std::move(m)) {}
      Shared(const Shared&) = delete;
      P process;
      M method;
      TimeReversed<P> reversed{process};
    };
    begin_ = [shared = std::make_shared<const Shared>(std::move(process), std::move(method)), x, t0,
              options = std::move(options)](bool up) {
      return detail::make_trajectory(shared->process, shared->reversed, shared->method, x, t0, up,
                                     options);
    };
  }

  /// Integrates on to t1; the first call decides the direction of time.
  /// @param on_step  as for `integrate`
  /// @throws std::invalid_argument  as `integrate`, and for a t1 that is not ahead
  template <class OnStep>
  Solution<X> to(Time t1, OnStep&& on_step) {
    detail::check_span(t(), t1);
    if (t1 == t())
      throw std::invalid_argument("an integration goes on to another time: it is at " + text(t()));
    const bool up = t1 > t();
    if (!trajectory_) {
      trajectory_.emplace(begin_(up));
      up_ = up;
    }
    if (up != up_)
      throw std::invalid_argument("an integration goes on in the direction it began: it is at " +
                                  text(t()) + ", got " + text(t1));
    return trajectory_->run(t1, detail::callback<X>(on_step));
  }
  Solution<X> to(Time t1) { return to(t1, detail::go_on); }

  /// Where it is: the end of the last step.
  Time t() const { return trajectory_ ? trajectory_->t() : t0_; }

 private:
  Time t0_;
  bool up_ = true;
  std::function<detail::Trajectory<X>(bool up)> begin_;  // owns process and method
  std::optional<detail::Trajectory<X>> trajectory_;
};

template <class P, class M, class X0>
Integration(P, M, const X0&, Time, IntegrateOptions = {})
    -> Integration<decltype(detail::as_state<P>(std::declval<X0>()))>;

}  // namespace fokker
