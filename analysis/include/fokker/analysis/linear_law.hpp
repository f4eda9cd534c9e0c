#pragma once
/// @file  fokker/analysis/linear_law.hpp
/// @brief Gaussian laws pushed exactly through any scheme that is linear in the state.
///
/// One step of such a scheme is y = A x + b + C dw. The matrices are read off the real stepper by
/// handing it chosen states and increments, so what is analysed is the code that runs, not a second
/// copy of its formula. No Monte Carlo: the moments are exact to rounding.

#include <cmath>
#include <span>
#include <stdexcept>

#include <Eigen/Dense>

#include <fokker/analysis/gaussian.hpp>
#include <fokker/solvers/grid.hpp>
#include <fokker/solvers/solver.hpp>
#include <fokker/solvers/text.hpp>

namespace fokker {

namespace detail {

/// One step of `method` on columns of states and increments of our choice.
template <class P, class M>
class StepProbe {
 public:
  using X = Block<double>;

  StepProbe(const P& process, const M& method, Index d, Index n)
      : x(X::Zero(d, n)), process_(process), method_(method), y_(d, n), workspace_(d, n) {
    require_compatible<M, P>();
    dw.w.setZero(wiener_dimension(process, d), n);
  }

  const X& step(Time t, Time h) {
    method_.step(process_, x, t, h, dw, y_, workspace_);
    return y_;
  }

  X x;
  Increment<P, X> dw;

 private:
  const P& process_;
  const M& method_;
  X y_;
  typename M::template Workspace<X> workspace_;
};

/// Refuses a step whose answer at a generic point is not what linearity predicts.
inline void require_linear(const Eigen::ArrayXd& got, const Eigen::ArrayXd& expected) {
  const double off = (got - expected).abs().maxCoeff<Eigen::PropagateNaN>();
  if (!(off <= 1e-9 * (1.0 + got.abs().maxCoeff<Eigen::PropagateNaN>())))
    throw std::invalid_argument(
        "the scheme is not linear on this process (for a diagonal law: not coordinate by "
        "coordinate), so its law cannot be propagated exactly: off by " +
        text(off));
}

/// Generic values in (-1, 1): (i + 1) times the golden ratio, modulo 2, shifted.
inline double generic_value(Index i) {
  return std::fmod(static_cast<double>(i + 1) * 1.6180339887498949, 2.0) - 1.0;
}

}  // namespace detail

/// The law after stepping along an ascending grid (reverse processes: TimeReversed and the negated
/// grid), for a scheme that acts on each coordinate by itself: mean <- a mean + b,
/// variance <- a^2 variance + c^2 h. Four columns are stepped, whatever d: linear cost.
/// @param observe  called as observe(k, law) at every grid point
/// @throws std::invalid_argument  if the step is not linear coordinate by coordinate
template <class P, class M, class Observe>
DiagonalGaussian propagate(const P& process, const M& method, DiagonalGaussian law,
                           std::span<const Time> grid, Observe&& observe) {
  const Index d = law.mean.size();
  detail::StepProbe<P, M> probe(process, method, d, 4);
  const Index m = probe.dw.w.rows();
  probe.x.col(1).setOnes();
  for (Index i = 0; i < d; ++i) probe.x(i, 3) = detail::generic_value(i);
  observe(std::size_t{0}, law);
  for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
    const Time h = grid[k + 1] - grid[k];
    const double root_h = std::sqrt(h);
    probe.dw.w.col(2).setConstant(root_h);
    for (Index i = 0; i < m; ++i) probe.dw.w(i, 3) = root_h * detail::generic_value(d + i);
    const auto& y = probe.step(grid[k], h);
    const Eigen::ArrayXd b = y.col(0), a = y.col(1) - y.col(0), c = y.col(2) - y.col(0);
    Eigen::ArrayXd expected = a * probe.x.col(3) + b;
    if (m > 0) expected += c * probe.dw.w.col(3) / root_h;
    detail::require_linear(y.col(3), expected);
    law.mean = a * law.mean.array() + b;
    law.variance = a.square() * law.variance.array() + c.square();
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
/// covariance <- A covariance A^T + h C C^T; 2 + d + m columns are stepped.
/// @throws std::invalid_argument  if the step is not linear in (x, dw)
template <class P, class M>
GaussianLaw propagate(const P& process, const M& method, GaussianLaw law,
                      std::span<const Time> grid) {
  const Index d = law.mean.size();
  const Index m = wiener_dimension(process, d);
  detail::StepProbe<P, M> probe(process, method, d, d + m + 2);
  const Index check = d + m + 1;
  for (Index i = 0; i < d; ++i) {
    probe.x(i, 1 + i) = 1;
    probe.x(i, check) = detail::generic_value(i);
  }
  for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
    const Time h = grid[k + 1] - grid[k];
    const double root_h = std::sqrt(h);
    for (Index i = 0; i < m; ++i) {
      probe.dw.w(i, 1 + d + i) = root_h;
      probe.dw.w(i, check) = root_h * detail::generic_value(d + i);
    }
    const Eigen::MatrixXd y = probe.step(grid[k], h).matrix();
    const Eigen::VectorXd b = y.col(0);
    const Eigen::MatrixXd a = y.middleCols(1, d).colwise() - b;
    const Eigen::MatrixXd c = y.middleCols(1 + d, m).colwise() - b;
    Eigen::VectorXd expected = a * probe.x.col(check).matrix() + b;
    if (m > 0) expected += c * probe.dw.w.col(check).matrix() / root_h;
    detail::require_linear(y.col(check).array(), expected.array());
    law.mean = a * law.mean + b;
    law.covariance = a * law.covariance * a.transpose() + c * c.transpose();
  }
  return law;
}

}  // namespace fokker
