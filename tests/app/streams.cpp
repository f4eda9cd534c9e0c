/// @file  streams.cpp
/// @brief Standard output and standard error that are closed, full or broken off.

#include <string>
#include <vector>

#include "app/program.hpp"
#include "catch.hpp"

namespace {

/// A run of each command that writes to standard output, in little time.
const std::vector<std::string> quick = {
    "list",
    "list samplers --json -",
    "--help",
    "help",
    "--version",
    "compare --help",
    "integrate --process ou --solver milstein --paths 64 --dt 0.1",
    "integrate --process ou --solver milstein --paths 64 --dt 0.1 --json -",
    "integrate --process ou --solver milstein --paths 64 --dt 0.1 --csv -",
    "integrate --process ou --solver milstein --paths 64 --dt 0.1 --until \"x<=0.9\"",
    "converge --process ou --solvers milstein --paths 64 --levels 3 --json -",
    "tune --steps 2 --json -",
    "compare --exact --data gaussian --samplers ddim --nfe 8 --json -"};

}  // namespace

TEST_CASE("standard output that cannot be written is reported by every command") {
  const Program fokker;

  for (const std::string& args : quick) {
    const Outcome full = fokker(args + " > /dev/full");
    INFO(args << "\n" << full.err);
    CHECK(full.code != 0);
    CHECK_THAT(full.err,
               ContainsSubstring("fokker: cannot write standard output: No space left on device"));

    const Outcome closed = fokker(args + " >&-");
    INFO(closed.err);
    CHECK(closed.code != 0);
    CHECK_THAT(closed.err, ContainsSubstring("fokker: cannot write standard output"));
  }
}

TEST_CASE("a full or closed standard error changes neither the result nor the exit code") {
  const Program fokker;

  for (const std::string& args : quick)
    for (const char* closed : {" 2> /dev/full", " 2>&-"}) {
      INFO(args << closed);
      CHECK(fokker(args + closed).code == 0);
    }
  for (const char* closed : {" 2> /dev/full", " 2>&-", " 2>&- >&-", " <&- 2>&-"}) {
    INFO(closed);
    CHECK(fokker(std::string("integrate --process gmb") + closed).code == 2);  // a message to write
    CHECK(fokker(std::string("integrate --process ou --solver milstein --paths 64 --json r.json "
                             "--force --quiet") +
                 closed)
              .code == 0);
  }
}

TEST_CASE("a file of a run does not take the number of a closed standard stream") {
  const Program fokker;

  REQUIRE(fokker("integrate --process ou --solver milstein --paths 64 --quiet --json r.json >&- "
                 "2>&- <&-")
              .code == 0);

  const std::string json = fokker.read("r.json");
  CHECK_THAT(json, StartsWith("{"));
  CHECK(json.ends_with("}\n"));
}

TEST_CASE("a reader that ends early ends neither the run nor its files") {
  const Program fokker;

  const Outcome run = fokker.shell(
      "(" FOKKER_PROGRAM
      " integrate --process ou --solver milstein --paths 64 --points 101 --csv - --json r.json; "
      "echo $? > code) | true");

  CHECK(run.code == 0);
  CHECK(run.err.find("abort") == std::string::npos);
  CHECK(std::stoi(fokker.read("code")) < 128);  // no signal
  CHECK_FALSE(fokker.read("r.json").empty());
}

TEST_CASE("a limit on the size of files is an error of the output, not a signal") {
  const Program fokker;

  const Outcome run = fokker.shell("ulimit -f 1; " FOKKER_PROGRAM
                                   " integrate --process ou --solver milstein --paths 64 --quiet "
                                   "--json r.json");

  CHECK(run.code == 2);
  CHECK_THAT(run.err, ContainsSubstring("cannot write r.json: File too large"));
  CHECK(fokker.files().empty());
}

TEST_CASE("the option --quiet leaves standard output to what was asked for") {
  const Program fokker;

  const Outcome tables =
      fokker("integrate --process ou --solver milstein --paths 64 --quiet --json r.json");
  const Outcome csv =
      fokker("integrate --process ou --solver milstein --paths 64 --quiet --points 2 --csv -");

  CHECK(tables.code == 0);
  CHECK(tables.out.empty());
  CHECK(tables.err.empty());
  CHECK_THAT(csv.out, StartsWith("t,x_mean"));
}
