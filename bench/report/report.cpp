/// @file  report.cpp
/// @brief What scripts/bench makes of the results: one table of ratios, as text, JSON and picture.
///
/// Results are JSON as Google Benchmark writes it, with names "work/who". Of each work, the speed
/// of "fokker" over that of every other: repetition by repetition, of which median, least and
/// greatest.

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fokker/analysis/figures/plot.hpp>
#include <fokker/analysis/figures/report.hpp>

#include "machine.hpp"

namespace {

using Json = nlohmann::ordered_json;

/// What is to be reached.
struct Target {
  std::string_view work, who;
  double ratio;
};
constexpr Target targets[] = {
    {"gbm", "in registers", 0.8},
    {"mixture_score", "in registers", 0.8},
    {"gbm", "scalar loop", 9},
    {"gbm", "virtual per path", 25},
    {"mixture_reverse_sde", "virtual per path", 18},
    {"gbm", "NumPy", 7},
    {"gbm_float", "NumPy", 14},
    {"gbm", "torchsde", 25},
    {"gbm", "torchsde*", 25},
    {"mixture_reverse_sde", "PyTorch", 16},
    {"mixture_reverse_sde_float", "PyTorch", 18},
    {"mixture_reverse_sde", "k-diffusion", 16},
    {"mixture_reverse_sde", "k-diffusion*", 16},
    {"mixture_flow_heun", "k-diffusion", 16},
    {"mixture_flow_heun", "k-diffusion*", 16},
    {"lorenz_dopri5", "Boost.Odeint on std::array", 1.3},
    {"lorenz_ensemble", "Boost.Odeint on std::array", 6},
    {"gbm_two_threads", "one thread", 1.95},
};

/// Where these libraries are not installed, they are judged by the PyTorch loop of the same work,
/// on the ground of what they took beside it elsewhere.
struct Judged {
  std::string_view work, who;
  double factor;

  std::string without_star() const { return std::string(who.substr(0, who.size() - 1)); }
};
constexpr Judged judged[] = {
    {"gbm", "torchsde*", 2.3},
    {"mixture_reverse_sde", "k-diffusion*", 1.05},
    {"mixture_flow_heun", "k-diffusion*", 1.05},
};

struct Spread {
  double median, least, greatest;
};

Spread spread_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return {(values[(n - 1) / 2] + values[n / 2]) / 2, values.front(), values.back()};
}

using Speeds = std::vector<double>;                                  // of the repetitions
using Works = std::map<std::string, std::map<std::string, Speeds>>;  // work, who

struct Build {
  std::string name;
  Json context;
  Works works;
};

Json read(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  return Json::parse(file);
}

void add(const Json& results, Works& works, std::vector<std::string>& order) {
  for (const Json& run : results.at("benchmarks")) {
    if (run.value("error_occurred", false))
      throw std::runtime_error(run.at("name").get<std::string>() + ": " +
                               run.at("error_message").get<std::string>());
    if (run.at("run_type") != "iteration" || !run.contains("items_per_second")) continue;
    std::string name = run.at("run_name");
    if (name.ends_with("/real_time")) name.resize(name.rfind('/'));
    const std::size_t slash = name.find('/');
    if (slash == std::string::npos) continue;
    const std::string work = name.substr(0, slash), who = name.substr(slash + 1);
    if (std::find(order.begin(), order.end(), name) == order.end()) order.push_back(name);
    works[work][who].push_back(run.at("items_per_second"));
  }
}

std::optional<Spread> ratio(const Works& works, const std::string& work, const std::string& who) {
  const auto all = works.find(work);
  if (all == works.end()) return {};
  const auto own = all->second.find("fokker"), other = all->second.find(who);
  if (own == all->second.end() || other == all->second.end()) return {};
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(own->second.size(), other->second.size()); ++i)
    ratios.push_back(own->second[i] / other->second[i]);
  return spread_of(std::move(ratios));
}

std::string text(const Spread& s) {
  return fmt::format("{:.3g} [{:.3g}, {:.3g}]", s.median, s.least, s.greatest);
}

/// What stands below a bar: the name without its particulars.
std::string short_name(const std::string& who) {
  std::size_t end = who.size();
  for (const char* mark : {" + ", " on ", " by ", " per ", " ERKStep", ", "})
    end = std::min(end, who.find(mark));
  return who.substr(0, end);
}

struct Arguments {
  std::vector<std::pair<std::string, std::string>> builds;  // name, file
  std::vector<std::string> peers;
  std::string compile_seconds, json, plot;
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    const std::string value = argv[i + 1];
    if (option == "--build")
      arguments.builds.emplace_back(value.substr(0, value.find('=')),
                                    value.substr(value.find('=') + 1));
    else if (option == "--peer")
      arguments.peers.push_back(value);
    else if (option == "--compile-seconds")
      arguments.compile_seconds = value;
    else if (option == "--json")
      arguments.json = value;
    else if (option == "--plot")
      arguments.plot = value;
    else
      throw std::invalid_argument("unknown option " + std::string(option));
  }
  return arguments;
}

void report(const Arguments& arguments) {
  std::vector<Build> builds;
  std::vector<std::string> order;
  for (const auto& [name, file] : arguments.builds) {
    const Json results = read(file);
    builds.push_back({name, results.at("context"), {}});
    add(results, builds.back().works, order);
  }
  for (const std::string& file : arguments.peers) {
    const Json results = read(file);
    for (Build& build : builds) add(results, build.works, order);
  }
  std::string note;
  for (const Judged& j : judged) {
    const std::string work(j.work), who(j.who);
    for (Build& build : builds) {
      const auto found = build.works[work].find("PyTorch");
      if (found == build.works[work].end() || build.works[work].contains(j.without_star()))
        continue;
      Speeds speeds = found->second;
      for (double& speed : speeds) speed /= j.factor;
      build.works[work][who] = std::move(speeds);
      const std::string name = work + '/' + who;
      if (std::find(order.begin(), order.end(), name) == order.end()) order.push_back(name);
      note =
          "\n* not run: judged as 2.3 (torchsde) and 1.05 (k-diffusion) times the PyTorch loop\n";
    }
  }

  using fokker::TextTable;
  std::vector<TextTable::Column> columns = {{"work", TextTable::Align::left},
                                            {"fokker is faster than", TextTable::Align::left}};
  for (const Build& build : builds) columns.push_back({build.name});
  columns.push_back({"at least"});
  TextTable table(columns);
  Json rows = Json::array();
  std::map<std::string, std::vector<fokker::Bars>> bars;  // by work, one per build
  std::vector<std::string> works;
  std::sort(order.begin(), order.end());
  for (const std::string& name : order) {
    const std::string work = name.substr(0, name.find('/'));
    if (std::find(works.begin(), works.end(), work) == works.end()) works.push_back(work);
  }
  for (const std::string& work : works)
    for (const std::string& name : order) {
      if (name.substr(0, name.find('/')) != work) continue;
      const std::string who = name.substr(work.size() + 1);
      if (who == "fokker") continue;
      Json row = {{"work", work}, {"who", who}};
      std::vector<std::string> cells = {work, who};
      auto& drawn = bars[work];
      drawn.resize(builds.size());
      bool any = false;
      for (std::size_t b = 0; b < builds.size(); ++b) {
        const auto r = ratio(builds[b].works, work, who);
        cells.push_back(r ? text(*r) : "");
        if (!r) continue;
        any = true;
        const double own = spread_of(builds[b].works.at(work).at("fokker")).median;
        row[builds[b].name] = {{"ratio", r->median},
                               {"least", r->least},
                               {"greatest", r->greatest},
                               {"fokker_nanoseconds", 1e9 / own}};
        drawn[b].names.push_back(short_name(who));
        drawn[b].values.push_back(r->median);
        drawn[b].errors.push_back((r->greatest - r->least) / 2);
      }
      if (!any) continue;
      std::string target;
      for (const Target& t : targets)
        if (t.work == work && t.who == who) {
          target = fmt::format("{:g}", t.ratio);
          row["at_least"] = t.ratio;
        }
      cells.push_back(target);
      table.add_row(std::move(cells));
      rows.push_back(std::move(row));
    }

  const Json& context = builds.front().context;
  const std::string set = context.value("instruction_set", "unknown"),
                    compiler = context.value("compiler", "unknown");
  const std::string machine = processor();
  fmt::print(
      "\n{}, {}; kernels for {}\nmedian [least, greatest] of the ratios of the repetitions\n\n{}{}",
      machine, compiler, set, table.text(), note);
  if (!arguments.compile_seconds.empty())
    fmt::print("\ncompiling <fokker/fokker.hpp> and one SDE at -O2: {} s (at most 6)\n",
               arguments.compile_seconds);

  if (!arguments.json.empty()) {
    Json all = {{"processor", machine}, {"compiler", compiler}, {"instruction_set", set}};
    if (!arguments.compile_seconds.empty())
      all["compile_seconds"] = std::stod(arguments.compile_seconds);
    all["ratios"] = rows;
    fokker::write_file_atomically(arguments.json, all.dump(2) + "\n");
  }
  if (arguments.plot.empty()) return;
  fokker::Figure figure{
      .title = fmt::format(
          "Speed of fokker over that of others ({}); strokes: half the range of repetitions", set)};
  for (const std::string& work : works) {
    if (bars[work].empty() || bars[work].back().names.size() < 2) continue;
    fokker::Panel panel{.title = work, .y = {.log = true, .min = 0.3}};
    panel.layers.emplace_back(bars[work].back());
    panel.layers.emplace_back(fokker::HorizontalLine{.y = 1});
    figure.panels.push_back(std::move(panel));
  }
  if (figure.panels.empty()) return;
  figure.height = static_cast<int>((figure.panels.size() + 1) / 2) * 320;
  fokker::write_figure(figure, arguments.plot);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    report(parse(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench: %s\n", error.what());
    return 2;
  }
}
