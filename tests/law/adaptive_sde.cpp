#include "catch.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include <fokker/solvers/ensemble/reductions.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/integrate/adaptive_sde.hpp>
#include <fokker/solvers/stratonovich/stochastic_heun.hpp>

using namespace fokker;

namespace {

constexpr auto still = [](const auto& x, double) { return Plain<decltype(x)>(0.0 * x); };
constexpr auto unit = [](double) { return 1.0; };
const auto brownian = make_sde(still, unit, noise::additive);
using Brownian = std::remove_const_t<decltype(brownian)>;

/// What accepted steps saw: normalised increments, and the sum of dw^2 - h along a path.
struct Seen {
  std::vector<double> z;
  std::vector<Time> h;
};

/// x + dw; steps of 1/4 are rejected where |dw| > sqrt(h); or, blind, every third step.
struct Adversarial {
  static constexpr Facts facts{.name = "adversarial",
                               .source = "this test",
                               .order = {.strong = 1, .weak = 1, .deterministic = 1}};
  template <State X>
  using Workspace = Scratch<X, 1>;

  bool blind = false;

  template <State X, class P>
  void step(const P&, const X& x, Time, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>&) const {
    y = x + dw.w;
    last_z = dw.w(0, 0) / std::sqrt(h);
    last_h = h;
  }
  template <State X, class P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y, X& error,
            Workspace<X>& w) const {
    step(p, x, t, h, dw, y, w);
    const bool reject = blind     ? ++tried % 3 == 0 && h > 1.0 / 4096
                        : h > 0.3 ? true
                                  : h > 0.2 && std::abs(last_z) > 1;
    error.setConstant(reject ? 1.5 : 0.01);
  }
  mutable double last_z = 0;
  mutable Time last_h = 0;
  mutable int tried = 0;
};

constexpr Index paths = 250'000;  // a million accepted steps

/// One path from 0 to 1; what was accepted is appended to `seen`.
PathState<double, 1> run(std::uint64_t path, const Adversarial& how, Seen& seen) {
  using X = PathState<double, 1>;
  const Adaptive steps{.rtol = 1e-12, .atol = 1.0, .first_step = 0.25};  // neither sees x
  detail::AdaptiveSdeRun<Adversarial, Brownian, X> solver(how, steps, brownian, 1, {77, path});
  X x = X::Zero();
  Counts counts;
  for (Time t = 0; t < 1;) {
    const X before = x;
    const Time from = t;
    if (solver.try_step(x, t, 1.0, counts) != Status::success) FAIL("the run stopped");
    if (!solver.accepted()) continue;
    seen.h.push_back(t - from);
    seen.z.push_back((x(0) - before(0)) / std::sqrt(t - from));
  }
  return x;
}

}  // namespace

TEST_CASE("accepted increments are N(0, h) and independent under a controller blind to the noise") {
  std::vector<double> z, z2, z4, zz;

  for (std::uint64_t path = 0; path < paths; ++path) {
    Seen seen;
    run(path, {.blind = true}, seen);
    for (std::size_t i = 0; i < seen.z.size(); ++i) {
      z.push_back(seen.z[i]);
      z2.push_back(seen.z[i] * seen.z[i] - 1);
      z4.push_back(std::pow(seen.z[i], 4) - 3);
      if (i > 0) zz.push_back(seen.z[i] * seen.z[i - 1]);
    }
  }

  REQUIRE(z.size() >= 1'000'000);
  for (const auto* values : {&z, &z2, &z4, &zz}) {
    const auto m = RunningMoments::of(static_cast<Index>(values->size()), [&](Index j) {
      return (*values)[static_cast<std::size_t>(j)];
    });
    CHECK(std::abs(m.mean) < 5.1 * m.standard_error());
  }
}

TEST_CASE("under a controller that rejects large increments the path keeps its law") {
  // Four full steps, each halved where its z = dw / sqrt(h) has |z| > 1. Given dw the halves have
  // E (dw_1^2 + dw_2^2 - h) = (dw^2 - h) / 2, so the sum of dw^2 - h over the accepted steps has
  // the mean -E max(z^2 - 1, 0) / 2 = -phi(1): the choice shows in the steps, not in the path.
  const double phi = std::exp(-0.5) / std::sqrt(2 * M_PI);
  std::vector<double> end, end_square, quadratic, accepted_full, halved;

  for (std::uint64_t path = 0; path < paths; ++path) {
    Seen seen;
    const double w = run(path, {}, seen)(0);
    double sum = 0;
    for (std::size_t i = 0; i < seen.z.size(); ++i) {
      const double square = seen.z[i] * seen.z[i];
      sum += (square - 1) * seen.h[i];
      (seen.h[i] > 0.2 ? accepted_full : halved).push_back(square);
    }
    end.push_back(w);
    end_square.push_back(w * w);
    quadratic.push_back(sum);
  }

  const auto check = [](const std::vector<double>& values, double mean) {
    const auto m = RunningMoments::of(static_cast<Index>(values.size()),
                                      [&](Index j) { return values[static_cast<std::size_t>(j)]; });
    CHECK(std::abs(m.mean - mean) < 5.1 * m.standard_error());
  };
  const double inside = std::erf(std::sqrt(0.5));  // P(|z| < 1)
  check(end, 0);
  check(end_square, 1);
  check(quadratic, -phi);
  check(accepted_full, (inside - 2 * phi) / inside);
  check(halved, 0.5 + 0.5 * (1 - inside + 2 * phi) / (1 - inside));
}

TEST_CASE("the error of adaptive steps falls with the tolerance on every kind of noise") {
  const auto measure = [](const auto& process, const auto& x0) {
    using P = std::remove_cvref_t<decltype(process)>;
    using X = Block<double>;
    constexpr Index d = 2, n = 1;
    std::array<double, 3> errors{};
    for (std::uint64_t path = 0; path < 100; ++path) {
      X fine = x0, next = x0;
      BrownianTree<double> tree(5, path, n, wiener_dimension(process, d), 0, 1);
      Increment<P, X> dw;
      dw.resize(wiener_dimension(process, d), n);
      typename HeunSde::Workspace<X> workspace(d, n);
      const TimeGrid grid = uniform_grid(0, 1, 1 << 12);
      for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
        tree.increment(grid[k], grid[k + 1], dw);
        HeunSde{}.step(process, fine, grid[k], grid[k + 1] - grid[k], dw, next, workspace);
        fine.swap(next);
      }
      for (std::size_t i = 0; i < 3; ++i) {
        const double tolerance = std::pow(10.0, -1.0 - static_cast<double>(i));
        const Adaptive steps{.rtol = tolerance, .atol = tolerance, .first_step = 1};
        detail::AdaptiveSdeRun<HeunSde, P, X> solver({}, steps, process, d, {5, path});
        X x = x0;
        Counts counts;
        detail::Interval interval{.end = 1, .tries = 10'000'000};
        if (detail::run_to(solver, x, 0, interval, counts) != Status::success)
          FAIL("the run stopped");
        errors[i] += (x - fine).square().sum() / 100;
      }
    }
    for (double& error : errors) error = std::sqrt(error);
    INFO(errors[0] << ' ' << errors[1] << ' ' << errors[2]);
    CHECK(errors[1] < errors[0]);
    CHECK(errors[2] < errors[1]);
    CHECK(errors[2] < 0.25 * errors[0]);
  };
  const Block<double> start = Block<double>::Constant(2, 1, 1.0);
  const auto decay = [](const auto& x, double) { return Plain<decltype(x)>(x - x.cube()); };

  measure(make_sde<Calculus::stratonovich>(
              decay, [](double) { return 0.5; }, noise::additive),
          start);
  measure(make_sde<Calculus::stratonovich>(
              decay, [](const auto& x, double) { return Plain<decltype(x)>(0.5 * x.sin()); },
              noise::diagonal),
          start);
  measure(
      make_sde<Calculus::stratonovich>(
          decay, [](const auto& x, double, Index k, auto& out) { out = (k == 0 ? 0.4 : 0.2) * x; },
          noise::commutative(2)),
      start);
  measure(make_sde<Calculus::stratonovich>(
              decay,
              [](const auto& x, double, Index k, auto& out) {
                const double a = k == 0 ? 0.2 : 0.1, b = k == 0 ? 0.4 : 0.0;
                const double c = k == 0 ? 0.0 : 0.5, e = k == 0 ? 0.1 : -0.2;
                out.row(0) = a * x.row(0) + b * x.row(1);
                out.row(1) = c * x.row(0) + e * x.row(1);
              },
              noise::general(2)),
          start);
}
