/// @file  cut_normal.cpp
/// @brief Moments of normal variables cut to an interval, by closed forms and by quadrature.

#include "data/cut_normal.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

#include <Eigen/Core>

#include <fokker/diffusion/detail/gauss_legendre.hpp>

namespace fokker::detail {
namespace {

constexpr int nodes = 32;

/// The Gauss-Legendre rule on [0, 1].
struct Quadrature {
  Quadrature() {
    const auto& rule = gauss_legendre<nodes>();
    for (int i = 0; i < nodes; ++i) {
      at[i] = 0.5 * (1 - rule.node[static_cast<std::size_t>(i)]);
      weight[i] = 0.5 * rule.weight[static_cast<std::size_t>(i)];
    }
  }
  Eigen::Array<double, nodes, 1> at, weight;
};

}  // namespace

CutNormal cut_normal(double low, double high, double middle, double width) {
  if (middle < 0) {
    const CutNormal mirrored = cut_normal(-high, -low, -middle, width);
    return {mirrored.log_density, -mirrored.mean, 1 - mirrored.place, mirrored.spread};
  }
  const double decay = width * middle;  // (high^2 - low^2) / 2
  if (width >= 2 && low < 1.5) {
    const double root = std::numbers::sqrt2;
    const double mass =
        std::sqrt(std::numbers::pi / 2) * (std::erfc(low / root) - std::erfc(high / root));
    const double at_low = std::exp(-0.5 * low * low), at_high = at_low * std::exp(-decay);
    const double mean = -at_low * std::expm1(-decay) / mass;
    const double variance = 1 + (low * at_low - high * at_high) / mass - mean * mean;
    return {std::log(mass / width), mean, (mean - low) / width, variance / (width * width)};
  }
  // y = low + width q with a density of q in proportion to exp(-l t - t^2/2), t = width q, up to
  // where that is e^-40 of its start.
  static const Quadrature rule;
  const double reach = std::min(width, 80 / (low + std::sqrt(low * low + 80)));
  const double share = width > 0 ? reach / width : 1;
  const auto t = reach * rule.at;
  const Eigen::Array<double, nodes, 1> weight = rule.weight * (-t * (low + 0.5 * t)).exp();
  const double sum = weight.sum();
  const double place = (weight * rule.at).sum() / sum;
  const double spread = (weight * (rule.at - place).square()).sum() / sum;
  const double drop = decay > 0 ? -std::expm1(-decay) / decay : 1;
  return {std::log(sum * share) - 0.5 * low * low, middle * drop / (sum * share), place * share,
          spread * share * share};
}

}  // namespace fokker::detail
