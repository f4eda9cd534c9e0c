#pragma once
/// @file  gaussian_model.hpp
/// @brief One-dimensional Gaussian data under any process, and the exact law of a linear scheme.
///
/// On Gaussian data every sampler is affine in the state and in the noise, y = a x + b dw + c.
/// Stepping x = 0, x = 1 and dw = 1 with the real stepper gives a, b and c, and with them the
/// scheme's mean and variance, and its strong error, with no Monte Carlo in them.

#include <cmath>
#include <vector>

#include <fokker/diffusion/catalogue/registry.hpp>
#include <fokker/solvers/core/grid.hpp>
#include <fokker/solvers/integrate/stepping.hpp>

namespace fokker::test {

using Process = AffineProcess<AnySchedule>;

/// The exact score and denoiser of x0 ~ N(mean, variance) under `process`; variance 0 is one point.
struct GaussianScore {
  Process process;
  double mean, variance;

  Index dimension() const { return 1; }
  template <State X>
  void operator()(const X& x, Time t, X& out) const {
    using S = typename X::Scalar;
    out = (static_cast<S>(process.scale(t) * mean) - x) / static_cast<S>(total(t));
  }
  template <State X>
  void denoise(const X& x, Time t, X& out) const {
    using S = typename X::Scalar;
    const double s = process.scale(t);
    const double gain = variance == 0 ? 0 : s * variance / total(t);
    out = static_cast<S>(mean) + static_cast<S>(gain) * (x - static_cast<S>(s * mean));
  }
  double total(Time t) const {
    const double s = process.scale(t), std = process.std(t);
    return s * s * variance + std * std;
  }
};

struct Law {
  double mean, variance;
};

/// The law of x_t.
inline Law marginal(const GaussianScore& score, Time t) {
  return {score.process.scale(t) * score.mean, score.total(t)};
}

/// W2 distance of two normal laws.
inline double distance(const Law& a, const Law& b) {
  return std::hypot(a.mean - b.mean, std::sqrt(a.variance) - std::sqrt(b.variance));
}

/// y = a x + b dw + c.
struct AffineStep {
  double a, b, c;
};

/// The step of a method on process P from t0 to t1 > t0.
template <class P, class Method>
AffineStep probe(const Method& method, const P& p, Time t0, Time t1) {
  using X = Block<double>;
  X x(1, 3), y(1, 3);
  Increment<P, X> dw;
  dw.w.resize(noise_kind<P> == NoiseKind::none ? 0 : 1, 3);
  typename Method::template Workspace<X> workspace(1, 3);
  x << 0, 1, 0;
  if (dw.w.rows() > 0) dw.w << 0, 0, 1;
  detail::take_step(method, p, x, t0, t1, dw, y, workspace);
  return {y(0, 1) - y(0, 0), y(0, 2) - y(0, 0), y(0, 0)};
}

/// The step of a sampler or solver from t down to t_next.
template <class Model, class Method>
AffineStep probe_down(const Method& method, const Model& model, Time t, Time t_next) {
  return probe(method, TimeReversed<Model>{model}, -t, -t_next);
}

/// The steps of a sampler or solver along a decreasing grid.
template <class Model, class Method>
std::vector<AffineStep> probe_down(const Method& method, const Model& model, const TimeGrid& grid) {
  std::vector<AffineStep> steps;
  for (std::size_t k = 0; k + 1 < grid.size(); ++k)
    steps.push_back(probe_down(method, model, grid[k], grid[k + 1]));
  return steps;
}

/// The law of the scheme at the end of the grid.
inline Law propagate(const std::vector<AffineStep>& steps, const TimeGrid& grid, Law law) {
  for (std::size_t k = 0; k < steps.size(); ++k) {
    const auto [a, b, c] = steps[k];
    law = {a * law.mean + c, a * a * law.variance + b * b * std::abs(grid[k + 1] - grid[k])};
  }
  return law;
}

/// The factor by which the reverse SDE with this eta shrinks a difference of x between t and
/// t_next.
inline double contraction(const GaussianScore& score, double eta, Time t, Time t_next) {
  const Process& process = score.process;
  const double sigma = process.sigma(t), next = process.sigma(t_next);
  return process.scale(t_next) / process.scale(t) *
         std::pow((score.variance + next * next) / (score.variance + sigma * sigma),
                  0.5 * (1 + eta * eta));
}

/// The law of the continuous equation with this eta at t_next, from `law` at t.
inline Law exact_transition(const GaussianScore& score, double eta, Law law, Time t, Time t_next) {
  const Law before = marginal(score, t), after = marginal(score, t_next);
  const double m = contraction(score, eta, t, t_next);
  return {after.mean + m * (law.mean - before.mean),
          m * m * law.variance + after.variance - m * m * before.variance};
}

/// The integral of f over [a, b] by three Gauss points, exact to degree 5.
template <class F>
double gauss_legendre(const F& f, double a, double b) {
  const double middle = 0.5 * (a + b), half = 0.5 * (b - a), node = half * std::sqrt(0.6);
  return half * (5 * f(middle - node) + 8 * f(middle) + 5 * f(middle + node)) / 9;
}

inline ReverseModel<double> reverse_model(const GaussianScore& score, double eta) {
  return {score.process, AnyScore<double>(score), eta};
}

inline FlowModel<double> flow_model(const GaussianScore& score) {
  return {score.process, AnyScore<double>(score)};
}

/// The observed order between the last two of `errors`, each from twice as many steps as the one
/// before.
inline double last_order(const std::vector<double>& errors) {
  return std::log2(errors[errors.size() - 2] / errors.back());
}

}  // namespace fokker::test
