#pragma once
/// @file  fokker/processes/laws/law.hpp
/// @brief What the laws of processes share: domains, values of expressions, the normal density.

#include <cmath>
#include <limits>
#include <numbers>

#include <fokker/solvers/core/state.hpp>

namespace fokker {

/// The closed interval that a component of the exact solution never leaves.
struct Interval {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

/// Covariance of X_t given X_0 = x0, d x d: as the process gives it, or the diagonal of its
/// componentwise `variance`.
template <class P>
Eigen::MatrixXd covariance(const P& p, const Eigen::ArrayXd& x0, Time t) {
  if constexpr (requires { p.covariance(x0, t); })
    return p.covariance(x0, t);
  else
    return Eigen::ArrayXd(Eigen::ArrayXd::Zero(x0.size()) + p.variance(x0, t))
        .matrix()
        .asDiagonal();
}

namespace detail {

/// j = value I.
template <class Matrix>
void set_multiple_of_identity(double value, Matrix& j) {
  j.setZero();
  j.diagonal().setConstant(static_cast<typename Matrix::Scalar>(value));
}

/// A number as it is; an array expression as the array that owns its values.
template <class V>
auto value_of(const V& v) {
  if constexpr (State<V>)
    return Plain<V>(v);
  else
    return v;
}

/// log of the density of N(0, sd^2) at x; for sd = 0, the point mass at 0, infinite at 0 and
/// -infinite elsewhere. The standard deviation is given, since its square can underflow.
inline double normal_log_density(double x, double sd) {
  if (sd == 0)
    return x == 0 ? std::numeric_limits<double>::infinity()
                  : -std::numeric_limits<double>::infinity();
  const double z = x / sd;
  return -0.5 * z * z - std::log(sd) - 0.5 * std::log(2 * std::numbers::pi);
}

/// (1 - e^{-rate t}) / rate, t where rate is 0.
inline double relaxation(double rate, Time t) {
  constexpr double linear = 1e-16;  // below it the quotient is t to rounding
  return std::abs(rate * t) < linear ? t : -std::expm1(-rate * t) / rate;
}

/// Mean at t of a linear return to `level` from x0: x0 + (level - x0) (1 - e^{-rate t}), written so
/// that a mean far below the level keeps its digits. @param x0  a number or an array
auto mean_of_return(const auto& x0, double level, double rate, Time t) {
  constexpr double soon = 1e-5;  // later the mean is at least this part of the level, or cancels
  const double decay = std::exp(-rate * t), grown = -std::expm1(-rate * t);
  const bool early = grown < soon;
  // One expression for both, so that an array stays an array.
  const double inside = early ? 0 : level, outside = early ? level * grown : level;
  return value_of(outside + (x0 - inside) * decay);
}

}  // namespace detail

}  // namespace fokker
