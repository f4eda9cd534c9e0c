#pragma once
/// @file  fokker/diffusion/data/data.hpp
/// @brief Data distributions, and blocks as pointers for their compiled code.
///
/// A distribution of x0 knows its own noised self. With x_t = s x0 + std eps, eps ~ N(0, I), s >= 0
/// and std >= 0, and blocks x, out of shape d x n (double or float, one path per column),
///
///     dimension()               -> d
///     sample(random, x)            fills x with exact samples of x0
///     score(x, s, std, out)        out = grad log p_t(x)
///     denoise(x, s, std, out)      out = E[x0 | x_t = x]
///     log_density(x, s, std)    -> log p_t(x), n doubles
///
/// A process enters only through s = process.scale(t) and std = process.std(t); see
/// exact_score.hpp. Any type with these members will do; those of this library are gaussian.hpp,
/// mixture.hpp, finite_set.hpp, boxes.hpp, sphere.hpp, product.hpp, and any_data.hpp for one chosen
/// at run time. They also know the covariance of x0 given x_t (see any_data.hpp).

#include <concepts>
#include <utility>

#include <Eigen/Core>

#include <fokker/solvers/core/state.hpp>
#include <fokker/solvers/noise/initial.hpp>

namespace fokker {

/// A distribution of data on blocks X, with its exact score and denoiser.
template <class D, class X>
concept DataDistribution = State<X> && InitialLaw<D, X> &&
    requires(const D& data, const X& x, double s, double std, X& out) {
  { data.dimension() } -> std::convertible_to<Index>;
  data.score(x, s, std, out);
  data.denoise(x, s, std, out);
};

namespace detail {

/// A block of paths in memory: component r of path j is data[r * stride + j].
template <class S>
struct BlockView {
  S* row(Index r) const { return data + r * stride; }
  operator BlockView<const S>() const { return {data, rows, columns, stride}; }

  S* data;
  Index rows, columns, stride;
};

/// Whether the values of x lie in memory as a BlockView.
template <State X>
bool is_block(const X& x) {
  if constexpr ((X::Flags & Eigen::DirectAccessBit) != 0)
    return x.cols() == 1 || x.colStride() == 1;
  else
    return false;
}

/// Calls f with a view of x, or of a copy where x is an expression or has its columns contiguous.
template <State X, class F>
void with_input(const X& x, F&& f) {
  using S = typename X::Scalar;
  if constexpr ((X::Flags & Eigen::DirectAccessBit) != 0)
    if (is_block(x)) return f(BlockView<const S>{x.data(), x.rows(), x.cols(), x.rowStride()});
  const Block<S> copy = x;
  f(BlockView<const S>{copy.data(), copy.rows(), copy.cols(), copy.rowStride()});
}

/// Calls f with a view that f fills, and sees to it that x has the values.
template <State X, class F>
void with_output(X& x, F&& f) {
  using S = typename X::Scalar;
  if (is_block(x)) return f(BlockView<S>{x.data(), x.rows(), x.cols(), x.rowStride()});
  Block<S> copy(x.rows(), x.cols());
  f(BlockView<S>{copy.data(), copy.rows(), copy.cols(), copy.rowStride()});
  x = copy;
}

/// The view as an Eigen array.
template <class S>
auto as_array(BlockView<S> x) {
  using Values = Block<std::remove_const_t<S>>;
  using Target = std::conditional_t<std::is_const_v<S>, const Values, Values>;
  return Eigen::Map<Target, 0, Eigen::OuterStride<>>(x.data, x.rows, x.columns,
                                                     Eigen::OuterStride<>(x.stride));
}

}  // namespace detail

}  // namespace fokker
