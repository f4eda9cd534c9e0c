#pragma once
/// @file  fokker/solvers/ode/embedded_lanes.hpp
/// @brief The paths of an ensemble of small ODEs, several at once in the lanes of vectors.

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include <fokker/solvers/ode/adaptive_run.hpp>
#include <fokker/solvers/ode/embedded_tableaus.hpp>

namespace fokker::detail {

/// Paths solved at once: two vectors of AVX-512 in double, which hide each other's latency.
inline constexpr int lanes = 16;

/// Bytes: a vector that lies across two lines is read and written in two parts.
inline constexpr std::size_t cache_line = 64;

/// States of `lanes` paths; their drift is evaluated at once, so it must not ask for the time.
template <class S, int d>
using LaneState = Eigen::Array<S, d, lanes, Eigen::RowMajor>;

/// As many T as a register of the target holds, and what comparisons of them give. Loops over lanes
/// with a choice in them are written on these: compilers put the computations before a choice into
/// its branches, where they may trap, and then make no vectors of the loop.
template <class T>
struct Packet {
#if defined(__AVX512F__)
  static constexpr std::size_t bytes = 64;
#elif defined(__AVX__)
  static constexpr std::size_t bytes = 32;
#else
  static constexpr std::size_t bytes = 16;
#endif
  static constexpr int width = bytes / sizeof(T);
  static_assert(lanes % width == 0);
  typedef T type __attribute__((vector_size(bytes)));

  static type load(const T* p) {
    type v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  static void store(T* p, type v) { std::memcpy(p, &v, sizeof v); }
};

/// Whether the paths of P by this pair are solved in lanes: d is fixed and small, f depends on x
/// alone, and the last stage, which is the first of the next step, is in one error estimate.
template <class Pair, class P, class S, int d>
inline constexpr bool solved_in_lanes = [] {
  if constexpr (d == Eigen::Dynamic || d > 16 || !is_autonomous<P> || requires { Pair::error_low; })
    return false;
  else
    return Pair::error.back() != 0 && Process<P, LaneState<S, d>>;
}();

/// A block of paths, each with the time, step, error and controller that AdaptiveRun has, and its
/// formulas: a step of all lanes is one sequence of vector operations, in which a lane takes what
/// its own error decides. A lane whose path is done goes on with the next path of the block. No
/// number of a path depends on the lanes beside it. (It agrees with EmbeddedRun to rounding: h k_i
/// is formed before it is weighed.)
template <class Pair, class P, class S, int d>
class EmbeddedLanes {
  using X = LaneState<S, d>;
  using Row = Eigen::Array<double, 1, lanes>;
  using Numbers = Packet<double>;
  using Vector = Numbers::type;
  using Rows = PairRows<Pair>;
  static constexpr std::size_t s_ = Rows::stages;

 public:
  /// @param n          paths
  /// @param max_tries  steps of a path between two stops
  /// @throws std::invalid_argument  as EmbeddedRun
  template <class Method>
  EmbeddedLanes(const Method& /*method*/, const Adaptive& steps, const P& process, Index n,
                std::uint64_t max_tries)
      : EmbeddedLanes(process, {Method::facts.name, steps, NoiseKind::none, Method::control, d},
                      steps, n, max_tries) {}

  /// Advances the first n columns of x from t0 to t1. A path that fails becomes nan.
  /// @return the first failure met, in the order of the paths of the block that were first to fail;
  ///         cancelled, with x unfinished, soon after `cancel` turns true
  Status to(Block<S, d>& x, Time t0, Time t1, Counts& counts,
            const std::atomic<bool>* cancel = nullptr) {
    status_ = Status::success;
    grain_ = std::abs(t0) + std::abs(t1);
    if (!started_) start(x, t0, t1 - t0, counts);
    started_ = true;
    next_path_ = 0;
    int active = 0;
    for (int l = 0; l < lanes; ++l) active += load(x, l, t0, t1) ? 1 : 0;
    for (unsigned steps = 1; active > 0; ++steps) {
      if (steps % 1024 == 0 && cancel && cancel->load(std::memory_order_relaxed))
        return Status::cancelled;
      if (!step(t1)) continue;
      for (int l = 0; l < lanes; ++l)
        if (active_[l] > 0 && ended(l, t1)) {
          unload(x, l, t1, counts);
          if (!load(x, l, t0, t1)) --active;
        }
    }
    return status_;
  }

 private:
  EmbeddedLanes(const P& process, const ErrorControl& errors, const Adaptive& steps, Index n,
                std::uint64_t max_tries)
      : process_(process),
        rtol_(errors.rtol),
        atol_(errors.column<S, d>(d)),
        controller_(errors.control, Pair::error_order + 1),
        max_tries_(static_cast<double>(max_tries)),
        first_step_(steps.first_step),
        max_step_(steps.max_step > 0 ? steps.max_step : std::numeric_limits<Time>::infinity()),
        paths_(n),
        slope_(d, n),
        step_(n),
        previous_(PathState<double>::Constant(n, controller_.target())),
        older_(previous_),
        after_rejection_(PathState<double>::Zero(n)),
        used_(PathState<double>::Zero(n)) {}

  /// Slope and first step of every path, `lanes` at once.
  void start(const Block<S, d>& x, Time t0, Time span, Counts& counts) {
    const auto column = [&](Index first, int l) { return std::min(first + l, paths_ - 1); };
    for (Index first = 0; first < paths_; first += lanes) {
      for (int l = 0; l < lanes; ++l) x_.col(l) = x.col(column(first, l));
      evaluate_drift(process_, x_, Time{}, k_[0]);
      Row d0, d1, change;
      norm([&](int r) { return x_.row(r); }, x_, d0);
      norm([&](int r) { return k_[0].row(r); }, x_, d1);
      const auto in_lanes = [&]<std::size_t... l>(std::index_sequence<l...>) {
        return std::array{
            FirstStep(d0[static_cast<Index>(l)], d1[static_cast<Index>(l)], t0, span)...};
      };
      std::array first_step = in_lanes(std::make_index_sequence<lanes>{});
      std::array<bool, lanes> open;
      open.fill(true);
      for (bool any = true; any;) {  // a path that needs a closer look
        any = false;
        Row look;
        for (int l = 0; l < lanes; ++l) look[l] = first_step[static_cast<std::size_t>(l)].look();
        for (int r = 0; r < d; ++r)
          argument_.row(r) = x_.row(r) + look.template cast<S>() * k_[0].row(r);
        evaluate_drift(process_, argument_, Time{}, k_[1]);
        norm([&](int r) { return k_[1].row(r) - k_[0].row(r); }, x_, change);
        for (std::size_t l = 0; l < lanes; ++l) {
          if (!open[l]) continue;
          const auto lane = static_cast<Index>(l);
          if (first + lane < paths_ && x_.col(lane).isFinite().all()) ++counts.drift_evaluations;
          open[l] = first_step[l].again(change[lane]);
          any = any || open[l];
        }
      }
      for (int l = 0; l < lanes && first + l < paths_; ++l) {
        const Time chosen = first_step[static_cast<std::size_t>(l)].size(Pair::error_order + 1);
        step_[first + l] =
            std::min(first_step_ > 0 ? std::min(first_step_, chosen) : chosen, max_step_);
        slope_.col(first + l) = k_[0].col(l);
        if (x_.col(l).isFinite().all()) ++counts.drift_evaluations;
      }
    }
  }

  /// error = max |e| / (atol + rtol max(|x_|, |y|)) over the rows; nan if there is one.
  template <class E>
  void norm(const E& e, const X& y, Row& error) const {
    error.setZero();
    for (int r = 0; r < d; ++r) {
      alignas(cache_line) const Row ratio =
          (e(r).abs() / (atol_[r] + S(rtol_) * x_.row(r).abs().max(y.row(r).abs())))
              .template cast<double>();
      for (int l = 0; l < lanes; l += Numbers::width) {
        const Vector value = get(ratio, l), largest = get(error, l);
        set(error, l, value <= largest ? largest : value + 0 * largest);
      }
    }
  }

  /// Tries a step in every lane. @return whether the path of a lane may have ended
  [[gnu::flatten]] bool step(Time t1) {
    alignas(cache_line) Row h;
    for (int l = 0; l < lanes; l += Numbers::width) {
      const Vector t = get(t_, l), rest = t1 - t, zero = all(0), one = all(1);
      const Vector step = moving(get(h_, l));
      const auto last = t + 1.0001 * step >= t1;
      set(last_, l, last ? one : zero);
      set(h, l, last ? rest : step);
    }
    alignas(cache_line) const Eigen::Array<S, 1, lanes> scale = h.template cast<S>();
    for (int r = 0; r < d; ++r) k_[0].row(r) = scale * first_.row(r);
    stages<1>(scale);
    sum<Rows::b>(y_);
    evaluate_drift(process_, y_, Time{}, end_);
    for (int r = 0; r < d; ++r) k_[s_].row(r) = scale * end_.row(r);
    norm(
        [&](int r) {
          return Rows::template combine<Rows::error, 1>(first_error(r), weight, slopes(r));
        },
        y_, error_);
    for (int r = 0; r < d; ++r) {
      const Row zero_if_finite = (y_.row(r) - y_.row(r)).template cast<double>();
      error_ += zero_if_finite;  // else nan
    }
    return decide(h, t1);
  }

  /// k_i for i, i+1, ..., s-1, times h.
  template <std::size_t i>
  void stages(const Eigen::Array<S, 1, lanes>& scale) {
    if constexpr (i < s_) {
      sum<i>(argument_);
      evaluate_drift(process_, argument_, Time{}, k_[i]);
      for (int r = 0; r < d; ++r) k_[i].row(r) *= scale;
      stages<i + 1>(scale);
    }
  }

  /// out = x + c_0 (h k_0) + ... with the coefficients of `row`.
  template <std::size_t row>
  void sum(X& out) const {
    for (int r = 0; r < d; ++r)
      out.row(r) = Rows::template combine<row>(x_.row(r), weight, slopes(r));
  }

  struct Weights {
    template <std::size_t row, std::size_t j>
    static constexpr S at() {
      return static_cast<S>(Rows::coefficient(row, j));
    }
  };
  static constexpr Weights weight{};
  auto slopes(int r) const {
    return [this, r](std::size_t j) { return k_[j].row(r); };
  }
  auto first_error(int r) const { return S(Pair::error[0]) * k_[0].row(r); }

  /// What each lane makes of its error: as AdaptiveRun::settle. A factor other than 1 is computed
  /// lane by lane, since few lanes leave the dead band in a step.
  bool decide(const Row& h, Time t1) {
    alignas(cache_line) Row factor = Row::Ones(), expected = Row::Ones();
    for (int l = 0; l < lanes; ++l) {
      const bool doubtful = StepController::doubts(error_[l], after_lane_[l]);
      if ((!doubtful && controller_.keeps(error_[l])) || !(active_[l] > 0)) continue;
      if (doubtful) error_[l] = after_lane_[l];
      factor[l] =
          controller_.changed(error_[l], previous_lane_[l], older_lane_[l], after_lane_[l] > 0);
      expected[l] = std::max(1.0, controller_.expected_after(error_[l], factor[l]));
    }

    const Vector zero = all(0), one = all(1), smallest = all(StepController::smallest),
                 end = all(t1);
    for (int l = 0; l < lanes; l += Numbers::width) {
      const Vector error = get(error_, l), tried = get(h, l), step = get(h_, l), t = get(t_, l);
      const Vector previous = get(previous_lane_, l), older = get(older_lane_, l);
      const Vector seen = greater(error, smallest), f = get(factor, l);
      const auto accept = error <= one, last = get(last_, l) > zero,
                 after = get(after_lane_, l) > zero;
      const Vector longer = smaller(step * f, all(max_step_)), shorter = tried * f,
                   there = t + tried;
      const Vector next = accept ? (last ? step : longer) : shorter;
      const Vector arrived = accept ? (last ? end : there) : t;
      const Vector tries = get(tries_, l) + 1;
      set(h_, l, next);
      set(t_, l, arrived);
      set(after_lane_, l, accept ? ((last & after) ? one : zero) : get(expected, l));
      set(older_lane_, l, (accept & ~last) ? previous : older);
      set(previous_lane_, l, (accept & ~last) ? seen : previous);
      set(tries_, l, tries);
      set(accepted_, l, get(accepted_, l) + (accept ? one : zero));
      set(stops_, l,
          ((arrived == t1) | (arrived + next == arrived) | (tries >= max_tries_)) ? one : zero);
    }
    using States = Packet<S>;
    const Eigen::Array<S, 1, lanes> error = error_.template cast<S>();
    for (int r = 0; r < d; ++r)
      for (int l = 0; l < lanes; l += States::width) {
        const auto accept = States::load(error.data() + l) <= S(1);
        const auto choose = [&](S* old, const S* next) {
          States::store(old, accept ? States::load(next) : States::load(old));
        };
        choose(&x_(r, l), &y_(r, l));
        choose(&first_(r, l), &end_(r, l));
      }
    return (stops_ * active_).sum() > 0;
  }

  static Vector all(double value) { return Vector{} + value; }
  static Vector get(const Row& row, int l) { return Numbers::load(row.data() + l); }
  static void set(Row& row, int l, Vector v) { Numbers::store(row.data() + l, v); }
  static Vector greater(Vector a, Vector b) { return a < b ? b : a; }
  static Vector smaller(Vector a, Vector b) { return a > b ? b : a; }

  /// See representable.
  Vector moving(Vector h) const {
    const Vector grain = all(grain_), unit = all(std::numeric_limits<Time>::epsilon() * grain_);
    const Vector shorter = (grain + (h - 0.5 * unit)) - grain;
    return ((unit > 1e-10 * h) & (shorter > 0.0)) ? shorter : h;
  }

  bool ended(int l, Time t1) const {
    return t_[l] == t1 || t_[l] + h_[l] == t_[l] || tries_[l] >= max_tries_;
  }

  /// The next path of the block into the lane; false if there is none, and the lane then idles with
  /// h = 0.
  bool load(Block<S, d>& x, int l, Time t0, Time t1) {
    for (; next_path_ < paths_; ++next_path_) {
      const Index j = next_path_;
      if (!x.col(j).isFinite().all()) {
        fail(x, j, Status::non_finite);
      } else if (t0 + step_[j] == t0) {
        fail(x, j, Status::step_underflow);
      } else {
        x_.col(l) = x.col(j);
        first_.col(l) = slope_.col(j);
        t_[l] = t0;
        h_[l] = step_[j];
        previous_lane_[l] = previous_[j];
        older_lane_[l] = older_[j];
        after_lane_[l] = after_rejection_[j];
        tries_[l] = used_[j];
        accepted_[l] = 0;
        active_[l] = 1;
        path_[l] = next_path_++;
        return true;
      }
    }
    x_.col(l).setZero();
    first_.col(l).setZero();
    t_[l] = t1;
    h_[l] = tries_[l] = accepted_[l] = after_lane_[l] = 0;
    active_[l] = 0;
    previous_lane_[l] = older_lane_[l] = controller_.target();
    return false;
  }

  /// The path of the lane back into the block.
  void unload(Block<S, d>& x, int l, Time t1, Counts& counts) {
    const Index j = path_[l];
    const auto tries = static_cast<std::uint64_t>(tries_[l] - used_[j]),
               accepted = static_cast<std::uint64_t>(accepted_[l]);
    counts += {accepted, tries - accepted, s_ * tries, 0};
    used_[j] = tries_[l];
    if (t_[l] != t1) {
      const bool underflow = t_[l] + h_[l] == t_[l];
      const bool finite = std::isfinite(error_[l]) && first_.col(l).isFinite().all();
      return fail(x, j,
                  !underflow ? Status::too_many_steps
                  : finite   ? Status::step_underflow
                             : Status::non_finite);
    }
    x.col(j) = x_.col(l);
    slope_.col(j) = first_.col(l);
    step_[j] = h_[l];
    previous_[j] = previous_lane_[l];
    older_[j] = older_lane_[l];
    after_rejection_[j] = after_lane_[l];
  }

  void fail(Block<S, d>& x, Index j, Status status) {
    if (status_ == Status::success) status_ = status;
    x.col(j).setConstant(std::numeric_limits<S>::quiet_NaN());
  }

  const P& process_;
  double rtol_;
  Eigen::Array<S, d, 1> atol_;
  StepController controller_;
  double max_tries_;
  Time first_step_, max_step_;
  Index paths_;
  Block<S, d> slope_;                                            // of every path: f at its state,
  PathState<double> step_, previous_, older_, after_rejection_;  // step to try, its last errors
  PathState<double> used_;                                       // steps tried before the last stop
  Time grain_ = 0;
  bool started_ = false;
  Status status_ = Status::success;
  Index next_path_ = 0;  // not yet in a lane

  // In the lanes:
  Eigen::Array<Index, 1, lanes> path_;
  alignas(cache_line) Row active_;  // 1, or 0 where there was no path left
  alignas(cache_line) Row t_, h_, error_, tries_, accepted_;
  alignas(cache_line) Row last_, stops_;  // 1 or 0: the step ends at t1; the path may have ended
  // Of the controller; after_lane_ is above 0 after a rejection: the error to expect, or 1.
  alignas(cache_line) Row previous_lane_, older_lane_, after_lane_;
  alignas(cache_line) X x_, y_, argument_, first_, end_;  // first_ = f(x_), end_ = f(y_)
  alignas(cache_line) std::array<X, s_ + 1> k_;           // times h
};

}  // namespace fokker::detail
