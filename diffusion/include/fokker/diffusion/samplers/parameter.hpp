#pragma once
/// @file  fokker/diffusion/samplers/parameter.hpp
/// @brief The check of a sampler's parameters.

#include <stdexcept>
#include <string>
#include <string_view>

#include <fokker/solvers/support/text.hpp>

namespace fokker::detail {

/// The most of what a sampler repeats within a step: each has normals of its own.
inline constexpr int most_repeats = 10000;

/// Refuses a parameter for which the rule does not hold. @throws std::invalid_argument
inline void require_parameter(bool holds, std::string_view sampler, std::string_view rule,
                              double value) {
  if (!holds)
    throw std::invalid_argument(std::string(sampler) + " needs " + std::string(rule) + ": got " +
                                text(value));
}

}  // namespace fokker::detail
