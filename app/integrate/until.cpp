#include "integrate/until.hpp"

#include <cmath>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include <fokker/analysis/figures/report.hpp>
#include <fokker/solvers/support/text.hpp>

#include "support/options.hpp"

namespace fokker::app {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

[[noreturn]] void refuse(std::string_view word, std::size_t components) {
  throw std::invalid_argument(
      fmt::format("--until takes a component and its level, as in \"{0}>=1\", \"{0}<=1\", "
                  "\"{0}=1\" or \"{0}>=1 "
                  "or {0}<=-1\"{1}: got '{2}'",
                  components == 1 ? "x" : "x1",
                  components == 1 ? "" : fmt::format(", of x1 to x{}", components), word));
}

std::string_view trimmed(std::string_view words) {
  const auto first = words.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return words.substr(first, words.find_last_not_of(' ') - first + 1);
}

/// One condition.
Until parse_condition(std::string_view word, std::span<const double> x0) {
  const std::size_t at = word.find_first_of("<>=");
  if (at == std::string_view::npos) refuse(word, x0.size());
  const std::string_view name = trimmed(word.substr(0, at));
  const std::string_view relation = word.substr(at, word[at] == '=' ? 1 : 2);
  if (relation != "=" && relation != ">=" && relation != "<=") refuse(word, x0.size());
  std::size_t component = 0;
  while (component < x0.size() &&
         name != (x0.size() == 1 ? "x" : fmt::format("x{}", component + 1)))
    ++component;
  if (component == x0.size()) refuse(word, x0.size());
  const double level = number(trimmed(word.substr(at + relation.size())), "--until");

  const double start = x0[component];
  if (relation == ">=" ? start >= level : relation == "<=" ? start <= level : start == level)
    throw std::invalid_argument(
        fmt::format("--until {} holds already at the start, {} = {}: choose another level or --x0",
                    word, name, text(start)));
  return {std::string(word), static_cast<Index>(component), level};
}

}  // namespace

std::vector<Until> parse_until(std::string_view words, std::span<const double> x0) {
  constexpr std::string_view between = " or ";
  std::vector<Until> conditions;
  for (std::size_t first = 0; first != std::string_view::npos;) {
    const std::size_t end = words.find(between, first);
    conditions.push_back(parse_condition(trimmed(words.substr(first, end - first)), x0));
    first = end == std::string_view::npos ? end : end + between.size();
  }
  return conditions;
}

PassageReport::PassageReport(std::vector<Until> conditions,
                             const std::vector<PassageTimes>& passages, Time t0, Time t1)
    : conditions_(std::move(conditions)), passage_(passages.front()), t0_(t0), t1_(t1) {
  const Index paths = passage_.time.size();
  which_.assign(static_cast<std::size_t>(paths), 0);
  // A path that fails after it met one level is nan for the others, which were not met before.
  for (std::size_t c = 1; c < passages.size(); ++c)
    for (Index j = 0; j < paths; ++j)
      if (const double other = passages[c].time[j];
          other < passage_.time[j] || (std::isnan(passage_.time[j]) && std::isfinite(other))) {
        passage_.time[j] = other;
        which_[static_cast<std::size_t>(j)] = c;
      }
  for (const double tau : passage_.time) {
    times_.push_back(t1_ > t0_ ? t0_ + tau : t0_ - tau);
    met_ += std::isfinite(tau) ? 1 : 0;
    failed_ += std::isnan(tau) ? 1 : 0;
  }
  summary_ = summarise(times_);
  reached_ = passage_.reached_by(passage_.horizon);
}

std::string PassageReport::words() const {
  std::vector<std::string_view> all;
  for (const Until& condition : conditions_) all.push_back(condition.text);
  return fmt::format("{}", fmt::join(all, " or "));
}

void PassageReport::print(std::FILE* out) const {
  if (times_.size() == 1) {
    if (failed_ == 1)
      fmt::print(out, "{}: unknown, the path did not reach the end\n", words());
    else if (met_ == 1)
      fmt::print(out, "{}: at t = {}\n", conditions_[which_[0]].text, text(times_[0]));
    else
      fmt::print(out, "{}: not met up to t = {}\n", words(), text(t1_));
    return;
  }
  const Index paths = passage_.time.size(), whole = paths - failed_;
  const std::string of = failed_ == 0 ? fmt::format("the {} paths", paths)
                                      : fmt::format("the {} complete paths, of {}", whole, paths);
  if (met_ == 0) {
    fmt::print(out, "{}: met by none of {} up to t = {}\n", words(), of, text(t1_));
    return;
  }
  fmt::print(out, "{}: met by {} % of {} up to t = {}\n", words(),
             format_with_error(100 * reached_.mean, 100 * reached_.standard_error), of, text(t1_));
  if (conditions_.size() > 1)
    for (std::size_t c = 0; c < conditions_.size(); ++c)
      fmt::print(out, "  {} first: {:.4g} %\n", conditions_[c].text, 100 * share(c));
  TextTable table({{"t of the first time", TextTable::Align::left},
                   {"mean"},
                   {"sd"},
                   {"5 %"},
                   {"median"},
                   {"95 %"}});
  const auto known = [](double value, std::string shown) {
    return std::isnan(value) ? std::string("-") : shown;
  };
  std::vector<std::string> cells = {
      fmt::format("the {} that met it", count(met_, "path")),
      format_with_error(summary_.mean, summary_.mean_error),
      known(summary_.sd, format_with_error(summary_.sd, summary_.sd_error))};
  for (const std::size_t q : {0u, 2u, 4u})
    cells.push_back(known(summary_.quantiles[q], fmt::format("{:.4g}", summary_.quantiles[q])));
  table.add_row(std::move(cells));
  fmt::print(out, "{}", table.text());
}

double PassageReport::share(std::size_t condition) const {
  Index first = 0;
  for (std::size_t j = 0; j < which_.size(); ++j)
    first += which_[j] == condition && std::isfinite(times_[j]) ? 1 : 0;
  return static_cast<double>(first) / static_cast<double>(passage_.time.size() - failed_);
}

nlohmann::ordered_json PassageReport::json() const {
  nlohmann::ordered_json document = {{"condition", words()},
                                     {"met", reached_.mean},
                                     {"met_stderr", reached_.standard_error},
                                     {"met_paths", met_},
                                     {"failed_paths", failed_},
                                     {"mean", summary_.mean},
                                     {"mean_stderr", summary_.mean_error},
                                     {"sd", summary_.sd},
                                     {"sd_stderr", summary_.sd_error},
                                     {"quantiles", summary_.quantiles}};
  if (conditions_.size() > 1)
    for (std::size_t c = 0; c < conditions_.size(); ++c)
      document["first"].push_back({{"condition", conditions_[c].text}, {"met", share(c)}});
  return document;
}

Table PassageReport::csv() const {
  const bool several = conditions_.size() > 1;
  Table table{.header = {"path", "t"}, .rows = times_.size(), .columns = 2, .values = {}};
  if (several) {
    table.header.emplace_back("condition");
    table.columns = 3;
  }
  for (std::size_t j = 0; j < times_.size(); ++j) {
    table.values.push_back(static_cast<double>(j));
    table.values.push_back(std::isinf(times_[j]) ? infinity : times_[j]);
    if (several)
      table.values.push_back(std::isfinite(times_[j]) ? static_cast<double>(which_[j] + 1) : 0);
  }
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
                           .y = {.label = fmt::format("P({} by t)", words())},
                           .layers = {std::move(band), std::move(curve)}});
  figure.columns = 1;
  figure.width = 1000;
  figure.height = 560;
  return figure;
}

}  // namespace fokker::app
