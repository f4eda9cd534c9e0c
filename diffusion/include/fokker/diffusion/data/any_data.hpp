#pragma once
/// @file  fokker/diffusion/data/any_data.hpp
/// @brief Any data distribution of this library: a shared handle, one virtual call per block.

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include <Eigen/Core>

#include <fokker/diffusion/data/data.hpp>

namespace fokker {

class FiniteSet;
class GaussianMixture;
class GaussianSpectrum;

/// The family of a data distribution.
enum class DataKind { gaussian, gaussian_mixture, finite_set, boxes, sphere, product };

/// The name of a family.
constexpr std::string_view to_string(DataKind kind) {
  switch (kind) {
    case DataKind::gaussian:
      return "gaussian";
    case DataKind::gaussian_mixture:
      return "gaussian mixture";
    case DataKind::finite_set:
      return "finite set";
    case DataKind::boxes:
      return "union of boxes";
    case DataKind::sphere:
      return "sphere";
    case DataKind::product:
      return "product";
  }
  return "unknown";
}

namespace detail {

/// The functions of a distribution on blocks of one scalar. `out` has the shape of `x` and does not
/// overlap it; rows and dimension agree.
template <class S>
class DataValues {
 public:
  virtual void sample(PathRandom& random, BlockView<S> x) const = 0;
  virtual void score(BlockView<const S> x, double s, double std, BlockView<S> out) const = 0;
  virtual void denoise(BlockView<const S> x, double s, double std, BlockView<S> out) const = 0;
  virtual void log_density(BlockView<const S> x, double s, double std, double* out) const = 0;
  virtual void posterior_covariance_times(BlockView<const S> x, double s, double std,
                                          BlockView<const S> v, BlockView<S> out) const = 0;

 protected:
  ~DataValues() = default;
};

/// A distribution with its functions in both precisions. Constant and safe to call from any thread.
class DataModel {
 public:
  DataModel(const DataModel&) = delete;
  DataModel& operator=(const DataModel&) = delete;
  virtual ~DataModel() = default;

  /// The family of the distribution.
  virtual DataKind kind() const = 0;
  virtual Index dimension() const = 0;
  virtual bool has_density() const = 0;            ///< a smooth one, of x0 itself
  virtual void mean(double* out) const = 0;        ///< d values
  virtual void variance(double* out) const = 0;    ///< d values, of each coordinate
  virtual void covariance(double* out) const = 0;  ///< d * d values

  /// The functions on blocks of S.
  template <class S>
  const DataValues<S>& values() const {
    if constexpr (std::is_same_v<S, float>)
      return floats_;
    else
      return doubles_;
  }

 protected:
  DataModel(const DataValues<double>& doubles, const DataValues<float>& floats)
      : doubles_(doubles), floats_(floats) {}

 private:
  const DataValues<double>& doubles_;
  const DataValues<float>& floats_;
};

}  // namespace detail

/// A data distribution whose kind is known at run time. `Gaussian`, `GaussianSpectrum`,
/// `GaussianLowRank`, `GaussianMixture`, `FiniteSet`, `Boxes`, `Sphere` and `Product` are such
/// handles themselves, so each converts to AnyData by copying a pointer. What they point to is
/// shared and constant: copies are cheap, calls are safe from any thread, and nothing is allocated
/// once the scratch of a thread has grown (but by the matrix products of a dense Gaussian in more
/// than about a hundred dimensions).
///
/// All functions take blocks of d x n, double or float, of any storage; row-major blocks and single
/// paths d x 1 are used in place. Tables that depend on (s, std) are made once per call, in double.
/// Where rounding to float between two steps of the computation would show in the result (noise
/// that is small against the data), float states are computed in double and rounded at the end.
class AnyData {
 public:
  /// The family of the distribution.
  DataKind kind() const { return model_->kind(); }
  Index dimension() const { return model_->dimension(); }

  /// Whether x0 itself has a smooth density, so that `score` and `log_density` take std = 0.
  bool has_density() const { return model_->has_density(); }

  Eigen::VectorXd mean() const;        ///< E[x0]
  Eigen::VectorXd variance() const;    ///< the variance of each coordinate of x0
  Eigen::MatrixXd covariance() const;  ///< of x0, d x d

  /// The law in the eigenbasis U of its covariance, N(U^T mean, eigenvalues), if it is Gaussian.
  std::optional<GaussianSpectrum> gaussian() const;

  /// The components, if it is a Gaussian mixture.
  std::optional<GaussianMixture> mixture() const;

  /// The points and labels, if it is a finite set.
  std::optional<FiniteSet> finite_set() const;

  /// Fills x, d x n, with independent exact samples of x0: an InitialLaw of `simulate`.
  template <State X>
  void sample(PathRandom& random, X& x) const {
    check_rows(x.rows());
    detail::with_output(x, [&](auto block) { values(x).sample(random, block); });
  }

  /// out = grad log p_t(x), p_t the density of s x0 + std eps.
  /// @param x    d x n
  /// @param s    scale of the data, >= 0
  /// @param std  standard deviation of the noise; 0 only where x0 has a density and s > 0
  /// @param out  d x n, allocated by the caller; must not overlap x
  /// @throws std::invalid_argument  where p_t has no density, for s < 0 or std < 0, or for a wrong
  ///                                number of rows
  template <State X>
  void score(const X& x, double s, double std, X& out) const {
    check_rows(x.rows());
    check_noise(s, std);
    detail::with_input(x, [&](auto in) {
      detail::with_output(out, [&](auto result) { values(x).score(in, s, std, result); });
    });
  }

  /// out = E[x0 | s x0 + std eps = x], also in the limits: std = 0 gives x / s (the projection of
  /// it onto the support of a singular Gaussian, onto the nearest box, or onto a sphere; the
  /// nearest point of a finite set, the mean of the nearest if several are equally near), and s = 0
  /// gives the mean of x0. Shapes as in `score`.
  template <State X>
  void denoise(const X& x, double s, double std, X& out) const {
    check_rows(x.rows());
    check_noise(s, std);
    detail::with_input(x, [&](auto in) {
      detail::with_output(out, [&](auto result) { values(x).denoise(in, s, std, result); });
    });
  }

  /// log p_t(x) of each path, in double whatever the scalar of x.
  /// @throws std::invalid_argument  as `score`
  template <State X>
  Eigen::Array<double, 1, Eigen::Dynamic> log_density(const X& x, double s, double std) const {
    check_rows(x.rows());
    check_noise(s, std);
    Eigen::Array<double, 1, Eigen::Dynamic> out(x.cols());
    detail::with_input(x, [&](auto in) { values(x).log_density(in, s, std, out.data()); });
    return out;
  }

  /// out = Cov[x0 | s x0 + std eps = x] v, each column of v with the posterior of the same column
  /// of x. By Tweedie's formula of the second order this covariance is std^2 / s times the Jacobian
  /// of the denoiser, so a product with its Jacobian (which is symmetric) costs one call; where
  /// that breaks down the limits hold: nothing at std = 0 but for points equally near, the
  /// covariance of x0 at s = 0. Computed in double whatever the scalar. Cost: as `denoise`, and
  /// O(K d^2) per path for K components of a mixture; O(N d) per path without the fast kernels for
  /// N points.
  /// @param x, v  d x n
  /// @param out   d x n, allocated by the caller; must not overlap x nor v
  /// @throws std::invalid_argument  for a wrong number of rows, or of columns of v
  template <State X>
  void posterior_covariance_times(const X& x, double s, double std, const X& v, X& out) const {
    check_rows(x.rows());
    check_rows(v.rows());
    check_noise(s, std);
    check_directions(x.cols(), v.cols());
    detail::with_input(x, [&](auto in) {
      detail::with_input(v, [&](auto direction) {
        detail::with_output(out, [&](auto result) {
          values(x).posterior_covariance_times(in, s, std, direction, result);
        });
      });
    });
  }

  /// Cov[x0 | s x0 + std eps = x] of one path, d x d: d products.
  Eigen::MatrixXd posterior_covariance(const Eigen::VectorXd& x, double s, double std) const;

 protected:
  explicit AnyData(std::shared_ptr<const detail::DataModel> model) : model_(std::move(model)) {}
  /// The distribution behind the handle.
  const detail::DataModel& model() const { return *model_; }

 private:
  friend class Product;

  template <State X>
  const detail::DataValues<typename X::Scalar>& values(const X&) const {
    return model_->values<typename X::Scalar>();
  }

  void check_rows(Index rows) const;
  static void check_noise(double s, double std);
  static void check_directions(Index paths, Index directions);

  std::shared_ptr<const detail::DataModel> model_;
};

}  // namespace fokker
