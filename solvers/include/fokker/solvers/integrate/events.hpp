#pragma once
/// @file  fokker/solvers/integrate/events.hpp
/// @brief Events of one path: where a function of (x, t) changes sign.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fokker/solvers/core/state.hpp>
#include <fokker/solvers/noise/brownian_bridge.hpp>

namespace fokker {

/// The changes of sign that count, in the order of integration.
enum class Crossing { both, rising, falling };

/// An event of one path: the condition g(x, t) changes its sign, or a component passes a level. In
/// a step of an ODE it is sought along the interpolant, on intervals that are halved where g bends;
/// of an SDE between the two ends of the step, so that two changes in one step are not seen
/// (`Adaptive::max_step` bounds the step). A run that starts at g = 0, up to rounding and 1e-4 of the absolute
/// tolerance, starts between events, on the side to which g moves first. Events of one time are
/// reported in the order of the list.
struct Event {
  std::string name = {};  ///< for messages
  std::function<double(const Eigen::ArrayXd& x, Time t)> condition = {};
  Crossing direction = Crossing::both;
  bool terminal = false;  ///< ends the run there, with Status::event
  Index component = -1;   ///< of an event made by `level_event`; else -1
  double level = 0;       ///< likewise
};

/// The event that component i passes `level`. In an SDE also the passages between two steps are
/// found: the path on a step is a Brownian bridge with the noise at its start, tested with its
/// probability to touch the level and, if it does, given a time of first touch of the right law
/// (exact for constant drift and noise; else right to O(h) in law). What counts is the first touch
/// in the step, from the side where the step starts.
inline Event level_event(Index component, double level, Crossing direction = Crossing::both,
                         bool terminal = false, std::string name = {}) {
  return {std::move(name), {}, direction, terminal, component, level};
}

/// An event that happened.
template <State X>
struct FoundEvent {
  std::size_t event = 0;  ///< its number among the events asked for
  Time t = 0;
  X x;
};

namespace detail {

/// The end with the sign of fb of a bracket [a, b] of a root of f, narrowed to a few units in the
/// last place of t; f(a) and f(b) differ in sign. At most one evaluation more than bisection.
/// Source: the ITP method of Oliveira & Takahashi (2020).
template <class F>
Time bracketed_root(const F& f, Time a, double fa, Time b, double fb) {
  const double sign = fa < 0 ? 1 : -1, length = b - a;
  const Time tolerance =
      2 * std::numeric_limits<Time>::epsilon() * std::max(std::abs(a), std::abs(b));
  fa *= sign;
  fb *= sign;
  double slack = tolerance * std::exp2(std::ceil(std::log2(length / (2 * tolerance))) + 1);
  while (b - a > 2 * tolerance) {
    const double half = (a + b) / 2, radius = std::max(0.0, slack - (b - a) / 2);
    const double secant = (fb * a - fa * b) / (fb - fa);
    const double toward = half >= secant ? 1 : -1;
    const double shift = 0.2 / length * (b - a) * (b - a);
    double t = shift <= std::abs(half - secant) ? secant + toward * shift : half;
    if (!(std::abs(t - half) <= radius)) t = half - toward * radius;
    if (t <= a || t >= b) t = half;
    if (t <= a || t >= b) break;
    const double ft = sign * f(t);
    if (ft >= 0) {
      b = t;
      fb = ft;
    } else {
      a = t;
      fa = ft;
    }
    slack /= 2;
  }
  return b;
}

/// A value of the function of an event.
struct EventSample {
  Time t;
  double g;
};

/// Calls found(l, r) for intervals [l.t, r.t] of [a.t, b.t], in the order of time, at whose ends g
/// has different signs. Intervals are halved until g is nearly straight on each against its
/// distance from 0, to at most 1 / 16384 of [a.t, b.t]: an even number of zeros closer than that is
/// not seen. An exact 0 inside counts to the side before it.
template <class G, class Found>
class SignScan {
 public:
  SignScan(const G& g, const Found& found) : g_(g), found_(found) {}

  void operator()(const EventSample& a, const EventSample& b) const {
    constexpr std::array<double, 3> inside{0.23, 0.52, 0.79};  // unequal, against aliases
    std::array<EventSample, 5> ends{a, a, a, a, b};
    std::array<EventSample, 4> middles{};
    for (std::size_t i = 1; i < 4; ++i)
      ends[i] = sample(a.t + inside[i - 1] * (b.t - a.t), ends[i - 1].g);
    double largest = 0, bend = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      middles[i] = middle(ends[i], ends[i + 1]);
      largest = std::max({largest, std::abs(ends[i].g), std::abs(ends[i + 1].g)});
      bend = std::max(bend, bend_of(ends[i], middles[i], ends[i + 1]));
    }
    const int least = bend > 0.05 * largest ? 5 : 0;  // g may swing in the step
    for (std::size_t i = 0; i < 4; ++i) refine(ends[i], middles[i], ends[i + 1], 0, least);
  }

 private:
  static bool differ(double from, double to) { return from < 0 ? to >= 0 : from > 0 && to <= 0; }

  EventSample sample(Time t, double before) const {
    const double g = g_(t);
    return {t, g == 0 ? std::copysign(std::numeric_limits<double>::min(), before) : g};
  }
  EventSample middle(const EventSample& l, const EventSample& r) const {
    return sample((l.t + r.t) / 2, l.g);
  }
  static double bend_of(const EventSample& l, const EventSample& m, const EventSample& r) {
    return std::abs(m.g - (l.g + r.g) / 2);
  }

  void refine(const EventSample& l, const EventSample& m, const EventSample& r, int depth,
              int least) const {
    const double bend = bend_of(l, m, r);
    const bool one_side = !differ(l.g, m.g) && !differ(m.g, r.g);
    const bool straight = one_side
                              ? 4 * bend < std::min({std::abs(l.g), std::abs(m.g), std::abs(r.g)})
                              : differ(l.g, r.g) && 4 * bend < std::abs(r.g - l.g);
    if ((straight && depth >= least) || depth == 11 || !(l.t < m.t && m.t < r.t)) {
      if (differ(l.g, m.g)) found_(l, m);
      if (differ(m.g, r.g)) found_(m, r);
      return;
    }
    refine(l, middle(l, m), m, depth + 1, least);
    refine(m, middle(m, r), r, depth + 1, least);
  }

  const G& g_;
  const Found& found_;
};

/// Looks for the events of one path step by step. It knows the signs at the start of the step and
/// where its random numbers are, so a copy carries on alike.
class EventWatch {
 public:
  /// @param sign  of the user's clock against the one of the run
  /// @throws std::invalid_argument  for an event without condition or of a component that is not
  EventWatch(const std::vector<Event>& events, Index d, Index n, double sign, Seed seed,
             std::uint64_t path)
      : sign_(sign), bridge_(seed, path), point_(d) {
    if (!events.empty() && n != 1)
      throw std::invalid_argument(
          "events are those of a single path, and x0 has " + std::to_string(n) +
          " columns: integrate one path, or use first_passage for an ensemble");
    for (std::size_t i = 0; i < events.size(); ++i) {
      const Event& e = events[i];
      if (e.component >= d || (e.component < 0 && !e.condition))
        throw std::invalid_argument("event " + std::to_string(i) +
                                    (e.component < 0
                                         ? std::string(" has no condition")
                                         : " is of component " + std::to_string(e.component) +
                                               " of a state with " + std::to_string(d)));
    }
  }

  /// Before the first step of an SDE.
  template <State X>
  void start(const std::vector<Event>& events, const X& x, Time t) {
    for (const Event& e : events) state_.push_back({.before = value(e, x, t)});
  }

  /// Before the first step of an ODE. Where |g| is within what rounding and `negligible` changes of
  /// x make of it, or 1e-12 of its change in the first step, the run starts at g = 0: its sign is
  /// the one that it takes first, and g counts from its value at the start until it has left it.
  /// @param f           the slope there
  /// @param negligible  a change of x below the resolution of the solver
  template <State X>
  void start(const std::vector<Event>& events, const X& x, Time t, const X& f, double negligible) {
    constexpr double epsilon = std::numeric_limits<double>::epsilon();
    for (const Event& e : events) {
      Watched w{.before = value(e, x, t)};
      w.rate = rate(e, x, t, f, negligible);
      w.rounding = change(e, x, t, 4 * epsilon, 0);
      w.noise =
          change(e, x, t, 64 * epsilon, negligible) + 8 * epsilon * std::abs(t) * std::abs(w.rate);
      state_.push_back(w);
    }
  }

  /// The events in the step of an SDE from t0 to (x1, t1), in the order of time: at most one of
  /// each.
  /// @param interpolate  (t, out): the path inside the step
  /// @param variance     (component): its noise at the start of the step, g^2
  template <State X, class Interpolate, class Variance>
  std::vector<FoundEvent<X>> look_at_path(const std::vector<Event>& events, Time t0, const X& x1,
                                          Time t1, const Interpolate& interpolate,
                                          const Variance& variance) {
    std::vector<FoundEvent<X>> found;
    for (std::size_t i = 0; i < events.size(); ++i) {
      const Event& e = events[i];
      const double from = state_[i].before, to = value(e, x1, t1);
      state_[i].before = to;
      if (!counts(e, from)) continue;
      const double spread = e.component >= 0 ? variance(e.component) * (t1 - t0) : 0;
      if (spread > 0) {
        if (const std::optional<double> part = bridge_(from, to, spread)) {
          const Time t = std::min(t0 + *part * (t1 - t0), t1);
          X x = x1;
          interpolate(t, x);
          x(e.component, 0) = static_cast<typename X::Scalar>(e.level);
          found.push_back({i, t, x});
        }
      } else if (from < 0 ? to >= 0 : to <= 0) {
        found.push_back(crossing(events, i, {t0, from}, {t1, to}, x1, interpolate));
      }
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.t < b.t; });
    return found;
  }

  /// The events in the step of an ODE from t0 to (x1, t1), in the order of time, those of one time
  /// in the order of the list.
  /// @param glance       (t, out): the solution inside the step
  /// @param interpolate  (t, out): more accurately, asked where `glance` shows a change of sign
  template <State X, class Glance, class Interpolate>
  std::vector<FoundEvent<X>> look(const std::vector<Event>& events, Time t0, const X& x1, Time t1,
                                  const Glance& glance, const Interpolate& interpolate) {
    std::vector<FoundEvent<X>> found;
    stuck_.reset();
    X x = x1;
    for (std::size_t i = 0; i < events.size(); ++i) {
      const Event& e = events[i];
      Watched& w = state_[i];
      const auto by = [&](const auto& path) {
        return [&](Time t) {
          path(t, x);
          return value(e, x, t) - w.offset;
        };
      };
      if (w.noise >= 0) {
        const double noise = std::max(w.noise, 1e-12 * std::abs(value(e, x1, t1) - w.before));
        w.noise = -1;
        w.starts = std::abs(w.before) <= noise;
        if (w.starts) {
          w.offset = std::exchange(w.before, 0);
          w.leaves = 10 * noise;
        }
      }
      const bool starts = std::exchange(w.starts, false);
      const EventSample end{t1, value(e, x1, t1) - w.offset};
      EventSample from{t0, w.before};
      if (from.g == 0) {
        from = side(w, by(interpolate), t0, end);
        if (starts && e.terminal && w.rate * from.g < 0 && counts(e, w.rate)) {
          stuck_ = i;  // g went the other way within less than t resolves
          return {};
        }
      }
      const auto look_by = [&](const auto& path) {
        std::vector<std::pair<EventSample, EventSample>> changes;
        const auto g = by(path);
        const auto add = [&](const EventSample& l, const EventSample& r) {
          changes.emplace_back(l, r);
        };
        SignScan(g, add)(from, end);
        return changes;
      };
      if (from.t < t1 && !look_by(glance).empty())
        for (const auto& [l, r] : look_by(interpolate))
          if (counts(e, l.g)) found.push_back(crossing(events, i, l, r, x1, interpolate));
      const Time resolved = 16 * std::numeric_limits<Time>::epsilon() * std::abs(t0);
      if (starts && e.terminal && !found.empty() && found.back().event == i &&
          found.back().t - t0 <= resolved) {
        stuck_ = i;
        return {};
      }
      w.last = w.before;
      w.before = end.g;
      if (std::abs(end.g) > w.leaves) w.before += std::exchange(w.offset, 0);
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.t < b.t; });
    join(events, found, t0, x1, t1);
    return found;
  }

  /// The terminal event that a run which started at it meets again within less than t resolves.
  const std::optional<std::size_t>& stuck() const { return stuck_; }

 private:
  /// An event at the start of the step.
  struct Watched {
    double before = 0;    // g - offset there; 0: its sign is not known yet
    double last = 0;      // the same a step before
    double offset = 0;    // g at the start of the run, if that is 0 to rounding
    double leaves = 0;    // |g - offset| from which on the offset is 0
    double rate = 0;      // dg/dt at the start of the run
    double rounding = 0;  // of g there
    double noise = -1;    // of g at the start of the run, until the first step
    bool starts = false;  // the run starts at g = 0
  };

  /// Whether a change of sign away from the one of g counts.
  static bool counts(const Event& e, double g) {
    return g < 0 ? e.direction != Crossing::falling : g > 0 && e.direction != Crossing::rising;
  }

  template <State X>
  double value(const Event& e, const X& x, Time t) {
    if (e.component >= 0) return static_cast<double>(x(e.component, 0)) - e.level;
    point_ = x.col(0).template cast<double>();
    return e.condition(point_, sign_ * t);
  }

  /// |g(x + d) - g(x)| for |d_i| up to relative |x_i| + absolute, with signs and sizes mixed.
  template <State X>
  double change(const Event& e, const X& x, Time t, double relative, double absolute) {
    if (e.component >= 0)
      return relative *
                 std::max(std::abs(static_cast<double>(x(e.component, 0))), std::abs(e.level)) +
             absolute;
    const double there = value(e, x, t);
    for (Index i = 0; i < point_.size(); ++i) {
      const double part = 0.5 + 0.5 * std::fmod(0.618 * static_cast<double>(i + 1), 1.0);
      point_[i] += (i % 2 == 0 ? part : -part) * (relative * std::abs(point_[i]) + absolute);
    }
    return std::abs(e.condition(point_, sign_ * t) - there);
  }

  /// dg/dt along the slope f.
  template <State X>
  double rate(const Event& e, const X& x, Time t, const X& f, double negligible) {
    if (e.component >= 0) return static_cast<double>(f(e.component, 0));
    const double size = std::max(static_cast<double>(x.abs().maxCoeff()), 1e4 * negligible),
                 speed = static_cast<double>(f.abs().maxCoeff());
    if (!(speed > 0) || !(size > 0)) return 0;
    const Time h = 1e-6 * size / speed;
    const double there = value(e, x, t);
    point_ += h * f.col(0).template cast<double>();
    return (e.condition(point_, sign_ * (t + h)) - there) / h;
  }

  /// The first time, on a scale of powers of 2, at which g has left 0.
  template <class G>
  EventSample side(const Watched& w, const G& g, Time t0, const EventSample& end) const {
    for (int k = 50; k > 0; --k) {
      const Time t = t0 + std::ldexp(end.t - t0, -k);
      if (!(t > t0)) continue;
      const double there = g(t);
      if (std::abs(there) > w.rounding) return {t, there};
    }
    return end;
  }

  /// The event i in [l.t, r.t], with the state behind it.
  template <State X, class Interpolate>
  FoundEvent<X> crossing(const std::vector<Event>& events, std::size_t i, const EventSample& l,
                         const EventSample& r, const X& x1, const Interpolate& interpolate) {
    X x = x1;
    const auto g = [&](Time t) {
      interpolate(t, x);
      return value(events[i], x, t) - state_[i].offset;
    };
    const Time t = bracketed_root(g, l.t, l.g, r.t, r.g);
    interpolate(t, x);
    return {i, t, x};
  }

  /// Gives events whose times differ by rounding alone the last of these times, in the order of the
  /// list; so also one that the end of the step, where another happened, just misses.
  template <State X>
  void join(const std::vector<Event>& events, std::vector<FoundEvent<X>>& found, Time t0,
            const X& x1, Time t1) {
    if (found.empty()) return;
    const Time near =
        16 * std::numeric_limits<Time>::epsilon() * std::max(std::abs(t0), std::abs(t1)) +
        1e-12 * (t1 - t0);
    if (t1 - found.back().t <= near)
      for (std::size_t i = 0; i < events.size(); ++i) {
        Watched& w = state_[i];
        if (w.before * w.last > 0 && std::abs(w.before) <= 1e-12 * std::abs(w.last) &&
            counts(events[i], w.before)) {
          found.push_back({i, t1, x1});
          w.before = 0;
        }
      }
    for (auto first = found.begin(); first != found.end();) {
      auto last = first;
      while (last != found.end() && last->t - first->t <= near) ++last;
      const FoundEvent<X> latest = *(last - 1);
      for (auto f = first; f != last; ++f) {
        f->t = latest.t;
        f->x = latest.x;
      }
      std::stable_sort(first, last, [](const auto& a, const auto& b) { return a.event < b.event; });
      first = last;
    }
  }

  double sign_;
  BridgePassage bridge_;
  Eigen::ArrayXd point_;
  std::vector<Watched> state_;
  std::optional<std::size_t> stuck_;
};

}  // namespace detail

}  // namespace fokker
