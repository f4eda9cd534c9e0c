#pragma once
/// @file  fokker/analysis/linear_law.hpp
/// @brief Gaussian laws pushed exactly through any scheme that is linear in the state.
///
/// One step of such a scheme is z' = A z + b + C n, where z is the state and whatever else the
/// scheme carries from step to step (the history of a multistep method), and n its normals: the
/// Wiener increment and those beside it. The matrices are read off the real stepper by handing it
/// chosen states and noise, so what is analysed is the code that runs, not a second copy of its
/// formula. No Monte Carlo: the moments are exact to rounding.

#include <cmath>
#include <span>
#include <stdexcept>
#include <vector>

#include <Eigen/Core>

#include <fokker/analysis/gaussian.hpp>
#include <fokker/solvers/contract.hpp>
#include <fokker/solvers/grid.hpp>
#include <fokker/solvers/solver.hpp>

namespace fokker {

namespace detail {

/// One step of `method` from columns of states, memories and noise of our choice.
template <class P, class M>
class StepProbe {
 public:
  using X = Block<double>;

  StepProbe(const P& process, const M& method, Index d, Index columns)
      : process_(process), method_(method), x_(d, columns), y_(d, columns), workspace_(d, columns) {
    require_compatible<M, P>();
    dw_.resize(wiener_dimension(process, d), columns, needs_of(method));
    const Needs needs = needs_of(method);
    if (needs.h || needs.k || needs.area)
      throw std::invalid_argument("a law cannot be pushed through a scheme that uses Levy areas");
  }

  /// What the scheme carries from step to step, the state first: set it before each step.
  std::vector<X*> carried() {
    std::vector<X*> all{&x_};
    for (X& memory : memory_of<X>(method_, workspace_)) all.push_back(&memory);
    return all;
  }

  Index normals() const { return dw_.w.rows() + dw_.normals.rows(); }

  /// Sets normal i of a column, those of the Wiener increment over h first.
  void set_normal(Index i, Index column, Time h, double z) {
    if (i < dw_.w.rows())
      dw_.w(i, column) = std::sqrt(h) * z;
    else
      dw_.normals(i - dw_.w.rows(), column) = z;
  }

  void step(Time t, Time h) {
    method_.step(process_, x_, t, h, dw_, y_, workspace_);
    x_.swap(y_);
  }

 private:
  const P& process_;
  const M& method_;
  X x_, y_;
  Increment<P, X> dw_;
  typename M::template Workspace<X> workspace_;
};

/// Mean and covariance of all that a scheme carries from step to step, where it acts on each of
/// d coordinates by itself: pushed through a step by its answers to chosen states and normals.
class DiagonalMoments {
 public:
  /// @param kept     arrays that are carried, the state first
  /// @param sources  normals of each coordinate
  DiagonalMoments(const DiagonalGaussian& law, std::size_t kept, Index sources);

  /// Columns that a step is asked: zeros, a one in what is carried, a one in the normals, and
  /// generic values in all.
  Index columns() const { return generic_.cols() + 2; }

  /// Writes what is carried into the columns.
  void ask(const std::vector<Block<double>*>& carried) const;
  /// Normal s of coordinate i in the column of normal s, and in the last.
  double normal(Index s, Index i) const { return generic_(i, generic_.cols() - sources_ + s); }
  Index column_of_normal(Index s) const { return 1 + generic_.cols() - sources_ + s; }

  /// By the answers to these columns. @throws std::invalid_argument  if they are not linear
  void advance(const std::vector<Block<double>*>& answers);

  /// Sets the law of the state.
  void get(DiagonalGaussian& law) const;

 private:
  Index sources_;
  Eigen::ArrayXXd generic_;  // d x (kept + sources)
  std::vector<Eigen::ArrayXd> mean_;
  std::vector<std::vector<Eigen::ArrayXd>> covariance_;
};

/// mean <- A mean + b, covariance <- A covariance A^T + C C^T for a step of n numbers and m normals
/// by its answers, n x (2 + n + m), column after column: b to zeros, b + A, b + C to unit vectors,
/// and the one to `generic` (n + m), which is checked. covariance is n x n.
/// @throws std::invalid_argument  if the step is not linear
void advance_moments(std::span<const double> answers, std::span<const double> generic,
                     std::span<double> mean, std::span<double> covariance);

/// Generic values in (-1, 1): multiples of the golden ratio, modulo 2, shifted.
std::vector<double> generic_values(Index count);

}  // namespace detail

/// The law after stepping along an ascending grid (reverse processes: TimeReversed and the negated
/// grid), for a scheme that acts on each coordinate by itself, with one Wiener process each. A
/// handful of columns is stepped, whatever d: linear cost.
/// @param observe  called as observe(k, law) at every grid point
/// @param check    the contract of the coefficients, once (contract.hpp)
/// @throws std::invalid_argument  if the step is not linear coordinate by coordinate, or
///                                coefficients break their contract
template <class P, class M, class Observe>
DiagonalGaussian propagate(const P& process, const M& method, DiagonalGaussian law,
                           std::span<const Time> grid, Observe&& observe, bool check = true) {
  const Index d = law.mean.size();
  if (check)
    detail::check_contract<Block<double>>(process, law.mean, true, grid.front(), grid.back());
  const std::size_t kept = detail::StepProbe<P, M>(process, method, d, 1).carried().size();
  const Index sources = detail::StepProbe<P, M>(process, method, d, 1).normals() / d;
  detail::DiagonalMoments moments(law, kept, sources);
  detail::StepProbe<P, M> probe(process, method, d, moments.columns());
  const Index last = moments.columns() - 1;
  observe(std::size_t{0}, law);
  for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
    const Time h = grid[k + 1] - grid[k];
    moments.ask(probe.carried());
    for (Index s = 0; s < sources; ++s)
      for (Index i = 0; i < d; ++i) {
        probe.set_normal(s * d + i, moments.column_of_normal(s), h, 1);
        probe.set_normal(s * d + i, last, h, moments.normal(s, i));
      }
    probe.step(grid[k], h);
    moments.advance(probe.carried());
    moments.get(law);
    observe(k + 1, law);
  }
  return law;
}

template <class P, class M>
DiagonalGaussian propagate(const P& process, const M& method, const DiagonalGaussian& law,
                           std::span<const Time> grid) {
  return propagate(process, method, law, grid, [](std::size_t, const DiagonalGaussian&) {});
}

/// The same for a scheme that couples the coordinates: mean <- A mean + b,
/// covariance <- A covariance A^T + C C^T, of all that is carried.
/// @param check  the contract of the coefficients, once (contract.hpp)
/// @throws std::invalid_argument  if the step is not linear in what is carried and in the noise, or
///                                coefficients break their contract
template <class P, class M>
GaussianLaw propagate(const P& process, const M& method, GaussianLaw law,
                      std::span<const Time> grid, bool check = true) {
  const Index d = law.mean.size();
  if (check)
    detail::check_contract<Block<double>>(process, law.mean, true, grid.front(), grid.back());
  const Index size =
      d * static_cast<Index>(detail::StepProbe<P, M>(process, method, d, 1).carried().size());
  const Index sources = detail::StepProbe<P, M>(process, method, d, 1).normals();
  const Index last = 1 + size + sources;
  detail::StepProbe<P, M> probe(process, method, d, last + 1);
  const std::vector<double> generic = detail::generic_values(size + sources);

  const auto count = [](Index n) { return static_cast<std::size_t>(n); };
  std::vector<double> mean(count(size)), covariance(count(size * size)), answers;
  for (Index i = 0; i < d; ++i) {
    mean[count(i)] = law.mean[i];
    for (Index j = 0; j < d; ++j) covariance[count(i + j * size)] = law.covariance(i, j);
  }
  for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
    const Time h = grid[k + 1] - grid[k];
    Index row = 0;
    for (auto* part : probe.carried()) {
      part->setZero();
      for (Index i = 0; i < d; ++i, ++row) {
        (*part)(i, 1 + row) = 1;
        (*part)(i, last) = generic[count(row)];
      }
    }
    for (Index i = 0; i < sources; ++i) {
      probe.set_normal(i, 1 + size + i, h, 1);
      probe.set_normal(i, last, h, generic[count(size + i)]);
    }
    probe.step(grid[k], h);
    answers.clear();
    for (Index column = 0; column <= last; ++column)
      for (const auto* part : probe.carried())
        for (Index i = 0; i < d; ++i) answers.push_back((*part)(i, column));
    detail::advance_moments(answers, generic, mean, covariance);
  }
  for (Index i = 0; i < d; ++i) {
    law.mean[i] = mean[count(i)];
    for (Index j = 0; j < d; ++j) law.covariance(i, j) = covariance[count(i + j * size)];
  }
  return law;
}

}  // namespace fokker
