#include "catch.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include <fokker/solvers/noise/brownian_tree.hpp>

using namespace fokker;

namespace {

struct General {
  static constexpr NoiseKind noise = NoiseKind::general;
};
using Noise = Increment<General, Block<double>>;
constexpr Needs all{.h = true, .k = true};

Noise room(Index m, Index n) {
  Noise dw;
  dw.resize(m, n, all);
  return dw;
}

double distance(const Noise& a, const Noise& b) {
  return std::max(
      {(a.w - b.w).abs().maxCoeff(), (a.h - b.h).abs().maxCoeff(), (a.k - b.k).abs().maxCoeff()});
}

}  // namespace

TEST_CASE("a query has the same bits whatever was asked before") {
  const std::vector<std::array<Time, 2>> queries{
      {0.3, 0.7}, {0.0, 1.0}, {0.25, 0.5}, {0.1, 0.1001}, {0.9, 1.0}};
  BrownianTree<double> used(3, 5, 4, 3, 0, 1);

  for (const auto& [s, t] : queries) {
    auto from_used = room(3, 4), from_fresh = room(3, 4);
    used.increment(s, t, from_used);
    BrownianTree<double>(3, 5, 4, 3, 0, 1).increment(s, t, from_fresh);

    CHECK(distance(from_used, from_fresh) == 0);
  }
}

TEST_CASE("the increments of parts put together by Chen's relation are that of the whole") {
  BrownianTree<double> tree(11, 0, 6, 2, -1, 3);
  const TimeGrid parts{-0.9, -0.2, 0.05, 1.3, 2.99};
  auto whole = room(2, 6), sum = room(2, 6), part = room(2, 6);

  tree.increment(parts.front(), parts.back(), whole);
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    tree.increment(parts[i], parts[i + 1], part);
    append(sum, parts[i] - parts.front(), part, parts[i + 1] - parts[i], all);
  }

  CHECK(distance(whole, sum) < 1e-10);  // times are rounded to 4 x 2^-40
}

TEST_CASE("path j of a tree is the same alone and in a block, and W does not depend on H and K") {
  BrownianTree<double> block(42, 0, 20, 3, 0, 2);
  auto dw = room(3, 20), alone = room(3, 1);
  Noise w_only;
  w_only.resize(3, 20);

  block.increment(0.4, 1.7, dw);
  block.increment(0.4, 1.7, w_only);

  CHECK((w_only.w == dw.w).all());
  for (const Index j : {0, 7, 19}) {
    BrownianTree<double>(42, static_cast<std::uint64_t>(j), 1, 3, 0, 2).increment(0.4, 1.7, alone);
    CHECK((alone.w.col(0) == dw.w.col(j)).all());
    CHECK((alone.h.col(0) == dw.h.col(j)).all());
    CHECK((alone.k.col(0) == dw.k.col(j)).all());
  }
}

TEST_CASE("pieces of a path, seeds and paths are different noise") {
  const auto first = [](std::uint64_t seed, std::uint64_t path, std::uint64_t piece) {
    auto dw = room(1, 1);
    BrownianTree<double>(seed, path, 1, 1, 0, 1, piece).increment(0, 1, dw);
    return dw.w(0, 0);
  };

  CHECK(first(1, 0, 0) != first(2, 0, 0));
  CHECK(first(1, 0, 0) != first(1, 1, 0));
  CHECK(first(1, 0, 0) != first(1, 0, 1));
}

TEST_CASE("times outside the tree are refused") {
  BrownianTree<double> tree(1, 0, 1, 1, 0, 1);
  auto dw = room(1, 1);

  CHECK_THROWS_AS(tree.increment(-0.1, 0.5, dw), std::invalid_argument);
  CHECK_THROWS_AS(tree.increment(0.5, 1.1, dw), std::invalid_argument);
  CHECK_THROWS_AS(BrownianTree<double>(1, 0, 1, 1, 1, 1), std::invalid_argument);
}

TEST_CASE("a tree started again is the tree made new") {
  BrownianTree<double> tree(3, 5, 4, 2, 0, 1);
  auto dw = room(2, 4), fresh = room(2, 4);
  tree.increment(0.3, 0.7, dw);

  tree.restart(1, 3, 9);
  tree.increment(1.2, 2.5, dw);
  BrownianTree<double>(3, 5, 4, 2, 1, 3, 9).increment(1.2, 2.5, fresh);

  CHECK(distance(dw, fresh) == 0);
}
