#pragma once
/// @file  fokker/solvers/brownian.hpp
/// @brief Wiener increments, drawn outside the step, one stream per (seed, path).

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <fokker/solvers/grid.hpp>
#include <fokker/solvers/process.hpp>
#include <fokker/solvers/random.hpp>

namespace fokker {

/// Rows of the Wiener increment of process P on states X, if known at compile time.
template <class P, State X>
inline constexpr int wiener_rows = noise_kind<P> == NoiseKind::scalar    ? 1
                                   : noise_kind<P> == NoiseKind::general ? Eigen::Dynamic
                                   : noise_kind<P> == NoiseKind::none    ? Eigen::Dynamic
                                                                         : X::RowsAtCompileTime;

/// What the noise hands to a step over [t, t + h]: w = W(t + h) - W(t), m x n, N(0, h) per entry.
template <class P, State X>
struct Increment {
  using W = Eigen::Array<typename X::Scalar, wiener_rows<P, X>, X::ColsAtCompileTime,
                         X::ColsAtCompileTime == 1 ? Eigen::ColMajor : Eigen::RowMajor>;
  W w;
};

/// Independent increments on a sequence of adjacent intervals, for fixed grids: the fast source.
/// Path j draws from the pcg32 stream of (seed, j, Purpose::wiener), m normals per step in order;
/// an odd m leaves a spare normal that the next step takes first.
template <class S>
class BrownianIncrements {
 public:
  /// @param seed        of the whole run
  /// @param first_path  number of the path in column 0
  /// @param paths       columns n
  /// @param m           independent Wiener processes per path
  BrownianIncrements(std::uint64_t seed, std::uint64_t first_path, Index paths, Index m)
      : lanes_(seed, first_path, static_cast<std::size_t>(paths), Purpose::wiener),
        paths_(paths),
        wieners_(m),
        spare_(static_cast<std::size_t>(paths)) {}

  /// dw.w = W(t1) - W(t0), m x n; intervals must be asked for in order. Never throws.
  template <class P, State X>
  void increment(Time t0, Time t1, Increment<P, X>& dw) {
    eigen_assert(dw.w.rows() == wieners_ && dw.w.cols() == paths_);
    const S root_h = static_cast<S>(std::sqrt(t1 - t0));
    Index r = 0;
    if (has_spare_ && wieners_ > 0) {
      dw.w.row(r++) =
          root_h * Eigen::Map<const Eigen::Array<S, 1, Eigen::Dynamic>>(spare_.data(), paths_);
      has_spare_ = false;
    }
    for (; r + 1 < wieners_; r += 2)
      lanes_.normal_pair(row(dw.w, r), row(dw.w, r + 1), root_h, root_h);
    if (r < wieners_) {
      lanes_.normal_pair(row(dw.w, r), spare_.data(), root_h, S(1));
      has_spare_ = true;
    }
  }

 private:
  /// The run of memory of row r: n contiguous values (a d x 1 column has n = 1).
  template <class W>
  static S* row(W& w, Index r) {
    return &w.coeffRef(r, 0);
  }

  StreamLanes lanes_;
  Index paths_;
  Index wieners_;
  std::vector<S> spare_;
  bool has_spare_ = false;
};

/// The same Brownian path seen on a coarser grid: each interval is drawn as `factor` equal pieces
/// of the source and summed, so that a run on `refine(grid, factor)` has the very same path.
template <class Source>
class CoarsenedIncrements {
 public:
  CoarsenedIncrements(Source source, Index factor) : source_(std::move(source)), factor_(factor) {}

  template <class P, State X>
  void increment(Time t0, Time t1, Increment<P, X>& dw) {
    Increment<P, X> piece;
    piece.w.resizeLike(dw.w);
    dw.w.setZero();
    for (Index i = 0; i < factor_; ++i) {
      source_.increment(subdivision(t0, t1, i, factor_), subdivision(t0, t1, i + 1, factor_),
                        piece);
      dw.w += piece.w;
    }
  }

 private:
  Source source_;
  Index factor_;
};

}  // namespace fokker
