#pragma once
/// @file  fokker/solvers/ensemble/streamed_states.hpp
/// @brief A reduction that writes the states of all paths to a file of NumPy as they come.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fokker/solvers/core/grid.hpp>
#include <fokker/solvers/core/state.hpp>
#include <fokker/solvers/support/atomic_file.hpp>
#include <fokker/solvers/support/file_path.hpp>

namespace fokker {

/// Writes numbers to `path` as an array of one dimension in NumPy's format, all or nothing.
/// @throws std::runtime_error  an unwritable path
void write_npy(const FilePath& path, std::span<const double> values);

/// The states of all paths at the times seen, those of `save_at`, written to an .npy file of doubles (float states
/// are widened) as the paths go: numpy.load(file)[i, r, j] is component r of path j at
/// the ensemble's t[i], the same numbers as `States` value[i](r, j). Every block writes to its own
/// places, so the bytes do not depend on the threads, and nothing is held in memory.
///
/// The file is whole or absent (AtomicFile): an ensemble that is cancelled leaves none.
class StreamedStates {
 public:
  using Value = bool;  ///< whether the file was written
  using Partial = Index;

  explicit StreamedStates(FilePath path) : path_(std::move(path)) {}

  /// @throws std::runtime_error  a file that cannot be written, or a disk without room for it
  void prepare(Index paths, Index d, std::span<const Time> times);
  /// One component at one time, in double.
  using Accumulator = std::vector<double>;
  template <State X>
  Accumulator accumulator(const X& x) const {
    return Accumulator(static_cast<std::size_t>(x.cols()));
  }
  template <State X>
  void observe(Accumulator& row, Index k, Time, const X& x, Index first) {
    const Index count = std::min<Index>(x.cols(), paths_ - first);
    for (Index r = 0; r < x.rows(); ++r) {
      for (Index j = 0; j < count; ++j)
        row[static_cast<std::size_t>(j)] = static_cast<double>(x.coeff(r, j));
      const auto number = static_cast<std::uint64_t>((k * x.rows() + r) * paths_ + first);
      file_->write_at(start_ + sizeof(double) * number,
                      {reinterpret_cast<const char*>(row.data()),
                       sizeof(double) * static_cast<std::size_t>(count)});
    }
  }
  template <State X>
  Partial partial(const Accumulator&, const X&, Index, Index count, Index) const {
    return count;
  }
  static Partial merge(Partial a, Partial b) { return a + b; }
  Value result(Partial written);

 private:
  FilePath path_;
  Index paths_ = 0;
  std::uint64_t start_ = 0;
  std::unique_ptr<AtomicFile> file_;
};

}  // namespace fokker
