#pragma once
/// @file  fokker/solvers/core/weighted_sum.hpp
/// @brief Sums of stages with the coefficients of a tableau: one fused expression, without zeros.

#include <cstddef>

#include <fokker/solvers/core/process.hpp>

namespace fokker::detail {

/// A row of a tableau: a constant function j -> coefficient, such as a lambda without captures.
template <class Row>
constexpr double coefficient(Row, std::size_t j) {
  return Row{}(j);
}

/// Whether one of the coefficients 0, ..., count - 1 of the row is not zero.
template <std::size_t count, class Row>
constexpr bool has_terms(Row row) {
  for (std::size_t j = 0; j < count; ++j)
    if (coefficient(row, j) != 0.0) return true;
  return false;
}

/// sum + scale (row(j) k(j) + row(j + 1) k(j + 1) + ...) up to count - 1; `sum` itself, no copy,
/// if it is an array and there is nothing to add.
template <std::size_t count, std::size_t j = 0, class Sum, class Row, class Stages>
decltype(auto) plus_sum(const Sum& sum, double scale, Row row, const Stages& k) {
  if constexpr (j == count) {
    if constexpr (PlainArray<Sum>)
      return (sum);
    else
      return Sum(sum);
  } else if constexpr (coefficient(Row{}, j) == 0.0) {
    return plus_sum<count, j + 1>(sum, scale, row, k);
  } else {
    using S = typename Sum::Scalar;
    return plus_sum<count, j + 1>(sum + static_cast<S>(scale * coefficient(row, j)) * k(j), scale,
                                  row, k);
  }
}

/// scale (row(0) k(0) + ... + row(count - 1) k(count - 1)); the row must have terms.
template <std::size_t count, std::size_t j = 0, class Row, class Stages>
auto weighted_sum(double scale, Row row, const Stages& k) {
  static_assert(j < count, "a sum without terms");
  if constexpr (coefficient(Row{}, j) == 0.0) {
    return weighted_sum<count, j + 1>(scale, row, k);
  } else {
    using S = typename std::remove_cvref_t<decltype(k(j))>::Scalar;
    return plus_sum<count, j + 1>(static_cast<S>(scale * coefficient(row, j)) * k(j), scale, row,
                                  k);
  }
}

/// out = g v row by row, where v is one row: faster than to broadcast v.
template <State X, class V>
void times_row(const X& g, const V& v, X& out) {
  for (Index r = 0; r < g.rows(); ++r) out.row(r) = g.row(r) * v;
}

}  // namespace fokker::detail
