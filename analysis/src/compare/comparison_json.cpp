#include <fokker/analysis/compare/comparison.hpp>

#include <cmath>

#include <nlohmann/json.hpp>

namespace fokker {

namespace {

using nlohmann::json;

template <class T>
json maybe(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

json settings_json(const Comparison& c) {
  const ComparisonSettings& s = c.settings;
  json j = {{"process", s.process},
            {"parameters", s.parameters},
            {"data", s.data_name},
            {"score", s.score_name},
            {"dimension", s.data->dimension()},
            {"samplers", s.samplers},
            {"grid", maybe(s.grid)},
            {"t_start", c.start_time},
            {"t_min", maybe(s.t_min)},
            {"eta", maybe(s.eta)},
            {"init", s.init == Init::prior ? "prior" : "exact"},
            {"last", to_string(s.last)},
            {"metric", s.metric},
            {"exact", s.exact},
            {"spread", c.spread}};
  if (!s.score_error.none())
    j["score_error"] = {
        {"scale", s.score_error.scale},
        {"bias", s.score_error.bias},
        {"from", s.score_error.from},
        {"to", std::isfinite(s.score_error.to) ? json(s.score_error.to) : json(nullptr)}};
  if (s.times)
    j["times"] = *s.times;
  else
    j[s.steps.empty() ? "nfe" : "steps"] = s.steps.empty() ? s.nfe : s.steps;
  if (!s.exact) {
    j["paths"] = s.paths;
    j["pathwise_paths"] = c.pathwise_paths;
    j["metric_paths"] = c.metric_paths;
    j["seed"] = s.seed.number;
    j["rng"] = s.seed.generator == Generator::philox ? "philox" : "pcg32";
    j["precision"] = s.precision == Precision::single ? "float" : "double";
    j["floor_sd"] = c.floor_sd;
  }
  return j;
}

json row_json(const ComparisonRow& row, bool exact) {
  json j = {{"sampler", row.sampler},
            {"equation", row.equation},
            {"eta", row.eta},
            {"steps", row.steps},
            {"nfe", row.nfe},
            {"error", row.error},
            {"error_stderr", row.error_stderr},
            {"floor", row.floor},
            {"seconds", row.seconds}};
  if (!row.problem.empty()) j["problem"] = row.problem;
  if (exact) {
    j["error_init"] = maybe(row.error_init);
    j["error_truncation"] = maybe(row.error_truncation);
    j["error_discretisation"] = maybe(row.error_discretisation);
  } else {
    j["error_pathwise"] = maybe(row.error_pathwise);
    j["error_pathwise_stderr"] = maybe(row.error_pathwise_stderr);
    j["status"] = row.problem.empty() ? to_string(row.status) : "refused";
    j["failed"] = row.failed;
    j["outliers"] = row.outliers;
  }
  if (row.error_score) {
    j["error_score"] = *row.error_score;
    j["error_score_kind"] = exact ? "w2" : "pathwise";
  }
  if (!row.trace.empty()) {
    j["trace"] = json::array();
    for (const TracePoint& point : row.trace)
      j["trace"].push_back(
          {{"t", point.t}, {"nfe", point.nfe}, {"w2", point.w2}, {"kl", point.kl}});
  }
  if (row.tolerance) j["tolerance"] = *row.tolerance;
  return j;
}

json order_json(const ComparisonOrder& order) {
  const bool measured = order.fit.status == OrderStatus::measured;
  return {{"sampler", order.sampler},
          {"kind", order.kind},
          {"claimed", maybe(order.claimed)},
          {"order", measured ? json(order.fit.slope) : json(nullptr)},
          {"low", measured ? json(order.fit.low) : json(nullptr)},
          {"high", measured ? json(order.fit.high) : json(nullptr)},
          {"points", order.fit.points},
          {"verdict", order.verdict}};
}

}  // namespace

std::string to_json(const Comparison& comparison) {
  json rows = json::array(), orders = json::array();
  for (const auto& row : comparison.rows) rows.push_back(row_json(row, comparison.settings.exact));
  for (const auto& order : comparison.orders) orders.push_back(order_json(order));
  const json document = {{"settings", settings_json(comparison)},
                         {"status", to_string(comparison.status)},
                         {"seconds", comparison.seconds},
                         {"rows", rows},
                         {"orders", orders},
                         {"notes", comparison.notes}};
  return document.dump(2) + "\n";
}

}  // namespace fokker
