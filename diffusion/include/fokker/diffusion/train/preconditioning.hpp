#pragma once
/// @file  fokker/diffusion/train/preconditioning.hpp
/// @brief How a network becomes a denoiser, and what it is trained on: the columns of EDM's table.
///
/// A network F sees scaled input and gives scaled output,
///
///     D(x; sigma) = c_skip x + c_out F(c_in x, c_noise),      x = x0 + sigma eps,
///
/// and is trained on sigma from a law of its own with the loss weight |D - x0|^2:
///
///                VP                   VE            iDDPM                EDM
///     c_skip     1                    1             1                    v^2 / r^2
///     c_out      -sigma               sigma         -sigma               sigma v / r
///     c_in       1/sqrt(sigma^2 + 1)  1             1/sqrt(sigma^2 + 1)  1 / r
///     c_noise    (M - 1) t(sigma)     ln(sigma/2)   M - 1 - level        ln(sigma) / 4
///     weight     1/sigma^2            1/sigma^2     1/sigma^2            (r / (sigma v))^2
///     law of     t ~ U(1e-5, 1)       ln sigma      a level              ln sigma
///     sigma                           uniform       at random            ~ N(-1.2, 1.2^2)
///
/// with v the standard deviation of the data and r^2 = sigma^2 + v^2. Source: Karras et al. (2022),
/// arXiv 2206.00364, table 1.

#include <cmath>
#include <concepts>
#include <string_view>
#include <utility>
#include <vector>

#include <fokker/diffusion/schedule/schedules.hpp>
#include <fokker/diffusion/schedule/time_grids.hpp>

namespace fokker {

/// A column of the table. `training_sigma(u)` is the quantile function of the law that sigma is
/// trained on: sigma of that law if u is uniform in (0, 1).
template <class P>
concept Preconditioning = requires(const P& p, double sigma) {
  { p.c_skip(sigma) } -> std::convertible_to<double>;
  { p.c_out(sigma) } -> std::convertible_to<double>;
  { p.c_in(sigma) } -> std::convertible_to<double>;
  { p.c_noise(sigma) } -> std::convertible_to<double>;
  { p.weight(sigma) } -> std::convertible_to<double>;
  { p.training_sigma(sigma) } -> std::convertible_to<double>;
};

/// F predicts the noise eps of a variance preserving process.
struct VpPreconditioning {
  static constexpr std::string_view name = "vp";
  VariancePreserving schedule{};
  double levels = 1000;   ///< M
  double t_least = 1e-5;  ///< training times are uniform from here to 1

  double c_skip(double) const { return 1; }
  double c_out(double sigma) const { return -sigma; }
  double c_in(double sigma) const { return 1 / std::hypot(sigma, 1.0); }
  double c_noise(double sigma) const { return (levels - 1) * schedule.time_of_sigma(sigma); }
  double weight(double sigma) const { return 1 / (sigma * sigma); }
  double training_sigma(double u) const { return schedule.at(t_least + u * (1 - t_least)).sigma; }
};

/// F predicts minus the noise of a variance exploding process.
struct VePreconditioning {
  static constexpr std::string_view name = "ve";
  double sigma_min = 0.02;
  double sigma_max = 100;

  double c_skip(double) const { return 1; }
  double c_out(double sigma) const { return sigma; }
  double c_in(double) const { return 1; }
  double c_noise(double sigma) const { return std::log(0.5 * sigma); }
  double weight(double sigma) const { return 1 / (sigma * sigma); }
  double training_sigma(double u) const { return sigma_min * std::pow(sigma_max / sigma_min, u); }
};

/// F predicts the noise of the discrete levels of iDDPM.
struct IddpmPreconditioning {
  static constexpr std::string_view name = "iddpm";
  std::vector<double> levels = iddpm_levels();  ///< u_0 > ... > u_M = 0

  double c_skip(double) const { return 1; }
  double c_out(double sigma) const { return -sigma; }
  double c_in(double sigma) const { return 1 / std::hypot(sigma, 1.0); }
  double c_noise(double sigma) const;  ///< M - 1 - j of the level u_j that is nearest, j < M
  double weight(double sigma) const { return 1 / (sigma * sigma); }
  double training_sigma(double u) const;
};

/// Input and target of F have unit variance for data of standard deviation sigma_data.
struct EdmPreconditioning {
  static constexpr std::string_view name = "edm";
  double sigma_data = 0.5;
  double log_mean = -1.2;  ///< of ln sigma in training
  double log_std = 1.2;

  double c_skip(double sigma) const;
  double c_out(double sigma) const;
  double c_in(double sigma) const { return 1 / std::hypot(sigma, sigma_data); }
  double c_noise(double sigma) const { return 0.25 * std::log(sigma); }
  double weight(double sigma) const;
  double training_sigma(double u) const;
};

/// A network F(x, c_noise, out) as a denoiser D(x, t, out) of a process, which turns into a score
/// by `score_from_denoiser`; made by `preconditioned_denoiser`. A call allocates one block.
template <class Process, Preconditioning P, class Network>
struct PreconditionedDenoiser {
  /// out = E[x0 | x_t = x] as the network has it. @param x,out  d x n; must not overlap
  template <State X>
  void operator()(const X& x, Time t, X& out) const {
    using S = typename X::Scalar;
    const auto now = process.at(t);
    const double s = now.scale, sigma = now.sigma;
    const X input = static_cast<S>(preconditioning.c_in(sigma) / s) * x;
    network(input, preconditioning.c_noise(sigma), out);
    out = static_cast<S>(preconditioning.c_skip(sigma) / s) * x +
          static_cast<S>(preconditioning.c_out(sigma)) * out;
  }

  Process process;
  P preconditioning;
  Network network;
};

/// The denoiser of a network under a process.
template <class Process, Preconditioning P, class Network>
auto preconditioned_denoiser(Process process, P preconditioning, Network network) {
  return PreconditionedDenoiser<Process, P, Network>{std::move(process), std::move(preconditioning),
                                                     std::move(network)};
}

}  // namespace fokker
