#pragma once
/// @file  fokker/analysis/convergence/regression.hpp
/// @brief Measured orders: a regression of ln(error) on ln(h), with an interval and a verdict.

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>

namespace fokker {

/// What a regression found.
enum class OrderStatus {
  measured,       ///< an order with its interval
  floor_reached,  ///< fewer than three points, because the others are at the noise floor
  too_few_points  ///< fewer than three usable points for other reasons
};

/// How a measured order stands to a claimed one.
enum class OrderVerdict {
  holds,      ///< inside the interval, or within 0.05 of the measured order
  lower,      ///< the measured order is lower
  higher,     ///< the measured order is higher
  undecided,  ///< inside an interval wider than 1/2, the distance between neighbouring orders
  unmeasured  ///< there is no measured order
};

/// error = exp(log_constant) h^slope through the points used, with an interval [low, high] of the
/// slope.
struct OrderFit {
  OrderStatus status = OrderStatus::too_few_points;
  double slope = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
  double log_constant = std::numeric_limits<double>::quiet_NaN();
  int points = 0;                 ///< points used
  double h_fine = 0.0;            ///< the finest h used
  double h_coarse = 0.0;          ///< the coarsest h used
  std::optional<double> floor_h;  ///< from this h downwards the errors are at the floor
};

/// What is known besides the errors.
struct OrderOptions {
  /// An error that the measurement has even without discretisation, in the unit of the errors: the
  /// distance of two exact samples, or rounding. Errors up to three times this are not used.
  double floor = 0.0;
  double confidence = 0.95;  ///< of the interval, inside (0, 1)
};

/// Measures an order: weighted regression of ln(error) on ln(h).
///
/// Points used. Errors that are not positive and finite, at most three times the floor or at most
/// three of their own standard errors are left out. Of the others, the finest three are used, and
/// coarser ones up to the first whose local slope (to its finer neighbour) differs from the slope
/// fitted so far by more than 0.1 plus what its standard error explains: the settled range.
///
/// Order. A finite h bends the line, and a straight fit then gives a narrow interval in the wrong
/// place. So the model is error = C h^p exp(c h^q), and q, which the method and the problem decide,
/// is taken as 1/2, 1 and 2 in turn: `slope` is p for q = 1, the interval spans the intervals of
/// all three. Measured on C h^p (1 + c h^q), it covers p in 95 to 100 % where q is one of these and
/// c h^q < 1, and else misses it by about 0.02 at most.
///
/// Interval of one model. With standard errors (all positive) the weights are (error / standard
/// error)^2 and variances are known; where the scatter about the model is larger than they explain
/// (chi^2 beyond its 99 % quantile), it is scaled up to the scatter, with Student's t. Otherwise
/// the errors count as deterministic: equal weights, interval from the scatter and Student's t
/// (none for three points: the three models alone make the interval).
///
/// Levels are taken as independent. Errors of one set of paths at several steps are correlated, and
/// this interval is then too wide or too narrow: use fit_order_bootstrap.
/// @param h               steps (or any measure of cost^-1), positive
/// @param error           as many errors (distances, not squares)
/// @param standard_error  as many standard errors of them, or none at all
/// @throws std::invalid_argument  sizes that disagree, h not positive and finite, or given twice
OrderFit fit_order(std::span<const double> h, std::span<const double> error,
                   std::span<const double> standard_error, OrderOptions options = {});

/// Measures the order of error(h) = sqrt(mean over paths of `squares`), all steps on the same
/// paths. Points, slope and weights are those of fit_order; the interval is that of a bootstrap
/// over paths (percentiles of the three models), which knows how the levels are correlated. More
/// than 4096 paths are resampled as 4096 runs of consecutive paths.
/// @param h          steps, L of them
/// @param squares    squared error of each path, L x paths, the paths of one level contiguous; a
///                   level with a value that is not finite is left out
/// @param resamples  bootstrap repetitions, >= 100
/// @param seed       of the resampling
/// @throws std::invalid_argument  as fit_order, a size that is no multiple of L, fewer than two
///                                paths, too few resamples
OrderFit fit_order_bootstrap(std::span<const double> h, std::span<const double> squares,
                             int resamples, std::uint64_t seed, OrderOptions options = {});

/// Compares a measured order with a claimed one.
OrderVerdict judge(const OrderFit& fit, double claimed);

/// `1.50 [1.46, 1.54]`, or why there is none: `noise floor reached at h = 2^-9`, `too few points`.
std::string describe(const OrderFit& fit);

/// One line: `order 1.50 [1.46, 1.54], claimed 1.5: holds`, `... does not hold (lower)`,
/// `... undecided (interval wider than 0.5)`, each with `; noise floor reached at h = 2^-9` where
/// points were left out for it; or what `describe` says where there is no order.
std::string verdict(const OrderFit& fit, double claimed);

}  // namespace fokker
