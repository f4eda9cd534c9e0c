/// @file  explain.cpp
/// @brief `fokker explain`.

#include <string>

#include <nlohmann/json.hpp>

#include "app/program.hpp"
#include "catch.hpp"

TEST_CASE("explain prints calculi, noise, Jacobian and the recommended solver") {
  const Program fokker;
  const Outcome run = fokker("explain 'dx = -a*x dt + s*x o dW1; dy = x dW1 + y dW2' --set a=1");
  REQUIRE(run.code == 0);
  for (const char* words : {"Stratonovich  dx = -a*x dt + s*x o dW1", "noise         general",
                            "commutative   no: in component y", "without a value: s (--set s=...)",
                            "recommended   heun-sde", "milstein-levy"})
    CHECK_THAT(run.out, ContainsSubstring(words));
}

TEST_CASE("explain lists the solvers that take the equation, with their orders") {
  const Program fokker;
  const Outcome run = fokker("explain 'dX = theta*(mu - X) dt + sigma dW' --json -");
  REQUIRE(run.code == 0);
  const auto json = nlohmann::json::parse(run.out);
  CHECK(json["noise"] == "additive");
  CHECK(json["jacobian"][0][0] == "-theta");
  bool recommended = false, linear = false;
  for (const auto& solver : json["solvers"]) {
    if (solver["name"] == "exact-linear") linear = true;
    if (solver["name"] != json["recommended"]) continue;
    recommended = true;
    CHECK(solver["strong"] == 1.5);
    CHECK(solver["adaptive"] == true);
  }
  CHECK(recommended);
  CHECK(linear);
}

TEST_CASE("the recommended solver of every kind of noise takes it with adaptive steps") {
  const Program fokker;
  for (const char* equation : {"x' = -x", "dx = dW", "dx = y dW; dy = x dW", "dx = x dW",
                               "dx = x dW1; dy = y dW1 + y dW2", "dx = y dW1; dy = x dW2"}) {
    INFO(equation);
    const Outcome run = fokker(std::string("explain \"") + equation + "\" --json -");
    REQUIRE(run.code == 0);
    const auto json = nlohmann::json::parse(run.out);
    bool found = false;
    for (const auto& solver : json["solvers"])
      found = found || (solver["name"] == json["recommended"] && solver["adaptive"] == true);
    CHECK(found);
  }
}

TEST_CASE("explain shows where an equation is wrong, with exit code 2") {
  const Program fokker;
  const Outcome run = fokker("explain 'dX = 2X dt'");
  CHECK(run.code == 2);
  CHECK(run.out.empty());
  CHECK(run.err ==
        "dX = 2X dt\n"
        "      ^ expected an operator: a product is written with *, except before dt and dW\n");
}
