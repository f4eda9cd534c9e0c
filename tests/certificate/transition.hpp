#pragma once
/// @file  transition.hpp
/// @brief The law of a scheme on the line where it is not normal, without Monte Carlo.
///
/// What a scheme carries on the line, the state and its memory, is a point u; one step moves it to
/// u' = F(u, n) with standard normals n. A law is kept as weights on a grid of points. A step sends
/// every point through the real stepper with every node of a Gauss rule for n, and shares its
/// weight out to the grid points about u' as interpolation does: by polynomials through eight
/// points in the state, through all points in the memory. So the expectation of a function after N
/// steps is what Gauss quadrature and interpolation of its transported self give, exact but for
/// interpolation in the state: the weights need not be positive. Errors of the rules are of a
/// higher order in the step than those of the scheme.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <utility>
#include <vector>

#include <Eigen/Dense>

#include <fokker/solvers/core/grid.hpp>
#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/integrate/stepping.hpp>

#include "quadrature.hpp"

namespace fokker::test {

/// Weights on the points low, low + width, ...
struct LatticeLaw {
  double low, width;
  Eigen::VectorXd weights;

  double point(Index i) const { return low + width * static_cast<double>(i); }
  /// E f.
  template <class F>
  double mean(const F& f) const {
    double sum = 0;
    for (Index i = 0; i < weights.size(); ++i) sum += weights[i] * f(point(i));
    return sum;
  }
};

/// Lagrange's polynomials through fixed nodes.
class Lagrange {
 public:
  explicit Lagrange(Eigen::VectorXd nodes)
      : nodes_(std::move(nodes)), factors_(Eigen::VectorXd::Ones(nodes_.size())) {
    for (Index i = 0; i < nodes_.size(); ++i)
      for (Index j = 0; j < nodes_.size(); ++j)
        if (j != i) factors_[i] /= nodes_[i] - nodes_[j];
  }
  /// out[i] = the i-th polynomial at x.
  void operator()(double x, Eigen::VectorXd& out) const {
    double product = 1;
    for (Index i = 0; i < nodes_.size(); ++i) {
      out[i] = factors_[i] * product;
      product *= x - nodes_[i];
    }
    product = 1;
    for (Index i = nodes_.size(); i-- > 0;) {
      out[i] *= product;
      product *= x - nodes_[i];
    }
  }
  const Eigen::VectorXd& nodes() const { return nodes_; }

 private:
  Eigen::VectorXd nodes_, factors_;
};

/// The law after stepping along a decreasing grid of times.
/// @param memory_low,memory_high  where the memories lie
template <class Sampler, class Model>
LatticeLaw transport(const Sampler& sampler, const Model& model, const TimeGrid& grid,
                     LatticeLaw law, double memory_low, double memory_high) {
  using P = TimeReversed<Model>;
  using X = Block<double>;
  constexpr Index stencil = 8;
  const P p{model};
  const Needs needs = needs_of(sampler);
  typename Sampler::template Workspace<X> trial(1, 1);
  const auto kept = static_cast<Index>(memory_of<X>(sampler, trial).size());

  // the points: state by memories, the state running fastest
  const Index states = law.weights.size(), per_memory = kept > 2 ? 4 : 5;
  const Eigen::ArrayXd angles =
      (Eigen::ArrayXd::LinSpaced(per_memory, 0.5, static_cast<double>(per_memory) - 0.5)) *
      std::numbers::pi / static_cast<double>(per_memory);
  const Lagrange of_memory(0.5 * (memory_low + memory_high) +
                           0.5 * (memory_high - memory_low) * angles.cos());
  const Lagrange of_state(Eigen::VectorXd::LinSpaced(stencil, 0, stencil - 1));
  Index points = states;
  for (Index m = 0; m < kept; ++m) points *= per_memory;
  Eigen::VectorXd weights = Eigen::VectorXd::Zero(points);
  weights.head(states) = law.weights;  // a memory of nothing: any will do

  // the noise: all nodes of its normals, as columns of one block per node
  const Quadrature rule = Quadrature::normal(8);
  const Index normals = 1 + needs.normals, q = rule.nodes.size();
  Index outcomes = 1;
  for (Index j = 0; j < normals; ++j) outcomes *= q;
  const Index columns = points * outcomes;
  X x(1, columns), y(1, columns), chance(1, outcomes);
  Increment<P, X> dw;
  dw.resize(1, columns, needs);
  typename Sampler::template Workspace<X> workspace(1, columns);
  const auto memory = memory_of<X>(sampler, workspace);
  const auto node = [&](Index outcome, Index j) {
    for (; j > 0; --j) outcome /= q;
    return outcome % q;
  };
  chance.setOnes();
  for (Index o = 0; o < outcomes; ++o)
    for (Index j = 0; j < normals; ++j) chance(o) *= rule.weights[node(o, j)];

  Eigen::VectorXd in_state(stencil);
  std::vector<Eigen::VectorXd> in_memory(static_cast<std::size_t>(kept),
                                         Eigen::VectorXd(per_memory));
  for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
    const Time h = grid[k] - grid[k + 1];
    for (Index o = 0; o < outcomes; ++o)
      for (Index i = 0; i < points; ++i) {
        const Index c = o * points + i;
        x(c) = law.point(i % states);
        Index rest = i / states;
        for (Index m = 0; m < kept; ++m, rest /= per_memory)
          memory[static_cast<std::size_t>(m)](c) = of_memory.nodes()[rest % per_memory];
        dw.w(c) = std::sqrt(h) * rule.nodes[node(o, 0)];
        for (Index j = 1; j < normals; ++j) dw.normals(j - 1, c) = rule.nodes[node(o, j)];
      }
    fokker::detail::take_step(sampler, p, x, -grid[k], -grid[k + 1], dw, y, workspace);

    Eigen::VectorXd next = Eigen::VectorXd::Zero(points);
    for (Index c = 0; c < columns; ++c) {
      const double share = weights[c % points] * chance(c / points);
      if (std::abs(share) < 1e-22) continue;
      // what leaves the grid, where there is nothing, is put at its edge
      const double at = std::clamp((y(c) - law.low) / law.width, 4.0, double(states - 5));
      const Index first = static_cast<Index>(at) - stencil / 2 + 1;
      of_state(at - double(first), in_state);
      for (std::size_t m = 0; m < memory.size(); ++m)
        of_memory(std::clamp(memory[m](c), memory_low, memory_high), in_memory[m]);
      for (Index base = 0; base < points; base += states) {
        double part = share;
        Index rest = base / states;
        for (Index m = 0; m < kept; ++m, rest /= per_memory)
          part *= in_memory[static_cast<std::size_t>(m)][rest % per_memory];
        next.segment<stencil>(base + first) += part * in_state;
      }
    }
    weights = next;
  }
  law.weights.setZero();
  for (Index base = 0; base < points; base += states) law.weights += weights.segment(base, states);
  return law;
}

}  // namespace fokker::test
