#pragma once
/// @file  files.hpp
/// @brief The files of a run: none of them written over another, or over the results of an earlier
///        run.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fokker::app {

/// A file of a run and the option that named it.
struct NamedFile {
  std::string_view option;  ///< "--json"
  std::string file;
};

/// The files that a run reads and writes. An empty file is none, "-" a standard stream.
struct RunFiles {
  std::vector<std::pair<std::string_view, std::string*>> outputs = {};
  std::vector<NamedFile> inputs = {};
  std::string checkpoint = {};
};

/// The files among the parts of a word such as points:FILE, low-rank:FILE:FLOOR or product:A+B.
std::vector<NamedFile> files_in(std::string_view option, std::string_view word);

/// Refuses files of which two are one, however they are spelt: by device and number where they
/// exist, else by the path to which their links lead. An input may be read twice.
/// @throws std::invalid_argument  naming both options
void check_distinct(const RunFiles& files);

/// Renames the outputs where one of them exists: all get the least number n >= 2 with which none
/// does, as in compare-2.json. Devices and pipes keep their names. A run that goes on from its
/// checkpoint writes over the outputs of its first part, and so does one with `force`.
/// @returns  what was found and what is written instead, for a message; empty where nothing was
std::string number_outputs(const RunFiles& files, bool force);

}  // namespace fokker::app
