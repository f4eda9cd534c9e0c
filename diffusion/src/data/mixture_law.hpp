#pragma once
/// @file  mixture_law.hpp
/// @brief The components of a Gaussian mixture with their spectra; its moments and samples.

#include <cstddef>
#include <span>
#include <vector>

#include <Eigen/Core>

#include <fokker/diffusion/data/mixture.hpp>

#include "data/data_model.hpp"

namespace fokker::detail {

class MixtureLaw {
 public:
  /// @throws std::invalid_argument  as `GaussianMixture`
  explicit MixtureLaw(std::vector<MixtureComponent> components);

  std::span<const MixtureComponent> components() const { return components_; }
  Index dimension() const { return d_; }
  bool isotropic() const { return isotropic_; }  ///< all components
  double least() const { return least_; }        ///< variance of a component in any direction
  double reach() const { return reach_; }        ///< largest |mean| of a coordinate, or std
  double log_weight(std::size_t k) const { return log_weight_[k]; }
  Eigen::Map<const Eigen::VectorXd> mean() const { return {mean_.data(), d_}; }

  /// The size of a matrix of a component in tables: 1 number where all are isotropic, else d * d.
  std::size_t matrix_size() const { return isotropic_ ? 1 : mean_.size() * mean_.size(); }
  /// The eigenvalues of component k, one if all are isotropic, else d.
  std::span<const double> eigenvalues(std::size_t k) const {
    const std::size_t count = isotropic_ ? 1 : mean_.size();
    return {values_.data() + k * count, count};
  }
  /// Its eigenvectors, d * d numbers stored row by row, unless all are isotropic.
  std::span<const double> basis(std::size_t k) const { return block(basis_, k); }

  void variance(double* out) const;
  void covariance(double* out) const;

  /// to = C_k from.
  template <class From, class To>
  void multiply_covariance(std::size_t k, const From& from, To& to) const {
    const std::vector<double>& c = components_[k].covariance;
    if (c.size() == 1)
      to = c[0] * from;
    else
      to = Eigen::Map<const RowMatrix<double>>(c.data(), d_, d_).lazyProduct(from);
  }

  template <class S>
  void sample(PathRandom& random, BlockView<S> x) const {
    Eigen::Array<double, 1, Eigen::Dynamic> u(x.columns);
    random.uniform(u);
    auto z = as_array(x);
    random.normal(z);
    for (Index j = 0; j < x.columns; ++j) {
      const std::size_t k = chosen(u(j));
      const BlockView<S> path{x.data + j, d_, 1, x.stride};
      if (isotropic_)
        as_array(path) = static_cast<S>(std::sqrt(values_[k])) * as_array(path) +
                         vector(components_[k].mean).template cast<S>().array();
      else
        correlate(block(lower_, k), components_[k].mean, path);
    }
  }

 private:
  static Eigen::Map<const Eigen::VectorXd> vector(const std::vector<double>& v) {
    return {v.data(), static_cast<Index>(v.size())};
  }

  /// The d * d numbers of component k.
  std::span<const double> block(const std::vector<double>& all, std::size_t k) const {
    const auto size = static_cast<std::size_t>(d_ * d_);
    return {all.data() + k * size, size};
  }

  /// Checks a component and keeps its spectrum.
  void add(const MixtureComponent& c);

  /// The component whose share of (0, 1) holds u.
  std::size_t chosen(double u) const;

  std::vector<MixtureComponent> components_;
  Index d_;
  bool isotropic_;
  std::vector<double> values_;         ///< variances, one per component or d
  std::vector<double> basis_, lower_;  ///< K x d x d, unless isotropic
  std::vector<double> cumulative_, mean_, log_weight_;
  double least_, reach_;
};

}  // namespace fokker::detail
