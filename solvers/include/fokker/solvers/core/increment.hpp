#pragma once
/// @file  fokker/solvers/core/increment.hpp
/// @brief The noise of a step, and what a step needs of it.

#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/core/state.hpp>

namespace fokker {

/// The row of A_kl, k < l, among the pairs (0,1), (0,2), (1,2), (0,3), ...
constexpr Index area_row(Index k, Index l) { return l * (l - 1) / 2 + k; }

/// What a step needs over [t, t + h] beside W.
struct Needs {
  bool h = false;     ///< the space-time Levy area H
  bool k = false;     ///< the space-time-time Levy area K
  bool area = false;  ///< the Levy area A between the Wiener processes, of noise by columns only
  int normals = 0;    ///< blocks of m standard normals independent of the Brownian path
  bool path_suffices = false;  ///< a step takes zeros for those normals where steps adapt
};

/// Rows of the Wiener increment of process P on states X, if known at compile time.
template <class P, State X>
inline constexpr int wiener_rows = noise_kind<P> == NoiseKind::scalar ? 1
                                   : by_columns(noise_kind<P>)        ? Eigen::Dynamic
                                   : noise_kind<P> == NoiseKind::none ? Eigen::Dynamic
                                                                      : X::RowsAtCompileTime;

/// The noise of a step over [t, t + h], one column per path:
///
///     w    = W(t + h) - W(t)                                               N(0, h)
///     h    = 1/h int_0^h (B(r) - r/h w) dr             with B = W(t + .) - W(t)    N(0, h/12)
///     k    = 1/h^2 int_0^h (B(r) - r/h w) (h/2 - r) dr                     N(0, h/720)
///     area = A_kl = 1/2 int_0^h (B_k dB_l - B_l dB_k)  in row area_row(k, l), k < l
///
///     normals: N(0, 1), independent of the path, block j in rows [j m, (j + 1) m)
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

}  // namespace fokker
