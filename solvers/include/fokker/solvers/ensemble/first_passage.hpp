#pragma once
/// @file  fokker/solvers/ensemble/first_passage.hpp
/// @brief First passage times of a level over an ensemble of paths.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include <fokker/solvers/ensemble/reductions.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/noise/brownian_bridge.hpp>
#include <fokker/solvers/support/checks.hpp>

namespace fokker {

/// When each path of an ensemble first met the level.
struct PassageTimes {
  Eigen::ArrayXd time;  ///< since the start; infinite: not met; nan: the path failed before
  Time horizon = 0;     ///< length of the run

  /// P(tau <= t), t at most the horizon, over all paths.
  Estimate reached_by(Time t) const {
    return estimate(
        [&](Index j) { return std::isnan(time[j]) ? time[j] : static_cast<double>(time[j] <= t); });
  }
  /// E min(tau, horizon).
  Estimate restricted_mean() const {
    return estimate(
        [&](Index j) { return std::isnan(time[j]) ? time[j] : std::min(time[j], horizon); });
  }

 private:
  template <class Values>
  Estimate estimate(const Values& values) const {
    return expectation(Nothing{}).result(RunningMoments::of(time.size(), values));
  }
};

/// The reduction to first passage times of component i: the first time at which it meets `level`,
/// from whichever side it starts, found on the steps of `simulate` and between them. There the
/// path is taken for a Brownian bridge with the noise at the start of the step, tested with its
/// probability to meet the level and given a time of the right law: with constant drift and noise
/// the times are exact in law on any grid, else right to O(h), where the maximum over the grid's
/// points is wrong by O(h^1/2). Random numbers are those of (seed, path), so a path has the same
/// time on any number of threads, and in `integrate` with a `level_event`.
/// Source: Gobet (2000) for killed diffusions.
template <class P>
class FirstPassage {
 public:
  using Value = PassageTimes;
  using Partial = Nothing;
  static constexpr bool every_step = true;

  /// @param process  the one that is simulated; must outlive the run
  /// @param seed     the seed of the run
  FirstPassage(const P& process, Index component, double level, Seed seed)
      : process_(&process), component_(component), level_(level), seed_(seed) {}

  /// @throws std::invalid_argument  for a component that the state has not, and a level that is nan
  void prepare(Index paths, Index d, std::span<const Time> times) {
    check_index({"the component of a first passage", "component"}, component_, d);
    if (std::isnan(level_))
      throw std::invalid_argument("the level of a first passage must be a number: got nan");
    detail::require_memory_of_paths(paths, 1);
    result_.horizon = std::abs(times.back() - times.front());
    result_.time.setConstant(paths, std::numeric_limits<double>::quiet_NaN());
  }

  /// Of one block.
  template <State X>
  struct Accumulator {
    X sum, column;  // scratch
    Eigen::Array<double, 1, Eigen::Dynamic> distance, variance, time;
    Time start = 0, t = 0;
    std::vector<detail::BridgePassage> bridges;
  };
  template <State X>
  auto accumulator(const X& x) const {
    return Accumulator<X>{x, x, {}, {}, {}, 0, 0, {}};
  }

  template <State X>
  void observe(Accumulator<X>& o, Index k, Time t, const X& x, Index first) const {
    if (k == 0) {
      const Index paths = std::min<Index>(x.cols(), result_.time.size() - first);
      for (Index j = 0; j < paths; ++j)
        o.bridges.emplace_back(seed_, static_cast<std::uint64_t>(first + j));
      o.start = t;
      o.distance = x.row(component_).template cast<double>() - level_;
      o.time = o.distance.unaryExpr([](double distance) {
        if (distance == 0 || std::isnan(distance)) return distance;
        return std::numeric_limits<double>::infinity();
      });
    } else {
      const Time h = std::abs(t - o.t), begin = std::abs(o.t - o.start);
      for (std::size_t i = 0; i < o.bridges.size(); ++i) {
        const auto j = static_cast<Index>(i);
        const double from = o.distance[j], to = static_cast<double>(x(component_, j)) - level_;
        o.distance[j] = to;
        if (!std::isinf(o.time[j])) continue;
        if (std::isnan(to))
          o.time[j] = to;
        else if (const auto part = passage(o.bridges[i], from, to, o.variance[j] * h))
          o.time[j] = begin + *part * h;
      }
    }
    o.t = t;
    detail::component_variance(*process_, x, t, component_, o.sum, o.column, o.variance);
  }

  template <State X>
  Partial partial(const Accumulator<X>& o, const X&, Index column, Index count, Index first) {
    result_.time.segment(first + column, count) = o.time.segment(column, count).transpose();
    return {};
  }
  static Partial merge(const Partial&, const Partial&) { return {}; }
  Value result(const Partial&) { return std::move(result_); }

 private:
  /// The fraction of a step after which the level is met; linear where there is no noise.
  static std::optional<double> passage(detail::BridgePassage& bridge, double from, double to,
                                       double variance) {
    if (variance > 0) return bridge(from, to, variance);
    if (from * to > 0) return {};
    return from / (from - to);
  }

  const P* process_;
  Index component_;
  double level_;
  Seed seed_;
  PassageTimes result_;
};

/// A level of one component.
struct Level {
  double value;
  Index component = 0;
};

/// First passage times of a level, by `simulate` on the same arguments:
///
///     const auto tau = first_passage(process, EulerMaruyama{}, Fixed{0.01}, 0.0, {0, 10},
///                                    {.paths = 10'000, .seed = 1}, Level{.value = 1.0});
///     tau.value.reached_by(1).mean;
///
/// @throws std::invalid_argument  as `simulate`, and for a component that the state has not
template <class S = double, class P, class M, class Steps, class X0>
requires(!detail::GivesGrid<Steps>) Ensemble<PassageTimes> first_passage(
    const P& process, const M& method, const Steps& steps, const X0& x0, std::array<Time, 2> span,
    const SimulateOptions& options, Level level) {
  return simulate<S>(process, method, steps, x0, span, options,
                     FirstPassage<P>(process, level.component, level.value, options.seed));
}
/// The same on a grid.
template <class S = double, class P, class M, detail::GivesGrid Steps, class X0>
Ensemble<PassageTimes> first_passage(const P& process, const M& method, const Steps& steps,
                                     const X0& x0, const SimulateOptions& options, Level level) {
  return simulate<S>(process, method, steps, x0, options,
                     FirstPassage<P>(process, level.component, level.value, options.seed));
}

}  // namespace fokker
