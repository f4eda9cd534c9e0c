#include <algorithm>
#include <cmath>
#include <numeric>
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

void TextTable::drop_empty_columns() {
  for (std::size_t c = columns_.size(); c-- > 0;) {
    if (!std::all_of(rows_.begin(), rows_.end(), [&](const auto& row) { return row[c].empty(); }))
      continue;
    columns_.erase(columns_.begin() + static_cast<std::ptrdiff_t>(c));
    for (auto& row : rows_) row.erase(row.begin() + static_cast<std::ptrdiff_t>(c));
  }
}

namespace {

/// Characters on the terminal: bytes of UTF-8 that do not continue a character.
std::size_t length(std::string_view s) {
  return static_cast<std::size_t>(std::count_if(
      s.begin(), s.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

constexpr std::size_t narrowest = 24, gap = 2;

std::size_t line_length(const std::vector<std::size_t>& widths) {
  return std::accumulate(widths.begin(), widths.end(), gap * (widths.size() - 1));
}

}  // namespace

std::vector<std::string> wrapped_lines(std::string_view text, std::size_t width) {
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' ', 1), text.size());
    std::string_view word = text.substr(0, end);
    if (!lines.back().empty() && length(lines.back()) + length(word) > width) lines.emplace_back();
    if (lines.back().empty() && word.starts_with(' ')) word.remove_prefix(1);
    lines.back() += word;
    text.remove_prefix(end);
  }
  return lines;
}

std::vector<std::size_t> TextTable::widths(std::size_t columns, std::size_t width) const {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < columns; ++c) {
    widths.push_back(length(columns_[c].title));
    for (const auto& row : rows_) widths[c] = std::max(widths[c], length(row[c]));
  }
  while (line_length(widths) > width) {
    std::size_t* widest = nullptr;
    for (std::size_t c = 0; c < columns; ++c)
      if (columns_[c].wraps && widths[c] > narrowest && (!widest || widths[c] > *widest))
        widest = &widths[c];
    if (widest == nullptr) break;
    --*widest;
  }
  return widths;
}

std::string TextTable::text(std::size_t width) const {
  std::size_t shown = columns_.size();
  while (shown > 1 && line_length(widths(shown, width)) > width) --shown;
  const std::vector<std::size_t> widths = this->widths(shown, width);

  std::string out;
  const auto add_line = [&](const std::vector<std::string>& cells) {
    std::vector<std::vector<std::string>> lines;
    std::size_t height = 1;
    for (std::size_t c = 0; c < shown; ++c) {
      lines.push_back(columns_[c].wraps ? wrapped_lines(cells[c], widths[c])
                                        : std::vector<std::string>{cells[c]});
      height = std::max(height, lines[c].size());
    }
    for (std::size_t i = 0; i < height; ++i) {
      std::string line;
      for (std::size_t c = 0; c < shown; ++c) {
        const std::string cell = i < lines[c].size() ? lines[c][i] : "";
        const std::string padding(widths[c] - std::min(widths[c], length(cell)), ' ');
        if (c > 0) line += std::string(gap, ' ');
        line += columns_[c].align == Align::left ? cell + padding : padding + cell;
      }
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + '\n';
    }
  };
  std::vector<std::string> titles, rule, left_out;
  for (const Column& column : columns_) titles.push_back(column.title);
  for (const std::size_t w : widths) {
    rule.emplace_back();
    for (std::size_t i = 0; i < w; ++i) rule.back() += "─";
  }
  if (std::any_of(titles.begin(), titles.end(), [](const auto& t) { return !t.empty(); })) {
    add_line(titles);
    add_line(rule);
  }
  for (const auto& row : rows_) add_line(row);
  if (shown < columns_.size())
    out += fmt::format(
        "(on a wider terminal also: {})\n",
        fmt::join(titles.begin() + static_cast<std::ptrdiff_t>(shown), titles.end(), ", "));
  return out;
}

std::string TextTable::markdown() const {
  std::string out;
  const auto add_line = [&](const auto& cells) {
    for (std::string cell : cells) {
      for (std::size_t i = cell.find('|'); i != std::string::npos; i = cell.find('|', i + 2))
        cell.insert(i, 1, '\\');
      out += "| ";
      out += cell;
      if (!cell.empty()) out += ' ';
    }
    out += "|\n";
  };
  std::vector<std::string> titles, rule;
  for (const Column& column : columns_) {
    titles.push_back(column.title);
    rule.push_back(column.align == Align::left ? "---" : "---:");
  }
  add_line(titles);
  add_line(rule);
  for (const auto& row : rows_) add_line(row);
  return out;
}

}  // namespace fokker
