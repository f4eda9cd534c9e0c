#pragma once
/// @file  fokker/diffusion/samplers/edm_churn.hpp
/// @brief Deterministic steps with noise put in between: EDM's churn and Restart.
///
/// Both put noise in exactly, z + sqrt(sigma_hat^2 - sigma^2) xi in z = x/s, and take it out again
/// by Heun's steps of the probability flow in EDM's form. They are for `ReverseSde` with eta = 0:
/// its drift is that of the flow, and a Wiener increment comes with its steps.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>

#include <fokker/diffusion/samplers/edm.hpp>
#include <fokker/diffusion/samplers/parameter.hpp>

namespace fokker {

namespace detail {

/// The time at which the noise is `sigma`, or the end time where the process has not so much.
template <class Process>
Time time_with_sigma(const Process& process, double sigma) {
  return sigma < process.sigma(process.end_time()) ? process.time_of_sigma(sigma)
                                                   : process.end_time();
}

/// sqrt(to^2 - from^2), never of a negative number.
inline double added_noise(double from, double to) {
  return std::sqrt(std::max(0.0, to - from) * (to + from));
}

}  // namespace detail

/// EDM's stochastic sampler: at noise sigma in [s_min, s_max] the noise is raised to sigma_hat =
/// (1 + gamma) sigma, then one step of Heun goes from there to the next time,
///
///     x_hat = (s_hat/s) x + s_hat sqrt(sigma_hat^2 - sigma^2) s_noise xi
///     x'    = x_hat + (t' - t_hat) (d(x_hat, t_hat) + d(., t')) / 2,   d as in edm.hpp
///
/// gamma = S_churn / N for N steps, at most sqrt(2) - 1; 0 is EdmHeun. Published where s = 1,
/// sigma = t; here t_hat is the time of sigma_hat. The defaults are those for CIFAR-10 (VP), N
/// = 18.
///
/// Converges to  with s_noise = 1 and gamma ~ 1/N, an SDE with the marginals of the model, whose
///               noise follows gamma; with another s_noise to none of them.
/// Order         none is claimed: it puts in noise at a rate of its own. Measured on Gaussian data:
///               2 in the law, from the marginal, for gamma ~ 1/N and s_noise = 1.
/// Cost          two denoisers, one in a step to sigma = 0; no allocation.
/// Ends          at t' = 0.
/// Source        Karras et al. (2022), arXiv 2206.00364, algorithm 2.
struct EdmChurn {
  static constexpr bool is_sampler = true;
  static constexpr Facts facts = detail::reverse_facts(
      "edm-churn", "Karras et al. (2022), arXiv 2206.00364, algorithm 2", {}, 2);
  static constexpr EtaRange etas{.min = 0, .max = 0};

  double gamma = std::numbers::sqrt2 - 1;
  double s_min = 0.01;
  double s_max = 1;
  double s_noise = 1.007;

  static constexpr auto parameters() {
    using M = EdmChurn;
    return std::array{SamplerParameter<M>{"gamma", &M::gamma, "S_churn / N, at most sqrt(2) - 1"},
                      SamplerParameter<M>{"s_min", &M::s_min, "least noise that is raised"},
                      SamplerParameter<M>{"s_max", &M::s_max, "greatest noise that is raised"},
                      SamplerParameter<M>{"s_noise", &M::s_noise, "factor of the noise put in"}};
  }
  void validate() const {
    detail::require_parameter(gamma >= 0, facts.name, "gamma >= 0", gamma);
    detail::require_parameter(s_min >= 0, facts.name, "s_min >= 0", s_min);
    detail::require_parameter(s_max >= s_min, facts.name, "s_max >= s_min", s_max);
    detail::require_parameter(s_noise >= 0 && s_noise <= 1e6, facts.name, "s_noise from 0 to 1e6",
                              s_noise);
  }

  template <State X>
  using Workspace = Scratch<X, 3>;

  /// @throws std::invalid_argument  for an eta that it is not defined for, and as validate
  void check(const DiffusionModel auto& model) const {
    detail::require_eta(facts.name, etas, model.eta);
    validate();
  }

  /// @copydoc Ddim::step
  template <State X, ModelFor<EdmChurn, X> P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    const auto& process = model.process;
    auto& [hat, slope, slope_end] = w.array;
    const double sigma = process.sigma(t);
    if (!(gamma > 0 && sigma >= s_min && sigma <= s_max)) {
      detail::edm_heun_step(model, x, t, t_next, slope, slope_end, y);
      return;
    }
    const double raised = (1 + std::min(gamma, std::numbers::sqrt2 - 1)) * sigma;
    const Time t_hat = detail::time_with_sigma(process, raised);
    const double s_hat = process.scale(t_hat), sigma_hat = process.sigma(t_hat);
    hat = static_cast<S>(s_hat / process.scale(t)) * x;
    detail::add_noise<P>(s_hat * s_noise * detail::added_noise(sigma, sigma_hat), t - t_next, dw,
                         hat);
    detail::edm_heun_step(model, hat, t_hat, t_next, slope, slope_end, y);
  }
};

/// One interval of Restart. The defaults are those of EDM on CIFAR-10, whose N_R = 3 counts the
/// points, one more than the steps.
struct RestartInterval {
  double sigma_min = 0.14;  ///< noise to restart at
  double sigma_max = 0.30;  ///< noise to go back to
  int repeats = 2;
  int steps = 2;  ///< of Heun in each restart
};

/// EdmHeun, and after the step that first comes to or below the sigma_min of an interval its
/// restarts, all of them within that step: `repeats` times from the noise sigma' reached
///
///     z <- z + sqrt(sigma_max^2 - sigma'^2) xi,   then `steps` of EdmHeun down to sigma' again
///
/// on Karras's grid with rho = 7. There may be several intervals, as the authors take on ImageNet;
/// one step that passes more than one restarts in each, in their order. Each repeat has normals of
/// its own, so the Wiener increment of the step stays unused. By name_of(*this), a number given again belongs
/// to the next interval: "restart:sigma_min=1:sigma_max=2:sigma_min=0.1:sigma_max=0.3".
///
/// Converges to  the probability flow with its error shrunk by the restarts: each multiplies an
///               error of the mean of Gaussian data, variance v, by sqrt((v + sigma'^2) /
///               (v + sigma_max^2)).
/// Order         none is claimed: the steps within a restart are as many on every grid.
/// Cost          two denoisers per step, one in a step to sigma = 0, and extra_evaluations() in a
///               run that passes every sigma_min; no allocation.
/// Ends          at t' = 0.
/// Source        Xu et al. (2023), arXiv 2306.14878, algorithm 1.
struct Restart {
  static constexpr bool is_sampler = true;
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr EtaRange etas{.min = 0, .max = 0};
  static constexpr double rho = 7;

  std::array<RestartInterval, 5> intervals{};
  std::size_t count = 1;  ///< of them in use

  /// Of the denoiser, in all restarts together.
  constexpr int extra_evaluations() const {
    int all = 0;
    for (std::size_t i = 0; i < count; ++i) all += 2 * intervals[i].repeats * intervals[i].steps;
    return all;
  }

  static constexpr bool supports(NoiseKind kind) { return kind == NoiseKind::additive; }
  constexpr Facts facts() const {
    Needs needs;
    for (std::size_t i = 0; i < count; ++i) needs.normals += intervals[i].repeats;
    return detail::reverse_facts("restart", "Xu et al. (2023), arXiv 2306.14878, algorithm 1", {},
                                 2, false, needs);
  }

  static constexpr auto parameters() {
    using M = RestartInterval;
    return std::array{SamplerParameter<M>{"sigma_min", &M::sigma_min, "noise to restart at"},
                      SamplerParameter<M>{"sigma_max", &M::sigma_max, "noise to go back to"},
                      SamplerParameter<M>{"repeats", &M::repeats, "restarts"},
                      SamplerParameter<M>{"steps", &M::steps, "of Heun in each restart"}};
  }
  /// Where a parameter is set: in the last interval.
  RestartInterval& parameter_owner() { return intervals[count - 1]; }
  /// The part to which the parameters belong.
  const RestartInterval& parameter_owner() const { return intervals[count - 1]; }
  /// @throws std::invalid_argument  for more intervals than there can be
  void add_parameter_owner() {
    detail::require_parameter(count < intervals.size(), name_of(*this), "at most 5 intervals",
                              static_cast<double>(count + 1));
    ++count;
  }
  void validate() const {
    detail::require_parameter(count >= 1 && count <= intervals.size(), name_of(*this),
                              "1 to 5 intervals", static_cast<double>(count));
    for (std::size_t i = 0; i < count; ++i) {
      const auto& [sigma_min, sigma_max, repeats, steps] = intervals[i];
      detail::require_parameter(sigma_min >= 0, name_of(*this), "sigma_min >= 0", sigma_min);
      detail::require_parameter(sigma_max > sigma_min && std::isfinite(sigma_max), name_of(*this),
                                "sigma_max > sigma_min and finite", sigma_max);
      detail::require_parameter(repeats >= 1 && repeats <= detail::most_repeats, name_of(*this),
                                "repeats >= 1, at most 10000", repeats);
      detail::require_parameter(steps >= 1 && steps <= detail::most_repeats, name_of(*this),
                                "steps >= 1, at most 10000", steps);
    }
  }

  template <State X>
  using Workspace = Scratch<X, 3>;

  /// @throws std::invalid_argument  for an eta that it is not defined for, and as validate
  void check(const DiffusionModel auto& model) const {
    detail::require_eta(name_of(*this), etas, model.eta);
    validate();
  }

  /// @copydoc Ddim::step
  template <State X, ModelFor<Restart, X> P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    const auto& process = model.process;
    auto& [from, slope, slope_end] = w.array;
    detail::edm_heun_step(model, x, t, t_next, slope, slope_end, y);
    const double sigma = process.sigma(t), next = process.sigma(t_next);
    Index block = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const bool passed = next <= intervals[i].sigma_min && intervals[i].sigma_min < sigma;
      for (int k = 0; k < intervals[i].repeats; ++k, ++block)
        if (passed) repeat(model, intervals[i], t_next, dw, block, y, w);
    }
  }

 private:
  /// y at t_next up to the interval's sigma_max with block `block` of the normals, and down to
  /// t_next again.
  template <class Model, class Noise, class Workspace, State X>
  void repeat(const Model& model, const RestartInterval& interval, Time t_next, const Noise& dw,
              Index block, X& y, Workspace& w) const {
    using S = typename X::Scalar;
    const auto& process = model.process;
    auto& [from, slope, slope_end] = w.array;
    const Index d = y.rows();
    const double low = process.sigma(t_next);
    Time t = detail::time_with_sigma(process, interval.sigma_max);
    const double high = process.sigma(t), s = process.scale(t);
    y = static_cast<S>(s / process.scale(t_next)) * y +
        static_cast<S>(s * detail::added_noise(low, high)) * dw.normals.middleRows(block * d, d);
    for (int i = 1; i <= interval.steps; ++i) {
      const double part = static_cast<double>(i) / interval.steps;
      const double root = std::pow(high, 1 / rho) * (1 - part) + std::pow(low, 1 / rho) * part;
      const Time to = i == interval.steps ? t_next : process.time_of_sigma(std::pow(root, rho));
      from.swap(y);
      detail::edm_heun_step(model, from, t, to, slope, slope_end, y);
      t = to;
    }
  }
};

}  // namespace fokker
