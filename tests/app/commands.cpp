/// @file  commands.cpp
/// @brief `fokker integrate`, `converge` and `bench`.

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

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

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("integrate finds the moments of geometric Brownian motion") {
  const json run = run_json(
      "integrate --process gbm --set mu=0.5,sigma=0.4 --solver milstein --t 0:1 --dt 0.01");

  const json& end = run.at("rows").back();
  CHECK(end.at("t") == 1.0);
  CHECK_THAT(end.at("exact_mean").at(0).get<double>(), WithinRel(std::exp(0.5), 1e-12));
  const double error = end.at("mean").at(0).get<double>() - std::exp(0.5);
  CHECK(std::abs(error) < 5 * end.at("mean_stderr").at(0).get<double>());
  CHECK(run.at("rows").size() == 101);
  CHECK(run.at("paths") == 10000);
}

TEST_CASE("integrate and converge draw from the generator that is asked for") {
  const std::string run = "integrate --process gbm --solver milstein --dt 0.1 --paths 100";
  const json pcg = run_json(run + " --rng pcg32"), philox = run_json(run + " --rng philox");
  const std::string study =
      "converge --process gbm --solvers milstein --paths 100 --levels 3 --rng ";

  CHECK(run_json(run).at("rows") == pcg.at("rows"));
  CHECK(philox.at("rows") != pcg.at("rows"));
  CHECK(run_json(run + " --rng philox --threads 1").at("rows") == philox.at("rows"));
  CHECK(philox.at("settings").at("rng") == "philox");
  CHECK(run_json(study + "philox").at("solvers") != run_json(study + "pcg32").at("solvers"));
}

TEST_CASE("integrate runs every listed process by every solver that fits") {
  const json listed = run_json("list processes").at("processes");

  REQUIRE(listed.size() >= 11);
  for (const json& process : listed) {
    const std::string noise = process.at("noise");
    const std::vector<std::string> solvers =
        noise == "none"      ? std::vector<std::string>{"rk4", "dopri5"}
        : noise == "general" ? std::vector<std::string>{"euler-maruyama"}
                             : std::vector<std::string>{"euler-maruyama", "milstein"};
    for (const std::string& solver : solvers) {
      const json run = run_json("integrate --paths 64 --t 0:0.1 --solver " + solver +
                                " --process " + process.at("name").get<std::string>());
      INFO(process.at("name") << " by " << solver);
      CHECK(run.at("status") == "success");
      for (const json& mean : run.at("rows").back().at("mean"))
        CHECK(std::isfinite(mean.get<double>()));
    }
  }
}

TEST_CASE("a Stratonovich solver runs on the converted process and says so") {
  const Program fokker;

  const Outcome run =
      fokker("integrate --process gbm --solver heun-sde --t 0:1 --dt 0.01 --set mu=1,sigma=0.5");

  REQUIRE(run.code == 0);
  CHECK_THAT(run.out, ContainsSubstring("Stratonovich form"));
  const json end =
      run_json("integrate --process gbm --solver heun-sde --t 0:1 --dt 0.01 --set mu=1,sigma=0.5")
          .at("rows")
          .back();
  CHECK(std::abs(end.at("mean").at(0).get<double>() - std::exp(1.0)) <
        5 * end.at("mean_stderr").at(0).get<double>());
}

TEST_CASE("a Stratonovich solver runs on general and commutative noise, to the exact mean") {
  for (const std::string process : {"linear", "linear-commuting", "heston"})
    for (const std::string solver : {"slow-rk", "spark"}) {
      INFO(process << " by " << solver);
      const json end = run_json("integrate --process " + process + " --solver " + solver +
                                " --t 0:1 --dt 0.01 --paths 4096")
                           .at("rows")
                           .back();
      for (std::size_t i = 0; i < end.at("mean").size(); ++i)
        if (end.contains("exact_mean") && end.at("exact_mean").is_array())
          CHECK(std::abs(end.at("mean").at(i).get<double>() -
                         end.at("exact_mean").at(i).get<double>()) <
                5 * end.at("mean_stderr").at(i).get<double>());
    }
}

TEST_CASE("integrate writes its table as CSV") {
  const Program fokker;

  const Outcome statistics = fokker("integrate --process ou --solver milstein --points 11 --csv -");
  const Outcome paths = fokker(
      "integrate --process heston --solver euler-maruyama --points 3 --trajectories 2 --csv "
      "out.csv");
  const Outcome orbit =
      fokker("integrate --process lorenz --solver dopri5 --t 0:1 --points 5 --csv -");

  REQUIRE(statistics.code == 0);
  const auto lines = lines_of(statistics.out);
  CHECK(lines.size() == 12);
  CHECK(lines.at(0) == "t,x_mean,x_sd,x_q05,x_q25,x_q50,x_q75,x_q95");
  CHECK_THAT(lines.at(1), StartsWith("0,1,0,1,"));
  REQUIRE(paths.code == 0);
  const auto written = lines_of(fokker.read("out.csv"));
  CHECK(written.size() == 4);
  CHECK(written.at(0) == "t,x1_path0,x1_path1,x2_path0,x2_path1");
  REQUIRE(orbit.code == 0);
  CHECK(lines_of(orbit.out).at(0) == "t,x1,x2,x3");
  CHECK(lines_of(orbit.out).size() == 6);
}

TEST_CASE("an ODE runs both ways in time") {
  const json there =
      run_json("integrate --process lorenz --solver dopri5 --t 0:1 --rtol 1e-12 --atol 1e-12");
  const json& end = there.at("rows").back().at("mean");
  std::string x0;
  for (const json& x : end) x0.append(x0.empty() ? "" : ",").append(x.dump());

  const json back = run_json(
      "integrate --process lorenz --solver fehlberg78 --t 1:0 --rtol 1e-12 --atol 1e-12 --x0 " +
      x0);

  for (const json& x : back.at("rows").back().at("mean"))
    CHECK_THAT(x.get<double>(), WithinAbs(1, 1e-6));
}

TEST_CASE("integrate --until finds the first passage of Brownian motion") {
  // Drift 1 to the level 1: the inverse Gaussian law of mean 1 and variance 1, on any grid; its
  // tail beyond t = 30 weighs less than 1e-7.
  const Program fokker;
  const json run = run_json(
      "integrate --process bm --set mu=1,sigma=1 --x0 0 --solver euler-maruyama --t 0:30 --dt 0.5 "
      "--paths 40000 --until \"x>=1\"");
  const json early = run_json(
      "integrate --process bm --set mu=1,sigma=1 --x0 0 --solver euler-maruyama --t 0:1 --dt 0.5 "
      "--paths 40000 --until \"x=1\"");
  const auto near = [](const json& passage, const char* value, double exact) {
    const double error = passage.at(std::string(value) + "_stderr");
    CHECK(error > 0);
    CHECK(std::abs(passage.at(value).get<double>() - exact) < 5 * error);
  };

  const json& passage = run.at("passage");
  CHECK(run.at("status") == "success");
  CHECK(passage.at("met") == 1.0);
  near(passage, "mean", 1);
  near(passage, "sd", 1);
  CHECK_THAT(passage.at("quantiles").at(2).get<double>(), WithinAbs(0.675841, 0.02));
  near(early.at("passage"), "met", 0.668102001223171);
  CHECK_FALSE(run.contains("rows"));
}

TEST_CASE("integrate --until finds the root of an ODE, both ways in time, by every kind of step") {
  // x1 = 2 cos t, x2 = -2 sin t.
  const auto first = [](const std::string& how) {
    return run_json("integrate --process van-der-pol --set mu=0 " + how).at("passage");
  };
  const double quarter = std::acos(0.0);

  for (const char* how : {"--solver dop853 --rtol 1e-11 --atol 1e-11 --t 0:9 --until \"x1<=0\"",
                          "--solver rk4 --dt 0.001 --t 0:9 --until \"x1=0\""}) {
    INFO(how);
    const json passage = first(how);
    CHECK(passage.at("met") == 1.0);
    CHECK_THAT(passage.at("mean").get<double>(), WithinAbs(quarter, 1e-9));
  }
  const json down =
      first("--solver vern7 --rtol 1e-11 --atol 1e-11 --t 1:-9 --x0 2,0 --until \"x2>=1\"");
  CHECK_THAT(down.at("mean").get<double>(), WithinAbs(1 - std::asin(0.5), 1e-9));
  const json never = first("--solver dopri5 --t 0:9 --until \"x1>=2.5\"");
  CHECK(never.at("met") == 0.0);
  CHECK(never.at("mean").is_null());
}

TEST_CASE("integrate --until writes the time of every path and its picture") {
  const Program fokker;

  const Outcome run = fokker(
      "integrate --process ou --solver euler-maruyama --t 0:2 --paths 100 --until \"x<=0.5\" --csv "
      "times.csv --plot times.svg");

  INFO(run.err);
  REQUIRE(run.code == 0);
  CHECK_THAT(run.out, ContainsSubstring("x<=0.5: met by"));
  const auto lines = lines_of(fokker.read("times.csv"));
  REQUIRE(lines.size() == 101);
  CHECK(lines.at(0) == "path,t");
  CHECK_THAT(lines.at(100), StartsWith("99,"));
  CHECK_THAT(fokker.read("times.svg"), ContainsSubstring("<svg"));
}

TEST_CASE("a run that fails says by which time and step") {
  const Program fokker;

  const Outcome run = fokker(
      "integrate --process gbm --set mu=1e120 --solver euler-maruyama --dt 1 --t 0:8 --paths 9");

  CHECK(run.code == 1);
  CHECK_THAT(run.err, ContainsSubstring("non-finite state: 9 of 9 paths failed"));
  CHECK_THAT(run.err, ContainsSubstring("by t = 3 (step 3)"));
}

TEST_CASE("a solution that blows up is said and is no success") {
  const Program fokker;

  const Outcome run =
      fokker("integrate --process double-well --solver euler-maruyama --dt 1 --t 0:50 --x0 9");

  CHECK(run.code == 1);
  CHECK_THAT(run.err, StartsWith("fokker: non-finite state"));
}

TEST_CASE("converge measures the strong orders of Euler-Maruyama and Milstein") {
  const Program fokker;

  const Outcome run = fokker(
      "converge --process gbm --set mu=1.5,sigma=0.8 --solvers euler-maruyama,milstein --paths "
      "2048 "
      "--levels 7 --json out.json --plot out.svg");

  INFO(run.err);
  REQUIRE(run.code == 0);
  const json solvers = json::parse(fokker.read("out.json")).at("solvers");
  CHECK_THAT(solvers.at(0).at("strong").at("order").get<double>(), WithinAbs(0.5, 0.1));
  CHECK_THAT(solvers.at(1).at("strong").at("order").get<double>(), WithinAbs(1.0, 0.1));
  CHECK_THAT(run.out, ContainsSubstring("claimed 0.5") && ContainsSubstring("claimed 1"));
  CHECK_THAT(fokker.read("out.svg"), ContainsSubstring("<svg"));
}

TEST_CASE("converge measures the order of ODE methods") {
  const json solvers =
      run_json("converge --process van-der-pol --solvers euler,heun,rk4 --t 0:1").at("solvers");

  const std::vector<double> orders = {1, 2, 4};
  for (std::size_t i = 0; i < 3; ++i)
    CHECK_THAT(solvers.at(i).at("strong").at("order").get<double>(), WithinAbs(orders[i], 0.15));
}

TEST_CASE("bench compares every loop with the obvious one") {
  const json document = run_json("bench");

  CHECK(document.at("instruction_set").is_string());
  CHECK(document.at("rows").size() == 5);
  for (const json& row : document.at("rows")) CHECK(row.at("ratio").get<double>() > 0);
}
