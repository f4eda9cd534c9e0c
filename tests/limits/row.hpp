#pragma once
/// @file  row.hpp
/// @brief Rows of docs/limits.md, written by the tests that check them.

#include <algorithm>
#include <cctype>
#include <fstream>
#include <string>
#include <string_view>

#include <fmt/format.h>

/// One row of docs/limits.md: what `subject` does at the end `limit` of its range. Called last in a
/// test case, after the checks that the row reports. Sections are those of limits/report.cmake:
/// coefficients, ode, sde, langevin, laws, diffusion, comparison, commands.
inline void limit_row(std::string_view section, std::string_view subject, std::string_view limit,
                      std::string_view result) {
  std::string name = fmt::format("{}-{}-{}", section, subject, limit);
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '-';
  std::ofstream(fmt::format("{}/{}.row", FOKKER_LIMITS, name.substr(0, 200)))
      << fmt::format("| {} | {} | {} |\n", subject, limit, result);
}
