#pragma once
/// @file  mixture_posterior.hpp
/// @brief The posterior of a Gaussian mixture given one path, component by component.

#include <cstddef>
#include <vector>

#include <Eigen/Core>

#include "data/mixture_tables.hpp"

namespace fokker::detail {

/// Of x0 given x = s x0 + std eps: the weights w_k of the components, their means D_k, and products
/// with Cov[x0 | x] = sum_k w_k (std^2 V_k^-1 C_k + (D_k - D) (D_k - D)^T). Without noise or scale
/// (std = 0 and s = 0) it is the prior.
class MixturePosterior {
 public:
  MixturePosterior(const MixtureLaw& law, double s, double std)
      : law_(law),
        tables_(std == 0 ? nullptr : &MixtureTables<double>::of(law, s, std)),
        variance_(std * std),
        weight_(scratch<double, Slot<MixturePosterior, 0>>(count()), count()),
        column_(scratch<double, Slot<MixturePosterior, 1>>(6 * d()), d(), 6) {}

  /// out = Cov[x0 | x] v of one path.
  template <class X, class V, class Out>
  void covariance_times(const X& x, const V& v, Out&& out) {
    auto at = column_.col(0), direction = column_.col(1), sum = column_.col(2),
         mean = column_.col(3), difference = column_.col(4), spread = column_.col(5);
    at = x;
    direction = v;
    find_weights(at, difference, spread);

    sum.setZero();
    mean.setZero();
    for (std::size_t k = 0; k < components(); ++k) {
      centred_mean(k, at, mean, difference);
      sum += weight(k) * difference;
    }
    mean = sum;
    sum.setZero();
    for (std::size_t k = 0; k < components(); ++k) {
      if (weight(k) == 0) continue;
      centred_mean(k, at, mean, difference);
      sum += weight(k) * difference.dot(direction) * difference;
      law_.multiply_covariance(k, direction, spread);
      if (tables_ != nullptr) {
        difference = spread;
        multiply(tables_->precision, k, difference, spread);
        spread *= variance_;
      }
      sum += weight(k) * spread;
    }
    out = sum;
  }

 private:
  std::size_t components() const { return law_.components().size(); }
  Index count() const { return static_cast<Index>(components()); }
  Index d() const { return law_.dimension(); }
  double& weight(std::size_t k) { return weight_(static_cast<Index>(k)); }

  /// The vector of component k in a table.
  Eigen::Map<const Eigen::VectorXd> vector(const std::vector<double>& table, std::size_t k) const {
    return {table.data() + static_cast<Index>(k) * d(), d()};
  }

  /// to = the matrix of component k in a table times `from`.
  template <class From, class To>
  void multiply(const std::vector<double>& table, std::size_t k, const From& from, To& to) const {
    if (law_.isotropic())
      to = table[k] * from;
    else
      to = Eigen::Map<const RowMatrix<double>>(table.data() + k * law_.matrix_size(), d(), d())
               .lazyProduct(from);
  }

  /// The weights at `at`, by log-sum-exp.
  template <class Column>
  void find_weights(const Column& at, Column& difference, Column& spread) {
    for (std::size_t k = 0; k < components(); ++k) {
      if (tables_ == nullptr) {
        weight(k) = law_.components()[k].weight;
        continue;
      }
      difference = at - vector(tables_->centre, k);
      multiply(tables_->precision, k, difference, spread);
      weight(k) = tables_->log_weight[k] - 0.5 * difference.dot(spread);
    }
    if (tables_ != nullptr) weight_ = (weight_ - weight_.maxCoeff()).exp();
    weight_ /= weight_.sum();
  }

  /// out = D_k - mean.
  template <class Column>
  void centred_mean(std::size_t k, const Column& at, const Column& mean, Column& out) const {
    if (tables_ == nullptr) {
      out = vector(law_.components()[k].mean, 0) - mean;
      return;
    }
    multiply(tables_->gain, k, at, out);
    out += vector(tables_->offset, k) - mean;
  }

  const MixtureLaw& law_;
  const MixtureTables<double>* tables_;
  double variance_;  // std^2
  Eigen::Map<Eigen::ArrayXd> weight_;
  Eigen::Map<Eigen::MatrixXd> column_;
};

}  // namespace fokker::detail
