#pragma once
/// @file  fokker/diffusion/detail/gauss_legendre.hpp
/// @brief Gauss-Legendre rules, and quadrature in sigma, to rounding, for functions that are smooth
/// on the scale of sigma.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <utility>

namespace fokker::detail {

/// The Gauss-Legendre rule of n points on [-1, 1], nodes falling: exact to degree 2n - 1. The nodes
/// are the zeros of the polynomial, by Newton's method.
template <std::size_t n>
struct GaussLegendre {
  std::array<double, n> node, weight;

  GaussLegendre() {
    const auto degree = static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i) {
      double x = std::cos(std::numbers::pi * (static_cast<double>(i) + 0.75) / (degree + 0.5));
      double slope = 0;
      for (int newton = 0; newton < 8; ++newton) {
        double p = 1, before = 0;
        for (double k = 0; k < degree; ++k)
          before = std::exchange(p, ((2 * k + 1) * x * p - k * before) / (k + 1));
        slope = degree * (x * p - before) / (x * x - 1);
        x -= p / slope;
      }
      node[i] = x;
      weight[i] = 2 / ((1 - x * x) * slope * slope);
    }
  }
};

/// The rule, made once.
template <std::size_t n>
const GaussLegendre<n>& gauss_legendre() {
  static const GaussLegendre<n> rule;
  return rule;
}

/// Calls f(sigma, weight) so that the sum of weight g(sigma) is the integral of g from `from` down
/// to `to`, from > to >= 0 (a negative number for g > 0). The panels halve sigma: on each the rule
/// of 12 points converges like 5.8^-24 for a g whose singularities, as those of a schedule's time
/// of sigma, keep away from the positive numbers. What is left below from / 2^40 is one panel.
template <class F>
void integrate_panels(double from, double to, const F& f) {
  constexpr int most = 40;
  const auto& rule = gauss_legendre<12>();
  double high = from;
  for (int panel = 0; high > to; ++panel) {
    const double low = panel == most ? to : std::max(to, 0.5 * high);
    const double middle = 0.5 * (high + low), half = 0.5 * (high - low);
    for (std::size_t i = 0; i < rule.node.size(); ++i)
      f(middle + half * rule.node[i], -half * rule.weight[i]);
    high = low;
  }
}

}  // namespace fokker::detail
