/// @file  learn.cpp
/// @brief `fokker learn`: its files, its result, and what it refuses.

#include <string>

#include <nlohmann/json.hpp>

#include <fokker/diffusion/learned_score.hpp>

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
