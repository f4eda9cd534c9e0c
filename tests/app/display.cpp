/// @file  display.cpp
/// @brief What `integrate` and `converge` show, and what they leave out because it is not known.

#include <string>

#include <nlohmann/json.hpp>

#include "app/program.hpp"
#include "catch.hpp"

namespace {

using nlohmann::json;

}  // namespace

TEST_CASE("one path has no spread") {
  const Program fokker;

  const Outcome run =
      fokker("integrate --process ou --solver milstein --paths 1 --json r.json --plot p.svg");

  INFO(run.err);
  REQUIRE(run.code == 0);
  CHECK_THAT(run.out, ContainsSubstring("1 path,"));
  CHECK_THAT(run.out, ContainsSubstring("unknown from one path"));
  const json end = json::parse(fokker.read("r.json")).at("rows").back();
  CHECK(end.at("mean").at(0).is_number());
  CHECK(end.at("sd").at(0).is_null());
  CHECK(end.at("mean_stderr").at(0).is_null());
  CHECK_FALSE(fokker.read("p.svg").empty());
}

TEST_CASE("statistics of some paths stand beside their number") {
  const Program fokker;  // Euler-Maruyama on -x^3 blows up on a part of the paths

  const Outcome run = fokker(
      "integrate --process double-well --set sigma=3 --solver euler-maruyama --dt 0.25 --t 0:4 "
      "--paths 1000 --json r.json --plot p.svg");

  INFO(run.out << run.err);
  REQUIRE(run.code == 1);
  const json document = json::parse(fokker.read("r.json"));
  const int finite = document.at("rows").back().at("finite_paths").at(0);
  REQUIRE(finite > 0);
  REQUIRE(finite < 1000);
  CHECK_THAT(run.out, ContainsSubstring("finite paths"));
  CHECK_THAT(run.out, ContainsSubstring(std::to_string(finite) + " of 1000"));
  CHECK_THAT(fokker.read("p.svg"), ContainsSubstring(std::to_string(finite) + " of 1000"));
}

TEST_CASE("a level that no path met is reported in a sentence") {
  const Program fokker;

  const Outcome run = fokker(
      "integrate --process ou --solver milstein --paths 100 --until \"x>=100\" --json r.json");

  REQUIRE(run.code == 0);
  CHECK_THAT(run.out, ContainsSubstring("met by none of the 100 paths up to t = 1"));
  CHECK(run.out.find("nan") == std::string::npos);
  const json passage = json::parse(fokker.read("r.json")).at("passage");
  CHECK(passage.at("met_paths") == 0);
  CHECK(passage.at("mean").is_null());
}

TEST_CASE("a two-sided exit of Brownian motion has the mean and the sides of the exact law") {
  // From 0 out of (-1, 2): E tau = 1 * 2, P(2 first) = 1/3.
  const Program fokker;

  const Outcome run = fokker(
      "integrate --process bm --set mu=0,sigma=1 --solver euler-maruyama --t 0:40 --dt 0.02 "
      "--paths 10000 --until \"x>=2 or x<=-1\" --json r.json --csv c.csv");

  INFO(run.err);
  REQUIRE(run.code == 0);
  const json passage = json::parse(fokker.read("r.json")).at("passage");
  CHECK(std::abs(passage.at("mean").get<double>() - 2) <
        4 * passage.at("mean_stderr").get<double>());
  CHECK(std::abs(passage.at("first").at(0).at("met").get<double>() - 1.0 / 3) < 0.02);
  CHECK(passage.at("condition") == "x>=2 or x<=-1");
  CHECK_THAT(fokker.read("c.csv"), StartsWith("path,t,condition\n"));
}

TEST_CASE("components are shown with their names") {
  const Program fokker;

  const Outcome run = fokker("integrate --process heston --solver euler-maruyama --paths 64");

  CHECK_THAT(run.out, ContainsSubstring("x1 (log-price)") && ContainsSubstring("x2 (variance)"));
}

TEST_CASE("names are taken in any case and by their short forms") {
  const Program fokker;

  for (const char* args : {"integrate --process GBM --solver em --paths 64",
                           "converge --process Ou --solvers EM,Milstein --paths 64 --levels 3",
                           "compare --exact --data gaussian --samplers DDIM --nfe 8 --grid Karras "
                           "--process VP --json -",
                           "list Solvers"}) {
    const Outcome run = fokker(args);
    INFO(args << run.err);
    CHECK(run.code == 0);
  }
}

TEST_CASE("saved times that force the steps of an adaptive run are reported") {
  const Program fokker;

  const Outcome many = fokker(
      "integrate --process ou --solver sriw1 --rtol 1e-1 --atol 1e-1 --paths 64 --points 101");
  const Outcome few =
      fokker("integrate --process ou --solver sriw1 --rtol 1e-6 --paths 64 --points 2");

  CHECK_THAT(many.out, ContainsSubstring("every saved time ends a step"));
  CHECK(few.out.find("every saved time") == std::string::npos);
}

TEST_CASE("a step that does not divide the span is reported") {
  const Program fokker;

  const Outcome run = fokker("integrate --process ou --solver milstein --paths 64 --dt 0.3");

  CHECK_THAT(run.out, ContainsSubstring("4 steps of 0.25 (--dt 0.3 does not divide --t)"));
}

TEST_CASE("no order is claimed from errors that are not small") {
  const Program fokker;

  const Outcome run = fokker(
      "converge --process gbm --set mu=8,sigma=3 --solvers euler-maruyama --first-steps 1 "
      "--levels 4 --paths 256 --json r.json");

  INFO(run.out << run.err);
  REQUIRE(run.code == 0);
  CHECK_THAT(run.out, ContainsSubstring("no order: the error of"));
  const json strong = json::parse(fokker.read("r.json")).at("solvers").at(0).at("strong");
  CHECK(strong.at("order").is_null());
}

TEST_CASE("a picture that cannot be drawn changes nothing else") {
  const Program fokker;
  const std::string args =
      "integrate --process ou --solver milstein --paths 64 --dt 0.1 --plot p.svg --json ";
  std::filesystem::create_directory(fokker.path("bin"));
  fokker.write("bin/gnuplot", "#!/bin/sh\n[ \"$1\" = --version ] && exit 0\necho broken; exit 1\n");
  std::filesystem::permissions(fokker.path("bin/gnuplot"), std::filesystem::perms::owner_all);

  const Outcome none = fokker.shell("PATH=/nowhere " FOKKER_PROGRAM " " + args + "a.json");
  const Outcome broken = fokker.shell("PATH=$PWD/bin:$PATH " FOKKER_PROGRAM " " + args + "b.json");

  CHECK(none.code == 0);
  CHECK_THAT(none.err, ContainsSubstring("gnuplot"));
  CHECK(broken.code == 0);
  CHECK_THAT(broken.err, ContainsSubstring("p.svg was not drawn") && ContainsSubstring("broken"));
  CHECK_THAT(broken.out, ContainsSubstring("wrote b.json"));
  CHECK(json::parse(fokker.read("a.json")).at("rows") ==
        json::parse(fokker.read("b.json")).at("rows"));
}

TEST_CASE("a picture can be PDF") {
  const Program fokker;

  REQUIRE(fokker("integrate --process ou --solver milstein --paths 64 --plot p.pdf").code == 0);

  CHECK_THAT(fokker.read("p.pdf"), StartsWith("%PDF"));
}
