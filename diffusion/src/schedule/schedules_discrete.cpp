/// @file  schedules_discrete.cpp
/// @brief The schedule of a table of betas or alpha-bars.

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include <fokker/diffusion/files/csv.hpp>
#include <fokker/diffusion/schedule/discrete_schedule.hpp>
#include <fokker/solvers/support/checks.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

namespace {

void require_levels(std::span<const double> table, const char* what) {
  if (table.empty())
    throw std::invalid_argument("a discrete schedule needs at least one " + std::string(what));
}

}  // namespace

DiscreteVariancePreserving::DiscreteVariancePreserving(std::span<const double> alpha_bars) {
  require_levels(alpha_bars, "alpha_bar");
  std::vector<double> integral{0.0};
  double before = 1;
  for (std::size_t j = 0; j < alpha_bars.size(); ++j) {
    const double now = alpha_bars[j];
    if (!(now > 0) || !(now < before))
      throw std::invalid_argument("alpha_bar must fall from below 1 and stay above 0: level " +
                                  std::to_string(j + 1) + " is " + text(now) + " after " +
                                  text(before));
    integral.push_back(-std::log(now));
    before = now;
  }
  integral_ = std::make_shared<const std::vector<double>>(std::move(integral));
}

DiscreteVariancePreserving schedule_from_betas(std::span<const double> betas) {
  require_levels(betas, "beta");
  std::vector<double> integral{0.0};
  for (std::size_t j = 0; j < betas.size(); ++j) {
    if (!(betas[j] > 0) || !(betas[j] < 1))
      throw std::invalid_argument("beta must lie in (0, 1): level " + std::to_string(j + 1) +
                                  " has beta=" + text(betas[j]));
    integral.push_back(integral.back() - std::log1p(-betas[j]));
  }
  return DiscreteVariancePreserving(
      std::make_shared<const std::vector<double>>(std::move(integral)));
}

DiscreteVariancePreserving read_discrete_schedule(const FilePath& path) {
  const Table table = read_csv(path);
  const bool betas = table.header == std::vector<std::string>{"beta"};
  if (!betas && table.header != std::vector<std::string>{"alpha_bar"})
    throw std::invalid_argument(
        path.string() +
        ": a discrete schedule is one column with the header beta or "
        "alpha_bar: got " +
        std::to_string(table.columns) + " columns" +
        (table.header.empty() ? " and no header" : ", the first called " + table.header[0]));
  try {
    return betas ? schedule_from_betas(table.values)
                 : DiscreteVariancePreserving(std::span(table.values));
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(path.string() + ": " + error.what());
  }
}

Time DiscreteVariancePreserving::time_of_level(Index j) const {
  const auto m = static_cast<double>(levels());
  return check_in("the level", static_cast<double>(j), 0, m) / m;
}

DiscreteVariancePreserving::Place DiscreteVariancePreserving::place(Time t) const {
  const double m = static_cast<double>(levels()), level = t * m;
  const double below = level > 0 ? std::min(std::floor(level), m - 1) : 0;
  const auto j = static_cast<std::size_t>(below);
  const double low = (*integral_)[j], step = (*integral_)[j + 1] - low;
  return {step * m, low + step * (level - below)};
}

AffineCoefficients DiscreteVariancePreserving::at(Time t) const {
  const auto [beta, integral] = place(t);
  return detail::variance_preserving(beta, integral);
}

double DiscreteVariancePreserving::frozen_score_weight(Time t, Time t_next) const {
  return detail::variance_preserving_weight(place(t).integral, place(t_next).integral);
}

Time DiscreteVariancePreserving::time_of_sigma(double sigma) const {
  const double value = detail::variance_preserving_integral(sigma);
  const auto& b = *integral_;
  const auto above = std::upper_bound(b.begin() + 1, b.end() - 1, value);  // first level past it
  const auto j = static_cast<std::size_t>(above - b.begin()) - 1;
  const double part = (value - b[j]) / (b[j + 1] - b[j]);
  return std::min((static_cast<double>(j) + part) / static_cast<double>(levels()), 1.0);
}

}  // namespace fokker
