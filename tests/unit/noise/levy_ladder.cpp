/// @file  unit/noise/levy_ladder.cpp
/// @brief Levy areas on a dyadic ladder: one path whatever is asked, and what is refused.

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <type_traits>

#include "catch.hpp"

#include <fokker/solvers/ito/milstein_general.hpp>
#include <fokker/solvers/noise/levy_ladder.hpp>

using namespace fokker;

namespace {

struct General {
  static constexpr NoiseKind noise = NoiseKind::general;
};
using Noise = Increment<General, Block<double>>;

constexpr Needs areas{.area = true};
constexpr Index m = 3, n = 5;

Noise increment(LevyLadder<double>& ladder, Time s, Time t) {
  Noise dw;
  dw.resize(m, n, areas);
  ladder.increment(s, t, dw);
  return dw;
}

double distance(const Noise& a, const Noise& b) {
  return std::max((a.w - b.w).abs().maxCoeff(), (a.area - b.area).abs().maxCoeff());
}

}  // namespace

TEST_CASE("the cells of a ladder are the increments that a run on their grid draws") {
  LevyLadder<double> ladder(9, 4, n, m, 0.5, 2.5, 4);
  BrownianIncrements<double> source(9, 4, n, m, areas);
  Noise want;
  want.resize(m, n, areas);
  for (Index i = 0; i < 16; ++i) {
    const Time s = subdivision(0.5, 2.5, i, 16), t = subdivision(0.5, 2.5, i + 1, 16);
    source.increment(s, t, want);

    CHECK(distance(increment(ladder, s, t), want) == 0);
  }
}

TEST_CASE("any union of cells has the increment and areas of its cells, in any order of queries") {
  LevyLadder<double> ladder(9, 4, n, m, 0, 1, 3), again(9, 4, n, m, 0, 1, 3);
  const auto cell = [](Index i) { return subdivision(0, 1, i, 8); };
  // The areas about the point where each union starts, from W at the cells and the cells' areas.
  for (Index from = 7; from >= 0; --from)
    for (Index to = from + 1; to <= 8; ++to) {
      Block<double> w = Block<double>::Zero(m, n), area = Block<double>::Zero(3, n);
      for (Index i = from; i < to; ++i) {
        const Noise piece = increment(again, cell(i), cell(i + 1));
        for (Index l = 1; l < m; ++l)
          for (Index k = 0; k < l; ++k)
            area.row(area_row(k, l)) +=
                piece.area.row(area_row(k, l)) +
                0.5 * (w.row(k) * piece.w.row(l) - w.row(l) * piece.w.row(k));
        w += piece.w;
      }
      const Noise dw = increment(ladder, cell(from), cell(to));

      CHECK((dw.w - w).abs().maxCoeff() < 1e-14);
      CHECK((dw.area - area).abs().maxCoeff() < 1e-14);
    }
}

TEST_CASE("a path of a ladder is the same alone and in a block") {
  LevyLadder<double> block(9, 4, n, m, 0, 1, 3), alone(9, 6, 1, m, 0, 1, 3);
  Noise one;
  one.resize(m, 1, areas);

  alone.increment(0.25, 1, one);
  const Noise all = increment(block, 0.25, 1);

  CHECK((one.w.col(0) == all.w.col(2)).all());
  CHECK((one.area.col(0) == all.area.col(2)).all());
}

TEST_CASE("a query below the declared ladder is refused") {
  LevyLadder<double> ladder(1, 0, n, m, 0, 1, 3);
  Noise dw;
  dw.resize(m, n, areas);

  CHECK_THROWS_AS(ladder.increment(0, 0.0625, dw), std::invalid_argument);
  CHECK_THROWS_WITH(ladder.increment(0, 0.3, dw),
                    ContainsSubstring("cells of length 0.125: t=0.3 is not an end of one"));
  CHECK_THROWS_WITH(ladder.increment(0.5, 1.125, dw), ContainsSubstring("from t=0 to 1"));
  CHECK_THROWS_WITH(ladder.increment(-0.125, 0.5, dw), ContainsSubstring("t=-0.125"));
  CHECK_THROWS_WITH(ladder.increment(0, std::nan(""), dw), ContainsSubstring("t=nan"));
  CHECK_THROWS_WITH(ladder.increment(0.5, 0.25, dw), ContainsSubstring("s < t"));
  CHECK_THROWS_WITH(LevyLadder<double>(1, 0, n, m, 1, 1, 3), ContainsSubstring("t0 < t1"));
  CHECK_THROWS_WITH(LevyLadder<double>(1, 0, n, m, 0, 1, 31), ContainsSubstring("levels=31"));
  CHECK_NOTHROW(ladder.increment(0.1 + 0.2 - 0.05, 0.75, dw));  // ends of cells to rounding
}

TEST_CASE("coarse and fine steps of strong order 1 run on one ladder") {
  // dX = B_k X dW_k with matrices that do not commute: halving the step halves the error.
  const auto process = make_sde([](const auto& x, double) { return -0.5 * x; },
                                [](const auto& x, double, Index k, auto& out) {
                                  out.row(0) = k == 0 ? 0.6 * x.row(1) : 0.5 * x.row(0);
                                  out.row(1) = k == 0 ? 0.2 * x.row(0) : -0.4 * x.row(1);
                                },
                                noise::general(2));
  constexpr Index paths = 400;
  using X = Block<double>;
  LevyLadder<double> ladder(3, 0, paths, 2, 0, 1, 9);
  const auto run = [&](Index steps) {
    X x = X::Ones(2, paths), y(2, paths);
    Increment<std::remove_const_t<decltype(process)>, X> dw;
    dw.resize(2, paths, areas);
    MilsteinLevy::Workspace<X> w(2, paths);
    for (Index i = 0; i < steps; ++i) {
      const Time t = subdivision(0, 1, i, steps), end = subdivision(0, 1, i + 1, steps);
      ladder.increment(t, end, dw);
      MilsteinLevy{}.step(process, x, t, end - t, dw, y, w);
      x.swap(y);
    }
    return x;
  };
  const X fine = run(512);
  const auto error = [&](Index steps) { return std::sqrt((run(steps) - fine).square().mean()); };

  CHECK_THAT(std::log2(error(8) / error(32)) / 2, WithinAbs(1, 0.1));
}
