/// @file  compare.cpp
/// @brief `fokker compare`: what it writes, and that numbers do not depend on threads.

#include <algorithm>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/program.hpp"
#include "catch.hpp"

namespace {

using nlohmann::json;

constexpr const char* small = " --paths 512 --nfe 8,16,32 --samplers euler-maruyama,heun,dopri5";

/// The document without the times that it took.
json without_seconds(json document) {
  document.erase("seconds");
  document.erase("run");  // command and date
  for (json& row : document.at("rows")) row.erase("seconds");
  return document;
}

}  // namespace

TEST_CASE("without outputs named, compare writes its three files and says so") {
  const Program fokker;

  const Outcome run = fokker("compare" + std::string(small));

  INFO(run.err);
  REQUIRE(run.code == 0);
  auto files = fokker.files();
  std::sort(files.begin(), files.end());
  CHECK(files == std::vector<std::string>{"compare.json", "compare.png", "compare.svg"});
  CHECK_THAT(run.out, ContainsSubstring("compare.svg"));
  CHECK(run.err.empty());
  CHECK_THAT(fokker.read("compare.png"), StartsWith("\x89PNG"));
  CHECK_THAT(fokker.read("compare.svg"), ContainsSubstring("<svg"));
}

TEST_CASE("compare draws from the generator that is asked for") {
  const Program fokker;
  const auto rows = [&](const std::string& args) {
    const Outcome run =
        fokker("compare --samplers euler-maruyama --nfe 8 --paths 512 --json - " + args);
    INFO(run.err);
    REQUIRE(run.code == 0);
    json document = json::parse(run.out);
    for (json& row : document.at("rows")) row.erase("seconds");
    return document.at("rows");
  };

  const json pcg = rows(""), philox = rows("--rng philox");

  CHECK(rows("--rng pcg32") == pcg);
  CHECK(philox != pcg);
  CHECK(rows("--rng philox --threads 1") == philox);
}

TEST_CASE("the JSON has the settings and rows of the contract") {
  const Program fokker;

  const Outcome run = fokker("compare --json -" + std::string(small));

  INFO(run.err);
  REQUIRE(run.code == 0);
  CHECK(fokker.files().empty());
  const json document = json::parse(run.out);
  const json& settings = document.at("settings");
  CHECK(settings.at("process") == "vp");
  CHECK(settings.at("data") == "ring8:0.8");
  CHECK(settings.at("metric") == "sliced-w2");
  CHECK(settings.at("grid") == "uniform");
  CHECK(settings.at("paths") == 512);
  CHECK(settings.at("seed") == 1);
  CHECK(settings.at("t_min").get<double>() > 0);
  const json& rows = document.at("rows");
  REQUIRE(rows.size() >= 7);
  for (const json& row : rows) {
    INFO(row.dump());
    for (const char* key : {"sampler", "equation", "steps", "nfe", "error", "error_stderr", "floor",
                            "error_pathwise", "seconds", "status"})
      CHECK(row.contains(key));
    CHECK(row.at("equation") == (row.at("sampler") == "euler-maruyama" ? "sde" : "ode"));
    CHECK(row.at("error").get<double>() > 0);
    CHECK(row.at("floor").get<double>() > 0);
  }
  CHECK(rows.at(0).at("nfe") == 8);
  CHECK(rows.at(0).at("steps") == 8);
  CHECK(rows.at(3).at("steps") == 4);  // heun: two evaluations per step
}

TEST_CASE("the numbers are the same for one and two threads, and follow the seed") {
  const Program fokker;
  const auto rows = [&](const std::string& args) {
    const Outcome run = fokker("compare --json -" + std::string(small) + args);
    INFO(run.err);
    REQUIRE(run.code == 0);
    return without_seconds(json::parse(run.out));
  };

  const json one = rows(" --threads 1"), two = rows(" --threads 2"), other = rows(" --seed 2");

  CHECK(one == two);
  CHECK(one.at("rows") != other.at("rows"));
}

TEST_CASE("outputs go where they are told") {
  const Program fokker;

  const Outcome run = fokker("compare --json a.json --plot b.svg" + std::string(small));

  INFO(run.err);
  REQUIRE(run.code == 0);
  auto files = fokker.files();
  std::sort(files.begin(), files.end());
  CHECK(files == std::vector<std::string>{"a.json", "b.svg"});
  CHECK_THAT(run.out, ContainsSubstring("euler-maruyama") && ContainsSubstring("order"));
  CHECK(json::parse(fokker.read("a.json")).contains("rows"));
}

TEST_CASE("a run that ends at the data has no pathwise error, but a picture") {
  const Program fokker;
  fokker.write("points.csv", "1,2\n3,4\n");

  const Outcome run = fokker(
      "compare --data points:points.csv --t-min 0 --samplers ddim --nfe 4,8 --plot ddim.svg --json "
      "ddim.json");

  INFO(run.err);
  REQUIRE(run.code == 0);
  const json rows = json::parse(fokker.read("ddim.json")).at("rows");
  CHECK(rows.at(0).at("error_pathwise").is_null());
  CHECK_THAT(fokker.read("ddim.svg"), ContainsSubstring("<svg"));
}

TEST_CASE("points, mixtures and one dimension run end to end") {
  const Program fokker;
  fokker.write("points.csv", "a,b,label\n0,16,1\n16,0,2\n8,8,3\n");
  fokker.write("line.json",
               R"({"components": [{"weight": 0.3, "mean": [-2], "variance": 0.1},
                                  {"weight": 0.7, "mean": [1], "variance": 0.5}]})");

  for (const std::string args :
       {"--data points:points.csv --drop-column 3 --scale 0:16 --plot points.svg",
        "--data mixture:line.json --metric w1 --plot line.svg",
        "--data gaussian --process ve --grid karras --precision float --plot gaussian.svg",
        "--data gaussian --exact --nfe 8,16,32 --plot exact.svg"}) {
    const Outcome run =
        fokker("compare --paths 256 --nfe 8,32 --samplers euler-maruyama,heun " + args);
    INFO(args << "\n" << run.err);
    CHECK(run.code == 0);
  }
  CHECK(fokker.files().size() == 6);
}

TEST_CASE("an interrupt that comes twice at once, as from timeout, counts once") {
  const Program fokker;

  const Outcome run = fokker.shell(  // the reference sample takes seconds, and is not broken off
      FOKKER_PROGRAM
      " compare --paths 500000 --samplers euler-maruyama --nfe 8 --json out.json &"
      " run=$!; sleep 0.5; kill -INT $run; sleep 0.05; kill -INT $run; wait $run");

  INFO(run.err);
  CHECK(run.code == 130);
  REQUIRE_FALSE(fokker.read("out.json").empty());
  CHECK(json::parse(fokker.read("out.json")).at("rows").empty());
}

TEST_CASE("an interrupt writes what is finished and exits with 130") {
  const Program fokker;

  const Outcome run = fokker.shell(
      "timeout --preserve-status -s INT 2 " FOKKER_PROGRAM
      " compare --paths 20000 --samplers euler-maruyama --nfe 8,1000000 --json out.json");

  INFO(run.err);
  CHECK(run.code == 130);
  const json document = json::parse(fokker.read("out.json"));
  CHECK(document.at("rows").size() < 2);
}

TEST_CASE("an interrupt ends a comparison of many paths within a second") {
  const Program fokker;

  const Outcome run =
      fokker.shell(FOKKER_PROGRAM
                   " compare --paths 1000000 --nfe 64,128 --json out.json --plot out.svg &"
                   " run=$!; sleep 1; kill -TERM $run; start=$(date +%s%N); wait $run; code=$?;"
                   " echo $(( ($(date +%s%N) - start) / 1000000 )) > ms; exit $code");

  INFO(run.err);
  CHECK(run.code == 130);
  CHECK(std::stoi(fokker.read("ms")) < 1500);
  CHECK(json::parse(fokker.read("out.json")).contains("rows"));
}

TEST_CASE("a picture that has nothing to show in a panel does not fail the run") {
  const Program fokker;

  const Outcome run = fokker(
      "compare --exact --data gaussian --samplers edm-churn,sit-heun,annealed-langevin --nfe 20,40 "
      "--plot out.svg --json out.json");

  CHECK(run.code == 0);
  CHECK(run.err.empty());
  CHECK_THAT(fokker.read("out.svg"), ContainsSubstring("<svg"));
}

TEST_CASE("a picture that cannot be drawn changes neither the table nor the exit code") {
  const Program fokker;
  fokker.write("gnuplot", "#!/bin/sh\n[ \"$1\" = --version ] && exit 0\necho broken; exit 3\n");
  const std::string args =
      " compare --exact --data gaussian --samplers ddim --nfe 8 --json out.json --plot out.svg";

  const Outcome run = fokker.shell("chmod +x gnuplot; PATH=$PWD:$PATH " FOKKER_PROGRAM + args);

  CHECK(run.code == 0);
  CHECK_THAT(run.err, ContainsSubstring("broken"));
  CHECK_THAT(run.out, ContainsSubstring("ddim") && !ContainsSubstring("out.svg"));
  CHECK(json::parse(fokker.read("out.json")).at("rows").size() == 1);
}

TEST_CASE("samples come out row by row") {
  const Program fokker;

  const Outcome run = fokker(
      "compare --data gaussian --paths 50 --samplers ddim,heun --nfe 8 --save out.csv --json -");

  INFO(run.err);
  REQUIRE(run.code == 0);
  const std::string csv = fokker.read("out.csv");
  CHECK_THAT(csv, StartsWith("row,path,x1,x2\n"));
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 101);
}

TEST_CASE("words on the smallest error include the score's part and say where parts cancel") {
  const Program fokker;

  const Outcome score = fokker(
      "compare --exact --data gaussian --samplers heun --nfe 64 --score-error scale=0.1 --json "
      "a.json");
  const Outcome apart = fokker(
      "compare --data ring8 --samplers euler-maruyama,dopri5 --nfe 4 --paths 100 --json b.json");

  CHECK_THAT(score.out, ContainsSubstring("from the score") && ContainsSubstring("score (w2)"));
  CHECK_THAT(apart.out, ContainsSubstring("take about as many evaluations") &&
                            ContainsSubstring("error (sliced-w2)") &&
                            ContainsSubstring("pathwise (full norm)"));
}
