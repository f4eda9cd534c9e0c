#include "until.hpp"

#include <cmath>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include <fokker/analysis/report.hpp>
#include <fokker/solvers/text.hpp>

#include "options.hpp"

namespace fokker::app {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

[[noreturn]] void refuse(std::string_view word, std::size_t components) {
  throw std::invalid_argument(fmt::format(
      "--until takes a component and its level, as in \"{0}>=1\", \"{0}<=1\" or \"{0}=1\"{1}: got "
      "'{2}'",
      components == 1 ? "x" : "x1",
      components == 1 ? "" : fmt::format(", of x1 to x{}", components), word));
}

}  // namespace

Until parse_until(std::string_view word, std::span<const double> x0) {
  const std::size_t at = word.find_first_of("<>=");
  if (at == std::string_view::npos) refuse(word, x0.size());
  const std::string_view name = word.substr(0, at);
  const std::string_view relation = word.substr(at, word[at] == '=' ? 1 : 2);
  if (relation != "=" && relation != ">=" && relation != "<=") refuse(word, x0.size());
  std::size_t component = 0;
  while (component < x0.size() &&
         name != (x0.size() == 1 ? "x" : fmt::format("x{}", component + 1)))
    ++component;
  if (component == x0.size()) refuse(word, x0.size());
  const double level = number(word.substr(at + relation.size()), "--until");

  const double start = x0[component];
  if (relation == ">=" ? start >= level : relation == "<=" ? start <= level : start == level)
    throw std::invalid_argument(
        fmt::format("--until {} holds already at the start, {} = {}: choose another level or --x0",
                    word, name, text(start)));
  return {std::string(word), static_cast<Index>(component), level};
}

PassageReport::PassageReport(Until until, PassageTimes passage, Time t0, Time t1)
    : until_(std::move(until)), passage_(std::move(passage)), t0_(t0), t1_(t1) {
  for (const double tau : passage_.time) times_.push_back(t1_ > t0_ ? t0_ + tau : t0_ - tau);
  summary_ = summarise(times_);
  reached_ = passage_.reached_by(passage_.horizon);
}

void PassageReport::print(std::FILE* out) const {
  if (times_.size() == 1) {
    fmt::print(out, "{}: {}\n", until_.text,
               std::isfinite(times_[0]) ? "at t = " + text(times_[0])
                                        : fmt::format("not met up to t = {}", text(t1_)));
    return;
  }
  fmt::print(out, "{}: met by {} % of the paths up to t = {}\n", until_.text,
             format_with_error(100 * reached_.mean, 100 * reached_.standard_error), text(t1_));
  TextTable table({{"t of the first time", TextTable::Align::left},
                   {"mean"},
                   {"sd"},
                   {"5 %"},
                   {"median"},
                   {"95 %"}});
  std::vector<std::string> cells = {"paths that met it",
                                    format_with_error(summary_.mean, summary_.mean_error),
                                    format_with_error(summary_.sd, summary_.sd_error)};
  for (const std::size_t q : {0u, 2u, 4u})
    cells.push_back(fmt::format("{:.4g}", summary_.quantiles[q]));
  table.add_row(std::move(cells));
  fmt::print(out, "{}", table.text());
}

nlohmann::ordered_json PassageReport::json() const {
  return {{"condition", until_.text},
          {"met", reached_.mean},
          {"met_stderr", reached_.standard_error},
          {"mean", summary_.mean},
          {"mean_stderr", summary_.mean_error},
          {"sd", summary_.sd},
          {"sd_stderr", summary_.sd_error},
          {"quantiles", summary_.quantiles}};
}

Table PassageReport::csv() const {
  Table table{.header = {"path", "t"}, .rows = times_.size(), .columns = 2, .values = {}};
  for (std::size_t j = 0; j < times_.size(); ++j)
    for (const double value :
         {static_cast<double>(j), std::isinf(times_[j]) ? infinity : times_[j]})
      table.values.push_back(value);
  return table;
}

Figure PassageReport::figure(std::string title) const {
  constexpr int points = 200;
  Band band{.label = "95 % interval"};
  Curve curve{.label = "estimate", .mark = Mark::line, .colour = Colour::blue};
  for (int k = 0; k <= points; ++k) {
    const Time tau = passage_.horizon * k / points;
    const Estimate met = passage_.reached_by(tau);
    for (std::vector<double>* x : {&band.x, &curve.x})
      x->push_back(t1_ > t0_ ? t0_ + tau : t0_ - tau);
    band.low.push_back(met.low);
    band.high.push_back(met.high);
    curve.y.push_back(met.mean);
  }
  band.colour = Colour::sky;
  Figure figure{.title = std::move(title)};
  figure.panels.push_back({.title = "",
                           .x = {.label = "t"},
                           .y = {.label = fmt::format("P({} by t)", until_.text)},
                           .layers = {std::move(band), std::move(curve)}});
  figure.columns = 1;
  figure.width = 1000;
  figure.height = 560;
  return figure;
}

}  // namespace fokker::app
