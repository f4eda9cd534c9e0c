#pragma once
/// @file  comparison_plan.hpp
/// @brief What a comparison is to run: a row for each sampler and budget.

#include <algorithm>
#include <chrono>
#include <iterator>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fokker/analysis/compare/comparison.hpp>
#include <fokker/diffusion/catalogue/registry.hpp>
#include <fokker/diffusion/schedule/time_grids.hpp>
#include <fokker/diffusion/score/exact_score.hpp>
#include <fokker/diffusion/score/score_error.hpp>

namespace fokker::detail {

using DiffusionProcess = AffineProcess<AnySchedule>;

/// Tolerances of the adaptive samplers of the flow (at 1e-1 a step spans too much for its estimate
/// to mean anything), and of the SDE, where a smaller one costs more.
inline constexpr double tolerances[] = {1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7};
inline constexpr double sde_tolerances[] = {1, 0.3, 0.1, 0.03, 0.01};

inline double eta_of(const ComparisonSettings& s, const SamplerInfo& info) {
  return s.eta.value_or(info.default_eta);
}

inline DiffusionProcess make_process(const ComparisonSettings& s) {
  return DiffusionProcess{make_schedule(s.process, s.parameters)};
}

inline Time start_time(const ComparisonSettings& s, const DiffusionProcess& process,
                       ModelEquation equation) {
  if (s.times) return s.times->front();
  return fokker::start_time(process.schedule, equation, *s.grid);
}

/// Whether the score of the settings is another than the exact one.
inline bool has_wrong_score(const ComparisonSettings& s) {
  return s.learned || !s.score_error.none();
}

/// The score of the settings: exact or learned, with its error if it has one.
template <class S>
AnyScore<S> make_score(const ComparisonSettings& s, const DiffusionProcess& process,
                       const AnyData& data) {
  const auto with_its_error = [&](const auto& score) {
    if (s.score_error.none()) return AnyScore<S>{score};
    return AnyScore<S>{with_error(process, score, s.score_error)};
  };
  return s.learned ? with_its_error(learned_score(process, *s.learned))
                   : with_its_error(exact_score(process, data));
}

inline AnyScore<double> exact_score_of(const DiffusionProcess& process, const AnyData& data) {
  return AnyScore<double>{exact_score(process, data)};
}

/// The times of a fixed-step sampler, down to t_min or, with FinalStep::zero, to 0.
inline TimeGrid time_grid(const ComparisonSettings& s, const DiffusionProcess& process,
                          ModelEquation equation, Index steps) {
  TimeGrid grid = s.times ? *s.times
                          : make_grid(*s.grid, process.schedule, start_time(s, process, equation),
                                      *s.t_min, steps);
  return with_last_step(std::move(grid), s.last);
}

/// A row before it is run: the sampler at one number of steps or one tolerance.
struct Task {
  std::string label;    // the sampler as it was asked for
  std::string sampler;  // with its parameters, for these steps
  const SamplerInfo* info;
  double eta;
  ModelEquation equation;
  Index steps;       // of a fixed-step sampler
  double tolerance;  // of an adaptive one
};

/// edm-churn's S_churn, which its paper divides by the steps, as the gamma of these steps; other
/// samplers as they are.
std::string for_steps(const std::string& sampler, Index steps);

/// Sentences on what the rows of this task do less than they ask for: churn that is cut.
std::vector<std::string> notes_on(const ComparisonSettings& s, const DiffusionProcess& process,
                                  const Task& task);

/// Evaluations that `last` adds to a run of this sampler with its steps.
Index last_cost(const ComparisonSettings& s, std::string_view sampler);

/// The rows that the settings ask for.
inline std::vector<Task> plan(const ComparisonSettings& s) {
  std::vector<Task> tasks;
  for (const auto& name : s.samplers) {
    const SamplerInfo& info = list_samplers().at(name);
    const double eta = eta_of(s, info);
    const ModelEquation equation = equation_of(info, eta);
    if (info.adaptive) {
      const auto ladder = equation == ModelEquation::sde ? std::span<const double>(sde_tolerances)
                                                         : std::span<const double>(tolerances);
      for (const double tolerance : ladder)
        tasks.push_back({name, name, &info, eta, equation, 0, tolerance});
    } else {
      const auto add = [&](Index steps) {
        tasks.push_back({name, for_steps(name, steps), &info, eta, equation, steps, 0});
      };
      if (s.times) {
        add(std::ssize(*s.times) - 1);
      } else if (!s.steps.empty()) {
        for (const Index steps : s.steps) add(steps);
      } else {
        const SamplerCost cost = cost_of(for_steps(name, 1));
        const Index last = last_cost(s, name);
        for (const Index nfe : s.nfe) add(cost.steps(nfe - last));
      }
    }
  }
  return tasks;
}

/// Its row, with nothing measured.
inline ComparisonRow row_of(const Task& task) {
  ComparisonRow row;
  row.sampler = task.label;
  row.equation = to_string(task.equation);
  row.eta = task.eta;
  row.steps = task.steps;
  if (task.info->adaptive) row.tolerance = task.tolerance;
  return row;
}

/// Work of a task in score evaluations per path; of an adaptive one a guess.
inline double work_of(const Task& task) {
  return task.info->adaptive ? 100.0 : static_cast<double>(task.steps * task.info->evaluations);
}

/// Seconds since then.
inline double elapsed(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
}

/// What is done, of what there is to do; both in units of score evaluations per path.
class Progress {
 public:
  Progress(const ComparisonSettings& s, double total) : settings_(s), total_(total) {}
  void add(double work, std::string_view what) {
    done_ += work;
    if (settings_.progress) settings_.progress(std::min(1.0, done_ / total_), what);
  }
  bool cancelled() const { return settings_.cancel && settings_.cancel->load(); }

 private:
  const ComparisonSettings& settings_;
  double total_, done_ = 0;
};

}  // namespace fokker::detail
