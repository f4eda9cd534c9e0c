/// @file  learn.cpp
/// @brief `fokker learn`: its files, its result, and what it refuses.

#include <cmath>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <fokker/diffusion/score/learned_score.hpp>

#include "app/program.hpp"
#include "catch.hpp"

namespace {

const std::string small = "learn --steps 40 --batch 32 --width 8 --layers 1 --samples 100 ";

}  // namespace

TEST_CASE("learn writes a model that can be read, the curve and the losses") {
  const Program fokker;

  const Outcome run = fokker(small + "--process flow --loss velocity --out m.json --json r.json");

  REQUIRE(run.code == 0);
  CHECK_THAT(run.out, ContainsSubstring("exact score"));
  CHECK_THAT(run.out, ContainsSubstring("sliced-w2 of 100 samples"));
  const auto denoiser = fokker::read_denoiser(fokker.path("m.json"));
  CHECK(denoiser.dimension() == 2);
  CHECK(denoiser.parts().process == "flow");
  CHECK(denoiser.parts().loss == "velocity");
  const auto json = nlohmann::json::parse(fokker.read("r.json"));
  CHECK(json.at("curve").size() == 40);
  CHECK(json.at("losses").size() == 4);
  for (const auto& row : json.at("losses"))
    CHECK(row.at("learned").get<double>() > row.at("exact").get<double>());
}

TEST_CASE("learn gives the same model for the same seed on any number of threads") {
  const Program fokker;

  fokker(small + "--threads 1 --out a.json --json -");
  fokker(small + "--threads 2 --out b.json --json -");
  fokker(small + "--seed 2 --out c.json --json -");

  CHECK(fokker.read("a.json").size() > 1000);
  CHECK(fokker.read("a.json") == fokker.read("b.json"));
  CHECK(fokker.read("a.json") != fokker.read("c.json"));
}

TEST_CASE("the score error that compare finds in a learned model falls with its training") {
  const Program fokker;
  const auto errors = [&](const std::string& steps) {
    const Outcome learned =
        fokker("learn --data ring8 --width 64 --layers 2 --batch 128 --samples 0 --steps " + steps +
               " --force --out m.json --json l.json");
    INFO(learned.err);
    REQUIRE(learned.code == 0);
    const Outcome run = fokker(
        "compare --data ring8 --score model:m.json --samplers heun,dpm++2m-sde --steps 16,32 "
        "--paths 1000 --force --json c.json");
    INFO(run.err);
    REQUIRE(run.code == 0);
    CHECK_THAT(run.out, ContainsSubstring("score"));
    const auto json = nlohmann::json::parse(fokker.read("c.json"));
    std::vector<double> found;
    for (const auto& row : json.at("rows")) found.push_back(row.at("error_score").get<double>());
    return found;
  };

  const auto little = errors("30"), much = errors("1500");

  REQUIRE(little.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CAPTURE(i, little[i], much[i]);
    CHECK(much[i] > 0);
    CHECK(much[i] < 0.5 * little[i]);
  }
}

TEST_CASE("learn on points says how far they are from each other, and makes the width fit") {
  const Program fokker;
  fokker.write("square.csv", "0,0\n2,0\n0,2\n2,2\n0,0\n");

  const Outcome run =
      fokker("learn --steps 10 --batch 32 --samples 100 --data points:square.csv --json r.json");

  INFO(run.err);
  REQUIRE(run.code == 0);
  CHECK_THAT(run.out, ContainsSubstring("nearest point of the data"));
  const auto json = nlohmann::json::parse(fokker.read("r.json"));
  CHECK_THAT(json.at("nearest").at("data").get<double>(), WithinAbs(std::sqrt(2.0), 1e-12));
  CHECK(json.at("nearest").at("samples").get<double>() > 0);
  CHECK(json.at("settings").at("width") == 128);
}

TEST_CASE("learn refuses what makes no sense, before any work") {
  const Program fokker;
  const auto refused = [&](const std::string& args, const std::string& reason) {
    const Outcome run = fokker("learn " + args);
    CAPTURE(args, run.err);
    CHECK(run.code == 2);
    CHECK_THAT(run.err, ContainsSubstring(reason));
    CHECK(fokker.files().empty());
  };

  refused("--loss nois", "did you mean 'noise'");
  refused("--steps 0", "--steps");
  refused("--batch none", "--batch");
  refused("--rate -1", "learning rate");
  refused("--width 1000000", "weights");
  refused("--samples 1", "--samples");
  refused("--process vpp", "vp");
  refused("--out no/such/folder/m.json", "no/such/folder");
}
