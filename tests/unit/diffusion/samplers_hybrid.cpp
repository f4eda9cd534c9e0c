/// @file  samplers_hybrid.cpp
/// @brief Churn, Restart and the Langevin samplers: single steps by hand, and the exact law of each
///        on Gaussian data, where their schemes are linear.

#include "no_allocation.hpp"

#include <cmath>
#include <numbers>
#include <vector>

#include <fokker/diffusion/samplers/edm_churn.hpp>
#include <fokker/diffusion/samplers/langevin.hpp>
#include <fokker/diffusion/samplers/sde_dpm_solver.hpp>
#include <fokker/diffusion/schedule/time_grids.hpp>

#include "catch.hpp"
#include "linear_scheme.hpp"

using namespace fokker;
using test::GaussianScore;
using test::Law;

namespace {

using X = Block<double>;
using Model = ReverseSde<test::Process, GaussianScore>;

const test::Process vp{AnySchedule(VariancePreserving{})};
const test::Process edm{AnySchedule(Edm{})};

X block(double a, double b) {
  X x(1, 2);
  x << a, b;
  return x;
}

double difference(const X& a, const X& b) { return (a - b).abs().maxCoeff(); }

/// A step of two paths with the normals xi for dw and rows of `normals` for the others.
template <class Method, class S = double>
Block<S> step(const Method& method, const Model& model, const Block<S>& x, Time t, Time t_next,
              const X& xi = block(0, 0), const X& normals = {}) {
  Increment<Model, Block<S>> dw;
  dw.resize(1, 2, needs_of(method));
  dw.w = (std::sqrt(t - t_next) * xi).template cast<S>();
  if (normals.size() > 0) dw.normals = normals.template cast<S>();
  typename Method::template Workspace<Block<S>> workspace(1, 2);
  Block<S> y(1, 2);
  method.step(model, x, t, t_next, dw, y, workspace);
  return y;
}

/// Heun's step of EDM's flow in sigma.
X heun(const GaussianScore& score, const X& x, double sigma, double next) {
  const auto slope = [&](const X& at, double s) {
    X d(1, 2);
    score.denoise(at, s, d);
    return X((at - d) / s);
  };
  const X d = slope(x, sigma), euler = x + (next - sigma) * d;
  return next > 0 ? X(x + 0.5 * (next - sigma) * (d + slope(euler, next))) : euler;
}

}  // namespace

TEST_CASE("edm-churn takes the step of EDM's algorithm 2") {
  const GaussianScore score{edm, 0.5, 2.0};
  const Model model{edm, score, 0};
  const X x = block(-7, 9), xi = block(0.6, -1.3);
  const EdmChurn churn{.gamma = 0.2, .s_min = 1, .s_max = 6, .s_noise = 1.1};

  const double hat = 1.2 * 5;
  const X raised = x + std::sqrt(hat * hat - 25) * 1.1 * xi;
  CHECK(difference(step(churn, model, x, 5, 3, xi), heun(score, raised, hat, 3)) < 1e-13);
  CHECK(difference(step(churn, model, x, 5, 0, xi), heun(score, raised, hat, 0)) < 1e-13);
  CHECK(difference(step(churn, model, x, 8, 3, xi), heun(score, x, 8, 3)) < 1e-13);
  CHECK(difference(step(churn, model, x, 0.9, 0.3, xi), heun(score, x, 0.9, 0.3)) < 1e-13);
  const EdmChurn most{.gamma = 3, .s_min = 1, .s_max = 6, .s_noise = 1};
  const X all = heun(score, x + 5 * xi, 5 * std::numbers::sqrt2, 3);
  CHECK(difference(step(most, model, x, 5, 3, xi), all) < 1e-12);
}

TEST_CASE("edm-churn raises no noise above what the process has, and is finite at gamma = 0") {
  const GaussianScore score{edm, 0.5, 2.0};
  const Model model{edm, score, 0};
  const double top = edm.sigma(edm.end_time());
  const EdmChurn churn{.gamma = 0.2, .s_min = 0, .s_max = 1e9, .s_noise = 1};

  const X at_top = step(churn, model, block(-7, 9), top, 3, block(1, -1));
  CHECK(difference(at_top, heun(score, block(-7, 9), top, 3)) < 1e-12);
  for (const double gamma : {0.0, 1e-17, 1e-9}) {
    const EdmChurn little{.gamma = gamma, .s_min = 0, .s_max = 1e9, .s_noise = 1};
    for (const double t : {0.1, 1.7, 3.3}) {
      const Block<float> y =
          step(little, model, Block<float>(block(1, 2).cast<float>()), t, 0.5 * t, block(1, -1));
      CHECK(y.isFinite().all());
    }
  }
}

TEST_CASE("restart goes back up and down again, with other normals each time") {
  const GaussianScore score{edm, 0.5, 2.0};
  const Model model{edm, score, 0};
  const Restart restart{.intervals{RestartInterval{0.5, 2, 2, 2}}};
  const X x = block(-1, 3);
  X normals(2, 2);
  normals << 0.3, -0.8, 1.2, 0.4;

  const X y = step(restart, model, x, 0.8, 0.4, block(5, 5), normals);

  X expected = heun(score, x, 0.8, 0.4);
  const double middle = std::pow(0.5 * (std::pow(2, 1.0 / 7) + std::pow(0.4, 1.0 / 7)), 7);
  for (Index k = 0; k < 2; ++k) {
    expected += std::sqrt(4 - 0.16) * normals.row(k);
    expected = heun(score, heun(score, expected, 2, middle), middle, 0.4);
  }
  CHECK(difference(y, expected) < 1e-12);
  CHECK(difference(step(restart, model, x, 0.4, 0.2, block(5, 5), normals),
                   heun(score, x, 0.4, 0.2)) < 1e-14);
  CHECK(restart.extra_evaluations() == 8);
  CHECK(needs_of(restart).normals == 2);
}

TEST_CASE("restart has each interval's restarts where its noise is passed, with its own normals") {
  const GaussianScore score{edm, 0.5, 2.0};
  const Model model{edm, score, 0};
  const Restart two{.intervals{RestartInterval{1.5, 4, 1, 1}, RestartInterval{0.5, 2, 2, 1}},
                    .count = 2};
  const X x = block(-1, 3);
  X normals(3, 2);
  normals << 0.3, -0.8, 1.2, 0.4, -0.6, 0.9;
  const auto again = [&](const X& at, Time low, Time high, Index k) {
    return heun(score, X(at + std::sqrt(high * high - low * low) * normals.row(k)), high, low);
  };

  const X upper = step(two, model, x, 3, 1, block(5, 5), normals);
  const X lower = step(two, model, x, 0.8, 0.4, block(5, 5), normals);
  const X both = step(two, model, x, 3, 0.4, block(5, 5), normals);

  CHECK(difference(upper, again(heun(score, x, 3, 1), 1, 4, 0)) < 1e-12);
  CHECK(difference(lower, again(again(heun(score, x, 0.8, 0.4), 0.4, 2, 1), 0.4, 2, 2)) < 1e-12);
  const X first = again(heun(score, x, 3, 0.4), 0.4, 4, 0);
  CHECK(difference(both, again(again(first, 0.4, 2, 1), 0.4, 2, 2)) < 1e-12);
  CHECK(two.extra_evaluations() == 6);
  CHECK(needs_of(two).normals == 3);
}

TEST_CASE("each restart shrinks an error of the mean by what the flow back from it does") {
  for (const char* schedule : {"vp", "edm", "flow"}) {
    INFO(schedule);
    const test::Process process{make_schedule(schedule)};
    const GaussianScore score{process, 0.5, 0.25};
    const Model model{process, score, 0};
    const Time t = process.time_of_sigma(0.8), end = process.time_of_sigma(0.4);
    const TimeGrid grid{t, end};
    for (const int repeats : {1, 3}) {
      const Restart restart{.intervals{RestartInterval{0.5, 2, repeats, 800}}};
      const auto with = test::linear_steps(restart, model, grid);
      const auto without =
          test::linear_steps(Restart{.intervals{RestartInterval{.sigma_min = 0.1}}}, model, grid);

      const double factor = with[0].a(0, 0) / without[0].a(0, 0);
      CHECK_THAT(factor, WithinRel(std::pow((0.25 + 0.16) / (0.25 + 4), 0.5 * repeats), 1e-4));

      // with an exact law at the start of the restart the law stays exact
      const Law after = marginal(score, end);
      double variance = factor * factor * after.variance;
      variance += with[0].e.squaredNorm();
      CHECK_THAT(variance, WithinRel(after.variance, 1e-4));
    }
  }
}

TEST_CASE("edm-churn with gamma ~ 1/N keeps the marginals to order 2, on any process") {
  for (const char* schedule : {"vp", "ve", "edm", "flow"}) {
    const test::Process process{make_schedule(schedule)};
    const GaussianScore score{process, 0.5, 0.25};
    const Model model{process, score, 0};
    const Time start = process.time_of_sigma(2), end = process.time_of_sigma(0.3);
    std::vector<double> variance;
    for (const Index steps : {256, 512}) {
      const EdmChurn churn{
          .gamma = 3.0 / static_cast<double>(steps), .s_min = 0, .s_max = 10, .s_noise = 1};
      const TimeGrid grid = uniform_grid(start, end, steps);
      const auto taken = test::linear_steps(churn, model, grid);
      const Law law = test::propagate(taken, grid, marginal(score, start));
      variance.push_back(std::abs(law.variance - marginal(score, end).variance));
    }
    INFO(schedule << " " << variance.back());
    CHECK_THAT(test::last_order(variance), WithinAbs(2.0, 0.1));
  }
}

TEST_CASE("annealed-langevin takes the published steps, and tends to its law at a level") {
  const GaussianScore score{edm, 0.5, 2.0};
  const Model model{edm, score, 0};
  AnnealedLangevin sampler{.repeats = 2, .step_size = 0.1, .denoise = 1};
  const X x = block(-7, 9);
  X normals(2, 2);
  normals << 0.3, -0.8, 1.2, 0.4;
  const auto langevin = [&](const X& at, const X& z) {
    X value(1, 2);
    score(at, 3, value);
    return X(at + 0.9 * value + std::sqrt(1.8) * z);
  };
  const X level = langevin(langevin(x, normals.row(0)), normals.row(1));
  X d(1, 2);
  score.denoise(level, 3, d);

  CHECK(difference(step(sampler, model, x, 3, 2, block(5, 5), normals), level) < 1e-13);
  CHECK(difference(step(sampler, model, x, 3, 0, block(5, 5), normals), d) < 1e-13);
  X value(1, 2);
  score(level, 3, value);
  CHECK(difference(d, level + 9 * value) < 1e-12);
  sampler.denoise = 0;
  CHECK(difference(step(sampler, model, x, 3, 0, block(5, 5), normals), level) < 1e-13);

  // on x' = (1 - e/V) x + sqrt(2 e) z the variance tends to V / (1 - e/(2 V))
  const AnnealedLangevin many{.repeats = 400, .step_size = 0.3, .denoise = 0};
  const auto one = test::linear_steps(many, model, {3, 2});
  const double v = 2 + 9, e = 0.3 * 9;
  CHECK(std::abs(one[0].a(0, 0)) < 1e-10);
  CHECK_THAT(one[0].e.squaredNorm(), WithinRel(v / (1 - e / (2 * v)), 1e-10));
  CHECK_THAT(one[0].c[0], WithinAbs(0.5, 1e-10));
}

TEST_CASE("pc-langevin corrects the predictor at the end of its step, per path") {
  const GaussianScore score{vp, 0.5, 2.0};
  const Model model{vp, score, 1};
  const Time t = 0.7, t_next = 0.55;
  const X x = block(-1, 3), xi = block(0.6, -1.3), z = block(0.8, -0.5);
  PredictorCorrector<> pc{.snr = 0.2};

  const X predicted = step(ReverseDiffusion{}, model, x, t, t_next, xi);
  X value(1, 2);
  score(predicted, t_next, value);
  const double alpha = std::pow(vp.scale(t) / vp.scale(t_next), 2);
  const double e = 2 * alpha * std::pow(0.2 * vp.std(t_next), 2);
  const X expected = predicted + e * value + std::sqrt(2 * e) * z;
  CHECK(difference(step(pc, model, x, t, t_next, xi, z), expected) < 1e-13);

  pc.norms = 1;
  const X ratio = z / value, by_path = 2 * alpha * 0.04 * ratio.square();
  const X with_norms = predicted + by_path * value + (2 * by_path).sqrt() * z;
  CHECK(difference(step(pc, model, x, t, t_next, xi, z), with_norms) < 1e-13);
  const GaussianScore flat{vp, 0.5, 1e300};  // a score of zero moves nothing
  CHECK(step(pc, {vp, flat, 0}, x, t, t_next, xi, z).isFinite().all());

  CHECK(pc.facts().evaluations(NoiseKind::additive).drift == 2);
  CHECK(difference(step(pc, model, x, t, 0, xi, z), step(ReverseDiffusion{}, model, x, t, 0, xi)) ==
        0);
}

TEST_CASE("Langevin correctors pull an error of the law in by the factor of their steps") {
  const GaussianScore score{vp, 0.5, 0.25};
  const Time t = 0.31, t_next = 0.3;
  const TimeGrid grid{t, t_next};
  for (const int corrections : {0, 1, 200}) {
    const PredictorCorrector<DpmSolverPlusPlus1Sde> pc{.snr = 0.3, .corrections = corrections};
    const Model model{vp, score, 1};
    const auto with = test::linear_steps(pc, model, grid);
    const auto predictor = test::linear_steps(DpmSolverPlusPlus1Sde{}, model, grid);

    const double v = marginal(score, t_next).variance;
    const double alpha = std::pow(vp.scale(t) / vp.scale(t_next), 2);
    const double e = 2 * alpha * std::pow(0.3 * vp.std(t_next), 2);
    const double shrink = 1 - e / v, all = std::pow(shrink, corrections);
    CHECK_THAT(with[0].a(0, 0), WithinAbs(all * predictor[0].a(0, 0), 1e-12));
    const double stationary = v / (1 - e / (2 * v));
    CHECK_THAT(with[0].e.squaredNorm(), WithinAbs(stationary * (1 - all * all), 1e-10));
  }
}

TEST_CASE("the hybrids refuse an eta other than 0 and parameters that make no sense") {
  const GaussianScore score{vp, 0.5, 2.0};

  CHECK_THROWS_WITH(EdmChurn{}.check(Model{vp, score, 1}),
                    "edm-churn is defined for eta=0: got eta=1");
  CHECK_THROWS_WITH(Restart{}.check(Model{vp, score, 1}),
                    "restart is defined for eta=0: got eta=1");
  CHECK_THROWS_WITH(AnnealedLangevin{}.check(Model{vp, score, 1}),
                    "annealed-langevin is defined for eta=0: got eta=1");
  CHECK_THROWS_WITH((EdmChurn{.gamma = -1}.validate()), "edm-churn needs gamma >= 0: got -1");
  CHECK_THROWS_WITH((EdmChurn{.s_min = 2}.validate()), "edm-churn needs s_max >= s_min: got 1");
  CHECK_THROWS_WITH((Restart{.intervals{RestartInterval{.sigma_min = 1}}}.validate()),
                    "restart needs sigma_max > sigma_min and finite: got 0.3");
  CHECK_THROWS_WITH((Restart{.intervals{RestartInterval{.repeats = 0}}}.validate()),
                    "restart needs repeats >= 1, at most 10000: got 0");
  CHECK_THROWS_WITH((AnnealedLangevin{.step_size = 0}.validate()),
                    "annealed-langevin needs step > 0 and finite: got 0");
  CHECK_THROWS_WITH((PredictorCorrector<>{.corrections = -1}.validate()),
                    "pc-langevin needs corrections >= 0, at most 10000: got -1");
}

TEST_CASE("a run of a hybrid down to t = 0 stays finite, in float too") {
  const GaussianScore score{vp, 0.5, 2.0};
  const TimeGrid grid = make_grid("quadratic", vp.schedule, 1, 0, 12);
  const auto finite = [&](const auto& method) {
    X normals = X::Constant(std::max(needs_of(method).normals, 1), 2, 0.8);
    Block<float> x = block(1, -2).cast<float>();
    for (std::size_t k = 0; k + 1 < grid.size(); ++k)
      x = step(method, {vp, score, 0}, x, grid[k], grid[k + 1], block(1, -1),
               needs_of(method).normals > 0 ? normals : X{});
    return x.isFinite().all();
  };

  CHECK(finite(EdmChurn{}));
  CHECK(finite(EdmChurn{.gamma = 0.3, .s_min = 0, .s_max = 1e9}));
  CHECK(finite(Restart{}));
  CHECK(finite(Restart{.intervals{RestartInterval{.sigma_min = 1e-9}}}));
  CHECK(finite(PredictorCorrector<>{}));
  CHECK(finite(PredictorCorrector<>{.norms = 1}));
  CHECK(finite(AnnealedLangevin{}));
}

TEST_CASE("a step of a hybrid allocates nothing") {
  const AffineProcess process{VariancePreserving{}};
  const auto score = [](const auto& x, Time t) { return -x / (1 + t); };
  const ReverseSde reverse{process, score, 0.0};
  const auto frugal = [&](const auto& method) {
    using Method = std::remove_cvref_t<decltype(method)>;
    const X x = X::Constant(3, 64, 0.5);
    X y(3, 64);
    Increment<std::remove_cvref_t<decltype(reverse)>, X> dw;
    dw.resize(3, 64, needs_of(method));
    dw.normals.setConstant(0.5);
    typename Method::template Workspace<X> workspace(3, 64);

    {
      const NoAllocation guard;
      method.step(reverse, x, 0.2, 0.03, dw, y, workspace);
    }

    return y.isFinite().all();
  };

  CHECK(frugal(EdmChurn{}));
  CHECK(frugal(Restart{}));
  CHECK(frugal(PredictorCorrector<>{}));
  CHECK(frugal(PredictorCorrector<>{.norms = 1}));
  CHECK(frugal(AnnealedLangevin{}));
}
