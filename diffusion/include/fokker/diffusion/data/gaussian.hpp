#pragma once
/// @file  fokker/diffusion/data/gaussian.hpp
/// @brief Gaussian data, N(m, C): dense, by variances of independent coordinates, and of low rank.
///
/// With x = s x0 + std eps and an eigenvalue v of C, per eigenvector
///
///     score   -(x - s m) / (s^2 v + std^2)
///     E[x0|x] m + s v / (s^2 v + std^2) (x - s m)
///     Cov[x0|x] has the eigenvalue v std^2 / (s^2 v + std^2), whatever x is

#include <span>

#include <Eigen/Core>

#include <fokker/diffusion/data/any_data.hpp>
#include <fokker/solvers/support/file_path.hpp>

namespace fokker {

/// N(m, C) with any symmetric positive semidefinite C. Works in the eigenbasis of C: a block costs
/// two products with a d x d matrix.
class Gaussian : public AnyData {
 public:
  /// @param mean        d numbers
  /// @param covariance  d * d numbers, symmetric
  /// @throws std::invalid_argument  sizes that disagree, values that are not finite, a covariance
  ///                    that is not symmetric or has an eigenvalue below -1e-10 of its largest
  Gaussian(std::span<const double> mean, std::span<const double> covariance);

  Gaussian(const Eigen::VectorXd& mean, const Eigen::MatrixXd& covariance)
      : Gaussian(std::span(mean.data(), static_cast<std::size_t>(mean.size())),
                 std::span(covariance.data(), static_cast<std::size_t>(covariance.size()))) {}
};

/// N(m, diag(v)): a Gaussian given by the spectrum of its covariance, in its eigenbasis. Linear in
/// d; meant for d up to hundreds of thousands.
class GaussianSpectrum : public AnyData {
 public:
  /// @param mean      d numbers
  /// @param variance  d numbers >= 0, the eigenvalues of the covariance
  /// @throws std::invalid_argument  sizes that disagree, a variance below 0, values not finite
  GaussianSpectrum(std::span<const double> mean, std::span<const double> variance);

  GaussianSpectrum(const Eigen::VectorXd& mean, const Eigen::VectorXd& variance)
      : GaussianSpectrum(std::span(mean.data(), static_cast<std::size_t>(mean.size())),
                         std::span(variance.data(), static_cast<std::size_t>(variance.size()))) {}
};

/// N(m, F F^T + floor I) with a factor F of d x r: few directions of large variance over an even
/// rest. Works with the r singular directions of F (the Woodbury identity in the basis in which it
/// is diagonal): O(d r) per path, and no d x d matrix.
class GaussianLowRank : public AnyData {
 public:
  /// @param mean    d numbers
  /// @param factor  d * r numbers, column after column, r >= 1; U sqrt(V) for the covariance
  ///                U V U^T + floor I
  /// @param floor   variance added in every direction, >= 0
  /// @throws std::invalid_argument  sizes that disagree, values not finite, a floor below 0
  GaussianLowRank(std::span<const double> mean, std::span<const double> factor, double floor);

  GaussianLowRank(const Eigen::VectorXd& mean, const Eigen::MatrixXd& factor, double floor)
      : GaussianLowRank(std::span(mean.data(), static_cast<std::size_t>(mean.size())),
                        std::span(factor.data(), static_cast<std::size_t>(factor.size())), floor) {}
};

/// N(0, diag(v)) from a file with one eigenvalue per line.
/// @throws std::runtime_error     a file that cannot be read
/// @throws std::invalid_argument  a cell that is no finite number or below 0, or more than one per
///                                line: named by file and line
GaussianSpectrum spectrum_from_csv(const FilePath& path);

/// N(0, F F^T + floor I) with F from a CSV file: a row for each coordinate, a column for each
/// factor.
/// @throws std::runtime_error     a file that cannot be read
/// @throws std::invalid_argument  as GaussianLowRank
GaussianLowRank low_rank_from_csv(const FilePath& path, double floor);

}  // namespace fokker
