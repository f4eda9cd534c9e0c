#pragma once
/// @file  fokker/solvers/rounds.hpp
/// @brief The tree of an ensemble in rounds, between which it is saved and shared among ranks.
///
/// The leaves of the tree are finished from left to right. What is finished is then a few partials
/// of aligned subtrees, of which the whole tree is made in one way only: its bits do not depend on
/// the rounds, on the ranks, or on where a run was ended and taken up again.

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fokker/solvers/bytes.hpp>
#include <fokker/solvers/checkpoint.hpp>
#include <fokker/solvers/communicator.hpp>
#include <fokker/solvers/solution.hpp>
#include <fokker/solvers/state.hpp>

namespace fokker::detail {

/// Whether all that a reduction finds is in its partials, which are values for a ByteWriter.
template <class Reduction>
inline constexpr bool portable = requires {
  requires Reduction::portable;
};

/// What comes up the tree: the reduction's partial and the bookkeeping.
/// @tparam sum_counts  counts are those of all paths, not of one path
template <class Reduction, bool sum_counts>
struct Node {
  typename Reduction::Partial partial{};
  Index paths = 0;
  Index failed = 0;
  Status status = Status::success;
  Counts counts;

  static Node merge(Node a, Node b) {
    a.partial = Reduction::merge(std::move(a.partial), std::move(b.partial));
    a.paths += b.paths;
    a.failed += b.failed;
    if (a.status == Status::success || b.status == Status::cancelled) a.status = b.status;
    if constexpr (sum_counts) a.counts += b.counts;
    return a;
  }
  void save(ByteWriter& out) const {
    if constexpr (portable<Reduction>) out.put(partial);
    out.put(paths);
    out.put(failed);
    out.put(status);
    out.put(counts);
  }
  void load(ByteReader& in) {
    if constexpr (portable<Reduction>) in.get(partial);
    in.get(paths);
    in.get(failed);
    in.get(status);
    in.get(counts);
  }
};

/// The finished leaves [0, end) as nodes of aligned subtrees, the largest first.
template <class Node>
class Finished {
 public:
  /// The next `leaves`, a power of two that divides `end`.
  void push(Index leaves, Node node) {
    end_ += leaves;
    while (!parts_.empty() && parts_.back().leaves == leaves) {
      node = Node::merge(std::move(parts_.back().node), std::move(node));
      parts_.pop_back();
      leaves *= 2;
    }
    parts_.push_back({leaves, std::move(node)});
  }
  Index end() const { return end_; }

  /// The node of all, where they are one subtree; else none.
  const Node* whole() const { return parts_.size() == 1 ? &parts_.front().node : nullptr; }

  /// The node of all: that of the tree in which nothing follows.
  Node total() && {
    if (parts_.empty()) return {};
    Node all = std::move(parts_.back().node);
    for (std::size_t i = parts_.size() - 1; i-- > 0;)
      all = Node::merge(std::move(parts_[i].node), std::move(all));
    return all;
  }

  void save(ByteWriter& out) const {
    out.put(end_);
    out.put(parts_);
  }
  void load(ByteReader& in) {
    in.get(end_);
    in.get(parts_);
  }

 private:
  struct Part {
    Index leaves = 0;
    Node node;
    void save(ByteWriter& out) const {
      out.put(leaves);
      out.put(node);
    }
    void load(ByteReader& in) {
      in.get(leaves);
      in.get(node);
    }
  };
  Index end_ = 0;
  std::vector<Part> parts_;
};

/// About how long a round lasts: short beside what a kill may cost, long beside its end, where
/// threads and ranks wait for the last of them.
inline constexpr double round_seconds = 0.25;

/// The least power of two of at least n.
inline Index power_of_two(Index n) {
  return static_cast<Index>(std::bit_ceil(static_cast<std::size_t>(n)));
}

/// A part of a round: the leaves [low, high), an aligned subtree.
struct Subtree {
  Index low, high;
};

/// Reduces a tree of `leaves` leaves in rounds, each an aligned subtree of a power-of-two number of
/// blocks, until all are finished, `enough(node)` holds for the finished ones, or one is cancelled.
/// The ranks share the subtrees of a round and send their nodes to rank 0, which merges them in
/// order, keeps the checkpoint and decides on the next round; all ranks return the same node. An
/// exception on one rank becomes a std::runtime_error on all.
///
/// @param block     leaves of a block
/// @param first     leaves of the first round; the later ones are as large as all before
/// @param threads   of this rank, for the size of short rounds
/// @param run       computes subtrees: run(std::vector<Subtree>) -> std::vector<Node>
template <class Node, class Run, class Enough>
Node reduce_in_rounds(Index leaves, Index block, Index first, int threads, Checkpoint* checkpoint,
                      Communicator* ranks, const Run& run, const Enough& enough) {
  using Clock = std::chrono::steady_clock;
  const Index size = ranks ? ranks->size() : 1, rank = ranks ? ranks->rank() : 0;
  Finished<Node> finished;  // at rank 0
  std::string error;        // what happened on this rank, or on any
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
    out.put(finished);
    checkpoint->save(out.take());
  };

  const bool timed = checkpoint || ranks;
  const Index least = block * power_of_two(threads * size);
  Index wanted = timed ? std::min(first, least) : first;
  bool over = false;
  const auto next_round = [&]() -> Index {
    const Index end = finished.end();
    over = over || end >= leaves || (finished.whole() && end >= first && enough(*finished.whole()));
    if (over) return 0;
    if (!timed) wanted = std::max(first, end);
    return end == 0 ? wanted : std::min(wanted, end & -end);
  };
  const auto end_round = [&](Index part, std::vector<Node> nodes, double seconds) {
    for (const Node& node : nodes) over = over || node.status == Status::cancelled;
    if (checkpoint && over) save();  // without what is unfinished
    for (Node& node : nodes) finished.push(part, std::move(node));
    if (checkpoint && !over && (finished.end() >= leaves || checkpoint->due())) save();
    if (seconds < round_seconds / 2) wanted = 2 * wanted;
    if (seconds > round_seconds * 2) wanted = std::max(wanted / 2, block);
  };

  if (rank == 0 && checkpoint)
    guarded([&] {
      if (const auto state = checkpoint->load()) ByteReader(*state).get(finished);
    });
  for (;;) {
    Index count = 0, low = 0;
    if (rank == 0) guarded([&] { count = next_round(), low = finished.end(); });
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
    std::vector<Node> nodes;
    guarded([&] { nodes = run(mine); });
    if (ranks) {
      ByteWriter out;
      out.put(std::string_view(error));
      out.put(nodes);
      const std::vector<std::string> all = ranks->gather(out.take());
      nodes.assign(rank == 0 ? static_cast<std::size_t>(parts) : 0, Node{});
      for (std::size_t r = 0; r < all.size(); ++r) {
        ByteReader in(all[r]);
        const auto theirs = in.get<std::string>();
        if (error.empty()) error = theirs;
        std::vector<Node> found;
        in.get(found);
        for (std::size_t i = 0; i < found.size(); ++i)
          nodes[r + i * all.size()] = std::move(found[i]);
      }
    }
    if (rank == 0)
      guarded([&] {
        end_round(part, std::move(nodes),
                  std::chrono::duration<double>(Clock::now() - started).count());
      });
  }

  Node total = std::move(finished).total();
  if (!ranks) return total;
  ByteWriter out;
  if (rank == 0) out.put(total);
  const std::string bytes = ranks->broadcast(out.take());
  ByteReader(bytes).get(total);
  return total;
}

}  // namespace fokker::detail
