#pragma once
/// @file  fokker/solvers/core/calculus.hpp
/// @brief Ito and Stratonovich forms of one process, converted into each other.

#include <utility>

#include <fokker/solvers/core/directional_derivative.hpp>
#include <fokker/solvers/core/process.hpp>

namespace fokker {

/// The process P written in the other calculus: the same solution, the drift shifted by
///
///     c = 1/2 sum_k (g_k . grad) g_k,
///
/// which is subtracted from an Ito drift and added to a Stratonovich one. Diagonal noise:
/// c_i = 1/2 g_i dg_i/dx_i. Where scalar or diagonal noise has its `diffusion_slope`, c is exact
/// and nothing is allocated where the coefficients return; else the derivatives are central
/// differences with an error of about 1e-12 (directional_derivative.hpp), for five evaluations of
/// each g_k. Source: Kloeden & Platen (1992), section 4.9.
template <class P>
struct Converted {
  static constexpr NoiseKind noise = noise_kind<P>;
  static constexpr Clock clock = clock_of<P>;
  static constexpr Calculus calculus =
      calculus_of<P> == Calculus::ito ? Calculus::stratonovich : Calculus::ito;

  P base;

  Index dimension() const { return dimension_of(base); }
  Index sources() const requires(by_columns(noise)) { return base.sources(); }
  decltype(auto) domain(Index i) const requires requires { base.domain(i); }
  { return base.domain(i); }

  template <State X>
  void drift(const X& x, Time t, X& out) const {
    using S = typename X::Scalar;
    constexpr S sign = calculus == Calculus::ito ? S(0.5) : S(-0.5);
    evaluate_drift(base, x, t, out);
    if constexpr (HasDiffusionSlope<P, X>) {
      if (fokker::has_diffusion_slope<X>(base)) {
        add_slope(x, t, sign, out);
        return;
      }
    }
    X slope(x.rows(), x.cols());
    const Index columns = by_columns(noise) ? wiener_dimension(base, x.rows()) : 1;
    for (Index k = 0; k < columns; ++k) {
      detail::along_itself(base, x, t, k, slope);
      out += sign * slope;
    }
  }
  decltype(auto) diffusion(const auto& x, Time t) const requires requires { base.diffusion(x, t); }
  { return base.diffusion(x, t); }
  decltype(auto) diffusion(const auto& x, Time t, auto&& last) const requires requires {
    base.diffusion(x, t, last);
  }
  { return base.diffusion(x, t, last); }
  void diffusion(const auto& x, Time t, Index k, auto& out) const requires requires {
    base.diffusion(x, t, k, out);
  }
  { base.diffusion(x, t, k, out); }
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

 private:
  /// out += sign (g . grad) g by the slope that the process gives.
  template <State X>
  void add_slope(const X& x, Time t, typename X::Scalar sign, X& out) const {
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
};

namespace detail {

template <Calculus wanted, class P>
auto convert(P process) {
  if constexpr (calculus_of<P> == wanted || noise_kind<P> == NoiseKind::none ||
                noise_kind<P> == NoiseKind::additive) {
    return process;
  } else {
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
