#pragma once
/// @file  fokker/solvers/diffusion_derivative.hpp
/// @brief Directional derivatives of the diffusion coefficient: analytic or by dual numbers.

#include <unsupported/Eigen/AutoDiff>

#include <fokker/solvers/process.hpp>

namespace fokker {

/// A process with noise by columns has the analytic derivatives of its columns,
/// `diffusion_slope(x, t, k, l, out)`: out = (g_k . grad) g_l at (x, t), d x n. Both indices lie in
/// [0, sources()).
template <class P, class X>
concept HasColumnSlope = State<X> && by_columns(noise_kind<P>) &&
    requires(const P& p, const X& x, Time t, Index k, X& out) {
  p.diffusion_slope(x, t, k, k, out);
};

/// Whether p has the analytic slopes of its diffusion coefficient, for any kind of noise; a
/// type-erased process answers at run time.
template <State X, class P>
constexpr bool knows_slope(const P& p) {
  if constexpr (HasColumnSlope<P, X> && requires { p.has_diffusion_slope(); })
    return p.has_diffusion_slope();
  else if constexpr (by_columns(noise_kind<P>))
    return HasColumnSlope<P, X>;
  else
    return has_diffusion_slope<X>(p);
}

namespace detail {

/// a + b e with e^2 = 0: a number and its derivative along one direction.
template <class S>
using Dual = Eigen::AutoDiffScalar<Eigen::Matrix<S, 1, 1>>;

/// A state like X whose numbers are dual.
template <State X>
using DualState =
    Eigen::Array<Dual<typename X::Scalar>, X::RowsAtCompileTime, X::ColsAtCompileTime, X::Options>;

/// The diffusion coefficient of P can be called with dual numbers.
template <class P, class X>
inline constexpr bool takes_dual_numbers = [] {
  using Z = DualState<X>;
  if constexpr (by_columns(noise_kind<P>)) {
    constexpr bool returns = requires(const P& p, const Z& z, Time t, Index k) {
      p.diffusion(z, t, k);
    };
    constexpr bool writes = requires(const P& p, const Z& z, Time t, Index k, Z& out) {
      p.diffusion(z, t, k, out);
    };
    return returns || writes;
  } else {
    return has_diffusion<P, Z>;
  }
}();

/// out = (v . grad) g, where coefficient(z, g) evaluates g at a state of dual numbers.
template <State X, class F>
void differentiate(const F& coefficient, const X& x, const X& v, X& out) {
  using D = Dual<typename X::Scalar>;
  DualState<X> z(x.rows(), x.cols()), g(x.rows(), x.cols());
  for (Index i = 0; i < x.rows(); ++i)
    for (Index j = 0; j < x.cols(); ++j) z(i, j) = D(x(i, j), typename D::DerType(v(i, j)));
  coefficient(z, g);
  for (Index i = 0; i < x.rows(); ++i)
    for (Index j = 0; j < x.cols(); ++j) out(i, j) = g(i, j).derivatives()(0);
}

}  // namespace detail

/// The derivatives (g_k . grad) g_k of the diffusion coefficient are known: the process has
/// `diffusion_slope`, or its diffusion coefficient takes a state of any scalar (`const auto& x`, or
/// a template), so that dual numbers can run through it.
template <class P, class X>
concept DifferentiableDiffusion = HasColumnSlope<P, X> ||
                                  (!by_columns(noise_kind<P>) && HasDiffusionSlope<P, X>) ||
                                  detail::takes_dual_numbers<P, X>;

/// out = (g_k . grad) g_k at (x, t): the correction between Ito and Stratonovich is half the sum
/// over k. Scalar noise has k = 0; diagonal noise has all k at once, g_i dg_i/dx_i in component i.
/// Exact to rounding. Dual numbers take memory for two states.
/// @param g  scratch, shaped like x
template <State X, DifferentiableDiffusion<X> P>
void evaluate_self_derivative(const P& p, const X& x, Time t, [[maybe_unused]] Index k, X& out,
                              [[maybe_unused]] X& g) {
  if constexpr (HasColumnSlope<P, X>) {
    p.diffusion_slope(x, t, k, k, out);
  } else if constexpr (by_columns(noise_kind<P>)) {
    detail::assign(g, diffusion(p, x, t, k, g));
    detail::differentiate(
        [&](const auto& z, auto& dual) { detail::assign(dual, diffusion(p, z, t, k, dual)); }, x, g,
        out);
  } else if constexpr (HasDiffusionSlope<P, X>) {
    detail::assign(out, diffusion_slope(p, x, t, out));
    if constexpr (noise_kind<P> == NoiseKind::diagonal) out *= diffusion(p, x, t, g);
  } else {
    detail::assign(g, diffusion(p, x, t, g));
    detail::differentiate(
        [&](const auto& z, auto& dual) { detail::assign(dual, diffusion(p, z, t, dual)); }, x, g,
        out);
  }
}

}  // namespace fokker
