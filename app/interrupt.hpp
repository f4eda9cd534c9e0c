#pragma once
/// @file  interrupt.hpp
/// @brief Ctrl-C ends a run with what it has finished.

#include <atomic>
#include <csignal>

namespace fokker::app {

namespace detail {
inline std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);
}  // namespace detail

/// The flag that the first SIGINT or SIGTERM raises; the second one kills. Call before long work.
inline const std::atomic<bool>& catch_interrupt() {
  const auto handler = [](int signal) {
    detail::interrupted = true;
    std::signal(signal, SIG_DFL);
  };
  std::signal(SIGINT, handler);
  std::signal(SIGTERM, handler);
  return detail::interrupted;
}

}  // namespace fokker::app
