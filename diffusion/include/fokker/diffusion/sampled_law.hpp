#pragma once
/// @file  fokker/diffusion/sampled_law.hpp
/// @brief The law that the way back makes with a score linear in x, without a step or a sample.

#include <array>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

#include <Eigen/Core>

#include <fokker/diffusion/gaussian_law.hpp>
#include <fokker/diffusion/reverse_sde.hpp>
#include <fokker/solvers/integrate.hpp>

namespace fokker {

/// What `sampled_law` returns.
struct SampledLaw {
  GaussianLaw law;
  Status status = Status::success;
  std::string message = {};  ///< empty on success
  Counts counts = {};
};

namespace detail {

/// dm/dt = F m + c, dV/dt = F V + V F^T - eta^2 g^2 I with F x + c the drift of `reverse`; the
/// state is (m, V), d x (1 + d). F and c are read off the drift at 0, at the unit vectors, and at
/// one more point that must fit.
template <class Reverse>
class MomentEquations {
 public:
  static constexpr NoiseKind noise = NoiseKind::none;

  MomentEquations(const Reverse& reverse, Index d)
      : reverse_(reverse), points_(Block<double>::Zero(d, d + 2)), drift_(d, d + 2) {
    points_.middleCols(1, d).matrix().setIdentity();
    for (Index i = 0; i < d; ++i) points_(i, d + 1) = 0.75 - std::fmod(0.61803 * double(i), 1.5);
  }

  Index dimension() const { return points_.rows(); }

  /// @throws std::invalid_argument  if the score is not linear in x
  void drift(const Block<double>& y, Time t, Block<double>& out) const {
    const Index d = points_.rows();
    reverse_.drift(points_, t, drift_);
    const Eigen::VectorXd c = drift_.col(0);
    const Eigen::MatrixXd f = drift_.middleCols(1, d).matrix().colwise() - c;
    const Eigen::VectorXd got = drift_.col(d + 1);
    const Eigen::VectorXd off = got - c - f * points_.col(d + 1).matrix();
    const double size = drift_.abs().maxCoeff();
    if (!(off.cwiseAbs().maxCoeff() <= 1e-9 * (1 + size)))
      throw std::invalid_argument(
          "the law of the way back is normal only for a score linear in x; "
          "this one is not, at t = " +
          std::to_string(t));
    const double g = reverse_.diffusion(t);
    const Eigen::MatrixXd fv = f * y.rightCols(d).matrix();
    out.resize(d, d + 1);
    out.col(0) = f * y.col(0).matrix() + c;
    out.rightCols(d) = fv + fv.transpose();
    out.rightCols(d).matrix().diagonal().array() -= g * g;
  }

 private:
  const Reverse& reverse_;
  Block<double> points_;
  mutable Block<double> drift_;
};

}  // namespace detail

/// The law at span[1] of the continuous `reverse` (eta = 0: of the probability flow) that starts
/// with the law `start` at span[0] > span[1], for a score that is linear in x, right or wrong:
/// Gaussian data, guided, observed or disturbed (guidance.hpp, inverse_problem.hpp,
/// score_error.hpp). Its moments solve, with F(t) x + c(t) = f - (1 + eta^2)/2 g^2 score,
///
///     dm/dt = F m + c        dV/dt = F V + V F^T - eta^2 g^2 I
///
/// to the tolerance of `method`. Each evaluation asks for the score at d + 2 points.
/// @param start   d numbers and d x d numbers
/// @param method  an adaptive solver for ODEs
/// @throws std::invalid_argument  for a score that is not linear in x, sizes that disagree, or an
///                                upward span; numerical failure is the status
template <class Forward, class Score, class M>
SampledLaw sampled_law(const ReverseSde<Forward, Score>& reverse, const GaussianLaw& start,
                       std::array<Time, 2> span, const M& method) {
  const Index d = start.mean.size();
  if (d < 1 || start.covariance.rows() != d || start.covariance.cols() != d)
    throw std::invalid_argument("a normal law needs d >= 1 means and d x d covariances: got " +
                                std::to_string(d) + " and " +
                                std::to_string(start.covariance.rows()) + " x " +
                                std::to_string(start.covariance.cols()));
  if (!(span[1] < span[0]))
    throw std::invalid_argument("the way back goes down in t: got a span from " +
                                std::to_string(span[0]) + " to " + std::to_string(span[1]));
  Block<double> y(d, d + 1);
  y.col(0) = start.mean;
  y.rightCols(d) = start.covariance;
  const detail::MomentEquations equations(reverse, d);
  const auto solution = integrate(equations, method, y, span, {.save_at = {span[1]}});
  const Eigen::MatrixXd covariance = solution.end.rightCols(d);
  return {{solution.end.col(0), 0.5 * (covariance + covariance.transpose())},
          solution.status,
          solution.message,
          solution.counts};
}

}  // namespace fokker
