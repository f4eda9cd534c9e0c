/// @file  main.cpp
/// @brief The command line `fokker`: finds the command, runs it, and turns every error into one
/// line.

#include <algorithm>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <fokker/solvers/names.hpp>

#include "command.hpp"
#include "ranks.hpp"

namespace {

using namespace fokker::app;

int complain(Exit code, std::string message) {
  std::replace(message.begin(), message.end(), '\n', ' ');
  if (first_rank()) fmt::print(stderr, "fokker: {}\n", message);
  return code;
}

/// Refuses words that no option took, with the nearest option.
void refuse_extras(const CLI::App& parser, const std::string& name) {
  const std::vector<std::string> extras = parser.remaining();
  if (extras.empty()) return;
  const std::string word = extras.front().substr(0, extras.front().find('='));
  if (!word.starts_with("-"))
    throw std::invalid_argument("unexpected '" + word + "' (see " + name + " --help)");
  std::vector<std::string> options;
  for (const CLI::Option* option : parser.get_options())
    for (const std::string& option_name : option->get_lnames())
      options.push_back("--" + option_name);
  const std::vector<std::string_view> known(options.begin(), options.end());
  std::string nearest;
  for (const std::string_view near : fokker::nearest_names(word, known))
    nearest += (nearest.empty() ? ": did you mean " : " or ") + std::string(near);
  throw std::invalid_argument("unknown option " + word + (nearest.empty() ? "" : nearest + "?") +
                              " (see " + name + " --help)");
}

int run(int argc, char** argv) {
  CLI::App app(
      "fokker: stochastic and ordinary differential equations, with diffusion models.\n"
      "Every command takes --help, which ends with examples.",
      "fokker");
  app.set_version_flag("--version", "fokker " FOKKER_VERSION);
  app.require_subcommand(0, 1);
  app.allow_extras();
  app.footer("Start with:\n  fokker compare\n  fokker list\n");
  const std::vector<Command> commands = {make_compare(app),  make_list(app), make_integrate(app),
                                         make_converge(app), make_tune(app), make_learn(app),
                                         make_bench(app)};
  for (const Command& command : commands) command.parser->allow_extras();

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {  // --help, --version
    return first_rank() ? app.exit(e) : done;
  } catch (const CLI::ParseError& e) {
    return complain(bad_input, e.what());
  }

  for (const Command& command : commands)
    if (command.parser->parsed()) {
      const std::string name = command.parser->get_name();
      refuse_extras(*command.parser, "fokker " + name);
      if (ranks() && !command.shares_work)
        throw std::invalid_argument("fokker " + name +
                                    " does not share its work among ranks: run it without mpirun "
                                    "(compare, converge and integrate do)");
      return command.run();
    }
  const std::vector<std::string> words = app.remaining();
  if (!words.empty() && words.front().starts_with("-")) refuse_extras(app, "fokker");
  if (!words.empty()) {
    std::vector<std::string_view> names;
    for (const Command& command : commands) names.push_back(command.parser->get_name());
    throw std::invalid_argument(fokker::unknown_name_message("command", words.front(), names));
  }
  throw std::invalid_argument(
      "which command? compare, list, integrate, converge, tune, learn or bench (see "
      "fokker --help)");
}

/// work(), with every error turned into one line and an exit code.
template <class Work>
int guarded(const Work& work) {
  try {
    return work();
  } catch (const std::invalid_argument& e) {
    return complain(bad_input, e.what());
  } catch (const std::runtime_error& e) {
    return complain(bad_input, e.what());
  } catch (const std::exception& e) {
    return complain(failed, std::string("internal error: ") + e.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  return guarded([&] {
    // Left when the line has been printed: a rank that ends first ends the others.
    const Ranks joined;
    return guarded([&] { return run(argc, argv); });
  });
}
