/// @file  app/long_runs.cpp
/// @brief --checkpoint, and --save of `fokker integrate`: what is left when a run is ended, and
/// that
///        it goes on to the same bits.

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/program.hpp"
#include "app/running.hpp"
#include "catch.hpp"

#include <fokker/solvers/core/state.hpp>
#include <fokker/solvers/support/bytes.hpp>

namespace {

/// Waits until the file is replaced (or comes) so many times, or the program ends.
void wait_for_writes(Running& program, const std::filesystem::path& file, int writes) {
  const auto stamp = [&] {
    std::error_code error;
    const auto time = std::filesystem::last_write_time(file, error);
    return error ? std::filesystem::file_time_type::min() : time;
  };
  for (auto seen = stamp(); writes > 0 && !program.ended();) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const auto now = stamp();
    if (now == seen) continue;
    seen = now;
    --writes;
  }
}

nlohmann::json results_of(const std::string& text) {
  nlohmann::json run = nlohmann::json::parse(text);
  run.erase("seconds");
  run.erase("run");          // command and date
  if (run.contains("rows"))  // of compare
    for (auto& row : run["rows"]) row.erase("seconds");
  return run;
}

/// The leaves that are finished according to a checkpoint: the first number of its state.
fokker::Index finished_leaves(const std::string& checkpoint) {
  fokker::ByteReader in(std::string_view(checkpoint).substr(checkpoint.find('\n') + 1));
  for (auto settings = in.get<std::size_t>(); settings > 0; --settings) {
    in.get<std::string>();
    in.get<std::string>();
  }
  const auto state = in.get<std::string>();
  return fokker::ByteReader(state).get<fokker::Index>();
}

/// About three seconds of one core.
const std::string heston =
    "integrate --process heston --solver euler-maruyama --points 5 --dt 0.002 --paths 150001 ";

}  // namespace

TEST_CASE("a run that is killed ten times goes on to the bits of an undisturbed one") {
  const Program fokker;
  REQUIRE(fokker(heston + "--csv whole.csv --json whole.json").code == 0);
  const std::string resumable =
      heston + "--csv out.csv --json out.json --checkpoint run.ckpt --checkpoint-every 0 ";
  std::mt19937 random(1);
  fokker::Index before = 0;

  for (int kills = 0; kills < 10; ++kills) {
    Running run(fokker, resumable + (kills % 2 == 0 ? "--threads 1" : ""));
    wait_for_writes(run, fokker.path("run.ckpt"), 1);
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 20'000));
    REQUIRE(run.end(SIGKILL) == SIGKILL);  // in the middle: it had not ended
    auto files = fokker.files();
    std::sort(files.begin(), files.end());
    REQUIRE(files == std::vector<std::string>{"run.ckpt", "whole.csv", "whole.json"});
    const fokker::Index finished = finished_leaves(fokker.read("run.ckpt"));
    CHECK(finished > before);  // it had gone on, not begun again
    before = finished;
  }
  const Outcome last = fokker(resumable);

  INFO(last.err);
  REQUIRE(last.code == 0);
  CHECK(fokker.read("out.csv") == fokker.read("whole.csv"));
  CHECK(results_of(fokker.read("out.json")) == results_of(fokker.read("whole.json")));
  CHECK_FALSE(std::filesystem::exists(fokker.path("run.ckpt")));
}

TEST_CASE(
    "Ctrl-C leaves a checkpoint from which the same command goes on, and another is refused") {
  const Program fokker;
  const std::string resumable = heston + "--csv out.csv --checkpoint run.ckpt ";
  REQUIRE(fokker(heston + "--csv whole.csv").code == 0);

  Running run(fokker, resumable + "--checkpoint-every 0");
  wait_for_writes(run, fokker.path("run.ckpt"), 1);
  REQUIRE(run.end(SIGINT) == -130);

  const Outcome other = fokker(resumable + "--seed 2");
  CHECK(other.code == 2);
  CHECK_THAT(other.err, ContainsSubstring("run.ckpt belongs to another run (seed is 2, there 1)"));
  REQUIRE(fokker(resumable).code == 0);
  CHECK(fokker.read("out.csv") == fokker.read("whole.csv"));
}

TEST_CASE("compare and converge go on after kills to what an undisturbed run finds") {
  for (const std::string command :
       {"compare --paths 40000 --nfe 8,32 --samplers euler-maruyama,heun,dpm++2m-sde ",
        "converge --process kubo --solvers euler-maruyama,midpoint-sde --paths 80000 "}) {
    const Program fokker;
    INFO(command);
    REQUIRE(fokker(command + "--json whole.json").code == 0);
    const std::string resumable =
        command + "--json out.json --checkpoint run.ckpt --checkpoint-every 0 ";
    std::mt19937 random(1);
    std::size_t before = 0;

    for (int kills = 0; kills < 3; ++kills) {
      Running run(fokker, resumable + (kills % 2 == 0 ? "--threads 1" : "--threads 2"));
      wait_for_writes(run, fokker.path("run.ckpt"), 2);
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 5'000));
      REQUIRE(run.end(SIGKILL) == SIGKILL);
      CHECK_FALSE(std::filesystem::exists(fokker.path("out.json")));
      const std::size_t finished = fokker.read("run.ckpt").size();
      CHECK(finished > before);  // it had gone on
      before = finished;
    }
    const Outcome other = fokker(resumable + "--seed 2");
    CHECK(other.code == 2);
    CHECK_THAT(other.err, ContainsSubstring("seed is 2, there 1"));
    const Outcome last = fokker(resumable);

    INFO(last.err);
    REQUIRE(last.code == 0);
    CHECK(results_of(fokker.read("out.json")) == results_of(fokker.read("whole.json")));
    CHECK_FALSE(std::filesystem::exists(fokker.path("run.ckpt")));
  }
}

TEST_CASE("a checkpoint of a comparison knows the file of its data") {
  const Program fokker;
  std::string points;
  for (int i = 0; i < 399; ++i) points += fmt::format("{},{}\n", i % 20, i / 20);
  for (const std::string data : {"points:points.csv", "low-rank:points.csv:0.1"}) {
    INFO(data);
    fokker.write("points.csv", points + "19,19\n");
    const std::string command = "compare --data " + data +
                                " --paths 400 --nfe 512 --samplers heun-sde --checkpoint run.ckpt "
                                "--checkpoint-every 0 --json out.json";
    Running run(fokker, command);
    wait_for_writes(run, fokker.path("run.ckpt"), 1);
    REQUIRE(run.end(SIGINT) == -130);

    fokker.write("points.csv", points + "1000,1000\n");
    const Outcome other = fokker(command);

    CHECK(other.code == 2);
    CHECK_THAT(other.err, ContainsSubstring("contents of points.csv"));
    std::filesystem::remove(fokker.path("run.ckpt"));
  }
}

TEST_CASE("integrate saves the states of all paths for NumPy, and nothing when it is ended") {
  const Program fokker;
  const std::string few =
      "integrate --process heston --solver euler-maruyama --points 3 --paths 70 ";
  REQUIRE(fokker(few + "--save paths.npy --csv out.csv --trajectories 70").code == 0);

  const std::string bytes = fokker.read("paths.npy");
  REQUIRE(bytes.size() == 128 + sizeof(double) * 3 * 2 * 70);
  CHECK(bytes.find("'shape': (3, 2, 70)") < 128);
  std::array<double, 70> last{};  // x2 of all paths at the end
  std::memcpy(last.data(), bytes.data() + 128 + sizeof(double) * 5 * 70, sizeof last);
  std::string columns;
  const std::string csv = fokker.read("out.csv");
  const std::string row = csv.substr(csv.rfind('\n', csv.size() - 2));
  for (const double x : last) columns += fmt::format(",{}", x);
  CHECK(row.ends_with(columns + "\n"));

  Running run(fokker,
              "integrate --process heston --solver euler-maruyama --dt 0.0001 --points 3 "
              "--paths 1000000 --save large.npy");
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  CHECK(run.end(SIGKILL) == SIGKILL);
  CHECK_FALSE(std::filesystem::exists(fokker.path("large.npy")));
  CHECK(fokker.files().size() == 2);
}

TEST_CASE("the statistics of many paths are those of all, and the quantiles say of which") {
  const Program fokker;

  const Outcome run = fokker(
      "integrate --process ou --solver milstein --t 0:1 --dt 0.001 "
      "--points 1001 --paths 9000 --json out.json");

  REQUIRE(run.code == 0);
  CHECK_THAT(run.out, ContainsSubstring("the quantiles are those of the first 8380 paths"));
  const auto json = nlohmann::json::parse(fokker.read("out.json"));
  CHECK(json.at("settings").at("quantile_paths") == 8380);
  CHECK(json.at("paths") == 9000);
}
