#pragma once
/// @file  fokker/diffusion/data/sphere.hpp
/// @brief The uniform law on a sphere, with the exact score of its noised self.
///
/// With x = s x0 + std eps, |x0| = R in d dimensions, n = x / |x|, kappa = s R |x| / std^2 and the
/// ratio of modified Bessel functions A = I_{d/2}(kappa) / I_{d/2-1}(kappa),
///
///     score      -x / std^2 + (s R / std^2) A n
///     E[x0|x]    R A n
///     Cov[x0|x]  R^2 ((1 - A^2 - (d - 1) A / kappa) n n^T + (A / kappa) (I - n n^T))
///
/// x0 given x is the von Mises-Fisher law with concentration kappa (Mardia and Jupp, Directional
/// Statistics, section 9.3.2).

#include <fokker/diffusion/data/any_data.hpp>

namespace fokker {

/// x0 uniform on the sphere |x0| = R in d dimensions: {-R, R} for d = 1, a circle for d = 2. O(d)
/// per path; exact to rounding for every kappa and d in the thousands. A and 1 - A come from
/// Perron's continued fraction (Gautschi and Slavik 1978), which takes some tens of terms at most,
/// and the log density from the uniform expansion of I in its order (Abramowitz and Stegun 9.7.7).
class Sphere : public AnyData {
 public:
  /// @param dimension  d >= 1
  /// @param radius     R > 0
  /// @throws std::invalid_argument  otherwise
  explicit Sphere(Index dimension, double radius = 1);

  /// Radius of the sphere.
  double radius() const;
};

}  // namespace fokker
