#pragma once
/// @file  compare_picture.hpp
/// @brief The picture of a comparison: errors against cost, and samples beside the truth.

#include <fokker/analysis/comparison.hpp>
#include <fokker/analysis/plot.hpp>

namespace fokker::app {

/// The figure of a comparison that has rows.
Figure comparison_figure(const Comparison& comparison);

}  // namespace fokker::app
