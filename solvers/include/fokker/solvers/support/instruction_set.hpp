#pragma once
/// @file  fokker/solvers/support/instruction_set.hpp
/// @brief Which build of the compiled kernels runs on this machine.

#include <string_view>

namespace fokker {

/// The instruction set that compiled kernels use: `baseline`, `avx2` or `avx512`, the best of which
/// this processor is capable. The environment variable FOKKER_ISA, read at first use, names a lower
/// one. Normals and uniforms have the same bits on all of them; other kernels agree to rounding.
/// @throws std::invalid_argument  FOKKER_ISA holds another word
std::string_view instruction_set();

namespace detail {

enum class InstructionLevel { baseline, avx2, avx512 };

InstructionLevel instruction_level();

/// Uses no more than the named instruction set from now on (at most what the processor has). For
/// tests and benchmarks; not while another thread runs kernels whose bits are being compared.
/// @throws std::invalid_argument  for another word
void limit_instruction_set(std::string_view name);
void limit_instruction_set(InstructionLevel level);

}  // namespace detail
}  // namespace fokker
