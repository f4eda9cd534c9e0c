#pragma once
/// @file  fokker/solvers/integrate/integrator.hpp
/// @brief The steps of one path, by whichever solver: what `integrate` drives.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <numbers>
#include <optional>
#include <type_traits>
#include <utility>

#include <fokker/solvers/core/interval.hpp>
#include <fokker/solvers/integrate/bound.hpp>
#include <fokker/solvers/integrate/dense.hpp>
#include <fokker/solvers/noise/brownian_bridge.hpp>

namespace fokker::detail {

/// A path, or a block with a joint step, on its way up in time. Process and solver are erased, so
/// that what is done between steps is compiled once per type of state. The process must outlive it.
template <State X>
class Integrator {
  using S = typename X::Scalar;

 public:
  template <class P>
  Integrator(const P& process, const X& x0, Time t0)
      : x_(x0),
        before_(x0),
        t_(t0),
        t_before_(t0),
        process_(&process),
        is_ode_(noise_kind<P> == NoiseKind::none),
        drift_([](const void* p, const X& x, Time t, X& f) {
          evaluate_drift(*static_cast<const P*>(p), x, t, f);
        }),
        variance_([](const void* p, const X& x, Time t, Index component) {
          Eigen::Array<double, 1, Eigen::Dynamic> rate;
          X sum = x, column = x;
          component_variance(*static_cast<const P*>(p), x, t, component, sum, column, rate);
          return rate[0];
        }) {}
  virtual ~Integrator() = default;

  /// A copy of the whole state, the solver's own included, which goes on to the same bits.
  virtual std::unique_ptr<Integrator> clone() const = 0;

  const X& x() const { return x_; }
  Time t() const { return t_; }

  /// The start of the step that `StepObserver::at_rest` is shown; without that, or after a failure,
  /// x and t.
  const X& before() const { return before_; }
  Time t_before() const { return t_before_; }

  /// Goes on to the end of the interval, which is never passed: to the same bits whether somebody
  /// looks after each step or not. Leaves the times of the observer as they are.
  /// @param observer  may be null
  /// @return success there or where the observer ends it; as the solver's steps, non_finite also
  ///         for such a state; cancelled; too_many_steps
  virtual Status advance(Interval& interval, StepObserver<X>* observer) = 0;

  /// Steps and evaluations so far, those for values inside a step too.
  Counts counts() const {
    Counts counts = of_steps();
    counts.drift_evaluations += extra_drifts_;
    return counts;
  }

  /// Refuses an end that its steps cannot reach. @throws std::invalid_argument
  virtual void check_end(Time t1) const = 0;

  virtual bool adaptive() const = 0;
  virtual bool stiff() const = 0;
  bool is_ode() const { return is_ode_; }

  /// Goes on behind a time where the coefficients jump: the solver forgets its slopes, its step
  /// size and all else that it carries from step to step, but not where its noise is. The next step
  /// starts at `t`, just behind the jump.
  void restart(Time t) {
    jump_ = t_;
    behind_ = t;
    has_slope_before_ = false;
    forget();
  }

  /// Changes of x of this size are below the resolution of the solver: 1e-4 of its absolute
  /// tolerance; of a fixed step 0.
  virtual double negligible() const = 0;

  /// out = f(x, t) of an ODE.
  void slope(const X& x, Time t, X& out) {
    out.resizeLike(x);
    drift_(process_, x, t, out);
    ++extra_drifts_;
  }
  /// f of an ODE where the path is; from here on, if the coefficients jump there.
  const X& slope_here() {
    return known(slope_before_, has_slope_before_, x_, std::max(t_, behind_));
  }
  /// f of an ODE at the end of the last step, now left.
  const X& slope_at_end() { return known(slope_before_, has_slope_before_, x_, inside(t_)); }

  /// The rate of quadratic variation of a component of one path, at the start of the last step: 0
  /// for an ODE.
  double variance(Index component) const {
    return variance_(process_, before_, t_before_, component);
  }

  /// The last step is looked at, from now on until `leave_step`.
  void enter_step() {
    if (t_before_ != left_at_) has_slope_before_ = false;  // other steps went by
    inside_.clear();
  }
  /// The end of the step becomes the start of the next.
  void leave_step() {
    if (has_slope_after_) slope_before_.swap(slope_after_);
    has_slope_before_ = std::exchange(has_slope_after_, false);
    left_at_ = t_;
  }

  /// out = the path at t in the last step, of an ODE as accurate as the steps.
  void interpolate(Time t, X& out);

  /// The same for a first look: by what costs least.
  void glance(Time t, X& out);

  /// Adds the last step to dense output, on the user's clock.
  void append_to(DenseOutput<X>& dense, double sign) {
    dense.append(sign * t_before_, sign * t_, degree(), [&](Time t, X& out) {
      out.resizeLike(x_);
      interpolate(sign * t, out);
    });
  }

 protected:
  virtual Counts of_steps() const = 0;
  virtual void forget() = 0;

  /// Whether the solver has an interpolant of its own, and its value: x(t) in the last accepted
  /// step.
  virtual bool interpolates() const = 0;
  virtual void solver_interpolate(Time t, X& out) const = 0;
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

  /// Where a step that starts at t does so: just behind a jump of the coefficients if t is there.
  Time from(Time t) const { return std::max(t, behind_); }
  /// The time of the last step that is nearest to t, jumps of the coefficients at its ends left
  /// out.
  Time inside(Time t) const { return std::clamp(t, from(t_before_), step_end_); }

  /// Of the step from x_ at t_before_, shown at `t_`, to the end of the interval or before it.
  void land(const Interval& interval) {
    if (t_ > interval.end) return;
    step_end_ = t_;
    if (t_ == interval.end) t_ = interval.land;
  }

  X x_, before_;
  Time t_, t_before_;
  Time behind_ = -std::numeric_limits<Time>::infinity();  // the last jump of the coefficients
  Time jump_ = behind_;                                   // itself
  Time step_end_ = 0;               // of the last step, before a jump of the coefficients
  std::uint64_t extra_drifts_ = 0;  // evaluations of f beside the steps

 private:
  /// f at an end of the step, evaluated once, where it is asked for.
  const X& known(X& f, bool& is_known, const X& x, Time t) {
    if (!std::exchange(is_known, true)) slope(x, t, f);
    return f;
  }

  /// out = the cubic with the values and slopes of both ends of the step.
  void cubic(Time t, X& out);
  /// The polynomial through shorter steps from the start of the last one, of a degree with which it
  /// agrees with one between.
  void fill_inside();
  /// The degree of the polynomial of the last step.
  int degree() {
    if (!is_ode_) return 1;
    if (interpolates_as_steps()) return dense_degree();
    if (inside_.empty()) fill_inside();
    return inside_.degree();
  }

  const void* process_;
  bool is_ode_;
  void (*drift_)(const void*, const X&, Time, X&);
  double (*variance_)(const void*, const X&, Time, Index);
  X slope_before_, slope_after_;  // where the last step starts and ends, if known
  bool has_slope_before_ = false, has_slope_after_ = false;
  Time left_at_ = t_;      // the end of the last step looked at
  DenseOutput<X> inside_;  // of the last step, where `redo` makes it
};

template <State X>
void Integrator<X>::interpolate(Time t, X& out) {
  if (t == t_) {
    out = x_;
  } else if (t == t_before_) {
    out = before_;
  } else if (!is_ode_) {
    const double part = (t - t_before_) / (t_ - t_before_);
    out = S(1 - part) * before_ + S(part) * x_;
  } else if (interpolates_as_steps()) {
    solver_interpolate(t, out);
  } else {
    if (inside_.empty()) fill_inside();
    out = inside_(t);
  }
}

template <State X>
void Integrator<X>::glance(Time t, X& out) {
  if (t != t_ && t != t_before_) {
    if (interpolates()) return solver_interpolate(t, out);
    if (!adaptive()) return cubic(t, out);
  }
  interpolate(t, out);
}

template <State X>
void Integrator<X>::cubic(Time t, X& out) {
  const Time h = t_ - t_before_;
  const double part = (t - t_before_) / h, rest = 1 - part;
  const X& fa = known(slope_before_, has_slope_before_, before_, inside(t_before_));
  const X& fb = known(slope_after_, has_slope_after_, x_, inside(t_));
  out = S(rest * rest * (1 + 2 * part)) * before_ + S(part * part * (1 + 2 * rest)) * x_ +
        S(h * part * rest * rest) * fa - S(h * part * part * rest) * fb;
}

template <State X>
void Integrator<X>::fill_inside() {
  constexpr int most = 32;
  const auto value = [&](Time t, X& out) {
    out.resizeLike(x_);
    if (t == t_)
      out = x_;
    else if (t == t_before_)
      out = before_;
    else if (!redo(t, out))
      cubic(t, out);
  };
  X between = x_;
  for (int degree = dense_degree();; degree = std::min(2 * degree, most)) {
    inside_.clear();
    inside_.append(t_before_, t_, degree, value);
    if (rtol() == 0 || degree == most) return;
    const Time t =
        t_before_ +
        (0.5 - 0.5 * std::cos(std::numbers::pi * (degree / 2 + 0.5) / degree)) * (t_ - t_before_);
    value(t, between);
    const double resolution = 0.1 * rtol() + 4 * std::numeric_limits<S>::epsilon();
    const auto size = [](const X& x) { return static_cast<double>(x.abs().maxCoeff()); };
    if (size(X(inside_(t) - between)) <= resolution * size(between)) return;
  }
}

/// By regular steps, and the stops between.
template <class P, class B, State X>
class FixedIntegrator final : public Integrator<X> {
  using S = typename X::Scalar;
  using M = typename B::Method;
  using Steps = Stepping<P, M, X, RunNoise<S>>;
  using Integrator<X>::x_, Integrator<X>::before_, Integrator<X>::t_, Integrator<X>::t_before_,
      Integrator<X>::step_end_;

 public:
  /// @throws std::invalid_argument  for a step size that is not positive and finite
  FixedIntegrator(const P& process, const B& bound, const X& x0, Time t0, const NoiseKey& key)
      : Integrator<X>(process, x0, t0),
        process_(process),
        regular_(times(bound.steps, t0, key.down)),
        key_(key),
        stepping_(process, bound.method, x0, noise(bound.method)) {}
  std::unique_ptr<Integrator<X>> clone() const override {
    return std::make_unique<FixedIntegrator>(*this);
  }

  Status advance(Interval& interval, StepObserver<X>* observer) override {
    return step_by_step(
        t_, interval,
        [&](Time stop) {
          step(stop);
          if (t_ == interval.end) t_ = interval.land;
          return x_.isFinite().all() ? Status::success : Status::non_finite;
        },
        [&] { return !observer || observer->show(t_, x_); });
  }
  void check_end(Time t1) const override { regular_.check_end(t_, t1); }
  bool adaptive() const override { return false; }
  bool stiff() const override { return false; }
  double negligible() const override { return 0; }

 private:
  Counts of_steps() const override { return stepping_.counts(); }
  void forget() override { stepping_.forget(); }
  bool interpolates() const override { return false; }
  void solver_interpolate(Time, X&) const override {}
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
    this->extra_drifts_ += again.counts().drift_evaluations;
    out = again.x();
    return out.isFinite().all();
  }
  double rtol() const override { return 0; }

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

  const P& process_;
  RegularTimes regular_;
  NoiseKey key_;
  Steps stepping_;
};

/// By steps that are chosen on the way. The Run may have `interpolate(t, out)`, the solution inside
/// the last accepted step, and `stiff()`.
template <class P, class B, State X>
class AdaptiveIntegrator final : public Integrator<X> {
  using Run = typename B::template Run<P, X>;
  using Integrator<X>::x_, Integrator<X>::before_, Integrator<X>::t_, Integrator<X>::t_before_,
      Integrator<X>::step_end_;

 public:
  /// @throws std::invalid_argument  as the run
  AdaptiveIntegrator(const P& process, const B& bound, const X& x0, Time t0, const NoiseKey& key)
      : Integrator<X>(process, x0, t0),
        process_(process),
        bound_(bound),
        key_(key),
        run_(fresh(x0.rows())) {}
  std::unique_ptr<Integrator<X>> clone() const override {
    return std::make_unique<AdaptiveIntegrator>(*this);
  }

  Status advance(Interval& interval, StepObserver<X>* observer) override {
    interval.max_dt = bound_.max_step();
    X from(x_);
    Time t_from = t_;
    t_ = this->from(t_);
    const auto taken = [&] {
      if (!observer) return true;
      if constexpr (requires { run_->start_state(); }) {
        before_ = run_->start_state();
        t_before_ = run_->step_start() == this->behind_ ? this->jump_ : run_->step_start();
        this->land(interval);
      } else {
        swap_states(before_, from);
        assign(from, x_);
        this->land(interval);
        t_before_ = std::exchange(t_from, t_);
      }
      return observer->show(t_, x_);
    };
    const Status status = detail::advance(*run_, x_, t_, interval, counts_, observer, taken);
    this->land(interval);
    if (!observer || status != Status::success) {
      before_ = x_;
      t_before_ = t_;
    }
    return status;
  }
  void check_end(Time) const override {}
  bool adaptive() const override { return true; }
  bool stiff() const override {
    if constexpr (requires { bool{run_->stiff()}; })
      return stiff_ || run_->stiff();
    else
      return false;
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

  Counts of_steps() const override { return counts_; }
  void forget() override {
    if constexpr (noise_kind<P> == NoiseKind::none) {
      stiff_ = stiff();
      run_.emplace(fresh(x_.rows()));
    } else if constexpr (requires { bound_.steps.first_step; }) {
      run_->first_step(bound_.steps.first_step);
    }  // the run of an SDE holds its noise, and carries nothing else from step to step
  }
  bool interpolates() const override { return has_interpolant; }
  void solver_interpolate([[maybe_unused]] Time t, [[maybe_unused]] X& out) const override {
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
    Interval interval{.end = to, .tries = 10'000'000};
    const Status status = run_to(again, out, from, interval, counts);
    this->extra_drifts_ += counts.drift_evaluations;
    return status == Status::success;
  }
  double rtol() const override {
    if constexpr (requires { run_->rtol(); })
      return run_->rtol();
    else
      return 0;
  }

  Run fresh(Index d) const { return bound_.template run<P, X>(process_, d, key_); }

  const P& process_;
  B bound_;
  NoiseKey key_;
  std::optional<Run> run_;  // always there; made anew by forget
  bool stiff_ = false;      // found before the last restart
  Counts counts_;
};

/// The integrator of `process` by `bound` from x0.
template <class P, class B, State X>
std::unique_ptr<Integrator<X>> make_integrator(const P& process, const B& bound, const X& x0,
                                               Time t0, const NoiseKey& key) {
  using Steps =
      std::conditional_t<B::regular, FixedIntegrator<P, B, X>, AdaptiveIntegrator<P, B, X>>;
  return std::make_unique<Steps>(process, bound, x0, t0, key);
}

}  // namespace fokker::detail
