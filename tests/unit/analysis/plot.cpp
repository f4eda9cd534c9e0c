#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include <unistd.h>

#include <fokker/analysis/figures/plot.hpp>

#include "catch.hpp"

namespace fs = std::filesystem;
using fokker::Figure;
using fokker::Panel;
using fokker::write_figure;

namespace {

/// A folder of its own that goes with the test, unless FOKKER_KEEP_PLOTS names one to look at.
struct Folder {
  fs::path path;

  Folder() {
    if (const char* kept = std::getenv("FOKKER_KEEP_PLOTS")) {
      path = kept;
      return;
    }
    std::string name = (fs::temp_directory_path() / "fokker-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    path = name;
  }
  ~Folder() {
    if (!std::getenv("FOKKER_KEEP_PLOTS")) fs::remove_all(path);
  }
};

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Panel convergence() {
  Panel panel{.title = "Error against work",
              .x = {.label = "score evaluations", .log = true, .powers_of_two = true},
              .y = {.label = "sliced W2", .log = true}};
  int k = 0;
  for (const double order : {0.5, 1.0, 1.5, 2.0, 3.0, 4.0}) {
    fokker::Curve curve{.label = "sampler_" + std::to_string(k), .dashed = k++ >= 2};
    for (double n = 8; n <= 256; n *= 2) {
      curve.x.push_back(n);
      curve.y.push_back(std::hypot(3.0 * std::pow(n / 4.0, -order), 0.004));
      curve.error.push_back(0.1 * curve.y.back());
    }
    panel.layers.push_back(curve);
  }
  panel.layers.push_back(fokker::HorizontalLine{"floor of two exact samples", 0.004});
  return panel;
}

Panel density() {
  fokker::Heatmap map{-6, 6, -6, 6, 120, 120, {}};
  fokker::Curve samples{
      .label = "reverse SDE", .mark = fokker::Mark::dots, .colour = fokker::Colour::vermillion};
  for (int i = 0; i < 120 * 120; ++i) {
    const double x = -5.95 + 0.1 * (i % 120), y = -5.95 + 0.1 * (i / 120);
    double p = 0.0;
    for (int k = 0; k < 8; ++k) {
      p += std::exp(-4.0 * (std::pow(x - 4 * std::cos(k * 0.7853982), 2) +
                            std::pow(y - 4 * std::sin(k * 0.7853982), 2)));
    }
    map.values.push_back(p);
    if (i % 12 == 0) {
      const double angle = 0.7853982 * (i % 8),
                   radius = 0.5 * std::sqrt(-std::log((i + 0.5) / 14400));
      samples.x.push_back(4 * std::cos(angle) + radius * std::cos(1.7 * i));
      samples.y.push_back(4 * std::sin(angle) + radius * std::sin(1.7 * i));
    }
  }
  return {.title = "Samples over the density",
          .x = {.label = "x"},
          .y = {.label = "y"},
          .layers = {map, samples},
          .equal_aspect = true};
}

Panel paths() {
  fokker::Band band{.label = "5 to 95 %"};
  fokker::Curve mean{.label = "mean", .mark = fokker::Mark::line, .colour = fokker::Colour::blue};
  for (double t = 0; t <= 1.0; t += 0.05) {
    band.x.push_back(t);
    band.low.push_back(std::exp(t) - std::sqrt(t));
    band.high.push_back(std::exp(t) + std::sqrt(t));
    mean.x.push_back(t);
    mean.y.push_back(std::exp(t));
  }
  return {.title = "Quantile bands",
          .x = {.label = "t"},
          .y = {.label = "X(t)"},
          .layers = {band, mean}};
}

Panel bars() {
  return {.title = "Throughput",
          .y = {.label = "paths per second"},
          .layers = {fokker::Bars{.names = {"hand_written", "fokker", "std::normal"},
                                  .values = {3.0, 2.8, 1.0},
                                  .errors = {0.1, 0.2, 0.1}}}};
}

Panel images() {
  fokker::ImageGrid grid{
      .height = 8, .width = 8, .columns = 6, .row_labels = {"generated", "nearest"}};
  for (int i = 0; i < 12; ++i) {
    for (int k = 0; k < 64; ++k) {
      const double r = std::hypot(k / 8 - 3.5, k % 8 - 3.5);
      grid.pixels.push_back(std::exp(-std::pow(r - 0.4 * (i % 6), 2)));
    }
  }
  return {.title = "Digits", .layers = {grid}, .note = "an exact empirical score returns its data"};
}

}  // namespace

TEST_CASE("Every kind of panel is drawn as PNG and as SVG") {
  const Folder folder;
  const Figure pair{.title = "Reverse SDE against probability flow",
                    .panels = {convergence(), density()}};
  const Figure rest{.panels = {paths(), bars(), images(), images()}, .height = 1000};

  write_figure(pair, folder.path / "pair.png");
  write_figure(pair, folder.path / "pair.svg");
  write_figure(rest, folder.path / "rest.png");
  write_figure(rest, folder.path / "rest.svg");

  for (const std::string name : {"pair", "rest"}) {
    const std::string png = read(folder.path / (name + ".png"));
    const std::string svg = read(folder.path / (name + ".svg"));
    CHECK(png.starts_with("\x89PNG\r\n\x1a\n"));
    CHECK(png.size() > 20000);
    CHECK(svg.find("<svg") != std::string::npos);
    CHECK(svg.find("</svg>") != std::string::npos);
  }
  const std::string svg = read(folder.path / "pair.svg");
  for (const auto text : {"Error against work", "sampler_3", "floor of two exact samples"}) {
    CHECK(svg.find(text) != std::string::npos);
  }
}

TEST_CASE("Labels are text, whatever is in them") {
  const Folder folder;
  Panel panel = paths();
  panel.title = "say \"x_1^2\" \\ $HOME `id` @n";

  write_figure({.title = panel.title, .panels = {panel}}, folder.path / "odd.svg");

  CHECK(read(folder.path / "odd.svg").find("x_1^2") != std::string::npos);
}

TEST_CASE("Values that cannot be drawn are left out") {
  const Folder folder;
  const double nan = std::nan("");
  fokker::Curve curve{.label = "diverged",
                      .x = {1, 2, 4, 8},
                      .y = {nan, HUGE_VAL, 1.0, -2.0},
                      .error = {nan, nan, 5.0, 1.0}};
  Panel panel{.x = {.log = true}, .y = {.log = true}, .layers = {curve}};

  CHECK_NOTHROW(write_figure({.panels = {panel}}, folder.path / "few.png"));
}

TEST_CASE("Values that differ little or are near the largest numbers are drawn") {
  const Folder folder;
  for (const bool log : {false, true})
    for (const auto& y :
         {std::vector{1e10, 1e10 + 1e-3}, std::vector{1e308, 2.0}, std::vector{-1e300, 1e300},
          std::vector{1e-320, 1e-310}, std::vector{std::nan(""), HUGE_VAL}}) {
      Panel panel{.y = {.log = log}, .layers = {fokker::Curve{.x = {1, 2}, .y = y}}};

      CHECK_NOTHROW(write_figure({.panels = {panel}}, folder.path / "ends.svg"));
    }
}

TEST_CASE("Figures refuse what they cannot draw or write, and leave nothing behind") {
  const Folder folder;
  const Figure good{.panels = {paths()}};
  Panel uneven = paths();
  std::get<fokker::Band>(uneven.layers[0]).low.pop_back();

  CHECK_THROWS_WITH(write_figure(good, folder.path / "x.gif"),
                    ContainsSubstring("must end in .svg, .png or .pdf"));
  CHECK_THROWS_AS(fokker::check_figure(folder.path / "x"), std::invalid_argument);
  CHECK_THROWS_WITH(fokker::check_figure(folder.path / "none" / "x.svg"),
                    ContainsSubstring("cannot write"));
  CHECK_THROWS_WITH(write_figure({.panels = {uneven}}, folder.path / "y.svg"),
                    ContainsSubstring("same size"));
  CHECK_THROWS_AS(write_figure({.panels = {}}, folder.path / "y.svg"), std::invalid_argument);
  CHECK_THROWS_AS(write_figure({.panels = {Panel{}}}, folder.path / "y.svg"),
                  std::invalid_argument);
  CHECK(!fs::exists(folder.path / "x.gif"));
  CHECK(!fs::exists(folder.path / "y.svg"));
  CHECK_NOTHROW(fokker::check_figure(folder.path / "x.svg"));
}

TEST_CASE("Without gnuplot the package to install is named") {
  const Folder folder;
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", folder.path.c_str(), 1);

  CHECK_THROWS_WITH(write_figure({.panels = {paths()}}, folder.path / "z.svg"),
                    ContainsSubstring("gnuplot-nox"));
  CHECK_THROWS_WITH(fokker::check_figure(folder.path / "z.svg"), ContainsSubstring("gnuplot-nox"));

  ::setenv("PATH", path.c_str(), 1);
}
