#pragma once
/// @file  fokker/processes/law.hpp
/// @brief What the laws of processes share: domains, values of expressions, the normal density.

#include <cmath>
#include <limits>
#include <numbers>

#include <fokker/solvers/state.hpp>

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

/// log of the density of N(mean, variance) at x.
inline double normal_log_density(double x, double mean, double variance) {
  return -0.5 * ((x - mean) * (x - mean) / variance + std::log(2 * std::numbers::pi * variance));
}

}  // namespace detail

}  // namespace fokker
