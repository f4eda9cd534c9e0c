/// @file  unit/support/atomic_file.cpp
/// @brief Temporary files that a killed process left.

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "catch.hpp"

#include <fokker/solvers/support/atomic_file.hpp>

namespace fs = std::filesystem;
using namespace fokker;

TEST_CASE("check_writable removes the temporary files that nobody writes any more, and no others") {
  const fs::path folder = fs::temp_directory_path() / "fokker_stale_temporaries";
  fs::remove_all(folder);
  fs::create_directory(folder);
  for (const char* name : {".run.ckpt.12-3", ".run.ckpt.13-1", ".run.ckpt.old", ".run.ckpt.12-x",
                           ".other.ckpt.12-3", "run.ckpt"})
    std::ofstream(folder / name) << "text";
  const int writer = ::open((folder / ".run.ckpt.13-1").c_str(), O_RDWR);
  REQUIRE(::flock(writer, LOCK_EX) == 0);

  check_writable((folder / "run.ckpt").string());

  CHECK(!fs::exists(folder / ".run.ckpt.12-3"));
  for (const char* name :
       {".run.ckpt.13-1", ".run.ckpt.old", ".run.ckpt.12-x", ".other.ckpt.12-3", "run.ckpt"})
    CHECK(fs::exists(folder / name));
  ::close(writer);
  fs::remove_all(folder);
}
