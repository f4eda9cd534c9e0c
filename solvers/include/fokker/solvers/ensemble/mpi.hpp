#pragma once
/// @file  fokker/solvers/ensemble/mpi.hpp
/// @brief MPI ranks that share an ensemble.
///
/// Not part of fokker.hpp. With -DFOKKER_MPI=ON there is a target fokker::mpi to link; from an
/// installed package, find_package(fokker COMPONENTS mpi).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#ifndef OMPI_SKIP_MPICXX
#define OMPI_SKIP_MPICXX
#endif
#include <mpi.h>

#include <fokker/solvers/ensemble/communicator.hpp>

namespace fokker {

/// The ranks of an MPI communicator, for `SimulateOptions::ranks`. MPI is initialised by the caller
/// (thread level FUNNELED or above) and its calls come from the thread that calls `simulate`.
/// Making one is collective: the ranks agree on the lowest instruction set among them. With MPI's
/// own error handling a rank that dies ends the others.
class MpiCommunicator final : public Communicator {
 public:
  explicit MpiCommunicator(MPI_Comm ranks) : ranks_(ranks) {
    MPI_Comm_rank(ranks, &rank_);
    MPI_Comm_size(ranks, &size_);
    agree_on_instruction_set(*this);
  }

  /// Number of this rank.
  int rank() const override { return rank_; }
  /// Number of ranks.
  int size() const override { return size_; }

  std::vector<std::string> gather(const std::string& bytes) override {
    const std::uint64_t mine = bytes.size();
    std::vector<std::uint64_t> sizes(rank_ == 0 ? static_cast<std::size_t>(size_) : 0);
    MPI_Gather(&mine, 1, MPI_UINT64_T, sizes.data(), 1, MPI_UINT64_T, 0, ranks_);
    std::vector<std::string> all(sizes.size());
    if (rank_ != 0)
      in_pieces(bytes.size(), [&](std::size_t at, int count) {
        MPI_Send(bytes.data() + at, count, MPI_BYTE, 0, 0, ranks_);
      });
    for (int r = 0; r < static_cast<int>(all.size()); ++r) {
      std::string& theirs = all[static_cast<std::size_t>(r)];
      theirs.resize(sizes[static_cast<std::size_t>(r)]);
      if (r == 0)
        theirs = bytes;
      else
        in_pieces(theirs.size(), [&](std::size_t at, int count) {
          MPI_Recv(theirs.data() + at, count, MPI_BYTE, r, 0, ranks_, MPI_STATUS_IGNORE);
        });
    }
    return all;
  }

  std::string broadcast(std::string bytes) override {
    std::uint64_t size = bytes.size();
    MPI_Bcast(&size, 1, MPI_UINT64_T, 0, ranks_);
    bytes.resize(size);
    in_pieces(bytes.size(), [&](std::size_t at, int count) {
      MPI_Bcast(bytes.data() + at, count, MPI_BYTE, 0, ranks_);
    });
    return bytes;
  }

 private:
  /// Messages of at most 1 GiB: MPI counts in int.
  template <class F>
  static void in_pieces(std::size_t size, const F& f) {
    constexpr std::size_t most = std::size_t{1} << 30;
    for (std::size_t at = 0; at < size; at += most)
      f(at, static_cast<int>(std::min(most, size - at)));
  }

  MPI_Comm ranks_;
  int rank_ = 0, size_ = 1;
};

}  // namespace fokker
