#pragma once
/// @file  fokker/diffusion/score/guidance.hpp
/// @brief Classifier-free guidance, and the law it is meant to sample.
///
/// With the laws p_c of a class and p_u of everything, guidance of weight w is meant to sample
///
///     p_c^w p_u^(1-w) / Z
///
/// (w = 1: the class; w > 1: more of what tells it from the rest), and takes at every t
///
///     score_u + w (score_c - score_u),
///
/// which is the score of the noised p_c^w p_u^(1-w) at t = 0 alone: noising and taking powers do
/// not commute. So it samples something else, and the SDE samples something else than the flow. For
/// normal p_c and p_u `sampled_law` tells what. In one dimension, N(0, a) the class, N(0, b) all,
/// and from sigma = infinity (a < b):
///
///     meant        variance 1 / (w/a + (1-w)/b)
///     flow         variance a^w b^(1-w)
///     SDE, eta 1   variance a^(2w) b^(2-2w) ((b/a)^(2w-1) - 1) / ((2w-1) (b-a))
///
/// Source: Ho & Salimans (2022), arXiv 2207.12598; the gap: Bradley & Nakkiran (2024), arXiv
/// 2408.09000.

#include <cstddef>
#include <span>
#include <utility>

#include <Eigen/Core>

#include <fokker/diffusion/data/any_data.hpp>
#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/score/score_jacobian.hpp>

namespace fokker {

/// score_u + w (score_c - score_u), and the same combination of the denoisers. Made by `guided`.
template <class Conditional, class Unconditional>
struct GuidedScore {
  Conditional conditional;      ///< score(x, t, out), and denoise(x, t, out) if it is to have one
  Unconditional unconditional;  ///< likewise
  double weight;                ///< w

  Index dimension() const requires requires(const Conditional& c) { c.dimension(); }
  { return conditional.dimension(); }

  /// One evaluation of each score; allocates one block. @param x,out  d x n; must not overlap
  template <State X>
  void operator()(const X& x, Time t, X& out) const {
    X other(x.rows(), x.cols());
    conditional(x, t, out);
    unconditional(x, t, other);
    combine(other, out);
  }

  /// One evaluation of each denoiser; allocates one block. @param x,out  d x n; must not overlap
  template <State X>
  requires requires(const Conditional& c, const Unconditional& u, const X& x, Time t, X& out) {
    c.denoise(x, t, out);
    u.denoise(x, t, out);
  }
  void denoise(const X& x, Time t, X& out) const {
    X other(x.rows(), x.cols());
    conditional.denoise(x, t, out);
    unconditional.denoise(x, t, other);
    combine(other, out);
  }

  bool has_denoiser() const {
    return detail::knows_denoiser<Block<double>>(conditional) &&
           detail::knows_denoiser<Block<double>>(unconditional);
  }

  bool has_posterior_covariance() const {
    return detail::knows_posterior_covariance<Block<double>>(conditional) &&
           detail::knows_posterior_covariance<Block<double>>(unconditional);
  }

  /// The same combination of both, which is what the combination of the scores has by Tweedie's
  /// formula. Allocates one block. @param x,v,out  d x n; out must not overlap
  template <State X>
  requires(detail::OffersPosteriorCovariance<Conditional, X>&& detail::OffersPosteriorCovariance<
           Unconditional, X>) void posterior_covariance_times(const X& x, Time t, const X& v,
                                                              X& out) const {
    X other(x.rows(), x.cols());
    conditional.posterior_covariance_times(x, t, v, out);
    unconditional.posterior_covariance_times(x, t, v, other);
    combine(other, out);
  }

 private:
  template <State X>
  void combine(const X& other, X& out) const {
    out = other + static_cast<typename X::Scalar>(weight) * (out - other);
  }
};

/// Classifier-free guidance of weight w between two scores under one process.
template <class Conditional, class Unconditional>
GuidedScore<Conditional, Unconditional> guided(Conditional conditional, Unconditional unconditional,
                                               double weight) {
  return {std::move(conditional), std::move(unconditional), weight};
}

/// A class of a mixture: those of its components, numbered from 0, with weights that sum to 1.
/// @throws std::invalid_argument  no component, a number that is none or comes twice
GaussianMixture class_of(const GaussianMixture& mixture, std::span<const std::size_t> components);

/// p_c^w p_u^(1-w) / Z of two normal laws: normal, with precision w C_c^-1 + (1-w) C_u^-1.
/// @throws std::invalid_argument  laws that are not normal or not of one dimension, a singular
///         covariance, or a w for which p_c^w p_u^(1-w) has no finite integral
Gaussian guidance_target(const AnyData& conditional, const AnyData& unconditional, double weight);

/// w log p_c + (1-w) log p_u of each column of x at scale 1 and noise std: log of what guidance is
/// meant to sample, up to a constant. @param x  d x n
template <State X>
Eigen::ArrayXd guidance_target_log_density(const AnyData& conditional, const AnyData& unconditional,
                                           double weight, const X& x, double std = 0) {
  return (weight * conditional.log_density(x, 1.0, std) +
          (1 - weight) * unconditional.log_density(x, 1.0, std))
      .transpose();
}

/// The density p_c^w p_u^(1-w) / Z in one dimension at increasing points that cover its mass, Z by
/// the trapezoid rule on them (for smooth p and equal spacing the error is beyond all powers of
/// it).
/// @throws std::invalid_argument  data of other dimensions, fewer than two points, or points that
///                                do not increase
Eigen::ArrayXd guidance_target_density(const AnyData& conditional, const AnyData& unconditional,
                                       double weight, const Eigen::ArrayXd& points);

}  // namespace fokker
