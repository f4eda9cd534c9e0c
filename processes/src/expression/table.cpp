/// @file  table.cpp
/// @brief Measured values as a function: table(FILE.csv, t).

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>

#include <fokker/processes/expression/table.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

ForcingTable::ForcingTable(const std::string& file) : file_(file) {
  std::ifstream stream(file);
  if (!stream) throw std::invalid_argument("the file " + file + " cannot be read");
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    std::replace_if(
        line.begin(), line.end(), [](char c) { return c == ',' || c == ';' || c == '\r'; }, ' ');
    std::istringstream words(line);
    std::string first, second, more;
    words >> first >> second;
    if (first.empty() || first.starts_with('#')) continue;
    const auto x = number_of(first), y = number_of(second);
    const bool point = x && y && std::isfinite(*x) && std::isfinite(*y) && !(words >> more);
    if (!point && x_.empty() && number == 1) continue;  // titles
    if (!point || (!x_.empty() && *x <= x_.back()))
      throw std::invalid_argument(
          text("line {} of {} must be two numbers, the first above that of the line before",
               {number, file}));
    x_.push_back(*x);
    y_.push_back(*y);
  }
  if (x_.size() < 2)
    throw std::invalid_argument(text("{} must have two points or more: got {}", {file, x_.size()}));
}

std::size_t ForcingTable::piece(double x) const {
  const auto after = std::upper_bound(x_.begin(), x_.end(), x);
  return static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(
      after - x_.begin() - 1, 0, static_cast<std::ptrdiff_t>(x_.size()) - 2));
}

double ForcingTable::value(double x) const {
  if (std::isnan(x)) return x;
  if (x <= x_.front()) return y_.front();
  if (x >= x_.back()) return y_.back();
  const std::size_t i = piece(x);
  return y_[i] + (y_[i + 1] - y_[i]) * ((x - x_[i]) / (x_[i + 1] - x_[i]));
}

double ForcingTable::slope(double x) const {
  if (x < x_.front() || x >= x_.back()) return 0;
  const std::size_t i = piece(x);
  return (y_[i + 1] - y_[i]) / (x_[i + 1] - x_[i]);
}

}  // namespace fokker
