#pragma once
/// @file  fokker/processes/schemes/heston_quadratic_exponential.hpp
/// @brief Andersen's quadratic-exponential step for Heston's model.

#include <cmath>

#include <fokker/processes/models/heston.hpp>
#include <fokker/processes/schemes/cir_schemes.hpp>

namespace fokker {

/// One QE-M step of X = (log S, v): the variance by CirQuadraticExponential with the normal Z_v of
/// its own Wiener process rho W_1 + sqrt(1 - rho^2) W_2, then, with the independent normal Z of
/// sqrt(1 - rho^2) W_1 - rho W_2,
///
///     log S' = log S + mu h + K_0 + K_1 v + K_2 v' + sqrt(K_3 (v + v')) Z
///     K_1 = h/2 (kappa rho / xi - 1/2) - rho / xi,  K_2 = h/2 (kappa rho / xi - 1/2) + rho / xi,
///     K_3 = h/2 (1 - rho^2)
///
/// and K_0 such that E S' = S e^{mu h} exactly, or -rho kappa theta h / xi where E S' is infinite.
///
/// Converges to  the Ito solution, in law.
/// Order         none is proved; mean and variance of v' are exact, and so is E S'; v' >= 0 always.
/// Cost          some twenty elementary functions per path; no allocation.
/// Source        Andersen (2008), sections 3.2, 4.2 and 4.3.
struct HestonQuadraticExponential {
  static constexpr Facts facts{.name = "heston-quadratic-exponential",
                               .source = "Andersen (2008), 3.2, 4.2, 4.3",
                               .noise = {NoiseKind::general},
                               .cost = {.drift = 1, .diffusion = 1}};

  template <State X>
  using Workspace = Scratch<X, 0>;

  /// @copydoc EulerMaruyama::step
  template <State X, std::same_as<Heston> P>
  void step(const P& p, const X& x, Time, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>&) const {
    using S = typename X::Scalar;
    const CoxIngersollRoss variance{.kappa = p.kappa, .theta = p.theta, .sigma = p.xi};
    const double across = std::sqrt(1 - p.rho * p.rho), lean = p.rho / p.xi;
    const double middle = 0.5 * h * (p.kappa * lean - 0.5);
    const double k1 = middle - lean, k2 = middle + lean, k3 = 0.5 * h * across * across;
    const double exponent = k2 + 0.5 * k3;  // of v' in E S'
    const double root_h = std::sqrt(h);
    for (Index j = 0; j < x.cols(); ++j) {
      const double w1 = static_cast<double>(dw.w(0, j)) / root_h;
      const double w2 = static_cast<double>(dw.w(1, j)) / root_h;
      const double v = static_cast<double>(x(1, j));
      const detail::QuadraticExponential law(variance.mean(v, h), variance.variance(v, h));
      const double v_end = law.value(p.rho * w1 + across * w2);
      const double k0 = law.has_exponential_moment(exponent)
                            ? -law.log_exponential_moment(exponent) - (k1 + 0.5 * k3) * v
                            : -lean * p.kappa * p.theta * h;
      const double z = across * w1 - p.rho * w2;
      y(0, j) = static_cast<S>(static_cast<double>(x(0, j)) + p.mu * h + k0 + k1 * v + k2 * v_end +
                               std::sqrt(k3 * (v + v_end)) * z);
      y(1, j) = static_cast<S>(v_end);
    }
  }
};

}  // namespace fokker
