#pragma once
/// @file  running.hpp
/// @brief A command that runs beside its test.

#include <csignal>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include "app/program.hpp"

/// A fokker that runs beside the test, in a folder.
class Running {
 public:
  Running(const Program& in, const std::string& args) {
    const std::string line = "cd '" + in.path("").string() + "' && exec " FOKKER_PROGRAM " " +
                             args + " > /dev/null 2>&1";
    pid_ = fork();
    if (pid_ == 0) {
      execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
      _exit(127);
    }
  }
  bool ended() {
    if (!ended_) ended_ = waitpid(pid_, &status_, WNOHANG) == pid_;
    return ended_;
  }
  /// The signal that ended it, or minus its exit code.
  int end(int signal) {
    if (!ended()) {
      kill(pid_, signal);
      waitpid(pid_, &status_, 0);
      ended_ = true;
    }
    return WIFSIGNALED(status_) ? WTERMSIG(status_) : -WEXITSTATUS(status_);
  }

 private:
  pid_t pid_ = 0;
  int status_ = 0;
  bool ended_ = false;
};
