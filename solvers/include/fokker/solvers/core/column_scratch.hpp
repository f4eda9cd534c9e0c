#pragma once
/// @file  fokker/solvers/core/column_scratch.hpp
/// @brief Scratch of a step that keeps one array per Wiener process.

#include <vector>

#include <fokker/solvers/core/state.hpp>

namespace fokker {

/// `count` arrays of one shape and one more per Wiener process. The number of processes is known at
/// the first step, which makes the latter; the steps that follow do not allocate.
template <State X, int count>
struct ColumnScratch : Scratch<X, count> {
  ColumnScratch(Index d, Index n) : Scratch<X, count>(d, n) {}

  /// m arrays of the shape of the others, whatever was in them.
  std::vector<X>& columns(Index m) {
    if (static_cast<Index>(columns_.size()) != m)
      columns_.assign(static_cast<std::size_t>(m), this->array[0]);
    return columns_;
  }

 private:
  std::vector<X> columns_;
};

}  // namespace fokker
