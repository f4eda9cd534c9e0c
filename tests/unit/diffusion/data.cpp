#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numbers>
#include <string>
#include <thread>
#include <vector>

#include <Eigen/Core>

#include <fokker/diffusion/data/boxes.hpp>
#include <fokker/diffusion/data/finite_set.hpp>
#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/data/product.hpp>
#include <fokker/diffusion/data/sphere.hpp>
#include <fokker/diffusion/schedule/affine_process.hpp>
#include <fokker/diffusion/score/any_score.hpp>
#include <fokker/diffusion/score/exact_score.hpp>

#include "catch.hpp"

using Eigen::MatrixXd;
using Eigen::VectorXd;
using fokker::AnyData;
using fokker::Block;
using fokker::FiniteSet;
using fokker::Gaussian;
using fokker::GaussianMixture;
using fokker::GaussianSpectrum;
using fokker::Index;
using fokker::MixtureComponent;

namespace {

const std::vector<MixtureComponent> two_components = {
    {.weight = 3, .mean = {-1, 0.5}, .covariance = {0.6, 0.3, 0.3, 0.4}},
    {.weight = 1, .mean = {2, -1}, .covariance = {0.2, -0.05, -0.05, 0.1}}};

const std::vector<MixtureComponent> two_isotropic = {
    {.weight = 3, .mean = {-1, 0.5}, .covariance = {0.5}},
    {.weight = 1, .mean = {2, -1}, .covariance = {0.04}}};

Gaussian correlated() {
  return {VectorXd{{0.5, -1.0, 2.0}},
          MatrixXd{{1.0, 0.4, 0.1}, {0.4, 0.5, -0.2}, {0.1, -0.2, 2.0}}};
}

GaussianSpectrum spectrum() { return {VectorXd{{1.0, 0.0, -2.0}}, VectorXd{{4.0, 0.25, 1e-3}}}; }

FiniteSet triangle() { return {std::vector<double>{0, 0, 1, 0, 0.5, 1.5}, 2}; }

std::vector<AnyData> all_data() {
  return {correlated(),
          spectrum(),
          GaussianMixture(two_components),
          GaussianMixture(two_isotropic),
          triangle(),
          fokker::GaussianLowRank(VectorXd{{0.5, -1.0, 2.0}}, VectorXd{{1.0, 0.5, -2.0}}, 0.2),
          GaussianMixture::two_moons(),
          GaussianMixture::swiss_roll(),
          fokker::Boxes::checkerboard(),
          fokker::Boxes({{1, {-1, -1}, {1, 0.5}}, {2, {0, 0}, {2, 3}}, {1, {-2, 1}, {-2, 2}}}),
          fokker::Sphere(3, 1.5),
          fokker::Product({triangle(), fokker::Sphere(1, 0.8)})};
}

/// Noise levels that a process may pass through.
struct Level {
  double s, std;
};
const std::vector<Level> levels = {{1, 0.3}, {0.7, 0.7}, {0.05, 1}, {1, 5}};

/// n columns spread over the plane or space, within about `size` of the origin.
template <class S = double>
Block<S> spread(Index d, Index n, double size) {
  Block<S> x(d, n);
  for (Index r = 0; r < d; ++r)
    for (Index j = 0; j < n; ++j)
      x(r, j) = static_cast<S>(size * std::sin(1.0 + 2.3 * static_cast<double>(j) +
                                               1.7 * static_cast<double>(r * (j + 1))));
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

/// log p_t and its gradient for a mixture in the plane, by the formula in long double.
struct Reference {
  double log_density, score[2], denoised[2];
};

Reference reference(const std::vector<MixtureComponent>& components, double s, double std,
                    double x0, double x1) {
  using Real = long double;
  Real total_weight = 0;
  for (const auto& c : components) total_weight += c.weight;
  std::vector<Real> logs;
  std::vector<std::array<Real, 4>> parts;
  for (const auto& c : components) {
    const bool one = c.covariance.size() == 1;
    const Real c00 = c.covariance[0], c01 = one ? 0 : c.covariance[1],
               c11 = c.covariance[one ? 0 : 3];
    const Real ss = Real(s) * s, noise = Real(std) * std;
    const Real a = ss * c00 + noise, b = ss * c01, d = ss * c11 + noise, det = a * d - b * b;
    const Real y0 = x0 - Real(s) * c.mean[0], y1 = x1 - Real(s) * c.mean[1];
    const Real g0 = (d * y0 - b * y1) / det, g1 = (a * y1 - b * y0) / det;
    logs.push_back(std::log(c.weight / total_weight) - 0.5L * std::log(det) -
                   std::log(2 * std::numbers::pi_v<Real>) - 0.5L * (y0 * g0 + y1 * g1));
    parts.push_back(
        {-g0, -g1, c.mean[0] + s * (c00 * g0 + c01 * g1), c.mean[1] + s * (c01 * g0 + c11 * g1)});
  }
  const Real top = *std::max_element(logs.begin(), logs.end());
  Real sum = 0;
  std::array<Real, 4> mean{};
  for (std::size_t k = 0; k < logs.size(); ++k) {
    const Real w = std::exp(logs[k] - top);
    sum += w;
    for (std::size_t i = 0; i < 4; ++i) mean[i] += w * parts[k][i];
  }
  const auto rounded = [](Real value) { return static_cast<double>(value); };
  return {rounded(top + std::log(sum)),
          {rounded(mean[0] / sum), rounded(mean[1] / sum)},
          {rounded(mean[2] / sum), rounded(mean[3] / sum)}};
}

/// Largest |a - b| over the largest |b|.
double relative_error(const auto& a, const auto& b) {
  return static_cast<double>((a - b).abs().maxCoeff() / b.abs().maxCoeff());
}

template <class S>
Block<double> in_double(const Block<S>& x) {
  return x.template cast<double>();
}

/// A file that is gone with the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text)
      : path_(std::filesystem::temp_directory_path() /
              ("fokker_data_test_" + std::to_string(std::hash<std::string>{}(text)))) {
    std::ofstream(path_) << text;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

FiniteSet digits() {
  return fokker::points_from_csv(
      std::filesystem::path(FOKKER_SOURCE_DIR) / "examples/data/digits.csv",
      {.label_column = 65, .range = std::pair{0.0, 16.0}});
}

}  // namespace

TEST_CASE("the score is the gradient of the log density") {
  for (const AnyData& data : all_data())
    for (const auto& [s, std] : levels) {
      const Block<double> x = spread(data.dimension(), 5, 2.0);
      const double h = 1e-4;

      const Block<double> score = score_of(data, x, s, std);

      for (Index r = 0; r < x.rows(); ++r) {
        // Fourth-order central differences.
        const auto at = [&, s = s, std = std](double offset) {
          Block<double> y = x;
          y.row(r) += offset;
          return data.log_density(y, s, std);
        };
        const Eigen::Array<double, 1, Eigen::Dynamic> difference =
            (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
        INFO(to_string(data.kind()) << " s=" << s << " std=" << std);
        CHECK(relative_error(score.row(r), difference) < 1e-7);
      }
    }
}

TEST_CASE("the denoiser is Tweedie's formula of the score") {
  for (const AnyData& data : all_data())
    for (const auto& [s, std] : levels) {
      const Block<double> x = spread(data.dimension(), 5, 2.0);

      const Block<double> tweedie = (x + std * std * score_of(data, x, s, std)) / s;

      INFO(to_string(data.kind()) << " s=" << s << " std=" << std);
      CHECK(relative_error(denoised(data, x, s, std), tweedie) < 1e-12);
    }
}

TEST_CASE("a Gaussian has its closed form") {
  // C = [[2, 1], [1, 2]], s = 1, std^2 = 1: (C + I)^-1 = [[3, -1], [-1, 3]] / 8.
  const Gaussian data(VectorXd{{1.0, 0.0}}, MatrixXd{{2.0, 1.0}, {1.0, 2.0}});
  Block<double> x(2, 1);
  x << 3, 4;

  const Block<double> score = score_of(data, x, 1, 1);
  const Block<double> clean = denoised(data, x, 1, 1);

  CHECK(score(0, 0) == Approx(-(3 * 2 - 4) / 8.0).epsilon(1e-14));
  CHECK(score(1, 0) == Approx(-(-2 + 3 * 4) / 8.0).epsilon(1e-14));
  CHECK(clean(0, 0) == Approx(1 + 2 * 2 / 8.0 + 1 * 10 / 8.0).epsilon(1e-14));
  CHECK(clean(1, 0) == Approx(1 * 2 / 8.0 + 2 * 10 / 8.0).epsilon(1e-14));
  // -1/2 y^T (C + I)^-1 y - 1/2 ln det - ln 2 pi, y = (2, 4), det = 8
  CHECK(data.log_density(x, 1, 1)(0) == Approx(-0.5 * (2 * 2 / 8.0 + 4 * 10 / 8.0) -
                                               0.5 * std::log(8.0) - std::log(2 * std::numbers::pi))
                                            .epsilon(1e-14));
}

TEST_CASE("a mixture of one component is the Gaussian") {
  const std::vector<double> mean = {0.5, -1.0}, full = {1.0, 0.4, 0.4, 0.5};
  const AnyData dense = Gaussian(mean, full), one = GaussianMixture({{2.0, mean, full}});
  const AnyData diagonal = GaussianSpectrum(mean, std::vector<double>{0.3, 0.3}),
                isotropic = GaussianMixture({{1.0, mean, {0.3}}});

  for (const auto& [gaussian, mixture] : {std::pair{dense, one}, std::pair{diagonal, isotropic}})
    for (const auto& [s, std] : levels) {
      const Block<double> x = spread(2, 70, 4.0);
      CHECK(relative_error(score_of(mixture, x, s, std), score_of(gaussian, x, s, std)) < 1e-13);
      CHECK(relative_error(denoised(mixture, x, s, std), denoised(gaussian, x, s, std)) < 1e-13);
      CHECK(relative_error(mixture.log_density(x, s, std), gaussian.log_density(x, s, std)) <
            1e-13);
      CHECK((mixture.covariance() - gaussian.covariance()).norm() < 1e-14);
    }
}

TEMPLATE_TEST_CASE("mixtures agree with long double from std 1e-8 to 1e3 and |x| up to 1e6", "",
                   double, float) {
  using S = TestType;
  const double eps = std::numeric_limits<S>::epsilon();
  for (const auto& components : {two_components, two_isotropic}) {
    const GaussianMixture data(components);
    for (const double std : {1e-8, 1e-4, 0.3, 1.0, 30.0, 1e3})
      for (const double s : {1.0, 0.3})
        for (const double size : {2.0, 1e3, 1e6}) {
          const Block<S> x = spread<S>(2, 9, size);

          const Block<double> score = in_double(score_of(data, x, s, std));
          const Block<double> clean = in_double(denoised(data, x, s, std));

          for (Index j = 0; j < x.cols(); ++j) {
            // Rounding of x by one unit shifts a logit by eps |x| (|x| + 1) times the precision,
            // and so the weights; where that is large only the dominant component can be right.
            const Reference r = reference(components, s, std, static_cast<double>(x(0, j)),
                                          static_cast<double>(x(1, j)));
            const double reach = static_cast<double>(x.col(j).matrix().norm()) + 2;
            const double logit_error = 20 * eps * reach * reach / (s * s * 0.04 + std * std);
            INFO("std=" << std << " s=" << s << " size=" << size << " path " << j);
            REQUIRE(score.col(j).isFinite().all());
            REQUIRE(clean.col(j).isFinite().all());
            if (logit_error > 0.1) continue;
            const double score_scale = std::hypot(r.score[0], r.score[1]) + reach * eps +
                                       (reach + 1) / (s * s * 0.04 + std * std) * logit_error;
            const double clean_scale = std::hypot(r.denoised[0], r.denoised[1]) + 1;
            for (Index i = 0; i < 2; ++i) {
              CHECK(std::abs(score(i, j) - r.score[i]) < (100 * eps + logit_error) * score_scale);
              CHECK(std::abs(clean(i, j) - r.denoised[i]) <
                    (100 * eps + logit_error) * (clean_scale + reach / s * eps));
            }
          }
        }
  }
}

TEST_CASE("far from every component the score is that of the widest, without overflow") {
  const GaussianMixture data(two_isotropic);
  Block<float> x(2, 2);
  x << 1e6F, -1e6F, 0, 1e6F;

  const Block<float> score = score_of(data, x, 1.0, 1e-8);

  for (Index j = 0; j < 2; ++j) {
    CHECK(score(0, j) == Approx(-(static_cast<double>(x(0, j)) + 1) / 0.5).epsilon(1e-5));
    CHECK(score(1, j) == Approx(-(static_cast<double>(x(1, j)) - 0.5) / 0.5).epsilon(1e-5));
  }
}

TEST_CASE("at s = 0 the denoiser is the mean of the data, at any std") {
  for (const AnyData& data : all_data())
    for (const double std : {0.0, 1e-8, 1.0, 1e3}) {
      const Block<double> x = spread(data.dimension(), 70, std);

      const Block<double> clean = denoised(data, x, 0, std);

      INFO(to_string(data.kind()) << " std=" << std);
      CHECK((clean.colwise() - data.mean().array()).abs().maxCoeff() < 1e-13);
    }
}

TEST_CASE("at std = 0 the denoiser is x / s, or the nearest point") {
  const double s = 0.5;
  const Block<double> x = spread(3, 70, 2.0), y = spread(2, 70, 2.0);
  Block<double> close(2, 4);  // to s (0, 0), s (1, 0) and s (0.5, 1.5); the last halfway to two
  close << 0.1, 0.4, 0.3, 0.25, 0.1, -3, 0.6, 0;

  const Block<double> nearest = denoised(triangle(), close, s, 0);

  CHECK(relative_error(denoised(correlated(), x, s, 0), x / s) < 1e-14);
  CHECK(relative_error(denoised(spectrum(), x, s, 0), x / s) < 1e-14);
  CHECK(relative_error(denoised(GaussianMixture(two_components), y, s, 0), y / s) < 1e-14);
  CHECK(relative_error(denoised(GaussianMixture(two_isotropic), y, s, 0), y / s) < 1e-14);
  Block<double> expected(2, 4);
  expected << 0, 1, 0.5, 0.5, 0, 0, 1.5, 0;
  CHECK((nearest == expected).all());
}

TEST_CASE("a direction without variance keeps its mean, whatever the noise") {
  const Gaussian line(VectorXd{{1.0, 1.0}}, MatrixXd{{1.0, 1.0}, {1.0, 1.0}});
  const Block<double> x = spread(2, 5, 3.0);

  for (const double std : {0.0, 1e-8, 1.0}) {
    const Block<double> clean = denoised(line, x, 1, std);
    CHECK((clean.row(0) - clean.row(1)).abs().maxCoeff() < 1e-14);
  }
  const Block<double> score = score_of(line, x, 1, 1e-8);
  CHECK(relative_error(score.row(0) - score.row(1), -1e16 * (x.row(0) - x.row(1))) < 1e-7);
}

TEST_CASE("a score at std = 0 exists only where the data have a density") {
  const Block<double> x = spread(2, 3, 1.0);
  Block<double> out(2, 3);
  const GaussianMixture smooth(two_components);
  const Gaussian line(VectorXd{{0.0, 0.0}}, MatrixXd{{1.0, 1.0}, {1.0, 1.0}});

  smooth.score(x, 1, 0, out);

  for (Index j = 0; j < 3; ++j)
    CHECK(out(0, j) ==
          Approx(reference(two_components, 1, 0, x(0, j), x(1, j)).score[0]).epsilon(1e-12));
  CHECK_THROWS_WITH(triangle().score(x, 1, 0, out),
                    ContainsSubstring("no density") && ContainsSubstring("std=0"));
  CHECK_THROWS_WITH(line.score(x, 1, 0, out), ContainsSubstring("no density"));
  CHECK_THROWS_WITH(smooth.score(x, 0, 0, out), ContainsSubstring("no density"));
  CHECK_THROWS_WITH(line.log_density(x, 1, 0), ContainsSubstring("no density"));
}

TEST_CASE("float agrees with double") {
  for (const AnyData& data : all_data())
    for (const auto& [s, std] : levels) {
      const Block<float> x = spread<float>(data.dimension(), 70, 2.0);
      const Block<double> wide = in_double(x);

      INFO(to_string(data.kind()) << " s=" << s << " std=" << std);
      CHECK(relative_error(in_double(score_of(data, x, s, std)), score_of(data, wide, s, std)) <
            1e-5);
      CHECK(relative_error(in_double(denoised(data, x, s, std)), denoised(data, wide, s, std)) <
            1e-5);
      CHECK(relative_error(data.log_density(x, s, std), data.log_density(wide, s, std)) < 1e-12);
    }
}

TEST_CASE("single paths, columns and column-major arrays give what the block gives") {
  for (const AnyData& data : all_data()) {
    const Index d = data.dimension();
    const Block<double> x = spread(d, 9, 2.0), score = score_of(data, x, 0.7, 0.5);
    const Block<double> clean = denoised(data, x, 0.7, 0.5);
    const Eigen::ArrayXXd column_major = x;
    Eigen::ArrayXXd column_major_score(d, 9);

    data.score(column_major, 0.7, 0.5, column_major_score);

    CHECK(relative_error(column_major_score, score) < 1e-15);
    for (Index j = 0; j < 9; ++j) {
      const fokker::PathState<double> path = x.col(j);
      fokker::PathState<double> out(d);
      data.score(path, 0.7, 0.5, out);
      CHECK(relative_error(out, score.col(j)) < 1e-13);
      data.denoise(path, 0.7, 0.5, out);
      CHECK(relative_error(out, clean.col(j)) < 1e-13);
    }
  }
}

TEST_CASE("a path has the same bits wherever it stands in a block") {
  for (const AnyData& data : all_data()) {
    const Block<double> x = spread(data.dimension(), 128, 2.0);
    Block<double> reversed = x.rowwise().reverse();

    const Block<double> score = score_of(data, x, 0.7, 0.5);
    const Block<double> score_reversed = score_of(data, reversed, 0.7, 0.5);

    INFO(to_string(data.kind()));
    CHECK((score_reversed.rowwise().reverse() == score).all());
  }
}

TEST_CASE("threads that ask for different data and noise do not disturb each other") {
  const std::vector<AnyData> data = all_data();
  const auto work = [&](double std) {
    Block<double> sum = Block<double>::Zero(3, 64);
    for (int repeat = 0; repeat < 200; ++repeat)
      for (const AnyData& one : data) {
        const Block<double> x = spread(one.dimension(), 64, 2.0);
        sum.topRows(one.dimension()) += score_of(one, x, 0.8, std) + denoised(one, x, 0.8, std);
      }
    return sum;
  };
  const Block<double> alone[] = {work(0.5), work(2.0)};

  Block<double> together[2];
  std::thread first([&] { together[0] = work(0.5); }), second([&] { together[1] = work(2.0); });
  first.join();
  second.join();

  CHECK((together[0] == alone[0]).all());
  CHECK((together[1] == alone[1]).all());
}

TEMPLATE_TEST_CASE("digits with little noise denoise to the nearest image exactly", "", double,
                   float) {
  using S = TestType;
  const FiniteSet data = digits();
  REQUIRE(data.size() == 1797);
  REQUIRE(data.dimension() == 64);
  Block<S> x(64, 70);
  for (Index j = 0; j < 70; ++j)
    for (Index r = 0; r < 64; ++r)
      x(r, j) = static_cast<S>(0.5 * data.point(25 * j)[static_cast<std::size_t>(r)] +
                               0.01 * std::sin(static_cast<double>(r + j)));

  for (const double std : {0.0, 1e-8, 1e-3, 0.02}) {
    const Block<S> clean = [&] {
      Block<S> out(64, 70);
      data.denoise(x, 0.5, std, out);
      return out;
    }();
    INFO("std=" << std);
    for (Index j = 0; j < 70; ++j)
      for (Index r = 0; r < 64; ++r)
        REQUIRE(clean(r, j) == static_cast<S>(data.point(25 * j)[static_cast<std::size_t>(r)]));
  }
  const std::vector<double> column = [&] {
    std::vector<double> c;
    for (Index r = 0; r < 64; ++r) c.push_back(2 * static_cast<double>(x(r, 3)));
    return c;
  }();
  CHECK(data.nearest(column) == 75);
  CHECK(data.labels()[75] >= 0);
  CHECK(data.labels().size() == 1797);
}

TEST_CASE("near std = 0 the score of a finite set pulls to the nearest point") {
  const double s = 0.5, std = 1e-8;
  Block<double> x(2, 1);
  x << 0.5 + 2e-8, -3e-8;  // near s (1, 0)

  const Block<double> score = score_of(triangle(), x, s, std);

  CHECK(score(0, 0) == Approx(-2e8).epsilon(1e-6));
  CHECK(score(1, 0) == Approx(3e8).epsilon(1e-6));
}

TEST_CASE("a finite set tells points apart that are as near as the noise is small") {
  // Points 0 and a: the weight of a is 1 / (1 + exp(-(a x - a^2 / 2) / std^2)), here of 0.4.
  const double a = 2e-7, std = 1e-7;
  const FiniteSet pair(std::vector<double>{0, a}, 1);
  const Block<double> x = Block<double>::Constant(1, 1, 1.2e-7);

  CHECK(denoised(pair, x, 1, std)(0, 0) == Approx(a / (1 + std::exp(-0.4))).epsilon(1e-12));
}

TEST_CASE("AnyData tells its kind, and the Gaussian law in its eigenbasis") {
  const AnyData gaussian = correlated(), mixture = GaussianMixture::ring(8, 4.0, 0.3),
                set = triangle();

  const auto law = gaussian.gaussian();

  REQUIRE(law.has_value());
  CHECK(law->variance().sum() == Approx(3.5).epsilon(1e-14));
  CHECK(law->mean().norm() == Approx(gaussian.mean().norm()).epsilon(1e-14));
  CHECK(law->variance().norm() == Approx(gaussian.covariance().norm()).epsilon(1e-13));
  CHECK(gaussian.kind() == fokker::DataKind::gaussian);
  CHECK(mixture.kind() == fokker::DataKind::gaussian_mixture);
  CHECK(set.kind() == fokker::DataKind::finite_set);
  CHECK_FALSE(mixture.gaussian().has_value());
  CHECK_FALSE(set.gaussian().has_value());
  CHECK_FALSE(gaussian.finite_set().has_value());
  CHECK(set.finite_set()->point(2)[1] == 1.5);
}

TEST_CASE("a ring has its modes on a circle") {
  const GaussianMixture ring = GaussianMixture::ring(8, 4.0, 0.3);

  CHECK(ring.components().size() == 8);
  CHECK(ring.components()[2].mean[1] == Approx(4.0).epsilon(1e-14));
  CHECK(ring.mean().norm() < 1e-14);
  CHECK(ring.covariance()(0, 0) == Approx(8 + 0.09).epsilon(1e-14));
  CHECK(std::abs(ring.covariance()(0, 1)) < 1e-14);
  CHECK((ring.variance().array() - 8.09).abs().maxCoeff() < 1e-13);
}

TEST_CASE("mean and covariance of a mixture and of a set") {
  // Weights 3/4, 1/4; means (-1, 0.5), (2, -1); the spread of the means is 3/16 (3, -1.5)(3,
  // -1.5)^T.
  const GaussianMixture mixture(two_components);
  const AnyData set = triangle();

  CHECK(mixture.mean()(0) == Approx(-0.25));
  CHECK(mixture.covariance()(0, 1) == Approx(0.75 * 0.3 - 0.25 * 0.05 - 4.5 * 3 / 16));
  CHECK(mixture.variance()(1) == Approx(mixture.covariance()(1, 1)).epsilon(1e-14));
  CHECK(set.mean()(1) == Approx(0.5));
  CHECK(set.variance()(0) == Approx(0.5 / 3));
  CHECK(set.covariance()(0, 0) == Approx(0.5 / 3));
  CHECK(std::abs(set.covariance()(0, 1)) < 1e-15);
}

TEST_CASE("a spectrum of 200000 eigenvalues is handled in place") {
  const Index d = 200'000;
  const VectorXd variance = VectorXd::LinSpaced(d, 1e-6, 1.0);
  const GaussianSpectrum data(VectorXd::Zero(d), variance);
  const Block<float> x = Block<float>::Ones(d, 4);

  const Block<float> score = score_of(data, x, 0.5, 0.5);

  CHECK(score(0, 3) == Approx(-1 / (0.25 * 1e-6 + 0.25)).epsilon(1e-6));
  CHECK(score(d - 1, 0) == Approx(-2.0).epsilon(1e-6));
  CHECK(data.dimension() == d);
}

TEST_CASE("exact_score evaluates the data at the scale and std of the process") {
  const fokker::AffineProcess vp{fokker::VariancePreserving{}};
  const GaussianMixture ring = GaussianMixture::ring(8, 4.0, 0.3);
  const Block<double> x = spread(2, 10, 3.0);
  Block<double> out(2, 10), clean(2, 10);

  const auto score = fokker::exact_score(vp, ring);
  score(x, 0.4, out);
  score.denoise(x, 0.0, clean);

  CHECK((out == score_of(ring, x, vp.scale(0.4), vp.std(0.4))).all());
  CHECK(relative_error(clean, x) < 1e-14);
  CHECK(score.dimension() == 2);
}

TEST_CASE("evaluations are counted once each, and copies share the count") {
  const fokker::AffineProcess vp{fokker::VariancePreserving{}};
  const fokker::AnyScore<double> plain{fokker::exact_score(vp, GaussianMixture::ring(8, 4.0, 0.3))};
  const auto score = plain.counted();
  const auto copy = score;
  const Block<double> x = spread(2, 10, 3.0);
  Block<double> out(2, 10);

  score(x, 0.4, out);
  copy(x, 0.4, out);
  copy.denoise(x, 0.4, out);

  CHECK(score.calls() == 3);
  CHECK(copy.columns() == 30);
  CHECK(score.dimension() == 2);
  copy.reset();
  CHECK(score.calls() == 0);
  CHECK_THROWS_AS(plain.calls(), std::logic_error);
}

TEST_CASE("a state of another dimension is refused") {
  const Block<double> x = spread(3, 2, 1.0);
  Block<double> out(3, 2);

  CHECK_THROWS_WITH(triangle().score(x, 1, 1, out),
                    ContainsSubstring("dimension 2") && ContainsSubstring("3 rows"));
}

TEST_CASE("bad Gaussians and sets are refused") {
  using V = std::vector<double>;
  CHECK_THROWS_WITH(Gaussian(V{0, 0}, V{1, 0.5, 0.4, 1}), ContainsSubstring("not symmetric"));
  CHECK_THROWS_WITH(Gaussian(V{0, 0}, V{1, 2, 2, 1}),
                    ContainsSubstring("not positive semidefinite") && ContainsSubstring("-1"));
  CHECK_THROWS_WITH(Gaussian(V{0, 0}, V{1, 2}), ContainsSubstring("got 2 and 2"));
  CHECK_THROWS_WITH(Gaussian(V{0, NAN}, V{1, 0, 0, 1}), ContainsSubstring("entry 2"));
  CHECK_THROWS_WITH(GaussianSpectrum(V{0, 0}, V{1, -1}), ContainsSubstring("entry 2 is -1"));
  CHECK_THROWS_WITH(FiniteSet(V{}, 2), ContainsSubstring("got 0 numbers"));
  CHECK_THROWS_WITH(FiniteSet(V{1, 2, 3}, 2), ContainsSubstring("got 3 numbers and d = 2"));
  CHECK_THROWS_WITH(FiniteSet(V{1, 2, 3, NAN}, 2), ContainsSubstring("point 2"));
  CHECK_THROWS_WITH(FiniteSet(V{1, 2, 3, 4}, 2, V{1}), ContainsSubstring("got 1 for 2"));
  CHECK_THROWS_WITH(GaussianMixture::ring(0, 1, 1), ContainsSubstring("modes >= 1"));
  CHECK_THROWS_WITH(GaussianMixture::ring(8, 1, 0),
                    "the std of a ring must be positive and finite: got std=0");
}

TEST_CASE("the example files are read") {
  const auto folder = std::filesystem::path(FOKKER_SOURCE_DIR) / "examples/data";

  const GaussianMixture mixture = fokker::mixture_from_json(folder / "mixture.json");
  const GaussianSpectrum eigenvalues = fokker::spectrum_from_csv(folder / "spectrum.csv");
  const FiniteSet raw = fokker::points_from_csv(folder / "digits.csv");
  const FiniteSet images = digits();

  CHECK(mixture.components().size() == 3);
  CHECK(mixture.components()[2].weight == Approx(0.2));
  CHECK(eigenvalues.dimension() == 64);
  CHECK(eigenvalues.variance()(1) == 1.0);
  CHECK(raw.dimension() == 65);
  CHECK(raw.labels().empty());
  CHECK(images.dimension() == 64);
  CHECK(images.labels()[1] == 1);
  CHECK(images.point(0)[2] == Approx(2 * 5 / 16.0 - 1));
}

TEST_CASE("a bad mixture file is refused with the file and the component") {
  const auto refused = [](const std::string& text) -> std::string {
    const TemporaryFile file(text);
    try {
      fokker::mixture_from_json(file.path());
    } catch (const std::invalid_argument& error) {
      CHECK_THAT(error.what(), StartsWith(file.path().string()));
      return error.what();
    }
    return "accepted";
  };
  const std::string good = R"({"weight": 1, "mean": [0, 0], "variance": 1})";
  const auto second = [&](const std::string& c) {
    return refused(R"({"components": [)" + good + ", " + c + "]}");
  };

  CHECK_THAT(refused("{"), ContainsSubstring("not valid JSON"));
  CHECK_THAT(refused("[1]"), ContainsSubstring(R"("components")"));
  CHECK_THAT(refused(R"({"components": []})"), ContainsSubstring("at least one component"));
  CHECK_THAT(second("3"), ContainsSubstring("component 2 of 2") && ContainsSubstring("object"));
  CHECK_THAT(second(R"({"weight": -1, "mean": [0, 0], "variance": 1})"),
             ContainsSubstring("component 2 of 2") && ContainsSubstring("got -1"));
  CHECK_THAT(second(R"({"weight": 1, "mean": [0], "variance": 1})"),
             ContainsSubstring("component 2 of 2") && ContainsSubstring("dimension"));
  CHECK_THAT(second(R"({"weight": 1, "mean": [0, 0], "covariance": [[1, 2], [2, 1]]})"),
             ContainsSubstring("component 2 of 2") && ContainsSubstring("not positive definite"));
  CHECK_THAT(second(R"({"weight": 1, "mean": [0, 0], "covariance": [[1, 1], [1, 1]]})"),
             ContainsSubstring("not positive definite"));
  CHECK_THAT(second(R"({"weight": 1, "mean": [0, 0], "covariance": [[1, 0], [0.5, 1]]})"),
             ContainsSubstring("component 2 of 2") && ContainsSubstring("not symmetric"));
  CHECK_THAT(second(R"({"weight": 1, "mean": [0, 0], "covariance": [[1, 0]]})"),
             ContainsSubstring("2 x 2"));
  CHECK_THAT(second(R"({"weight": 1, "mean": [0, 0], "covariance": []})"),
             ContainsSubstring("2 x 2"));
  CHECK_THAT(second(R"({"weight": 1, "mean": [0, 0], "variance": 0})"),
             ContainsSubstring("variance must be positive"));
  CHECK_THAT(second(R"({"weight": 1, "mean": "x", "variance": 1})"), ContainsSubstring("'mean'"));
  CHECK_THAT(second(R"({"weight": 1, "mean": [0, 0]})"), ContainsSubstring("'variance'"));
  CHECK_THAT(second(R"({"wieght": 1, "mean": [0, 0], "variance": 1})"),
             ContainsSubstring("unknown key 'wieght'"));
  CHECK_THAT(refused(R"({"components": [)" + good + R"(], "extra": 1})"),
             ContainsSubstring(R"(a mixture is {"components")"));
  CHECK_THAT(refused(R"({"components": [)" + good + R"(], "components": []})"),
             ContainsSubstring("'components' is given twice"));
  CHECK_THAT(second(R"({"weight": 1, "weight": 2, "mean": [0, 0], "variance": 1})"),
             ContainsSubstring("'weight' is given twice"));
  CHECK_THAT(second(R"({"weight": 1e400, "mean": [0, 0], "variance": 1})"),
             ContainsSubstring("beyond the range of double"));
  CHECK_THROWS_WITH(fokker::mixture_from_json("no/such/file.json"),
                    ContainsSubstring("no/such/file.json: cannot be read"));
}

TEST_CASE("a bad CSV file is refused with file, line and column") {
  const auto points = [](const std::string& text, const fokker::PointsFormat& format = {}) {
    const TemporaryFile file(text);
    try {
      fokker::points_from_csv(file.path(), format);
    } catch (const std::exception& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  const auto eigenvalues = [](const std::string& text) {
    const TemporaryFile file(text);
    try {
      fokker::spectrum_from_csv(file.path());
    } catch (const std::exception& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };

  CHECK(points("1,2\r\n+3, -4e-1\n\n") == "accepted");
  CHECK_THAT(points("1,2\n3,abc\n"), ContainsSubstring(":2:2: 'abc'"));
  CHECK_THAT(points("1,2\n3,\n"), ContainsSubstring(":2:2: an empty cell"));
  CHECK_THAT(points("1,nan\n"), ContainsSubstring(":1:2: 'nan'"));
  CHECK_THAT(points("1,2\n3,4\n5,inf\n"), ContainsSubstring(":3:2: 'inf'"));
  CHECK_THAT(points("1,2\n3\n"), ContainsSubstring(":2:2: 1 cells in this row, 2 in the first"));
  CHECK_THAT(points(""), ContainsSubstring("no row of numbers"));
  CHECK_THAT(points("1,2\n", {.label_column = 3}), ContainsSubstring("column 3"));
  CHECK_THAT(points("1\n2\n", {.label_column = 1}), ContainsSubstring("column 1"));
  CHECK_THAT(points("1,2\n", {.range = std::pair{1.0, 1.0}}), ContainsSubstring("1:1"));
  CHECK_THAT(eigenvalues("1\n-2\n"), ContainsSubstring("eigenvalue 2") && ContainsSubstring("-2"));
  CHECK_THAT(eigenvalues("1,2\n"), ContainsSubstring("2 columns"));
  CHECK_THROWS_WITH(fokker::points_from_csv("no/such/file.csv"),
                    ContainsSubstring("cannot be read"));
  CHECK_THROWS_WITH(fokker::points_from_csv(std::filesystem::temp_directory_path()),
                    ContainsSubstring("cannot be read"));
}
