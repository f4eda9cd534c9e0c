#pragma once
/// @file  fokker/solvers/support/atomic_file.hpp
/// @brief Files that are whole or absent, whatever ends the program.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <fokker/solvers/support/file_path.hpp>

namespace fokker {

/// A file that takes its name only when it is whole. Until `commit` it has no name at all where the
/// file system allows that (Linux, O_TMPFILE), so that even SIGKILL leaves nothing behind;
/// elsewhere it is a temporary file beside, removed with the object. What stood there before stays
/// until then. A link is followed, also one that leads to no file yet, and never replaced. A path
/// that is no regular file (a pipe, a device) is written to directly.
class AtomicFile {
 public:
  /// @throws std::runtime_error  naming path and cause; so do all the others
  explicit AtomicFile(const FilePath& path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  /// Makes room for so many bytes, so that a full disk is known before long work. Refuses a path
  /// that is no regular file: such a one has no places to write at.
  void reserve(std::uint64_t bytes);

  /// Writes at the end.
  void write(std::string_view bytes);

  /// Writes at a place; from several threads at once, where their places differ.
  void write_at(std::uint64_t place, std::string_view bytes);

  /// Gives the file its name; once it is on the disk itself if `durable` (fsync).
  void commit(bool durable = false);

 private:
  [[noreturn]] void refuse(int error) const;
  std::string free_name() const;

  std::string path_, target_, temporary_;
  int descriptor_ = -1;
  bool special_ = false;
};

/// Writes `text` to `path`, all or nothing (AtomicFile).
/// @throws std::runtime_error  naming path and cause; then no temporary file is left either
void write_file_atomically(const FilePath& path, std::string_view text);

/// The path to which `path` leads once links are followed, also one that leads to no file yet:
/// absolute, without "." and "..". A circle of links comes back as it is.
std::string followed(const FilePath& path);

/// Checks that an AtomicFile could write `path`, to be called before long work. Removes temporary
/// files (.NAME.PID-N) that a killed process left for the same path.
/// @throws std::runtime_error  naming path and cause
void check_writable(const FilePath& path);

}  // namespace fokker
