#pragma once
/// @file  fokker/diffusion/samplers/langevin.hpp
/// @brief Langevin steps at a level of noise: annealed, and as the corrector of another sampler.

#include <array>
#include <cmath>

#include <fokker/diffusion/samplers/parameter.hpp>
#include <fokker/diffusion/samplers/reverse_diffusion.hpp>

namespace fokker {

namespace detail {

/// y <- y + epsilon score(y, t) + sqrt(2 epsilon) z. @param value  scratch, as y
template <class Score, State X, class Z>
void langevin_step(const Score& score, Time t, double epsilon, const Z& z, X& y, X& value) {
  using S = typename X::Scalar;
  evaluate_score(score, y, t, value);
  y += static_cast<S>(epsilon) * value + static_cast<S>(std::sqrt(2 * epsilon)) * z;
}

}  // namespace detail

/// How long the Langevin steps of a corrector are, with alpha = (s/s')^2 over the step:
///   noise  2 alpha (snr std)^2, the same for all paths
///   norms  2 alpha (snr |z| / |score|)^2, with the norms of each path by itself. Published with
///          means of the norms over a batch, which couple its paths. A step that depends on the
///          score does not leave the law alone, however short: in few dimensions the law is wrong;
///          in many the norms hardly vary and both choices agree.
enum class LangevinStep { noise, norms };

/// Predictor-corrector: a step of `Predictor` to t', then Langevin steps there,
///
///     x <- x + epsilon score(x, t') + sqrt(2 epsilon) z
///
/// Converges to  nothing as h -> 0: the corrector pulls towards the law of x at t', which it keeps
///               to O(epsilon) (on Gaussian data, eigenvalue V of the law: V / (1 - epsilon/(2V))).
/// Order         none is claimed.
/// Cost          the predictor and one score per correction; no allocation.
/// Ends          at t' = 0 without correction.
/// Source        Song et al. (2021), arXiv 2011.13456, algorithms 2 to 5; `noise` is the step of
///               its code's corrector "ald". With eta = 0: Chen et al. (2023), arXiv 2305.11798.
template <class Predictor = ReverseDiffusion>
struct PredictorCorrector {
  static constexpr bool is_sampler = true;
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr EtaRange etas = Predictor::etas;

  Predictor predictor{};
  double snr = 0.16;
  int corrections = 1;
  int norms = 0;  ///< 1 for LangevinStep::norms

  static constexpr bool supports(NoiseKind kind) { return kind == NoiseKind::additive; }
  constexpr Facts facts() const {
    const Facts of_predictor = facts_of(predictor);
    Needs needs = of_predictor.needs;
    needs.normals += corrections;
    return detail::reverse_facts(
        "pc-langevin", "Song et al. (2021), arXiv 2011.13456, algorithm 1", {},
        of_predictor.evaluations(NoiseKind::additive).drift + corrections, false, needs);
  }

  static constexpr auto parameters() {
    using M = PredictorCorrector;
    return std::array{
        SamplerParameter<M>{"snr", &M::snr, "length of the Langevin steps"},
        SamplerParameter<M>{"corrections", &M::corrections, "Langevin steps per step"},
        SamplerParameter<M>{"norms", &M::norms, "1: their length by each path's norms"}};
  }
  void validate() const {
    detail::require_parameter(snr >= 0 && std::isfinite(snr), name_of(*this), "snr >= 0 and finite",
                              snr);
    detail::require_parameter(corrections >= 0 && corrections <= detail::most_repeats,
                              name_of(*this), "corrections >= 0, at most 10000", corrections);
    detail::require_parameter(norms == 0 || norms == 1, name_of(*this), "norms 0 or 1", norms);
  }

  template <State X>
  struct Workspace {
    using Row = Eigen::Array<typename X::Scalar, 1, X::ColsAtCompileTime, Eigen::RowMajor>;
    Workspace(Index d, Index n) : predictor(d, n), score(d, n), epsilon(1, n), root(1, n) {}
    typename Predictor::template Workspace<X> predictor;
    X score;
    Row epsilon, root;
  };

  /// @throws std::invalid_argument  as the predictor and validate
  void check(const DiffusionModel auto& model) const {
    check_parameters(predictor, model);
    validate();
  }

  /// @copydoc Ddim::step
  template <State X, ModelFor<PredictorCorrector, X> P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    const auto& process = model.process;
    predictor.step(model, x, t, t_next, dw, y, w.predictor);
    if (!(process.sigma(t_next) > 0)) return;
    const Index d = x.rows(), own = needs_of(predictor).normals;
    const double ratio = process.scale(t) / process.scale(t_next), alpha = ratio * ratio;
    for (Index k = 0; k < corrections; ++k) {
      const auto z = dw.normals.middleRows((own + k) * d, d);
      if (norms == 0) {
        const double reach = snr * process.std(t_next);
        detail::langevin_step(model.score, t_next, 2 * alpha * reach * reach, z, y, w.score);
        continue;
      }
      evaluate_score(model.score, y, t_next, w.score);
      w.epsilon = w.score.square().colwise().sum();
      w.root = z.square().colwise().sum();
      const S factor = static_cast<S>(2 * alpha * snr * snr);
      w.epsilon = (w.epsilon > S(0)).select(factor * w.root / w.epsilon, S(0));
      w.root = (S(2) * w.epsilon).sqrt();
      for (Index i = 0; i < d; ++i) y.row(i) += w.epsilon * w.score.row(i) + w.root * z.row(i);
    }
  }
};

/// Annealed Langevin dynamics: the times of the grid are the levels of noise, and t' = 0 follows
/// the last. A step from t makes `repeats` Langevin steps at t,
///
///     x <- x + epsilon score(x, t) + sqrt(2 epsilon) z,   epsilon = step std(t)^2
///
/// and goes on to t' in z = x/s as it is; to t' = 0 with the denoiser, if `denoise`. The published
/// epsilon is epsilon_L (sigma / sigma_L)^2, so step = epsilon_L / sigma_L^2, with sigma_L = 0.01:
/// NCSN 0.2 with 100 repeats and no denoising, NCSNv2 0.062 with 5, the default.
///
/// Converges to  nothing as h -> 0: at each level to the law of x there, up to O(step). On Gaussian
///               data an eigenvalue V of that law becomes V / (1 - epsilon/(2 V)) if epsilon < 2 V.
/// Order         none is claimed.
/// Cost          one score per repeat, one denoiser more in the step to sigma = 0; no allocation.
/// Ends          at t' = 0; at another t' the last level of the grid is only entered.
/// Source        Song & Ermon (2019), arXiv 1907.05600, algorithm 1; (2020), arXiv 2006.09011.
struct AnnealedLangevin {
  static constexpr bool is_sampler = true;
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr EtaRange etas{.min = 0, .max = 0};

  int repeats = 5;
  double step_size = 0.062;
  int denoise = 1;

  static constexpr bool supports(NoiseKind kind) { return kind == NoiseKind::additive; }
  constexpr Facts facts() const {
    return detail::reverse_facts(
        "annealed-langevin",
        "Song & Ermon (2019), arXiv 1907.05600, algorithm 1; (2020), arXiv 2006.09011", {}, repeats,
        false, {.normals = repeats});
  }

  static constexpr auto parameters() {
    using M = AnnealedLangevin;
    return std::array{
        SamplerParameter<M>{"repeats", &M::repeats, "Langevin steps per level"},
        SamplerParameter<M>{"step", &M::step_size, "their length over the noise squared"},
        SamplerParameter<M>{"denoise", &M::denoise, "1: the last step is the denoiser"}};
  }
  void validate() const {
    detail::require_parameter(repeats >= 1 && repeats <= detail::most_repeats, name_of(*this),
                              "repeats >= 1, at most 10000", repeats);
    detail::require_parameter(step_size > 0 && std::isfinite(step_size), name_of(*this),
                              "step > 0 and finite", step_size);
    detail::require_parameter(denoise == 0 || denoise == 1, name_of(*this), "denoise 0 or 1",
                              denoise);
  }

  template <State X>
  using Workspace = Scratch<X, 2>;

  /// @throws std::invalid_argument  for an eta that it is not defined for, and as validate
  void check(const DiffusionModel auto& model) const {
    detail::require_eta(name_of(*this), etas, model.eta);
    validate();
  }

  /// @copydoc Ddim::step
  template <State X, ModelFor<AnnealedLangevin, X> P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    const auto& process = model.process;
    auto& [at_level, value] = w.array;
    const Index d = x.rows();
    const double std = process.std(t);
    at_level = x;
    for (Index k = 0; k < repeats; ++k)
      detail::langevin_step(model.score, t, step_size * std * std, dw.normals.middleRows(k * d, d),
                            at_level, value);
    if (denoise != 0 && !(process.sigma(t_next) > 0)) {
      evaluate_denoiser(process, model.score, at_level, t, value);
      y = static_cast<S>(process.scale(t_next)) * value;
    } else {
      y = static_cast<S>(process.scale(t_next) / process.scale(t)) * at_level;
    }
  }
};

}  // namespace fokker
