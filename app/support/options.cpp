#include "support/options.hpp"

#include <charconv>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fokker/analysis/figures/plot.hpp>
#include <fokker/analysis/figures/report.hpp>
#include <fokker/diffusion/catalogue/final_step.hpp>
#include <fokker/processes/models/registry.hpp>
#include <fokker/solvers/support/instruction_set.hpp>
#include <fokker/solvers/support/text.hpp>

#include "support/about.hpp"
#include "support/ranks.hpp"

namespace fokker::app {
namespace {

[[noreturn]] void refuse(std::string_view option, std::string_view wanted, std::string_view word) {
  throw std::invalid_argument(std::string(option) + " needs " + std::string(wanted) + ": got '" +
                              std::string(word) + "'");
}

/// The whole word as a number, after one sign at most.
template <class T>
bool parse(std::string_view word, T& value) {
  if (word.size() > 1 && word[0] == '+' && word[1] != '-') word.remove_prefix(1);
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc{} && end == word.data() + word.size();
}

}  // namespace

void add_common(CLI::App& parser, CommonOptions& options) {
  parser
      .add_option_function<std::string>(
          "--seed", [&options](const std::string& word) { options.seed = seed_number(word); },
          "Seed of every random number")
      ->default_str(std::to_string(options.seed))
      ->type_name("UINT");
  parser
      .add_option("--threads", options.threads,
                  "Threads, 0 = all cores; never changes a number in the result")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  parser
      .add_option("--json", options.json,
                  "Write the result as JSON to FILE, - for stdout (tables then go to stderr)")
      ->type_name("FILE");
  parser.add_flag("--force", options.force,
                  "Write over files that exist; without it FILE-2 is written beside FILE");
  parser.add_flag("--quiet", options.quiet, "Print no tables and no progress, only errors");
}

std::FILE* CommonOptions::tables() const {
  static std::FILE* const nowhere = std::fopen("/dev/null", "w");
  if (quiet && nowhere) return nowhere;
  return json == "-" ? stderr : stdout;
}

void add_rng(CLI::App& parser, std::string& name) {
  parser.add_option("--rng", name, "Generator of the random numbers")
      ->type_name("pcg32|philox")
      ->capture_default_str();
}

void add_plot(CLI::App& parser, CommonOptions& options) {
  add_list(parser, "--plot", options.plots, "Draw the picture: a list of .svg, .png or .pdf files")
      ->type_name("FILE,...");
}

void add_checkpoint(CLI::App& parser, CheckpointOptions& options) {
  parser
      .add_option("--checkpoint", options.file,
                  "Keep what is finished in FILE and go on from there; removed at the end")
      ->type_name("FILE");
  parser.add_option("--checkpoint-every", options.every,
                    "Seconds between two checkpoints (default 10)");
}

double CheckpointOptions::seconds() const {
  const double found = every ? number(*every, "--checkpoint-every") : 10;
  if (found < 0 || (every && !given()))
    throw std::invalid_argument("--checkpoint-every needs --checkpoint and at least 0 seconds");
  return found;
}

Settings with_build(Settings of_command) {
  of_command.insert(of_command.begin(), {{"version", FOKKER_VERSION},
                                         {"instruction set", std::string(instruction_set())}});
  return of_command;
}

std::string goes_on(const CheckpointOptions& options) {
  return options.given() ? ", and the same command goes on from " + options.file : "";
}

void add_last(CLI::App& parser, std::string& word) {
  parser
      .add_option("--last", word,
                  "At t_min: nothing, the denoiser, or a step more of the sampler to sigma = 0")
      ->type_name("none|denoise|zero")
      ->capture_default_str();
}

FinalStep last_of(std::string_view word) {
  return choice<FinalStep>(
      word, "--last",
      {{"none", FinalStep::none}, {"denoise", FinalStep::denoise}, {"zero", FinalStep::zero}});
}

CLI::Option* add_list(CLI::App& parser, const std::string& name, std::vector<std::string>& words,
                      const std::string& help) {
  const auto split = [&words, name](const std::vector<std::string>& given) {
    for (const std::string& list : given)
      for (std::size_t first = 0, end = 0; end != std::string::npos; first = end + 1) {
        end = list.find(',', first);
        words.push_back(list.substr(first, end - first));
        if (words.back().empty())
          throw std::invalid_argument(name + " has an empty item: got '" + list + "'");
      }
  };
  return parser.add_option_function<std::vector<std::string>>(name, split, help)
      ->type_name("TEXT,...")
      ->allow_extra_args(false);
}

void check_outputs(CommonOptions& options, RunFiles files) {
  files.outputs.emplace_back("--json", &options.json);
  for (std::string& plot : options.plots) files.outputs.emplace_back("--plot", &plot);
  on_first_rank([&] {
    check_distinct(files);
    for (const std::string& plot : options.plots) check_figure_file(plot);
    if (!files.checkpoint.empty()) check_writable(files.checkpoint);
    for (const auto& [option, file] : files.outputs)
      if (!file->empty() && *file != "-") check_writable(*file);
    if (const std::string renamed = number_outputs(files, options.force); !renamed.empty())
      fmt::print(stderr, "fokker: {}\n", renamed);
    if (!options.plots.empty() && !can_draw())
      fmt::print(stderr, "fokker: no picture will be drawn: {}\n", missing_gnuplot);
  });
}

void write_json(const CommonOptions& options, nlohmann::ordered_json document) {
  if (options.json.empty()) return;
  document["run"] = about_run();
  const std::string written = document.dump(2) + "\n";
  if (options.json == "-")
    fmt::print("{}", written);
  else
    write_file_atomically(options.json, written);
}

void write_json(const CommonOptions& options, const std::string& document) {
  if (!options.json.empty()) write_json(options, nlohmann::ordered_json::parse(document));
}

void draw(CommonOptions& options, const std::function<Figure()>& figure) {
  if (options.plots.empty() || !can_draw()) return options.plots.clear();
  try {
    const Figure drawn = figure();
    std::erase_if(options.plots, [&](const std::string& plot) {
      try {
        write_figure(drawn, plot);
        return false;
      } catch (const std::exception& e) {
        fmt::print(stderr, "fokker: {} was not drawn: {}\n", plot, one_line(e.what()));
        return true;
      }
    });
  } catch (const std::exception& e) {
    fmt::print(stderr, "fokker: no picture was drawn: {}\n", one_line(e.what()));
    options.plots.clear();
  }
}

void say_written(std::FILE* out, const CommonOptions& options,
                 std::span<const std::string> others) {
  std::vector<std::string> files(others.begin(), others.end());
  if (!options.json.empty() && options.json != "-") files.push_back(options.json);
  files.insert(files.end(), options.plots.begin(), options.plots.end());
  if (!files.empty()) fmt::print(out, "\nwrote {}\n", fmt::join(files, ", "));
}

double number(std::string_view word, std::string_view option) {
  double value = 0;
  if (!parse(word, value) || !std::isfinite(value)) refuse(option, "a finite number", word);
  return value;
}

std::uint64_t seed_number(std::string_view word) {
  std::uint64_t value = 0;
  if (parse(word, value)) return value;
  if (double real = 0;
      !parse(word, real) || !(real >= 0) || real > static_cast<double>(most_of_all))
    refuse("--seed", "a whole number from 0 to 2^64 - 1", word);
  return static_cast<std::uint64_t>(whole_number(word, "--seed", 0));  // 1e5
}

Generator generator(std::string_view word) {
  return choice<Generator>(word, "--rng",
                           {{"pcg32", Generator::pcg32}, {"philox", Generator::philox}});
}

Index whole_number(std::string_view word, std::string_view option, Index least, Index most) {
  Index value = 0;
  if (double real = 0; !parse(word, value) && parse(word, real)) {  // 1e5, or out of range
    const auto limit = static_cast<double>(most);
    if (real != std::floor(real) || std::abs(real) > limit)
      refuse(option, fmt::format("a whole number from {} to {}", least, text(limit)), word);
    value = static_cast<Index>(real);
  } else if (!parse(word, value)) {
    refuse(option, "a whole number of at least " + std::to_string(least), word);
  }
  if (value < least) refuse(option, "a whole number of at least " + std::to_string(least), word);
  if (value > most)
    refuse(option,
           fmt::format("a whole number from {} to {}", least, text(static_cast<double>(most))),
           word);
  return value;
}

std::vector<double> numbers(std::span<const std::string> words, std::string_view option) {
  std::vector<double> values;
  for (const std::string& word : words) values.push_back(number(word, option));
  return values;
}

std::vector<Index> whole_numbers(std::span<const std::string> words, std::string_view option,
                                 Index least, Index most) {
  std::vector<Index> values;
  for (const std::string& word : words) values.push_back(whole_number(word, option, least, most));
  return values;
}

std::map<std::string, double> every_parameter(const ProcessInfo& process,
                                              const std::map<std::string, double>& given) {
  std::map<std::string, double> values = given;
  for (const Parameter& parameter : process.parameters)
    values.emplace(parameter.name, number_of(parameter.default_value).value());
  return values;
}

std::string count(Index n, std::string_view noun) {
  return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s");
}

std::pair<double, double> interval(std::string_view word, std::string_view option) {
  const auto colon = word.find(':');
  if (colon == std::string_view::npos) refuse(option, "two numbers a:b", word);
  return {number(word.substr(0, colon), option), number(word.substr(colon + 1), option)};
}

std::map<std::string, std::string, std::less<>> assignments(std::span<const std::string> words,
                                                            std::string_view option) {
  std::map<std::string, std::string, std::less<>> values;
  for (const std::string& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == word.size())
      refuse(option, "name=value", word);
    if (!values.emplace(word.substr(0, equals), word.substr(equals + 1)).second)
      throw std::invalid_argument(std::string(option) + " gives " + word.substr(0, equals) +
                                  " twice");
  }
  return values;
}

}  // namespace fokker::app
