#pragma once
/// @file  linear_scheme.hpp
/// @brief The exact law and strong error of a sampler with a memory, on one-dimensional Gaussian
/// data.
///
/// What such a sampler carries, u = (x, memory), moves by u' = A u + b dw + sum_j e_j n_j + c, with
/// normals n_j that are not of the Brownian path. All of it is read off the real stepper, which
/// keeps its workspace from step to step.

#include <vector>

#include "gaussian_model.hpp"

namespace fokker::test {

struct LinearStep {
  Eigen::MatrixXd a, e;
  Eigen::VectorXd b, c;
};

/// The steps of a sampler of the way back along a decreasing grid.
template <class Sampler, class Model>
std::vector<LinearStep> linear_steps(const Sampler& sampler, const Model& model,
                                     const TimeGrid& grid) {
  using P = TimeReversed<Model>;
  using X = Block<double>;
  const P p{model};
  const Needs needs = needs_of(sampler);
  typename Sampler::template Workspace<X> trial(1, 1);
  const Index m = 1 + static_cast<Index>(memory_of<X>(sampler, trial).size());
  const Index columns = m + 2 + needs.normals;  // 0, one of each carried, dw, each normal
  typename Sampler::template Workspace<X> workspace(1, columns);
  const auto memory = memory_of<X>(sampler, workspace);
  X x(1, columns), y(1, columns);
  Increment<P, X> dw;
  dw.resize(noise_kind<P> == NoiseKind::none ? 0 : 1, columns, needs);

  std::vector<LinearStep> steps;
  for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
    const auto carried = [&](Index i) -> X& {
      return i == 0 ? x : memory[static_cast<std::size_t>(i - 1)];
    };
    for (Index i = 0; i < m; ++i) {
      carried(i).setZero();
      carried(i)(0, 1 + i) = 1;
    }
    dw.w.setZero();
    if (dw.w.rows() > 0) dw.w(0, m + 1) = 1;
    for (Index j = 0; j < needs.normals; ++j) dw.normals(j, m + 2 + j) = 1;
    detail::take_step(sampler, p, x, -grid[k], -grid[k + 1], dw, y, workspace);
    x.swap(y);
    LinearStep step{Eigen::MatrixXd(m, m), Eigen::MatrixXd(m, needs.normals), Eigen::VectorXd(m),
                    Eigen::VectorXd(m)};
    for (Index i = 0; i < m; ++i) {
      const X& u = carried(i);
      step.c[i] = u(0, 0);
      for (Index j = 0; j < m; ++j) step.a(i, j) = u(0, 1 + j) - u(0, 0);
      step.b[i] = u(0, m + 1) - u(0, 0);
      for (Index j = 0; j < needs.normals; ++j) step.e(i, j) = u(0, m + 2 + j) - u(0, 0);
    }
    steps.push_back(step);
  }
  return steps;
}

/// The law of the scheme at the end of the grid.
inline Law propagate(const std::vector<LinearStep>& steps, const TimeGrid& grid, Law law) {
  const Index m = steps[0].b.size();
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(m);
  Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(m, m);
  mean[0] = law.mean;
  covariance(0, 0) = law.variance;
  for (std::size_t k = 0; k < steps.size(); ++k) {
    const auto& [a, e, b, c] = steps[k];
    mean = (a * mean + c).eval();
    covariance = (a * covariance * a.transpose() + e * e.transpose() +
                  b * b.transpose() * std::abs(grid[k + 1] - grid[k]))
                     .eval();
  }
  return {mean[0], covariance(0, 0)};
}

/// Root mean square distance at the end of the grid between the scheme and the exact solution of
/// the reverse SDE on the same Brownian path, both from the same start with law `start`.
template <class Model>
double strong_error(const std::vector<LinearStep>& steps, const Model& model,
                    const GaussianScore& score, const TimeGrid& grid, Law start) {
  const double eta = model.eta;
  const Time end = grid.back();
  const double mean_error = propagate(steps, grid, start).mean -
                            exact_transition(score, eta, start, grid.front(), end).mean;
  double square = mean_error * mean_error;
  Eigen::RowVectorXd response = Eigen::RowVectorXd::Zero(steps[0].b.size());
  response[0] = 1;
  for (std::size_t k = steps.size(); k-- > 0;) {
    const double b = response * steps[k].b;
    const auto difference = [&](Time u) {
      const double kernel = eta * score.process.diffusion(u) * contraction(score, eta, u, end);
      return (b - kernel) * (b - kernel);
    };
    square +=
        gauss_legendre(difference, grid[k + 1], grid[k]) + (response * steps[k].e).squaredNorm();
    response = (response * steps[k].a).eval();
  }
  const double factor = response[0] - contraction(score, eta, grid.front(), end);
  return std::sqrt(square + factor * factor * start.variance);
}

}  // namespace fokker::test
