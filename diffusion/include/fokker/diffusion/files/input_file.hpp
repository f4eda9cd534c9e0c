#pragma once
/// @file  fokker/diffusion/files/input_file.hpp
/// @brief The files that a run reads, recorded by the function that reads them.

#include <cstdint>
#include <string>
#include <vector>

#include <fokker/solvers/support/file_path.hpp>

namespace fokker {

/// A file that was read, with the checksum (bytes.hpp) of what it held.
struct InputFile {
  std::string path;
  std::uint64_t checksum = 0;

  /// Equality.
  friend bool operator==(const InputFile&, const InputFile&) = default;
};

/// Records the files that this thread reads by `read_input` while it lives, whoever asks for them:
/// what a checkpoint of the run has to know. Records may be nested; each sees all files.
class InputRecord {
 public:
  InputRecord();
  ~InputRecord();
  InputRecord(const InputRecord&) = delete;
  InputRecord& operator=(const InputRecord&) = delete;

  /// In the order of reading; a file read again with the same contents is there once.
  const std::vector<InputFile>& files() const { return files_; }

 private:
  friend std::string read_input(const FilePath&);

  std::vector<InputFile> files_;
  InputRecord* outer_;
};

/// The bytes of a file. All readers of this library read by it: tables, data, grids, schedules and
/// learned scores.
/// @throws std::runtime_error  a file that cannot be read, or whose name is not UTF-8
std::string read_input(const FilePath& path);

}  // namespace fokker
