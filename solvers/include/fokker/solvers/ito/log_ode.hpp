#pragma once
/// @file  fokker/solvers/ito/log_ode.hpp
/// @brief The log-ODE step for affine SDEs, component by component.

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string_view>

#include <fokker/solvers/core/linear_process.hpp>
#include <fokker/solvers/core/solver.hpp>

namespace fokker {

/// One log-ODE step of a LinearProcess whose components are affine SDEs, each on its own Wiener
/// process, dX = (alpha X + a(t)) dt + (beta X + b(t)) dW, on a d x n block. The drift in
/// Stratonovich form is alpha~ X + a~ with alpha~ = alpha - beta^2/2 and a~ = a - beta b/2. Then,
/// with Z = alpha~ h + beta W and kappa = beta a~ - alpha~ b,
///
///     y = e^Z x + phi_1(Z) (h a~ + B - h kappa H + h beta kappa (3/5 H^2 + h/30))
///     B = b(t) W + (b(t + h) - b(t)) (W/2 - H),    phi_1(Z) = (e^Z - 1) / Z
///
/// y is the solution at time 1 of the ODE along the logarithm of the flow, truncated to the terms
/// in W and H. In a~ and kappa, a is taken at t + h/2 and b is the mean of its values at the ends.
/// Inhomogeneous geometric Brownian motion, dX = k (theta - X) dt + sigma X dW, stays positive at
/// every step size.
///
/// Converges to  the Ito solution; exact for kappa = 0.
/// Order         strong 3/2; weak 2; deterministic 2, and exact for constant a.
/// Stability     that of the solution at every step size.
/// Cost          one f, two g, an exponential and a division; W and H; no allocation.
/// Throws        std::invalid_argument for a process that is not linear, or couples its components.
/// Source        Foster, Lyons & Oberhauser (2020), SIAM J. Numer. Anal. 58(3), for b = 0 and
///               constant a.
struct LogOde {
  static constexpr Facts facts{.name = "log-ode",
                               .source = "Foster, Lyons & Oberhauser (2020)",
                               .noise = {NoiseKind::scalar, NoiseKind::diagonal},
                               .order = {.strong = 1.5, .weak = 2, .deterministic = 2},
                               .condition = "linear SDEs whose components are independent",
                               .cost = {.drift = 1, .diffusion = 2},
                               .needs = {.h = true}};

  /// Whether a step takes the process; for a type-erased process known at run time only.
  template <class P>
  static bool takes(const P& process) {
    if constexpr (!facts.supports(noise_kind<P>)) {
      return false;
    } else {
      if (!is_linear(process)) return false;
      const Index d = std::max<Index>(1, dimension_of(process));
      Eigen::MatrixXd linear(d, d);
      evaluate_linear_part(process, linear);
      return separate<P>(linear);
    }
  }

  template <State X>
  struct Workspace : Scratch<X, 6> {
    Workspace(Index d, Index n) : Scratch<X, 6>(d, n), linear(d, d), noise(d, d) {}
    Eigen::MatrixXd linear, noise;
  };

  /// @copydoc EulerMaruyama::step
  template <State X, LinearProcessFor<LogOde, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    if (is_linear(p)) evaluate_linear_part(p, w.linear);
    if (!is_linear(p) || !separate<P>(w.linear))
      throw std::invalid_argument(
          "log-ode takes linear SDEs in one dimension, or of components that do not act on each "
          "other: choose magnus for other linear SDEs");
    auto& [zero, a, first, last, z, sum] = w.array;
    zero.setZero();
    detail::assign(a, drift(p, zero, t + h / 2, a));
    detail::assign(first, diffusion(p, zero, t, first));
    detail::assign(last, diffusion(p, zero, t + h, last));
    for (Index i = 0; i < x.rows(); ++i) {
      evaluate_linear_diffusion(p, i, w.noise);
      const double beta = w.noise(i, i), alpha = w.linear(i, i) - 0.5 * beta * beta;
      const auto of_w = dw.w.row(i), of_h = dw.h.row(i);
      auto b = zero.row(i), kappa = sum.row(i);
      b = S(0.5) * (first.row(i) + last.row(i));
      a.row(i) -= S(0.5 * beta) * b;  // a~
      kappa = S(beta) * a.row(i) - S(alpha) * b;
      sum.row(i) = S(h) * a.row(i) + b * of_w - (last.row(i) - first.row(i)) * of_h +
                   S(h) * kappa * (S(beta * h / 30) + S(0.6 * beta) * of_h.square() - of_h);
      z.row(i) = S(alpha * h) + S(beta) * of_w;
    }
    y = (z == S(0)).select(X::Ones(x.rows(), x.cols()), z.expm1() / z);
    y = z.exp() * x + y * sum;
  }

 private:
  /// Whether the components are independent. @param linear  A
  template <class P>
  static bool separate(const Eigen::MatrixXd& linear) {
    return (noise_kind<P> == NoiseKind::diagonal || linear.rows() == 1) && linear.isDiagonal(0);
  }
};

}  // namespace fokker
