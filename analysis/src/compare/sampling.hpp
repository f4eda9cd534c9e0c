#pragma once
/// @file  sampling.hpp
/// @brief The comparison on samples: rows run by `simulate`, and pathwise errors beside them.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <fokker/analysis/compare/comparison.hpp>
#include <fokker/analysis/distance/distances.hpp>
#include <fokker/diffusion/catalogue/adaptive_samplers.hpp>
#include <fokker/diffusion/catalogue/registry.hpp>
#include <fokker/diffusion/score/any_score.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/ensemble/threads.hpp>
#include <fokker/solvers/integrate/adaptive_sde.hpp>
#include <fokker/solvers/ito/sra.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>
#include <fokker/solvers/ode/ode.hpp>
#include <fokker/solvers/stratonovich/stochastic_heun.hpp>

#include "compare/comparison_plan.hpp"

namespace fokker::detail {

using SampleArray = FinalState::Value;

/// How much finer the reference path of an SDE is than the steps it is compared with.
inline constexpr Index reference_refinement = 64;
/// Tolerance of the reference solution of the flow.
inline constexpr double reference_tolerance = 1e-10;
/// The samples of the data distribution that things are measured against; those that were drawn
/// until it was cancelled.
inline Sample exact_sample(const AnyData& data, Index n, const Seed& seed,
                           const std::atomic<bool>* cancel) {
  Sample sample(data.dimension(), n);
  const Index width = block_width(data.dimension(), sizeof(double));
  Block<double> x(data.dimension(), width);
  for (Index first = 0; first < n && !(cancel && cancel->load()); first += width) {
    PathRandom random(seed, static_cast<std::uint64_t>(first), width);
    data.sample(random, x);
    for (Index r = 0; r < x.rows(); ++r)
      std::copy_n(&x(r, 0), std::min(width, n - first), sample.row(r) + first);
  }
  return sample;
}

/// A seed for samples that must be independent of those of the run.
inline Seed other_seed(const Seed& seed, std::uint64_t purpose) {
  return {(seed.number + 0x9E3779B97F4A7C15u * (purpose + 1)) ^ 0xD1B54A32D192ED03u,
          seed.generator};
}

/// The law of x at the start: the prior, or the exact marginal s x0 + std eps.
struct StartLaw {
  const AnyData& data;
  double scale, std;
  bool from_data;

  Index dimension() const { return data.dimension(); }
  template <State X>
  void sample(PathRandom& random, X& x) const {
    using S = typename X::Scalar;
    if (!from_data) {
      random.normal(x);
      x *= static_cast<S>(std);
      return;
    }
    data.sample(random, x);
    X noise(x.rows(), x.cols());
    random.normal(noise);
    x = static_cast<S>(scale) * x + static_cast<S>(std) * noise;
  }
};

inline StartLaw start_law(const ComparisonSettings& s, const DiffusionProcess& process,
                          Time start) {
  if (s.init == Init::exact) return {*s.data, process.scale(start), process.std(start), true};
  return {*s.data, 0, process.prior_std(start), false};
}

/// Squared distances to the exact solution, path by path, of every row that has them.
using PathSquares = std::vector<std::vector<double>>;

inline std::vector<double> squared_distances(const Block<double>& x, const Block<double>& y) {
  std::vector<double> squares(static_cast<std::size_t>(x.cols()));
  Eigen::Map<Eigen::Array<double, 1, Eigen::Dynamic>>(squares.data(), x.cols()) =
      (x - y).square().colwise().sum();
  return squares;
}

/// Everything that depends on the scalar of the states.
template <class S>
class SampledRun {
 public:
  SampledRun(const ComparisonSettings& s, const DiffusionProcess& process)
      : s_(s),
        process_(process),
        score_(make_score<S>(s, process, *s.data).counted()),
        width_(block_width(s.data->dimension(), sizeof(S))) {}

  /// Whether a task of an adaptive sampler takes more evaluations than that, by a trial of a few
  /// paths.
  bool exceeds(const Task& task, double evaluations) {
    ComparisonRow row = row_of(task);
    SampleArray states;
    score_.reset();
    const TimeGrid ends{start_time(s_, process_, task.equation), *s_.t_min};
    const auto run = solve_adaptive(task, ends, row, states, std::min<Index>(s_.paths, 64));
    const double last = s_.last == FinalStep::denoise ? 1 : 0;
    return static_cast<double>(score_.calls()) / static_cast<double>(run.paths) + last >
           evaluations;
  }

  /// Runs one row; its final states, all paths, are left in `states`.
  ComparisonRow run(const Task& task, SampleArray& states) {
    ComparisonRow row = row_of(task);
    score_.reset();
    if (task.info->adaptive) {
      const TimeGrid ends{start_time(s_, process_, task.equation), *s_.t_min};
      const auto run = solve_adaptive(task, ends, row, states, s_.paths);
      row.nfe = static_cast<double>(score_.calls()) / static_cast<double>(run.paths);
      row.steps = static_cast<Index>(std::llround(run.counts.accepted));
    } else {
      const TimeGrid grid = time_grid(s_, process_, task.equation, task.steps);
      const Ensemble<SampleArray> run =
          task.equation == ModelEquation::sde
              ? solve(reverse(task.eta), make_reverse_sampler<S>(task.sampler), grid, row, states,
                      s_.paths)
              : solve(flow(), make_flow_sampler<S>(task.sampler), grid, row, states, s_.paths);
      row.nfe = static_cast<double>(score_.calls()) / static_cast<double>(blocks(run.paths));
    }
    if (s_.last == FinalStep::denoise) row.nfe += 1;  // see denoise
    return row;
  }

  /// The denoiser applied to the final states, one evaluation of each path.
  void denoise(SampleArray& states) {
    Block<S> x(states.rows(), width_), out(states.rows(), width_);
    for (Index first = 0; first < states.cols() && !cancelled(); first += width_) {
      const Index count = std::min(width_, states.cols() - first);
      x.leftCols(count) = states.middleCols(first, count).template cast<S>();
      score_.denoise(x, *s_.t_min, out);
      states.middleCols(first, count) = out.leftCols(count).template cast<double>();
    }
  }

  /// The flow of a score from the starts of `count` paths from `first` on, solved to the reference
  /// tolerance.
  Block<double> flow_reference(const AnyScore<double>& score, Index first, Index count) {
    const Time start = start_time(s_, process_, ModelEquation::ode), end = *s_.t_min;
    const FlowModel<double> model{process_, score};
    const TimeReversed<FlowModel<double>> down{model};
    const Adaptive steps{.rtol = reference_tolerance, .atol = reference_tolerance};
    Block<double> x = starts(start, first, count);
    for_each_index(x.cols(), [&](Index j) {
      PathState<double> path = x.col(j);
      Fehlberg78::Run<TimeReversed<FlowModel<double>>, PathState<double>> run(Fehlberg78{}, steps,
                                                                              down, path.size());
      Counts counts;
      detail::Interval interval{.end = -end, .tries = 10'000'000};
      const bool solved =
          !cancelled() && detail::run_to(run, path, -start, interval, counts) == Status::success;
      x.col(j) = solved ? path : PathState<double>::Constant(path.size(), NAN);
    });
    return x;
  }

  /// SDE samplers with one eta and number of steps, on the Brownian paths that the reference,
  /// stochastic Heun with 64 times more steps, sees in full: squared distances per sampler, of
  /// `count` paths from `first` on; where the score is wrong, behind them those between the
  /// references with the exact score and with this one.
  PathSquares sde_squares(const std::vector<const Task*>& tasks, Index first, Index count) {
    const Task& any = *tasks.front();
    const TimeGrid grid = time_grid(s_, process_, ModelEquation::sde, any.steps);
    const Block<double> x0 = starts(grid[0], first, count);
    const ReverseModel<double> reference_model{process_, make_score<double>(s_, process_, *s_.data),
                                               any.eta};
    const ReverseModel<double> exact_model{process_, exact_score_of(process_, *s_.data), any.eta};
    const ReverseModel<S> model{process_, make_score<S>(s_, process_, *s_.data), any.eta};
    const TimeReversed<ReverseModel<double>> reference_down{reference_model};
    const TimeReversed<ReverseModel<double>> exact_down{exact_model};
    const TimeReversed<ReverseModel<S>> down{model};

    const PathKey key{other_seed(s_.seed, 3), static_cast<std::uint64_t>(first)};
    using Reference = CoupledPath<double, TimeReversed<ReverseModel<double>>, HeunSde>;
    Reference reference(reference_down, HeunSde{}, x0, key);
    Reference exact(exact_down, HeunSde{}, x0, key);
    const bool wrong_score = has_wrong_score(s_);
    std::vector<CoupledPath<S, TimeReversed<ReverseModel<S>>, ReverseSampler<S>>> lines;
    for (const Task* task : tasks)
      lines.emplace_back(down, make_reverse_sampler<S>(task->sampler), x0.template cast<S>(), key);

    std::vector<bool> broken(lines.size(), false);

    const Index d = x0.rows();
    BrownianIncrements<S> source(key.seed, key.path, count, d);
    Increment<ReverseModel<S>, Block<S>> fine, coarse;
    fine.w.resize(d, x0.cols());
    coarse.w.resize(d, x0.cols());
    for (std::size_t k = 0; k + 1 < grid.size() && !cancelled(); ++k) {
      coarse.w.setZero();
      for (Index i = 0; i < reference_refinement; ++i) {
        const Time r0 = -subdivision(grid[k], grid[k + 1], i, reference_refinement);
        const Time r1 = -subdivision(grid[k], grid[k + 1], i + 1, reference_refinement);
        source.increment(r0, r1, fine);
        coarse.w += fine.w;
        reference.step(r0, r1, fine.w);
        if (wrong_score) exact.step(r0, r1, fine.w);
      }
      for (std::size_t i = 0; i < lines.size(); ++i)
        if (!broken[i]) try {
            lines[i].step(-grid[k], -grid[k + 1], coarse.w);
          } catch (const std::exception&) {  // its row reports why
            broken[i] = true;
          }
    }
    PathSquares squares;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      squares.push_back(squared_distances(lines[i].x().template cast<double>(), reference.x()));
      if (broken[i]) std::fill(squares.back().begin(), squares.back().end(), NAN);
    }
    if (wrong_score) squares.push_back(squared_distances(exact.x(), reference.x()));
    return squares;
  }

 private:
  /// One solution on Wiener increments that are handed to it; normals beside them are its own.
  template <class T, class P, class M>
  class CoupledPath {
   public:
    CoupledPath(const P& process, M method, Block<T> x, PathKey key)
        : process_(&process),
          method_(std::move(method)),
          needs_(needs_of(method_)),
          x_(std::move(x)),
          y_(x_.rows(), x_.cols()),
          beside_(key.seed, key.path, x_.cols(), x_.rows(), needs_),
          workspace_(x_.rows(), x_.cols()) {
      dw_.resize(x_.rows(), x_.cols(), needs_);
    }
    template <class W>
    void step(Time t0, Time t1, const W& w) {
      if (needs_.normals > 0) beside_.increment(t0, t1, dw_);
      dw_.w = w.template cast<T>();
      take_step(method_, *process_, x_, t0, t1, dw_, y_, workspace_);
      x_.swap(y_);
    }
    const Block<T>& x() const { return x_; }

   private:
    const P* process_;
    M method_;
    Needs needs_;
    Block<T> x_, y_;
    BrownianIncrements<T> beside_;
    Increment<P, Block<T>> dw_;
    typename M::template Workspace<Block<T>> workspace_;
  };

  FlowModel<S> flow() const { return {process_, score_}; }
  ReverseModel<S> reverse(double eta) const { return {process_, score_, eta}; }

  /// The adaptive samplers by name.
  Ensemble<SampleArray> solve_adaptive(const Task& task, const TimeGrid& ends, ComparisonRow& row,
                                       SampleArray& states, Index paths) {
    const Adaptive steps{.rtol = task.tolerance, .atol = task.tolerance};
    const auto solve_to = [&](const auto& model, const auto& method) {
      return finish(simulate<S>(model, method, steps, start_law(s_, process_, ends[0]),
                                {ends[0], ends[1]}, options(paths), FinalState{}),
                    row, states);
    };
    Ensemble<SampleArray> solved;
    with_adaptive_sampler(task.info->name, AdaptiveReverseSamplers{}, [&](const auto& method) {
      solved = solve_to(reverse(task.eta), method);
    });
    with_adaptive_sampler(task.info->name, AdaptiveFlowSamplers{},
                          [&](const auto& method) { solved = solve_to(flow(), method); });
    return solved;
  }

  bool cancelled() const { return s_.cancel && s_.cancel->load(); }
  Index blocks(Index paths) const { return (paths + width_ - 1) / width_; }

  template <class Model, class Method>
  Ensemble<SampleArray> solve(const Model& model, const Method& method, const TimeGrid& grid,
                              ComparisonRow& row, SampleArray& states, Index paths) {
    return finish(simulate<S>(model, method, OnGrid{grid}, start_law(s_, process_, grid[0]),
                              options(paths), FinalState{}),
                  row, states);
  }

  SimulateOptions options(Index paths) const {
    return {.paths = paths,
            .seed = s_.seed,
            .threads = s_.threads,
            .cancel = s_.cancel,
            .check = false};  // it would be counted as evaluations
  }

  static Ensemble<SampleArray> finish(Ensemble<SampleArray> run, ComparisonRow& row,
                                      SampleArray& states) {
    row.status = run.status;
    row.failed = run.failed;
    row.seconds = run.seconds;
    states = std::move(run.value);
    return run;
  }

  /// The starts of the paths from `first` on, the same as those of the runs.
  Block<double> starts(Time start, Index first, Index count) const {
    Block<S> x(s_.data->dimension(), count);
    PathRandom random(s_.seed, static_cast<std::uint64_t>(first), count);
    start_law(s_, process_, start).sample(random, x);
    return x.template cast<double>();
  }

  const ComparisonSettings& s_;
  const DiffusionProcess& process_;
  AnyScore<S> score_;
  Index width_;
};

}  // namespace fokker::detail
