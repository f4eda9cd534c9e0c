#pragma once
/// @file  fokker/diffusion/data/finite_set.hpp
/// @brief The empirical distribution of finitely many points, for instance a set of images.
///
/// With x = s x0 + std eps and w_i(x) = softmax_i(-|x - s x_i|^2 / (2 std^2)),
///
///     E[x0|x] = sum_i w_i x_i,     score = (s E[x0|x] - x) / std^2,
///     Cov[x0|x] = sum_i w_i (x_i - E[x0|x]) (x_i - E[x0|x])^T.
///
/// All sums run over blocks of points and keep the largest logit so far, so that memory does not
/// grow with the number of points times that of paths. Where the noise is so small against the
/// points that |x|^2 - 2 s x.x_i + s^2 |x_i|^2 would lose the logits, distances are summed from the
/// differences x - s x_i, and points given up as soon as they are too far.
///
/// A sampler that follows this score exactly returns the points themselves.

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <fokker/diffusion/data/any_data.hpp>
#include <fokker/solvers/support/file_path.hpp>

namespace fokker {

/// x0 is one of N points of d numbers, each with probability 1/N.
class FiniteSet : public AnyData {
 public:
  /// @param points     N * d numbers, point by point
  /// @param dimension  d
  /// @param labels     N numbers that go with the points, or none
  /// @throws std::invalid_argument  no point, sizes that disagree, or values that are not finite
  FiniteSet(std::span<const double> points, Index dimension, std::span<const double> labels = {});

  /// The same from floats, which are kept as floats: 4 N d bytes, a third of what a set of doubles
  /// takes (it keeps its points in both precisions).
  FiniteSet(std::span<const float> points, Index dimension, std::span<const double> labels = {});

  Index size() const;  ///< N
  /// N * d numbers, point by point. A set of floats makes and keeps a copy at the first call.
  std::span<const double> points() const;
  /// Point i.
  std::span<const double> point(Index i) const;
  std::span<const double> labels() const;  ///< N numbers, or none

  /// The point nearest to x (d numbers) in the Euclidean norm; the first of several.
  Index nearest(std::span<const double> x) const;

 private:
  friend class AnyData;
  explicit FiniteSet(const AnyData& data) : AnyData(data) {}
};

/// How `points_from_csv` reads the cells of a row.
struct PointsFormat {
  Index label_column = 0;  ///< a column, counted from 1, that becomes the labels; 0: none
  std::optional<std::pair<double, double>> range = {};  ///< maps [low, high] to [-1, 1]
};

/// The rows of a file of comma-separated numbers, without a header.
/// @throws std::runtime_error     a file that cannot be read
/// @throws std::invalid_argument  an empty file, ragged rows, a cell that is no finite number
/// (named
///                                by file, line and column), a label column that is not there, or
///                                an empty range
FiniteSet points_from_csv(const FilePath& path, const PointsFormat& format = {});

}  // namespace fokker
