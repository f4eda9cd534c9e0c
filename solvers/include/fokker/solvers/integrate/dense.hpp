#pragma once
/// @file  fokker/solvers/integrate/dense.hpp
/// @brief Dense output: the solution at any time, put together step by step.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <stdexcept>
#include <vector>

#include <fokker/solvers/core/state.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

/// A function of time, on each step a polynomial of some degree q, kept as its values at the q + 1
/// Chebyshev points of the second kind (ends included) and evaluated by the barycentric formula:
/// q states of memory per step. Continuous; at the ends of steps it has the bits of the steps.
/// Source: Berrut & Trefethen (2004).
template <State X>
class DenseOutput {
  using S = typename X::Scalar;

 public:
  /// Whether nothing is stored.
  bool empty() const { return ends_.empty(); }
  /// First time.
  Time start() const { return ends_.front(); }
  /// Last time.
  Time end() const { return end_; }

  /// The degree on the last step.
  int degree() const {
    return static_cast<int>(first_[first_.size() - 1] - first_[first_.size() - 2]);
  }

  /// Begins at (t, x), where nothing was appended yet.
  void begin(Time t, const X& x) {
    ends_.assign(1, t);
    first_.assign(1, 0);
    values_.assign(1, x);
    end_ = t;
  }

  /// Adds the step [t0, t1]: value(t, out) gives the polynomial. Steps follow each other.
  /// @param degree  q >= 1
  template <class Value>
  void append(Time t0, Time t1, int degree, const Value& value) {
    const auto add = [&](Time t) {
      values_.emplace_back();
      value(t, values_.back());
    };
    if (ends_.empty()) {
      ends_.push_back(t0);
      first_.push_back(0);
      add(t0);
    }
    for (int j = 1; j < degree; ++j) add(t0 + node(j, degree) * (t1 - t0));
    add(t1);
    ends_.push_back(t1);
    first_.push_back(values_.size() - 1);
    end_ = t1;
  }

  /// Forgets all steps.
  void clear() {
    ends_.clear();
    first_.clear();
    values_.clear();
  }

  /// Lets it end at t, inside the last step.
  void truncate(Time t) { end_ = t; }

  /// The value at t.
  /// @throws std::invalid_argument  if it is empty or t is outside [start, end]
  X operator()(Time t) const {
    if (empty())
      throw std::invalid_argument("there is no dense output: set dense = true in IntegrateOptions");
    if (!(std::min(start(), end_) <= t && t <= std::max(start(), end_)))
      throw std::invalid_argument("the solution is known from t = " + text(start()) + " to " +
                                  text(end_) + ": got " + text(t));
    if (ends_.size() == 1) return values_.front();
    const std::size_t k = step_of(t);
    const int degree = static_cast<int>(first_[k + 1] - first_[k]);
    const Time t0 = ends_[k], theta = (t - t0) / (ends_[k + 1] - t0);
    const X* x = &values_[first_[k]];
    X sum = X::Zero(x->rows(), x->cols());
    double total = 0;
    for (int j = 0; j <= degree; ++j) {
      const double distance = theta - node(j, degree);
      if (distance == 0) return x[j];
      const double end_factor = j == 0 || j == degree ? 0.5 : 1.0;
      const double weight = (j % 2 == 0 ? end_factor : -end_factor) / distance;
      sum += static_cast<S>(weight) * x[j];
      total += weight;
    }
    return sum / static_cast<S>(total);
  }

 private:
  /// The j-th of the points on [0, 1]; both ends exact.
  static double node(int j, int degree) {
    return j == 0 ? 0 : j == degree ? 1 : 0.5 - 0.5 * std::cos(std::numbers::pi * j / degree);
  }

  /// The number of the step that holds t.
  std::size_t step_of(Time t) const {
    const bool up = ends_.back() > ends_.front();
    const auto after = std::partition_point(ends_.begin() + 1, ends_.end() - 1,
                                            [&](Time end) { return up ? end < t : end > t; });
    return static_cast<std::size_t>(after - ends_.begin()) - 1;
  }

  std::vector<Time> ends_;
  std::vector<std::size_t> first_;  // of the values of each step; the last one is that of the end
  std::vector<X> values_;
  Time end_ = 0;
};

}  // namespace fokker
