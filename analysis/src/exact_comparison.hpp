#pragma once
/// @file  exact_comparison.hpp
/// @brief Gaussian data: the law of every scheme, and the ledger of its error, without Monte Carlo.

#include <fokker/analysis/gaussian.hpp>
#include <fokker/diffusion/affine_process.hpp>
#include <fokker/diffusion/any_schedule.hpp>

namespace fokker::detail {

/// The law of x_t of the forward process from Gaussian data.
inline DiagonalGaussian marginal(const AffineProcess<AnySchedule>& process,
                                 const DiagonalGaussian& data, Time t) {
  const double s = process.scale(t), std = process.std(t);
  return {s * data.mean, (s * s * data.variance.array() + std * std).matrix()};
}

/// The law at t_end of dx = [f - (1 + eta^2)/2 g^2 score] dt + eta g dw-bar, started at t_start
/// with the law `start`. Per eigenvalue v^2 of the data, with c = s^2 v^2 + std^2 the exact
/// variance and p = (1 + eta^2)/2, in x (not x/s, so that s = 0 at the start is allowed):
///
///     K = (s'/s) M = (c'/s'^2 / c)^p s^(2p - 1) s',     M = ((v^2 + sigma'^2)/(v^2 + sigma^2))^p
///     mean' = s' m + K (mean - s m),   var' = c' + K^2 (var - c)
inline DiagonalGaussian exact_transition(const AffineProcess<AnySchedule>& process,
                                         const DiagonalGaussian& data,
                                         const DiagonalGaussian& start, Time t_start, Time t_end,
                                         double eta) {
  const double p = (1 + eta * eta) / 2;
  const double s = process.scale(t_start), s_end = process.scale(t_end);
  const auto c = marginal(process, data, t_start), c_end = marginal(process, data, t_end);
  const Eigen::ArrayXd ratio = c_end.variance.array() / (s_end * s_end) / c.variance.array();
  const Eigen::ArrayXd k = ratio.pow(p) * (std::pow(s, 2 * p - 1) * s_end);
  return {(c_end.mean.array() + k * (start.mean - c.mean).array()).matrix(),
          (c_end.variance.array() + k.square() * (start.variance - c.variance).array()).matrix()};
}

/// The law of E[x_0 | x_t] when x_t has the law `law`.
inline DiagonalGaussian denoised(const AffineProcess<AnySchedule>& process,
                                 const DiagonalGaussian& data, const DiagonalGaussian& law,
                                 Time t) {
  const double s = process.scale(t), std = process.std(t);
  const Eigen::ArrayXd v = data.variance.array();
  const Eigen::ArrayXd gain =
      (s * s * v + std * std > 0)
          .select(s * v / (s * s * v + std * std), Eigen::ArrayXd::Zero(v.size()));
  return {(data.mean.array() + gain * (law.mean - s * data.mean).array()).matrix(),
          (gain.square() * law.variance.array()).matrix()};
}

}  // namespace fokker::detail
