#pragma once
/// @file  fokker/solvers/ode/adaptive_run.hpp
/// @brief What every adaptive one-step method for ODEs does: first step, landing, acceptance, nan.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fokker/solvers/core/interval.hpp>
#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/core/solution.hpp>
#include <fokker/solvers/core/step_control.hpp>
#include <fokker/solvers/core/steps.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker::detail {

/// Whether every number of the state is finite.
template <State X>
bool all_finite(const X& x) {
  if constexpr (fits_in_registers<X>) {
    bool finite = true;
    for_each_number<X>([&](Index i) { finite = finite && std::isfinite(x.coeff(i)); });
    return finite;
  } else {
    return x.isFinite().all();
  }
}

/// The choice of a first step, from norms in units of the tolerance: one or more trial points along
/// the solution, and then the step whose estimated error is about a hundredth of the tolerance. It
/// scales with the unit of time and does not depend on the origin.
///
/// With d1 the norm of f, and tau the time in which f changes by its own size, the error of a step
/// of h is taken to be d1 h (h / tau)^(power - 1), as it is where the derivatives of the solution
/// grow by 1 / tau each. The step is at most a tenth of tau: error estimates may vanish where h and
/// tau are comparable (for x' = lambda x, tau = 1 / |lambda|), but not below.
/// Source: after Hairer, Norsett & Wanner (1993), II.4, "Starting step size", whose rule depends on
/// the unit of time.
class FirstStep {
 public:
  /// @param d0, d1  norms of x and f
  FirstStep(double d0, double d1, Time t, Time span) : d1_(d1), span_(span) {
    constexpr double epsilon = std::numeric_limits<Time>::epsilon();
    finest_ = 64 * epsilon * std::abs(t);
    look_at(d1 > 0 ? 0.01 * std::max(d0, 1.0) / d1 : 1e-3 * span);
  }

  /// How far ahead to look.
  Time look() const { return look_; }

  /// @param change  norm of the change of f over the look
  /// @return        whether it is so large that a closer look is needed
  bool again(double change) {
    change_ = change;
    if (!(change > d1_ && d1_ > 0) || !(look_ > finest_) || ++closer_ > 4) return false;
    look_at(std::max(0.1 * d1_ / change, 1e-3) * look_);
    return true;
  }

  /// The step, for an error that follows h^power.
  Time size(int power) const {
    const double steepest = std::max(d1_, change_), tau = look_ * (steepest / change_);
    double h =
        change_ > 0
            ? std::min(std::pow(0.01 / steepest, 1.0 / power) * std::pow(tau, 1 - 1.0 / power),
                       0.1 * tau)
            : 100 * look_;
    h = std::min(std::max(h, finest_ / 16), span_);
    return h > 0 ? h : 1e-6 * span_;  // also where f is nan
  }

 private:
  void look_at(Time h) {
    look_ = std::max(h, finest_);
    if (!(look_ < span_)) look_ = span_;
  }

  double d1_, change_ = 0;
  Time span_, finest_, look_ = 0;
  int closer_ = 0;
};

/// A step of h between t and t1, shortened to a difference of times as they can be there: sums of
/// the steps are then the times. That of h itself, where times are so close to each other that it
/// makes no difference, or so far from each other that nothing is left.
inline Time representable(Time h, Time t, Time t1) {
  const Time grain = std::abs(t) + std::abs(t1);
  const Time unit = std::numeric_limits<Time>::epsilon() * grain;
  if (unit <= 1e-10 * h) return h;
  const Time shorter = (grain + (h - unit / 2)) - grain;
  return shorter > 0 ? shorter : h;
}

/// The loop around the steps of `Method`, a class derived from this one, over one state: a path, or
/// a block with a joint step. The process must outlive it. `Method` has
///
///     start(x)                         shapes its arrays; called once
///     refresh(x, t, counts)            slope() = f(x, t)
///     attempt(x, t, h, counts)         next_ = x(t + h); returns the error, 1 just allowed
///     slope()                          f(x, t), as refreshed
///     accept()                         the step is taken
template <class Method, class P, State X>
class AdaptiveRun {
  using S = typename X::Scalar;

 public:
  /// @param errors       tolerances and control of the run
  /// @param error_order  q, where the error estimate is O(h^(q+1))
  /// @param d            rows of the state
  /// @throws std::invalid_argument  for a controller outside its ranges
  AdaptiveRun(const P& process, const ErrorControl& errors, const Adaptive& steps, int error_order,
              Index d)
      : process_(&process),
        controller_(errors.control, error_order + 1),
        rtol_(errors.rtol),
        atol_(errors.column<S, X::RowsAtCompileTime>(d)),
        least_atol_(errors.least_atol()),
        error_power_(error_order + 1) {
    first_step(steps.first_step);
  }

  /// The first step to try; 0: chosen from the size of f and of its change along the solution. Of a
  /// step that is given nothing is known, and error estimates may vanish where the error does not:
  /// before it is accepted, two unequal steps over it must lead to the same state within the
  /// tolerance.
  /// @throws std::invalid_argument  for h < 0 or not finite
  void first_step(Time h) {
    check_first_step(h);
    h_ = h;
    unconfirmed_ = h > 0;
  }

  /// Tries one step from (x, t) towards t1 > t, which is never passed. An accepted step (see
  /// `accepted`) replaces x and t; the last one sets t = t1 exactly. A rejected one, also one that
  /// met a nan, shortens the next. Between calls x and t must stay what the last accepted step made
  /// them.
  /// @return success; step_underflow, or non_finite if a nan is the cause, where t + h == t
  Status try_step(X& x, Time& t, Time t1, Counts& counts) {
    begin(x, t, t1, counts);
    return step(x, t, t1, counts);
  }

  /// Whether the last `try_step` advanced the state.
  bool accepted() const { return accepted_; }

  /// The error of the last step tried, in units of the tolerance; nan where it met one.
  double error() const { return error_; }

  /// Where the last accepted step began.
  Time step_start() const { return step_start_; }
  const X& start_state() const { return next_; }

  double rtol() const { return rtol_; }
  double least_atol() const { return least_atol_; }

 protected:
  /// What the first step needs.
  void begin(const X& x, Time t, Time t1, Counts& counts) {
    if (!started_) {
      next_.resizeLike(x);
      next_ = x;
      self().start(x);
      started_ = true;
    }
    if (h_ == 0) {
      self().refresh(x, t, counts);
      h_ = initial_step(x, t, t1, counts);
    }
  }

  /// A step to be tried; `last`: it ends at the stop.
  struct Trial {
    Time h, stop;
    bool last;
  };

  /// A step after that: as try_step.
  Status step(X& x, Time& t, Time t1, Counts& counts) {
    const Status status = prepare(x, t, counts);
    if (status != Status::success) return status;
    const Trial tried = trial(t, t1);
    error_ = self().attempt(x, t, tried.h, counts);
    settle(x, t, tried, counts);
    return Status::success;
  }

  /// Before a step is tried. @return as try_step
  Status prepare(const X& x, Time t, Counts& counts) {
    accepted_ = false;
    self().refresh(x, t, counts);
    return t + h_ == t ? underflow() : Status::success;
  }

  /// Whether the next step is to be looked at whatever its error is.
  bool doubtful() const { return unconfirmed_ || controller_.doubtful(); }

  /// Whether a step of size h is clipped at t1, or stretched a little to meet it. After such a step
  /// the next is the one that was meant, and the controller has not seen the error, which says
  /// nothing new.
  static bool ends(Time t, Time h, Time t1) { return t + 1.0001 * h >= t1; }

  Trial trial(Time t, Time t1) const {
    const Time h = representable(h_, t, t1);
    const bool last = ends(t, h, t1);
    return {.h = last ? t1 - t : h, .stop = t1, .last = last};
  }

  /// What comes of the step that was tried, from its error.
  void settle(X& x, Time& t, const Trial& tried, Counts& counts) {
    if (controller_.doubts(error_)) error_ = controller_.expected();
    if (unconfirmed_ && StepController::accepts(error_)) {
      const double difference = disagreement(x, t, tried.h, counts);
      if (!StepController::accepts(difference)) error_ = difference;
    }
    if (!StepController::accepts(error_) || !all_finite(next_)) {
      if (StepController::accepts(error_)) error_ = std::numeric_limits<double>::quiet_NaN();
      h_ = tried.h * self().factor(tried.h, error_);
      finite_ = std::isfinite(error_);
      unconfirmed_ = unconfirmed_ && !(error_ < 0.02 * norm(next_, x, next_));
      ++counts.rejected;
      return;
    }
    unconfirmed_ = false;
    const Time reach = reach_ = std::max(reach_, tried.stop - t);
    if (!tried.last) h_ *= self().factor(tried.h, error_);
    controller_.trust();
    if (error_ == 0) h_ = std::min(h_, std::max(tried.h, 0.1 * reach));
    ++counts.accepted;
    accepted_ = true;
    self().accept();
    swap_states(x, next_);
    step_start_ = t;
    step_ = tried.h;
    t = tried.last ? tried.stop : t + tried.h;
  }

  /// The factor from the step just tried, of size h, to the next, after its error. A method that
  /// knows more than the error has its own.
  double factor(Time /*h*/, double error) { return controller_.factor(error); }

  /// out = f(x, t), counted.
  void evaluate(const X& x, Time t, X& out, Counts& counts) const {
    evaluate_drift(*process_, x, t, out);
    ++counts.drift_evaluations;
  }

  /// max |e| / (atol + rtol max(|x|, |y|)) over the components and paths; nan if there is one.
  template <class E, class X0, class Y>
  double norm(const E& e, const X0& x, const Y& y) const {
    if constexpr (fits_in_registers<X>) {
      S worst = 0, sum = 0;  // without a branch on which of the components is the worst
      for_each_number<X>([&](Index i) {
        const S ratio =
            std::abs(e.coeff(i)) /
            (atol_.coeff(i) + S(rtol_) * std::max(std::abs(x.coeff(i)), std::abs(y.coeff(i))));
        worst = std::max(worst, ratio);
        sum += ratio;
      });
      if (std::isnan(sum)) [[unlikely]]
        return static_cast<double>(sum);
      return static_cast<double>(worst);
    } else {
      return static_cast<double>((e.abs() / ((S(rtol_) * x.abs().max(y.abs())).colwise() + atol_))
                                     .template maxCoeff<Eigen::PropagateNaN>());
    }
  }

  /// How long the last accepted step was.
  Time step_size() const { return step_; }

  /// The error that component i may have at size x.
  double tolerance(Index i, double x) const {
    return static_cast<double>(atol_[i]) + rtol_ * std::abs(x);
  }

  /// Where t is in the last accepted step: 0 at its start, 1 at its end.
  /// @throws std::invalid_argument  for t outside, or if no step was accepted
  double theta(Time t) const {
    constexpr double slack = 1e-9;  // the ends are rounded
    const double theta = (t - step_start_) / step_;
    if (!accepted_ || !(theta >= -slack && theta <= 1 + slack))
      throw std::invalid_argument(
          text("interpolate needs a time in the step last accepted, [{}, {}]: got {}",
               {step_start_, step_start_ + step_, t}));
    return theta;
  }

  const P* process_;
  X next_;            // the state tried; after acceptance the one at the start of the step
  double error_ = 0;  // of the step tried
  StepController controller_;

 private:
  Method& self() { return static_cast<Method&>(*this); }

  /// See FirstStep.
  Time initial_step(const X& x, Time t, Time t1, Counts& counts) {
    const X& slope = self().slope();
    FirstStep first(norm(x, x, x), norm(slope, x, x), t, t1 - t);
    X change = slope;  // shaped like x
    do {
      next_ = x + S(first.look()) * slope;
      evaluate(next_, t + first.look(), change, counts);
      change -= slope;
    } while (first.again(norm(change, x, x)));
    return first.size(error_power_);
  }

  /// The difference, in units of the tolerance, between next_ and where two steps lead whose sizes
  /// have no simple ratio to each other.
  [[gnu::noinline]] double disagreement(const X& x, Time t, Time h, Counts& counts) {
    constexpr double part = 0.3819660112501051;  // (3 - sqrt 5) / 2
    Method other(self());
    AdaptiveRun& run = other;
    X at(x);
    other.attempt(at, t, part * h, counts);
    other.accept();
    swap_states(at, run.next_);
    run.step_start_ = t;
    run.step_ = part * h;
    other.refresh(at, t + part * h, counts);
    other.attempt(at, t + part * h, h - part * h, counts);
    at = run.next_ - next_;
    return norm(at, x, next_);
  }

  /// Why the step became too small: something that is not finite, or accuracy.
  Status underflow() {
    const bool finite = finite_ && self().slope().isFinite().all() && next_.isFinite().all();
    return finite ? Status::step_underflow : Status::non_finite;
  }

  double rtol_;
  Eigen::Array<S, X::RowsAtCompileTime, 1> atol_;
  double least_atol_;
  int error_power_;
  Time h_ = 0, step_start_ = 0, step_ = 0;
  Time reach_ = 0;  // the longest way to a stop that there was
  bool started_ = false, accepted_ = false;
  bool finite_ = true;        // the error of the last step rejected
  bool unconfirmed_ = false;  // the first step was given, and since then no error was informative
};

}  // namespace fokker::detail
