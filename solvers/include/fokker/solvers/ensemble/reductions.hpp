#pragma once
/// @file  fokker/solvers/ensemble/reductions.hpp
/// @brief What `simulate` keeps of an ensemble: moments, estimates, final or saved states.
///
/// A reduction R is an object with
///
///     Partial                               // default-constructed: nothing seen
///     prepare(paths, d, times)              // once, before any block: the times it will see
///     accumulator(x) -> Accumulator               // per block: what it carries along the paths
///     observe(accumulator, k, t, x, first)     // at times[k] = t, x = d x W
///     finish(accumulator, x)                    // optional: once per block, at the end of the run
///     partial(accumulator, x, column, count, first) -> Partial     // columns [column, column + count)
///     merge(a, b) -> Partial                // associative only along the fixed binary tree
///     result(total) -> Value
///     count_failed(accumulator, x, count) -> Index   // optional: of the first `count` columns, those
///                                           // that are not finite or of which it makes no number
///
/// `first` is the number of the path in column 0. Leaves hold 64 paths and are merged along the
/// binary tree over the leaf numbers, so a result has the same bits for any number of threads and
/// any block size. A reduction sees real paths only, never the padding of the last block.
///
/// It sees the times of `save_at`, or with `static constexpr bool every_step = true` every step of
/// Fixed and OnGrid, as a functional of the path needs it. Without save_at all see every step.
///
/// One that keeps all it finds in its partials, values as bytes.hpp takes them, may say so by
/// `static constexpr bool portable = true`: then it takes checkpoints and ranks.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <fokker/solvers/core/grid.hpp>
#include <fokker/solvers/core/state.hpp>

namespace fokker {

/// Mean and variance of one quantity over an ensemble, mergeable.
struct RunningMoments {
  double n = 0;
  double mean = 0;
  double m2 = 0;  ///< sum of (x - mean)^2

  /// Of `count` values v(0), v(1), ..., summed over eight accumulators in a fixed order.
  template <class Values>
  static RunningMoments of(Index count, const Values& v) {
    const double n = static_cast<double>(count);
    const double mean = sum(count, v) / n;
    return {n, mean, sum(count, [&](Index j) { return (v(j) - mean) * (v(j) - mean); })};
  }

  /// Of the union of two disjoint sets. Source: Chan, Golub & LeVeque (1983).
  static RunningMoments merge(const RunningMoments& a, const RunningMoments& b);

  double variance() const {
    return n > 1 ? m2 / (n - 1) : std::numeric_limits<double>::quiet_NaN();
  }
  double standard_error() const { return std::sqrt(variance() / n); }

 private:
  template <class Values>
  static double sum(Index count, const Values& v) {
    std::array<double, 8> acc{};
    for (Index j = 0; j < count; ++j) acc[static_cast<std::size_t>(j % 8)] += v(j);
    return ((acc[0] + acc[4]) + (acc[2] + acc[6])) + ((acc[1] + acc[5]) + (acc[3] + acc[7]));
  }
};

namespace detail {

/// Refuses a reduction that stores so many doubles for each path where they cannot fit in memory.
/// @throws std::invalid_argument  with both figures and what would work
void require_memory_of_paths(Index paths, Index numbers);

/// The moments of the rows of x over the columns [column, column + count).
template <class X>
std::vector<RunningMoments> row_moments(const X& x, Index column, Index count) {
  std::vector<RunningMoments> rows;
  rows.reserve(static_cast<std::size_t>(x.rows()));
  for (Index r = 0; r < x.rows(); ++r)
    rows.push_back(RunningMoments::of(
        count, [&](Index j) { return static_cast<double>(x.coeff(r, column + j)); }));
  return rows;
}

std::vector<RunningMoments> merge_rows(std::vector<RunningMoments> a,
                                       const std::vector<RunningMoments>& b);

}  // namespace detail

/// Nothing: the accumulator or partial of a reduction that needs none.
struct Nothing {};

/// Mean, variance and standard error of each component of X at the end of the run.
struct Moments {
  struct Value {
    Eigen::ArrayXd mean, variance, standard_error;
  };
  using Partial = std::vector<RunningMoments>;
  static constexpr bool portable = true;

  void prepare(Index, Index, std::span<const Time>) {}
  template <State X>
  Nothing accumulator(const X&) const {
    return {};
  }
  template <State X>
  void observe(Nothing&, Index, Time, const X&, Index) const {}
  template <State X>
  Partial partial(const Nothing&, const X& x, Index column, Index count, Index) const {
    return detail::row_moments(x, column, count);
  }
  static Partial merge(Partial a, const Partial& b) { return detail::merge_rows(std::move(a), b); }
  Value result(const Partial& total) const;
};

/// An estimated expectation with its standard error and normal 95 % confidence interval.
struct Estimate {
  double mean = 0;
  double standard_error = 0;
  double low = 0;
  double high = 0;
  double paths = 0;
};

/// E[value(state at the end)] of a functional of the whole path:
///
///     start(x, t) -> carry       any block, for instance the running maximum so far; or
///                                start(x, t, first), `first` the number of the path in column 0
///     update(carry, x, t)        after every later step
///     value(carry, x) -> 1 x n   the functional of each path
///
/// The estimate carries its standard error, so `SimulateOptions::target_standard_error` applies.
template <class Start, class Update, class Functional>
struct PathFunctional {
  using Value = Estimate;
  using Partial = RunningMoments;
  static constexpr bool portable = true;
  static constexpr bool every_step = true;
  Start start;
  Update update;
  Functional value;

  void prepare(Index, Index, std::span<const Time>) {}
  /// Of one block.
  template <class Carry>
  struct Accumulator {
    Carry carry;
    Eigen::Array<double, 1, Eigen::Dynamic> values;
  };
  template <State X>
  auto accumulator(const X& x) const {
    return Accumulator<decltype(started(x, Time{}, 0))>{started(x, Time{}, 0), {}};
  }
  template <State X>
  void observe(auto& o, Index k, Time t, const X& x, Index first) const {
    if (k == 0)
      o.carry = started(x, t, first);
    else
      update(o.carry, x, t);
  }
  /// Ends the functional of each path in state x.
  template <State X>
  void finish(auto& o, const X& x) const {
    o.values = value(o.carry, x).template cast<double>();
  }
  template <State X>
  Partial partial(const auto& o, const X&, Index column, Index count, Index) const {
    return RunningMoments::of(count, [&](Index j) { return o.values[column + j]; });
  }
  /// The paths with a component that is not finite or a functional that is nan.
  template <State X>
  Index count_failed(const auto& o, const X& x, Index count) const {
    Index failed = 0;
    for (Index j = 0; j < count; ++j) {
      bool finite = !std::isnan(o.values[j]);
      for (Index r = 0; r < x.rows(); ++r) finite = finite && std::isfinite(x.coeff(r, j));
      failed += finite ? 0 : 1;
    }
    return failed;
  }
  static Partial merge(const Partial& a, const Partial& b) { return RunningMoments::merge(a, b); }
  static double standard_error(const Partial& p) { return p.standard_error(); }
  Value result(const Partial& p) const {
    constexpr double z = 1.959963984540054;  // 97.5 % quantile of the normal law
    const double se = p.standard_error();
    return {p.mean, se, p.mean - z * se, p.mean + z * se, p.n};
  }

 private:
  template <State X>
  auto started(const X& x, Time t, [[maybe_unused]] Index first) const {
    if constexpr (requires { start(x, t, first); })
      return start(x, t, first);
    else
      return start(x, t);
  }
};
template <class A, class B, class C>
PathFunctional(A, B, C) -> PathFunctional<A, B, C>;

/// E[phi(X_T)] for a function phi of a block, d x n -> 1 x n: `expectation([](const auto& x) {
/// return (x.row(0) - 1.0).max(0.0); })`.
template <class Phi>
auto expectation(Phi phi) {
  return PathFunctional{[](const auto&, Time) { return Nothing{}; },
                        [](Nothing&, const auto&, Time) {},
                        [phi = std::move(phi)](const Nothing&, const auto& x) { return phi(x); }};
}

/// The states of all paths at the end of the run, d x paths, row-major.
struct FinalState {
  using Value = Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Partial = Nothing;

  void prepare(Index paths, Index d, std::span<const Time>);
  template <State X>
  Nothing accumulator(const X&) const {
    return {};
  }
  template <State X>
  void observe(Nothing&, Index, Time, const X&, Index) const {}
  template <State X>
  Partial partial(const Nothing&, const X& x, Index column, Index count, Index first) {
    states_.middleCols(first + column, count) = x.middleCols(column, count).template cast<double>();
    return {};
  }
  static Partial merge(const Partial&, const Partial&) { return {}; }
  Value result(const Partial&) { return std::move(states_); }

 private:
  Value states_;
};

/// The states of all paths at the times seen, those of `save_at`: `value[i]` is d x paths at the
/// ensemble's t[i]. Stores everything it is asked for: times x d x paths doubles.
struct States {
  using Value = std::vector<Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
  using Partial = Nothing;

  void prepare(Index paths, Index d, std::span<const Time> times);
  template <State X>
  Nothing accumulator(const X&) const {
    return {};
  }
  template <State X>
  void observe(Nothing&, Index k, Time, const X& x, Index first) {
    auto& saved = states_[static_cast<std::size_t>(k)];
    const Index count = std::min<Index>(x.cols(), saved.cols() - first);
    saved.middleCols(first, count) = x.leftCols(count).template cast<double>();
  }
  template <State X>
  Partial partial(const Nothing&, const X&, Index, Index, Index) const {
    return {};
  }
  static Partial merge(const Partial&, const Partial&) { return {}; }
  Value result(const Partial&) { return std::move(states_); }

 private:
  Value states_;
};

}  // namespace fokker
