/// @file  diffusion_registry.cpp
/// @brief The samplers by name.

#include <string>
#include <vector>

#include <fokker/diffusion/registry.hpp>

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
      CHECK_THROWS_WITH(make_flow_sampler<double>(info.name), ContainsSubstring("is adaptive"));
      continue;
    }

    if (info.equation == Equation::sde) {
      const auto sampler = make_reverse_sampler<double>(info.name);
      CHECK(sampler.name() == info.name);
      CHECK(sampler.evaluations(NoiseKind::additive).drift == info.evaluations);
      CHECK(info.orders.strong.value_or(1.0) == 1.0);
      CHECK(make_reverse_sampler<float>(info.name).name() == info.name);
      CHECK_THROWS_WITH(make_flow_sampler<double>(info.name), ContainsSubstring("does not solve"));
    } else {
      const auto sampler = make_flow_sampler<double>(info.name);
      CHECK(sampler.name() == info.name);
      CHECK(sampler.evaluations(NoiseKind::none).drift == info.evaluations);
      CHECK(info.orders.deterministic.has_value());
      CHECK(make_flow_sampler<float>(info.name).name() == info.name);
      if (info.name != "ddim")
        CHECK_THROWS_WITH(make_reverse_sampler<double>(info.name),
                          ContainsSubstring("does not solve"));
    }
  }
}

TEST_CASE("ddim solves the flow with eta = 0 and the reverse SDE above") {
  const SamplerInfo& ddim = sampler_info("ddim");

  CHECK(equation_of(ddim, 0) == Equation::ode);
  CHECK(equation_of(ddim, 0.5) == Equation::sde);
  CHECK(equation_of(sampler_info("euler-maruyama"), 0) == Equation::sde);
  CHECK(equation_of(sampler_info("heun"), 0) == Equation::ode);
  CHECK(make_reverse_sampler<double>("ddim").name() == "ddim");
}

TEST_CASE("unknown samplers are answered with the nearest") {
  CHECK_THROWS_WITH(sampler_info("dppm"), ContainsSubstring("ddpm"));
  CHECK_THROWS_WITH(make_reverse_sampler<double>("euler-murayama"),
                    ContainsSubstring("euler-maruyama"));
}

TEST_CASE("settings that a sampler cannot run with are refused in one line") {
  const AnySchedule vp = make_schedule("vp"), edm = make_schedule("edm");
  const AnySchedule song = make_schedule("ve", {{"variance", "song"}});

  CHECK_THROWS_WITH(check_sampler(sampler_info("ddpm"), vp, 0.5, 1e-3),
                    "ddpm is defined for eta=1: got eta=0.5");
  CHECK_THROWS_WITH(check_sampler(sampler_info("heun"), vp, 1, 1e-3),
                    "heun is defined for eta=0: got eta=1");
  CHECK_THROWS_WITH(check_sampler(sampler_info("heun"), vp, 0, 1),
                    "t_min must lie in [0, 1): got t_min=1");
  CHECK_THROWS_WITH(check_sampler(sampler_info("heun"), vp, 0, -1e-3),
                    "t_min must lie in [0, 1): got t_min=-0.001");
  CHECK_THROWS_WITH(
      check_sampler(sampler_info("heun"), vp, 0, 0),
      StartsWith("heun asks for the score at t_min, and vp has none at t=0: choose t_min > 0"));
  CHECK_THROWS_AS(check_sampler(sampler_info("dopri5"), edm, 0, 0), std::invalid_argument);
  CHECK_NOTHROW(check_sampler(sampler_info("heun"), song, 0, 0));
  CHECK_NOTHROW(check_sampler(sampler_info("edm-heun"), edm, 0, 0));
  CHECK_NOTHROW(check_sampler(sampler_info("ddim"), vp, 0.5, 0));
  CHECK_NOTHROW(check_sampler(sampler_info("euler-maruyama"), vp, 0.3, 1e-3));
}

TEST_CASE("runs start at the end time, or where flow matching has a finite sigma") {
  const AnySchedule vp = make_schedule("vp"), flow = make_schedule("flow");

  CHECK(start_time(vp, Equation::sde, "karras") == 1);
  CHECK(start_time(flow, Equation::sde, "uniform") == 0.999);
  CHECK(start_time(flow, Equation::ode, "uniform") == 1);
  CHECK(start_time(flow, Equation::ode, "logsnr") == 0.999);
}

TEST_CASE("an erased score is the score, on blocks and on single paths") {
  const test::GaussianScore score{test::Process{make_schedule("vp")}, 0.5, 2.0};
  const AnyScore<double> any(score);
  Block<double> x(1, 2), expected(1, 2), out(1, 2);
  x << -1, 3;
  Path<double> path(1), path_out(1);
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
  const SamplerInfo& churn = sampler_info("edm-churn:gamma=0.1:s_max=50");

  CHECK(churn.name == "edm-churn");
  CHECK(make_reverse_sampler<double>("edm-churn:gamma=0.1:s_max=50").name() == "edm-churn");
  CHECK(cost_of("pc-langevin:corrections=3").per_step == 4);
  CHECK(cost_of("restart").steps(20) == (20 - cost_of("restart").once) / 2);
  CHECK(cost_of("restart:repeats=1").once < cost_of("restart").once);
  const auto refuse = [](const char* name, const char* message) {
    CHECK_THROWS_WITH(make_reverse_sampler<double>(name), ContainsSubstring(message));
  };
  refuse("edm-churn:gama=0.1", "unknown parameter of edm-churn 'gama': did you mean 'gamma'");
  refuse("edm-churn:gamma", "reads name=number");
  refuse("edm-churn:gamma=", "reads name=number");
  refuse("edm-churn:gamma=x", "got 'gamma=x' in 'edm-churn:gamma=x'");
  refuse("edm-churn:gamma=-1", "gamma >= 0");
  refuse("pc-langevin:corrections=1.5", "corrections must be a whole number: got 1.5");
  refuse("ddpm:eta=1", "unknown parameter of ddpm 'eta'");
}
