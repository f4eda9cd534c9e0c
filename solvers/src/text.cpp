#include <fokker/solvers/text.hpp>

#include <array>
#include <charconv>

#include <fmt/args.h>
#include <fmt/format.h>

namespace fokker {

std::string text(double value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

std::string text(std::string_view format, std::initializer_list<TextValue> values) {
  fmt::dynamic_format_arg_store<fmt::format_context> arguments;
  for (const TextValue& value : values) {
    if (value.kind_ == TextValue::Kind::number) arguments.push_back(value.number_);
    if (value.kind_ == TextValue::Kind::integer) arguments.push_back(value.integer_);
    if (value.kind_ == TextValue::Kind::text) arguments.push_back(value.text_);
  }
  return fmt::vformat(format, arguments);
}

}  // namespace fokker
