#pragma once
/// @file  fokker/diffusion/samplers/sde_dpm_solver.hpp
/// @brief SDE-DPM-Solver++ of one, two and three points, and SA-Solver.
///
/// With h = ln(sigma / sigma'), a = 1 + eta^2 and z = x/s all of them are
///
///     z' = e^(-a h) z + a * integral of e^(-a (h - u)) D du over [0, h]
///          + sigma' sqrt(1 - e^(-2 eta^2 h)) xi
///
/// with D by a polynomial in lambda = -ln sigma through its last values. eta is that of the reverse
/// SDE, tau^2 = eta^2 for SA-Solver; some libraries call eta^2 eta. eta = 0 gives DPM-Solver++ of
/// the same number of points.

#include <algorithm>
#include <limits>
#include <utility>

#include <fokker/diffusion/samplers/interpolated_denoiser.hpp>
#include <fokker/diffusion/samplers/parameter.hpp>

namespace fokker {

namespace detail {

/// LogSnrRule with the slope of D weighed as at the midpoint: m_1 = m_0 / 2.
struct LogSnrMidpointRule : LogSnrRule {
  template <std::size_t n>
  static std::array<double, n> moments(double sigma, double next, double eta) {
    const double m0 = LogSnrRule::moments<1>(sigma, next, eta)[0];
    return {m0, 0.5 * m0};
  }
};

/// LogSnrRule with half of the second moment.
struct LogSnrHalfCurvatureRule : LogSnrRule {
  template <std::size_t n>
  static std::array<double, n> moments(double sigma, double next, double eta) {
    auto m = LogSnrRule::moments<n>(sigma, next, eta);
    if constexpr (n > 2) m[2] *= 0.5;
    return m;
  }
};

/// LogSnrRule with eta in a part of the way only, low <= sigma <= high: c grows by eta^2 ln sigma
/// there and nowhere else, and the moments are sums over the pieces of the step.
struct LogSnrIntervalRule : LogSnrRule {
  double low, high;

  double damping(double sigma, double next, double eta) const {
    return LogSnrRule::damping(std::min(sigma, std::max(high, next)),
                               std::max(next, std::min(low, sigma)), eta);
  }
  template <std::size_t n>
  std::array<double, n> moments(double sigma, double next, double eta) const {
    const double h = std::log(sigma / next), damped = damping(sigma, next, eta);
    if (n == 1 || !(h > 0) || !std::isfinite(h)) return {-std::expm1(-(h + damped))};
    const double enters = std::clamp(std::log(sigma / high), 0.0, h);
    const double leaves = std::clamp(std::log(sigma / low), enters, h);
    std::array<double, n> sum{};
    double from = 0, rest = h + damped;  // ln E at `from`, with its sign turned
    for (const auto& [to, rate] :
         {std::pair{enters, 1.0}, std::pair{leaves, 1 + eta * eta}, std::pair{h, 1.0}}) {
      const double z = rate * (to - from);
      rest -= z;
      const auto unit = unit_exponential_moments<n>(z);
      for (std::size_t k = 0; k < n; ++k) {  // of ((from + (to - from) u) / h)^k by its binomial
        double term = std::exp(-rest) * std::pow((to - from) / h, static_cast<double>(k));
        for (std::size_t j = k + 1; j-- > 0;) {
          sum[k] += term * unit[j];
          if (j > 0 && to > from)
            term *= from / (to - from) * static_cast<double>(j) / static_cast<double>(k - j + 1);
        }
      }
      from = to;
    }
    return sum;
  }
};

struct DpmSolverPlusPlus1SdeMethod {
  static constexpr std::size_t points = 1;
  static constexpr Facts facts =
      reverse_facts("dpm++1-sde", "Lu et al. (2022), arXiv 2211.01095, section 5",
                    {.strong = 1, .weak = 1, .deterministic = 1}, 1);
  static constexpr LogSnrRule rule() { return {}; }
};

struct DpmSolverPlusPlus2MSdeMethod {
  static constexpr std::size_t points = 2;
  static constexpr Facts facts =
      reverse_facts("dpm++2m-sde", "Lu et al. (2022), arXiv 2211.01095, section 5",
                    {.strong = 1, .weak = 2, .deterministic = 2}, 1, true);
  static constexpr LogSnrMidpointRule rule() { return {}; }
};

struct DpmSolverPlusPlus2MSdeHeunMethod {
  static constexpr std::size_t points = 2;
  static constexpr Facts facts =
      reverse_facts("dpm++2m-sde-heun", "Lu et al. (2022), arXiv 2211.01095, section 5",
                    {.strong = 1, .weak = 2, .deterministic = 2}, 1, true);
  static constexpr LogSnrRule rule() { return {}; }
};

struct DpmSolverPlusPlus3MSdeMethod {
  static constexpr std::size_t points = 3;
  static constexpr Facts facts =
      reverse_facts("dpm++3m-sde",
                    "Lu et al. (2022), arXiv 2211.01095; Xue et al. (2023), arXiv 2309.05019, (14)",
                    {.strong = 1, .weak = 2, .deterministic = 3}, 1, true);
  static constexpr LogSnrRule rule() { return {}; }
};

struct DpmSolverPlusPlus3MSdeShippedMethod {
  static constexpr std::size_t points = 3;
  static constexpr Facts facts =
      reverse_facts("dpm++3m-sde-shipped",
                    "Lu et al. (2022), arXiv 2211.01095, as in k-diffusion's sample_dpmpp_3m_sde",
                    {.strong = 1, .weak = 2, .deterministic = 2}, 1, true);
  static constexpr bool corrects_first_step = false;
  static constexpr LogSnrHalfCurvatureRule rule() { return {}; }
};

}  // namespace detail

/// SDE-DPM-Solver++ of order 1, D frozen: with eta = 1 the ancestral step, with 0 DDIM's.
///
/// Converges to  the reverse SDE with its eta.
/// Order         strong 1 (additive noise), weak 1, deterministic 1, for D smooth on [t_min, T].
///               Exact for data at one point.
/// Cost          one denoiser; no allocation.
/// Ends          at t' = 0 in s' D exactly.
/// Source        Lu et al. (2022), arXiv 2211.01095, section 5; the eta of Xue et al. (2023), arXiv
///               2309.05019.
using DpmSolverPlusPlus1Sde = detail::InterpolatedDenoiser<detail::DpmSolverPlusPlus1SdeMethod>;

/// SDE-DPM-Solver++(2M), its correction D - D_before weighed as at the midpoint, (1 - e^(-a h))/2.
///
/// Converges to  the reverse SDE with its eta.
/// Order         strong 1, weak 2, deterministic 2, for D smooth on [t_min, T] and neighbouring
///               steps of one size up to a constant. The correction carries the noise of the step
///               before instead of this one's: the mean and the covariance of the two steps
///               together come out right to h^2.
/// Cost          one denoiser; no allocation. Its first step is that of order 1.
/// Ends          at t' = 0 in s' D.
/// Source        Lu et al. (2022), arXiv 2211.01095, section 5.
using DpmSolverPlusPlus2MSde = detail::InterpolatedDenoiser<detail::DpmSolverPlusPlus2MSdeMethod>;

/// SDE-DPM-Solver++(2M) with D on a straight line and its integral exact. The rest as for
/// DpmSolverPlusPlus2MSde.
using DpmSolverPlusPlus2MSdeHeun =
    detail::InterpolatedDenoiser<detail::DpmSolverPlusPlus2MSdeHeunMethod>;

/// SDE-DPM-Solver++(3M): D on a parabola and its integral exact. The published formula gives the
/// second difference half of its weight, and one library gives it the wrong sign.
///
/// Order         strong 1, weak 2: the noise within a step allows no more; deterministic 3. As
///               published the first step, which freezes D, makes it 2; here the second step puts
///               that right.
/// The rest      as for DpmSolverPlusPlus2MSde.
using DpmSolverPlusPlus3MSde = detail::InterpolatedDenoiser<detail::DpmSolverPlusPlus3MSdeMethod>;

/// SDE-DPM-Solver++(3M) as libraries ship it: the second divided difference with half of its
/// weight, and a first step that freezes D. What is eta there is eta^2 here.
///
/// Order         strong 1, weak 2; deterministic 2, where DpmSolverPlusPlus3MSde has 3.
/// The rest      as for DpmSolverPlusPlus2MSde.
using DpmSolverPlusPlus3MSdeShipped =
    detail::InterpolatedDenoiser<detail::DpmSolverPlusPlus3MSdeShippedMethod>;

/// SA-Solver in the form PEC: predicted through D at the last `order` points, D evaluated there and
/// the step taken again, with the same noise, through that value and the same points. D at the
/// prediction is what later steps use. Without the changes of its weights that the authors make for
/// few steps.
///
/// tau(t) is eta for sigma_low <= sigma <= sigma_high and 0 elsewhere, its integrals exact also in
/// steps over an end of that interval; the authors take [0.05, 1] or all of it, as here.
///
/// Converges to  the reverse SDE with its eta, tau^2 = eta^2; with a smaller interval, to the SDE
/// of
///               the same marginals that has noise in it and is the flow outside.
/// Order         strong 1, weak 2 (where tau jumps within a step, with a constant that follows the
///               place in it); deterministic order + 1, at most 3 by its first step (4 where D
///               hardly changes over that step). Exact for data at one point.
/// Cost          one denoiser, one more in the first step and none in a step to sigma = 0; no
///               allocation.
/// Ends          at t' = 0 in s' D without a correction; elsewhere it asks for D at t'.
/// Source        Xue et al. (2023), arXiv 2309.05019, (14), (17), algorithm 1.
template <int predictor_order>
struct SaSolver {
  static_assert(predictor_order >= 1 && predictor_order <= 3);
  static constexpr bool is_sampler = true;
  static constexpr std::array<std::string_view, 3> names{"sa-solver-1", "sa-solver", "sa-solver-3"};
  static constexpr Facts facts = detail::reverse_facts(
      names[predictor_order - 1], "Xue et al. (2023), arXiv 2309.05019, algorithm 1",
      {.strong = 1, .weak = 2, .deterministic = std::min(predictor_order + 1, 3)}, 1, true);
  static constexpr EtaRange etas{};
  static constexpr std::size_t points = predictor_order;

  double sigma_low = 0;                                         ///< no noise below
  double sigma_high = std::numeric_limits<double>::infinity();  ///< and none above

  constexpr bool has_own_noise() const {
    return sigma_low > 0 || sigma_high < std::numeric_limits<double>::infinity();
  }
  static constexpr auto parameters() {
    return std::array{SamplerParameter<SaSolver>{"sigma_low", &SaSolver::sigma_low,
                                                 "least sigma with noise, tau > 0"},
                      SamplerParameter<SaSolver>{"sigma_high", &SaSolver::sigma_high,
                                                 "greatest sigma with noise"}};
  }
  void validate() const {
    detail::require_parameter(sigma_low >= 0, facts.name, "sigma_low >= 0", sigma_low);
    detail::require_parameter(sigma_high > sigma_low, facts.name, "sigma_high > sigma_low",
                              sigma_high);
  }

  static constexpr int extra_evaluations() { return 1; }  ///< of the denoiser, in the first step

  template <State X>
  struct Workspace : detail::DenoiserHistory<X, points> {
    Workspace(Index d, Index n) : detail::DenoiserHistory<X, points>(d, n), ahead(d, n) {}
    X ahead;  // D at the prediction
  };

  /// What the next step finds: D at its start and at the points before.
  template <State X>
  std::span<X> memory(Workspace<X>& w) const {
    return w.denoised;
  }

  /// @throws std::invalid_argument  for a negative eta, and as validate
  void check(const DiffusionModel auto& model) const {
    detail::require_eta(facts.name, etas, model.eta);
    validate();
  }

  /// @copydoc Ddim::step
  template <State X, ModelFor<SaSolver, X> P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    const auto& process = model.process;
    const detail::LogSnrIntervalRule rule{{}, sigma_low, sigma_high};
    if (w.known == 0) evaluate_denoiser(process, model.score, x, t, w.add(process.sigma(t)));
    detail::DenoiserNodes<X, points> before;
    w.show(before);
    step_with_interpolated_denoiser(rule, model, x, t, t_next, before, w.denoised[0], dw, y);
    const double sigma_next = process.sigma(t_next);
    if (!(sigma_next > 0)) return;

    evaluate_denoiser(process, model.score, y, t_next, w.ahead);
    detail::DenoiserNodes<X, points + 1> nodes;
    if (std::isfinite(w.sigma[0])) w.show(nodes);
    nodes.add(w.ahead, sigma_next);
    if (nodes.count > 1)
      step_with_interpolated_denoiser(rule, model, x, t, t_next, nodes, w.ahead, dw, y);
    w.add(sigma_next).swap(w.ahead);
  }
};

}  // namespace fokker
