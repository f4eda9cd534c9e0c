#pragma once
/// @file  fokker/solvers/noise/recorded_path.hpp
/// @brief A Brownian path that is given: replayed from its record, on its own times or fewer.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include <fokker/solvers/core/grid.hpp>
#include <fokker/solvers/noise/brownian.hpp>
#include <fokker/solvers/noise/noise_source.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

/// A recorded Brownian path, or block of them: a source of increments, as BrownianIncrements is,
/// that draws nothing. The increment over an interval between two times of the record, in any
/// order, is the sum of the increments in between, so it is asked for on the record's own times or
/// on any of them; over one interval it is the record's, bit for bit. A time may be off the
/// record's by 1e-9 of the interval next to it. H, K and the Levy area are not on the record: a
/// solver that needs them is refused. A replay: `integrate(process, Milstein{}, OnGrid{times}, x0,
/// {.noise = path})`.
template <class S>
class RecordedPath {
 public:
  using Scalar = S;

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

  /// Times of the recorded values.
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
  template <class Dw>
  requires std::same_as<typename Dw::S, S>
  void increment(Time t0, Time t1, Dw& dw) const {
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

/// What a source gives along `grid`, recorded. @param m, n  Brownian motions per path, and paths
template <class S, class Source>
RecordedPath<S> record(Source&& source, TimeGrid grid, Index m, Index n) {
  detail::AnyIncrement<S> dw;
  dw.resize(m, n);
  std::vector<Block<S>> increments;
  for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
    source.increment(grid[k], grid[k + 1], dw);
    increments.push_back(dw.w);
  }
  return RecordedPath<S>(std::move(grid), std::move(increments));
}

}  // namespace fokker
