/// @file  unit/ode/radau.cpp
/// @brief Radau IIA of order 5: its coefficients, a step by hand, its order, stiff problems, nan.

#include <array>
#include <cmath>
#include <cstddef>

#include <Eigen/LU>

#include "catch.hpp"
#include "run_to.hpp"

#include <fokker/solvers/ode/radau.hpp>

using namespace fokker;

namespace {

using Tableau = tableaus::RadauIIA5;
using Real = Tableau::Real;
using Row = Tableau::Row;
using Square = Tableau::Square;
using One = PathState<double, 1>;
using Pair = PathState<double, 2>;

/// x' = A x + (sin t, 1), stiff, with the Jacobian if `known`.
template <bool known>
struct Linear {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  std::uint64_t* calls = nullptr;
  void drift(const auto& x, Time t, auto& out) const {
    if (calls) ++*calls;
    out(0) = -2 * x(0) + x(1) + std::sin(t);
    out(1) = 3 * x(0) - 400 * x(1) + 1;
  }
  void drift_jacobian(const auto&, Time, auto& j) const requires(known) { j << -2, 1, 3, -400; }
};

/// A driven pendulum: nonlinear and not autonomous.
struct Pendulum {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  static inline const Pair x0{0.7, 0.4};
  void drift(const auto& x, Time t, auto& out) const {
    out(0) = x(1);
    out(1) = -std::sin(x(0)) - 0.1 * x(1) + 0.6 * std::cos(1.5 * t);
  }
};

/// Van der Pol's oscillator, eps v' = (1 - x^2) v - x with eps = 1e-3.
struct VanDerPol {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  static inline const Pair x0{2, 0};
  static constexpr double end = 2;
  static inline const Pair exact{1.76323454020343846, -0.835688681677677391};
  void drift(const auto& x, Time, auto& out) const {
    out(0) = x(1);
    out(1) = ((1 - x(0) * x(0)) * x(1) - x(0)) / 1e-3;
  }
};

/// The same in the limit eps = 1e-6, from a point of Hairer's, counting its Jacobians.
struct FastVanDerPol {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  static constexpr double eps = 1e-6;
  std::uint64_t* jacobians;
  void drift(const auto& x, Time, auto& out) const {
    out(0) = x(1);
    out(1) = ((1 - x(0) * x(0)) * x(1) - x(0)) / eps;
  }
  void drift_jacobian(const auto& x, Time, auto& j) const {
    ++*jacobians;
    j << 0, 1, (-2 * x(0) * x(1) - 1) / eps, (1 - x(0) * x(0)) / eps;
  }
};

/// Robertson's reaction up to 1e11: very stiff, with components of 1e-13.
struct Robertson {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
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

/// x' = lambda x; its Jacobian is right for jacobian = lambda.
struct Scaling {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  double lambda, jacobian = lambda;
  template <State X>
  X drift(const X& x, Time) const {
    return static_cast<typename X::Scalar>(lambda) * x;
  }
  template <State X>
  void drift_jacobian(const X&, Time, auto& j) const {
    j.setConstant(static_cast<typename X::Scalar>(jacobian));
  }
};

/// x' = 1 up to t = 1 and undefined from there.
struct UndefinedAfterOne {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  void drift(const auto&, Time t, auto& out) const { out.setConstant(t > 1 ? std::nan("") : 1.0); }
};

Real power(Real c, int k) { return k == 0 ? 1 : c * power(c, k - 1); }

/// The largest defects of the simplifying conditions for the orders up to k:
///     B(k): sum_i b_i c_i^(k-1) = 1/k     C(k): sum_j a_ij c_j^(k-1) = c_i^k / k
///     D(k): sum_i b_i c_i^(k-1) a_ij = b_j (1 - c_j^k) / k
/// Source: Hairer & Wanner (1996), IV.5.
struct Defects {
  Real b = 0, c = 0, d = 0;
};
Defects defects(const Square& a, const Row& c, int k) {
  const Row& b = a[2];
  Defects worst;
  for (int q = 1; q <= k; ++q) {
    const Real order = static_cast<Real>(q);
    Real of_b = -1 / order;
    for (std::size_t i = 0; i < 3; ++i) {
      Real of_c = -power(c[i], q) / order, of_d = -b[i] * (1 - power(c[i], q)) / order;
      for (std::size_t j = 0; j < 3; ++j) {
        of_c += a[i][j] * power(c[j], q - 1);
        of_d += b[j] * power(c[j], q - 1) * a[j][i];
      }
      of_b += b[i] * power(c[i], q - 1);
      worst.c = std::max(worst.c, std::abs(of_c));
      worst.d = std::max(worst.d, std::abs(of_d));
    }
    worst.b = std::max(worst.b, std::abs(of_b));
  }
  return worst;
}

Square product(const Square& l, const Square& r) {
  Square p{};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      for (std::size_t k = 0; k < 3; ++k) p[i][j] += l[i][k] * r[k][j];
  return p;
}

Real distance(const Square& l, const Square& r) {
  Real worst = 0;
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) worst = std::max(worst, std::abs(l[i][j] - r[i][j]));
  return worst;
}

template <class P>
using PairRun = Radau5::Run<P, Pair>;

/// Any error passes, and Newton's iteration goes to rounding.
constexpr Radau5 exactly{.newton = 0};
const Adaptive unchecked{.rtol = 1e100, .atol = 1e100};

/// The pendulum at t, to 1e-13: Runge's method of order 4 with very many steps.
Pair pendulum_at(double t) {
  constexpr int steps = 20000;
  const double h = t / steps;
  const auto f = [](const Pair& x, double at) {
    Pair out;
    Pendulum{}.drift(x, at, out);
    return out;
  };
  Pair x = Pendulum::x0;
  for (int i = 0; i < steps; ++i) {
    const double at = h * i;
    const Pair k1 = f(x, at), k2 = f(x + h / 2 * k1, at + h / 2);
    const Pair k3 = f(x + h / 2 * k2, at + h / 2), k4 = f(x + h * k3, at + h);
    x += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
  }
  return x;
}

/// The error at t = 8 after n equal steps.
double error_of_steps(int n) {
  const Pendulum process;
  PairRun<Pendulum> run(exactly, unchecked, process, 2);
  run.first_step(1e3);
  Pair x = Pendulum::x0;
  Counts counts;
  Time t = 0;
  for (int i = 1; i <= n; ++i) run.try_step(x, t, 8.0 * i / n, counts);
  CHECK(counts.accepted == static_cast<std::uint64_t>(n));
  return (x - pendulum_at(8)).matrix().norm();
}

/// What one step of h from x0 estimates as its error, and what its interpolant misses inside.
struct OneStep {
  double estimate, inside;
};
OneStep one_step(double h) {
  const Pendulum process;
  PairRun<Pendulum> run(exactly, unchecked, process, 2);
  run.first_step(h);
  Pair x = Pendulum::x0, inside;
  Counts counts;
  Time t = 0;
  run.try_step(x, t, h, counts);
  run.interpolate(0.37 * h, inside);
  return {run.error(), (inside - pendulum_at(0.37 * h)).matrix().norm()};
}

template <class P>
double end_error(double rtol, double atol) {
  const P process;
  auto x = P::x0;
  Radau5::Run<P, decltype(x)> run(Radau5{}, Adaptive{.rtol = rtol, .atol = atol}, process,
                                  x.rows());
  Counts counts;
  CHECK(fokker_test::run_to(run, x, 0, P::end, counts) == Status::success);
  return (x - P::exact).abs().maxCoeff();
}

/// The factor by which one step of 1 multiplies x at the eigenvalue z.
double amplification(double z) {
  const Scaling process{z};
  Radau5::Run<Scaling, One> run(exactly, unchecked, process, 1);
  run.first_step(1);
  One x{1};
  Counts counts;
  Time t = 0;
  run.try_step(x, t, 1, counts);
  CHECK(run.accepted());
  return x(0);
}

}  // namespace

TEST_CASE("the coefficients meet B(5), C(3) and D(2), and none of the next") {
  const auto& a = Tableau::a;
  const auto& c = Tableau::c;

  CHECK(defects(a, c, 5).b < 1e-18L);
  CHECK(defects(a, c, 3).c < 1e-18L);
  CHECK(defects(a, c, 2).d < 1e-18L);
  CHECK(defects(a, c, 6).b > 1e-4L);
  CHECK(defects(a, c, 4).c > 1e-4L);
  CHECK(defects(a, c, 3).d > 1e-4L);

  Square wrong = a;
  wrong[1][2] += 1e-15L;
  wrong[2][0] += 1e-15L;
  CHECK(defects(wrong, c, 5).b > 1e-16L);
  CHECK(defects(wrong, c, 3).c > 1e-16L);
  CHECK(defects(wrong, c, 2).d > 1e-16L);
}

TEST_CASE("T takes the inverse of a into a real and a complex block") {
  constexpr Real g = Tableau::gamma, re = Tableau::alpha, im = Tableau::beta;
  constexpr Square unit{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  constexpr Square blocks{{{g, 0, 0}, {0, re, -im}, {0, im, re}}};

  CHECK(distance(product(Tableau::a, Tableau::a_inverse), unit) < 1e-17L);
  CHECK(distance(product(Tableau::t, Tableau::t_inverse), unit) < 1e-17L);
  CHECK(distance(product(Tableau::t_inverse, product(Tableau::a_inverse, Tableau::t)), blocks) <
        1e-16L);
}

TEST_CASE("a step is the formula's, with its error estimate") {
  constexpr double h = 0.05, t0 = 0.3;
  const Linear<true> process;
  PairRun<Linear<true>> run(Radau5{.newton = 0}, Adaptive{.rtol = 1e-3, .atol = 1e100}, process, 2);
  run.first_step(h);
  const Pair x0{1, -0.5};
  Pair x = x0;
  Counts counts;
  Time t = t0;

  Eigen::Matrix2d j;
  j << -2, 1, 3, -400;
  Eigen::Matrix<double, 6, 6> m = Eigen::Matrix<double, 6, 6>::Identity();
  Eigen::Matrix<double, 6, 1> r = Eigen::Matrix<double, 6, 1>::Zero();
  for (int i = 0; i < 3; ++i) {
    for (int k = 0; k < 3; ++k) {
      const auto a =
          static_cast<double>(Tableau::a[static_cast<std::size_t>(i)][static_cast<std::size_t>(k)]);
      Pair f;
      process.drift(x0, t0 + static_cast<double>(Tableau::c[static_cast<std::size_t>(k)]) * h, f);
      m.block<2, 2>(2 * i, 2 * k) -= h * a * j;
      r.segment<2>(2 * i) += h * a * f.matrix();
    }
  }
  const Eigen::Matrix<double, 6, 1> z = m.inverse() * r;
  Pair f0;
  process.drift(x0, t0, f0);
  const double s = std::sqrt(6.0), gamma0 = 1 / static_cast<double>(Tableau::gamma);
  const Eigen::Vector2d sum =
      (-13 - 7 * s) * z.segment<2>(0) + (-13 + 7 * s) * z.segment<2>(2) - z.segment<2>(4);
  const Eigen::Vector2d estimate = (Eigen::Matrix2d::Identity() - h * gamma0 * j).inverse() *
                                   (gamma0 * h * f0.matrix() + gamma0 / 3 * sum);
  run.try_step(x, t, t0 + h, counts);

  REQUIRE(run.accepted());
  CHECK_THAT(x(0), WithinAbs(x0(0) + z(4), 1e-12));
  CHECK_THAT(x(1), WithinAbs(x0(1) + z(5), 1e-12));
  CHECK_THAT(run.error() * 1e100, WithinRel(estimate.cwiseAbs().maxCoeff(), 1e-10));
}

TEST_CASE("equal steps of radau5 show order 5, neither less nor more") {
  const double claimed = *Radau5::facts.orders(NoiseKind::none).deterministic;

  const double coarse = error_of_steps(64), fine = error_of_steps(128);

  INFO("errors " << coarse << ", " << fine);
  CHECK_THAT(std::log2(coarse / fine), WithinAbs(claimed, 0.1));
}

TEST_CASE("the error estimate and the interpolant are O(h^4), neither less nor more") {
  const OneStep coarse = one_step(0.125), fine = one_step(0.0625);

  CHECK_THAT(std::log2(coarse.estimate / fine.estimate), WithinAbs(4, 0.2));
  CHECK_THAT(std::log2(coarse.inside / fine.inside), WithinAbs(Radau5::dense_order + 1, 0.2));
}

TEST_CASE("radau5 meets end values of stiff problems") {
  CHECK(end_error<VanDerPol>(1e-4, 1e-4) < 1e-5);
  CHECK(end_error<VanDerPol>(1e-8, 1e-8) < 1e-8);
  CHECK(end_error<Robertson>(1e-6, 1e-14) < 1e-13);
}

TEST_CASE("radau5 is stable on the left and has forgotten the start at infinity: L-stable") {
  const auto rational = [](double z) {  // the Pade approximation (2, 3) of exp
    return (1 + 2 * z / 5 + z * z / 20) / (1 - 3 * z / 5 + 3 * z * z / 20 - z * z * z / 60);
  };

  for (double z = -1e-3; z > -1e9; z *= 1.5) {
    REQUIRE(std::abs(amplification(z)) <= 1);
    REQUIRE_THAT(amplification(z), WithinAbs(rational(z), 1e-13));
  }
  CHECK(std::abs(amplification(-1e6)) < 1e-5);
  CHECK(std::abs(amplification(-1e9)) < 1e-8);
}

TEST_CASE("what is fast and gone in the first step is no error of radau5") {
  const Scaling process{-1e6};
  Radau5::Run<Scaling, One> run(Radau5{}, Adaptive{.rtol = 1e-3, .atol = 1e-3}, process, 1);
  run.first_step(1);
  One x{1};
  Counts counts;
  Time t = 0;
  run.try_step(x, t, 10, counts);

  CHECK(run.accepted());
  CHECK(t == 1);
}

TEST_CASE("the Jacobian by differences serves radau5 as the exact one, and for several steps") {
  std::uint64_t with = 0, without = 0;
  const Adaptive steps{.rtol = 1e-8, .atol = 1e-8};
  const auto end = [&](const auto& process, Counts& counts) {
    PairRun<std::remove_cvref_t<decltype(process)>> run(Radau5{}, steps, process, 2);
    Pair x{1, -0.5};
    CHECK(fokker_test::run_to(run, x, 0, 3, counts) == Status::success);
    return x;
  };
  Counts exact, differences;

  const Pair x = end(Linear<true>{&with}, exact);
  const Pair y = end(Linear<false>{&without}, differences);

  CHECK((x - y).abs().maxCoeff() < 1e-9);
  CHECK(exact.drift_evaluations == with);
  CHECK(differences.drift_evaluations == without);
  CHECK(without < with + differences.accepted);  // 2 per Jacobian: less than one in two steps
}

TEST_CASE(
    "radau5 foresees where steps must shorten, and keeps its Jacobian and its iterations few") {
  struct Bounds {
    double tolerance;
    std::uint64_t steps, rejected, evaluations, jacobians;  // SciPy 1.17: 293, -, 2817, 86
  };
  const auto [tolerance, steps, rejected, evaluations, jacobians] =
      GENERATE(Bounds{1e-4, 315, 45, 3050, 120}, Bounds{1e-6, 950, 30, 8000, 250});
  std::uint64_t counted = 0;
  const FastVanDerPol process{&counted};
  PairRun<FastVanDerPol> run(Radau5{}, Adaptive{.rtol = tolerance, .atol = tolerance}, process, 2);
  Pair x{2, -0.66};
  Counts counts;

  REQUIRE(fokker_test::run_to(run, x, 0, 2, counts) == Status::success);

  CHECK_THAT(x(0), WithinAbs(1.706167437543211, tolerance));
  CHECK_THAT(x(1), WithinAbs(-0.8928100165510826, tolerance));
  CHECK(counts.accepted < steps);
  CHECK(counts.rejected < rejected);
  CHECK(counts.drift_evaluations < evaluations);
  CHECK(counted < jacobians);
}

TEST_CASE("nan ends a run of radau5 in a status, and no convergence shortens its steps") {
  const UndefinedAfterOne undefined;
  Radau5::Run<UndefinedAfterOne, One> run(Radau5{}, Adaptive{}, undefined, 1);
  One x{0};
  Counts counts;
  Time t = 0;
  Status status = Status::success;
  while (status == Status::success && t < 2) status = run.try_step(x, t, 2, counts);
  CHECK(status == Status::non_finite);
  CHECK_THAT(t, WithinAbs(1, 1e-6));
  CHECK(counts.rejected < 1000);

  const Scaling wrong{-50, 50};
  Radau5::Run<Scaling, One> slow(Radau5{}, Adaptive{}, wrong, 1);
  slow.first_step(0.5);
  One y{1};
  Counts tried;
  CHECK(fokker_test::run_to(slow, y, 0, 1, tried) == Status::success);
  CHECK(tried.rejected > 0);
  CHECK_THAT(y(0), WithinAbs(std::exp(-50), 1e-8));
}

TEST_CASE("radau5 lands on the end, goes on from there, and copies carry on to the same bits") {
  const Linear<false> process;
  PairRun<Linear<false>> run(Radau5{}, Adaptive{}, process, 2);
  Pair x{1, -0.5};
  Counts counts;
  Time t = 0;
  while (t < 0.7) REQUIRE(run.try_step(x, t, 0.7, counts) == Status::success);
  CHECK(t == 0.7);
  auto copy = run;
  Pair y = x;

  CHECK(fokker_test::run_to(run, x, 0.7, 2, counts) == Status::success);
  CHECK(fokker_test::run_to(copy, y, 0.7, 2, counts) == Status::success);

  CHECK((x == y).all());
}

TEST_CASE("the interpolant of radau5 meets the ends of the step") {
  const Linear<false> process;
  PairRun<Linear<false>> run(Radau5{}, Adaptive{}, process, 2);
  Pair x{1, -0.5}, out;
  Counts counts;

  CHECK_THROWS_AS(run.interpolate(0, out), std::invalid_argument);
  for (Time t = 0; t < 1;) {
    const Pair before = x;
    const Time start = t;
    run.try_step(x, t, 1, counts);
    if (!run.accepted()) continue;
    run.interpolate(start, out);
    REQUIRE((out - before).abs().maxCoeff() < 1e-13);
    run.interpolate(t, out);
    REQUIRE((out - x).abs().maxCoeff() < 1e-13);
  }
}

TEST_CASE("radau5 in float, on dynamic states, and what it refuses") {
  const Scaling process{-1};
  Radau5::Run<Scaling, Block<float>> run(Radau5{}, Adaptive{.rtol = 1e-4, .atol = 1e-5}, process,
                                         1);
  Block<float> x = Block<float>::Ones(1, 1);
  Counts counts;
  CHECK(fokker_test::run_to(run, x, 0, 2, counts) == Status::success);
  CHECK_THAT(x(0, 0), WithinAbs(std::exp(-2.0), 1e-5));

  Radau5::Run<Scaling, Block<float>> two(Radau5{}, Adaptive{}, process, 1);
  Block<float> block = Block<float>::Ones(1, 2);
  CHECK_THROWS_WITH(fokker_test::run_to(two, block, 0, 2, counts),
                    ContainsSubstring("one path at a time: got a block of 2"));
  using Run = Radau5::Run<Scaling, One>;
  CHECK_THROWS_AS(Run(Radau5{}, Adaptive{.rtol = 0}, process, 1), std::invalid_argument);
  CHECK_THROWS_WITH(Run(Radau5{.newton = 1}, Adaptive{}, process, 1),
                    ContainsSubstring("newton=1"));
}
