/// @file  data_files.cpp
/// @brief Data distributions from CSV and JSON files.

#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fokker/diffusion/data/boxes.hpp>
#include <fokker/diffusion/data/finite_set.hpp>
#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/files/csv.hpp>
#include <fokker/diffusion/files/input_file.hpp>

#include "files/json_input.hpp"

namespace fokker {
namespace {

MixtureComponent component_from(const nlohmann::json& json) {
  detail::require_keys(json, {"weight", "mean", "covariance", "variance"});
  if (json.contains("covariance") == json.contains("variance"))
    throw std::invalid_argument("give either 'covariance' (rows of numbers) or 'variance'");
  MixtureComponent component{
      .weight = detail::json_member<double>(json, "weight", "a number"),
      .mean = detail::json_member<std::vector<double>>(json, "mean", "a list of numbers"),
      .covariance = {}};
  if (json.contains("variance")) {
    component.covariance = {detail::json_member<double>(json, "variance", "a number")};
    return component;
  }
  const auto rows = detail::json_member<std::vector<std::vector<double>>>(
      json, "covariance", "a list of rows of numbers");
  const std::size_t d = component.mean.size();
  for (const std::vector<double>& row : rows) {
    if (rows.size() != d || row.size() != d)
      throw std::invalid_argument(fmt::format(
          "the covariance must be {} x {} like the mean: got {} rows, one of {} numbers", d, d,
          rows.size(), row.size()));
    component.covariance.insert(component.covariance.end(), row.begin(), row.end());
  }
  return component;
}

Box box_from(const nlohmann::json& json) {
  detail::require_keys(json, {"weight", "low", "high"});
  return {json.contains("weight") ? detail::json_member<double>(json, "weight", "a number") : 1.0,
          detail::json_member<std::vector<double>>(json, "low", "a list of numbers"),
          detail::json_member<std::vector<double>>(json, "high", "a list of numbers")};
}

/// A Law made of the list that the file has under `key`, one part from each object in it.
/// @param part     what an object of the list is called
/// @param example  said where there is no such list
template <class Law, class Part>
Law law_from_json(const FilePath& path, const char* key, std::string_view part,
                  std::string_view example, Part (*part_from)(const nlohmann::json&)) {
  const auto json = detail::parse_json<nlohmann::json>(read_input(path), path.string());
  if (!json.is_object() || !json.contains(key) || !json[key].is_array() || json.size() != 1)
    throw std::invalid_argument(fmt::format("{}: {}", path.string(), example));
  std::vector<Part> parts;
  const nlohmann::json& list = json[key];
  for (std::size_t k = 0; k < list.size(); ++k) try {
      parts.push_back(part_from(list[k]));
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument(fmt::format("{}: {} {} of {}: {}", path.string(), part, k + 1,
                                              list.size(), error.what()));
    }
  try {
    return Law(std::move(parts));
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(fmt::format("{}: {}", path.string(), error.what()));
  }
}

}  // namespace

GaussianSpectrum spectrum_from_csv(const FilePath& path) {
  const Table table = read_csv(path);
  if (table.columns != 1)
    throw std::invalid_argument(
        fmt::format("{}: a spectrum has one eigenvalue per line: got {} columns", path.string(),
                    table.columns));
  for (std::size_t i = 0; i < table.rows; ++i)
    if (table.values[i] < 0)
      throw std::invalid_argument(fmt::format("{}: eigenvalue {} must not be negative: got {}",
                                              path.string(), i + 1, table.values[i]));
  return {std::vector<double>(table.rows, 0.0), table.values};
}

GaussianLowRank low_rank_from_csv(const FilePath& path, double floor) {
  const Table table = read_csv(path);
  const auto rows = static_cast<Index>(table.rows), columns = static_cast<Index>(table.columns);
  const Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>
      factor(table.values.data(), rows, columns);
  return {Eigen::VectorXd::Zero(rows), Eigen::MatrixXd(factor), floor};
}

FiniteSet points_from_csv(const FilePath& path, const PointsFormat& format) {
  const Table table = read_csv(path);
  const auto drop = static_cast<std::size_t>(format.label_column);
  if (format.label_column < 0 || drop > table.columns || (drop > 0 && table.columns == 1))
    throw std::invalid_argument(fmt::format("{}: it has {} columns, so column {} cannot be dropped",
                                            path.string(), table.columns, format.label_column));
  double low = -1, high = 1;
  if (format.range) std::tie(low, high) = *format.range;
  if (!(low < high) || !std::isfinite(high - low))
    throw std::invalid_argument(fmt::format("a range needs low < high: got {}:{}", low, high));
  std::vector<double> points, labels;
  for (std::size_t i = 0; i < table.values.size(); ++i)
    if (drop > 0 && i % table.columns == drop - 1)
      labels.push_back(table.values[i]);
    else
      points.push_back(format.range ? 2 * (table.values[i] - low) / (high - low) - 1
                                    : table.values[i]);
  return {points, static_cast<Index>(points.size() / table.rows), labels};
}

GaussianMixture mixture_from_json(const FilePath& path) {
  return law_from_json<GaussianMixture>(
      path, "components", "component",
      R"(a mixture is {"components": [{"weight": 1, "mean": [0, 0], "variance": 1}, ...]})",
      component_from);
}

Boxes boxes_from_json(const FilePath& path) {
  return law_from_json<Boxes>(
      path, "boxes", "box",
      R"(a union of boxes is {"boxes": [{"weight": 1, "low": [0, 0], "high": [1, 2]}, ...]})",
      box_from);
}

}  // namespace fokker
