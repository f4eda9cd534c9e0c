#include "list/entry.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "list/declarations.hpp"

namespace fokker::app {
namespace {

std::vector<std::string> cells_of(std::string_view row) {
  std::vector<std::string> cells;
  for (std::size_t first = row.find('|') + 1; first < row.size();) {
    const std::size_t end = row.find('|', first);
    if (end == std::string_view::npos) break;
    std::string_view cell = row.substr(first, end - first);
    while (cell.starts_with(' ')) cell.remove_prefix(1);
    while (cell.ends_with(' ')) cell.remove_suffix(1);
    cells.emplace_back(cell);
    first = end + 1;
  }
  return cells;
}

}  // namespace

std::string header_of_type(std::string_view type) {
  return std::string(header_of(type.substr(0, type.find_first_of(":<"))));
}

std::string_view example_process(const SolverInfo& solver) {
  std::string_view found;
  for (const ProcessInfo& info : list_processes()) {
    if (fit(make_process(info.name), solver) == Fit::refused) continue;
    if (found.empty() || info.name == "gbm") found = info.name;
  }
  return found;
}

void Entry::add_type(std::string_view type) {
  const std::string header = header_of_type(type);
  add("C++", header.empty() ? std::string(type) : fmt::format("{}, in <{}>", type, header));
}

void Entry::add_certificates(std::string_view tables, std::string_view name) {
  TextTable measured({{"measured", TextTable::Align::left, true},
                      {"claimed"},
                      {"order [95 % interval]", TextTable::Align::left, true}});
  std::string heading;
  std::vector<std::string> titles, before;
  bool any = false;
  while (!tables.empty()) {
    const std::size_t end = std::min(tables.find('\n'), tables.size());
    const std::string_view line = tables.substr(0, end);
    tables.remove_prefix(std::min(end + 1, tables.size()));
    if (line.starts_with("## ")) {
      heading = line.substr(3);
      continue;
    }
    std::vector<std::string> cells = cells_of(line);
    if (cells.empty()) continue;
    if (cells.front().starts_with("---")) titles = before;  // the rule below the titles
    if (cells.front() == name) {
      std::string what = heading, claimed, orders;
      for (std::size_t i = 1; i < std::min(cells.size(), titles.size()); ++i) {
        const bool interval = cells[i].find('[') != std::string::npos;
        if (titles[i] == "claimed")
          claimed = cells[i];
        else if (titles[i] == "measured")
          orders = cells[i];
        else if (interval)
          orders += (orders.empty() ? "" : ", ") + titles[i] + " " + cells[i];
        else if (claimed.empty())
          what += ", " + cells[i];
      }
      measured.add_row({what, claimed, orders});
      any = true;
    }
    before = std::move(cells);
  }
  if (any) add_table("Measured orders, from the certificates of the test suite", measured);
}

Listing Entry::listing(nlohmann::ordered_json json) const {
  TextTable table({{"", TextTable::Align::left}, {"", TextTable::Align::left, true}});
  for (const auto& [word, meaning] : rows_) table.add_row({word, meaning});
  Listing listing{{{title_, {table}}}, std::move(json)};
  listing.parts.insert(listing.parts.end(), tables_.begin(), tables_.end());
  return listing;
}

}  // namespace fokker::app
