#pragma once
/// @file  fokker/solvers/linear/exact_linear.hpp
/// @brief The exact transition of linear SDEs with additive noise, together with their noise.

#include <array>
#include <stdexcept>
#include <string_view>

#include <fokker/solvers/core/linear_process.hpp>
#include <fokker/solvers/core/solver.hpp>

namespace fokker {

namespace detail {

/// The noise of a linear SDE over a step, v = int_0^h e^{(h-s)A} G dW(s) with G = diag(g), in two
/// independent parts: its expectation given dw = W(h) and the rest,
///
///     v = phi_1(hA) G dw + r,    r ~ N(0, R),    R = root root^T
///
/// With c_j(Z) = sqrt(2j+1) sum_{n>=j} n! / ((n-j)! (n+j+1)!) Z^n, the coefficients of e^{uZ} in
/// Legendre's polynomials on [0, 1], R = h sum_{j>=1} c_j(Z) G (c_j(Z) G)^T, Z = h A: summed at
/// |Z| <= 1/2 and doubled, R(2h) = E R E^T + R + h/2 D D^T with E = e^Z, D = (E - 1) phi_1(Z) G.
/// Nothing cancels: R is accurate for small and large h A.
struct LinearTransition {
  using Matrix = Eigen::MatrixXd;

  explicit LinearTransition(Index d);

  /// Updates everything for A, g and h. No allocation.
  void update(const Matrix& linear, const Eigen::VectorXd& noise, Time h);

  ExponentialOfMatrix matrix;
  Eigen::VectorXd g;
  Matrix rest, root;

 private:
  static constexpr int polynomials = 6;  // enough for |Z| <= 1/2

  void start(double step);
  void double_up(double step);
  /// Cholesky's root of `rest` >= 0; a pivot below rounding gives a column of zeros.
  void take_root();

  std::array<Matrix, polynomials> coefficients;
  Matrix power;
  bool known = false;
};

}  // namespace detail

/// One exact step of a LinearProcess dX = (A X + a(t)) dt + g(t) dW on a d x n block:
///
///     y = x + h phi_1(hA) (A x + a) + phi_1(hA) G dw + r,    phi_1(Z) = Z^{-1} (e^Z - 1)
///
/// with G = diag(g), a and g at t + h/2, and r = root xi, xi standard normal beside the path
/// (`dw.normals`), such that (dw, y) has the joint law of the increment of W and of the solution:
/// Cov(dw, y) = h G phi_1(hA)^T and Cov(y) = int_0^h e^{sA} G^2 e^{sA^T} ds. Where a and g do not
/// depend on t, the states on any grid, jointly with W, have the exact law. As a function of W
/// alone the step is exact up to r, of variance O(h^3).
///
/// Converges to  the Ito solution.
/// Order         strong 1; weak 2 and deterministic 2, both exact for constant a and g.
/// Stability     that of the solution.
/// Cost          one f and one g; O(d^2) rows per step; e^{hA} and R again where g changes, or h by
///               more than the rounding of a grid (40 products of matrices, more for stiff A); no
///               allocation.
/// Throws        std::invalid_argument for a process that is not linear.
/// Source        Gillespie (1996) for one dimension; Kloeden & Platen (1992), 4.8, for the
///               solution.
struct ExactLinear {
  static constexpr Facts facts{.name = "exact-linear",
                               .source = "Kloeden & Platen (1992), 4.8",
                               .noise = {NoiseKind::additive},
                               .order = {.strong = 1, .weak = 2, .deterministic = 2},
                               .condition = "linear SDEs",
                               .cost = {.drift = 1, .diffusion = 1},
                               .needs = {.normals = 1}};

  /// Whether a step takes the process; for a type-erased process known at run time only.
  static constexpr bool takes(const auto& process) { return is_linear(process); }

  template <State X>
  struct Workspace : Scratch<X, 4> {
    Workspace(Index d, Index n)
        : Scratch<X, 4>(d, n), linear(d, d), noise(Eigen::VectorXd::Zero(d)), transition(d) {}
    Eigen::MatrixXd linear;
    Eigen::VectorXd noise;
    detail::LinearTransition transition;
  };

  /// @copydoc EulerMaruyama::step
  template <State X, LinearProcessFor<ExactLinear, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    if (!takes(p))
      throw std::invalid_argument(
          "exact-linear takes linear SDEs with additive noise, and this process is not linear: "
          "choose a solver for any drift such as sra1");
    auto& [f, v, sum, column] = w.array;
    const Time middle = t + h / 2;
    const Index d = x.rows();
    v = noise_term(p, x, middle, X::Ones(d, x.cols()), sum, column);
    w.noise = v.col(0).matrix().template cast<double>();
    evaluate_linear_part(p, w.linear);
    w.transition.update(w.linear, w.noise, h);
    // Drift and noise share phi_1: f + G dw / h.
    evaluate_drift(p, x, middle, f);
    v *= dw.w;
    f = S(h) * f + v;
    y = x;
    for (Index i = 0; i < d; ++i) {
      for (Index j = 0; j < d; ++j)
        if (const double phi = w.transition.matrix.phi_of_step()(i, j); phi != 0)
          y.row(i) += S(phi) * f.row(j);
      for (Index j = 0; j <= i; ++j)
        if (const double r = w.transition.root(i, j); r != 0) y.row(i) += S(r) * dw.normals.row(j);
    }
  }
};

}  // namespace fokker
