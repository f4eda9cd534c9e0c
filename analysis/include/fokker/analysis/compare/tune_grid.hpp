#pragma once
/// @file  fokker/analysis/compare/tune_grid.hpp
/// @brief The time grid on which a sampler does best, for data of a given spectrum.

#include <string>
#include <vector>

#include <fokker/analysis/compare/comparison.hpp>
#include <fokker/solvers/core/grid.hpp>

namespace fokker {

/// One of the grids of `list_grids` and its error, to see what the search gained.
struct NamedGridError {
  std::string grid;
  double error = 0;
};

/// What `tune_grid` found.
struct TunedGrid {
  TimeGrid times;                     ///< steps + 1 times, start first
  double error = 0;                   ///< W2 between the law of the sampler on it and the data
  double nfe = 0;                     ///< score evaluations per path
  std::vector<NamedGridError> named;  ///< grids that can be had by name, best first
  int evaluations = 0;                ///< laws that were pushed through the sampler
  Status status = Status::success;    ///< cancelled: the best so far
};

/// The grid from the start to t_min that minimises the exact W2 between the law of one sampler with
/// a given number of steps and Gaussian data. The unknowns are the logarithms of the steps in
/// ln sigma; W2^2 is a sum of squares over the eigenmodes, which Levenberg and Marquardt's method
/// makes small from each of the named grids in turn. A local minimum is all that is promised, but
/// never one above the best of the named grids.
///
/// Source: for the method More (1978), "The Levenberg-Marquardt algorithm: implementation and
/// theory"; for the question Sabour, Fidler & Kreis (2024), arXiv 2404.14507.
///
/// @param settings  as for `compare` with `exact`: one sampler, and one number of steps or of
///                  evaluations; `grid` and `times` are not looked at
/// @throws std::invalid_argument  as `compare`; more than one sampler or budget; fewer than two
///                  steps, an adaptive sampler, or sigma = 0 at t_min, where ln sigma has no end
/// @throws std::runtime_error     no grid on which the law of the sampler is finite
TunedGrid tune_grid(ComparisonSettings settings);

}  // namespace fokker
