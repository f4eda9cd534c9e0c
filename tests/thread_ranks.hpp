#pragma once
/// @file  thread_ranks.hpp
/// @brief Ranks without MPI, and files that go: what tests of shared and resumed work need.

#include <barrier>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include <fokker/solvers/ensemble/communicator.hpp>

namespace fokker_test {

/// Ranks that are threads of one program.
class ThreadRanks {
 public:
  explicit ThreadRanks(int size)
      : size_(size), barrier_(size), bytes_(static_cast<std::size_t>(size)) {}

  class Rank final : public fokker::Communicator {
   public:
    Rank(ThreadRanks& all, int rank) : all_(all), rank_(rank) {}
    int rank() const override { return rank_; }
    int size() const override { return all_.size_; }
    std::vector<std::string> gather(const std::string& bytes) override {
      all_.bytes_[static_cast<std::size_t>(rank_)] = bytes;
      all_.barrier_.arrive_and_wait();
      auto gathered = rank_ == 0 ? all_.bytes_ : std::vector<std::string>{};
      all_.barrier_.arrive_and_wait();
      return gathered;
    }
    std::string broadcast(std::string bytes) override {
      if (rank_ == 0) all_.bytes_[0] = bytes;
      all_.barrier_.arrive_and_wait();
      bytes = all_.bytes_[0];
      all_.barrier_.arrive_and_wait();
      return bytes;
    }

   private:
    ThreadRanks& all_;
    int rank_;
  };

  /// work(rank) on every rank; what the ranks returned, or what they threw.
  template <class Work>
  static auto run(int size, const Work& work) {
    ThreadRanks all(size);
    std::vector<std::optional<decltype(work(std::declval<Rank&>()))>> results(
        static_cast<std::size_t>(size));
    std::vector<std::string> errors(static_cast<std::size_t>(size));
    std::vector<std::thread> threads;
    for (int r = 0; r < size; ++r)
      threads.emplace_back([&, r] {
        Rank rank(all, r);
        const auto i = static_cast<std::size_t>(r);
        try {
          results[i] = work(rank);
        } catch (const std::exception& e) {
          errors[i] = e.what();
        }
      });
    for (std::thread& thread : threads) thread.join();
    return std::pair{results, errors};
  }

 private:
  int size_;
  std::barrier<> barrier_;
  std::vector<std::string> bytes_;
};

/// A name for a file in the folder for temporary files, which is removed at the end.
struct TemporaryFile {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("fokker-test-" + std::to_string(getpid()));
  ~TemporaryFile() { std::filesystem::remove(path); }
};

}  // namespace fokker_test
