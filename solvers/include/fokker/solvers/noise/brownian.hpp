#pragma once
/// @file  fokker/solvers/noise/brownian.hpp
/// @brief Wiener increments, drawn outside the step, one stream per (seed, path).

#include <atomic>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <fokker/solvers/core/grid.hpp>
#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/noise/levy_area.hpp>
#include <fokker/solvers/noise/random.hpp>

namespace fokker {

/// The paths of a seed from number `path` on: what their noise hangs on.
struct PathKey {
  Seed seed = 0;
  std::uint64_t path = 0;
};

/// What a step needs over [t, t + h] beside W.
struct Needs {
  bool h = false;     ///< the space-time Levy area H
  bool k = false;     ///< the space-time-time Levy area K
  bool area = false;  ///< the Levy area A between the Wiener processes, of noise by columns only
  int normals = 0;    ///< blocks of m standard normals that are not of the Brownian path
  bool path_suffices = false;  ///< a step takes zeros for those normals where steps adapt
};

/// Rows of the Wiener increment of process P on states X, if known at compile time.
template <class P, State X>
inline constexpr int wiener_rows = noise_kind<P> == NoiseKind::scalar ? 1
                                   : by_columns(noise_kind<P>)        ? Eigen::Dynamic
                                   : noise_kind<P> == NoiseKind::none ? Eigen::Dynamic
                                                                      : X::RowsAtCompileTime;

/// What the noise hands to a step over [t, t + h], one column per path:
///
///     w    = W(t + h) - W(t)                                               N(0, h)
///     h    = 1/h int_0^h (B(r) - r/h w) dr             with B = W(t + .) - W(t)    N(0, h/12)
///     k    = 1/h^2 int_0^h (B(r) - r/h w) (h/2 - r) dr                     N(0, h/720)
///     area = A_kl = 1/2 int_0^h (B_k dB_l - B_l dB_k)  in row area_row(k, l), k < l
///
///     normals: independent N(0, 1) that the path knows nothing of, block j in rows [j m, (j + 1)
///     m)
///
/// w, h and k are m x n and independent of each other. What the step does not need is not filled.
/// Source: Foster, Lyons & Oberhauser (2020); Foster & Habermann (2023).
template <class P, State X>
struct Increment {
  using S = typename X::Scalar;
  static constexpr int columns = X::ColsAtCompileTime;
  static constexpr int layout = columns == 1 ? Eigen::ColMajor : Eigen::RowMajor;
  using W = Eigen::Array<S, wiener_rows<P, X>, columns, layout>;
  using Area = Eigen::Array<S, Eigen::Dynamic, columns, layout>;

  W w;
  W h{};
  W k{};
  Area area{};
  Area normals{};

  /// Makes room for m Wiener processes on n paths and sets all to zero.
  void resize(Index m, Index n, Needs needs = {}) {
    w.setZero(m, n);
    if (needs.h) h.setZero(m, n);
    if (needs.k) k.setZero(m, n);
    if (needs.area) area.setZero(m * (m - 1) / 2, n);
    if (needs.normals > 0) normals.setZero(needs.normals * m, n);
  }
};

/// Makes `a`, over an interval of length s, the increment over that interval followed by one of
/// length u, where the increment is `b`. s = 0: a must be zero. Source: Chen's relation.
template <class A, class B>
void append(A& a, Time s, const B& b, Time u, Needs needs) {
  using S = typename A::W::Scalar;
  const auto to_scalar = [](Time value) { return static_cast<S>(value); };
  const Time t = s + u;
  if (needs.k)  // with x = u a.w - s b.w
    a.k = to_scalar(s * s / (t * t)) * a.k + to_scalar(u * u / (t * t)) * b.k +
          to_scalar(s * u / (2 * t * t)) * (a.h - b.h) +
          to_scalar((u - s) / (12 * t * t)) * (to_scalar(u) * a.w - to_scalar(s) * b.w);
  if (needs.h)
    a.h = to_scalar(s / t) * a.h + to_scalar(u / t) * b.h +
          to_scalar(0.5 / t) * (to_scalar(u) * a.w - to_scalar(s) * b.w);
  if (needs.area)
    for (Index l = 1; l < a.w.rows(); ++l)
      for (Index k = 0; k < l; ++k)
        a.area.row(area_row(k, l)) += b.area.row(area_row(k, l)) +
                                      S(0.5) * (a.w.row(k) * b.w.row(l) - a.w.row(l) * b.w.row(k));
  a.w += b.w;
}

/// Independent increments on a sequence of adjacent intervals, for fixed grids: the fast source.
/// Path j draws W from the stream of (seed, j, Purpose::wiener), m normals per step in order;
/// an odd m leaves a spare normal that the next step takes first. H, K and A come from streams of
/// their own: asking for them leaves W as it is. A is drawn given W alone (LevyAreas), so it cannot
/// be had together with H or K, on which it depends too.
template <class S>
class BrownianIncrements {
 public:
  /// @param seed        of the whole run
  /// @param first_path  number of the path in column 0
  /// @param paths       columns n
  /// @param m           independent Wiener processes per path
  /// @param needs       what is filled beside W
  /// @throws std::invalid_argument  if areas are needed together with H or K
  BrownianIncrements(Seed seed, std::uint64_t first_path, Index paths, Index m, Needs needs = {});

  /// The increment over [t0, t1]; intervals must be asked for in order. Never throws.
  template <class P, State X>
  void increment(Time t0, Time t1, Increment<P, X>& dw) {
    const Time length = t1 - t0;
    w_.fill(view(dw.w), static_cast<S>(std::sqrt(length)));
    if (h_) h_->fill(view(dw.h), static_cast<S>(std::sqrt(length / 12)));
    if (k_) k_->fill(view(dw.k), static_cast<S>(std::sqrt(length / 720)));
    if constexpr (by_columns(noise_kind<P>))
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
  /// @param needs   what the source fills beside W
  /// @param cancel  once it is true, an increment ends before its time
  CoarsenedIncrements(Source source, Index factor, Needs needs = {},
                      const std::atomic<bool>* cancel = nullptr)
      : source_(std::move(source)), factor_(factor), needs_(needs), cancel_(cancel) {}

  template <class P, State X>
  void increment(Time t0, Time t1, Increment<P, X>& dw) {
    Increment<P, X> piece;
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
