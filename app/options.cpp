#include "options.hpp"

#include <charconv>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

#include <fokker/analysis/plot.hpp>
#include <fokker/analysis/report.hpp>
#include <fokker/diffusion/last_step.hpp>
#include <fokker/solvers/instruction_set.hpp>

#include "ranks.hpp"

namespace fokker::app {
namespace {

[[noreturn]] void refuse(std::string_view option, std::string_view wanted, std::string_view word) {
  throw std::invalid_argument(std::string(option) + " needs " + std::string(wanted) + ": got '" +
                              std::string(word) + "'");
}

template <class T>
bool parse(std::string_view word, T& value) {
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
}

void add_rng(CLI::App& parser, std::string& name) {
  parser.add_option("--rng", name, "Generator of the random numbers")
      ->type_name("pcg32|philox")
      ->capture_default_str();
}

void add_plot(CLI::App& parser, CommonOptions& options) {
  add_list(parser, "--plot", options.plots, "Draw the picture: a list of .svg or .png files")
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

Last last_of(std::string_view word) {
  return choice<Last>(word, "--last",
                      {{"none", Last::none}, {"denoise", Last::denoise}, {"zero", Last::zero}});
}

CLI::Option* add_list(CLI::App& parser, const std::string& name, std::vector<std::string>& words,
                      const std::string& help) {
  return parser.add_option(name, words, help)->delimiter(',')->allow_extra_args(false);
}

void check_outputs(const CommonOptions& options, std::span<const std::string> others) {
  on_first_rank([&] {
    for (const std::string& plot : options.plots) check_figure(plot);
    for (const std::string& other : others) check_writable(other);
    if (!options.json.empty() && options.json != "-") check_writable(options.json);
  });
}

void write_json(const CommonOptions& options, std::string document) {
  if (!document.ends_with('\n')) document += '\n';
  if (options.json == "-")
    fmt::print("{}", document);
  else if (!options.json.empty())
    write_file_atomically(options.json, document);
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
  if (!parse(word, value)) refuse("--seed", "a whole number from 0 to 2^64 - 1", word);
  return value;
}

Generator generator(std::string_view word) {
  return choice<Generator>(word, "--rng",
                           {{"pcg32", Generator::pcg32}, {"philox", Generator::philox}});
}

Index whole_number(std::string_view word, std::string_view option, Index least) {
  Index value = 0;
  if (!parse(word, value) || value < least)
    refuse(option, "a whole number of at least " + std::to_string(least), word);
  return value;
}

std::vector<double> numbers(std::span<const std::string> words, std::string_view option) {
  std::vector<double> values;
  for (const std::string& word : words) values.push_back(number(word, option));
  return values;
}

std::vector<Index> whole_numbers(std::span<const std::string> words, std::string_view option,
                                 Index least) {
  std::vector<Index> values;
  for (const std::string& word : words) values.push_back(whole_number(word, option, least));
  return values;
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
