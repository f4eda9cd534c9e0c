#pragma once
/// @file  fokker/solvers/core/step_control.hpp
/// @brief From the error of a step to the size of the next: I, PI and PID control.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <stdexcept>

#include <fokker/solvers/support/text.hpp>

namespace fokker {

/// The design of a step size controller. With the last three errors e_n, e_n-1, e_n-2, each in
/// units of its tolerance (1 is just allowed), errors of size O(h^k) and the target e = safety^k,
/// the next step is
///
///     h_n+1 / h_n = (e / e_n)^(b_1 / k) (e / e_n-1)^(b_2 / k) (e / e_n-2)^(b_3 / k)
///
/// within [min_factor, max_factor]; after a rejection it is safety e_n^(-1/k).
struct StepControl {
  std::array<double, 3> b = {0.7, -0.4, 0};  ///< gains of e_n, e_n-1, e_n-2
  double safety = 0.9;                       ///< aims at errors below 1; in (0, 1)
  double min_factor = 0.2;                   ///< the most a step shrinks; in (0, safety)
  double max_factor = 5;                     ///< the most it grows; above 1
  /// Dead band: the step is kept where safety e_n^(-1/k), the factor that e_n alone asks for, lies
  /// in it. A step kept costs no power, and the next need not wait for the error. Equal: none.
  std::array<double, 2> keep = {0.9, 1.2};
};

/// Controllers of the literature, with our dead band but for `prompt`.
namespace step_controls {
/// Integral control, the classical rule. Source: Hairer, Norsett & Wanner (1993), II.4 (4.13).
inline constexpr StepControl integral{{1, 0, 0}};
/// Integral control that aims lower, so that even the largest error of its dead band is below the
/// tolerance: hardly a step is rejected.
inline constexpr StepControl calm{{1, 0, 0}, 0.85, 0.2, 5, {0.92, 1.3}};
/// Integral control without a dead band: every error changes the step. For steps of many
/// evaluations, of which one more costs more than a power, also where stability limits the step.
inline constexpr StepControl prompt{{1, 0, 0}, 0.9, 0.2, 5, {1, 1}};
/// Proportional-integral control: smoother, fewer rejections where stability limits the step.
/// Source: Gustafsson (1991), ACM TOMS 17; Hairer & Wanner (1996), IV.2.
inline constexpr StepControl pi{{0.7, -0.4, 0}};
/// PI.4.2, a smoother one. Source: Soederlind (2003), ACM TOMS 29.
inline constexpr StepControl pi42{{3.0 / 5, -1.0 / 5, 0}};
/// H211PI, a digital filter of order 1. Source: Soederlind (2003), ACM TOMS 29.
inline constexpr StepControl h211pi{{1.0 / 6, 1.0 / 6, 0}};
/// H312PID, a digital filter of order 2, for rough errors. Source: Soederlind (2003), ACM TOMS 29.
inline constexpr StepControl h312pid{{1.0 / 18, 1.0 / 9, 1.0 / 18}};
}  // namespace step_controls

/// A controller at work: it sees errors and gives factors, and knows neither states nor steps.
///
/// The error alone decides whether a step is accepted (`accepts`): never the size of the next step,
/// so that no bound on steps lets an error pass. An error that is nan is a rejection.
class StepController {
 public:
  /// @param control  the design
  /// @param k        the power of h that the error follows: q + 1 for an estimate of order q
  /// @throws std::invalid_argument  for numbers outside their ranges
  StepController(const StepControl& control, double k)
      : c_(control),
        k_(k),
        target_(std::pow(control.safety, k)),
        shortest_(std::pow(control.min_factor, k)) {
    if (!(k > 0) || !(c_.safety > 0 && c_.safety < 1) ||
        !(c_.min_factor > 0 && c_.min_factor < c_.safety) || !(c_.max_factor > 1) ||
        !std::isfinite(c_.b[0] + c_.b[1] + c_.b[2] + c_.max_factor))
      throw std::invalid_argument(
          text("a step controller needs 0 < min_factor < safety < 1 < max_factor and k > 0: "
               "got min_factor={}, safety={}, max_factor={}, k={}",
               {c_.min_factor, c_.safety, c_.max_factor, k}));
    if (c_.keep[0] < c_.keep[1])
      kept_ = {std::pow(c_.safety / c_.keep[1], k),
               std::min(1.0, std::pow(c_.safety / c_.keep[0], k))};
    for (std::size_t i = 0; i < 3; ++i) powers_[i] = -c_.b[i] / k;
    scale_ = std::pow(c_.safety, c_.b[0] + c_.b[1] + c_.b[2]);
  }

  /// Whether a step with this error is accepted; nan is not.
  static bool accepts(double error) { return error <= 1; }

  /// The factor from the step just tried to the next, after its error: above or at `min_factor`, at
  /// most `max_factor`, below 1 after a rejection and at most 1 right after one.
  double factor(double error) {
    const double factor = keeps(error) ? 1 : changed(error, previous_, older_, after_rejection_);
    if (accepts(error)) {
      keep(error);
    } else {
      after_rejection_ = true;
      expected_ = expected_after(error, factor);
    }
    return factor;
  }

  /// The error to expect, at the order of the estimate, of the step that is tried next after one
  /// that was rejected and shortened by `min_factor`; 0 where the factor was chosen by the error.
  double expected_after(double error, double factor) const {
    return factor <= c_.min_factor && error < infinity ? error * shortest_ : 0;
  }

  /// Whether the error of an accepted step is in doubt, with `expected` by expected_after: an
  /// estimate that falls from far above the tolerance to less than a hundredth of what the order
  /// explains may vanish at that step size. The expected error then takes its place.
  static bool doubts(double error, double expected) {
    return accepts(error) && expected > 10 && error < 0.01 * expected;
  }
  /// The same with the error expected of this step.
  bool doubts(double error) const { return doubts(error, expected_); }
  /// Whether a small error of this step would be in doubt.
  bool doubtful() const { return expected_ > 10; }
  /// The error expected of this step; 0: none.
  double expected() const { return expected_; }
  /// Takes the error of this step without a doubt.
  void trust() { expected_ = 0; }

  /// The same outside the dead band, by the errors of the two steps accepted before (none: the
  /// target; small ones: `smallest`) and whether one was rejected since.
  double changed(double error, double previous, double older, bool after_rejection) const {
    if (!accepts(error))
      return error < infinity
                 ? std::max(c_.min_factor, c_.safety * product(error, -1 / k_, 1, 0, 1, 0))
                 : c_.min_factor;
    const double factor =
        scale_ * product(error, powers_[0], previous, powers_[1], older, powers_[2]);
    return std::clamp(factor, c_.min_factor, after_rejection ? 1.0 : c_.max_factor);
  }

  /// Whether a step with this error is accepted and the next is as long, and what `factor` then
  /// does.
  bool keeps(double error) const { return error >= kept_[0] && error <= kept_[1]; }
  /// Remembers the error of an accepted step.
  void keep(double error) {
    after_rejection_ = false;
    older_ = previous_;
    previous_ = std::max(error, smallest);
  }

  /// The error aimed at.
  double target() const { return target_; }
  /// The dead band of errors, [low, high].
  const std::array<double, 2>& kept() const { return kept_; }

  /// What is remembered of a smaller error, as in Hairer's code dopri5.
  static constexpr double smallest = 1e-4;

 private:
  static constexpr double infinity = std::numeric_limits<double>::infinity();

  /// a^p b^q c^r. Not inlined: a loop that keeps its numbers in registers must put them away for
  /// every call of exp or log, so there is one for all.
  [[gnu::noinline]] static double product(double a, double p, double b, double q, double c,
                                          double r) {
    double log_sum = p * std::log(a);
    if (q != 0) log_sum += q * std::log(b);
    if (r != 0) log_sum += r * std::log(c);
    return std::exp(log_sum);
  }

  StepControl c_;
  double k_;
  double target_;
  std::array<double, 3> powers_ = {};    // of the errors in the factor
  double scale_ = 1;                     // of their product
  std::array<double, 2> kept_ = {2, 2};  // errors of the dead band; never met: none
  double shortest_;      // factor of the error where the step is shortened by min_factor
  double expected_ = 0;  // see expected_after
  double previous_ = target_, older_ = target_;
  bool after_rejection_ = false;
};

}  // namespace fokker
