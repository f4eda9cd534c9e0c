/// @file  gaussian.cpp
/// @brief Gaussian data in the eigenbasis of their covariance.

#include <fokker/diffusion/data/gaussian.hpp>

#include <algorithm>
#include <cmath>

#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <Eigen/SVD>

#include "data/data_model.hpp"
#include "data/product_model.hpp"

namespace fokker {
namespace detail {

Spectrum spectrum_of(std::span<const double> covariance, Index d) {
  const Eigen::Map<const RowMatrix<double>> c(covariance.data(), d, d);
  const double largest = c.cwiseAbs().maxCoeff<Eigen::PropagateNaN>();
  if (!(largest <= largest_variance))
    throw std::invalid_argument(
        fmt::format("the covariance must be finite, with values of at most {}: got {}",
                    largest_variance, largest));
  for (Index i = 0; i < d; ++i)
    for (Index j = 0; j < i; ++j)
      if (std::abs(c(i, j) - c(j, i)) > 1e-10 * largest)
        throw std::invalid_argument(fmt::format(
            "the covariance is not symmetric: row {}, column {} is {}, and row {}, column {} is {}",
            i + 1, j + 1, c(i, j), j + 1, i + 1, c(j, i)));
  const Eigen::MatrixXd symmetric = 0.5 * (c + c.transpose());
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(symmetric);
  const Eigen::VectorXd& values = solver.eigenvalues();
  const RowMatrix<double> basis = solver.eigenvectors();
  return {{values.data(), values.data() + d}, {basis.data(), basis.data() + d * d}};
}

std::vector<double> triangular_root(std::span<const double> basis, std::span<const double> values) {
  const Index d = static_cast<Index>(values.size());
  const Eigen::Map<const RowMatrix<double>> u(basis.data(), d, d);
  const Eigen::Map<const Eigen::VectorXd> v(values.data(), d);
  // A = U sqrt(v) and A^T = Q R give A A^T = R^T R.
  const Eigen::MatrixXd transposed = (u * v.cwiseSqrt().asDiagonal()).transpose();
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(transposed);
  const RowMatrix<double> lower =
      RowMatrix<double>(qr.matrixQR().transpose().triangularView<Eigen::Lower>());
  return {lower.data(), lower.data() + d * d};
}

namespace {

/// The variance of x0 given s x0 + std eps where x0 has the variance v.
double posterior_variance(double v, double s, double std) {
  return s * s * v > 0 ? v * (std * std / (s * s * v + std * std)) : v;
}

/// N(mean, U diag(values) U^T); U = I where the basis is empty.
class GaussianModel final : public TypedModel<GaussianModel> {
 public:
  GaussianModel(std::span<const double> mean, Spectrum spectrum)
      : mean_(mean.begin(), mean.end()),
        values_(std::move(spectrum.values)),
        basis_(std::move(spectrum.basis)),
        float_basis_(basis_.begin(), basis_.end()) {
    if (dense()) lower_ = triangular_root(basis_, values_);
    const auto [least, largest] = std::minmax_element(values_.begin(), values_.end());
    least_ = *least;
    largest_ = *largest;
    reach_ = Eigen::Map<const Eigen::VectorXd>(mean_.data(), dimension()).cwiseAbs().maxCoeff();
  }

  DataKind kind() const override { return DataKind::gaussian; }
  Index dimension() const override { return static_cast<Index>(mean_.size()); }
  bool has_density() const override { return least_ > 0; }
  void mean(double* out) const override { std::copy(mean_.begin(), mean_.end(), out); }

  void variance(double* out) const override {
    const Index d = dimension();
    Eigen::Map<Eigen::VectorXd> v(out, d);
    if (dense())
      v = basis<double>().cwiseAbs2() * values();
    else
      v = values();
  }

  void covariance(double* out) const override {
    const Index d = dimension();
    Eigen::Map<RowMatrix<double>> c(out, d, d);
    if (dense())
      c = basis<double>() * values().asDiagonal() * basis<double>().transpose();
    else
      c = values().asDiagonal();
  }

  GaussianSpectrum in_eigenbasis() const {
    if (!dense()) return {mean_, values_};
    const Eigen::VectorXd rotated =
        basis<double>().transpose() * Eigen::Map<const Eigen::VectorXd>(mean_.data(), dimension());
    return {std::span(rotated.data(), mean_.size()), values_};
  }

  template <class S>
  void sample_values(PathRandom& random, BlockView<S> x) const {
    auto z = as_array(x);
    random.normal(z);
    if (dense()) return correlate(lower_, mean_, x);
    for (Index r = 0; r < x.rows; ++r)
      z.row(r) = static_cast<S>(std::sqrt(value(r))) * z.row(r) + static_cast<S>(mean_at(r));
  }

  template <class S>
  void score_values(BlockView<const S> x, double s, double std, BlockView<S> out) const {
    require_density(least_, s, std);
    apply(x, s, std, s, out, [=](double v) { return -1 / (s * s * v + std * std); });
  }

  template <class S>
  void denoise_values(BlockView<const S> x, double s, double std, BlockView<S> out) const {
    // A direction without variance holds the mean whatever x is, also in the limit of std = 0.
    apply(x, s, std, s, out,
          [=](double v) { return v * s > 0 ? v * s / (s * s * v + std * std) : 0.0; });
    for (Index r = 0; r < x.rows; ++r) as_array(out).row(r) += static_cast<S>(mean_at(r));
  }

  void covariance_times_values(BlockView<const double>, double s, double std,
                               BlockView<const double> v, BlockView<double> out) const {
    apply(v, s, std, 0, out, [=](double value) { return posterior_variance(value, s, std); });
  }

  void log_density_values(BlockView<const double> x, double s, double std, double* out) const {
    require_density(least_, s, std);
    RowMatrix<double> y = as_array(x);
    for (Index r = 0; r < x.rows; ++r) y.row(r).array() -= s * mean_at(r);
    if (dense()) y = (basis<double>().transpose() * y).eval();
    Eigen::Map<Eigen::Array<double, 1, Eigen::Dynamic>> log_p(out, x.columns);
    log_p.setConstant(-0.5 * static_cast<double>(x.rows) * log_two_pi);
    for (Index r = 0; r < x.rows; ++r) {
      const double v = s * s * value(r) + std * std;
      log_p -= 0.5 * (y.row(r).array().square() / v + std::log(v));
    }
  }

 private:
  bool dense() const { return !basis_.empty(); }
  double mean_at(Index r) const { return mean_[static_cast<std::size_t>(r)]; }
  double value(Index r) const { return values_[static_cast<std::size_t>(r)]; }
  Eigen::Map<const Eigen::VectorXd> values() const { return {values_.data(), dimension()}; }

  template <class S>
  Eigen::Map<const RowMatrix<S>> basis() const {
    if constexpr (std::is_same_v<S, double>)
      return {basis_.data(), dimension(), dimension()};
    else
      return {float_basis_.data(), dimension(), dimension()};
  }

  /// out = U diag(gain(v)) U^T (x - shift m), with gains that belong to (s, std).
  template <class S, class Gain>
  void apply(BlockView<const S> x, double s, double std, double shift, BlockView<S> out,
             Gain gain) const {
    const auto from = as_array(x);
    auto to = as_array(out);
    if (!dense()) {
      for (Index r = 0; r < x.rows; ++r)
        to.row(r) = (gain(value(r)) * (from.row(r).template cast<double>() - shift * mean_at(r)))
                        .template cast<S>();
      return;
    }
    if constexpr (std::is_same_v<S, float>) {
      const double widest = std::max(s * reach_, std::sqrt(s * s * largest_ + std * std));
      if (widest > widening_ratio * std::sqrt(s * s * least_ + std * std)) {
        const BlockView<const double> at = widened<GaussianModel, 0>(x);
        narrowed<GaussianModel, 1>(
            out, [&](BlockView<double> result) { apply(at, s, std, shift, result, gain); });
        return;
      }
    }
    Eigen::Map<RowMatrix<S>> y(scratch<S, GaussianModel>(x.rows * x.columns), x.rows, x.columns);
    for (Index r = 0; r < x.rows; ++r)
      y.row(r).array() = from.row(r) - static_cast<S>(shift * mean_at(r));
    to.matrix().noalias() = basis<S>().transpose() * y;
    for (Index r = 0; r < x.rows; ++r)
      y.row(r).array() = static_cast<S>(gain(value(r))) * to.row(r);
    to.matrix().noalias() = basis<S>() * y;
  }

  std::vector<double> mean_, values_, basis_, lower_;
  std::vector<float> float_basis_;
  double least_, largest_;  ///< of the variances
  double reach_;            ///< the largest |mean|
};

/// N(mean, U diag(values) U^T + floor I) with r <= d orthonormal columns in U.
class LowRankModel final : public DoubleModel<LowRankModel> {
 public:
  LowRankModel(std::span<const double> mean, std::span<const double> factor, double floor)
      : floor_(floor) {
    const auto d = static_cast<Index>(mean.size());
    if (d == 0 || factor.empty() || factor.size() % mean.size() != 0)
      throw std::invalid_argument(fmt::format(
          "a Gaussian of low rank needs d >= 1 means and d * r factors, r >= 1: got {} and {}", d,
          factor.size()));
    if (!(floor == 0 || (floor >= smallest_variance && floor <= largest_variance)))
      throw std::invalid_argument(fmt::format(
          "the floor of the variance must not be negative, but 0 or from {} to {}: got {}",
          smallest_variance, largest_variance, floor));
    require_coordinates(mean, "mean");
    require_coordinates(factor, "factor");
    mean_ = Eigen::Map<const Eigen::VectorXd>(mean.data(), d);
    const auto r = static_cast<Index>(factor.size()) / d;
    const Eigen::Map<const Eigen::MatrixXd> f(factor.data(), d, r);
    const Eigen::JacobiSVD<Eigen::MatrixXd, Eigen::HouseholderQRPreconditioner> svd(
        f, Eigen::ComputeThinU);
    basis_ = svd.matrixU();
    values_ = svd.singularValues().cwiseAbs2();
    complete_ = basis_.cols() == d;
  }

  DataKind kind() const override { return DataKind::gaussian; }
  Index dimension() const override { return mean_.size(); }
  bool has_density() const override { return least() > 0; }
  void mean(double* out) const override { Eigen::Map<Eigen::VectorXd>(out, dimension()) = mean_; }

  void variance(double* out) const override {
    Eigen::Map<Eigen::VectorXd>(out, dimension()) = (basis_.cwiseAbs2() * values_).array() + floor_;
  }

  void covariance(double* out) const override {
    Eigen::Map<RowMatrix<double>> c(out, dimension(), dimension());
    c = basis_ * values_.asDiagonal() * basis_.transpose();
    c.diagonal().array() += floor_;
  }

  /// The directions of U, then one along the rest of the mean, then any.
  GaussianSpectrum in_eigenbasis() const {
    const Index d = dimension(), r = values_.size();
    Eigen::VectorXd mean = Eigen::VectorXd::Zero(d), variance(d);
    mean.head(r) = basis_.transpose() * mean_;
    variance.setConstant(floor_);
    variance.head(r) += values_;
    if (!complete_) mean(r) = (mean_ - basis_ * mean.head(r)).norm();
    return {mean, variance};
  }

  void sample_values(PathRandom& random, BlockView<double> x) const {
    auto out = as_array(x);
    auto along = as_array(scratch_block<LowRankModel, 0>(values_.size(), x.columns));
    random.normal(along);
    random.normal(out);
    along.colwise() *= values_.array().sqrt();
    out *= std::sqrt(floor_);
    out.matrix().noalias() += basis_ * along.matrix();
    out.colwise() += mean_.array();
  }

  void score_values(BlockView<const double> x, double s, double std, BlockView<double> out) const {
    require_density(least(), s, std);
    apply(x, s, out, [=](double v) { return -1 / (s * s * v + std * std); });
  }

  void denoise_values(BlockView<const double> x, double s, double std,
                      BlockView<double> out) const {
    apply(x, s, out, [=](double v) { return v * s > 0 ? v * s / (s * s * v + std * std) : 0.0; });
    as_array(out).colwise() += mean_.array();
  }

  void covariance_times_values(BlockView<const double>, double s, double std,
                               BlockView<const double> v, BlockView<double> out) const {
    apply(v, 0, out, [=](double value) { return posterior_variance(value, s, std); });
  }

  void log_density_values(BlockView<const double> x, double s, double std, double* out) const {
    require_density(least(), s, std);
    const auto [along, rest] = split(x, s);
    const auto noised = (s * s * (values_.array() + floor_) + std * std).eval();
    const double level = s * s * floor_ + std * std;
    const Index others = dimension() - values_.size();
    double log_det = noised.log().sum();
    if (others > 0) log_det += static_cast<double>(others) * std::log(level);
    for (Index j = 0; j < x.columns; ++j) {
      double square = (as_array(along).col(j).square() / noised).sum();
      if (others > 0) square += as_array(rest).col(j).square().sum() / level;
      out[j] = -0.5 * (square + log_det + static_cast<double>(dimension()) * log_two_pi);
    }
  }

 private:
  double least() const { return complete_ ? values_.minCoeff() + floor_ : floor_; }

  /// U^T (x - shift m), and what of x - shift m is at right angles to U.
  std::pair<BlockView<double>, BlockView<double>> split(BlockView<const double> x,
                                                        double shift) const {
    const auto along = scratch_block<LowRankModel, 0>(values_.size(), x.columns);
    const auto rest = scratch_block<LowRankModel, 1>(x.rows, x.columns);
    for (Index r = 0; r < x.rows; ++r)
      as_array(rest).row(r) = as_array(x).row(r) - shift * mean_(r);
    as_array(along).matrix().noalias() = basis_.transpose() * as_array(rest).matrix();
    if (complete_)
      as_array(rest).setZero();
    else
      as_array(rest).matrix().noalias() -= basis_ * as_array(along).matrix();
    return {along, rest};
  }

  /// out = (U diag(gain(v + floor)) U^T + gain(floor) (I - U U^T)) (x - shift m).
  template <class Gain>
  void apply(BlockView<const double> x, double shift, BlockView<double> out, Gain gain) const {
    const auto [along, rest] = split(x, shift);
    for (Index i = 0; i < values_.size(); ++i) as_array(along).row(i) *= gain(values_(i) + floor_);
    as_array(out) = (complete_ ? 0.0 : gain(floor_)) * as_array(rest);
    as_array(out).matrix().noalias() += basis_ * as_array(along).matrix();
  }

  Eigen::VectorXd mean_, values_;
  Eigen::MatrixXd basis_;
  double floor_;
  bool complete_;  ///< whether U spans all of the space
};

std::shared_ptr<const DataModel> dense_model(std::span<const double> mean,
                                             std::span<const double> covariance) {
  const std::size_t d = mean.size();
  if (d == 0 || covariance.size() != d * d)
    throw std::invalid_argument(
        fmt::format("a Gaussian needs d >= 1 means and d * d covariances: got {} and {}", d,
                    covariance.size()));
  require_coordinates(mean, "mean");
  Spectrum spectrum = spectrum_of(covariance, static_cast<Index>(d));
  if (spectrum.values.front() < -1e-10 * std::abs(spectrum.values.back()))
    throw std::invalid_argument(
        fmt::format("the covariance is not positive semidefinite: its least eigenvalue is {:.4g}",
                    spectrum.values.front()));
  for (double& v : spectrum.values) v = std::max(v, 0.0);
  return std::make_shared<GaussianModel>(mean, std::move(spectrum));
}

std::shared_ptr<const DataModel> diagonal_model(std::span<const double> mean,
                                                std::span<const double> variance) {
  if (mean.empty() || variance.size() != mean.size())
    throw std::invalid_argument(
        fmt::format("a Gaussian needs d >= 1 means and d variances: got {} and {}", mean.size(),
                    variance.size()));
  require_coordinates(mean, "mean");
  for (std::size_t i = 0; i < variance.size(); ++i)
    if (!(variance[i] == 0 ||
          (variance[i] >= smallest_variance && variance[i] <= largest_variance)))
      throw std::invalid_argument(
          fmt::format("a variance must not be negative, but 0 or from {} to {}: entry {} is {}",
                      smallest_variance, largest_variance, i + 1, variance[i]));
  return std::make_shared<GaussianModel>(
      mean, Spectrum{.values = {variance.begin(), variance.end()}, .basis = {}});
}

}  // namespace
}  // namespace detail

Gaussian::Gaussian(std::span<const double> mean, std::span<const double> covariance)
    : AnyData(detail::dense_model(mean, covariance)) {}

GaussianSpectrum::GaussianSpectrum(std::span<const double> mean, std::span<const double> variance)
    : AnyData(detail::diagonal_model(mean, variance)) {}

GaussianLowRank::GaussianLowRank(std::span<const double> mean, std::span<const double> factor,
                                 double floor)
    : AnyData(std::make_shared<detail::LowRankModel>(mean, factor, floor)) {}

std::optional<GaussianSpectrum> AnyData::gaussian() const {
  if (const auto* model = dynamic_cast<const detail::GaussianModel*>(model_.get()))
    return model->in_eigenbasis();
  if (const auto* model = dynamic_cast<const detail::LowRankModel*>(model_.get()))
    return model->in_eigenbasis();
  if (const auto* model = dynamic_cast<const detail::ProductModel*>(model_.get())) {
    std::vector<double> mean, variance;
    for (const auto& factor : model->factors()) {
      const auto part = AnyData(factor).gaussian();
      if (!part) return std::nullopt;
      const Eigen::VectorXd m = part->mean(), v = part->variance();
      mean.insert(mean.end(), m.begin(), m.end());
      variance.insert(variance.end(), v.begin(), v.end());
    }
    return GaussianSpectrum(mean, variance);
  }
  return std::nullopt;
}

}  // namespace fokker
