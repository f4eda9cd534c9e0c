#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>
#include <Eigen/QR>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <pcg_random.hpp>

#include <fokker/analysis/convergence/regression.hpp>
#include <fokker/analysis/distance/distances.hpp>

namespace fokker {
namespace {

using Span = std::span<const double>;

constexpr std::size_t min_points = 3;
constexpr double floor_factor = 3.0;              ///< errors up to this times the floor are noise
constexpr double settled_tolerance = 0.1;         ///< of local slopes
constexpr std::array corrections{0.5, 1.0, 2.0};  ///< exponents of the next term, see fit_order
constexpr double claim_tolerance = 0.05;          ///< what a finite h may still move an order
constexpr double order_spacing = 0.5;             ///< neighbouring orders differ by this

/// A level in logarithms: x = ln h, y = ln error, sigma the standard error of y (0: exact).
struct Point {
  double x, y, sigma;
  std::size_t level;  ///< its place in the caller's arrays
};
using Points = std::span<const Point>;

/// Two-sided quantile of the normal law.
double normal_quantile(double confidence) {
  return boost::math::quantile(boost::math::normal{}, 0.5 + 0.5 * confidence);
}

/// Two-sided quantile of Student's t.
double student_quantile(double confidence, double freedom) {
  return boost::math::quantile(boost::math::students_t{freedom}, 0.5 + 0.5 * confidence);
}

double weight(const Point& p) { return p.sigma > 0.0 ? 1.0 / (p.sigma * p.sigma) : 1.0; }

/// The weighted least-squares fit of y = a + slope x + c e^(q x); without the last term for q = 0.
struct Model {
  Eigen::VectorXd row;  ///< slope = row . y
  double slope;
  double chi_squared;  ///< sum of weight (residual)^2
  double freedom;      ///< points less parameters
};

Model fit_model(Points points, double q) {
  const auto n = static_cast<Eigen::Index>(points.size());
  const Eigen::Index parameters = q > 0.0 ? 3 : 2;
  Eigen::MatrixXd design(n, parameters);
  Eigen::VectorXd y(n), root_weight(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const Point& p = points[static_cast<std::size_t>(i)];
    root_weight(i) = std::sqrt(weight(p));
    y(i) = p.y;
    design(i, 0) = 1.0;
    design(i, 1) = p.x - points.back().x;
    if (q > 0.0) design(i, 2) = std::exp(q * (p.x - points.front().x));
  }
  const auto qr = (root_weight.asDiagonal() * design).colPivHouseholderQr();
  const Eigen::MatrixXd solve = qr.solve(Eigen::MatrixXd(root_weight.asDiagonal()));
  const Eigen::VectorXd residual = y - design * (solve * y);
  return {solve.row(1), solve.row(1) * y, root_weight.cwiseProduct(residual).squaredNorm(),
          static_cast<double>(n - parameters)};
}

/// The standard error of the slope from those of the points; 0 for deterministic errors.
double known_error(Points points, const Model& model) {
  double square = 0.0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double term = model.row(static_cast<Eigen::Index>(i)) * points[i].sigma;
    square += term * term;
  }
  return std::sqrt(square);
}

/// Half the width of the interval of one model.
double half_width(Points points, const Model& model, double confidence) {
  const double known = normal_quantile(confidence) * known_error(points, model);
  if (model.freedom < 1.0) return known;
  const bool noisy = points[0].sigma > 0.0;
  const boost::math::chi_squared scatter(model.freedom);
  if (noisy && model.chi_squared < boost::math::quantile(scatter, 0.99)) return known;
  const double scaled = std::sqrt(model.chi_squared / model.freedom) *
                        (noisy ? known_error(points, model) : model.row.norm());
  return student_quantile(confidence, model.freedom) * scaled;
}

void check(Span h, Span error, Span standard_error, const OrderOptions& options) {
  if (error.size() != h.size() || (!standard_error.empty() && standard_error.size() != h.size())) {
    throw std::invalid_argument(
        fmt::format("fit_order: sizes disagree: {} steps, {} errors, {} standard errors", h.size(),
                    error.size(), standard_error.size()));
  }
  std::vector<double> steps(h.begin(), h.end());
  for (const double step : steps) {
    if (!(step > 0.0) || !std::isfinite(step)) {
      throw std::invalid_argument(
          fmt::format("fit_order: steps must be positive and finite: got {}", step));
    }
  }
  std::sort(steps.begin(), steps.end());
  if (const auto twice = std::adjacent_find(steps.begin(), steps.end()); twice != steps.end()) {
    throw std::invalid_argument(fmt::format("fit_order: step {} is given twice", *twice));
  }
  if (!(options.confidence > 0.0 && options.confidence < 1.0)) {
    throw std::invalid_argument(fmt::format(
        "fit_order: the confidence must lie inside (0, 1): got {}", options.confidence));
  }
}

/// The points that can be used, coarse first, and where the floor begins.
struct Selection {
  std::vector<Point> points;
  std::optional<double> floor_h;
};

Selection select(Span h, Span error, Span standard_error, double floor) {
  std::vector<std::size_t> order(h.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return h[a] > h[b]; });
  const bool noisy =
      !standard_error.empty() && std::all_of(standard_error.begin(), standard_error.end(),
                                             [](double s) { return !(s <= 0.0); });
  Selection s;
  for (const std::size_t i : order) {
    const double sigma = noisy ? standard_error[i] : 0.0;
    if (!std::isfinite(error[i]) || !std::isfinite(sigma)) continue;
    if (error[i] <= floor_factor * std::max({floor, sigma, 0.0})) {
      if (!s.floor_h) s.floor_h = h[i];
      continue;
    }
    s.floor_h.reset();  // above the floor again: what lay below was chance
    s.points.push_back({std::log(h[i]), std::log(error[i]), sigma / error[i], i});
  }
  return s;
}

/// The finest points among which the local slopes have settled; at least three.
Points settled(Points coarse_first, double confidence) {
  std::size_t begin = coarse_first.size() - min_points;
  while (begin > 0) {
    const Points used = coarse_first.subspan(begin);
    const Model line = fit_model(used, 0.0);
    const Point& coarse = coarse_first[begin - 1];
    const Point& fine = coarse_first[begin];
    const double step = coarse.x - fine.x;
    const double local = (coarse.y - fine.y) / step;
    const double noise =
        std::hypot(std::hypot(coarse.sigma, fine.sigma) / step, known_error(used, line));
    if (std::abs(local - line.slope) > settled_tolerance + normal_quantile(confidence) * noise) {
      break;
    }
    --begin;
  }
  return coarse_first.subspan(begin);
}

/// Fits the selected points; `used` receives those of the settled range.
OrderFit fit(const Selection& selection, double confidence, std::vector<Point>& used) {
  OrderFit result;
  result.floor_h = selection.floor_h;
  if (selection.points.size() < min_points) {
    result.points = static_cast<int>(selection.points.size());
    result.status = selection.floor_h ? OrderStatus::floor_reached : OrderStatus::too_few_points;
    return result;
  }
  const Points points = settled(selection.points, confidence);
  result.status = OrderStatus::measured;
  result.slope = fit_model(points, 1.0).slope;
  result.low = result.high = result.slope;
  for (const double q : corrections) {
    const Model model = fit_model(points, q);
    const double half = half_width(points, model, confidence);
    result.low = std::min(result.low, model.slope - half);
    result.high = std::max(result.high, model.slope + half);
  }
  result.log_constant = 0.0;
  double sum = 0.0;
  for (const Point& p : points) {
    result.log_constant += weight(p) * (p.y - result.slope * p.x);
    sum += weight(p);
  }
  result.log_constant /= sum;
  result.points = static_cast<int>(points.size());
  result.h_fine = std::exp(points.back().x);
  result.h_coarse = std::exp(points.front().x);
  used.assign(points.begin(), points.end());
  return result;
}

/// `2^-9` for a power of two, otherwise three digits.
std::string step_text(double h) {
  int exponent = 0;
  return std::frexp(h, &exponent) == 0.5 ? fmt::format("2^{}", exponent - 1)
                                         : fmt::format("{:.3g}", h);
}

std::string floor_text(const OrderFit& fit) {
  return fmt::format("noise floor reached at h = {}", step_text(*fit.floor_h));
}

}  // namespace

OrderFit fit_order(Span h, Span error, Span standard_error, OrderOptions options) {
  check(h, error, standard_error, options);
  std::vector<Point> used;
  return fit(select(h, error, standard_error, options.floor), options.confidence, used);
}

OrderFit fit_order_bootstrap(Span h, Span squares, int resamples, std::uint64_t seed,
                             OrderOptions options) {
  const std::size_t levels = h.size();
  const std::size_t paths = levels == 0 ? 0 : squares.size() / levels;
  if (paths < 2 || paths * levels != squares.size() || resamples < 100) {
    throw std::invalid_argument(
        fmt::format("fit_order_bootstrap needs levels x paths squares, two paths and 100 "
                    "resamples: got {} levels, {} squares, {} resamples",
                    levels, squares.size(), resamples));
  }
  std::vector<double> error, standard_error;
  for (std::size_t l = 0; l < levels; ++l) {
    const Distance rms = root_mean_square(squares.subspan(l * paths, paths));
    error.push_back(rms.value);
    standard_error.push_back(rms.standard_error);
  }
  check(h, error, standard_error, options);
  std::vector<Point> used;
  OrderFit result = fit(select(h, error, standard_error, options.floor), options.confidence, used);
  if (result.status != OrderStatus::measured) return result;

  // Sums over runs of consecutive paths, run by run: what is drawn with replacement.
  const std::size_t runs = std::min<std::size_t>(paths, 4096), width = used.size();
  std::vector<double> sums(runs * width, 0.0);
  for (std::size_t k = 0; k < width; ++k) {
    const Span level = squares.subspan(used[k].level * paths, paths);
    for (std::size_t j = 0; j < paths; ++j) sums[j * runs / paths * width + k] += level[j];
  }
  pcg64 rng(seed);
  Eigen::MatrixXd logs(static_cast<Eigen::Index>(width), resamples);
  std::vector<double> total(width);
  for (int r = 0; r < resamples; ++r) {
    std::fill(total.begin(), total.end(), 0.0);
    for (std::size_t draw = 0; draw < runs; ++draw) {
      const double* run = &sums[static_cast<std::size_t>(rng(runs)) * width];
      for (std::size_t k = 0; k < width; ++k) total[k] += run[k];
    }
    for (std::size_t k = 0; k < width; ++k) {
      logs(static_cast<Eigen::Index>(k), r) = 0.5 * std::log(total[k] / static_cast<double>(paths));
    }
  }
  result.low = result.high = result.slope;
  const double tail = 0.5 * (1.0 - options.confidence) * (resamples - 1);
  for (const double q : corrections) {
    Eigen::RowVectorXd slopes = fit_model(used, q).row.transpose() * logs;
    std::sort(slopes.begin(), slopes.end());
    result.low = std::min(result.low, slopes(std::lround(tail)));
    result.high = std::max(result.high, slopes(resamples - 1 - std::lround(tail)));
  }
  return result;
}

OrderVerdict judge(const OrderFit& fit, double claimed) {
  if (fit.status != OrderStatus::measured) return OrderVerdict::unmeasured;
  if (fit.low <= claimed && claimed <= fit.high && fit.high - fit.low > order_spacing) {
    return OrderVerdict::undecided;
  }
  const double margin = claim_tolerance;
  if (claimed < std::min(fit.low, fit.slope - margin)) return OrderVerdict::higher;
  if (claimed > std::max(fit.high, fit.slope + margin)) return OrderVerdict::lower;
  return OrderVerdict::holds;
}

std::string describe(const OrderFit& fit) {
  if (fit.status == OrderStatus::measured) {
    return fmt::format("{:.2f} [{:.2f}, {:.2f}]", fit.slope, fit.low, fit.high);
  }
  return fit.status == OrderStatus::floor_reached ? floor_text(fit) : "too few points";
}

std::string verdict(const OrderFit& fit, double claimed) {
  const auto judgement = [&] {
    switch (judge(fit, claimed)) {
      case OrderVerdict::holds:
        return "holds";
      case OrderVerdict::lower:
        return "does not hold (lower)";
      case OrderVerdict::higher:
        return "does not hold (higher)";
      default:
        return "undecided (interval wider than 0.5)";
    }
  };
  if (fit.status != OrderStatus::measured) return describe(fit);
  return fmt::format("order {}, claimed {}: {}{}", describe(fit), claimed, judgement(),
                     fit.floor_h ? "; " + floor_text(fit) : "");
}

}  // namespace fokker
