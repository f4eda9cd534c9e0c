#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <vector>

#include <Eigen/Core>

#include <fokker/diffusion/data/boxes.hpp>
#include <fokker/diffusion/data/finite_set.hpp>
#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/data/product.hpp>
#include <fokker/diffusion/data/sphere.hpp>

#include "catch.hpp"

using Eigen::VectorXd;
using fokker::AnyData;
using fokker::Block;
using fokker::FiniteSet;
using fokker::GaussianMixture;
using fokker::Index;
using fokker::PathRandom;

namespace {

/// Samples of s x0 + std eps.
template <class S = double>
Block<S> noised(const AnyData& data, double s, double std, Index n, std::uint64_t seed) {
  PathRandom random(seed, 0, n), noise(seed + 1000, 0, n);
  Block<S> x(data.dimension(), n), eps(data.dimension(), n);
  data.sample(random, x);
  noise.normal(eps);
  return static_cast<S>(s) * x + static_cast<S>(std) * eps;
}

/// Kolmogorov-Smirnov statistic sqrt(n) sup |F_n - F| of values against a density in one dimension,
/// integrated on a fine grid. Above 1.95 with probability 1e-3 (Smirnov 1948).
double kolmogorov_smirnov(std::vector<double> values, const AnyData& law, double s, double std) {
  const double middle = s * law.mean()(0);
  const double reach = 12 * std::sqrt(s * s * law.variance()(0) + std * std);
  const Index points = 200'001;
  Block<double> grid(1, points);
  grid.row(0) = Eigen::ArrayXd::LinSpaced(points, middle - reach, middle + reach).transpose();
  const Eigen::ArrayXd density = law.log_density(grid, s, std).exp().transpose();
  const double step = grid(0, 1) - grid(0, 0);
  std::vector<double> cdf(static_cast<std::size_t>(points), 0.0);
  for (Index i = 1; i < points; ++i)
    cdf[static_cast<std::size_t>(i)] =
        cdf[static_cast<std::size_t>(i - 1)] + 0.5 * step * (density(i) + density(i - 1));
  REQUIRE(cdf.back() == Approx(1.0).epsilon(1e-8));

  std::sort(values.begin(), values.end());
  const double n = static_cast<double>(values.size());
  double largest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double at =
        std::clamp((values[i] - grid(0, 0)) / step, 0.0, static_cast<double>(points - 2));
    const auto cell = static_cast<std::size_t>(at);
    const double part = at - static_cast<double>(cell);
    const double f = cdf[cell] + part * (cdf[cell + 1] - cdf[cell]);
    largest = std::max({largest, std::abs(f - static_cast<double>(i) / n),
                        std::abs(f - static_cast<double>(i + 1) / n)});
  }
  return largest * std::sqrt(n);
}

std::vector<double> projected(const auto& x, const VectorXd& direction) {
  const VectorXd p = (direction.transpose() * x.matrix().template cast<double>()).transpose();
  return {p.data(), p.data() + p.size()};
}

GaussianMixture plane_mixture() {
  return GaussianMixture({{0.5, {-2, 0}, {0.6, 0.5, 0.5, 0.6}},
                          {0.3, {2, 1}, {0.3, -0.1, -0.1, 0.2}},
                          {0.2, {1, -2}, {0.05}}});
}

/// The law of direction . x0 for x0 of a mixture in the plane.
GaussianMixture projection(const GaussianMixture& mixture, const VectorXd& u) {
  std::vector<fokker::MixtureComponent> components;
  for (const auto& c : mixture.components()) {
    const double variance = c.covariance.size() == 1
                                ? c.covariance[0] * u.squaredNorm()
                                : c.covariance[0] * u(0) * u(0) + c.covariance[3] * u(1) * u(1) +
                                      2 * c.covariance[1] * u(0) * u(1);
    components.push_back({c.weight, {u(0) * c.mean[0] + u(1) * c.mean[1]}, {variance}});
  }
  return GaussianMixture(std::move(components));
}

}  // namespace

TEMPLATE_TEST_CASE("projections of a noised mixture have the law of the log density", "", double,
                   float) {
  const GaussianMixture isotropic = GaussianMixture::ring(8, 4.0, 0.3), full = plane_mixture();
  const Index n = 40'000;

  for (const auto& [s, std] : {std::pair{1.0, 0.0}, std::pair{0.8, 0.6}, std::pair{1.0, 3.0}})
    for (const double angle : {0.0, 0.4, 1.3}) {
      // A unit direction, so that the noise keeps its std.
      const VectorXd u{{std::cos(angle), std::sin(angle)}};
      for (const GaussianMixture& mixture : {isotropic, full}) {
        const auto x = noised<TestType>(mixture, s, std, n, 7);
        INFO("s=" << s << " std=" << std << " angle=" << angle);
        CHECK(kolmogorov_smirnov(projected(x, u), projection(mixture, u), s, std) < 1.95);
      }
    }
}

TEST_CASE("a noised finite set and a noised Gaussian have the law of the log density") {
  const FiniteSet set(std::vector<double>{-1, 0.5, 0.7, 3}, 1);
  const fokker::Gaussian gaussian(VectorXd{{1.0, -1.0}}, Eigen::MatrixXd{{2.0, 0.9}, {0.9, 0.5}});
  const VectorXd u{{0.6, 0.8}};
  const double variance = u.dot(gaussian.covariance() * u);
  const AnyData line =
      fokker::GaussianSpectrum(VectorXd{{u.dot(gaussian.mean())}}, VectorXd{{variance}});

  const auto points = noised(set, 0.8, 0.2, 40'000, 11);
  const auto normal = noised(gaussian, 0.8, 0.2, 40'000, 12);

  CHECK(kolmogorov_smirnov(projected(points, VectorXd::Ones(1)), set, 0.8, 0.2) < 1.95);
  CHECK(kolmogorov_smirnov(projected(normal, u), line, 0.8, 0.2) < 1.95);
}

TEST_CASE("noised boxes have the law of the log density, and a sphere that of Archimedes") {
  const fokker::Boxes line({{1, {-2}, {-1}}, {2, {0}, {0.5}}, {1, {0.3}, {2}}});
  // A coordinate of the sphere in three dimensions is uniform, and so is one of the checkerboard.
  const fokker::Boxes interval({{1, {-1.5}, {1.5}}}), board({{1, {-2}, {2}}});
  const VectorXd one = VectorXd::Ones(1), third{{0, 0, 1}}, first{{1, 0}};

  for (const auto& [s, std] : {std::pair{1.0, 0.05}, std::pair{0.8, 0.4}, std::pair{0.3, 1.0}}) {
    const auto boxes = noised(line, s, std, 40'000, 13);
    const auto sphere = noised<float>(fokker::Sphere(3, 1.5), s, std, 40'000, 14);
    const auto squares = noised(fokker::Boxes::checkerboard(), s, std, 40'000, 15);

    INFO("s=" << s << " std=" << std);
    CHECK(kolmogorov_smirnov(projected(boxes, one), line, s, std) < 1.95);
    CHECK(kolmogorov_smirnov(projected(sphere, third), interval, s, std) < 1.95);
    CHECK(kolmogorov_smirnov(projected(squares, first), board, s, std) < 1.95);
  }
}

TEST_CASE("samples of a sphere lie on it, those of a checkerboard on its dark squares") {
  const Block<double> sphere = noised(fokker::Sphere(7, 2.5), 1, 0, 1000, 16);
  const Block<double> board = noised(fokker::Boxes::checkerboard(), 1, 0, 1000, 17);

  CHECK((sphere.square().colwise().sum().sqrt() - 2.5).abs().maxCoeff() < 1e-14);
  for (Index j = 0; j < board.cols(); ++j) {
    CHECK(board.col(j).abs().maxCoeff() <= 2);
    const double sum = (board.col(j) + 2).floor().sum();
    CHECK(std::fmod(sum, 2.0) == 0);
  }
}

TEST_CASE("samples have the mean and the covariance of the data") {
  const fokker::Gaussian gaussian(
      VectorXd{{1.0, -1.0, 0.0}},
      Eigen::MatrixXd{{2.0, 0.9, 0.3}, {0.9, 0.5, 0.1}, {0.3, 0.1, 0.4}});
  const fokker::Gaussian singular(VectorXd{{1.0, 2.0}}, Eigen::MatrixXd{{1.0, 2.0}, {2.0, 4.0}});
  const FiniteSet set(std::vector<double>{0, 0, 1, 0, 0.5, 1.5, 2, 2}, 2);
  const Index n = 100'000;

  const fokker::GaussianLowRank low_rank(
      VectorXd{{1.0, -1.0, 0.0}}, Eigen::MatrixXd{{1.0, 0.2}, {0.5, -0.4}, {-0.3, 0.6}}, 0.1);
  const fokker::Boxes boxes({{1, {-1, -1}, {1, 0.5}}, {2, {0, 0}, {2, 3}}});
  const std::vector<AnyData> all = {gaussian,
                                    singular,
                                    plane_mixture(),
                                    set,
                                    low_rank,
                                    boxes,
                                    fokker::Sphere(3, 1.5),
                                    GaussianMixture::two_moons(),
                                    GaussianMixture::swiss_roll(),
                                    fokker::Product({boxes, gaussian, fokker::Sphere(1)})};
  for (const AnyData& data : all) {
    const Block<double> x = noised(data, 1, 0, n, 21);
    const VectorXd mean = x.rowwise().mean().matrix();
    const Eigen::MatrixXd centred = x.matrix().colwise() - mean;
    const Eigen::MatrixXd covariance = centred * centred.transpose() / static_cast<double>(n);

    // Five standard errors; the fourth moments of these laws are at most three times a square.
    const double scale = std::sqrt(data.variance().maxCoeff());
    const double root_n = std::sqrt(static_cast<double>(n));
    INFO(to_string(data.kind()));
    CHECK((mean - data.mean()).cwiseAbs().maxCoeff() < 5 * scale / root_n);
    CHECK((covariance - data.covariance()).cwiseAbs().maxCoeff() <
          5 * std::sqrt(2.0) * scale * scale / root_n);
  }
}

TEST_CASE("the denoiser is the self-normalised average over samples of the data") {
  const FiniteSet set(std::vector<double>{0, 0, 1, 0, 0.5, 1.5}, 2);
  const fokker::Gaussian gaussian(VectorXd{{1.0, -1.0}}, Eigen::MatrixXd{{2.0, 0.9}, {0.9, 0.5}});
  const double s = 0.8, std = 0.7;
  const Index n = 200'000;
  Block<double> at(2, 3), clean(2, 3);
  at << 0.3, 1.5, -0.5, 0.1, 0.8, -0.6;

  const fokker::Boxes boxes({{1, {-1, -1}, {1, 0.5}}, {2, {0, 0}, {2, 3}}});
  const fokker::Boxes line({{1, {-1}, {0.5}}});
  const std::vector<AnyData> all = {set,
                                    gaussian,
                                    plane_mixture(),
                                    boxes,
                                    fokker::Boxes::checkerboard(),
                                    fokker::Sphere(2, 1.5),
                                    GaussianMixture::two_moons(),
                                    fokker::Product({line, fokker::Sphere(1)})};
  for (const AnyData& data : all) {
    const Block<double> x0 = noised(data, 1, 0, n, 31);
    data.denoise(at, s, std, clean);
    for (Index j = 0; j < at.cols(); ++j) {
      const Eigen::ArrayXd weight =
          (-0.5 / (std * std) * ((s * x0).colwise() - at.col(j)).square().colwise().sum())
              .exp()
              .transpose();
      const double total = weight.sum();
      for (Index r = 0; r < 2; ++r) {
        const Eigen::ArrayXd values = x0.row(r).transpose();
        const double mean = (weight * values).sum() / total;
        const double error = std::sqrt((weight * (values - mean)).square().sum()) / total;
        INFO(to_string(data.kind()) << " column " << j << " row " << r);
        CHECK(std::abs(mean - clean(r, j)) < 4.5 * error);
        CHECK(error < 0.02);
      }
    }
  }
}

TEST_CASE("Stein's identity: E[x score^T] = -I over noised samples, in 64 dimensions too") {
  const FiniteSet digits =
      fokker::points_from_csv(std::filesystem::path(FOKKER_SOURCE_DIR) / "examples/data/digits.csv",
                              {.label_column = 65, .range = std::pair{0.0, 16.0}});
  const std::vector<std::pair<AnyData, Index>> cases = {
      {plane_mixture(), 100'000},
      {GaussianMixture::ring(8, 4.0, 0.3), 100'000},
      {digits, 4'000},
      {fokker::Boxes::checkerboard(), 50'000},
      {fokker::Sphere(64, 8), 4'000}};
  for (const auto& [data, n] : cases)
    for (const double std : {0.3, 1.0}) {
      const Block<double> x = noised(data, 0.9, std, n, 41);
      Block<double> score(x.rows(), n);

      data.score(x, 0.9, std, score);

      const double root_n = std::sqrt(static_cast<double>(n));
      double worst = 0;
      for (Index r = 0; r < x.rows(); ++r)
        for (Index c = 0; c < std::min<Index>(x.rows(), 8); ++c) {
          const Eigen::ArrayXd product = (x.row(c) * score.row(r)).transpose();
          const double spread = std::sqrt((product - product.mean()).square().mean()) / root_n;
          worst = std::max(worst, std::abs(product.mean() + (r == c ? 1 : 0)) / spread);
        }
      INFO(to_string(data.kind()) << " std=" << std);
      CHECK(worst < 4.5);  // the largest of at most 512
    }
}
