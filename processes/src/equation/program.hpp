#pragma once
/// @file  equation/program.hpp
/// @brief Expressions as byte code on rows of a block.

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include <fokker/processes/expression/expression.hpp>

#include "kernels/byte_code.hpp"

namespace fokker::detail {

/// Some expressions of states and t, ready to be evaluated for blocks of paths: every common part
/// once, parts without a state once per call, rows in pieces that stay in the L1 cache. A row has
/// the same bits on every instruction set and in any piece. Scratch belongs to the thread and grows
/// in the first call only.
class Program {
 public:
  /// @param outputs     the expressions, in the order of their rows
  /// @param states      number of states d
  /// @param parameters  their values, which are numbers of the program
  Program(const ExpressionGraph& graph, std::span<const Expr> outputs, int states,
          std::span<const double> parameters);

  /// out[i * out_stride + j] = expression i of states x[k * x_stride + j], for the paths j < n.
  /// @pre  out and x do not overlap
  void run(const double* x, std::ptrdiff_t x_stride, std::ptrdiff_t n, double t, double* out,
           std::ptrdiff_t out_stride) const;

  std::size_t operations() const { return rows_.size(); }

 private:
  int states_ = 0, outputs_ = 0, registers_ = 0;
  std::vector<double> numbers_;    ///< constants; the first is t
  std::vector<Instruction> once_;  ///< those of t alone, on rows of row_lanes
  int uniforms_ = 0;               ///< results of once_
  std::vector<Instruction> rows_;
  std::size_t piece_ = row_lanes;
  std::vector<std::shared_ptr<const ForcingTable>> tables_;  ///< that instructions point to
};

}  // namespace fokker::detail
