/// @file  input_file.cpp
/// @brief Every reader records the file that it reads.

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

#include <fokker/diffusion/data/boxes.hpp>
#include <fokker/diffusion/data/finite_set.hpp>
#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/files/input_file.hpp>
#include <fokker/diffusion/schedule/any_schedule.hpp>
#include <fokker/diffusion/schedule/time_grids.hpp>
#include <fokker/diffusion/score/learned_score.hpp>

#include "catch.hpp"

using namespace fokker;

namespace {

/// A file that goes with the test.
struct File {
  std::string path;
  explicit File(const std::string& text, const std::string& name = "input")
      : path((std::filesystem::temp_directory_path() /
              ("fokker-" + std::to_string(::getpid()) + name))
                 .string()) {
    write(text);
  }
  ~File() { std::filesystem::remove(path); }
  void write(const std::string& text) const { std::ofstream(path) << text; }
};

}  // namespace

TEST_CASE("every reader records its file with what it held") {
  const auto recorded = [](const std::string& text, auto reader) {
    const File file(text);
    const InputRecord record;
    reader(file.path);
    REQUIRE(record.files().size() == 1);
    CHECK(record.files()[0].path == file.path);
    return record.files()[0].checksum;
  };
  const auto low_rank = [](const std::string& p) { low_rank_from_csv(p, 0.1); };
  LearnedParts parts;
  parts.shape = {.dimension = 1, .width = 1, .layers = 0, .frequencies = 1};
  parts.mean = {0};
  parts.sigma_min = 0.1;
  parts.sigma_max = 1;
  parts.weights = Eigen::VectorXf::Zero(parts.shape.parameters());

  CHECK(recorded("1,2\n", low_rank) != recorded("1,3\n", low_rank));
  CHECK(recorded("1,2\n", low_rank) == recorded("1,2\n", low_rank));
  recorded("1\n2\n", [](const std::string& p) { spectrum_from_csv(p); });
  recorded("1,2\n", [](const std::string& p) { points_from_csv(p); });
  recorded("1\n0.5\n", [](const std::string& p) { read_grid(p, 1); });
  recorded("beta\n0.1\n", [](const std::string& p) { make_schedule("table:" + p); });
  recorded(R"({"components": [{"weight": 1, "mean": [0], "variance": 1}]})",
           [](const std::string& p) { mixture_from_json(p); });
  recorded(R"({"boxes": [{"low": [0], "high": [1]}]})",
           [](const std::string& p) { boxes_from_json(p); });
  recorded(to_json(LearnedDenoiser(parts)), [](const std::string& p) { read_denoiser(p); });
}

TEST_CASE("a file that changes between two readings is recorded with both") {
  const File file("1\n");
  const InputRecord outer;
  {
    const InputRecord inner;
    spectrum_from_csv(file.path);
    spectrum_from_csv(file.path);
    CHECK(inner.files().size() == 1);
  }
  file.write("2\n");
  spectrum_from_csv(file.path);

  CHECK(outer.files().size() == 2);
}

TEST_CASE("a name that is not UTF-8 is refused before it can fail in a result") {
  const File file("1\n", "\xff");

  CHECK_THROWS_WITH(spectrum_from_csv(file.path), ContainsSubstring("must be UTF-8"));
}
