/// @file  unit/ensemble/batches.cpp
/// @brief Ensembles in batches: ended and taken up again, or shared among ranks, to the same bits.

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"
#include "thread_ranks.hpp"

#include <fokker/solvers/ensemble/path_statistics.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>

using namespace fokker;
using fokker_test::TemporaryFile;
using fokker_test::ThreadRanks;

namespace {

const auto process = make_sde([](const auto& x, Time) { return -x; },
                              [](const auto& x, Time) { return x.cos(); }, noise::diagonal);
const TimeGrid grid = uniform_grid(0, 1, 6);

auto statistics(SimulateOptions options) {
  options.save_at = {grid[0], grid[3], grid[6]};
  return simulate(process, EulerMaruyama{}, OnGrid{grid}, PathState<double>::Constant(2, 0.5),
                  options, PathStatistics(3000));
}

template <class A, class B>
bool same(const A& a, const B& b) {
  return a.size() == b.size() &&
         std::memcmp(a.data(), b.data(), sizeof(*a.data()) * static_cast<std::size_t>(a.size())) ==
             0;
}

void check_same(const Ensemble<PathStatistics::Value>& a,
                const Ensemble<PathStatistics::Value>& b) {
  CHECK(same(a.value.moments, b.value.moments));
  REQUIRE(a.value.states.size() == b.value.states.size());
  for (std::size_t i = 0; i < a.value.states.size(); ++i)
    CHECK(same(a.value.states[i], b.value.states[i]));
  CHECK(a.status == b.status);
  CHECK(a.paths == b.paths);
  CHECK(a.counts.accepted == b.counts.accepted);
}

constexpr Index paths = 100'001;

}  // namespace

TEST_CASE("path statistics are those of the saved states") {
  const SimulateOptions options{
      .paths = 5001, .save_at = {grid[0], grid[3], grid[6]}, .seed = 1, .threads = 2};

  const auto saved = simulate(process, EulerMaruyama{}, OnGrid{grid},
                              PathState<double>::Constant(2, 0.5), options, States{})
                         .value;
  const auto value = statistics(options).value;

  for (std::size_t i = 0; i < 3; ++i) {
    CHECK((value.states[i] == saved[i].leftCols(3000)).all());
    for (Index r = 0; r < 2; ++r) {
      const FourMoments& m = value.moments[2 * i + static_cast<std::size_t>(r)];
      const Eigen::ArrayXd x = saved[i].row(r).transpose();
      const Eigen::ArrayXd e = x - x.mean();
      CHECK(m.n == 5001);
      CHECK_THAT(m.mean, WithinAbs(x.mean(), 1e-13));
      CHECK_THAT(m.m2, WithinAbs(e.square().sum(), 1e-9));
      CHECK_THAT(m.m3, WithinAbs(e.cube().sum(), 1e-9));
      CHECK_THAT(m.m4, WithinAbs(e.square().square().sum(), 1e-9));
    }
  }
}

TEST_CASE(
    "an ensemble that is cancelled again and again goes on to the bits of an undisturbed one") {
  const TemporaryFile file;
  const auto whole = statistics({.paths = paths, .seed = 1, .threads = 2});

  int runs = 0;
  Index before = 0;
  for (bool finished = false; !finished && runs < 50; ++runs) {
    Checkpoint checkpoint(file.path, {{"seed", "1"}}, 0);
    std::atomic<bool> cancel = false;
    Index start = -1;
    const auto run = statistics({.paths = paths,
                                 .seed = 1,
                                 .threads = 1 + runs % 2,
                                 .cancel = &cancel,
                                 .progress =
                                     [&](Index done, Index) {
                                       if (start < 0) start = done;
                                       cancel = done > start + 15'000;
                                     },
                                 .checkpoint = &checkpoint});
    CHECK(start > before);
    before = start;
    finished = run.status != Status::cancelled;
    if (finished) check_same(run, whole);
  }

  CHECK(runs >= 4);
  CHECK(runs <= 20);
  Checkpoint checkpoint(file.path, {{"seed", "1"}});
  check_same(statistics({.paths = paths, .seed = 1, .checkpoint = &checkpoint}), whole);
  checkpoint.remove();
  CHECK_FALSE(std::filesystem::exists(file.path));
}

TEST_CASE("a checkpoint of another run, a damaged one or another file is refused with one line") {
  const TemporaryFile file;
  Checkpoint mine(file.path, {{"seed", "1"}, {"paths", "10"}});
  mine.save("some state");
  const auto spoil = [&](const auto& change) {
    std::ifstream in(file.path, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(in), {}};
    change(bytes);
    std::ofstream(file.path, std::ios::binary) << bytes;
  };

  CHECK(mine.load() == "some state");
  CHECK_THROWS_WITH(Checkpoint(file.path, {{"seed", "2"}, {"paths", "10"}}).load(),
                    ContainsSubstring("belongs to another run (seed is 2, there 1)"));
  spoil([](std::string& bytes) { bytes[bytes.size() - 12] ^= 1; });
  CHECK_THROWS_WITH(mine.load(), ContainsSubstring("is damaged"));
  spoil([](std::string& bytes) { bytes.resize(bytes.size() / 2); });
  CHECK_THROWS_WITH(mine.load(), ContainsSubstring("is damaged"));
  spoil([](std::string& bytes) { bytes = "t,x\n0,1\n"; });
  CHECK_THROWS_WITH(mine.load(), ContainsSubstring("is no checkpoint"));
}

TEST_CASE("ranks that share an ensemble all return the bits of one program") {
  for (const Index n : {Index{1}, Index{1500}, paths}) {
    const auto whole = statistics({.paths = n, .seed = 1, .threads = 2});
    for (const int size : {1, 2, 3, 4}) {
      const auto [results, errors] = ThreadRanks::run(size, [&](Communicator& rank) {
        return statistics({.paths = n, .seed = 1, .threads = 1 + rank.rank() % 2, .ranks = &rank});
      });
      for (const auto& result : results) {
        REQUIRE(result);
        check_same(*result, whole);
      }
    }
  }
}

TEST_CASE("ranks stop at a target error where one program does") {
  const auto run = [](Communicator* ranks) {
    return simulate(process, EulerMaruyama{}, OnGrid{grid}, 0.5,
                    {.paths = 100'000, .seed = 3, .target_standard_error = 0.004, .ranks = ranks},
                    expectation([](const auto& x) { return x.row(0); }));
  };
  const auto alone = run(nullptr);

  const auto [results, errors] =
      ThreadRanks::run(3, [&](Communicator& rank) { return run(&rank); });

  CHECK(alone.paths > 4096);
  CHECK(alone.paths < 100'000);
  for (const auto& result : results) {
    REQUIRE(result);
    CHECK(result->paths == alone.paths);
    CHECK(result->value.mean == alone.value.mean);
  }
}

TEST_CASE("an ended run of two ranks is taken up by three, and by one") {
  const TemporaryFile file;
  const auto whole = statistics({.paths = paths, .seed = 1, .threads = 2});
  const auto take_up = [&](int size, Index share) {
    return ThreadRanks::run(size, [&](Communicator& rank) {
      Checkpoint checkpoint(file.path, {}, 0);
      std::atomic<bool> cancel = false;
      return statistics({.paths = paths,
                         .seed = 1,
                         .threads = 1,
                         .cancel = &cancel,
                         .progress = [&](Index done, Index) { cancel = done > share; },
                         .checkpoint = rank.rank() == 0 ? &checkpoint : nullptr,
                         .ranks = &rank});
    });
  };

  for (const auto& result : take_up(2, 20'000).first) CHECK(result->status == Status::cancelled);
  for (const auto& result : take_up(3, 60'000).first) CHECK(result->status == Status::cancelled);
  check_same(*take_up(1, paths).first[0], whole);
}

TEST_CASE("an exception on one rank ends all of them with its words") {
  const auto [results, errors] = ThreadRanks::run(3, [&](Communicator& rank) {
    const auto failing = make_sde(
        [&](const auto& x, Time) {
          if (rank.rank() == 1) throw std::runtime_error("no drift");
          return -x;
        },
        [](const auto& x, Time) { return x.cos(); }, noise::diagonal);
    return simulate(failing, EulerMaruyama{}, OnGrid{grid}, 0.5, {.paths = paths, .ranks = &rank},
                    Moments{})
        .paths;
  });

  for (const std::string& error : errors) CHECK(error == "no drift");
}

TEST_CASE(
    "a reduction that keeps its result beside its partials takes no checkpoint and no ranks") {
  Checkpoint checkpoint("absent", {});

  CHECK_THROWS_WITH(simulate(process, EulerMaruyama{}, OnGrid{grid}, 0.5,
                             {.paths = 10, .checkpoint = &checkpoint}, FinalState{}),
                    ContainsSubstring("takes no checkpoint"));
}
