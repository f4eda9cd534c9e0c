#pragma once
/// @file  fokker/solvers/integrate/observed_run.hpp
/// @brief The run behind `integrate`: what is observed, kept and reported of its steps.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fokker/solvers/integrate/integrate_options.hpp>
#include <fokker/solvers/integrate/integrator.hpp>
#include <fokker/solvers/support/checks.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker::detail {

[[noreturn]] void refuse_save_at(Time t);

/// The callback of the user, called by reference with (t, x) on the user's clock; false ends the
/// run. Empty: none.
template <State X>
struct Callback {
  void* object = nullptr;
  bool (*call)(void* object, Time t, const X& x) = nullptr;

  explicit operator bool() const { return call; }
  bool operator()(Time t, const X& x) const { return call(object, t, x); }
};

/// An integrator with what observes its steps, in this order: events, dense output, saved states,
/// progress, callback, cancel, steady state. The clock goes up; `sign` is that of the user's clock.
/// It rests between two steps or, where a terminal event ended a run, inside the last one, of which
/// the next run reports the rest first. A copy goes on to the same bits.
template <State X>
class ObservedRun final : StepObserver<X> {
  using S = typename X::Scalar;
  using StepObserver<X>::due_, StepObserver<X>::every_step_;
  static constexpr Time never = std::numeric_limits<Time>::infinity();

 public:
  /// @throws std::invalid_argument  for bad options
  ObservedRun(std::unique_ptr<Integrator<X>> path, double sign, const IntegrateOptions& options);

  Time t() const { return sign_ * path_->t(); }

  /// Goes on to t1, or until something ends the run. @param t1  on the user's clock, ahead
  Solution<X> run(Time t1, Callback<X> on_step);

 private:
  /// An integrator as a value: a copy is a clone.
  struct Path {
    explicit Path(std::unique_ptr<Integrator<X>> p) : pointer(std::move(p)) {}
    Path(const Path& other) : pointer(other.pointer->clone()) {}
    Path(Path&&) noexcept = default;
    Path& operator=(Path other) noexcept {
      pointer = std::move(other.pointer);
      return *this;
    }
    Integrator<X>* operator->() const { return pointer.get(); }
    std::unique_ptr<Integrator<X>> pointer;
  };
  /// Why the run ends.
  struct Ending {
    Status status;
    Time t;
    std::string advice;
  };

  static constexpr const char* stiff_advice =
      "the problem looks stiff: try rodas5p or radau5 instead of an explicit method";

  // The observers
  bool passing(Time t, const X& x) override {
    if (options_.save_at.empty()) save(t, x);
    return report(t, x);
  }
  bool at_rest() override {
    in_step_ = true;
    find_events();
    return after_step();
  }
  bool after_step();
  void find_events();
  bool report_events();
  bool report(Time t, const X& x);
  bool steady();

  /// The first time from which steps are looked at.
  Time next_due() const {
    if (!options_.events.empty() || options_.dense || options_.steady_state_tolerance > 0)
      return -never;
    return options_.interpolate && saved_ < options_.save_at.size() ? next_save() : never;
  }

  void start();
  /// The steps up to t1, from stop to stop.
  void go_to(Time t1);

  /// Lets the solver start anew where the path is at a jump of the coefficients.
  void enter_piece() {
    const Time t = path_->t();
    bool jumps = false;
    for (; jump_ < jumps_.size() && jumps_[jump_] <= t; ++jump_)
      jumps = jumps || jumps_[jump_] == t;
    if (jumps) path_->restart(t + margin(t));
  }
  Time next_jump() const { return jump_ < jumps_.size() ? jumps_[jump_] : never; }

  /// Between a jump and the steps beside it: more than the rounding of times inside them.
  Time margin(Time jump) const {
    return 8 * std::numeric_limits<Time>::epsilon() *
               std::max(std::abs(jump), std::abs(path_->t())) +
           std::numeric_limits<Time>::min();
  }

  /// Whether f jumps close to x, which the steps since `from` did not leave behind, and points back
  /// to the jump from both sides: a component of f changes its sign along f, and its change does
  /// not get less on a shorter and shorter way.
  bool chatters(Time from);

  static std::string named(const Event& event, std::size_t number) {
    return event.name.empty() ? "number " + std::to_string(number) : event.name;
  }

  void save(Time t, const X& x) {
    solution_->t.push_back(sign_ * t);
    solution_->x.push_back(x);
  }
  /// Saves what `save_at` asks for up to t, in the last step.
  void save_until(Time t);
  Time next_save() const { return sign_ * options_.save_at[saved_]; }
  Time next_stop(Time t1) const {
    return options_.dense || options_.interpolate || saved_ == options_.save_at.size()
               ? t1
               : std::min(t1, next_save());
  }

  void end_at(Time t, const X& x) {
    solution_->end_time = sign_ * t;
    solution_->end = x;
  }
  void fail(Status status);
  void finish(const Ending& ending);

  std::string too_many_steps_advice() const {
    return path_->stiff()      ? stiff_advice
           : path_->adaptive() ? "raise max_steps, loosen the tolerances, or use a stiff solver"
                               : "raise max_steps or take larger steps";
  }

  /// What to try after a step that failed, from how far the state has grown.
  std::string failure_advice(Status status) const;

  static std::string brief(double value) {
    std::array<char, 32> digits;
    std::snprintf(digits.data(), digits.size(), "%.3g", value);
    return digits.data();
  }

  static double size(const X& x) { return static_cast<double>(x.abs().maxCoeff()); }

  IntegrateOptions options_;
  double sign_;
  Path path_;
  EventWatch watch_;
  double first_size_;
  std::vector<FoundEvent<X>> found_;  // in the last step
  std::size_t told_ = 0;              // of these
  std::vector<Time> jumps_;           // of the coefficients, on the clock of the integrator
  std::size_t jump_ = 0;              // the next of these
  std::size_t saved_ = 0;             // of save_at
  bool started_ = false;
  bool in_step_ = false;  // the last step is not reported to its end

  // Of the run in progress
  Solution<X>* solution_ = nullptr;
  Callback<X> on_step_;
  Time from_ = 0, to_ = 0;
  std::optional<Ending> ending_;
};

template <State X>
ObservedRun<X>::ObservedRun(std::unique_ptr<Integrator<X>> path, double sign,
                            const IntegrateOptions& options)
    : options_(options),
      sign_(sign),
      path_(std::move(path)),
      watch_(options.events, path_->x().rows(), path_->x().cols(), sign, options.seed,
             options.path),
      first_size_(size(path_->x())) {
  Time last = path_->t();
  for (const Time t : options_.save_at) {
    if (!(sign_ * t >= last)) refuse_save_at(t);
    last = sign_ * t;
  }
  for (const Time t : options_.discontinuities) {
    if (std::isnan(t)) throw std::invalid_argument("a time of discontinuities is nan");
    jumps_.push_back(sign * t);
  }
  std::sort(jumps_.begin(), jumps_.end());
  check_not_negative("steady_state_tolerance", options.steady_state_tolerance);
  if (!path_->is_ode() && options.steady_state_tolerance > 0)
    throw std::invalid_argument("an SDE has no steady state: leave steady_state_tolerance at 0");
}

template <State X>
Solution<X> ObservedRun<X>::run(Time t1, Callback<X> on_step) {
  Solution<X> solution;
  solution_ = &solution;
  on_step_ = on_step;
  from_ = path_->t();
  to_ = sign_ * t1;
  ending_.reset();
  every_step_ = options_.save_at.empty() || on_step_ || options_.progress;
  path_->check_end(to_);
  if (!started_) start();
  due_ = next_due();
  if (options_.dense && from_ == to_) solution.dense.begin(sign_ * from_, path_->x());
  if (!in_step_ || after_step()) go_to(to_);
  if (ending_) finish(*ending_);
  if (solution.status != Status::event && !watch_.stuck()) end_at(path_->t(), path_->x());
  solution.counts = path_->counts();
  if (path_->stiff()) solution.warning = stiff_advice;
  solution_ = nullptr;
  return solution;
}

template <State X>
void ObservedRun<X>::go_to(Time t1) {
  constexpr std::uint64_t row = 4096;  // steps between two looks for chattering
  StepObserver<X>* const observer = every_step_ || due_ < never ? this : nullptr;
  std::uint64_t tries = options_.max_steps;
  while (path_->t() < t1) {
    enter_piece();
    const Time from = path_->t();
    const bool in_rows = path_->is_ode() && path_->adaptive();
    const std::uint64_t some = in_rows ? std::min(tries, row) : tries;
    Interval interval{.end = next_stop(t1), .tries = some, .cancel = options_.cancel};
    interval.land = interval.end;
    if (const Time jump = next_jump(); jump <= interval.end) {
      interval.land = jump;
      interval.end = jump - margin(jump);
      if (interval.end <= from) interval.end = jump;  // two jumps at one time
    }
    const Status status = path_->advance(interval, observer);
    if (ending_) {
      if (!in_step_) save_until(path_->t());
      return;
    }
    tries -= some - interval.tries;
    const bool more = status == Status::too_many_steps && tries > 0;
    if ((more || status == Status::too_many_steps || status == Status::step_underflow) && in_rows &&
        chatters(from)) {
      save_until(path_->t());
      return fail(Status::chattering);
    }
    if (more) continue;
    if (status != Status::success && status != Status::cancelled) return fail(status);
    save_until(path_->t());
    if (status == Status::cancelled) {
      ending_ = {status, path_->t(), "stopped from outside"};
      return;
    }
  }
}

template <State X>
bool ObservedRun<X>::chatters(Time from) {
  const X x = path_->x();
  const Time t = path_->t();
  const auto steps = static_cast<double>(4096);
  Time reach =
      std::max(32 * (t - from) / steps, 64 * std::numeric_limits<Time>::epsilon() * std::abs(t));
  X f, there, middle;
  const auto slope_at = [&](Time s, X& out) { path_->slope(x + static_cast<S>(s) * f, t, out); };
  path_->slope(x, t, f);
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

template <State X>
void ObservedRun<X>::start() {
  started_ = true;
  if (!options_.events.empty() && path_->is_ode()) {
    enter_piece();
    watch_.start(options_.events, path_->x(), path_->t(), path_->slope_here(), path_->negligible());
  } else {
    watch_.start(options_.events, path_->x(), path_->t());
  }
  if (options_.save_at.empty())
    save(path_->t(), path_->x());
  else
    save_until(path_->t());
}

template <State X>
void ObservedRun<X>::find_events() {
  path_->enter_step();
  if (options_.events.empty()) return;
  told_ = 0;
  const auto exact = [&](Time t, X& out) { path_->interpolate(t, out); };
  const Time t0 = path_->t_before(), t1 = path_->t();
  if (path_->is_ode())
    found_ = watch_.look(
        options_.events, t0, path_->x(), t1, [&](Time t, X& out) { path_->glance(t, out); }, exact);
  else
    found_ = watch_.look_at_path(options_.events, t0, path_->x(), t1, exact,
                                 [&](Index component) { return path_->variance(component); });
}

/// What is reported of the last step, from where a terminal event left off; false if it ends the
/// run.
template <State X>
bool ObservedRun<X>::after_step() {
  if (options_.dense) path_->append_to(solution_->dense, sign_);
  if (!report_events()) return false;
  const Time t = path_->t();
  if (options_.save_at.empty())
    save(t, path_->x());
  else
    save_until(t);
  path_->leave_step();
  in_step_ = false;
  due_ = next_due();
  if (!report(t, path_->x())) return false;
  if (!(options_.steady_state_tolerance > 0) || !steady()) return true;
  ending_ = {Status::steady_state, t, "f is below steady_state_tolerance"};
  return false;
}

/// The events of the step, up to a terminal one; false if one ends the run.
template <State X>
bool ObservedRun<X>::report_events() {
  if (watch_.stuck()) {
    const Time t = path_->t_before();
    end_at(t, path_->before());
    ending_ = {Status::chattering, t,
               "the run starts at its terminal event " +
                   named(options_.events[*watch_.stuck()], *watch_.stuck()) +
                   " and meets it again within less than t resolves: such events accumulate here; "
                   "go on with the equations that hold beyond (a body at rest, a contact)"};
    return false;
  }
  while (told_ < found_.size()) {
    FoundEvent<X> found = found_[told_++];
    const Event& event = options_.events[found.event];
    const Time t = std::exchange(found.t, sign_ * found.t);
    save_until(t);
    solution_->events.push_back(found);
    if (!event.terminal) continue;
    if (options_.save_at.empty()) save(t, found.x);
    if (options_.dense) solution_->dense.truncate(found.t);
    end_at(t, found.x);
    while (told_ < found_.size() && found_[told_].t == t) {  // at the same time
      solution_->events.push_back(found_[told_++]);
      solution_->events.back().t = found.t;
    }
    ending_ = {Status::event, t, named(event, found.event)};
    return false;
  }
  return true;
}

/// To progress and callback; false if the step ends the run.
template <State X>
bool ObservedRun<X>::report(Time t, const X& x) {
  if (options_.progress) options_.progress((t - from_) / (to_ - from_));
  if (!(on_step_ && !on_step_(sign_ * t, x)) && !(options_.cancel && options_.cancel->load()))
    return true;
  ending_ = {Status::cancelled, t, "stopped from outside"};
  return false;
}

/// Whether f is as small as asked where the last step, now left, ended.
template <State X>
bool ObservedRun<X>::steady() {
  const X& f = path_->slope_at_end();
  const S tolerance = static_cast<S>(options_.steady_state_tolerance);
  return (f.abs() <= tolerance * (S(1) + path_->x().abs())).all();
}

template <State X>
void ObservedRun<X>::save_until(Time t) {
  for (; saved_ < options_.save_at.size() && next_save() <= t; ++saved_) {
    X x = path_->x();
    if (next_save() != path_->t()) path_->interpolate(next_save(), x);
    save(next_save(), x);
  }
}

template <State X>
void ObservedRun<X>::finish(const Ending& ending) {
  const Counts counts = path_->counts();
  solution_->status = ending.status;
  solution_->message = std::string(to_string(ending.status)) + " at t = " + text(sign_ * ending.t) +
                       " (step " + std::to_string(counts.accepted + counts.rejected) +
                       "): " + ending.advice;
}

template <State X>
void ObservedRun<X>::fail(Status status) {
  ending_ = {status, path_->t(),
             status == Status::too_many_steps ? too_many_steps_advice()
             : status == Status::chattering
                 ? "f jumps here and points back to the jump from both sides: the solution slides "
                   "along it, which the steps of an ODE solver cannot follow; end the run here "
                   "with a terminal event, and go on with the equations of sliding or with a "
                   "smooth f"
                 : failure_advice(status)};
}

template <State X>
std::string ObservedRun<X>::failure_advice(Status status) const {
  const double last = size(path_->before());
  if (last > 1e6 * (1 + first_size_))
    return "|x| has grown to " + brief(last) +
           (path_->adaptive()
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

// The common states are compiled in the library.
extern template class Integrator<PathState<double, 1>>;
extern template class Integrator<PathState<double, 2>>;
extern template class Integrator<PathState<double, 3>>;
extern template class Integrator<Block<double>>;
extern template class ObservedRun<PathState<double, 1>>;
extern template class ObservedRun<PathState<double, 2>>;
extern template class ObservedRun<PathState<double, 3>>;
extern template class ObservedRun<Block<double>>;

}  // namespace fokker::detail
