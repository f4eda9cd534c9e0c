#pragma once
/// @file  summary.hpp
/// @brief A summary of many numbers: mean, standard deviation and quantiles.

#include <array>
#include <vector>

#include <fokker/solvers/ensemble/path_statistics.hpp>

namespace fokker::app {

/// Probabilities of the quantiles that are reported.
inline constexpr std::array probabilities = {0.05, 0.25, 0.5, 0.75, 0.95};

struct Summary {
  double n;  ///< values that are finite: all others are left out
  double mean, mean_error, sd, sd_error;
  std::array<double, probabilities.size()> quantiles;
};

/// The moments given, and the quantiles of the finite values of x. What is not known is nan: all
/// without a value, and the spread of one value.
Summary summarise(const FourMoments& moments, std::vector<double> x);

/// The summary of the finite values of x.
Summary summarise(std::vector<double> x);

}  // namespace fokker::app
