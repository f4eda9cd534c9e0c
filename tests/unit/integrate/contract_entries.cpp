/// @file  unit/integrate/contract_entries.cpp
/// @brief The contract of coefficients in convergence studies, laws of linear schemes and scores.

#include <stdexcept>
#include <string>

#include "catch.hpp"

#include <fokker/analysis/convergence/convergence.hpp>
#include <fokker/analysis/law/linear_law.hpp>
#include <fokker/diffusion/model/reverse_sde.hpp>
#include <fokker/diffusion/schedule/affine_process.hpp>
#include <fokker/diffusion/schedule/schedules.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>

using namespace fokker;

namespace {

const Eigen::ArrayXd two = Eigen::Array2d(1, 2);

/// What the check says of a process on blocks from `two`; empty where it lets the process pass.
template <class P>
std::string said(const P& process, Time t0, Time t1) {
  try {
    detail::check_contract<Block<double>>(process, two, true, t0, t1);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return {};
}

const auto linear_index = [](const auto& x, Time, auto& out) {
  out(0) = x(1);
  out(1) = -x(0);
};

}  // namespace

TEST_CASE("a convergence study and the law of a linear scheme check the coefficients") {
  const auto p = make_sde(
      linear_index, [](Time) { return 0.1; }, noise::additive);
  const TimeGrid grid = uniform_grid(0, 1, 4);
  const GaussianLaw law{two.matrix(), Eigen::Matrix2d::Identity()};
  ConvergenceSettings study{.x0 = two, .steps = {2, 4, 8}, .paths = 64};

  CHECK_THROWS_WITH(measure_convergence(p, EulerMaruyama{}, {}, study, {}),
                    ContainsSubstring("linear index"));
  study.check = false;
  CHECK_NOTHROW(measure_convergence(p, EulerMaruyama{}, {}, study, {}));
  CHECK_THROWS_WITH(propagate(p, EulerMaruyama{}, law, grid), ContainsSubstring("linear index"));
}

TEST_CASE("a user's score is a coefficient too") {
  const AffineProcess vp{VariancePreserving{}};
  const auto local = [](const auto& x, Time) {
    const auto y = (-1.0 * x).eval();
    return 1.0 * y;
  };
  const auto index = [](const auto& x, Time, auto& out) {
    out(0) = -x(0);
    out(1) = -x(1);
  };

  CHECK_THAT(said(ReverseSde{vp, index}, 1, 0.01),
             ContainsSubstring("the score writes only path 0"));
  CHECK_THAT(said(ReverseSde{vp, local}, 1, 0.01),
             ContainsSubstring("the score returns an expression that refers to a local variable"));
  CHECK(said(ReverseSde{vp, [](const auto& x, Time) { return -x; }}, 1, 0.01).empty());
}
