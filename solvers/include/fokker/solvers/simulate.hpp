#pragma once
/// @file  fokker/solvers/simulate.hpp
/// @brief Ensembles: a process from x0 along a grid, in blocks on threads, reduced as it goes.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iterator>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fokker/solvers/advance.hpp>
#include <fokker/solvers/grid.hpp>
#include <fokker/solvers/initial.hpp>
#include <fokker/solvers/random.hpp>
#include <fokker/solvers/reductions.hpp>
#include <fokker/solvers/rounds.hpp>
#include <fokker/solvers/solution.hpp>
#include <fokker/solvers/solver.hpp>
#include <fokker/solvers/threads.hpp>

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
};

/// What `simulate` returns.
template <class Value>
struct Ensemble {
  Value value;                      ///< what the reduction made of the paths
  Status status = Status::success;  ///< non_finite if any path ended so; such paths are in `value`
  Index paths = 0;                  ///< paths finished
  Index failed = 0;                 ///< paths that ended non-finite, or whose solver gave up
  Counts counts;       ///< summed over the paths (adaptive), or of one path (fixed step)
  double seconds = 0;  ///< wall time
};

namespace detail {

/// Leaves of the first round when an ensemble stops at a target error: enough paths (4096) for the
/// normal interval of the estimate to be trusted.
inline constexpr Index first_round_leaves = 64;

/// The tree of leaves: `run(block)` at the bottom, `Node::merge` on the way up, always in the same
/// shape.
template <class Node, class Run>
Node reduce_tree(Index low, Index high, Index end, Index leaves_per_block, const Run& run) {
  if (high - low <= leaves_per_block) return run(low);
  const Index middle = low + (high - low) / 2;
  if (middle >= end) return reduce_tree<Node>(low, middle, end, leaves_per_block, run);
  Node left, right;
  both([&] { left = reduce_tree<Node>(low, middle, end, leaves_per_block, run); },
       [&] { right = reduce_tree<Node>(middle, high, end, leaves_per_block, run); });
  return Node::merge(std::move(left), std::move(right));
}

/// Leaves [first, first + count) of one block, merged along the same tree.
template <class Leaf, class Merge>
auto reduce_leaves(Index first, Index count, Index end, const Leaf& leaf, const Merge& merge)
    -> decltype(leaf(first)) {
  if (count == 1) return leaf(first);
  const Index half = count / 2;
  auto left = reduce_leaves(first, half, end, leaf, merge);
  if (first + half >= end) return left;
  return merge(std::move(left), reduce_leaves(first + half, half, end, leaf, merge));
}

inline Index count_non_finite(const auto& x, Index count) {
  Index bad = 0;
  for (Index j = 0; j < count; ++j) bad += x.col(j).isFinite().all() ? 0 : 1;
  return bad;
}

}  // namespace detail

namespace detail {

template <class S, class P, class M, class X0, class Reduction>
auto simulate_up(const P& process, const M& method, const X0& x0, const TimeGrid& grid, double sign,
                 const SimulateOptions& options, Reduction reduction) {
  using X = Block<S, state_rows<S, P, X0>()>;
  using Partial = typename Reduction::Partial;
  using TreeNode = Node<Reduction, AdaptiveSolver<M>>;
  using Result = Ensemble<typename Reduction::Value>;
  require_compatible<M, P>();
  if (options.paths < 1)
    throw std::invalid_argument("simulate needs at least one path: got " +
                                std::to_string(options.paths));
  if (!portable<Reduction> && (options.checkpoint || options.ranks))
    throw std::invalid_argument(
        "this reduction keeps its result beside its partials (FinalState, SavedStates, ...): it "
        "takes no checkpoint and no ranks");
  const auto started = std::chrono::steady_clock::now();
  const Index d = state_dimension(process, x0);
  check_domain(process, x0);
  const Index width = block_width(d, sizeof(S));
  const Index leaves_per_block = width / leaf_paths;
  const Index leaves = (options.paths + leaf_paths - 1) / leaf_paths;
  reduction.prepare(options.paths, d, grid);

  std::mutex progress_mutex;
  Index done = 0;

  const auto run_block = [&](Index first_leaf) {
    TreeNode node;
    const auto cancelled = [&] { return options.cancel && options.cancel->load(); };
    if (cancelled()) {
      node.status = Status::cancelled;
      return node;
    }
    const Index first = first_leaf * leaf_paths;
    const Index real = std::min(width, options.paths - first);
    Advance<P, M, X> advance(process, method, d, width, real, options.seed,
                             static_cast<std::uint64_t>(first));
    PathRandom random(options.seed, static_cast<std::uint64_t>(first), width);
    set_initial(x0, random, advance.x());
    auto observer = reduction.observer(advance.x());
    reduction.observe(observer, 0, sign * grid[0], advance.x(), first);
    for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
      if (cancelled()) {
        node.status = Status::cancelled;
        return node;
      }
      advance.to(grid[k], grid[k + 1]);
      reduction.observe(observer, static_cast<Index>(k) + 1, sign * grid[k + 1], advance.x(),
                        first);
    }
    const X& x = advance.x();
    if constexpr (requires { reduction.close(observer, x); }) reduction.close(observer, x);
    node.partial = reduce_leaves(
        0, leaves_per_block, (real + leaf_paths - 1) / leaf_paths,
        [&](Index leaf) {
          return reduction.leaf(observer, x, leaf * leaf_paths,
                                std::min(leaf_paths, real - leaf * leaf_paths), first);
        },
        [](Partial a, Partial b) { return Reduction::merge(std::move(a), std::move(b)); });
    node.paths = real;
    node.failed = count_non_finite(x, real);
    node.status = node.failed > 0 ? Status::non_finite : Status::success;
    if (advance.status() != Status::success) node.status = advance.status();
    node.counts = advance.counts();
    if (options.progress) {
      const std::scoped_lock lock(progress_mutex);
      options.progress(done += real, options.paths);
    }
    return node;
  };

  Threads threads(options.threads);
  const auto run_subtrees = [&](const std::vector<Subtree>& subtrees) {
    std::vector<TreeNode> nodes(subtrees.size());
    if (!subtrees.empty()) done = std::min(options.paths, subtrees.front().low * leaf_paths);
    threads.run([&] {
      for_each_index(std::ssize(subtrees), [&](Index k) {
        const auto i = static_cast<std::size_t>(k);
        nodes[i] = reduce_tree<TreeNode>(subtrees[i].low, subtrees[i].high, leaves,
                                         leaves_per_block, run_block);
      });
    });
    return nodes;
  };
  const auto enough = [&]([[maybe_unused]] const TreeNode& node) {
    if constexpr (requires { Reduction::standard_error(node.partial); })
      return options.target_standard_error > 0 &&
             Reduction::standard_error(node.partial) <= options.target_standard_error;
    else
      return false;
  };
  Index first_round = leaves_per_block;
  while (first_round < leaves &&
         (options.target_standard_error <= 0 || first_round < first_round_leaves))
    first_round *= 2;
  TreeNode total =
      reduce_in_rounds<TreeNode>(leaves, leaves_per_block, first_round, threads.count(),
                                 options.checkpoint, options.ranks, run_subtrees, enough);

  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - started;
  return Result{reduction.result(std::move(total.partial)),
                total.status,
                total.paths,
                total.failed,
                total.counts,
                elapsed.count()};
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
/// @param grid        times, strictly monotone; downwards where the process's clock allows it
/// @param reduction   what to keep: Moments, expectation(phi), FinalState, SavedStates, ...
/// @throws std::invalid_argument  for paths < 1, a bad grid, a clock that runs the other way,
///                    dimensions that differ, an x0 (not a law) outside the domain of the process,
///                    or a checkpoint or ranks for a reduction that keeps its result beside its
///                    partials. Numerical failure is a status in the result.
/// @throws std::runtime_error  a checkpoint of another run; an exception on another rank
template <class S = double, class P, class M, class X0, class Reduction>
auto simulate(const P& process, const M& method, const X0& x0, std::span<const Time> grid,
              const SimulateOptions& options, Reduction reduction)
    -> Ensemble<typename Reduction::Value> {
  static_assert(detail::runs_up<P, M> || detail::runs_down<P, M>,
                "this type-erased solver was made for another type of process");
  check_grid(grid);
  const bool up = grid[1] > grid[0];
  if (up) {
    if constexpr (detail::runs_up<P, M>)
      return detail::simulate_up<S>(process, method, x0, TimeGrid(grid.begin(), grid.end()), 1.0,
                                    options, std::move(reduction));
  } else {
    if constexpr (detail::runs_down<P, M>) {
      TimeGrid negated(grid.size());
      std::transform(grid.begin(), grid.end(), negated.begin(), [](Time t) { return -t; });
      return detail::simulate_up<S>(TimeReversed<P>{process}, method, x0, negated, -1.0, options,
                                    std::move(reduction));
    }
  }
  detail::refuse_direction(up);
}

}  // namespace fokker
