/// @file  unit/noise/brownian.cpp
/// @brief Wiener increments: the sequence of normals they are, the same for a path in any block.

#include <cmath>
#include <vector>

#include "catch.hpp"

#include <fokker/solvers/noise/brownian.hpp>

using namespace fokker;

namespace {

/// Nothing but a noise kind: increments need no more of a process.
struct General {
  static constexpr NoiseKind noise = NoiseKind::general;
};

template <class S>
using Noise = Increment<General, Block<S>>;

template <class S>
Noise<S> increment(Index m, Index n) {
  Noise<S> dw;
  dw.w.resize(m, n);
  return dw;
}

/// The first `count` normals of path `path`, from its stream.
template <class S>
std::vector<S> normals(Seed seed, std::uint64_t path, std::size_t count) {
  StreamLanes lane(seed, path, 1, Purpose::wiener);
  std::vector<S> z(count + 1);
  for (std::size_t i = 0; i < count; i += 2) lane.normal_pair(&z[i], &z[i + 1], S(1), S(1));
  return z;
}

}  // namespace

TEMPLATE_TEST_CASE("a step takes the next m normals of the path's stream, times sqrt h", "", double,
                   float) {
  using S = TestType;
  const TimeGrid grid{0.0, 0.25, 1.25, 1.3, 2.0, 2.5};
  const Seed seed(7, GENERATE(Generator::pcg32, Generator::philox));

  for (const Index m : {1, 2, 3, 4, 5}) {
    BrownianIncrements<S> source(seed, 10, 3, m);
    auto dw = increment<S>(m, 3);
    std::size_t next = 0;
    for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
      source.increment(grid[k], grid[k + 1], dw);

      const S root_h = static_cast<S>(std::sqrt(grid[k + 1] - grid[k]));
      for (Index r = 0; r < m; ++r, ++next)
        for (Index j = 0; j < 3; ++j) {
          const auto z = normals<S>(seed, 10 + static_cast<std::uint64_t>(j), next + 1);
          CHECK(dw.w(r, j) == root_h * z[next]);
        }
    }
  }
}

TEST_CASE("a path has the same bits alone and in a block") {
  const Seed seed(42, GENERATE(Generator::pcg32, Generator::philox));
  BrownianIncrements<double> block(seed, 0, 100, 3);
  auto dw = increment<double>(3, 100);
  for (const Index j : {0, 1, 37, 63, 64, 99}) {
    BrownianIncrements<double> alone(seed, static_cast<std::uint64_t>(j), 1, 3);
    BrownianIncrements<double> again = block;
    auto one = increment<double>(3, 1);
    for (int k = 0; k < 5; ++k) {
      alone.increment(k, k + 1, one);
      again.increment(k, k + 1, dw);

      CHECK((one.w.col(0) == dw.w.col(j)).all());
    }
  }
}

TEST_CASE("seeds and paths give different increments") {
  auto a = increment<double>(1, 2), b = increment<double>(1, 2);

  BrownianIncrements<double>(1, 0, 2, 1).increment(0, 1, a);
  BrownianIncrements<double>(2, 0, 2, 1).increment(0, 1, b);

  CHECK(a.w(0, 0) != b.w(0, 0));
  CHECK(a.w(0, 0) != a.w(0, 1));
}

TEST_CASE("coarsened increments are the sums of the fine ones on the refined grid") {
  const Index factor = 8;
  const TimeGrid coarse{0.0, 0.5, 2.0};
  const TimeGrid fine = refine(coarse, factor);
  BrownianIncrements<double> source(5, 0, 4, 3);
  CoarsenedIncrements coarsened(BrownianIncrements<double>(5, 0, 4, 3), factor);
  auto dw = increment<double>(3, 4), piece = increment<double>(3, 4);

  for (std::size_t k = 0; k + 1 < coarse.size(); ++k) {
    coarsened.increment(coarse[k], coarse[k + 1], dw);
    Block<double> sum = Block<double>::Zero(3, 4);
    for (std::size_t i = 0; i < 8; ++i) {
      source.increment(fine[8 * k + i], fine[8 * k + i + 1], piece);
      sum += piece.w;
    }

    CHECK((dw.w == sum).all());
  }
}
