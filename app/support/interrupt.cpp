#include "support/interrupt.hpp"

#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <csignal>

#include "command.hpp"

namespace fokker::app {
namespace {

using Clock = std::chrono::steady_clock;

std::atomic<bool> caught{false};
std::atomic<bool> writing{false};
std::atomic<Clock::rep> caught_at{0};
static_assert(std::atomic<bool>::is_always_lock_free);
static_assert(std::atomic<Clock::rep>::is_always_lock_free);

/// Raises SIGALRM after so many microseconds.
void alarm_after(int microseconds) {
  const itimerval timer{
      .it_interval = {},
      .it_value = {.tv_sec = microseconds / 1'000'000, .tv_usec = microseconds % 1'000'000}};
  ::setitimer(ITIMER_REAL, &timer, nullptr);
}

void on_signal(int signal) {
  const auto now = Clock::now().time_since_epoch();
  Clock::rep first = 0;
  if (caught_at.compare_exchange_strong(first, now.count())) {
    caught = true;
    alarm_after(900'000);
  } else if (now - Clock::duration(first) > std::chrono::milliseconds(500)) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
}

void on_alarm(int) {
  if (writing.exchange(false)) return alarm_after(4'100'000);
  constexpr char words[] = "fokker: interrupted; what was not yet written is lost\n";
  if (::write(STDERR_FILENO, words, sizeof words - 1) < 0) ::_exit(interrupted);
  ::_exit(interrupted);
}

}  // namespace

const std::atomic<bool>& catch_interrupt() {
  std::signal(SIGALRM, on_alarm);
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  return caught;
}

bool interrupt_caught() { return caught; }

void keep_results() { writing = true; }

}  // namespace fokker::app
