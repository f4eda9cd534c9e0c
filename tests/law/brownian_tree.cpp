#include "catch.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <Eigen/Dense>

#include <fokker/solvers/noise/brownian_tree.hpp>

using namespace fokker;

namespace {

struct General {
  static constexpr NoiseKind noise = NoiseKind::general;
};
using Noise = Increment<General, Block<double>>;

/// Standardised (W, H, K) over each of some adjacent intervals: one row each, one column per path.
Eigen::MatrixXd standardised(BrownianTree<double>& tree, const TimeGrid& grid, Index n) {
  Noise dw;
  dw.resize(1, n, {.h = true, .k = true});
  Eigen::MatrixXd z(3 * static_cast<Index>(grid.size() - 1), n);
  for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
    const Time h = grid[i + 1] - grid[i];
    tree.increment(grid[i], grid[i + 1], dw);
    const auto row = 3 * static_cast<Index>(i);
    z.row(row) = dw.w.row(0).matrix() / std::sqrt(h);
    z.row(row + 1) = dw.h.row(0).matrix() / std::sqrt(h / 12);
    z.row(row + 2) = dw.k.row(0).matrix() / std::sqrt(h / 720);
  }
  return z;
}

}  // namespace

TEST_CASE("W, H and K over adjacent intervals of any length are independent and normal") {
  constexpr Index paths = 1'000'000, width = 1000;
  // Halves that share no point, a part deep inside one half, and one across the middle.
  const TimeGrid grid{0.0, 0.1, 0.25, 0.3, 0.3001, 0.77, 1.0};
  const Index rows = 3 * static_cast<Index>(grid.size() - 1);
  Eigen::MatrixXd second = Eigen::MatrixXd::Zero(rows, rows);
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(rows), fourth = mean;

  for (Index first = 0; first < paths; first += width) {
    BrownianTree<double> tree(2026, static_cast<std::uint64_t>(first), width, 1, 0, 1);
    const Eigen::MatrixXd z = standardised(tree, grid, width);
    second += z * z.transpose();
    mean += z.rowwise().sum();
    fourth += z.array().pow(4).matrix().rowwise().sum();
  }

  // Bonferroni: 18 means, 18 fourth moments and 171 second moments at 1e-6 / 207 each: 5.9 sd.
  const double n = static_cast<double>(paths), limit = 5.9 / std::sqrt(n);
  CHECK((mean / n).cwiseAbs().maxCoeff() < limit);
  CHECK(((fourth / n).array() - 3).abs().maxCoeff() < std::sqrt(96.0) * limit);
  Eigen::MatrixXd deviation = second / n - Eigen::MatrixXd::Identity(rows, rows);
  deviation.diagonal() /= std::sqrt(2.0);
  CHECK(deviation.cwiseAbs().maxCoeff() < limit);
}

TEST_CASE("the pieces of a path are independent: their sum has the moments of the normal law") {
  // Normals at places of one stream that are a power of two apart fail this by far.
  constexpr Index paths = 4096;
  constexpr std::uint64_t pieces = 512;
  Eigen::ArrayXd sum = Eigen::ArrayXd::Zero(paths);
  Noise dw;
  dw.resize(1, paths);

  for (std::uint64_t piece = 0; piece < pieces; ++piece) {
    BrownianTree<double>(7, 0, paths, 1, 0, 1, piece).increment(0, 1, dw);
    sum += dw.w.row(0).transpose();
  }

  const Eigen::ArrayXd z = sum / std::sqrt(static_cast<double>(pieces));
  const double root_n = std::sqrt(static_cast<double>(paths));
  CHECK(std::abs(z.mean()) < 5.1 / root_n);
  CHECK(std::abs(z.square().mean() - 1) < 5.1 * std::sqrt(2.0) / root_n);
  CHECK(std::abs(z.pow(4).mean() - 3) < 5.1 * std::sqrt(96.0) / root_n);
}
