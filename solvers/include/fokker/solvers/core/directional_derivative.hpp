#pragma once
/// @file  fokker/solvers/core/directional_derivative.hpp
/// @brief (u . grad) g of a diffusion coefficient along itself, for any coefficient.

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <fokker/solvers/core/process.hpp>

namespace fokker {

namespace detail {

/// g_k(x, t): the column k of noise by columns, else the one coefficient.
template <class P, State X>
void evaluate_column(const P& p, const X& x, Time t, [[maybe_unused]] Index k, X& out) {
  if constexpr (by_columns(noise_kind<P>))
    assign(out, diffusion(p, x, t, k, out));
  else
    assign(out, diffusion(p, x, t, out));
}

/// Increments e_j, one per path, with which x + e u moves every component by at most `part` of its
/// size; components that are 0 do not count. Where all are, the first guess is a step of `part`.
template <State X>
auto increments(const X& x, const X& u, typename X::Scalar part) {
  using S = typename X::Scalar;
  Eigen::Array<S, 1, X::ColsAtCompileTime> e(1, x.cols());
  for (Index j = 0; j < x.cols(); ++j) {
    S most = 0, largest = 0;  // of |u_i / x_i|, and of |u_i|
    for (Index i = 0; i < x.rows(); ++i) {
      const S size = std::abs(x(i, j)), by = std::abs(u(i, j));
      largest = std::max(largest, by);
      if (size > 0) most = std::max(most, by / size);
    }
    if (!(most > 0)) most = largest;
    e(0, j) = most > 0 ? part / most : S(1);
  }
  return e;
}

/// out = (g_k . grad) g_k at (x, t); for diagonal noise, where g_i depends on x_i alone,
/// out_i = g_i dg_i/dx_i. By central differences of four points,
///
///     (g . grad) g ~ [8 (g(x + e g) - g(x - e g)) - (g(x + 2 e g) - g(x - 2 e g))] / (12 e),
///
/// with e g a thousandth of x in double: their error is about 1e-12 of g, and rounding alone where
/// g is linear. A path whose x says nothing of the scale of g, being near 0, takes e 64 times
/// larger while rounding shows, or smaller while the differences of e and 2 e disagree. Five
/// evaluations of g_k, four more for each such change, and five arrays like x.
template <class P, State X>
void along_itself(const P& p, const X& x, Time t, Index k, X& out) {
  using S = typename X::Scalar;
  const S eps = std::numeric_limits<S>::epsilon(), part = std::pow(eps, S(0.2));
  const S rounding_shows = std::pow(eps, S(0.6)), disagree = part;
  X g(x.rows(), x.cols()), at(x.rows(), x.cols()), value(x.rows(), x.cols()),
      near(x.rows(), x.cols()), far(x.rows(), x.cols());
  evaluate_column(p, x, t, k, g);
  auto e = increments(x, g, part);
  enum class Path : char { first, larger, smaller, done };
  std::vector<Path> path(static_cast<std::size_t>(x.cols()), Path::first);
  for (int attempt = 0, open = 1; open > 0 && attempt < 12; ++attempt) {
    near.setZero();
    far.setZero();
    for (const S by : {S(1), S(-1)}) {
      at = x + (by * g).rowwise() * e;
      evaluate_column(p, at, t, k, value);
      near += by * value;
      at = x + (2 * by * g).rowwise() * e;
      evaluate_column(p, at, t, k, value);
      far += by * value;
    }
    near.rowwise() /= 2 * e;
    far.rowwise() /= 4 * e;
    open = 0;
    for (Index j = 0; j < x.cols(); ++j) {
      Path& now = path[static_cast<std::size_t>(j)];
      if (now == Path::done) continue;
      S size = 0, off = 0, largest = 0;
      for (Index i = 0; i < x.rows(); ++i) {
        size = std::max(size, std::abs(near(i, j)));
        off = std::max(off, std::abs(near(i, j) - far(i, j)));
        largest = std::max(largest, std::abs(g(i, j)));
      }
      const S rounding = eps * largest / e(0, j);
      const bool finite = std::isfinite(size) && std::isfinite(off);
      if (finite || now == Path::first)  // a step out of the domain of g ends the search
        for (Index i = 0; i < x.rows(); ++i) out(i, j) = (4 * near(i, j) - far(i, j)) / 3;
      if (finite && size == 0 && off == 0 && attempt < 3 && now != Path::smaller) {
        e(0, j) *= 1 << 24;  // g is constant, or e g is lost behind x or g
      } else if (finite && off > disagree * size && off > 100 * rounding && now != Path::larger) {
        now = Path::smaller;
        e(0, j) /= 64;
      } else if (finite && size > 0 && rounding > rounding_shows * size && off < 100 * rounding &&
                 now != Path::smaller) {
        now = Path::larger;
        e(0, j) *= 64;
      } else {
        now = Path::done;
        continue;
      }
      ++open;
    }
  }
}

}  // namespace detail

}  // namespace fokker
