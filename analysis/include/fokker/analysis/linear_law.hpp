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

  Index wieners() const { return dw_.w.rows(); }
  Index normals() const { return dw_.w.rows() + dw_.normals.rows(); }

  /// Sets normals `from`, from + 1, ... of a column, those of the Wiener increment over h first;
  /// not some of both.
  void set_normals(Index from, Index column, Time h, const Eigen::ArrayXd& z) {
    if (from < wieners())
      dw_.w.col(column).segment(from, z.size()) = std::sqrt(h) * z;
    else
      dw_.normals.col(column).segment(from - wieners(), z.size()) = z;
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

/// Refuses a step whose answer at a generic point is not what linearity predicts. Answers beyond
/// all numbers, of a scheme that is not stable on this grid, tell nothing: its law is then not
/// finite.
/// @throws std::invalid_argument
void require_linear(std::span<const double> got, std::span<const double> expected);

/// mean <- A mean + b, covariance <- A covariance A^T + C C^T for a step of n numbers and m normals
/// by its answers, n x (2 + n + m), column after column: b to zeros, b + A, b + C to unit vectors,
/// and the one to `generic` (n + m), which is checked. covariance is n x n.
void advance_moments(std::span<const double> answers, std::span<const double> generic,
                     std::span<double> mean, std::span<double> covariance);

inline std::span<const double> values(const Eigen::ArrayXd& a) {
  return {a.data(), static_cast<std::size_t>(a.size())};
}

/// Generic values in (-1, 1): multiples of the golden ratio, modulo 2, shifted.
inline Eigen::ArrayXXd generic_values(Index rows, Index columns) {
  Eigen::ArrayXXd z(rows, columns);
  for (Index i = 0; i < z.size(); ++i)
    z(i) = std::fmod(static_cast<double>(i + 1) * 1.6180339887498949, 2.0) - 1.0;
  return z;
}

}  // namespace detail

/// The law after stepping along an ascending grid (reverse processes: TimeReversed and the negated
/// grid), for a scheme that acts on each coordinate by itself, with one Wiener process each. A
/// handful of columns is stepped, whatever d: linear cost.
/// @param observe  called as observe(k, law) at every grid point
/// @throws std::invalid_argument  if the step is not linear coordinate by coordinate
template <class P, class M, class Observe>
DiagonalGaussian propagate(const P& process, const M& method, DiagonalGaussian law,
                           std::span<const Time> grid, Observe&& observe) {
  using Array = Eigen::ArrayXd;
  const Index d = law.mean.size();
  const auto count = [](std::size_t n) { return static_cast<Index>(n); };
  const std::size_t kept = detail::StepProbe<P, M>(process, method, d, 1).carried().size();
  const Index sources = detail::StepProbe<P, M>(process, method, d, 1).normals() / d;
  const Index check = 1 + count(kept) + sources;
  detail::StepProbe<P, M> probe(process, method, d, check + 1);
  const Eigen::ArrayXXd generic = detail::generic_values(d, check - 1);
  const Array one = Array::Ones(d);

  std::vector<Array> mean(kept, Array::Zero(d));  // of what is carried, for each coordinate
  std::vector<std::vector<Array>> covariance(kept, mean);
  mean[0] = law.mean;
  covariance[0][0] = law.variance;
  observe(std::size_t{0}, law);
  for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
    const Time h = grid[k + 1] - grid[k];
    const auto carried = probe.carried();
    for (std::size_t i = 0; i < kept; ++i) {
      carried[i]->setZero();
      carried[i]->col(1 + count(i)).setOnes();
      carried[i]->col(check) = generic.col(count(i));
    }
    for (Index s = 0; s < sources; ++s) {
      probe.set_normals(s * d, 1 + count(kept) + s, h, one);
      probe.set_normals(s * d, check, h, generic.col(count(kept) + s));
    }
    probe.step(grid[k], h);

    const auto after = probe.carried();
    const auto response = [&](std::size_t i, Index column) -> Array {
      return after[i]->col(column) - after[i]->col(0);
    };
    std::vector<std::vector<Array>> a(kept), c(kept);
    for (std::size_t i = 0; i < kept; ++i) {
      Array expected = after[i]->col(0);
      for (std::size_t j = 0; j < kept; ++j) {
        a[i].push_back(response(i, 1 + count(j)));
        expected += a[i][j] * generic.col(count(j));
      }
      for (Index s = 0; s < sources; ++s) {
        c[i].push_back(response(i, 1 + count(kept) + s));
        expected += c[i].back() * generic.col(count(kept) + s);
      }
      const Array got = after[i]->col(check);
      detail::require_linear(detail::values(got), detail::values(expected));
    }

    std::vector<Array> next_mean;
    std::vector<std::vector<Array>> half(kept), next(kept);  // half = a covariance
    for (std::size_t i = 0; i < kept; ++i) {
      next_mean.push_back(after[i]->col(0));
      for (std::size_t j = 0; j < kept; ++j) {
        next_mean[i] += a[i][j] * mean[j];
        half[i].push_back(Array::Zero(d));
        for (std::size_t l = 0; l < kept; ++l) half[i][j] += a[i][l] * covariance[l][j];
      }
    }
    for (std::size_t i = 0; i < kept; ++i)
      for (std::size_t j = 0; j < kept; ++j) {
        next[i].push_back(Array::Zero(d));
        for (std::size_t l = 0; l < kept; ++l) next[i][j] += half[i][l] * a[j][l];
        for (std::size_t s = 0; s < c[i].size(); ++s) next[i][j] += c[i][s] * c[j][s];
      }
    mean.swap(next_mean);
    covariance.swap(next);
    law.mean = mean[0];
    law.variance = covariance[0][0];
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
/// @throws std::invalid_argument  if the step is not linear in what is carried and in the noise
template <class P, class M>
GaussianLaw propagate(const P& process, const M& method, GaussianLaw law,
                      std::span<const Time> grid) {
  const Index d = law.mean.size();
  const Index size =
      d * static_cast<Index>(detail::StepProbe<P, M>(process, method, d, 1).carried().size());
  const Index sources = detail::StepProbe<P, M>(process, method, d, 1).normals();
  const Index check = 1 + size + sources;
  detail::StepProbe<P, M> probe(process, method, d, check + 1);
  const Eigen::ArrayXd generic = detail::generic_values(size + sources, 1);
  const Eigen::ArrayXd one = Eigen::ArrayXd::Ones(1);

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
        (*part)(i, check) = generic[row];
      }
    }
    for (Index i = 0; i < sources; ++i) {
      probe.set_normals(i, 1 + size + i, h, one);
      probe.set_normals(i, check, h, generic.segment(size + i, 1));
    }
    probe.step(grid[k], h);
    answers.clear();
    for (Index column = 0; column <= check; ++column)
      for (const auto* part : probe.carried())
        for (Index i = 0; i < d; ++i) answers.push_back((*part)(i, column));
    detail::advance_moments(answers, detail::values(generic), mean, covariance);
  }
  for (Index i = 0; i < d; ++i) {
    law.mean[i] = mean[count(i)];
    for (Index j = 0; j < d; ++j) law.covariance(i, j) = covariance[count(i + j * size)];
  }
  return law;
}

}  // namespace fokker
