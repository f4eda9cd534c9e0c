#pragma once
/// @file  sde_problems.hpp
/// @brief One problem in two dimensions with every kind of noise, as a process and, for the
/// formulas
///        that a step is compared with, on plain numbers: f = (sin x_1 + t, x_0 - x_1^2 / 2).

#include <array>
#include <cmath>
#include <type_traits>

#include <fokker/solvers/core/process.hpp>

namespace sde_problems {

using namespace fokker;

/// f on plain numbers.
template <class Vector>
Vector drift_of(const Vector& x, double t) {
  return {std::sin(x[1]) + t, x[0] - 0.5 * x[1] * x[1]};
}

/// (g_0, g_1) of additive, scalar or diagonal noise on plain numbers: of additive and diagonal
/// noise W_0 and W_1 drive the components, of scalar noise W_0 both.
template <class Vector>
Vector diffusion_of(NoiseKind kind, const Vector& x, double t) {
  switch (kind) {
    case NoiseKind::additive:
      return {1 + t, 0.5 * t * t};
    case NoiseKind::scalar:
      return {std::cos(x[1]) + t, x[0] * x[1]};
    default:
      return {std::cos(x[0]) + t, 0.5 + x[1] * x[1]};
  }
}

template <NoiseKind kind, Calculus c>
struct Problem {
  static constexpr Calculus calculus = c;
  static constexpr NoiseKind noise = kind;
  void drift(const auto& x, Time t, auto& out) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    out.row(0) = x.row(1).sin() + S(t);
    out.row(1) = x.row(0) - S(0.5) * x.row(1).square();
  }
};

template <Calculus c>
struct Additive : Problem<NoiseKind::additive, c> {
  PathState<double, 2> diffusion(Time t) const { return {1 + t, 0.5 * t * t}; }
};

template <Calculus c>
struct Scalar : Problem<NoiseKind::scalar, c> {
  void diffusion(const auto& x, Time t, auto& out) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    out.row(0) = x.row(1).cos() + S(t);
    out.row(1) = x.row(0) * x.row(1);
  }
};

template <Calculus c>
struct Diagonal : Problem<NoiseKind::diagonal, c> {
  void diffusion(const auto& x, Time t, auto& out) const {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    out.row(0) = x.row(0).cos() + S(t);
    out.row(1) = S(0.5) + x.row(1).square();
  }
};

}  // namespace sde_problems
