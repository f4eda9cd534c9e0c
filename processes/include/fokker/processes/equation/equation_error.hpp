#pragma once
/// @file  fokker/processes/equation/equation_error.hpp
/// @brief An error in the text of an equation, with its place.

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace fokker {

/// An equation that cannot be read. what() is the line, and below it a caret at the place with what
/// is wrong there and what would be right:
///
///     dS = r*S dt + sqrt(v)*S dW1
///                        ^ v is neither a state nor a parameter: states are S; give v by --set v=...
class EquationError : public std::invalid_argument {
 public:
  /// @param line     the line of the text
  /// @param number   of the line, from 1
  /// @param at       the place in the line, in bytes
  /// @param message  what is wrong
  EquationError(std::string_view line, std::size_t number, std::size_t at, std::string message);

  /// The line with the error.
  const std::string& line() const { return line_; }
  /// Its number, from 1.
  std::size_t line_number() const { return number_; }
  /// The place in the line, in characters from 0.
  std::size_t column() const { return column_; }
  /// What is wrong, without the line and the caret.
  const std::string& message() const { return message_; }

 private:
  std::string line_;
  std::size_t number_;
  std::size_t column_;
  std::string message_;
};

}  // namespace fokker
