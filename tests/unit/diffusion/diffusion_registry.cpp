/// @file  diffusion_registry.cpp
/// @brief The samplers by name.

#include <string>
#include <vector>

#include <fokker/diffusion/catalogue/final_step.hpp>
#include <fokker/diffusion/catalogue/registry.hpp>

#include "catch.hpp"
#include "gaussian_model.hpp"

using namespace fokker;

TEST_CASE(
    "every fixed-step sampler in the list can be made, for its equation, with its own facts") {
  for (const SamplerInfo& info : list_samplers()) {
    INFO(info.name);
    CHECK(!info.source.empty());
    CHECK(info.etas.contains(info.default_eta));
    CHECK(equation_of(info, info.default_eta) == info.equation);
    if (info.adaptive) {
      CHECK_THROWS_WITH(make_flow_sampler<double>(info.name),
                        ContainsSubstring("with Adaptive steps"));
      continue;
    }

    if (info.equation == ModelEquation::sde) {
      const auto sampler = make_reverse_sampler<double>(info.name);
      CHECK(sampler.facts().name == info.name);
      CHECK(sampler.facts().evaluations(NoiseKind::additive).drift == info.evaluations);
      CHECK(info.orders.strong.value_or(1.0) == 1.0);
      CHECK(name_of(make_reverse_sampler<float>(info.name)) == info.name);
      CHECK_THROWS_WITH(make_flow_sampler<double>(info.name), ContainsSubstring("does not solve"));
    } else {
      const auto sampler = make_flow_sampler<double>(info.name);
      CHECK(sampler.facts().name == info.name);
      CHECK(sampler.facts().evaluations(NoiseKind::none).drift == info.evaluations);
      CHECK(info.orders.deterministic.has_value());
      CHECK(name_of(make_flow_sampler<float>(info.name)) == info.name);
      if (info.name != "ddim")
        CHECK_THROWS_WITH(make_reverse_sampler<double>(info.name),
                          ContainsSubstring("does not solve"));
    }
  }
}

TEST_CASE("ddim solves the flow with eta = 0 and the reverse SDE above") {
  const SamplerInfo& ddim = list_samplers().at("ddim");

  CHECK(equation_of(ddim, 0) == ModelEquation::ode);
  CHECK(equation_of(ddim, 0.5) == ModelEquation::sde);
  CHECK(equation_of(list_samplers().at("euler-maruyama"), 0) == ModelEquation::sde);
  CHECK(equation_of(list_samplers().at("heun"), 0) == ModelEquation::ode);
  CHECK(name_of(make_reverse_sampler<double>("ddim")) == "ddim");
}

TEST_CASE("unknown samplers are answered with the nearest") {
  CHECK_THROWS_WITH(list_samplers().at("dppm"), ContainsSubstring("ddpm"));
  CHECK_THROWS_WITH(make_reverse_sampler<double>("euler-murayama"),
                    ContainsSubstring("euler-maruyama"));
}

TEST_CASE("a synonym finds the sampler that it names, in any case and with parameters") {
  CHECK(list_samplers().at("LMS").name == "deis-rhoab3");
  CHECK(list_samplers().canonical("EDM-Churn:gamma=0.3") == "edm-churn:gamma=0.3");
  CHECK(list_samplers().canonical("dppm") == "dppm");
  for (const Synonym& other : list_samplers().synonyms()) {
    CHECK(list_samplers().at(other.other).name == other.name);
    for (const SamplerInfo& info : list_samplers()) CHECK(info.name != other.other);
  }
}

TEST_CASE("settings that a sampler cannot run with are refused in one line") {
  const AnySchedule vp = make_schedule("vp"), edm = make_schedule("edm");
  const AnySchedule song = make_schedule("ve", {{"variance", "song"}});

  CHECK_THROWS_WITH(check_sampler(list_samplers().at("ddpm"), vp, 0.5, 1e-3),
                    "ddpm is defined for eta=1: got eta=0.5");
  CHECK_THROWS_WITH(check_sampler(list_samplers().at("heun"), vp, 1, 1e-3),
                    "heun is defined for eta=0: got eta=1");
  CHECK_THROWS_WITH(check_sampler(list_samplers().at("heun"), vp, 0, 1),
                    "t_min must lie in [0, 1): got t_min=1");
  CHECK_THROWS_WITH(check_sampler(list_samplers().at("heun"), vp, 0, -1e-3),
                    "t_min must lie in [0, 1): got t_min=-0.001");
  CHECK_THROWS_WITH(
      check_sampler(list_samplers().at("heun"), vp, 0, 0),
      StartsWith("heun asks for the score at t_min, and vp has none at t=0: choose t_min > 0"));
  CHECK_THROWS_AS(check_sampler(list_samplers().at("dopri5"), edm, 0, 0), std::invalid_argument);
  CHECK_NOTHROW(check_sampler(list_samplers().at("heun"), song, 0, 0));
  CHECK_NOTHROW(check_sampler(list_samplers().at("edm-heun"), edm, 0, 0));
  CHECK_NOTHROW(check_sampler(list_samplers().at("ddim"), vp, 0.5, 0));
  CHECK_NOTHROW(check_sampler(list_samplers().at("euler-maruyama"), vp, 0.3, 1e-3));
}

TEST_CASE("a last step to sigma = 0 is one time more, for samplers and processes that have it") {
  const AnySchedule vp = make_schedule("vp"), song = make_schedule("ve", {{"variance", "song"}});
  const auto check = [](const char* sampler, const AnySchedule& schedule, Time t_min,
                        FinalStep last) {
    check_last_step(list_samplers().at(sampler), schedule, list_samplers().at(sampler).default_eta,
                    t_min, last);
  };

  CHECK(with_last_step({1, 0.5, 0.1}, FinalStep::zero) == TimeGrid{1, 0.5, 0.1, 0});
  CHECK(with_last_step({1, 0.5, 0.1}, FinalStep::none) == TimeGrid{1, 0.5, 0.1});
  CHECK(with_last_step({1, 0.5, 0.1}, FinalStep::denoise) == TimeGrid{1, 0.5, 0.1});
  CHECK_NOTHROW(check("edm-heun", vp, 1e-3, FinalStep::zero));
  CHECK_NOTHROW(check("heun", vp, 1e-3, FinalStep::denoise));
  CHECK_NOTHROW(check("edm-heun", song, 1e-3, FinalStep::denoise));
  CHECK_THROWS_WITH(
      check("heun", vp, 1e-3, FinalStep::zero),
      "last=zero takes a sampler that can end at sigma=0, and heun asks for the score "
      "there: choose last=denoise, or for instance ddim, ddpm or edm-heun");
  CHECK_THROWS_WITH(check("dopri5", vp, 1e-3, FinalStep::zero),
                    StartsWith("last=zero takes a sampler"));
  CHECK_THROWS_WITH(check("ddim", vp, 0, FinalStep::zero),
                    ContainsSubstring("t_min=0 is there already"));
  CHECK_THROWS_WITH(check("ddim", song, 1e-3, FinalStep::zero),
                    ContainsSubstring("ve has std=0.01 at t=0: choose last=denoise"));
  CHECK_THROWS_WITH(check("ddim", vp, 1, FinalStep::none), StartsWith("t_min must lie in"));
}

TEST_CASE("runs start at the end time, or where flow matching has a finite sigma") {
  const AnySchedule vp = make_schedule("vp"), flow = make_schedule("flow");

  CHECK(start_time(vp, ModelEquation::sde, "karras") == 1);
  CHECK(start_time(flow, ModelEquation::sde, "uniform") == 0.999);
  CHECK(start_time(flow, ModelEquation::ode, "uniform") == 1);
  CHECK(start_time(flow, ModelEquation::ode, "logsnr") == 0.999);
}

TEST_CASE("an erased score is the score, on blocks and on single paths") {
  const test::GaussianScore score{test::Process{make_schedule("vp")}, 0.5, 2.0};
  const AnyScore<double> any(score);
  Block<double> x(1, 2), expected(1, 2), out(1, 2);
  x << -1, 3;
  PathState<double> path(1), path_out(1);
  path << 3;

  score.denoise(x, 0.3, expected);
  any.denoise(x, 0.3, out);
  any.denoise(path, 0.3, path_out);

  CHECK((out == expected).all());
  CHECK(path_out(0) == expected(0, 1));
  any(path, 0.3, path_out);
  any(x, 0.3, out);
  CHECK(path_out(0) == out(0, 1));
  CHECK(any.dimension() == 1);
}

TEST_CASE("parameters behind the name of a sampler are set, and wrong ones are refused") {
  const SamplerInfo& churn = list_samplers().at("edm-churn:gamma=0.1:s_max=50");

  CHECK(churn.name == "edm-churn");
  CHECK(name_of(make_reverse_sampler<double>("edm-churn:gamma=0.1:s_max=50")) == "edm-churn");
  CHECK(cost_of("pc-langevin:corrections=3").per_step == 4);
  CHECK(cost_of("restart").steps(20) == (20 - cost_of("restart").once) / 2);
  CHECK(cost_of("restart:repeats=1").once < cost_of("restart").once);
  // a name given again is of the next interval: 2 x 1 x 3 + 2 x 4 x 2 evaluations
  CHECK(cost_of("restart:repeats=1:steps=3:repeats=4:sigma_min=1:sigma_max=2").once == 22);
  const auto refuse = [](const char* name, const char* message) {
    CHECK_THROWS_WITH(make_reverse_sampler<double>(name), ContainsSubstring(message));
  };
  refuse("edm-churn:gama=0.1", "unknown parameter of edm-churn 'gama': did you mean 'gamma'");
  refuse("edm-churn:gamma", "reads name=number");
  refuse("edm-churn:gamma=", "reads name=number");
  refuse("edm-churn:gamma=x", "got 'gamma=x' in 'edm-churn:gamma=x'");
  refuse("edm-churn:gamma=-1", "gamma >= 0");
  refuse("pc-langevin:corrections=1.5", "corrections must be a whole number: got 1.5");
  refuse("edm-churn:gamma=0.1:gamma=0.2", "gamma is given twice in 'edm-churn:gamma=0.1");
  refuse("restart:sigma_min=0.1:sigma_min=0.2:sigma_max=0.1", "sigma_max > sigma_min");
  refuse("restart:steps=1:steps=1:steps=1:steps=1:steps=1:steps=1", "at most 5 intervals: got 6");
  refuse("sa-solver:sigma_low=1:sigma_high=1", "sa-solver needs sigma_high > sigma_low: got 1");
  refuse("sa-solver-3:sigma_low=-1", "sa-solver-3 needs sigma_low >= 0: got -1");
  refuse("sit-heun:diffusion=6", "sit-heun needs diffusion in 0, 1, ..., 5: got 6");
  refuse("ddpm:eta=1", "unknown parameter of ddpm 'eta'");
}

TEST_CASE("any callable is an erased score, and its denoiser comes from the process") {
  const test::Process vp{make_schedule("vp")};
  const test::GaussianScore exact{vp, 0.5, 2.0};
  const AnyScore<double> writes(
      [&](const Block<double>& x, Time t, Block<double>& out) { exact(x, t, out); });
  const AnyScore<double> returns([&](const Block<double>& x, Time t) {
    Block<double> out(x.rows(), x.cols());
    exact(x, t, out);
    return out;
  });
  Block<double> x(1, 2), expected(1, 2), out(1, 2);
  x << -1, 3;
  PathState<double> path(1), path_out(1);
  path << 3;

  for (const AnyScore<double>& any : {writes, returns}) {
    const AnyScore<double> counted = any.counted();
    exact(x, 0.3, expected);
    counted(x, 0.3, out);
    CHECK((out == expected).all());
    counted(path, 0.3, path_out);
    CHECK(path_out(0) == expected(0, 1));
    exact.denoise(x, 0.3, expected);
    evaluate_denoiser(vp, counted, x, 0.3, out);
    CHECK((out - expected).abs().maxCoeff() < 1e-14);
    CHECK(counted.calls() == 3);
    CHECK(counted.columns() == 5);
    CHECK(any.dimension() == -1);
    CHECK(!any.has_denoiser());
    CHECK_THROWS_WITH(any.denoise(x, 0.3, out), "this score has no denoiser");
  }
}
