/// @file  unit/levy_area.cpp
/// @brief Levy areas: the sum that they are, their streams, and Chen's relation.

#include <cmath>
#include <numbers>
#include <stdexcept>
#include <vector>

#include "catch.hpp"

#include <fokker/solvers/brownian.hpp>

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

/// A_kl of one path by the formula of LevyAreas, on plain numbers.
std::vector<double> areas_by_hand(const std::vector<double>& w, double h, Normals& normals) {
  const std::size_t m = w.size(),
                    p = static_cast<std::size_t>(levy_area_terms(static_cast<Index>(w.size()), h));
  std::vector<double> s(m, 0), sum(m * (m - 1) / 2, 0);
  double tail = std::numbers::pi * std::numbers::pi / 6;
  for (std::size_t r = 1; r <= p; ++r) {
    const double rd = static_cast<double>(r);
    tail -= 1 / (rd * rd);
    std::vector<double> x(m), y(m);
    for (std::size_t k = 0; k < m; ++k) std::tie(x[k], y[k]) = normals.pair();
    for (std::size_t k = 0; k < m; ++k) s[k] += x[k] / rd;
    for (std::size_t l = 1, row = 0; l < m; ++l)
      for (std::size_t k = 0; k < l; ++k, ++row) sum[row] += (x[k] * y[l] - x[l] * y[k]) / rd;
  }
  std::vector<double> z;
  while (z.size() < m + sum.size()) {
    const auto [a, b] = normals.pair();
    z.insert(z.end(), {a, b});
  }
  for (std::size_t k = 0; k < m; ++k) s[k] += std::sqrt(tail) * z[k];
  for (std::size_t l = 1, row = 0; l < m; ++l)
    for (std::size_t k = 0; k < l; ++k, ++row) {
      sum[row] += std::sqrt(2 * tail) * z[m + row];
      sum[row] -= std::sqrt(2 / h) * (s[k] * w[l] - s[l] * w[k]);
      sum[row] *= h / (2 * std::numbers::pi);
    }
  return sum;
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
  for (const Index m : {2, 3, 10})
    for (const double h : {4.0, 1.0, 0.1, 1e-3, 1e-6}) {
      const auto error = [&](Index p) {
        return std::sqrt(static_cast<double>(m) / 12) * h /
               (std::numbers::pi * static_cast<double>(p));
      };
      const Index terms = levy_area_terms(m, h);

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
