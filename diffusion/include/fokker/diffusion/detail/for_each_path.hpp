#pragma once
/// @file  fokker/diffusion/detail/for_each_path.hpp
/// @brief Work that each path does by itself, on all cores.

#include <oneapi/tbb/parallel_for.h>

#include <fokker/solvers/state.hpp>

namespace fokker::detail {

/// f(j) for 0 <= j < n, in any order and from any thread; an exception of f comes out of it.
template <class F>
void for_each_path(Index n, const F& f) {
  oneapi::tbb::parallel_for(Index{0}, n, f);
}

}  // namespace fokker::detail
