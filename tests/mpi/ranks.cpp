/// @file  mpi/ranks.cpp
/// @brief MPI ranks share an ensemble: run by mpirun with 1, 2, 3 and 4 of them. Every rank checks
///        what it gets against the same ensemble made alone.

#include <cstring>
#include <string>

#include "catch.hpp"

#include <fokker/solvers/ensemble/mpi.hpp>
#include <fokker/solvers/ensemble/path_statistics.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/support/instruction_set.hpp>

using namespace fokker;

namespace {

/// MPI, from the first test to the end of the program.
MPI_Comm world() {
  static const struct Session {
    Session() {
      int given = 0;
      MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &given);
    }
    ~Session() { MPI_Finalize(); }
  } session;
  return MPI_COMM_WORLD;
}

int world_rank() {
  int rank = 0;
  MPI_Comm_rank(world(), &rank);
  return rank;
}

}  // namespace

TEST_CASE("ranks agree on the lowest instruction set among them") {
  const std::string best(instruction_set());
  int size = 1;
  MPI_Comm_size(world(), &size);
  if (world_rank() == size - 1) detail::limit_instruction_set("baseline");

  const MpiCommunicator ranks(world());

  CHECK(instruction_set() == "baseline");
  detail::limit_instruction_set(best);
}

TEST_CASE("messages of any size come whole and in the order of the ranks") {
  MpiCommunicator ranks(world());
  const auto text = [](int rank) {
    return std::string(static_cast<std::size_t>(rank) * 100'000, static_cast<char>('a' + rank));
  };

  const auto all = ranks.gather(text(ranks.rank()));
  const std::string first = ranks.broadcast(ranks.rank() == 0 ? text(7) : "other");

  CHECK(all.size() == static_cast<std::size_t>(ranks.rank() == 0 ? ranks.size() : 0));
  for (std::size_t r = 0; r < all.size(); ++r) CHECK(all[r] == text(static_cast<int>(r)));
  CHECK(first == text(7));
}

TEST_CASE("every rank gets the bits of an ensemble made alone, whatever the threads") {
  MpiCommunicator ranks(world());
  const auto process = make_sde([](const auto& x, Time) { return -x; },
                                [](const auto& x, Time) { return x.cos(); }, noise::diagonal);
  const auto run = [&](Index paths, int threads, Communicator* shared) {
    return simulate(process, EulerMaruyama{}, OnGrid{uniform_grid(0, 1, 20)},
                    PathState<double>::Constant(2, 0.5),
                    {.paths = paths,
                     .save_at = {0, 0.5, 1},
                     .seed = 1,
                     .threads = threads,
                     .ranks = shared},
                    PathStatistics(3000))
        .value;
  };

  for (const Index paths : {1, 3000, 200'001}) {
    const auto alone = run(paths, 1, nullptr), shared = run(paths, 1 + ranks.rank() % 2, &ranks);

    CHECK(std::memcmp(alone.moments.data(), shared.moments.data(),
                      alone.moments.size() * sizeof(FourMoments)) == 0);
    for (std::size_t i = 0; i < 3; ++i) CHECK((alone.states[i] == shared.states[i]).all());
  }
}
