#pragma once
/// @file  no_allocation.hpp
/// @brief Fails a test where Eigen allocates, also in a release build. To be included first: it
///        turns Eigen's assertions on, thrown, before anything includes Eigen.

#include <stdexcept>

#define EIGEN_RUNTIME_NO_MALLOC
#define eigen_assert(condition)                           \
  do {                                                    \
    if (!(condition)) throw std::logic_error(#condition); \
  } while (false)

#include <Eigen/Core>

/// While it lives, an allocation of Eigen throws std::logic_error.
struct NoAllocation {
  explicit NoAllocation(bool strict = true) { Eigen::internal::set_is_malloc_allowed(!strict); }
  ~NoAllocation() { Eigen::internal::set_is_malloc_allowed(true); }
  NoAllocation(const NoAllocation&) = delete;
  NoAllocation& operator=(const NoAllocation&) = delete;
};
