#pragma once
/// @file  fokker/solvers/ode/jacobian.hpp
/// @brief The common part of adaptive methods with a Jacobian: one path, f and f_x at the start.

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string_view>

#include <fokker/solvers/ode/adaptive_run.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker::detail {

/// An adaptive run, of one path, whose `Method` solves linear systems with J = f_x.
template <class Method, class P, State X>
class JacobianRun : public AdaptiveRun<Method, P, X> {
  using S = typename X::Scalar;
  static constexpr int d_ = X::RowsAtCompileTime;

 protected:
  using AdaptiveRun<Method, P, X>::AdaptiveRun;
  using Matrix = Eigen::Matrix<S, d_, d_>;

  /// @throws std::invalid_argument  for a block of more than one path
  void shape(std::string_view name, const X& x) {
    if (x.cols() != 1)
      throw std::invalid_argument(
          text("{} takes one path at a time: got a block of {} (use simulate)", {name, x.cols()}));
    for (X* scratch : {&slope_, &z_, &f_}) scratch->resizeLike(x);
    jacobian_.resize(x.rows(), x.rows());
  }

  void refresh(const X& x, Time t, Counts& counts) {
    if (has_slope_) return;
    this->evaluate(x, t, slope_, counts);
    has_slope_ = true;
    has_jacobian_ = false;
  }

  const X& slope() const { return slope_; }

  void accept() { has_slope_ = false; }

  /// jacobian_ = f_x at (x, t), from the process or by forward differences. The increment of a
  /// component is relative to its size, or to its tolerance where the rounding of f over a step of
  /// h needs a larger one.
  /// Source  Hindmarsh et al. (2005), ACM TOMS 31, the dense Jacobian of CVODE.
  void differentiate(const X& x, Time t, Time h, [[maybe_unused]] Counts& counts) {
    has_jacobian_ = true;
    if constexpr (requires { this->process_->drift_jacobian(x, t, jacobian_); })
      if (is_known()) return this->process_->drift_jacobian(x, t, jacobian_);
    const double epsilon = std::numeric_limits<S>::epsilon();
    const double size = this->norm(slope_, x, x);
    const double least = size > 0 ? 1000 * h * epsilon * static_cast<double>(x.rows()) * size : 1;
    z_ = x;
    for (Index j = 0; j < x.rows(); ++j) {
      const auto at = static_cast<double>(x(j, 0));
      z_(j, 0) =
          S(at + std::max(std::sqrt(epsilon) * std::abs(at), least * this->tolerance(j, at)));
      this->evaluate(z_, t, f_, counts);
      jacobian_.col(j) = ((f_ - slope_) / (z_(j, 0) - x(j, 0))).matrix();
      z_(j, 0) = x(j, 0);
    }
  }

  X slope_;                    // f at the start of the step
  X z_, f_;                    // scratch
  Matrix jacobian_;            // f_x where it was last asked for
  bool has_jacobian_ = false;  // that was at the start of the step

 private:
  /// Whether the process knows its Jacobian: at run time, if its type is erased.
  bool is_known() const {
    if constexpr (requires { this->process_->has_drift_jacobian(); })
      return this->process_->has_drift_jacobian();
    else
      return true;
  }

  bool has_slope_ = false;
};

}  // namespace fokker::detail
