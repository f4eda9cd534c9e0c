#pragma once
/// @file  fokker/solvers/calculus.hpp
/// @brief Ito and Stratonovich forms of one process, converted into each other.

#include <utility>

#include <fokker/solvers/process.hpp>

namespace fokker {

/// The process P written in the other calculus: the same solution, the drift shifted by
/// c = 1/2 (g . grad) g, which is subtracted from an Ito drift and added to a Stratonovich one.
/// Diagonal: c_i = 1/2 g_i dg_i/dx_i; scalar: the process gives (g . grad) g itself. No allocation
/// where the coefficients return.
/// Source: Kloeden & Platen (1992), section 4.9.
template <class P>
struct Converted {
  static constexpr NoiseKind noise = noise_kind<P>;
  static constexpr Clock clock = clock_of<P>;
  static constexpr Calculus calculus =
      calculus_of<P> == Calculus::ito ? Calculus::stratonovich : Calculus::ito;

  P base;

  Index dimension() const { return dimension_of(base); }

  template <State X>
  void drift(const X& x, Time t, X& out) const {
    using S = typename X::Scalar;
    constexpr S sign = calculus == Calculus::ito ? S(0.5) : S(-0.5);
    evaluate_drift(base, x, t, out);
    if constexpr (requires {
                    base.diffusion(x, t);
                    base.diffusion_slope(x, t);
                  }) {
      if constexpr (noise == NoiseKind::diagonal)
        out += sign * base.diffusion(x, t) * base.diffusion_slope(x, t);
      else
        out += sign * base.diffusion_slope(x, t);
    } else {  // coefficients that write need room
      X slope(x.rows(), x.cols()), g(x.rows(), x.cols());
      detail::assign(slope, fokker::diffusion_slope(base, x, t, slope));
      if constexpr (noise == NoiseKind::diagonal) slope *= fokker::diffusion(base, x, t, g);
      out += sign * slope;
    }
  }
  decltype(auto) diffusion(const auto& x, Time t) const requires requires { base.diffusion(x, t); }
  { return base.diffusion(x, t); }
  void diffusion(const auto& x, Time t, auto& out) const requires requires {
    base.diffusion(x, t, out);
  }
  { base.diffusion(x, t, out); }
  decltype(auto) diffusion_slope(const auto& x, Time t) const requires requires {
    base.diffusion_slope(x, t);
  }
  { return base.diffusion_slope(x, t); }
  void diffusion_slope(const auto& x, Time t, auto& out) const requires requires {
    base.diffusion_slope(x, t, out);
  }
  { base.diffusion_slope(x, t, out); }
  bool has_diffusion_slope() const requires requires { base.has_diffusion_slope(); }
  { return base.has_diffusion_slope(); }
};

namespace detail {

template <Calculus wanted, class P>
auto convert(P process) {
  if constexpr (calculus_of<P> == wanted || noise_kind<P> == NoiseKind::none ||
                noise_kind<P> == NoiseKind::additive) {
    return process;
  } else {
    static_assert(
        !by_columns(noise_kind<P>),
        "to_ito / to_stratonovich know scalar and diagonal noise: for commutative and general "
        "noise write the corrected drift in the process itself");
    static_assert(HasDiffusionSlope<P, Block<double>>,
                  "to_ito / to_stratonovich need the slope of the diffusion coefficient: give the "
                  "process a member diffusion_slope(x, t)");
    return Converted<P>{std::move(process)};
  }
}

}  // namespace detail

/// The process in Stratonovich form (itself if it is one, or if the noise is additive).
template <class P>
auto to_stratonovich(P process) {
  return detail::convert<Calculus::stratonovich>(std::move(process));
}

/// The process in Ito form (itself if it is one, or if the noise is additive).
template <class P>
auto to_ito(P process) {
  return detail::convert<Calculus::ito>(std::move(process));
}

}  // namespace fokker
