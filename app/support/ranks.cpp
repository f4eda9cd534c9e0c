#include "support/ranks.hpp"

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

#ifdef FOKKER_MPI
#include <fokker/solvers/ensemble/mpi.hpp>
#endif

namespace fokker::app {
namespace {

std::unique_ptr<Communicator> all_ranks;

/// How many ranks mpirun has started, as Open MPI and MPICH say it; 1 without.
int started_ranks() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"})
    if (const char* size = std::getenv(name)) return std::atoi(size);
  return 1;
}

/// Of this program among them.
int started_rank() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMI_RANK"})
    if (const char* rank = std::getenv(name)) return std::atoi(rank);
  return 0;
}

}  // namespace

#ifdef FOKKER_MPI

Ranks::Ranks() {
  if (started_ranks() < 2) return;
  int given = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &given);
  all_ranks = std::make_unique<MpiCommunicator>(MPI_COMM_WORLD);
}
Ranks::~Ranks() {
  if (all_ranks) MPI_Finalize();
}

#else

Ranks::Ranks() {
  if (started_ranks() > 1)
    throw std::runtime_error("this program was built without MPI and runs alone, not as one of " +
                             std::to_string(started_ranks()) +
                             " ranks: configure it with -DFOKKER_MPI=ON");
}
Ranks::~Ranks() = default;

#endif

Communicator* ranks() { return all_ranks.get(); }

bool first_rank() { return started_ranks() < 2 || started_rank() == 0; }

void on_first_rank(const std::function<void()>& work) {
  if (!ranks()) return work();
  std::string error;
  try {
    if (first_rank()) work();
  } catch (const std::exception& e) {
    error = e.what();
  }
  error = ranks()->broadcast(error);
  if (!error.empty()) throw std::runtime_error(error);
}

}  // namespace fokker::app
