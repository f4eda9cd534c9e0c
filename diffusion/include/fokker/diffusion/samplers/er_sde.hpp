#pragma once
/// @file  fokker/diffusion/samplers/er_sde.hpp
/// @brief ER-SDE solvers: a noise scale phi of one's choice, the denoiser interpolated in sigma.

#include <algorithm>

#include <fokker/diffusion/detail/gauss_legendre.hpp>
#include <fokker/diffusion/samplers/interpolated_denoiser.hpp>
#include <fokker/diffusion/samplers/parameter.hpp>

namespace fokker {

/// phi of the extended reverse SDE, raised by eta so that eta = 0 is the probability flow:
///   power        sigma^(1 + eta^2): the reverse SDE with this eta
///   recommended  sigma (e^(sigma^0.3) + 10)^(eta^2): for eta = 1 the authors' choice (SDE 5)
enum class NoiseScale { power, recommended };

namespace detail {

/// phi = sigma exp(c); D interpolated in sigma.
struct NoiseScaleRule {
  NoiseScale scale;

  static double position(double sigma) { return -sigma; }

  double damping(double sigma, double next, double eta) const {
    return eta == 0 ? 0 : eta * eta * std::max(0.0, growth(sigma, next));
  }

  /// With u = (sigma - s) / (sigma - sigma') the moment of u^k, k > 0, is the integral of
  /// k u^(k-1) (1 - E) du, here in ln s by Gauss's rule of five points on pieces of a length of at
  /// most 1/2.
  template <std::size_t n>
  std::array<double, n> moments(double sigma, double next, double eta) const {
    const auto lack = [&](double s) {  // 1 - E
      return -std::expm1(-(std::log(s / next) + damping(s, next, eta)));
    };
    std::array<double, n> m{lack(sigma)};
    if (n == 1 || !std::isfinite(sigma)) return m;
    const auto& gauss = gauss_legendre<5>();
    const double length = std::log(sigma / next);
    const int pieces = 1 + static_cast<int>(2 * length);
    const double half = 0.5 * length / pieces;
    for (int i = 0; i < pieces; ++i)
      for (std::size_t q = 0; q < gauss.node.size(); ++q) {
        const double above = half * (2 * i + 1 + gauss.node[q]);  // ln(s / sigma')
        const double s = next * std::exp(above), u = (sigma - s) / (sigma - next);
        double term = half * gauss.weight[q] * s / (sigma - next) * lack(s);
        for (std::size_t k = 1; k < n; ++k) {
          m[k] += static_cast<double>(k) * term;
          term *= u;
        }
      }
    return m;
  }

 private:
  /// ln(phi/sigma) at s less that at `next`, for eta = 1.
  double growth(double s, double next) const {
    if (scale == NoiseScale::power) return std::log(s / next);
    const auto log_factor = [](double v) {
      const double e = std::pow(v, 0.3);
      return e + std::log1p(10 * std::exp(-e));
    };
    return log_factor(s) - log_factor(next);
  }
};

template <std::size_t count>
struct ErSdeMethod {
  static constexpr std::size_t points = count;
  static constexpr std::array<std::string_view, 3> names{"er-sde-1", "er-sde-2", "er-sde-3"};
  static constexpr Facts facts = reverse_facts(
      names[count - 1], "Cui et al. (2023), arXiv 2309.06169, algorithm 1-3",
      {.strong = 1, .weak = std::min(count, std::size_t{2}), .deterministic = count}, 1, count > 1);

  int power = 0;  ///< 1 for NoiseScale::power

  constexpr bool has_own_noise() const { return power == 0; }
  NoiseScaleRule rule() const { return {power != 0 ? NoiseScale::power : NoiseScale::recommended}; }
};

}  // namespace detail

/// ER-SDE-Solver-1, -2 and -3 (points 1, 2, 3): D frozen, on a straight line or on a parabola in
/// sigma, for the noise scale phi:
///
///     z' = r z + integral of D dE + sqrt(sigma'^2 - sigma^2 r^2) xi,  r = phi(sigma')/phi(sigma)
///
/// Converges to  the SDE of its noise scale, whose marginals are those of the model: for
///               NoiseScale::power the reverse SDE with its eta, for the recommended one the
///               reverse SDE with eta times a factor that falls with sigma.
/// Order         strong 1, weak 1, 2 and 2, deterministic 1, 2 and 3. The published third solver
///               takes the difference quotient for the slope, which makes it 2.
/// Cost          one denoiser; no allocation.
/// Ends          at t' = 0 in s' D.
/// Source        Cui et al. (2023), arXiv 2309.06169, algorithms 1 to 3 and appendix A.8.
template <std::size_t points>
struct ErSde : detail::InterpolatedDenoiser<detail::ErSdeMethod<points>> {
  static constexpr auto parameters() {
    return std::array{
        SamplerParameter<ErSde>{"power", static_cast<int ErSde::*>(&ErSde::power),
                                "1: noise scale sigma^(1 + eta^2), 0: the authors' own"}};
  }
  void validate() const {
    detail::require_parameter(this->power == 0 || this->power == 1, ErSde::facts.name,
                              "power 0 or 1", this->power);
  }

  /// @throws std::invalid_argument  for a negative eta, and as validate
  void check(const DiffusionModel auto& model) const {
    detail::InterpolatedDenoiser<detail::ErSdeMethod<points>>::check(model);
    validate();
  }
};

}  // namespace fokker
