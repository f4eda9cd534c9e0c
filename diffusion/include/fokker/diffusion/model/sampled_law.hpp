#pragma once
/// @file  fokker/diffusion/model/sampled_law.hpp
/// @brief The law that the way back makes with a score linear in x, without a step or a sample.

#include <array>
#include <string>

#include <fokker/diffusion/model/gaussian_law.hpp>
#include <fokker/diffusion/model/reverse_sde.hpp>
#include <fokker/solvers/integrate/integrate.hpp>

namespace fokker {

/// What `sampled_law` returns.
struct SampledLaw {
  GaussianLaw law;
  Status status = Status::success;
  std::string message = {};  ///< empty on success
  Counts counts = {};
};

namespace detail {

/// Where a drift linear in x is asked: 0, the unit vectors, one more point; d x (d + 2).
Block<double> moment_points(Index d);

/// out = (dm/dt, dV/dt) at y = (m, V) with F and c read off the drift at moment_points, whose last
/// must fit. @param g  of the noise that is taken out
/// @throws std::invalid_argument  if the drift is not linear in x
void moment_rates(const Block<double>& points, const Block<double>& drift, double g, Time t,
                  const Block<double>& y, Block<double>& out);

/// (m, V) of the law, d x (1 + d). @throws std::invalid_argument  as sampled_law
Block<double> moments_of(const GaussianLaw& law, std::array<Time, 2> span);

/// The law with the moments (m, V).
GaussianLaw law_of(const Block<double>& moments);

/// dm/dt = F m + c, dV/dt = F V + V F^T - eta^2 g^2 I with F x + c the drift of `reverse`; the
/// state is (m, V), d x (1 + d).
template <class Reverse>
class MomentEquations {
 public:
  static constexpr NoiseKind noise = NoiseKind::none;

  MomentEquations(const Reverse& reverse, Index d)
      : reverse_(reverse), points_(moment_points(d)), drift_(d, d + 2) {}

  Index dimension() const { return points_.rows(); }

  /// @throws std::invalid_argument  if the score is not linear in x
  void drift(const Block<double>& y, Time t, Block<double>& out) const {
    reverse_.drift(points_, t, drift_);
    moment_rates(points_, drift_, reverse_.diffusion(t), t, y, out);
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
/// to the tolerance of `steps`. Each evaluation asks for the score at d + 2 points.
/// @param method  a solver for ODEs that estimates its error
/// @param start   d numbers and d x d numbers
/// @throws std::invalid_argument  for a score that is not linear in x, sizes that disagree, or an
///                                upward span; numerical failure is the status
template <class Forward, class Score, class M>
SampledLaw sampled_law(const ReverseSde<Forward, Score>& reverse, const M& method,
                       const Adaptive& steps, const GaussianLaw& start, std::array<Time, 2> span) {
  const Block<double> y = detail::moments_of(start, span);
  const detail::MomentEquations equations(reverse, y.rows());
  detail::check_contract<Block<double>>(reverse, start.mean, true, span[0], span[1]);
  const auto solution =
      integrate(equations, method, steps, y, span, {.save_at = {span[1]}, .check = false});
  return {detail::law_of(solution.end), solution.status, solution.message, solution.counts};
}

}  // namespace fokker
