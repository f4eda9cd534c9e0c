/// @file  unit/sde/reversible_heun.cpp
/// @brief Reversible Heun: its formula on every kind of noise, its way back, its cost and order.

#include "no_allocation.hpp"

#include <cmath>
#include <vector>

#include "catch.hpp"

#include <fokker/solvers/noise/brownian.hpp>
#include <fokker/solvers/stratonovich/reversible_heun.hpp>

using namespace fokker;

namespace {

using B = Block<double>;

/// A nonlinear system with time in all coefficients; calls are counted.
template <NoiseKind kind>
struct Nonlinear {
  static constexpr Calculus calculus = Calculus::stratonovich;
  static constexpr NoiseKind noise = kind;
  mutable int drifts = 0, diffusions = 0;

  template <State X>
  void drift(const X& x, Time t, X& out) const {
    using S = typename X::Scalar;
    ++drifts;
    out.row(0) = S(std::cos(t)) * x.row(1) - S(0.3) * x.row(0).square();
    out.row(1) = S(0.5) * x.row(0).sin() - x.row(1);
  }
  PathState<double, 2> diffusion(Time t) const requires(kind == NoiseKind::additive) {
    return PathState<double, 2>(0.4 + t, 0.3 * std::cos(t));
  }
  template <State X>
  void diffusion(const X& x, Time t, X& out) const
      requires(kind == NoiseKind::scalar || kind == NoiseKind::diagonal) {
    ++diffusions;
    out = typename X::Scalar(0.5 + 0.2 * t) * x.cos();
  }
  template <State X>
  void diffusion(const X& x, Time t, Index k, X& out) const requires(by_columns(kind)) {
    using S = typename X::Scalar;
    out.row(0) = S(k == 0 ? 0.3 : t) * x.row(1);
    out.row(1) = S(k == 0 ? 0.2 : -0.4) * x.row(0).cos();
  }
  Index sources() const requires(by_columns(kind)) { return 2; }
};

/// sum_k g_k(x, t) dw_k of one path on plain numbers.
template <NoiseKind kind>
Eigen::Array2d noise_by_hand(const Eigen::Array2d& x, Time t, const Eigen::Array2d& dw) {
  if constexpr (kind == NoiseKind::additive)
    return Eigen::Array2d(0.4 + t, 0.3 * std::cos(t)) * dw;
  else if constexpr (kind == NoiseKind::scalar)
    return (0.5 + 0.2 * t) * x.cos() * dw[0];
  else if constexpr (kind == NoiseKind::diagonal)
    return (0.5 + 0.2 * t) * x.cos() * dw;
  else
    return {(0.3 * dw[0] + t * dw[1]) * x[1], (0.2 * dw[0] - 0.4 * dw[1]) * std::cos(x[0])};
}
Eigen::Array2d drift_by_hand(const Eigen::Array2d& x, Time t) {
  return {std::cos(t) * x[1] - 0.3 * x[0] * x[0], 0.5 * std::sin(x[0]) - x[1]};
}

const TimeGrid grid{0.2, 0.3, 0.45, 0.5, 0.7, 0.73, 0.9};

/// One increment per step of the grid.
template <NoiseKind kind, class S = double>
auto increments(Index n) {
  using P = Nonlinear<kind>;
  const Index m = kind == NoiseKind::scalar ? 1 : 2;
  BrownianIncrements<S> source(4, 0, n, m);
  std::vector<Increment<P, Block<S>>> all(grid.size() - 1);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].resize(m, n);
    source.increment(grid[i], grid[i + 1], all[i]);
  }
  return all;
}

template <class S>
Block<S> start(Index n) {
  Block<S> x(2, n);
  for (Index j = 0; j < n; ++j) x.col(j) << S(0.8) + S(0.1) * S(j), S(-0.4);
  return x;
}

template <NoiseKind kind, class S>
void check_formula(double tolerance) {
  constexpr Index n = 3;
  const Nonlinear<kind> process;
  require_compatible<ReversibleHeun, Nonlinear<kind>>();
  static_assert(Stepper<ReversibleHeun, Nonlinear<kind>, Block<S>>);
  const auto dw = increments<kind, S>(n);
  Block<S> x = start<S>(n), y(2, n);
  ReversibleHeun::Workspace<Block<S>> w(2, n);
  Eigen::Array2d want = x.col(1).template cast<double>(), u = want;
  for (std::size_t i = 0; i < dw.size(); ++i) {
    const Time t = grid[i], h = grid[i + 1] - t;
    {
      const NoAllocation guard(kind != NoiseKind::additive);  // whose coefficient returns an array
      ReversibleHeun{}.step(process, x, t, h, dw[i], y, w);
    }
    x.swap(y);

    Eigen::Array2d v = Eigen::Array2d::Zero();
    for (Index k = 0; k < dw[i].w.rows(); ++k) v[k] = static_cast<double>(dw[i].w(k, 1));
    const Eigen::Array2d before = h * drift_by_hand(u, t) + noise_by_hand<kind>(u, t, v);
    u = 2 * want - u + before;
    const Eigen::Array2d after = h * drift_by_hand(u, t + h) + noise_by_hand<kind>(u, t + h, v);
    want += 0.5 * (before + after);

    CHECK((x.col(1).template cast<double>() - want).abs().maxCoeff() < tolerance);
    CHECK((w.memory[0].col(1).template cast<double>() - u).abs().maxCoeff() < tolerance);
  }
}

template <NoiseKind kind>
void check_way_back() {
  constexpr Index n = 2;
  const Nonlinear<kind> process;
  const auto dw = increments<kind>(n);
  ReversibleHeun::Workspace<B> w(2, n);
  std::vector<B> states{start<double>(n)}, second;
  for (std::size_t i = 0; i < dw.size(); ++i) {
    B y(2, n);
    ReversibleHeun{}.step(process, states[i], grid[i], grid[i + 1] - grid[i], dw[i], y, w);
    states.push_back(y);
    second.push_back(w.memory[0]);
  }
  REQUIRE((states.back() - states.front()).abs().minCoeff() > 1e-3);

  B x = states.back(), before(2, n);
  for (std::size_t i = dw.size(); i-- > 0;) {
    CHECK((w.memory[0] - second[i]).abs().maxCoeff() < 1e-14);
    ReversibleHeun{}.reverse_step(process, x, grid[i], grid[i + 1] - grid[i], dw[i], before, w);
    x.swap(before);
    CHECK((x - states[i]).abs().maxCoeff() < 1e-14);
  }
  CHECK((w.memory[0] - states[0]).abs().maxCoeff() < 1e-14);  // u starts as x
}

}  // namespace

TEST_CASE("reversible Heun steps by its formula on every kind of noise, in double and float") {
  check_formula<NoiseKind::additive, double>(1e-15);
  check_formula<NoiseKind::scalar, double>(1e-15);
  check_formula<NoiseKind::diagonal, double>(1e-15);
  check_formula<NoiseKind::general, double>(1e-15);
  check_formula<NoiseKind::diagonal, float>(1e-6);
}

TEST_CASE("the reverse steps lead back along the path to rounding, with the carried state") {
  check_way_back<NoiseKind::additive>();
  check_way_back<NoiseKind::scalar>();
  check_way_back<NoiseKind::diagonal>();
  check_way_back<NoiseKind::general>();
}

TEST_CASE("a step costs one drift and one diffusion, the first one more of each") {
  const Nonlinear<NoiseKind::diagonal> process;
  const auto dw = increments<NoiseKind::diagonal>(1);
  ReversibleHeun::Workspace<B> w(2, 1);
  B x = start<double>(1), y(2, 1);
  for (std::size_t i = 0; i < dw.size(); ++i) {
    ReversibleHeun{}.step(process, x, grid[i], grid[i + 1] - grid[i], dw[i], y, w);
    x.swap(y);
  }

  const int steps = static_cast<int>(dw.size());
  const Evaluations said = ReversibleHeun::facts.evaluations(NoiseKind::diagonal);
  CHECK(process.drifts == said.drift * steps + 1);
  CHECK(process.diffusions == said.diffusion * steps + 1);
}

TEST_CASE("a copied workspace goes on by itself") {
  const Nonlinear<NoiseKind::diagonal> process;
  const auto dw = increments<NoiseKind::diagonal>(1);
  ReversibleHeun::Workspace<B> w(2, 1);
  const B x = start<double>(1);
  B middle(2, 1), end(2, 1), other(2, 1);
  ReversibleHeun{}.step(process, x, grid[0], 0.1, dw[0], middle, w);
  auto copy = w;

  ReversibleHeun{}.step(process, middle, grid[1], 0.15, dw[1], end, w);
  ReversibleHeun{}.step(process, middle, grid[1], 0.15, dw[1], other, copy);

  CHECK((end == other).all());
}

TEST_CASE("reversible Heun has order 2 where the noise vanishes") {
  const Nonlinear<NoiseKind::diagonal> process;
  const auto run = [&](int steps) {
    ReversibleHeun::Workspace<B> w(2, 1);
    Increment<Nonlinear<NoiseKind::diagonal>, B> dw;
    dw.resize(2, 1);
    B x = start<double>(1), y(2, 1);
    for (int i = 0; i < steps; ++i) {
      ReversibleHeun{}.step(process, x, 1.0 * i / steps, 1.0 / steps, dw, y, w);
      x.swap(y);
    }
    return x;
  };
  const B exact = run(1 << 14);
  const double coarse = (run(64) - exact).abs().maxCoeff(),
               fine = (run(128) - exact).abs().maxCoeff();

  CHECK_THAT(std::log2(coarse / fine), WithinAbs(2, 0.05));
}
