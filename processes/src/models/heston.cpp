/// @file  heston.cpp
/// @brief Moments and characteristic function of Heston's model, without cancellation at the ends
///        of its parameters.

#include <cmath>
#include <complex>
#include <limits>

#include <fokker/processes/models/heston.hpp>

namespace fokker {

namespace {

/// u^-first (a e^{-u} - b u e^{-u} + c e^{-2u} less its Taylor polynomial of degree first - 1),
/// the remainder of a sum in which the first powers cancel. u >= 0; at 0 the limit.
double remainder(double u, int first, double a, double b, double c) {
  const auto coefficient = [&](int n) { return a + b * n + c * std::ldexp(1.0, n); };
  double sum = 0, term = 1;  // term (-u)^n / n!
  if (u < 1) {
    for (int n = 1; n <= first; ++n) term /= -n;
    constexpr int terms = 30;
    for (int n = first; n < first + terms; ++n) {
      sum += term * coefficient(n);
      term *= -u / (n + 1);
    }
    return sum;
  }
  for (int n = 0; n < first; ++n) {
    sum -= term * coefficient(n);
    term *= -u / (n + 1);
  }
  return (sum + std::exp(-u) * (a - b * u + c * std::exp(-u))) / std::pow(u, first);
}

/// (z - 1 + e^{-z}) / z^2.
std::complex<double> second_phi(std::complex<double> z) {
  if (std::abs(z) >= 1) return (z - 1.0 + std::exp(-z)) / (z * z);
  constexpr int terms = 20;
  std::complex<double> sum = 0, term = 0.5;
  for (int n = 2; n < terms; ++n) {
    sum += term;
    term *= -z / static_cast<double>(n + 1);
  }
  return sum;
}

/// (log(1 + w) - w) / w^2.
std::complex<double> second_log(std::complex<double> w) {
  if (std::abs(w) >= 0.25) return (std::log(1.0 + w) - w) / (w * w);
  constexpr int terms = 32;
  std::complex<double> sum = 0, power = -1;
  for (int n = 2; n < terms; ++n) {
    sum += power / static_cast<double>(n);
    power *= -w;
  }
  return sum;
}

}  // namespace

Eigen::ArrayXd Heston::mean(const Eigen::ArrayXd& x0, Time t) const {
  const double u = kappa * t;
  const double relaxed = detail::relaxation(kappa, t);
  const double lag = kappa * t * t * remainder(u, 2, 1, 0, 0);  // t - relaxed
  return Eigen::Array2d(x0[0] + mu * t - 0.5 * (x0[1] * relaxed + theta * lag),
                        detail::mean_of_return(x0[1], theta, kappa, t));
}

// With m = E v and V = Var v / xi^2, the covariance c of log S and v and the variance of log S obey
//     c' = rho xi m - xi^2 V / 2 - kappa c,   (Var log S)' = m - c,
// so c = rho xi A - xi^2 B / 2 and Var log S = int m - rho xi int A + xi^2 / 2 int B, with
// A = e^{-kappa .} * m and B = e^{-kappa .} * V: each a positive combination of v_0 and theta.
Eigen::MatrixXd Heston::covariance(const Eigen::ArrayXd& x0, Time t) const {
  const double u = kappa * t, decay = std::exp(-u), v0 = x0[1];
  const double relaxed = detail::relaxation(kappa, t), grown = -std::expm1(-u);
  const double once = t * t * remainder(u, 2, 1, 0, 0);    // (u - 1 + e) / kappa^2
  const double twice = t * t * remainder(u, 2, -1, 1, 0);  // (1 - e - u e) / kappa^2
  const double cube = t * t * t;

  const double variance = xi * xi * relaxed * (v0 * decay + 0.5 * theta * grown);
  const double a = v0 * t * decay + theta * kappa * twice;
  const double b = v0 * decay * once + 0.5 * theta * kappa * cube * remainder(u, 3, 0, 2, -1);
  const double sum_m = v0 * relaxed + theta * kappa * once;
  const double sum_a = v0 * twice + theta * kappa * cube * remainder(u, 3, 2, -1, 0);
  const double sum_b = v0 * cube * remainder(u, 3, 0, 1, -0.5) +
                       0.5 * theta * kappa * cube * t * remainder(u, 4, 2, -2, 0.5);
  const double shared = rho * xi * a - 0.5 * xi * xi * b;
  Eigen::MatrixXd c(2, 2);
  c << sum_m - rho * xi * sum_a + 0.5 * xi * xi * sum_b, shared, shared, variance;
  return c;
}

// exp(i u (log S_0 + mu t) + C + D v_0). With q = i u + u^2, beta = kappa - i rho xi u,
// d^2 = beta^2 + xi^2 q, m = (beta - d) / xi^2 = -q / (beta + d), E = (1 - e^{-d t}) / d and
// w = xi^2 m E / 2,
//     D = -q E / (2 (1 + w)),   C = kappa theta (m t - 2 / xi^2 log(1 + w)),
// which is Albrecher et al.'s form, written so that xi, kappa, t and 1 - rho^2 may be zero.
std::complex<double> Heston::characteristic_function(std::complex<double> u,
                                                     const Eigen::ArrayXd& x0, Time t) const {
  using C = std::complex<double>;
  const C iu = C(0, 1) * u, q = iu + u * u;
  const C start = iu * (x0[0] + mu * t);
  if (q == 0.0) return std::exp(start);
  const C beta = kappa - rho * xi * iu;
  C d = std::sqrt(kappa * kappa - 2 * kappa * rho * xi * iu +
                  xi * xi * (iu + (1 - rho) * (1 + rho) * u * u));
  // Both signs of d give the same. That of the decaying e^{-d t} is taken, unless beta + d cancels.
  constexpr double cancels = 1e-3, overflows = 300;
  if (std::abs(beta + d) < cancels * std::abs(beta - d) && d.real() * t < overflows) d = -d;
  const C m = -q / (beta + d);
  const C z = d * t, lag = second_phi(z);
  const C relaxed = std::abs(z) < 1 ? t * (1.0 - z * lag) : (1.0 - std::exp(-z)) / d;
  const C late = d * t * t * lag;  // t - relaxed
  const C w = 0.5 * xi * xi * m * relaxed;
  const C root = xi * m * relaxed;
  return std::exp(start + kappa * theta * (m * late - 0.5 * root * root * second_log(w)) -
                  x0[1] * 0.5 * q * relaxed / (1.0 + w));
}

}  // namespace fokker
