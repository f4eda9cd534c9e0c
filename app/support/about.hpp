#pragma once
/// @file  about.hpp
/// @brief What a result needs beside its settings to be found again: the command and the build.

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace fokker::app {

/// Keeps the words of the command line. Call once, first.
void remember_command(int argc, const char* const* argv);

/// Command, version, build type, compiler, instruction set, and the date and time in UTC.
nlohmann::ordered_json about_run();

/// The text with its line breaks as spaces, without those at its end.
std::string one_line(std::string text);

}  // namespace fokker::app
