#pragma once
/// @file  command.hpp
/// @brief What a subcommand of `fokker` is, and the list of them.

#include <functional>
#include <vector>

#include <CLI/App.hpp>

namespace fokker::app {

/// Exit codes of the program.
enum Exit : int {
  done = 0,           ///< the work was done
  failed = 1,         ///< a fault of the program, or a numerical failure that left no result
  bad_input = 2,      ///< one line on stderr says what
  interrupted = 130,  ///< Ctrl-C: what was finished has been written
};

/// A subcommand: its parser, and what runs once the command line has been read. `run` returns an
/// exit code and throws std::invalid_argument or std::runtime_error for bad input.
struct Command {
  CLI::App* parser;
  std::function<int()> run;
  bool shares_work = false;  ///< among the ranks of mpirun
};

Command make_compare(CLI::App& app);
Command make_list(CLI::App& app);
Command make_explain(CLI::App& app);
Command make_integrate(CLI::App& app);
Command make_converge(CLI::App& app);
Command make_tune(CLI::App& app);
Command make_learn(CLI::App& app);
Command make_bench(CLI::App& app);

}  // namespace fokker::app
