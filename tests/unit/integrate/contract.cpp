/// @file  unit/integrate/contract.cpp
/// @brief The contract of coefficients: what the check refuses, with which words, and what it lets
///        pass.

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"

#include <fokker/solvers/ensemble/reductions.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/integrate/adaptive_sde.hpp>
#include <fokker/solvers/integrate/contract.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/integrate/odeint_stepper.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ito/sri.hpp>
#include <fokker/solvers/noise/recorded_path.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

using namespace fokker;

namespace {

/// AddressSanitizer ends the program where a coefficient reads freed memory.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
constexpr bool sanitized = __has_feature(address_sanitizer);
#else
constexpr bool sanitized = false;
#endif

using X = Block<double>;
using Path2 = PathState<double, 2>;

/// What the check says of a process on blocks from `start`; empty where it lets the process pass.
template <class States = X, class P>
std::string said(const P& process, const Eigen::ArrayXd& start, Time t0 = 0, Time t1 = 1) {
  try {
    detail::check_contract<States>(process, start, States::ColsAtCompileTime != 1, t0, t1);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return {};
}

const Eigen::ArrayXd two = Eigen::Array2d(1, 2);

/// The same for the drift of an ODE.
template <class States = X, class F>
std::string said_of_drift(const F& drift, const Eigen::ArrayXd& start = two) {
  return said<States>(make_ode(drift), start);
}

template <class F>
std::string said_of_diagonal(const F& g, const Eigen::ArrayXd& start = two) {
  return said(make_sde([](const auto& x, Time) { return -x; }, g, noise::diagonal), start);
}

const auto linear_index = [](const auto& x, Time, auto& out) {
  out(0) = x(1);
  out(1) = -x(0);
};

/// Two columns B_k x.
auto linear_columns(Eigen::Matrix2d a, Eigen::Matrix2d b) {
  return [a, b](const auto& x, Time, Index k, auto& out) {
    out = ((k == 0 ? a : b) * x.matrix()).array();
  };
}

/// dX = -X dt + X_i^2 dW_i with a slope of choice.
struct WithSlope {
  static constexpr NoiseKind noise = NoiseKind::diagonal;
  double factor;
  auto drift(const auto& x, Time) const { return -x; }
  auto diffusion(const auto& x, Time) const { return x * x; }
  auto diffusion_slope(const auto& x, Time) const { return factor * x; }
};

/// The square root of a positive process that starts on its boundary.
struct Root {
  static constexpr NoiseKind noise = NoiseKind::diagonal;
  struct Domain {
    double low, high;
  };
  int* outside;
  Domain domain(Index) const { return {0, 1}; }
  auto drift(const auto& x, Time) const { return 0.5 - x; }
  void diffusion(const auto& x, Time, auto& out) const {
    if ((x < 0 || x > 1).any()) ++*outside;
    out = (x * (1.0 - x)).sqrt();
  }
};

/// An ODE that counts its evaluations.
struct Counting {
  static constexpr NoiseKind noise = NoiseKind::none;
  mutable int calls = 0;
  auto drift(const auto& x, Time) const {
    ++calls;
    return -x;
  }
};
}  // namespace

TEST_CASE("linear indices into a block are refused, and are right on a single path") {
  CHECK_THAT(said_of_drift(linear_index), ContainsSubstring("out(i) is a linear index") &&
                                              ContainsSubstring("write out.row(i)"));
  CHECK_THAT(said_of_drift([](const auto& x, Time, auto& out) { out(0) = -x(0); },
                           Eigen::ArrayXd::Ones(1)),
             ContainsSubstring("out(i) is a linear index"));
  CHECK_THAT(said_of_drift(linear_index, Eigen::Array2d(0, 0)), ContainsSubstring("linear index"));
  CHECK(said_of_drift<Path2>(linear_index).empty());
  CHECK(said_of_drift<PathState<double>>(linear_index).empty());
}

TEST_CASE("an entry that is not written is named by its row") {
  const auto half = [](const auto& x, Time, auto& out) { out.row(0) = x.row(1); };

  CHECK_THAT(said_of_drift(half), ContainsSubstring("does not write row 1"));
  CHECK_THAT(said_of_drift<Path2>(half), ContainsSubstring("does not write row 1"));
  CHECK_THAT(said_of_drift([](const auto&, Time, auto&) {}), ContainsSubstring("nor any other"));
  CHECK_THAT(said_of_drift([](const auto& x, Time, auto& out) { out += x; }),
             ContainsSubstring("does not write row 0"));
}

TEST_CASE("a column that depends on other columns is refused") {
  CHECK_THAT(said_of_drift([](const auto& x, Time) { return x.mean() - x; }),
             ContainsSubstring("depends on other paths"));
  CHECK_THAT(said_of_drift([](const auto& x, Time, auto& out) {
               out.row(0) = -x.row(0) * x(1);
               out.row(1) = -x.row(1);
             }),
             ContainsSubstring("x(i) is a linear index"));
  CHECK_THAT(said_of_drift([](const auto& x, Time, auto& out) {
               out = -x;
               out(0) = x(0);
             }),
             ContainsSubstring("place of the path"));
}

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
  CHECK_THAT(said_of_drift<Path2>(array), ContainsSubstring("refers to a local variable"));
  CHECK_THAT(said_of_drift(evaluated), ContainsSubstring("refers to a local variable"));
  CHECK_THAT((said_of_drift<Path2>(evaluated)), ContainsSubstring("refers to a local variable"));
  if (!sanitized) CHECK_THAT(said_of_drift(freed), ContainsSubstring("a local variable"));
  CHECK_THAT(said_of_drift(captured), ContainsSubstring("a local variable"));
  CHECK_THAT(said_of_diagonal(array), ContainsSubstring("the diffusion coefficient returns"));
  const auto additive = make_sde([](const auto& x, Time) { return -x; },
                                 [](Time t) {
                                   Eigen::Array2d a(1, 2);
                                   return t * a;
                                 },
                                 noise::additive);
  CHECK_THAT(said(additive, two), ContainsSubstring("refers to a local variable"));
}

TEST_CASE("expressions over the state, members, captured arrays and numbers pass") {
  const Eigen::Array2d a(1, 2);
  Eigen::Matrix2d m;
  m << 0, 1, -1, 0.5;

  CHECK(said_of_drift([a](const auto& x, Time) { return x.colwise() * a; }).empty());
  CHECK(said_of_drift([&a](const auto& x, Time) { return x.colwise() * a; }).empty());
  CHECK(said_of_drift([m](const auto& x, Time) { return (m * x.matrix()).array(); }).empty());
  CHECK(said_of_drift([](const auto& x, Time) { return (x > 1).select(x, -x); }).empty());
  CHECK(said_of_drift([](const auto&, Time) { return 1.5; }).empty());
  CHECK(said_of_drift([](const auto& x, Time) -> const auto& { return x; }).empty());
  CHECK(said_of_drift([a](const auto& x, Time t) -> Plain<decltype(x)> {
          const Eigen::Array2d b = a * t;
          return x.colwise() + b;
        }).empty());
}

TEST_CASE("a coefficient that is random, or counts its calls in its result, is refused") {
  int calls = 0;

  CHECK_THAT(said_of_drift([&](const auto& x, Time) { return x + 1.0 * ++calls; }),
             ContainsSubstring("two different results at one state"));
}

TEST_CASE("diagonal noise that couples any pair of components is refused") {
  for (const Index d : {2, 3, 5, 8})
    for (const Index i : {Index{0}, d / 2, d - 1})
      for (const Index j : {Index{0}, d / 2, d - 1}) {
        INFO(d << " components, g_" << i << " depends on x_" << j);
        const auto g = [=](const auto& x, Time, auto& out) {
          out = x;
          out.row(i) += 0.1 * x.row(j);
        };
        CHECK(said_of_diagonal(g, Eigen::ArrayXd::LinSpaced(d, 1, 2)).empty() == (i == j));
      }
  CHECK_THAT(said_of_diagonal([](const auto& x, Time, auto& out) {
               out.row(0) = x.row(1);
               out.row(1) = x.row(0);
             }),
             ContainsSubstring("declared diagonal") && ContainsSubstring("noise::general(2)"));
}

TEST_CASE("columns that do not commute are refused as commutative, in any unit") {
  Eigen::Matrix2d a, b, c;
  a << 0, 1, 0, 0;
  b << 0, 0, 1, 0;
  c << 0, 3, 0, 0;
  const auto drift = [](const auto& x, Time) { return -x; };
  for (const double unit : {1e-12, 1.0, 1e12}) {
    INFO("unit " << unit);
    const Eigen::ArrayXd start = unit * two;
    CHECK_THAT(said(make_sde(drift, linear_columns(a, b), noise::commutative(2)), start),
               ContainsSubstring("do not commute") && ContainsSubstring("noise::general(2)"));
    CHECK_THAT((said<Path2>(make_sde(drift, linear_columns(a, b), noise::commutative(2)), start)),
               ContainsSubstring("do not commute"));
    CHECK(said(make_sde(drift, linear_columns(a, c), noise::commutative(2)), start).empty());
    CHECK(said(make_sde(drift, linear_columns(a, b), noise::general(2)), start).empty());
  }
}

TEST_CASE("columns that commute pass: functions of one direction, kinks, stiff and flat ones") {
  const auto drift = [](const auto& x, Time) { return -x; };
  const auto separate = [](const auto& x, Time, Index k, auto& out) {
    out.setZero();
    if (k == 0)
      out.row(0) = (1e6 * x.row(0)).sin() + x.row(0).abs();
    else
      out.row(1) = 1.0 + 1e-9 * x.row(1).max(1.5);
  };

  CHECK(said(make_sde(drift, separate, noise::commutative(2)), two).empty());
  CHECK(said(make_sde(drift, separate, noise::commutative(2)), Eigen::Array2d(0, 0)).empty());
}

TEST_CASE("a slope that is not the derivative of the noise is refused") {
  CHECK(said(WithSlope{2}, two).empty());
  CHECK_THAT(said(WithSlope{1}, two), ContainsSubstring("diffusion_slope is not the derivative"));
  CHECK_THAT((said<Path2>(WithSlope{1}, two)), ContainsSubstring("dg_i/dx_i"));
}

TEST_CASE("the check stays in the domain of the process, also on its boundary") {
  for (const double start : {0.0, 1.0, 0.5}) {
    int outside = 0;
    CHECK(said(Root{&outside}, Eigen::Array2d(start, start)).empty());
    CHECK(outside == 0);
  }
}

TEST_CASE("coefficients that are nan beside the start, at it, or at its time pass") {
  CHECK(said_of_drift([](const auto& x, Time) { return (1.0 - x).sqrt(); }, Eigen::Array2d(1, 1))
            .empty());
  CHECK(said_of_drift([](const auto& x, Time) { return std::nan("") * x; }).empty());
  CHECK(said_of_drift([](const auto& x, Time t) { return x / t; }).empty());
  CHECK_THAT(said_of_drift([](const auto& x, Time t) { return x.mean() / t - x; }),
             ContainsSubstring("depends on other paths"));
}

TEST_CASE("a coefficient that refuses states beside the start passes") {
  CHECK(said_of_drift(
            [](const auto& x, Time) {
              if ((x != 1.0).any()) throw std::domain_error("not there");
              return -x;
            },
            Eigen::Array2d(1, 1))
            .empty());
}

TEST_CASE("what a process counts in its own members is as it was") {
  const Counting process;

  const auto s = integrate(process, Euler{}, Fixed{0.25}, 1.0, {0, 1});

  CHECK(process.calls == 4);
  CHECK(s.counts.drift_evaluations == 4);
}

TEST_CASE("every entry point checks, unless check = false") {
  const auto p = make_sde(
      linear_index, [](Time) { return 0.1; }, noise::additive);
  const TimeGrid grid = uniform_grid(0, 1, 4);
  const Block<double> block = Eigen::Array22d{{1, 1}, {2, 2}};
  const auto refused = ContainsSubstring("linear index");
  const SimulateOptions unchecked{.paths = 64, .check = false};

  CHECK_THROWS_WITH(simulate(p, EulerMaruyama{}, OnGrid{grid}, two, {.paths = 64}, Moments{}),
                    refused);
  CHECK(simulate(p, EulerMaruyama{}, OnGrid{grid}, two, unchecked, Moments{}).paths == 64);
  CHECK_THROWS_WITH(integrate(p, EulerMaruyama{}, Fixed{0.1}, block, {0, 1}), refused);
  CHECK_THROWS_WITH(Integration(p, EulerMaruyama{}, Fixed{0.1}, block, 0), refused);
  CHECK_NOTHROW(integrate(p, EulerMaruyama{}, Fixed{0.1}, block, {0, 1}, {.check = false}));
  BrownianIncrements<double> source(1, 0, 2, 2);
  CHECK_THROWS_WITH(integrate(p, EulerMaruyama{}, OnGrid{grid}, block, {.noise = source}), refused);
  CHECK_NOTHROW(
      integrate(p, EulerMaruyama{}, OnGrid{grid}, block, {.noise = source, .check = false}));
  CHECK_THROWS_WITH(OdeintStepper(EulerMaruyama{}, p, block, source), refused);
  // one path at a time, where linear indices are right
  CHECK(simulate(p, Sriw1{}, Adaptive{}, Path2(two), {0, 1}, {.paths = 2}, Moments{}).failed == 0);
}
