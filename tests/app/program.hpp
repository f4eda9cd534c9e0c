#pragma once
/// @file  program.hpp
/// @brief Runs the command line in a folder of its own.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

/// What a run left behind.
struct Outcome {
  int code = -1;
  std::string out, err;
};

/// A new folder that is removed with its contents at the end, and the program in it.
class Program {
 public:
  Program() {
    std::string name = (std::filesystem::temp_directory_path() / "fokker-test-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder: " + name);
    folder_ = name;
    std::filesystem::create_directory(folder_ / "run");
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() { std::filesystem::remove_all(folder_); }

  /// Runs `fokker ARGS` (as a shell reads them) in the folder.
  Outcome operator()(const std::string& args) const { return shell(FOKKER_PROGRAM " " + args); }

  /// Runs a line of the shell in the folder.
  Outcome shell(const std::string& line) const {
    const auto out = folder_ / "out", err = folder_ / "err";
    const std::string command = "cd '" + path("").string() + "' && (" + line + ") > '" +
                                out.string() + "' 2> '" + err.string() + "' < /dev/null";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128, text_of(out), text_of(err)};
  }

  /// A file in the folder that the program runs in.
  std::filesystem::path path(const std::string& name) const { return folder_ / "run" / name; }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
  }
  std::string read(const std::string& name) const { return text_of(path(name)); }

  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path("")))
      names.push_back(entry.path().filename().string());
    return names;
  }

 private:
  static std::string text_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::filesystem::path folder_;
};
