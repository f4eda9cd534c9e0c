#pragma once
/// @file  table.hpp
/// @brief Rows of a table of docs/certificates.md or docs/sampler_certificates.md.

#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace certificate {

/// Written when the object dies, to be put in its page by report.cmake.
class Table {
 public:
  explicit Table(std::string name) : name_(std::move(name)) {}
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  ~Table() {
    std::ofstream file(std::string(FOKKER_CERTIFICATES) + "/" + name_ + ".rows");
    for (const auto& row : rows_) file << row << '\n';
  }

  void add(const std::vector<std::string>& cells) {
    rows_.push_back(fmt::format("| {} |", fmt::join(cells, " | ")));
  }

 private:
  std::string name_;
  std::vector<std::string> rows_;
};

inline std::string claim(const std::optional<double>& order) {
  return order ? fmt::format("{}", *order) : "none";
}

}  // namespace certificate
