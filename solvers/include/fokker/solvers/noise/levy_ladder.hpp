#pragma once
/// @file  fokker/solvers/noise/levy_ladder.hpp
/// @brief Brownian paths with their Levy areas over every union of the cells of a dyadic ladder.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

#include <fokker/solvers/noise/brownian.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

/// The Brownian paths first_path, first_path + 1, ... of a seed on [t0, t1], W and the Levy areas A
/// between the Wiener processes, over any union of adjacent cells of length (t1 - t0) / 2^levels,
/// in any order of queries.
///
/// W and A are drawn on the cells alone, as BrownianIncrements draws them on the uniform grid of
/// the cells, and put together upwards by Chen's relation. So all queries belong to one path, which
/// is the one that a run on that grid has. Nothing refines an area that has been drawn: what is not
/// a union of cells is refused.
///
/// Cost    2^levels cells drawn when it is made, then O(levels) sums per query; it keeps about
///         2^levels m (m + 1) n numbers for m Wiener processes and n paths.
template <class S>
class LevyLadder {
 public:
  static constexpr int max_levels = 30;

  /// @param seed        of the whole run
  /// @param first_path  number of the path in column 0
  /// @param paths       columns n
  /// @param m           independent Wiener processes per path
  /// @param levels      halvings of [t0, t1] down to a cell
  /// @throws std::invalid_argument  unless t0 < t1 are finite and levels is in 0, ..., 30
  LevyLadder(Seed seed, std::uint64_t first_path, Index paths, Index m, Time t0, Time t1,
             int levels)
      : t0_(t0), t1_(t1) {
    if (!(t0 < t1) || !std::isfinite(t1 - t0) || levels < 0 || levels > max_levels)
      throw std::invalid_argument(
          "a ladder of Levy areas needs finite times t0 < t1 and from 0 to " +
          std::to_string(max_levels) + " levels: got t0=" + text(t0) + ", t1=" + text(t1) +
          ", levels=" + std::to_string(levels));
    sum_.resize(m, paths, needs);
    rungs_.resize(static_cast<std::size_t>(levels) + 1);
    for (std::size_t level = 0; level < rungs_.size(); ++level)
      rungs_[level].assign(std::size_t{1} << level, sum_);
    BrownianIncrements<S> source(seed, first_path, paths, m, needs);
    for (Index i = 0; i < cells(); ++i)
      source.increment(end(i), end(i + 1), rungs_.back()[static_cast<std::size_t>(i)]);
    for (std::size_t level = rungs_.size() - 1; level-- > 0;)
      for (std::size_t i = 0; i < rungs_[level].size(); ++i)
        for (const std::size_t half : {2 * i, 2 * i + 1})
          extend(rungs_[level][i], rungs_[level + 1][half]);
  }

  /// Cells of [t0, t1].
  Index cells() const { return static_cast<Index>(rungs_.back().size()); }

  /// dw = the increment over [s, t], s < t, with the areas if it has room for them.
  /// @throws std::invalid_argument  unless s and t are ends of cells, to rounding
  template <class Dw>
  void increment(Time s, Time t, Dw& dw) {
    std::size_t from = number(s);
    const std::size_t to = number(t);
    if (from >= to)
      throw std::invalid_argument("a Brownian increment needs times s < t: got s=" + text(s) +
                                  ", t=" + text(t));
    sum_.resize(sum_.w.rows(), sum_.w.cols(), needs);
    while (from < to) {
      // The largest rung that starts here and does not pass the end.
      std::size_t size = std::bit_floor(to - from);
      if (from > 0) size = std::min(size, from & (~from + 1));
      const auto level = rungs_.size() - std::bit_width(size);
      extend(sum_, rungs_[level][from / size]);
      from += size;
    }
    dw.w = sum_.w;
    if (dw.area.size() > 0) dw.area = sum_.area;
  }

 private:
  static constexpr Needs needs{.area = true};
  struct AnyNoise {
    static constexpr NoiseKind noise = NoiseKind::general;
  };
  using Values = Increment<AnyNoise, Block<S>>;

  /// By Chen's relation; the lengths, which matter to H and K alone, are left out.
  static void extend(Values& a, const Values& b) { append(a, 0, b, 0, needs); }

  Time end(Index i) const { return subdivision(t0_, t1_, i, cells()); }

  /// The number of cells before t.
  std::size_t number(Time t) const {
    const double cell = (t1_ - t0_) / static_cast<double>(cells());
    const double at = (t - t0_) / cell, nearest = std::round(at);
    const double ulp = std::numeric_limits<double>::epsilon();
    const double slack = 1e-9 + 4 * ulp * std::max(std::abs(t0_), std::abs(t1_)) / cell;
    if (!(nearest >= 0 && nearest <= static_cast<double>(cells()) &&
          std::abs(at - nearest) <= slack))
      throw std::invalid_argument("Levy areas were drawn from t=" + text(t0_) + " to " + text(t1_) +
                                  " on cells of length " + text(cell) + ": t=" + text(t) +
                                  " is not an end of one; ask for a union of cells, or declare a "
                                  "ladder with more levels");
    return static_cast<std::size_t>(nearest);
  }

  Time t0_, t1_;
  std::vector<std::vector<Values>> rungs_;  // level l: 2^l parts of [t0, t1]
  Values sum_;
};

}  // namespace fokker
