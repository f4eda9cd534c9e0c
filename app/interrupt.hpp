#pragma once
/// @file  interrupt.hpp
/// @brief Ctrl-C ends a run with what it has finished.

#include <atomic>
#include <chrono>
#include <csignal>

namespace fokker::app {

namespace detail {
using InterruptClock = std::chrono::steady_clock;
inline std::atomic<bool> interrupted{false};
inline std::atomic<InterruptClock::rep> interrupted_at{0};
static_assert(std::atomic<bool>::is_always_lock_free);
static_assert(std::atomic<InterruptClock::rep>::is_always_lock_free);
}  // namespace detail

/// The flag that the first SIGINT or SIGTERM raises; a second one kills, unless it comes within
/// half a second, as that of `timeout` does, which signals a process and its group. Call before
/// long work.
inline const std::atomic<bool>& catch_interrupt() {
  const auto handler = [](int signal) {
    using Clock = detail::InterruptClock;
    const auto now = Clock::now().time_since_epoch();
    Clock::rep first = 0;
    if (detail::interrupted_at.compare_exchange_strong(first, now.count()))
      detail::interrupted = true;
    else if (now - Clock::duration(first) > std::chrono::milliseconds(500)) {
      std::signal(signal, SIG_DFL);
      std::raise(signal);
    }
  };
  std::signal(SIGINT, handler);
  std::signal(SIGTERM, handler);
  return detail::interrupted;
}

}  // namespace fokker::app
