#pragma once
/// @file  fokker/solvers/ensemble/simulate.hpp
/// @brief Ensembles: a process from its start to t1, in blocks on threads, reduced as it goes.

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fokker/solvers/core/grid.hpp>
#include <fokker/solvers/core/solution.hpp>
#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/ensemble/batches.hpp>
#include <fokker/solvers/ensemble/reductions.hpp>
#include <fokker/solvers/integrate/block_integrator.hpp>
#include <fokker/solvers/integrate/contract.hpp>
#include <fokker/solvers/noise/initial.hpp>
#include <fokker/solvers/noise/random.hpp>

namespace fokker {

/// Options of `simulate`.
struct SimulateOptions {
  Index paths = 0;  ///< number of paths; with a target, the most that may be used
  std::vector<Time> save_at =
      {};                  ///< times at which the reduction sees the states, in the order of
                           ///< time; empty: every step of Fixed and OnGrid, else the ends
  Seed seed = 0;           ///< with the path's number it fixes every random number
  NoiseSource noise = {};  ///< a Brownian source in place of the seed's (noise_source.hpp)
  int threads = 0;         ///< at most, and at most the cores; 0: all; never changes a result
  /// Stop when the estimate's standard error is at most this (0: never). Paths come in batches that
  /// double, so where it stops does not depend on the threads. Reductions with an error only.
  double target_standard_error = 0;
  std::uint64_t max_steps = 10'000'000;       ///< of a path, accepted and rejected together
  const std::atomic<bool>* cancel = nullptr;  ///< when it turns true, end with what is finished
  std::function<void(Index done, Index total)> progress = {};  ///< in paths; called by one thread
  Checkpoint* checkpoint = nullptr;  ///< goes on from it and writes to it (checkpoint.hpp)
  Communicator* ranks = nullptr;     ///< share the paths and return the same on each (mpi.hpp)
  bool check = true;                 ///< the contract of the coefficients, once (contract.hpp)
};

/// What `simulate` returns.
template <class Value>
struct Ensemble {
  Value value;                      ///< what the reduction made of the paths
  Status status = Status::success;  ///< how paths ended that did not succeed; they are in `value`
  Index paths = 0;                  ///< paths finished
  /// Paths that ended non-finite, whose solver gave up, or of which a functional is nan.
  Index failed = 0;
  MeanCounts counts = {};    ///< per path, the mean
  double seconds = 0;        ///< wall time
  std::vector<Time> t = {};  ///< the times at which the reduction saw the states
  std::string message = {};  ///< empty on success; else what happened and what to try
};

namespace detail {

/// The blocks of an ensemble, whatever solves and reduces them.
class Blocks {
 public:
  /// @param width  paths of a block
  Blocks(const SimulateOptions& options, Index width) : options_(options), width_(width) {}
  virtual ~Blocks() = default;

  /// Runs all that is asked for and adds up what it took.
  /// @throws std::invalid_argument  without a path
  NodePointer run_all(double& seconds);

  virtual NodePointer empty_node() const = 0;

 protected:
  bool cancelled() const { return options_.cancel && options_.cancel->load(); }

  const SimulateOptions& options_;
  const Index width_;

 private:
  friend class BlockTree;

  virtual void prepare() = 0;
  /// The node of `real` paths from number `first` on; called from several threads. Without a path
  /// where it was cancelled.
  virtual NodePointer run(Index first, Index real) = 0;
};

/// Leaves [first, first + count) of one block, merged along the same tree as the blocks.
template <class Leaf, class Merge>
auto reduce_leaves(Index first, Index count, Index end, const Leaf& leaf, const Merge& merge)
    -> decltype(leaf(first)) {
  if (count == 1) return leaf(first);
  const Index half = count / 2;
  auto left = reduce_leaves(first, half, end, leaf, merge);
  if (first + half >= end) return left;
  return merge(std::move(left), reduce_leaves(first + half, half, end, leaf, merge));
}

/// The paths of the first `count` with a component that is not finite.
Index count_non_finite(const auto& x, Index count) {
  Index bad = 0;
  for (Index j = 0; j < count; ++j) {
    bool finite = true;
    for (Index r = 0; r < x.rows(); ++r) finite = finite && std::isfinite(x.coeff(r, j));
    bad += finite ? 0 : 1;
  }
  return bad;
}

/// The same, counting also the paths that the reduction reports as failed, if it reports any.
Index count_failed(const auto& reduction, const auto& accumulator, const auto& x, Index count) {
  if constexpr (requires { reduction.count_failed(accumulator, x, count); })
    return reduction.count_failed(accumulator, x, count);
  else
    return count_non_finite(x, count);
}

/// @throws std::invalid_argument  always
[[noreturn]] void refuse_checkpoint_and_ranks();

/// Whether the grid is one finite time, or twice the same.
bool is_one_time(std::span<const Time> grid);

/// The course of a run on its rising clock.
struct Course {
  TimeGrid points;                ///< where blocks stop: all regular steps, or the times looked at
  std::vector<std::size_t> seen;  ///< the points that the reduction sees, ascending
  TimeGrid times;                 ///< of these, on the user's clock
  bool down = false;
};

/// @param regular     the regular times on the rising clock, if the steps have them
/// @param every_step  the reduction wants to see every point, whatever is saved
/// @throws std::invalid_argument  for ends that are not finite, and times of save_at outside them or
///                                out of order
Course course_of(std::optional<RegularTimes> regular, Time t0, Time t1, bool down,
                 std::span<const Time> save_at, bool every_step);

/// The sentence for how an ensemble ended. @param longest  steps of a path allowed
std::string ensemble_message(Status status, Index failed, Index paths, std::uint64_t max_steps);

/// Whether a reduction sees every step, whatever times are saved.
template <class Reduction>
inline constexpr bool sees_every_step = requires {
  requires Reduction::every_step;
};

/// Blocks of a process, solved by a method with its steps and reduced.
template <class S, class P, class B, class X0, class Reduction>
class ReducedBlocks final : public Blocks {
  using X = Block<S, state_rows<S, P, X0>()>;
  using Partial = typename Reduction::Partial;

 public:
  using TreeNode = ReductionNode<Reduction, !B::regular>;

  ReducedBlocks(const P& process, const B& bound, const X0& x0, const Course& course,
                const SimulateOptions& options, Reduction& reduction, Index d)
      : Blocks(options, block_width(d, sizeof(S))),
        process_(process),
        bound_(bound),
        x0_(x0),
        course_(course),
        reduction_(reduction),
        d_(d) {}

  NodePointer empty_node() const override { return std::make_unique<TreeNode>(); }

 private:
  void prepare() override { reduction_.prepare(options_.paths, d_, course_.times); }

  NodePointer run(Index first, Index real) override {
    auto node = std::make_unique<TreeNode>();
    node->status = Status::cancelled;
    if (cancelled()) return node;
    // The last block is as wide as its leaves: whole leaves are whole vectors at the same places of
    // a row, so that a column has the same bits at every width.
    const Index columns = std::min(width_, (real + leaf_paths - 1) / leaf_paths * leaf_paths);
    const auto number = static_cast<std::uint64_t>(first);
    BlockIntegrator<P, B, X> block(process_, bound_,
                                   {.d = d_,
                                    .n = columns,
                                    .real = real,
                                    .noise = {.seed = options_.seed,
                                              .path = number,
                                              .given = &options_.noise,
                                              .run_path = 0,
                                              .run_paths = options_.paths,
                                              .down = course_.down},
                                    .max_steps = options_.max_steps,
                                    .cancel = options_.cancel});
    PathRandom random(options_.seed, number, columns);
    set_initial(x0_, random, block.x());
    auto accumulator = reduction_.accumulator(block.x());
    std::size_t seen = 0;
    const auto look = [&](std::size_t point) {
      if (seen == course_.seen.size() || course_.seen[seen] != point) return;
      reduction_.observe(accumulator, static_cast<Index>(seen), course_.times[seen], block.x(),
                         first);
      ++seen;
    };
    look(0);
    const TimeGrid& t = course_.points;
    Status status = Status::success;
    for (std::size_t k = 0; k + 1 < t.size(); ++k) {
      if (cancelled()) return node;
      if (B::regular && k >= options_.max_steps) {
        status = Status::too_many_steps;
        block.x().setConstant(std::numeric_limits<S>::quiet_NaN());
      } else if (t[k + 1] > t[k]) {
        block.to(t[k], t[k + 1]);
      }
      if (block.status() == Status::cancelled) return node;
      look(k + 1);
    }
    const X& x = block.x();
    if constexpr (requires { reduction_.finish(accumulator, x); })
      reduction_.finish(accumulator, x);
    node->partial = reduce_leaves(
        0, width_ / leaf_paths, (real + leaf_paths - 1) / leaf_paths,
        [&](Index leaf) {
          return reduction_.partial(accumulator, x, leaf * leaf_paths,
                                    std::min(leaf_paths, real - leaf * leaf_paths), first);
        },
        [](Partial a, Partial b) { return Reduction::merge(std::move(a), std::move(b)); });
    node->paths = real;
    node->failed = count_failed(reduction_, accumulator, x, real);
    node->status = status != Status::success           ? status
                   : block.status() != Status::success ? block.status()
                   : node->failed > 0                  ? Status::non_finite
                                                       : Status::success;
    node->counts = block.counts();
    return node;
  }

  const P& process_;
  const B& bound_;
  const X0& x0_;
  const Course& course_;
  Reduction& reduction_;
  Index d_;
};

template <class S, class P, class B, class X0, class Reduction>
auto simulate_course(const P& process, const B& bound, const X0& x0, const Course& course,
                     const SimulateOptions& options, Reduction reduction)
    -> Ensemble<typename Reduction::Value> {
  if (!portable<Reduction> && (options.checkpoint || options.ranks)) refuse_checkpoint_and_ranks();
  const Index d = state_dimension(process, x0);
  check_domain(process, x0);
  check_parameters(bound.method, process);
  using X = Block<S, state_rows<S, P, X0>()>;
  if constexpr (B::regular && !Sampler<typename B::Method> && !InitialLaw<X0, X>) {
    PathRandom unused(options.seed, 0, 1);
    X x(d, 1);
    set_initial(x0, unused, x);
    if (course.points.size() > 1)
      check_first_steps(bound.method, process, x, static_cast<Index>(course.points.size()) - 1,
                        [&](Index k) { return course.points[static_cast<std::size_t>(k)]; });
  }
  using Solved = ReducedBlocks<S, P, B, X0, Reduction>;
  Solved blocks(process, bound, x0, course, options, reduction, d);
  double seconds = 0;
  const NodePointer total = blocks.run_all(seconds);
  const double paths = B::regular ? 1 : static_cast<double>(std::max<Index>(total->paths, 1));
  return {reduction.result(std::move(static_cast<typename Solved::TreeNode&>(*total).partial)),
          total->status,
          total->paths,
          total->failed,
          MeanCounts(total->counts, paths),
          seconds,
          course.times,
          ensemble_message(total->status, total->failed, total->paths, options.max_steps)};
}

/// {first, last} of a grid, which may be one time or twice the same.
/// @throws std::invalid_argument  as check_grid
template <GivesGrid Steps>
std::array<Time, 2> span_of_ensemble(const Steps& steps) {
  const TimeGrid& grid = grid_of(steps);
  if (!is_one_time(grid)) check_grid(grid);
  return {grid.front(), grid.back()};
}

template <class S, class P, class M, class Steps, class X0, class Reduction>
auto simulate(const P& process, const M& method, const Steps& steps, const X0& start,
              std::array<Time, 2> span, const SimulateOptions& options, Reduction reduction) {
  decltype(auto) x0 = as_start<S>(start);
  using Start = std::remove_cvref_t<decltype(x0)>;
  constexpr int rows = state_rows<S, P, Start>();
  using X = Block<S, rows>;
  constexpr bool is_law = InitialLaw<Start, X>;
  static_assert(is_law || std::is_arithmetic_v<Start> || State<Start>,
                "the start must be a number, an Eigen vector or array, a std::array, a "
                "std::vector, or a law with sample(random, x)");
  if constexpr (is_law || std::is_arithmetic_v<Start> || State<Start>) {
    if constexpr (check_usage<P, M, Steps, X>()) {
      const auto bound = bind(method, steps);
      using B = BoundOf<M, Steps>;
      const bool still = span[0] == span[1];
      const bool up = still ? runs_up<P, M> : span[1] > span[0];
      const double sign = up ? 1.0 : -1.0;
      std::optional<RegularTimes> regular;
      if constexpr (GivesGrid<Steps>) {
        TimeGrid grid = grid_of(steps);
        for (Time& t : grid) t *= sign;
        regular.emplace(std::move(grid));
      } else if constexpr (std::same_as<Steps, Fixed>) {
        regular.emplace(sign * span[0], steps);
        regular->check_end(sign * span[0], sign * span[1]);
      }
      const Course course = course_of(std::move(regular), span[0], span[1], !up, options.save_at,
                                      sees_every_step<Reduction>);
      if (options.check) {
        using Evaluated = typename EvaluatedOn<P, B, X>::X;
        check_ensemble<Evaluated, X>(process, x0, options.seed, std::same_as<Evaluated, X>, span[0],
                                     span[1]);
      }
      if (up) {
        if constexpr (runs_up<P, M>)
          return simulate_course<S>(process, bound, x0, course, options, std::move(reduction));
      } else {
        if constexpr (runs_down<P, M>)
          return simulate_course<S>(TimeReversed<P>{process}, bound, x0, course, options,
                                    std::move(reduction));
      }
      refuse_direction(up);
    }
  }
}

}  // namespace detail

/// Solves the process for an ensemble of paths over [t0, t1] and reduces it.
///
///     simulate(sde, Milstein{}, Fixed{0.01}, 1.0, {0, 10}, {.paths = 100'000, .seed = 42},
///              Moments{});
///     simulate(ReverseSde{vp, score}, Ddpm{}, OnGrid{times}, vp.prior(2), {.paths = 50'000},
///              FinalState{});
///
/// States have the same bits for any number of threads, paths and blocks; so has what a reduction
/// makes of them. With Adaptive steps every path has steps of its own, which land on the times of
/// save_at.
///
/// @tparam S          scalar of the states, double or float (time is always double)
/// @param process     drift and diffusion (see process.hpp)
/// @param method      a solver or a sampler, for instance EulerMaruyama{}
/// @param steps       Fixed, OnGrid, Adaptive, Predictable or JumpAdapted (core/steps.hpp)
/// @param x0          a number (d = 1), d numbers (an Eigen vector or array, a std::array or
///                    std::vector), or a law with sample(random, x)
/// @param span        {t0, t1}, downwards where the process's clock allows it; t1 = t0 reduces the
///                    start; left out where the steps are on a grid
/// @param reduction   what to keep: Moments, expectation(phi), FinalState, States, ...
/// @throws std::invalid_argument  for paths < 1, bad steps or times, a clock that runs the other
///                    way, dimensions that differ, an x0 (not a law) outside the domain of the
///                    process, coefficients that break their contract (contract.hpp), or a
///                    checkpoint or ranks for a reduction that keeps its result beside its partials.
///                    Numerical failure is a status in the result.
/// @throws std::runtime_error  a checkpoint of another run; an exception on another rank
template <class S = double, class P, class M, class Steps, class X0, class Reduction>
requires(!detail::GivesGrid<Steps>) auto simulate(const P& process, const M& method,
                                                  const Steps& steps, const X0& x0,
                                                  std::array<Time, 2> span,
                                                  const SimulateOptions& options,
                                                  Reduction reduction) {
  return detail::simulate<S>(process, method, steps, x0, span, options, std::move(reduction));
}
/// The same on a grid.
template <class S = double, class P, class M, detail::GivesGrid Steps, class X0, class Reduction>
auto simulate(const P& process, const M& method, const Steps& steps, const X0& x0,
              const SimulateOptions& options, Reduction reduction) {
  return detail::simulate<S>(process, method, steps, x0, detail::span_of_ensemble(steps), options,
                             std::move(reduction));
}

}  // namespace fokker
