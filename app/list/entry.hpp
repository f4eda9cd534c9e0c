#pragma once
/// @file  entry.hpp
/// @brief One entry of a catalogue in full.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fokker/analysis/catalogue/solver_registry.hpp>

#include "list/sections.hpp"

namespace fokker::app {

/// The header of a type or of a member function of it, "fokker/solvers/ito/sri.hpp".
std::string header_of_type(std::string_view type);

/// A process of the command line that a solver takes, gbm where it does.
std::string_view example_process(const SolverInfo& solver);

/// Rows of words, then tables.
class Entry {
 public:
  Entry(std::string_view name, std::string_view description)
      : title_(std::string(name) + ": " + std::string(description)) {}

  void add(std::string_view word, std::string meaning) {
    rows_.emplace_back(word, std::move(meaning));
  }
  /// The C++ type and its header.
  void add_type(std::string_view type);
  void add_table(std::string title, TextTable table) {
    tables_.push_back({std::move(title), {std::move(table)}});
  }
  /// The measured orders of `name` in tables of Markdown with a heading above each.
  void add_certificates(std::string_view tables, std::string_view name);

  Listing listing(nlohmann::ordered_json json) const;

 private:
  std::string title_;
  std::vector<std::pair<std::string, std::string>> rows_;
  std::vector<Listing::Part> tables_;
};

}  // namespace fokker::app
