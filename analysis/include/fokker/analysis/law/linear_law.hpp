#pragma once
/// @file  fokker/analysis/law/linear_law.hpp
/// @brief Gaussian laws pushed exactly through any scheme that is linear in the state.
///
/// One step of such a scheme is z' = A z + b + C n, where z is the state and whatever else the
/// scheme carries from step to step (the history of a multistep method), and n its normals: the
/// Wiener increment and those beside it. The matrices are read off the real stepper by handing it
/// chosen states and noise, so what is analysed is the code that runs, not a second copy of its
/// formula. No Monte Carlo, and laws are carried as linear forms: means and standard deviations are
/// exact to rounding.

#include <cmath>
#include <span>
#include <stdexcept>
#include <vector>

#include <Eigen/Core>

#include <fokker/analysis/law/gaussian.hpp>
#include <fokker/solvers/core/grid.hpp>
#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/integrate/contract.hpp>
#include <fokker/solvers/integrate/stepping.hpp>

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
    check_parameters(method, process);
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

  /// From t0 to t1 > t0, on the clock of the process.
  void step(Time t0, Time t1) {
    take_step(method_, process_, x_, t0, t1, dw_, y_, workspace_);
    x_.swap(y_);
  }

 private:
  const P& process_;
  const M& method_;
  X x_, y_;
  Increment<P, X> dw_;
  typename M::template Workspace<X> workspace_;
};

/// Refuses a step whose answer at a generic point is not what linearity predicts, by more than
/// 1e-9 of `scale`, the largest number in the step. Numbers that are not finite, of a scheme that
/// is not stable on its grid, pass: its law is then not finite.
/// @throws std::invalid_argument
void require_linear(std::span<const double> got, std::span<const double> expected, double scale);

/// All that a scheme carries from step to step as linear forms in standard normals,
///
///     z_i = mean_i + sum_k root_ik n_k
///
/// for each of d coordinates by itself. A step is applied to the columns of the form, so that a
/// variance is a sum of squares, whatever cancels between the memories of a multistep method.
class DiagonalForm {
 public:
  /// @param kept     arrays that are carried, the state first
  /// @param sources  normals of each coordinate in one step
  /// @throws std::invalid_argument  if a variance of the start is negative
  DiagonalForm(const DiagonalGaussian& law, std::size_t kept, Index sources);

  /// Columns of a step: zeros, those of the root, the mean, a one in each normal, generic numbers
  /// of the size of each array, which show what the step lets cancel, and generic combinations of
  /// all but these.
  Index columns() const { return width_ + sources_ + 4; }

  /// Writes what is carried into the columns.
  void ask(const std::vector<Block<double>*>& carried) const;
  /// Normal s of coordinate i in the column of normal s, and in the last.
  double normal(Index s, Index i) const { return generic_(i, width_ + 1 + s); }
  Index column_of_normal(Index s) const { return 2 + width_ + s; }

  /// Takes the columns after the step. @throws std::invalid_argument  if it is not linear
  void advance(const std::vector<Block<double>*>& answers);

  /// Sets the law of the state.
  void get(DiagonalGaussian& law) const;

 private:
  Index width_, sources_;
  Eigen::ArrayXXd generic_;            // d x (width + 1 + sources)
  std::vector<Eigen::ArrayXd> mean_;   // by array
  std::vector<Eigen::ArrayXXd> root_;  // by array, d x width
};

/// The same for coordinates that a scheme couples: `size` numbers are carried, the state first.
class FullForm {
 public:
  FullForm(const GaussianRoot& law, Index size, Index sources);

  Index columns() const { return root_.cols() + sources_ + 4; }
  /// What is carried, size x columns(); the normals are those of `normal`.
  Eigen::MatrixXd ask() const;
  Index column_of_normal(Index s) const { return 2 + root_.cols() + s; }
  double normal(Index s) const;
  /// Takes the columns after the step, size x columns(). @throws std::invalid_argument
  void advance(const Eigen::MatrixXd& answers);
  GaussianRoot law(Index d) const { return {mean_.head(d), root_.topRows(d)}; }

 private:
  Index sources_;
  Eigen::VectorXd mean_;
  Eigen::MatrixXd root_;
};

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
  detail::DiagonalForm form(law, kept, sources);
  detail::StepProbe<P, M> probe(process, method, d, form.columns());
  const Index last = form.columns() - 1;
  observe(std::size_t{0}, law);
  for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
    const Time h = grid[k + 1] - grid[k];
    form.ask(probe.carried());
    for (Index s = 0; s < sources; ++s)
      for (Index i = 0; i < d; ++i) {
        probe.set_normal(s * d + i, form.column_of_normal(s), h, 1);
        probe.set_normal(s * d + i, last, h, form.normal(s, i));
      }
    probe.step(grid[k], grid[k + 1]);
    form.advance(probe.carried());
    form.get(law);
    observe(k + 1, law);
  }
  return law;
}

/// The same for a law with a diagonal covariance, one component at a time.
template <class P, class M>
DiagonalGaussian propagate(const P& process, const M& method, const DiagonalGaussian& law,
                           std::span<const Time> grid) {
  return propagate(process, method, law, grid, [](std::size_t, const DiagonalGaussian&) {});
}

/// The same for a scheme that couples the coordinates, with the law as a linear form in and out:
/// laws that are nearly equal keep their distance (`bures_wasserstein` of roots).
/// @param check  the contract of the coefficients, once (contract.hpp)
/// @throws std::invalid_argument  if the step is not linear in what is carried and in the noise, or
///                                coefficients break their contract
template <class P, class M>
GaussianRoot propagate(const P& process, const M& method, const GaussianRoot& law,
                       std::span<const Time> grid, bool check = true) {
  const Index d = law.mean.size();
  if (check)
    detail::check_contract<Block<double>>(process, law.mean, true, grid.front(), grid.back());
  const Index size =
      d * static_cast<Index>(detail::StepProbe<P, M>(process, method, d, 1).carried().size());
  const Index sources = detail::StepProbe<P, M>(process, method, d, 1).normals();
  detail::FullForm form(law, size, sources);
  detail::StepProbe<P, M> probe(process, method, d, form.columns());
  const Index last = form.columns() - 1;
  Eigen::MatrixXd answers(size, form.columns());
  for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
    const Time h = grid[k + 1] - grid[k];
    const Eigen::MatrixXd columns = form.ask();
    Index row = 0;
    for (auto* part : probe.carried()) {
      *part = columns.middleRows(row, d).array();
      row += d;
    }
    for (Index i = 0; i < sources; ++i) {
      probe.set_normal(i, form.column_of_normal(i), h, 1);
      probe.set_normal(i, last, h, form.normal(i));
    }
    probe.step(grid[k], grid[k + 1]);
    row = 0;
    for (const auto* part : probe.carried()) {
      answers.middleRows(row, d) = part->matrix();
      row += d;
    }
    form.advance(answers);
  }
  return form.law(d);
}

/// The same for a law that is given by its covariance.
template <class P, class M>
GaussianLaw propagate(const P& process, const M& method, const GaussianLaw& law,
                      std::span<const Time> grid, bool check = true) {
  const GaussianRoot end = propagate(process, method, root_of(law), grid, check);
  return {end.mean, end.root * end.root.transpose()};
}

}  // namespace fokker
