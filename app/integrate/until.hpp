#pragma once
/// @file  until.hpp
/// @brief `fokker integrate --until`: when each path first meets a level, or one of several.

#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <fokker/analysis/figures/csv.hpp>
#include <fokker/analysis/figures/plot.hpp>
#include <fokker/solvers/ensemble/first_passage.hpp>

#include "integrate/summary.hpp"

namespace fokker::app {

/// A level of a component, not met at the start.
struct Until {
  std::string text;  ///< as it was given
  Index component = 0;
  double level = 0;
};

/// "x>=1", "x<=1", or "x=1" for a level from either side; of several components x1, x2, ...;
/// several of them with "or" between, as in "x>=1 or x<=-1".
/// @param x0  the start of every path
/// @throws std::invalid_argument  for words that are no such condition, and one that holds at x0
std::vector<Until> parse_until(std::string_view words, std::span<const double> x0);

/// The passage times of a run from t0 to t1: the first of those of all conditions.
class PassageReport {
 public:
  /// @param passages  one for each condition, of the same paths
  PassageReport(std::vector<Until> conditions, const std::vector<PassageTimes>& passages, Time t0,
                Time t1);

  void print(std::FILE* out) const;
  nlohmann::ordered_json json() const;
  /// One row per path: its number, the time, inf where no level was met, and with several
  /// conditions the number of the first that was met, from 1.
  Table csv() const;
  /// P(met by t) over t.
  Figure figure(std::string title) const;

 private:
  std::string words() const;
  /// Of the paths that did not fail, those that met this condition first.
  double share(std::size_t condition) const;

  std::vector<Until> conditions_;
  PassageTimes passage_;
  std::vector<std::size_t> which_;  // per path, meaningful where the time is finite
  Time t0_, t1_;
  std::vector<double> times_;  // per path, on the clock of the user
  Summary summary_;            // of those that met the level
  Estimate reached_;
  Index met_ = 0, failed_ = 0;  // failed: neither met a level nor reached the end
};

}  // namespace fokker::app
