#pragma once
/// @file  fokker/diffusion/detail/gauss_legendre.hpp
/// @brief Quadrature in sigma, to rounding, for functions that are smooth on the scale of sigma.

#include <algorithm>
#include <array>
#include <cstddef>

namespace fokker::detail {

/// Nodes > 0 and weights of the Gauss-Legendre rule with 12 points on [-1, 1], exact to degree 23.
/// Source: Abramowitz & Stegun (1964), table 25.4.
struct GaussLegendre12 {
  static constexpr std::array<double, 6> node{0.1252334085114689155, 0.3678314989981801938,
                                              0.5873179542866174473, 0.7699026741943046870,
                                              0.9041172563704748567, 0.9815606342467192507};
  static constexpr std::array<double, 6> weight{0.2491470458134027850, 0.2334925365383548088,
                                                0.2031674267230659217, 0.1600783285433462263,
                                                0.1069393259953184310, 0.0471753363865118272};
};

/// Calls f(sigma, weight) so that the sum of weight g(sigma) is the integral of g from `from` down
/// to `to`, from > to >= 0 (a negative number for g > 0). The panels halve sigma: on each the rule
/// of 12 points converges like 5.8^-24 for a g whose singularities, as those of a schedule's time
/// of sigma, keep away from the positive numbers. What is left below from / 2^40 is one panel.
template <class F>
void integrate_panels(double from, double to, const F& f) {
  constexpr int most = 40;
  double high = from;
  for (int panel = 0; high > to; ++panel) {
    const double low = panel == most ? to : std::max(to, 0.5 * high);
    const double middle = 0.5 * (high + low), half = 0.5 * (high - low);
    for (std::size_t i = 0; i < GaussLegendre12::node.size(); ++i)
      for (const double side : {-1.0, 1.0})
        f(middle + side * half * GaussLegendre12::node[i], -half * GaussLegendre12::weight[i]);
    high = low;
  }
}

}  // namespace fokker::detail
