/// @file  data_files.cpp
/// @brief Data distributions from CSV and JSON files.

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fokker/diffusion/boxes.hpp>
#include <fokker/diffusion/csv.hpp>
#include <fokker/diffusion/finite_set.hpp>
#include <fokker/diffusion/gaussian.hpp>
#include <fokker/diffusion/mixture.hpp>

namespace fokker {
namespace {

std::string contents(const FilePath& path) {
  std::string text;
  std::ifstream file;
  if (!std::filesystem::is_directory(path.string())) file.open(path.string(), std::ios::binary);
  if (file.is_open()) text.assign(std::istreambuf_iterator<char>(file), {});
  if (!file.is_open() || file.bad())
    throw std::runtime_error(fmt::format("cannot read {}", path.string()));
  return text;
}

/// A member of a component that must be there and of type T.
template <class T>
T member(const nlohmann::json& component, const char* key, const char* what) {
  try {
    return component.at(key).get<T>();
  } catch (const nlohmann::json::exception&) {
    throw std::invalid_argument(fmt::format("'{}' must be {}", key, what));
  }
}

MixtureComponent component_from(const nlohmann::json& json) {
  if (!json.is_object()) throw std::invalid_argument("it must be an object");
  for (const auto& [key, value] : json.items())
    if (key != "weight" && key != "mean" && key != "covariance" && key != "variance")
      throw std::invalid_argument(
          fmt::format("unknown key '{}': choose from weight, mean, covariance, variance", key));
  if (json.contains("covariance") == json.contains("variance"))
    throw std::invalid_argument("give either 'covariance' (rows of numbers) or 'variance'");
  MixtureComponent component{.weight = member<double>(json, "weight", "a number"),
                             .mean = member<std::vector<double>>(json, "mean", "a list of numbers"),
                             .covariance = {}};
  if (json.contains("variance")) {
    component.covariance = {member<double>(json, "variance", "a number")};
    return component;
  }
  const auto rows =
      member<std::vector<std::vector<double>>>(json, "covariance", "a list of rows of numbers");
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
  if (!json.is_object()) throw std::invalid_argument("it must be an object");
  for (const auto& [key, value] : json.items())
    if (key != "weight" && key != "low" && key != "high")
      throw std::invalid_argument(
          fmt::format("unknown key '{}': choose from weight, low, high", key));
  return {json.contains("weight") ? member<double>(json, "weight", "a number") : 1.0,
          member<std::vector<double>>(json, "low", "a list of numbers"),
          member<std::vector<double>>(json, "high", "a list of numbers")};
}

/// A Law made of the list that the file has under `key`, one part from each object in it.
/// @param part     what an object of the list is called
/// @param example  said where there is no such list
template <class Law, class Part>
Law law_from_json(const FilePath& path, const char* key, std::string_view part,
                  std::string_view example, Part (*part_from)(const nlohmann::json&)) {
  const std::string text = contents(path);
  nlohmann::json json;
  try {
    json = nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    throw std::invalid_argument(
        fmt::format("{} is not valid JSON: {}", path.string(), error.what()));
  }
  if (!json.is_object() || !json.contains(key) || !json[key].is_array())
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
