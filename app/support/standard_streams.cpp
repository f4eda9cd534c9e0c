#include "support/standard_streams.hpp"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

namespace fokker::app {
namespace {

int output_error = 0;  // of the first write to standard output that failed

/// Writes all of it. @returns 0, or the error number
int write_all(int descriptor, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(descriptor, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
  return 0;
}

ssize_t write_output(void*, const char* bytes, std::size_t size) {
  if (output_error == 0) output_error = write_all(STDOUT_FILENO, bytes, size);
  return static_cast<ssize_t>(size);
}

ssize_t write_error(void*, const char* bytes, std::size_t size) {
  write_all(STDERR_FILENO, bytes, size);
  return static_cast<ssize_t>(size);
}

std::FILE* stream(ssize_t (*write)(void*, const char*, std::size_t), int mode) {
  std::FILE* file = ::fopencookie(
      nullptr, "w", {.read = nullptr, .write = write, .seek = nullptr, .close = nullptr});
  if (file) std::setvbuf(file, nullptr, mode, BUFSIZ);
  return file;
}

}  // namespace

void guard_standard_streams() {
  for (const int of_a_write : {SIGPIPE, SIGXFSZ}) std::signal(of_a_write, SIG_IGN);
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(descriptor, F_GETFD) < 0)  // open takes the lowest number that is free
      // Standard output for reading only: that it was closed is an error once it is written to.
      (void)::open("/dev/null", descriptor == STDERR_FILENO ? O_WRONLY : O_RDONLY);
  if (std::FILE* output = stream(write_output, ::isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF))
    stdout = output;
  if (std::FILE* error = stream(write_error, _IONBF)) stderr = error;
}

int flush_standard_output() {
  std::fflush(stdout);
  return output_error;
}

}  // namespace fokker::app
