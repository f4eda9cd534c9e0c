#pragma once
/// @file  fokker/analysis/comparison.hpp
/// @brief The main job: samplers of the reverse SDE and of the probability flow, compared.

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <fokker/analysis/regression.hpp>
#include <fokker/diffusion/any_data.hpp>
#include <fokker/diffusion/any_schedule.hpp>
#include <fokker/solvers/solution.hpp>
#include <fokker/solvers/state.hpp>

namespace fokker {

/// Where the samplers start: at the process's Gaussian prior or at the exact marginal.
enum class Init { prior, exact };
/// What happens to the final x: nothing, or the denoiser E[x_0 | x] is applied (one evaluation
/// more).
enum class Last { none, denoise };
enum class Precision { single, double_ };

/// What to compare. Names are those of list_schedules(), list_samplers(), grid_names() and
/// metric_names().
struct ComparisonSettings {
  std::string process = "vp";
  Parameters parameters = {};  ///< of the process, as in --set
  std::optional<AnyData> data = {};
  std::string data_name = "ring8";
  std::vector<std::string> samplers = {};  ///< empty: the default set
  std::vector<Index> nfe = {};             ///< budgets of score evaluations; empty: 8, 16, ... 256
  std::vector<Index> steps = {};           ///< steps instead of budgets
  std::optional<std::string> grid = {};    ///< empty: the process's default
  std::optional<double> t_min = {};        ///< empty: the process's default
  std::optional<double> eta = {};          ///< empty: 1 for SDE samplers, 0 for ODE samplers
  Init init = Init::prior;
  Last last = Last::none;
  Index paths = 0;  ///< 0: 20000, or 400 for a finite data set
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: all cores; never changes a result
  Precision precision = Precision::double_;
  std::string metric = "sliced-w2";
  bool exact = false;  ///< Gaussian data: laws pushed through the schemes, no Monte Carlo
  const std::atomic<bool>* cancel = nullptr;
  std::function<void(double fraction, std::string_view what)> progress = {};
};

/// One sampler at one budget. A figure that does not apply is empty.
struct ComparisonRow {
  std::string sampler;
  std::string equation;  ///< "sde" or "ode"
  double eta = 0;
  Index steps = 0;                  ///< adaptive: mean accepted steps per path, rounded
  double nfe = 0;                   ///< score evaluations per path, counted
  std::optional<double> tolerance;  ///< of an adaptive sampler, rtol = atol
  double error = 0;                 ///< distance to the data distribution in settings.metric
  double error_stderr = 0;          ///< its Monte Carlo standard error (0 if exact)
  double floor = 0;  ///< mean distance of two exact samples of that size (0 if exact)
  std::optional<double> error_pathwise;         ///< RMS distance to the exact solution of the same
  std::optional<double> error_pathwise_stderr;  ///< equation from the same start and noise
  std::optional<double> error_init, error_truncation, error_discretisation;  ///< exact only
  double seconds = 0;
  Status status = Status::success;
  Index failed = 0;  ///< paths that ended non-finite
  /// Final states kept for a picture, d x n: the first paths of the run (empty if exact).
  Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> samples;
};

/// The measured order of one sampler: pathwise error (exact: discretisation error) against 1/steps
/// (adaptive: against the tolerance).
struct ComparisonOrder {
  std::string sampler;
  std::string kind;  ///< "strong", "deterministic", "weak" or "tolerance"
  std::optional<double> claimed;
  OrderFit fit;
  std::string verdict;
};

struct Comparison {
  ComparisonSettings settings;          ///< with every default filled in
  double start_time = 0, end_time = 0;  ///< first and last time of the SDE grids
  double floor = 0, floor_sd = 0;       ///< of the metric, over repeated pairs of exact samples
  Index pathwise_paths = 0;             ///< paths behind error_pathwise
  std::vector<ComparisonRow> rows;
  std::vector<ComparisonOrder> orders;
  Status status = Status::success;  ///< cancelled: rows hold what was finished
  double seconds = 0;
};

/// Fills in and checks all settings without computing anything.
/// @throws std::invalid_argument  for unknown names, a sampler that refuses eta or t_min, w1 or a
///         sampled w2 in more than one dimension, exact with data that are not Gaussian, ...
ComparisonSettings check_settings(ComparisonSettings settings);

/// Runs the comparison. @throws std::invalid_argument as check_settings.
Comparison compare(const ComparisonSettings& settings);

/// The JSON document {"settings": ..., "rows": [...], "orders": [...]}; nan becomes null.
std::string to_json(const Comparison& comparison);

}  // namespace fokker
