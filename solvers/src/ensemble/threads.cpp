#include <fokker/solvers/ensemble/threads.hpp>

#include <algorithm>

#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/parallel_invoke.h>
#include <oneapi/tbb/task_arena.h>

namespace fokker {

struct Threads::Arena {
  oneapi::tbb::task_arena tbb;
};

Threads::Threads(int count) {
  const int cores = oneapi::tbb::info::default_concurrency();
  count_ = count > 0 ? std::min(count, cores) : cores;
  arena_ = std::make_unique<Arena>(Arena{oneapi::tbb::task_arena(count_)});
}
Threads::~Threads() = default;

void Threads::run(CallRef<> work) {
  arena_->tbb.execute([&] { work(); });
}

int threads_here() { return oneapi::tbb::this_task_arena::max_concurrency(); }

void both(CallRef<> first, CallRef<> second) {
  oneapi::tbb::parallel_invoke([&] { first(); }, [&] { second(); });
}

void for_each_index(Index n, CallRef<Index> f) {
  oneapi::tbb::parallel_for(Index{0}, n, [&](Index i) { f(i); });
}

}  // namespace fokker
