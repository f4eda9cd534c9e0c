/// @file  noncentral_chi_squared.cpp
/// @brief The noncentral chi-square and Gamma laws behind the Cox-Ingersoll-Ross process.

#include <cmath>
#include <limits>
#include <numbers>

#include <boost/math/distributions/non_central_chi_squared.hpp>
#include <boost/math/distributions/poisson.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <boost/math/special_functions/log1p.hpp>

#include <fokker/processes/models/cox_ingersoll_ross.hpp>

namespace fokker::detail {

namespace {

using RoundUp = boost::math::policies::policy<
    boost::math::policies::discrete_quantile<boost::math::policies::integer_round_up>>;

/// log of 1 + sum_k U_k(p) / nu^k, p = nu / r, of the expansion of I_nu for large
/// r = sqrt(nu^2 + z^2) (DLMF 10.41.10); p^-k U_k is a polynomial in p^2, so nu may be small.
double log_debye_series(double p, double r) {
  const double s = p * p, a = 1 / r;
  const double u1 = (3 - 5 * s) / 24;
  const double u2 = (81 + s * (-462 + s * 385)) / 1152;
  const double u3 = (30375 + s * (-369603 + s * (765765 - s * 425425))) / 414720;
  const double u4 =
      (4465125 + s * (-94121676 + s * (349922430 + s * (-446185740 + s * 185910725)))) / 39813120;
  return std::log1p(a * (u1 + a * (u2 + a * (u3 + a * u4))));
}

double normal_quantile(double u) { return -std::numbers::sqrt2 * boost::math::erfc_inv(2 * u); }

/// power log x, 0 where the power is.
double log_power(double x, double power) { return power == 0 ? 0 : power * std::log(x); }

/// Quantile of Gamma(a) less a, from that of the normal law, w, for large a (the expansion of
/// Cornish and Fisher: Johnson, Kotz & Balakrishnan (1994), (18.24)).
double gamma_offset(double a, double w) {
  const double root = std::sqrt(a), s = w * w;
  return root * w + (s - 1) / 3 + w * (s - 7) / (36 * root) -
         (6 * s * s + 14 * s - 32) / (1620 * a);
}

/// Quantile of Poisson(m) less m for large m (Giles (2016), ACM Trans. Math. Softw. 42(1)): a whole
/// number less m, as far as doubles know one.
double poisson_offset(double m, double w) {
  const double root = std::sqrt(m), s = w * w;
  const double offset = root * w + (2 + s) / 6 - w * (2 + s) / (72 * root) +
                        (-8.0 / 405 + s * 7 / 810 + s * s / 270) / m;
  constexpr double whole = 1e15;
  return m < whole ? std::floor(m + offset) - m : offset - 0.5;
}

}  // namespace

double noncentral_chi_squared_log_density(double degrees, double lambda, double x, double below) {
  const double a = degrees / 2, nu = a - 1, log_half = -std::log(2.0);
  const double z = std::sqrt(lambda) * std::sqrt(x), r = std::hypot(nu, z);
  constexpr double large = 400;
  if (r < large) {
    // 1/2 e^{-(x + lambda)/2} (x/2)^{a-1} sum_j (z/2)^{2j} / (j! Gamma(a + j)), whose terms are
    // positive; times Gamma(a + 1) they are finite down to a = 0.
    const double square = 0.25 * z * z;
    double term = square, sum = a;
    for (double j = 1; term > std::numeric_limits<double>::epsilon() * 0.01 * sum; ++j) {
      sum += term;
      term *= square / ((j + 1) * (a + j));
    }
    return log_half - 0.5 * (x + lambda) + log_power(x / 2, nu) - std::lgamma(a + 1) +
           std::log(sum);
  }
  if (x == 0 && nu > 0) return -std::numeric_limits<double>::infinity();
  // I_nu by its uniform expansion. With q = (nu + r) / x the exponent is
  // -(x/2) (q - 1)^2 + nu (q - 1 - log q), and q - 1 is found from the distance to the mean.
  const double shift = r + x - nu > 0.5 * r ? (below - 2) / (r + x - nu) : (nu + r - x) / x;
  const double exponent = -0.5 * x * shift * shift - nu * boost::math::log1pmx(shift);
  return log_half - 0.5 * std::log(2 * std::numbers::pi) - 0.5 * std::log(r) + exponent +
         log_debye_series(nu / r, r);
}

double noncentral_chi_squared_value(double degrees, double lambda, double u, double v) {
  const double n =
      lambda > 0
          ? boost::math::quantile(boost::math::poisson_distribution<double, RoundUp>(lambda / 2), u)
          : 0.0;
  return 2 * boost::math::gamma_p_inv(degrees / 2 + n, v);
}

double noncentral_chi_squared_offset(double degrees, double lambda, double u, double v) {
  const double m = lambda / 2;
  double n = 0;  // less m
  if (m > large_chi_squared / 4)
    n = poisson_offset(m, normal_quantile(u));
  else if (lambda > 0)
    n = boost::math::quantile(boost::math::poisson_distribution<double, RoundUp>(m), u) - m;
  return 2 * (n + gamma_offset(degrees / 2 + m + n, normal_quantile(v)));
}

double gamma_log_density(double shape, double mean, double x) {
  const double rate = shape / mean, change = (x - mean) / mean;
  constexpr double large = 100;
  if (shape < large)
    return shape * std::log(rate) + log_power(x, shape - 1) - rate * x - std::lgamma(shape);
  if (x == 0) return -std::numeric_limits<double>::infinity();
  // Stirling's series, and the exponent from the distance to the mean.
  const double square = 1 / shape / shape;
  const double stirling = (1.0 / 12 - square * (1.0 / 360 - square / 1260)) / shape;
  const double exponent =
      std::abs(change) < 0.5 ? boost::math::log1pmx(change) : std::log(x / mean) - change;
  return 0.5 * std::log(shape / (2 * std::numbers::pi)) - stirling + shape * exponent - std::log(x);
}

}  // namespace fokker::detail
