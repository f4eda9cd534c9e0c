#pragma once
/// @file  cut_normal.hpp
/// @brief Normal variables cut to an interval.

namespace fokker::detail {

/// A standard normal variable cut to [low, high].
struct CutNormal {
  double log_density;  ///< log of the average over [low, high] of exp(-y^2/2)
  double mean;         ///< of the variable
  double place;        ///< (mean - low) / width, in [0, 1]
  double spread;       ///< its variance / width^2
};

/// @param middle, width  (low + high) / 2 and high - low, without the rounding of the ends; the
///                       width may be 0, then the variable is uniform on what is left of it
CutNormal cut_normal(double low, double high, double middle, double width);

}  // namespace fokker::detail
