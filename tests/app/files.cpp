/// @file  app/files.cpp
/// @brief The files of a run: none lost, to another of the same run or to a later run.

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/program.hpp"
#include "catch.hpp"

namespace {

namespace fs = std::filesystem;

const std::string quick = "integrate --process ou --solver milstein --paths 64 --dt 0.1 ";

}  // namespace

TEST_CASE("two files of a run that are one are refused, however they are spelt") {
  const Program fokker;
  fs::create_directory(fokker.path("dir"));
  fokker.write("old.json", "{}");
  fs::create_symlink("old.json", fokker.path("link.json"));
  fs::create_hard_link(fokker.path("old.json"), fokker.path("hard.json"));
  fs::create_symlink("new.json", fokker.path("dangling.json"));
  fokker.write("points.csv", "1,2\n3,4\n");
  fokker.write("grid.txt", "1\n0.5\n0.01\n");

  for (const std::string args : {
           quick + "--json same --checkpoint same",
           quick + "--json same --checkpoint ./same",
           quick + "--json same --csv dir/../same",
           quick + "--csv dir/same --json \"$PWD/dir/same\"",
           quick + "--json old.json --csv link.json --force",
           quick + "--json old.json --checkpoint hard.json --force",
           quick + "--json new.json --csv dangling.json",
           quick + "--plot a.svg,./a.svg",
           std::string("converge --process ou --solvers milstein --json a --checkpoint a"),
           std::string("tune --out grid.txt --json ./grid.txt"),
           std::string("tune --data spectrum:points.csv --out points.csv --force"),
           std::string("learn --data points:points.csv --out ./points.csv --force"),
           std::string("compare --data points:points.csv --json points.csv --force"),
           std::string("compare --data product:points:points.csv+ring8 --json points.csv --force"),
           std::string("compare --grid grid.txt --json grid.txt --force"),
       }) {
    const auto before = fokker.files();

    const Outcome run = fokker(args);

    INFO(args << "\n" << run.out << run.err);
    CHECK(run.code == 2);
    CHECK_THAT(run.err, ContainsSubstring("are the same file"));
    CHECK(fokker.files() == before);
  }
  CHECK(fokker.read("points.csv") == "1,2\n3,4\n");
  CHECK(fokker.read("old.json") == "{}");
}

TEST_CASE("a device may be given twice") {
  const Program fokker;

  CHECK(fokker(quick + "--json /dev/null --csv /dev/null").code == 0);
}

TEST_CASE("a dangling link is followed, not replaced") {
  const Program fokker;
  fs::create_directory(fokker.path("dir"));
  fs::create_symlink("dir/target.json", fokker.path("link.json"));
  fs::create_symlink("link.json", fokker.path("chain.json"));
  fs::create_symlink("circle.json", fokker.path("circle.json"));

  REQUIRE(fokker(quick + "--json chain.json").code == 0);
  const Outcome circle = fokker(quick + "--json circle.json");

  CHECK(fs::is_symlink(fokker.path("link.json")));
  CHECK(fs::is_symlink(fokker.path("chain.json")));
  CHECK_FALSE(fokker.read("dir/target.json").empty());
  CHECK(circle.code == 2);
  CHECK_THAT(circle.err, ContainsSubstring("circle"));
}

TEST_CASE("a later run writes beside the results of an earlier one, with one number for all") {
  const Program fokker;
  const std::string run = quick + "--json r.json --csv c.csv ";
  REQUIRE(fokker(run).code == 0);
  const std::string json = fokker.read("r.json"), csv = fokker.read("c.csv");
  fs::remove(fokker.path("c.csv"));

  const Outcome second = fokker(run), third = fokker(run);
  const Outcome forced = fokker(run + "--seed 2 --force");

  CHECK(second.code == 0);
  CHECK_THAT(second.out, ContainsSubstring("wrote c-2.csv, r-2.json"));
  CHECK_THAT(third.out, ContainsSubstring("wrote c-3.csv, r-3.json"));
  CHECK(fokker.read("c-2.csv") == csv);
  CHECK(forced.code == 0);
  CHECK(fokker.read("r.json") != json);
  CHECK_FALSE(fs::exists(fokker.path("r-4.json")));
}

TEST_CASE("default names are not written over either") {
  const Program fokker;
  const std::string compare = "compare --exact --data gaussian --samplers ddim --nfe 8,16";
  REQUIRE(fokker(compare).code == 0);
  REQUIRE(fokker("tune --steps 2").code == 0);
  const std::string json = fokker.read("compare.json"), grid = fokker.read("grid.txt");

  CHECK(fokker(compare).code == 0);
  CHECK(fokker("tune --steps 3").code == 0);

  CHECK(fokker.read("compare.json") == json);
  CHECK(fokker.read("grid.txt") == grid);
  for (const char* name : {"compare-2.json", "compare-2.svg", "compare-2.png", "grid-2.txt"})
    CHECK_FALSE(fokker.read(name).empty());
}

TEST_CASE("every JSON says which command, build and settings it is from") {
  const Program fokker;

  for (const std::string args :
       {quick + "--set theta=2 ", std::string("list grids "), std::string("tune --steps 2 "),
        std::string("converge --process ou --solvers milstein --paths 64 --levels 3 "),
        std::string("compare --exact --data gaussian --samplers ddim --nfe 8 ")}) {
    const Outcome run = fokker(args + "--json -");
    INFO(args << run.err);
    REQUIRE(run.code == 0);
    const auto document = nlohmann::json::parse(run.out);
    const auto& about = document.at("run");
    CHECK_THAT(about.at("command").get<std::string>(), StartsWith("fokker " + args.substr(0, 4)));
    CHECK_THAT(about.at("date").get<std::string>(), StartsWith("20"));
    for (const char* key : {"version", "build", "compiler", "instruction_set"})
      CHECK_FALSE(about.at(key).get<std::string>().empty());
  }
  const auto settings = nlohmann::json::parse(fokker(quick + "--json -").out).at("settings");
  CHECK(settings.at("parameters").contains("sigma"));  // a default
  CHECK(settings.at("x0") == std::vector<double>{1});
}

TEST_CASE("the states of --save come with their times") {
  const Program fokker;

  const Outcome run = fokker(quick + "--points 3 --save p.npy");

  INFO(run.err);
  REQUIRE(run.code == 0);
  CHECK_THAT(run.out, ContainsSubstring("p-times.npy"));
  const std::string times = fokker.read("p-times.npy");
  REQUIRE(times.size() == 128 + 3 * sizeof(double));
  CHECK(times.find("'shape': (3,)") < 128);
}
