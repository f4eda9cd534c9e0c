#pragma once
/// @file  fokker/diffusion/samplers/multistep.hpp
/// @brief Multistep samplers of the probability flow: methods as data, one generic step.
///
/// In z = x/s the flow is dz/d(sigma) = e for the noise e = (z - D)/sigma, or dz/d(lambda) = D - z
/// for the denoiser D and lambda = -ln sigma. So over a step from sigma to sigma', exactly,
///
///     z' = z + integral of e d(sigma)                                       (noise)
///     z' = r z + integral of exp(-(lambda' - lambda)) D d(lambda), r = sigma'/sigma   (denoiser)
///
/// A multistep method has the polynomial through the last few predictions P in place of P, in some
/// variable u. With the newest P_0 alone both are DDIM's step; every other point adds its
/// difference
///
///     z' = DDIM's + sum_j w_j (P_j - P_0),   w_j = integral of the Lagrange polynomial l_j(u)
///
/// The weights are sums of the moments of the step, the integrals of (u - u_0)^k: closed forms, and
/// quadrature to rounding where u is t or ln sigma. So the step is exact for predictions that are
/// polynomials in u, whatever the grid. The first steps, with fewer points behind them, take a
/// lower order.
///
/// Corrector. The prediction P at the end of a step, taken as the start of the next, is one more
/// point of the step just taken. With it the next step first replaces the weights of the last one:
/// x' of the predictor is what is handed on, and what P was taken at; the correction is added to it
/// one step later, at no evaluation. The last step of a run has none.
///
/// Ends. From sigma infinite (flow matching at t = 1) the step is DDIM's, and points where u is
/// infinite are left out after. To sigma = 0 the polynomial in sigma, t or the step's number is
/// integrated like any other; in lambda, infinite there, the step is DDIM's: it ends in s' D.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include <fokker/diffusion/detail/exponential_moments.hpp>
#include <fokker/diffusion/detail/gauss_legendre.hpp>
#include <fokker/diffusion/detail/interpolation_weights.hpp>
#include <fokker/diffusion/samplers/reverse_step.hpp>

namespace fokker {

/// A multistep method as data.
struct MultistepRule {
  /// What is interpolated, and in which u.
  enum class Interpolation {
    denoiser_in_lambda,
    noise_in_sigma,
    noise_in_log_sigma,
    noise_in_time,
    noise_in_steps
  };

  /// Form of the corrector.
  enum class Corrector {
    none,
    first_step,  ///< only DDIM's step at the start: its error falls from O(h^2) to O(h^3)
    every_step
  };

  /// The first moment in a formula of two points, over [0, h] in lambda. The two others are
  /// h^2/2 + O(h^3) too.
  enum class FirstMoment {
    exact,            ///< h - 1 + exp(-h)
    half_square,      ///< h^2 / 2
    half_exponential  ///< h (1 - exp(-h)) / 2
  };

  /// The second moment in lambda, of three points and more.
  enum class SecondMoment {
    exact,
    half  ///< as in formulas that take the second divided difference for half the curvature
  };

  Interpolation interpolation;
  std::size_t points;  ///< of the predictor
  Corrector corrector = Corrector::none;
  FirstMoment first_moment = FirstMoment::exact;
  SecondMoment second_moment = SecondMoment::exact;
};

namespace detail {

/// A place of the flow: its noise and its coordinate in the variable of the polynomial.
struct FlowKnot {
  Time t = 0;
  double sigma = 0;
  double u = 0;
};

/// The moments of the step from `from` to `to`, k = 1, ..., count - 1 (entry 0 is not used): the
/// integrals of (u - u_from)^k with the weight of the rule. @pre both ends are finite in u and
/// sigma
template <class Rule, std::size_t count, class Process>
std::array<double, count> step_moments([[maybe_unused]] const Process& process,
                                       const FlowKnot& from, const FlowKnot& to,
                                       [[maybe_unused]] bool two_points) {
  using enum MultistepRule::Interpolation;
  constexpr MultistepRule rule = Rule::rule;
  std::array<double, count> m{};
  const double length = to.u - from.u;
  if constexpr (rule.interpolation == denoiser_in_lambda) {
    using enum MultistepRule::FirstMoment;
    m = exponential_moments<count>(length);
    if (two_points && rule.first_moment == half_square) m[1] = 0.5 * length * length;
    if (two_points && rule.first_moment == half_exponential) m[1] = 0.5 * length * m[0];
    if constexpr (count > 2)
      if (rule.second_moment == MultistepRule::SecondMoment::half) m[2] *= 0.5;
  } else if constexpr (rule.interpolation == noise_in_time ||
                       rule.interpolation == noise_in_log_sigma) {
    integrate_panels(from.sigma, to.sigma, [&](double sigma, double weight) {
      double u = -from.u;
      if constexpr (rule.interpolation == noise_in_time)
        u += process.time_of_sigma(sigma);
      else
        u += std::log(sigma);
      for (std::size_t k = 1; k < count; ++k) m[k] += weight *= u;
    });
  } else {
    for (std::size_t k = 1; k < count; ++k)
      m[k] = (to.sigma - from.sigma) * std::pow(length, static_cast<double>(k)) /
             static_cast<double>(k + 1);
  }
  return m;
}

/// The weights of the points knots[0], ..., knots[points - 1] in
///     integral over the step of the polynomial through the P_j, less P_from: sum_j w_j P_j.
/// They sum to 0; all are 0 for a single point and where an end of the step is infinite.
template <class Rule, class Process, std::size_t n>
std::array<double, n> polynomial_weights(const Process& process,
                                         const std::array<FlowKnot, n>& knots, std::size_t points,
                                         std::size_t from, const FlowKnot& to) {
  std::array<double, n> weights{};
  const FlowKnot& start = knots[from];
  if (points < 2 || !std::isfinite(start.sigma) || !std::isfinite(to.u)) return weights;
  auto moments = step_moments<Rule, n>(process, start, to, points == 2);
  moments[0] = 0;  // that of P_from is not asked for
  std::array<double, n> places{};
  for (std::size_t j = 0; j < points; ++j) places[j] = knots[j].u - start.u;
  weights = interpolation_weights(places, moments, points);
  weights[from] = 0;
  for (std::size_t j = 0; j < points; ++j)
    if (j != from) weights[from] -= weights[j];
  return weights;
}

/// sum + weights[0] * arrays[0] + weights[1] * arrays[1] + ..., one expression.
template <std::size_t j = 0, class Sum, class S, class X, std::size_t n>
auto plus_all(const Sum& sum, const std::array<S, n>& weights, const std::array<X, n>& arrays) {
  if constexpr (j == n)
    return sum;
  else
    return plus_all<j + 1>(sum + weights[j] * arrays[j], weights, arrays);
}

}  // namespace detail

/// One step of the multistep method `Rule`, on a d x n block; see the top of this file.
///
/// Converges to  the probability flow.
/// Order         Rule::order, from the start of a run, for D smooth on [t_min, T] and grids with
///               bounded ratios of steps; see the rule.
/// Cost          one denoiser; no allocation. It has memory: the last predictions.
/// Ends          at t' = 0; starts also where sigma is infinite.
template <class Rule>
struct MultistepSampler {
  static constexpr bool is_sampler = true;
  static constexpr Facts facts = detail::flow_facts(Rule::name, Rule::source, Rule::order, 1, true);
  static constexpr EtaRange etas{.min = 0, .max = 0};
  static constexpr MultistepRule rule = Rule::rule;
  /// Predictions it keeps.
  static constexpr std::size_t slots =
      rule.points + (rule.corrector == MultistepRule::Corrector::every_step ? 1 : 0);

  /// The predictions of the last steps, newest first, with where they were taken.
  template <State X>
  struct Workspace {
    Workspace(Index d, Index n) {
      for (X& prediction : memory) prediction.setZero(d, n);
    }
    std::array<X, slots> memory;
    std::array<detail::FlowKnot, slots> knots{};
    std::array<double, slots> weights{};  ///< of the step before, polynomial_weights
    std::size_t points = 0;               ///< of the step before
    std::size_t steps = 0;                ///< taken
  };

  /// @copydoc Ddim::step
  template <State X, ModelFor<MultistepSampler, X> P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>&, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    const auto& process = model.process;
    std::rotate(w.memory.begin(), w.memory.end() - 1, w.memory.end());
    std::rotate(w.knots.begin(), w.knots.end() - 1, w.knots.end());
    w.knots[0] = knot(process, t, w.steps);
    const detail::FlowKnot next = knot(process, t_next, w.steps + 1);

    const Weights correction = correct(process, w);
    w.points = 1;
    while (w.points < std::min(rule.points, w.steps + 1) && std::isfinite(w.knots[w.points].u))
      ++w.points;
    w.weights = detail::polynomial_weights<Rule>(process, w.knots, w.points, 0, next);
    ++w.steps;

    const double s = process.scale(t_next);
    const double ratio = next.sigma / w.knots[0].sigma;
    const auto total = [&](double of_newest, double of_correction) {
      std::array<S, slots> all;
      for (std::size_t j = 0; j < slots; ++j)
        all[j] = static_cast<S>(
            s * ((j == 0 ? of_newest : 0) + w.weights[j] + of_correction * correction[j]));
      return all;
    };
    if constexpr (rule.interpolation == MultistepRule::Interpolation::denoiser_in_lambda) {
      evaluate_denoiser(process, model.score, x, t, w.memory[0]);
      y = detail::plus_all(static_cast<S>(process.std(t_next) / process.std(t)) * x,
                           total(1 - ratio, ratio), w.memory);
    } else {
      evaluate_denoiser(process, model.score, x, t, y);
      w.memory[0] = (x - static_cast<S>(process.scale(t)) * y) / static_cast<S>(process.std(t));
      y = detail::plus_all(static_cast<S>(s) * y, total(next.sigma, 1), w.memory);
    }
  }

 private:
  using Weights = std::array<double, slots>;

  template <class Process>
  static detail::FlowKnot knot(const Process& process, Time t, std::size_t steps) {
    using enum MultistepRule::Interpolation;
    const double sigma = process.sigma(t);
    switch (rule.interpolation) {
      case denoiser_in_lambda:
        return {t, sigma, -std::log(sigma)};
      case noise_in_sigma:
        return {t, sigma, sigma};
      case noise_in_log_sigma:
        return {t, sigma, std::log(sigma)};
      case noise_in_time:
        return {t, sigma, t};
      case noise_in_steps:
        return {t, sigma, static_cast<double>(steps)};
    }
    return {};
  }

  /// What the prediction at the end of the step before changes in its weights; 0 where nothing is
  /// corrected.
  template <class Process, State X>
  static Weights correct(const Process& process, const Workspace<X>& w) {
    using Corrector = MultistepRule::Corrector;
    const bool due = rule.corrector == Corrector::every_step
                         ? w.steps > 0
                         : rule.corrector == Corrector::first_step && w.steps == 1;
    if (!due || !std::isfinite(w.knots[1].sigma)) return {};
    Weights correction =
        detail::polynomial_weights<Rule>(process, w.knots, w.points + 1, 1, w.knots[0]);
    for (std::size_t j = 0; j < w.points; ++j) correction[j + 1] -= w.weights[j];
    return correction;
  }
};

}  // namespace fokker
