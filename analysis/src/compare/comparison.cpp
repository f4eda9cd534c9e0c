#include <fokker/analysis/compare/comparison.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/solvers/ensemble/threads.hpp>
#include <fokker/solvers/support/text.hpp>

#include "compare/comparison_plan.hpp"
#include "compare/exact_comparison.hpp"
#include "compare/sampling.hpp"

namespace fokker {

namespace {

using namespace detail;

/// Pairs of exact samples behind the floor.
constexpr int floor_pairs = 8;
/// Paths behind the pathwise errors, and paths of one task; few where a score costs a pass over a
/// data set or a network.
struct PathwiseSize {
  Index paths, block;
};
PathwiseSize pathwise_size(const ComparisonSettings& s) {
  const PathwiseSize size = s.data->kind() == DataKind::finite_set || s.learned
                                ? PathwiseSize{32, 16}
                                : PathwiseSize{8192, 512};
  return {std::min(s.paths, size.paths), size.block};
}

/// The floor at this number of paths, as bytes; none if the comparison is cancelled meanwhile.
std::optional<std::string> make_floor(const ComparisonSettings& s) {
  const auto draw = [&](std::uint64_t purpose) {
    Sample sample = exact_sample(*s.data, s.paths, other_seed(s.seed, purpose), s.cancel);
    if (s.cancel && s.cancel->load()) throw Cancelled{};
    return sample;
  };
  try {
    const Floor floor = floor_of(
        s.metric,
        [&](int k) {
          const auto purpose = static_cast<std::uint64_t>(10 + 2 * k);
          auto first = draw(purpose);
          return std::pair{std::move(first), draw(purpose + 1)};
        },
        floor_pairs, s.cancel);
    if (s.cancel && s.cancel->load()) return {};
    return to_bytes(floor);
  } catch (const Cancelled&) {
    return {};
  }
}

/// What a row that was run leaves: its figures, and the final states of the first paths of a flow.
struct RowResult {
  Index steps = 0;
  double nfe = 0, seconds = 0;
  Status status = Status::success;
  Index failed = 0, outliers = 0;
  bool left_out = false;  // beyond the budgets of evaluations
  std::string problem;
  Distance distance;
  Block<double> samples, flow_end;

  void save(ByteWriter& out) const {
    out.put(steps);
    out.put(nfe);
    out.put(seconds);
    out.put(status);
    out.put(failed);
    out.put(outliers);
    out.put(left_out);
    out.put(std::string_view(problem));
    out.put(distance);
    out.put(samples);
    out.put(flow_end);
  }
  void load(ByteReader& in) {
    in.get(steps);
    in.get(nfe);
    in.get(seconds);
    in.get(status);
    in.get(failed);
    in.get(outliers);
    in.get(left_out);
    in.get(problem);
    in.get(distance);
    in.get(samples);
    in.get(flow_end);
  }
};

/// The box around exact samples from which ten of its widths lead to outliers.
struct Range {
  Eigen::ArrayXd low, high;

  explicit Range(const Sample& x) : low(x.d), high(x.d) {
    for (Index r = 0; r < x.d; ++r) {
      const auto row = std::span(x.values).subspan(static_cast<std::size_t>(r * x.n),
                                                   static_cast<std::size_t>(x.n));
      const auto [least, most] = std::minmax_element(row.begin(), row.end());
      low[r] = *least;
      high[r] = *most;
    }
    const double width = std::max((high - low).maxCoeff(), 1e-300);
    low -= 10 * width;
    high += 10 * width;
  }

  /// Those outside, non-finite ones not counted.
  Index outliers(const SampleArray& x) const {
    Index count = 0;
    for (Index j = 0; j < x.cols(); ++j) {
      const Eigen::ArrayXd path = x.col(j);
      count += path.isFinite().all() && ((path < low) || (path > high)).any();
    }
    return count;
  }
};

/// RMS distance of a sample to its mean.
double spread_of(const Sample& x) {
  double sum = 0;
  for (Index r = 0; r < x.d; ++r) {
    const Eigen::Map<const Eigen::ArrayXd> row(x.values.data() + r * x.n, x.n);
    sum += (row - row.mean()).square().mean();
  }
  return std::sqrt(sum);
}

/// Numbers kept of the final states of a row, for pictures.
constexpr Index kept_numbers = 16384;
/// Work of the pathwise errors at one number of steps, in the same unit.
double pathwise_work(Index steps, Index paths, const ComparisonSettings& s) {
  return static_cast<double>(2 * reference_refinement * steps * paths) /
         static_cast<double>(s.paths);
}

/// The verdict on an order. The steps of a comparison are given by its budgets and may be too
/// coarse for the claimed order, so a lower one is told with the last two local slopes; whether a
/// claim holds as h -> 0 is for `fokker converge` and the tests.
std::string words(const ComparisonOrder& order, const std::vector<double>& h,
                  const std::vector<double>& errors) {
  if (!order.claimed)
    return describe(order.fit) +
           (order.kind == "tolerance" ? " in the tolerance, none claimed" : ", claimed: none");
  const double claimed = *order.claimed;
  const OrderVerdict judged = judge(order.fit, claimed);
  const std::size_t n = h.size();
  if (judged == OrderVerdict::higher)
    return fmt::format("order {}, claimed {}: exceeded here", describe(order.fit), claimed);
  if (judged == OrderVerdict::lower && n >= 3) {
    const auto slope = [&](std::size_t i) {
      return std::log(errors[i] / errors[i + 1]) / std::log(h[i] / h[i + 1]);
    };
    const double before = slope(n - 3), last = slope(n - 2);
    return fmt::format(
        "order {}, claimed {}: not reached at these steps (locally {:.2f}, then {:.2f})",
        describe(order.fit), claimed, before, last);
  }
  return verdict(order.fit, claimed);
}

/// Errors above this part of the data's spread are not in the range of any order; at the most steps
/// they are small, below the second.
constexpr double large_error = 0.5, small_error = 0.1;

/// Why these errors have no order, which the fit does not know; empty where they have.
std::string no_order(const OrderFit& fit, double least, double spread) {
  if (!(least <= small_error * spread))
    return fmt::format(
        "no order: the error of {:.3g} is not small beside the spread of the data, "
        "{:.3g}; take more steps",
        least, spread);
  if (fit.status == OrderStatus::measured && fit.slope <= 0)
    return "no order: the error does not fall with the step";
  return "";
}

/// Rows by sampler, in the order of the settings: the measured orders.
void measure_orders(Comparison& result, const std::vector<Task>& tasks,
                    const PathSquares& squares) {
  const ComparisonSettings& s = result.settings;
  if (s.last == FinalStep::zero) return;  // its last step is as long on every grid
  for (const auto& name : s.samplers) {
    std::vector<double> h, errors, all_squares;
    double least = INFINITY;
    const SamplerInfo& info = list_samplers().at(name);
    bool sde = false;
    for (std::size_t i = 0; i < result.rows.size(); ++i) {
      const ComparisonRow& row = result.rows[i];
      if (row.sampler != name || row.status == Status::cancelled || !row.problem.empty()) continue;
      const double step = info.adaptive ? *row.tolerance : 1.0 / static_cast<double>(row.steps);
      if (std::find(h.begin(), h.end(), step) != h.end()) continue;
      sde = tasks[i].equation == ModelEquation::sde;
      const auto error = s.exact ? row.error_discretisation : row.error_pathwise;
      if (!error) continue;
      least = std::min(least, *error);
      if (!(*error <= large_error * result.spread)) continue;
      if (!s.exact) all_squares.insert(all_squares.end(), squares[i].begin(), squares[i].end());
      errors.push_back(*error);
      h.push_back(step);
    }
    if (std::isinf(least)) continue;
    const Orders& claimed = info.orders;
    ComparisonOrder order;
    order.sampler = name;
    order.kind = info.adaptive ? "tolerance" : !sde ? "deterministic" : s.exact ? "weak" : "strong";
    if (!info.adaptive)
      order.claimed = !sde ? claimed.deterministic : s.exact ? claimed.weak : claimed.strong;
    if (!h.empty())
      order.fit = s.exact
                      ? fit_order(h, errors, {}, {.floor = 1e-13})
                      : fit_order_bootstrap(h, all_squares, 400, s.seed.number, {.floor = 1e-9});
    order.verdict = no_order(order.fit, least, result.spread);
    if (order.verdict.empty())
      order.verdict = words(order, h, errors);
    else
      order.fit = {};
    result.orders.push_back(std::move(order));
  }
}

/// The flow of a score from the starts of the paths of the pathwise errors; empty if cancelled.
template <class S>
Block<double> flow_reference(const ComparisonSettings& s, SampledRun<S>& sampling, SharedWork& work,
                             const AnyScore<double>& score, Index paths) {
  const Index block = pathwise_size(s).block;
  const auto pieces =
      work.in_parallel((paths + block - 1) / block, [&](Index p) -> std::optional<std::string> {
        const Index first = p * block;
        Block<double> ends = sampling.flow_reference(score, first, std::min(block, paths - first));
        if (s.cancel && s.cancel->load()) return {};
        return to_bytes(ends);
      });
  if (work.cancelled()) return {};
  Block<double> all(s.data->dimension(), paths);
  for (std::size_t p = 0; p < pieces.size(); ++p) {
    const auto ends = from_bytes<Block<double>>(*pieces[p]);
    all.middleCols(static_cast<Index>(p) * block, ends.cols()) = ends;
  }
  return all;
}

/// Adds the pathwise errors to the rows, and what of them is the score's; returns the squares
/// behind the former, by row.
template <class S>
PathSquares pathwise_errors(Comparison& result, const DiffusionProcess& process,
                            const std::vector<Task>& tasks, SampledRun<S>& sampling,
                            SharedWork& work, const std::vector<Block<double>>& flow_ends,
                            Progress& progress) {
  const ComparisonSettings& s = result.settings;
  const Index paths = result.pathwise_paths, block = pathwise_size(s).block;
  PathSquares squares(tasks.size()), score_squares(tasks.size());
  Block<double> reference, exact;
  std::map<std::pair<Index, double>, std::vector<std::size_t>> groups;  // SDE rows by steps and eta
  for (std::size_t i = 0; i < tasks.size() && !work.cancelled(); ++i) {
    if (!result.rows[i].problem.empty()) continue;
    if (tasks[i].equation == ModelEquation::sde) {
      // The reference is not its limit, or not on its Brownian path.
      if (!solves_model(tasks[i].sampler) || tasks[i].info->adaptive) continue;
      groups[{tasks[i].steps, tasks[i].eta}].push_back(i);
    } else {
      if (reference.size() == 0) {
        reference =
            flow_reference(s, sampling, work, make_score<double>(s, process, *s.data), paths);
        if (has_wrong_score(s))
          exact = flow_reference(s, sampling, work, exact_score_of(process, *s.data), paths);
        if (work.cancelled()) break;
      }
      squares[i] = squared_distances(flow_ends[i], reference);
      if (has_wrong_score(s)) score_squares[i] = squared_distances(exact, reference);
    }
  }
  struct Piece {
    std::vector<std::size_t> rows;
    Index first, count;
  };
  std::vector<Piece> pieces;
  for (auto group = groups.rbegin(); group != groups.rend(); ++group) {
    for (const std::size_t i : group->second) {
      squares[i].resize(static_cast<std::size_t>(paths));
      if (has_wrong_score(s)) score_squares[i].resize(static_cast<std::size_t>(paths));
    }
    for (Index first = 0; first < paths; first += block)
      pieces.push_back({group->second, first, std::min(block, paths - first)});
  }
  const auto piece_of = [&](Index p) -> const Piece& {
    return pieces[static_cast<std::size_t>(p)];
  };
  const auto found = work.in_parallel(
      std::ssize(pieces),
      [&](Index p) -> std::optional<std::string> {
        const Piece& piece = piece_of(p);
        std::vector<const Task*> group;
        for (const std::size_t i : piece.rows) group.push_back(&tasks[i]);
        const PathSquares part = sampling.sde_squares(group, piece.first, piece.count);
        if (progress.cancelled()) return {};
        return to_bytes(part);
      },
      [&](Index p) {
        const Piece& piece = piece_of(p);
        progress.add(pathwise_work(tasks[piece.rows.front()].steps, piece.count, s),
                     "pathwise errors");
      });
  if (work.cancelled()) return PathSquares(tasks.size());
  for (std::size_t p = 0; p < pieces.size(); ++p) {
    const Piece& piece = pieces[p];
    const auto part = from_bytes<PathSquares>(*found[p]);
    for (std::size_t k = 0; k < piece.rows.size(); ++k) {
      const std::size_t row = piece.rows[k];
      std::copy(part[k].begin(), part[k].end(), squares[row].begin() + piece.first);
      if (has_wrong_score(s))
        std::copy(part.back().begin(), part.back().end(), score_squares[row].begin() + piece.first);
    }
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (squares[i].empty()) continue;
    const Distance rms = root_mean_square(squares[i]);
    result.rows[i].error_pathwise = rms.value;
    result.rows[i].error_pathwise_stderr = rms.standard_error;
    if (!score_squares[i].empty())
      result.rows[i].error_score = root_mean_square(score_squares[i]).value;
  }
  return squares;
}

/// The rows by work, the least first: what is begun together ends together, and what is there when
/// a run is ended is the cheap end of every sampler.
std::vector<std::size_t> cheapest_first(const std::vector<Task>& tasks) {
  std::vector<std::size_t> order(tasks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) {
    return work_of(tasks[i]) < work_of(tasks[j]);
  });
  return order;
}

bool is_first_tolerance(const Task& task) {
  return task.tolerance ==
         (task.equation == ModelEquation::sde ? sde_tolerances[0] : tolerances[0]);
}

template <class S>
void compare_samples(Comparison& result, const DiffusionProcess& process) {
  const ComparisonSettings& s = result.settings;
  std::vector<Task> tasks = plan(s);
  result.pathwise_paths =
      s.pathwise && *s.t_min > 0 && process.std(*s.t_min) > 0 && s.last != FinalStep::zero
          ? pathwise_size(s).paths
          : 0;  // the equations themselves are singular at their end: there is no reference
  double total = 0;
  std::map<Index, bool> sde_steps;
  for (const Task& task : tasks) {
    total += work_of(task);
    if (task.equation == ModelEquation::sde && !task.info->adaptive) sde_steps[task.steps] = true;
  }
  for (const auto& [steps, unused] : sde_steps)
    total += pathwise_work(steps, result.pathwise_paths, s);
  Progress progress(s, total);
  SharedWork alone;
  SharedWork& work = s.work ? *s.work : alone;

  const Sample reference = exact_sample(*s.data, s.paths, other_seed(s.seed, 0), s.cancel);
  const auto metric = make_metric(s.metric, reference, s.cancel);
  const Range range(reference);
  result.spread = spread_of(reference);
  result.metric_paths =
      s.metric == "energy" && s.data->dimension() > 1 ? std::min(s.paths, energy_paths) : s.paths;
  const double budget =
      s.nfe.empty() ? INFINITY : static_cast<double>(*std::max_element(s.nfe.begin(), s.nfe.end()));
  Floor floor;
  if (const auto bytes = work.one_by_one(1, [&](Index) { return make_floor(s); }); bytes.front())
    floor = from_bytes<Floor>(*bytes.front());
  result.floor = floor.mean;
  result.floor_sd = floor.sd;

  SampledRun<S> sampling(s, process);
  const Index kept =
      s.keep_samples ? s.paths : std::max<Index>(kept_numbers / s.data->dimension(), 16);
  const std::vector<std::size_t> order = cheapest_first(tasks);
  const auto found = work.one_by_one(
      std::ssize(tasks),
      [&](Index k) -> std::optional<std::string> {
        const Task& task = tasks[order[static_cast<std::size_t>(k)]];
        RowResult run;
        try {
          // the first tolerance is there whatever it takes
          run.left_out =
              task.info->adaptive && !is_first_tolerance(task) && sampling.exceeds(task, budget);
          if (run.left_out) return to_bytes(run);
          SampleArray states;
          const ComparisonRow row = sampling.run(task, states);
          if (row.status == Status::cancelled) return {};
          run.steps = row.steps;
          run.nfe = row.nfe;
          run.seconds = row.seconds;
          run.status = row.status;
          run.failed = row.failed;
          if (task.equation == ModelEquation::ode)
            run.flow_end = states.leftCols(result.pathwise_paths);
          if (s.last == FinalStep::denoise) sampling.denoise(states);
          run.outliers = range.outliers(states);
          run.distance = (*metric)(states);
          run.samples = states.leftCols(std::min(kept, s.paths));
        } catch (const std::exception& error) {
          run = {};
          run.problem = error.what();
        }
        if (s.cancel && s.cancel->load()) return {};
        return to_bytes(run);
      },
      [&](Index k) {
        const Task& task = tasks[order[static_cast<std::size_t>(k)]];
        progress.add(work_of(task), task.sampler);
      });
  std::vector<std::size_t> place(tasks.size());  // of a task in that order
  for (std::size_t k = 0; k < order.size(); ++k) place[order[k]] = k;
  std::vector<Block<double>> flow_ends;
  std::vector<Task> kept_tasks;
  std::map<std::string, double> left_out;  // the largest tolerance of a sampler
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (!found[place[i]]) continue;
    auto run = from_bytes<RowResult>(*found[place[i]]);
    if (run.left_out) {
      left_out.emplace(tasks[i].label, tasks[i].tolerance);
      continue;
    }
    ComparisonRow row = row_of(tasks[i]);
    if (!run.problem.empty()) {
      row.problem = std::move(run.problem);
      run.distance = {NAN, NAN};
      run.nfe = NAN;
    }
    if (row.steps == 0) row.steps = run.steps;
    row.nfe = run.nfe;
    row.seconds = run.seconds;
    row.status = run.status;
    row.failed = run.failed;
    row.outliers = run.outliers;
    row.error = run.distance.value;
    row.error_stderr = run.distance.standard_error;
    row.floor = floor.mean;
    row.samples = std::move(run.samples);
    flow_ends.push_back(std::move(run.flow_end));
    kept_tasks.push_back(tasks[i]);
    result.rows.push_back(std::move(row));
  }
  tasks = std::move(kept_tasks);
  for (const auto& [sampler, tolerance] : left_out)
    result.notes.push_back(fmt::format(
        "{}: tolerances from {} down take more than {:.0f} evaluations and are left out.", sampler,
        text(tolerance), budget));
  PathSquares squares(tasks.size());
  if (result.pathwise_paths >= 2 && !work.cancelled())
    squares = pathwise_errors(result, process, tasks, sampling, work, flow_ends, progress);
  if (work.cancelled()) {
    result.status = Status::cancelled;
    return;
  }
  measure_orders(result, tasks, squares);
}

void require(bool condition, const std::string& message) {
  if (!condition) throw std::invalid_argument(message);
}

}  // namespace

ComparisonSettings check_settings(ComparisonSettings s) {
  require(s.data.has_value(), "compare needs a data distribution");
  const DiffusionProcess process = make_process(s);
  const ScheduleInfo& info = schedule_info(s.process);
  require(!s.eta || (std::isfinite(*s.eta) && *s.eta >= 0),
          fmt::format("eta, the noise of the reverse equation, must be at least 0: got {}",
                      text(s.eta.value_or(0))));
  if (s.samplers.empty())  // those of the default set that these settings allow
    for (const auto* name : {"euler-maruyama", "heun-sde", "euler", "heun", "rk4", "dopri5"}) {
      const SamplerInfo& sampler = list_samplers().at(name);
      if (sampler.etas.contains(eta_of(s, sampler)) && !(s.exact && sampler.adaptive) &&
          (s.last != FinalStep::zero || sampler.ends_at_zero))
        s.samplers.push_back(name);
    }
  require(!s.samplers.empty(),
          fmt::format("no sampler of the default set runs with these settings{}: name --samplers",
                      s.eta ? " (eta=" + text(*s.eta) + ")" : ""));
  if (!s.grid) s.grid = info.default_grid;
  if (s.times) {
    require(s.nfe.empty() && s.steps.empty(),
            "a grid of one's own fixes the steps: leave out the numbers of steps and evaluations");
    require(!s.t_min || *s.t_min == s.times->back(),
            fmt::format("the grid ends at t={}: leave out t_min={}", text(s.times->back()),
                        text(s.t_min.value_or(0))));
    s.t_min = s.times->back();
  }
  if (!s.t_min) s.t_min = process.t_min();
  if (s.paths == 0) s.paths = s.data->kind() == DataKind::finite_set ? 400 : 20000;
  if (s.nfe.empty() && s.steps.empty() && !s.times) s.nfe = {8, 16, 32, 64, 128, 256};

  require(s.paths >= 2, fmt::format("a distance needs at least two paths: got {}", s.paths));
  require(s.threads >= 0, fmt::format("threads must not be negative: got {}", s.threads));
  require(s.nfe.empty() || s.steps.empty(), "give numbers of steps or of evaluations, not both");
  for (const auto* budget : {&s.nfe, &s.steps})
    for (const Index n : *budget)
      require(n >= 1, fmt::format("steps and NFE must be at least 1: got {}", n));
  for (const auto& name : s.samplers) {
    const SamplerInfo& sampler = list_samplers().at(name);
    check_last_step(sampler, process.schedule, eta_of(s, sampler), *s.t_min, s.last);
    require(!s.exact || !sampler.adaptive,
            fmt::format("{} adapts its steps to the path and so has no linear law: exact laws take "
                        "samplers with fixed steps",
                        name));
    const SamplerCost cost = cost_of(for_steps(name, 1));
    const Index last = sampler.adaptive ? 0 : last_cost(s, name);
    for (const Index nfe : s.nfe)
      require(sampler.adaptive || cost.steps(nfe - last) >= 1,
              fmt::format("{} evaluations are less than one step of {}, which takes {}{}", nfe,
                          name, cost.per_step + cost.once,
                          last == 0 ? "" : fmt::format(" beside {} of the last step", last)));
  }
  constexpr Index tried = 100'000;  // steps of a grid that is made to see that there is one
  for (const Task& task : plan(s))
    if (!task.info->adaptive) time_grid(s, process, task.equation, std::min(task.steps, tried));

  require(!s.learned || s.learned->dimension() == s.data->dimension(),
          fmt::format("{} was learned in {} dimensions, and {} has {}", s.score_name,
                      s.learned ? s.learned->dimension() : 0, s.data_name, s.data->dimension()));
  require(!s.learned || !s.exact, "exact laws need the exact score: leave out the learned one");
  require(s.exact || (!s.trace && !s.modes),
          "the trace and the errors of eigenmodes are those of exact laws: they need exact");
  if (s.exact) {
    require(
        s.data->gaussian().has_value(),
        fmt::format(
            "exact laws need Gaussian data (gaussian, spectrum:FILE, low-rank:FILE or a product "
            "of these): {} is a {}",
            s.data_name, to_string(s.data->kind())));
    s.metric = "w2";
  } else {
    Sample zeros(s.data->dimension(), 2);
    make_metric(s.metric,
                zeros);  // refuses unknown names, and w1 and w2 in more than one dimension
  }
  return s;
}

Comparison compare(const ComparisonSettings& settings) {
  const auto started = std::chrono::steady_clock::now();
  Comparison result;
  result.settings = check_settings(settings);
  const ComparisonSettings& s = result.settings;
  const DiffusionProcess process = make_process(s);
  result.start_time = process.sde_start();
  result.end_time = *s.t_min;
  for (const Task& task : plan(s))
    for (std::string& note : notes_on(s, process, task)) result.notes.push_back(std::move(note));
  Threads(s.threads).run([&] {
    if (s.exact) {
      compare_laws(result, process, plan(s));
      if (result.status == Status::success) measure_orders(result, plan(s), {});
    } else if (s.precision == Precision::single) {
      compare_samples<float>(result, process);
    } else {
      compare_samples<double>(result, process);
    }
  });
  result.seconds = elapsed(started);
  return result;
}

}  // namespace fokker
