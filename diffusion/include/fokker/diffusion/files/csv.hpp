#pragma once
/// @file  fokker/diffusion/files/csv.hpp
/// @brief Tables of numbers, read from CSV files.

#include <cstddef>
#include <string>
#include <vector>

#include <fokker/solvers/support/file_path.hpp>

namespace fokker {

/// rows x columns numbers, row after row, and the names of the columns if there are any.
struct Table {
  std::vector<std::string> header;  ///< empty, or one name per column
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<double> values;

  double operator()(std::size_t row, std::size_t column) const {
    return values[row * columns + column];
  }
};

/// How to read.
struct CsvOptions {
  std::vector<std::size_t> drop_columns;  ///< counted from 1 in the file; their cells may be text
};

/// Reads numbers separated by commas, one row per line. Spaces around a cell, a carriage return, a
/// byte-order mark and blank lines are ignored. A first line of names is the header: cells that
/// start with none of 0-9 + - . and are not all empty. Numbers are decimal, with at most one sign.
/// @throws std::runtime_error  a file that cannot be read or has no row: `points.csv: ...`; a cell
///     that is no finite number, or a row of another length: file, line and column counted from 1,
///     as in `points.csv:17:3: 'abc' is not a number`; a column to drop that is not there
Table read_csv(const FilePath& path, const CsvOptions& options = {});

}  // namespace fokker
