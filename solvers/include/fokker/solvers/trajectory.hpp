#pragma once
/// @file  fokker/solvers/trajectory.hpp
/// @brief The run behind `integrate`: what is looked at, kept and said after each step.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fokker/solvers/integrate_options.hpp>
#include <fokker/solvers/text.hpp>
#include <fokker/solvers/walk.hpp>

namespace fokker::detail {

[[noreturn]] void refuse_save_at(Time t);

/// The run of one path or block. Its clock goes up; `sign` is that of the user's clock. It rests
/// between two steps or, where a terminal event ended a run, inside the last one, whose rest the
/// next run tells first. A copy goes on to the same bits.
template <State X>
class Trajectory {
  using S = typename X::Scalar;

 public:
  /// Called with the user's time after each accepted step; false ends the run. Empty: nobody.
  using OnStep = std::function<bool(Time, const X&)>;

  /// @throws std::invalid_argument  for bad options
  Trajectory(AnyWalk<X> walk, double sign, const IntegrateOptions& options)
      : options_(options),
        sign_(sign),
        walk_(std::move(walk)),
        watch_(options.events, walk_->x().rows(), walk_->x().cols(), sign, options.seed,
               options.path),
        first_size_(size(walk_->x())) {
    check_save_at();
    if (!(options.steady_state_tolerance >= 0))
      throw std::invalid_argument("steady_state_tolerance must not be negative: got " +
                                  text(options.steady_state_tolerance));
    if (!walk_->is_ode() && options.steady_state_tolerance > 0)
      throw std::invalid_argument("an SDE has no steady state: leave steady_state_tolerance at 0");
  }

  Time t() const { return sign_ * walk_->t(); }

  /// Walks on to t1, or until something ends the run. @param t1  on the user's clock, ahead
  Solution<X> run(Time t1, const OnStep& on_step) {
    const Time from = walk_->t(), to = sign_ * t1;
    walk_->check_end(to);
    Solution<X> solution;
    solution.dense = DenseOutput<X>(walk_->interpolates() ? walk_->dense_degree()
                                    : walk_->is_ode()     ? 3
                                                          : 1);
    const auto after_step = [&] {
      if (options_.dense) append(solution);
      return tell_events(solution) && tell_step(solution, from, to, on_step);
    };
    if (!started_) start(solution);
    if (!in_step_ || after_step()) {
      if (on_step || watched())
        take_steps(to, solution, after_step);
      else
        walk(to, solution);
    }
    if (solution.status != Status::event) end_at(solution, walk_->t(), walk_->x());
    solution.counts = walk_->counts();
    solution.counts.drift_evaluations += slopes_;
    if (walk_->stiff()) solution.warning = stiff_advice;
    return solution;
  }

 private:
  static constexpr const char* stopped_from_outside = "stopped from outside";
  static constexpr const char* stiff_advice =
      "the problem looks stiff: try rodas5p or radau5 instead of an explicit method";

  /// Whether the steps between two stops are looked at.
  bool watched() const {
    return options_.save_at.empty() || !options_.events.empty() || options_.dense ||
           options_.progress || options_.steady_state_tolerance > 0;
  }

  /// The steps up to t1 that nobody looks at, from stop to stop.
  void walk(Time t1, Solution<X>& solution) {
    std::uint64_t tries = options_.max_steps;
    while (walk_->t() < t1) {
      Leg leg{.end = next_stop(t1), .tries = tries, .cancel = options_.cancel};
      const Status status = walk_->walk(leg);
      tries = leg.tries;
      if (status != Status::success && status != Status::cancelled) return fail(solution, status);
      save_until(solution, walk_->t());
      leave_step();
      if (status == Status::cancelled)
        return finish(solution, status, walk_->t(), stopped_from_outside);
    }
  }

  /// The steps up to t1; `after_step` is false where one ends the run.
  void take_steps(Time t1, Solution<X>& solution, const auto& after_step) {
    bool go_on = true;
    const std::function<bool()> after = [&] {
      in_step_ = true;
      look();
      go_on = after_step();
      return go_on;
    };
    std::uint64_t tries = options_.max_steps;
    while (go_on && walk_->t() < t1) {
      Leg leg{.end = next_stop(t1), .tries = tries, .after = &after};
      const Status status = walk_->walk(leg);
      tries = leg.tries;
      if (status != Status::success) return fail(solution, status);
    }
  }

  /// What comes before the first step.
  void start(Solution<X>& solution) {
    started_ = true;
    watch_.start(options_.events, walk_->x(), walk_->t());
    if (options_.save_at.empty())
      save(solution, walk_->t(), walk_->x());
    else
      save_until(solution, walk_->t());
  }

  /// Finds the events of the step.
  void look() {
    if (options_.events.empty()) return;
    told_ = 0;
    found_ = watch_.look(
        options_.events, walk_->t_before(), walk_->x(), walk_->t(),
        [&](Time t, X& out) { interpolate(t, out); },
        [&](Index component) { return walk_->variance(component); });
  }

  /// Tells the events of the step, up to a terminal one; false if one ends the run.
  bool tell_events(Solution<X>& solution) {
    while (told_ < found_.size()) {
      FoundEvent<X> found = found_[told_++];
      const Event& event = options_.events[found.event];
      const Time t = std::exchange(found.t, sign_ * found.t);
      save_until(solution, t);
      solution.events.push_back(found);
      if (event.terminal) {
        if (options_.save_at.empty()) save(solution, t, found.x);
        if (options_.dense) solution.dense.truncate(found.t);
        end_at(solution, t, found.x);
        finish(solution, Status::event, t,
               event.name.empty() ? "number " + std::to_string(found.event) : event.name);
        return false;
      }
    }
    return true;
  }

  /// Tells the end of the step; false if it is the end of the run.
  bool tell_step(Solution<X>& solution, Time t0, Time t1, const OnStep& on_step) {
    const Time t = walk_->t();
    const X& x = walk_->x();
    if (options_.save_at.empty())
      save(solution, t, x);
    else
      save_until(solution, t);
    leave_step();
    if (options_.progress) options_.progress((t - t0) / (t1 - t0));
    if ((on_step && !on_step(sign_ * t, x)) || (options_.cancel && options_.cancel->load())) {
      finish(solution, Status::cancelled, t, stopped_from_outside);
      return false;
    }
    if (options_.steady_state_tolerance > 0 && steady()) {
      finish(solution, Status::steady_state, t, "f is below steady_state_tolerance");
      return false;
    }
    return true;
  }

  /// The end of the step becomes the start of the next.
  void leave_step() {
    in_step_ = false;
    if (has_slope_after_) slope_before_.swap(slope_after_);
    has_slope_before_ = std::exchange(has_slope_after_, false);
  }

  /// Whether f is as small as asked where the last step, now left, ended.
  bool steady() {
    const X& x = walk_->x();
    const X& f = slope(slope_before_, has_slope_before_, x, walk_->t());
    const S tolerance = static_cast<S>(options_.steady_state_tolerance);
    return (f.abs() <= tolerance * (S(1) + x.abs())).all();
  }

  /// f at an end of the step, evaluated once, where it is asked for.
  const X& slope(X& f, bool& known, const X& x, Time t) {
    if (!std::exchange(known, true)) {
      walk_->slope(x, t, f);
      ++slopes_;
    }
    return f;
  }

  /// out = the path at t in the last step.
  void interpolate(Time t, X& out) {
    const X &a = walk_->before(), &b = walk_->x();
    const Time ta = walk_->t_before(), tb = walk_->t(), h = tb - ta;
    const double part = (t - ta) / h, rest = 1 - part;
    if (t == tb) {
      out = b;
    } else if (t == ta) {
      out = a;
    } else if (walk_->interpolates()) {
      walk_->interpolate(t, out);
    } else if (walk_->is_ode()) {  // the cubic with the values and slopes of both ends
      const X& fa = slope(slope_before_, has_slope_before_, a, ta);
      const X& fb = slope(slope_after_, has_slope_after_, b, tb);
      out = S(rest * rest * (1 + 2 * part)) * a + S(part * part * (1 + 2 * rest)) * b +
            S(h * part * rest * rest) * fa - S(h * part * part * rest) * fb;
    } else {
      out = S(rest) * a + S(part) * b;
    }
  }

  void append(Solution<X>& solution) {
    solution.dense.append(sign_ * walk_->t_before(), sign_ * walk_->t(), [&](Time t, X& out) {
      out.resizeLike(walk_->x());
      interpolate(sign_ * t, out);
    });
  }

  void save(Solution<X>& solution, Time t, const X& x) {
    solution.t.push_back(sign_ * t);
    solution.x.push_back(x);
  }

  /// Saves what `save_at` asks for up to t, in the last step.
  void save_until(Solution<X>& solution, Time t) {
    for (; saved_ < options_.save_at.size() && next_save() <= t; ++saved_) {
      X x = walk_->x();
      if (next_save() != walk_->t()) interpolate(next_save(), x);
      save(solution, next_save(), x);
    }
  }
  Time next_save() const { return sign_ * options_.save_at[saved_]; }

  Time next_stop(Time t1) const {
    return options_.dense || saved_ == options_.save_at.size() ? t1 : std::min(t1, next_save());
  }

  /// @throws std::invalid_argument  unless save_at ascends from the start
  void check_save_at() const {
    Time last = walk_->t();
    for (const Time t : options_.save_at) {
      if (!(sign_ * t >= last)) refuse_save_at(t);
      last = sign_ * t;
    }
  }

  void end_at(Solution<X>& solution, Time t, const X& x) {
    solution.end_time = sign_ * t;
    solution.end = x;
  }

  void finish(Solution<X>& solution, Status status, Time t, std::string_view advice) {
    solution.status = status;
    solution.message = std::string(to_string(status)) + " at t = " + text(sign_ * t) + " (step " +
                       std::to_string(walk_->counts().accepted + walk_->counts().rejected) +
                       "): " + std::string(advice);
  }

  void fail(Solution<X>& solution, Status status) {
    finish(solution, status, walk_->t(),
           status == Status::too_many_steps ? too_many_steps_advice() : failure_advice(status));
  }

  std::string too_many_steps_advice() const {
    return walk_->stiff()      ? stiff_advice
           : walk_->adaptive() ? "raise max_steps, loosen the tolerances, or use a stiff solver"
                               : "raise max_steps or take a larger dt";
  }

  /// What to try after a step that failed, told from how far the state has grown.
  std::string failure_advice(Status status) const {
    const double last = size(walk_->before());
    if (last > 1e6 * (1 + first_size_))
      return "|x| has grown to " + brief(last) +
             (walk_->adaptive()
                  ? ": the solution blows up here; end before it, or stop at a level with a "
                    "terminal event"
                  : ": the solution blows up here, or dt is too large for it; try a smaller step, "
                    "or a solver for stiff or superlinear drift");
    if (status == Status::step_underflow)
      return "the tolerances may be too tight, or f is singular or discontinuous here; loosen "
             "them, "
             "or end the run here with a terminal event";
    return "the coefficients are not finite near this state of size " + brief(last) +
           "; check them there, or try a smaller step";
  }

  static std::string brief(double value) {
    std::array<char, 32> digits;
    std::snprintf(digits.data(), digits.size(), "%.3g", value);
    return digits.data();
  }

  static double size(const X& x) { return static_cast<double>(x.abs().maxCoeff()); }

  IntegrateOptions options_;
  double sign_;
  AnyWalk<X> walk_;
  EventWatch watch_;
  double first_size_;
  X slope_before_, slope_after_;  // where the last step starts and ends, if known
  bool has_slope_before_ = false, has_slope_after_ = false;
  std::uint64_t slopes_ = 0;          // evaluations of f beside the steps
  std::vector<FoundEvent<X>> found_;  // in the last step
  std::size_t told_ = 0;              // of these
  std::size_t saved_ = 0;             // of save_at
  bool started_ = false;
  bool in_step_ = false;  // the last step is not told to its end
};

}  // namespace fokker::detail
