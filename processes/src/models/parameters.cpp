/// @file  parameters.cpp
/// @brief Checks of the parameters of processes.

#include <cmath>
#include <stdexcept>
#include <string>

#include <fokker/processes/models/parameters.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker::detail {

namespace {

[[noreturn]] void refuse(std::string_view name, const std::string& wanted, double value) {
  const std::string parameter(name);
  throw std::invalid_argument(parameter + " must be " + wanted + ": got " + parameter + "=" +
                              text(value));
}

}  // namespace

void require_positive(std::string_view name, double value) {
  if (!(value > 0) || !std::isfinite(value)) refuse(name, "positive", value);
}

void require_non_negative(std::string_view name, double value) {
  if (!(value >= 0) || !std::isfinite(value)) refuse(name, "zero or positive", value);
}

void require_finite(std::string_view name, double value) {
  if (!std::isfinite(value)) refuse(name, "finite", value);
}

void require_between(std::string_view name, double value, double low, double high) {
  if (!(value >= low && value <= high))
    refuse(name, "between " + text(low) + " and " + text(high), value);
}

}  // namespace fokker::detail
