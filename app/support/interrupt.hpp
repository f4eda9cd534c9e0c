#pragma once
/// @file  interrupt.hpp
/// @brief SIGINT and SIGTERM end a run within a second, with what it has finished.

#include <atomic>

namespace fokker::app {

/// The flag that the first SIGINT or SIGTERM raises, shared by all commands and given to the
/// library as its `cancel`. Before the first call a signal ends the program as usual: call it when
/// the options have been read, before anything long.
///
/// The run has 0.9 seconds from then on to end by itself. After that the program ends with the exit
/// code `interrupted`: files are whole or absent at any moment, and a checkpoint is the last one
/// that was complete. `keep_results` gives more time to a run that has begun to write. A second
/// signal kills, unless it comes within half a second, as that of `timeout` does, which signals a
/// process and its group.
const std::atomic<bool>& catch_interrupt();

/// Whether a signal has come.
bool interrupt_caught();

/// From now on the run writes what it has found: a signal leaves it five seconds for that.
void keep_results();

}  // namespace fokker::app
