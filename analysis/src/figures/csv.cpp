#include <iterator>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

#include <fokker/analysis/figures/csv.hpp>
#include <fokker/analysis/figures/report.hpp>

namespace fokker {
namespace {

/// A name as a CSV cell.
std::string quoted(const std::string& name) {
  if (name.find_first_of(",\"\r\n") == std::string::npos) return name;
  std::string cell = "\"";
  for (const char c : name) cell += c == '"' ? "\"\"" : std::string(1, c);
  return cell + '"';
}

}  // namespace

void write_csv(const FilePath& path, const Table& table) {
  if (table.values.size() != table.rows * table.columns ||
      (!table.header.empty() && table.header.size() != table.columns)) {
    throw std::invalid_argument(
        fmt::format("write_csv: sizes disagree: {} x {} table, {} values, {} names", table.rows,
                    table.columns, table.values.size(), table.header.size()));
  }
  fmt::memory_buffer out;
  const auto end_cell = [&](std::size_t c) { out.push_back(c + 1 < table.columns ? ',' : '\n'); };
  for (std::size_t c = 0; c < table.header.size(); ++c) {
    fmt::format_to(std::back_inserter(out), "{}", quoted(table.header[c]));
    end_cell(c);
  }
  for (std::size_t i = 0; i < table.values.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "{}", table.values[i]);
    end_cell(i % table.columns);
  }
  write_file_atomically(path, {out.data(), out.size()});
}

}  // namespace fokker
