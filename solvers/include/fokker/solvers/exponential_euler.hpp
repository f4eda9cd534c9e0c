#pragma once
/// @file  fokker/solvers/exponential_euler.hpp
/// @brief The exponential Euler step for semi-linear Ito SDEs.

#include <cmath>

#include <fokker/solvers/solver.hpp>

namespace fokker {

/// A process whose drift is A x + F(x, t) and that gives A as `linear_part()`: a number a for
/// A = a I, an array of d numbers for a diagonal matrix, or a d x d matrix. What the drift is
/// beside A x is the process's own affair; A only has to hold what is stiff.
template <class P, class X>
concept SemiLinearProcess = Process<P, X> && requires(const P& p) {
  p.linear_part();
};

namespace detail {

/// (e^z - 1) / z.
inline double exponential_phi1(double z) { return z == 0 ? 1 : std::expm1(z) / z; }

/// e^Z and phi_1(Z) = Z^{-1} (e^Z - 1) for Z = h A, kept while h and A stay the same.
struct ExponentialOfMatrix {
  using Matrix = Eigen::MatrixXd;

  explicit ExponentialOfMatrix(Index d)
      : a(d, d), z(d, d), exponential(d, d), phi(d, d), product(d, d) {}

  /// By Taylor's series at |Z| <= 1/2 and phi_1(2Z) = (e^Z + 1) phi_1(Z) / 2. No allocation.
  template <class A>
  void update(const A& matrix, Time step) {
    if (known && step == h && matrix == a) return;
    a = matrix;
    h = step;
    known = true;
    z = h * a;
    int doublings = 0;
    for (double norm = z.cwiseAbs().rowwise().sum().maxCoeff(); norm > 0.5 && doublings < 1100;
         norm /= 2)
      ++doublings;
    z *= std::ldexp(1.0, -doublings);
    phi.setIdentity();
    for (int n = 14; n >= 1; --n) {  // phi = 1 + Z/2 (1 + Z/3 (1 + ...))
      product = z.lazyProduct(phi);
      phi = product / (n + 1);
      phi.diagonal().array() += 1;
    }
    exponential = z.lazyProduct(phi);
    exponential.diagonal().array() += 1;
    for (int i = 0; i < doublings; ++i) {
      product = exponential.lazyProduct(phi);
      phi = (phi + product) / 2;
      product = exponential.lazyProduct(exponential);
      exponential.swap(product);
    }
  }

  Matrix a, z, exponential, phi, product;
  Time h = 0;
  bool known = false;
};

}  // namespace detail

/// One exponential Euler step of a SemiLinearProcess on a d x n block:
///
///     y = e^{hA} x + h phi_1(hA) F(x, t) + e^{hA} sum_k g_k(x, t) dw_k
///       = x + h phi_1(hA) f(x, t) + e^{hA} sum_k g_k(x, t) dw_k,    phi_1(z) = (e^z - 1) / z
///
/// For additive noise and diagonal A the noise of component i is sqrt(phi_1(2 h a_i)) g_i dw_i
/// instead: its variance is that of the exact noise, and where F is constant and g too the step
/// has the exact law (as a function of W it is of order 1 then also).
///
/// Converges to  the Ito solution.
/// Order         strong 1/2 (1 for additive noise), weak 1, deterministic 1, for globally Lipschitz
///               f and g.
/// Stability     of the linear part unconditional.
/// Cost          one f and one g; e^{hA} of a matrix once per change of h; no allocation.
/// Source        Lord & Tambue (2013); Jentzen & Kloeden (2009) for additive noise.
struct ExponentialEuler {
  static constexpr std::string_view name = "exponential-euler";
  static constexpr std::string_view source = "Lord & Tambue (2013); Jentzen & Kloeden (2009)";
  static constexpr Calculus calculus = Calculus::ito;

  static constexpr bool supports(NoiseKind kind) { return kind != NoiseKind::none; }
  static constexpr Orders orders(NoiseKind kind) {
    return {.strong = kind == NoiseKind::additive ? 1.0 : 0.5, .weak = 1.0, .deterministic = 1.0};
  }
  static constexpr Evaluations evaluations(NoiseKind) { return {.drift = 1, .diffusion = 1}; }

  template <State X>
  struct Workspace : Scratch<X, 4> {
    Workspace(Index d, Index n) : Scratch<X, 4>(d, n), matrix(d) {}
    detail::ExponentialOfMatrix matrix;
  };

  /// @copydoc EulerMaruyama::step
  template <State X, SemiLinearProcess<X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    auto& [f, noise_dw, sum, column] = w.array;
    evaluate_drift(p, x, t, f);
    noise_dw = noise_term(p, x, t, dw.w, sum, column);
    const auto& linear = p.linear_part();
    using Linear = std::remove_cvref_t<decltype(linear)>;
    if constexpr (detail::Number<Linear>) {
      const double z = h * linear;
      y = x + S(h * detail::exponential_phi1(z)) * f + S(of_noise<P>(z)) * noise_dw;
    } else if constexpr (Linear::ColsAtCompileTime == 1) {
      for (Index i = 0; i < x.rows(); ++i) {
        const double z = h * linear(i);
        y.row(i) = x.row(i) + S(h * detail::exponential_phi1(z)) * f.row(i) +
                   S(of_noise<P>(z)) * noise_dw.row(i);
      }
    } else {
      w.matrix.update(linear, h);
      y = x;
      for (Index i = 0; i < x.rows(); ++i)
        for (Index j = 0; j < x.rows(); ++j)
          y.row(i) += S(h * w.matrix.phi(i, j)) * f.row(j) +
                      S(w.matrix.exponential(i, j)) * noise_dw.row(j);
    }
  }

 private:
  template <class P>
  static double of_noise(double z) {
    if constexpr (noise_kind<P> == NoiseKind::additive)
      return std::sqrt(detail::exponential_phi1(2 * z));
    else
      return std::exp(z);
  }
};

}  // namespace fokker
