#pragma once
/// @file  progress.hpp
/// @brief A progress bar on stderr, on a terminal only.

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include <fmt/core.h>
#include <unistd.h>

#include "support/estimate.hpp"

namespace fokker::app {

/// One line that is drawn over itself: bar, percentage, time left, what is being done. Silent where
/// stderr is not a terminal; the line is wiped when the object dies.
class Progress {
 public:
  explicit Progress(bool quiet = false)
      : shown_(!quiet && isatty(STDERR_FILENO) == 1), started_(Clock::now()) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }

  /// @param fraction  of the work done, 0 to 1
  void update(double fraction, std::string_view what) {
    if (!shown_) return;
    const auto now = Clock::now();
    if (drawn_ && now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    drawn_ = true;
    fraction = std::clamp(fraction, 0.0, 1.0);
    constexpr int width = 30;
    const int filled = static_cast<int>(fraction * width);
    std::string bar;
    for (int i = 0; i < width; ++i) bar += i < filled ? "█" : "░";
    fmt::print(stderr, "\r\033[K{} {:3.0f} %  {}  {}", bar, 100 * fraction, left(now, fraction),
               what.substr(0, 36));
    std::fflush(stderr);
  }

  void clear() {
    if (drawn_) fmt::print(stderr, "\r\033[K");
    std::fflush(stderr);
    drawn_ = false;
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::string left(Clock::time_point now, double fraction) const {
    const double elapsed = std::chrono::duration<double>(now - started_).count();
    if (fraction <= 0 || (fraction < 0.01 && elapsed < 2)) return "       ";
    const double seconds = elapsed * (1 - fraction) / fraction;
    if (seconds >= 3600) return "about " + duration_text(seconds) + " left";
    const int whole = static_cast<int>(seconds + 0.5);
    return fmt::format("{:2d}:{:02d} left", whole / 60, whole % 60);
  }

  bool shown_, drawn_ = false;
  Clock::time_point started_, last_;
};

}  // namespace fokker::app
