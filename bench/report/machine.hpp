#pragma once
/// @file  machine.hpp
/// @brief What a result was measured on.

#include <fstream>
#include <string>

/// The processor's name as Linux gives it, or "unknown".
inline std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}
