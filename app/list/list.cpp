/// @file  list.cpp
/// @brief `fokker list`: the catalogues, as tables or one entry in full.

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "list/sections.hpp"
#include "support/options.hpp"

namespace fokker::app {
namespace {

struct ListRequest {
  std::string what, name;
  Filter filter;
  bool markdown = false;
  CommonOptions common;
};

/// Characters of a line of the terminal that `stream` is; unlimited where it is none.
std::size_t width_of(const std::FILE* stream) {
  const int descriptor = stream == stderr ? STDERR_FILENO : STDOUT_FILENO;
  winsize size{};
  if (isatty(descriptor) == 0) return std::string::npos;
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

/// The section that a word names, by one entry or by several.
const Section& section_of(std::string_view word) {
  std::vector<std::string_view> names;
  for (const Section& section : sections()) {
    if (same_in_any_case(word, section.name) || same_in_any_case(word, section.one)) return section;
    names.push_back(section.name);
  }
  throw std::invalid_argument(unknown_name_message("list", word, names));
}

int list_entry(ListRequest& request) {
  const Section& section = section_of(request.what);
  if (!section.entry)
    throw std::invalid_argument(
        fmt::format("list {} takes no name: got '{}'", section.name, request.name));
  if (request.filter.given() || request.markdown)
    throw std::invalid_argument(
        "--noise, --calculus, --family and --markdown go with tables: leave out '" + request.name +
        "'");
  const Listing listing = section.entry(request.name);
  check_outputs(request.common);
  fmt::print(request.common.tables(), "{}", listing.text(width_of(request.common.tables())));
  write_json(request.common, listing.json);
  say_written(request.common.tables(), request.common);
  return done;
}

int list_tables(ListRequest& request) {
  const Section* only = request.what.empty() ? nullptr : &section_of(request.what);
  if (only != nullptr && !same_in_any_case(request.what, only->name))
    throw std::invalid_argument(
        fmt::format("list {0} needs a name, as in fokker list {0} {1}; all: "
                    "fokker list {2}",
                    only->one, only->example, only->name));
  check_outputs(request.common);

  nlohmann::ordered_json document = nlohmann::ordered_json::object();
  std::vector<std::string> texts;
  const std::size_t width = width_of(request.common.tables());
  for (const Section& section : sections()) {
    if (only != nullptr && only != &section) continue;
    if (request.filter.given() && !section.filtered) {
      if (only == nullptr) continue;
      throw std::invalid_argument(fmt::format(
          "--noise, --calculus and --family choose solvers, --noise also processes, not {}",
          section.name));
    }
    Listing listing = section.table(request.filter);
    texts.push_back(request.markdown ? listing.markdown() : listing.text(width));
    if (!listing.json.is_null()) document[std::string(section.name)] = std::move(listing.json);
  }
  fmt::print(request.common.tables(), "{}", fmt::join(texts, "\n"));
  write_json(request.common, document);
  say_written(request.common.tables(), request.common);
  return done;
}

constexpr const char* examples = R"(Examples:
  fokker list
  fokker list solvers --noise diagonal
  fokker list solver sriw1
  fokker list samplers --json -)";

}  // namespace

Command make_list(CLI::App& app) {
  CLI::App* parser =
      app.add_subcommand("list", "List solvers, processes, samplers, grids, data, metrics");
  const auto request = std::make_shared<ListRequest>();
  std::vector<std::string_view> names;
  for (const Section& section : sections()) names.push_back(section.name);
  parser->add_option("what", request->what,
                     fmt::format("{} (default: all)", fmt::join(names, ", ")));
  parser->add_option("name", request->name, "One entry in full: fokker list solver sriw1");
  parser->add_option("--noise", request->filter.noise, "Solvers or processes of this kind of noise")
      ->type_name("none|additive|scalar|diagonal|commutative|general");
  parser->add_option("--calculus", request->filter.calculus, "Solvers of this calculus")
      ->type_name("ito|stratonovich");
  parser->add_option("--family", request->filter.family, "Solvers of this family (list families)")
      ->type_name("NAME");
  parser->add_flag("--markdown", request->markdown, "Tables in Markdown, as in the documentation");
  add_common(*parser, request->common);
  parser->footer(examples);
  return {parser, [request] {
            return request->name.empty() ? list_tables(*request) : list_entry(*request);
          }};
}

}  // namespace fokker::app
