#include "support/files.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fokker/solvers/support/atomic_file.hpp>

namespace fokker::app {
namespace {

namespace fs = std::filesystem;

/// What a path stands for: a file by device and number, or the path at which it will come to be.
struct Identity {
  dev_t device = 0;
  ino_t number = 0;
  std::string path = {};  // of a file that is not there yet

  explicit Identity(const std::string& name) {
    struct stat found {};
    if (::stat(name.c_str(), &found) == 0) {
      device = found.st_dev;
      number = found.st_ino;
    } else {
      path = followed(name);
    }
  }
  bool operator==(const Identity&) const = default;
};

/// Whether there is a file with contents of its own: a device keeps nothing that could be lost.
bool holds_results(const std::string& name) {
  struct stat found {};
  return ::stat(name.c_str(), &found) == 0 && S_ISREG(found.st_mode);
}

bool is_device(const std::string& name) {
  struct stat found {};
  return ::stat(name.c_str(), &found) == 0 && !S_ISREG(found.st_mode);
}

std::string numbered(const std::string& name, int n) {
  const fs::path path = name;
  return (path.parent_path() /
          fmt::format("{}-{}{}", path.stem().string(), n, path.extension().string()))
      .string();
}

}  // namespace

std::vector<NamedFile> files_in(std::string_view option, std::string_view word) {
  std::vector<NamedFile> files;
  constexpr std::string_view separators = ":+";
  for (auto first = word.find_first_of(separators); first != std::string_view::npos;
       first = word.find_first_of(separators, first + 1))
    for (auto last = word.size(); last != std::string_view::npos && last > first + 1;
         last = word.find_last_of(separators, last - 1)) {
      const std::string part(word.substr(first + 1, last - first - 1));
      if (holds_results(part)) files.push_back({option, part});
    }
  return files;
}

void check_distinct(const RunFiles& files) {
  std::vector<std::pair<NamedFile, Identity>> seen;
  const auto add = [&](std::string_view option, const std::string& file, bool read) {
    if (file.empty() || file == "-" || is_device(file)) return;
    const Identity identity(file);
    for (const auto& [other, theirs] : seen)
      if (!read && theirs == identity)
        throw std::invalid_argument(
            fmt::format("{} {} and {} {} are the same file: one would be lost", other.option,
                        other.file, option, file));
    seen.push_back({{option, file}, identity});
  };
  for (const NamedFile& input : files.inputs) add(input.option, input.file, true);
  add("--checkpoint", files.checkpoint, false);
  for (const auto& [option, file] : files.outputs) add(option, *file, false);
}

std::string number_outputs(const RunFiles& files, bool force) {
  if (force || (!files.checkpoint.empty() && fs::exists(files.checkpoint))) return "";
  const auto taken = [&](const auto& name) {
    return std::any_of(files.outputs.begin(), files.outputs.end(), [&](const auto& output) {
      return !output.second->empty() && *output.second != "-" &&
             holds_results(name(*output.second));
    });
  };
  if (!taken([](const std::string& name) { return name; })) return "";
  int n = 2;
  while (taken([&](const std::string& name) { return numbered(name, n); })) ++n;
  std::vector<std::string> found;
  for (const auto& [option, file] : files.outputs) {
    if (file->empty() || *file == "-" || is_device(*file)) continue;
    if (holds_results(*file)) found.push_back(*file);
    *file = numbered(*file, n);
  }
  return fmt::format(
      "{} exist{}: this run writes {} (--force writes over it)", fmt::join(found, ", "),
      found.size() == 1 ? "s" : "",
      found.size() == 1 ? numbered(found.front(), n) : fmt::format("-{} behind each name", n));
}

}  // namespace fokker::app
