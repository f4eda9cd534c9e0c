#pragma once
/// @file  fokker/processes/schemes/cir_schemes.hpp
/// @brief Steps that keep the Cox-Ingersoll-Ross process positive, for this process alone.

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fokker/processes/models/lamperti.hpp>
#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

/// One drift-implicit step in Y = sqrt X on a d x n block: the positive root of
///
///     Y' = sqrt x + h ((kappa theta / 2 - sigma^2 / 8) / Y' - kappa Y' / 2) + sigma/2 dw,
///     y = Y'^2
///
/// y > 0 for noise of any size where 4 kappa theta > sigma^2 and x >= 0. Otherwise the root need
/// not exist at any step size, and `check` throws.
///
/// Converges to  the Ito solution.
/// Order         strong 1 for 2 kappa theta > 3 sigma^2 (strong 1/2 for 2 kappa theta > sigma^2, up
///               to a logarithm); deterministic 1.
/// Cost          a square root and a division per component; no allocation.
/// Source        Alfonsi (2005); Dereich, Neuenkirch & Szpruch (2012) for order 1/2; Alfonsi (2013)
///               and Neuenkirch & Szpruch (2014) for order 1.
struct CirDriftImplicit {
  static constexpr Facts facts{.name = "cir-drift-implicit",
                               .source = "Alfonsi (2005), (2013); Neuenkirch & Szpruch (2014)",
                               .noise = {NoiseKind::diagonal},
                               .order = {.strong = 1, .deterministic = 1},
                               .condition = "2 kappa theta > 3 sigma^2",
                               .cost = {.drift = 1, .diffusion = 1}};

  static constexpr std::string_view source = "Alfonsi (2005), (2013); Neuenkirch & Szpruch (2014)";

  /// @throws std::invalid_argument  unless 4 kappa theta > sigma^2
  static void check(const CoxIngersollRoss& p) {
    if (!(4 * p.kappa * p.theta > p.sigma * p.sigma))
      throw std::invalid_argument(text(
          "cir-drift-implicit needs 4 kappa theta > sigma^2, without which its equation need "
          "not have a root, whatever the step: got 4 kappa theta = {} and sigma^2 = {}; choose "
          "cir-quadratic-exponential, or euler-maruyama (full truncation)",
          {4 * p.kappa * p.theta, p.sigma * p.sigma}));
  }

  template <State X>
  using Workspace = Scratch<X, 1>;

  /// @copydoc EulerMaruyama::step
  template <State X, std::same_as<CoxIngersollRoss> P>
  void step(const P& p, const X& x, Time, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    const Lamperti<P> root{p};
    const double weight = 1 + 0.5 * p.kappa * h;  // weight Y' - h repulsion / Y' = r
    X& r = w[0];
    r = x.sqrt() + S(root.diffusion(0)) * dw.w;
    // For r < 0 the same root without cancellation.
    const S product = S(4 * weight * h * root.repulsion());
    y = (r.square() + product).sqrt();
    y = (r > S(0)).select((r + y) / S(2 * weight), product / (S(2 * weight) * (y - r))).square();
  }
};

namespace detail {

/// The quadratic-exponential law of a variance after one step from v: a value from a standard
/// normal z, and the parameters of the branch.
/// Source: Andersen (2008), section 3.2, with psi_c = 3/2.
struct QuadraticExponential {
  bool quadratic;  ///< a (b + Z)^2, else 0 with probability p and exponential with rate beta
  double a = 0, b = 0, p = 0, beta = 0;

  /// @param mean, variance  of the exact law
  QuadraticExponential(double mean, double variance) {
    const double psi = variance / (mean * mean);
    quadratic = psi <= 1.5;
    if (quadratic) {
      const double q = 2 / psi, b2 = q - 1 + std::sqrt(q * (q - 1));
      b = std::sqrt(b2);
      a = mean / (1 + b2);
    } else {
      p = (psi - 1) / (psi + 1);
      beta = (1 - p) / mean;
    }
  }

  double value(double z) const {
    if (quadratic) return a * (b + z) * (b + z);
    const double above = 0.5 * std::erfc(z * std::sqrt(0.5));  // 1 - Phi(z)
    return above >= 1 - p ? 0 : std::log((1 - p) / above) / beta;
  }
  /// log E exp(c V), where it is finite (`has_exponential_moment`).
  double log_exponential_moment(double c) const {
    if (quadratic) return c * b * b * a / (1 - 2 * c * a) - 0.5 * std::log(1 - 2 * c * a);
    return std::log(p + beta * (1 - p) / (beta - c));
  }
  bool has_exponential_moment(double c) const { return quadratic ? 2 * c * a < 1 : c < beta; }
};

}  // namespace detail

/// One quadratic-exponential step on a d x n block: from the exact mean m and variance s^2 of X
/// after h, and the normal Z = dw / sqrt h,
///
///     y = a (b + Z)^2                        where s^2 <= 3/2 m^2
///     y = 0 with probability p, otherwise exponential with rate beta, by inversion at Phi(Z)
///
/// with a, b or p, beta such that mean and variance of y are m and s^2. y >= 0 always.
///
/// Converges to  the Ito solution, in law.
/// Order         none is proved; mean and variance of a step are exact.
/// Cost          some ten elementary functions per component and path; no allocation.
/// Source        Andersen (2008), section 3.2.
struct CirQuadraticExponential {
  static constexpr Facts facts{.name = "cir-quadratic-exponential",
                               .source = "Andersen (2008), 3.2",
                               .noise = {NoiseKind::diagonal},
                               .cost = {.drift = 1, .diffusion = 1}};

  template <State X>
  using Workspace = Scratch<X, 0>;

  /// @copydoc EulerMaruyama::step
  template <State X, std::same_as<CoxIngersollRoss> P>
  void step(const P& p, const X& x, Time, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>&) const {
    using S = typename X::Scalar;
    const double root_h = std::sqrt(h);
    for (Index i = 0; i < x.rows(); ++i)
      for (Index j = 0; j < x.cols(); ++j) {
        const double v = static_cast<double>(x(i, j));
        const detail::QuadraticExponential law(p.mean(v, h), p.variance(v, h));
        y(i, j) = static_cast<S>(law.value(static_cast<double>(dw.w(i, j)) / root_h));
      }
  }
};

}  // namespace fokker
