#pragma once
/// @file  fokker/solvers/support/text.hpp
/// @brief Numbers as text in messages, and text as numbers.

#include <concepts>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace fokker {

/// The shortest decimal that reads back as `value`: 0.1, not 0.100000.
std::string text(double value);

/// The number that the whole of `word` is, in decimals with at most one sign, or nan, inf or
/// infinity; nothing where it is none. What is beyond the largest double is infinite, what is below
/// the least is 0 or the nearest.
std::optional<double> number_of(std::string_view word);

/// A number or a text to be put into a message.
class TextValue {
 public:
  TextValue(double value) : kind_(Kind::number), number_(value) {}
  TextValue(std::integral auto value)
      : kind_(Kind::integer), integer_(static_cast<long long>(value)) {}
  TextValue(std::string_view value) : kind_(Kind::text), text_(value) {}
  TextValue(const std::string& value) : TextValue(std::string_view(value)) {}

 private:
  friend std::string text(std::string_view, std::initializer_list<TextValue>);

  enum class Kind { number, integer, text } kind_;
  double number_ = 0;
  long long integer_ = 0;
  std::string_view text_ = {};
};

/// `format` with the values, in order, for each of its {}: text("{} of {}", {3, 0.5}).
std::string text(std::string_view format, std::initializer_list<TextValue> values);

}  // namespace fokker
