#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

#include <fokker/analysis/figures/report.hpp>

namespace fokker {

std::string format_with_error(double value, double standard_error) {
  if (!std::isfinite(value)) return fmt::format("{}", value);
  if (!(standard_error > 0.0) || !std::isfinite(standard_error)) {
    return fmt::format("{:.4g}", value);
  }
  // The decimal place of the last digit of the error that is kept, after rounding.
  const auto last_place = [&](double error) {
    const int first = static_cast<int>(std::floor(std::log10(error)));
    return error / std::pow(10.0, first) < 1.95 ? first - 1 : first;
  };
  const double largest = std::max(std::abs(value), standard_error);
  const int exponent = static_cast<int>(std::floor(std::log10(largest)));
  if (exponent < -4 || exponent > 5) {
    const double unit = std::pow(10.0, exponent);
    const int digits = std::max(0, -last_place(standard_error / unit));
    return fmt::format("({:.{}f} ± {:.{}f})e{}", value / unit, digits, standard_error / unit,
                       digits, exponent);
  }
  const int digits = std::max(0, -last_place(standard_error));
  return fmt::format("{:.{}f} ± {:.{}f}", value, digits, standard_error, digits);
}

void TextTable::add_row(std::vector<std::string> cells) {
  if (cells.size() != columns_.size()) {
    throw std::invalid_argument(fmt::format("a table of {} columns cannot take a row of {} cells",
                                            columns_.size(), cells.size()));
  }
  rows_.push_back(std::move(cells));
}

std::string TextTable::text() const {
  // Columns on the terminal: bytes of UTF-8 that do not continue a character.
  const auto width = [](const std::string& s) {
    return static_cast<std::size_t>(std::count_if(
        s.begin(), s.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  };
  std::vector<std::size_t> widths;
  std::vector<std::string> titles;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    titles.push_back(columns_[c].title);
    widths.push_back(width(titles[c]));
    for (const auto& row : rows_) widths[c] = std::max(widths[c], width(row[c]));
  }
  std::string out;
  const auto add_line = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const std::string padding(widths[c] - width(cells[c]), ' ');
      if (c > 0) line += "  ";
      line += columns_[c].align == Align::left ? cells[c] + padding : padding + cells[c];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  };
  std::vector<std::string> rule;
  for (const std::size_t w : widths) {
    rule.emplace_back();
    for (std::size_t i = 0; i < w; ++i) rule.back() += "─";
  }
  add_line(titles);
  add_line(rule);
  for (const auto& row : rows_) add_line(row);
  return out;
}

}  // namespace fokker
