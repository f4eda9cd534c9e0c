#pragma once
/// @file  fokker/diffusion/samplers/interpolated_denoiser.hpp
/// @brief A step of the reverse SDE that is exact in all but the denoiser, and that by a
/// polynomial.
///
/// In z = x/s and for a noise scale phi(sigma) = sigma exp(c(sigma)), c not falling, the SDE
///
///     dz = (phi'/phi) (z - D) dsigma + sqrt(2 sigma c'(sigma)) sigma dw-bar   (sigma decreasing)
///
/// has the marginals of the forward process: c = eta^2 ln sigma is the reverse SDE with that eta.
/// From sigma to sigma' it moves by
///
///     z' = r z + integral of D dE + sigma' sqrt(1 - e^(-2 (c(sigma) - c(sigma')))) xi
///     r  = phi(sigma') / phi(sigma),   E(u) = phi(sigma') / phi(u), from r up to 1
///
/// in law. A rule says what c is and in which variable D is interpolated through its values at the
/// points passed; the samplers of this family are a rule, a number of points, and where they lie.
/// Source: Xue et al. (2023), arXiv 2309.05019, proposition 4.1; Cui et al. (2023), arXiv
/// 2309.06169, (9).

#include <array>
#include <cmath>
#include <cstddef>
#include <span>

#include <fokker/diffusion/detail/exponential_moments.hpp>
#include <fokker/diffusion/detail/interpolation_weights.hpp>
#include <fokker/diffusion/samplers/reverse_step.hpp>

namespace fokker::detail {

/// z * integral of e^(-z (1 - u)) u^k du over [0, 1], k < n; z >= 0, may be infinite if only k = 0
/// is asked for.
template <std::size_t n>
std::array<double, n> unit_exponential_moments(double z) {
  if (!std::isfinite(z)) return {1};
  std::array<double, n> moments = exponential_moments<n>(z);
  double power = 1;
  for (std::size_t k = 1; k < n && z > 0; ++k) moments[k] /= power *= z;
  return moments;
}

/// c = eta^2 ln sigma; D interpolated in lambda = -ln sigma.
struct LogSnrRule {
  static double position(double sigma) { return -std::log(sigma); }
  static double damping(double sigma, double next, double eta) {
    return eta == 0 ? 0 : eta * eta * std::log(sigma / next);
  }
  /// Moments of dE over the step, as a measure on (position - start) / (end - start).
  template <std::size_t n>
  static std::array<double, n> moments(double sigma, double next, double eta) {
    return unit_exponential_moments<n>((1 + eta * eta) * std::log(sigma / next));
  }
};

/// Values of D and the noise they were taken at; the first `count` count.
template <State X, std::size_t n>
struct DenoiserNodes {
  std::array<const X*, n> value{};
  std::array<double, n> sigma{};
  std::size_t count = 0;

  void add(const X& d, double at) {
    value[count] = &d;
    sigma[count++] = at;
  }
};

/// y = the step of the family from x, D through `nodes`; at sigma' = 0 it is s' D with the newest
/// D, `latest`. @param x,y  d x n; y must not be x or one of the values
template <class Rule, std::size_t n, DiffusionModel P, State X>
void step_with_interpolated_denoiser(const Rule& rule, const P& model, const X& x, Time t,
                                     Time t_next, const DenoiserNodes<X, n>& nodes, const X& latest,
                                     const Increment<P, X>& dw, X& y) {
  using S = typename X::Scalar;
  const auto& process = model.process;
  const double s = process.scale(t_next), sigma = process.sigma(t), next = process.sigma(t_next);
  if (!(next > 0)) {
    y = static_cast<S>(s) * latest;
    return;
  }
  const double damping = rule.damping(sigma, next, model.eta);
  const double start = rule.position(sigma), end = rule.position(next);
  std::array<double, n> place{};
  const std::size_t count = start < end ? nodes.count : 1;  // a step lost in rounding
  if (count > 1)
    for (std::size_t i = 0; i < count; ++i)
      place[i] = (rule.position(nodes.sigma[i]) - start) / (end - start);
  const auto weights =
      interpolation_weights(place, rule.template moments<n>(sigma, next, model.eta), count);
  const double std_next = process.std(t_next);
  y = static_cast<S>(std_next / process.std(t) * std::exp(-damping)) * x;
  for (std::size_t i = 0; i < count; ++i) y += static_cast<S>(s * weights[i]) * *nodes.value[i];
  add_noise<P>(std_next * std::sqrt(-std::expm1(-2 * damping)), t - t_next, dw, y);
}

/// D at the last points passed, the newest first.
template <State X, std::size_t n>
struct DenoiserHistory {
  std::array<X, n> denoised;
  std::array<double, n> sigma{};
  std::size_t known = 0;

  DenoiserHistory(Index d, Index columns) {
    for (X& a : denoised) a.resize(d, columns);
  }

  /// Makes room for the newest, to be written by the caller; a point at infinity is forgotten, one
  /// at the same place replaced.
  X& add(double at) {
    if (known > 0 && !std::isfinite(sigma[0])) known = 0;
    if (known > 0 && at == sigma[0]) return denoised[0];
    for (std::size_t i = n; i-- > 1;) {
      denoised[i].swap(denoised[i - 1]);
      sigma[i] = sigma[i - 1];
    }
    sigma[0] = at;
    known = known < n ? known + 1 : n;
    return denoised[0];
  }

  template <std::size_t m>
  void show(DenoiserNodes<X, m>& nodes) const {
    for (std::size_t i = 0; i < known; ++i) nodes.add(denoised[i], sigma[i]);
  }
};

/// A sampler of one evaluation per step: D through its values at the last `points` points, as many
/// as there are. The first step freezes D. For three points, where that would cost an order, it is
/// put right in the second by the slope that D then has.
///
/// Method gives facts, points, a `rule()` and, where three points do not correct the first step,
/// corrects_first_step = false.
template <class Method>
struct InterpolatedDenoiser : Method {
  static constexpr std::size_t points = Method::points;
  static constexpr bool corrects_first_step = [] {
    if constexpr (requires { Method::corrects_first_step; })
      return Method::corrects_first_step;
    else
      return points > 2;
  }();
  static constexpr bool is_sampler = true;
  static constexpr EtaRange etas{};

  template <State X>
  struct Workspace : DenoiserHistory<X, points> {
    Workspace(Index d, Index n) : DenoiserHistory<X, points>(d, n) {
      for (X& a : start) a.resize(d, n);
    }
    std::array<X, corrects_first_step ? 1 : 0> start;  // x put right
  };

  /// What the next step finds: D at the last points - 1 points.
  template <State X>
  std::span<X> memory(Workspace<X>& w) const {
    return std::span<X>(w.denoised).first(points - 1);
  }

  /// @throws std::invalid_argument  for a negative eta
  void check(const DiffusionModel auto& model) const {
    require_eta(Method::facts.name, etas, model.eta);
  }

  /// @copydoc Ddim::step
  template <State X, ModelFor<Method, X> P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    const auto& process = model.process;
    const auto rule = this->rule();
    const std::size_t known = w.known;
    X& latest = w.add(process.sigma(t));
    evaluate_denoiser(process, model.score, x, t, latest);
    DenoiserNodes<X, points> nodes;
    w.show(nodes);
    if constexpr (corrects_first_step) {
      if (known == 1 && w.known == 2) {
        const double slope = rule.template moments<2>(w.sigma[1], w.sigma[0], model.eta)[1];
        w.start[0] = x + static_cast<typename X::Scalar>(process.scale(t) * slope) *
                             (latest - w.denoised[1]);
        step_with_interpolated_denoiser(rule, model, w.start[0], t, t_next, nodes, latest, dw, y);
        return;
      }
    }
    step_with_interpolated_denoiser(rule, model, x, t, t_next, nodes, latest, dw, y);
  }
};

}  // namespace fokker::detail
