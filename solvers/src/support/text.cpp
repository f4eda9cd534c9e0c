#include <fokker/solvers/support/text.hpp>

#include <array>
#include <charconv>
#include <cstdlib>
#include <system_error>

#include <fmt/args.h>
#include <fmt/format.h>

namespace fokker {

std::string text(double value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

std::optional<double> number_of(std::string_view word) {
  if (word.starts_with('+')) {
    word.remove_prefix(1);
    if (word.starts_with('-')) return {};
  }
  double value = 0;
  const char* const last = word.data() + word.size();
  const auto [end, error] = std::from_chars(word.data(), last, value);
  if (word.empty() || end != last) return {};
  if (error == std::errc::result_out_of_range)
    return std::strtod(std::string(word).c_str(), nullptr);
  return error == std::errc{} ? std::optional(value) : std::nullopt;
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
