#include "support/about.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <string_view>

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>

#include <fokker/solvers/support/instruction_set.hpp>

namespace fokker::app {
namespace {

std::string command;

/// The word as a shell takes it.
std::string shell_word(std::string_view word) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+,./:@%";
  if (!word.empty() && word.find_first_not_of(plain) == std::string_view::npos)
    return std::string(word);
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

constexpr std::string_view compiler =
#if defined(__clang__)
    "clang " __clang_version__;
#else
    "g++ " __VERSION__;
#endif

}  // namespace

void remember_command(int argc, const char* const* argv) {
  command = "fokker";
  for (int i = 1; i < argc; ++i) command += ' ' + shell_word(argv[i]);
}

nlohmann::ordered_json about_run() {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return {{"command", command},
          {"version", FOKKER_VERSION},
          {"build", FOKKER_BUILD_TYPE},
          {"compiler", compiler},
          {"instruction_set", instruction_set()},
          {"date", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now))}};
}

std::string one_line(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace fokker::app
