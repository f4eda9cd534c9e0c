/// @file  same_eigen.cpp
/// @brief How the library's Eigen aligns and allocates, as a symbol.

#include <fokker/solvers/core/abi_check.hpp>

namespace fokker::detail {

template <int Alignment, bool SystemMalloc>
void compile_fokker_for_the_same_instruction_set() {}

template void compile_fokker_for_the_same_instruction_set<EIGEN_MAX_ALIGN_BYTES,
                                                          EIGEN_MALLOC_ALREADY_ALIGNED != 0>();

}  // namespace fokker::detail
