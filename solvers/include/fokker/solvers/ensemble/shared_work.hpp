#pragma once
/// @file  fokker/solvers/ensemble/shared_work.hpp
/// @brief A run of many different pieces, kept in a checkpoint and shared among ranks: what the
///        tree of `simulate` is for one ensemble (batches.hpp), this is for a table of them.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <fokker/solvers/core/state.hpp>
#include <fokker/solvers/ensemble/checkpoint.hpp>
#include <fokker/solvers/ensemble/communicator.hpp>
#include <fokker/solvers/support/bytes.hpp>

namespace fokker {

/// Stages of numbered pieces. A piece gives bytes that depend on its stage and number alone, so the
/// results do not depend on threads, on ranks, or on where a run was ended and taken up again.
///
/// Rank 0 says which piece is next where, gathers what was found and keeps the checkpoint; all
/// ranks call the same stages in the same order and get the same results. An exception on one rank
/// becomes a std::runtime_error on all.
class SharedWork {
 public:
  /// The bytes of a piece, or nothing if it was cancelled: then no more pieces are begun, here and
  /// in later stages.
  using Piece = std::function<std::optional<std::string>(Index)>;
  /// Called at rank 0 for every finished piece, one call at a time.
  using Finished = std::function<void(Index)>;
  /// By piece; nothing where the work was cancelled before.
  using Results = std::vector<std::optional<std::string>>;

  explicit SharedWork(Checkpoint* checkpoint = nullptr, Communicator* ranks = nullptr)
      : checkpoint_(checkpoint), ranks_(ranks) {}

  /// A stage whose pieces have threads of their own: one at a time on each rank.
  Results one_by_one(Index count, const Piece& piece, const Finished& finished = {});
  /// A stage whose pieces run beside each other on the threads of the caller's arena.
  Results in_parallel(Index count, const Piece& piece, const Finished& finished = {});

  /// Whether a piece was cancelled, on any rank.
  bool cancelled() const { return cancelled_; }

 private:
  struct Result {
    bool there = false;
    std::string bytes;
    void save(ByteWriter& out) const {
      out.put(there);
      out.put(std::string_view(bytes));
    }
    void load(ByteReader& in) {
      in.get(there);
      in.get(bytes);
    }
  };
  using Stage = std::vector<Result>;

  Results run(Index count, Index at_once, const Piece& piece, const Finished& finished);
  std::vector<Result> gather(std::vector<Result> mine, std::size_t count, std::string& error);

  Checkpoint* checkpoint_;
  Communicator* ranks_;
  std::vector<Stage> stages_;  // at rank 0: those begun, here or before the checkpoint
  std::size_t next_ = 0;       // the stage that the next call is
  bool loaded_ = false, cancelled_ = false;
};

}  // namespace fokker
