#pragma once
/// @file  ranks.hpp
/// @brief The programs that mpirun started together.

#include <functional>

#include <fokker/solvers/ensemble/communicator.hpp>

namespace fokker::app {

/// Joins the other ranks of mpirun while it lives; without any this program is alone.
class Ranks {
 public:
  /// @throws std::runtime_error  more than one rank, but a program without MPI
  Ranks();
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;
  ~Ranks();
};

/// The ranks, where there is more than one; else null.
Communicator* ranks();

/// Whether this rank prints and writes.
bool first_rank();

/// Does `work` on the first rank. What it throws there is thrown on all.
void on_first_rank(const std::function<void()>& work);

}  // namespace fokker::app
