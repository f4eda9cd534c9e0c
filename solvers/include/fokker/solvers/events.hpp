#pragma once
/// @file  fokker/solvers/events.hpp
/// @brief Events of one path: where a function of (x, t) changes sign.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <fokker/solvers/brownian_bridge.hpp>
#include <fokker/solvers/state.hpp>

namespace fokker {

/// The changes of sign that count, in the order of integration.
enum class Crossing { both, rising, falling };

/// An event of one path: the condition g(x, t) changes its sign, or a component passes a level. It
/// is sought in each step between its two ends, so two changes in one step are not seen: bound
/// the step (`max_dt`) where that matters. A run that starts at g = 0 starts between events.
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
  const double sign = fb >= 0 ? 1 : -1, length = b - a;
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

  /// Before the first step.
  template <State X>
  void start(const std::vector<Event>& events, const X& x, Time t) {
    for (const Event& e : events) before_.push_back(value(e, x, t));
  }

  /// The events in the step from t0 to (x1, t1), in the order of time.
  /// @param interpolate  (t, out): the path inside the step
  /// @param variance     (component): its noise at the start of the step, g^2
  template <State X, class Interpolate, class Variance>
  std::vector<FoundEvent<X>> look(const std::vector<Event>& events, Time t0, const X& x1, Time t1,
                                  const Interpolate& interpolate, const Variance& variance) {
    std::vector<FoundEvent<X>> found;
    for (std::size_t i = 0; i < events.size(); ++i) {
      const Event& e = events[i];
      const double from = before_[i], to = value(e, x1, t1);
      before_[i] = to;
      if (!(from < 0 ? e.direction != Crossing::falling
                     : from > 0 && e.direction != Crossing::rising))
        continue;
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
        X x = x1;
        const auto condition = [&](Time t) {
          interpolate(t, x);
          return value(e, x, t);
        };
        const Time t = bracketed_root(condition, t0, from, t1, to);
        interpolate(t, x);
        found.push_back({i, t, x});
      }
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.t < b.t; });
    return found;
  }

 private:
  template <State X>
  double value(const Event& e, const X& x, Time t) {
    if (e.component >= 0) return static_cast<double>(x(e.component, 0)) - e.level;
    point_ = x.col(0).template cast<double>();
    return e.condition(point_, sign_ * t);
  }

  double sign_;
  BridgePassage bridge_;
  Eigen::ArrayXd point_;
  std::vector<double> before_;
};

}  // namespace detail

}  // namespace fokker
