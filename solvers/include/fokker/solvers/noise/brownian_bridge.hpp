#pragma once
/// @file  fokker/solvers/noise/brownian_bridge.hpp
/// @brief Brownian bridges between the two ends of a step: its extremum, whether and when it meets
///        a level.

#include <cmath>
#include <cstdint>
#include <numbers>
#include <optional>

#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/noise/random.hpp>

namespace fokker {

/// The maximum of a Brownian bridge from a to b, by inversion of its law
///
///     P(maximum > y) = exp(-2 (y - a) (y - b) / variance),    y >= max(a, b)
///
/// exact for constant noise and drift, on which the bridge does not depend. Never below the ends;
/// nan where one of them is.
/// @param variance  g^2 h >= 0; at 0 the higher end is returned
/// @param u         uniform in (0, 1): the probability that the maximum exceeds what is returned
/// Source: Karatzas & Shreve (1991), 4.3; Glasserman (2004), 6.4.
inline double bridge_maximum(double a, double b, double variance, double u) {
  const double difference = std::abs(a - b);
  const double noise = std::sqrt(variance) * std::sqrt(-2 * std::log(u));
  const double above = noise > 0 ? noise / (difference + std::hypot(difference, noise)) : 0;
  return 0.5 * noise * above + (a > b || std::isnan(a) ? a : b);
}

/// The minimum of a Brownian bridge from a to b; see bridge_maximum.
inline double bridge_minimum(double a, double b, double variance, double u) {
  return -bridge_maximum(-a, -b, variance, u);
}

namespace detail {

/// The first meeting of a level b within a step [t, t + h] whose ends X(t) and X(t + h) are known
/// and between which X is a Brownian bridge of variance rate g^2. With a = X(t) - b, c = X(t + h) -
/// b of one sign,
///
///     P(b is met) = exp(-2 a c / (g^2 h)),
///
/// and it is certain where the signs differ. Where b is met at tau, tau / (h - tau) follows the
/// inverse Gaussian law of mean |a / c| and shape a^2 / (g^2 h). Both are exact for constant drift
/// and g, whatever h; the bridge does not depend on the drift.
/// Source: Karatzas & Shreve (1991), 4.3; the sampling is by Michael, Schucany & Haas (1976).
class BridgePassage {
 public:
  /// Draws from the path's stream of Purpose::crossing, only where the answer is open.
  BridgePassage(Seed seed, std::uint64_t path) : lane_(seed, path, 1, Purpose::crossing) {}

  /// The fraction of the step after which the level is first met, in (0, 1]; empty if it is not.
  /// @param from, to  a and c, from != 0
  /// @param variance  g^2 h > 0
  std::optional<double> operator()(double from, double to, double variance) {
    if (from * to > 0) {
      const double exponent = 2 * from * to / variance;
      constexpr double never = 37;  // -log of less than the smallest uniform
      if (!(exponent < never) || -std::log(uniform()) < exponent) return {};
    }
    return meeting(std::abs(from), std::abs(to), variance);
  }

 private:
  double uniform() {
    double u = 0;
    lane_.uniform(&u);
    return u;
  }

  /// s / (1 + s), s of the inverse Gaussian law of mean a / c and shape a^2 / variance.
  double meeting(double a, double c, double variance) {
    const double radius = -2 * std::log(uniform());
    const double cosine = std::cos(2 * std::numbers::pi * uniform());
    const double squared_normal = radius * cosine * cosine;
    if (c == 0) return a * a / (a * a + squared_normal * variance);
    const double k = squared_normal * variance / (2 * a * c);
    const double root = 1 / (1 + k + std::sqrt(k * (k + 2)));  // of the smaller s, times c / a
    return uniform() * (1 + root) <= 1 ? a * root / (c + a * root) : a / (c * root + a);
  }

  StreamLanes lane_;
};

/// out = sum_k g_ik(x, t)^2 for component i of every path: the rate of its quadratic variation.
/// @param sum, column  scratch of the shape of x
template <class P, State X>
void component_variance(const P& p, const X& x, Time t, Index i, X& sum, X& column,
                        Eigen::Array<double, 1, Eigen::Dynamic>& out) {
  [[maybe_unused]] const auto squared = [](auto g) {
    return static_cast<double>(g) * static_cast<double>(g);
  };
  if constexpr (noise_kind<P> == NoiseKind::none) {
    out.setZero(x.cols());
  } else if constexpr (by_columns(noise_kind<P>)) {
    out.setZero(x.cols());
    for (Index k = 0; k < p.sources(); ++k) {
      assign(column, diffusion(p, x, t, k, column));
      for (Index j = 0; j < x.cols(); ++j) out[j] += squared(column(i, j));
    }
  } else {  // one source drives the component: sum_k g_ik 1 is its coefficient
    using W = typename Increment<P, X>::W;
    assign(sum, noise_term(p, x, t, W::Ones(wiener_dimension(p, x.rows()), x.cols()), sum, column));
    out.resize(x.cols());
    for (Index j = 0; j < x.cols(); ++j) out[j] = squared(sum(i, j));
  }
}

}  // namespace detail
}  // namespace fokker
