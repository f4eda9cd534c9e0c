#pragma once
/// @file  fokker/diffusion/schedule/discrete_schedule.hpp
/// @brief The schedule of a discrete model (DDPM): a table of betas or alpha-bars.

#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <fokker/diffusion/schedule/schedules.hpp>
#include <fokker/solvers/support/file_path.hpp>

namespace fokker {

/// The variance preserving process through the M levels of a discrete model,
///
///     x_j = sqrt(1 - beta_j) x_{j-1} + sqrt(beta_j) eps_j
///
/// with alpha-bar_j the product of 1 - beta_i over i <= j: level j at t = j/M, the data at t = 0.
/// Between levels ln alpha-bar is linear in t, so that beta(t) = -M ln(1 - beta_j) is constant from
/// level to level and the process meets every level exactly: an ancestral step between two levels
/// is the discrete model's. s = exp(-B/2), sigma^2 = exp(B) - 1 with B = -ln alpha-bar. Copies
/// share the table.
/// Source: Ho, Jain & Abbeel (2020), arXiv 2006.11239 (the levels); Lu et al. (2022), arXiv
///         2206.00927 (ln alpha-bar linear between them, there from level 1 on).
class DiscreteVariancePreserving {
 public:
  static constexpr std::string_view name = "table";

  /// @param alpha_bars  alpha-bar_1 > ... > alpha-bar_M, inside (0, 1)
  /// @throws std::invalid_argument  naming the first level that is wrong
  explicit DiscreteVariancePreserving(std::span<const double> alpha_bars);

  Index levels() const { return static_cast<Index>(integral_->size()) - 1; }  ///< M
  Time time_of_level(Index j) const;  ///< j/M. @throws std::invalid_argument for j outside [0, M]

  AffineCoefficients at(Time t) const;  ///< at a level, beta from the right
  double frozen_score_weight(Time t, Time t_next) const;
  Time time_of_sigma(double sigma) const;
  ScheduleEnds ends() const {  // t_min is level 1
    return {.end = 1, .t_min = 1 / static_cast<double>(levels()), .prior_std = 1};
  }

 private:
  friend DiscreteVariancePreserving schedule_from_betas(std::span<const double> betas);
  using Levels = std::shared_ptr<const std::vector<double>>;
  explicit DiscreteVariancePreserving(Levels integral) : integral_(std::move(integral)) {}
  struct Place {
    double beta, integral;
  };
  Place place(Time t) const;

  Levels integral_;  // B at the levels 0 ... M
};

/// The schedule of beta_1 ... beta_M, each inside (0, 1).
/// @throws std::invalid_argument  naming the first level that is wrong
DiscreteVariancePreserving schedule_from_betas(std::span<const double> betas);

/// The schedule in a CSV file of one column whose header is `beta` or `alpha_bar`, level 1 first.
/// @throws std::runtime_error     a file that cannot be read, or cells that are no numbers
/// @throws std::invalid_argument  another header or number of columns; a level that is wrong, named
///                                with the file
DiscreteVariancePreserving read_discrete_schedule(const FilePath& path);

}  // namespace fokker
