#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include <fokker/diffusion/csv.hpp>

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

/// The whole of `cell` as a number, nan and infinities included; beyond the range of double: inf.
std::optional<double> number(std::string_view cell) {
  if (cell.starts_with('+')) cell.remove_prefix(1);
  double value = 0.0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (cell.empty() || end != cell.data() + cell.size()) return {};
  if (error == std::errc::result_out_of_range) return HUGE_VAL;
  return error == std::errc{} ? std::optional(value) : std::nullopt;
}

std::string read_text(const FilePath& path) {
  std::ifstream file(path.string(), std::ios::binary);
  if (!file || std::filesystem::is_directory(path.string())) {
    throw std::runtime_error(fmt::format("{}: cannot be read: {}", path.string(),
                                         file ? "it is a directory" : std::strerror(errno)));
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

Table read_csv(const FilePath& path, const CsvOptions& options) {
  const std::string text = read_text(path);
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
    const bool header =
        first && std::none_of(cells.begin(), cells.end(), [](auto cell) { return number(cell); });
    first = false;

    for (std::size_t c = 0; c < width; ++c) {
      if (dropped(c)) continue;
      if (header) {
        table.header.emplace_back(cells[c]);
        continue;
      }
      const auto value = number(cells[c]);
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
