#pragma once
/// @file  fokker/diffusion/data/boxes.hpp
/// @brief Uniform laws on unions of axis-aligned boxes, the checkerboard among them.
///
/// With x = s x0 + std eps, a box [a, b] has in coordinate r, with l = (x_r - s b_r) / std and
/// u = (x_r - s a_r) / std,
///
///     the noised density      (Phi(u) - Phi(l)) / (s (b_r - a_r))
///     the mean noise          m_r = (phi(l) - phi(u)) / (Phi(u) - Phi(l))
///
/// the mass and the mean of a normal variable cut to [l, u]. With w_k(x) the posterior weight of
/// box k, its own times the product of its densities over r,
///
///     score = -sum_k w_k m_k / std,     E[x0|x] = sum_k w_k (x - std m_k) / s.
///
/// Differences of Phi are never formed where they cancel: far outside a box, or where it is narrow
/// against the noise, the mass and its moments are integrals of exp(-l t - t^2/2) over [0, u - l]
/// with positive terms, so that all is exact to rounding for every s and std, |x| = 1e6 included.

#include <span>
#include <vector>

#include <fokker/diffusion/data/any_data.hpp>
#include <fokker/solvers/support/file_path.hpp>

namespace fokker {

/// A box: weight times the uniform law on the product of [low_r, high_r].
struct Box {
  double weight;                  ///< > 0; weights are divided by their sum
  std::vector<double> low, high;  ///< d numbers each, low <= high; equal: flat in that coordinate
};

/// sum_k w_k Uniform(box_k). Boxes may overlap; then their densities add.
class Boxes : public AnyData {
 public:
  /// @throws std::invalid_argument  no box; naming the box (counted from 1): a weight that is not
  ///         positive, another dimension than the first, values not finite, low above high
  explicit Boxes(std::vector<Box> boxes);

  /// The dark squares of a board of cells x cells squares over [-half_width, half_width]^2, those
  /// of an even sum of row and column, counted from 0 at the lower left.
  /// @param cells       per side, >= 1
  /// @param half_width  > 0
  static Boxes checkerboard(Index cells = 4, double half_width = 2);

  /// The boxes, with weights that sum to 1.
  std::span<const Box> boxes() const;
};

/// Boxes from a JSON file
///
///     {"boxes": [{"low": [0, 0], "high": [1, 2]}, {"weight": 3, "low": [2, 0], "high": [3, 1]}]}
///
/// The weight is the probability up to a common factor; 1 if it is left out.
/// @throws std::runtime_error     a file that cannot be read
/// @throws std::invalid_argument  text that is not such JSON, or boxes that are none: named by file
///                                and box
Boxes boxes_from_json(const FilePath& path);

}  // namespace fokker
