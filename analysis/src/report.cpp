#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>

#include <fokker/analysis/report.hpp>

namespace fokker {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& path, std::string_view cause) {
  throw std::runtime_error(fmt::format("cannot write {}: {}", path.string(), cause));
}

/// A file descriptor that closes itself, and its temporary file if that has not been renamed.
struct Output {
  int descriptor = -1;
  fs::path temporary;

  Output() = default;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() {
    if (descriptor >= 0) ::close(descriptor);
    if (!temporary.empty()) ::unlink(temporary.c_str());
  }
};

/// The file that `path` names once links are followed, checked as far as that is possible.
fs::path resolve(const fs::path& path) {
  if (path.empty() || !path.has_filename()) refuse(path, "it names no file");
  std::error_code error;
  const fs::path target = fs::weakly_canonical(fs::absolute(path), error);
  if (error) refuse(path, error.message());
  if (fs::is_directory(target)) refuse(path, "it is a directory");
  if (!fs::is_directory(target.parent_path())) {
    refuse(path, fmt::format("there is no directory {}", target.parent_path().string()));
  }
  if (fs::exists(target) && ::access(target.c_str(), W_OK) != 0) refuse(path, std::strerror(errno));
  return target;
}

bool is_special(const fs::path& target) {
  return fs::exists(target) && !fs::is_regular_file(target);
}

/// Opens a fresh file beside `target`, of a name that no other thread or process uses.
void open_beside(const fs::path& path, const fs::path& target, Output& output) {
  static std::atomic<int> count = 0;
  const fs::path name = target.parent_path() /
                        fmt::format(".{}.{}-{}", target.filename().string(), ::getpid(), ++count);
  output.descriptor = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (output.descriptor < 0) refuse(path, std::strerror(errno));
  output.temporary = name;
}

}  // namespace

void write_file_atomically(const fs::path& path, std::string_view text) {
  const fs::path target = resolve(path);
  Output output;
  if (is_special(target)) {
    output.descriptor = ::open(target.c_str(), O_WRONLY);
    if (output.descriptor < 0) refuse(path, std::strerror(errno));
  } else {
    open_beside(path, target, output);
  }
  while (!text.empty()) {
    const ssize_t written = ::write(output.descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) refuse(path, std::strerror(errno));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (output.temporary.empty()) return;

  struct stat old {};
  const bool replaces = ::stat(target.c_str(), &old) == 0;
  if ((replaces && ::fchmod(output.descriptor, old.st_mode & 07777) != 0) ||
      ::rename(output.temporary.c_str(), target.c_str()) != 0) {
    refuse(path, std::strerror(errno));
  }
  output.temporary.clear();
}

void check_writable(const fs::path& path) {
  const fs::path target = resolve(path);
  if (is_special(target)) return;
  Output probe;
  open_beside(path, target, probe);
}

std::string format_with_error(double value, double standard_error) {
  if (!std::isfinite(value)) return fmt::format("{}", value);
  if (!(standard_error > 0.0) || !std::isfinite(standard_error)) {
    return fmt::format("{:.4g}", value);
  }
  // The decimal place of the last digit of the error that is kept, after rounding.
  const auto last_place = [&](double error) {
    const int first = static_cast<int>(std::floor(std::log10(error)));
    return error / std::pow(10.0, first) < 1.95 ? first - 1 : first;
  };
  const double largest = std::max(std::abs(value), standard_error);
  const int exponent = static_cast<int>(std::floor(std::log10(largest)));
  if (exponent < -4 || exponent > 5) {
    const double unit = std::pow(10.0, exponent);
    const int digits = std::max(0, -last_place(standard_error / unit));
    return fmt::format("({:.{}f} ± {:.{}f})e{}", value / unit, digits, standard_error / unit,
                       digits, exponent);
  }
  const int digits = std::max(0, -last_place(standard_error));
  return fmt::format("{:.{}f} ± {:.{}f}", value, digits, standard_error, digits);
}

void TextTable::add_row(std::vector<std::string> cells) {
  if (cells.size() != columns_.size()) {
    throw std::invalid_argument(fmt::format("a table of {} columns cannot take a row of {} cells",
                                            columns_.size(), cells.size()));
  }
  rows_.push_back(std::move(cells));
}

std::string TextTable::text() const {
  // Columns on the terminal: bytes of UTF-8 that do not continue a character.
  const auto width = [](const std::string& s) {
    return static_cast<std::size_t>(std::count_if(
        s.begin(), s.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  };
  std::vector<std::size_t> widths;
  std::vector<std::string> titles;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    titles.push_back(columns_[c].title);
    widths.push_back(width(titles[c]));
    for (const auto& row : rows_) widths[c] = std::max(widths[c], width(row[c]));
  }
  std::string out;
  const auto add_line = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const std::string padding(widths[c] - width(cells[c]), ' ');
      if (c > 0) line += "  ";
      line += columns_[c].align == Align::left ? cells[c] + padding : padding + cells[c];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  };
  std::vector<std::string> rule;
  for (const std::size_t w : widths) {
    rule.emplace_back();
    for (std::size_t i = 0; i < w; ++i) rule.back() += "─";
  }
  add_line(titles);
  add_line(rule);
  for (const auto& row : rows_) add_line(row);
  return out;
}

}  // namespace fokker
