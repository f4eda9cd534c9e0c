#pragma once
/// @file  fokker/analysis/figures/report.hpp
/// @brief What a study leaves behind: files that are whole or absent, and tables on the terminal.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <fokker/solvers/support/atomic_file.hpp>

namespace fokker {

/// `0.0312 ± 0.0004`: the value to the digits that its standard error leaves (one digit of it, two
/// where the first is a one); very small and large ones as `(1.20 ± 0.03)e-10`. The value alone, to
/// four digits, where the error is zero; `inf` and `nan` as such.
std::string format_with_error(double value, double standard_error);

/// The words of a text in lines of at most `width` characters; a longer word has a line of its own.
std::vector<std::string> wrapped_lines(std::string_view text, std::size_t width);

/// A table of text for the terminal: columns as wide as their widest cell, numbers to the right.
class TextTable {
 public:
  /// Alignment of a column.
  enum class Align { left, right };

  /// A column: its title and the alignment of its cells.
  struct Column {
    std::string title;
    Align align = Align::right;
    bool wraps = false;  ///< over several lines where the table is too wide
  };

  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// @throws std::invalid_argument  another number of cells than columns
  void add_row(std::vector<std::string> cells);

  /// Removes the columns in which no row has an entry.
  void drop_empty_columns();

  /// Title line and a rule, unless all titles are empty, then the rows; two spaces between columns,
  /// none at the end of a line.
  /// @param width  most characters of a line: columns that wrap become narrower, down to 24; where
  ///               that is not enough, columns are left out from the right and named below the table
  std::string text(std::size_t width = std::string::npos) const;

  /// The table in Markdown.
  std::string markdown() const;

 private:
  std::vector<std::size_t> widths(std::size_t columns, std::size_t width) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace fokker
