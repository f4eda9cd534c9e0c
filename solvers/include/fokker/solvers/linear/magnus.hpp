#pragma once
/// @file  fokker/solvers/linear/magnus.hpp
/// @brief Magnus steps for linear Ito SDEs: the exponential of a matrix that is random.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include <fokker/solvers/core/column_scratch.hpp>
#include <fokker/solvers/core/linear_process.hpp>
#include <fokker/solvers/core/solver.hpp>

namespace fokker {

/// The Magnus methods, without and with the commutators of the noise (Levy areas).
namespace magnus {

struct WithoutAreas {
  static constexpr std::string_view name = "magnus";
  static constexpr bool areas = false;
};

struct WithAreas {
  static constexpr std::string_view name = "magnus-levy";
  static constexpr bool areas = true;
};

}  // namespace magnus

namespace detail {

/// The scratch of a Magnus step: the random matrix of every path, and the matrices of the process.
template <State X>
struct MagnusWorkspace : ColumnScratch<X, 5> {
  using S = typename X::Scalar;
  static constexpr int rows = X::RowsAtCompileTime;
  static constexpr int entries = rows == Eigen::Dynamic ? Eigen::Dynamic : rows * rows;

  MagnusWorkspace(Index d, Index n)
      : ColumnScratch<X, 5>(d, n), omega(d * d, n), drift(d, d), product(d, d) {}

  Eigen::Array<S, entries, Eigen::Dynamic, Eigen::RowMajor> omega;  ///< Omega_ij in row i + d j
  Eigen::MatrixXd drift, product;
  std::vector<Eigen::MatrixXd> noise;

  /// Omega += matrix times row, path by path.
  template <class Row>
  void add(const Eigen::MatrixXd& matrix, const Row& row) {
    const Index d = matrix.rows();
    for (Index j = 0; j < d; ++j)
      for (Index i = 0; i < d; ++i)
        if (matrix(i, j) != 0) omega.row(i + d * j) += S(matrix(i, j)) * row;
  }

  /// out += scale Omega x, path by path; out is not x.
  void apply(double scale, const X& x, X& out) const {
    const Index d = x.rows();
    for (Index i = 0; i < d; ++i)
      for (Index j = 0; j < d; ++j) out.row(i) += (S(scale) * omega.row(i + d * j)) * x.row(j);
  }
};

/// out += (matrix g) times row, path by path.
template <State X, class Row>
void add_image(const Eigen::MatrixXd& matrix, const X& g, const Row& row, X& out) {
  using S = typename X::Scalar;
  for (Index i = 0; i < matrix.rows(); ++i)
    for (Index j = 0; j < matrix.cols(); ++j)
      if (matrix(i, j) != 0) out.row(i) += (S(matrix(i, j)) * g.row(j)) * row;
}

/// The largest number of parts of a Magnus step; beyond it the block becomes nan.
inline constexpr double most_parts = 1e6;

/// y = the solution at s = 1 of dy/ds = Omega y + c, y(0) = x: e^Omega x for c = 0. By Taylor's
/// series on parts of s so short that |Omega| is at most 1, to the rounding of the scalar.
/// @param v, u  scratch
template <State X>
void exponential_action(const MagnusWorkspace<X>& w, const X& c, const X& x, X& y, X& v, X& u) {
  using S = typename X::Scalar;
  v.setZero();
  for (Index i = 0; i < x.rows(); ++i)
    for (Index j = 0; j < x.rows(); ++j) v.row(i) += w.omega.row(i + x.rows() * j).abs();
  const double norm = static_cast<double>(v.template maxCoeff<Eigen::PropagateNaN>());
  if (!(norm < most_parts)) {
    y.setConstant(std::numeric_limits<S>::quiet_NaN());
    return;
  }
  const double parts = std::max(1.0, std::ceil(norm)), size = norm / parts;
  y = x;
  for (double part = 0; part < parts; ++part) {
    v = S(1 / parts) * c;
    w.apply(1 / parts, y, v);
    y += v;
    double term = 1;
    for (int n = 2; term > std::numeric_limits<S>::epsilon() / 4; ++n) {
      term *= size / n;
      u.setZero();
      w.apply(1 / (parts * n), v, u);
      v.swap(u);
      y += v;
    }
  }
}

}  // namespace detail

/// One Magnus step of a LinearProcess dX = (A X + a(t)) dt + sum_k (B_k X + b_k(t)) dW_k on a
/// d x n block: y = e^Omega x (with a and b_k, taken at t + h/2, as one more column of the
/// matrices), where
///
///     Omega = (A - 1/2 sum_k B_k^2) h + sum_k B_k dw_k
///             [+ sum_{k<l} (B_l B_k - B_k B_l) A_kl  with the areas A_kl = 1/2 (I_kl - I_lk)]
///
/// Converges to  the Ito solution; exact where A and all B_k commute.
/// Order         without areas: strong 1/2 (1 where the B_k commute); with areas: strong 1, if
///               their mean-square error is O(h^{3/2}), as that of LevyAreas is. Weak 1;
///               deterministic 2, exact for constant a.
/// Stability     invariants of every path of the flow, such as the length under skew-symmetric
///               matrices or the sign in one dimension, are kept; the drift is not implicit.
/// Cost          one f and one of all g_k, and d^2 n operations for each term of the series, about
///               15 terms where |Omega| is 1 and in proportion to |Omega| above: for small d and
///               not for stiff A. No allocation after the first step of a workspace. A path with
///               |Omega| above 10^6 makes its block nan.
/// Throws        std::invalid_argument for a process that is not linear.
/// Source        Burrage & Burrage (1999), Physica D 133; Kamm, Pagliarani & Pascucci (2021).
template <class Method>
struct MagnusStep {
  static constexpr Facts facts{
      .name = Method::name,
      .source = "Burrage & Burrage (1999)",
      .noise = Method::areas ? noise_by_columns
                             : NoiseKinds{NoiseKind::scalar, NoiseKind::diagonal,
                                          NoiseKind::commutative, NoiseKind::general},
      .order = {.strong = {1, {.general = Method::areas ? 1 : 0.5}}, .weak = 1, .deterministic = 2},
      .condition = "linear SDEs",
      .cost = {.drift = 1, .diffusion = 1},
      .needs = {.area = Method::areas}};

  /// Whether a step takes the process; for a type-erased process known at run time only.
  static constexpr bool takes(const auto& process) { return is_linear(process); }

  template <State X>
  using Workspace = detail::MagnusWorkspace<X>;

  /// @copydoc EulerMaruyama::step
  template <State X, LinearProcessFor<MagnusStep, X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    if (!takes(p))
      throw std::invalid_argument(std::string(facts.name) +
                                  " takes linear SDEs, and this process is not linear: choose a "
                                  "solver for any drift such as euler-maruyama");
    auto& [zero, c, v, u, one] = w.array;
    zero.setZero();
    one.setOnes();
    w.omega.setZero();
    evaluate_linear_part(p, w.drift);
    c = S(h) * drift(p, zero, t + h / 2, v);
    if constexpr (noise_kind<P> == NoiseKind::diagonal)
      add_diagonal_noise(p, t + h / 2, h, dw, w);
    else
      add_columns(p, t + h / 2, h, dw, w);
    w.drift *= h;
    w.add(w.drift, one.row(0));
    detail::exponential_action(w, c, x, y, v, u);
  }

 private:
  /// The noise in Omega and in c, and its correction in w.drift and in c.
  template <class P, State X>
  static void add_diagonal_noise(const P& p, Time t, Time h, const Increment<P, X>& dw,
                                 Workspace<X>& w) {
    using S = typename X::Scalar;
    auto& [zero, c, v, u, one] = w.array;
    detail::assign(v, diffusion(p, zero, t, v));
    const Index d = v.rows();
    for (Index k = 0; k < d; ++k) {
      evaluate_linear_diffusion(p, k, w.product);
      const double slope = w.product(k, k);
      w.drift(k, k) -= 0.5 * slope * slope;
      w.omega.row(k + d * k) = S(slope) * dw.w.row(k);
      c.row(k) += v.row(k) * (dw.w.row(k) - S(0.5 * h * slope));
    }
  }

  template <class P, State X>
  static void add_columns(const P& p, Time t, Time h, const Increment<P, X>& dw, Workspace<X>& w) {
    using S = typename X::Scalar;
    auto& [zero, c, v, u, one] = w.array;
    const Index m = wiener_dimension(p, zero.rows());
    std::vector<X>& b = w.columns(m);
    w.noise.resize(static_cast<std::size_t>(m), w.product);
    for (Index k = 0; k < m; ++k) {
      X& g = b[static_cast<std::size_t>(k)];
      Eigen::MatrixXd& B = w.noise[static_cast<std::size_t>(k)];
      if constexpr (noise_kind<P> == NoiseKind::scalar)
        detail::assign(g, diffusion(p, zero, t, g));
      else
        detail::assign(g, diffusion(p, zero, t, k, g));
      evaluate_linear_diffusion(p, k, B);
      w.drift -= 0.5 * B.lazyProduct(B);
      w.add(B, dw.w.row(k));
      for (Index i = 0; i < g.rows(); ++i) c.row(i) += g.row(i) * dw.w.row(k);
      u = S(-0.5 * h) * one;
      detail::add_image(B, g, u.row(0), c);
    }
    if constexpr (Method::areas)
      for (Index l = 1; l < m; ++l)
        for (Index k = 0; k < l; ++k) {
          const auto i = static_cast<std::size_t>(k), j = static_cast<std::size_t>(l);
          const auto area = dw.area.row(area_row(k, l));
          w.product = w.noise[j].lazyProduct(w.noise[i]);
          w.product -= w.noise[i].lazyProduct(w.noise[j]);
          w.add(w.product, area);
          detail::add_image(w.noise[j], b[i], area, c);
          detail::add_image(w.noise[i], b[j], -area, c);
        }
  }
};

using Magnus = MagnusStep<magnus::WithoutAreas>;
using MagnusLevy = MagnusStep<magnus::WithAreas>;

}  // namespace fokker
