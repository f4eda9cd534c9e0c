#pragma once
/// @file  fokker/processes/expression/table.hpp
/// @brief Measured values as a function: table(FILE.csv, t).

#include <string>
#include <vector>

namespace fokker {

/// A function by linear interpolation between points; beyond the ends it keeps their values.
class ForcingTable {
 public:
  /// Reads two columns separated by a comma, a semicolon or blanks: the argument, ascending, and the
  /// value. Lines that begin with # and a first line of titles are skipped.
  /// @throws std::invalid_argument  a file that cannot be read, with fewer than two points, or with
  ///                                a line that is no point
  explicit ForcingTable(const std::string& file);

  /// The file that was read.
  const std::string& file() const { return file_; }
  /// The interpolated value; constant beyond the ends.
  double value(double x) const;
  /// Slope of the piece, from the right at its left end; 0 beyond the ends.
  double slope(double x) const;

 private:
  std::size_t piece(double x) const;

  std::string file_;
  std::vector<double> x_, y_;
};

}  // namespace fokker
