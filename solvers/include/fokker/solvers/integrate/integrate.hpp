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

#include <fokker/solvers/integrate/bound.hpp>
#include <fokker/solvers/integrate/contract.hpp>
#include <fokker/solvers/integrate/integrate_options.hpp>
#include <fokker/solvers/integrate/observed_run.hpp>
#include <fokker/solvers/noise/initial.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

namespace detail {

/// Whether P takes X, or no dynamic block either. (A concept asks the second only where it must.)
template <class P, class X>
concept TakesState = Process<P, X> || !Process<P, Block<typename X::Scalar>>;

/// The state that x0 stands for: a number is one path in one dimension; a process that takes dynamic
/// blocks only gets one.
template <class P, class X0>
auto as_state(const X0& x0) {
  using S = typename ScalarOf<X0>::Type;
  decltype(auto) start = as_start<S>(x0);
  using Start = std::remove_cvref_t<decltype(start)>;
  if constexpr (std::is_arithmetic_v<Start>) {
    return as_state<P>(PathState<S, 1>(PathState<S, 1>::Constant(start)));
  } else {
    static_assert(State<Start>,
                  "x0 must be a number, an Eigen vector or array, a std::array or a std::vector");
    return std::conditional_t<TakesState<P, Start>, Start, Block<S>>(start);
  }
}

/// Whether x0 can be a start of a run of one path.
template <class X0>
inline constexpr bool is_start =
    std::is_arithmetic_v<
        std::remove_cvref_t<decltype(as_start<double>(std::declval<const X0&>()))>> ||
    State<std::remove_cvref_t<decltype(as_start<double>(std::declval<const X0&>()))>>;

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
Callback<X> callback([[maybe_unused]] OnStep& on_step) {
  if constexpr (std::is_same_v<const OnStep, decltype(go_on)>)
    return {};
  else
    return {const_cast<void*>(static_cast<const void*>(std::addressof(on_step))),
            [](void* object, Time t, const X& x) {
              OnStep& call = *static_cast<OnStep*>(object);
              if constexpr (std::is_void_v<decltype(call(t, x))>) {
                call(t, x);
                return true;
              } else {
                return static_cast<bool>(call(t, x));
              }
            }};
}

/// `check_first_steps` of a run by regular steps from t0 up to t1.
template <class B, class P, State X>
void check_fixed_steps(const B& bound, const P& process, const X& x, Time t0, Time t1, bool down) {
  if constexpr (std::same_as<decltype(bound.steps), Fixed>) {
    const Time h = bound.steps.h;
    const double steps = std::ceil((t1 - t0) / h);
    if (h > 0 && steps > 0 && steps < 1e18)
      check_first_steps(bound.method, process, x, static_cast<Index>(steps),
                        [=](Index k) { return std::min(t0 + static_cast<double>(k) * h, t1); });
  } else if constexpr (std::same_as<decltype(bound.steps), OnGrid>) {
    const TimeGrid& grid = bound.steps.times;
    check_first_steps(bound.method, process, x, static_cast<Index>(grid.size()) - 1, [&](Index k) {
      const Time t = grid[static_cast<std::size_t>(k)];
      return down ? -t : t;
    });
  }
}

/// The run in the direction asked for. @throws std::invalid_argument  if time cannot run so
template <class P, class B, State X>
ObservedRun<X> make_run(const P& process, const TimeReversed<P>& reversed, const B& bound,
                        const X& x0, Time t0, bool up, const IntegrateOptions& options) {
  using M = typename B::Method;
  const NoiseKey key{.seed = options.seed,
                     .path = options.path,
                     .given = &options.noise,
                     .run_path = options.path,
                     .run_paths = x0.cols(),
                     .down = !up};
  if (up) {
    if constexpr (runs_up<P, M>)
      return ObservedRun<X>(make_integrator(process, bound, x0, t0, key), 1, options);
  } else {
    if constexpr (runs_down<P, M>)
      return ObservedRun<X>(make_integrator(reversed, bound, x0, -t0, key), -1, options);
  }
  refuse_direction(up);
}

/// All that is asked before the first step. @return whether time runs up
/// @throws std::invalid_argument  as `integrate`
template <class P, class B, State X>
bool check_run(const P& process, const B& bound, const X& x, Time t0, Time t1,
               const IntegrateOptions& options) {
  using M = typename B::Method;
  check_start(process, x);
  check_parameters(bound.method, process);
  if (options.check) check_contract<X>(process, x, x.cols() > 1, t0, t1);
  const bool up = t1 > t0 || (t1 == t0 && runs_up<P, M>);
  if constexpr (runs_up<P, M>) {
    if (up) check_fixed_steps(bound, process, x, t0, t1, false);
  }
  if constexpr (runs_down<P, M> && !Sampler<M>) {
    if (!up) check_fixed_steps(bound, TimeReversed<P>{process}, x, -t0, -t1, true);
  }
  return up;
}

/// {first, last} of a grid. @throws std::invalid_argument  as check_grid
template <GivesGrid Steps>
std::array<Time, 2> span_of(const Steps& steps) {
  const TimeGrid& grid = grid_of(steps);
  check_grid(grid);
  return {grid.front(), grid.back()};
}

template <class P, class M, class Steps, class X0, class OnStep>
auto integrate(const P& process, const M& method, const Steps& steps, const X0& x0,
               std::array<Time, 2> span, const IntegrateOptions& options, OnStep&& on_step) {
  static_assert(is_start<X0>,
                "x0 must be a number, an Eigen vector or array, a std::array or a std::vector");
  if constexpr (is_start<X0>) {
    const auto x = as_state<P>(x0);
    using X = std::remove_cv_t<std::remove_reference_t<decltype(x)>>;
    if constexpr (check_usage<P, M, Steps, X>()) {
      const auto [t0, t1] = span;
      check_span(t0, t1);
      for (const Time t : options.save_at)
        if (t1 > t0 ? t > t1 : t < t1) refuse_save_at(t);
      const auto bound = bind(method, steps);
      const bool up = check_run(process, bound, x, t0, t1, options);
      const TimeReversed<P> reversed{process};
      return make_run(process, reversed, bound, x, t0, up, options).run(t1, callback<X>(on_step));
    }
  }
}

}  // namespace detail

/// Integrates the process from x0 over [t0, t1], landing exactly on t1; t1 < t0 runs down where the
/// process's clock allows it, and t1 = t0 returns the start.
///
///     integrate(sde, Milstein{}, Fixed{0.01}, 1.0, {0, 10}, {.save_at = {0, 5, 10}, .seed = 1});
///     integrate(ode, Dopri5{}, Adaptive{.rtol = 1e-8}, x0, {0, 10});
///
/// @param process   drift and diffusion (see process.hpp)
/// @param method    a solver or a sampler
/// @param steps     Fixed, OnGrid, Adaptive, Predictable or JumpAdapted (core/steps.hpp)
/// @param x0        a number, an Eigen vector, a std::array or std::vector: one path; or an Eigen
///                  array d x n: columns are paths `options.path + j` that share every step
/// @param span      {t0, t1}; left out where the steps are on a grid
/// @param on_step   called with (t, x) after each accepted step; return false to stop
/// @throws std::invalid_argument  for bad options, steps or spans, an x0 that does not fit the
///                  process, or coefficients that break their contract (contract.hpp).
///                  Numerical failure (nan, step underflow, too many steps) is `solution.status`
///                  with a message.
template <class P, class M, class Steps, class X0, class OnStep>
requires(!detail::GivesGrid<Steps>) auto integrate(const P& process, const M& method,
                                                   const Steps& steps, const X0& x0,
                                                   std::array<Time, 2> span,
                                                   const IntegrateOptions& options,
                                                   OnStep&& on_step) {
  return detail::integrate(process, method, steps, x0, span, options, on_step);
}
/// The same without a callback.
template <class P, class M, class Steps, class X0>
requires(!detail::GivesGrid<Steps>) auto integrate(const P& process, const M& method,
                                                   const Steps& steps, const X0& x0,
                                                   std::array<Time, 2> span,
                                                   const IntegrateOptions& options = {}) {
  return detail::integrate(process, method, steps, x0, span, options, detail::go_on);
}
/// The same on a grid.
template <class P, class M, detail::GivesGrid Steps, class X0, class OnStep>
auto integrate(const P& process, const M& method, const Steps& steps, const X0& x0,
               const IntegrateOptions& options, OnStep&& on_step) {
  return detail::integrate(process, method, steps, x0, detail::span_of(steps), options, on_step);
}
/// The same on a grid, without a callback.
template <class P, class M, detail::GivesGrid Steps, class X0>
auto integrate(const P& process, const M& method, const Steps& steps, const X0& x0,
               const IntegrateOptions& options = {}) {
  return detail::integrate(process, method, steps, x0, detail::span_of(steps), options,
                           detail::go_on);
}

/// An integration that can be stopped, kept and carried on:
///
///     Integration run(process, Milstein{}, Fixed{0.01}, x0, 0.0, {.seed = 1});
///     const auto first = run.to(5);
///     auto saved = run;              // the whole state, by value
///     const auto rest = run.to(10);  // saved.to(10) gives the same bits
///
/// The state is x and t, the solver's memory (step size, slope carried over, memory of the step
/// control), the position in the random numbers, events and times not yet reported, and the counts.
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
  /// @param process, method, steps, x0, options  as for `integrate`
  /// @param t0                                   where it starts: that of the grid, if there is one
  /// @throws std::invalid_argument               as `integrate`, here or at the first `to`
  template <class P, class M, class Steps, class X0>
  Integration(P process, M method, const Steps& steps, const X0& x0, Time t0,
              IntegrateOptions options = {})
      : t0_(t0) {
    const X x = detail::as_state<P>(x0);
    using B = detail::BoundOf<M, Steps>;
    struct Shared {
      Shared(P p, B b, IntegrateOptions o)
          : process(std::move(p)), bound(std::move(b)), options(std::move(o)) {}
      Shared(const Shared&) = delete;
      P process;
      B bound;
      IntegrateOptions options;
      TimeReversed<P> reversed{process};
    };
    auto shared = std::make_shared<const Shared>(std::move(process), detail::bind(method, steps),
                                                 std::move(options));
    detail::check_run(shared->process, shared->bound, x, t0, t0, shared->options);
    begin_ = [shared, x, t0](bool up) {
      return detail::make_run(shared->process, shared->reversed, shared->bound, x, t0, up,
                              shared->options);
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
    if (!observed_) {
      observed_.emplace(begin_(up));
      up_ = up;
    }
    if (up != up_)
      throw std::invalid_argument("an integration goes on in the direction it began: it is at " +
                                  text(t()) + ", got " + text(t1));
    return observed_->run(t1, detail::callback<X>(on_step));
  }
  /// Integrates on to t1.
  Solution<X> to(Time t1) { return to(t1, detail::go_on); }

  /// Where it is: the end of the last step.
  Time t() const { return observed_ ? observed_->t() : t0_; }

 private:
  Time t0_;
  bool up_ = true;
  std::function<detail::ObservedRun<X>(bool up)> begin_;  // owns process and method
  std::optional<detail::ObservedRun<X>> observed_;
};

template <class P, class M, class Steps, class X0>
Integration(P, M, const Steps&, const X0&, Time, IntegrateOptions = {})
    -> Integration<decltype(detail::as_state<P>(std::declval<X0>()))>;

}  // namespace fokker
