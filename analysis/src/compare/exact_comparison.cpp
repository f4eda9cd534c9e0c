#include "compare/exact_comparison.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <stdexcept>
#include <type_traits>

#include <fokker/analysis/law/linear_law.hpp>

namespace fokker::detail {

namespace {

/// The law of x_t of the forward process from Gaussian data.
DiagonalGaussian marginal(const AffineProcess<AnySchedule>& process, const DiagonalGaussian& data,
                          Time t) {
  const auto now = process.at(t);
  const double s = now.scale, std = now.std;
  return {s * data.mean, (s * s * data.variance.array() + std * std).matrix()};
}

/// int from t_end to t_start of g^2 / s (u_end / (v + sigma^2))^q dt.
double bias_integral(const AffineProcess<AnySchedule>& process, double v, double u_end, double q,
                     Time t_end, Time t_start) {
  if (u_end == 0) return 0;
  return integral(
      [&](Time t) {
        const auto now = process.at(t);
        const double s = now.scale, sigma = now.sigma, g = now.diffusion;
        return g * g / s * std::pow(u_end / (v + sigma * sigma), q);
      },
      t_end, t_start);
}

/// The law at t_end of dx = [f - p g^2 score'] dt + eta g dw-bar, p = (1 + eta^2)/2, started at
/// t_start with the law `start`, where score' = (1 + a) score + b is the score with the error
/// `scale` = a, `bias` = b over the whole interval. Per eigenvalue v of the data, with c = s^2 v +
/// std^2 the exact variance, rho = (c'/s'^2) / (c/s^2) <= 1 and q = (1 + a) p, in x (not x/s, so
/// that s = 0 at the start is allowed):
///
///     K = (s'/s) rho^q = (c'/s'^2 / c)^q s^(2q - 1) s'
///     mean' = s' m + K (mean - s m) + s' p b int g^2 / s (c'/s'^2 / (v + sigma^2))^q dt
///     std'^2 = (K std)^2 + eta^2 c' (1 - rho^(2q - 1)) / (2q - 1)
///
/// std'^2 is a sum of squares, the second that of the noise.
DiagonalGaussian exact_transition(const AffineProcess<AnySchedule>& process,
                                  const DiagonalGaussian& data, const DiagonalGaussian& start,
                                  Time t_start, Time t_end, double eta, double scale = 0,
                                  double bias = 0) {
  const double p = (1 + eta * eta) / 2, q = (1 + scale) * p, m = 2 * q - 1;
  const double s = process.scale(t_start), s_end = process.scale(t_end);
  const auto c = marginal(process, data, t_start), c_end = marginal(process, data, t_end);
  DiagonalGaussian end = start;
  for (Index i = 0; i < data.mean.size(); ++i) {
    const double u_end = c_end.variance[i] / (s_end * s_end);
    const double ratio = u_end / c.variance[i], rho = ratio * s * s;
    const double k = std::pow(ratio, q) * std::pow(s, m) * s_end;
    // (1 - rho^m) / m, with its limit -ln rho
    const double spread = m == 0 ? -std::log(rho) : -std::expm1(m * std::log(rho)) / m;
    const double noise = eta == 0 || u_end == 0 ? 0 : eta * std::sqrt(c_end.variance[i] * spread);
    const double std = k == 0 ? 0 : k * std::sqrt(start.variance[i]);
    end.variance[i] = std * std + noise * noise;
    end.mean[i] = c_end.mean[i] + k * (start.mean[i] - c.mean[i]);
    if (bias != 0)
      end.mean[i] +=
          s_end * p * bias * bias_integral(process, data.variance[i], u_end, q, t_end, t_start);
  }
  return end;
}

/// The law of E[x_0 | x_t] when x_t has the law `law`.
DiagonalGaussian denoised(const AffineProcess<AnySchedule>& process, const DiagonalGaussian& data,
                          const DiagonalGaussian& law, Time t) {
  const auto now = process.at(t);
  const double s = now.scale, std = now.std;
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

}  // namespace

/// The law of the continuous equation with the error in its score, which begins and ends at times
/// of its own.
DiagonalGaussian ExactRun::with_wrong_score(const Task& task, Time start, Time end) const {
  TimeGrid stops{start};
  for (const Time t : {s_.score_error.to, s_.score_error.from})
    if (end < t && t < stops.back()) stops.push_back(t);
  stops.push_back(end);
  DiagonalGaussian law = start_law(start);
  for (std::size_t i = 0; i + 1 < stops.size(); ++i) {
    const bool wrong = s_.score_error.from <= stops[i + 1] && stops[i] <= s_.score_error.to &&
                       s_.score_error.from < stops[i];
    law = exact_transition(process_, data_, law, stops[i], stops[i + 1], task.eta,
                           wrong ? s_.score_error.scale : 0, wrong ? s_.score_error.bias : 0);
  }
  return law;
}

ExactRun::ExactRun(const ComparisonSettings& settings, const DiffusionProcess& process)
    : s_(settings),
      process_(process),
      spectrum_(*settings.data->gaussian()),
      data_{spectrum_.mean(), spectrum_.variance()},
      score_(make_score<double>(settings, process, AnyData{spectrum_}).counted()) {}

DiagonalGaussian ExactRun::start_law(Time start) const {
  if (s_.init == Init::exact) return marginal(process_, data_, start);
  const Index d = data_.mean.size();
  const double prior = process_.prior_std(start);
  return {Eigen::VectorXd::Zero(d), Eigen::VectorXd::Constant(d, prior * prior)};
}

DiagonalGaussian ExactRun::scheme(
    const Task& task, const TimeGrid& grid,
    const std::function<void(Time t, const DiagonalGaussian& law)>& observe) {
  TimeGrid clock(grid.size());  // the way back on r = -t
  std::transform(grid.begin(), grid.end(), clock.begin(), [](Time t) { return -t; });
  const DiagonalGaussian from = start_law(grid.front());
  const auto tell = [&](std::size_t k, const DiagonalGaussian& law) {
    if (s_.cancel && s_.cancel->load()) throw Cancelled{};
    if (observe) observe(grid[k], law);
  };
  score_.reset();
  const auto run = [&](const auto& model, const auto& sampler) {
    return propagate(TimeReversed<std::remove_cvref_t<decltype(model)>>{model}, sampler, from,
                     clock, tell, false);
  };
  const DiagonalGaussian end =
      task.equation == ModelEquation::sde
          ? run(ReverseModel<double>{process_, score_, task.eta},
                make_reverse_sampler<double>(task.sampler))
          : run(FlowModel<double>{process_, score_}, make_flow_sampler<double>(task.sampler));
  return s_.last == FinalStep::denoise ? denoised(process_, data_, end, grid.back()) : end;
}

ComparisonRow ExactRun::run(const Task& task) {
  const auto started = std::chrono::steady_clock::now();
  const TimeGrid grid = time_grid(s_, process_, task.equation, task.steps);
  const Time start = grid.front(), end = grid.back();
  ComparisonRow row = row_of(task);
  const DiagonalGaussian scheme_law = scheme(task, grid, [&](Time t, const DiagonalGaussian& law) {
    if (!s_.trace) return;
    const DiagonalGaussian exact = marginal(process_, data_, t);
    const bool density = (exact.variance.array() > 0).all();
    if (!law.mean.allFinite() || !law.variance.allFinite()) return;
    row.trace.push_back({.t = t,
                         .nfe = static_cast<double>(score_.calls()),
                         .w2 = bures_wasserstein(law, exact),
                         .kl = density ? gaussian_kl(law, exact) : NAN});
  });
  if (!scheme_law.mean.allFinite() || !scheme_law.variance.allFinite())
    throw std::runtime_error(
        "the law is beyond all numbers: the scheme is not stable with these steps");
  row.nfe = evaluations();
  DiagonalGaussian continuous =
      exact_transition(process_, data_, start_law(start), start, end, task.eta);
  DiagonalGaussian wrong = s_.score_error.none() ? continuous : with_wrong_score(task, start, end);
  DiagonalGaussian exact = marginal(process_, data_, end);
  if (s_.last == FinalStep::denoise)
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
  ExactRun laws(result.settings, process);
  const DiagonalGaussian& data = laws.data();
  result.spread = std::sqrt(data.variance.sum());
  for (const Task& task : tasks) {
    if (progress.cancelled()) {
      result.status = Status::cancelled;
      return;
    }
    try {
      result.rows.push_back(laws.run(task));
    } catch (const Cancelled&) {
      result.status = Status::cancelled;
      return;
    } catch (const std::exception& error) {
      ComparisonRow row = row_of(task);
      row.error = row.error_stderr = row.nfe = NAN;
      row.problem = error.what();
      result.rows.push_back(std::move(row));
    }
    progress.add(work_of(task), task.sampler);
  }
}

}  // namespace fokker::detail
