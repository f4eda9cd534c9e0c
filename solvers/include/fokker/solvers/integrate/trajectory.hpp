#pragma once
/// @file  fokker/solvers/integrate/trajectory.hpp
/// @brief The run behind `integrate`: what is looked at, kept and said after each step.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <numbers>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fokker/solvers/integrate/integrate_options.hpp>
#include <fokker/solvers/integrate/walk.hpp>
#include <fokker/solvers/support/checks.hpp>
#include <fokker/solvers/support/text.hpp>

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
    for (const Time t : options_.discontinuities) {
      if (std::isnan(t)) throw std::invalid_argument("a time of discontinuities is nan");
      jumps_.push_back(sign * t);
    }
    std::sort(jumps_.begin(), jumps_.end());
    check_not_negative("steady_state_tolerance", options.steady_state_tolerance);
    if (!walk_->is_ode() && options.steady_state_tolerance > 0)
      throw std::invalid_argument("an SDE has no steady state: leave steady_state_tolerance at 0");
  }

  Time t() const { return sign_ * walk_->t(); }

  /// Walks on to t1, or until something ends the run. @param t1  on the user's clock, ahead
  Solution<X> run(Time t1, const OnStep& on_step) {
    const Time from = walk_->t(), to = sign_ * t1;
    walk_->check_end(to);
    Solution<X> solution;
    const auto after_step = [&] {
      if (options_.dense) append(solution);
      return tell_events(solution) && tell_step(solution, from, to, on_step);
    };
    if (!started_) start(solution);
    if (options_.dense && from == to) solution.dense.begin(sign_ * from, walk_->x());
    if (!in_step_ || after_step()) {
      if (on_step || watched())
        take_steps(to, solution, after_step);
      else
        walk(to, solution);
    }
    if (solution.status != Status::event && !watch_.stuck())
      end_at(solution, walk_->t(), walk_->x());
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
    legs(t1, nullptr, solution, [&] {
      save_until(solution, walk_->t());
      leave_step();
      return true;
    });
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
    legs(t1, &after, solution, [&] { return go_on; });
  }

  /// The steps up to t1, from stop to stop. @param stopped  at a stop; false ends the run
  void legs(Time t1, const std::function<bool()>* after, Solution<X>& solution,
            const auto& stopped) {
    constexpr std::uint64_t row = 4096;  // steps between two looks for chattering
    std::uint64_t tries = options_.max_steps;
    while (walk_->t() < t1) {
      enter_piece();
      const Time from = walk_->t();
      const bool in_rows = walk_->is_ode() && walk_->adaptive();
      const std::uint64_t some = in_rows ? std::min(tries, row) : tries;
      Leg leg{.end = next_stop(t1), .tries = some, .cancel = options_.cancel, .after = after};
      leg.land = leg.end;
      if (const Time jump = next_jump(); jump <= leg.end) {
        leg.land = jump;
        leg.end = jump - margin(jump);
        if (leg.end <= from) leg.end = jump;  // two jumps at one time
      }
      const Status status = walk_->walk(leg);
      tries -= some - leg.tries;
      const bool more = status == Status::too_many_steps && tries > 0;
      if (more || status == Status::too_many_steps || status == Status::step_underflow) {
        if (in_rows && chatters(from)) {
          save_until(solution, walk_->t());
          return fail(solution, Status::chattering);
        }
      }
      if (more) continue;
      if (status != Status::success && status != Status::cancelled) return fail(solution, status);
      if (!stopped()) return;
      if (status == Status::cancelled)
        return finish(solution, status, walk_->t(), stopped_from_outside);
    }
  }

  /// Lets the solver start anew where the path is at a jump of the coefficients.
  void enter_piece() {
    const Time t = walk_->t();
    bool jumps = false;
    for (; jump_ < jumps_.size() && jumps_[jump_] <= t; ++jump_)
      jumps = jumps || jumps_[jump_] == t;
    if (!jumps) return;
    walk_->restart(t + margin(t));
    has_slope_before_ = false;
  }
  Time next_jump() const {
    return jump_ < jumps_.size() ? jumps_[jump_] : std::numeric_limits<Time>::infinity();
  }

  /// Between a jump and the steps beside it: more than the rounding of times inside them.
  Time margin(Time jump) const {
    return 8 * std::numeric_limits<Time>::epsilon() *
               std::max(std::abs(jump), std::abs(walk_->t())) +
           std::numeric_limits<Time>::min();
  }

  /// Whether f jumps close to x, which the steps since `from` did not leave behind, and points back
  /// to the jump from both sides: a component of f changes its sign along f, and its change does
  /// not get less on a shorter and shorter way.
  bool chatters(Time from) {
    const X x = walk_->x();
    const Time t = walk_->t();
    const auto steps = static_cast<double>(4096);
    Time reach =
        std::max(32 * (t - from) / steps, 64 * std::numeric_limits<Time>::epsilon() * std::abs(t));
    X f, there, middle;
    const auto slope_at = [&](Time s, X& out) {
      walk_->slope(x + static_cast<S>(s) * f, t, out);
      ++slopes_;
    };
    walk_->slope(x, t, f);
    ++slopes_;
    slope_at(reach, there);
    if (!f.isFinite().all() || !there.isFinite().all()) return false;
    Index row = -1, column = 0;
    double change = 0;
    for (Index j = 0; j < x.cols(); ++j)
      for (Index i = 0; i < x.rows(); ++i) {
        const double a = static_cast<double>(f(i, j)), b = static_cast<double>(there(i, j));
        if (a * b < 0 && std::abs(a - b) > change) {
          change = std::abs(a - b);
          row = i;
          column = j;
        }
      }
    if (row < 0) return false;
    const bool rises = f(row, column) > 0;
    Time low = 0, high = reach;
    double below = static_cast<double>(f(row, column)),
           above = static_cast<double>(there(row, column));
    for (int k = 0; k < 30; ++k) {
      const Time s = (low + high) / 2;
      slope_at(s, middle);
      const double value = static_cast<double>(middle(row, column));
      if ((value > 0) == rises) {
        low = s;
        below = value;
      } else {
        high = s;
        above = value;
      }
    }
    return std::abs(above - below) > 0.1 * change;
  }

  /// What comes before the first step.
  void start(Solution<X>& solution) {
    started_ = true;
    if (!options_.events.empty() && walk_->is_ode()) {
      enter_piece();
      const X& f = slope(slope_before_, has_slope_before_, walk_->x(), walk_->from(walk_->t()));
      watch_.start(options_.events, walk_->x(), walk_->t(), f, walk_->negligible());
    } else {
      watch_.start(options_.events, walk_->x(), walk_->t());
    }
    if (options_.save_at.empty())
      save(solution, walk_->t(), walk_->x());
    else
      save_until(solution, walk_->t());
  }

  /// Finds the events of the step.
  void look() {
    inside_.clear();
    if (options_.events.empty()) return;
    told_ = 0;
    const auto exact = [&](Time t, X& out) { interpolate(t, out); };
    const Time t0 = walk_->t_before(), t1 = walk_->t();
    if (walk_->is_ode())
      found_ = watch_.look(
          options_.events, t0, walk_->x(), t1, [&](Time t, X& out) { glance(t, out); }, exact);
    else
      found_ = watch_.look_at_path(options_.events, t0, walk_->x(), t1, exact,
                                   [&](Index component) { return walk_->variance(component); });
  }

  /// Tells the events of the step, up to a terminal one; false if one ends the run.
  bool tell_events(Solution<X>& solution) {
    if (watch_.stuck()) {
      const Event& event = options_.events[*watch_.stuck()];
      const Time t = walk_->t_before();
      end_at(solution, t, walk_->before());
      finish(solution, Status::chattering, t,
             "the run starts at its terminal event " + named(event, *watch_.stuck()) +
                 " and meets it again within less than t resolves: such events accumulate here; "
                 "go on with the equations that hold beyond (a body at rest, a contact)");
      return false;
    }
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
        while (told_ < found_.size() && found_[told_].t == t) {  // at the same time
          solution.events.push_back(found_[told_++]);
          solution.events.back().t = found.t;
        }
        finish(solution, Status::event, t, named(event, found.event));
        return false;
      }
    }
    return true;
  }

  static std::string named(const Event& event, std::size_t number) {
    return event.name.empty() ? "number " + std::to_string(number) : event.name;
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
    const X& f = slope(slope_before_, has_slope_before_, x, walk_->inside(walk_->t()));
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

  /// out = the path at t in the last step, of an ODE as accurate as the steps.
  void interpolate(Time t, X& out) {
    const X &a = walk_->before(), &b = walk_->x();
    const Time ta = walk_->t_before(), tb = walk_->t();
    const double part = (t - ta) / (tb - ta);
    if (t == tb) {
      out = b;
    } else if (t == ta) {
      out = a;
    } else if (!walk_->is_ode()) {
      out = S(1 - part) * a + S(part) * b;
    } else if (walk_->interpolates_as_steps()) {
      walk_->interpolate(t, out);
    } else {
      if (inside_.empty()) fill_inside();
      out = inside_(t);
    }
  }

  /// The same for a first look: by what costs least.
  void glance(Time t, X& out) {
    if (t != walk_->t() && t != walk_->t_before()) {
      if (walk_->interpolates()) return walk_->interpolate(t, out);
      if (!walk_->adaptive()) return cubic(t, out);
    }
    interpolate(t, out);
  }

  /// out = the cubic with the values and slopes of both ends of the step.
  void cubic(Time t, X& out) {
    const X &a = walk_->before(), &b = walk_->x();
    const Time ta = walk_->t_before(), tb = walk_->t(), h = tb - ta;
    const double part = (t - ta) / h, rest = 1 - part;
    const X& fa = slope(slope_before_, has_slope_before_, a, walk_->inside(ta));
    const X& fb = slope(slope_after_, has_slope_after_, b, walk_->inside(tb));
    out = S(rest * rest * (1 + 2 * part)) * a + S(part * part * (1 + 2 * rest)) * b +
          S(h * part * rest * rest) * fa - S(h * part * part * rest) * fb;
  }

  /// The polynomial through shorter steps from the start of the last one, of a degree with which it
  /// agrees with one between.
  void fill_inside() {
    constexpr int most = 32;
    const Time ta = walk_->t_before(), tb = walk_->t();
    const auto value = [&](Time t, X& out) {
      out.resizeLike(walk_->x());
      if (t == tb)
        out = walk_->x();
      else if (t == ta)
        out = walk_->before();
      else if (!walk_->redo(t, out))
        cubic(t, out);
    };
    X between = walk_->x();
    for (int degree = walk_->dense_degree();; degree = std::min(2 * degree, most)) {
      inside_.clear();
      inside_.append(ta, tb, degree, value);
      if (walk_->rtol() == 0 || degree == most) return;
      const Time t =
          ta + (0.5 - 0.5 * std::cos(std::numbers::pi * (degree / 2 + 0.5) / degree)) * (tb - ta);
      value(t, between);
      const double resolution = 0.1 * walk_->rtol() + 4 * std::numeric_limits<S>::epsilon();
      if (size(X(inside_(t) - between)) <= resolution * size(between)) return;
    }
  }

  /// The degree of the polynomial of the last step.
  int degree() {
    if (!walk_->is_ode()) return 1;
    if (walk_->interpolates_as_steps()) return walk_->dense_degree();
    if (inside_.empty()) fill_inside();
    return inside_.degree();
  }

  void append(Solution<X>& solution) {
    solution.dense.append(sign_ * walk_->t_before(), sign_ * walk_->t(), degree(),
                          [&](Time t, X& out) {
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
    finish(
        solution, status, walk_->t(),
        status == Status::too_many_steps ? too_many_steps_advice()
        : status == Status::chattering
            ? "f jumps here and points back to the jump from both sides: the solution slides "
              "along it, which the steps of an ODE solver cannot follow; end the run here with a "
              "terminal event, and go on with the equations of sliding or with a smooth f"
            : failure_advice(status));
  }

  std::string too_many_steps_advice() const {
    return walk_->stiff()      ? stiff_advice
           : walk_->adaptive() ? "raise max_steps, loosen the tolerances, or use a stiff solver"
                               : "raise max_steps or take larger steps";
  }

  /// What to try after a step that failed, told from how far the state has grown.
  std::string failure_advice(Status status) const {
    const double last = size(walk_->before());
    if (last > 1e6 * (1 + first_size_))
      return "|x| has grown to " + brief(last) +
             (walk_->adaptive()
                  ? ": the solution blows up here; end before it, or stop at a level with a "
                    "terminal event"
                  : ": the solution blows up here, or the steps are too long for it; try smaller "
                    "ones, "
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
  DenseOutput<X> inside_;             // of the last step, where `redo` makes it
  std::vector<Time> jumps_;           // of the coefficients, on the clock of the walk
  std::size_t jump_ = 0;              // the next of these
  std::size_t told_ = 0;              // of these
  std::size_t saved_ = 0;             // of save_at
  bool started_ = false;
  bool in_step_ = false;  // the last step is not told to its end
};

}  // namespace fokker::detail
