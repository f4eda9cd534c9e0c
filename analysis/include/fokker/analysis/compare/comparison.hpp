#pragma once
/// @file  fokker/analysis/compare/comparison.hpp
/// @brief The main job: samplers of the reverse SDE and of the probability flow, compared.

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <fokker/analysis/convergence/regression.hpp>
#include <fokker/diffusion/catalogue/final_step.hpp>
#include <fokker/diffusion/data/any_data.hpp>
#include <fokker/diffusion/schedule/any_schedule.hpp>
#include <fokker/diffusion/score/learned_score.hpp>
#include <fokker/solvers/core/grid.hpp>
#include <fokker/solvers/core/solution.hpp>
#include <fokker/solvers/core/state.hpp>
#include <fokker/solvers/ensemble/shared_work.hpp>

namespace fokker {

/// Where the samplers start: at the process's Gaussian prior or at the exact marginal.
enum class Init { prior, exact };
/// Number type of the states.
enum class Precision { single, double_ };

/// An error put into the score on purpose, for from <= t < to: (1 + scale) score + bias in every
/// component. See fokker/diffusion/score/score_error.hpp.
struct LinearScoreError {
  double scale = 0;
  double bias = 0;
  Time from = 0;
  Time to = std::numeric_limits<double>::infinity();

  /// Whether the score is exact.
  bool none() const { return scale == 0 && bias == 0; }

  template <State X>
  void apply(const X&, Time t, X& score) const {
    using S = typename X::Scalar;
    if (from <= t && t < to) score = static_cast<S>(1 + scale) * score + static_cast<S>(bias);
  }
};

/// What to compare. Names are those of list_schedules(), list_samplers(), grid_names() and
/// metric_names().
struct ComparisonSettings {
  std::string process = "vp";
  Parameters parameters = {};  ///< of the process, as in --set
  std::optional<AnyData> data = {};
  std::string data_name = "ring8";
  std::vector<std::string> samplers = {};  ///< empty: the default set
  /// Budgets of score evaluations, those of `last` included; empty: 8, 16, ... 256.
  std::vector<Index> nfe = {};
  std::vector<Index> steps = {};         ///< steps instead of budgets
  std::optional<std::string> grid = {};  ///< empty: the process's default
  /// A grid of one's own, with `grid` its name; it fixes the steps, the start and t_min.
  std::optional<TimeGrid> times = {};
  std::optional<double> t_min = {};  ///< empty: the process's default
  std::optional<double> eta = {};    ///< empty: 1 for SDE samplers, 0 for ODE samplers
  Init init = Init::prior;
  FinalStep last = FinalStep::none;             ///< zero adds a step to the numbers of steps above
  std::optional<LearnedDenoiser> learned = {};  ///< its score instead of the exact one
  std::string score_name = "exact";
  LinearScoreError score_error = {};
  Index paths = 0;  ///< 0: 20000, or 400 for a finite data set
  Seed seed = 1;    ///< and the generator
  int threads = 0;  ///< 0: all cores; never changes a result
  Precision precision = Precision::double_;
  std::string metric = "sliced-w2";
  bool pathwise = true;  ///< measure pathwise errors and orders, at many times the cost of the rows
  bool exact = false;    ///< Gaussian data: laws pushed through the schemes, no Monte Carlo
  bool trace = false;    ///< exact: the distance to the law of x_t at every step
  bool keep_samples = false;  ///< all final states in the rows, not those of a picture alone
  bool modes = false;         ///< exact: the error of every eigenmode of the data
  /// Of a run with a checkpoint or ranks; exact laws, which take seconds, are found by every rank.
  SharedWork* work = nullptr;
  const std::atomic<bool>* cancel = nullptr;
  std::function<void(double fraction, std::string_view what)> progress = {};
};

/// The law of a scheme at one of its times against that of the forward process.
struct TracePoint {
  double t = 0;
  double nfe = 0;  ///< evaluations until then, one per step and path
  double w2 = 0;   ///< W2 between the scheme's law and that of x_t
  double kl = 0;   ///< KL(scheme || x_t) in nats; nan where x_t has no density
};

/// Errors of each eigenmode of Gaussian data: distances W2 in one coordinate, whose squares sum to
/// those of the row.
struct ModeErrors {
  Eigen::ArrayXd variance;  ///< of the data: the eigenvalue
  Eigen::ArrayXd error, init, truncation, discretisation, score;
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
  /// exact only; the first and the last where the sampler's limit is the model's equation
  std::optional<double> error_init, error_truncation, error_discretisation;
  /// With a score that is learned or has an error: what the score costs. Exact: W2 of the laws of
  /// the two equations, with this score and with the exact one (in the JSON: error_score_kind
  /// "w2"). Else the RMS distance of their solutions from the same start and noise, which is no
  /// less than that (error_score_kind "pathwise").
  std::optional<double> error_score;
  std::vector<TracePoint> trace;  ///< with settings.trace, from the start to the end
  ModeErrors modes;               ///< with settings.modes, in the order of the spectrum
  double seconds = 0;
  Status status = Status::success;
  Index failed = 0;     ///< paths that ended non-finite
  Index outliers = 0;   ///< paths that ended more than ten widths of the data outside them
  std::string problem;  ///< why the row has no figures; empty where it has
  /// Final states, d x n: the first paths of the run, for a picture, or all with keep_samples;
  /// empty if exact.
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

/// The result of `compare`.
struct Comparison {
  ComparisonSettings settings;          ///< with every default filled in
  double start_time = 0, end_time = 0;  ///< first and last time of the SDE grids
  double floor = 0, floor_sd = 0;       ///< of the metric, over repeated pairs of exact samples
  double spread = 0;                    ///< of the data: RMS distance to their mean
  Index pathwise_paths = 0;             ///< paths behind error_pathwise
  Index metric_paths = 0;               ///< paths behind error and floor
  std::vector<ComparisonRow> rows;
  std::vector<ComparisonOrder> orders;
  std::vector<std::string> notes;   ///< sentences on settings that do less than they ask for
  Status status = Status::success;  ///< cancelled: rows hold what was finished
  double seconds = 0;
};

/// Fills in and checks all settings without computing anything.
/// @throws std::invalid_argument  for unknown names, a sampler that refuses eta or t_min, w1 or a
///         sampled w2 in more than one dimension, exact with data that are not Gaussian, ...
ComparisonSettings check_settings(ComparisonSettings settings);

/// Runs the comparison. A row that fails has its `problem`, and the others are run. With budgets of
/// evaluations an adaptive sampler has the tolerances that the largest allows, and one at least.
/// @throws std::invalid_argument as check_settings.
Comparison compare(const ComparisonSettings& settings);

/// The JSON document {"settings": ..., "rows": [...], "orders": [...]}; nan becomes null.
std::string to_json(const Comparison& comparison);

}  // namespace fokker
