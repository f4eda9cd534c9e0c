#pragma once
/// @file  fokker/solvers/directional_derivative.hpp
/// @brief (u . grad) g of a diffusion coefficient along itself, for any coefficient.

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fokker/solvers/process.hpp>

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
/// size; components that are 0 do not count, unless all are.
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
/// g is linear. Five evaluations of g_k and four arrays like x.
template <class P, State X>
void along_itself(const P& p, const X& x, Time t, Index k, X& out) {
  using S = typename X::Scalar;
  const S part = std::pow(std::numeric_limits<S>::epsilon(), S(0.2));
  X g(x.rows(), x.cols()), at(x.rows(), x.cols()), value(x.rows(), x.cols());
  evaluate_column(p, x, t, k, g);
  const auto e = increments(x, g, part);
  g.rowwise() *= e;
  out.setZero(x.rows(), x.cols());
  for (const auto& [by, weight] : {std::pair<S, S>{1, 8}, {-1, -8}, {2, -1}, {-2, 1}}) {
    at = x + by * g;
    evaluate_column(p, at, t, k, value);
    out += weight * value;
  }
  out.rowwise() /= 12 * e;
}

}  // namespace detail

}  // namespace fokker
