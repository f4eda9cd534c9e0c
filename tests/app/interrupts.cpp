/// @file  interrupts.cpp
/// @brief Every command ends within a second of SIGINT and SIGTERM, at any moment.

#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/program.hpp"
#include "app/running.hpp"
#include "catch.hpp"

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// Runs the command, interrupts it after each of the delays in turn, and checks that it ends soon:
/// by the signal, where that came before the command had begun, or with the exit code 130.
void check_interrupts(const std::string& args) {
  int signal = SIGINT;
  for (const auto delay : {1ms, 8ms, 40ms, 130ms, 350ms}) {
    const Program fokker;
    Running run(fokker, args);
    std::this_thread::sleep_for(delay);
    const bool ended = run.ended();  // a short command, or a refusal

    const auto sent = Clock::now();
    const int how = run.end(signal);
    const std::chrono::duration<double> took = Clock::now() - sent;

    INFO(args << " after " << delay.count() << " ms: " << how << " in " << took.count() << " s");
    CHECK((ended ? how == 0 : how == signal || how == -130 || how == 0));
    CHECK(took.count() < 1.5);  // a second, on a machine that runs other tests beside
    if (how == -130 && !fokker.read("r.json").empty())
      CHECK_NOTHROW(nlohmann::json::parse(fokker.read("r.json")));
    signal = signal == SIGINT ? SIGTERM : SIGINT;
  }
}

}  // namespace

TEST_CASE("an ensemble of any size ends within a second of a signal") {
  check_interrupts("integrate --process ou --solver milstein --paths 1e11 --json r.json");
}

TEST_CASE("an ensemble of adaptive paths ends within a second of a signal") {
  check_interrupts(
      "integrate --process cir --solver sriw1 --rtol 1e-9 --atol 1e-12 --points 2 --json r.json");
}

TEST_CASE("one path of many steps ends within a second of a signal") {
  check_interrupts("integrate --process ou --solver milstein --paths 1 --dt 1e-8 --points 2");
}

TEST_CASE("an adaptive solution without saved times ends within a second of a signal") {
  check_interrupts("integrate --process lorenz --solver dop853 --t 0:1e6 --points 2 --json r.json");
}

TEST_CASE("first passage times end within a second of a signal") {
  check_interrupts(
      "integrate --process ou --solver milstein --paths 1e7 --until \"x>=3 or x<=-3\" --json "
      "r.json");
}

TEST_CASE("a convergence study of long levels ends within a second of a signal") {
  check_interrupts(
      "converge --process gbm --solvers milstein --levels 14 --first-steps 100000 --paths 2 --json "
      "r.json");
  check_interrupts(
      "converge --process lorenz --solvers rk4 --levels 14 --first-steps 100000 --json r.json");
}

TEST_CASE("a search for a grid ends within a second of a signal") {
  check_interrupts("tune --steps 2000 --out grid.txt --json r.json");
}

TEST_CASE("a comparison ends within a second of a signal") {
  check_interrupts("compare --paths 1000000 --nfe 64,128 --json r.json");
}

TEST_CASE("training ends within a second of a signal") {
  check_interrupts("learn --steps 1000000 --json r.json --out m.json");
}

TEST_CASE("benchmarks and lists end within a second of a signal") {
  check_interrupts("bench --json r.json");
  check_interrupts("list --json r.json");
}
