/// @file  unit/ensemble/shared_work.cpp
/// @brief Stages of pieces: ended and taken up again, or shared among ranks, to the same results.

#include <atomic>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"
#include "thread_ranks.hpp"

#include <fokker/solvers/ensemble/shared_work.hpp>

using namespace fokker;
using fokker_test::TemporaryFile;
using fokker_test::ThreadRanks;

namespace {

constexpr Index first_count = 5, second_count = 23;

/// Two stages; every piece is counted, and from piece `end` of the second on all are cancelled.
struct Run {
  std::atomic<int> done = 0;
  std::atomic<int> told = 0;
  Index end = second_count;

  /// The bytes of all pieces, a word for a missing one.
  std::string operator()(SharedWork& work) {
    const auto tell = [&](Index) { ++told; };
    std::string all;
    const auto add = [&](const SharedWork::Results& results) {
      for (const auto& bytes : results) all += bytes.value_or("missing") + " ";
    };
    add(work.one_by_one(
        first_count,
        [&](Index i) -> std::optional<std::string> {
          ++done;
          return "first" + std::to_string(i);
        },
        tell));
    add(work.in_parallel(
        second_count,
        [&](Index i) -> std::optional<std::string> {
          if (i >= end) return {};
          ++done;
          return "second" + std::to_string(i);
        },
        tell));
    return all;
  }
};

std::string expected() {
  std::string all;
  for (Index i = 0; i < first_count; ++i) all += "first" + std::to_string(i) + " ";
  for (Index i = 0; i < second_count; ++i) all += "second" + std::to_string(i) + " ";
  return all;
}

}  // namespace

TEST_CASE("stages give what their pieces give, alone and to each of 1 to 4 ranks") {
  Run alone;
  SharedWork work;
  CHECK(alone(work) == expected());
  CHECK(alone.done == first_count + second_count);
  CHECK(alone.told == alone.done);

  for (const int size : {1, 2, 3, 4}) {
    Run run;
    const auto [results, errors] = ThreadRanks::run(size, [&](Communicator& rank) {
      SharedWork shared(nullptr, &rank);
      return run(shared);
    });
    INFO(size << " ranks");
    for (const auto& result : results) CHECK(result == expected());
    CHECK(run.done == first_count + second_count);
    CHECK(run.told == run.done);
  }
}

TEST_CASE("work that was cancelled goes on from its checkpoint, and no piece is done twice") {
  for (const int before : {1, 3})
    for (const int after : {1, 2}) {
      const TemporaryFile file;
      const auto part = [&](int size, Run& run) {
        return ThreadRanks::run(size,
                                [&](Communicator& rank) {
                                  Checkpoint checkpoint(file.path, {{"seed", "1"}}, 0);
                                  SharedWork work(rank.rank() == 0 ? &checkpoint : nullptr, &rank);
                                  const std::string all = run(work);
                                  return all + (work.cancelled() ? "cancelled" : "");
                                })
            .first;
      };
      Run ended, resumed;
      ended.end = 7;

      const auto first = part(before, ended);
      const auto second = part(after, resumed);

      INFO(before << " ranks, then " << after);
      for (const auto& result : first) {
        CHECK_THAT(*result, ContainsSubstring("second6 missing"));
        CHECK_THAT(*result, EndsWith("cancelled"));
      }
      CHECK(ended.done == first_count + 7);
      for (const auto& result : second) CHECK(result == expected());
      CHECK(resumed.done == second_count - 7);
      CHECK(resumed.told == first_count + second_count);  // so that progress starts where it was
    }
}

TEST_CASE("a piece that throws on one rank ends the work on all") {
  const auto [results, errors] = ThreadRanks::run(3, [](Communicator& rank) {
    SharedWork work(nullptr, &rank);
    return work.one_by_one(6, [](Index i) -> std::optional<std::string> {
      if (i == 4) throw std::runtime_error("piece 4 has no end");
      return "";
    });
  });

  for (const auto& error : errors) CHECK(error == "piece 4 has no end");
}
