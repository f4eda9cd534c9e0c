#include "support/estimate.hpp"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>

namespace fokker::app {

void require_disk(const std::string& file, double bytes) {
  std::error_code error;
  const auto space = std::filesystem::space(std::filesystem::absolute(file).parent_path(), error);
  if (error || bytes <= static_cast<double>(space.available)) return;
  throw std::invalid_argument(fmt::format("{} would take {} and its disk has {} left", file,
                                          bytes_text(bytes),
                                          bytes_text(static_cast<double>(space.available))));
}

bool on_terminal() { return ::isatty(STDERR_FILENO) == 1; }

void announce_time(double seconds) {
  if (seconds > 10 && on_terminal())
    fmt::print(stderr, "fokker: this will take about {}\n", duration_text(seconds));
}

}  // namespace fokker::app
