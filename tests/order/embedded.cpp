/// @file  order/embedded.cpp
/// @brief Orders of the embedded pairs and the Rosenbrock methods: by rooted trees, and measured.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "run_to.hpp"

#include <fokker/solvers/ode/embedded_runge_kutta.hpp>
#include <fokker/solvers/ode/rosenbrock.hpp>

using namespace fokker;

namespace {

using Real = long double;

/// A rooted tree: its order, its density gamma, and for each stage i of a method the product over
/// the subtrees of sum_j a_ij (theirs)_j.
struct Tree {
  int order;
  Real density;
  std::vector<Real> weight;
};

/// The coefficients of all stages of a pair: its own, k_s, and those of the interpolant.
template <class Pair>
std::vector<std::vector<Real>> rows() {
  constexpr std::size_t s = Pair::tableau.b.size();
  constexpr std::size_t all = std::tuple_size_v<decltype(Pair::dense(0.0))>;
  std::vector<std::vector<Real>> a(all, std::vector<Real>(all, 0));
  for (std::size_t j = 0; j < s; ++j) {
    for (std::size_t i = 0; i < s; ++i) a[i][j] = Pair::tableau.a[i][j];
    a[s][j] = Pair::tableau.b[j];
  }
  if constexpr (requires { Pair::dense_stages; })
    for (std::size_t i = s + 1; i < all; ++i)
      for (std::size_t j = 0; j < all; ++j) a[i][j] = Pair::dense_stages.a[i - s - 1][j];
  return a;
}

/// All rooted trees up to `order`, each a multiset of smaller ones under a new root.
template <class Pair>
std::vector<Tree> trees(int order) {
  const auto a = rows<Pair>();
  std::vector<Tree> all{{1, 1, std::vector<Real>(a.size(), 1)}};
  const auto grow = [&](auto&& self, const Tree& base, std::size_t last, int target,
                        std::vector<Tree>& found) -> void {
    if (base.order == target) {
      found.push_back(base);
      found.back().density *= static_cast<Real>(target);
      return;
    }
    for (std::size_t k = 0; k <= last; ++k) {
      const Tree& branch = all[k];
      if (base.order + branch.order > target) continue;
      Tree next = base;
      next.order += branch.order;
      next.density *= branch.density;
      for (std::size_t i = 0; i < a.size(); ++i) {
        Real sum = 0;
        for (std::size_t j = 0; j < i; ++j) sum += a[i][j] * branch.weight[j];
        next.weight[i] *= sum;
      }
      self(self, next, k, target, found);
    }
  };
  for (int target = 2; target <= order; ++target) {
    std::vector<Tree> found;
    grow(grow, {1, 1, std::vector<Real>(a.size(), 1)}, all.size() - 1, target, found);
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

/// The largest |sum_i w_i weight_i - scale theta^order / density| over the trees of one order.
template <std::size_t n>
Real defect(const std::vector<Tree>& all, int order, const std::array<double, n>& w, Real scale,
            Real theta = 1) {
  Real worst = 0;
  for (const Tree& tree : all) {
    if (tree.order != order) continue;
    Real sum = -scale * std::pow(theta, static_cast<Real>(order)) / tree.density;
    for (std::size_t i = 0; i < n; ++i) sum += static_cast<Real>(w[i]) * tree.weight[i];
    worst = std::max(worst, std::abs(sum));
  }
  return worst;
}

/// The order to which a weighted sum of stages is h phi(theta h), or O(h^(order + 1)) for scale 0.
template <std::size_t n>
int order_of(const std::vector<Tree>& all, const std::array<double, n>& w, Real scale,
             Real theta = 1) {
  int order = 0;
  while (order < all.back().order && defect(all, order + 1, w, scale, theta) < 1e-12L) ++order;
  return order;
}

/// A driven pendulum: nonlinear and not autonomous.
struct Pendulum {
  static constexpr NoiseKind noise = NoiseKind::none;
  static inline const PathState<double, 2> x0{0.7, 0.4};
  void drift(const auto& x, Time t, auto& out) const {
    out(0) = x(1);
    out(1) = -std::sin(x(0)) - 0.1 * x(1) + 0.6 * std::cos(1.5 * t);
  }
};

/// A linear equation with a coefficient that moves, beside a logistic one.
struct Growth {
  static constexpr NoiseKind noise = NoiseKind::none;
  static inline const PathState<double, 2> x0{0.7, 0.4};
  void drift(const auto& x, Time t, auto& out) const {
    out(0) = 3 * std::cos(3 * t) * x(0);
    out(1) = x(1) * (1 - x(1));
  }
};

/// Lotka and Volterra's predators and prey.
struct LotkaVolterra {
  static constexpr NoiseKind noise = NoiseKind::none;
  static inline const PathState<double, 2> x0{0.7, 0.4};
  void drift(const auto& x, Time, auto& out) const {
    out(0) = x(0) * (1.5 - x(1));
    out(1) = x(1) * (x(0) - 3);
  }
};

/// The oscillator x'' = -x: equal steps for ever, so steps and tolerance are cleanly related.
struct Oscillator {
  static constexpr NoiseKind noise = NoiseKind::none;
  static PathState<double, 2> exact(double t) { return {std::cos(t), -std::sin(t)}; }
  void drift(const auto& x, Time, auto& out) const {
    out(0) = x(1);
    out(1) = -x(0);
  }
};

struct Lorenz {
  static constexpr NoiseKind noise = NoiseKind::none;
  static inline const PathState<double, 3> x0{1, 1, 1};
  static constexpr double end = 10;
  static inline const PathState<double, 3> exact{-4.90268754113464573, -3.74387292180291962,
                                                 24.6908581027905555};
  void drift(const auto& x, Time, auto& out) const {
    out(0) = 10 * (x(1) - x(0));
    out(1) = x(0) * (28 - x(2)) - x(1);
    out(2) = x(0) * x(1) - 8.0 / 3.0 * x(2);
  }
};

struct Brusselator {
  static constexpr NoiseKind noise = NoiseKind::none;
  static inline const PathState<double, 2> x0{1.5, 3};
  static constexpr double end = 20;
  static inline const PathState<double, 2> exact{0.498637071268347849, 4.59678034945201118};
  void drift(const auto& x, Time, auto& out) const {
    out(0) = 1 + x(0) * x(0) * x(1) - 4 * x(0);
    out(1) = 3 * x(0) - x(0) * x(0) * x(1);
  }
};

/// Van der Pol's oscillator, eps v' = (1 - x^2) v - x with eps = 1e-3: stiff.
struct VanDerPol {
  static constexpr NoiseKind noise = NoiseKind::none;
  static inline const PathState<double, 2> x0{2, 0};
  static constexpr double end = 2;
  static inline const PathState<double, 2> exact{1.76323454020343846, -0.835688681677677391};
  void drift(const auto& x, Time, auto& out) const {
    out(0) = x(1);
    out(1) = ((1 - x(0) * x(0)) * x(1) - x(0)) / 1e-3;
  }
};

/// Robertson's reaction up to 1e11: very stiff, with components of 1e-13.
struct Robertson {
  static constexpr NoiseKind noise = NoiseKind::none;
  static inline const PathState<double, 3> x0{1, 0, 0};
  static constexpr double end = 1e11;
  static inline const PathState<double, 3> exact{.2083340149701255e-7, .8333360770334713e-13,
                                                 .9999999791665050};
  void drift(const auto& x, Time, auto& out) const {
    out(0) = -0.04 * x(0) + 1e4 * x(1) * x(2);
    out(2) = 3e7 * x(1) * x(1);
    out(1) = -out(0) - out(2);
  }
};

/// Arenstorf's closed orbit of the restricted three-body problem, (x, y, x', y').
/// Source: Hairer, Norsett & Wanner (1993), II.0.
struct Arenstorf {
  static constexpr NoiseKind noise = NoiseKind::none;
  static inline const PathState<double, 4> x0{0.994, 0, 0, -2.00158510637908252240537862224};
  static inline const PathState<double, 4> exact = x0;
  static constexpr double end = 17.0652165601579625588917206249;
  void drift(const auto& s, Time, auto& out) const {
    constexpr double mu = 0.012277471, nu = 1 - mu;
    const double x = s(0), y = s(1);
    const double d1 = std::pow((x + mu) * (x + mu) + y * y, 1.5);
    const double d2 = std::pow((x - nu) * (x - nu) + y * y, 1.5);
    out(0) = s(2);
    out(1) = s(3);
    out(2) = x + 2 * s(3) - nu * (x + mu) / d1 - mu * (x - nu) / d2;
    out(3) = y - 2 * s(2) - nu * y / d1 - mu * y / d2;
  }
};

template <class M, class P>
using PathRun = typename M::template Run<P, PathState<double, 2>>;

/// The state at t1, to rounding.
template <class P>
PathState<double, 2> exact_at(double t1) {
  const P process;
  PathRun<Dop853, P> run(Dop853{}, Adaptive{.rtol = 1e-15, .atol = 1e-15}, process, 2);
  PathState<double, 2> x = P::x0;
  Counts counts;
  fokker_test::run_to(run, x, 0, t1, counts);
  return x;
}

/// The error at t1 after n equal steps: no error is too large, and each step is clipped at its end.
template <class M, class P>
double error_of_steps(double t1, int n) {
  const P process;
  PathRun<M, P> run(M{}, Adaptive{.rtol = 1e100, .atol = 1e100}, process, 2);
  run.first_step(1e3);
  PathState<double, 2> x = P::x0;
  Counts counts;
  Time t = 0;
  for (int i = 1; i <= n; ++i) run.try_step(x, t, t1 * i / n, counts);
  return (x - exact_at<P>(t1)).matrix().norm();
}

/// The error of the interpolant inside one step of h.
template <class M>
double error_inside(double h) {
  const Pendulum process;
  PathRun<M, Pendulum> run(M{}, Adaptive{.rtol = 1e100, .atol = 1e100}, process, 2);
  run.first_step(h);
  PathState<double, 2> x = Pendulum::x0, inside;
  Counts counts;
  Time t = 0;
  run.try_step(x, t, h, counts);
  run.interpolate(0.37 * h, inside);
  return (inside - exact_at<Pendulum>(0.37 * h)).matrix().norm();
}

template <class M, class P>
double end_error(double rtol, double atol) {
  const P process;
  auto x = P::x0;
  typename M::template Run<P, decltype(x)> run(M{}, Adaptive{.rtol = rtol, .atol = atol}, process,
                                               x.rows());
  Counts counts;
  CHECK(fokker_test::run_to(run, x, 0, P::end, counts) == Status::success);
  return (x - P::exact).abs().maxCoeff();
}

/// The slope of ln(error) on ln(1 / steps), and on ln(tolerance), from tolerances 10^-4 on.
struct AdaptiveSlopes {
  double in_steps, in_tolerance;
};
template <class M>
AdaptiveSlopes adaptive_slopes() {
  std::vector<double> log_error, log_step, log_tolerance;
  for (int k = 8; k <= 20; ++k) {
    const double tolerance = std::pow(10.0, -0.5 * k);
    const Oscillator process;
    PathRun<M, Oscillator> run(M{}, Adaptive{.rtol = tolerance, .atol = tolerance}, process, 2);
    PathState<double, 2> x{1, 0};
    Counts counts;
    fokker_test::run_to(run, x, 0, 100, counts);
    log_error.push_back(std::log((x - Oscillator::exact(100)).matrix().norm()));
    log_step.push_back(-std::log(static_cast<double>(counts.accepted)));
    log_tolerance.push_back(std::log(tolerance));
  }
  const auto slope = [](const std::vector<double>& x, const std::vector<double>& y) {
    const auto n = static_cast<double>(x.size());
    double sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
      sx += x[i], sy += y[i], sxx += x[i] * x[i], sxy += x[i] * y[i];
    return (n * sxy - sx * sy) / (n * sxx - sx * sx);
  };
  return {slope(log_step, log_error), slope(log_tolerance, log_error)};
}

/// Where the region of stability ends on the negative real axis.
template <class Pair>
double stability_bound() {
  constexpr std::size_t s = Pair::tableau.b.size();
  const auto amplification = [](double z) {
    std::array<double, s> k{};
    double y = 1;
    for (std::size_t i = 0; i < s; ++i) {
      k[i] = 1;
      for (std::size_t j = 0; j < i; ++j) k[i] += z * Pair::tableau.a[i][j] * k[j];
      y += z * Pair::tableau.b[i] * k[i];
    }
    return std::abs(y);
  };
  double z = 0;
  while (amplification(-z) <= 1 + 1e-9) z += 1e-3;
  return z;
}

}  // namespace

TEMPLATE_TEST_CASE("embedded pairs meet the order conditions of their orders and of no higher one",
                   "", tableaus::Bs3, tableaus::Dopri5, tableaus::Tsit5, tableaus::Vern7,
                   tableaus::Dop853) {
  using Pair = TestType;
  const auto all = trees<Pair>(Pair::order + 1);

  CHECK(order_of(all, Pair::tableau.b, 1) == Pair::order);
  if constexpr (requires { Pair::error_low; }) {
    CHECK(order_of(all, Pair::error, 0) == 5);
    CHECK(order_of(all, Pair::error_low, 0) == 3);
    CHECK(2 * (5 + 1) - (3 + 1) == Pair::error_order + 1);
  } else {
    CHECK(order_of(all, Pair::error, 0) == Pair::error_order);
  }
}

TEST_CASE("the trees are all there are") {
  const auto all = trees<tableaus::Bs3>(9);
  std::array<int, 10> count{};
  for (const Tree& tree : all) ++count[static_cast<std::size_t>(tree.order)];

  CHECK(count == std::array<int, 10>{0, 1, 1, 2, 4, 9, 20, 48, 115, 286});
}

TEMPLATE_TEST_CASE("the stages of embedded pairs, also those of interpolants, are at their times",
                   "", tableaus::Bs3, tableaus::Dopri5, tableaus::Tsit5, tableaus::Vern7,
                   tableaus::Dop853) {
  using Pair = TestType;
  constexpr std::size_t s = Pair::tableau.b.size();
  const auto a = rows<Pair>();

  for (std::size_t i = 0; i < a.size(); ++i) {
    Real sum = 0;
    for (const Real aij : a[i]) sum += aij;
    if (i < s) CHECK(std::abs(sum - static_cast<Real>(Pair::tableau.c[i])) < 1e-13L);
    if (i == s) CHECK(std::abs(sum - 1) < 1e-13L);
    if constexpr (requires { Pair::dense_stages; })
      if (i > s) CHECK(std::abs(sum - static_cast<Real>(Pair::dense_stages.c[i - s - 1])) < 1e-13L);
  }
}

TEMPLATE_TEST_CASE("interpolants have their order at any point of the step, and no higher one", "",
                   tableaus::Bs3, tableaus::Dopri5, tableaus::Tsit5, tableaus::Vern7,
                   tableaus::Dop853) {
  using Pair = TestType;
  const auto all = trees<Pair>(Pair::dense_order + 1);

  for (const double theta : {0.1, 0.37, 0.61, 0.9})
    CHECK(order_of(all, Pair::dense(theta), 1, static_cast<Real>(theta)) == Pair::dense_order);
}

TEST_CASE("the interpolant of vern7 misses order 7 by its coefficients alone") {
  using Pair = tableaus::Vern7;
  const auto all = trees<Pair>(8);

  for (const Real theta : {0.1L, 0.37L, 0.61L, 0.9L}) {
    CHECK(defect(all, 7, Pair::dense(static_cast<double>(theta)), 1, theta) < 3e-7L);
    CHECK(defect(all, 8, Pair::dense(static_cast<double>(theta)), 1, theta) > 1e-5L);
  }
}

TEMPLATE_TEST_CASE("interpolants meet the ends of the step, and their slopes there", "",
                   tableaus::Bs3, tableaus::Dopri5, tableaus::Tsit5, tableaus::Vern7,
                   tableaus::Dop853) {
  using Pair = TestType;
  constexpr std::size_t s = Pair::tableau.b.size();
  constexpr double d = 1e-6;
  const auto start = Pair::dense(0), end = Pair::dense(1);
  const auto after = Pair::dense(d), before = Pair::dense(1 - d);

  for (std::size_t i = 0; i < start.size(); ++i) {
    CHECK(start[i] == 0);
    CHECK_THAT(end[i], WithinAbs(i < s ? Pair::tableau.b[i] : 0, 1e-11));
    CHECK_THAT((after[i] - start[i]) / d, WithinAbs(i == 0 ? 1 : 0, 1e-3));
    CHECK_THAT((end[i] - before[i]) / d, WithinAbs(i == s ? 1 : 0, 2e-3));
  }
}

TEMPLATE_TEST_CASE("the bound for stiffness is where the region of stability ends", "",
                   tableaus::Dopri5, tableaus::Tsit5, tableaus::Vern7, tableaus::Dop853) {
  CHECK_THAT(TestType::stability, WithinAbs(stability_bound<TestType>(), 2e-3));
}

TEMPLATE_TEST_CASE("equal steps show the order, neither less nor more", "", Bs3, Dopri5, Tsit5) {
  const double claimed = *TestType::facts.orders(NoiseKind::none).deterministic;

  const double coarse = error_of_steps<TestType, Growth>(2, 64);
  const double fine = error_of_steps<TestType, Growth>(2, 256);

  INFO("errors " << coarse << ", " << fine);
  CHECK_THAT(std::log2(coarse / fine) / 2, WithinAbs(claimed, 0.25));
}

TEMPLATE_TEST_CASE("equal steps of Rosenbrock methods show the order, neither less nor more", "",
                   Rodas4, Rodas5P) {
  const double claimed = *TestType::facts.orders(NoiseKind::none).deterministic;

  const double coarse = error_of_steps<TestType, Pendulum>(8, 128);
  const double fine = error_of_steps<TestType, Pendulum>(8, 256);

  INFO("errors " << coarse << ", " << fine);
  CHECK_THAT(std::log2(coarse / fine), WithinAbs(claimed, 0.2));
}

TEMPLATE_TEST_CASE("equal steps show a high order, neither less nor more", "", Vern7, Dop853) {
  const double claimed = *TestType::facts.orders(NoiseKind::none).deterministic;

  const double coarse = error_of_steps<TestType, LotkaVolterra>(2, 24);
  const double fine = error_of_steps<TestType, LotkaVolterra>(2, 64);

  INFO("errors " << coarse << ", " << fine);
  CHECK_THAT(std::log(coarse / fine) / std::log(64.0 / 24), WithinAbs(claimed, 0.35));
}

TEMPLATE_TEST_CASE("the interpolant's error in one step is O(h^(q+1)), neither less nor more", "",
                   Bs3, Dopri5, Tsit5, Dop853, Rodas4, Rodas5P) {
  const double h = TestType::dense_order > 6 ? 0.5 : 0.125;

  const double coarse = error_inside<TestType>(h), fine = error_inside<TestType>(h / 2);

  INFO("errors " << coarse << ", " << fine);
  CHECK_THAT(std::log2(coarse / fine), WithinAbs(TestType::dense_order + 1, 0.3));
}

TEMPLATE_TEST_CASE("adaptive pairs have their order in the steps, and an error like the tolerance",
                   "", Bs3, Dopri5, Tsit5, Vern7, Dop853) {
  const double claimed = *TestType::facts.orders(NoiseKind::none).deterministic;

  const AdaptiveSlopes slopes = adaptive_slopes<TestType>();

  INFO("slopes " << slopes.in_steps << ", " << slopes.in_tolerance);
  CHECK_THAT(slopes.in_steps, WithinAbs(claimed, 0.15 * claimed));
  CHECK_THAT(slopes.in_tolerance, WithinAbs(1, 0.15));
}

TEMPLATE_TEST_CASE("adaptive pairs meet end values known to many digits", "", Dopri5, Tsit5, Vern7,
                   Dop853) {
  CHECK(end_error<TestType, Lorenz>(1e-6, 1e-6) < 1e-2);
  CHECK(end_error<TestType, Lorenz>(1e-13, 1e-13) < 1e-9);
  CHECK(end_error<TestType, Brusselator>(1e-11, 1e-11) < 1e-9);
  CHECK(end_error<TestType, VanDerPol>(1e-10, 1e-10) < 1e-8);
  CHECK(end_error<TestType, Arenstorf>(1e-13, 1e-13) < 1e-6);
}

TEMPLATE_TEST_CASE("Rosenbrock methods meet end values of stiff problems", "", Rodas4, Rodas5P) {
  CHECK(end_error<TestType, VanDerPol>(1e-8, 1e-8) < 1e-7);
  CHECK(end_error<TestType, VanDerPol>(1e-4, 1e-4) < 1e-3);
  CHECK(end_error<TestType, Robertson>(1e-6, 1e-14) < 1e-13);
  CHECK(end_error<TestType, Brusselator>(1e-8, 1e-8) < 1e-6);
  CHECK(end_error<TestType, Lorenz>(1e-8, 1e-8) < 1e-2);
}
