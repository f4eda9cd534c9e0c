#pragma once
/// @file  fokker/diffusion/model/likelihood.hpp
/// @brief The log density that a model gives to a point, by its probability flow.

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <Eigen/Core>

#include <fokker/diffusion/model/probability_flow.hpp>
#include <fokker/diffusion/score/score_jacobian.hpp>
#include <fokker/solvers/ensemble/threads.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/noise/random.hpp>

namespace fokker {

/// Vectors e whose e^T J e make the divergence, the trace of the Jacobian J of the flow.
struct Probes {
  Eigen::MatrixXd vectors;  ///< d x k
  bool sum = false;         ///< the divergence is the sum over the k, else their mean estimates it
};

/// The divergence itself, sum_i e_i^T J e_i over the d unit vectors: d products with J.
struct ExactDivergence {
  Probes probes(Index d, std::uint64_t /*path*/) const {
    return {Eigen::MatrixXd::Identity(d, d), true};
  }
};

/// Hutchinson's estimator e^T J e with E e e^T = I: unbiased for log p, `count` products with J.
///
/// The probes of a path are drawn once and stay for its whole solve: drawn anew at each evaluation
/// they would make the right-hand side discontinuous, and no step small enough. Where J is
/// symmetric and commutes with itself along the path, and B is its integral, one probe has variance
/// 2 sum_{i != j} B_ij^2 (Rademacher, entries +-1) or 2 |B|_F^2 (Gaussian).
/// Source: Hutchinson (1990); Grathwohl et al. (2019), arXiv 1810.01367, section 3.1 (fixed probe).
struct HutchinsonDivergence {
  /// Law of the random vectors.
  enum class Kind { rademacher, gaussian };

  Index count = 1;         ///< probes; their scatter gives a standard error if there are two
  std::uint64_t seed = 0;  ///< with the path's number it fixes the probes
  Kind kind = Kind::rademacher;

  /// @throws std::invalid_argument  for count < 1
  Probes probes(Index d, std::uint64_t path) const;
};

/// Hutchinson's estimator with probes of one's own, d x k, the same for every path.
struct GivenProbes {
  Eigen::MatrixXd vectors;

  /// @throws std::invalid_argument  for vectors of another dimension, or none
  Probes probes(Index d, std::uint64_t path) const;
};

/// What `log_likelihood` returns, one entry or column per path.
struct LogLikelihoods {
  Eigen::ArrayXd log_density;     ///< log p(x), in nats; nan where the status is not success
  Eigen::ArrayXd standard_error;  ///< of the estimate; 0 if exact, nan for a single probe
  Eigen::ArrayXXd estimates;      ///< k x n: log p by each probe; 1 x n if exact
  Block<double> latent;           ///< d x n: where the flow takes x
  std::vector<Status> status;
  std::vector<Counts> counts;                    ///< of the solver
  std::vector<std::uint64_t> score_evaluations;  ///< NFE, with those for the divergence
};

namespace detail {

/// The flow of one path with the divergences of it by k probes, or with their sum:
///
///     d/dt (x, l) = (v, e^T (dv/dx) e),   dv/dx = (s'/s) I - 1/2 g^2 dscore/dx
///                                               = (std'/std) I - s (sigma'/sigma) dD/dx
///
/// the second form where f or g is not finite, as in ProbabilityFlow. For one thread.
template <class Forward, class Score>
class FlowWithDivergence {
 public:
  static constexpr NoiseKind noise = NoiseKind::none;

  FlowWithDivergence(const ProbabilityFlow<Forward, Score>& flow, const Probes& probes)
      : flow_(flow),
        sum_(probes.sum),
        x_(probes.vectors.rows()),
        slope_(x_.rows()),
        copies_(x_.rows(), probes.vectors.cols()),
        probes_(probes.vectors.array()),
        products_(x_.rows(), probes.vectors.cols()),
        squares_(probes_.square().colwise().sum()) {}

  Index dimension() const { return x_.rows() + (sum_ ? 1 : probes_.cols()); }

  void drift(const PathState<double>& y, Time t, PathState<double>& out) const {
    const Forward& process = flow_.process;
    const Index d = x_.rows();
    x_ = y.head(d);
    flow_.drift(x_, t, slope_);
    ++evaluations_;
    out.resize(dimension());
    out.head(d) = slope_;

    copies_.colwise() = x_;
    const auto now = process.at(t);
    double rate = now.log_scale_rate, weight = 0.5 * now.diffusion * now.diffusion;
    int cost;
    if (std::isfinite(rate) && std::isfinite(weight)) {
      cost = score_jacobian_times(process, flow_.score, copies_, t, probes_, products_);
    } else {
      rate = now.log_std_rate;
      weight = now.denoiser_rate;
      cost = denoiser_jacobian_times(process, flow_.score, copies_, t, probes_, products_);
    }
    evaluations_ += static_cast<std::uint64_t>(cost) * static_cast<std::uint64_t>(probes_.cols());
    products_ *= probes_;
    if (sum_)
      out(d) = rate * squares_.sum() - weight * products_.sum();
    else
      out.tail(probes_.cols()) = (rate * squares_ - weight * products_.colwise().sum()).transpose();
  }

  std::uint64_t evaluations() const { return evaluations_; }

 private:
  const ProbabilityFlow<Forward, Score>& flow_;
  bool sum_;
  mutable PathState<double> x_, slope_;
  mutable Block<double> copies_;
  Block<double> probes_;
  mutable Block<double> products_;
  Eigen::Array<double, 1, Eigen::Dynamic> squares_;
  mutable std::uint64_t evaluations_ = 0;
};

}  // namespace detail

/// log N(x; 0, std^2 I) of each column: the density of the prior.
inline Eigen::ArrayXd prior_log_density(const Block<double>& x, double std) {
  const double d = static_cast<double>(x.rows());
  return -0.5 * x.square().colwise().sum().transpose() / (std * std) -
         d * (std::log(std) + 0.5 * std::log(2 * std::numbers::pi));
}

/// log p of each column of x at time span[0] under the model that is `density` at span[1] and the
/// probability flow in between:
///
///     log p(x) = log density(x(span[1])) + int_span[0]^span[1] div v dt,    dx/dt = v,
///
/// exact but for the tolerance of `steps`, which holds for x and for the integral, and for the
/// probes. With the true law of x at span[1] for `density`, and the true score, this is log p_t of
/// the data; the score may be any other, and p is then what the flow samples from it. In double,
/// each path with steps of its own, paths in parallel: the score must be safe to call from several
/// threads. Per evaluation of the flow 1 + k products with the Jacobian (score_jacobian.hpp), k = d
/// if exact. Source: Chen et al. (2018), arXiv 1806.07366; Song et al. (2021), arXiv 2011.13456,
/// section 4.3 and appendix D.2.
/// @param flow        a ProbabilityFlow whose score takes PathState<double> and Block<double>
/// @param method      a solver for ODEs that estimates its error
/// @param steps       Adaptive
/// @param x           d x n, finite
/// @param span        from the data to the noise: {t_min, T}, where the score exists at both
/// @param density     density(latent) -> n values of log p at span[1], latent d x n
/// @param divergence  ExactDivergence, HutchinsonDivergence or GivenProbes
/// @throws std::invalid_argument  for x that is not finite or bad options; numerical failure is the
///                                status of the path
template <class Forward, class Score, class M, class Steps, State X, class Density,
          class Divergence>
LogLikelihoods log_likelihood(const ProbabilityFlow<Forward, Score>& flow, const M& method,
                              const Steps& steps, const X& x, std::array<Time, 2> span,
                              const Density& density, const Divergence& divergence) {
  const Index d = x.rows(), n = x.cols();
  const auto paths = static_cast<std::size_t>(n);
  const Index k = [&] {
    const Probes first = divergence.probes(d, 0);
    return first.sum ? Index{1} : first.vectors.cols();
  }();
  LogLikelihoods result{.log_density = Eigen::ArrayXd(n),
                        .standard_error = Eigen::ArrayXd::Zero(n),
                        .estimates = Eigen::ArrayXXd(k, n),
                        .latent = Block<double>(d, n),
                        .status = std::vector<Status>(paths),
                        .counts = std::vector<Counts>(paths),
                        .score_evaluations = std::vector<std::uint64_t>(paths)};
  detail::check_contract<PathState<double>>(flow, x.template cast<double>(), false, span[0],
                                            span[1]);
  for_each_index(n, [&](Index j) {
    const auto at = static_cast<std::size_t>(j);
    const Probes probes = divergence.probes(d, at);
    const detail::FlowWithDivergence augmented(flow, probes);
    PathState<double> y = PathState<double>::Zero(augmented.dimension());
    y.head(d) = x.col(j).template cast<double>();
    const auto solution =
        integrate(augmented, method, steps, y, span, {.save_at = {span[1]}, .check = false});
    result.latent.col(j) = solution.end.head(d);
    result.estimates.col(j) = solution.end.tail(k);
    if (solution.status != Status::success)
      result.estimates.col(j) = std::numeric_limits<double>::quiet_NaN();
    if (k > 1)
      result.standard_error(j) =
          std::sqrt((result.estimates.col(j) - result.estimates.col(j).mean()).square().sum() /
                    static_cast<double>(k * (k - 1)));
    else if (!probes.sum)
      result.standard_error(j) = std::numeric_limits<double>::quiet_NaN();
    result.status[at] = solution.status;
    result.counts[at] = solution.counts;
    result.score_evaluations[at] = augmented.evaluations();
  });
  const Eigen::ArrayXd end = density(std::as_const(result.latent));
  result.estimates.rowwise() += end.transpose();
  result.log_density = result.estimates.colwise().mean().transpose();
  return result;
}

/// The same from t_min to T with the prior of the process for the density there.
template <class Forward, class Score, class M, class Steps, State X,
          class Divergence = ExactDivergence>
LogLikelihoods log_likelihood(const ProbabilityFlow<Forward, Score>& flow, const M& method,
                              const Steps& steps, const X& x, const Divergence& divergence = {}) {
  const Time end = flow.process.end_time();
  const auto prior = [&](const Block<double>& latent) {
    return prior_log_density(latent, flow.process.prior_std(end));
  };
  return log_likelihood(flow, method, steps, x, {flow.process.t_min(), end}, prior, divergence);
}

}  // namespace fokker
