#pragma once
/// @file  compare_words.hpp
/// @brief What a comparison shows, in plain words.

#include <string>
#include <vector>

#include <fokker/analysis/compare/comparison.hpp>

namespace fokker::app {

/// The row with the smallest error of an equation ("sde" or "ode") that spent at most `nfe`
/// evaluations of the score per path; null if there is none.
const ComparisonRow* best_row(const Comparison& comparison, std::string_view equation, double nfe);

/// Two lines on what the rows show.
std::vector<std::string> in_words(const Comparison& comparison);

}  // namespace fokker::app
