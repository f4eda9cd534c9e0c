#pragma once
/// @file  fokker/diffusion/score/counted_score.hpp
/// @brief The one place where evaluations of a score (NFE) are counted.

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include <fokker/solvers/core/state.hpp>

namespace fokker {

/// A score that counts how often it is asked. Each call, of the score or of the denoiser, is one
/// evaluation for each column of its block. Copies share the counts; counting is safe from any
/// thread. Columns include the padding of the last block, so the NFE of a path is calls / blocks
/// where every block takes the same steps, and columns / paths only where the blocks are full.
template <class Score>
class Counted {
 public:
  explicit Counted(Score score) : score_(std::move(score)) {}

  Index dimension() const requires requires(const Score& score) { score.dimension(); }
  { return score_.dimension(); }

  /// The score, counted. @param x,out  d x n
  template <State X>
  void operator()(const X& x, Time t, X& out) const {
    count(x.cols());
    score_(x, t, out);
  }

  /// The denoiser, counted. @param x,out  d x n
  template <State X>
  requires requires(const Score& score, const X& x, Time t, X& out) { score.denoise(x, t, out); }
  void denoise(const X& x, Time t, X& out) const {
    count(x.cols());
    score_.denoise(x, t, out);
  }

  /// Number of calls.
  std::uint64_t calls() const { return counts_->calls.load(std::memory_order_relaxed); }
  /// Number of evaluated columns.
  std::uint64_t columns() const { return counts_->columns.load(std::memory_order_relaxed); }

  /// Sets the counts of this and all copies to 0.
  void reset() const {
    counts_->calls.store(0, std::memory_order_relaxed);
    counts_->columns.store(0, std::memory_order_relaxed);
  }

 private:
  struct Counts {
    std::atomic<std::uint64_t> calls{0}, columns{0};
  };

  void count(Index columns) const {
    counts_->calls.fetch_add(1, std::memory_order_relaxed);
    counts_->columns.fetch_add(static_cast<std::uint64_t>(columns), std::memory_order_relaxed);
  }

  Score score_;
  std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();
};

}  // namespace fokker
