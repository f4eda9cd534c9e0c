#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

#include <fokker/diffusion/files/csv.hpp>
#include <fokker/diffusion/files/input_file.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {
namespace {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> cells;
  while (true) {
    const auto comma = line.find(',');
    cells.push_back(trim(line.substr(0, comma)));
    if (comma == std::string_view::npos) return cells;
    line.remove_prefix(comma + 1);
  }
}

/// Whether a cell may name a column: it starts with none of what numbers start with, and is no
/// decimal with letters in place of digits.
bool is_name(std::string_view cell) {
  if (cell.empty() || number_of(cell)) return false;
  if (std::string_view("0123456789+-.").find(cell.front()) != std::string_view::npos) return false;
  const bool decimal = cell.find('.') != std::string_view::npos &&
                       cell.find_first_of("0123456789") != std::string_view::npos;
  return !decimal || cell.find_first_not_of("0123456789+-.eEoOlI") != std::string_view::npos;
}

}  // namespace

Table read_csv(const FilePath& path, const CsvOptions& options) {
  const std::string text = read_input(path);
  std::string_view rest = text;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);

  Table table;
  std::size_t width = 0;  // cells per line, dropped ones included
  std::size_t line_number = 0;
  bool first = true;
  const auto dropped = [&](std::size_t column) {
    return std::find(options.drop_columns.begin(), options.drop_columns.end(), column + 1) !=
           options.drop_columns.end();
  };
  const auto refuse = [&](std::size_t column, const std::string& cause) {
    throw std::runtime_error(
        fmt::format("{}:{}:{}: {}", path.string(), line_number, column + 1, cause));
  };

  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++line_number;
    if (trim(line).empty()) continue;
    const auto cells = split(line);

    if (first) {
      width = cells.size();
      for (const std::size_t column : options.drop_columns) {
        if (column < 1 || column > width) {
          throw std::runtime_error(fmt::format("{}: there is no column {} to drop: it has {}",
                                               path.string(), column, width));
        }
      }
      for (std::size_t c = 0; c < width; ++c) table.columns += !dropped(c);
      if (table.columns == 0) {
        throw std::runtime_error(fmt::format("{}: every column is dropped", path.string()));
      }
    } else if (cells.size() != width) {
      refuse(std::min(cells.size(), width),
             fmt::format("{} cells in this row, {} in the first", cells.size(), width));
    }
    const bool header = first && std::any_of(cells.begin(), cells.end(), is_name) &&
                        std::all_of(cells.begin(), cells.end(),
                                    [](auto cell) { return cell.empty() || is_name(cell); });
    first = false;

    for (std::size_t c = 0; c < width; ++c) {
      if (dropped(c)) continue;
      if (header) {
        if (!cells[c].empty() &&
            std::find(table.header.begin(), table.header.end(), cells[c]) != table.header.end())
          refuse(c, fmt::format("'{}' names two columns", cells[c]));
        table.header.emplace_back(cells[c]);
        continue;
      }
      const auto value = number_of(cells[c]);
      if (cells[c].empty()) refuse(c, "an empty cell is not a number");
      if (!value) refuse(c, fmt::format("'{}' is not a number", cells[c]));
      if (!std::isfinite(*value)) refuse(c, fmt::format("'{}' is not a finite number", cells[c]));
      table.values.push_back(*value);
    }
    table.rows += !header;
  }
  if (table.rows == 0) {
    throw std::runtime_error(fmt::format("{}: no row of numbers in it", path.string()));
  }
  return table;
}

}  // namespace fokker
