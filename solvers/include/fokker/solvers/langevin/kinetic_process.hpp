#pragma once
/// @file  fokker/solvers/langevin/kinetic_process.hpp
/// @brief Underdamped Langevin processes: the structure that Langevin solvers use.

#include <fokker/solvers/core/solver.hpp>

namespace fokker {

/// Half of the rows of a state X = (q, v): the positions or the velocities.
template <State X>
using HalfState =
    Eigen::Array<typename X::Scalar,
                 X::RowsAtCompileTime == Eigen::Dynamic ? Eigen::Dynamic : X::RowsAtCompileTime / 2,
                 X::ColsAtCompileTime,
                 X::ColsAtCompileTime == 1 ? Eigen::ColMajor : Eigen::RowMajor>;

/// A process with additive noise and X = (q, v), positions above velocities,
///
///     dq = v dt
///     dv = (a(q) - gamma v) dt + sqrt(2 gamma u) dW
///
/// that has `friction()` = gamma > 0, `velocity_variance()` = u > 0 (kT / m) and `acceleration(q)`
/// = a(q) = -V'(q) / m on the d/2 x n positions, returned like a coefficient or written into a
/// second argument. They must agree with its drift and diffusion, which is not checked.
template <class P, class X>
concept KineticProcess = Process<P, X> && noise_kind<P>
== NoiseKind::additive&& requires(const P& p, const HalfState<X>& q, HalfState<X>& out) {
  { p.friction() } -> std::convertible_to<double>;
  { p.velocity_variance() } -> std::convertible_to<double>;
  requires requires { p.acceleration(q); } || requires {
    p.acceleration(q, out);
  };
};

/// out = a(q).
template <class P, State Q>
void evaluate_acceleration(const P& p, const Q& q, Q& out) {
  if constexpr (requires { p.acceleration(q, out); })
    p.acceleration(q, out);
  else
    detail::assign(out,
                   detail::materialise(out, [&]() -> decltype(auto) { return p.acceleration(q); }));
}

/// `count` arrays of d/2 x n: the scratch of a step on (q, v).
template <State X, int count>
struct HalfScratch : Scratch<HalfState<X>, count> {
  HalfScratch(Index d, Index n) : Scratch<HalfState<X>, count>(d / 2, n) {}
};

}  // namespace fokker
