#pragma once
/// @file  fokker/solvers/text.hpp
/// @brief Numbers as text in messages.

#include <string>

namespace fokker {

/// The shortest decimal that reads back as `value`: 0.1, not 0.100000.
std::string text(double value);

}  // namespace fokker
