/// @file  law/contract.cpp
/// @brief The contract of coefficients in optimized code, without Eigen's assertions.

#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"

#include <fokker/solvers/integrate/contract.hpp>

using namespace fokker;

namespace {

const Eigen::ArrayXd two = Eigen::Array2d(1, 2);

/// What the check says of a process from `start`; empty where it lets the process pass.
template <class States = Block<double>, class P>
std::string said(const P& process, const Eigen::ArrayXd& start) {
  try {
    detail::check_contract<States>(process, start, States::ColsAtCompileTime != 1, 0, 1);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return {};
}
template <class States = Block<double>, class F>
std::string said_of_drift(const F& drift, const Eigen::ArrayXd& start = two) {
  return said<States>(make_ode(drift), start);
}

}  // namespace

TEST_CASE("an expression over a local variable is refused: array, evaluated, freed and captured") {
  const auto array = [](const auto& x, Time) {
    Eigen::Array2d a(1, 2);
    return -(x.colwise() * a);
  };
  const auto evaluated = [](const auto& x, Time) {
    const auto y = (2.0 * x).eval();
    return 1.0 - y;
  };
  const auto freed = [](const auto& x, Time) {
    const std::vector<double> a{1, 2};
    return x.colwise() * Eigen::Map<const Eigen::Array2d>(a.data());
  };
  const auto captured = [](const auto& x, Time) {
    double a = 2;
    return x.unaryExpr([&](double v) { return a * v; });
  };

  CHECK_THAT(said_of_drift(array), ContainsSubstring("refers to a local variable") &&
                                       ContainsSubstring("-> Plain<decltype(x)>"));
  CHECK_THAT(said_of_drift<PathState<double>>(array),
             ContainsSubstring("refers to a local variable"));
  CHECK_THAT(said_of_drift(evaluated), ContainsSubstring("refers to a local variable"));
  CHECK_THAT((said_of_drift<PathState<double>>(evaluated)),
             ContainsSubstring("refers to a local variable"));
  CHECK_THAT(said_of_drift(freed), ContainsSubstring("a local variable"));
  CHECK_THAT(said_of_drift(captured), ContainsSubstring("a local variable"));
  const auto additive = make_sde([](const auto& x, Time) { return -x; },
                                 [](Time t) {
                                   Eigen::Array2d a(1, 2);
                                   return t * a;
                                 },
                                 noise::additive);
  CHECK_THAT(said(additive, two), ContainsSubstring("refers to a local variable"));
}

TEST_CASE("a start of too few numbers is refused with a sentence") {
  const auto writes = [](const auto& x, Time, auto& out) {
    out.row(0) = x.row(1);
    out.row(1) = x.row(0);
    out.row(2) = x.row(2);
  };
  const auto returns = [](const auto& x, Time) -> Plain<decltype(x)> {
    Plain<decltype(x)> out(3, x.cols());
    out << x.row(0), x.row(1), x.row(0);
    return out;
  };
  const Eigen::ArrayXd three = Eigen::Array3d(1, 2, 3);

  CHECK_THAT(said_of_drift(writes), ContainsSubstring("rows beyond the 2 of the start"));
  CHECK_THAT(said_of_drift<PathState<double>>(writes),
             ContainsSubstring("rows beyond the 2 of the start"));
  CHECK_THAT(said_of_drift([](const auto& x, Time, auto& out) { out = x.rowwise() + x.row(2); }),
             ContainsSubstring("rows beyond the 2 of the start"));
  CHECK_THAT(
      said_of_drift(returns),
      ContainsSubstring("has 3 rows and the start has 2 components: give a start of 3 numbers"));
  CHECK_THAT(said_of_drift([three](const auto& x, Time) { return x.colwise() * three; }),
             ContainsSubstring("arrays of different sizes"));
  CHECK_THAT(said(make_sde([](const auto& x, Time) { return -x; },
                           [three](Time) -> Eigen::ArrayXd { return three; }, noise::additive),
                  two),
             ContainsSubstring("the diffusion coefficient has 3 rows"));
  CHECK(said_of_drift(writes, three).empty());
}
