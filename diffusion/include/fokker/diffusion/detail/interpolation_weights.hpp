#pragma once
/// @file  fokker/diffusion/detail/interpolation_weights.hpp
/// @brief The integral of an interpolating polynomial as a sum over its values.

#include <array>
#include <cstddef>

namespace fokker::detail {

/// The weights b_i, i < count, for which sum b_i p(node_i) is the integral of p, given by the
/// moments of its measure, for every polynomial p of degree below `count`.
template <std::size_t n>
std::array<double, n> interpolation_weights(const std::array<double, n>& nodes,
                                            const std::array<double, n>& moments,
                                            std::size_t count) {
  std::array<double, n> weights{};
  for (std::size_t i = 0; i < count; ++i) {
    std::array<double, n> basis{1};  // Lagrange's polynomial of node i by powers
    std::size_t degree = 0;
    for (std::size_t j = 0; j < count; ++j) {
      if (j == i) continue;
      const double width = nodes[i] - nodes[j];
      ++degree;
      for (std::size_t k = degree + 1; k-- > 0;)
        basis[k] = ((k > 0 ? basis[k - 1] : 0) - (k < degree ? nodes[j] * basis[k] : 0)) / width;
    }
    for (std::size_t k = 0; k <= degree; ++k) weights[i] += basis[k] * moments[k];
  }
  return weights;
}

}  // namespace fokker::detail
