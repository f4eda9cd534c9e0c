#include "compare/comparison_plan.hpp"

#include <charconv>
#include <cmath>
#include <numbers>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include <fokker/analysis/law/linear_law.hpp>
#include <fokker/diffusion/catalogue/final_step.hpp>
#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/diffusion/score/any_score.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker::detail {

namespace {

constexpr std::string_view churned = "edm-churn", churn = ":churn=";

std::optional<double> number_at(std::string_view word) {
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc()) return {};
  return value;
}

/// A parameter of a sampler: behind its name, or its default.
double parameter(const Task& task, const std::string& name) {
  const std::string key = ":" + name + "=";
  if (const auto at = task.sampler.find(key); at != std::string::npos)
    return number_at(std::string_view(task.sampler).substr(at + key.size())).value_or(NAN);
  for (const Parameter& p : task.info->parameters)
    if (p.name == name) return number_at(p.default_value).value_or(NAN);
  return NAN;
}

/// Evaluations of the sampler in the last of three steps, which goes from t_min to 0.
template <class Model, class M>
Index calls_of_last(const Model& model, const M& method, Time start, Time t_min) {
  const TimeReversed<Model> down{model};
  StepProbe<TimeReversed<Model>, M> probe(down, method, 1, 1);
  for (auto* part : probe.carried()) part->setZero();
  const Time middle = 0.5 * (start + t_min);
  probe.step(-start, -middle);
  probe.step(-middle, -t_min);
  const auto before = model.score.calls();
  probe.step(-t_min, 0);
  return static_cast<Index>(model.score.calls() - before);
}

}  // namespace

std::string for_steps(const std::string& sampler, Index steps) {
  const auto at = sampler.find(churn);
  if (list_samplers().at(sampler).name != churned || at == std::string::npos) return sampler;
  const std::string_view value = std::string_view(sampler).substr(at + churn.size());
  const auto total = number_at(value);
  if (!total) return sampler;
  const double gamma =
      std::min(*total / static_cast<double>(std::max<Index>(steps, 1)), std::numbers::sqrt2 - 1);
  const auto rest = value.find(':');
  return sampler.substr(0, at) + ":gamma=" + text(gamma) +
         (rest == std::string_view::npos ? "" : std::string(value.substr(rest)));
}

std::vector<std::string> notes_on(const ComparisonSettings& s, const DiffusionProcess& process,
                                  const Task& task) {
  if (task.info->name != churned) return {};
  const double gamma = std::min(parameter(task, "gamma"), std::numbers::sqrt2 - 1);
  const double low = parameter(task, "s_min"), high = parameter(task, "s_max");
  const double top = process.sigma(process.end_time());
  const TimeGrid grid = time_grid(s, process, task.equation, task.steps);
  Index churns = 0, cut = 0;
  for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
    const double sigma = process.sigma(grid[k]);
    if (!(gamma > 0) || !(sigma >= low) || !(sigma <= high)) continue;
    ++churns;
    if ((1 + gamma) * sigma > top) ++cut;
  }
  if (gamma > 0 && churns == 0)
    return {
        fmt::format("{} with {} steps: no step has sigma in [s_min, s_max] = [{}, {}], so no "
                    "noise is put in.",
                    task.label, task.steps, text(low), text(high))};
  if (cut > 0)
    return {
        fmt::format("{} with {} steps: in {} of its {} churns the raised noise exceeds that of "
                    "the process's end, sigma = {:.4g}, and is cut to it.",
                    task.label, task.steps, cut, churns, top)};
  return {};
}

Index last_cost(const ComparisonSettings& s, std::string_view sampler) {
  if (s.last == FinalStep::none) return 0;
  if (s.last == FinalStep::denoise) return 1;
  const DiffusionProcess process = make_process(s);
  const SamplerInfo& info = list_samplers().at(sampler);
  const double eta = eta_of(s, info);
  const std::string name = for_steps(std::string(sampler), 1);
  const GaussianSpectrum data(Eigen::VectorXd::Zero(1), Eigen::VectorXd::Ones(1));
  const AnyScore<double> score = exact_score_of(process, data).counted();
  const Time start = process.sde_start(), t_min = s.t_min.value_or(process.t_min());
  if (equation_of(info, eta) == ModelEquation::sde)
    return calls_of_last(ReverseModel<double>{process, score, eta},
                         make_reverse_sampler<double>(name), start, t_min);
  return calls_of_last(FlowModel<double>{process, score}, make_flow_sampler<double>(name), start,
                       t_min);
}

}  // namespace fokker::detail
