#include <fokker/analysis/compare/tune_grid.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <Eigen/Core>
#include <unsupported/Eigen/NonLinearOptimization>

#include <fokker/solvers/support/text.hpp>

#include "compare/exact_comparison.hpp"

namespace fokker {

namespace {

using namespace detail;

/// The error of the sampler as a function of the grid's free parameters p, in the form that Eigen's
/// minimiser of sums of squares takes. Step k in ln sigma is proportional to exp(p_k), the first p
/// being 0; the residuals are the signed differences of mean and standard deviation, mode by mode,
/// whose squares sum to W2^2 (then zeros, where the unknowns are more).
class Residuals {
 public:
  using Scalar = double;
  using InputType = Eigen::VectorXd;
  using ValueType = Eigen::VectorXd;
  using JacobianType = Eigen::MatrixXd;
  enum { InputsAtCompileTime = Eigen::Dynamic, ValuesAtCompileTime = Eigen::Dynamic };

  Residuals(const ComparisonSettings& s, const DiffusionProcess& process, const Task& task)
      : settings_(s),
        process_(process),
        task_(task),
        laws_(s, process),
        start_(start_time(s, process, task.equation)),
        top_(std::log(process.sigma(start_))),
        bottom_(std::log(process.sigma(*s.t_min))) {
    const DiagonalGaussian& data = laws_.data();
    large_ = 1e6 * std::max({1.0, data.mean.stableNorm(), data.variance.cwiseSqrt().stableNorm(),
                             process.prior_std(start_)});
  }

  Time start() const { return start_; }
  int evaluations() const { return evaluations_; }
  /// Of the last law: as many for every grid.
  double score_evaluations() const { return laws_.evaluations(); }
  int inputs() const { return static_cast<int>(task_.steps) - 1; }
  int values() const {
    return std::max(2 * static_cast<int>(settings_.data->dimension()), inputs());
  }

  TimeGrid times(const Eigen::VectorXd& p) const {
    Eigen::ArrayXd steps = Eigen::ArrayXd::Ones(task_.steps);
    steps.tail(p.size()) = p.array().exp();
    TimeGrid grid{start_};
    const double sum = steps.sum();
    double done = 0;
    for (Index k = 0; k + 1 < task_.steps; ++k) {
      done += steps[k] / sum;
      grid.push_back(process_.time_of_sigma(std::exp(top_ + (bottom_ - top_) * done)));
    }
    grid.push_back(*settings_.t_min);
    return grid;
  }

  Eigen::VectorXd parameters(const TimeGrid& grid) const {
    Eigen::ArrayXd levels(task_.steps + 1);
    for (Index k = 0; k <= task_.steps; ++k)
      levels[k] = std::log(process_.sigma(grid[static_cast<std::size_t>(k)]));
    const Eigen::ArrayXd steps = levels.head(task_.steps) - levels.tail(task_.steps);
    return (steps.tail(inputs()) / steps[0]).log().matrix();
  }

  /// Larger than the data where two times come out equal or the law is not finite.
  int operator()(const Eigen::VectorXd& p, Eigen::VectorXd& out) const {
    if (!evaluate(p, out)) out.setConstant(large_);
    return 0;
  }

  /// The same; false where there is no such law.
  bool evaluate(const Eigen::VectorXd& p, Eigen::VectorXd& out) const {
    if (settings_.cancel && settings_.cancel->load()) throw Cancelled{};
    ++evaluations_;
    const TimeGrid grid = times(p);
    const auto falls = [](Time a, Time b) { return a > b; };  // false of nan
    if (!p.allFinite() ||
        std::adjacent_find(grid.begin(), grid.end(), std::not_fn(falls)) != grid.end())
      return false;
    const DiagonalGaussian law = laws_.scheme(task_, with_last_step(grid, settings_.last));
    const DiagonalGaussian& data = laws_.data();
    const Index d = data.mean.size();
    out.setZero();
    out.head(d) = law.mean - data.mean;
    out.segment(d, d) = law.variance.cwiseSqrt() - data.variance.cwiseSqrt();
    return out.allFinite();
  }

  /// Central differences.
  int df(const Eigen::VectorXd& p, Eigen::MatrixXd& jacobian) const {
    constexpr double h = 1e-5;
    Eigen::VectorXd up(values()), down(values()), q = p;
    for (int k = 0; k < inputs(); ++k) {
      q[k] = p[k] + h;
      (*this)(q, up);
      q[k] = p[k] - h;
      (*this)(q, down);
      q[k] = p[k];
      jacobian.col(k) = (up - down) / (2 * h);
    }
    return 0;
  }

  /// W2 of the law to the data; infinite where there is no such law.
  double error(const Eigen::VectorXd& p) const {
    Eigen::VectorXd r(values());
    return evaluate(p, r) ? r.stableNorm() : std::numeric_limits<double>::infinity();
  }

 private:
  const ComparisonSettings& settings_;
  const DiffusionProcess& process_;
  const Task& task_;
  mutable ExactRun laws_;
  Time start_;
  double top_, bottom_;
  double large_ = 0;
  mutable int evaluations_ = 0;
};

}  // namespace

TunedGrid tune_grid(ComparisonSettings settings) {
  settings.exact = true;
  settings.times.reset();
  settings.grid = "logsnr";
  const ComparisonSettings s = check_settings(std::move(settings));
  const DiffusionProcess process = make_process(s);
  const std::vector<Task> tasks = plan(s);
  if (tasks.size() != 1)
    throw std::invalid_argument(
        fmt::format("a grid is made for one sampler and one number of steps: got {} samplers and "
                    "{} in all",
                    s.samplers.size(), tasks.size()));
  const Task& task = tasks.front();
  if (task.steps < 2)
    throw std::invalid_argument(
        fmt::format("a grid to search for needs two steps at least: got {} ({} evaluations in "
                    "each)",
                    task.steps, task.info->evaluations));
  if (!(process.sigma(*s.t_min) > 0))
    throw std::invalid_argument(fmt::format(
        "a grid is searched for in ln sigma, which has no end at t_min={}: choose t_min > 0",
        text(*s.t_min)));

  Residuals residuals(s, process, task);
  TunedGrid best;
  best.error = std::numeric_limits<double>::infinity();
  std::vector<Eigen::VectorXd> starts;
  const auto consider = [&](const Eigen::VectorXd& p) {
    const double error = residuals.error(p);
    if (error < best.error) {
      best.times = residuals.times(p);
      best.error = error;
    }
    return error;
  };
  try {
    for (const GridInfo& info : list_grids()) {
      Eigen::VectorXd p;
      try {
        p = residuals.parameters(
            make_grid(info.name, process.schedule, residuals.start(), *s.t_min, task.steps));
      } catch (const std::invalid_argument&) {
        continue;  // not to be had with these ends or this many steps
      }
      const double error = consider(p);
      if (!std::isfinite(error)) continue;
      best.named.push_back({info.name, error});
      starts.push_back(std::move(p));
    }
    for (std::size_t i = 0; i < starts.size(); ++i) {
      Eigen::LevenbergMarquardt<Residuals> minimiser(residuals);
      minimiser.parameters.maxfev = 400;
      minimiser.minimize(starts[i]);
      consider(starts[i]);
      if (s.progress)
        s.progress(static_cast<double>(i + 1) / static_cast<double>(starts.size()), "grids tried");
    }
  } catch (const Cancelled&) {
    best.status = Status::cancelled;
  }
  if (best.times.empty() && best.status == Status::success)
    throw std::runtime_error(fmt::format(
        "the law of {} with {} steps is not finite on any grid: its steps are not stable for data "
        "of variances up to {:.3g}; take more steps",
        task.label, task.steps, s.data->gaussian()->variance().maxCoeff()));
  std::sort(best.named.begin(), best.named.end(),
            [](const auto& a, const auto& b) { return a.error < b.error; });
  best.nfe = residuals.score_evaluations();
  best.evaluations = residuals.evaluations();
  return best;
}

}  // namespace fokker
