/// @file  cores.cpp
/// @brief How many times as fast threads are as one, in wall time, with the same numbers.
///
/// fokker_bench_cores measure FILE.json: runs on 1, 2, 4, ... threads up to the cores of the
/// machine. fokker_bench_cores draw FILE.json PICTURE...: draws what was measured, here or
/// elsewhere.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fokker/analysis/figures/plot.hpp>
#include <fokker/analysis/figures/report.hpp>
#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/model/reverse_sde.hpp>
#include <fokker/diffusion/schedule/affine_process.hpp>
#include <fokker/diffusion/score/exact_score.hpp>
#include <fokker/processes/models/geometric_brownian_motion.hpp>
#include <fokker/processes/models/lorenz.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>

#include "../many_odes.hpp"
#include "machine.hpp"

namespace {

using Json = nlohmann::ordered_json;
using Moment = std::vector<double>;

Moment gbm(int threads) {
  const auto mean =
      fokker::simulate(fokker::GeometricBrownianMotion{0.05, 0.2}, fokker::EulerMaruyama{},
                       fokker::OnGrid{fokker::uniform_grid(0, 1, 100)}, 1.0,
                       {.paths = 1 << 19, .seed = 1, .threads = threads}, fokker::Moments{})
          .value.mean;
  return {mean.begin(), mean.end()};
}

Moment reverse_sde(int threads) {
  const fokker::AffineProcess vp{fokker::VariancePreserving{}};
  const fokker::ReverseSde process{
      vp, fokker::exact_score(vp, fokker::GaussianMixture::ring(8, 4, 0.3))};
  const auto mean =
      fokker::simulate(process, fokker::EulerMaruyama{},
                       fokker::OnGrid{fokker::uniform_grid(1, 1e-3, 100)}, vp.prior(2),
                       {.paths = 1 << 16, .seed = 1, .threads = threads}, fokker::Moments{})
          .value.mean;
  return {mean.begin(), mean.end()};
}

Moment lorenz(int threads) {
  const auto mean =
      fokker::simulate(fokker::Lorenz{}, fokker::Dopri5{},
                       fokker::Adaptive{.rtol = 1e-6, .atol = 1e-6}, Starts{}, {0, 10},
                       {.paths = 1 << 18, .seed = 1, .threads = threads}, fokker::Moments{})
          .value.mean;
  return {mean.begin(), mean.end()};
}

struct Work {
  const char* name;
  Moment (*run)(int threads);
};
constexpr Work works[] = {{"GBM, 524 288 paths", gbm},
                          {"reverse SDE of a mixture, 65 536 paths", reverse_sde},
                          {"Lorenz by dopri5 to 1e-6, 262 144 paths", lorenz}};

/// The least wall time of five runs, the thread counts in turn.
/// @throws std::runtime_error  a number depends on how many threads there are
void measure(const std::string& file) {
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  std::vector<int> threads;
  for (int n = 1; n < cores; n *= 2) threads.push_back(n);
  threads.push_back(cores);

  Json all = {{"processor", processor()}, {"threads", threads}, {"works", Json::array()}};
  for (const Work& work : works) {
    const Moment expected = work.run(1);
    std::vector<double> seconds(threads.size(), 1e300);
    for (int round = 0; round < 5; ++round)
      for (std::size_t i = 0; i < threads.size(); ++i) {
        const auto start = std::chrono::steady_clock::now();
        const Moment result = work.run(threads[i]);
        const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
        seconds[i] = std::min(seconds[i], spent.count());
        if (result != expected)
          throw std::runtime_error(
              fmt::format("{}: other numbers on {} threads than on one", work.name, threads[i]));
      }
    for (std::size_t i = 0; i < threads.size(); ++i)
      fmt::print("{:<40} {:>4} threads {:8.4f} s {:6.2f} times one\n", work.name, threads[i],
                 seconds[i], seconds.front() / seconds[i]);
    all["works"].push_back({{"name", work.name}, {"seconds", seconds}});
  }
  fokker::write_file_atomically(file, all.dump(2) + "\n");
}

void draw(const std::string& file, const std::vector<std::string>& pictures) {
  for (const std::string& picture : pictures) fokker::check_figure(picture);
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error("cannot read " + file);
  const Json all = Json::parse(stream);
  const std::vector<double> threads = all.at("threads");
  fokker::Panel panel{.x = {.label = "threads", .log = true, .powers_of_two = true},
                      .y = {.label = "times one thread", .log = true, .powers_of_two = true}};
  for (const Json& work : all.at("works")) {
    const std::vector<double> seconds = work.at("seconds");
    fokker::Curve curve{.label = work.at("name"), .x = threads};
    for (const double s : seconds) curve.y.push_back(seconds.front() / s);
    panel.layers.emplace_back(std::move(curve));
  }
  panel.layers.emplace_back(fokker::Curve{.label = "linear",
                                          .x = threads,
                                          .y = threads,
                                          .mark = fokker::Mark::line,
                                          .colour = fokker::Colour::grey,
                                          .dashed = true});
  const fokker::Figure figure{
      .title = "Speed over threads (" + all.at("processor").get<std::string>() + ")",
      .panels = {std::move(panel)},
      .columns = 1,
      .width = 900,
      .height = 600};
  for (const std::string& picture : pictures) fokker::write_figure(figure, picture);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() == 2 && arguments[0] == "measure")
      measure(arguments[1]);
    else if (arguments.size() > 2 && arguments[0] == "draw")
      draw(arguments[1], {arguments.begin() + 2, arguments.end()});
    else
      throw std::invalid_argument(
          "call it as fokker_bench_cores measure FILE.json, or draw FILE.json PICTURE...");
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench: %s\n", error.what());
    return 2;
  }
}
