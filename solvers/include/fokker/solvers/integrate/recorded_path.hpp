#pragma once
/// @file  fokker/solvers/integrate/recorded_path.hpp
/// @brief A Brownian path that is given: replayed from its record, on its own times or fewer.

#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include <fokker/solvers/core/grid.hpp>
#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/noise/brownian.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

/// A recorded Brownian path, or block of them: a source of increments, as BrownianIncrements is,
/// that draws nothing. The increment over an interval between two times of the record, in any
/// order, is the sum of the increments in between, so it is asked for on the record's own times or
/// on any of them; over one interval it is the record's, bit for bit. A time may be off the
/// record's by 1e-9 of the interval next to it. H, K and the Levy area are not on the record:
/// `integrate_on` refuses a solver that needs them.
template <class S>
class RecordedPath {
 public:
  /// @param times       t_0 < ... < t_N
  /// @param increments  W(t_{i+1}) - W(t_i), N arrays m x n (n paths)
  /// @throws std::invalid_argument  for times not ascending, increments not finite or of the wrong
  ///                                number or shape
  RecordedPath(TimeGrid times, std::vector<Block<S>> increments)
      : times_(std::move(times)), increments_(std::move(increments)) {
    check_grid(times_);
    if (times_[1] < times_[0])
      throw std::invalid_argument("the times of a recorded path must ascend");
    if (increments_.size() + 1 != times_.size())
      throw std::invalid_argument(text("a path recorded at {} times has {} increments: got {}",
                                       {times_.size(), times_.size() - 1, increments_.size()}));
    for (std::size_t i = 0; i < increments_.size(); ++i) {
      const Block<S>& dw = increments_[i];
      if (dw.rows() != increments_[0].rows() || dw.cols() != increments_[0].cols())
        throw std::invalid_argument(
            text("the increments of a recorded path must have one shape: number {} is {} x {}, the "
                 "first {} x {}",
                 {i, dw.rows(), dw.cols(), increments_[0].rows(), increments_[0].cols()}));
      if (!dw.isFinite().all())
        throw std::invalid_argument(text("increment {} of the recorded path is not finite", {i}));
    }
  }

  /// One path from its values. @param w  m x (N + 1), column i is W(t_i)
  /// @throws std::invalid_argument  as the constructor
  static RecordedPath of_values(TimeGrid times, const Block<S>& w) {
    std::vector<Block<S>> increments;
    for (Index i = 0; i + 1 < w.cols(); ++i) increments.push_back(w.col(i + 1) - w.col(i));
    return RecordedPath(std::move(times), std::move(increments));
  }

  const TimeGrid& times() const { return times_; }

  /// Refuses what is not on the record. @throws std::invalid_argument  unless W is all that is
  /// needed
  void check(Needs needs) const {
    if (needs.h || needs.k || needs.area || needs.normals > 0)
      throw std::invalid_argument(
          "a recorded path has the increments of W alone: choose a solver that needs no Levy area "
          "(neither H, K nor A) and no normals beside the path");
  }

  /// dw.w = the increment over [t0, t1].
  /// @throws std::invalid_argument  unless t0 < t1 are on the record and dw.w has its shape
  template <class P, State X>
  void increment(Time t0, Time t1, Increment<P, X>& dw) const {
    const Block<S>& first = increments_.front();
    if (dw.w.rows() != first.rows() || dw.w.cols() != first.cols())
      throw std::invalid_argument(
          text("the record has {} Brownian motions of {} paths: asked for {} of {}",
               {first.rows(), first.cols(), dw.w.rows(), dw.w.cols()}));
    const std::size_t from = place(t0), to = place(t1);
    if (from >= to)
      throw std::invalid_argument(
          text("a recorded path is replayed upwards in time: asked from {} to {}", {t0, t1}));
    dw.w = increments_[from];
    for (std::size_t i = from + 1; i < to; ++i) dw.w += increments_[i];
  }

 private:
  /// The number of a time of the record. @throws std::invalid_argument  naming the nearest
  std::size_t place(Time t) const {
    const auto above = std::lower_bound(times_.begin(), times_.end(), t);
    auto i = static_cast<std::size_t>(above - times_.begin());
    if (i == times_.size() || (i > 0 && t - times_[i - 1] < times_[i] - t)) --i;
    const Time gap = i > 0 ? times_[i] - times_[i - 1] : times_[1] - times_[0];
    if (!(std::abs(times_[i] - t) <= 1e-9 * gap))
      throw std::invalid_argument(text(
          "t={} is not on the recorded path: the nearest time that is is t={}", {t, times_[i]}));
    return i;
  }

  TimeGrid times_;
  std::vector<Block<S>> increments_;
};

namespace detail {

/// Nothing but a noise kind: increments need no more of a process.
struct AnyNoise {
  static constexpr NoiseKind noise = NoiseKind::general;
};

}  // namespace detail

/// What a source gives along `grid`, recorded. @param m, n  Brownian motions per path, and paths
template <class S, class Source>
RecordedPath<S> record(Source&& source, TimeGrid grid, Index m, Index n) {
  Increment<detail::AnyNoise, Block<S>> dw;
  dw.resize(m, n);
  std::vector<Block<S>> increments;
  for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
    source.increment(grid[k], grid[k + 1], dw);
    increments.push_back(dw.w);
  }
  return RecordedPath<S>(std::move(grid), std::move(increments));
}

/// Steps from x0 on the points of `grid`, with the noise of any source: BrownianIncrements, a
/// RecordedPath, a BrownianTree.
///
/// @param method  a fixed-step solver
/// @param x0      a number, or an Eigen array d x n
/// @param grid    ascending times
/// @param source  of n paths and the process's noise dimension; what it fills, W, H, K or A, must
///                be what the solver needs
/// @param check   the contract of the coefficients, before the first step (contract.hpp)
/// @return the states at every point of the grid, up to the first that is not finite (`status`)
/// @throws std::invalid_argument  for a bad grid or x0, coefficients that break their contract, and
/// what the source throws
template <class P, class M, class X0, class Source>
auto integrate_on(const P& process, const M& method, const X0& x0, std::span<const Time> grid,
                  Source&& source, bool check = true) {
  require_compatible<M, P>();
  static_assert(!AdaptiveSolver<M>, "steps on a given grid need a fixed-step solver");
  check_grid(grid);
  if (grid[1] < grid[0])
    throw std::invalid_argument("integrate_on goes up in time: give an ascending grid");
  auto x = detail::as_state<P>(x0);
  using X = decltype(x);
  detail::check_start(process, x);
  check_parameters(method, process);
  if (check) detail::check_contract<X>(process, x, x.cols() > 1, grid.front(), grid.back());

  X y(x.rows(), x.cols());
  Increment<P, X> dw;
  if constexpr (requires { source.check(Needs{}); }) source.check(needs_of(method));
  dw.resize(wiener_dimension(process, x.rows()), x.cols(), needs_of(method));
  typename M::template Workspace<X> workspace(x.rows(), x.cols());
  const Evaluations per_step = facts_of(method).evaluations(noise_kind<P>);
  Solution<X> solution{.t = {grid[0]}, .x = {x}};
  for (std::size_t k = 0; k + 1 < grid.size() && solution.status == Status::success; ++k) {
    source.increment(grid[k], grid[k + 1], dw);
    method.step(process, x, grid[k], grid[k + 1] - grid[k], dw, y, workspace);
    x.swap(y);
    solution.counts += {1, 0, static_cast<std::uint64_t>(per_step.drift),
                        static_cast<std::uint64_t>(per_step.diffusion)};
    solution.t.push_back(grid[k + 1]);
    solution.x.push_back(x);
    if (!x.isFinite().all()) {
      solution.status = Status::non_finite;
      solution.message =
          text("{} at t = {} (step {})", {to_string(solution.status), grid[k + 1], k + 1});
    }
  }
  solution.end_time = solution.t.back();
  solution.end = x;
  return solution;
}

}  // namespace fokker
