/// @file  unit/analysis/ledger.cpp
/// @brief The parts of the error on Gaussian data: closed forms, sums, eigenmodes and traces.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>

#include "catch.hpp"

#include <fokker/analysis/compare/comparison.hpp>
#include <fokker/analysis/distance/distances.hpp>
#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/diffusion/schedule/time_grids.hpp>

#include "linear_scheme.hpp"

using namespace fokker;

namespace {

const Eigen::Vector3d mean(0.5, -1, 0), variance(2, 0.3, 0.01);

ComparisonSettings settings(std::string process, std::string sampler, Index steps) {
  ComparisonSettings s;
  s.process = std::move(process);
  s.data = GaussianSpectrum(mean, variance);
  s.data_name = "three modes";
  s.samplers = {std::move(sampler)};
  s.steps = {steps};
  s.exact = true;
  return s;
}

double square(double x) { return x * x; }

}  // namespace

TEST_CASE("a bias of the score moves the law by the closed form, flow and reverse SDE apart") {
  constexpr double bias = 0.2, from = 0.5, to = 3, end = 0.1;
  for (const double eta : {0.0, 1.0}) {
    ComparisonSettings s = settings("edm", "exponential-euler-maruyama", 100);
    s.eta = eta;
    s.t_min = end;
    s.init = Init::exact;
    s.score_error = {.bias = bias, .from = from, .to = to};
    // s = 1, r = sigma^2: the mean moves by int b k ((v + r_end)/(v + r))^k dr, k = (1 + eta^2)/2
    double shift = 0;
    for (Index i = 0; i < 3; ++i) {
      const double v = variance[i], a = v + from * from, b = v + to * to, e = v + end * end;
      const double moved = eta == 1 ? bias * e * std::log(b / a)
                                    : bias * std::sqrt(e) * (std::sqrt(b) - std::sqrt(a));
      shift += square(moved);
    }

    const ComparisonRow row = compare(s).rows.front();

    INFO("eta=" << eta);
    REQUIRE(row.error_score.has_value());
    CHECK_THAT(*row.error_score, WithinRel(std::sqrt(shift), 1e-8));
    CHECK(row.error <= *row.error_init + *row.error_truncation + *row.error_discretisation +
                           *row.error_score + 1e-12);
  }
}

TEST_CASE("along paths the score error is the distance of both solutions from the same start") {
  // On Gaussian data a bias moves every path as it moves the mean, by the closed form above.
  constexpr double bias = 0.2, from = 0.5, to = 3, end = 0.1;
  ComparisonSettings s = settings("edm", "exponential-euler-maruyama", 50);
  s.samplers = {"exponential-euler-maruyama", "ddim", "sit", "shark"};
  s.exact = false;
  s.paths = 20;
  s.t_min = end;
  s.score_error = {.bias = bias, .from = from, .to = to};
  double sde = 0, flow = 0;
  for (Index i = 0; i < 3; ++i) {
    const double v = variance[i], a = v + from * from, b = v + to * to, e = v + end * end;
    sde += square(bias * e * std::log(b / a));
    flow += square(bias * std::sqrt(e) * (std::sqrt(b) - std::sqrt(a)));
  }

  const Comparison found = compare(s);

  CHECK_THAT(found.rows[0].error_score.value_or(0), WithinRel(std::sqrt(sde), 2e-3));
  CHECK_THAT(found.rows[1].error_score.value_or(0), WithinRel(std::sqrt(flow), 2e-3));
  CHECK(!found.rows[2].error_score.has_value());  // its limit is not the model's equation
  CHECK(!found.rows[3].error_score.has_value());  // not on the reference's Brownian path
  s.score_error = {};
  CHECK(!compare(s).rows[0].error_score.has_value());
}

TEST_CASE("a last step to sigma = 0 is ddim's denoiser, ends in the data, and is counted") {
  ComparisonSettings s = settings("vp", "ddim", 10);
  s.samplers = {"ddim", "edm-heun"};
  s.steps = {10, 20};
  s.last = FinalStep::denoise;
  const Comparison denoised = compare(s);
  s.last = FinalStep::zero;
  s.trace = true;
  const Comparison zero = compare(s);

  REQUIRE(zero.rows.size() == 4);
  CHECK_THAT(zero.rows[0].error, WithinRel(denoised.rows[0].error, 1e-10));
  CHECK(zero.rows[0].nfe == 11);
  CHECK(denoised.rows[0].nfe == 11);
  CHECK(zero.rows[2].nfe == 21);  // Heun's step to 0 is one evaluation
  CHECK(denoised.rows[2].nfe == 21);
  for (const ComparisonRow& row : zero.rows) {
    CHECK(*row.error_truncation < 1e-15);
    CHECK(row.error <= *row.error_init + *row.error_discretisation + 1e-12);
    CHECK(row.trace.back().t == 0);
    CHECK_THAT(row.trace.back().w2, WithinRel(row.error, 1e-9));
  }
  CHECK(denoised.orders.size() == 2);
  CHECK(zero.orders.empty());  // the last step is as long on every grid
}

TEST_CASE("on samples a last step to sigma = 0 is ddim's denoiser too, path by path") {
  ComparisonSettings s = settings("vp", "ddim", 10);
  s.exact = false;
  s.paths = 50;
  s.last = FinalStep::denoise;
  const ComparisonRow denoised = compare(s).rows.front();
  s.last = FinalStep::zero;
  const ComparisonRow zero = compare(s).rows.front();

  CHECK((zero.samples - denoised.samples).abs().maxCoeff() < 1e-12);
  CHECK(zero.nfe == 11);
  CHECK(!zero.error_pathwise.has_value());
  s.samplers = {};
  for (const ComparisonRow& row : compare(s).rows) CHECK(row.status == Status::success);
}

TEST_CASE("an adaptive sampler of the SDE costs more for a smaller tolerance, all of it counted") {
  ComparisonSettings s = settings("vp", "shark", 10);
  s.samplers = {"shark", "sosra"};
  s.exact = false;
  s.paths = 200;
  s.eta = 0.7;

  const Comparison found = compare(s);

  REQUIRE(found.rows.size() == 10);
  for (std::size_t i = 0; i < 10; ++i) {
    const ComparisonRow& row = found.rows[i];
    const double stages = i < 5 ? 2 : 3;
    INFO(row.sampler << " " << *row.tolerance);
    CHECK(row.equation == "sde");
    CHECK(row.status == Status::success);
    CHECK(row.nfe >= stages * static_cast<double>(row.steps) - stages);  // rejected ones too
    if (i % 5 > 0) CHECK(row.nfe > found.rows[i - 1].nfe);
  }
  CHECK(found.rows[4].error < 3 * found.floor);
}

TEST_CASE("a right score has no score error, and a factor on it has one") {
  ComparisonSettings s = settings("vp", "dpm++2m", 20);

  CHECK(!compare(s).rows.front().error_score.has_value());
  s.score_error.scale = 0.05;
  CHECK(*compare(s).rows.front().error_score > 1e-3);
}

TEST_CASE("the parts bound the error, and their eigenmodes sum to them, for multistep samplers") {
  for (const char* sampler : {"dpm++2m", "unipc-3-bh2", "deis-tab3", "dpm++2m-sde", "sa-solver"}) {
    ComparisonSettings s = settings("vp", sampler, 12);
    s.modes = true;

    const ComparisonRow row = compare(s).rows.front();

    INFO(sampler);
    CHECK(row.error <= *row.error_init + *row.error_truncation + *row.error_discretisation + 1e-12);
    const auto sums_to = [](const Eigen::ArrayXd& modes, double whole) {
      CHECK_THAT(std::sqrt(modes.square().sum()), WithinRel(whole, 1e-9));
    };
    sums_to(row.modes.error, row.error);
    sums_to(row.modes.init, *row.error_init);
    sums_to(row.modes.truncation, *row.error_truncation);
    sums_to(row.modes.discretisation, *row.error_discretisation);
    CHECK(row.modes.variance.size() == 3);
  }
}

TEST_CASE("the law of a multistep sampler converges to that of its equation") {
  for (const auto& [sampler, order] :
       {std::pair{"dpm++2m", 2.0}, std::pair{"dpm++2m-sde", 2.0}, std::pair{"unipc-3-bh2", 3.0}}) {
    ComparisonSettings s = settings("vp", sampler, 200);
    s.grid = "logsnr";
    s.t_min = 0.05;
    s.init = Init::exact;
    s.steps = {200, 400};

    const Comparison found = compare(s);

    INFO(sampler);
    const double ratio = *found.rows[0].error_discretisation / *found.rows[1].error_discretisation;
    CHECK(std::log2(ratio) > order - 0.2);
  }
}

TEST_CASE("the trace follows the law from the start to the end") {
  ComparisonSettings s = settings("vp", "dpm++2m", 10);
  s.trace = true;
  s.init = Init::exact;

  const ComparisonRow row = compare(s).rows.front();

  REQUIRE(row.trace.size() == 11);
  CHECK(row.trace.front().w2 < 1e-14);
  CHECK(row.trace.front().kl < 1e-14);
  CHECK(row.trace.front().nfe == 0);
  CHECK(row.trace.back().nfe == row.nfe);
  CHECK(row.trace.back().t == *compare(s).settings.t_min);
  CHECK_THAT(row.trace.back().w2, WithinRel(*row.error_discretisation, 1e-9));
  for (const TracePoint& point : row.trace) CHECK(point.kl >= 0);
}

TEST_CASE("what only exact laws have is refused without them") {
  ComparisonSettings s = settings("vp", "ddim", 10);
  s.exact = false;
  s.trace = true;

  CHECK_THROWS_WITH(compare(s), ContainsSubstring("they need exact"));
}

TEST_CASE("errors are taken apart and followed along a path where the limit is the model's alone") {
  ComparisonSettings s = settings("vp", "seeds-2", 64);
  s.samplers = {"seeds-2", "dpm++2s-sde", "er-sde-2:power=1", "er-sde-2", "sit", "edm-churn"};
  s.steps = {64, 256};
  const Comparison laws = compare(s);
  s.exact = false;
  s.paths = 200;
  const Comparison paths = compare(s);

  REQUIRE(laws.rows.size() == 12);
  for (std::size_t i = 0; i < 12; i += 2) {
    const bool model = i < 6;
    INFO(laws.rows[i].sampler);
    CHECK(laws.rows[i].error_discretisation.has_value() == model);
    CHECK(laws.rows[i].error_init.has_value() == model);
    CHECK(laws.rows[i].error_truncation.has_value());
    REQUIRE(paths.rows[i].error_pathwise.has_value() == model);
    if (model) CHECK(*paths.rows[i + 1].error_pathwise < 0.7 * *paths.rows[i].error_pathwise);
  }
}

TEST_CASE("evaluations are those that were made: 2 N of Heun, 2 N - 1 to sigma = 0") {
  for (const bool exact : {true, false}) {
    const auto nfe = [&](const char* sampler, double t_min) {
      ComparisonSettings s = settings("edm", sampler, 9);
      s.exact = exact;
      s.pathwise = false;
      s.paths = 2000;  // several blocks, the last not full
      s.t_min = t_min;
      return compare(s).rows.front().nfe;
    };
    INFO((exact ? "laws" : "samples"));
    CHECK(nfe("edm-heun", 0.01) == 18);
    CHECK(nfe("heun", 0.01) == 18);
    CHECK(nfe("edm-heun", 0) == 17);
    CHECK(nfe("dpm-solver-3", 0.01) == 27);
    CHECK(nfe("dpm++2m", 0.01) == 9);
    CHECK(nfe("sa-solver", 0.01) == 10);
    CHECK(nfe("edm-churn", 0.01) == 18);
  }
}

TEST_CASE("pathwise errors are those of the exact solution on the same path") {
  constexpr double data_mean = 0.5, data_variance = 0.3;
  for (const char* sampler : {"rk4", "ddim", "euler-maruyama", "dpm++2m-sde"}) {
    ComparisonSettings s = settings("vp", sampler, 24);
    s.data = GaussianSpectrum(Eigen::VectorXd{{data_mean}}, Eigen::VectorXd{{data_variance}});
    s.exact = false;
    s.paths = 4096;
    s.t_min = 0.1;
    const bool ode = std::string_view(sampler) == "rk4" || std::string_view(sampler) == "ddim";
    s.eta = ode ? 0.0 : 1.0;
    const Comparison found = compare(s);
    const ComparisonRow& row = found.rows.front();

    const test::GaussianScore score{test::Process{make_schedule("vp")}, data_mean, data_variance};
    const TimeGrid grid =
        make_grid(*found.settings.grid, score.process.schedule, 1, *s.t_min, s.steps.front());
    const double prior = score.process.prior_std(1);
    const test::Law start{0, prior * prior};
    const auto error = [&](const auto& method, const auto& model) {
      return test::strong_error(test::linear_steps(method, model, grid),
                                test::reverse_model(score, *s.eta), score, grid, start);
    };
    const double exact =
        ode ? error(make_flow_sampler<double>(sampler), test::flow_model(score))
            : error(make_reverse_sampler<double>(sampler), test::reverse_model(score, 1));

    INFO(sampler);
    REQUIRE(row.error_pathwise.has_value());
    CHECK(*row.error_pathwise_stderr < 0.05 * exact);
    CHECK_THAT(*row.error_pathwise, WithinAbs(exact, 4 * *row.error_pathwise_stderr));
  }
}

TEST_CASE("the floor is the distance of two exact samples as large as the run's") {
  ComparisonSettings s = settings("vp", "ddim", 4);
  s.exact = false;
  s.paths = 400;
  s.pathwise = false;
  const Comparison found = compare(s);

  const auto draw = [&](std::uint64_t seed) {
    Block<double> x(3, s.paths);
    PathRandom random(seed, 0, s.paths);
    s.data->sample(random, x);
    Sample sample(3, s.paths);
    std::copy_n(x.data(), x.size(), sample.values.begin());
    return sample;
  };
  const Floor own = floor_of(
      found.settings.metric,
      [&](int k) {
        const auto seed = 1000 + 2 * static_cast<std::uint64_t>(k);
        return std::pair{draw(seed), draw(seed + 1)};
      },
      32);

  // the means of 8 and of 32 pairs
  CHECK_THAT(found.floor, WithinAbs(own.mean, 4 * own.sd * std::sqrt(1.0 / 8 + 1.0 / 32)));
  CHECK(found.floor_sd < 3 * own.sd);
  CHECK(found.floor_sd > own.sd / 3);
}
