#pragma once
/// @file  estimate.hpp
/// @brief What a run will take, before it begins: memory that is there or not, and time.

#include <string>
#include <string_view>

namespace fokker::app {

/// Bytes that this program can still take: the least of what the machine has available
/// (/proc/meminfo), what its control groups and its address space leave; infinite where none says.
double available_memory();

/// Refuses what cannot fit.
/// @param bytes  at least what the run will hold at once
/// @param cause  what takes them and what would take less, as in "10^9 saved times: lower --points"
/// @throws std::invalid_argument  with both figures
void require_memory(double bytes, std::string_view cause);

/// The same for a file that takes so much on the disk of its folder.
void require_disk(const std::string& file, double bytes);

/// "28 GB", "1.5 MB".
std::string bytes_text(double bytes);
/// "40 s", "3 min", "2.5 h", "12 days".
std::string duration_text(double seconds);

/// Whether standard error is a terminal.
bool on_terminal();

/// Reports on a terminal how long a run will take, where that is more than ten seconds.
void announce_time(double seconds);

}  // namespace fokker::app
