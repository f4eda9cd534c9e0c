#pragma once
/// @file  fokker/solvers/stiff/exponential_euler.hpp
/// @brief The exponential Euler step for semi-linear Ito SDEs.

#include <cmath>
#include <stdexcept>

#include <fokker/solvers/core/linear_process.hpp>
#include <fokker/solvers/core/solver.hpp>

namespace fokker {

/// One exponential Euler step of a SemiLinearProcess on a d x n block:
///
///     y = e^{hA} x + h phi_1(hA) F(x, t) + e^{hA} sum_k g_k(x, t) dw_k
///       = x + h phi_1(hA) f(x, t) + e^{hA} sum_k g_k(x, t) dw_k,    phi_1(z) = (e^z - 1) / z
///
/// For additive noise and diagonal A the noise of component i is sqrt(phi_1(2 h a_i)) g_i dw_i
/// instead, with the variance of the exact noise: where F and g are constant the step has the exact
/// law (and still strong order 1).
///
/// Converges to  the Ito solution.
/// Order         strong 1/2 (1 for additive noise), weak 1, deterministic 1, for globally Lipschitz
///               f and g.
/// Stability     of the linear part unconditional.
/// Cost          one f and one g; e^{hA} of a matrix again where h changes by more than the
///               rounding of a grid; no allocation.
/// Throws        std::invalid_argument for a type-erased process that has no linear part.
/// Source        Lord & Tambue (2013); Jentzen & Kloeden (2009) for additive noise.
struct ExponentialEuler {
  static constexpr Facts facts{
      .name = "exponential-euler",
      .source = "Lord & Tambue (2013); Jentzen & Kloeden (2009)",
      .order = {.strong = {0.5, {.additive = 1}}, .weak = 1, .deterministic = 1},
      .condition = "globally Lipschitz f and g",
      .cost = {.drift = 1, .diffusion = 1}};

  static constexpr std::string_view source = "Lord & Tambue (2013); Jentzen & Kloeden (2009)";

  /// Whether a step takes the process; for a type-erased process known at run time only.
  static constexpr bool takes(const auto& process) { return has_linear_part(process); }

  template <State X>
  struct Workspace : Scratch<X, 4> {
    Workspace(Index d, Index n) : Scratch<X, 4>(d, n), linear(d, d), matrix(d) {}
    Eigen::MatrixXd linear;
    detail::ExponentialOfMatrix matrix;
  };

  /// @copydoc EulerMaruyama::step
  template <State X, SemiLinearProcess<X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    if (!takes(p))
      throw std::invalid_argument(
          "exponential-euler needs the linear part of the drift, and this process gives none: "
          "give it linear_part(), or choose a solver for any drift such as drift-implicit-euler");
    auto& [f, noise_dw, sum, column] = w.array;
    evaluate_drift(p, x, t, f);
    noise_dw = noise_term(p, x, t, dw.w, sum, column);
    if constexpr (requires { p.linear_part(); }) {
      const auto& linear = p.linear_part();
      using Linear = std::remove_cvref_t<decltype(linear)>;
      if constexpr (detail::Number<Linear>) {
        const double z = h * linear;
        y = x + S(h * detail::exponential_phi1(z)) * f + S(of_noise<P>(z)) * noise_dw;
      } else if constexpr (Linear::ColsAtCompileTime == 1) {
        by_component<P>(linear, x, h, w, y);
      } else {
        w.linear = linear;
        by_matrix<P>(x, h, w, y);
      }
    } else {
      p.linear_part(w.linear);
      by_matrix<P>(x, h, w, y);
    }
  }

 private:
  /// The step with the drift and the noise in the scratch, for A = diag(linear).
  template <class P, class Linear, State X>
  static void by_component(const Linear& linear, const X& x, Time h, Workspace<X>& w, X& y) {
    using S = typename X::Scalar;
    auto& [f, noise_dw, sum, column] = w.array;
    for (Index i = 0; i < x.rows(); ++i) {
      const double z = h * linear(i);
      y.row(i) = x.row(i) + S(h * detail::exponential_phi1(z)) * f.row(i) +
                 S(of_noise<P>(z)) * noise_dw.row(i);
    }
  }

  /// The same for A = w.linear, which may be diagonal.
  template <class P, State X>
  static void by_matrix(const X& x, Time h, Workspace<X>& w, X& y) {
    using S = typename X::Scalar;
    auto& [f, noise_dw, sum, column] = w.array;
    w.matrix.update(w.linear, h);
    if (w.matrix.diagonal) return by_component<P>(w.matrix.a.diagonal(), x, h, w, y);
    y = x;
    for (Index i = 0; i < x.rows(); ++i)
      for (Index j = 0; j < x.rows(); ++j)
        y.row(i) += S(h * w.matrix.phi_of_step()(i, j)) * f.row(j) +
                    S(w.matrix.exponential(i, j)) * noise_dw.row(j);
  }

  template <class P>
  static double of_noise(double z) {
    if constexpr (noise_kind<P> == NoiseKind::additive)
      return std::sqrt(detail::exponential_phi1(2 * z));
    else
      return std::exp(z);
  }
};

}  // namespace fokker
