/// @file  limits/coefficients.cpp
/// @brief Coefficients that break their contract: what a run does with them.

#include <stdexcept>
#include <string>

#include <fokker/solvers/ensemble/reductions.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/integrate/adaptive_sde.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ito/milstein_general.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

#include "catch.hpp"
#include "row.hpp"

using namespace fokker;

namespace {

/// Two numbers, of a size that is not known to the compiler.
const Eigen::ArrayXd two = Eigen::Array2d(1, 2);

/// What `simulate` answers to a drift with additive noise; empty where it runs.
template <class Drift>
std::string refusal(const Drift& drift) {
  const auto p = make_sde(
      drift, [](Time) { return 0.1; }, noise::additive);
  try {
    simulate(p, EulerMaruyama{}, OnGrid{uniform_grid(0, 1, 10)}, two, {.paths = 1000}, Moments{});
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a drift that writes by linear index is refused on blocks and right on a path") {
  const auto drift = [](const auto& x, Time, auto& out) {
    for (Index i = 0; i < x.rows(); ++i) out(i) = -x(i);
  };

  CHECK_THAT(refusal(drift), ContainsSubstring("write out.row(i)"));
  const auto path = integrate(make_ode(drift), Rk4{}, Fixed{0.01}, two, {0, 1});
  CHECK_THAT(path.end(1), WithinRel(2 * std::exp(-1.0), 1e-9));

  limit_row("coefficients", "`out(i) = -x(i)`", "a block of paths",
            "`simulate` refuses it and says `out.row(i)`; `integrate` of one path is right");
}

TEST_CASE("an expression that outlives its local array is refused") {
  CHECK_THAT(refusal([](const auto& x, Time) {
               Eigen::Array2d a(1, 2);
               return -(x.colwise() * a);
             }),
             ContainsSubstring("refers to a local variable"));
  CHECK_THAT(refusal([](const auto& x, Time) {
               const auto y = (2.0 * x).eval();
               return 1.0 - y;
             }),
             ContainsSubstring("refers to a local variable"));

  limit_row("coefficients", "an expression over a local array", "returned from a coefficient",
            "refused; the message says `-> Plain<decltype(x)>`");
}

TEST_CASE("a start of fewer numbers than the drift has rows is refused") {
  const auto drift = [](const auto& x, Time) -> Plain<decltype(x)> {
    Plain<decltype(x)> out(x.rows(), x.cols());
    out.row(0) = x.row(1) - x.row(0);
    out.row(1) = x.row(2) - x.row(1);
    out.row(2) = x.row(0) * x.row(1);
    return out;
  };

  // the first where Eigen asserts, as in this file
  CHECK_THAT(refusal(drift), ContainsSubstring("fails at a start of 2 components") ||
                                 ContainsSubstring("rows beyond the 2 of the start"));

  limit_row("coefficients", "a drift of three rows", "a start of two numbers", "refused");
}

TEST_CASE("a noise kind that the coefficients do not have is refused") {
  const auto drift = [](const auto& x, Time) { return -x; };
  const auto coupled = make_sde(
      drift,
      [](const auto& x, Time, auto& out) {
        out.row(0) = x.row(1);
        out.row(1) = x.row(0);
      },
      noise::diagonal);
  const auto rotated = make_sde(
      drift,
      [](const auto& x, Time, Index k, auto& out) {
        out.setZero();
        out.row(k) = x.row(1 - k);
      },
      noise::commutative(2));
  const TimeGrid grid = uniform_grid(0, 1, 10);

  CHECK_THROWS_WITH(simulate(coupled, EulerMaruyama{}, OnGrid{grid}, two, {.paths = 10}, Moments{}),
                    ContainsSubstring("declared diagonal"));
  CHECK_THROWS_WITH(simulate(rotated, EulerMaruyama{}, OnGrid{grid}, two, {.paths = 10}, Moments{}),
                    ContainsSubstring("do not commute"));

  limit_row("coefficients", "noise that couples components", "declared `noise::diagonal`",
            "refused; the message says `noise::general`");
  limit_row("coefficients", "columns that do not commute", "declared `noise::commutative`",
            "refused at generic points near the start; the message says `noise::general`");
}
