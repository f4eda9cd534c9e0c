/// @file  limits/narrow_blocks.cpp
/// @brief A block of few paths is narrow; its paths have the bits that they have in a wide one.

#include "limits/row.hpp"

#include <string>

#include "catch.hpp"

#include <fokker/processes/models/langevin.hpp>
#include <fokker/processes/models/linear.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ito/milstein_general.hpp>
#include <fokker/solvers/ito/sri.hpp>
#include <fokker/solvers/langevin/langevin_high_order.hpp>
#include <fokker/solvers/linear/exact_linear.hpp>
#include <fokker/solvers/linear/magnus.hpp>

using namespace fokker;

namespace {

/// The largest column that was seen.
struct Widest {
  static constexpr NoiseKind noise = NoiseKind::diagonal;
  Index* columns;
  auto drift(const auto& x, Time) const {
    *columns = std::max<Index>(*columns, x.cols());
    return -x;
  }
  auto diffusion(const auto& x, Time) const { return 0.1 * x; }
};

/// Whether the first paths of 1, 65, 200 and 1100 have the same bits.
template <class S, class P, class M>
bool same(const P& process, const M& method, const Eigen::ArrayXd& x0) {
  const auto states = [&](Index paths) {
    return simulate<S>(process, method, OnGrid{uniform_grid(0, 1, 10)}, x0,
                       {.paths = paths, .threads = 1}, FinalState{})
        .value;
  };
  const auto many = states(1100);
  for (const Index paths : {1, 65, 200})
    if (!(states(paths) == many.leftCols(paths)).all()) return false;
  return true;
}

}  // namespace

TEST_CASE("one path has the bits that it has among many, by every kind of step") {
  const auto nonlinear = make_sde(
      [](const auto& x, double t) {
        return (-x.square()).exp() * x.tanh() - x * x.abs().pow(1.5) * (1 + t);
      },
      [](const auto& x, double) { return x.sin().abs().sqrt() + x.square().log1p().cos(); },
      noise::diagonal);
  const auto product = make_sde(
      [](const auto& x, double, auto& out) {
        using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
        const Eigen::Matrix<S, 3, 3> a{{-1, S(0.3), S(0.2)}, {S(0.1), -2, S(0.7)}, {0, S(0.9), -1}};
        out = (a * x.matrix()).array();
      },
      [](const auto& x, double) { return 0.1 * x.exp(); }, noise::diagonal);
  const Eigen::ArrayXd one = Eigen::ArrayXd::Constant(1, 0.7), two = Eigen::Array2d(1, 0.3),
                       three = Eigen::Array3d(1, 0.3, 0.2);
  const LinearSde linear = LinearSde::homogeneous(
      Eigen::Matrix2d{{-0.4, 0.3}, {0.1, -0.2}},
      {Eigen::Matrix2d{{0.2, 0.4}, {0, 0.1}}, Eigen::Matrix2d{{0.1, 0}, {0.5, -0.2}}});

  CHECK(same<double>(nonlinear, EulerMaruyama{}, one));
  CHECK(same<double>(nonlinear, Sriw1{}, one));
  CHECK(same<float>(nonlinear, Sriw1{}, three));
  CHECK(same<double>(product, EulerMaruyama{}, three));
  CHECK(same<float>(product, Sriw1{}, three));
  CHECK(same<double>(linear, MilsteinLevy{}, two));
  CHECK(same<double>(linear, Magnus{}, two));
  CHECK(same<double>(Langevin{}, ExactLinear{}, two));
  CHECK(same<double>(Langevin{}, Ubu{}, two));
}

TEST_CASE("a run of one path is computed on one leaf of columns") {
  Index columns = 0;

  simulate(Widest{&columns}, EulerMaruyama{}, OnGrid{uniform_grid(0, 1, 4)}, 1.0, {.paths = 1},
           Moments{});

  CHECK(columns == leaf_paths);
  limit_row("sde", "`simulate`", "one path",
            "computed on 64 columns; the bits of path j are those among any number of paths");
}
