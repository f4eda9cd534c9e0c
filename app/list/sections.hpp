#pragma once
/// @file  sections.hpp
/// @brief The catalogues as `fokker list` shows them.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <fokker/analysis/figures/report.hpp>
#include <fokker/solvers/core/process.hpp>

namespace fokker::app {

/// Which entries a table shows.
struct Filter {
  std::string noise, calculus, family;

  bool given() const { return !noise.empty() || !calculus.empty() || !family.empty(); }
  /// @throws std::invalid_argument  for an unknown word, with the nearest
  void check() const;
  bool admits(NoiseKind kind) const { return noise.empty() || noise == to_string(kind); }
};

/// Paragraphs and tables in turn, and the same as JSON.
struct Listing {
  struct Part {
    std::string paragraph;              ///< above the table, in lines of any length
    std::vector<TextTable> table = {};  ///< one or none
  };
  std::vector<Part> parts;
  nlohmann::ordered_json json;

  std::string text(std::size_t width) const;
  std::string markdown() const;  ///< the tables
};

/// A catalogue.
struct Section {
  std::string_view name, one;  ///< "solvers", "solver"
  std::string_view example;    ///< a name in it
  bool filtered;               ///< takes a Filter
  std::function<Listing(const Filter&)> table;
  /// @throws std::invalid_argument  for an unknown name, with the nearest
  std::function<Listing(std::string_view name)> entry;
};

/// All of them, in the order in which they are listed.
const std::vector<Section>& sections();

}  // namespace fokker::app
