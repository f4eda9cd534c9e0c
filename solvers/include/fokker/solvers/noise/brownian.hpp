#pragma once
/// @file  fokker/solvers/noise/brownian.hpp
/// @brief Wiener increments, drawn outside the step, one stream per (seed, path).

#include <atomic>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <fokker/solvers/core/grid.hpp>
#include <fokker/solvers/core/increment.hpp>
#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/noise/levy_area.hpp>
#include <fokker/solvers/noise/random.hpp>

namespace fokker {

/// The paths of a seed from number `path` on: what their noise hangs on.
struct PathKey {
  Seed seed = 0;
  std::uint64_t path = 0;
};

/// Independent increments on a sequence of adjacent intervals, for fixed grids: the fast source.
/// Path j draws W from the stream of (seed, j, Purpose::wiener), m normals per step in order;
/// an odd m leaves a spare normal that the next step takes first. H, K and A come from streams of
/// their own: asking for them leaves W as it is. A is drawn given W alone (LevyAreas), so it cannot
/// be had together with H or K, on which it depends too.
template <class S>
class BrownianIncrements {
 public:
  using Scalar = S;

  /// @param seed        of the whole run
  /// @param first_path  number of the path in column 0
  /// @param paths       columns n
  /// @param m           independent Wiener processes per path
  /// @param needs       what is filled beside W
  /// @throws std::invalid_argument  if areas are needed together with H or K
  BrownianIncrements(Seed seed, std::uint64_t first_path, Index paths, Index m, Needs needs = {});

  /// The increment over [t0, t1]; intervals must be asked for in order. Never throws.
  template <class Dw>
  requires std::same_as<typename Dw::S, S>
  void increment(Time t0, Time t1, Dw& dw) {
    const Time length = t1 - t0;
    w_.fill(view(dw.w), static_cast<S>(std::sqrt(length)));
    if (h_) h_->fill(view(dw.h), static_cast<S>(std::sqrt(length / 12)));
    if (k_) k_->fill(view(dw.k), static_cast<S>(std::sqrt(length / 720)));
    if constexpr (Dw::areas)
      if (area_) area_->fill(dw.w, length, dw.area);
    if (normals_) normals_->fill(view(dw.normals), S(1));
  }

 private:
  /// m x n normals in memory: row r is the run of n values at first + r stride.
  struct View {
    S* first;
    Index stride, rows, columns;
  };
  template <class W>
  static View view(W& z) {
    return {z.data(), z.rowStride(), z.rows(), z.cols()};
  }

  /// Normals of one purpose, m rows at a time.
  class Normals {
   public:
    Normals(Seed seed, std::uint64_t first_path, Index paths, Index m, Purpose purpose)
        : lanes_(seed, first_path, static_cast<std::size_t>(paths), purpose),
          paths_(paths),
          wieners_(m),
          spare_(static_cast<std::size_t>(paths)) {}

    void fill(View z, S scale) {
      eigen_assert(z.rows == wieners_ && z.columns == paths_);
      const auto row = [&](Index r) { return z.first + r * z.stride; };
      using Row = Eigen::Array<S, 1, Eigen::Dynamic>;
      Index r = 0;
      if (has_spare_ && wieners_ > 0) {
        Eigen::Map<Row>(row(r++), paths_) = scale * Eigen::Map<const Row>(spare_.data(), paths_);
        has_spare_ = false;
      }
      for (; r + 1 < wieners_; r += 2) lanes_.normal_pair(row(r), row(r + 1), scale, scale);
      if (r < wieners_) {
        lanes_.normal_pair(row(r), spare_.data(), scale, S(1));
        has_spare_ = true;
      }
    }

   private:
    StreamLanes lanes_;
    Index paths_;
    Index wieners_;
    std::vector<S> spare_;
    bool has_spare_ = false;
  };

  Normals w_;
  std::optional<Normals> h_, k_, normals_;
  std::optional<LevyAreas<S>> area_;
};

/// The same Brownian path seen on a coarser grid: each interval is drawn as `factor` equal pieces
/// of the source, put together by Chen's relation, so that a run on `refine(grid, factor)` has the
/// very same path. Normals beside the path are those of the last piece.
template <class Source>
class CoarsenedIncrements {
 public:
  using Scalar = typename Source::Scalar;

  /// @param needs   what the source fills beside W
  /// @param cancel  once it is true, an increment ends before its time
  CoarsenedIncrements(Source source, Index factor, Needs needs = {},
                      const std::atomic<bool>* cancel = nullptr)
      : source_(std::move(source)), factor_(factor), needs_(needs), cancel_(cancel) {}

  template <class Dw>
  requires std::same_as<typename Dw::S, Scalar>
  void increment(Time t0, Time t1, Dw& dw) {
    Dw piece;
    const Index m = dw.w.rows(), n = dw.w.cols();
    piece.resize(m, n, needs_);
    dw.resize(m, n, needs_);
    for (Index i = 0; i < factor_ && !(cancel_ && cancel_->load()); ++i) {
      const Time from = subdivision(t0, t1, i, factor_), to = subdivision(t0, t1, i + 1, factor_);
      source_.increment(from, to, piece);
      append(dw, from - t0, piece, to - from, needs_);
    }
    if (needs_.normals > 0) dw.normals = piece.normals;
  }

 private:
  Source source_;
  Index factor_;
  Needs needs_;
  const std::atomic<bool>* cancel_;
};

}  // namespace fokker
