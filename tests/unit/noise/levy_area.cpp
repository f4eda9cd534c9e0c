/// @file  unit/noise/levy_area.cpp
/// @brief Levy areas: the sum that they are, their streams, and Chen's relation.

#include <cmath>
#include <numbers>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <Eigen/Dense>

#include "catch.hpp"

#include <fokker/solvers/noise/brownian.hpp>

using namespace fokker;

namespace {

/// Nothing but a noise kind: increments need no more of a process.
struct General {
  static constexpr NoiseKind noise = NoiseKind::general;
};

using Noise = Increment<General, Block<double>>;

constexpr Needs areas{.area = true};

Noise increment(Index m, Index n) {
  Noise dw;
  dw.resize(m, n, areas);
  return dw;
}

/// The normals of the areas of one path, one after the other.
class Normals {
 public:
  Normals(std::uint64_t seed, std::uint64_t path) : lane_(seed, path, 1, Purpose::levy_area) {}
  std::pair<double, double> pair() {
    double a = 0, b = 0;
    lane_.normal_pair(&a, &b, 1.0, 1.0);
    return {a, b};
  }

 private:
  StreamLanes lane_;
};

/// A_kl of one path by the formula of LevyAreas with p terms, on plain numbers.
/// @param normal  gives the normals, one after the other
template <class Normal>
std::vector<double> areas_by_hand(const std::vector<double>& w, double h, Index p, LevyTail tail,
                                  Normal&& normal) {
  const std::size_t m = w.size();
  std::vector<double> s(m, 0), sum(m * (m - 1) / 2, 0);
  double rest = std::numbers::pi * std::numbers::pi / 6;
  for (Index r = 1; r <= p; ++r) {
    const double rd = static_cast<double>(r);
    rest -= 1 / (rd * rd);
    std::vector<double> x(m), y(m);
    for (std::size_t k = 0; k < m; ++k) {
      x[k] = normal();
      y[k] = normal();
    }
    for (std::size_t k = 0; k < m; ++k) s[k] += x[k] / rd;
    for (std::size_t l = 1, row = 0; l < m; ++l)
      for (std::size_t k = 0; k < l; ++k, ++row) sum[row] += (x[k] * y[l] - x[l] * y[k]) / rd;
  }
  if (tail == LevyTail::mrongowius_roessler)
    for (double& s_k : s) s_k += std::sqrt(rest) * normal();
  Eigen::MatrixXd g = Eigen::MatrixXd::Zero(static_cast<Index>(m), static_cast<Index>(m));
  for (Index l = 1; l < g.rows(); ++l)
    for (Index k = 0; k < l; ++k) {
      g(k, l) = normal();
      g(l, k) = -g(k, l);
    }
  if (tail == LevyTail::wiktorsson) {
    const Eigen::VectorXd v = Eigen::Map<const Eigen::VectorXd>(w.data(), g.rows()) / std::sqrt(h);
    const Eigen::VectorXd q = g * v;
    g += (q * v.transpose() - v * q.transpose()) / (1 + std::sqrt(1 + v.squaredNorm()));
  }
  for (std::size_t l = 1, row = 0; l < m; ++l)
    for (std::size_t k = 0; k < l; ++k, ++row) {
      sum[row] += std::sqrt(2 * rest) * g(static_cast<Index>(k), static_cast<Index>(l));
      sum[row] -= std::sqrt(2 / h) * (s[k] * w[l] - s[l] * w[k]);
      sum[row] *= h / (2 * std::numbers::pi);
    }
  return sum;
}

/// The same with the normals of a path.
std::vector<double> areas_by_hand(const std::vector<double>& w, double h, Normals& normals,
                                  LevyTail tail = LevyTail::mrongowius_roessler) {
  std::optional<double> spare;
  const auto normal = [&] {
    if (spare) return *std::exchange(spare, std::nullopt);
    const auto [first, second] = normals.pair();
    spare = second;
    return first;
  };
  return areas_by_hand(w, h, levy_area_terms(static_cast<Index>(w.size()), h, tail), tail, normal);
}

/// E A_kl A_ij given w, exactly: the areas are sums of products of different normals, so that signs
/// give their second moments.
Eigen::MatrixXd second_moments(const std::vector<double>& w, double h, Index p, LevyTail tail) {
  const Index m = static_cast<Index>(w.size()), pairs = m * (m - 1) / 2;
  const Index count = 2 * m * p + pairs + (tail == LevyTail::mrongowius_roessler ? m : 0);
  Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(pairs, pairs);
  for (Index outcome = 0; outcome < (Index{1} << count); ++outcome) {
    Index bit = 0;
    const std::vector<double> a =
        areas_by_hand(w, h, p, tail, [&] { return (outcome >> bit++) % 2 == 0 ? 1.0 : -1.0; });
    const Eigen::Map<const Eigen::VectorXd> area(a.data(), pairs);
    sum += area * area.transpose();
  }
  return sum / static_cast<double>(Index{1} << count);
}

/// The same of the true areas: with v = w / sqrt(h), E A_kl A_kl = h^2/12 (1 + v_k^2 + v_l^2) and
/// E A_kl A_kj = h^2/12 v_l v_j; A_lk = -A_kl.
Eigen::MatrixXd true_second_moments(const std::vector<double>& w, double h) {
  const Index m = static_cast<Index>(w.size()), pairs = m * (m - 1) / 2;
  // The bridge part of A is (z_k w_l - z_l w_k) + a part that w knows nothing of, z_k ~ N(0, h/12).
  Eigen::MatrixXd of_z = Eigen::MatrixXd::Zero(pairs, m);
  for (Index l = 1; l < m; ++l)
    for (Index k = 0; k < l; ++k) {
      of_z(area_row(k, l), k) = w[static_cast<std::size_t>(l)];
      of_z(area_row(k, l), l) = -w[static_cast<std::size_t>(k)];
    }
  return h / 12 * of_z * of_z.transpose() + h * h / 12 * Eigen::MatrixXd::Identity(pairs, pairs);
}

}  // namespace

TEST_CASE("an area is its Fourier sum and tail, from the path's own stream") {
  const TimeGrid grid{0.0, 0.5, 0.501, 0.5011};
  for (const Index m : {2, 3, 4}) {
    BrownianIncrements<double> source(7, 10, 3, m, areas);
    Noise dw = increment(m, 3);
    std::vector<Normals> normals{{7, 10}, {7, 11}, {7, 12}};
    for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
      source.increment(grid[i], grid[i + 1], dw);

      for (Index j = 0; j < 3; ++j) {
        const double h = grid[i + 1] - grid[i];
        const std::vector<double> w(dw.w.col(j).begin(), dw.w.col(j).end());
        const auto want = areas_by_hand(w, h, normals[static_cast<std::size_t>(j)]);
        for (std::size_t row = 0; row < want.size(); ++row)
          CHECK_THAT(dw.area(static_cast<Index>(row), j), WithinAbs(want[row], 1e-14 * h));
      }
    }
  }
}

TEST_CASE("an area with Wiktorsson's tail is its sum with the root of the covariance") {
  for (const Index m : {2, 3, 4}) {
    LevyAreas<double> source(7, 10, 3, m, LevyTail::wiktorsson);
    std::vector<Normals> normals{{7, 10}, {7, 11}, {7, 12}};
    Block<double> w(m, 3), area(m * (m - 1) / 2, 3);
    for (const double h : {0.5, 0.001, 0.0001}) {
      for (Index j = 0; j < 3; ++j)
        for (Index k = 0; k < m; ++k)
          w(k, j) = std::sqrt(h) * std::sin(static_cast<double>(1 + 3 * k + j));
      source.fill(w, h, area);

      for (Index j = 0; j < 3; ++j) {
        const std::vector<double> column(w.col(j).begin(), w.col(j).end());
        const auto want =
            areas_by_hand(column, h, normals[static_cast<std::size_t>(j)], LevyTail::wiktorsson);
        for (std::size_t row = 0; row < want.size(); ++row)
          CHECK_THAT(area(static_cast<Index>(row), j), WithinAbs(want[row], 1e-14 * h));
      }
    }
  }
}

TEST_CASE("the second moments of areas given the increments are exact for any number of terms") {
  const std::vector<std::vector<double>> increments{{0.4, -0.7}, {0.4, -0.7, 0.3}, {0, 0, 0}};
  const double h = 0.2;
  for (const auto& w : increments)
    for (const LevyTail tail : {LevyTail::mrongowius_roessler, LevyTail::wiktorsson})
      for (const Index p : {0, 1, w.size() == 2 ? 2 : 1}) {
        const Eigen::MatrixXd difference =
            second_moments(w, h, p, tail) - true_second_moments(w, h);
        CHECK(difference.cwiseAbs().maxCoeff() < 1e-15);
      }
}

TEST_CASE("a path has the same areas alone and in a block") {
  BrownianIncrements<double> block(42, 0, 100, 3, areas);
  Noise dw = increment(3, 100), one = increment(3, 1);
  std::vector<Noise> steps;
  for (const double h : {1.0, 0.01, 0.0001}) {
    block.increment(0, h, dw);
    steps.push_back(dw);
  }
  for (const Index j : {0, 37, 64, 99}) {
    BrownianIncrements<double> alone(42, static_cast<std::uint64_t>(j), 1, 3, areas);
    for (std::size_t i = 0; i < 3; ++i) {
      alone.increment(0, i == 0 ? 1.0 : (i == 1 ? 0.01 : 0.0001), one);

      CHECK((one.area.col(0) == steps[i].area.col(j)).all());
    }
  }
}

TEST_CASE("asking for areas leaves W as it is") {
  BrownianIncrements<double> with(3, 5, 8, 3, areas), without(3, 5, 8, 3);
  Noise dw = increment(3, 8), plain = increment(3, 8);
  for (int i = 0; i < 3; ++i) {
    with.increment(i, i + 1, dw);
    without.increment(i, i + 1, plain);

    CHECK((dw.w == plain.w).all());
    CHECK((dw.area != 0).all());
  }
}

TEST_CASE("the number of terms keeps the error of an area at h^(3/2)") {
  for (const LevyTail tail : {LevyTail::mrongowius_roessler, LevyTail::wiktorsson})
    for (const Index m : {2, 3, 10})
      for (const double h : {4.0, 1.0, 0.1, 1e-3, 1e-6}) {
        const double factor = tail == LevyTail::wiktorsson ? 5.0 : 1.0;
        const auto error = [&](Index p) {
          return std::sqrt(factor * static_cast<double>(m) / 12) * h /
                 (std::numbers::pi * static_cast<double>(p));
        };
        const Index terms = levy_area_terms(m, h, tail);

        CHECK(error(terms) <= std::pow(h, 1.5));
        if (terms > 1) CHECK(error(terms - 1) > std::pow(h, 1.5));
      }
}

TEST_CASE("one Wiener process has no area") {
  BrownianIncrements<double> source(1, 0, 4, 1, areas);
  Noise dw = increment(1, 4);

  source.increment(0, 1, dw);

  CHECK(dw.area.size() == 0);
}

TEST_CASE("areas are refused together with the space-time areas, on which they depend") {
  CHECK_THROWS_AS(BrownianIncrements<double>(1, 0, 4, 2, {.h = true, .area = true}),
                  std::invalid_argument);
  CHECK_THROWS_WITH(BrownianIncrements<double>(1, 0, 4, 2, {.k = true, .area = true}),
                    ContainsSubstring("given W alone"));
}

TEST_CASE("coarse areas are put together from the fine ones so that int W_k dW_l adds up") {
  // I_kl = (w_k w_l) / 2 + A_kl for k != l is a sum over the pieces of I_kl + W_k dw_l.
  const Index factor = 8, m = 3;
  BrownianIncrements<double> fine(5, 0, 4, m, areas);
  CoarsenedIncrements coarse(BrownianIncrements<double>(5, 0, 4, m, areas), factor, areas);
  Noise dw = increment(m, 4), piece = increment(m, 4);
  const auto iterated = [](const Noise& a, Index k, Index l) {
    const double sign = k < l ? 1 : -1;
    return (0.5 * a.w.row(k) * a.w.row(l) +
            sign * a.area.row(k < l ? area_row(k, l) : area_row(l, k)))
        .eval();
  };

  coarse.increment(0, 2, dw);
  Block<double> w = Block<double>::Zero(m, 4), sum = Block<double>::Zero(m * m, 4);
  for (Index i = 0; i < factor; ++i) {
    fine.increment(subdivision(0, 2, i, factor), subdivision(0, 2, i + 1, factor), piece);
    for (Index k = 0; k < m; ++k)
      for (Index l = 0; l < m; ++l)
        if (k != l) sum.row(k * m + l) += iterated(piece, k, l) + w.row(k) * piece.w.row(l);
    w += piece.w;
  }

  for (Index k = 0; k < m; ++k)
    for (Index l = 0; l < m; ++l)
      if (k != l) CHECK((iterated(dw, k, l) - sum.row(k * m + l)).abs().maxCoeff() < 1e-14);
}
