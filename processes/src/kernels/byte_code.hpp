#pragma once
/// @file  kernels/byte_code.hpp
/// @brief The instructions of a program on rows of paths, and what runs them.

#include <cstddef>

#include <fokker/processes/expression/operation.hpp>

namespace fokker {
class ForcingTable;
}

namespace fokker::detail {

/// slot[out] = op(slot[a], slot[b], slot[c]); the operation `constant` copies.
struct Instruction {
  Op op;
  bool numbers[3];  ///< the argument is one number, not a row
  int out, a, b, c;
  const ForcingTable* table;  ///< of a look-up
};

/// Runs an instruction that no kernel has.
using RunOther = void (*)(const Instruction& instruction, double* const* slots, std::size_t n);

/// The paths that a row has a multiple of.
inline constexpr std::size_t row_lanes = 8;

/// Runs instructions on rows of n values, a multiple of row_lanes.
using RunInstructions = void (*)(const Instruction* first, std::size_t count, double* const* slots,
                                 std::size_t n, RunOther other);

namespace baseline {
extern const RunInstructions run_instructions;
}
namespace avx2 {
extern const RunInstructions run_instructions;
}
namespace avx512 {
extern const RunInstructions run_instructions;
}

}  // namespace fokker::detail
