#pragma once
/// @file  simd/dispatch.hpp
/// @brief Chooses a table of kernels by the instruction set of this machine.

#include <fokker/solvers/support/instruction_set.hpp>

/// The table `name` of the namespace that instruction_set() names, of those that were built.
#if defined(__x86_64__)
#define FOKKER_DISPATCH(name)                                                          \
  (::fokker::detail::instruction_level() == ::fokker::detail::InstructionLevel::avx512 \
       ? ::fokker::detail::avx512::name                                                \
   : ::fokker::detail::instruction_level() == ::fokker::detail::InstructionLevel::avx2 \
       ? ::fokker::detail::avx2::name                                                  \
       : ::fokker::detail::baseline::name)
#else
#define FOKKER_DISPATCH(name) (::fokker::detail::baseline::name)
#endif
