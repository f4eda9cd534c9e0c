#pragma once
/// @file  fokker/solvers/ensemble/path_statistics.hpp
/// @brief What is told of an ensemble along its grid: moments of all paths, and the first paths.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <fokker/solvers/ensemble/reductions.hpp>
#include <fokker/solvers/ensemble/streamed_states.hpp>
#include <fokker/solvers/support/bytes.hpp>
#include <fokker/solvers/support/file_path.hpp>

namespace fokker {

/// Moments to the fourth of one quantity over an ensemble, mergeable.
struct FourMoments {
  double n = 0;
  double mean = 0;
  double m2 = 0, m3 = 0, m4 = 0;  ///< sums of (x - mean)^k

  /// Moments of the numbers.
  static FourMoments of(std::span<const double> x);

  /// Of the union of two disjoint sets. Source: Pebay (2008), equations 1.5, 2.1 and 2.2.
  static FourMoments merge(const FourMoments& a, const FourMoments& b);

  double variance() const {
    return n > 1 ? m2 / (n - 1) : std::numeric_limits<double>::quiet_NaN();
  }
  /// Standard errors of the mean and of the standard deviation; Var of the sample variance is
  /// (m4 - sd^4) / n.
  double mean_error() const { return std::sqrt(variance() / n); }
  /// Standard error of the standard deviation.
  double sd_error() const;
};

/// At chosen grid points: the moments of the finite values of all paths, the states of the first
/// `keep` paths, for quantiles and pictures, and, if a file is given, the states of all in it
/// (StreamedStates). Holds points x d x keep numbers, whatever the number of paths.
struct PathStatistics {
  /// States of a time, d x paths.
  using States = Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  struct Value {
    std::vector<FourMoments> moments;  ///< of point i and component r at i d + r
    std::vector<States> states;        ///< by point, d x kept; nan where a path was not finished
    bool streamed = false;             ///< the file was written
  };
  /// States of `count` paths from `first` on, point by point.
  struct Kept {
    Index first = 0, count = 0;
    std::vector<double> values;
    /// Writes it to a checkpoint.
    void save(ByteWriter& out) const {
      out.put(first);
      out.put(count);
      out.put(values);
    }
    /// Reads it from a checkpoint.
    void load(ByteReader& in) {
      in.get(first);
      in.get(count);
      in.get(values);
    }
  };
  struct Partial {
    Index paths = 0;
    std::vector<FourMoments> moments;
    std::vector<Kept> kept;
    /// Writes it to a checkpoint.
    void save(ByteWriter& out) const {
      out.put(paths);
      out.put(moments);
      out.put(kept);
    }
    /// Reads it from a checkpoint.
    void load(ByteReader& in) {
      in.get(paths);
      in.get(moments);
      in.get(kept);
    }
  };
  static constexpr bool portable = true;

  /// @param keep  so many of the first paths are kept whole
  explicit PathStatistics(Index keep = 0) : keep_(keep) {}

  /// Streams the states of all paths to a file too. Takes no checkpoint and no ranks.
  void stream_to(const FilePath& file) { streamed_.emplace(file); }

  void prepare(Index paths, Index d, std::span<const Time> times);

  /// Of one block.
  struct Accumulator {
    std::vector<FourMoments> moments;  ///< by leaf, point and component
    Kept kept;
    StreamedStates::Accumulator row;
  };
  template <State X>
  Accumulator accumulator(const X& x) const {
    Accumulator o;
    o.moments.resize(numbers() *
                     static_cast<std::size_t>((x.cols() + leaf_paths - 1) / leaf_paths));
    if (streamed_) o.row = streamed_->accumulator(x);
    return o;
  }
  template <State X>
  void observe(Accumulator& o, Index k, Time t, const X& x, Index first) {
    const Index real = std::min<Index>(x.cols(), paths_ - first);
    std::array<double, leaf_paths> finite{};
    for (Index column = 0; column < real; column += leaf_paths)
      for (Index r = 0; r < d_; ++r) {
        std::size_t n = 0;
        for (Index j = column; j < std::min(real, column + leaf_paths); ++j)
          if (std::isfinite(x.coeff(r, j))) finite[n++] = static_cast<double>(x.coeff(r, j));
        o.moments[numbers() * static_cast<std::size_t>(column / leaf_paths) +
                  static_cast<std::size_t>(k * d_ + r)] = FourMoments::of({finite.data(), n});
      }
    const Index count = std::min(real, keep_ - first);
    if (count > 0) {
      o.kept.first = first;
      o.kept.count = count;
      o.kept.values.resize(numbers() * static_cast<std::size_t>(count));
      Eigen::Map<States>(o.kept.values.data() + k * d_ * count, d_, count) =
          x.leftCols(count).template cast<double>();
    }
    if (streamed_) streamed_->observe(o.row, k, t, x, first);
  }
  template <State X>
  Partial partial(Accumulator& o, const X&, Index column, Index count, Index) const {
    const auto from =
        o.moments.begin() + static_cast<std::ptrdiff_t>(numbers()) * (column / leaf_paths);
    Partial p{count, {from, from + static_cast<std::ptrdiff_t>(numbers())}, {}};
    if (column == 0 && o.kept.count > 0) p.kept.push_back(std::move(o.kept));
    return p;
  }
  static Partial merge(Partial a, Partial b);
  Value result(Partial total);

 private:
  std::size_t numbers() const { return static_cast<std::size_t>(times_ * d_); }

  Index keep_ = 0, times_ = 0, paths_ = 0, d_ = 0;
  std::optional<StreamedStates> streamed_;
};

}  // namespace fokker
