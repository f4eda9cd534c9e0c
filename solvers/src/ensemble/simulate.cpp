/// @file  simulate.cpp
/// @brief What `simulate` does whatever the process, the solver and the reduction: blocks on
///        threads, merged along their tree, in batches.

#include <fokker/solvers/ensemble/simulate.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>

#include <fokker/solvers/ensemble/threads.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker::detail {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point started) {
  return std::chrono::duration<double>(Clock::now() - started).count();
}

/// The finished leaves [0, end) as nodes of aligned subtrees, the largest first.
class Finished {
 public:
  /// The next `leaves`, a power of two that divides `end`.
  void push(Index leaves, NodePointer node) {
    end_ += leaves;
    while (!parts_.empty() && parts_.back().leaves == leaves) {
      parts_.back().node->merge(*node);
      node = std::move(parts_.back().node);
      parts_.pop_back();
      leaves *= 2;
    }
    parts_.push_back({leaves, std::move(node)});
  }
  Index end() const { return end_; }

  /// The node of all, where they are one subtree; else none.
  const Node* whole() const { return parts_.size() == 1 ? parts_.front().node.get() : nullptr; }

  /// The node of all: that of the tree in which nothing follows; none of nothing.
  NodePointer total() && {
    if (parts_.empty()) return {};
    for (std::size_t i = parts_.size() - 1; i-- > 0;) parts_[i].node->merge(*parts_[i + 1].node);
    return std::move(parts_.front().node);
  }

  void save(ByteWriter& out) const {
    out.put(end_);
    out.put(parts_.size());
    for (const Part& part : parts_) {
      out.put(part.leaves);
      part.node->save(out);
    }
  }
  void load(ByteReader& in, const SubtreeSource& source) {
    in.get(end_);
    for (auto count = in.get<std::size_t>(); count > 0; --count) {
      Part& part = parts_.emplace_back();
      in.get(part.leaves);
      part.node = source.empty_node();
      part.node->load(in);
    }
  }

 private:
  struct Part {
    Index leaves = 0;
    NodePointer node;
  };
  Index end_ = 0;
  std::vector<Part> parts_;
};

/// About how long a batch lasts: short beside what a kill may cost, long beside its end, where
/// threads and ranks wait for the last of them.
constexpr double batch_seconds = 0.25;

/// The least power of two of at least n.
Index power_of_two(Index n) {
  return static_cast<Index>(std::bit_ceil(static_cast<std::size_t>(n)));
}

}  // namespace

void Node::merge(Node& next) {
  merge_partial(next);
  paths += next.paths;
  failed += next.failed;
  if (status == Status::success || next.status == Status::cancelled) status = next.status;
}

void Node::save(ByteWriter& out) const {
  save_partial(out);
  out.put(paths);
  out.put(failed);
  out.put(status);
  out.put(counts);
}

void Node::load(ByteReader& in) {
  load_partial(in);
  in.get(paths);
  in.get(failed);
  in.get(status);
  in.get(counts);
}

NodePointer reduce_in_batches(SubtreeSource& source, Index leaves, Index block, Index first,
                              int threads, Checkpoint* checkpoint, Communicator* ranks) {
  const Index size = ranks ? ranks->size() : 1, rank = ranks ? ranks->rank() : 0;
  Finished finished;  // at rank 0
  std::string error;  // what happened on this rank, or on any
  const auto guarded = [&](const auto& work) {
    if (!ranks) return work();
    try {
      if (error.empty()) work();
    } catch (const std::exception& e) {
      error = e.what();
    }
  };
  const auto save = [&] {
    ByteWriter out;
    finished.save(out);
    checkpoint->save(out.take());
  };

  const bool timed = checkpoint || ranks;
  const Index least = block * power_of_two(threads * size);
  Index wanted = timed ? std::min(first, least) : first;
  bool over = false;
  const auto next_batch = [&]() -> Index {
    const Index end = finished.end();
    over = over || end >= leaves ||
           (finished.whole() && end >= first && source.enough(*finished.whole()));
    if (over) return 0;
    if (!timed) wanted = std::max(first, end);
    return end == 0 ? wanted : std::min(wanted, end & -end);
  };
  const auto end_batch = [&](Index part, std::vector<NodePointer> nodes, double seconds) {
    for (const NodePointer& node : nodes) over = over || node->status == Status::cancelled;
    if (checkpoint && over) save();  // without what is unfinished
    for (NodePointer& node : nodes) finished.push(part, std::move(node));
    if (checkpoint && !over && (finished.end() >= leaves || checkpoint->due())) save();
    if (seconds < batch_seconds / 2) wanted = 2 * wanted;
    if (seconds > batch_seconds * 2) wanted = std::max(wanted / 2, block);
  };

  if (rank == 0 && checkpoint)
    guarded([&] {
      const auto state = checkpoint->load();
      if (!state) return;
      ByteReader in(*state);
      finished.load(in, source);
    });
  for (;;) {
    Index count = 0, low = 0;
    if (rank == 0) guarded([&] { count = next_batch(), low = finished.end(); });
    if (ranks) {
      ByteWriter out;
      out.put(count);
      out.put(low);
      out.put(std::string_view(error));
      const std::string order = ranks->broadcast(out.take());
      ByteReader in(order);
      in.get(count);
      in.get(low);
      in.get(error);
      if (!error.empty()) throw std::runtime_error(error);
    }
    if (count == 0) break;

    const auto started = Clock::now();
    const Index most = 16 * power_of_two(size);  // more parts than ranks, so that they end together
    const Index part = ranks ? std::max(block, count / most) : count;
    const Index parts = std::min(count / part, (leaves - low + part - 1) / part);
    std::vector<Subtree> mine;
    for (Index i = rank; i < parts; i += size)
      mine.push_back({low + i * part, low + (i + 1) * part});
    std::vector<NodePointer> nodes;
    guarded([&] { nodes = source.run(mine); });
    if (ranks) {
      ByteWriter out;
      out.put(std::string_view(error));
      out.put(nodes.size());
      for (const NodePointer& node : nodes) node->save(out);
      const std::vector<std::string> all = ranks->gather(out.take());
      nodes.clear();
      if (rank == 0)
        for (Index i = 0; i < parts; ++i) nodes.push_back(source.empty_node());
      for (std::size_t r = 0; r < all.size(); ++r) {
        ByteReader in(all[r]);
        const auto theirs = in.get<std::string>();
        if (error.empty()) error = theirs;
        const auto found = in.get<std::size_t>();
        for (std::size_t i = 0; i < found; ++i) nodes.at(r + i * all.size())->load(in);
      }
    }
    if (rank == 0) guarded([&] { end_batch(part, std::move(nodes), seconds_since(started)); });
  }

  NodePointer total = std::move(finished).total();
  if (!total) total = source.empty_node();
  if (!ranks) return total;
  ByteWriter out;
  if (rank == 0) total->save(out);
  const std::string bytes = ranks->broadcast(out.take());
  ByteReader in(bytes);
  total = source.empty_node();
  total->load(in);
  return total;
}

/// The tree of an ensemble's leaves, its blocks at the bottom.
class BlockTree final : public SubtreeSource {
 public:
  explicit BlockTree(Blocks& blocks)
      : blocks_(blocks),
        options_(blocks.options_),
        leaves_per_block_(blocks.width_ / leaf_paths),
        leaves_(options_.paths / leaf_paths + (options_.paths % leaf_paths == 0 ? 0 : 1)),
        threads_(options_.threads) {}

  NodePointer reduce() {
    Index first_batch = leaves_per_block_;
    while (first_batch < leaves_ &&
           (options_.target_standard_error <= 0 || first_batch < first_batch_leaves))
      first_batch *= 2;
    return reduce_in_batches(*this, leaves_, leaves_per_block_, first_batch, threads_.count(),
                             options_.checkpoint, options_.ranks);
  }

  NodePointer empty_node() const override { return blocks_.empty_node(); }

  std::vector<NodePointer> run(const std::vector<Subtree>& subtrees) override {
    std::vector<NodePointer> nodes(subtrees.size());
    for (NodePointer& node : nodes) node = empty_node();
    if (!subtrees.empty()) done_ = std::min(options_.paths, subtrees.front().low * leaf_paths);
    threads_.run([&] {
      for_each_index(static_cast<Index>(subtrees.size()), [&](Index k) {
        const auto i = static_cast<std::size_t>(k);
        nodes[i] = subtree(subtrees[i].low, subtrees[i].high);
      });
    });
    return nodes;
  }

  bool enough(const Node& node) const override {
    return options_.target_standard_error > 0 &&
           node.standard_error() <= options_.target_standard_error;
  }

 private:
  /// Leaves of the first batch when an ensemble stops at a target error: enough paths (4096) for
  /// the normal interval of the estimate to be trusted.
  static constexpr Index first_batch_leaves = 64;

  /// Blocks at the bottom, merged on the way up, always in the same shape.
  NodePointer subtree(Index low, Index high) {
    if (blocks_.cancelled()) {
      NodePointer nothing = empty_node();
      nothing->status = Status::cancelled;
      return nothing;
    }
    if (high - low <= leaves_per_block_) return block(low);
    const Index middle = low + (high - low) / 2;
    if (middle >= leaves_) return subtree(low, middle);
    // Empty where a part is left out, as both and for_each_index may do while an exception is on
    // its way out.
    NodePointer left = empty_node(), right = empty_node();
    both([&] { left = subtree(low, middle); }, [&] { right = subtree(middle, high); });
    left->merge(*right);
    return left;
  }

  NodePointer block(Index leaf) {
    const Index first = leaf * leaf_paths, real = std::min(blocks_.width_, options_.paths - first);
    NodePointer node = blocks_.run(first, real);
    if (options_.progress && node->paths > 0) {
      const std::scoped_lock lock(progress_mutex_);
      options_.progress(done_ += real, options_.paths);
    }
    return node;
  }

  Blocks& blocks_;
  const SimulateOptions& options_;
  const Index leaves_per_block_, leaves_;
  Threads threads_;
  std::mutex progress_mutex_;
  Index done_ = 0;
};

NodePointer Blocks::run_all(double& seconds) {
  if (options_.paths < 1)
    throw std::invalid_argument("simulate needs at least one path: got " +
                                std::to_string(options_.paths));
  const auto started = Clock::now();
  prepare();
  NodePointer total = BlockTree(*this).reduce();
  seconds = seconds_since(started);
  return total;
}

void refuse_checkpoint_and_ranks() {
  throw std::invalid_argument(
      "this reduction keeps its result beside its partials (FinalState, States, ...): it "
      "takes no checkpoint and no ranks");
}

bool is_one_time(std::span<const Time> grid) {
  return !grid.empty() && grid.size() <= 2 && grid.front() == grid.back() &&
         std::isfinite(grid.front());
}

Course course_of(std::optional<RegularTimes> regular, Time t0, Time t1, bool down,
                 std::span<const Time> save_at, bool every_step) {
  if (!std::isfinite(t0) || !std::isfinite(t1))
    throw std::invalid_argument(text("simulate needs two finite ends: got {} and {}", {t0, t1}));
  const double sign = down ? -1 : 1;
  const Time from = sign * t0, to = sign * t1;
  TimeGrid stops;
  for (const Time t : save_at) {
    if (!(sign * t >= (stops.empty() ? from : stops.back()) && sign * t <= to))
      throw std::invalid_argument(
          text("save_at must lie between the ends and follow the direction of time: got {}", {t}));
    stops.push_back(sign * t);
  }
  Course course;
  course.down = down;
  if (from == to) {
    course.points = {from};
  } else if (regular) {
    course.points = step_times(std::move(*regular), from, to, stops);
  } else {
    course.points = {from};
    for (const Time t : stops)
      if (t > course.points.back()) course.points.push_back(t);
    if (to > course.points.back()) course.points.push_back(to);
  }
  const bool all = every_step || save_at.empty();
  std::size_t next = 0;
  for (std::size_t k = 0; k < course.points.size(); ++k) {
    const Time t = course.points[k];
    bool saved = false;
    for (; next < stops.size() && stops[next] <= t; ++next) saved = true;
    if (!all && !saved) continue;
    course.seen.push_back(k);
    course.times.push_back(sign * t);
  }
  return course;
}

std::string ensemble_message(Status status, Index failed, Index paths, std::uint64_t max_steps) {
  if (status == Status::success) return {};
  if (status == Status::cancelled) return text("stopped from outside after {} paths", {paths});
  const std::string who = text("{} of {} paths ended in: {}; ", {failed, paths, to_string(status)});
  if (status == Status::too_many_steps)
    return who +
           text("raise max_steps ({}), loosen the tolerances or take larger steps", {max_steps});
  if (status == Status::step_underflow)
    return who +
           "the tolerances may be too tight, or the coefficients singular or discontinuous there";
  return who + "try smaller steps, or check the coefficients where the paths were";
}

}  // namespace fokker::detail
