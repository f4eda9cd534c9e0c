#pragma once
/// @file  fokker/solvers/core/linear_process.hpp
/// @brief Processes with a linear part of the drift, and linear processes.

#include <cmath>

#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/core/solver.hpp>

namespace fokker {

namespace detail {

template <class P>
inline constexpr bool gives_linear_part = [] {
  constexpr bool returns = requires(const P& p) { p.linear_part(); };
  constexpr bool writes = requires(const P& p, Eigen::MatrixXd& out) { p.linear_part(out); };
  return returns || writes;
}();

template <class P>
inline constexpr bool gives_linear_noise = [] {
  constexpr bool whole = requires(const P& p) { p.linear_diffusion(); };
  constexpr bool column = requires(const P& p) { p.linear_diffusion(Index{}); };
  constexpr bool writes = requires(const P& p, Eigen::MatrixXd& out) {
    p.linear_diffusion(Index{}, out);
  };
  return noise_kind<P> == NoiseKind::none || noise_kind<P> == NoiseKind::additive || whole ||
         column || writes;
}();

template <class P>
inline constexpr bool gives_linear =
    gives_linear_part<P>&& gives_linear_noise<P>&& requires(const P& p) {
  p.linear();
};

}  // namespace detail

/// A process whose drift is A x + F(x, t) and that gives A as `linear_part()`: a number a for
/// A = a I, an array of d numbers for a diagonal matrix, or a d x d matrix. A has to contain what
/// is stiff; F is arbitrary. A type-erased process writes A, `linear_part(out)`, and has
/// `has_linear_part()`.
template <class P, class X>
concept SemiLinearProcess = Process<P, X> && detail::gives_linear_part<P>;

/// A semi-linear process that reports whether it is linear, `linear()`:
///
///     dX = (A X + a(t)) dt + sum_k (B_k X + b_k(t)) dW_k,    A = linear_part()
///
/// Where the noise is not additive it gives B too: `linear_diffusion(k)`, a number, an array of d
/// numbers or a d x d matrix as for A. For scalar noise k may be left out. For diagonal noise it is
/// `linear_diffusion()`, the slope of each g_i: a number for all or an array of d numbers. What a
/// and b_k are follows from the coefficients.
template <class P, class X>
concept LinearProcess = SemiLinearProcess<P, X> && detail::gives_linear<P>;

/// A linear process with noise that the method M takes.
template <class P, class M, class X>
concept LinearProcessFor = LinearProcess<P, X> && ProcessFor<P, M, X>;

/// Whether p has a linear part of its drift; known at run time for a type-erased process.
template <class P>
constexpr bool has_linear_part(const P& p) {
  if constexpr (requires { p.has_linear_part(); })
    return p.has_linear_part();
  else
    return detail::gives_linear_part<P>;
}

/// Whether p is linear and gives what belongs to it (see LinearProcess).
template <class P>
constexpr bool is_linear(const P& p) {
  if constexpr (detail::gives_linear<P>)
    return p.linear();
  else
    return false;
}

namespace detail {

/// out = the matrix that a number, an array or a matrix stands for; out is d x d.
template <class L>
void fill_matrix(const L& linear, Eigen::MatrixXd& out) {
  if constexpr (Number<L>) {
    out.setZero();
    out.diagonal().setConstant(linear);
  } else if constexpr (L::ColsAtCompileTime == 1) {
    out.setZero();
    out.diagonal() = linear.matrix();
  } else {
    out = linear;
  }
}

}  // namespace detail

/// out = A. @param out  d x d  @pre has_linear_part(p)
template <class P>
void evaluate_linear_part(const P& p, Eigen::MatrixXd& out) {
  if constexpr (requires { p.linear_part(out); })
    p.linear_part(out);
  else
    detail::fill_matrix(p.linear_part(), out);
}

/// out = B_k. @param out  d x d  @pre is_linear(p), and the noise is not additive
template <class P>
void evaluate_linear_diffusion(const P& p, Index k, Eigen::MatrixXd& out) {
  if constexpr (requires { p.linear_diffusion(k, out); }) {
    p.linear_diffusion(k, out);
  } else if constexpr (noise_kind<P> == NoiseKind::diagonal) {
    const auto& diagonal = p.linear_diffusion();
    out.setZero();
    if constexpr (detail::Number<decltype(diagonal)>)
      out(k, k) = diagonal;
    else
      out(k, k) = diagonal(k);
  } else if constexpr (requires { p.linear_diffusion(k); }) {
    detail::fill_matrix(p.linear_diffusion(k), out);
  } else {
    detail::fill_matrix(p.linear_diffusion(), out);
  }
}

namespace detail {

/// (e^z - 1) / z.
inline double exponential_phi1(double z) { return z == 0 ? 1 : std::expm1(z) / z; }

/// Terms of Taylor's series for the functions of a matrix of norm at most 1/2.
inline constexpr int taylor_terms = 14;

/// e^Z and phi_1(Z) = Z^{-1} (e^Z - 1) for Z = h A, kept while A stays the same and h up to the
/// rounding of a time grid: a step h + e with e so small that (e |A|)^2 and (e / h)^2 are below
/// rounding takes phi_1 by its derivative, (h phi_1 + e e^{hA}) / (h + e).
struct ExponentialOfMatrix {
  using Matrix = Eigen::MatrixXd;

  explicit ExponentialOfMatrix(Index d);

  /// By Taylor's series at |Z| <= 1/2 and phi_1(2Z) = (e^Z + 1) phi_1(Z) / 2. No allocation.
  /// @return  whether h or A had changed by more than that
  bool update(const Matrix& matrix, Time step);

  /// phi_1 of the step of the last update.
  const Matrix& phi_of_step() const { return exact ? phi : corrected; }

  /// Z = 2^{-doublings} h A with |Z| <= 1/2, and its functions. @return doublings
  int start();

  /// Z becomes 2 Z in e^Z and phi_1(Z).
  void double_up();

  Matrix a, z, exponential, phi, product, corrected;
  Time h = 0;
  double norm = 0;  ///< |A|
  bool known = false;
  bool diagonal = false;  ///< A is
  bool exact = true;      ///< the step of the last update is h to the last bit
};

}  // namespace detail

}  // namespace fokker
