#pragma once
/// @file  fokker/solvers/calculus.hpp
/// @brief Ito and Stratonovich forms of one process, converted into each other.

#include <utility>

#include <fokker/solvers/diffusion_derivative.hpp>
#include <fokker/solvers/process.hpp>

namespace fokker {

/// The process P written in the other calculus: the same solution, the drift shifted by
/// c = 1/2 sum_k (g_k . grad) g_k, which is subtracted from an Ito drift and added to a
/// Stratonovich one. Diagonal noise: c_i = 1/2 g_i dg_i/dx_i. The derivatives are those of
/// `diffusion_slope` or, where the process has none, dual numbers (see diffusion_derivative.hpp).
/// No allocation where the coefficients and slopes of scalar or diagonal noise are returned.
/// Source: Kloeden & Platen (1992), section 4.9.
template <class P>
struct Converted {
  static constexpr NoiseKind noise = noise_kind<P>;
  static constexpr Clock clock = clock_of<P>;
  static constexpr Calculus calculus =
      calculus_of<P> == Calculus::ito ? Calculus::stratonovich : Calculus::ito;

  P base;

  Index dimension() const { return dimension_of(base); }
  Index sources() const requires(by_columns(noise)) { return base.sources(); }

  template <State X>
  void drift(const X& x, Time t, X& out) const {
    using S = typename X::Scalar;
    constexpr S sign = calculus == Calculus::ito ? S(0.5) : S(-0.5);
    evaluate_drift(base, x, t, out);
    if constexpr (!by_columns(noise) && requires {
                    base.diffusion(x, t);
                    base.diffusion_slope(x, t);
                  }) {
      if constexpr (noise == NoiseKind::diagonal)
        out += sign * base.diffusion(x, t) * base.diffusion_slope(x, t);
      else
        out += sign * base.diffusion_slope(x, t);
    } else {
      X derivative(x.rows(), x.cols()), g(x.rows(), x.cols());
      const Index columns = by_columns(noise) ? wiener_dimension(base, x.rows()) : 1;
      for (Index k = 0; k < columns; ++k) {
        evaluate_self_derivative(base, x, t, k, derivative, g);
        out += sign * derivative;
      }
    }
  }
  decltype(auto) diffusion(const auto& x, Time t) const requires requires { base.diffusion(x, t); }
  { return base.diffusion(x, t); }
  /// @param last  out, or k for noise by columns
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
  void diffusion_slope(const auto& x, Time t, Index k, Index l, auto& out) const requires requires {
    base.diffusion_slope(x, t, k, l, out);
  }
  { base.diffusion_slope(x, t, k, l, out); }
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
        DifferentiableDiffusion<P, Block<double>>,
        "to_ito / to_stratonovich need the derivative of the diffusion coefficient: write "
        "it for any scalar (`const auto& x`), or give the process a member "
        "diffusion_slope, (x, t) for scalar and diagonal noise, (x, t, k, l, out) for "
        "noise by columns");
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
