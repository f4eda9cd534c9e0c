/// @file  limits/commands.cpp
/// @brief The command line at the ends of its options.

#include <string>

#include <nlohmann/json.hpp>

#include "app/program.hpp"
#include "catch.hpp"
#include "limits/row.hpp"

namespace {

const std::string ou = "integrate --process ou --solver milstein ";

/// Runs with 4 GB of address space, whatever the machine has.
Outcome in_four_gigabytes(const Program& fokker, const std::string& args) {
  return fokker.shell("ulimit -v 4000000; " FOKKER_PROGRAM " " + args);
}

void check_too_large(const Program& fokker, const std::string& args) {
  const Outcome run = in_four_gigabytes(fokker, args);
  INFO(args << "\n" << run.err);
  CHECK(run.code == 2);
  CHECK_THAT(run.err, ContainsSubstring("this run needs about") && ContainsSubstring("available"));
  CHECK(run.err.find("bad_alloc") == std::string::npos);
}

}  // namespace

TEST_CASE("numbers of paths from 1 to the largest") {
  const Program fokker;

  CHECK(fokker(ou + "--paths 0").code == 2);
  CHECK(fokker(ou + "--paths 1").code == 0);
  CHECK_THAT(fokker(ou + "--paths 1e3 --quiet --json -").out, ContainsSubstring("\"paths\": 1000"));
  for (const char* many : {"9223372036854775807", "1e16", "18446744073709551616"})
    CHECK_THAT(fokker(ou + "--paths " + many).err, ContainsSubstring("from 1 to 1e+15"));

  limit_row("commands", "whole numbers, as `--paths`", "`1e5`; above 1e15",
            "taken as 100000; refused with the range");
  limit_row("commands", "`integrate --paths 1`", "one path of an SDE",
            "its value; sd and standard errors are null in the JSON, absent in the table");
}

TEST_CASE("runs that do not fit into the memory are refused with the figures") {
  const Program fokker;

  check_too_large(fokker, ou + "--dt 1e-9");
  check_too_large(fokker, ou + "--dt 1e-7 --points 1e7 --paths 100");
  check_too_large(fokker, "integrate --process lorenz --solver dopri5 --points 1e9");
  check_too_large(fokker, ou + "--paths 1e12 --until \"x>=2\"");
  check_too_large(fokker, "converge --process ou --solvers milstein --paths 1e9");
  check_too_large(fokker, "tune --steps 1e6");

  limit_row("commands", "`--dt`, `--points`, `--paths`, `--steps`", "more than the memory holds",
            "refused before the run with what is needed and what is available; control groups and "
            "`ulimit -v` count");
}

TEST_CASE("a million saved times of 100 paths fit into less than a gigabyte and a half") {
  const Program fokker;

  const Outcome run = fokker.shell("ulimit -v 2500000; " FOKKER_PROGRAM " " + ou +
                                   "--dt 1e-5 --points 100001 --paths 100 --threads 1");

  INFO(run.err);
  CHECK(run.code == 0);
}

TEST_CASE("steps as long as the span, and longer") {
  const Program fokker;

  CHECK_THAT(fokker(ou + "--dt 1 --t 0:1").out, ContainsSubstring("1 step of 1"));
  CHECK(fokker(ou + "--dt 1.5 --t 0:1").code == 2);

  limit_row("commands", "`--dt`", "longer than `--t`; one that does not divide it",
            "refused; shortened, and the table says so");
}

TEST_CASE("standard streams that take nothing") {
  const Program fokker;

  CHECK(fokker("list > /dev/full").code == 2);
  CHECK(fokker("list >&-").code == 2);
  CHECK(fokker("list 2>&-").code == 0);
  CHECK(fokker("list --json - 2> /dev/full").code == 0);

  limit_row("commands", "standard output", "full or closed",
            "a message and exit code 2; no message where its reader has ended; files of the run "
            "are written");
  limit_row("commands", "standard error", "full or closed",
            "the run and its exit code do not change");
}

TEST_CASE("a level that is met by no path, or by every path at once") {
  const Program fokker;

  const Outcome never = fokker(ou + "--until \"x>=50\" --paths 100");
  const Outcome before = fokker(ou + "--until \"x>=1\" --paths 100");

  CHECK(never.code == 0);
  CHECK_THAT(never.out, ContainsSubstring("met by none of the 100 paths"));
  CHECK(before.code == 2);
  CHECK_THAT(before.err, ContainsSubstring("holds already at the start"));

  limit_row("commands", "`integrate --until`", "met by no path; met at the start",
            "a sentence, null in the JSON; refused");
}
