#pragma once
/// @file  fokker/solvers/embedded_lanes.hpp
/// @brief The paths of an ensemble of small ODEs, several at once in the lanes of vectors.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <fokker/solvers/adaptive_run.hpp>
#include <fokker/solvers/embedded_tableaus.hpp>

namespace fokker::detail {

/// Paths solved at once: two vectors of AVX-512 in double, which hide each other's latency.
inline constexpr int lanes = 16;

/// States of `lanes` paths; their drift is evaluated at once, so it must not ask for the time.
template <class S, int d>
using LaneState = Eigen::Array<S, d, lanes, Eigen::RowMajor>;

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
/// is formed before it is weighed, and log and exp are Eigen's, not those of libm.)
template <class Pair, class P, class S, int d>
class EmbeddedLanes {
  using X = LaneState<S, d>;
  using Row = Eigen::Array<double, 1, lanes>;
  using Rows = PairRows<Pair>;
  static constexpr std::size_t s_ = Rows::stages;

 public:
  /// @param n  paths
  /// @throws std::invalid_argument  as EmbeddedRun
  template <class Method>
  EmbeddedLanes(const Method& method, const P& process, Index n)
      : process_(process),
        rtol_(method.rtol),
        atol_(method.atol),
        control_(method.control),
        controller_(method.control, Pair::error_order + 1),
        log_target_(std::log(controller_.target())),
        paths_(n),
        slope_(d, n),
        step_(n),
        previous_(Path<double>::Constant(n, log_target_)),
        older_(previous_),
        after_rejection_(Path<double>::Zero(n)) {
    check_tolerances(Method::name, rtol_, atol_);
  }

  /// Advances the first n columns of x from t0 to t1. A path that fails becomes nan.
  /// @return the first failure met, in the order of the paths of the block that were first to fail
  Status to(Block<S, d>& x, Time t0, Time t1, Counts& counts) {
    status_ = Status::success;
    if (!started_) start(x, t1 - t0, counts);
    started_ = true;
    next_path_ = 0;
    int active = 0;
    for (int l = 0; l < lanes; ++l) active += load(x, l, t0, t1) ? 1 : 0;
    while (active > 0) {
      if (!step(t1)) continue;
      for (int l = 0; l < lanes; ++l)
        if (active_[l] != 0 && ended(l, t1)) {
          unload(x, l, t1, counts);
          if (!load(x, l, t0, t1)) --active;
        }
    }
    return status_;
  }

 private:
  static constexpr double max_tries_ = 10'000'000;

  /// Slope and first step of every path, `lanes` at once.
  void start(const Block<S, d>& x, Time span, Counts& counts) {
    const auto column = [&](Index first, int l) { return std::min(first + l, paths_ - 1); };
    for (Index first = 0; first < paths_; first += lanes) {
      for (int l = 0; l < lanes; ++l) x_.col(l) = x.col(column(first, l));
      evaluate_drift(process_, x_, Time{}, k_[0]);
      Row d0, d1, d2, h0;
      norm([&](int r) { return x_.row(r); }, x_, d0);
      norm([&](int r) { return k_[0].row(r); }, x_, d1);
      for (int l = 0; l < lanes; ++l) h0[l] = euler_guess(d0[l], d1[l], span);
      for (int r = 0; r < d; ++r)
        argument_.row(r) = x_.row(r) + h0.template cast<S>() * k_[0].row(r);
      evaluate_drift(process_, argument_, Time{}, k_[1]);
      norm([&](int r) { return k_[1].row(r) - k_[0].row(r); }, x_, d2);
      for (int l = 0; l < lanes && first + l < paths_; ++l) {
        step_[first + l] =
            first_step_size(h0[l], d1[l], d2[l] / h0[l], span, Pair::error_order + 1);
        slope_.col(first + l) = k_[0].col(l);
        if (x_.col(l).isFinite().all()) counts.drift_evaluations += 2;
      }
    }
  }

  /// error = max |e| / (atol + rtol max(|x_|, |y|)) over the rows; nan if there is one.
  template <class E>
  void norm(const E& e, const X& y, Row& error) const {
    error.setZero();
    for (int r = 0; r < d; ++r) {
      const Eigen::Array<S, 1, lanes> ratio =
          e(r).abs() / (S(atol_) + S(rtol_) * x_.row(r).abs().max(y.row(r).abs()));
      for (int l = 0; l < lanes; ++l) {
        const auto value = static_cast<double>(ratio[l]);
        error[l] = value <= error[l] ? error[l] : value + 0 * error[l];
      }
    }
  }

  /// Tries a step in every lane. @return whether the path of a lane may have ended
  bool step(Time t1) {
    Row h;
    for (int l = 0; l < lanes; ++l) {
      last_[l] = t_[l] + 1.0001 * h_[l] >= t1 ? 1.0 : 0.0;
      h[l] = last_[l] > 0 ? t1 - t_[l] : h_[l];
    }
    const Eigen::Array<S, 1, lanes> scale = h.template cast<S>();
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
    for (int r = 0; r < d; ++r)
      for (int l = 0; l < lanes; ++l)
        error_[l] = y_(r, l) - y_(r, l) == 0 ? error_[l] : std::numeric_limits<double>::quiet_NaN();
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

  static S weight(double coefficient) { return static_cast<S>(coefficient); }
  auto slopes(int r) const {
    return [this, r](std::size_t j) { return k_[j].row(r); };
  }
  auto first_error(int r) const { return S(Pair::error[0]) * k_[0].row(r); }

  /// What each lane makes of its error: as AdaptiveRun::try_step and StepController::factor.
  bool decide(const Row& h, Time t1) {
    const double k = Pair::error_order + 1;
    const auto [b1, b2, b3] = control_.b;
    const Row log_error = error_.log();
    Row exponent = (b1 * (log_target_ - log_error) + b2 * (log_target_ - log_previous_)) / k;
    if (b3 != 0) exponent += b3 / k * (log_target_ - log_older_);
    const double log_safety = std::log(control_.safety);
    for (int l = 0; l < lanes; ++l)
      exponent[l] = error_[l] <= 1 ? exponent[l] : log_safety - log_error[l] / k;
    const Row factor = exponent.exp();

    const auto [low, high] = controller_.kept();
    const double log_smallest = std::log(StepController::smallest);
    bool ended = false;
    // Loads, choices and stores apart, so that compilers make vectors of this.
    const double min_factor = control_.min_factor, max_factor = control_.max_factor;
    const auto choose = [](bool yes, double a, double b) { return yes ? a : b; };
    for (int l = 0; l < lanes; ++l) {
      const double error = error_[l], tried = h[l], step = h_[l], t = t_[l], after = after_lane_[l];
      const double log_previous = log_previous_[l], log_older = log_older_[l], wanted = factor[l];
      const double log_seen = std::max(log_error[l], log_smallest);
      const bool accept = error <= 1, last = last_[l] > 0;
      const bool seen = accept & !last, kept = (error >= low) & (error <= high);
      const bool capped = accept & (after > 0),
                 finite = error <= std::numeric_limits<double>::max();
      double f = choose(kept, 1.0, std::max(std::min(wanted, max_factor), min_factor));
      f = choose(capped, std::min(f, 1.0), f);
      f = choose(finite, f, min_factor);
      const double next = choose(accept, choose(last, step, step * f), tried * f);
      const double arrived = choose(accept, choose(last, t1, t + tried), t);
      const double tries = tries_[l] + 1, accepted = accepted_[l] + choose(accept, 1.0, 0.0);
      h_[l] = next;
      t_[l] = arrived;
      after_lane_[l] = choose(accept, choose(last, after, 0.0), 1.0);
      log_older_[l] = choose(seen, log_previous, log_older);
      log_previous_[l] = choose(seen, log_seen, log_previous);
      tries_[l] = tries;
      accepted_[l] = accepted;
      const bool stops = (arrived == t1) | (arrived + next == arrived) | (tries >= max_tries_);
      stops_[l] = choose(stops, 1.0, 0.0);
    }
    for (int l = 0; l < lanes; ++l) if (stops_[l] > 0 && active_[l] != 0) ended = true;
    for (int l = 0; l < lanes; ++l) mask_[l] = error_[l] <= 1 ? S(1) : S(0);
    for (int r = 0; r < d; ++r)
      for (int l = 0; l < lanes; ++l) {
        const S from = x_(r, l), to = y_(r, l), slope = first_(r, l), next = end_(r, l);
        const bool accept = mask_[l] > 0;
        x_(r, l) = accept ? to : from;
        first_(r, l) = accept ? next : slope;
      }
    return ended;
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
        log_previous_[l] = previous_[j];
        log_older_[l] = older_[j];
        after_lane_[l] = after_rejection_[j];
        tries_[l] = accepted_[l] = 0;
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
    log_previous_[l] = log_older_[l] = log_target_;
    return false;
  }

  /// The path of the lane back into the block.
  void unload(Block<S, d>& x, int l, Time t1, Counts& counts) {
    const auto tries = static_cast<std::uint64_t>(tries_[l]),
               accepted = static_cast<std::uint64_t>(accepted_[l]);
    counts += {accepted, tries - accepted, s_ * tries, 0};
    const Index j = path_[l];
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
    previous_[j] = log_previous_[l];
    older_[j] = log_older_[l];
    after_rejection_[j] = after_lane_[l];
  }

  void fail(Block<S, d>& x, Index j, Status status) {
    if (status_ == Status::success) status_ = status;
    x.col(j).setConstant(std::numeric_limits<S>::quiet_NaN());
  }

  const P& process_;
  double rtol_, atol_;
  StepControl control_;
  StepController controller_;
  double log_target_;
  Index paths_;
  Block<S, d> slope_;                                       // of every path: f at its state,
  Path<double> step_, previous_, older_, after_rejection_;  // step to try, logs of its last errors
  bool started_ = false;
  Status status_ = Status::success;
  Index next_path_ = 0;  // not yet in a lane

  // In the lanes:
  Eigen::Array<Index, 1, lanes> path_;
  Eigen::Array<std::int64_t, 1, lanes> active_;  // 0 where there was no path left
  Row t_, h_, error_, tries_, accepted_;
  Row last_, stops_;  // 1 or 0: the step ends at t1; the path may have ended
  Row log_previous_, log_older_, after_lane_;  // of the controller
  Eigen::Array<S, 1, lanes> mask_;             // 1: accepted
  X x_, y_, argument_, first_, end_;           // first_ = f(x_), end_ = f(y_)
  std::array<X, s_ + 1> k_;                    // times h
};

}  // namespace fokker::detail
