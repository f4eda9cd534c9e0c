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

#include <fokker/solvers/checkpoint.hpp>
#include <fokker/solvers/names.hpp>
#include <fokker/solvers/random.hpp>
#include <fokker/solvers/state.hpp>

namespace fokker {
enum class Last;
}

namespace fokker::app {

/// --seed, --threads, --json and --plot.
struct CommonOptions {
  std::uint64_t seed = 1;
  int threads = 0;
  std::string json;
  std::vector<std::string> plots;

  /// Where tables go: stdout, or stderr when the JSON goes to stdout.
  std::FILE* tables() const { return json == "-" ? stderr : stdout; }
};

/// --seed, --threads and --json, which every command takes.
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
Last last_of(std::string_view word);

/// An option that takes a comma-separated list, and may be repeated.
CLI::Option* add_list(CLI::App& parser, const std::string& name, std::vector<std::string>& words,
                      const std::string& help);

/// Refuses outputs that cannot be written, before any work: --json, the plots (also those that do
/// not end in .svg or .png) and `others`. The first rank looks.
void check_outputs(const CommonOptions& options, std::span<const std::string> others = {});

/// Writes `document` to --json, if given; it ends in one newline.
void write_json(const CommonOptions& options, std::string document);

/// Says on `out` which files have been written.
void say_written(std::FILE* out, const CommonOptions& options,
                 std::span<const std::string> others = {});

/// "12" as a number; the whole word must be one, and finite.
double number(std::string_view word, std::string_view option);
std::uint64_t seed_number(std::string_view word);
Generator generator(std::string_view word);
Index whole_number(std::string_view word, std::string_view option, Index least);
std::vector<double> numbers(std::span<const std::string> words, std::string_view option);
std::vector<Index> whole_numbers(std::span<const std::string> words, std::string_view option,
                                 Index least);

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
