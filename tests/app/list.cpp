/// @file  list.cpp
/// @brief `fokker list`.

#include <algorithm>
#include <cctype>
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

/// The letters and digits of a name of the command line or of C++, '+' as in C++.
std::string letters(const std::string& name) {
  std::string out;
  for (const char c : name)
    if (c == '+')
      out += "plus";
    else if (std::isalnum(static_cast<unsigned char>(c)))
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

}  // namespace

TEST_CASE("list prints the names of the contract") {
  const Program fokker;

  const Outcome run = fokker("list");

  REQUIRE(run.code == 0);
  for (const char* name : {"euler-maruyama",
                           "milstein",
                           "heun-sde",
                           "rk4",
                           "dopri5",
                           "odeint-dopri5",
                           "fehlberg78",
                           "bulirsch-stoer",
                           "gbm",
                           "ou",
                           "cir",
                           "heston",
                           "double-well",
                           "langevin",
                           "lotka-volterra",
                           "lorenz",
                           "van-der-pol",
                           "vp",
                           "vp-cosine",
                           "sub-vp",
                           "ve",
                           "edm",
                           "flow",
                           "ddim",
                           "ddpm",
                           "exponential-euler-maruyama",
                           "edm-heun",
                           "uniform",
                           "karras",
                           "logsnr",
                           "quadratic",
                           "ring8",
                           "gaussian",
                           "mixture:FILE.json",
                           "points:FILE.csv",
                           "spectrum:FILE.csv",
                           "low-rank:FILE.csv[:FLOOR]",
                           "sliced-w2",
                           "energy",
                           "w1",
                           "w2"})
    CHECK_THAT(run.out, ContainsSubstring(name));
}

TEST_CASE("list gives a column of orders for each kind of noise") {
  const json solvers = run_json("list solvers").at("solvers");

  for (const json& solver : solvers) {
    if (solver.at("name") == "euler-maruyama") {
      CHECK(solver.at("orders").at("additive").at("strong") == 1.0);
      CHECK(solver.at("orders").at("general").at("strong") == 0.5);
    }
    if (solver.at("name") == "milstein") CHECK_FALSE(solver.at("orders").contains("general"));
    if (solver.at("name") == "rk4") CHECK(solver.at("deterministic_order") == 4.0);
    if (solver.at("name") == "bulirsch-stoer") CHECK(solver.at("deterministic_order").is_null());
  }
}

TEST_CASE("list says the default t_min of every forward process") {
  for (const json& process : run_json("list schedules").at("schedules")) {
    INFO(process.dump());
    CHECK(process.at("t_min").get<double>() >= 0);
    CHECK(process.at("t_min").get<double>() < process.at("end_time").get<double>());
  }
}

TEST_CASE("every entry that is a C++ type names its header") {
  const json all = run_json("list");

  for (const char* section : {"solvers", "processes", "schedules", "samplers"})
    for (const json& entry : all.at(section)) {
      INFO(entry.dump());
      CHECK_FALSE(entry.at("type").get<std::string>().empty());
      CHECK_THAT(entry.at("header").get<std::string>(), StartsWith("fokker/"));
    }
}

TEST_CASE("methods have one name in C++ and on the command line, or a synonym that is it") {
  const json all = run_json("list");

  for (const char* section : {"solvers", "samplers"})
    for (const json& entry : all.at(section)) {
      INFO(entry.dump());
      std::vector<std::string> names = {letters(entry.at("name"))};
      for (const json& other : entry.at("synonyms")) names.push_back(letters(other));
      CHECK(std::count(names.begin(), names.end(), letters(entry.at("type"))) >= 1);
    }
}

TEST_CASE("list shows one entry with its header, orders, certificates and an example") {
  const Program fokker;

  const Outcome solver = fokker("list solver sriw1"), sampler = fokker("list sampler dpm2");

  CHECK_THAT(solver.out, ContainsSubstring("Sriw1, in <fokker/solvers/ito/sri.hpp>") &&
                             ContainsSubstring("diagonal     1.5   1.5") &&
                             ContainsSubstring("1.43 [1.22, 1.53]") &&
                             ContainsSubstring("--solver sriw1 --t 0:1 --dt 0.01"));
  CHECK_THAT(sampler.out, StartsWith("dpm-solver-2: ") && ContainsSubstring("DpmSolver2, in"));
}

TEST_CASE("the example of every entry is a command that runs") {
  const Program fokker;
  for (const json& solver : run_json("list solvers --noise additive").at("solvers")) {
    const Outcome shown = fokker("list solver " + solver.at("name").get<std::string>());
    const auto first = shown.out.find("fokker integrate");
    REQUIRE(first != std::string::npos);
    std::string command = shown.out.substr(first, shown.out.find('\n', first) - first);
    command = command.substr(std::string("fokker ").size()) + " --paths 64 --quiet";

    const Outcome run = fokker(command);

    INFO(command << run.err);
    CHECK(run.code == 0);
  }
}

TEST_CASE("filters choose the solvers that take a kind of noise") {
  const json diagonal = run_json("list solvers --noise diagonal --calculus stratonovich");

  for (const json& solver : diagonal.at("solvers")) {
    CHECK(solver.at("orders").contains("diagonal"));
    CHECK(solver.at("calculus") == "Stratonovich");
  }
  CHECK(diagonal.at("solvers").size() >= 6);
}
