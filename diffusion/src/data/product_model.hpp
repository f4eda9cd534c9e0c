#pragma once
/// @file  product_model.hpp
/// @brief Independent data distributions, one above the other.

#include <memory>
#include <utility>
#include <vector>

#include "data/data_model.hpp"

namespace fokker::detail {

class ProductModel final : public TypedModel<ProductModel> {
 public:
  explicit ProductModel(std::vector<std::shared_ptr<const DataModel>> factors)
      : factors_(std::move(factors)) {
    if (factors_.empty()) throw std::invalid_argument("a product needs at least one factor");
    for (const auto& factor : factors_) d_ += factor->dimension();
  }

  const std::vector<std::shared_ptr<const DataModel>>& factors() const { return factors_; }

  DataKind kind() const override { return DataKind::product; }
  Index dimension() const override { return d_; }
  bool has_density() const override {
    for (const auto& factor : factors_)
      if (!factor->has_density()) return false;
    return true;
  }
  void mean(double* out) const override {
    for_each([&](const DataModel& factor, Index first) { factor.mean(out + first); });
  }
  void variance(double* out) const override {
    for_each([&](const DataModel& factor, Index first) { factor.variance(out + first); });
  }
  void covariance(double* out) const override {
    Eigen::Map<Eigen::MatrixXd> c(out, d_, d_);
    c.setZero();
    for_each([&](const DataModel& factor, Index first) {
      const Index d = factor.dimension();
      Eigen::MatrixXd own(d, d);
      factor.covariance(own.data());
      c.block(first, first, d, d) = own;
    });
  }

  template <class S>
  void sample_values(PathRandom& random, BlockView<S> x) const {
    for_each([&](const DataModel& factor, Index first) {
      factor.values<S>().sample(random, part(x, factor, first));
    });
  }

  template <class S>
  void score_values(BlockView<const S> x, double s, double std, BlockView<S> out) const {
    for_each([&](const DataModel& factor, Index first) {
      factor.values<S>().score(part(x, factor, first), s, std, part(out, factor, first));
    });
  }

  template <class S>
  void denoise_values(BlockView<const S> x, double s, double std, BlockView<S> out) const {
    for_each([&](const DataModel& factor, Index first) {
      factor.values<S>().denoise(part(x, factor, first), s, std, part(out, factor, first));
    });
  }

  void log_density_values(BlockView<const double> x, double s, double std, double* out) const {
    double* const own = scratch<double, ProductModel>(x.columns);
    std::fill_n(out, x.columns, 0.0);
    for_each([&](const DataModel& factor, Index first) {
      factor.values<double>().log_density(part(x, factor, first), s, std, own);
      for (Index j = 0; j < x.columns; ++j) out[j] += own[j];
    });
  }

  void covariance_times_values(BlockView<const double> x, double s, double std,
                               BlockView<const double> v, BlockView<double> out) const {
    for_each([&](const DataModel& factor, Index first) {
      factor.values<double>().posterior_covariance_times(
          part(x, factor, first), s, std, part(v, factor, first), part(out, factor, first));
    });
  }

 private:
  /// f(factor, its first row).
  template <class F>
  void for_each(F&& f) const {
    Index first = 0;
    for (const auto& factor : factors_) {
      f(*factor, first);
      first += factor->dimension();
    }
  }

  template <class S>
  static BlockView<S> part(BlockView<S> x, const DataModel& factor, Index first) {
    return {x.row(first), factor.dimension(), x.columns, x.stride};
  }

  std::vector<std::shared_ptr<const DataModel>> factors_;
  Index d_ = 0;
};

}  // namespace fokker::detail
