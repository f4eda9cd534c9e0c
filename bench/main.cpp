/// @file  main.cpp
/// @brief Runs the benchmarks and prints, group by group, how much faster fokker is than the
/// others.

#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include <fokker/solvers/instruction_set.hpp>

namespace {

/// The usual table, and after it the ratios: items per second of "group/fokker" over those of every
/// other "group/name", in the order of the runs.
class RatioReporter : public benchmark::ConsoleReporter {
 public:
  RatioReporter() : ConsoleReporter(OO_None) {}

  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      const std::string name = run.run_name.function_name;
      const auto slash = name.find('/');
      const auto items = run.counters.find("items_per_second");
      if (slash == std::string::npos || items == run.counters.end()) continue;
      groups_[name.substr(0, slash)].emplace_back(name.substr(slash + 1), items->second);
    }
  }

  void Finalize() override {
    const auto set = fokker::instruction_set();
    std::printf("\nfokker's speed over that of ... (kernels for %.*s)\n",
                static_cast<int>(set.size()), set.data());
    for (const auto& [group, runs] : groups_) {
      double own = 0;
      for (const auto& [name, items] : runs)
        if (name == "fokker") own = items;
      if (own == 0) continue;
      for (const auto& [name, items] : runs)
        if (name != "fokker")
          std::printf("  %-24s %-44s %6.2f\n", group.c_str(), name.c_str(), own / items);
    }
  }

 private:
  std::map<std::string, std::vector<std::pair<std::string, double>>> groups_;
};

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  RatioReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
}
