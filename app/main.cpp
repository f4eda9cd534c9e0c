/// @file  main.cpp
/// @brief The command line `fokker`: finds the command, runs it, and turns every error into one
/// line.

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <fokker/processes/equation/equation_error.hpp>
#include <fokker/solvers/support/names.hpp>

#include "command.hpp"
#include "support/about.hpp"
#include "support/estimate.hpp"
#include "support/ranks.hpp"
#include "support/standard_streams.hpp"

namespace {

using namespace fokker::app;

int complain(Exit code, const std::string& message) {
  if (first_rank()) fmt::print(stderr, "fokker: {}\n", one_line(message));
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

/// What is wrong with the number of values of an option: given twice, or without its value.
std::string mismatch(const CLI::ArgumentMismatch& error, const CLI::App& app) {
  for (const CLI::App* parser : app.get_subcommands())
    for (const CLI::Option* option : parser->get_options())
      if (option->count() > 1 && option->get_items_expected_max() == 1)
        return fmt::format("{} is given {} times: give it once", option->get_name(),
                           option->count());
  const std::string words = error.what();
  if (const auto colon = words.find(": 1 required"); colon != std::string::npos)
    return words.substr(0, colon) + " needs a value";
  return error.what();
}

/// `fokker help`, and `fokker help COMMAND`.
int print_help(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* asked = &app;
  if (words.size() > 1) {
    std::vector<std::string> names;
    for (const CLI::App* parser : app.get_subcommands({})) {
      names.push_back(parser->get_name());
      if (parser->get_name() == words[1]) asked = parser;
    }
    if (asked == &app)
      throw std::invalid_argument(fokker::unknown_name_message(
          "command", words[1], std::vector<std::string_view>(names.begin(), names.end())));
  }
  if (first_rank()) fmt::print("{}", asked->help(asked == &app ? "" : "fokker"));
  return done;
}

int run(int argc, char** argv) {
  CLI::App app(
      "fokker: stochastic and ordinary differential equations, with diffusion models.\n"
      "Every command takes --help, which ends with examples.",
      "fokker");
  app.set_version_flag("-V,--version", "fokker " FOKKER_VERSION);
  app.require_subcommand(0, 1);
  app.allow_extras();
  app.footer("Start with:\n  fokker compare\n  fokker list\n");
  const std::vector<Command> commands = {make_compare(app),   make_list(app),     make_explain(app),
                                         make_integrate(app), make_converge(app), make_tune(app),
                                         make_learn(app),     make_bench(app)};
  for (const Command& command : commands) command.parser->allow_extras();

  if (argc > 1 && std::string_view(argv[1]) == "help")
    return print_help(app, {argv + 1, argv + argc});
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {  // --help, --version
    if (!first_rank()) return done;
    std::ostringstream text;
    app.exit(e, text, text);
    fmt::print("{}", text.str());
    return done;
  } catch (const CLI::ArgumentMismatch& e) {
    return complain(bad_input, mismatch(e, app));
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
      "which command? compare, list, explain, integrate, converge, tune, learn or bench (see "
      "fokker --help)");
}

/// work(), with every error turned into one line and an exit code.
template <class Work>
int guarded(const Work& work) {
  try {
    return work();
  } catch (const fokker::EquationError& e) {  // in two lines, for its caret
    if (first_rank()) fmt::print(stderr, "{}\n", e.what());
    return bad_input;
  } catch (const std::invalid_argument& e) {
    return complain(bad_input, e.what());
  } catch (const std::runtime_error& e) {
    return complain(bad_input, e.what());
  } catch (const std::bad_alloc&) {
    return complain(failed, "there is not enough memory for this run (" +
                                fokker::bytes_text(fokker::available_memory()) +
                                " are available): ask for fewer paths, points or steps");
  } catch (const std::exception& e) {
    return complain(failed, std::string("internal error: ") + e.what());
  }
}

/// The exit code, once standard output has been written; a closed pipe needs no words.
int with_output(int code) {
  const int error = flush_standard_output();
  if (error == 0) return code;
  if (error != EPIPE)
    complain(bad_input, std::string("cannot write standard output: ") + std::strerror(error));
  return code == done ? bad_input : code;
}

}  // namespace

int main(int argc, char** argv) {
  guard_standard_streams();
  remember_command(argc, argv);
  return guarded([&] {
    // Left when the line has been printed: a rank that ends first ends the others.
    const Ranks joined;
    return with_output(guarded([&] { return run(argc, argv); }));
  });
}
