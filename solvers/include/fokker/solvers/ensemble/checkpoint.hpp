#pragma once
/// @file  fokker/solvers/ensemble/checkpoint.hpp
/// @brief A file from which a run that was ended goes on, to the same bits.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fokker/solvers/support/file_path.hpp>

namespace fokker {

/// The settings that fix the bits of a run, by name.
using Settings = std::vector<std::pair<std::string, std::string>>;

/// Where an ensemble keeps what it has finished. The file is replaced as a whole (AtomicFile, with
/// fsync): a program that is killed at any moment leaves the last one or the one before, never a
/// mixture. It holds the settings of its run, and is refused by another.
class Checkpoint {
 public:
  /// @param settings  everything that the result depends on but the threads and ranks
  /// @param every     seconds between two writes, at least; 0: after every batch of `simulate`
  Checkpoint(FilePath file, Settings settings, double every = 10);

  /// What was saved, or nothing where there is no file.
  /// @throws std::runtime_error  a file that is no checkpoint, is damaged, or belongs to a run of
  ///                             other settings, which are named
  std::optional<std::string> load() const;

  /// @throws std::runtime_error  a file that cannot be written
  void save(std::string_view state);

  /// Whether `every` seconds have gone since the last save, or since the start.
  bool due() const;

  /// Removes the file: its run is finished.
  void remove() const;

 private:
  FilePath file_;
  Settings settings_;
  double every_;
  double last_;  // seconds of the steady clock
};

}  // namespace fokker
