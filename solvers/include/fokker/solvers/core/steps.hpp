#pragma once
/// @file  fokker/solvers/core/steps.hpp
/// @brief How a run chooses its steps: an argument of `integrate` and `simulate` beside the method.

#include <concepts>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fokker/solvers/core/grid.hpp>
#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/core/state.hpp>
#include <fokker/solvers/core/step_control.hpp>

namespace fokker {

/// Steps of h from the start on. The last step, and one that meets a time of `save_at`, is shortened
/// to land on it; the regular times t0 + k h go on behind it.
struct Fixed {
  Time h;  ///< step size, > 0 in both directions of time
};

/// Steps from point to point of a grid, strictly monotone, which also gives start and end.
struct OnGrid {
  TimeGrid times;
};

/// An absolute tolerance: one for all components, or one for each.
class Tolerance {
 public:
  Tolerance(double all) : values_{all} {}                            // NOLINT: a number is one
  Tolerance(std::initializer_list<double> each) : values_(each) {}   // NOLINT: and a list
  Tolerance(std::vector<double> each) : values_(std::move(each)) {}  // NOLINT

  /// Of a component. @throws std::out_of_range  for a component without one
  double operator[](Index component) const {
    return values_.size() == 1 ? values_[0] : values_.at(static_cast<std::size_t>(component));
  }
  /// One value for all components, or one for each.
  const std::vector<double>& values() const { return values_; }

 private:
  std::vector<double> values_;
};

/// Steps chosen by the method from its own error estimates. A step is accepted where, for each
/// component,
///
///     |error| <= atol + rtol max(|x|, |y|)
///
/// with x and y the states before and after. For solvers of ODEs that estimate their error, and for
/// solvers of SDEs that are `adaptable` (adaptive_sde.hpp), on a Brownian tree.
struct Adaptive {
  std::optional<double> rtol = {};     ///< relative tolerance; default 1e-6 for ODEs, 1e-3 for SDEs
  std::optional<Tolerance> atol = {};  ///< absolute, in the unit of x; default 1e-9, SDEs 1e-6
  Time first_step = 0;                 ///< the first step to try; 0: chosen from the coefficients
  Time max_step = 0;                   ///< longest step; 0: no bound
  std::optional<StepControl> control = {};  ///< from errors to steps; default: the method's own
};

/// Steps chosen from the state before the noise is seen: see adaptive_sde.hpp.
struct Predictable {
  Time delta = 0.01;  ///< the longest step
};

/// `Adaptive` with all defaults filled in, for one method and one process.
struct ErrorControl {
  double rtol;
  Tolerance atol;
  StepControl control;

  /// @param method        named in messages
  /// @param kind          of the noise, which decides the default tolerances
  /// @param own           the control that the method prefers
  /// @param d             rows of the state
  /// @throws std::invalid_argument  for tolerances that are not positive and finite, an rtol below
  ///                                the rounding of a step, or an atol of another dimension
  ErrorControl(std::string_view method, const Adaptive& steps, NoiseKind kind,
               const StepControl& own, Index d);

  /// The same with another step control.
  ErrorControl with(const StepControl& other) const {
    ErrorControl same = *this;
    same.control = other;
    return same;
  }

  /// The smallest of the absolute tolerances.
  double least_atol() const;

  /// atol as a column of the components.
  template <class S, int rows>
  Eigen::Array<S, rows, 1> column(Index d) const {
    Eigen::Array<S, rows, 1> all(d);
    for (Index i = 0; i < d; ++i) all[i] = static_cast<S>(atol[i]);
    return all;
  }
};

namespace detail {

template <class Steps>
inline constexpr bool are_regular = std::same_as<Steps, Fixed> || std::same_as<Steps, OnGrid>;

/// The times at which steps of a fixed size end: t0 + k h, or the points of a grid. Its clock rises.
class RegularTimes {
 public:
  /// No regular times: steps go from stop to stop.
  RegularTimes() = default;
  /// @throws std::invalid_argument  unless h is positive and finite
  RegularTimes(Time t0, Fixed steps);
  /// @param up  ascending times, the first of them the start
  explicit RegularTimes(TimeGrid up);

  /// The next of them behind the last one met, or `stop` if that comes first or is as good as there
  /// (a step so little short of a stop is stretched to meet it).
  Time next(Time stop);

  /// @throws std::invalid_argument  for steps below the resolution of time up to t1
  void check_end(Time t, Time t1) const;

 private:
  Time t0_ = 0, h_ = 0;
  TimeGrid grid_;
  std::size_t met_ = 0;
};

/// The points of a run by fixed steps from t0 up to t1, every stop among them.
TimeGrid step_times(RegularTimes regular, Time t0, Time t1, std::span<const Time> stops);

}  // namespace detail

}  // namespace fokker
