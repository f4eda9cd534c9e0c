#pragma once
/// @file  fokker/solvers/support/names.hpp
/// @brief The answer to a misspelt name: the nearest known ones.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fokker {

/// Whether two words differ at most in the case of their letters.
bool same_in_any_case(std::string_view a, std::string_view b);

/// The candidates nearest to `given`, at most three, nearest first: by the edits that turn one into
/// the other (insert, delete, replace, swap neighbours), ignoring case, `-` and `_`. Names that
/// continue `given` count as near; names further than a third of their length do not.
/// Source: Damerau (1964); the restricted (optimal string alignment) distance.
std::vector<std::string_view> nearest_names(std::string_view given,
                                            std::span<const std::string_view> candidates);

/// "unknown process 'gmb': did you mean 'gbm'? (known: bm, gbm, ...)", or "... (it has none)".
/// @param kind  what the name is of: "process", "solver", "parameter of ou"
std::string unknown_name_message(std::string_view kind, std::string_view given,
                                 std::span<const std::string_view> candidates);

}  // namespace fokker
