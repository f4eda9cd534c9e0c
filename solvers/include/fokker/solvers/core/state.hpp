#pragma once
/// @file  fokker/solvers/core/state.hpp
/// @brief States: blocks of paths as Eigen arrays, and the width of a block.

#include <array>
#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <Eigen/Core>

#include <fokker/solvers/core/abi_check.hpp>

#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
#error "fokker detects NaN and infinity: build without -ffast-math / -ffinite-math-only"
#endif

namespace fokker {

/// Number of a row, a column or a path.
using Index = Eigen::Index;
using Time = double;  ///< Always double, also when the state is float.

/// A state: an Eigen array, d x n, one path per column and one component per row.
template <class X>
concept State = std::derived_from<std::remove_cvref_t<X>, Eigen::ArrayBase<std::remove_cvref_t<X>>>;

/// The array type that owns the values of a state or of an expression.
template <State X>
using Plain = typename std::remove_cvref_t<X>::PlainObject;

/// A block of paths, d x n, rows contiguous: component r of all paths is one run of memory.
template <class S, int D = Eigen::Dynamic>
using Block = Eigen::Array<S, D, Eigen::Dynamic, Eigen::RowMajor>;

/// A single path, d x 1.
template <class S, int D = Eigen::Dynamic>
using PathState = Eigen::Array<S, D, 1>;

/// Whether a state is a single path of a few components, known to the compiler: it fits in
/// registers, and a step on it is one chain of dependent operations.
template <State X>
inline constexpr bool fits_in_registers =
    X::SizeAtCompileTime != Eigen::Dynamic&& X::ColsAtCompileTime == 1 && X::SizeAtCompileTime <= 8;

namespace detail {

/// Calls f(i) for every number of a small state: written out, since compilers keep arrays that a
/// loop runs over in memory.
template <State X, class F>
constexpr void for_each_number(const F& f) {
  [&]<std::size_t... i>(std::index_sequence<i...>) { (f(static_cast<Index>(i)), ...); }
  (std::make_index_sequence<static_cast<std::size_t>(X::SizeAtCompileTime)>{});
}

/// out = value, unless the value is `out` itself; a small state number by number. (Eigen would work
/// on pairs, which a drift that writes single numbers makes the processor put together through
/// memory, at every stage of a step.)
template <State X, class V>
void assign(X& out, const V& value) {
  if constexpr (std::same_as<V, X>) {
    if (&value == &out) return;
  }
  if constexpr (fits_in_registers<X> && State<V>) {
    const Eigen::internal::evaluator<V> number(value);  // one, so that products are formed once
    for_each_number<X>([&](Index i) { out.coeffRef(i) = number.coeff(i); });
  } else {
    out = value;
  }
}

/// Exchanges two states of one shape.
template <State X>
void swap_states(X& a, X& b) {
  if constexpr (fits_in_registers<X>)
    for_each_number<X>([&](Index i) { std::swap(a.coeffRef(i), b.coeffRef(i)); });
  else
    a.swap(b);
}

}  // namespace detail

/// Paths of one leaf of the reduction tree of `simulate`.
inline constexpr Index leaf_paths = 64;

/// Paths in a block of dimension d: the largest power-of-two number of leaves with d x n scalars in
/// 16 KiB, at least one leaf and at most 1024 paths. It depends on (scalar, d) alone, so path j has
/// the same place in an equal block whatever the number of paths or threads.
constexpr Index block_width(Index d, std::size_t scalar_bytes) {
  Index width = 1024;
  while (width > leaf_paths && d * width * static_cast<Index>(scalar_bytes) > 16384) width /= 2;
  return width;
}

/// `count` arrays of one shape: the scratch of a step, made once per block.
template <State X, int count>
struct Scratch {
  Scratch(Index d, Index n) {
    for (auto& a : array) a.resize(d, n);
  }
  X& operator[](std::size_t i) { return array[i]; }

  std::array<X, static_cast<std::size_t>(count)> array;
};

}  // namespace fokker
