#pragma once
/// @file  fokker/solvers/integrate/walk.hpp
/// @brief The steps of one path, by whichever solver: what `integrate` drives.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <fokker/solvers/core/run.hpp>
#include <fokker/solvers/integrate/advance.hpp>
#include <fokker/solvers/integrate/integrate_options.hpp>
#include <fokker/solvers/noise/brownian_bridge.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker::detail {

/// A path, or a block with a joint step, on its way up in time. Process and solver are erased, so
/// that what is done after a step is compiled once per type of state; a step costs one virtual call
/// and one copy. Process and solver must outlive it.
template <State X>
class Walk {
 public:
  Walk(const X& x0, Time t0) : x_(x0), before_(x0), t_(t0), t_before_(t0) {}
  virtual ~Walk() = default;

  /// A copy of the whole state, the solver's own included, which walks on to the same bits.
  virtual std::unique_ptr<Walk> clone() const = 0;

  const X& x() const { return x_; }
  Time t() const { return t_; }

  /// The start of the last step that leg.after() was told of; without that, or after a failure, x
  /// and t.
  const X& before() const { return before_; }
  Time t_before() const { return t_before_; }

  /// Where a step that starts at t does so: just behind a jump of the coefficients if t is there.
  Time from(Time t) const { return std::max(t, behind_); }

  /// The time of the last step that is nearest to t, jumps of the coefficients at its ends left
  /// out.
  Time inside(Time t) const { return std::clamp(t, from(t_before_), step_end_); }

  /// Goes on to the end of the leg, which is never passed: to the same bits whether somebody looks
  /// after each step or not.
  /// @return success there or where leg.after() ends it; as the solver's steps, non_finite also for
  ///         such a state; cancelled; too_many_steps
  virtual Status walk(Leg& leg) = 0;

  virtual Counts counts() const = 0;

  /// Refuses an end that its steps cannot reach. @throws std::invalid_argument
  virtual void check_end(Time t1) const = 0;

  virtual bool adaptive() const = 0;
  virtual bool is_ode() const = 0;
  virtual bool stiff() const = 0;

  /// Goes on behind a time where the coefficients jump: the solver forgets its slopes, its step
  /// size and all else that it carries from step to step, but not where its noise is. The next step
  /// starts at `t`, just behind the jump.
  virtual void restart(Time t) = 0;

  /// Whether the solver has an interpolant of its own, and its value: x(t) in the last accepted
  /// step.
  virtual bool interpolates() const = 0;
  virtual void interpolate(Time t, X& out) const = 0;

  /// Of an ODE: whether that is as accurate as the steps. If it is not, `redo` is used.
  virtual bool interpolates_as_steps() const = 0;

  /// The degree of the polynomial on a step that dense output keeps: that of the interpolant, or
  /// the one to try first through values of `redo`.
  virtual int dense_degree() const = 0;

  /// out = x(t) inside the last step, by the same method from the start of the step; the error is
  /// that of a step. False where that fails.
  virtual bool redo(Time t, X& out) = 0;

  /// The relative tolerance of an adaptive solver; of a fixed step 0.
  virtual double rtol() const = 0;

  /// Changes of x of this size are below the resolution of the solver: 1e-4 of its absolute
  /// tolerance; of a fixed step 0.
  virtual double negligible() const = 0;

  /// f = f(x, t) of an ODE.
  virtual void slope(const X& x, Time t, X& f) const = 0;

  /// The rate of quadratic variation of a component of one path, at the start of the last step: 0
  /// for an ODE.
  virtual double variance(Index component) const = 0;

 protected:
  X x_, before_;
  Time t_, t_before_;
  Time behind_ = -std::numeric_limits<Time>::infinity();  // the last jump of the coefficients
  Time step_end_ = 0;         // of the last step, before a jump of the coefficients
  std::uint64_t redone_ = 0;  // evaluations of f by redo
};

/// A walk as a value: a copy is a clone.
template <State X>
class AnyWalk {
 public:
  explicit AnyWalk(std::unique_ptr<Walk<X>> walk) : walk_(std::move(walk)) {}
  AnyWalk(const AnyWalk& other) : walk_(other.walk_->clone()) {}
  AnyWalk(AnyWalk&&) noexcept = default;
  AnyWalk& operator=(AnyWalk other) noexcept {
    walk_ = std::move(other.walk_);
    return *this;
  }
  Walk<X>* operator->() { return walk_.get(); }
  const Walk<X>* operator->() const { return walk_.get(); }

 private:
  std::unique_ptr<Walk<X>> walk_;
};

/// What the process alone decides.
template <class P, State X>
class ProcessWalk : public Walk<X> {
 public:
  ProcessWalk(const P& process, const X& x0, Time t0) : Walk<X>(x0, t0), process_(process) {}
  bool is_ode() const final { return noise_kind<P> == NoiseKind::none; }
  void slope(const X& x, Time t, X& f) const final {
    f.resizeLike(x);
    evaluate_drift(process_, x, t, f);
  }
  double variance(Index component) const final {
    Eigen::Array<double, 1, Eigen::Dynamic> rate;
    X sum = this->before_, column = this->before_;
    component_variance(process_, this->before_, this->t_before_, component, sum, column, rate);
    return rate[0];
  }

 protected:
  const P& process_;
};

/// By the steps of a fixed-step solver, on the uniform grid t0 + k dt and on the stops between.
template <class P, class M, State X>
class FixedWalk final : public ProcessWalk<P, X> {
  using Walk<X>::x_, Walk<X>::before_, Walk<X>::t_, Walk<X>::t_before_, Walk<X>::step_end_;
  using ProcessWalk<P, X>::process_;

 public:
  /// @throws std::invalid_argument  for dt that is not positive and finite
  FixedWalk(const P& process, const M& method, const X& x0, Time t0,
            const IntegrateOptions& options)
      : ProcessWalk<P, X>(process, x0, t0),
        method_(method),
        key_{options.seed, options.path},
        advance_(process, method, x0.rows(), x0.cols(), x0.cols(), options.seed, options.path),
        t0_(t0),
        dt_(options.dt) {
    if (!(dt_ > 0) || !std::isfinite(dt_))
      throw std::invalid_argument("a fixed-step solver needs dt > 0 in IntegrateOptions: got dt=" +
                                  text(dt_));
    if (!(options.max_dt >= 0))
      throw std::invalid_argument("max_dt must be positive (0: no bound): got " +
                                  text(options.max_dt));
    if (options.max_dt > 0 && dt_ > options.max_dt)
      throw std::invalid_argument("a fixed step dt=" + text(dt_) + " is longer than max_dt=" +
                                  text(options.max_dt) + ": choose dt <= max_dt");
    advance_.x() = x0;
  }
  std::unique_ptr<Walk<X>> clone() const override { return std::make_unique<FixedWalk>(*this); }

  Status walk(Leg& leg) override {
    return step_by_step(
        t_, leg,
        [&](Time stop) {
          step(stop);
          if (t_ == leg.end) t_ = leg.land;
          return x_.isFinite().all() ? Status::success : Status::non_finite;
        },
        [] { return true; });
  }
  Counts counts() const override {
    Counts counts = advance_.counts();
    counts.drift_evaluations += this->redone_;
    return counts;
  }
  void check_end(Time t1) const override {
    if (t_ + dt_ == t_ || t1 - dt_ == t1)
      throw std::invalid_argument("dt=" + text(dt_) + " is below the resolution of t on [" +
                                  text(t_) + ", " + text(t1) + "]");
  }
  bool adaptive() const override { return false; }
  bool stiff() const override { return false; }
  void restart(Time t) override {
    this->behind_ = t;
    advance_.forget();
  }
  bool interpolates() const override { return false; }
  void interpolate(Time, X&) const override {}
  bool interpolates_as_steps() const override { return false; }
  int dense_degree() const override {
    if (noise_kind<P> != NoiseKind::none) return 1;
    return 1 + std::max(2, static_cast<int>(std::ceil(orders_.deterministic.value_or(2))));
  }
  bool redo(Time t, X& out) override {
    Advance<P, M, X> again(process_, method_, before_.rows(), before_.cols(), before_.cols(),
                           key_.seed, key_.path);
    again.x() = before_;
    const Time from = this->from(t_before_), to = std::min(t, step_end_);
    if (to > from) again.to(from, to);
    this->redone_ += again.counts().drift_evaluations;
    out = again.x();
    return out.isFinite().all();
  }
  double rtol() const override { return 0; }
  double negligible() const override { return 0; }

 private:
  void step(Time stop) {
    const Time regular = t0_ + static_cast<double>(step_ + 1) * dt_;
    // A step this much short of a stop is stretched to meet it: by the rounding of times at least.
    const Time slack =
        std::max(1e-9 * dt_, std::min(1e-2 * dt_, 4 * std::numeric_limits<Time>::epsilon() *
                                                      std::max(std::abs(t0_), std::abs(stop))));
    const Time next = regular >= stop - slack ? stop : regular;
    if (next >= regular - slack) ++step_;
    if (const Time from = this->from(t_); from < next) advance_.to(from, next);
    before_.swap(x_);
    x_ = advance_.x();
    t_before_ = std::exchange(t_, next);
    step_end_ = next;
  }

  const M& method_;
  PathKey key_;
  Orders orders_ = facts_of(method_).orders(noise_kind<P>);
  Advance<P, M, X> advance_;
  Time t0_;
  double dt_;
  Index step_ = 0;  // of the uniform grid
};

/// By the steps of an adaptive solver. Its Run may have `interpolate(t, out)`, the solution inside
/// the last accepted step, and `stiff()`.
template <class P, class M, State X>
class AdaptiveWalk final : public ProcessWalk<P, X> {
  using Run = typename M::template Run<P, X>;
  using Walk<X>::x_, Walk<X>::before_, Walk<X>::t_, Walk<X>::t_before_, Walk<X>::step_end_;
  using ProcessWalk<P, X>::process_;

 public:
  /// @throws std::invalid_argument  for a first step or tolerances that the solver refuses
  AdaptiveWalk(const P& process, const M& method, const X& x0, Time t0,
               const IntegrateOptions& options)
      : ProcessWalk<P, X>(process, x0, t0),
        method_(method),
        key_{options.seed, options.path},
        run_(fresh(x0.rows())),
        first_step_(options.dt),
        max_dt_(options.max_dt) {
    if (!(max_dt_ >= 0))
      throw std::invalid_argument("max_dt must be positive (0: no bound): got " + text(max_dt_));
    run_->first_step(first_step_);
  }
  std::unique_ptr<Walk<X>> clone() const override { return std::make_unique<AdaptiveWalk>(*this); }

  Status walk(Leg& leg) override {
    leg.max_dt = max_dt_;
    X from(x_);
    Time t_from = t_;
    t_ = this->from(t_);
    const std::function<bool()>* const after = leg.after;
    const std::function<bool()> told = [&] {
      swap_states(before_, from);
      assign(from, x_);
      land(leg);
      t_before_ = std::exchange(t_from, t_);
      return (*after)();
    };
    if (after) leg.after = &told;
    const Status status = walk_leg(*run_, x_, t_, leg, counts_);
    leg.after = after;
    land(leg);
    if (!after || status != Status::success) {
      before_ = x_;
      t_before_ = t_;
    }
    return status;
  }
  Counts counts() const override {
    Counts counts = counts_;
    counts.drift_evaluations += this->redone_;
    return counts;
  }
  void check_end(Time) const override {}
  bool adaptive() const override { return true; }
  bool stiff() const override {
    if constexpr (requires { bool{run_->stiff()}; })
      return stiff_ || run_->stiff();
    else
      return false;
  }
  void restart(Time t) override {
    this->behind_ = t;
    if constexpr (noise_kind<P> == NoiseKind::none) {
      stiff_ = stiff();
      run_.emplace(fresh(x_.rows()));
    }  // the run of an SDE holds its noise, and carries nothing else from step to step
    run_->first_step(first_step_);
  }
  bool interpolates() const override { return has_interpolant; }
  void interpolate([[maybe_unused]] Time t, [[maybe_unused]] X& out) const override {
    if constexpr (has_interpolant) run_->interpolate(this->inside(t), out);
  }
  bool interpolates_as_steps() const override {
    if constexpr (requires { Run::interpolates_as_steps; })
      return Run::interpolates_as_steps;
    else
      return has_interpolant;
  }
  int dense_degree() const override {
    if (noise_kind<P> != NoiseKind::none) return 1;
    if (!interpolates_as_steps())
      return 1 +
             static_cast<int>(facts_of(method_).orders(noise_kind<P>).deterministic.value_or(7));
    if constexpr (requires { Run::dense_degree; })
      return Run::dense_degree;
    else
      return 7;
  }
  bool redo(Time t, X& out) override {
    const Time from = this->from(t_before_), to = std::min(t, step_end_);
    out = before_;
    if (!(to > from)) return true;
    Run again = fresh(x_.rows());
    Counts counts;
    again.first_step(to - from);
    const Status status = run_to(again, out, from, to, counts);
    this->redone_ += counts.drift_evaluations;
    return status == Status::success;
  }
  double rtol() const override {
    if constexpr (requires { double{method_.rtol}; })
      return method_.rtol;
    else
      return 0;
  }
  double negligible() const override {
    if constexpr (requires { double{method_.atol}; })
      return 1e-4 * method_.atol;
    else
      return 0;
  }

 private:
  static constexpr bool has_interpolant = requires(const Run& run, Time t, X& out) {
    run.interpolate(t, out);
  };

  Run fresh(Index d) const { return make_run<Run>(method_, process_, d, key_); }

  void land(const Leg& leg) {
    if (t_ > leg.end) return;
    step_end_ = t_;
    if (t_ == leg.end) t_ = leg.land;
  }

  const M& method_;
  PathKey key_;
  std::optional<Run> run_;  // always there; made anew by restart
  double first_step_, max_dt_;
  bool stiff_ = false;  // found before the last restart
  Counts counts_;
};

/// The walk of `process` by `method` from x0.
template <class P, class M, State X>
AnyWalk<X> make_walk(const P& process, const M& method, const X& x0, Time t0,
                     const IntegrateOptions& options) {
  require_compatible<M, P>();
  using Steps = std::conditional_t<AdaptiveSolver<M>, AdaptiveWalk<P, M, X>, FixedWalk<P, M, X>>;
  return AnyWalk<X>(std::make_unique<Steps>(process, method, x0, t0, options));
}

}  // namespace fokker::detail
