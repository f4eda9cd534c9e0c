#pragma once
/// @file  estimate.hpp
/// @brief Disk space and time of a run, before it begins; memory by fokker::require_memory.

#include <string>
#include <string_view>

#include <fokker/solvers/support/memory.hpp>

namespace fokker::app {

/// Refuses a file that takes more than the disk of its folder has left.
/// @throws std::invalid_argument  with both figures
void require_disk(const std::string& file, double bytes);

/// Whether standard error is a terminal.
bool on_terminal();

/// Reports on a terminal how long a run will take, where that is more than ten seconds.
void announce_time(double seconds);

}  // namespace fokker::app
