#pragma once
/// @file  line_mixture.hpp
/// @brief Mixtures of normals on the line under any process, and their probability flow exactly.

#include <cmath>
#include <vector>

#include "gaussian_model.hpp"

namespace fokker::test {

struct Component {
  double weight, mean, variance;
};
using Mixture = std::vector<Component>;

inline const Mixture two_modes{{0.3, -1, 0.09}, {0.7, 0.8, 0.16}};

/// The exact score and denoiser of a mixture.
struct MixtureScore {
  Process process;
  Mixture components;

  Index dimension() const { return 1; }
  template <State X>
  void denoise(const X& x, Time t, X& out) const {
    const double s = process.scale(t), std = process.std(t);
    for (Index j = 0; j < x.size(); ++j) {
      double total = 0, sum = 0;
      for (const auto& [weight, mean, variance] : components) {
        const double v = s * s * variance + std * std, d = x(j) - s * mean;
        const double w = weight / std::sqrt(v) * std::exp(-0.5 * d * d / v);
        total += w;
        sum += w * (mean + s * variance / v * d);
      }
      out(j) = sum / total;
    }
  }
  template <State X>
  void operator()(const X& x, Time t, X& out) const {
    denoise(x, t, out);
    const double std = process.std(t);
    out = (process.scale(t) * out - x) / (std * std);
  }
};

inline long double distribution(const Mixture& data, long double sigma, long double z) {
  long double sum = 0;
  for (const auto& [weight, mean, variance] : data)
    sum += weight * 0.5L * std::erfc((mean - z) / std::sqrt(2 * (variance + sigma * sigma)));
  return sum;
}

/// The flow of z = x/s on the line: z' at sigma_next has the rank that z has at sigma.
inline double quantile_map(const Mixture& data, double sigma, double sigma_next, double z) {
  const long double rank = distribution(data, sigma, z);
  long double low = -100, high = 100;
  for (int i = 0; i < 80; ++i) {
    const long double middle = 0.5L * (low + high);
    (distribution(data, sigma_next, middle) < rank ? low : high) = middle;
  }
  return static_cast<double>(0.5L * (low + high));
}

/// The states at time t of three paths of the flow that started at `start`.
inline Block<double> flow_states(const MixtureScore& score, Time start, Time t) {
  const double sigma = score.process.sigma(start);
  Block<double> x(1, 3);
  x << -0.9 * sigma, 0.1 * sigma, 1.2 * sigma;
  for (Index j = 0; j < 3; ++j)
    x(j) = score.process.scale(t) *
           quantile_map(score.components, sigma, score.process.sigma(t), x(j));
  return x;
}

/// n steps from sigma = 3 to sigma = `end`: `logsnr` and `karras` as in `make_grid`; `jumps` has
/// steps in ln sigma that are 4/3 and 2/3 of the mean by turns.
inline TimeGrid grid_in_sigma(const Process& process, const std::string& spacing, Index n,
                              double end = 0.3) {
  constexpr double start = 3, p = 1.0 / 7;
  TimeGrid grid;
  for (Index i = 0; i <= n; ++i) {
    double u = static_cast<double>(i);
    if (spacing == "jumps" && i % 2 == 1) u += 1.0 / 3;
    u /= static_cast<double>(n);
    const double sigma = spacing == "karras"
                             ? std::pow((1 - u) * std::pow(start, p) + u * std::pow(end, p), 1 / p)
                             : start * std::pow(end / start, u);
    grid.push_back(process.time_of_sigma(sigma));
  }
  return grid;
}

/// The largest error of the three paths at the end of the grid, in x/s. The first `forced` steps
/// start from exact states, so that the history a multistep method has of them is exact.
template <class Sampler, class Model>
double flow_error(const Sampler& sampler, const Model& model, const MixtureScore& score,
                  const TimeGrid& grid, std::size_t forced = 1) {
  using X = Block<double>;
  const TimeReversed<Model> reversed{model};
  X x = flow_states(score, grid[0], grid[0]), y(1, 3);
  Increment<TimeReversed<Model>, X> dw;
  dw.resize(noise_kind<TimeReversed<Model>> == NoiseKind::none ? 0 : 1, 3, needs_of(sampler));
  dw.w.setZero();
  dw.normals.setZero();
  typename Sampler::template Workspace<X> workspace(1, 3);
  for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
    if (k > 0 && k < forced) x = flow_states(score, grid[0], grid[k]);
    detail::take_step(sampler, reversed, x, -grid[k], -grid[k + 1], dw, y, workspace);
    x.swap(y);
  }
  return (x - flow_states(score, grid[0], grid.back())).abs().maxCoeff() /
         score.process.scale(grid.back());
}

}  // namespace fokker::test
