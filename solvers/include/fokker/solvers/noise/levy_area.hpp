#pragma once
/// @file  fokker/solvers/noise/levy_area.hpp
/// @brief Levy areas between Wiener processes, given their increments.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include <fokker/solvers/core/increment.hpp>
#include <fokker/solvers/core/state.hpp>
#include <fokker/solvers/noise/random.hpp>

namespace fokker {

/// What LevyAreas puts in the place of the terms of the series that it does not draw.
enum class LevyTail {
  mrongowius_roessler,  ///< the tail of each s_k exactly, a normal for that of the double sum
  wiktorsson,           ///< one normal vector with the covariance of the whole tail given W
};

/// Terms of the Fourier series that LevyAreas takes over a step h with m Wiener processes: the
/// least p >= 1 with
///
///     sqrt(c m) h / (sqrt(12) pi p) <= h^{3/2},    c = 1 (Mrongowius & Roessler), 5 (Wiktorsson)
///
/// The left side bounds the mean-square error of each area after p terms and their tail (Mrongowius
/// & Roessler 2022; Kastner & Roessler 2023), the right side keeps a scheme of strong order 1 at
/// its order as h goes to 0, which no fixed number of terms does. Thresholds are irrational
/// multiples of m, so that a step that differs by rounding takes as many terms.
inline Index levy_area_terms(Index m, Time h, LevyTail tail = LevyTail::mrongowius_roessler) {
  const double c = tail == LevyTail::wiktorsson ? 5 : 1;
  const double least = std::sqrt(c * static_cast<double>(m) / (12 * h)) / std::numbers::pi;
  return std::max<Index>(1, static_cast<Index>(std::ceil(least)));
}

/// Draws the Levy areas A_kl = 1/2 int (B_k dB_l - B_l dB_k) of m Wiener processes over one step,
/// given their increments w = sqrt(h) v. With p = levy_area_terms(m, h), independent normals X_kr,
/// Y_kr, Z_k, G_kl and tau = sum_{r > p} 1/r^2,
///
///     A_kl = h/(2 pi) [ sum_{r <= p} (X_kr Y_lr - X_lr Y_kr) / r + sqrt(2 tau) G_kl
///                       - sqrt(2) (s_k v_l - s_l v_k) ],  s_k = sum_{r <= p} X_kr / r + sqrt(tau)
///                       Z_k
///
/// The tail of s is exact; that of the double sum, whose terms are uncorrelated, is replaced by a
/// normal of its variance. Wiktorsson's tail leaves s without one and has, for sqrt(2 tau) G_kl,
///
///     sqrt(2 tau) [G_kl + (q_k v_l - q_l v_k) / (1 + sqrt(1 + |v|^2))],    q_k = sum_j G_kj v_j
///
/// with G_lk = -G_kl: the root of the covariance of the whole tail given w, times G. With either,
/// E A_kl A_ij given w is exact for every p. Path j draws from the stream of (seed, j,
/// Purpose::levy_area); how much depends on m and the steps alone.
///
/// Areas on two grids belong to one Brownian path only if the coarse ones are put together from the
/// fine ones by Chen's relation (CoarsenedIncrements): nothing refines an area that has been drawn.
///
/// Cost    2 m p + m (m + 1) / 2 normals per path and step, m fewer with Wiktorsson's tail, whose p
///         is sqrt(5) times as large; no allocation.
/// Source  Mrongowius & Roessler (2022), Stoch. Anal. Appl. 40(3); Wiktorsson (2001), Ann. Appl.
///         Probab. 11(2); Kloeden & Platen (1992), 5.8.
template <class S>
class LevyAreas {
 public:
  /// @param seed        of the whole run
  /// @param first_path  number of the path in column 0
  /// @param paths       columns n
  /// @param m           independent Wiener processes per path
  LevyAreas(Seed seed, std::uint64_t first_path, Index paths, Index m,
            LevyTail tail = LevyTail::mrongowius_roessler);

  /// @param w     m x n, the increments over the step
  /// @param h     step
  /// @param area  m (m - 1) / 2 x n, row area_row(k, l) for k < l
  template <class W, class A>
  void fill(const W& w, Time h, A& area) {
    const Index m = w.rows();
    eigen_assert(m == s_.rows() && w.cols() == s_.cols());
    eigen_assert(area.rows() == m * (m - 1) / 2 && area.cols() == w.cols());
    if (m < 2) return;
    area.setZero();
    s_.setZero();
    const Time unit = h / (2 * std::numbers::pi);
    Time tail = std::numbers::pi * std::numbers::pi / 6;
    const Index terms = levy_area_terms(m, h, tail_);
    for (Index r = 1; r <= terms; ++r) {
      const Time inverse = 1 / static_cast<Time>(r);
      tail -= inverse * inverse;
      for (Index k = 0; k < m; ++k)
        lanes_.normal_pair(row(x_, k), row(y_, k), static_cast<S>(unit * inverse), S(1));
      s_ += x_;
      for (Index l = 1; l < m; ++l)
        for (Index k = 0; k < l; ++k)
          area.row(area_row(k, l)) += x_.row(k) * y_.row(l) - x_.row(l) * y_.row(k);
    }
    draw_tail();
    if (tail_ == LevyTail::wiktorsson)
      correlate_tail(w, h);
    else
      s_ += static_cast<S>(unit * std::sqrt(tail)) * x_;
    area += static_cast<S>(unit * std::sqrt(2 * tail)) * g_;
    const S slope = static_cast<S>(std::sqrt(2 / h));
    for (Index l = 1; l < m; ++l)
      for (Index k = 0; k < l; ++k)
        area.row(area_row(k, l)) -= slope * (s_.row(k) * w.row(l) - s_.row(l) * w.row(k));
  }

 private:
  /// x_ = the normals Z_k, not with Wiktorsson's tail, and g_ = G_kl, in pairs.
  void draw_tail();

  /// g_ += (q_k v_l - q_l v_k) / (1 + sqrt(1 + |v|^2)), see above.
  template <class W>
  void correlate_tail(const W& w, Time h) {
    const Index m = w.rows();
    x_.setZero();  // q sqrt(h)
    for (Index l = 1; l < m; ++l)
      for (Index k = 0; k < l; ++k) {
        x_.row(k) += g_.row(area_row(k, l)) * w.row(l);
        x_.row(l) -= g_.row(area_row(k, l)) * w.row(k);
      }
    const S dt = static_cast<S>(h);
    y_.row(0) = S(1) / (dt + dt * (S(1) + w.square().colwise().sum() / dt).sqrt());
    for (Index l = 1; l < m; ++l)
      for (Index k = 0; k < l; ++k)
        g_.row(area_row(k, l)) += y_.row(0) * (x_.row(k) * w.row(l) - x_.row(l) * w.row(k));
  }

  static S* row(Block<S>& block, Index r) { return &block.coeffRef(r, 0); }

  StreamLanes lanes_;
  LevyTail tail_;
  Block<S> x_, y_, s_, g_;
};

}  // namespace fokker
