#pragma once
/// @file  run_to.hpp
/// @brief A run of an adaptive method from time to time, without a limit on its steps.

#include <limits>

#include <fokker/solvers/core/interval.hpp>

namespace fokker_test {

template <class Run, class X>
fokker::Status run_to(Run& run, X& x, fokker::Time t0, fokker::Time t1, fokker::Counts& counts) {
  fokker::detail::Interval interval{.end = t1, .tries = std::numeric_limits<std::uint64_t>::max()};
  return fokker::detail::run_to(run, x, t0, interval, counts);
}

}  // namespace fokker_test
