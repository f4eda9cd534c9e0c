#pragma once
/// @file  fokker/solvers/ensemble/simulate.hpp
/// @brief Ensembles: a process from x0 along a grid, in blocks on threads, reduced as it goes.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>

#include <fokker/solvers/core/grid.hpp>
#include <fokker/solvers/core/solution.hpp>
#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/ensemble/reductions.hpp>
#include <fokker/solvers/ensemble/rounds.hpp>
#include <fokker/solvers/integrate/advance.hpp>
#include <fokker/solvers/integrate/contract.hpp>
#include <fokker/solvers/noise/initial.hpp>
#include <fokker/solvers/noise/random.hpp>

namespace fokker {

/// Options of `simulate`.
struct SimulateOptions {
  Index paths = 0;  ///< number of paths; with a target, the most that may be used
  Seed seed = 0;    ///< with the path's number it fixes every random number
  int threads = 0;  ///< at most, and at most the cores; 0: all; never changes a result
  /// Stop when the estimate's standard error is at most this (0: never). Paths come in rounds that
  /// double, so where it stops does not depend on the threads. Reductions with an error only.
  double target_standard_error = 0;
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
  Status status = Status::success;  ///< non_finite if any path ended so; such paths are in `value`
  Index paths = 0;                  ///< paths finished
  /// Paths that ended non-finite, whose solver gave up, or of which a functional is nan.
  Index failed = 0;
  Counts counts;       ///< summed over the paths (adaptive), or of one path (fixed step)
  double seconds = 0;  ///< wall time
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
Index count_failed(const auto& reduction, const auto& observer, const auto& x, Index count) {
  if constexpr (requires { reduction.count_failed(observer, x, count); })
    return reduction.count_failed(observer, x, count);
  else
    return count_non_finite(x, count);
}

/// @throws std::invalid_argument  always
[[noreturn]] void refuse_checkpoint_and_ranks();

/// Whether the grid is one finite time, or twice the same.
bool is_one_time(std::span<const Time> grid);

/// The grid, negated where it runs down.
TimeGrid upward(std::span<const Time> grid);

/// Blocks of a process, solved by a method and reduced. @param sign  of the time that is told
template <class S, class P, class M, class X0, class Reduction>
class ReducedBlocks final : public Blocks {
  using X = Block<S, state_rows<S, P, X0>()>;
  using Partial = typename Reduction::Partial;

 public:
  using TreeNode = ReductionNode<Reduction, AdaptiveSolver<M>>;

  ReducedBlocks(const P& process, const M& method, const X0& x0, const TimeGrid& grid, double sign,
                const SimulateOptions& options, Reduction& reduction, Index d)
      : Blocks(options, block_width(d, sizeof(S))),
        process_(process),
        method_(method),
        x0_(x0),
        grid_(grid),
        sign_(sign),
        reduction_(reduction),
        d_(d) {}

  NodePointer empty_node() const override { return std::make_unique<TreeNode>(); }

 private:
  void prepare() override { reduction_.prepare(options_.paths, d_, grid_); }

  NodePointer run(Index first, Index real) override {
    auto node = std::make_unique<TreeNode>();
    node->status = Status::cancelled;
    if (cancelled()) return node;
    // The last block is as wide as its leaves: whole leaves are whole vectors at the same places of
    // a row, so that a column has the same bits at every width.
    const Index columns = std::min(width_, (real + leaf_paths - 1) / leaf_paths * leaf_paths);
    Advance<P, M, X> advance(process_, method_, d_, columns, real, options_.seed,
                             static_cast<std::uint64_t>(first), options_.cancel);
    PathRandom random(options_.seed, static_cast<std::uint64_t>(first), columns);
    set_initial(x0_, random, advance.x());
    auto observer = reduction_.observer(advance.x());
    reduction_.observe(observer, 0, sign_ * grid_[0], advance.x(), first);
    for (std::size_t k = 0; k + 1 < grid_.size(); ++k) {
      if (cancelled()) return node;
      if (grid_[k + 1] > grid_[k]) advance.to(grid_[k], grid_[k + 1]);
      if (advance.status() == Status::cancelled) return node;
      reduction_.observe(observer, static_cast<Index>(k) + 1, sign_ * grid_[k + 1], advance.x(),
                         first);
    }
    const X& x = advance.x();
    if constexpr (requires { reduction_.close(observer, x); }) reduction_.close(observer, x);
    node->partial = reduce_leaves(
        0, width_ / leaf_paths, (real + leaf_paths - 1) / leaf_paths,
        [&](Index leaf) {
          return reduction_.leaf(observer, x, leaf * leaf_paths,
                                 std::min(leaf_paths, real - leaf * leaf_paths), first);
        },
        [](Partial a, Partial b) { return Reduction::merge(std::move(a), std::move(b)); });
    node->paths = real;
    node->failed = count_failed(reduction_, observer, x, real);
    node->status = node->failed > 0 ? Status::non_finite : Status::success;
    if (advance.status() != Status::success) node->status = advance.status();
    node->counts = advance.counts();
    return node;
  }

  const P& process_;
  const M& method_;
  const X0& x0_;
  const TimeGrid& grid_;
  double sign_;
  Reduction& reduction_;
  Index d_;
};

template <class S, class P, class M, class X0, class Reduction>
auto simulate_up(const P& process, const M& method, const X0& x0, const TimeGrid& grid, double sign,
                 const SimulateOptions& options, Reduction reduction)
    -> Ensemble<typename Reduction::Value> {
  require_compatible<M, P>();
  if (!portable<Reduction> && (options.checkpoint || options.ranks)) refuse_checkpoint_and_ranks();
  const Index d = state_dimension(process, x0);
  check_domain(process, x0);
  check_parameters(method, process);
  using X = Block<S, state_rows<S, P, X0>()>;
  if constexpr (!AdaptiveSolver<M> && !InitialLaw<X0, X>) {
    PathRandom unused(options.seed, 0, 1);
    X x(d, 1);
    set_initial(x0, unused, x);
    if (grid.back() > grid.front())
      check_first_steps(method, process, x, static_cast<Index>(grid.size()) - 1,
                        [&](Index k) { return grid[static_cast<std::size_t>(k)]; });
  }
  using Solved = ReducedBlocks<S, P, M, X0, Reduction>;
  Solved blocks(process, method, x0, grid, sign, options, reduction, d);
  double seconds = 0;
  const NodePointer total = blocks.run_all(seconds);
  return {reduction.result(std::move(static_cast<typename Solved::TreeNode&>(*total).partial)),
          total->status,
          total->paths,
          total->failed,
          total->counts,
          seconds};
}

}  // namespace detail

/// Solves the process from x0 along `grid` for an ensemble of paths and reduces it.
///
/// States have the same bits for any number of threads, paths and blocks; so has what a reduction
/// makes of them. Fixed-step solvers step on the grid's points; adaptive ones choose their own
/// steps for each path and land on each of the grid's points.
///
/// @tparam S          scalar of the states, double or float (time is always double)
/// @param process     drift and diffusion (see process.hpp)
/// @param method      a solver, for instance EulerMaruyama{}
/// @param x0          a number (d = 1), an array of d numbers, or a law with sample(random, x)
/// @param grid        times, strictly monotone; downwards where the process's clock allows it; {t}
///                    and {t, t} reduce the start
/// @param reduction   what to keep: Moments, expectation(phi), FinalState, SavedStates, ...
/// @throws std::invalid_argument  for paths < 1, a bad grid, a clock that runs the other way,
///                    dimensions that differ, an x0 (not a law) outside the domain of the process,
///                    coefficients that break their contract (contract.hpp), or a checkpoint or
///                    ranks for a reduction that keeps its result beside its partials. Numerical
///                    failure is a status in the result.
/// @throws std::runtime_error  a checkpoint of another run; an exception on another rank
template <class S = double, class P, class M, class X0, class Reduction>
auto simulate(const P& process, const M& method, const X0& x0, std::span<const Time> grid,
              const SimulateOptions& options, Reduction reduction)
    -> Ensemble<typename Reduction::Value> {
  static_assert(detail::runs_up<P, M> || detail::runs_down<P, M>,
                "this type-erased solver was made for another type of process");
  const bool still = detail::is_one_time(grid);
  if (!still) check_grid(grid);
  const bool up = still ? detail::runs_up<P, M> : grid[1] > grid[0];
  if (options.check) {
    using X = Block<S, detail::state_rows<S, P, X0>()>;
    using Evaluated = typename detail::EvaluatedOn<P, M, X>::X;
    detail::check_ensemble<Evaluated, X>(process, x0, options.seed, std::same_as<Evaluated, X>,
                                         grid.front(), grid.back());
  }
  if (up) {
    if constexpr (detail::runs_up<P, M>)
      return detail::simulate_up<S>(process, method, x0, detail::upward(grid), 1.0, options,
                                    std::move(reduction));
  } else {
    if constexpr (detail::runs_down<P, M>)
      return detail::simulate_up<S>(TimeReversed<P>{process}, method, x0,
                                    still ? TimeGrid(grid.size(), -grid[0]) : detail::upward(grid),
                                    -1.0, options, std::move(reduction));
  }
  detail::refuse_direction(up);
}

}  // namespace fokker
