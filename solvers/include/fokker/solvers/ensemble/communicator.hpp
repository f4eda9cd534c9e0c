#pragma once
/// @file  fokker/solvers/ensemble/communicator.hpp
/// @brief What `simulate` asks of ranks that share an ensemble; MPI gives it in mpi.hpp.

#include <string>
#include <vector>

namespace fokker {

/// Programs that run the same code on one task, each with a rank from 0 to size - 1. Every rank
/// calls every function, in the same order, from one thread.
class Communicator {
 public:
  virtual ~Communicator() = default;
  /// Number of this rank.
  virtual int rank() const = 0;
  /// Number of ranks.
  virtual int size() const = 0;

  /// The bytes of every rank, in the order of the ranks, at rank 0; nothing elsewhere.
  virtual std::vector<std::string> gather(const std::string& bytes) = 0;

  /// The bytes of rank 0, at every rank.
  virtual std::string broadcast(std::string bytes) = 0;
};

/// Uses on every rank the lowest instruction set among them from now on (instruction_set.hpp), so
/// that the ranks agree on every bit. Call before anything is computed.
void agree_on_instruction_set(Communicator& ranks);

}  // namespace fokker
