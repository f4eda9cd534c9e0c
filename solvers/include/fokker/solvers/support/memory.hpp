#pragma once
/// @file  fokker/solvers/support/memory.hpp
/// @brief Memory that is left to a program, and refusal of runs that cannot fit in it.

#include <string>
#include <string_view>

namespace fokker {

/// Bytes that this program can still take: the least of what the machine has available
/// (/proc/meminfo), what its control groups and its address space leave; infinite where none says.
double available_memory();

/// Refuses what cannot fit.
/// @param bytes  at least what the run will hold at once
/// @param cause  what takes them and what would take less, as in "10^9 saved times: lower --points"
/// @throws std::invalid_argument  with both figures
void require_memory(double bytes, std::string_view cause);

/// "28 GB", "1.5 MB".
std::string bytes_text(double bytes);
/// "40 s", "3 min", "2.5 h", "12 days".
std::string duration_text(double seconds);

}  // namespace fokker
