#pragma once
/// @file  fokker/solvers/integrate.hpp
/// @brief One path, or one block with a joint step: `integrate` and its solution.

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fokker/solvers/advance.hpp>
#include <fokker/solvers/grid.hpp>
#include <fokker/solvers/initial.hpp>
#include <fokker/solvers/text.hpp>

namespace fokker {

/// Options of `integrate`.
struct IntegrateOptions {
  /// Step of a fixed-step solver; the last step, and one that meets a time of `save_at`, is
  /// shortened to land on it. Adaptive solvers take it as their first step (0: their own choice).
  double dt = 0;
  std::vector<Time> save_at =
      {};                  ///< times to save, in the order of integration; empty: every step
  std::uint64_t seed = 0;  ///< of the noise
  std::uint64_t path = 0;  ///< number of the path (of column 0 of a block)
  std::uint64_t max_steps = 10'000'000;       ///< accepted and rejected together
  const std::atomic<bool>* cancel = nullptr;  ///< when it turns true, end with what is finished
  std::function<void(double fraction)> progress = {};  ///< of the interval, after each step
};

/// What `integrate` returns.
template <State X>
struct Solution {
  std::vector<Time> t;  ///< times saved
  std::vector<X> x;     ///< states saved, one per time
  Time end_time = 0;    ///< where it ended: t1 on success
  X end;                ///< state there
  Status status = Status::success;
  std::string message;  ///< empty on success; else what happened, where, and what to try
  Counts counts;
};

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

/// The points to stop at: t0, t1 and all of `save_at` between, ascending in the clock of the run.
/// @throws std::invalid_argument
inline TimeGrid stops(Time t0, Time t1, double sign, const std::vector<Time>& save_at) {
  TimeGrid points{t0};
  for (const Time user : save_at) {
    const Time t = sign * user;
    if (!(t >= points.back()) || t > t1)
      throw std::invalid_argument(
          "save_at must lie between the ends and follow the direction of time: got " + text(user));
    if (t > points.back()) points.push_back(t);
  }
  if (t1 > points.back()) points.push_back(t1);
  return points;
}

template <class P, class M, State X, class OnStep>
Solution<X> integrate_up(const P& process, const M& method, const X& x0, Time t0, Time t1,
                         double sign, const IntegrateOptions& options, OnStep&& on_step) {
  require_compatible<M, P>();
  const TimeGrid points = stops(t0, t1, sign, options.save_at);
  Solution<X> solution{{}, {}, sign * t0, x0, Status::success, {}, {}};
  auto next_save = options.save_at.begin();
  const auto save = [&](Time t, const X& x) {
    const bool all = options.save_at.empty();
    if (!all && (next_save == options.save_at.end() || sign * *next_save > t)) return;
    do {
      solution.t.push_back(sign * t);
      solution.x.push_back(x);
    } while (!all && ++next_save != options.save_at.end() && sign * *next_save <= t);
  };
  const auto fail = [&](Status status, Time t, std::string_view advice) {
    solution.status = status;
    solution.message = std::string(to_string(status)) + " at t = " + text(sign * t) + " (step " +
                       std::to_string(solution.counts.accepted + solution.counts.rejected) +
                       "): " + std::string(advice);
  };
  /// Everything that follows an accepted step to t; false ends the run.
  const auto accept = [&](Time t, const X& x) {
    solution.end_time = sign * t;
    solution.end = x;
    if (!x.isFinite().all()) {
      fail(Status::non_finite, t, "try a smaller step, or a solver for stiff or superlinear drift");
      return false;
    }
    save(t, x);
    if (options.progress) options.progress((t - t0) / (t1 - t0));
    if (!on_step(sign * t, x) || (options.cancel && options.cancel->load())) {
      fail(Status::cancelled, t, "stopped from outside");
      return false;
    }
    return true;
  };
  const auto steps_left = [&] {
    return solution.counts.accepted + solution.counts.rejected < options.max_steps;
  };

  save(t0, x0);
  if constexpr (AdaptiveSolver<M>) {
    typename M::template Run<P, X> run(method, process, x0.rows());
    run.first_step(options.dt);
    X x = x0;
    for (std::size_t k = 0; k + 1 < points.size(); ++k) {
      for (Time t = points[k]; t < points[k + 1];) {
        if (!steps_left()) {
          fail(Status::too_many_steps, t,
               "raise max_steps, loosen the tolerances, or use a stiff solver");
          return solution;
        }
        const Status s = run.try_step(x, t, points[k + 1], solution.counts);
        if (s == Status::step_underflow || s == Status::non_finite) {
          fail(s, t, "the tolerances may be too tight, or the solution may blow up here");
          return solution;
        }
        if (run.accepted() && !accept(t, x)) return solution;
      }
    }
  } else {
    if (!(options.dt > 0) || !std::isfinite(options.dt))
      throw std::invalid_argument("a fixed-step solver needs dt > 0 in IntegrateOptions: got dt=" +
                                  text(options.dt));
    if (t0 + options.dt == t0 || t1 - options.dt == t1)
      throw std::invalid_argument("dt=" + text(options.dt) + " is below the resolution of t on [" +
                                  text(t0) + ", " + text(t1) + "]");
    Advance<P, M, X> advance(process, method, x0.rows(), x0.cols(), x0.cols(), options.seed,
                             options.path);
    advance.x() = x0;
    Index step = 0;  // of the uniform grid t0 + step dt
    Time t = t0;
    for (std::size_t k = 0; k + 1 < points.size(); ++k) {
      while (t < points[k + 1]) {
        if (!steps_left()) {
          fail(Status::too_many_steps, t, "raise max_steps or take a larger dt");
          return solution;
        }
        constexpr double slack = 1e-9;  // a step this much short of a stop is stretched to meet it
        const Time regular = t0 + static_cast<double>(step + 1) * options.dt;
        const Time next = regular >= points[k + 1] - slack * options.dt ? points[k + 1] : regular;
        if (next >= regular - slack * options.dt) ++step;
        advance.to(t, next);
        t = next;
        solution.counts = advance.counts();
        if (!accept(t, advance.x())) return solution;
      }
    }
  }
  return solution;
}

}  // namespace detail

/// Integrates the process from x0 over [t0, t1], landing exactly on t1; t1 < t0 runs down where the
/// process's clock allows it.
///
/// @param process   drift and diffusion (see process.hpp)
/// @param method    a fixed-step solver (needs options.dt) or an adaptive one
/// @param x0        a number, or an Eigen array d x n: columns are paths `options.path + j` that
///                  share every step
/// @param span      {t0, t1}
/// @param on_step   called with (t, x) after each accepted step; return false to stop
/// @throws std::invalid_argument  for bad options or spans. Numerical failure (nan, step underflow,
///                  too many steps) is `solution.status` with a message.
template <class P, class M, class X0, class OnStep>
auto integrate(const P& process, const M& method, const X0& x0, std::array<Time, 2> span,
               const IntegrateOptions& options, OnStep&& on_step) {
  const auto x = detail::as_state<P>(x0);
  const auto [t0, t1] = span;
  if (!std::isfinite(t0) || !std::isfinite(t1) || t0 == t1)
    throw std::invalid_argument("integrate needs two different finite ends: got " + text(t0) +
                                " and " + text(t1));
  if (!x.isFinite().all()) throw std::invalid_argument("x0 is not finite");
  detail::state_dimension(process, x);
  static_assert(detail::runs_up<P, M> || detail::runs_down<P, M>,
                "this type-erased solver was made for another type of process");
  if (t1 > t0) {
    if constexpr (detail::runs_up<P, M>)
      return detail::integrate_up(process, method, x, t0, t1, 1.0, options, on_step);
  } else {
    if constexpr (detail::runs_down<P, M>)
      return detail::integrate_up(TimeReversed<P>{process}, method, x, -t0, -t1, -1.0, options,
                                  on_step);
  }
  detail::refuse_direction(t1 > t0);
}

template <class P, class M, class X0>
auto integrate(const P& process, const M& method, const X0& x0, std::array<Time, 2> span,
               const IntegrateOptions& options = {}) {
  return integrate(process, method, x0, span, options, [](Time, const auto&) { return true; });
}

}  // namespace fokker
