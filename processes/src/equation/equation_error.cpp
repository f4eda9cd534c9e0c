/// @file  equation_error.cpp
/// @brief An error in the text of an equation, with its place.

#include <algorithm>
#include <utility>

#include <fokker/processes/equation/equation_error.hpp>

namespace fokker {

namespace {

/// Characters in the first `bytes` of a line of UTF-8.
std::size_t characters(std::string_view line, std::size_t bytes) {
  const std::string_view part = line.substr(0, bytes);
  return static_cast<std::size_t>(std::count_if(part.begin(), part.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u;
  }));
}

/// A line without what would move a caret: tabs and other control characters are spaces.
std::string printable(std::string_view line) {
  std::string out(line);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; },
      ' ');
  return out;
}

}  // namespace

EquationError::EquationError(std::string_view line, std::size_t number, std::size_t at,
                             std::string message)
    : std::invalid_argument(printable(line) + "\n" + std::string(characters(line, at), ' ') + "^ " +
                            message),
      line_(printable(line)),
      number_(number),
      column_(characters(line, at)),
      message_(std::move(message)) {}

}  // namespace fokker
