#pragma once
/// @file  compare_picture.hpp
/// @brief The picture of a comparison: errors against cost, and samples beside the truth.

#include <fokker/analysis/compare/comparison.hpp>
#include <fokker/analysis/figures/plot.hpp>

namespace fokker::app {

/// The picture of a comparison that has rows. Panels with nothing to show are left out.
/// @throws std::runtime_error  if none is left
Figure comparison_figure(const Comparison& comparison);

}  // namespace fokker::app
