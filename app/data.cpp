#include "data.hpp"

#include <optional>
#include <stdexcept>

#include <fokker/analysis/csv.hpp>
#include <fokker/diffusion/finite_set.hpp>
#include <fokker/diffusion/gaussian.hpp>
#include <fokker/diffusion/mixture.hpp>
#include <fokker/solvers/names.hpp>

#include "options.hpp"

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

}  // namespace

const std::vector<DataForm>& data_forms() {
  static const std::vector<DataForm> forms = {
      {"ring8", "eight Gaussian modes of sd 0.3 on a circle of radius 4 in the plane"},
      {"gaussian", "N((1, -0.5), [[2, 0.9], [0.9, 0.8]]) in the plane"},
      {"mixture:FILE.json",
       "a Gaussian mixture: {\"components\": [{\"weight\", \"mean\", \"covariance\"}, ...]}"},
      {"points:FILE.csv",
       "the empirical distribution of the rows; see --drop-column and --scale of compare"},
      {"spectrum:FILE.csv",
       "a centred Gaussian by the eigenvalues of its covariance, one per line"}};
  return forms;
}

AnyData read_data(const DataOptions& options) {
  const auto colon = options.data.find(':');
  const std::string kind = options.data.substr(0, colon);
  const bool has_file = colon != std::string::npos && colon + 1 < options.data.size();
  const std::string file = has_file ? options.data.substr(colon + 1) : "";
  if (kind != "points" && (!options.drop_columns.empty() || !options.scale.empty()))
    throw std::invalid_argument(
        "--drop-column and --scale go with --data points:FILE.csv: got --data " + options.data);
  if (options.data == "ring8") return GaussianMixture::ring(8, 4.0, 0.3);
  if (options.data == "gaussian") return correlated_gaussian();
  if (has_file && kind == "mixture") return mixture_from_json(file);
  if (has_file && kind == "points") return read_points(file, options);
  if (has_file && kind == "spectrum") return spectrum_from_csv(file);

  std::vector<std::string_view> names;
  for (const DataForm& form : data_forms()) {
    if (form.form.starts_with(kind + ":"))
      throw std::invalid_argument("--data " + kind + " needs a file: " + form.form);
    names.push_back(std::string_view(form.form).substr(0, form.form.find(':')));
  }
  throw std::invalid_argument(unknown_name_message("data", options.data, names));
}

}  // namespace fokker::app
