#include <fokker/solvers/support/memory.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace fokker {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The number in a file of one number; infinite where there is none ("max").
double number_in(const std::string& path) {
  std::ifstream file(path);
  double value = 0;
  return file >> value ? value : infinity;
}

double machine_memory() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  for (double kilobytes = 0; file >> key >> kilobytes; file.ignore(64, '\n'))
    if (key == "MemAvailable:") return 1024 * kilobytes;
  return infinity;
}

/// What a control group and those above it leave, from its folder up to the root.
double left_of_groups(const std::string& root, std::string group, const char* limit,
                      const char* usage) {
  double left = infinity;
  for (;;) {
    const std::string folder = root + group + "/";
    const double most = number_in(folder + limit), used = number_in(folder + usage);
    if (std::isfinite(most) && std::isfinite(used))
      left = std::min(left, std::max(0.0, most - used));
    if (group.empty()) return left;
    group.erase(group.rfind('/'));
  }
}

double group_memory() {
  std::ifstream file("/proc/self/cgroup");
  double left = infinity;
  for (std::string line; std::getline(file, line);) {
    const auto path = line.find(":/");
    if (path == std::string::npos) continue;
    std::string group = line.substr(path + 1);
    if (group == "/") group.clear();
    if (line.starts_with("0::"))
      left =
          std::min(left, left_of_groups("/sys/fs/cgroup", group, "memory.max", "memory.current"));
    else if (line.find(":memory:") != std::string::npos)
      left = std::min(left, left_of_groups("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes",
                                           "memory.usage_in_bytes"));
  }
  return left;
}

/// What the limit on the address space leaves.
double address_space() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return infinity;
  const double pages = number_in("/proc/self/statm");
  const double used =
      std::isfinite(pages) ? pages * static_cast<double>(::sysconf(_SC_PAGESIZE)) : 0;
  return std::max(0.0, static_cast<double>(limit.rlim_cur) - used);
}

/// A value in the largest of ascending units of which there is at least one.
template <std::size_t n>
std::string in_units(double value, const std::array<std::pair<double, const char*>, n>& units) {
  std::size_t k = 0;
  while (k + 1 < n && value >= units[k + 1].first) ++k;
  const double in_unit = value / units[k].first;
  return fmt::format("{:.{}f} {}", in_unit, in_unit < 9.95 && k > 0 ? 1 : 0, units[k].second);
}

}  // namespace

double available_memory() { return std::min({machine_memory(), group_memory(), address_space()}); }

void require_memory(double bytes, std::string_view cause) {
  const double available = available_memory();
  if (bytes <= available) return;
  throw std::invalid_argument(
      fmt::format("this run needs about {} of memory and {} are available: {}", bytes_text(bytes),
                  bytes_text(available), cause));
}

std::string bytes_text(double bytes) {
  return in_units<6>(
      bytes, {{{1, "bytes"}, {1e3, "kB"}, {1e6, "MB"}, {1e9, "GB"}, {1e12, "TB"}, {1e15, "PB"}}});
}

std::string duration_text(double seconds) {
  return in_units<5>(
      seconds, {{{1, "s"}, {60, "min"}, {3600, "h"}, {86400, "days"}, {365.25 * 86400, "years"}}});
}

}  // namespace fokker
