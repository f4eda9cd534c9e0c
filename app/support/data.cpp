#include "support/data.hpp"

#include <optional>
#include <stdexcept>

#include <fokker/diffusion/data/boxes.hpp>
#include <fokker/diffusion/data/finite_set.hpp>
#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/data/product.hpp>
#include <fokker/diffusion/data/sphere.hpp>
#include <fokker/diffusion/files/csv.hpp>

#include "support/options.hpp"

namespace fokker::app {
namespace {

/// The correlated Gaussian in the plane that `--data gaussian` means.
Gaussian correlated_gaussian() {
  const Eigen::Vector2d mean(1.0, -0.5);
  Eigen::Matrix2d covariance;
  covariance << 2.0, 0.9, 0.9, 0.8;
  return {Eigen::VectorXd(mean), Eigen::MatrixXd(covariance)};
}

FiniteSet read_points(const std::string& path, const DataOptions& options) {
  CsvOptions csv;
  for (const Index column : whole_numbers(options.drop_columns, "--drop-column", 1))
    csv.drop_columns.push_back(static_cast<std::size_t>(column));
  Table table = read_csv(path, csv);
  if (!options.scale.empty()) {
    const auto [low, high] = interval(options.scale, "--scale");
    if (!(high > low))
      throw std::invalid_argument("--scale a:b needs a < b: got '" + options.scale + "'");
    for (double& value : table.values) value = 2 * (value - low) / (high - low) - 1;
  }
  return FiniteSet(table.values, static_cast<Index>(table.columns));
}

/// "FILE.csv[:FLOOR]", a row for each coordinate and a column for each factor.
GaussianLowRank read_low_rank(const std::string& file_and_floor) {
  const auto colon = file_and_floor.rfind(':');
  const bool has_floor = colon != std::string::npos;
  const double floor =
      has_floor ? number(file_and_floor.substr(colon + 1), "--data low-rank:FILE.csv:FLOOR") : 0.0;
  return low_rank_from_csv(file_and_floor.substr(0, colon), floor);
}

/// The words between the separators of a text.
std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> words;
  std::size_t first = 0;
  for (std::size_t end = text.find(separator); end != std::string::npos;
       end = text.find(separator, first)) {
    words.push_back(text.substr(first, end - first));
    first = end + 1;
  }
  words.push_back(text.substr(first));
  return words;
}

double positive(const std::string& word, const std::string& data) {
  const double value = number(word, "--data " + data);
  if (!(value > 0))
    throw std::invalid_argument("--data " + data + " needs a positive number: got '" + word + "'");
  return value;
}

/// The distributions of one word and numbers, word[:number...]; none if it is no such word.
/// @throws std::invalid_argument  numbers missing, too many, or out of range
std::optional<AnyData> data_of_numbers(const std::string& data) {
  const std::vector<std::string> words = split(data, ':');
  const auto expect = [&](std::size_t least, std::size_t most, const char* form) {
    if (words.size() - 1 < least || words.size() - 1 > most)
      throw std::invalid_argument(std::string("--data takes ") + form + ": got --data " + data);
  };
  const auto positive_or = [&](std::size_t i, double otherwise) {
    return words.size() > i ? positive(words[i], data) : otherwise;
  };
  const std::string& kind = words.front();
  if (kind == "ring8") {
    expect(0, 1, "ring8[:SD]");
    return GaussianMixture::ring(8, 4.0, positive_or(1, 0.3));
  }
  if (kind == "two-moons") {
    expect(0, 1, "two-moons[:SD]");
    return GaussianMixture::two_moons(positive_or(1, 0.1));
  }
  if (kind == "swiss-roll") {
    expect(0, 1, "swiss-roll[:SD]");
    return GaussianMixture::swiss_roll(positive_or(1, 0.1));
  }
  if (kind == "checkerboard") {
    expect(0, 1, "checkerboard[:CELLS]");
    return Boxes::checkerboard(words.size() > 1 ? whole_number(words[1], "--data " + data, 1) : 4);
  }
  if (kind == "sphere") {
    expect(1, 2, "sphere:DIMENSION[:RADIUS]");
    return Sphere(whole_number(words[1], "--data " + data, 1), positive_or(2, 1));
  }
  return std::nullopt;
}

/// The parts of "product:A+B", each a form of --data of its own.
Product product_of(const std::string& parts) {
  std::vector<AnyData> factors;
  for (const std::string& part : split(parts, '+'))
    factors.push_back(read_data({.data = part, .drop_columns = {}, .scale = {}}));
  return Product(factors);
}

}  // namespace

const Catalogue<DataInfo>& list_data() {
  static const Catalogue<DataInfo> data(
      "data",
      {{"ring8", "GaussianMixture::ring", "ring8[:SD]",
        "eight Gaussian modes of sd 0.3 on a circle of radius 4 in the plane"},
       {"gaussian", "Gaussian", "gaussian", "N((1, -0.5), [[2, 0.9], [0.9, 0.8]]) in the plane"},
       {"two-moons", "GaussianMixture::two_moons", "two-moons[:SD]",
        "two interleaved half circles of radius 1, with noise of sd 0.1"},
       {"swiss-roll", "GaussianMixture::swiss_roll", "swiss-roll[:SD]",
        "a spiral in the plane from radius 1.2 to 3.5, with noise of sd 0.1"},
       {"checkerboard", "Boxes::checkerboard", "checkerboard[:CELLS]",
        "uniform on the dark squares of a 4 x 4 board over [-2, 2]^2"},
       {"sphere", "Sphere", "sphere:DIMENSION[:RADIUS]",
        "uniform on a sphere, of radius 1 about 0"},
       {"boxes", "Boxes", "boxes:FILE.json",
        "uniform on boxes: {\"boxes\": [{\"weight\", \"low\", \"high\"}, ...]}"},
       {"product", "Product", "product:DATA+DATA",
        "independent coordinates of two or more of these"},
       {"mixture", "GaussianMixture", "mixture:FILE.json",
        "a Gaussian mixture: {\"components\": [{\"weight\", \"mean\", \"covariance\"}, ...]}"},
       {"points", "FiniteSet", "points:FILE.csv",
        "the empirical distribution of the rows; see --drop-column and --scale of compare"},
       {"spectrum", "GaussianSpectrum", "spectrum:FILE.csv",
        "a centred Gaussian by the eigenvalues of its covariance, one per line"},
       {"low-rank", "GaussianLowRank", "low-rank:FILE.csv[:FLOOR]",
        "N(0, F F^T + FLOOR I): a row of F for each coordinate, a column for each factor"}});
  return data;
}

AnyData read_data(const DataOptions& options) {
  const auto colon = options.data.find(':');
  const std::string kind = options.data.substr(0, colon);
  const bool has_file = colon != std::string::npos && colon + 1 < options.data.size();
  const std::string file = has_file ? options.data.substr(colon + 1) : "";
  if (kind != "points" && (!options.drop_columns.empty() || !options.scale.empty()))
    throw std::invalid_argument(
        "--drop-column and --scale go with --data points:FILE.csv: got --data " + options.data);
  if (options.data == "gaussian") return correlated_gaussian();
  if (const auto data = data_of_numbers(options.data)) return *data;
  if (has_file && kind == "product") return product_of(file);
  if (has_file && kind == "boxes") return boxes_from_json(file);
  if (has_file && kind == "mixture") return mixture_from_json(file);
  if (has_file && kind == "points") return read_points(file, options);
  if (has_file && kind == "spectrum") return spectrum_from_csv(file);
  if (has_file && kind == "low-rank") return read_low_rank(file);

  if (options.data.ends_with(".csv"))
    throw std::invalid_argument("--data " + options.data +
                                " does not say what the file holds: did you mean points:" +
                                options.data + "? (or spectrum:, low-rank:)");
  if (options.data.ends_with(".json"))
    throw std::invalid_argument("--data " + options.data +
                                " does not say what the file holds: did you mean mixture:" +
                                options.data + "? (or boxes:)");
  const DataInfo& info = list_data().at(options.data);
  throw std::invalid_argument(
      "--data " + kind + (kind == "product" ? " needs parts: " : " needs a file: ") + info.form);
}

}  // namespace fokker::app
