#include <fokker/solvers/support/atomic_file.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>

namespace fokker {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse_file(std::string_view path, std::string_view cause) {
  throw std::runtime_error(fmt::format("cannot write {}: {}", path, cause));
}

/// The file that `path` names once links are followed, checked as far as that is possible.
std::string resolve(const std::string& name) {
  const fs::path path = name;
  if (path.empty() || !path.has_filename()) refuse_file(name, "it names no file");
  const fs::path target = followed(name);
  if (fs::is_symlink(fs::symlink_status(target))) refuse_file(name, "its links form a circle");
  if (fs::is_directory(target)) refuse_file(name, "it is a directory");
  if (!fs::is_directory(target.parent_path()))
    refuse_file(name, fmt::format("there is no directory {}", target.parent_path().string()));
  if (fs::exists(target) && ::access(target.c_str(), W_OK) != 0)
    refuse_file(name, std::strerror(errno));
  return target.string();
}

std::string folder_of(const std::string& target) { return fs::path(target).parent_path().string(); }

/// The start of the names of temporary files of `target`.
std::string temporary_start(const std::string& target) {
  return fmt::format(".{}.", fs::path(target).filename().string());
}

/// Whether `rest` is "PID-N".
bool is_process_and_count(std::string_view rest) {
  const auto dash = rest.find('-');
  const auto digits = [](std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  };
  return dash != rest.npos && digits(rest.substr(0, dash)) && digits(rest.substr(dash + 1));
}

/// Removes the temporary files of `target` whose process was killed: nobody holds their lock.
void remove_stale_temporaries(const std::string& target) {
  const std::string start = temporary_start(target);
  std::error_code error;
  for (fs::directory_iterator file(folder_of(target), error), end; !error && file != end;
       file.increment(error)) {
    const std::string name = file->path().filename().string();
    if (!name.starts_with(start) || !is_process_and_count(name.substr(start.size()))) continue;
    const int descriptor = ::open(file->path().c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0) continue;
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) ::unlink(file->path().c_str());
    ::close(descriptor);
  }
}

bool is_special(const std::string& target) {
  return fs::exists(target) && !fs::is_regular_file(target);
}

}  // namespace

std::string followed(const FilePath& path) {
  constexpr int most = 40;  // links, as for the kernel
  std::error_code error;
  fs::path target = path.string();
  for (int links = 0; links < most && fs::is_symlink(fs::symlink_status(target, error)); ++links) {
    const fs::path next = fs::read_symlink(target, error);
    if (error) break;
    target = target.parent_path() / next;  // an absolute one replaces what stands before it
  }
  fs::path canonical = fs::weakly_canonical(fs::absolute(target), error);
  return (error ? target : canonical).string();
}

AtomicFile::AtomicFile(const FilePath& path)
    : path_(path.string()), target_(resolve(path.string())) {
  special_ = is_special(target_);
  if (special_) {
    descriptor_ = ::open(target_.c_str(), O_WRONLY);
  } else {
#ifdef O_TMPFILE
    descriptor_ = ::open(folder_of(target_).c_str(), O_TMPFILE | O_WRONLY, 0666);
#endif
    if (descriptor_ < 0) {
      const std::string name = free_name();
      descriptor_ = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666);
      if (descriptor_ >= 0) temporary_ = name;
    }
  }
  if (descriptor_ < 0) refuse(errno);
  if (!special_) ::flock(descriptor_, LOCK_EX);  // held until it is closed: see check_writable
}

AtomicFile::~AtomicFile() {
  ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::refuse(int error) const { refuse_file(path_, std::strerror(error)); }

/// Beside the target, of a name that no other thread or process uses.
std::string AtomicFile::free_name() const {
  static std::atomic<int> count = 0;
  return fmt::format("{}/{}{}-{}", folder_of(target_), temporary_start(target_), ::getpid(),
                     ++count);
}

void AtomicFile::reserve(std::uint64_t bytes) {
  if (special_) refuse_file(path_, "it is no regular file");
  const auto size = static_cast<off_t>(bytes);
  const int error = ::posix_fallocate(descriptor_, 0, size);
  if (error == EOPNOTSUPP || error == EINVAL) {  // a file system that cannot: the size alone
    if (::ftruncate(descriptor_, size) != 0) refuse(errno);
  } else if (error != 0) {
    refuse(error);
  }
}

void AtomicFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) refuse(errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void AtomicFile::write_at(std::uint64_t place, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(place));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) refuse(errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
    place += static_cast<std::uint64_t>(written);
  }
}

void AtomicFile::commit(bool durable) {
  if (special_) return;
  struct stat old {};
  const bool replaces = ::stat(target_.c_str(), &old) == 0;
  if (replaces && ::fchmod(descriptor_, old.st_mode & 07777) != 0) refuse(errno);
  if (durable && ::fsync(descriptor_) != 0) refuse(errno);
  if (temporary_.empty()) {
    const std::string name = free_name();
    if (::linkat(AT_FDCWD, fmt::format("/proc/self/fd/{}", descriptor_).c_str(), AT_FDCWD,
                 name.c_str(), AT_SYMLINK_FOLLOW) != 0)
      refuse(errno);
    temporary_ = name;
  }
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) refuse(errno);
  temporary_.clear();
}

void write_file_atomically(const FilePath& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

void check_writable(const FilePath& path) {
  const std::string target = resolve(path.string());
  if (is_special(target)) return;
  remove_stale_temporaries(target);
  AtomicFile probe(path);
}

}  // namespace fokker
