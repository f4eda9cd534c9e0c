/// @file  sphere.cpp
/// @brief The uniform law on a sphere, by ratios of Bessel functions.

#include <fokker/diffusion/data/sphere.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/data_model.hpp"

namespace fokker {
namespace detail {
namespace {

/// A = I_{d/2}(k) / I_{d/2-1}(k).
struct BesselRatio {
  double value;       ///< A
  double complement;  ///< 1 - A
  double over;        ///< A / k, 1 / d at k = 0
};

/// A = k / (d + k - X), X = (d+1) k / (d+1+2k - (d+3) k / (d+2+2k - (d+5) k / (d+3+2k - ...))):
/// Perron's continued fraction, by the method of Lentz.
BesselRatio bessel_ratio(double d, double k) {
  if (k > 1e17 * d) return {1, 0, 1 / k};
  // X = a_1 / (b_1 + a_2 / (b_2 + ...)), a_1 = (d+1) k, a_j = -(d+2j-1) k, b_j = d + j + 2k.
  double x = 0;
  if (k > 0) {
    double c = 0, reciprocal = 0;
    for (int j = 1; j < 2000; ++j) {
      const double a = (j == 1 ? 1 : -1) * (d + 2 * j - 1) * k, b = d + j + 2 * k;
      reciprocal = 1 / (b + a * reciprocal);
      if (j == 1) {
        x = a * reciprocal;
        c = std::numeric_limits<double>::infinity();
        continue;
      }
      c = b + a / c;
      const double factor = c * reciprocal;
      x *= factor;
      if (std::abs(factor - 1) < 1e-16) break;
    }
  }
  const double denominator = d - x + k;
  const double over = 1 / denominator, complement = (d - x) / denominator;
  return {k * over, complement, over};
}

/// log(Gamma(v+1) (2/k)^v I_v(k)) - k, the log of the mean of exp(k (cos - 1)) over directions in
/// 2v + 2 dimensions: by the uniform expansion at a high order, and the ratios down from there.
double log_bessel(double v, double k) {
  constexpr double high = 300;  // the first term left out is below 1e-13
  const double steps = std::max(0.0, std::ceil(high - v));
  const double n = v + steps;
  // I_n(n z) = exp(n eta) / sqrt(2 pi n) / (1 + z^2)^(1/4) (1 + u_1/n + u_2/n^2 + ...).
  const double z = k / n, root = std::hypot(1.0, z), t = 1 / root, q = t * t;
  const double u1 = t * (3 - 5 * q) / 24;
  const double u2 = q * (81 - q * (462 - 385 * q)) / 1152;
  const double u3 = t * q * (30375 - q * (369603 - q * (765765 - 425425 * q))) / 414720;
  const double u4 = q * q *
                    (4465125 - q * (94121676 - q * (349922430 - q * (446185740 - 185910725 * q)))) /
                    39813120;
  const double series = u1 / n + u2 / (n * n) + u3 / (n * n * n) + u4 / (n * n * n * n);
  double log_value = std::lgamma(n + 1) + n * std::log(2 / (n * (1 + root))) + n / (root + z) -
                     0.5 * std::log(2 * std::numbers::pi * n * root) + std::log1p(series);
  // With g_v = 2 (v+1) / k * I_{v+1} / I_v the same quantity is that at v + 1 less log g_v.
  double g = 2 * (n + 1) * bessel_ratio(2 * n + 2, k).over;
  for (double order = n - 1; order >= v; --order) {
    g = 1 / (1 + k * k * g / (4 * (order + 1) * (order + 2)));
    log_value -= std::log(g);
  }
  return log_value;
}

class SphereModel final : public DoubleModel<SphereModel> {
 public:
  SphereModel(Index dimension, double radius) : d_(dimension), radius_(radius) {
    require_count(dimension, most_dimensions, "a sphere needs dimension");
    if (!(radius >= 1 / largest_coordinate && radius <= largest_coordinate))
      throw std::invalid_argument(fmt::format("a sphere needs a radius > 0, from {} to {}: got {}",
                                              1 / largest_coordinate, largest_coordinate, radius));
  }

  double radius() const { return radius_; }

  DataKind kind() const override { return DataKind::sphere; }
  Index dimension() const override { return d_; }
  bool has_density() const override { return false; }
  void mean(double* out) const override { std::fill_n(out, d_, 0.0); }
  void variance(double* out) const override { std::fill_n(out, d_, prior_variance()); }
  void covariance(double* out) const override {
    Eigen::Map<Eigen::MatrixXd>(out, d_, d_) = prior_variance() * Eigen::MatrixXd::Identity(d_, d_);
  }

  void sample_values(PathRandom& random, BlockView<double> x) const {
    auto z = as_array(x);
    random.normal(z);
    for (Index j = 0; j < x.columns; ++j) z.col(j) *= radius_ / norm(x, j);
  }

  void score_values(BlockView<const double> x, double s, double std, BlockView<double> out) const {
    require_density(0, s, std);
    for (Index j = 0; j < x.columns; ++j) {
      const double length = norm(x, j), reach = s * radius_;
      const BesselRatio a = ratio(length, s, std);
      // (s R A / |x| - 1): near the sphere by s R - |x| and 1 - A, near the centre without |x|.
      const double pull = 2 * length > reach ? ((reach - length) - reach * a.complement) / length
                                             : reach * reach * a.over / (std * std) - 1;
      as_array(out).col(j) = as_array(x).col(j) * (pull / (std * std));
    }
  }

  void denoise_values(BlockView<const double> x, double s, double std,
                      BlockView<double> out) const {
    for (Index j = 0; j < x.columns; ++j) {
      const double length = norm(x, j);
      const BesselRatio a = ratio(length, s, std);
      as_array(out).col(j) = as_array(x).col(j) * (length > 0 ? radius_ * a.value / length : 0.0);
    }
  }

  void log_density_values(BlockView<const double> x, double s, double std, double* out) const {
    require_density(0, s, std);
    const double d = static_cast<double>(d_), reach = s * radius_;
    for (Index j = 0; j < x.columns; ++j) {
      const double length = norm(x, j), gap = (length - reach) / std;
      out[j] = -0.5 * gap * gap - d * (0.5 * log_two_pi + std::log(std)) +
               log_bessel(0.5 * d - 1, concentration(length, s, std));
    }
  }

  void covariance_times_values(BlockView<const double> x, double s, double std,
                               BlockView<const double> v, BlockView<double> out) const {
    const double d = static_cast<double>(d_);
    for (Index j = 0; j < x.columns; ++j) {
      const double length = norm(x, j);
      const BesselRatio a = ratio(length, s, std);
      const double across = radius_ * radius_ * a.over;
      const double radial =
          std::max(radius_ * radius_ * (a.complement * (1 + a.value) - (d - 1) * a.over), 0.0);
      const double along =
          length > 0 ? (as_array(x).col(j) / length * as_array(v).col(j)).sum() / length : 0.0;
      as_array(out).col(j) =
          across * as_array(v).col(j) + (radial - across) * along * as_array(x).col(j);
    }
  }

 private:
  double prior_variance() const { return radius_ * radius_ / static_cast<double>(d_); }

  static double norm(BlockView<const double> x, Index j) {
    double square = 0;
    for (Index r = 0; r < x.rows; ++r) square += x.row(r)[j] * x.row(r)[j];
    return std::sqrt(square);
  }

  double concentration(double length, double s, double std) const {
    const double product = s * radius_ * length;
    return product > 0 ? product / (std * std) : product;
  }

  BesselRatio ratio(double length, double s, double std) const {
    return bessel_ratio(static_cast<double>(d_), concentration(length, s, std));
  }

  Index d_;
  double radius_;
};

}  // namespace
}  // namespace detail

Sphere::Sphere(Index dimension, double radius)
    : AnyData(std::make_shared<detail::SphereModel>(dimension, radius)) {}

double Sphere::radius() const { return static_cast<const detail::SphereModel&>(model()).radius(); }

}  // namespace fokker
