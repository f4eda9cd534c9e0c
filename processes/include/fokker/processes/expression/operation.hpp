#pragma once
/// @file  fokker/processes/expression/operation.hpp
/// @brief The operations that equations are made of.

namespace fokker {

/// What a node of an expression is.
enum class Op : unsigned char {
  constant,
  parameter,
  state,
  time,
  // two arguments
  add,
  subtract,
  multiply,
  divide,
  power,
  min,
  max,
  atan2,
  hypot,
  fmod,
  less,        ///< 1 where a < b, else 0
  less_equal,  ///< 1 where a <= b, else 0
  // three arguments
  select,  ///< b where a is not 0, else c
  // one argument
  negate,
  sqrt,
  exp,
  log,
  sin,
  cos,
  tanh,
  sinh,
  cosh,
  expm1,
  log1p,
  abs,
  sign,
  step,  ///< 1 for x >= 0, else 0
  tan,
  asin,
  acos,
  atan,
  asinh,
  acosh,
  atanh,
  cbrt,
  erf,
  erfc,
  exp2,
  log2,
  log10,
  floor,
  ceil,
  round,
  trunc,
  table,        ///< the table with the number `index` of the node
  table_slope,  ///< its derivative
};

}  // namespace fokker
