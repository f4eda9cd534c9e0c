#include <fokker/diffusion/score/learned_score.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fokker/diffusion/files/input_file.hpp>

#include "files/json_input.hpp"

namespace fokker {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* format_name = "fokker-denoiser";
constexpr int format_version = 1;

void require(bool holds, const std::string& otherwise) {
  if (!holds) throw std::invalid_argument(otherwise);
}

void check(const LearnedParts& parts) {
  parts.shape.validate();
  const Index d = parts.shape.dimension;
  require(parts.weights.size() == parts.shape.parameters(),
          fmt::format("a network of dimension {}, width {}, {} layers and {} frequencies has {} "
                      "weights: got {}",
                      d, parts.shape.width, parts.shape.layers, parts.shape.frequencies,
                      parts.shape.parameters(), parts.weights.size()));
  require(parts.weights.array().isFinite().all(), "the weights of a network must be finite");
  require(static_cast<Index>(parts.mean.size()) == d,
          fmt::format("the mean must have {} numbers: got {}", d, parts.mean.size()));
  require(
      std::all_of(parts.mean.begin(), parts.mean.end(), [](double m) { return std::isfinite(m); }),
      "the mean must be finite");
  require(
      parts.data_std > 0 && std::isfinite(parts.data_std),
      fmt::format("the standard deviation of the data must be positive: got {}", parts.data_std));
  require(
      parts.sigma_min > 0 && parts.sigma_max > parts.sigma_min && std::isfinite(parts.sigma_max),
      fmt::format("noise levels need 0 < sigma_min < sigma_max: got {} and {}", parts.sigma_min,
                  parts.sigma_max));
  require(parts.reach > 0, fmt::format("the reach must be positive: got {}", parts.reach));
}

/// skip (x - s m) + gain F((x - s m) / v, ln sigma): the score, or D - m.
struct Preconditioning {
  Preconditioning(const LearnedParts& parts, double s, double std, bool score) {
    require(!(s < 0 || std < 0),
            fmt::format("scale and noise must not be negative: got s={}, std={}", s, std));
    require(!score || std > 0, "a learned score has no value without noise, at std = 0");
    const double spread = s * parts.data_std;
    const double variance = std * std + spread * spread;
    v = std::sqrt(variance);
    skip = score ? -1 / variance : spread * parts.data_std / variance;
    gain = score ? spread / (v * std) : std * parts.data_std / v;
  }
  double v = 0, skip = 0, gain = 0;
};

/// The factor of F where the root mean square of an input is q, and its derivative.
struct Damping {
  Damping(double q, double reach) {
    const double u = std::clamp(q / reach - 1, 0.0, 1.0);
    factor = 1 - u * u * (3 - 2 * u);
    slope = -6 * u * (1 - u) / reach;
  }
  double factor, slope;
};

double root_mean_square(const auto& column) {
  return std::sqrt(column.template cast<double>().square().mean());
}

/// Multiplies F by its damping, path by path. An input that is not finite stays as it is.
void damp(const LearnedParts& parts, Network<float>::Workspace& w) {
  if (!std::isfinite(parts.reach)) return;
  const auto& input = w.activation[0];
  for (Index j = 0; j < input.cols(); ++j) {
    const double q = root_mean_square(input.col(j).array());
    if (q > parts.reach) w.output.col(j) *= static_cast<float>(Damping(q, parts.reach).factor);
  }
}

/// result = x - s m and w.output = F((x - s m) / v, ln sigma), on a block of either scalar.
template <class S>
void pass(const LearnedParts& parts, const Network<float>& network, detail::BlockView<const S> x,
          double s, double std, double v, bool keep_slopes, detail::BlockView<S> out,
          Network<float>::Workspace& w) {
  require(x.rows == parts.shape.dimension,
          fmt::format("the score was learned in dimension {}, the state has {} rows",
                      parts.shape.dimension, x.rows));
  const auto in = detail::as_array(x);
  auto result = detail::as_array(out);
  for (Index r = 0; r < x.rows; ++r)
    result.row(r) = in.row(r) - static_cast<S>(s * parts.mean[static_cast<std::size_t>(r)]);
  network.input(x.columns, w) = (result * static_cast<S>(1 / v)).template cast<float>().matrix();
  const double sigma = std::clamp(std / s, parts.sigma_min, parts.sigma_max);  // s = 0: the largest
  Eigen::VectorXf log_sigma(1);
  log_sigma(0) = static_cast<float>(std::log(sigma));
  network.set_features(log_sigma, w);
  network.forward(w, keep_slopes);
}

template <class S>
void evaluate_network(const LearnedParts& parts, const Network<float>& network,
                      detail::BlockView<const S> x, double s, double std, detail::BlockView<S> out,
                      bool score) {
  const Preconditioning c(parts, s, std, score);
  thread_local Network<float>::Workspace w;
  pass(parts, network, x, s, std, c.v, false, out, w);
  damp(parts, w);
  auto result = detail::as_array(out);
  result = static_cast<S>(c.skip) * result +
           static_cast<S>(c.gain) * w.output.array().template cast<S>();
  if (!score)
    for (Index r = 0; r < x.rows; ++r)
      result.row(r) += static_cast<S>(parts.mean[static_cast<std::size_t>(r)]);
}

/// `product` = F' v or F'^T v of the network becomes that of the damped one: with the factor f of
/// the input y, q its root mean square, f F' + F (f' y / (d q))^T.
void damp_product(const LearnedParts& parts, const Network<float>::Matrix& vector, bool transposed,
                  const Network<float>::Workspace& w, Network<float>::Matrix& product) {
  if (!std::isfinite(parts.reach)) return;
  const auto& input = w.activation[0];
  const auto& output = w.output;
  const auto d = static_cast<double>(input.rows());
  for (Index j = 0; j < input.cols(); ++j) {
    const double q = root_mean_square(input.col(j).array());
    if (!(q > parts.reach)) continue;
    const Damping damping(q, parts.reach);
    const float slope = static_cast<float>(damping.slope / (d * q));
    product.col(j) *= static_cast<float>(damping.factor);
    if (transposed)
      product.col(j) += slope * output.col(j).dot(vector.col(j)) * input.col(j);
    else
      product.col(j) += slope * input.col(j).dot(vector.col(j)) * output.col(j);
  }
}

template <class S>
void differentiate_network(const LearnedParts& parts, const Network<float>& network,
                           detail::BlockView<const S> x, double s, double std,
                           detail::BlockView<const S> v, detail::BlockView<S> out,
                           bool transposed) {
  require(v.rows == x.rows && v.columns == x.columns,
          fmt::format("each path needs a direction: got {} x {} paths and {} x {} directions",
                      x.rows, x.columns, v.rows, v.columns));
  const Preconditioning c(parts, s, std, true);
  thread_local Network<float>::Workspace w;
  thread_local Network<float>::Matrix vector, product;
  pass(parts, network, x, s, std, c.v, true, out, w);
  vector = detail::as_array(v).template cast<float>().matrix();
  if (transposed)
    network.cotangent(vector, w, product);
  else
    network.tangent(vector, w, product);
  damp_product(parts, vector, transposed, w, product);
  detail::as_array(out) = static_cast<S>(c.skip) * detail::as_array(v) +
                          static_cast<S>(c.gain / c.v) * product.array().template cast<S>();
}

LearnedParts parts_from(const Json& json) {
  require(json.is_object() && json.value("format", Json()) == format_name,
          fmt::format(R"(not a learned score, which has "format": "{}")", format_name));
  const int version = detail::json_member<int>(json, "version", "a whole number");
  require(version == format_version,
          fmt::format("version {} of the format: this program reads version {}", version,
                      format_version));
  detail::require_keys(json, {"format", "version", "process", "parameters", "loss", "network",
                              "data_std", "sigma_min", "sigma_max", "reach", "mean", "weights"});
  const Json network = detail::json_member<Json>(json, "network", "an object");
  detail::require_keys(network, {"dimension", "width", "layers", "frequencies"});
  const auto size = [&](const char* key) {
    return detail::json_member<Index>(network, key, "a whole number");
  };
  LearnedParts parts;
  parts.shape = {.dimension = size("dimension"),
                 .width = size("width"),
                 .layers = size("layers"),
                 .frequencies = size("frequencies")};
  const auto weights =
      detail::json_member<std::vector<double>>(json, "weights", "a list of numbers");
  parts.weights =
      Eigen::Map<const Eigen::VectorXd>(weights.data(), static_cast<Index>(weights.size()))
          .cast<float>();
  parts.mean = detail::json_member<std::vector<double>>(json, "mean", "a list of numbers");
  parts.data_std = detail::json_member<double>(json, "data_std", "a number");
  parts.sigma_min = detail::json_member<double>(json, "sigma_min", "a number");
  parts.sigma_max = detail::json_member<double>(json, "sigma_max", "a number");
  if (json.contains("reach")) parts.reach = detail::json_member<double>(json, "reach", "a number");
  parts.process = detail::json_member<std::string>(json, "process", "a name");
  parts.parameters = detail::json_member<Parameters>(json, "parameters", "an object of strings");
  parts.loss = detail::json_member<std::string>(json, "loss", "a name");
  return parts;
}

}  // namespace

LearnedDenoiser::LearnedDenoiser(LearnedParts parts) {
  check(parts);
  Network<float> network(parts.shape);
  network.parameters() = parts.weights;
  self_ = std::make_shared<const Self>(Self{std::move(parts), std::move(network)});
}

void LearnedDenoiser::evaluate(detail::BlockView<const float> x, double s, double std,
                               detail::BlockView<float> out, bool score) const {
  evaluate_network(self_->parts, self_->network, x, s, std, out, score);
}

void LearnedDenoiser::evaluate(detail::BlockView<const double> x, double s, double std,
                               detail::BlockView<double> out, bool score) const {
  evaluate_network(self_->parts, self_->network, x, s, std, out, score);
}

void LearnedDenoiser::differentiate(detail::BlockView<const float> x, double s, double std,
                                    detail::BlockView<const float> v, detail::BlockView<float> out,
                                    Side side) const {
  differentiate_network(self_->parts, self_->network, x, s, std, v, out, side == Side::left);
}

void LearnedDenoiser::differentiate(detail::BlockView<const double> x, double s, double std,
                                    detail::BlockView<const double> v,
                                    detail::BlockView<double> out, Side side) const {
  differentiate_network(self_->parts, self_->network, x, s, std, v, out, side == Side::left);
}

std::string to_json(const LearnedDenoiser& denoiser) {
  const LearnedParts& parts = denoiser.parts();
  Json json = {{"format", format_name},
               {"version", format_version},
               {"process", parts.process},
               {"parameters", parts.parameters},
               {"loss", parts.loss},
               {"network",
                {{"dimension", parts.shape.dimension},
                 {"width", parts.shape.width},
                 {"layers", parts.shape.layers},
                 {"frequencies", parts.shape.frequencies}}},
               {"data_std", parts.data_std},
               {"sigma_min", parts.sigma_min},
               {"sigma_max", parts.sigma_max},
               {"mean", parts.mean},
               {"weights", std::vector<double>(parts.weights.begin(), parts.weights.end())}};
  if (std::isfinite(parts.reach)) json["reach"] = parts.reach;
  return json.dump() + '\n';
}

LearnedDenoiser denoiser_from_json(const std::string& text, const std::string& name) {
  const Json json = detail::parse_json<Json>(text, name);
  try {
    return LearnedDenoiser(parts_from(json));
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(fmt::format("{}: {}", name, error.what()));
  }
}

LearnedDenoiser read_denoiser(const FilePath& path) {
  return denoiser_from_json(read_input(path), path.string());
}

}  // namespace fokker
