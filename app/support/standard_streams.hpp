#pragma once
/// @file  standard_streams.hpp
/// @brief Standard output and standard error of a program that works with any of them closed or
///        full.

#include <string>

namespace fokker::app {

/// Opens standard input, output and error on the null device where they are closed, so that no
/// file of a run gets their numbers; then `stdout` and `stderr` never report a failed write, which
/// fmt would throw in the middle of a run. What standard error cannot take is dropped; what
/// standard output cannot take is remembered. A closed pipe and a limit on the size of files are
/// errors of the write, not signals. Call once, first.
void guard_standard_streams();

/// Writes what standard output still holds.
/// @returns the error number of the first write to it that failed; 0 where all were written
int flush_standard_output();

}  // namespace fokker::app
