#pragma once
/// @file  fokker/analysis/figures/plot.hpp
/// @brief Pictures: panels of curves, bands, densities, bars and images, drawn by gnuplot.
///
/// A `Figure` is a description; `write_figure` draws it as SVG, PNG or PDF, the same picture in
/// each. gnuplot is looked for at run time (Debian: gnuplot-nox), so nothing here links to it.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <fokker/solvers/support/file_path.hpp>

namespace fokker {

/// Colours that people of any colour vision tell apart (Okabe & Ito, 2008), by number; `grey` and
/// the automatic one, which takes the next of the eight for each layer with a label.
enum class Colour : int {
  automatic = -1,
  blue = 0,
  vermillion = 1,
  green = 2,
  purple = 3,
  orange = 4,
  sky = 5,
  black = 6,
  yellow = 7,
  grey = 8
};

/// How a curve is drawn.
enum class Mark { line, points, line_points, dots };

/// Points (x, y), joined or not, with optional error bars of y +- error. Values beyond 1e290 are
/// left out. On a logarithmic axis
/// values that are not positive are left out, and a bar ends at a third of y at the lowest.
struct Curve {
  std::string label = {};  ///< in the legend; empty: none
  std::vector<double> x = {}, y = {};
  std::vector<double> error = {};  ///< empty, or one per point
  Mark mark = Mark::line_points;
  Colour colour = Colour::automatic;
  bool dashed = false;
};

/// The area between two curves over x, shaded.
struct Band {
  std::string label = {};
  std::vector<double> x = {}, low = {}, high = {};
  Colour colour = Colour::automatic;
};

/// A dashed horizontal line across the panel: a floor, a tolerance.
struct HorizontalLine {
  std::string label = {};
  double y = 0.0;
  Colour colour = Colour::grey;
};

/// A function over a rectangle as a map of colours from white (0) to dark: values are row after row
/// from y_min up, at the centres of rows x columns equal cells.
struct Heatmap {
  double x_min = 0.0, x_max = 1.0, y_min = 0.0, y_max = 1.0;
  std::size_t rows = 0, columns = 0;
  std::vector<double> values = {};
};

/// Bars from 0 with names below them and optional error bars. On a logarithmic axis they start at
/// its lower end.
struct Bars {
  std::string label = {};
  std::vector<std::string> names = {};
  std::vector<double> values = {};
  std::vector<double> errors = {};
  Colour colour = Colour::automatic;
};

/// Grey pictures of height x width pixels in [0, 1] (0 black; values outside are clipped), tiled
/// `columns` to a row from the top left. `row_labels` stand left of the rows, if given.
struct ImageGrid {
  std::size_t height = 0, width = 0, columns = 0;
  std::vector<double> pixels = {};  ///< image after image, each row after row from the top
  std::vector<std::string> row_labels = {};
};

using Layer = std::variant<Curve, Band, HorizontalLine, Heatmap, Bars, ImageGrid>;

/// An axis of a panel.
struct Axis {
  std::string label = {};
  bool log = false;
  std::optional<double> min = {}, max = {};
  bool powers_of_two = false;      ///< ticks at powers of two, for a logarithmic axis
  std::vector<double> ticks = {};  ///< where the ticks are; empty: chosen
};

/// One plot. Layers are drawn in order, the first at the back. An image grid has a panel to itself.
struct Panel {
  std::string title = {};
  Axis x = {}, y = {};
  std::vector<Layer> layers = {};
  bool equal_aspect = false;  ///< one unit of x as long as one of y
  std::string note = {};      ///< a line of small text below
};

/// Panels in rows of `columns`, from the top left.
struct Figure {
  std::string title = {};
  std::vector<Panel> panels = {};
  std::size_t columns = 2;
  int width = 1600, height = 800;  ///< pixels
};

/// Checks, before long work, that `path` ends in .svg, .png or .pdf and can be written.
/// @throws std::invalid_argument  another ending
/// @throws std::runtime_error     an unwritable path
void check_figure_file(const FilePath& path);

/// The same, and that gnuplot is there.
/// @throws std::runtime_error  no gnuplot, with the package that has it
void check_figure(const FilePath& path);

/// Whether gnuplot is there.
bool can_draw();

/// The sentence for a machine without gnuplot, with the package that has it.
inline constexpr std::string_view missing_gnuplot =
    "plots need gnuplot, which is not installed: apt-get install gnuplot-nox";

/// Draws the figure into `path`, as its ending says, all or nothing.
/// @throws std::invalid_argument  another ending than .svg, .png or .pdf, no panel, or a layer
/// whose sizes
///                                disagree
/// @throws std::runtime_error     as check_figure, no gnuplot, or what gnuplot said
void write_figure(const Figure& figure, const FilePath& path);

}  // namespace fokker
