#pragma once
/// @file  fokker/solvers/stiff/stabilised.hpp
/// @brief Explicit Chebyshev methods for mildly stiff Ito SDEs: stages instead of small steps.

#include <algorithm>
#include <cmath>
#include <optional>

#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/stiff/newton.hpp>

namespace fokker {

/// One SK-ROCK step with s stages (second-kind orthogonal Runge-Kutta-Chebyshev) on a d x n block:
/// with Q = sum_k g_k(x, t) dw_k and K_0 = x,
///
///     K_1 = x + mu_1 h f(x + nu_1 Q) + kappa_1 Q
///     K_i = mu_i h f(K_{i-1}) + nu_i K_{i-1} + kappa_i K_{i-2},    i = 2, ..., s
///     y   = K_s
///
///     omega_0 = 1 + eta / s^2, eta = 0.05,    omega_1 = T_s(omega_0) / T_s'(omega_0)
///     mu_1 = omega_1 / omega_0, nu_1 = s omega_1 / 2, kappa_1 = s omega_1 / omega_0
///     mu_i = 2 omega_1 T_{i-1}(omega_0) / T_i(omega_0), nu_i = mu_i omega_0 / omega_1,
///     kappa_i = 1 - nu_i
///
/// Converges to  the Ito solution.
/// Order         strong 1/2 (1 for additive noise), weak 1, deterministic 1, for globally Lipschitz
///               f and g with bounded derivatives.
/// Stability     in mean square on dX = lambda X dt + mu X dW wherever the solution is, for
///               -2 / omega_1 <= h lambda <= 0; 2 / omega_1 is near to 1.93 s^2. The number of
///               stages is the smallest with h spectral_radius <= 2 / omega_1.
/// Stages        Without a `spectral_radius` every step bounds it by the infinity norm of df/dx at
///               x, the largest over the finite paths of the block: for small d. At most
///               `most_stages` are then taken, and a path that needs more may grow.
/// Cost          s f and one g; without a spectral radius also the Jacobian, which is d + 1 more f
///               unless the process has `drift_jacobian`. No allocation (one at the first step
///               where the Jacobian is asked for).
/// Source        Abdulle, Almuslimani & Vilmart (2018), section 3.
struct SkRock {
  static constexpr Facts facts{
      .name = "sk-rock",
      .source = "Abdulle, Almuslimani & Vilmart (2018)",
      .order = {.strong = {0.5, {.additive = 1}}, .weak = 1, .deterministic = 1},
      .condition = "globally Lipschitz f and g",
      .cost = {.drift = 1, .diffusion = 1}};

  static constexpr double damping = 0.05;  ///< eta

  static constexpr int most_stages = 1000;  ///< without a spectral radius

  double spectral_radius = 0;  ///< bound of the eigenvalues of df/dx, near (-inf, 0]; 0: none given

  /// s for steps of size h.
  int stages(Time h) const { return stages(h, spectral_radius); }

  template <State X>
  struct Workspace : Scratch<X, 6> {
    using Scratch<X, 6>::Scratch;
    std::optional<NewtonWorkspace<X>> jacobian;
  };

  /// @copydoc EulerMaruyama::step
  template <State X, ProcessFor<SkRock, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    const int s = stages(h, spectral_radius > 0 ? spectral_radius : radius(p, x, t, h, w));
    const double w0 = omega0(s), w1 = omega1(s);
    auto& [before, last, q, f, sum, column] = w.array;
    q = noise_term(p, x, t, dw.w, sum, column);
    before = x;
    sum = x + S(0.5 * s * w1) * q;
    y = x + S(w1 / w0 * h) * drift(p, sum, t, f) + S(s * w1 / w0) * q;

    double ratio = 1 / w0;                        // T_{i-1}(omega_0) / T_i(omega_0)
    double time_before = 0, time_last = w1 / w0;  // of the stages, in units of h
    for (int i = 2; i <= s; ++i) {
      ratio = 1 / (2 * w0 - ratio);
      const double mu = 2 * w1 * ratio, nu = 2 * w0 * ratio, kappa = 1 - nu;
      last.swap(y);
      y = S(mu * h) * drift(p, last, t + time_last * h, f) + S(nu) * last + S(kappa) * before;
      before.swap(last);
      const double time = mu + nu * time_last + kappa * time_before;
      time_before = time_last;
      time_last = time;
    }
  }

 private:
  static int stages(Time h, double radius) {
    const double reach = h * radius;
    int s = std::max(1, static_cast<int>(std::sqrt(reach / 2)));
    while (2 / omega1(s) < reach) ++s;
    return s;
  }

  /// The largest finite |df/dx| of a path in the infinity norm, at most that of `most_stages`.
  template <State X, class P>
  static double radius(const P& p, const X& x, Time t, Time h, Workspace<X>& w) {
    const Index d = x.rows();
    if (!w.jacobian) w.jacobian.emplace(d, x.cols());
    NewtonWorkspace<X>& newton = *w.jacobian;
    if (!has_drift_jacobian<X>(p)) evaluate_drift(p, x, t, newton.f);
    detail::evaluate_jacobian(p, x, x, t, h, newton);
    double largest = 0;
    for (Index i = 0; i < d; ++i) {
      auto sum = newton.moved.row(i);
      sum.setZero();
      for (Index k = 0; k < d; ++k) sum += newton.jacobian.row(i + d * k).abs();
      largest = std::max(largest, static_cast<double>(sum.isFinite().select(sum, 0).maxCoeff()));
    }
    return std::min(largest, 2 / omega1(most_stages) / h);
  }

  static double omega0(int s) { return 1 + damping / (static_cast<double>(s) * s); }
  /// T_s / T_s' at omega_0 = cosh a: cosh(s a) sinh(a) / (s sinh(s a)).
  static double omega1(int s) {
    const double a = std::acosh(omega0(s));
    return std::sinh(a) / (s * std::tanh(s * a));
  }
};

}  // namespace fokker
