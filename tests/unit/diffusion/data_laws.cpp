#include "no_allocation.hpp"
// The above before anything that includes Eigen.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include <Eigen/LU>

#include <fokker/diffusion/data/boxes.hpp>
#include <fokker/diffusion/data/finite_set.hpp>
#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/data/product.hpp>
#include <fokker/diffusion/data/sphere.hpp>
#include <fokker/diffusion/schedule/affine_process.hpp>
#include <fokker/diffusion/score/exact_score.hpp>

#include "catch.hpp"

using Eigen::MatrixXd;
using Eigen::VectorXd;
using fokker::AnyData;
using fokker::Block;
using fokker::Box;
using fokker::Boxes;
using fokker::FiniteSet;
using fokker::GaussianMixture;
using fokker::Index;
using fokker::Product;
using fokker::Sphere;

namespace {

using Real = long double;

const std::vector<Box> three_boxes = {
    {1, {-1, -1}, {1, 0.5}}, {2, {0, 0}, {2, 3}}, {0.5, {-2, 1}, {-1.9, 1.2}}};

fokker::GaussianLowRank low_rank() {
  return {VectorXd{{0.5, -1.0, 2.0}}, MatrixXd{{1.0, 0.2}, {0.5, -0.4}, {-2.0, 0.6}}, 0.2};
}

FiniteSet triangle() { return {std::vector<double>{0, 0, 1, 0, 0.5, 1.5}, 2}; }

/// One of every kind.
std::vector<AnyData> all_laws() {
  return {fokker::Gaussian(VectorXd{{0.5, -1.0}}, MatrixXd{{1.0, 0.4}, {0.4, 0.5}}),
          fokker::GaussianSpectrum(VectorXd{{1.0, 0.0}}, VectorXd{{4.0, 0.25}}),
          low_rank(),
          GaussianMixture({{3, {-1, 0.5}, {0.6, 0.3, 0.3, 0.4}}, {1, {2, -1}, {0.2}}}),
          GaussianMixture::two_moons(0.1, 8),
          triangle(),
          Boxes::checkerboard(),
          Boxes(three_boxes),
          Sphere(4, 1.5),
          Product({triangle(), Sphere(1, 0.8), Boxes({{1, {-1}, {2}}})})};
}

Block<double> spread(Index d, Index n, double size) {
  Block<double> x(d, n);
  for (Index r = 0; r < d; ++r)
    for (Index j = 0; j < n; ++j)
      x(r, j) = size * std::sin(1.0 + 2.3 * static_cast<double>(j) +
                                1.7 * static_cast<double>(r * (j + 1)));
  return x;
}

template <class S>
Block<S> score_of(const AnyData& data, const Block<S>& x, double s, double std) {
  Block<S> out(x.rows(), x.cols());
  data.score(x, s, std, out);
  return out;
}

template <class S>
Block<S> denoised(const AnyData& data, const Block<S>& x, double s, double std) {
  Block<S> out(x.rows(), x.cols());
  data.denoise(x, s, std, out);
  return out;
}

/// log of the integral of exp(-(x - s y)^2 / (2 std^2)) dy over [a, b] less log(b - a), and the
/// mean and variance of y under that density: by Boole's rule where it counts.
struct Cut {
  Real log_mass, noise, mean, variance;
};

Cut cut(Real x, Real s, Real std, Real a, Real b) {
  if (a == b) return {-(x - s * a) * (x - s * a) / (2 * std * std), (x - s * a) / std, a, 0};
  const Real peak = std::clamp(x / s, a, b);
  const auto exponent = [&](Real y) {
    // Of exp(.) relative to the peak, without the difference of two squares.
    return -(s * (peak - y)) * (2 * x - s * (y + peak)) / (2 * std * std);
  };
  // Where the exponent has fallen by 80, to either side of the peak.
  const auto edge = [&](Real end) {
    Real low = 0, high = 1;
    if (exponent(end) > -80) return end;
    for (int i = 0; i < 200; ++i) {
      const Real middle = std::sqrt(std::max(low, Real(1e-40L)) * high);
      (exponent(peak + middle * (end - peak)) > -80 ? low : high) = middle;
    }
    return peak + high * (end - peak);
  };
  const Real from = edge(a), to = edge(b);
  const int panels = 4000;
  Real mass = 0, mean = 0, square = 0;  // moments of y - peak
  for (int i = 0; i <= panels; ++i) {
    const Real y = from - peak + (to - from) * i / panels;
    const Real share = i % 2 == 1 ? 32 : i % 4 == 2 ? 12 : i == 0 || i == panels ? 7 : 14;
    const Real weight =
        share * std::exp(exponent(peak + y)) * 2 * (to - from) / (45 * Real(panels));
    mass += weight;
    mean += weight * y;
    square += weight * y * y;
  }
  mean /= mass;
  const Real top = (x - s * peak) / std;
  return {std::log(mass / (b - a)) - top * top / 2, top - s * mean / std, peak + mean,
          square / mass - mean * mean};
}

struct BoxReference {
  Real log_density;
  std::array<Real, 2> score, mean;
};

BoxReference reference(const std::vector<Box>& boxes, double s, double std, Real x0, Real x1) {
  const std::array<Real, 2> x = {x0, x1};
  Real total = 0;
  for (const Box& box : boxes) total += box.weight;
  std::vector<Real> logs;
  std::vector<std::array<Cut, 2>> cuts;
  for (const Box& box : boxes) {
    Real log = std::log(box.weight / total);
    auto& of = cuts.emplace_back();
    for (std::size_t r = 0; r < 2; ++r) {
      of[r] = cut(x[r], s, std, box.low[r], box.high[r]);
      log += of[r].log_mass - std::log(2 * std::numbers::pi_v<Real>) / 2 - std::log(Real(std));
    }
    logs.push_back(log);
  }
  const Real top = *std::max_element(logs.begin(), logs.end());
  BoxReference out{0, {0, 0}, {0, 0}};
  Real sum = 0;
  for (std::size_t k = 0; k < logs.size(); ++k) {
    const Real w = std::exp(logs[k] - top);
    sum += w;
    for (std::size_t r = 0; r < 2; ++r) {
      out.score[r] -= w * cuts[k][r].noise / std;
      out.mean[r] += w * cuts[k][r].mean;
    }
  }
  for (std::size_t r = 0; r < 2; ++r) {
    out.score[r] /= sum;
    out.mean[r] /= sum;
  }
  out.log_density = top + std::log(sum);
  return out;
}

/// The power series of Gamma(v+1) (2/k)^v I_v(k), all terms positive.
Real bessel_series(Real v, Real k) {
  Real term = 1, sum = 1;
  for (int j = 1; j < 20000 && (term > 1e-22L * sum || j < k); ++j)
    sum += term *= k * k / 4 / (Real(j) * (v + j));
  return sum;
}

double close_to(Real wanted, double given) {
  return static_cast<double>(std::abs(given - wanted) / std::abs(wanted));
}

}  // namespace

TEMPLATE_TEST_CASE("boxes agree with quadrature from std 1e-5 to 1e3 and |x| up to 1e6", "", double,
                   float) {
  using S = TestType;
  const Boxes data(three_boxes);
  const double eps = std::numeric_limits<S>::epsilon();
  for (const double std : {1e-5, 1e-2, 0.3, 1.0, 30.0, 1e3})
    for (const double s : {1.0, 0.01})
      for (const double size : {2.0, 1e2, 1e6}) {
        const Block<S> x = spread(2, 7, size).cast<S>();

        const Block<S> score = score_of(data, x, s, std), clean = denoised(data, x, s, std);
        const Eigen::ArrayXd log_density = data.log_density(x, s, std).transpose();

        for (Index j = 0; j < x.cols(); ++j) {
          INFO("std=" << std << " s=" << s << " size=" << size << " path " << j);
          REQUIRE(score.col(j).isFinite().all());
          REQUIRE(clean.col(j).isFinite().all());
          // Rounding of s a and of x - s a, against the noise, moves the ends of the noise.
          const double reach = static_cast<double>(x.col(j).abs().maxCoeff()) + 3 * s;
          const double moved = 2e-16 * reach / std * (1 + reach / std);
          if (moved > 0.1) continue;
          const BoxReference r = reference(three_boxes, s, std, x(0, j), x(1, j));
          CHECK(std::abs(log_density(j) - r.log_density) <
                5 * moved + 1e-12 * (1 + std::abs(r.log_density)));
          for (Index i = 0; i < 2; ++i) {
            const auto at = static_cast<std::size_t>(i);
            CHECK(std::abs(score(i, j) - r.score[at]) <
                  eps * std::abs(r.score[at]) + (5e-13 + 20 * moved) * reach / (std * std));
            CHECK(std::abs(clean(i, j) - r.mean[at]) < 4 * eps * 3 + 20 * moved + 1e-12);
          }
        }
      }
}

TEST_CASE("in the tail of a box the score keeps its relative precision") {
  // x above [-1, 1] by g: the noise is cut to [g, g + 2] / std, its mean 1 / l - 2 / l^3 + 10 / l^5
  // beyond l = g / std.
  const Boxes data({{1, {-1}, {1}}});
  for (const double std : {1e-8, 1e-4, 1e-2})
    for (const double l : {1e3, 1e5, 1e7}) {
      const Block<double> x = Block<double>::Constant(1, 1, 1 + l * std);
      const Real low = (Real(x(0, 0)) - 1) / Real(std);
      const Real inside = (1 / low - 2 / (low * low * low)) * std;  // 1 - E[x0 | x]
      INFO("std=" << std << " l=" << l);
      CHECK(close_to(-(low + 1 / low) / std, score_of(data, x, 1, std)(0, 0)) < 1e-10);
      const double gap = 1 - denoised(data, x, 1, std)(0, 0);
      CHECK(std::abs(gap - static_cast<double>(inside)) < 1.2e-16 + 1e-10 * gap);
      const double variance = data.posterior_covariance(x.matrix(), 1, std)(0, 0);
      if (l < 1e6)
        CHECK(close_to((1 - 6 / (low * low)) * std * std / (low * low), variance) < 1e-9);
    }
}

TEST_CASE("the posterior covariance is std^2 / s times the Jacobian of the denoiser") {
  for (const AnyData& data : all_laws())
    for (const auto& [s, std] : {std::pair{1.0, 0.3}, std::pair{0.7, 0.7}, std::pair{0.05, 1.0}}) {
      const Index d = data.dimension();
      const Block<double> x = spread(d, 5, 1.5), v = spread(d, 5, 1.0).reverse();
      Block<double> product(d, 5);

      data.posterior_covariance_times(x, s, std, v, product);

      const double h = 2e-4 * std / s;
      const auto at = [&, s = s, std = std](double offset) {
        const Block<double> y = x + offset * v;
        return denoised(data, y, s, std);
      };
      const Block<double> difference = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
      const double scale = std::max(product.abs().maxCoeff(), 1e-3);
      INFO(to_string(data.kind()) << " s=" << s << " std=" << std);
      CHECK((product - std * std / s * difference).abs().maxCoeff() < 1e-8 * scale);

      const MatrixXd full = data.posterior_covariance(x.col(2).matrix(), s, std);
      CHECK((full * v.col(2).matrix() - product.col(2).matrix()).norm() < 1e-13);
      CHECK((full - full.transpose()).norm() == 0);
      const Block<float> narrow_x = x.cast<float>(), narrow_v = v.cast<float>();
      Block<float> narrow(d, 5);
      data.posterior_covariance_times(narrow_x, s, std, narrow_v, narrow);
      CHECK((narrow.cast<double>() - product).abs().maxCoeff() < 1e-4 * scale);
    }
}

TEST_CASE("the posterior covariance without scale is that of the data, without noise nothing") {
  for (const AnyData& data : all_laws()) {
    INFO(to_string(data.kind()));
    for (const double std : {0.0, 1e-3, 1.0, 1e3}) {
      const VectorXd noise = spread(data.dimension(), 1, std).matrix();
      CHECK((data.posterior_covariance(noise, 0, std) - data.covariance()).norm() < 1e-13);
    }
    const VectorXd x = spread(data.dimension(), 1, 1.3).matrix();
    CHECK(data.posterior_covariance(x, 1, 0).norm() == 0);
    CHECK(data.posterior_covariance(x, 1, 1e-9).norm() < 1e-15);
  }
}

TEST_CASE("in one dimension the posterior variance is that of quadrature") {
  const Boxes data({{1, {-1}, {0.5}}});
  for (const double at : {-3.0, -1.0, 0.1, 0.7, 9.0})
    for (const double std : {0.01, 0.5, 3.0, 300.0}) {
      INFO("x=" << at << " std=" << std);
      CHECK(close_to(cut(at, 0.8L, std, -1, 0.5L).variance,
                     data.posterior_covariance(VectorXd{{at}}, 0.8, std)(0, 0)) < 1e-10);
    }
}

TEST_CASE("densities integrate to 1") {
  const Index n = 400;
  Block<double> grid(2, n * n);
  const double reach = 6, step = 2 * reach / static_cast<double>(n);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < n; ++j) {
      grid(0, i * n + j) = -reach + (static_cast<double>(i) + 0.5) * step;
      grid(1, i * n + j) = -reach + (static_cast<double>(j) + 0.5) * step;
    }
  const Boxes line({{1, {-1}, {0.5}}, {3, {1}, {1}}});
  for (const AnyData& data : std::vector<AnyData>{
           Boxes::checkerboard(), Boxes(three_boxes), Sphere(2, 1.5), GaussianMixture::two_moons(),
           GaussianMixture::swiss_roll(), Product({line, Sphere(1, 0.8)})}) {
    INFO(to_string(data.kind()));
    CHECK((data.log_density(grid, 0.9, 0.3).exp().sum() * step * step) == Approx(1).epsilon(1e-9));
  }
}

TEST_CASE("on a sphere the ratio of Bessel functions is right for every concentration") {
  // d = 1: tanh k; d = 3: coth k - 1 / k; others by the power series.
  for (const Index d : {1, 2, 3, 5, 30, 400, 3000})
    for (const double k : {1e-8, 0.01, 0.5, 1.0, 5.0, 20.0, 100.0, 700.0, 3000.0}) {
      const Sphere data(d);
      Block<double> x = Block<double>::Zero(d, 1);
      x(d - 1, 0) = k;  // s = std = 1
      const Real v = Real(d) / 2 - 1;
      const Real low = bessel_series(v, k);
      const Real wanted = bessel_series(v + 1, k) / low * k / (2 * (v + 1));
      INFO("d=" << d << " k=" << k);
      CHECK(close_to(wanted, denoised(data, x, 1, 1)(d - 1, 0)) < 1e-14);
      if (d == 1) CHECK(close_to(std::tanh(Real(k)), denoised(data, x, 1, 1)(0, 0)) < 1e-14);
      if (d == 3 && k > 0.1)
        CHECK(close_to(1 / std::tanh(Real(k)) - 1 / Real(k), denoised(data, x, 1, 1)(2, 0)) <
              1e-13);
      const Real log_p =
          std::log(low) - (Real(k) * k + 1) / 2 - d * std::log(2 * std::numbers::pi_v<Real>) / 2;
      CHECK(std::abs(data.log_density(x, 1, 1)(0) - log_p) < 1e-12 * (10 + std::abs(log_p)));
    }
}

TEST_CASE("near a sphere the score is that of its distance and its curvature") {
  // kappa = R |x| / std^2 large: (R - |x|) / std^2 - (d - 1) / (2 |x|) + O(std^2).
  for (const Index d : {2, 3, 1000})
    for (const double std : {1e-8, 1e-5, 1e-4})
      for (const double gap : {-2.0, 0.0, 0.7}) {
        const Sphere data(d, 2);
        Block<double> x = Block<double>::Zero(d, 1);
        x(0, 0) = 2 + gap * std;
        const Real length = x(0, 0), k = 2 * length / (Real(std) * std);
        const Real wanted = (2 - length) / (Real(std) * std) - (d - 1) / (2 * length) +
                            Real(d - 1) * (d - 3) / (8 * k * k) * 2 / (Real(std) * std);
        INFO("d=" << d << " std=" << std << " gap=" << gap);
        const double tolerance = 1e-15 / (std * std) + 1e-5;
        CHECK(std::abs(score_of(data, x, 1, std)(0, 0) - wanted) < tolerance);
      }
}

TEST_CASE("a Gaussian of low rank is the dense Gaussian") {
  const auto low = low_rank();
  const fokker::Gaussian dense(low.mean(), low.covariance());
  const Block<double> x = spread(3, 9, 3.0), v = spread(3, 9, 1.0).reverse();
  Block<double> a(3, 9), b(3, 9);
  const MatrixXd f{{1.0, 0.2}, {0.5, -0.4}, {-2.0, 0.6}};

  CHECK((low.covariance() - f * f.transpose() - 0.2 * MatrixXd::Identity(3, 3)).norm() < 1e-14);
  CHECK((low.variance() - low.covariance().diagonal()).norm() < 1e-14);
  for (const auto& [s, std] : {std::pair{1.0, 0.0}, std::pair{0.7, 0.7}, std::pair{0.05, 1.0}}) {
    const auto score = score_of(dense, x, s, std);
    CHECK((score_of(low, x, s, std) - score).abs().maxCoeff() < 1e-13 * score.abs().maxCoeff());
    CHECK((denoised(low, x, s, std) - denoised(dense, x, s, std)).abs().maxCoeff() < 1e-12);
    CHECK((low.log_density(x, s, std) - dense.log_density(x, s, std)).abs().maxCoeff() < 1e-12);
    low.posterior_covariance_times(x, s, std, v, a);
    dense.posterior_covariance_times(x, s, std, v, b);
    CHECK((a - b).abs().maxCoeff() < 1e-14);
  }
  // Its law in an eigenbasis: the same eigenvalues, and the mean as far off in each eigenspace.
  const auto law = low.gaussian(), dense_law = dense.gaussian();
  VectorXd values = law->variance(), dense_values = dense_law->variance();
  std::sort(values.begin(), values.end());
  std::sort(dense_values.begin(), dense_values.end());
  CHECK((values - dense_values).norm() < 1e-14);
  CHECK(law->mean().norm() == Approx(low.mean().norm()).epsilon(1e-14));
  const double far = (law->mean().array().square() / law->variance().array()).sum();
  CHECK(far == Approx(low.mean().dot(low.covariance().inverse() * low.mean())).epsilon(1e-12));
}

TEST_CASE("a product has its factors side by side, and knows when it is Gaussian") {
  const Boxes boxes(three_boxes);
  const Sphere sphere(3, 1.5);
  const Product inner({boxes, sphere}), data({inner, triangle()});
  const Block<double> x = spread(7, 9, 2.0);
  const Block<double> top = x.topRows(2), middle = x.middleRows(2, 3), bottom = x.bottomRows(2);

  CHECK(data.factors().size() == 3);
  CHECK((score_of(data, x, 0.8, 0.4).middleRows(2, 3) == score_of(sphere, middle, 0.8, 0.4)).all());
  CHECK((denoised(data, x, 0.8, 0.4).topRows(2) == denoised(boxes, top, 0.8, 0.4)).all());
  CHECK((data.log_density(x, 0.8, 0.4) -
         (boxes.log_density(top, 0.8, 0.4) + sphere.log_density(middle, 0.8, 0.4) +
          triangle().log_density(bottom, 0.8, 0.4)))
            .abs()
            .maxCoeff() < 1e-13);
  CHECK(data.covariance().topRightCorner(2, 5).norm() == 0);
  CHECK_FALSE(data.gaussian().has_value());
  const auto law =
      Product({low_rank(), fokker::GaussianSpectrum(VectorXd{{1.0}}, VectorXd{{2.0}})}).gaussian();
  REQUIRE(law.has_value());
  CHECK(law->variance()(3) == 2);
  CHECK_FALSE(data.has_density());
  CHECK(Product({low_rank(), GaussianMixture::two_moons()}).has_density());
}

TEMPLATE_TEST_CASE("the score of a finite set is exact from std 1e-5 to 1e3", "", double, float) {
  using S = TestType;
  // Points that floats hold, so that both sets are the same; some as near as the noise is small.
  std::vector<float> points;
  const Index d = 12, n = 700;
  for (Index i = 0; i < n * d; ++i)
    points.push_back(static_cast<float>(std::sin(0.7 + 1.3 * static_cast<double>(i * (i % 7)))));
  for (Index r = 0; r < d; ++r)
    points[static_cast<std::size_t>(r + d)] = points[static_cast<std::size_t>(r)] + 1e-5F;
  const FiniteSet of_floats(std::span<const float>(points), d);
  const FiniteSet of_doubles(std::vector<double>(points.begin(), points.end()), d);
  for (const double s : {1.0, 0.5})
    for (const double std : {1e-5, 1e-4, 1e-2, 0.1, 0.3, 1.0, 30.0, 1e3}) {
      Block<S> x(d, 9);
      for (Index j = 0; j < 9; ++j)
        for (Index r = 0; r < d; ++r)
          x(r, j) = static_cast<S>(s * points[static_cast<std::size_t>(r + j * d)] +
                                   std * std::cos(static_cast<double>(3 * j + r)));
      const Block<S> scores[] = {score_of(of_floats, x, s, std), score_of(of_doubles, x, s, std)};
      for (Index j = 0; j < 9; ++j) {
        std::vector<Real> square;
        for (Index i = 0; i < n; ++i) {
          Real sum = 0;
          for (Index r = 0; r < d; ++r)
            sum +=
                std::pow(Real(x(r, j)) - Real(s) * points[static_cast<std::size_t>(i * d + r)], 2);
          square.push_back(sum);
        }
        const Real least = *std::min_element(square.begin(), square.end());
        std::vector<Real> score(static_cast<std::size_t>(d), 0);
        Real total = 0, largest = 0;
        for (Index i = 0; i < n; ++i) {
          const Real w =
              std::exp((least - square[static_cast<std::size_t>(i)]) / (2 * Real(std) * std));
          total += w;
          for (Index r = 0; r < d; ++r)
            score[static_cast<std::size_t>(r)] +=
                w * (Real(s) * points[static_cast<std::size_t>(i * d + r)] - Real(x(r, j)));
        }
        for (Real& value : score) {
          value /= total * Real(std) * std;
          largest = std::max(largest, std::abs(value));
        }
        INFO("s=" << s << " std=" << std << " path " << j);
        const double tolerance = std::is_same_v<S, float> ? 2e-5 : 2e-9;
        for (const Block<S>& given : scores)
          for (Index r = 0; r < d; ++r)
            CHECK(std::abs(given(r, j) - score[static_cast<std::size_t>(r)]) < tolerance * largest);
      }
    }
}

TEST_CASE("a set of floats is the same set of doubles") {
  std::vector<float> points;
  for (int i = 0; i < 1000 * 3; ++i) points.push_back(std::sin(static_cast<float>(i * i % 1009)));
  const std::vector<double> wide(points.begin(), points.end());
  const FiniteSet a(std::span<const float>(points), 3), b(wide, 3);
  const Block<double> x = spread(3, 70, 1.0);

  for (const double std : {0.0, 1e-3, 0.2, 2.0, 1e3})
    CHECK((denoised(a, x, 0.9, std) - denoised(b, x, 0.9, std)).abs().maxCoeff() < 1e-12);
  CHECK(std::equal(wide.begin(), wide.end(), a.points().begin(), a.points().end()));
  CHECK((a.covariance() - b.covariance()).norm() < 1e-14);
  CHECK((a.mean() - b.mean()).norm() == 0);
  CHECK(a.nearest(std::vector<double>{0.1, 0.2, 0.3}) ==
        b.nearest(std::vector<double>{0.1, 0.2, 0.3}));
}

TEST_CASE("float Gaussians and mixtures are exact where the noise is small against the data") {
  // Means that floats do not hold, and states far out along the direction of large variance.
  const fokker::Gaussian dense(VectorXd{{3.1, -2.3, 1.7}},
                               MatrixXd{{1.0, 1.0, 0.0}, {1.0, 1.0, 0.0}, {0.0, 0.0, 2.0}});
  const fokker::GaussianSpectrum flat(VectorXd{{3.1, -2.3}}, VectorXd{{0.0, 1e-8}});
  const GaussianMixture tight({{1, {3.1, -2.3}, {1e-8}}, {1, {-3.1, 2.3}, {1e-6}}});
  const std::vector<std::pair<AnyData, VectorXd>> cases = {{dense, VectorXd{{3.9, -1.5, 1.1}}},
                                                           {flat, VectorXd{{3.1, -2.3}}},
                                                           {tight, VectorXd{{3.1, -2.3}}}};
  for (const auto& [data, middle] : cases)
    for (const double std : {1e-5, 1e-3, 0.1, 1.0, 1e3}) {
      const Block<double> noise = std * spread(data.dimension(), 5, 1.0);
      const Block<float> x = (noise.colwise() + middle.array()).cast<float>();
      const Block<double> wide = x.cast<double>();
      const Block<double> wanted = score_of(data, wide, 1, std);
      const Block<double> given = score_of(data, x, 1, std).cast<double>();
      INFO(to_string(data.kind()) << " std=" << std);
      CHECK((given - wanted).abs().maxCoeff() < 1e-5 * wanted.abs().maxCoeff());
    }
}

TEST_CASE("at std = 0 the denoiser goes to the nearest box and to the sphere") {
  Block<double> x(2, 4);
  x << 0.5, 5.0, -3.0, 0.0, 0.1, 1.0, 1.1, -7.0;
  Block<double> boxes(2, 4), sphere(2, 4);
  boxes << 0.5, 2.0, -2.0, 0.0, 0.1, 1.0, 1.1, -1.0;
  for (Index j = 0; j < 4; ++j) sphere.col(j) = 1.5 * x.col(j) / x.col(j).matrix().norm();
  const Block<double> half = 0.5 * x;

  CHECK((denoised(Boxes(three_boxes), half, 0.5, 0) - boxes).abs().maxCoeff() < 1e-15);
  CHECK((denoised(Sphere(2, 1.5), half, 0.5, 0) - sphere).abs().maxCoeff() < 1e-15);
  CHECK((denoised(Boxes(three_boxes), x, 1, 1e-9) - boxes).abs().maxCoeff() < 1e-8);
  CHECK((denoised(Sphere(2, 1.5), x, 1, 1e-9) - sphere).abs().maxCoeff() < 1e-8);
}

TEST_CASE("curves of modes lie where they should") {
  const auto moons = GaussianMixture::two_moons(0.05, 100);
  const auto roll = GaussianMixture::swiss_roll(0.05, 100);

  CHECK(moons.components().size() == 200);
  for (const auto& c : moons.components().first(100)) {
    CHECK(std::hypot(c.mean[0], c.mean[1]) == Approx(1));
    CHECK(c.mean[1] > 0);
  }
  for (const auto& c : moons.components().last(100)) {
    CHECK(std::hypot(c.mean[0] - 1, c.mean[1] - 0.5) == Approx(1));
    CHECK(c.mean[1] < 0.5);
  }
  for (const auto& c : roll.components()) {
    const double u = 4 * std::hypot(c.mean[0], c.mean[1]);
    CHECK(std::abs(c.mean[0] - u * std::cos(u) / 4) < 1e-12);
    CHECK((u > 1.5 * std::numbers::pi && u < 4.5 * std::numbers::pi));
  }
}

TEST_CASE("exact_score hands the posterior covariance on") {
  const fokker::AffineProcess vp{fokker::VariancePreserving{}};
  const auto score = fokker::exact_score(vp, Sphere(3));
  const Block<double> x = spread(3, 4, 1.0), v = spread(3, 4, 2.0);
  Block<double> a(3, 4), b(3, 4);

  score.posterior_covariance_times(x, 0.4, v, a);
  Sphere(3).posterior_covariance_times(x, vp.scale(0.4), vp.std(0.4), v, b);

  CHECK((a == b).all());
}

TEST_CASE("scores, denoisers and covariances allocate nothing once they have run") {
  for (const AnyData& data : all_laws()) {
    const Index d = data.dimension();
    const Block<double> x = spread(d, 8, 1.0), v = x;
    const Block<float> narrow = x.cast<float>();
    Block<double> out(d, 8);
    Block<float> narrow_out(d, 8);
    const auto work = [&] {
      data.score(x, 0.7, 0.3, out);
      data.denoise(x, 0.7, 1e-4, out);
      data.posterior_covariance_times(x, 0.7, 0.3, v, out);
      data.score(narrow, 0.7, 1e-3, narrow_out);
    };
    INFO(to_string(data.kind()));
    work();
    const NoAllocation guard;
    CHECK_NOTHROW(work());
  }
}

TEST_CASE("bad boxes, spheres, products and factors are refused") {
  using V = std::vector<double>;
  CHECK_THROWS_WITH(Boxes({}), ContainsSubstring("at least one box"));
  CHECK_THROWS_WITH(Boxes({{1, {0}, {1}}, {1, {2}, {1}}}),
                    ContainsSubstring("box 2 of 2") && ContainsSubstring("from 2 to 1"));
  CHECK_THROWS_WITH(Boxes({{1, {0}, {1}}, {0, {0}, {1}}}),
                    ContainsSubstring("box 2 of 2") && ContainsSubstring("got 0"));
  CHECK_THROWS_WITH(Boxes({{1, {0}, {1}}, {1, {0, 0}, {1, 1}}}), ContainsSubstring("dimension"));
  CHECK_THROWS_WITH(Boxes({{1, {0}, {NAN}}}), ContainsSubstring("box 1 of 1"));
  CHECK_THROWS_WITH(Boxes::checkerboard(0), ContainsSubstring("cells >= 1"));
  CHECK_THROWS_WITH(Boxes::checkerboard(4, -1),
                    ContainsSubstring("half width of a checkerboard must be positive"));
  CHECK_THROWS_WITH(Sphere(0), ContainsSubstring("dimension >= 1"));
  CHECK_THROWS_WITH(Sphere(3, 0), ContainsSubstring("radius > 0"));
  CHECK_THROWS_WITH(Product({}), ContainsSubstring("at least one factor"));
  CHECK_THROWS_WITH(GaussianMixture::two_moons(0),
                    ContainsSubstring("std of two moons must be positive"));
  CHECK_THROWS_WITH(GaussianMixture::swiss_roll(0.1, 0), ContainsSubstring("modes >= 1"));
  CHECK_THROWS_WITH(fokker::GaussianLowRank(V{0, 0}, V{1, 2, 3}, 0.1),
                    ContainsSubstring("got 2 and 3"));
  CHECK_THROWS_WITH(fokker::GaussianLowRank(V{0, 0}, V{1, 2}, -1), ContainsSubstring("got -1"));
  const Block<double> x = spread(2, 3, 1.0);
  Block<double> out(2, 3);
  CHECK_THROWS_WITH(Boxes::checkerboard().score(x, 1, 0, out), ContainsSubstring("no density"));
  CHECK_THROWS_WITH(Sphere(2).log_density(x, 1, 0), ContainsSubstring("no density"));
  CHECK_THROWS_WITH(Sphere(2).posterior_covariance_times(x, 1, 1, spread(2, 4, 1.0), out),
                    ContainsSubstring("3 paths and 4 directions"));
}
