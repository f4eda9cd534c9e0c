#pragma once
/// @file  fokker/diffusion/inverse/inverse_problem.hpp
/// @brief y = H x0 + n: the exact posterior, and the guided scores that approximate its score.
///
/// `posterior(data, observation)` is the law of x0 given y, a data distribution like any other;
/// its `exact_score` is what every approximation is graded by. With an unknown posterior one adds
/// to the score of x_t that of the observation, for which p(x0 | x_t) is replaced by a normal law:
///
///     grad log p(y | x_t) ~ J^T H^T (H S H^T + R)^-1 (y - H D),   D = E[x0 | x_t],  J = dD/dx
///
///     PointEstimate        S = 0              DPS; exact for none
///     IsotropicCovariance  S = q I            PiGDM for v = 1; exact for data N(m, v I)
///     PosteriorCovariance  S = Cov[x0 | x_t]  exact for all normal data
///
/// with q = v std^2 / (s^2 v + std^2), the posterior variance of N(m, v I).
/// S is held fixed in the gradient, and symmetric: of a learned J it is the symmetric part. For a
/// mixture none is exact. For x0 ~ N(0, v), H = 1 and s = 1, from sigma = infinity, DPS ends with
/// the variance
///
///     v exp(-v/R) by the flow,   R/2 (1 - exp(-2v/R)) by the SDE (eta = 1),   not v R / (v + R).
///
/// Source: Chung et al. (2023), arXiv 2209.14687, with the gradient of the likelihood itself and no
/// tuned step; Song, Vahdat, Mardani & Kautz (2023), "Pseudoinverse-guided diffusion models for
/// inverse problems", ICLR; Boys et al. (2023), "Tweedie moment projected diffusions for inverse
/// problems".

#include <array>
#include <cmath>
#include <concepts>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/samplers/reverse_step.hpp>
#include <fokker/diffusion/score/score_jacobian.hpp>
#include <fokker/solvers/integrate/stepping.hpp>
#include <fokker/solvers/support/checks.hpp>

namespace fokker {

/// y = H x0 + n with n ~ N(0, R).
struct LinearObservation {
  Eigen::MatrixXd h;           ///< H, m x d
  Eigen::VectorXd y;           ///< m numbers
  Eigen::MatrixXd covariance;  ///< R, m x m, symmetric positive semidefinite

  /// @throws std::invalid_argument  sizes that disagree with each other or with d, values that are
  ///                                not finite, an R that is not symmetric
  void validate(Index d) const;

  /// The rows of x0 that are seen, without noise or with that of a standard deviation.
  /// @throws std::invalid_argument  a row outside [0, d), sizes that disagree, noise < 0
  static LinearObservation of_rows(Index d, std::span<const Index> rows, const Eigen::VectorXd& y,
                                   double noise = 0);
};

/// The law of x0 given y: normal, N(m + K (y - H m), C - K H C), K = C H^T (H C H^T + R)^-1.
/// @throws std::invalid_argument  as `validate`, or where H C H^T + R is singular
Gaussian posterior(const Gaussian& data, const LinearObservation& observation);
/// The law of x_0 given the observation, for Gaussian data.
Gaussian posterior(const GaussianSpectrum& data, const LinearObservation& observation);

/// The law of x0 given y: the mixture of the components' posteriors, with weights
/// w_k N(y; H m_k, H C_k H^T + R).
/// @throws std::invalid_argument  as for a Gaussian, and where the posterior of a component is
///                                singular (R = 0), so that it has no density
GaussianMixture posterior(const GaussianMixture& data, const LinearObservation& observation);

/// log p(y), the evidence. @throws std::invalid_argument  as `posterior`
double log_evidence(const Gaussian& data, const LinearObservation& observation);
/// Log density of the observation.
double log_evidence(const GaussianSpectrum& data, const LinearObservation& observation);
/// Log density of the observation.
double log_evidence(const GaussianMixture& data, const LinearObservation& observation);

/// S = 0: DPS.
struct PointEstimate {};

/// S = v std^2 / (s^2 v + std^2) I, what x0 ~ N(m, v I) has: PiGDM, whose r_t^2 has v = 1.
struct IsotropicCovariance {
  double variance = 1;  ///< v > 0
};

/// S = Cov[x0 | x_t] = (std^2 / s) J, by m more products with J.
struct PosteriorCovariance {};

/// score + J^T H^T (H S H^T + R)^-1 (y - H D): see the top of the file. Made by `observed`.
template <class Forward, class Score, class Approximation>
class ObservedScore {
 public:
  Forward process;
  Score score;
  LinearObservation observation;
  Approximation approximation;

  /// @throws std::invalid_argument  as LinearObservation::validate, a variance that is not
  ///                                positive, or for PointEstimate a singular R
  ObservedScore(Forward forward, Score unconditional, LinearObservation o, Approximation a, Index d)
      : process(std::move(forward)),
        score(std::move(unconditional)),
        observation(std::move(o)),
        approximation(a) {
    observation.validate(d);
    if constexpr (std::same_as<Approximation, IsotropicCovariance>)
      check_positive({"the variance of IsotropicCovariance", "variance"}, approximation.variance);
    if constexpr (std::same_as<Approximation, PointEstimate>)
      if (Eigen::LLT<Eigen::MatrixXd>(observation.covariance).info() != Eigen::Success)
        throw std::invalid_argument(
            "PointEstimate (DPS) divides by the covariance of the noise, "
            "which is singular: use IsotropicCovariance");
  }

  Index dimension() const { return observation.h.cols(); }

  /// Evaluations of the score: one of the denoiser, one of the score, and those of one product with
  /// J^T (one, or 2 d if it is differenced), for PosteriorCovariance of m more with J. Allocates.
  /// @param x,out  d x n; must not overlap
  /// @throws std::invalid_argument  where the score does not determine D, or s = 0
  template <State X>
  void operator()(const X& x, Time t, X& out) const {
    X gradient(x.rows(), x.cols()), denoised(x.rows(), x.cols());
    guide(x, t, denoised, gradient);
    evaluate_score(score, x, t, out);
    out += gradient;
  }

  /// E[x0 | x_t, y] of the approximation, D + std^2/s times the term added to the score.
  /// @param x,out  d x n; must not overlap
  template <State X>
  void denoise(const X& x, Time t, X& out) const {
    const auto now = process.at(t);
    if (now.std == 0) return evaluate_denoiser(process, score, x, t, out);
    X gradient(x.rows(), x.cols());
    guide(x, t, out, gradient);
    out += static_cast<typename X::Scalar>(now.std * now.std / now.scale) * gradient;
  }

 private:
  /// denoised = D, gradient = the term that is added to the score.
  template <State X>
  void guide(const X& x, Time t, X& denoised, X& gradient) const {
    using S = typename X::Scalar;
    const auto& [h, y, r] = observation;
    const Index n = x.cols(), m = h.rows();
    const auto now = process.at(t);
    const double s = now.scale, std = now.std;
    if (!(s > 0))
      throw std::invalid_argument(
          "guidance by an observation starts where the scale is positive: "
          "got t = " +
          std::to_string(t) + ", where it is 0");
    evaluate_denoiser(process, score, x, t, denoised);
    Eigen::MatrixXd u = (-h * denoised.matrix().template cast<double>()).colwise() + y;
    X v(x.rows(), n);
    if constexpr (std::same_as<Approximation, PosteriorCovariance>) {
      Eigen::MatrixXd seen(m * m, n);  // H J H^T of each path, row by row
      for (Index i = 0; i < m; ++i) {
        v.colwise() = h.row(i).transpose().array().template cast<S>();
        denoiser_jacobian_times(process, score, x, t, v, gradient);
        seen.middleRows(i * m, m) = h * gradient.matrix().template cast<double>();
      }
      for (Index j = 0; j < n; ++j) {
        const Eigen::MatrixXd c = seen.col(j).reshaped(m, m);
        u.col(j) = solve(std * std / s * 0.5 * (c + c.transpose()) + r, u.col(j));
      }
    } else if constexpr (std::same_as<Approximation, IsotropicCovariance>) {
      const double prior = approximation.variance;
      const double variance = prior * std * std / (s * s * prior + std * std);
      u = solve(variance * h * h.transpose() + r, u);
    } else {
      u = solve(r, u);
    }
    v = (h.transpose() * u).array().template cast<S>();
    denoiser_jacobian_transposed_times(process, score, x, t, v, gradient);
  }

  static Eigen::MatrixXd solve(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
    return a.ldlt().solve(b);
  }
};

/// The score guided by an observation under one of PointEstimate, IsotropicCovariance and
/// PosteriorCovariance. @param score  with dimension(), or one that works in the dimension of H
/// @throws std::invalid_argument  see ObservedScore
template <class Forward, class Score, class Approximation>
ObservedScore<Forward, Score, Approximation> observed(Forward process, Score score,
                                                      LinearObservation observation,
                                                      Approximation approximation) {
  Index d = observation.h.cols();
  if constexpr (requires { Index{score.dimension()}; }) d = score.dimension();
  return {std::move(process), std::move(score), std::move(observation), approximation, d};
}

/// Any sampler or solver with its result's seen part replaced, after each step, by a noised observation:
///
///     x <- x + P (s H^+ y + std z - x),   P = H^+ H,   z ~ N(0, I) new in each step
///
/// The step knows the observation only through what was put in before: the unseen part is drawn
/// from the score of the unconditional law, so this does not sample the posterior, in the limit of
/// small steps neither: of two coordinates with variance 1 and covariance rho, the first seen, the
/// other has the mean (1 - sqrt(1 - rho^2)) / rho y at eta = 1 and s = 1, not rho y. The noise of y
/// is not used. The denoised part of x at t = 0 has H x = y exactly. It runs on ReverseSde, whose eta
/// may be 0, and draws one block of normals beside its noise.
///
/// Cost    that of the sampler; no allocation beyond its own.
/// Source  Song et al. (2021), arXiv 2011.13456, appendix I.2.
template <class Sampler>
class Replacement {
 public:
  static constexpr bool is_sampler = true;
  static constexpr Calculus calculus = calculus_of_method<Sampler>;
  static constexpr bool supports(NoiseKind kind) { return kind == NoiseKind::additive; }

  Facts facts() const {
    Facts all = facts_of(sampler_);
    all.name = "replacement";
    all.source = "Song et al. (2021), arXiv 2011.13456, appendix I.2";
    all.noise = {NoiseKind::additive};
    all.order = {};
    ++all.needs.normals;
    return all;
  }

  /// @throws std::invalid_argument  as LinearObservation::validate
  Replacement(Sampler sampler, const LinearObservation& observation);

  template <State X>
  struct Workspace {
    Workspace(Index d, Index n) : inner(d, n), change(d, n) {}
    typename Sampler::template Workspace<X> inner;
    X change;
  };

  /// Memory of the sampler.
  template <State X>
  std::span<X> memory(Workspace<X>& w) const {
    return memory_of<X>(sampler_, w.inner);
  }

  /// @copydoc check_parameters
  template <DiffusionModel P>
  void check(const P& model) const {
    check_parameters(sampler_, TimeReversed<P>{model});
  }

  /// @copydoc Ddim::step
  template <State X, ModelFor<Replacement, X> P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    detail::take_step(sampler_, TimeReversed<P>{model}, x, -t, -t_next, dw, y, w.inner);
    const S s = static_cast<S>(model.process.scale(t_next));
    w.change = static_cast<S>(model.process.std(t_next)) * dw.normals.bottomRows(y.rows()) - y;
    w.change.colwise() += s * seen_.template cast<S>();
    y.matrix() += projection_.template cast<S>().lazyProduct(w.change.matrix());
  }

 private:
  Sampler sampler_;
  Eigen::MatrixXd projection_;  // H^+ H
  Eigen::ArrayXd seen_;         // H^+ y
};

namespace detail {

/// H^+ H and H^+ y.
std::pair<Eigen::MatrixXd, Eigen::ArrayXd> seen_part(const LinearObservation& observation);

}  // namespace detail

template <class Sampler>
Replacement<Sampler>::Replacement(Sampler sampler, const LinearObservation& observation)
    : sampler_(std::move(sampler)) {
  observation.validate(observation.h.cols());
  std::tie(projection_, seen_) = detail::seen_part(observation);
}

}  // namespace fokker
