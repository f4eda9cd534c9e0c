#pragma once
/// @file  compare_picture.hpp
/// @brief The picture of a comparison: errors against cost, and samples beside the truth.

#include <span>
#include <string>

#include <fokker/analysis/comparison.hpp>

namespace fokker::app {

/// Draws the comparison, which has rows, into each of the files.
/// @throws std::runtime_error  what gnuplot said, or a file that cannot be written
void draw_comparison(const Comparison& comparison, std::span<const std::string> files);

}  // namespace fokker::app
