#pragma once
/// @file  certify.hpp
/// @brief Measures the orders of every solver of one noise kind and writes them as table rows.

#include "catch.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <Eigen/Dense>

#include <fokker/analysis/catalogue/solver_registry.hpp>
#include <fokker/analysis/convergence/regression.hpp>
#include <fokker/processes/models/linear.hpp>

#include "certificate/table.hpp"
#include "quadrature.hpp"

namespace certificate {

using namespace fokker;
using X = Block<double>;
using test::Quadrature;

/// One SDE in both forms.
template <NoiseKind kind>
struct Problem {
  std::string_view name;
  AnySde<kind> ito;
  AnySde<kind, kind == NoiseKind::additive ? Calculus::ito : Calculus::stratonovich> stratonovich;
};

/// Calls f(solver info, process, stepper) for every fixed-step solver that takes this noise kind.
template <NoiseKind kind, class F>
void for_each_solver(const Problem<kind>& problem, F&& f) {
  for (const SolverInfo& solver : list_solvers()) {
    if (solver.adaptive || !solver.process.empty() || !solver.supports(kind) ||
        !solver.takes(problem.ito))
      continue;
    if constexpr (kind == NoiseKind::additive) {
      f(solver, problem.ito, make_solver<kind>(solver.name));
    } else if (solver.calculus == Calculus::ito) {
      f(solver, problem.ito, make_solver<kind>(solver.name));
    } else {
      f(solver, problem.stratonovich, make_solver<kind, Calculus::stratonovich>(solver.name));
    }
  }
}

/// What is known to come out above the claim on a problem, and why.
struct Exceeds {
  std::string_view solver;
  double order;
};

/// The claim holds from both sides; where a problem is known to give more, that is asserted.
inline void judge_claim(std::string_view solver, std::string_view problem, const OrderFit& fit,
                        const std::optional<double>& claimed, const std::vector<Exceeds>& known) {
  if (!claimed) return;
  double expected = *claimed;
  for (const Exceeds& e : known)
    if (e.solver == solver) expected = e.order;
  INFO(solver << " on " << problem << ": " << verdict(fit, expected));
  CHECK(judge(fit, expected) == OrderVerdict::holds);
}

/// Strong orders of all solvers of a noise kind but weak schemes, on the same Brownian paths, all
/// against one solution: that of `reference` with `finest` steps, which is of the highest order
/// there is for this noise, so that a solver that converges to something else is seen too. The
/// order of `left_out` has not settled at these steps.
template <NoiseKind kind>
void certify_strong(const Problem<kind>& problem, std::string_view reference, Index finest,
                    const std::string& table_name, const std::vector<Exceeds>& known = {},
                    std::string_view left_out = {}) {
  ConvergenceSettings s;
  s.x0 = Eigen::Array2d(1.0, 0.5);
  s.steps = {8, 16, 32, 64, 128};
  s.paths = 4096;
  X exact;
  for_each_solver(problem, [&](const SolverInfo& solver, const auto& process, const auto& stepper) {
    if (solver.name == reference)
      exact = end_states(process, stepper, s, 0, s.paths, finest, finest);
  });
  REQUIRE(exact.cols() == s.paths);

  Table table(table_name);
  for_each_solver(problem, [&](const SolverInfo& solver, const auto& process, const auto& stepper) {
    if (solver.name == left_out) return;
    const Orders claimed = solver.orders(kind);
    if (!claimed.strong && claimed.weak) return;  // a weak scheme
    std::vector<double> h, squares;
    for (const Index steps : s.steps) {
      h.push_back(1.0 / static_cast<double>(steps));
      const X end = end_states(process, stepper, s, 0, s.paths, steps, finest);
      for (Index j = 0; j < s.paths; ++j)
        squares.push_back((end.col(j) - exact.col(j)).matrix().squaredNorm());
    }
    if (*std::ranges::max_element(squares) < 1e-22) {  // on this problem the step is the solution
      table.add({std::string(solver.name), std::string(problem.name), claim(claimed.strong),
                 "exact here"});
      return;
    }
    const OrderFit fit = fit_order_bootstrap(h, squares, 400, s.seed.number);
    table.add({std::string(solver.name), std::string(problem.name), claim(claimed.strong),
               describe(fit)});
    judge_claim(solver.name, problem.name, fit, claimed.strong, known);
  });
}

/// E Y (x) Y over one step, Y = (X, 1), of a step that is affine in x; empty if it is not. All
/// outcomes of the noise are enumerated: by Gauss quadrature, exact for what enters as a
/// polynomial, or by the cells of weak schemes, which look at no more.
template <class P, class M>
std::optional<Eigen::MatrixXd> second_moment_map(const P& process, const M& method, Index m, Time h,
                                                 bool discrete) {
  const Needs needs = needs_of(method);
  const Quadrature of_w = discrete ? Quadrature::cells() : Quadrature::normal(6);
  const Quadrature of_area = Quadrature::sign();  // enters linearly, and only its square counts
  struct Axis {
    const Quadrature* rule;
    Index at;
  };
  std::vector<Axis> axes;
  for (Index k = 0; k < m; ++k) axes.push_back({&of_w, 0});
  if (needs.h)
    for (Index k = 0; k < m; ++k) axes.push_back({&of_w, 0});
  if (needs.area && m == 2) axes.push_back({&of_area, 0});
  for (Index k = 0; k < needs.normals * m; ++k) axes.push_back({&of_w, 0});

  constexpr Index d = 2, probes = 4;  // 0, e_1, e_2, and one more to see that the map is affine
  X x(d, probes), y(d, probes);
  x << 0, 1, 0, 2, 0, 0, 1, -3;
  Increment<P, X> dw;
  dw.resize(m, probes, needs);
  typename M::template Workspace<X> workspace(d, probes);
  Eigen::MatrixXd total = Eigen::MatrixXd::Zero(9, 9);
  for (bool more = true; more;) {
    double weight = 1;
    std::size_t axis = 0;
    const auto value = [&] {
      const Axis& a = axes[axis++];
      weight *= a.rule->weights[a.at];
      return a.rule->nodes[a.at];
    };
    for (Index k = 0; k < m; ++k) dw.w.row(k).setConstant(std::sqrt(h) * value());
    if (needs.h)
      for (Index k = 0; k < m; ++k) dw.h.row(k).setConstant(std::sqrt(h / 12) * value());
    if (needs.area && m == 2) {
      const double variance = h * (h + dw.w.col(0).square().sum()) / 12;
      dw.area.row(0).setConstant(std::sqrt(variance) * value());
    }
    for (Index k = 0; k < needs.normals * m; ++k) dw.normals.row(k).setConstant(value());
    method.step(process, x, 0.0, h, dw, y, workspace);
    Eigen::Matrix3d map = Eigen::Matrix3d::Identity();
    for (Index i = 0; i < d; ++i) {
      map(i, 2) = y(i, 0);
      for (Index j = 0; j < d; ++j) map(i, j) = y(i, j + 1) - y(i, 0);
      const double predicted = map(i, 2) + 2 * map(i, 0) - 3 * map(i, 1);
      if (!(std::abs(predicted - y(i, 3)) < 1e-10)) return {};
    }
    for (Index i = 0; i < 3; ++i)
      for (Index j = 0; j < 3; ++j) total.block(3 * i, 3 * j, 3, 3) += weight * map(i, j) * map;
    more = false;
    for (Axis& a : axes) {  // the next outcome
      if (++a.at < a.rule->nodes.size()) {
        more = true;
        break;
      }
      a.at = 0;
    }
  }
  return total;
}

/// Weak orders of all solvers of a noise kind on the second moments of a linear SDE, without Monte
/// Carlo: the exact moments of the scheme against those of the solution.
template <NoiseKind kind>
void certify_weak(const LinearSde& linear, const Problem<kind>& problem,
                  const std::string& table_name, const std::vector<Exceeds>& known = {}) {
  const Index m = wiener_dimension(problem.ito, 2);
  const Eigen::Array2d x0(1, 1);
  const Eigen::Vector3d start(1, 1, 1);
  const Eigen::MatrixXd exact = linear.second_moment(x0, 1.0);
  Table table(table_name);
  for_each_solver(problem, [&](const SolverInfo& solver, const auto& process, const auto& stepper) {
    if (stepper.facts().has_memory) return;  // its step alone is not the scheme
    const Orders claimed = solver.orders(kind);
    std::vector<double> h, errors;
    for (const Index steps : {2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048}) {
      h.push_back(1.0 / static_cast<double>(steps));
      const auto map = second_moment_map(process, stepper, m, h.back(), !claimed.strong);
      if (!map) return;  // the step is not affine in x
      Eigen::Matrix3d product = start * start.transpose();
      Eigen::VectorXd moments = Eigen::Map<const Eigen::VectorXd>(product.data(), 9);
      for (Index i = 0; i < steps; ++i) moments = *map * moments;
      const Eigen::Matrix3d end = Eigen::Map<const Eigen::Matrix3d>(moments.data());
      errors.push_back((end.topLeftCorner(2, 2) - exact).norm());
    }
    if (errors.front() < 1e-6) {  // the step is the solution, but for the quadrature
      table.add(
          {std::string(solver.name), std::string(problem.name), claim(claimed.weak), "exact here"});
      return;
    }
    const OrderFit fit = fit_order(h, errors, {}, {.floor = 1e-13});
    table.add(
        {std::string(solver.name), std::string(problem.name), claim(claimed.weak), describe(fit)});
    judge_claim(solver.name, problem.name, fit, claimed.weak, known);
  });
}

/// The linear SDE as a problem of the kind; its Stratonovich drift is A - 1/2 sum_k B_k^2.
inline LinearSde in_stratonovich_form(LinearSde linear) {
  for (const auto& B : linear.B) linear.A -= 0.5 * B * B;
  return linear;
}

inline Eigen::MatrixXd two_by_two(double a, double b, double c, double d) {
  Eigen::MatrixXd m(2, 2);
  m << a, b, c, d;
  return m;
}
inline const Eigen::MatrixXd linear_drift = two_by_two(-0.4, 0.3, 0.1, -0.2);

/// A nonlinear drift whose rotation keeps every term of the expansions alive, in Stratonovich form.
inline void nonlinear_drift(const X& x, X& out) {
  out.row(0) = 1 / (1 + x.row(1).square()) - x.row(0);
  out.row(1) = 0.5 * x.row(0) - x.row(1) / (1 + x.row(0).square());
}

/// psi(x) = 1 / (1 + x^2) and psi psi'.
inline X psi(const X& x) { return 1 / (1 + x.square()); }
inline X psi_slope(const X& x) { return -2 * x / (1 + x.square()).cube(); }

}  // namespace certificate
