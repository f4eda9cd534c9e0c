#pragma once
/// @file  options.hpp
/// @brief Options and parsers that the commands share. Every parser throws std::invalid_argument
///        with one line that names the option and what was given.

#include <cstdint>
#include <cstdio>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/App.hpp>
#include <nlohmann/json_fwd.hpp>

#include <fokker/solvers/core/state.hpp>
#include <fokker/solvers/ensemble/checkpoint.hpp>
#include <fokker/solvers/noise/random.hpp>
#include <fokker/solvers/support/names.hpp>

#include "support/files.hpp"

namespace fokker {
enum class FinalStep;
struct Figure;
struct ProcessInfo;
}  // namespace fokker

namespace fokker::app {

/// --seed, --threads, --json, --force, --quiet and --plot.
struct CommonOptions {
  std::uint64_t seed = 1;
  int threads = 0;
  std::string json;
  bool force = false, quiet = false;
  std::vector<std::string> plots;

  /// Where tables go: stdout, stderr when the JSON goes to stdout, nowhere with --quiet.
  std::FILE* tables() const;
};

/// --seed, --threads, --json, --force and --quiet, which every command takes.
void add_common(CLI::App& parser, CommonOptions& options);
void add_rng(CLI::App& parser, std::string& name);
void add_plot(CLI::App& parser, CommonOptions& options);

/// --checkpoint and --checkpoint-every.
struct CheckpointOptions {
  std::string file;
  std::optional<std::string> every;

  bool given() const { return !file.empty(); }
  /// @throws std::invalid_argument  an interval that is none, or without a file
  double seconds() const;
};
void add_checkpoint(CLI::App& parser, CheckpointOptions& options);

/// The settings of a checkpoint: those of the command behind those of the build.
Settings with_build(Settings of_command);

/// ", and the same command goes on from FILE" behind what an interrupted run says.
std::string goes_on(const CheckpointOptions& options);

/// --last, and what it says.
void add_last(CLI::App& parser, std::string& word);
FinalStep last_of(std::string_view word);

/// An option that takes a comma-separated list, and may be repeated; an empty item is refused.
CLI::Option* add_list(CLI::App& parser, const std::string& name, std::vector<std::string>& words,
                      const std::string& help);

/// Refuses, before any work, outputs that cannot be written and files of which two are one: --json,
/// the plots (also those of another ending than a figure's) and `files`. Then renames the outputs
/// that exist (number_outputs), unless --force is given. The first rank looks.
void check_outputs(CommonOptions& options, RunFiles files = {});

/// Writes the document to --json, if given, with an entry "run" at its end: the command, version,
/// build, instruction set and date. It ends in one newline.
void write_json(const CommonOptions& options, nlohmann::ordered_json document);
void write_json(const CommonOptions& options, const std::string& document);

/// Draws the picture into the files of --plot. A failure, also of `figure`, is reported on stderr
/// and changes nothing else; what could not be drawn leaves the list.
void draw(CommonOptions& options, const std::function<Figure()>& figure);

/// Says on `out` which files have been written.
void say_written(std::FILE* out, const CommonOptions& options,
                 std::span<const std::string> others = {});

/// "12" or "+1.2e1" as a number; the whole word must be one, and finite.
double number(std::string_view word, std::string_view option);
std::uint64_t seed_number(std::string_view word);
Generator generator(std::string_view word);
/// The most that an option may ask for, so that a product of two is still a number.
inline constexpr Index most_of_all = 1'000'000'000'000'000;
/// "100000" or "1e5" as a whole number from `least` to `most`.
Index whole_number(std::string_view word, std::string_view option, Index least,
                   Index most = most_of_all);
std::vector<double> numbers(std::span<const std::string> words, std::string_view option);
std::vector<Index> whole_numbers(std::span<const std::string> words, std::string_view option,
                                 Index least, Index most = most_of_all);

/// Every parameter of a listed process, with its default where it is not given.
std::map<std::string, double> every_parameter(const ProcessInfo& process,
                                              const std::map<std::string, double>& given);

/// "1 step", "2 steps".
std::string count(Index n, std::string_view noun);

/// "a:b" as two numbers.
std::pair<double, double> interval(std::string_view word, std::string_view option);

/// "k=v" words as a map; a key may appear once.
std::map<std::string, std::string, std::less<>> assignments(std::span<const std::string> words,
                                                            std::string_view option);

/// The value that a word stands for.
template <class T>
T choice(std::string_view word, std::string_view option,
         std::initializer_list<std::pair<std::string_view, T>> choices) {
  std::vector<std::string_view> names;
  for (const auto& [name, value] : choices) {
    if (word == name) return value;
    names.push_back(name);
  }
  throw std::invalid_argument(unknown_name_message(option, word, names));
}

}  // namespace fokker::app
