#pragma once
/// @file  fokker/analysis/law/step_growth.hpp
/// @brief Stability of a step on a linear SDE: does the scheme grow where the solution does not?

#include <cmath>
#include <optional>
#include <vector>

#include <Eigen/Core>

#include <fokker/solvers/core/linear_process.hpp>
#include <fokker/solvers/core/solver.hpp>

namespace fokker {

/// Logarithms of the factors by which one step multiplies the second moment of the homogeneous
/// equation dX = A X dt + sum_k B_k X dW_k, in the long run.
struct StepGrowth {
  double scheme;    ///< log of the spectral radius of E M (x) M, M the matrix of the step
  double solution;  ///< h times the largest real part of the eigenvalues of
                    ///< A (x) I + I (x) A + sum_k B_k (x) B_k

  /// Whether the scheme grows over so many steps, to more than twice what the solution allows.
  bool unstable(Index steps) const;
};

namespace detail {

/// Points and weights that stand for a standard normal.
struct Rule {
  std::vector<double> points, weights;
};

/// Gauss's rule of five points; exact for polynomials of degree 9.
const Rule& gauss_rule();
/// One point in each cell of the normal that the weak schemes tell apart (DiscreteIncrements).
const Rule& cell_rule();

/// Combinations of points that a growth is computed from, at most.
inline constexpr double most_outcomes = 20'000;

/// E M (x) M grows by weight M (x) M.
void add_square(const Eigen::MatrixXd& map, double weight, Eigen::MatrixXd& total);
double log_spectral_radius(const Eigen::MatrixXd& a);
double spectral_abscissa(const Eigen::MatrixXd& a);
void add_kronecker(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b, Eigen::MatrixXd& total);

}  // namespace detail

/// StepGrowth::solution for steps of h, of a linear process in d dimensions.
/// @pre is_linear(process)
template <class P>
double growth_of_solution(const P& process, Index d, Time h) {
  Eigen::MatrixXd a(d, d), b(d, d);
  evaluate_linear_part(process, a);
  Eigen::MatrixXd generator = Eigen::MatrixXd::Zero(d * d, d * d);
  if constexpr (noise_kind<P> != NoiseKind::none && noise_kind<P> != NoiseKind::additive)
    for (Index k = 0; k < wiener_dimension(process, d); ++k) {
      evaluate_linear_diffusion(process, k, b);
      if (calculus_of<P> == Calculus::stratonovich) a += 0.5 * b.lazyProduct(b);
      detail::add_kronecker(b, b, generator);
    }
  const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(d, d);
  detail::add_kronecker(a, identity, generator);
  detail::add_kronecker(identity, a, generator);
  return h * detail::spectral_abscissa(generator);
}

/// StepGrowth::scheme of one step of `method` over [t, t + h] on a linear process, read off the
/// step itself: the outcomes of the noise are enumerated by a quadrature, without Monte Carlo.
/// @return  empty where the step carries something on, is not linear in the state, or depends on
/// too
///          many random numbers
template <class P, class M>
std::optional<double> growth_of_scheme(const P& process, const M& method, Index d, Time t, Time h) {
  using X = Block<double>;
  constexpr NoiseKind kind = noise_kind<P>;
  const Needs needs = needs_of(method);
  const Index m = wiener_dimension(process, d);
  if (has_memory(method) || (needs.area && m > 2)) return {};
  Increment<P, X> dw;
  dw.resize(m, d + 2, needs);
  X x = X::Zero(d, d + 2), y(d, d + 2);  // 0, the unit vectors, and what shows a map to be affine
  for (Index i = 0; i < d; ++i) {
    x(i, 1 + i) = 1;
    x(i, d + 1) = 1 - 0.3 * static_cast<double>(i % 5);
  }

  // The random numbers of a step; with additive noise M does not depend on them.
  struct RandomRow {
    double* number;  // the first of a row of dw
    double deviation;
    const detail::Rule* rule;
    std::size_t at = 0;
  };
  std::vector<RandomRow> axes;
  const detail::Rule& rule =
      facts_of(method).orders(kind).strong ? detail::gauss_rule() : detail::cell_rule();
  const auto add = [&](auto& rows, double deviation) {
    for (Index r = 0; r < rows.rows(); ++r)
      axes.push_back({&rows.coeffRef(r, 0), deviation, &rule});
  };
  if constexpr (kind != NoiseKind::additive) {
    add(dw.w, std::sqrt(h));
    if (needs.h) add(dw.h, std::sqrt(h / 12));
    if (needs.k) add(dw.k, std::sqrt(h / 720));
    if (needs.area) add(dw.area, std::sqrt(h * h / 4));
    if (needs.normals > 0) add(dw.normals, 1);
  }
  double outcomes = 1;
  for (const RandomRow& axis : axes) outcomes *= static_cast<double>(axis.rule->points.size());
  if (outcomes > detail::most_outcomes) return {};

  typename M::template Workspace<X> workspace(d, d + 2);
  Eigen::MatrixXd total = Eigen::MatrixXd::Zero(d * d, d * d), map(d, d);
  for (bool more = true; more;) {
    double weight = 1;
    for (const RandomRow& axis : axes) {
      weight *= axis.rule->weights[axis.at];
      const double value = axis.deviation * axis.rule->points[axis.at];
      for (Index j = 0; j < d + 2; ++j) axis.number[j] = value;
    }
    method.step(process, x, t, h, dw, y, workspace);
    for (Index i = 0; i < d; ++i) map.col(i) = (y.col(1 + i) - y.col(0)).matrix();
    const Eigen::VectorXd predicted = map * x.col(d + 1).matrix() + y.col(0).matrix();
    const double size = 1 + map.norm() + y.col(0).matrix().norm();
    if (!((predicted - y.col(d + 1).matrix()).norm() < 1e-9 * size)) return {};
    detail::add_square(map, weight, total);
    more = false;
    for (RandomRow& axis : axes) {  // the next outcome
      if (++axis.at < axis.rule->points.size()) {
        more = true;
        break;
      }
      axis.at = 0;
    }
  }
  return detail::log_spectral_radius(total);
}

}  // namespace fokker
