#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fokker/analysis/figures/plot.hpp>
#include <fokker/analysis/figures/report.hpp>

namespace fokker {
namespace {

namespace fs = std::filesystem;
using Numbers = std::vector<double>;

constexpr std::array<std::string_view, 9> palette{"#0072B2", "#D55E00", "#009E73",
                                                  "#CC79A7", "#E69F00", "#56B4E9",
                                                  "#000000", "#F0E442", "#8A8A8A"};
constexpr std::size_t automatic_colours = 7;         ///< yellow is too pale for a line
constexpr std::array marks{7, 5, 9, 11, 13, 15, 3};  ///< gnuplot's filled shapes

/// The file formats of a picture.
enum class Format { svg, png, pdf };

/// What gnuplot said, and how it ended.
struct Outcome {
  int status;
  std::string output;
};

Outcome run(const std::string& command) {
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (!pipe) throw std::runtime_error("plots need a shell to start gnuplot: none could be started");
  Outcome outcome{};
  std::array<char, 256> line;
  while (std::fgets(line.data(), line.size(), pipe)) outcome.output += line.data();
  const int status = ::pclose(pipe);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

/// A folder of its own for the script and the picture, removed at the end.
struct Folder {
  fs::path path;

  Folder() {
    std::string name = (fs::temp_directory_path() / "fokker-plot-XXXXXX").string();
    if (!::mkdtemp(name.data())) {
      throw std::runtime_error(fmt::format("plots need a temporary folder: cannot make {}", name));
    }
    path = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

/// `text` as a string of gnuplot.
std::string quote(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c == '\n' ? ' ' : c;
  }
  return quoted + '"';
}

void require(bool holds, std::string_view layer, std::string_view what) {
  if (!holds) throw std::invalid_argument(fmt::format("figure: {}: {}", layer, what));
}

/// gnuplot computes ranges in double: numbers near the largest would overflow there.
constexpr double largest = 1e290;

bool shown(double v) { return std::abs(v) <= largest; }  // not nan

std::string value_text(double v) { return shown(v) ? fmt::format("{:.17g}", v) : "NaN"; }

/// An end of an axis, a margin beyond what is shown.
std::string end_text(double v) {
  return fmt::format("{:.17g}", std::clamp(v, -10 * largest, 10 * largest));
}

/// `text` broken at its spaces into lines of about so many characters, each ended by '\n'.
std::string wrapped(std::string_view text, std::size_t characters) {
  std::string lines;
  std::size_t length = 0;  // of the last line
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    if (length > 0) {
      const bool fits = length + 1 + word.size() <= characters;
      lines += fits ? ' ' : '\n';
      length = fits ? length + 1 : 0;
    }
    lines += word;
    length += word.size();
    begin = end + 1;
  }
  return lines + '\n';
}

/// Lines that end in '\n' as one string of gnuplot.
std::string quote_lines(std::string_view lines) {
  std::string all;
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t end = lines.find('\n', begin);
    all += (all.empty() ? "" : ".\"\\n\".") + quote(lines.substr(begin, end - begin));
    begin = end + 1;
  }
  return all;
}

/// What an axis must show.
struct Extent {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  bool padded = true;  ///< leave a margin at both ends

  void cover(const Numbers& values, bool log) {
    for (const double v : values) {
      if (!shown(v) || (log && v < 1 / largest)) continue;
      low = std::min(low, v);
      high = std::max(high, v);
    }
  }
};

/// Writes the gnuplot script of a figure: data blocks, then one plot command for each panel.
class Script {
 public:
  Script(const Figure& figure, Format format, const fs::path& output) {
    const bool svg = format == Format::svg;
    const double unit = format == Format::pdf ? 72 : 1;  // pdfcairo takes inches
    add("set encoding utf8\nset terminal {} size {},{} enhanced font 'DejaVu Sans,{}' "
        "background '#FFFFFF' linewidth 1.2\n",
        svg                     ? "svg dynamic"
        : format == Format::png ? "pngcairo"
                                : "pdfcairo",
        figure.width / unit, figure.height / unit, svg ? 15 : 12);
    add("set output {}\n", quote(output.string()));
    const std::size_t columns = std::clamp<std::size_t>(figure.columns, 1, figure.panels.size());
    const std::size_t rows = (figure.panels.size() + columns - 1) / columns;
    panel_width_ = static_cast<double>(figure.width) / static_cast<double>(columns);
    const double top = figure.title.empty() ? 1.0 : 1.0 - 52.0 / figure.height;
    add("set multiplot");
    if (!figure.title.empty())
      add(" title {} noenhanced font ',{}'", quote(figure.title), svg ? 20 : 16);
    add("\n");
    for (std::size_t i = 0; i < figure.panels.size(); ++i) {
      const double width = 1.0 / static_cast<double>(columns);
      const double height = top / static_cast<double>(rows);
      add("reset\nset origin {},{}\nset size {},{}\n", width * static_cast<double>(i % columns),
          top - height * static_cast<double>(i / columns + 1), width, height);
      panel(figure.panels[i], svg);
    }
    add("unset multiplot\nunset output\n");
  }

  const std::string& text() const { return text_; }

 private:
  template <class... Arguments>
  void add(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Arguments>(arguments)...);
  }

  /// A data block of rows of numbers; returns its name.
  std::string block(std::initializer_list<const Numbers*> columns) {
    const std::string name = fmt::format("$data{}", blocks_++);
    add("{} << EOD\n", name);
    for (std::size_t i = 0; i < (*columns.begin())->size(); ++i) {
      for (const Numbers* column : columns) add("{} ", value_text((*column)[i]));
      add("\n");
    }
    add("EOD\n");
    return name;
  }

  /// A data block of a matrix, one line per row.
  std::string matrix(const Numbers& values, std::size_t columns) {
    const std::string name = fmt::format("$data{}", blocks_++);
    add("{} << EOD\n", name);
    for (std::size_t i = 0; i < values.size(); ++i) {
      add("{}{}", value_text(values[i]), (i + 1) % columns == 0 ? '\n' : ' ');
    }
    add("EOD\n");
    return name;
  }

  void axis(char name, const Axis& a, const std::string& note = {}) {
    const auto separator = a.label.empty() || note.empty() ? "" : ".\"\\n\".";
    const auto text = [](const std::string& t) { return t.empty() ? std::string() : quote(t); };
    const std::string label = text(a.label) + separator + text(note);
    if (!label.empty())
      add("set {}label {} noenhanced{}\n", name, label, name == 'x' ? " offset 0,0.4" : "");
    if (a.log) add("set logscale {}\n", name);
    add("set format {} '{}'\n", name, a.log ? "10^{%T}" : "%h");
  }

  /// Fixes the range, and the ticks where gnuplot's own would be few or odd.
  void range(char name, const Axis& a, Extent extent) {
    if (!(extent.low <= extent.high)) extent = {a.log ? 1.0 : 0.0, a.log ? 10.0 : 1.0, false};
    if (extent.padded) {
      const double low = a.log ? std::log(extent.low) : extent.low;
      const double high = a.log ? std::log(extent.high) : extent.high;
      // gnuplot refuses a range that is narrow beside its numbers
      const double least = a.log ? 1e-3 : 1e-6 * std::max(std::abs(low), std::abs(high));
      double pad = std::max(0.04 * (high - low), least);
      if (!(high > low)) pad = a.log ? 0.5 : std::max(0.5, least);
      extent.low = a.log ? std::exp(low - pad) : low - pad;
      extent.high = a.log ? std::exp(high + pad) : high + pad;
    }
    const double low = a.min.value_or(extent.low), high = a.max.value_or(extent.high);
    add("set {}range [{}:{}]\n", name, end_text(low), end_text(high));
    if (!a.ticks.empty()) {
      add("set {}tics ()\nunset m{}tics\n", name, name);
      for (const double tick : a.ticks) add("set {}tics add ('{:.6g}' {})\n", name, tick, tick);
      return;
    }
    if (!a.log || !(low > 0.0) || !(high > low)) return;

    if (a.powers_of_two) {
      const int first = static_cast<int>(std::ceil(std::log2(low)));
      const int last = static_cast<int>(std::floor(std::log2(high)));
      const int stride = 1 + std::max(0, last - first) / 10;
      add("set {}tics ()\nunset m{}tics\n", name, name);
      for (int k = first; k <= last; k += stride) {
        const std::string text =
            k >= 0 && k <= 20 ? fmt::format("{}", 1 << k) : fmt::format("2^{{{}}}", k);
        add("set {}tics add ('{}' {})\n", name, text, std::ldexp(1.0, k));
      }
    } else if (high < 1000.0 * low) {
      const bool wide = high >= 30.0 * low;
      add("set {}tics ()\n", name);
      for (double unit = std::pow(10.0, std::floor(std::log10(low))); unit <= high; unit *= 10.0) {
        for (const double digit : {1.0, wide ? 3.0 : 2.0, 5.0})
          if (!wide || digit < 5.0)
            add("set {}tics add ('{:.6g}' {})\n", name, digit * unit, digit * unit);
      }
    }
  }

  void panel(const Panel& p, bool svg) {
    colour_ = mark_ = 0;
    clauses_.clear();
    log_x_ = p.x.log;
    log_y_ = p.y.log;
    extent_x_ = extent_y_ = {};
    add("set style fill solid 0.85 noborder\n");
    add("set border 3 lc '#666666' lw 1\nset tics nomirror out scale 0.6 textcolor '#333333'\n");
    add("set grid xtics ytics lt 1 lc '#E6E6E6' lw 0.8\n");
    add("set key outside below center horizontal Left reverse noenhanced samplen 2.2 spacing 1.15 "
        "maxrows 4 title ' ' font ',4'\n");
    if (!p.title.empty()) {
      add("set title {} noenhanced font ',{}' offset 0,0.3\n", quote(p.title), svg ? 17 : 14);
    }
    axis('x', p.x, p.note);
    axis('y', p.y);
    if (p.equal_aspect) add("set size ratio -1\n");
    for (const Layer& layer : p.layers) {
      std::visit([this](const auto& l) { draw(l); }, layer);
    }
    if (p.layers.empty()) throw std::invalid_argument("figure: a panel has no layer");
    const auto is_key = [](const std::string& clause) { return clause.starts_with("keyentry"); };
    if (std::all_of(clauses_.begin(), clauses_.end(), is_key))  // gnuplot needs something to plot
      clauses_.emplace_back("1 with dots lc '#FFFFFF' notitle");
    range('x', p.x, extent_x_);
    range('y', p.y, extent_y_);
    add("plot {}\n", fmt::to_string(fmt::join(clauses_, ", \\\n  ")));
  }

  bool any_shown(const Numbers& x, const Numbers& y) const {
    for (std::size_t i = 0; i < x.size(); ++i)
      if (shown(x[i]) && shown(y[i]) && (!log_x_ || x[i] >= 1 / largest) &&
          (!log_y_ || y[i] >= 1 / largest))
        return true;
    return false;
  }

  void cover_x(const Numbers& x) { extent_x_.cover(x, log_x_); }
  void cover_y(const Numbers& y) { extent_y_.cover(y, log_y_); }

  /// The ends of error bars; on a logarithmic axis not below a third of the value.
  std::pair<Numbers, Numbers> bars(const Numbers& values, const Numbers& errors) const {
    Numbers low = values, high = values;
    for (std::size_t i = 0; i < errors.size(); ++i) {
      low[i] -= errors[i];
      high[i] += errors[i];
      if (log_y_) low[i] = std::max(low[i], values[i] / 3.0);
    }
    return {low, high};
  }

  /// Vertical strokes from low to high.
  void strokes(const std::string& data, std::string_view colour) {
    clauses_.push_back(fmt::format(
        "{} using 1:3:(0):($4-$3) with vectors nohead lc '{}' lw 1.5 notitle", data, colour));
  }

  std::string_view next_colour(Colour colour) {
    if (colour != Colour::automatic) return palette[static_cast<std::size_t>(colour)];
    return palette[colour_++ % automatic_colours];
  }

  static std::string title(const std::string& label) {
    return label.empty() ? "notitle" : "title " + quote(label);
  }

  void draw(const Curve& c) {
    require(c.x.size() == c.y.size() && (c.error.empty() || c.error.size() == c.x.size()), "curve",
            "x, y and error must have the same size");
    const auto colour = next_colour(c.colour);
    const int shape = marks[mark_++ % marks.size()];
    const auto [low, high] = bars(c.y, c.error);
    cover_x(c.x);
    cover_y(low);
    cover_y(high);
    if (!any_shown(c.x, c.y)) {  // gnuplot refuses a curve without points
      if (!c.label.empty())
        clauses_.push_back(
            fmt::format("keyentry with lines lc '{}' lw 2 {}", colour, title(c.label)));
      return;
    }
    const std::string data = block({&c.x, &c.y, &low, &high});
    if (!c.error.empty()) strokes(data, colour);
    const std::string dash = c.dashed ? "dt (8,5)" : "dt 1";
    std::string style;
    switch (c.mark) {
      case Mark::line:
        style = fmt::format("lines lc '{}' lw 2 {}", colour, dash);
        break;
      case Mark::points:
        style = fmt::format("points lc '{}' pt {} ps 0.9", colour, shape);
        break;
      case Mark::line_points:
        style = fmt::format("linespoints lc '{}' lw 2 {} pt {} ps 0.9", colour, dash, shape);
        break;
      case Mark::dots:
        style = fmt::format("points lc '{}' pt 7 ps 0.25", colour);
        break;
    }
    const bool dots = c.mark == Mark::dots;  // too small to be recognised in the legend
    clauses_.push_back(
        fmt::format("{} using 1:2 with {} {}", data, style, dots ? "notitle" : title(c.label)));
    if (dots && !c.label.empty()) {
      clauses_.push_back(
          fmt::format("keyentry with points lc '{}' pt 7 ps 0.8 {}", colour, title(c.label)));
    }
  }

  void draw(const Band& b) {
    require(b.x.size() == b.low.size() && b.x.size() == b.high.size(), "band",
            "x, low and high must have the same size");
    cover_x(b.x);
    cover_y(b.low);
    cover_y(b.high);
    clauses_.push_back(fmt::format(
        "{} using 1:2:3 with filledcurves fs transparent solid 0.25 noborder fc '{}' {}",
        block({&b.x, &b.low, &b.high}), next_colour(b.colour), title(b.label)));
  }

  void draw(const HorizontalLine& l) {
    cover_y({l.y});
    clauses_.push_back(fmt::format("{} with lines lc '{}' lw 1.8 dt (4,4) {}", value_text(l.y),
                                   next_colour(l.colour), title(l.label)));
  }

  void draw(const Heatmap& m) {
    require(m.rows > 1 && m.columns > 1 && m.values.size() == m.rows * m.columns, "heat map",
            "values must number rows x columns, at least 2 x 2");
    add("set palette defined (0 '#FFFFFF', 0.1 '#F0F0F0', 0.4 '#C8C8C8', 1 '#8A8A8A')\n");
    add("unset colorbox\nset autoscale cb\nunset grid\n");
    add("set border 15 lc '#999999'\n");
    const double dx = (m.x_max - m.x_min) / static_cast<double>(m.columns);
    const double dy = (m.y_max - m.y_min) / static_cast<double>(m.rows);
    const std::string data = matrix(m.values, m.columns);
    extent_x_ = {m.x_min, m.x_max, false};
    extent_y_ = {m.y_min, m.y_max, false};
    clauses_.push_back(fmt::format("{} matrix using ({}+{}*$1):({}+{}*$2):3 with image notitle",
                                   data, m.x_min + 0.5 * dx, dx, m.y_min + 0.5 * dy, dy));
  }

  void draw(const Bars& b) {
    require(b.names.size() == b.values.size() &&
                (b.errors.empty() || b.errors.size() == b.values.size()),
            "bars", "names, values and errors must have the same size");
    const auto [low, high] = bars(b.values, b.errors);
    Numbers x(b.values.size());
    std::iota(x.begin(), x.end(), 0.0);
    extent_x_ = {-0.6, static_cast<double>(b.names.size()) - 0.4, false};
    cover_y(low);
    cover_y(high);
    if (!log_y_) extent_y_ = {std::min(0.0, extent_y_.low), 1.05 * extent_y_.high, false};
    add("set boxwidth 0.6\nset xtics () scale 0\nset grid noxtics\n");
    constexpr double character = 8.5;  // pixels of a letter, about
    const double room = 0.85 * panel_width_ / (character * static_cast<double>(b.names.size()));
    const auto characters = static_cast<std::size_t>(std::max(room, 1.0));
    std::ptrdiff_t most = 1;  // lines, for which gnuplot leaves room by itself
    for (std::size_t i = 0; i < b.names.size(); ++i) {
      const std::string lines = wrapped(b.names[i], characters);
      most = std::max(most, std::count(lines.begin(), lines.end(), '\n'));
      add("set xtics add ({} {}) noenhanced\n", quote_lines(lines), i);
    }
    if (most > 1 && b.label.empty()) add("set bmargin {}\n", most + 2);
    const std::string data = block({&x, &b.values, &low, &high});
    clauses_.push_back(fmt::format("{} using 1:2 with boxes fc '{}' {}", data,
                                   next_colour(b.colour), title(b.label)));
    if (!b.errors.empty()) strokes(data, "#333333");
  }

  void draw(const ImageGrid& g) {
    const std::size_t size = g.height * g.width;
    require(size > 0 && g.columns > 0 && !g.pixels.empty() && g.pixels.size() % size == 0, "images",
            "pixels must number images x height x width, with at least one column");
    const std::size_t count = g.pixels.size() / size;
    const std::size_t rows = (count + g.columns - 1) / g.columns;
    // Each pixel as 4 x 4 of the canvas: viewers of SVG smooth the edges of large ones away.
    constexpr std::size_t zoom = 4;
    const std::size_t step_y = zoom * (g.height + 1), step_x = zoom * (g.width + 1);
    const std::size_t height = rows * step_y - zoom, width = g.columns * step_x - zoom;
    require(g.row_labels.empty() || g.row_labels.size() == rows, "images",
            "there must be a label for every row");
    Numbers canvas(height * width, 1.0);  // white between the images
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t top = i / g.columns * step_y, left = i % g.columns * step_x;
      for (std::size_t k = 0; k < size * zoom * zoom; ++k) {
        const std::size_t r = k / (zoom * g.width), c = k % (zoom * g.width);
        canvas[(height - 1 - top - r) * width + left + c] =
            std::clamp(g.pixels[i * size + r / zoom * g.width + c / zoom], 0.0, 1.0);
      }
    }
    add("set palette gray\nset cbrange [0:1]\nunset colorbox\nunset grid\nunset border\n");
    add("unset xtics\nset size ratio -1\nunset key\n");
    extent_x_ = {-0.5, static_cast<double>(width) - 0.5, false};
    extent_y_ = {-0.5, static_cast<double>(height) - 0.5, false};
    add("set ytics () scale 0\n");
    for (std::size_t r = 0; r < g.row_labels.size(); ++r) {
      const double middle = static_cast<double>(height - 1) - static_cast<double>(r * step_y) -
                            0.5 * static_cast<double>(zoom * g.height - 1);
      add("set ytics add ({} {}) noenhanced\n", quote(g.row_labels[r]), middle);
    }
    clauses_.push_back(matrix(canvas, width) + " matrix with image notitle");
  }

  std::string text_;
  std::vector<std::string> clauses_;  ///< of the plot command of this panel
  std::size_t blocks_ = 0, colour_ = 0, mark_ = 0;
  double panel_width_ = 0;  ///< pixels
  bool log_x_ = false, log_y_ = false;
  Extent extent_x_ = {}, extent_y_ = {};
};

Format format_of(const FilePath& path) {
  const std::string ending = fs::path(path.string()).extension().string();
  if (ending == ".svg") return Format::svg;
  if (ending == ".png") return Format::png;
  if (ending == ".pdf") return Format::pdf;
  throw std::invalid_argument(
      fmt::format("a plot must end in .svg, .png or .pdf: got {}", path.string()));
}

}  // namespace

void check_figure_file(const FilePath& path) {
  format_of(path);
  check_writable(path);
}

void check_figure(const FilePath& path) {
  check_figure_file(path);
  if (!can_draw()) throw std::runtime_error(std::string(missing_gnuplot));
}

bool can_draw() { return run("gnuplot --version").status == 0; }

void write_figure(const Figure& figure, const FilePath& path) {
  const Format format = format_of(path);
  if (figure.panels.empty()) throw std::invalid_argument("figure: there is no panel");
  const Folder folder;
  const fs::path picture = folder.path / "picture", script = folder.path / "script";
  write_file_atomically(script, Script(figure, format, picture).text());

  const Outcome outcome = run(fmt::format("gnuplot '{}'", script.string()));

  if (outcome.status == 127) throw std::runtime_error(std::string(missing_gnuplot));
  std::ifstream file(picture, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (outcome.status != 0 || bytes.empty()) {
    throw std::runtime_error(
        fmt::format("gnuplot could not draw {}: {}", path.string(), outcome.output));
  }
  write_file_atomically(path, bytes);
}

}  // namespace fokker
