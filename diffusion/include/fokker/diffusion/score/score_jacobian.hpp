#pragma once
/// @file  fokker/diffusion/score/score_jacobian.hpp
/// @brief The Jacobian of a score, or of its denoiser, or its transpose, times a vector.
///
/// Three ways, the first that the score allows (one that is known at run time only, as AnyScore,
/// says so by has_jacobian(), has_transposed_jacobian() and has_posterior_covariance()):
///
///     score.jacobian_times(x, t, v, out)      out = (d score / dx) v, column by column
///     score.posterior_covariance_times(x, t, v, out), as exact scores have it, from
///         d score / dx = (s^2 C / std^2 - I) / std^2,   dD/dx = s C / std^2,   C = Cov[x0 | x_t]
///     the central difference (f(x + h v) - f(x - h v)) / 2h
///
/// True scores have a symmetric Jacobian, learned ones have not. The transpose times a vector is
/// score.jacobian_transposed_times(x, t, v, out), the second as it stands, or d differences.
///
/// The second needs std > 0; where std = 0 it is the third. The difference moves x by
/// h |v| = (eps |x| std^2)^(1/3), eps that of the scalar: p_t is smooth on the scale std, so the
/// error, relative to a Jacobian of size 1/std^2, is O((eps |x| / std)^(2/3)): 4e-11 in double at
/// |x| = std. It allocates three blocks. A score that computes in float whatever it is given is too
/// rough for it, and should give one of the other two.

#include <algorithm>
#include <cmath>
#include <limits>

#include <fokker/diffusion/score/evaluate_score.hpp>

namespace fokker {

namespace detail {

template <class Score, class X>
concept OffersPosteriorCovariance = requires(const Score& score, const X& x, Time t, X& out) {
  score.posterior_covariance_times(x, t, x, out);
};

template <class Score, class X>
concept OffersJacobian = requires(const Score& score, const X& x, Time t, X& out) {
  score.jacobian_times(x, t, x, out);
};

template <class Score, class X>
concept OffersTransposedJacobian = requires(const Score& score, const X& x, Time t, X& out) {
  score.jacobian_transposed_times(x, t, x, out);
};

template <class X, class Score>
bool knows_posterior_covariance(const Score& score) {
  if constexpr (requires { score.has_posterior_covariance(); })
    return score.has_posterior_covariance();
  else
    return OffersPosteriorCovariance<Score, X>;
}

template <class X, class Score>
bool knows_jacobian(const Score& score) {
  if constexpr (requires { score.has_jacobian(); })
    return score.has_jacobian();
  else
    return OffersJacobian<Score, X>;
}

template <class X, class Score>
bool knows_transposed_jacobian(const Score& score) {
  if constexpr (requires { score.has_transposed_jacobian(); })
    return score.has_transposed_jacobian();
  else
    return OffersTransposedJacobian<Score, X>;
}

/// out = (dD/dx) v from the posterior covariance, where the score offers it.
template <class Forward, class Score, State X>
bool by_posterior_covariance(const Forward& process, const Score& score, const X& x, Time t,
                             const X& v, X& out) {
  if constexpr (OffersPosteriorCovariance<Score, X>) {
    const auto now = process.at(t);
    const double s = now.scale, std = now.std;
    if (std > 0 && knows_posterior_covariance<X>(score)) {
      score.posterior_covariance_times(x, t, v, out);
      out *= static_cast<typename X::Scalar>(s / (std * std));
      return true;
    }
  }
  return false;
}

/// out = (f(x + h v) - f(x - h v)) / 2h, with an h of each column; f(at, result).
template <State X, class F>
void central_difference(const F& f, double std, const X& x, const X& v, X& out) {
  using S = typename X::Scalar;
  const double eps = std::numeric_limits<S>::epsilon();
  X move = v, ahead(x.rows(), x.cols());
  Eigen::Array<S, 1, Eigen::Dynamic> inverse(x.cols());
  for (Index j = 0; j < x.cols(); ++j) {
    const double size = v.col(j).matrix().norm();
    const double reach = std::max(static_cast<double>(x.col(j).matrix().norm()), std);
    const double length =
        std > 0 ? std::cbrt(eps * reach * std * std) : std::cbrt(eps) * (reach > 0 ? reach : 1.0);
    const double h = size > 0 ? length / size : 0;
    move.col(j) *= static_cast<S>(h);
    inverse(j) = static_cast<S>(h > 0 ? 0.5 / h : 0);
  }
  ahead = x + move;
  f(ahead, out);
  ahead = x - move;
  f(ahead, move);
  out = (out - move).rowwise() * inverse;
}

}  // namespace detail

/// out = (d score / dx) v. @param x,v,out  d x n; must not overlap
/// @return  evaluations of the score that it took, per column (a product that the score or the data
///          offer is one)
template <class Forward, class Score, State X>
int score_jacobian_times(const Forward& process, const Score& score, const X& x, Time t, const X& v,
                         X& out) {
  using S = typename X::Scalar;
  const auto now = process.at(t);
  const double s = now.scale, std = now.std;
  if constexpr (detail::OffersJacobian<Score, X>) {
    if (detail::knows_jacobian<X>(score)) {
      score.jacobian_times(x, t, v, out);
      return 1;
    }
  }
  if constexpr (detail::OffersPosteriorCovariance<Score, X>) {
    if (std > 0 && detail::knows_posterior_covariance<X>(score)) {
      score.posterior_covariance_times(x, t, v, out);
      out = static_cast<S>(1 / (std * std)) * (static_cast<S>(s * s / (std * std)) * out - v);
      return 1;
    }
  }
  detail::central_difference([&](const X& at, X& result) { evaluate_score(score, at, t, result); },
                             std, x, v, out);
  return 2;
}

/// out = (dD/dx) v, D = E[x0 | x_t]: of a true score symmetric, (I + std^2 Hessian of log p_t) / s.
/// @param x,v,out  d x n; must not overlap
/// @return  evaluations of the score that it took, per column
/// @throws std::invalid_argument  where the score does not determine D, as `evaluate_denoiser`
template <class Forward, class Score, State X>
int denoiser_jacobian_times(const Forward& process, const Score& score, const X& x, Time t,
                            const X& v, X& out) {
  using S = typename X::Scalar;
  const auto now = process.at(t);
  const double s = now.scale, std = now.std;
  if (detail::by_posterior_covariance(process, score, x, t, v, out)) return 1;
  if constexpr (detail::OffersJacobian<Score, X>) {
    if (s > 0 && std > 0 && detail::knows_jacobian<X>(score)) {
      score.jacobian_times(x, t, v, out);
      out = static_cast<S>(1 / s) * (v + static_cast<S>(std * std) * out);
      return 1;
    }
  }
  detail::central_difference(
      [&](const X& at, X& result) { evaluate_denoiser(process, score, at, t, result); }, std, x, v,
      out);
  return 2;
}

/// out = (dD/dx)^T v, the gradient in x of v . D. @param x,v,out  d x n; must not overlap
/// @return  evaluations of the score that it took, per column: 1, or 2 d where it is differenced
/// @throws std::invalid_argument  where the score does not determine D, as `evaluate_denoiser`
template <class Forward, class Score, State X>
int denoiser_jacobian_transposed_times(const Forward& process, const Score& score, const X& x,
                                       Time t, const X& v, X& out) {
  using S = typename X::Scalar;
  const auto now = process.at(t);
  const double s = now.scale, std = now.std;
  if (detail::by_posterior_covariance(process, score, x, t, v, out)) return 1;
  if constexpr (detail::OffersTransposedJacobian<Score, X>) {
    if (s > 0 && std > 0 && detail::knows_transposed_jacobian<X>(score)) {
      score.jacobian_transposed_times(x, t, v, out);
      out = static_cast<S>(1 / s) * (v + static_cast<S>(std * std) * out);
      return 1;
    }
  }
  X unit = X::Zero(x.rows(), x.cols()), column(x.rows(), x.cols());
  for (Index i = 0; i < x.rows(); ++i) {
    unit.row(i).setOnes();
    detail::central_difference(
        [&](const X& at, X& result) { evaluate_denoiser(process, score, at, t, result); }, std, x,
        unit, column);
    out.row(i) = (column * v).colwise().sum();
    unit.row(i).setZero();
  }
  return 2 * static_cast<int>(x.rows());
}

}  // namespace fokker
