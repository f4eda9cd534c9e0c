#pragma once
/// @file  until.hpp
/// @brief `fokker integrate --until`: when each path first meets a level.

#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <fokker/analysis/csv.hpp>
#include <fokker/analysis/plot.hpp>
#include <fokker/solvers/first_passage.hpp>

#include "summary.hpp"

namespace fokker::app {

/// A level of a component, not met at the start.
struct Until {
  std::string text;  ///< as it was given
  Index component = 0;
  double level = 0;
};

/// "x>=1", "x<=1", or "x=1" for a level from either side; of several components x1, x2, ...
/// @param x0  the start of every path
/// @throws std::invalid_argument  for words that are no such condition, and one that holds at x0
Until parse_until(std::string_view word, std::span<const double> x0);

/// The passage times of a run from t0 to t1, and what is said of them.
class PassageReport {
 public:
  PassageReport(Until until, PassageTimes passage, Time t0, Time t1);

  void print(std::FILE* out) const;
  nlohmann::ordered_json json() const;
  /// One row per path: its number and the time, inf where the level was not met.
  Table csv() const;
  /// P(met by t) over t.
  Figure figure(std::string title) const;

 private:
  Until until_;
  PassageTimes passage_;
  Time t0_, t1_;
  std::vector<double> times_;  // per path, on the clock of the user
  Summary summary_;            // of those that met the level
  Estimate reached_;
};

}  // namespace fokker::app
