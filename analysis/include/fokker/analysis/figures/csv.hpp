#pragma once
/// @file  fokker/analysis/figures/csv.hpp
/// @brief Tables of numbers, written to CSV files; for reading see fokker/diffusion/files/csv.hpp.

#include <fokker/diffusion/files/csv.hpp>
#include <fokker/solvers/support/file_path.hpp>

namespace fokker {

/// Writes a table, all or nothing (write_file_atomically); each number with as many digits as bring
/// it back exactly. A name with a comma, quote or line break is quoted.
/// @throws std::runtime_error     an unwritable path
/// @throws std::invalid_argument  sizes that disagree
void write_csv(const FilePath& path, const Table& table);

}  // namespace fokker
