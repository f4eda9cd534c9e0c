#include "compare/compare_picture.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <variant>
#include <vector>

#include <fmt/core.h>

#include <fokker/analysis/figures/plot.hpp>
#include <fokker/diffusion/data/finite_set.hpp>

#include "compare/compare_words.hpp"

namespace fokker::app {
namespace {

using Values = std::optional<double> ComparisonRow::*;
using Samples = Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr std::string_view cost = "score evaluations per sample (NFE)";

/// Warm colours and dashes for the samplers of the SDE, cool colours and full lines for the flow.
struct Style {
  Colour colour;
  bool dashed;
};

std::map<std::string, Style> styles(const Comparison& comparison) {
  constexpr std::array warm = {Colour::vermillion, Colour::orange, Colour::purple, Colour::yellow};
  constexpr std::array cool = {Colour::blue, Colour::green, Colour::sky, Colour::black};
  std::map<std::string, Style> chosen;
  std::size_t sdes = 0, odes = 0;
  for (const ComparisonRow& row : comparison.rows)
    if (!chosen.contains(row.sampler))
      chosen[row.sampler] = row.equation == "sde" ? Style{warm[sdes++ % warm.size()], true}
                                                  : Style{cool[odes++ % cool.size()], false};
  return chosen;
}

std::vector<std::string> sampler_names(const Comparison& comparison) {
  std::vector<std::string> names;
  for (const ComparisonRow& row : comparison.rows)
    if (std::find(names.begin(), names.end(), row.sampler) == names.end())
      names.push_back(row.sampler);
  return names;
}

/// One curve per sampler of value(row), with error(row) as bars, against NFE. `shift` moves the
/// curves apart, by this factor from one sampler to the next, so that bars do not hide one another.
template <class Value, class Error>
void add_curves(Panel& panel, const Comparison& comparison, const Value& value, const Error& error,
                double shift = 1) {
  const auto style = styles(comparison);
  const std::vector<std::string> samplers = sampler_names(comparison);
  double factor = std::pow(shift, -0.5 * static_cast<double>(samplers.size() - 1));
  for (const std::string& sampler : samplers) {
    Curve curve;
    curve.label = sampler;
    curve.colour = style.at(sampler).colour;
    curve.dashed = style.at(sampler).dashed;
    for (const ComparisonRow& row : comparison.rows) {
      const std::optional<double> y = value(row);
      if (row.sampler != sampler || !y || !std::isfinite(*y)) continue;
      if (curve.label == sampler) curve.label += row.equation == "sde" ? " (SDE)" : " (flow)";
      curve.x.push_back(factor * row.nfe);
      curve.y.push_back(*y);
      const double bar = error(row);
      curve.error.push_back(std::isfinite(bar) ? bar : 0.0);
    }
    factor *= shift;
    if (curve.x.empty()) continue;
    if (std::all_of(curve.error.begin(), curve.error.end(), [](double e) { return e == 0; }))
      curve.error.clear();
    panel.layers.emplace_back(std::move(curve));
  }
}

/// The evaluations of rows with fixed steps, those too close to the one before left out; none where
/// powers of two do.
std::vector<double> cost_ticks(const Comparison& comparison) {
  std::set<double> all;
  for (const ComparisonRow& row : comparison.rows)
    if (!row.tolerance && row.nfe > 0 && std::isfinite(row.nfe)) all.insert(row.nfe);
  const double ends = all.size() < 2 ? 1 : *all.rbegin() / *all.begin();
  std::vector<double> ticks;
  for (const double nfe : all)
    if (ticks.empty() || nfe > ticks.back() * std::max(1.2, std::pow(ends, 1.0 / 12)))
      ticks.push_back(nfe);
  const bool powers = std::all_of(ticks.begin(), ticks.end(), [](double nfe) {
    return std::exp2(std::round(std::log2(nfe))) == nfe;
  });
  return powers ? std::vector<double>{} : ticks;
}

Panel cost_panel(const Comparison& comparison, std::string title, std::string y_label) {
  return {.title = std::move(title),
          .x = {.label = std::string(cost),
                .log = true,
                .powers_of_two = true,
                .ticks = cost_ticks(comparison)},
          .y = {.label = std::move(y_label), .log = true}};
}

/// Says below a panel what its bars are, if it has any.
void explain_bars(Panel& panel) {
  for (const Layer& layer : panel.layers)
    if (const auto* curve = std::get_if<Curve>(&layer); curve && !curve->error.empty()) {
      panel.note = "bars: one standard error up and down";
      return;
    }
}

Panel error_panel(const Comparison& comparison) {
  const ComparisonSettings& s = comparison.settings;
  Panel panel =
      cost_panel(comparison, "distance to the true distribution", s.exact ? "w2" : s.metric);
  add_curves(
      panel, comparison, [](const ComparisonRow& row) { return std::optional(row.error); },
      [](const ComparisonRow& row) { return row.error_stderr; }, s.exact ? 1.0 : 1.03);
  if (comparison.floor > 0)
    panel.layers.emplace_back(HorizontalLine{"two exact samples", comparison.floor});
  explain_bars(panel);
  Index outliers = 0;
  for (const ComparisonRow& row : comparison.rows) outliers += row.outliers;
  if (outliers > 0)
    panel.note += fmt::format("{}with {} paths far outside the data",
                              panel.note.empty() ? "" : "; ", outliers);
  return panel;
}

Panel pathwise_panel(const Comparison& comparison) {
  Panel panel =
      cost_panel(comparison, "distance to the exact solution, same start and noise", "RMS");
  add_curves(
      panel, comparison, [](const ComparisonRow& row) { return row.error_pathwise; },
      [](const ComparisonRow& row) { return row.error_pathwise_stderr.value_or(0); });
  explain_bars(panel);
  return panel;
}

Panel discretisation_panel(const Comparison& comparison) {
  Panel panel = cost_panel(comparison, "part of the error that is due to the steps", "w2");
  add_curves(
      panel, comparison, [](const ComparisonRow& row) { return row.error_discretisation; },
      [](const ComparisonRow&) { return 0.0; });
  return panel;
}

/// The error of one sampler and its parts.
Panel ledger_panel(const Comparison& comparison, const std::string& sampler) {
  Panel panel = cost_panel(comparison, sampler + ": the error and its parts", "w2");
  const auto add = [&](std::string label, Colour colour, bool dashed, const auto& value) {
    Curve curve;
    curve.label = std::move(label);
    curve.colour = colour;
    curve.dashed = dashed;
    for (const ComparisonRow& row : comparison.rows)
      if (row.sampler == sampler && row.problem.empty()) {
        curve.x.push_back(row.nfe);
        curve.y.push_back(value(row));
      }
    panel.layers.emplace_back(std::move(curve));
  };
  const auto part = [](Values member) {
    return [member](const ComparisonRow& row) { return (row.*member).value_or(0); };
  };
  add("error", Colour::black, false, [](const ComparisonRow& row) { return row.error; });
  add("steps", Colour::blue, false, part(&ComparisonRow::error_discretisation));
  add("ending at t_min", Colour::green, true, part(&ComparisonRow::error_truncation));
  add("starting at the prior", Colour::vermillion, true, part(&ComparisonRow::error_init));
  if (!comparison.settings.score_error.none())
    add("error of the score", Colour::purple, true, part(&ComparisonRow::error_score));
  panel.note = "the error is at most the sum of its parts";
  return panel;
}

/// n exact samples of the data, d x n.
Samples exact_samples(const Comparison& comparison, Index n) {
  Samples x(comparison.settings.data->dimension(), n);
  PathRandom random(comparison.settings.seed, 0, n);
  comparison.settings.data->sample(random, x);
  return x;
}

/// A square or interval around the samples: low and high of coordinate r, a margin added.
std::pair<double, double> range(const Samples& x, Index r) {
  const double low = x.row(r).minCoeff(), high = x.row(r).maxCoeff();
  const double margin = high > low ? 0.12 * (high - low) : 1.0;
  return {low - margin, high + margin};
}

std::string row_title(const ComparisonRow& row) {
  const std::string far =
      row.outliers == 0 ? "" : fmt::format(", {} paths far outside", row.outliers);
  return fmt::format("{} ({}), {:.0f} evaluations{}", row.sampler,
                     row.equation == "sde" ? "SDE" : "flow", row.nfe, far);
}

/// The colour of the curve of the row's sampler.
Colour row_colour(const Comparison& comparison, const ComparisonRow& row) {
  return styles(comparison).at(row.sampler).colour;
}

/// The density of the data on a rectangle.
Heatmap density_map(const AnyData& data, std::pair<double, double> x, std::pair<double, double> y) {
  constexpr Index cells = 160;
  Samples points(2, cells * cells);
  for (Index i = 0; i < cells; ++i)
    for (Index j = 0; j < cells; ++j) {
      const auto at = [](std::pair<double, double> side, Index k) {
        return side.first + (side.second - side.first) * (static_cast<double>(k) + 0.5) /
                                static_cast<double>(cells);
      };
      points(0, i * cells + j) = at(x, j);
      points(1, i * cells + j) = at(y, i);
    }
  const Eigen::ArrayXd density = data.log_density(points, 1, 0).exp().transpose();
  return {.x_min = x.first,
          .x_max = x.second,
          .y_min = y.first,
          .y_max = y.second,
          .rows = cells,
          .columns = cells,
          .values = {density.begin(), density.end()}};
}

/// The first two coordinates of the samples over the true density, or over exact samples.
Panel scatter_panel(const Comparison& comparison, const ComparisonRow& row) {
  const AnyData& data = *comparison.settings.data;
  static constexpr Index shown = 700;
  const Samples truth = exact_samples(comparison, 4096);
  const auto x = range(truth, 0), y = range(truth, 1);
  const auto dots = [](const Samples& s, Colour colour, Mark mark) {
    const Index n = std::min(shown, s.cols());
    Curve curve{.label = "", .x = {}, .y = {}, .mark = mark, .colour = colour};
    curve.x.assign(s.row(0).begin(), s.row(0).begin() + n);
    curve.y.assign(s.row(1).begin(), s.row(1).begin() + n);
    return curve;
  };
  Panel panel{.title = row_title(row),
              .x = {.min = x.first, .max = x.second},
              .y = {.min = y.first, .max = y.second},
              .equal_aspect = true};
  if (data.dimension() == 2 && data.has_density())
    panel.layers.emplace_back(density_map(data, x, y));
  else
    panel.layers.emplace_back(
        dots(truth, Colour::grey, data.has_density() ? Mark::dots : Mark::points));
  panel.layers.emplace_back(dots(row.samples, row_colour(comparison, row), Mark::dots));
  if (data.dimension() > 2) panel.note = "first two coordinates; exact samples in grey";
  return panel;
}

/// A histogram of the samples over the true density, or over one of exact samples; d = 1.
Panel histogram_panel(const Comparison& comparison, const ComparisonRow& row) {
  constexpr int bins = 60;
  const AnyData& data = *comparison.settings.data;
  const Samples truth = exact_samples(comparison, 4096);
  const auto [low, high] = range(truth, 0);
  const double width = (high - low) / bins;
  const auto steps = [low = low, width](const Samples& s) {
    std::vector<double> height(bins, 0.0);
    for (const double value : s.row(0)) {
      const double bin = std::floor((value - low) / width);
      if (bin >= 0 && bin < bins)
        height[static_cast<std::size_t>(bin)] += 1 / (width * static_cast<double>(s.cols()));
    }
    Curve curve{.label = "", .x = {}, .y = {}, .mark = Mark::line};
    for (int i = 0; i < bins; ++i)
      for (const int end : {i, i + 1}) {
        curve.x.push_back(low + end * width);
        curve.y.push_back(height[static_cast<std::size_t>(i)]);
      }
    return curve;
  };
  Panel panel{.title = row_title(row), .x = {.label = "x"}, .y = {.label = "density", .min = 0.0}};
  if (data.has_density()) {
    Samples x(1, 400);
    for (Index j = 0; j < x.cols(); ++j)
      x(0, j) = low + (high - low) * static_cast<double>(j) / static_cast<double>(x.cols() - 1);
    const Eigen::ArrayXd density = data.log_density(x, 1, 0).exp().transpose();
    panel.layers.emplace_back(Band{.label = "truth",
                                   .x = {x.row(0).begin(), x.row(0).end()},
                                   .low = std::vector<double>(400, 0.0),
                                   .high = {density.begin(), density.end()},
                                   .colour = Colour::grey});
  } else {
    Curve exact = steps(truth);
    exact.label = "truth";
    exact.colour = Colour::grey;
    panel.layers.emplace_back(std::move(exact));
  }
  Curve curve = steps(row.samples);
  curve.label = row.sampler;
  curve.colour = row_colour(comparison, row);
  panel.layers.emplace_back(std::move(curve));
  return panel;
}

/// The side of the images that the points are, if they look like square grey images.
std::optional<Index> image_side(const AnyData& data) {
  const Index d = data.dimension();
  const auto side = static_cast<Index>(std::lround(std::sqrt(static_cast<double>(d))));
  if (data.kind() != DataKind::finite_set || side < 4 || side * side != d) return std::nullopt;
  return side;
}

/// Generated images, each above its nearest training image.
Panel image_panel(const Comparison& comparison, const ComparisonRow& row, Index side) {
  constexpr Index across = 10, rows = 4;
  const FiniteSet set = *comparison.settings.data->finite_set();
  const auto points = set.points();
  const auto [low, high] = std::minmax_element(points.begin(), points.end());
  const double from = *low, span = std::max(*high - *low, 1e-300);
  ImageGrid grid{.height = static_cast<std::size_t>(side),
                 .width = static_cast<std::size_t>(side),
                 .columns = across,
                 .pixels = {}};
  const Index shown = std::min(across * rows, row.samples.cols());
  double squares = 0;
  for (Index start = 0; start < shown; start += across) {
    const Index end = std::min(start + across, shown);
    std::vector<double> generated, nearest;
    for (Index j = start; j < end; ++j) {
      const Eigen::ArrayXd x = row.samples.col(j);
      const auto near = set.point(set.nearest({x.data(), static_cast<std::size_t>(x.size())}));
      for (Index i = 0; i < x.size(); ++i) {
        const double pixel = near[static_cast<std::size_t>(i)];
        generated.push_back((x[i] - from) / span);
        nearest.push_back((pixel - from) / span);
        squares += (x[i] - pixel) * (x[i] - pixel) / static_cast<double>(x.size());
      }
    }
    const std::vector<double> blank(
        static_cast<std::size_t>((across - (end - start)) * side * side), 1.0);
    for (std::vector<double>* line : {&generated, &nearest}) {
      grid.pixels.insert(grid.pixels.end(), line->begin(), line->end());
      grid.pixels.insert(grid.pixels.end(), blank.begin(), blank.end());
    }
    grid.row_labels.emplace_back("generated");
    grid.row_labels.emplace_back("nearest");
  }
  Panel panel{.title = row_title(row), .layers = {std::move(grid)}};
  panel.note =
      fmt::format("nearest training image at RMS {:.2g} of the grey scale",
                  std::sqrt(squares / static_cast<double>(std::max<Index>(shown, 1))) / span);
  return panel;
}

/// The rows of an equation whose samples are shown: those with fewest and with most evaluations of
/// the sampler, a fixed-step one if there is one, that comes nearest to the exact solutions.
std::vector<const ComparisonRow*> shown_rows(const Comparison& comparison,
                                             std::string_view equation) {
  std::vector<const ComparisonRow*> rows;
  for (const bool adaptive : {false, true}) {
    const ComparisonRow* best = nullptr;
    const auto distance = [](const ComparisonRow& row) {
      return row.error_pathwise.value_or(row.error);
    };
    for (const ComparisonRow& row : comparison.rows)
      if (row.equation == equation && row.tolerance.has_value() == adaptive &&
          row.samples.cols() > 0 && std::isfinite(distance(row)) &&
          (!best || distance(row) < distance(*best)))
        best = &row;
    if (!best) continue;
    const ComparisonRow *few = best, *many = best;
    for (const ComparisonRow& row : comparison.rows)
      if (row.sampler == best->sampler && row.samples.cols() > 0) {
        if (row.nfe < few->nfe) few = &row;
        if (row.nfe > many->nfe) many = &row;
      }
    rows.push_back(few);
    if (many != few) rows.push_back(many);
    break;
  }
  return rows;
}

/// "points:digits.csv" of "points:data/digits.csv".
std::string data_title(const std::string& name) {
  const auto colon = name.find(':'), slash = name.rfind('/');
  if (colon == std::string::npos || slash == std::string::npos) return name;
  return name.substr(0, colon + 1) + name.substr(slash + 1);
}

Panel samples_panel(const Comparison& comparison, const ComparisonRow& row) {
  const AnyData& data = *comparison.settings.data;
  if (const auto side = image_side(data)) return image_panel(comparison, row, *side);
  return data.dimension() == 1 ? histogram_panel(comparison, row) : scatter_panel(comparison, row);
}

/// Errors on the left, samples of the SDE in the first row and of the flow in the second; or, where
/// that table has a gap, all panels in two columns.
Figure sampled_figure(const Comparison& comparison) {
  std::vector<Panel> errors = {error_panel(comparison), pathwise_panel(comparison)};
  std::erase_if(errors, [](const Panel& panel) { return panel.layers.empty(); });
  std::vector<std::vector<Panel>> samples;
  for (const std::string_view equation : {"sde", "ode"}) {
    samples.emplace_back();
    for (const ComparisonRow* row : shown_rows(comparison, equation))
      samples.back().push_back(samples_panel(comparison, *row));
  }
  Figure figure;
  if (errors.size() == 2 && samples[0].size() == samples[1].size() && !samples[0].empty()) {
    figure.columns = 1 + samples[0].size();
    for (std::size_t i = 0; i < 2; ++i) {
      figure.panels.push_back(std::move(errors[i]));
      std::move(samples[i].begin(), samples[i].end(), std::back_inserter(figure.panels));
    }
  } else {
    figure.panels = std::move(errors);
    for (auto& row : samples) std::move(row.begin(), row.end(), std::back_inserter(figure.panels));
  }
  return figure;
}

Figure exact_figure(const Comparison& comparison) {
  Figure figure;
  figure.panels = {error_panel(comparison), discretisation_panel(comparison)};
  for (const std::string_view equation : {"sde", "ode"})
    if (const ComparisonRow* best = best_row(comparison, equation, INFINITY))
      figure.panels.push_back(ledger_panel(comparison, best->sampler));
  return figure;
}

}  // namespace

Figure comparison_figure(const Comparison& comparison) {
  const ComparisonSettings& s = comparison.settings;
  Figure figure = s.exact ? exact_figure(comparison) : sampled_figure(comparison);
  std::erase_if(figure.panels, [](const Panel& panel) { return panel.layers.empty(); });
  if (figure.panels.empty()) throw std::runtime_error("no row has figures to show");
  figure.columns = std::min(figure.columns, figure.panels.size());
  figure.title = fmt::format("Reverse SDE and probability flow of {} on {} (d = {})", s.process,
                             data_title(s.data_name), s.data->dimension());
  if (!s.exact && image_side(*s.data))
    figure.title += ": an exact empirical score returns training images";
  const std::size_t rows = (figure.panels.size() + figure.columns - 1) / figure.columns;
  figure.width = static_cast<int>(580 * figure.columns);
  figure.height = static_cast<int>(500 * rows + 60);
  return figure;
}

}  // namespace fokker::app
