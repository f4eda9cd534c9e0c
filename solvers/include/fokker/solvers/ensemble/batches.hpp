#pragma once
/// @file  fokker/solvers/ensemble/batches.hpp
/// @brief The tree of an ensemble in batches, between which it is saved and shared among ranks.
///
/// The leaves of the tree are finished from left to right. What is finished is then a few partials
/// of aligned subtrees, of which the whole tree is made in one way only: its bits do not depend on
/// the batches, on the ranks, or on where a run was ended and taken up again.

#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include <fokker/solvers/core/solution.hpp>
#include <fokker/solvers/core/state.hpp>
#include <fokker/solvers/ensemble/checkpoint.hpp>
#include <fokker/solvers/ensemble/communicator.hpp>
#include <fokker/solvers/support/bytes.hpp>

namespace fokker::detail {

/// Whether all that a reduction finds is in its partials, which are values for a ByteWriter.
template <class Reduction>
inline constexpr bool portable = requires {
  requires Reduction::portable;
};

/// What comes up the tree: the bookkeeping and, in the classes below, a reduction's partial.
struct Node {
  virtual ~Node() = default;

  /// Takes in the node of what follows.
  void merge(Node& next);
  void save(ByteWriter& out) const;
  void load(ByteReader& in);

  /// Of the estimate in the partial; nan where the reduction has none.
  virtual double standard_error() const = 0;

  Index paths = 0;
  Index failed = 0;
  Status status = Status::success;
  Counts counts;

 private:
  virtual void merge_partial(Node& next) = 0;
  virtual void save_partial(ByteWriter& out) const = 0;
  virtual void load_partial(ByteReader& in) = 0;
};

using NodePointer = std::unique_ptr<Node>;

/// @tparam sum_counts  counts are those of all paths, not of one path
template <class Reduction, bool sum_counts>
struct ReductionNode final : Node {
  typename Reduction::Partial partial{};

  double standard_error() const override {
    if constexpr (requires { Reduction::standard_error(partial); })
      return Reduction::standard_error(partial);
    else
      return std::numeric_limits<double>::quiet_NaN();
  }

 private:
  void merge_partial(Node& next) override {
    auto& other = static_cast<ReductionNode&>(next);
    partial = Reduction::merge(std::move(partial), std::move(other.partial));
    if constexpr (sum_counts) counts += other.counts;
  }
  void save_partial(ByteWriter& out) const override {
    if constexpr (portable<Reduction>) out.put(partial);
  }
  void load_partial(ByteReader& in) override {
    if constexpr (portable<Reduction>) in.get(partial);
  }
};

/// A part of a batch: the leaves [low, high), an aligned subtree.
struct Subtree {
  Index low, high;
};

/// What a tree is made of.
class SubtreeSource {
 public:
  virtual ~SubtreeSource() = default;
  /// A node of nothing, to be loaded.
  virtual NodePointer empty_node() const = 0;
  /// The nodes of these subtrees.
  virtual std::vector<NodePointer> run(const std::vector<Subtree>& subtrees) = 0;
  /// Whether no more is wanted than this node of all that is finished.
  virtual bool enough(const Node& node) const = 0;
};

/// Reduces a tree of `leaves` leaves in batches, each an aligned subtree of a power-of-two number of
/// blocks, until all are finished, `enough` holds for the finished ones, or one is cancelled.
/// The ranks share the subtrees of a batch and send their nodes to rank 0, which merges them in
/// order, keeps the checkpoint and decides on the next batch; all ranks return the same node. An
/// exception on one rank becomes a std::runtime_error on all.
///
/// @param block     leaves of a block
/// @param first     leaves of the first batch; the later ones are as large as all before
/// @param threads   of this rank, for the size of short batches
NodePointer reduce_in_batches(SubtreeSource& source, Index leaves, Index block, Index first,
                              int threads, Checkpoint* checkpoint, Communicator* ranks);

}  // namespace fokker::detail
