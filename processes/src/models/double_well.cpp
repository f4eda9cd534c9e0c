/// @file  double_well.cpp
/// @brief The normalizer of the stationary law of the double well.

#include <cmath>
#include <numbers>

#include <boost/math/special_functions/bessel.hpp>

#include <fokker/processes/models/double_well.hpp>

namespace fokker::detail {

// The integral of exp(-(x^2 - 1)^2 / (2 sigma^2)) is pi/2 e^{-z} (I_{-1/4}(z) + I_{1/4}(z)) with
// z = 1 / (4 sigma^2) (Gradshteyn & Ryzhik 3.323.3); where e^z overflows, the expansion of I for
// large z (Abramowitz & Stegun 9.7.1), which is the same for both orders. The first terms of both
// expansions are taken by the logarithm of sigma, whose square can leave the doubles.
double double_well_log_normalizer(double sigma) {
  const double z = 1 / (4 * sigma * sigma);
  constexpr double half_pi = std::numbers::pi / 2;
  constexpr double flat = 1e-20;  // below it I_{-1/4}(z) is (z/2)^{-1/4} / Gamma(3/4) to rounding
  if (z < flat)
    return std::log(half_pi) + 0.25 * std::log(8.0) + 0.5 * std::log(sigma) - std::lgamma(0.75);
  if (z < 500)
    return std::log(half_pi *
                    (boost::math::cyl_bessel_i(-0.25, z) + boost::math::cyl_bessel_i(0.25, z))) -
           z;
  constexpr double four_nu_squared = 0.25;
  const double u = 1 / (8 * z);
  const double series =
      1 + u * (1 - four_nu_squared) *
              (1 + u * (9 - four_nu_squared) / 2 * (1 + u * (25 - four_nu_squared) / 3));
  return std::log(sigma) + 0.5 * std::log(2 * std::numbers::pi) + std::log(series);
}

}  // namespace fokker::detail
