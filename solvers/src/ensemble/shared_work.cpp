#include <fokker/solvers/ensemble/shared_work.hpp>

#include <algorithm>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <fokker/solvers/ensemble/threads.hpp>

namespace fokker {

SharedWork::Results SharedWork::one_by_one(Index count, const Piece& piece,
                                           const Finished& finished) {
  return run(count, 1, piece, finished);
}

SharedWork::Results SharedWork::in_parallel(Index count, const Piece& piece,
                                            const Finished& finished) {
  // Alone, all of them; else a few per thread, so that the last of a round is waited for shortly.
  const Index few = 4 * threads_here();
  return run(count, checkpoint_ || ranks_ ? few : std::max(count, few), piece, finished);
}

/// At rank 0 the results of all ranks, dealt out in turn; elsewhere nothing.
std::vector<SharedWork::Result> SharedWork::gather(std::vector<Result> mine, std::size_t count,
                                                   std::string& error) {
  if (!ranks_) return mine;
  ByteWriter out;
  out.put(std::string_view(error));
  out.put(mine);
  const std::vector<std::string> all = ranks_->gather(out.take());
  std::vector<Result> found(ranks_->rank() == 0 ? count : 0);
  for (std::size_t r = 0; r < all.size(); ++r) {
    ByteReader in(all[r]);
    const auto theirs = in.get<std::string>();
    if (error.empty()) error = theirs;
    std::vector<Result> part;
    in.get(part);
    for (std::size_t i = 0; i < part.size(); ++i) found[r + i * all.size()] = std::move(part[i]);
  }
  return found;
}

SharedWork::Results SharedWork::run(Index count, Index at_once, const Piece& piece,
                                    const Finished& finished) {
  const Index size = ranks_ ? ranks_->size() : 1, rank = ranks_ ? ranks_->rank() : 0;
  const std::size_t number = next_++;
  std::string error;  // what happened on this rank, or on any
  const auto guarded = [&](const auto& work) {
    if (!ranks_) return work();
    try {
      if (error.empty()) work();
    } catch (const std::exception& e) {
      error = e.what();
    }
  };
  const auto tell = [&](Index i) {
    if (rank == 0 && finished) finished(i);
  };
  std::vector<Index> missing;
  if (rank == 0) {
    guarded([&] {
      if (!loaded_ && checkpoint_)
        if (const auto state = checkpoint_->load())
          stages_ = from_bytes<std::vector<Stage>>(*state);
      loaded_ = true;
      if (stages_.size() <= number) stages_.resize(number + 1);
      stages_[number].resize(static_cast<std::size_t>(count));
      for (Index i = 0; i < count; ++i)
        if (stages_[number][static_cast<std::size_t>(i)].there)
          tell(i);
        else
          missing.push_back(i);
    });
  }

  for (std::size_t begun = 0;;) {
    std::vector<Index> round;
    if (rank == 0 && !cancelled_)
      while (begun < missing.size() && std::ssize(round) < size * at_once)
        round.push_back(missing[begun++]);
    if (ranks_) {
      ByteWriter out;
      out.put(round);
      out.put(cancelled_);
      out.put(std::string_view(error));
      const std::string order = ranks_->broadcast(out.take());
      ByteReader in(order);
      in.get(round);
      in.get(cancelled_);
      in.get(error);
      if (!error.empty()) throw std::runtime_error(error);
    }
    if (round.empty()) break;

    std::vector<Index> mine;
    for (std::size_t i = static_cast<std::size_t>(rank); i < round.size();
         i += static_cast<std::size_t>(size))
      mine.push_back(round[i]);
    std::vector<Result> results(mine.size());
    std::mutex mutex;
    guarded([&] {
      for_each_index(std::ssize(mine), [&](Index k) {
        const auto i = static_cast<std::size_t>(k);
        if (auto bytes = piece(mine[i])) {
          results[i] = {true, std::move(*bytes)};
          const std::scoped_lock lock(mutex);
          tell(mine[i]);
        }
      });
    });
    results = gather(std::move(results), round.size(), error);
    if (rank == 0)
      guarded([&] {
        for (std::size_t i = 0; i < results.size(); ++i) {
          cancelled_ = cancelled_ || !results[i].there;
          if (i % static_cast<std::size_t>(size) != 0 && results[i].there) tell(round[i]);
          stages_[number][static_cast<std::size_t>(round[i])] = std::move(results[i]);
        }
        if (checkpoint_ && (cancelled_ || checkpoint_->due())) checkpoint_->save(to_bytes(stages_));
      });
  }

  Stage all;
  if (rank == 0) all = checkpoint_ ? stages_[number] : std::exchange(stages_[number], {});
  if (ranks_) all = from_bytes<Stage>(ranks_->broadcast(to_bytes(all)));
  Results found(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < found.size(); ++i)
    if (all[i].there) found[i] = std::move(all[i].bytes);
  return found;
}

}  // namespace fokker
