#pragma once
/// @file  fokker/solvers/ensemble/threads.hpp
/// @brief Work on several threads (by oneTBB, whose headers are not seen from here).

#include <memory>

#include <fokker/solvers/core/state.hpp>

namespace fokker {

/// Refers to a callable, without owning it, while a function runs.
template <class... Args>
class CallRef {
 public:
  template <class F>
  CallRef(const F& f)
      : object_(&f),
        call_([](const void* object, Args... args) { (*static_cast<const F*>(object))(args...); }) {
  }
  void operator()(Args... args) const { call_(object_, args...); }

 private:
  const void* object_;
  void (*call_)(const void*, Args...);
};

/// So many threads to work on, of which the caller's is one.
class Threads {
 public:
  /// @param count  0: one for each core, which is also the most
  explicit Threads(int count);
  ~Threads();
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  /// Number of threads.
  int count() const { return count_; }

  /// work(), in which the functions below use these threads. An exception comes out of it.
  void run(CallRef<> work);

 private:
  struct Arena;
  int count_;
  std::unique_ptr<Arena> arena_;
};

/// How many threads the functions below may use here: those of the Threads that run this, or all.
int threads_here();

/// first() and second(), beside each other where a thread is free. An exception comes out of it, or
/// of the function around that threw; what had not begun by then is left out.
void both(CallRef<> first, CallRef<> second);

/// f(0) ... f(n - 1), in any order and from any thread. An exception as with `both`.
void for_each_index(Index n, CallRef<Index> f);

}  // namespace fokker
