/// @file  equations.cpp
/// @brief `fokker integrate` with equations as text.

#include <string>

#include <nlohmann/json.hpp>

#include "app/program.hpp"
#include "catch.hpp"

namespace {

using nlohmann::json;

json run_json(const std::string& args) {
  const Program fokker;
  const Outcome run = fokker(args + " --json -");
  INFO(args << "\n" << run.err);
  REQUIRE(run.code == 0);
  return json::parse(run.out);
}

/// Quantities that do not need the exact moments of a built-in process.
json measured(const json& run) {
  json rows = json::array();
  for (const json& row : run.at("rows"))
    rows.push_back({row.at("t"), row.at("mean"), row.at("sd"), row.at("quantiles")});
  return rows;
}

}  // namespace

TEST_CASE("an equation as text gives the numbers of the built-in process") {
  const std::string how = " --t 0:1 --dt 0.05 --paths 300 --seed 7";
  const auto same = [&](const std::string& text, const std::string& named) {
    INFO(text);
    CHECK(measured(run_json("integrate " + text + how)) ==
          measured(run_json("integrate --process " + named + how)));
  };

  same("'dX = mu*X dt + sigma*X dW' --set mu=0.05,sigma=0.2 --x0 1 --solver euler-maruyama",
       "gbm --solver euler-maruyama");
  same("'dX = theta*(mu - X) dt + sigma dW' --set theta=1,mu=0,sigma=1 --x0 1 --solver heun-sde",
       "ou --solver heun-sde");
  same("\"x' = 10*(y - x); y' = x*(28 - z) - y; z' = x*y - 8/3*z\" --x0 1,1,1 --solver rk4",
       "lorenz --solver rk4");
}

TEST_CASE("without a solver the recommended one is taken and named first") {
  const Program fokker;

  const Outcome sde = fokker("integrate 'dX = -X dt + 0.3*sqrt(1 + X^2) dW' --x0 1 --paths 64");
  const Outcome ode = fokker("integrate \"q'' = -sin(q)\" --x0 1,0 --t 0:10");
  const Outcome named = fokker("integrate --process ou --paths 64 --dt 0.01");

  INFO(sde.err << ode.err << named.err);
  CHECK(sde.code == 0);
  CHECK_THAT(sde.out, StartsWith("solver sosri: "));
  CHECK_THAT(ode.out, StartsWith("solver dopri5: "));
  CHECK_THAT(named.out, StartsWith("solver sosra: "));
}

TEST_CASE("an equation that cannot be run is refused with its cause") {
  const Program fokker;
  const auto refused = [&](const std::string& args, const std::string& why) {
    const Outcome run = fokker("integrate " + args);
    INFO(args << "\n" << run.err);
    CHECK(run.code == 2);
    CHECK_THAT(run.err, ContainsSubstring(why));
  };

  refused("'dS = r*S dt + sqrt(v)*S dW' --set r=0.1 --x0 1",
          "\n                   ^ v is neither a state nor a parameter");
  refused("'dX = -X dt + dW'", "give --x0, one number for each of X");
  refused("'dX = -X dt + dW' --x0 1,2", "1");
  refused("'dX = -X dt + dW' --process ou --x0 1", "not both");
  refused("", "give an equation");
  refused("'dX = -X dt + X dW' --x0 1 --solver shark", "diagonal noise");
}
