/// @file  schedules_tabulated.cpp
/// @brief The schedule of given coefficients, by quadrature.

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include <boost/math/quadrature/gauss_kronrod.hpp>

#include <fokker/diffusion/schedule/tabulated_schedule.hpp>
#include <fokker/solvers/support/checks.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

namespace {

struct Quadrature {
  double value, error;
};

/// One panel of Gauss and Kronrod's 7 and 15 points, on [-1, 1], where Boost's error is to scale.
template <class F>
Quadrature panel(const F& f, Time a, Time b) {
  const double middle = 0.5 * (a + b), half = 0.5 * (b - a);
  const auto g = [&](double u) { return half * f(middle + half * u); };
  constexpr unsigned no_halving = 0;
  Quadrature q{};
  q.value = boost::math::quadrature::gauss_kronrod<double, 15>::integrate(g, -1.0, 1.0, no_halving,
                                                                          0.0, &q.error);
  return q;
}

}  // namespace

/// Both integrals at the edges of the cells; one panel is exact to rounding in each.
struct TabulatedSchedule::Table {
  Table(std::function<double(Time)> rate, std::function<double(Time)> diffusion, Time end_time)
      : f(std::move(rate)), g(std::move(diffusion)), end(end_time) {
    check_positive("the end time", end);
    append(end, end / 64);
    while (edge.back() < end) append(end, 2 * last_width);
  }

  /// Adds the cell that follows, of this width or as much less as quadrature needs.
  void append(Time limit, Time width) {
    constexpr double tolerance = 1e-14;
    const Time a = edge.back();
    for (Time w = width; w > 1e-12 * end; w /= 2) {
      const Time b = a + w < limit ? a + w : limit;
      const Quadrature scale_part = panel(f, a, b);
      if (!(scale_part.error <= tolerance * (1 + std::abs(log_scale.back())))) continue;
      const Quadrature variance_part = panel([&](Time u) { return variance_rate(u); }, a, b);
      const double sum = variance.back() + variance_part.value;
      if (!(variance_part.error <= tolerance * sum) || !std::isfinite(sum)) continue;
      edge.push_back(b);
      log_scale.push_back(log_scale.back() + scale_part.value);
      variance.push_back(sum);
      last_width = w;
      return;
    }
    throw std::invalid_argument("the integrals of f and (g/s)^2 must be finite up to " +
                                text(limit) + ": quadrature fails at t=" + text(a));
  }

  /// The last edge at or below t.
  std::size_t cell(Time t) const {
    const auto after = std::upper_bound(edge.begin() + 1, edge.end(), t);
    return static_cast<std::size_t>(after - edge.begin()) - 1;
  }

  /// ln s(t)
  double log_scale_at(Time t) const {
    const std::size_t k = cell(t);
    return t == edge[k] ? log_scale[k] : log_scale[k] + panel(f, edge[k], t).value;
  }

  double variance_rate(Time t) const {
    const double g_over_s = g(t) * std::exp(-log_scale_at(t));
    return g_over_s * g_over_s;
  }

  /// sigma(t)^2
  double variance_at(Time t) const {
    const std::size_t k = cell(t);
    if (t == edge[k]) return variance[k];
    return variance[k] + panel([this](Time u) { return variance_rate(u); }, edge[k], t).value;
  }

  std::function<double(Time)> f, g;
  Time end, last_width = 0;
  std::vector<Time> edge{0.0};
  std::vector<double> log_scale{0.0}, variance{0.0};
};

TabulatedSchedule::TabulatedSchedule(std::function<double(Time)> f, std::function<double(Time)> g,
                                     Time end)
    : table_(std::make_shared<const Table>(std::move(f), std::move(g), end)) {}

AffineCoefficients TabulatedSchedule::at(Time t) const {
  return {.scale = std::exp(table_->log_scale_at(t)),
          .sigma = std::sqrt(table_->variance_at(t)),
          .log_scale_rate = table_->f(t),
          .diffusion = table_->g(t)};
}

double TabulatedSchedule::frozen_score_weight(Time t, Time t_next) const {
  const auto scale = [&](Time u) { return std::exp(table_->log_scale_at(u)); };
  const auto weight = [&](Time u) {
    const double g = table_->g(u);
    return g * g / scale(u);
  };
  return scale(t_next) * detail::integral(weight, t_next, t);
}

ScheduleEnds TabulatedSchedule::ends() const { return {.end = table_->end}; }

}  // namespace fokker
