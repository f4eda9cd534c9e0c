#include "exact_comparison.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <type_traits>

#include <fokker/analysis/linear_law.hpp>
#include <fokker/solvers/embedded_runge_kutta.hpp>
#include <fokker/solvers/integrate.hpp>

namespace fokker::detail {

namespace {

/// The law of x_t of the forward process from Gaussian data.
DiagonalGaussian marginal(const AffineProcess<AnySchedule>& process, const DiagonalGaussian& data,
                          Time t) {
  const double s = process.scale(t), std = process.std(t);
  return {s * data.mean, (s * s * data.variance.array() + std * std).matrix()};
}

/// The law at t_end of dx = [f - (1 + eta^2)/2 g^2 score] dt + eta g dw-bar, started at t_start
/// with the law `start`. Per eigenvalue v^2 of the data, with c = s^2 v^2 + std^2 the exact
/// variance and p = (1 + eta^2)/2, in x (not x/s, so that s = 0 at the start is allowed):
///
///     K = (s'/s) M = (c'/s'^2 / c)^p s^(2p - 1) s',     M = ((v^2 + sigma'^2)/(v^2 + sigma^2))^p
///     mean' = s' m + K (mean - s m),   var' = c' + K^2 (var - c)
DiagonalGaussian exact_transition(const AffineProcess<AnySchedule>& process,
                                  const DiagonalGaussian& data, const DiagonalGaussian& start,
                                  Time t_start, Time t_end, double eta) {
  const double p = (1 + eta * eta) / 2;
  const double s = process.scale(t_start), s_end = process.scale(t_end);
  const auto c = marginal(process, data, t_start), c_end = marginal(process, data, t_end);
  const Eigen::ArrayXd ratio = c_end.variance.array() / (s_end * s_end) / c.variance.array();
  const Eigen::ArrayXd k = ratio.pow(p) * (std::pow(s, 2 * p - 1) * s_end);
  return {(c_end.mean.array() + k * (start.mean - c.mean).array()).matrix(),
          (c_end.variance.array() + k.square() * (start.variance - c.variance).array()).matrix()};
}

/// The law of E[x_0 | x_t] when x_t has the law `law`.
DiagonalGaussian denoised(const AffineProcess<AnySchedule>& process, const DiagonalGaussian& data,
                          const DiagonalGaussian& law, Time t) {
  const double s = process.scale(t), std = process.std(t);
  const Eigen::ArrayXd v = data.variance.array();
  const Eigen::ArrayXd gain =
      (s * s * v + std * std > 0)
          .select(s * v / (s * s * v + std * std), Eigen::ArrayXd::Zero(v.size()));
  return {(data.mean.array() + gain * (law.mean - s * data.mean).array()).matrix(),
          (gain.square() * law.variance.array()).matrix()};
}

/// W2 of each coordinate by itself.
Eigen::ArrayXd distances(const DiagonalGaussian& p, const DiagonalGaussian& q) {
  return ((p.mean - q.mean).array().square() +
          (p.variance.array().sqrt() - q.variance.array().sqrt()).square())
      .sqrt();
}

/// dm/dt = f m + c, dv/dt = 2 f v - eta^2 g^2 in every coordinate, f x + c the drift of `reverse`;
/// the state is (m, v), d x 2.
class MomentEquations {
 public:
  static constexpr NoiseKind noise = NoiseKind::none;

  MomentEquations(const ReverseModel<double>& reverse, Index d)
      : reverse_(reverse), points_(Block<double>::Zero(d, 2)), drift_(d, 2) {
    points_.col(1).setOnes();
  }
  Index dimension() const { return points_.rows(); }

  void drift(const Block<double>& y, Time t, Block<double>& out) const {
    reverse_.drift(points_, t, drift_);
    const Eigen::ArrayXd c = drift_.col(0), f = drift_.col(1) - c;
    const double g = reverse_.diffusion(t);
    out.resize(y.rows(), 2);
    out.col(0) = f * y.col(0) + c;
    out.col(1) = 2 * f * y.col(1) - g * g;
  }

 private:
  const ReverseModel<double>& reverse_;
  Block<double> points_;
  mutable Block<double> drift_;
};

}  // namespace

/// The law of the continuous equation with the error in its score, which jumps at its ends.
DiagonalGaussian Laws::with_wrong_score(const Task& task, Time start, Time end) const {
  const ReverseModel<double> reverse{process_, make_score<double>(s_, process_, AnyData{spectrum_}),
                                     task.eta};
  const MomentEquations equations(reverse, data_.mean.size());
  const DiagonalGaussian from = start_law(start);
  Block<double> y(from.mean.size(), 2);
  y.col(0) = from.mean;
  y.col(1) = from.variance;
  TimeGrid stops{start};
  for (const Time t : {s_.score_error.to, s_.score_error.from})
    if (end < t && t < stops.back()) stops.push_back(t);
  stops.push_back(end);
  for (std::size_t i = 0; i + 1 < stops.size(); ++i) {
    // the error holds below `to`: start just there
    const Time top = stops[i] == s_.score_error.to ? std::nextafter(stops[i], 0.0) : stops[i];
    const auto run =
        integrate(equations, DormandPrince54{1e-11, 1e-13}, y, std::array{top, stops[i + 1]},
                  {.save_at = {stops[i + 1]}, .check = false});
    if (run.status != Status::success)
      throw std::runtime_error("the law of the equation with the wrong score was not found: " +
                               run.message);
    y = run.end;
  }
  return {y.col(0).matrix(), y.col(1).matrix()};
}

Laws::Laws(const ComparisonSettings& settings, const DiffusionProcess& process)
    : s_(settings),
      process_(process),
      spectrum_(*settings.data->gaussian()),
      data_{spectrum_.mean(), spectrum_.variance()},
      score_(make_score<double>(settings, process, AnyData{spectrum_})) {}

DiagonalGaussian Laws::start_law(Time start) const {
  if (s_.init == Init::exact) return marginal(process_, data_, start);
  const Index d = data_.mean.size();
  const double prior = process_.prior_std(start);
  return {Eigen::VectorXd::Zero(d), Eigen::VectorXd::Constant(d, prior * prior)};
}

DiagonalGaussian Laws::scheme(
    const Task& task, const TimeGrid& grid,
    const std::function<void(Time t, const DiagonalGaussian& law)>& observe) {
  TimeGrid clock(grid.size());  // the way back on r = -t
  std::transform(grid.begin(), grid.end(), clock.begin(), [](Time t) { return -t; });
  const DiagonalGaussian from = start_law(grid.front());
  const auto tell = [&](std::size_t k, const DiagonalGaussian& law) {
    if (observe) observe(grid[k], law);
  };
  score_.reset();
  const AnyScore<double> score{score_};
  const auto run = [&](const auto& model, const auto& sampler) {
    return propagate(TimeReversed<std::remove_cvref_t<decltype(model)>>{model}, sampler, from,
                     clock, tell, false);
  };
  const DiagonalGaussian end =
      task.equation == Equation::sde
          ? run(ReverseModel<double>{process_, score, task.eta},
                make_reverse_sampler<double>(task.sampler))
          : run(FlowModel<double>{process_, score}, make_flow_sampler<double>(task.sampler));
  return s_.last == Last::denoise ? denoised(process_, data_, end, grid.back()) : end;
}

ComparisonRow Laws::run(const Task& task) {
  const auto started = std::chrono::steady_clock::now();
  const TimeGrid grid = time_grid(s_, process_, task.equation, task.steps);
  const Time start = grid.front(), end = grid.back();
  ComparisonRow row = row_of(task);
  const DiagonalGaussian scheme_law = scheme(task, grid, [&](Time t, const DiagonalGaussian& law) {
    if (!s_.trace) return;
    const DiagonalGaussian exact = marginal(process_, data_, t);
    const bool density = (exact.variance.array() > 0).all();
    row.trace.push_back({.t = t,
                         .nfe = static_cast<double>(score_.calls()),
                         .w2 = bures_wasserstein(law, exact),
                         .kl = density ? gaussian_kl(law, exact) : NAN});
  });
  row.nfe = evaluations();
  DiagonalGaussian continuous =
      exact_transition(process_, data_, start_law(start), start, end, task.eta);
  DiagonalGaussian wrong = s_.score_error.none() ? continuous : with_wrong_score(task, start, end);
  DiagonalGaussian exact = marginal(process_, data_, end);
  if (s_.last == Last::denoise)
    for (DiagonalGaussian* law : {&continuous, &wrong, &exact})
      *law = denoised(process_, data_, *law, end);
  row.error = bures_wasserstein(scheme_law, data_);
  row.error_truncation = bures_wasserstein(exact, data_);
  const bool has_parts = solves_model(task.sampler);  // else `continuous` is not its limit
  if (has_parts) {
    row.error_init = bures_wasserstein(continuous, exact);
    row.error_discretisation = bures_wasserstein(scheme_law, wrong);
    if (!s_.score_error.none()) row.error_score = bures_wasserstein(wrong, continuous);
  }
  const auto part = [&](const DiagonalGaussian& p, const DiagonalGaussian& q) -> Eigen::ArrayXd {
    if (has_parts) return distances(p, q);
    return Eigen::ArrayXd::Constant(p.mean.size(), NAN);
  };
  if (s_.modes)
    row.modes = {.variance = data_.variance.array(),
                 .error = distances(scheme_law, data_),
                 .init = part(continuous, exact),
                 .truncation = distances(exact, data_),
                 .discretisation = part(scheme_law, wrong),
                 .score = part(wrong, continuous)};
  row.seconds = elapsed(started);
  return row;
}

void compare_laws(Comparison& result, const DiffusionProcess& process,
                  const std::vector<Task>& tasks) {
  double total = 0;
  for (const Task& task : tasks) total += work_of(task);
  Progress progress(result.settings, total);
  Laws laws(result.settings, process);
  for (const Task& task : tasks) {
    if (progress.cancelled()) {
      result.status = Status::cancelled;
      return;
    }
    result.rows.push_back(laws.run(task));
    progress.add(work_of(task), task.sampler);
  }
}

}  // namespace fokker::detail
