/// @file  two_sided_interpolant.cpp
/// @brief Interpolants of two mixtures: their law, their velocity and their two ways back, with no
///        Monte Carlo.

#include "no_allocation.hpp"

#include <cmath>
#include <functional>
#include <numbers>
#include <vector>

#include <fokker/diffusion/data/finite_set.hpp>
#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/data/sphere.hpp>
#include <fokker/diffusion/model/probability_flow.hpp>
#include <fokker/diffusion/model/two_sided_interpolant.hpp>
#include <fokker/diffusion/schedule/affine_process.hpp>
#include <fokker/diffusion/score/exact_score.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>
#include <fokker/solvers/stratonovich/stochastic_heun.hpp>

#include "catch.hpp"
#include "gaussian_model.hpp"

using namespace fokker;

namespace {

using X = Block<double>;
using Weights = InterpolantPath::Weights;
using Gamma = InterpolantPath::Gamma;

const std::vector<InterpolantPath> paths{
    {Weights::linear, Gamma::root},        {Weights::linear, Gamma::sine},
    {Weights::linear, Gamma::none},        {Weights::trigonometric, Gamma::root},
    {Weights::trigonometric, Gamma::sine}, {Weights::trigonometric, Gamma::none}};

std::string name(const InterpolantPath& path) {
  return "weights " + std::to_string(static_cast<int>(path.weights)) + ", gamma " +
         std::to_string(static_cast<int>(path.noise));
}

const GaussianMixture line0({{0.3, {-1}, {0.09}}, {0.7, {0.8}, {0.16}}}),
    line1({{0.5, {-2}, {0.25}}, {0.2, {0.5}, {0.04}}, {0.3, {2}, {0.36}}});

const GaussianMixture plane0({{0.4, {-1, 0.3}, {0.5, 0.2, 0.2, 0.3}}, {0.6, {1, -0.5}, {0.2}}});
const Gaussian plane1(std::vector<double>{0.4, 0.1}, std::vector<double>{1.0, -0.6, -0.6, 0.7});

X points_of(Index d) {
  X x(d, 4);
  for (Index i = 0; i < x.size(); ++i) x(i) = std::sin(1.7 * static_cast<double>(i) + 0.4);
  return x;
}

/// What a member of the interpolant writes at (x, t).
template <class F>
X value(const X& x, const F& member) {
  X out(x.rows(), x.cols());
  member(x, out);
  return out;
}

X velocity(const TwoSidedInterpolant& p, const X& x, Time t) {
  return value(x, [&](const X& at, X& out) { p.velocity(at, t, out); });
}
X score(const TwoSidedInterpolant& p, const X& x, Time t) {
  return value(x, [&](const X& at, X& out) { p.score(at, t, out); });
}
X denoised(const TwoSidedInterpolant& p, const X& x, Time t) {
  return value(x, [&](const X& at, X& out) { p.denoise(at, t, out); });
}
X denoised_base(const TwoSidedInterpolant& p, const X& x, Time t) {
  return value(x, [&](const X& at, X& out) { p.denoise_base(at, t, out); });
}
X latent(const TwoSidedInterpolant& p, const X& x, Time t) {
  return value(x, [&](const X& at, X& out) { p.noise(at, t, out); });
}

double largest(const X& x) { return x.abs().maxCoeff(); }

/// The most by which d log p / dt + b . grad log p + div b differs from 0 at four points, by
/// central differences of fourth order.
template <class Velocity>
double continuity_residual(const TwoSidedInterpolant& p, Time t, const Velocity& b) {
  const double h = 3e-4;
  const X x = points_of(p.dimension());
  const auto slope = [h](const auto& f) {
    return ((8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h)).eval();
  };
  const auto law = p.marginal(t);
  Eigen::ArrayXd sum =
      slope([&](double s) { return p.marginal(t + s).log_density(x, 1, 0); }).transpose();
  const X at = b(x, t);
  for (Index i = 0; i < x.rows(); ++i) {
    const auto moved = [&](double s) {
      X y = x;
      y.row(i) += s;
      return y;
    };
    sum += at.row(i).transpose() *
           slope([&](double s) { return law.log_density(moved(s), 1, 0); }).transpose();
    sum += slope([&](double s) { return b(moved(s), t).row(i).eval(); }).transpose();
  }
  return sum.abs().maxCoeff();
}

/// The law after the steps of a solver on a process with its own clock, exactly.
template <class Solver, class P>
test::Law push(const Solver& solver, const P& p, const TimeGrid& grid, test::Law law) {
  std::vector<test::AffineStep> steps;
  for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
    const double h = grid[k + 1] - grid[k];
    steps.push_back(h < 0 ? test::probe_down(solver, p, grid[k], grid[k + 1])
                          : test::probe(solver, p, grid[k], grid[k + 1]));
  }
  return test::propagate(steps, grid, law);
}

/// F^-1(rank) of a mixture on the line, and F.
double rank_of(const GaussianMixture& law, double x) {
  double sum = 0;
  for (const MixtureComponent& c : law.components())
    sum += c.weight * 0.5 * std::erfc((c.mean[0] - x) / std::sqrt(2 * c.covariance[0]));
  return sum;
}
double quantile(const GaussianMixture& law, double rank) {
  double low = -20, high = 20;
  for (int i = 0; i < 80; ++i) {
    const double middle = 0.5 * (low + high);
    (rank_of(law, middle) < rank ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

}  // namespace

TEST_CASE("the law of an interpolant obeys the continuity equation of its velocity") {
  const std::vector<TwoSidedInterpolant> ends{{line0, line1}, {plane0, plane1}};
  for (const TwoSidedInterpolant& end : ends)
    for (const InterpolantPath& path : paths) {
      const TwoSidedInterpolant p(end.data(), end.base(), path);
      for (const Time t : {0.1, 0.35, 0.8}) {
        INFO("d = " << p.dimension() << ", " << name(path) << ", t = " << t);
        CHECK(continuity_residual(p, t, [&](const X& x, Time at) { return velocity(p, x, at); }) <
              2e-8);
        // and not without the part of z
        const double rate = path.half_variance_rate(t);
        const auto without = [&](const X& x, Time at) {
          return value(x, [&](const X& y, X& out) { p.drift(y, at, -rate, out); });
        };
        if (path.noise != Gamma::none) CHECK(continuity_residual(p, t, without) > 1e-3);
      }
    }
}

TEST_CASE("the score of an interpolant is that of its marginal, also at both ends") {
  const std::vector<TwoSidedInterpolant> ends{{line0, line1}, {plane0, plane1}};
  for (const TwoSidedInterpolant& end : ends)
    for (const InterpolantPath& path : paths) {
      const TwoSidedInterpolant p(end.data(), end.base(), path);
      const X x = points_of(p.dimension());
      X expected(x.rows(), x.cols());
      INFO("d = " << p.dimension() << ", " << name(path));
      for (const Time t : {0.0, 0.2, 0.7, 1.0}) {
        p.marginal(t).score(x, 1, 0, expected);
        CHECK(largest(score(p, x, t) - expected) < 1e-12 * largest(expected));
      }
      p.data().score(x, 1, 0, expected);
      CHECK(largest(score(p, x, 0) - expected) < 1e-12 * largest(expected));
      p.base().score(x, 1, 0, expected);
      CHECK(largest(score(p, x, 1) - expected) < 1e-12 * largest(expected));
    }
}

TEST_CASE("velocity and drift have their limits at both ends") {
  for (const InterpolantPath& path : paths) {
    INFO(name(path));
    const TwoSidedInterpolant p(plane0, plane1, path);
    const X x = points_of(2);
    const Eigen::ArrayXd mean0 = plane0.mean(), mean1 = plane1.mean();
    for (const Time t : {0.0, 1.0}) {
      const double own = t == 0 ? path.alpha_rate(t) : path.beta_rate(t),
                   other = t == 0 ? path.beta_rate(t) : path.alpha_rate(t),
                   rate = path.noise == Gamma::root ? 0.5 - t : 0;
      X expected = own * x - rate * score(p, x, t);
      expected.colwise() += other * (t == 0 ? mean1 : mean0);
      const Time inside = t == 0 ? 1e-9 : 1 - 1e-9;

      CHECK(largest(velocity(p, x, t) - expected) < 1e-12);
      CHECK(largest(velocity(p, x, inside) - expected) < 1e-6);
      CHECK(largest(denoised(p, x, t) - denoised(p, x, inside)) < 1e-6);
      CHECK(largest(denoised_base(p, x, t) - denoised_base(p, x, inside)) < 1e-6);
      CHECK(largest(denoised_base(p, x, 1) - x) < 1e-14);
      CHECK(largest(denoised(p, x, 0) - x) < 1e-14);
    }
  }
}

TEST_CASE("the denoisers of an interpolant are posterior means, and make up velocity and score") {
  const double h = 0.01, reach = 6;
  for (const InterpolantPath& path : paths) {
    const TwoSidedInterpolant p(line0, line1, path);
    for (const Time t : {0.15, 0.6}) {
      INFO(name(path) << ", t = " << t);
      const double alpha = path.alpha(t), beta = path.beta(t), gamma = path.gamma(t);
      const X x = points_of(1);
      // E[x0|x] by quadrature over x0: x - alpha x0 has the law of beta x1 + gamma z.
      X total = X::Zero(1, 4), sum = X::Zero(1, 4);
      for (double x0 = -reach; x0 <= reach; x0 += h) {
        const X here = X::Constant(1, 1, x0), rest = x - alpha * x0;
        const X weight =
            (line0.log_density(here, 1, 0)(0) + line1.log_density(rest, beta, gamma)).exp();
        total += weight;
        sum += weight * x0;
      }
      const X e0 = denoised(p, x, t), e1 = denoised_base(p, x, t), z = latent(p, x, t),
              s = score(p, x, t), b = velocity(p, x, t);

      CHECK(largest(e0 - sum / total) < 1e-10);
      CHECK(largest(alpha * e0 + beta * e1 + gamma * z - x) < 1e-13);
      CHECK(largest(z + gamma * s) < 1e-13);
      CHECK(largest(path.alpha_rate(t) * e0 + path.beta_rate(t) * e1 -
                    path.half_variance_rate(t) * s - b) < 1e-12);
      CHECK(largest(value(x, [&](const X& at, X& out) { p.drift(at, t, 0.7, out); }) -
                    (b - 0.7 * s)) < 1e-12);
    }
  }
}

TEST_CASE("with a normal base an interpolant is the affine process that exists") {
  const GaussianSpectrum normal(Eigen::VectorXd::Zero(2), Eigen::VectorXd::Ones(2));
  const FiniteSet set(std::vector<double>{0.3, -0.2, 1, 0.5, -0.7, 0.8}, 2);
  const auto equal = [&](const auto& schedule, InterpolantPath path) {
    for (const AnyData& data : {AnyData(plane0), AnyData(set)}) {
      const AffineProcess affine{schedule};
      const auto exact = exact_score(affine, data);
      const TwoSidedInterpolant p(data, normal, path);
      for (const Time t : {0.02, 0.4, 0.95, 1.0}) {
        INFO(schedule.name << ", " << to_string(data.kind()) << ", t = " << t);
        const X x = points_of(2);
        X expected(2, 4);

        exact(x, t, expected);
        CHECK(largest(score(p, x, t) - expected) < 1e-11 * largest(expected));
        ProbabilityFlow{affine, exact}.drift(x, t, expected);
        CHECK(largest(velocity(p, x, t) - expected) < 1e-11 * largest(expected));
        exact.denoise(x, t, expected);
        CHECK(largest(denoised(p, x, t) - expected) < 1e-11 * largest(expected));
        CHECK(largest(p.marginal(t).log_density(x, 1, 0) -
                      data.log_density(x, affine.scale(t), affine.std(t))) < 1e-9);
      }
    }
  };
  equal(StochasticInterpolant{StochasticInterpolant::Gamma::root}, {Weights::linear, Gamma::root});
  equal(StochasticInterpolant{StochasticInterpolant::Gamma::sine}, {Weights::linear, Gamma::sine});
  equal(FlowMatching{}, {Weights::linear, Gamma::none});
  equal(TrigonometricVariancePreserving{}, {Weights::trigonometric, Gamma::none});
}

TEST_CASE("flow and SDEs carry one Gaussian to the other, for every epsilon and both ways") {
  const auto normal = [](const test::Law& law) {
    return GaussianSpectrum(std::vector<double>{law.mean}, std::vector<double>{law.variance});
  };
  const test::Law data{0.5, 0.2}, base{-1, 1.5};
  const auto converges = [&](const auto& solver, const auto& model, bool down, bool holds = true) {
    const test::Law start = down ? base : data, end = down ? data : base;
    std::vector<double> errors;
    for (const Index n : {400, 800})
      errors.push_back(test::distance(
          push(solver, model, down ? uniform_grid(1, 0, n) : uniform_grid(0, 1, n), start), end));
    INFO("errors " << errors[0] << " " << errors[1]);
    if (holds) {
      CHECK(errors[1] < 1e-4);
      CHECK_THAT(test::last_order(errors), WithinAbs(2, 0.15));
    } else {
      CHECK(errors[1] > 0.05);
    }
  };
  for (const InterpolantPath& path : paths) {
    INFO(name(path));
    const TwoSidedInterpolant p(normal(data), normal(base), path);
    const auto varying = [](Time t) { return 0.3 + t * t; };

    converges(Heun{}, InterpolantFlow{p}, true);
    converges(Heun{}, InterpolantFlow{p}, false);
    for (const double epsilon : {0.2, 1.0}) {
      converges(HeunSde{}, ReverseInterpolantSde{p, epsilon}, true);
      converges(HeunSde{}, ForwardInterpolantSde{p, epsilon}, false);
    }
    converges(HeunSde{}, ReverseInterpolantSde{p, varying}, true);
    converges(HeunSde{}, ForwardInterpolantSde{p, varying}, false);
    // with the sign of the other clock
    converges(HeunSde{}, ForwardInterpolantSde{p, 0.2}, true, false);
  }
}

TEST_CASE("on the line the flow is the quantile map, with the order of its solver") {
  for (const InterpolantPath& path : paths) {
    INFO(name(path));
    const TwoSidedInterpolant p(line0, line1, path);
    const std::vector<double> ranks{0.05, 0.3, 0.62, 0.9};
    const auto error = [&](const auto& solver, Index n) {
      const TimeReversed<InterpolantFlow<TwoSidedInterpolant>> down{{p}};
      using Solver = std::remove_cvref_t<decltype(solver)>;
      typename Solver::template Workspace<X> workspace(1, 4);
      const Increment<TimeReversed<InterpolantFlow<TwoSidedInterpolant>>, X> none;
      X x(1, 4), y(1, 4);
      for (Index j = 0; j < 4; ++j) x(j) = quantile(line1, ranks[static_cast<std::size_t>(j)]);
      const TimeGrid grid = uniform_grid(1, 0, n);
      for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
        solver.step(down, x, -grid[k], grid[k] - grid[k + 1], none, y, workspace);
        x.swap(y);
      }
      double worst = 0;
      for (Index j = 0; j < 4; ++j)
        worst =
            std::max(worst, std::abs(x(j) - quantile(line0, ranks[static_cast<std::size_t>(j)])));
      return worst;
    };

    const std::vector<double> heun{error(Heun{}, 400), error(Heun{}, 800)},
        rk4{error(Rk4{}, 400), error(Rk4{}, 800)};
    INFO("Heun " << heun[0] << " " << heun[1] << ", RK4 " << rk4[0] << " " << rk4[1]);
    CHECK(heun[1] < 1e-4);
    CHECK(rk4[1] < 1e-9);
    CHECK_THAT(test::last_order(heun), WithinAbs(2, 0.2));
    CHECK_THAT(test::last_order(rk4), WithinAbs(4, 0.25));
  }
}

TEST_CASE(
    "adaptive steps take the flow to the data, and ensembles the SDE, both up to t = 0 and 1") {
  const TwoSidedInterpolant p(line0, line1);
  const PathState<double, 1> start(quantile(line1, 0.3));

  const auto down =
      integrate(InterpolantFlow{p}, Dopri5{}, Adaptive{.rtol = 1e-9, .atol = 1e-9}, start, {1, 0});
  REQUIRE(down.status == Status::success);
  CHECK_THAT(down.end(0), WithinAbs(quantile(line0, 0.3), 1e-7));
  const auto up = integrate(InterpolantFlow{p}, Dopri5{}, Adaptive{.rtol = 1e-9, .atol = 1e-9},
                            down.end, {0, 1});
  CHECK_THAT(up.end(0), WithinAbs(start(0), 1e-7));

  const Index count = 4096;
  const auto ensemble =
      simulate(ReverseInterpolantSde{p, 0.5}, HeunSde{}, OnGrid{uniform_grid(1, 0, 100)}, p.base(),
               {.paths = count, .seed = 5}, Moments{});
  const double variance = line0.variance()[0];
  CHECK(std::abs(ensemble.value.mean[0] - line0.mean()[0]) < 4 * std::sqrt(variance / count));
  CHECK(std::abs(ensemble.value.variance[0] / variance - 1) < 4 * std::sqrt(2.0 / count));
}

TEST_CASE("the law of an interpolant obeys the Fokker-Planck equation of its SDEs") {
  // d E[f(x_t)] / dt = +- E[drift f' + diffusion^2/2 f''], by quadrature over the line
  const TwoSidedInterpolant p(line0, line1);
  const auto epsilon = [](Time t) { return 0.4 + 0.5 * t; };
  const ReverseInterpolantSde reverse{p, epsilon};
  const ForwardInterpolantSde forward{p, epsilon};
  const Index n = 3000;
  const X x =
      X::NullaryExpr(1, n, [](Index, Index j) { return 6e-3 * static_cast<double>(j) - 9; });
  const X f = x.sin(), slope = x.cos(), curvature = -x.sin();
  const auto mean = [&](Time t, const X& of) {
    return 6e-3 * (p.marginal(t).log_density(x, 1, 0).exp() * of).sum();
  };
  for (const Time t : {0.2, 0.5, 0.9}) {
    const double h = 1e-4, rate = (mean(t + h, f) - mean(t - h, f)) / (2 * h);
    X down(1, n), up(1, n);
    reverse.drift(x, t, down);
    forward.drift(x, t, up);
    const double g = forward.diffusion(t);

    CHECK(reverse.diffusion(t) == g);
    CHECK_THAT(mean(t, up * slope + 0.5 * g * g * curvature), WithinAbs(rate, 1e-7));
    CHECK_THAT(mean(t, down * slope - 0.5 * g * g * curvature), WithinAbs(rate, 1e-7));
    CHECK(std::abs(mean(t, up * slope - 0.5 * g * g * curvature) - rate) > 0.01);
  }
}

TEST_CASE(
    "between finite sets an interpolant has its law inside (0, 1) and its denoisers at the ends") {
  const FiniteSet a(std::vector<double>{0, 0, 1, 1}, 2),
      b(std::vector<double>{2, -1, -1, 2, 0, 3}, 2);
  const TwoSidedInterpolant p(a, b);
  X x(2, 2), expected(2, 2);
  x << 0.2, 0.9, 0.1, 0.8;

  CHECK(continuity_residual(p, 0.4, [&](const X& y, Time t) { return velocity(p, y, t); }) < 1e-7);
  expected << 0, 1, 0, 1;
  CHECK(largest(denoised(p, x, 0) - expected) == 0);
  CHECK(largest(denoised(p, x, 1e-4) - expected) < 1e-12);
  expected << 0.5, 0.5, 0.5, 0.5;
  CHECK(largest(denoised(p, x, 1) - expected) < 1e-15);
  expected << 2, 2, -1, -1;
  CHECK(largest(denoised_base(p, x, 1) - expected) == 0);
  expected << 1.0 / 3, 1.0 / 3, 4.0 / 3, 4.0 / 3;
  CHECK(largest(denoised_base(p, x, 0) - expected) < 1e-15);
  // at m + u next to the point m the velocity is that of z, gamma' u / gamma = u / (2 t)
  const Time t = 1e-6;
  X near(2, 1), v(2, 1);
  near << 1e-3, -1e-3;
  p.velocity(near, t, v);
  CHECK(largest(v * t - 0.5 * near) < 1e-2 * largest(near));

  const std::string text =
      "the interpolant has no density at t=0: its law there is of points or "
      "flat; use 0 < t < 1 and a gamma that is not none";
  CHECK_THROWS_WITH(velocity(p, x, 0), text);
  CHECK_THROWS_WITH(p.marginal(0), text);
  const TwoSidedInterpolant bare(a, b, {.noise = Gamma::none});
  CHECK_THROWS_WITH(score(bare, x, 0.5), ContainsSubstring("no density at t=0.5"));
}

TEST_CASE("a flat Gaussian has no density at its end, to rounding, and one beside it") {
  const Gaussian flat(std::vector<double>{0, 0}, std::vector<double>{0.01, 0.03, 0.03, 0.09});
  const TwoSidedInterpolant p(flat, plane1);
  const X x = points_of(2);

  CHECK_THROWS_WITH(score(p, x, 0), ContainsSubstring("no density at t=0:"));
  CHECK_THROWS_WITH(p.marginal(0), ContainsSubstring("no density at t=0:"));
  CHECK(continuity_residual(p, 0.3, [&](const X& y, Time t) { return velocity(p, y, t); }) < 2e-8);
  CHECK(velocity(p, x, 1e-4).isFinite().all());
}

TEST_CASE("a step that overshoots an end by rounding is at the end") {
  const TwoSidedInterpolant p(plane0, plane1);
  const X x = points_of(2);
  CHECK(largest(velocity(p, x, -1e-16) - velocity(p, x, 0)) < 1e-13);
  CHECK(largest(latent(p, x, 1 + 4e-16)) < 1e-6);
  CHECK_THROWS_WITH(
      velocity(TwoSidedInterpolant(FiniteSet(std::vector<double>{0, 1}, 2), plane1), x, -1e-16),
      ContainsSubstring("no density at t=0:"));
}

TEST_CASE("an interpolant takes float blocks, and does not allocate once it has") {
  for (const TwoSidedInterpolant& p :
       {TwoSidedInterpolant(plane0, plane1), TwoSidedInterpolant(line0, line1)}) {
    const X x = points_of(p.dimension());
    const Block<float> x_float = x.cast<float>();
    Block<float> out_float(x.rows(), 4);
    X out(x.rows(), 4);
    p.drift(x, 0.3, 0.5, out);
    p.drift(x_float, 0.3, 0.5, out_float);
    CHECK((out_float.cast<double>() - out).abs().maxCoeff() < 1e-5 * largest(out));

    const NoAllocation guard;
    p.drift(x, 0.4, 0.5, out);
    p.drift(x_float, 0.4, 0.5, out_float);
  }
}

TEST_CASE("what an interpolant cannot take is refused in one line") {
  const GaussianSpectrum three(Eigen::VectorXd::Zero(3), Eigen::VectorXd::Ones(3));
  CHECK_THROWS_WITH(TwoSidedInterpolant(plane0, three),
                    "both ends of an interpolant need the same dimension: got 2 and 3");
  CHECK_THROWS_WITH(TwoSidedInterpolant(three, Sphere(3, 1)),
                    "the ends of an interpolant are Gaussian, Gaussian mixtures or finite sets: x1 "
                    "is a sphere");
  const TwoSidedInterpolant p(plane0, plane1);
  CHECK_THROWS_WITH(velocity(p, points_of(2), 1.5),
                    "the times of an interpolant lie in [0, 1]: got t=1.5");
  CHECK_THROWS_WITH(velocity(p, points_of(1), 0.5),
                    "the interpolant has dimension 2, the state has 1 rows");
}
