#pragma once
/// @file  fokker/processes/schemes/cir_splitting.hpp
/// @brief High-order Strang splitting for the Cox-Ingersoll-Ross process.

#include <cmath>
#include <stdexcept>
#include <string_view>

#include <fokker/processes/models/cox_ingersoll_ross.hpp>
#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

/// One HOStS step (high-order Strang splitting) on a d x n block. Both parts of the Stratonovich
/// form, dX = kappa (theta~ - X) dt + sigma sqrt(X) o dW with theta~ = theta - sigma^2 / (4 kappa),
/// are solved exactly: the drift over D(c), c = (3 - sqrt 3)/6, 1/sqrt 3 and (3 - sqrt 3)/6 of the
/// step, and the noise in between, W/2 + sqrt(3) H and then W/2 - sqrt(3) H of it:
///
///     z1 = D_c(x)               z2 = (sqrt z1 + sigma/2 (W/2 + sqrt(3) H))^2
///     z3 = D_{1/sqrt 3}(z2)     z4 = (sqrt z3 + sigma/2 (W/2 - sqrt(3) H))^2
///     y  = D_c(z4),             D_c(x) = theta~ + e^{-kappa c h} (x - theta~)
///
/// so that y >= 0 for 4 kappa theta >= sigma^2.
///
/// Converges to  the Ito solution.
/// Order         none is proved for a square root; measured 3/2 in the strong sense where
///               4 kappa theta is many times sigma^2. Without noise it is exact.
/// Cost          two square roots and three multiplications by exponentials; W and H; no
///               allocation.
/// Source        Foster, dos Reis & Strange (2024), SIAM J. Numer. Anal. 62(1), (5.3).
struct CirSplitting {
  static constexpr Facts facts{.name = "cir-splitting",
                               .source = "Foster, dos Reis & Strange (2024), arXiv:2210.17543",
                               .noise = {NoiseKind::diagonal},
                               .order = {.deterministic = 2},
                               .cost = {.drift = 3, .diffusion = 2},
                               .needs = {.h = true}};

  /// @throws std::invalid_argument  unless 4 kappa theta >= sigma^2
  static void check(const CoxIngersollRoss& p) {
    if (!(4 * p.kappa * p.theta >= p.sigma * p.sigma))
      throw std::invalid_argument(
          text("cir-splitting needs 4 kappa theta >= sigma^2: got 4 kappa theta = {} and "
               "sigma^2 = {}; choose cir-quadratic-exponential",
               {4 * p.kappa * p.theta, p.sigma * p.sigma}));
  }

  template <State X>
  using Workspace = Scratch<X, 1>;

  /// @copydoc EulerMaruyama::step
  template <State X, std::same_as<CoxIngersollRoss> P>
  void step(const P& p, const X& x, Time, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    constexpr double root3 = 1.7320508075688772935, outer = (3 - root3) / 6, inner = 1 / root3;
    const double level = p.theta - p.sigma * p.sigma / (4 * p.kappa);
    // D_c(x) = kept x + gained, without cancellation for small kappa h
    const S kept = static_cast<S>(std::exp(-outer * p.kappa * h)),
            gained = static_cast<S>(-level * std::expm1(-outer * p.kappa * h)),
            kept_inside = static_cast<S>(std::exp(-inner * p.kappa * h)),
            gained_inside = static_cast<S>(-level * std::expm1(-inner * p.kappa * h));
    const S of_w = S(0.25 * p.sigma), of_h = S(0.5 * root3 * p.sigma);
    X& z = w[0];
    z = kept * x.max(S(0)) + gained;
    z = (z.sqrt() + of_w * dw.w + of_h * dw.h).square();
    z = kept_inside * z + gained_inside;
    z = (z.sqrt() + of_w * dw.w - of_h * dw.h).square();
    y = kept * z + gained;
  }
};

}  // namespace fokker
