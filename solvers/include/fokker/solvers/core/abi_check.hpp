#pragma once
/// @file  fokker/solvers/core/abi_check.hpp
/// @brief A file that allocates Eigen's arrays otherwise than the library does not link with it.
///
/// How Eigen aligns and frees an array follows from the instruction set that a file is compiled
/// for, and arrays pass between the user's files and the library. With -march=native on one side
/// only, one would free what it cannot.

#include <Eigen/Core>

namespace fokker::detail {

/// Defined in the library for its own alignment, and whether its malloc is the system's.
template <int Alignment, bool SystemMalloc>
void compile_fokker_for_the_same_instruction_set();

[[gnu::used]] static void (*const abi_check)() = &compile_fokker_for_the_same_instruction_set<
    EIGEN_MAX_ALIGN_BYTES, EIGEN_MALLOC_ALREADY_ALIGNED != 0>;

}  // namespace fokker::detail
