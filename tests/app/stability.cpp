/// @file  app/stability.cpp
/// @brief `fokker integrate` names steps that grow where the exact solution does not.

#include <string>

#include <nlohmann/json.hpp>

#include "app/program.hpp"
#include "catch.hpp"

namespace {

/// The warning in the JSON of a run of a few paths, empty without one.
std::string warning_of(const std::string& args) {
  const Program fokker;
  const Outcome run = fokker("integrate --paths 64 --json - " + args);
  INFO(args << "\n" << run.err);
  REQUIRE(run.code == 0);
  return nlohmann::json::parse(run.out).value("warning", "");
}

}  // namespace

TEST_CASE("a step that is unstable on a linear process is named, with one that is stable") {
  CHECK_THAT(warning_of("--process langevin --solver baoab --dt 2.5 --t 0:50"),
             StartsWith("baoab is unstable at steps of 2.5") && EndsWith("--dt 1.25 is stable"));
  CHECK_THAT(warning_of("--process ou --set theta=100 --solver euler-maruyama --dt 0.025"),
             StartsWith("euler-maruyama is unstable"));
  CHECK_THAT(warning_of("--process kubo --set omega=10 --solver euler-maruyama --dt 0.1"),
             StartsWith("euler-maruyama is unstable"));
}

TEST_CASE("a nonlinear process whose result is far from the exact law is named") {
  CHECK_THAT(warning_of("--process cir --set kappa=100 --solver milstein --dt 0.1 --t 0:10"),
             ContainsSubstring("and exactly"));
}

TEST_CASE("stable steps have no warning") {
  for (const char* args :
       {"--process langevin --solver baoab --dt 0.5 --t 0:50", "--process gbm --solver milstein",
        "--process langevin --set gamma=50 --solver quicsort --dt 0.5 --t 0:50",
        "--process kubo --solver euler-maruyama", "--process linear --solver milstein-levy",
        "--process cir --solver euler-maruyama", "--process ou --solver exact-linear --dt 1",
        "--process heston --solver euler-maruyama", "--process gbm --solver sriw1 --rtol 1e-2"})
    CHECK(warning_of(args) == "");
}
