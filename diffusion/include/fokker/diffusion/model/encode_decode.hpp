#pragma once
/// @file  fokker/diffusion/model/encode_decode.hpp
/// @brief Data to latents by the probability flow and back, and paths between two points.

#include <array>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include <fokker/diffusion/model/probability_flow.hpp>
#include <fokker/solvers/ensemble/threads.hpp>
#include <fokker/solvers/integrate/integrate.hpp>

namespace fokker {

/// Points carried along a flow, one column per path.
struct Carried {
  Block<double> x;  ///< d x n, where they are at the end
  std::vector<Status> status;
  std::vector<Counts> counts;

  /// Whether every path succeeded.
  bool success() const {
    for (const Status s : status)
      if (s != Status::success) return false;
    return true;
  }
};

/// Each column of x along the ODE `flow` from span[0] to span[1], up or down, with steps of its
/// own, paths in parallel: the score must be safe to call from several threads. In double.
/// @param method, steps  as for `integrate`
/// @param x              d x n, finite
/// @param options        of `integrate`; save_at does not matter
/// @throws std::invalid_argument  as `integrate`; numerical failure is the status of the path
template <class Flow, class M, class Steps, State X>
Carried carry(const Flow& flow, const M& method, const Steps& steps, const X& x,
              std::array<Time, 2> span, IntegrateOptions options = {}) {
  const Index n = x.cols();
  Carried result{.x = Block<double>(x.rows(), n),
                 .status = std::vector<Status>(static_cast<std::size_t>(n)),
                 .counts = std::vector<Counts>(static_cast<std::size_t>(n))};
  options.save_at = {span[1]};
  IntegrateOptions unchecked = options;
  unchecked.check = false;
  for_each_index(n, [&](Index j) {
    const PathState<double> start = x.col(j).template cast<double>();
    const auto solution = integrate(flow, method, steps, start, span, j == 0 ? options : unchecked);
    const auto at = static_cast<std::size_t>(j);
    result.x.col(j) = solution.end;
    result.status[at] = solution.status;
    result.counts[at] = solution.counts;
  });
  return result;
}

/// The latents of data: from t_min up to T along the probability flow. The flow has a unique
/// solution, so a latent belongs to one point, and `decode` gives it back up to the errors of the
/// solver. Source: Song et al. (2021), arXiv 2011.13456, section 4.3 and appendix D.3.
template <class Forward, class Score, class M, class Steps, State X>
Carried encode(const ProbabilityFlow<Forward, Score>& flow, const M& method, const Steps& steps,
               const X& x, const IntegrateOptions& options = {}) {
  return carry(flow, method, steps, x, {flow.process.t_min(), flow.process.end_time()}, options);
}

/// The data of latents: from T down to t_min along the probability flow.
template <class Forward, class Score, class M, class Steps, State X>
Carried decode(const ProbabilityFlow<Forward, Score>& flow, const M& method, const Steps& steps,
               const X& latent, const IntegrateOptions& options = {}) {
  return carry(flow, method, steps, latent, {flow.process.end_time(), flow.process.t_min()},
               options);
}

/// |decode(encode(x)) - x| of each path (Euclidean): the error of the solver on both ways, which
/// says nothing of the score. nan where the solver failed.
template <class Forward, class Score, class M, class Steps, State X>
Eigen::ArrayXd round_trip_error(const ProbabilityFlow<Forward, Score>& flow, const M& method,
                                const Steps& steps, const X& x,
                                const IntegrateOptions& options = {}) {
  const Carried there = encode(flow, method, steps, x, options);
  const Carried back = decode(flow, method, steps, there.x, options);
  Eigen::ArrayXd error =
      (back.x - x.template cast<double>()).matrix().colwise().norm().transpose().array();
  for (Index j = 0; j < error.size(); ++j) {
    const auto at = static_cast<std::size_t>(j);
    if (there.status[at] != Status::success || back.status[at] != Status::success)
      error(j) = std::numeric_limits<double>::quiet_NaN();
  }
  return error;
}

/// (1 - w) a + w b, one column per weight. @param a,b  d numbers
inline Block<double> linear_path(const PathState<double>& a, const PathState<double>& b,
                                 const Eigen::ArrayXd& weights) {
  Block<double> path(a.rows(), weights.size());
  for (Index j = 0; j < weights.size(); ++j) path.col(j) = (1 - weights(j)) * a + weights(j) * b;
  return path;
}

/// [sin((1 - w) u) a + sin(w u) b] / sin u, u the angle between a and b: one column per weight. On
/// the sphere of a and b where |a| = |b|, which is where the latents of many dimensions lie; the
/// straight line where u is so small that it is the limit. Source: Shoemake (1985), section 3.3.
/// @param a,b  d numbers
/// @throws std::invalid_argument  sizes that disagree, a zero vector, or opposite ones, between
///                                which no path is the shortest
inline Block<double> spherical_path(const PathState<double>& a, const PathState<double>& b,
                                    const Eigen::ArrayXd& weights) {
  if (a.rows() != b.rows())
    throw std::invalid_argument("a path needs ends of one dimension: got " +
                                std::to_string(a.rows()) + " and " + std::to_string(b.rows()));
  const double size_a = a.matrix().norm(), size_b = b.matrix().norm();
  if (!(size_a > 0 && size_b > 0))
    throw std::invalid_argument("a spherical path needs ends that are not 0: use linear_path");
  const Eigen::VectorXd unit_a = a.matrix() / size_a, unit_b = b.matrix() / size_b;
  const double angle = 2 * std::atan2((unit_a - unit_b).norm(), (unit_a + unit_b).norm());
  const double sine = std::sin(angle);
  if (angle > 3 && sine < 1e-7)
    throw std::invalid_argument(
        "a spherical path needs ends that are not opposite: use "
        "linear_path");
  if (sine < 1e-7) return linear_path(a, b, weights);
  Block<double> path(a.rows(), weights.size());
  for (Index j = 0; j < weights.size(); ++j)
    path.col(j) =
        std::sin((1 - weights(j)) * angle) / sine * a + std::sin(weights(j) * angle) / sine * b;
  return path;
}

}  // namespace fokker
