#pragma once
/// @file  fokker/processes/models/parameters.hpp
/// @brief Checks that the parameters of a process pass, with one clear line where they do not.

#include <string_view>

namespace fokker::detail {

/// @throws std::invalid_argument  "sigma must be positive: got sigma=-1" unless 0 < value <
/// infinity
void require_positive(std::string_view name, double value);

/// @throws std::invalid_argument  unless 0 <= value < infinity
void require_non_negative(std::string_view name, double value);

/// @throws std::invalid_argument  unless value is finite
void require_finite(std::string_view name, double value);

/// @throws std::invalid_argument  unless low <= value <= high
void require_between(std::string_view name, double value, double low, double high);

}  // namespace fokker::detail
