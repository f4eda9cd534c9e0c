#include <atomic>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include <Eigen/Core>

#include <fokker/analysis/distance/distances.hpp>

#include "catch.hpp"

using fokker::Block;
using fokker::Distance;
using fokker::Index;
using fokker::make_metric;
using fokker::Sample;
using fokker::wasserstein_1d;

namespace {

using Row = Block<double, 1>;
using Points = Block<double>;

double distance(std::string_view metric, const auto& x, const auto& y) {
  return (*make_metric(metric, y))(x).value;
}

/// sum over pairs of |x_i - y_j| / (n m), written as the definition.
double mean_distance(const Points& x, const Points& y) {
  double sum = 0.0;
  for (Index i = 0; i < x.cols(); ++i) {
    for (Index j = 0; j < y.cols(); ++j) sum += (x.col(i) - y.col(j)).matrix().norm();
  }
  return sum / static_cast<double>(x.cols() * y.cols());
}

double energy(const Points& x, const Points& y) {
  return std::sqrt(2.0 * mean_distance(x, y) - mean_distance(x, x) - mean_distance(y, y));
}

/// A fixed cloud without structure.
Points cloud(Index d, Index n, double phase) {
  Points x(d, n);
  for (Index r = 0; r < d; ++r) {
    for (Index j = 0; j < n; ++j) {
      x(r, j) =
          std::sin(phase + 12.9898 * static_cast<double>(r) + 78.233 * static_cast<double>(j));
    }
  }
  return x;
}

}  // namespace

TEST_CASE("W1 and W2 of two small samples are those computed by hand") {
  const std::vector<double> x{3.0, 0.0, 1.0}, y{5.0, 1.0, 1.0};

  CHECK(wasserstein_1d(x, y, 1) == Approx((1.0 + 0.0 + 2.0) / 3.0));
  CHECK(wasserstein_1d(x, y, 2) == Approx(std::sqrt((1.0 + 0.0 + 4.0) / 3.0)));
}

TEST_CASE("Wasserstein distances accept samples of different sizes") {
  // Quantiles: 0 on (0, 1/2), 1 on (1/2, 1) against 0, 3, 6 on thirds.
  const std::vector<double> x{1.0, 0.0}, y{6.0, 3.0, 0.0};
  const double w1 = 0.0 / 3.0 + 3.0 / 6.0 + 2.0 / 6.0 + 5.0 / 3.0;
  const double w2 = std::sqrt(0.0 / 3.0 + 9.0 / 6.0 + 4.0 / 6.0 + 25.0 / 3.0);

  CHECK(wasserstein_1d(x, y, 1) == Approx(w1));
  CHECK(wasserstein_1d(x, y, 2) == Approx(w2));
  CHECK(wasserstein_1d(y, x, 2) == Approx(w2));
}

TEST_CASE("Repeating every point changes no distance") {
  const Row x{{0.3, -1.0, 2.0}}, y{{0.0, 0.1, 5.0}};
  Row twice(6), thrice(9);
  twice << x, x;
  thrice << y, y, y;

  for (const auto& metric : fokker::list_metrics().names()) {
    INFO(metric);
    CHECK(distance(metric, twice, thrice) == Approx(distance(metric, x, y)).epsilon(1e-13));
  }
}

TEST_CASE("A shift moves a law by its length") {
  const Row x = cloud(1, 101, 0.0);
  const Row y = x + 0.75;

  CHECK(distance("w1", x, y) == Approx(0.75));
  CHECK(distance("w2", x, y) == Approx(0.75));
  CHECK(distance("sliced-w2", x, y) == Approx(0.75));
}

TEST_CASE("Sliced W2 of a shift in d dimensions is its length over sqrt(d)") {
  // mean over directions of (v . shift)^2 = |shift|^2 / d; exact for equal angles, Monte Carlo over
  // 128 directions otherwise: relative sd of the square sqrt(2 (d - 1) / (d + 2)) / sqrt(128).
  for (const Index d : {2, 5, 64}) {
    const Points x = cloud(d, 200, 0.3);
    Points y = x;
    y.row(d - 1) += 3.0;
    const double expected = 3.0 / std::sqrt(static_cast<double>(d));

    INFO("d = " << d);
    CHECK(distance("sliced-w2", x, y) == Approx(expected).epsilon(d == 2 ? 1e-12 : 0.2));
  }
}

TEST_CASE("The energy distance is its definition") {
  for (const Index d : {1, 2, 7}) {
    const Points x = cloud(d, 300, 0.3), y = cloud(d, 530, 2.0) * 1.5;

    INFO("d = " << d);
    CHECK(distance("energy", x, y) == Approx(energy(x, y)).epsilon(1e-10));
    CHECK(distance("energy", y, x) == Approx(energy(x, y)).epsilon(1e-10));
  }
}

TEST_CASE("The energy distance compares the first columns of a large sample") {
  const Points x = cloud(2, fokker::energy_paths + 500, 0.3), y = cloud(2, 50, 1.0);
  const Points first = x.leftCols(fokker::energy_paths);

  CHECK(distance("energy", x, y) == distance("energy", first, y));
}

TEST_CASE("The distance of a sample to itself is zero without error") {
  const Row x = cloud(1, 64, 0.0);
  const Points p = cloud(3, 64, 0.0);

  for (const auto& metric : fokker::list_metrics().names()) {
    const Distance d = (*make_metric(metric, x))(x);
    INFO(metric);
    CHECK(d.value < 1e-7);
    CHECK(d.standard_error < 1e-7);
  }
  CHECK(distance("sliced-w2", p, p) == 0.0);
  CHECK(distance("energy", p, p) < 1e-7);
}

TEST_CASE("Standard errors are the jackknife over the paths") {
  // Leaving out one path: D_(-i); the jackknife variance (n - 1) / n sum (D_(-i) - mean)^2.
  const auto jackknife = [](std::string_view metric, const Points& x, const Points& y) {
    const auto left_out = [&](const Points& z, auto measure) {
      const Index n = z.cols();
      Eigen::ArrayXd d(n);
      for (Index i = 0; i < n; ++i) {
        Points rest(z.rows(), n - 1);
        rest << z.leftCols(i), z.rightCols(n - 1 - i);
        d(i) = measure(rest);
      }
      return (d - d.mean()).square().sum() * static_cast<double>(n - 1) / static_cast<double>(n);
    };
    return std::sqrt(left_out(x, [&](const Points& rest) { return distance(metric, rest, y); }) +
                     left_out(y, [&](const Points& rest) { return distance(metric, x, rest); }));
  };

  for (const Index d : {1, 2}) {
    const Points x = cloud(d, 150, 0.3), y = cloud(d, 200, 2.0) * 1.3 + 0.4;
    for (const auto& metric : fokker::list_metrics().names()) {
      if (d > 1 && metric[0] == 'w') continue;
      const double error = (*make_metric(metric, y))(x).standard_error;
      INFO(metric << " in " << d << " dimensions");
      CHECK(error == Approx(jackknife(metric, x, y)).epsilon(0.05));
    }
  }
}

TEST_CASE("A view sees blocks of columns of a larger array") {
  const Points x = cloud(2, 100, 0.3), y = cloud(2, 60, 1.0);
  const Points middle = x.middleCols(20, 50);

  const auto metric = make_metric("sliced-w2", y);

  CHECK((*metric)(x.middleCols(20, 50)).value == (*metric)(middle).value);
}

TEST_CASE("A measurement that is cancelled has no figures") {
  const Points x = cloud(2, 20, 0.3);
  std::atomic<bool> cancel{false};
  for (const auto name : {"sliced-w2", "energy"}) {
    cancel = false;
    const auto metric = make_metric(name, x, &cancel);
    CHECK((*metric)(x).value < 1e-6);
    cancel = true;
    CHECK(std::isnan((*metric)(x).value));
    CHECK(std::isnan((*make_metric(name, x, &cancel))(x).value));
  }
}

TEST_CASE("A sample that is not finite is infinitely far away") {
  Points x = cloud(2, 20, 0.3);
  const Points y = x;
  x(1, 7) = std::numeric_limits<double>::quiet_NaN();

  for (const auto metric : {"sliced-w2", "energy"}) {
    const Distance d = (*make_metric(metric, y))(x);
    CHECK(std::isinf(d.value));
    CHECK(std::isnan(d.standard_error));
  }
  CHECK_THROWS_WITH(make_metric("energy", x), ContainsSubstring("finite"));
}

TEST_CASE("Metrics refuse what they cannot compare") {
  const Points plane = cloud(2, 20, 0.3), space = cloud(3, 20, 0.3), one = cloud(2, 1, 0.0);

  CHECK_THROWS_WITH(make_metric("w2", plane), ContainsSubstring("use sliced-w2"));
  CHECK_THROWS_WITH(make_metric("w1", plane), ContainsSubstring("got 2"));
  CHECK_THROWS_WITH(make_metric("w3", plane),
                    ContainsSubstring("known: sliced-w2, energy, w1, w2"));
  CHECK_THROWS_AS((*make_metric("energy", plane))(space), std::invalid_argument);
  CHECK_THROWS_AS(make_metric("energy", one), std::invalid_argument);
  CHECK_THROWS_WITH(wasserstein_1d(std::vector{1.0}, std::vector{2.0}, 3),
                    ContainsSubstring("p must be 1 or 2"));
  CHECK_THROWS_AS(wasserstein_1d(std::vector<double>{}, std::vector{2.0}, 1),
                  std::invalid_argument);
}

TEST_CASE("The root mean square carries the standard error of the delta method") {
  const std::vector<double> squares{1.0, 4.0, 9.0, 2.0};
  // mean 4; variance of the mean: (9 + 0 + 25 + 4) / (4 * 3)
  const double expected = std::sqrt(38.0 / 12.0) / (2.0 * 2.0);

  const Distance rms = fokker::root_mean_square(squares);

  CHECK(rms.value == Approx(2.0));
  CHECK(rms.standard_error == Approx(expected));
}

TEST_CASE("The floor is the mean and spread over pairs of exact samples") {
  // Pair k: points at 0 and at k + 1, so that the distances are 1, 2, 3.
  const auto draw = [](int k) {
    Sample zero(1, 2), shifted(1, 2);
    shifted.values = {k + 1.0, k + 1.0};
    return std::pair{zero, shifted};
  };

  const fokker::Floor floor = fokker::floor_of("w1", draw, 3);

  CHECK(floor.mean == Approx(2.0));
  CHECK(floor.sd == Approx(1.0));
  CHECK(floor.repetitions == 3);
  CHECK_THROWS_AS(fokker::floor_of("w1", draw, 1), std::invalid_argument);
}
