/// @file  mpi/command.cpp
/// @brief `mpirun -n R fokker integrate`, `compare` and `converge`: the same files for any R, and
///        what is left when a rank dies.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/program.hpp"
#include "catch.hpp"

namespace {

const std::string mpirun = FOKKER_MPIRUN " --oversubscribe --allow-run-as-root -n ";
const std::string heston =
    " " FOKKER_PROGRAM " integrate --process heston --solver euler-maruyama --points 5 ";

nlohmann::json results_of(const std::string& text) {
  nlohmann::json run = nlohmann::json::parse(text);
  run.erase("seconds");
  run.erase("run");          // command and date
  if (run.contains("rows"))  // of compare
    for (auto& row : run["rows"]) row.erase("seconds");
  return run;
}

}  // namespace

TEST_CASE("integrate writes the same files for 1, 2, 3 and 4 ranks and for none") {
  const Program fokker;
  const std::string settings = heston + "--dt 0.01 --paths 40001 --csv out.csv --json out.json ";

  REQUIRE(fokker.shell(settings).code == 0);
  const std::string csv = fokker.read("out.csv");
  const auto json = results_of(fokker.read("out.json"));

  for (const std::string size : {"1", "2", "3", "4"}) {
    const Outcome run = fokker.shell("rm out.*; " + mpirun + size + settings + "--threads 1");
    INFO(size << " ranks\n" << run.err);
    REQUIRE(run.code == 0);
    CHECK(fokker.read("out.csv") == csv);
    CHECK(results_of(fokker.read("out.json")) == json);
    CHECK(run.out.find("heston") == run.out.rfind("heston:"));  // printed once
  }
}

TEST_CASE("compare and converge write the same file for 1, 2, 3 and 4 ranks and for none") {
  for (const std::string command :
       {"compare --paths 2000 --nfe 8,16 --samplers euler-maruyama,ddim,dpm++2m-sde ",
        "converge --process kubo --solvers euler-maruyama,midpoint-sde --paths 20000 "}) {
    const Program fokker;
    const std::string line = FOKKER_PROGRAM " " + command + "--json out.json ";
    REQUIRE(fokker.shell(line).code == 0);
    const auto json = results_of(fokker.read("out.json"));

    for (const std::string size : {"1", "2", "3", "4"}) {
      const Outcome run = fokker.shell("rm out.*; " + mpirun + size + " " + line + "--threads 1");
      INFO(command << size << " ranks\n" << run.err);
      REQUIRE(run.code == 0);
      CHECK(results_of(fokker.read("out.json")) == json);
      CHECK(run.out.find("seed 1") == run.out.rfind("seed 1"));  // printed once
    }
  }
}

TEST_CASE("a rank that is killed ends the job, says so and leaves no file but its checkpoint") {
  const Program fokker;
  const std::string settings = heston + "--dt 0.001 --paths 120000 --csv out.csv --threads 1 ";
  REQUIRE(fokker.shell(heston + "--dt 0.001 --paths 120000 --csv whole.csv").code == 0);

  // Kills rank 1 with SIGKILL once the first checkpoint is there.
  const Outcome run = fokker.shell(
      mpirun + "3" + settings +
      "--checkpoint run.ckpt --checkpoint-every 0 & job=$!; "
      "until [ -e run.ckpt ]; do sleep 0.02; done; "
      "for pid in $(pgrep -x fokker); do "
      "  if tr '\\0' '\\n' < /proc/$pid/environ | grep -qx OMPI_COMM_WORLD_RANK=1 && "
      "     [ \"$(readlink /proc/$pid/cwd)\" = \"$PWD\" ]; then kill -9 $pid; fi; done; wait $job");

  CHECK(run.code != 0);
  CHECK_THAT(run.err, ContainsSubstring("signal 9"));
  auto files = fokker.files();
  std::sort(files.begin(), files.end());
  CHECK(files == std::vector<std::string>{"run.ckpt", "whole.csv"});
  const Outcome again = fokker.shell(mpirun + "2" + settings + "--checkpoint run.ckpt");
  INFO(again.err);
  REQUIRE(again.code == 0);
  CHECK(fokker.read("out.csv") == fokker.read("whole.csv"));
}

TEST_CASE("ranks refuse what they cannot share, once and with one line") {
  const Program fokker;
  for (const auto& [command, words] : std::vector<std::pair<std::string, std::string>>{
           {" " FOKKER_PROGRAM " tune --sampler ddim --nfe 10", "without mpirun"},
           {heston + "--save paths.npy", "without mpirun"},
           {heston + "--csv absent/out.csv", "absent/out.csv"},
           {heston + "--paths 0", "--paths"}}) {
    const Outcome run = fokker.shell(mpirun + "2" + command);
    INFO(command << "\n" << run.err);
    CHECK(run.code == 2);
    CHECK_THAT(run.err, ContainsSubstring(words));
    CHECK(run.err.find("fokker: ") == run.err.rfind("fokker: "));
    CHECK(fokker.files().empty());
  }
}
