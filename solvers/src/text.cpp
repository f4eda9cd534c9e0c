#include <fokker/solvers/text.hpp>

#include <array>
#include <charconv>

namespace fokker {

std::string text(double value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

}  // namespace fokker
