/// @file  unit/ensemble/streamed_states.cpp
/// @brief Saved trajectories on disk are those in memory, bit by bit, and the file whole or absent.

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "catch.hpp"

#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/ensemble/streamed_states.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>

using namespace fokker;

namespace {

/// A new folder that is removed at the end.
struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "fokker-test-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder: " + name);
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  bool empty() const { return std::filesystem::is_empty(path); }
};

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

const auto process = make_sde([](const auto& x, Time) { return -x; },
                              [](const auto& x, Time) { return x.cos(); }, noise::diagonal);
const TimeGrid grid = uniform_grid(0, 1, 6);
const std::vector<Time> points{grid[0], grid[2], grid[3], grid[6]};

template <class S, class Reduction>
auto run(Reduction reduction, int threads, const std::atomic<bool>* cancel = nullptr) {
  return simulate<S>(
      process, EulerMaruyama{}, OnGrid{grid}, PathState<double>::Constant(3, 0.5),
      {.paths = 2500, .save_at = points, .seed = 4, .threads = threads, .cancel = cancel},
      std::move(reduction));
}

}  // namespace

TEMPLATE_TEST_CASE("a streamed file holds the saved states bit by bit, whatever the threads", "",
                   double, float) {
  const Folder folder;
  const auto saved = run<TestType>(States{}, 2).value;

  for (const int threads : {1, 2}) {
    const auto file = folder.path / "paths.npy";
    const bool written = run<TestType>(StreamedStates(file), threads).value;

    REQUIRE(written);
    const std::string bytes = bytes_of(file);
    REQUIRE(bytes.size() == 128 + sizeof(double) * 4 * 3 * 2500);
    CHECK(bytes.substr(0, 10) == std::string("\x93NUMPY\x01\x00\x76\x00", 10));
    CHECK(bytes.substr(10, 72) ==
          "{'descr': '<f8', 'fortran_order': False, 'shape': (4, 3, 2500), }       ");
    CHECK(bytes[127] == '\n');
    std::size_t place = 128;
    for (const auto& states : saved) {
      const auto size = sizeof(double) * static_cast<std::size_t>(states.size());
      CHECK(std::memcmp(bytes.data() + place, states.data(), size) == 0);
      place += size;
    }
  }
}

TEST_CASE("an ensemble that is cancelled or fails leaves the old file, and nothing beside it") {
  const Folder folder;
  const auto file = folder.path / "paths.npy";
  const std::atomic<bool> cancel = true;
  const auto thrower = make_sde(
      [](const auto& x, Time t) {
        if (t > 0.5) throw std::runtime_error("no drift");
        return -x;
      },
      [](const auto& x, Time) { return x.cos(); }, noise::diagonal);

  CHECK_FALSE(run<double>(StreamedStates(file), 2, &cancel).value);
  CHECK(folder.empty());
  std::ofstream(file) << "old";
  CHECK_FALSE(run<double>(StreamedStates(file), 2, &cancel).value);
  CHECK_THROWS_WITH(simulate(thrower, EulerMaruyama{}, OnGrid{grid}, 0.5,
                             {.paths = 100, .save_at = points}, StreamedStates(file)),
                    ContainsSubstring("no drift"));
  CHECK(bytes_of(file) == "old");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("a file that cannot be written is refused before any path") {
  const auto to = [](const std::string& file) {
    return [file] { run<double>(StreamedStates(file), 1); };
  };
  CHECK_THROWS_WITH(to("absent/paths.npy")(), ContainsSubstring("there is no directory"));
  CHECK_THROWS_WITH(to("/dev/null")(), ContainsSubstring("no regular file"));
}
