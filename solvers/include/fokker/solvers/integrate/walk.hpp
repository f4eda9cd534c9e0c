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
#include <fokker/solvers/integrate/bound.hpp>
#include <fokker/solvers/integrate/integrate_options.hpp>
#include <fokker/solvers/noise/brownian_bridge.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker::detail {

/// A path, or a block with a joint step, on its way up in time. Process and solver are erased, so
/// that what is done after a step is compiled once per type of state; a step costs one virtual call
/// and one copy. The process must outlive it.
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

/// By regular steps, and the stops between.
template <class P, class B, State X>
class FixedWalk final : public ProcessWalk<P, X> {
  using S = typename X::Scalar;
  using M = typename B::Method;
  using Steps = Stepping<P, M, X, RunNoise<S>>;
  using Walk<X>::x_, Walk<X>::before_, Walk<X>::t_, Walk<X>::t_before_, Walk<X>::step_end_;
  using ProcessWalk<P, X>::process_;

 public:
  /// @throws std::invalid_argument  for a step size that is not positive and finite
  FixedWalk(const P& process, const B& bound, const X& x0, Time t0, const NoiseKey& key)
      : ProcessWalk<P, X>(process, x0, t0),
        regular_(times(bound.steps, t0, key.down)),
        key_(key),
        stepping_(process, bound.method, x0, noise(bound.method)) {}
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
    Counts counts = stepping_.counts();
    counts.drift_evaluations += this->redone_;
    return counts;
  }
  void check_end(Time t1) const override { regular_.check_end(t_, t1); }
  bool adaptive() const override { return false; }
  bool stiff() const override { return false; }
  void restart(Time t) override {
    this->behind_ = t;
    stepping_.forget();
  }
  bool interpolates() const override { return false; }
  void interpolate(Time, X&) const override {}
  bool interpolates_as_steps() const override { return false; }
  int dense_degree() const override {
    if (noise_kind<P> != NoiseKind::none) return 1;
    return 1 +
           std::max(
               2,
               static_cast<int>(std::ceil(
                   facts_of(stepping_.method()).orders(noise_kind<P>).deterministic.value_or(2))));
  }
  bool redo(Time t, X& out) override {
    Steps again(process_, stepping_.method(), before_, noise(stepping_.method()));
    const Time from = this->from(t_before_), to = std::min(t, step_end_);
    if (to > from) again.to(from, to);
    this->redone_ += again.counts().drift_evaluations;
    out = again.x();
    return out.isFinite().all();
  }
  double rtol() const override { return 0; }
  double negligible() const override { return 0; }

 private:
  static RegularTimes times(const Fixed& steps, Time t0, bool /*down*/) { return {t0, steps}; }
  static RegularTimes times(const OnGrid& steps, Time /*t0*/, bool down) {
    TimeGrid up = steps.times;
    if (down)
      for (Time& t : up) t = -t;
    return RegularTimes(std::move(up));
  }
  RunNoise<S> noise(const M& method) const {
    const X& x = this->x_;
    return {key_, x.cols(), wiener_dimension(process_, x.rows()), needs_of(method)};
  }

  void step(Time stop) {
    const Time next = regular_.next(stop);
    if (const Time from = this->from(t_); from < next) stepping_.to(from, next);
    before_.swap(x_);
    x_ = stepping_.x();
    t_before_ = std::exchange(t_, next);
    step_end_ = next;
  }

  RegularTimes regular_;
  NoiseKey key_;
  Steps stepping_;
};

/// By steps that are chosen on the way. The Run may have `interpolate(t, out)`, the solution inside
/// the last accepted step, and `stiff()`.
template <class P, class B, State X>
class AdaptiveWalk final : public ProcessWalk<P, X> {
  using Run = typename B::template Run<P, X>;
  using Walk<X>::x_, Walk<X>::before_, Walk<X>::t_, Walk<X>::t_before_, Walk<X>::step_end_;
  using ProcessWalk<P, X>::process_;

 public:
  /// @throws std::invalid_argument  as the run
  AdaptiveWalk(const P& process, const B& bound, const X& x0, Time t0, const NoiseKey& key)
      : ProcessWalk<P, X>(process, x0, t0), bound_(bound), key_(key), run_(fresh(x0.rows())) {}
  std::unique_ptr<Walk<X>> clone() const override { return std::make_unique<AdaptiveWalk>(*this); }

  Status walk(Leg& leg) override {
    leg.max_dt = bound_.max_step();
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
    } else if constexpr (requires { bound_.steps.first_step; }) {
      run_->first_step(bound_.steps.first_step);
    }  // the run of an SDE holds its noise, and carries nothing else from step to step
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
      return 1 + static_cast<int>(
                     facts_of(bound_.method).orders(noise_kind<P>).deterministic.value_or(7));
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
    if constexpr (requires { again.first_step(to - from); }) again.first_step(to - from);
    Leg leg{.end = to, .tries = 10'000'000};
    const Status status = run_to(again, out, from, leg, counts);
    this->redone_ += counts.drift_evaluations;
    return status == Status::success;
  }
  double rtol() const override {
    if constexpr (requires { run_->rtol(); })
      return run_->rtol();
    else
      return 0;
  }
  double negligible() const override {
    if constexpr (requires { run_->least_atol(); })
      return 1e-4 * run_->least_atol();
    else
      return 0;
  }

 private:
  static constexpr bool has_interpolant = requires(const Run& run, Time t, X& out) {
    run.interpolate(t, out);
  };

  Run fresh(Index d) const { return bound_.template run<P, X>(process_, d, key_); }

  void land(const Leg& leg) {
    if (t_ > leg.end) return;
    step_end_ = t_;
    if (t_ == leg.end) t_ = leg.land;
  }

  B bound_;
  NoiseKey key_;
  std::optional<Run> run_;  // always there; made anew by restart
  bool stiff_ = false;      // found before the last restart
  Counts counts_;
};

/// The walk of `process` by `bound` from x0.
template <class P, class B, State X>
AnyWalk<X> make_walk(const P& process, const B& bound, const X& x0, Time t0, const NoiseKey& key) {
  using Steps = std::conditional_t<B::regular, FixedWalk<P, B, X>, AdaptiveWalk<P, B, X>>;
  return AnyWalk<X>(std::make_unique<Steps>(process, bound, x0, t0, key));
}

}  // namespace fokker::detail
